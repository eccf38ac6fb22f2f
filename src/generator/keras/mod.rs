//! Keras 3's own numbers. What draws is the backend; Keras makes its seeds: a number, and how often it was asked before
//! (`keras.random.SeedGenerator`). The layers of a model have a number each, which Python draws.

pub(super) mod jax;
mod layers;
pub(super) mod numpy;
pub(super) mod tensorflow;

use anyhow::{Context, Result, bail};

use super::Source;
use super::elementwise::Elementwise;
use super::qr::{self, Rows};
use crate::law::{Law, in_memory};
use crate::plan::{Number, Seed, Step, Tensor};
use layers::layer_seeds;

/// The number of a seed. Errors where there is more to it than one of `keras.utils.set_random_seed` for the layers of a model.
fn only(seed: &Seed) -> Result<Number> {
    let &[number] = seed.numbers() else { bail!("Keras takes one whole number") };
    if seed.steps() == [Step::Layers] {
        of_all_layers(number).context("keras.utils.set_random_seed takes a whole number from 0 to 2^32-1")?;
    } else {
        seed.check_no_steps()?;
    }
    Ok(number)
}

fn of_all_layers(number: Number) -> Option<u32> {
    u32::try_from(number.to_u64()?).ok()
}

/// The pair of seeds that a tensor is drawn under: a number, and how often its generator of seeds was asked before. Of the layers of
/// a model, each has a number of its own; other tensors share one.
fn pair(seed: &Seed, tensor: &Tensor) -> (Number, u64) {
    let number = seed.numbers().first().copied().unwrap_or_default();
    let before = tensor.order.unwrap_or(0);
    if seed.steps().is_empty() {
        return (number, before);
    }
    let own = layer_seeds(of_all_layers(number).unwrap_or_default()).nth(in_memory(before));
    (Number { negative: false, magnitude: own.unwrap_or_default().into() }, 0)
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
