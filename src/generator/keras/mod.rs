//! Keras 3's own numbers. What draws is the backend; Keras makes its seeds: a number, and how often it was asked before
//! (`keras.random.SeedGenerator`).

pub(super) mod jax;
mod layers;
pub(super) mod tensorflow;

use anyhow::{Context, Result, ensure};

use super::Source;
use super::elementwise::Elementwise;
use super::qr::{self, Rows};
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

/// Whether Keras has such a law.
pub(super) fn has(law: &Law) -> bool {
    matches!(law, Law::Orthogonal { .. }) || Elementwise::of(law).is_some()
}

/// The numbers of a tensor, by what draws the elementwise laws of the backend; `None` where Keras has no such law.
fn initializer(
    tensor: &Tensor,
    threads: usize,
    draw: impl Fn(Elementwise) -> Box<dyn Source>,
) -> Option<Box<dyn Source>> {
    Some(match tensor.law {
        Law::Orthogonal { gain, ref unfolding, .. } => {
            let normals = draw(Elementwise::STANDARD_NORMAL);
            Box::new(qr::tensor(&*normals, Rows::Longer, gain, unfolding, tensor.dtype, threads))
        }
        ref law => draw(Elementwise::of(law)?),
    })
}
