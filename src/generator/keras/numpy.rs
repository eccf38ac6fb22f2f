//! Keras with the `NumPy` backend: each tensor is the first draw of `default_rng`, seeded by the pair of a `SeedGenerator`.

use std::sync::Arc;

use anyhow::{Context, Result};

use super::super::Source;
use super::super::elementwise::Elementwise;
use super::super::numpy::default_rng;
use super::super::sequential::Sequence;
use super::{initializer, only, pair};
use crate::distribution::TensorSpec;
use crate::tensor::{DType, Number, Seed};

/// Errors if the backend does not accept the seed.
pub(in crate::generator) fn check(seed: &Seed) -> Result<()> {
    let word = only(seed)?.to_u64().and_then(|number| u32::try_from(number).ok());
    word.context("with the NumPy backend, Keras takes an integer from 0 to 2^32-1")?;
    Ok(())
}

/// The values of a tensor; `None` if Keras lacks the distribution.
pub(in crate::generator) fn open(seed: &Seed, tensor: &TensorSpec, threads: usize) -> Option<Box<dyn Source>> {
    let (number, before) = pair(seed, tensor);
    let counter = Number { negative: false, magnitude: before.into() };
    let seeds = Seed::from_iter([number, counter]);
    initializer(tensor, threads, |distribution| drawn(&seeds, distribution, tensor))
}

/// The first draw of `default_rng(seeds)`, in double precision, rounded to the tensor's dtype.
fn drawn(seeds: &Seed, distribution: Elementwise, tensor: &TensorSpec) -> Box<dyn Source> {
    let alone = TensorSpec { distribution: distribution.into(), order: None, precision: DType::F64, ..tensor.whole() };
    Box::new(Arc::new(Sequence::of_one(seeds, alone, default_rng::start)).open(0))
}
