//! Keras with the `PyTorch` backend: each draw has its own `torch.Generator`, seeded by the sum of the pair of a `SeedGenerator`.

use std::sync::Arc;

use anyhow::{Context, Result};

use super::super::elementwise::Elementwise;
use super::super::qr::{self, Rows};
use super::super::sequential::{RngState, Sequence, TensorCursor};
use super::super::source::{Offset, Values};
use super::super::torch::{self, Plain, PlainLaw};
use super::super::{Access, Framework, Generator, Source};
use super::{has, only, pair};
use crate::distribution::{Distribution, TensorSpec};
use crate::tensor::{DType, Number, Seed, to_f32, to_usize};

pub(in crate::generator) const GENERATOR: Generator = Generator {
    name: "keras-3.15-torch",
    summary: "Keras initializers with the PyTorch backend on a CPU with AVX2; several tensors share one SeedGenerator(SEED), in order; a model (mlp, model) gets the values after keras.utils.set_random_seed(SEED)",
    framework: Some(Framework {
        word: "keras:torch",
        release: "Keras 3.15 on PyTorch 2.15",
        since: "Keras 3.15 on PyTorch 2.13",
        seeds_layers: true,
        check_shared,
    }),
    check,
    supports: has,
    access: Access::Random(open),
    // Its normals are stored next to the matrix.
    workspace: |tensor| match &tensor.distribution {
        Distribution::Orthogonal { .. } => qr::workspace_of(tensor).saturating_add(8 * tensor.whole().shape.count()),
        _ => 0,
    },
};

/// Errors if the backend does not accept the seed.
fn check(seed: &Seed) -> Result<()> {
    only(seed)?.to_i64().context("with the PyTorch backend, Keras takes an integer from -2^63 to 2^63-1")?;
    Ok(())
}

/// Errors if the seed does not fit the 32 bits of a `SeedGenerator`. Layers' seeds always fit.
fn check_shared(seed: &Seed) -> Result<()> {
    let fits = |number: Number| number.to_i64().and_then(|number| i32::try_from(number).ok());
    let reason =
        "several tensors share one SeedGenerator, which with the PyTorch backend takes an integer from -2^31 to 2^31-1";
    if seed.steps().is_empty() {
        fits(only(seed)?).context(reason)?;
    }
    Ok(())
}

/// The values of a tensor. They depend only on the number of seeds used earlier, not on other tensors.
#[expect(clippy::unnecessary_wraps, reason = "other generators have fewer distributions")]
fn open(seed: &Seed, tensor: &TensorSpec, _: usize) -> Option<Box<dyn Source>> {
    Some(Box::new(Arc::new(Sequence::of_one(seed, tensor.whole(), start)).open(0)))
}

fn start(seed: &Seed) -> Box<dyn RngState> {
    Box::new(Seeds(seed.clone()))
}

/// The seeds of tensors: the only state between tensors.
#[derive(Clone)]
struct Seeds(Seed);

impl RngState for Seeds {
    fn fork(&self) -> Box<dyn RngState> {
        Box::new(self.clone())
    }

    fn tensor(self: Box<Self>, tensor: &TensorSpec) -> Box<dyn TensorCursor> {
        let (number, counter) = pair(&self.0, tensor);
        let state = torch::Generator::new(number.wrapped().wrapping_add(counter));
        let (count, dtype) = (tensor.shape.count(), tensor.dtype);
        let standard = PlainLaw::Normal { mean: 0.0, std: 1.0 };
        let (distribution, count, then) = match (&tensor.distribution, Elementwise::of(&tensor.distribution)) {
            (_, Some(Elementwise::Normal { mean, std })) => (PlainLaw::Normal { mean, std }, count, Then::Nothing),
            (_, Some(Elementwise::Uniform { low, high })) => {
                (PlainLaw::Uniform { low: 0.0, high: 1.0 }, count, Then::Spread { factor: high - low, shift: low })
            }
            (_, Some(Elementwise::TruncatedNormal { mean, std, .. })) => {
                (standard, count * TRIES, Then::Chosen { factor: std, shift: mean })
            }
            (Distribution::Orthogonal { gain, unfolding, .. }, None) => {
                let (normals, _) = torch::normals(state, (0.0, 1.0), count, dtype);
                // Other threads draw the preceding and following tensors.
                let values = qr::tensor(&Values::Doubles(normals), Rows::Longer, *gain, unfolding, dtype, 1);
                return Box::new(Precomputed { values: Arc::new(values), position: 0, seeds: *self });
            }
            _ => unreachable!("a plan with other distributions is not made"),
        };
        Box::new(PlainValues { plain: Plain::new(state, distribution, count, dtype), then, dtype, seeds: *self })
    }
}

/// The number of normals drawn for one truncated normal.
const TRIES: u64 = 4;

/// The step after torch's draw.
#[derive(Clone, Copy)]
enum Then {
    Nothing,
    /// Multiply and add.
    Spread {
        factor: f64,
        shift: f64,
    },
    /// The first of four within [-2, 2], or the first if there is none; then multiply and add.
    Chosen {
        factor: f64,
        shift: f64,
    },
}

impl Then {
    /// The number of draws per value.
    fn tries(self) -> usize {
        if matches!(self, Self::Chosen { .. }) { to_usize(TRIES) } else { 1 }
    }
}

#[derive(Clone)]
struct PlainValues {
    plain: Plain,
    then: Then,
    dtype: DType,
    seeds: Seeds,
}

impl TensorCursor for PlainValues {
    fn fork(&self) -> Box<dyn TensorCursor> {
        Box::new(self.clone())
    }

    fn take(&mut self, count: usize) -> Arc<dyn Source> {
        let drawn = self.plain.take(count * self.then.tries());
        Arc::new(Part { drawn, then: self.then, dtype: self.dtype })
    }

    fn finish(self: Box<Self>) -> Box<dyn RngState> {
        Box::new(self.seeds)
    }
}

struct Part {
    drawn: Arc<dyn Source>,
    then: Then,
    dtype: DType,
}

/// The number of values chosen at a time.
const CHOSEN: usize = 1 << 12;

impl Source for Part {
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        // Every step rounds to a half type. Its summands are numbers of that type, its factors are singles.
        let round = |value: f32| if self.dtype == DType::F32 { value } else { to_f32(self.dtype.round(value.into())) };
        let moved = |value: f32, factor: f64, shift: f64| round(round(value * to_f32(factor)) + round(to_f32(shift)));
        match self.then {
            Then::Nothing => self.drawn.fill_f32(start, out),
            Then::Spread { factor, shift } => {
                self.drawn.fill_f32(start, out);
                for value in out {
                    *value = moved(*value, factor, shift);
                }
            }
            Then::Chosen { factor, shift } => {
                let mut tries = vec![0.0; out.len().min(CHOSEN) * self.then.tries()];
                for (out, start) in out.chunks_mut(CHOSEN).zip((start..).step_by(CHOSEN)) {
                    let tries = &mut tries[..out.len() * self.then.tries()];
                    self.drawn.fill_f32(start * TRIES, tries);
                    for (value, tries) in out.iter_mut().zip(tries.chunks_exact(self.then.tries())) {
                        let fit = tries.iter().find(|value| value.abs() < 2.0);
                        *value = moved(*fit.unwrap_or(&tries[0]), factor, shift);
                    }
                }
            }
        }
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
        match self.then {
            Then::Nothing => self.drawn.fill_f64(start, out),
            Then::Spread { factor, shift } => {
                self.drawn.fill_f64(start, out);
                for value in out {
                    *value = *value * factor + shift;
                }
            }
            Then::Chosen { factor, shift } => {
                let mut tries = vec![0.0; out.len().min(CHOSEN) * self.then.tries()];
                for (out, start) in out.chunks_mut(CHOSEN).zip((start..).step_by(CHOSEN)) {
                    let tries = &mut tries[..out.len() * self.then.tries()];
                    self.drawn.fill_f64(start * TRIES, tries);
                    for (value, tries) in out.iter_mut().zip(tries.chunks_exact(self.then.tries())) {
                        let fit = tries.iter().find(|value| value.abs() < 2.0);
                        *value = *fit.unwrap_or(&tries[0]) * factor + shift;
                    }
                }
            }
        }
    }
}

#[derive(Clone)]
struct Precomputed {
    values: Arc<Values>,
    position: u64,
    seeds: Seeds,
}

impl TensorCursor for Precomputed {
    fn fork(&self) -> Box<dyn TensorCursor> {
        Box::new(self.clone())
    }

    fn take(&mut self, count: usize) -> Arc<dyn Source> {
        let from = self.position;
        self.position += count as u64;
        Arc::new(Offset { from, values: Arc::clone(&self.values) as Arc<dyn Source> })
    }

    fn finish(self: Box<Self>) -> Box<dyn RngState> {
        Box::new(self.seeds)
    }
}
