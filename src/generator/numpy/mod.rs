//! `NumPy`'s numbers.

pub(super) mod default_rng;
mod layers;
mod legacy;
mod ziggurat;

use super::{Draws, Framework, Generator};
use crate::law::Law;
use crate::plan::Tensor;

/// `numpy.random.default_rng`.
pub(super) const DEFAULT_RNG: Generator = Generator {
    name: "numpy-2.4",
    summary: "numpy.random.default_rng(SEED), of a list by --seed A,B, spawned by --split I/N: one generator for all tensors, in order; in double precision but for standard_normal and random in f32",
    framework: Some(Framework {
        word: "numpy",
        release: "NumPy 2.4",
        since: "NumPy 1.17",
        seeds_layers: false,
        platform: hangs_on_platform,
    }),
    check: default_rng::check,
    has,
    draws: Draws::InOrder(default_rng::start),
};

/// `numpy.random.seed`, `numpy.random.RandomState`.
pub(super) const LEGACY: Generator = Generator {
    name: "numpy-legacy-2.4",
    summary: "numpy.random.seed(SEED), or RandomState(SEED): one generator for all tensors, in order, in double precision",
    framework: Some(Framework {
        word: "numpy-legacy",
        release: "NumPy 2.4",
        since: "NumPy 1.0",
        seeds_layers: false,
        platform: hangs_on_platform,
    }),
    check: legacy::check,
    has,
    draws: Draws::InOrder(legacy::start),
};

/// Normals take logarithms, and those of `default_rng` exponentials too.
fn hangs_on_platform(tensor: &Tensor) -> bool {
    matches!(tensor.law, Law::Normal { .. })
}

/// Whether there is such a law.
fn has(law: &Law) -> bool {
    matches!(law, Law::Uniform { .. } | Law::Normal { .. })
}
