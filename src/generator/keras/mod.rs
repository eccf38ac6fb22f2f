//! Keras 3's own numbers. What draws is the backend; Keras makes its seeds: a number, and how often it was asked before
//! (`keras.random.SeedGenerator`).

pub(super) mod jax;
mod layers;
mod orthogonal;
pub(super) mod tensorflow;

use anyhow::{Context, Result, ensure};

use super::{Source, native};
use crate::law::Law;
use crate::plan::{Number, Seed, Tensor};

/// The number of a seed. Errors where there is more to it.
fn only(seed: &Seed) -> Result<Number> {
    ensure!(seed.steps().is_empty(), "--fold-in and --split derive keys of JAX: they go with --like jax");
    seed.only().context("Keras takes one whole number")
}

/// How often the generator of seeds was asked before this tensor.
fn counter(tensor: &Tensor) -> u64 {
    tensor.order.unwrap_or(0)
}

/// The numbers of a tensor, by what draws the elementwise laws of the backend.
fn initializer(tensor: &Tensor, draw: impl Fn(&Law) -> Box<dyn Source>) -> Box<dyn Source> {
    match &tensor.law {
        &Law::Orthogonal { gain, ref unfolding, .. } => {
            let normals = draw(&Law::Normal { mean: 0.0, std: 1.0 });
            Box::new(orthogonal::tensor(&*normals, gain, unfolding, tensor.dtype))
        }
        law if law.is_random() => draw(law),
        _ => native::open(&Seed::default(), tensor, 1),
    }
}
