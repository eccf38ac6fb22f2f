//! Keras with the TensorFlow backend: the stateless functions, seeded by the pair of a `SeedGenerator`.

use anyhow::{Context, Result};

use super::super::Source;
use super::super::elementwise::Elementwise;
use super::super::tensorflow::stateless;
use super::{initializer, only, pair};
use crate::distribution::TensorSpec;
use crate::tensor::{Seed, to_f32};

/// Keras reduces seeds modulo this, so that they fit 32 bits.
const MODULUS: i64 = i32::MAX as i64 - 1;

/// Errors if the backend does not accept the seed.
pub(in crate::generator) fn check(seed: &Seed) -> Result<()> {
    only(seed)?.to_i64().context("with the TensorFlow backend, Keras takes an integer from -2^63 to 2^63-1")?;
    Ok(())
}

/// The values of a tensor; `None` if Keras lacks the distribution.
pub(in crate::generator) fn open(seed: &Seed, tensor: &TensorSpec, threads: usize) -> Option<Box<dyn Source>> {
    let (number, counter) = pair(seed, tensor);
    let number = number.to_i64().unwrap_or_default();
    let seeds = [number.rem_euclid(MODULUS).cast_unsigned(), counter % MODULUS.cast_unsigned()];
    initializer(tensor, threads, |distribution| stateless(seeds, by_way_of_single(distribution), tensor.dtype))
}

/// Keras converts the bounds of a uniform distribution to tensors without a dtype, which rounds them to single precision.
fn by_way_of_single(distribution: Elementwise) -> Elementwise {
    match distribution {
        Elementwise::Uniform { low, high } => {
            let [low, high] = [low, high].map(|bound| to_f32(bound).into());
            Elementwise::Uniform { low, high }
        }
        distribution => distribution,
    }
}
