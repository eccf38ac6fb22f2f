//! `NumPy`'s numbers.

pub(super) mod default_rng;
mod layers;
mod legacy;
mod ziggurat;

use super::ordered::Drawn;
use super::platform::Function;
use super::{Draws, Framework, Generator, workspace};
use crate::law::{Law, TensorSpec};
use crate::tensor::{DType, narrow};

/// `numpy.random.default_rng`.
pub(super) const DEFAULT_RNG: Generator = Generator {
    name: "numpy-2.4",
    summary: "numpy.random.default_rng(SEED), of a list by --seed A,B, spawned by --split I/N: one generator for all tensors, in order; in double precision but for standard_normal and random in f32",
    framework: Some(Framework {
        word: "numpy",
        release: "NumPy 2.4",
        since: "NumPy 1.17",
        seeds_layers: false,
        check_shared: |_| Ok(()),
        platform: of_default_rng,
    }),
    check: default_rng::check,
    has,
    draws: Draws::InOrder(default_rng::start),
    workspace: workspace::none,
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
        platform: of_legacy,
    }),
    check: legacy::check,
    has,
    draws: Draws::InOrder(legacy::start),
    workspace: workspace::none,
};

/// The initializers of Lasagne, which draws from `numpy.random`.
pub(super) const LASAGNE: Generator = Generator {
    name: "lasagne-0.1",
    summary: "the initializers of Lasagne after numpy.random.seed(SEED), or lasagne.random.set_rng(RandomState(SEED)): one generator for all tensors, in order",
    framework: Some(Framework {
        word: "lasagne",
        release: "Lasagne 0.1 on NumPy 2.4",
        since: "Lasagne 0.1",
        seeds_layers: false,
        check_shared: |_| Ok(()),
        platform: of_legacy,
    }),
    check: legacy::check,
    has: |law| has(law) || matches!(law, Law::Sparse { .. }),
    draws: Draws::InOrder(legacy::start),
    workspace: legacy::workspace,
};

/// Normals take logarithms in their tails. The exponentials that some are compared with decide nothing by their last bit.
fn of_default_rng(tensor: &TensorSpec) -> &'static [Function] {
    match tensor.law {
        Law::Uniform { .. } => &[],
        _ if tensor.precision == DType::F32 => &[Function::SingleLn1p],
        _ if tensor.dtype == DType::F64 => &[Function::Ln1p],
        _ => &[],
    }
}

/// Normals take logarithms.
fn of_legacy(tensor: &TensorSpec) -> &'static [Function] {
    let normal = tensor.dtype == DType::F64 && !matches!(tensor.law, Law::Uniform { .. });
    if normal { &[Function::Ln] } else { &[] }
}

/// Whether there is such a law.
fn has(law: &Law) -> bool {
    matches!(law, Law::Uniform { .. } | Law::Normal { .. })
}

/// Values that are drawn in double precision, as `.astype` rounds them.
fn drawn(values: impl Iterator<Item = f64>, dtype: DType) -> Drawn {
    match dtype {
        DType::F64 => Drawn::Doubles(values.collect()),
        _ => Drawn::Singles(values.map(|value| rounded(value, dtype)).collect()),
    }
}

/// As `.astype` rounds it: to a bfloat16 by way of a single, as `ml_dtypes` has it.
#[inline(always)]
fn rounded(value: f64, dtype: DType) -> f32 {
    match dtype {
        DType::F16 => narrow(dtype.round(value)),
        DType::BF16 => narrow(dtype.round(narrow(value).into())),
        DType::F32 | DType::F64 => narrow(value),
    }
}
