//! Keras with the JAX backend. The key is the pair of seeds of a `SeedGenerator`.

use anyhow::{Context, Result};

use super::super::Source;
use super::super::jax::elementwise;
use super::super::threefry::Key;
use super::{initializer, only, pair};
use crate::distribution::TensorSpec;
use crate::tensor::{Number, Seed};

/// Errors if the backend does not accept the seed.
pub(in crate::generator) fn check(seed: &Seed) -> Result<()> {
    word(only(seed)?).context("with the JAX backend, Keras takes an integer from 0 to 2^32-1")?;
    Ok(())
}

fn word(number: Number) -> Option<u32> {
    u32::try_from(number.to_u64()?).ok()
}

/// The values of a tensor; `None` if Keras lacks the distribution.
pub(in crate::generator) fn open(seed: &Seed, tensor: &TensorSpec, threads: usize) -> Option<Box<dyn Source>> {
    let (number, counter) = pair(seed, tensor);
    #[expect(clippy::cast_possible_truncation, reason = "a file has at most 2^20 tensors")]
    let key = Key([word(number).unwrap_or_default(), counter as u32]);
    initializer(tensor, threads, |distribution| elementwise(key, distribution, tensor.dtype))
}
