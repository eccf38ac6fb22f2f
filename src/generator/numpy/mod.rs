//! `NumPy`'s generators.

pub(super) mod default_rng;
mod layers;
mod legacy;
mod ziggurat;

use super::source::Values;
use super::{Access, Framework, Generator};
use crate::distribution::Distribution;
use crate::tensor::{DType, to_f32};

/// `numpy.random.default_rng`.
pub(super) const DEFAULT_RNG: Generator = Generator {
    name: "numpy-2.4",
    summary: "numpy.random.default_rng(SEED), also of a list (--seed A,B) or spawned (--seed A,split=I/N): one generator for all tensors, in order, in double precision except standard_normal and random in f32",
    framework: Some(Framework {
        word: "numpy",
        release: "NumPy 2.4",
        since: "NumPy 1.17",
        seeds_layers: false,
        check_shared: |_| Ok(()),
    }),
    check: default_rng::check,
    supports: has,
    access: Access::Sequential(default_rng::start),
    workspace: |_| 0,
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
        check_shared: |_| Ok(()),
    }),
    check: legacy::check,
    supports: has,
    access: Access::Sequential(legacy::start),
    workspace: |_| 0,
};

/// Lasagne's initializers, which draw from `numpy.random`.
pub(super) const LASAGNE: Generator = Generator {
    name: "lasagne-0.1",
    summary: "Lasagne's initializers after numpy.random.seed(SEED), or lasagne.random.set_rng(RandomState(SEED)): one generator for all tensors, in order",
    framework: Some(Framework {
        word: "lasagne",
        release: "Lasagne 0.1 on NumPy 2.4",
        since: "Lasagne 0.1",
        seeds_layers: false,
        check_shared: |_| Ok(()),
    }),
    check: legacy::check,
    supports: |distribution| has(distribution) || matches!(distribution, Distribution::Sparse { .. }),
    access: Access::Sequential(legacy::start),
    workspace: legacy::workspace,
};

/// True if `NumPy` has the distribution.
fn has(distribution: &Distribution) -> bool {
    matches!(distribution, Distribution::Uniform { .. } | Distribution::Normal { .. })
}

/// Double-precision values, rounded as by `.astype`.
fn drawn(values: impl Iterator<Item = f64>, dtype: DType) -> Values {
    match dtype {
        DType::F64 => Values::Doubles(values.collect()),
        _ => Values::Singles(values.map(|value| rounded(value, dtype)).collect()),
    }
}

/// Rounds as `.astype`: to bfloat16 via single precision, as in `ml_dtypes`.
#[inline(always)]
fn rounded(value: f64, dtype: DType) -> f32 {
    match dtype {
        DType::F16 => to_f32(dtype.round(value)),
        DType::BF16 => to_f32(dtype.round(to_f32(value).into())),
        DType::F32 | DType::F64 => to_f32(value),
    }
}
