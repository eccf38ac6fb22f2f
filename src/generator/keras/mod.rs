//! Keras 3's own values. The backend draws; Keras makes the seeds: a number, and the count of earlier seeds (`keras.random.SeedGenerator`).
//! Each layer of a model has its own number, drawn by Python.

pub(super) mod jax;
mod layers;
pub(super) mod numpy;
pub(super) mod tensorflow;
pub(super) mod torch;

use anyhow::{Context, Result, bail};

use super::elementwise::Elementwise;
use super::qr::{self, Rows};
use super::{Access, Framework, Generator, Source};
use crate::distribution::{Distribution, TensorSpec};
use crate::tensor::{Number, Seed, Step};
use layers::layer_seed;

/// Keras with the JAX backend.
pub(super) const JAX: Generator = Generator {
    name: "keras-3.15-jax",
    summary: "Keras initializers with the JAX backend, outside jax.jit; several tensors share one SeedGenerator(SEED), in order; a model (mlp, model) gets the values after keras.utils.set_random_seed(SEED)",
    framework: Some(Framework {
        word: "keras:jax",
        release: "Keras 3.15 on JAX 0.10.2",
        since: "Keras 3.15",
        seeds_layers: true,
        check_shared: |_| Ok(()),
    }),
    check: jax::check,
    supports: has,
    access: Access::Random(jax::open),
    workspace: qr::workspace_of,
};

/// Keras with the TensorFlow backend.
pub(super) const TENSORFLOW: Generator = Generator {
    name: "keras-3.15-tensorflow",
    summary: "Keras initializers with the TensorFlow backend on a CPU; several tensors share one SeedGenerator(SEED), in order; a model (mlp, model) gets the values after keras.utils.set_random_seed(SEED)",
    framework: Some(Framework {
        word: "keras:tensorflow",
        release: "Keras 3.15 on TensorFlow 2.21",
        since: "Keras 3.15",
        seeds_layers: true,
        check_shared: |_| Ok(()),
    }),
    check: tensorflow::check,
    supports: has,
    access: Access::Random(tensorflow::open),
    workspace: qr::workspace_of,
};

/// Keras with the `NumPy` backend.
pub(super) const NUMPY: Generator = Generator {
    name: "keras-3.15-numpy",
    summary: "Keras initializers with the NumPy backend; several tensors share one SeedGenerator(SEED), in order; a model (mlp, model) gets the values after keras.utils.set_random_seed(SEED)",
    framework: Some(Framework {
        word: "keras:numpy",
        release: "Keras 3.15 on NumPy 2.4",
        since: "Keras 3.15",
        seeds_layers: true,
        check_shared: |_| Ok(()),
    }),
    check: numpy::check,
    supports: has,
    access: Access::Random(numpy::open),
    workspace: qr::workspace_of,
};

/// The number of a seed. Errors if it has more parts than one `keras.utils.set_random_seed` for a model's layers.
fn only(seed: &Seed) -> Result<Number> {
    let &[number] = seed.numbers() else { bail!("Keras takes one integer") };
    if seed.steps() == [Step::Layers] {
        of_all_layers(number).context("keras.utils.set_random_seed takes an integer from 0 to 2^32-1")?;
    } else {
        seed.check_no_steps()?;
    }
    Ok(number)
}

fn of_all_layers(number: Number) -> Option<u32> {
    u32::try_from(number.to_u64()?).ok()
}

/// A tensor's pair of seeds: a number, and the count of its generator's earlier seeds. Each layer of a model has its own number; other
/// tensors share one.
fn pair(seed: &Seed, tensor: &TensorSpec) -> (Number, u64) {
    let number = seed.numbers().first().copied().unwrap_or_default();
    let before = tensor.order.unwrap_or(0);
    if seed.steps().is_empty() {
        return (number, before);
    }
    let own = layer_seed(of_all_layers(number).unwrap_or_default(), before);
    (Number { negative: false, magnitude: own.into() }, 0)
}

/// True if Keras has the distribution.
pub(super) fn has(distribution: &Distribution) -> bool {
    matches!(distribution, Distribution::Orthogonal { .. }) || Elementwise::of(distribution).is_some()
}

/// The values of a tensor, from the backend's elementwise distributions; `None` if Keras lacks the distribution.
fn initializer(
    tensor: &TensorSpec,
    threads: usize,
    draw: impl Fn(Elementwise) -> Box<dyn Source>,
) -> Option<Box<dyn Source>> {
    Some(match tensor.distribution {
        Distribution::Orthogonal { gain, ref unfolding, .. } => {
            let normals = draw(Elementwise::STANDARD_NORMAL);
            Box::new(qr::tensor(&*normals, Rows::Longer, gain, unfolding, tensor.dtype, threads))
        }
        ref distribution => draw(Elementwise::of(distribution)?),
    })
}
