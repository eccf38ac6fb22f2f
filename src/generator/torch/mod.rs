//! torch's values on a CPU: MT19937, `uniform_`, `normal_` and the functions of `torch.nn.init`, as in its AVX2 kernels.

mod addressed;
mod box_muller;
mod joint;
mod truncated;

use std::f64::consts::TAU;
use std::sync::Arc;

use anyhow::{Context, Result};

use super::elementwise::Elementwise;
use super::glibc;
use super::mt19937::Mt19937;
use super::sequential::{RngState, TensorCursor};
use super::source::Values;
use super::{Access, Framework, Source};
use crate::distribution::{Distribution, TensorSpec};
use crate::tensor::{DType, Seed, to_f32};
use addressed::{Blocks, Uniforms, Words, uniforms, unit_double, words_of};
use box_muller::BLOCK;
pub(super) use joint::normals;

/// torch's own values.
pub(super) const GENERATOR: super::Generator = super::Generator {
    name: "torch-2.15",
    summary: "torch.manual_seed(SEED) on a CPU with AVX2: one generator for all tensors, in order",
    framework: Some(Framework {
        word: "torch",
        release: "PyTorch 2.15",
        since: "PyTorch 2.13 (f32 and f64 except trunc_normal_: 2.11)",
        seeds_layers: false,
        check_shared: |_| Ok(()),
    }),
    check,
    supports: has,
    access: Access::Sequential(start),
    workspace,
};

/// `torch.Generator`: the engine, and the cached second normal of a pair for small tensors.
#[derive(Clone)]
pub(super) struct Generator {
    words: Mt19937,
    cached: Option<f64>,
}

/// Errors if `torch.manual_seed` does not accept the seed.
pub(super) fn check(seed: &Seed) -> Result<()> {
    seed.check_no_steps()?;
    let number = seed.only().filter(|number| number.to_i64().is_some() || number.to_u64().is_some());
    number.context("torch.manual_seed takes an integer from -2^63 to 2^64-1").map(|_| ())
}

/// True if torch has the distribution.
pub(super) fn has(distribution: &Distribution) -> bool {
    match distribution {
        Distribution::Cleared { distribution, .. } => has(distribution),
        Distribution::Sparse { .. } | Distribution::Orthogonal { .. } => true,
        distribution => Elementwise::of(distribution).is_some(),
    }
}

/// `torch.manual_seed(seed)`: uses the lowest 32 bits.
pub(super) fn start(seed: &Seed) -> Box<dyn RngState> {
    let seed = seed.only().map_or(0, crate::tensor::Number::wrapped);
    Box::new(Generator::new(seed))
}

/// The workspace of a tensor: joint distributions are drawn in double precision.
pub(super) fn workspace(tensor: &TensorSpec) -> u64 {
    joint::workspace(&tensor.distribution, tensor.whole().shape.count())
}

impl Generator {
    #[expect(clippy::cast_possible_truncation, reason = "torch takes the lowest bits")]
    pub(super) fn new(seed: u64) -> Self {
        Self { words: Mt19937::from_seed(seed as u32), cached: None }
    }

    fn unit_double(&mut self) -> f64 {
        let high = self.words.next();
        unit_double(high, self.words.next())
    }

    /// A standard normal of a small tensor.
    fn normal(&mut self) -> f64 {
        if let Some(cached) = self.cached.take() {
            return cached;
        }
        let (turn, fraction) = (self.unit_double(), self.unit_double());
        let radius = (-2.0 * glibc::ln_1p(-fraction)).sqrt();
        let angle = TAU * turn;
        self.cached = Some(radius * glibc::sin(angle));
        radius * glibc::cos(angle)
    }

    /// The values of a distribution for `count` elements.
    fn values(self, distribution: &Distribution, count: u64, dtype: DType) -> Box<dyn TensorCursor> {
        match *distribution {
            Distribution::TruncatedNormal { mean, std, low, high } => {
                truncated::truncated(self, [mean, std, low, high], count, dtype)
            }
            Distribution::Uniform { low, high } => {
                Box::new(Plain::new(self, PlainLaw::Uniform { low, high }, count, dtype))
            }
            Distribution::Normal { mean, std } => {
                Box::new(Plain::new(self, PlainLaw::Normal { mean, std }, count, dtype))
            }
            _ => joint::drawn(self, distribution, count, dtype),
        }
    }
}

impl RngState for Generator {
    fn fork(&self) -> Box<dyn RngState> {
        Box::new(self.clone())
    }

    fn tensor(mut self: Box<Self>, tensor: &TensorSpec) -> Box<dyn TensorCursor> {
        self.words.skip(tensor.skipped.saturating_mul(words_of(tensor.dtype)));
        self.values(&tensor.distribution, tensor.shape.count(), tensor.dtype)
    }
}

/// A distribution of independent elements.
#[derive(Clone, Copy)]
pub(super) enum PlainLaw {
    /// `uniform_(low, high)`
    Uniform { low: f64, high: f64 },
    /// `normal_(mean, std)`
    Normal { mean: f64, std: f64 },
}

/// The values of `uniform_` or `normal_`.
#[derive(Clone)]
pub(super) struct Plain {
    /// At the word of element `position`, or of the first one of its block.
    state: Generator,
    distribution: PlainLaw,
    count: u64,
    dtype: DType,
    position: u64,
}

impl Plain {
    pub(super) fn new(state: Generator, distribution: PlainLaw, count: u64, dtype: DType) -> Self {
        Self { state, distribution, count, dtype, position: 0 }
    }

    /// True if every element has its own words, so that parts can be drawn in parallel.
    fn is_addressed(&self) -> bool {
        matches!(self.distribution, PlainLaw::Uniform { .. }) || self.count >= BLOCK as u64
    }

    /// The number of words before an element, or before its block.
    fn words_before(&self, position: u64) -> u64 {
        let uniforms = match self.distribution {
            PlainLaw::Normal { .. } => position / BLOCK as u64 * BLOCK as u64,
            PlainLaw::Uniform { .. } => position,
        };
        uniforms * words_of(self.dtype)
    }
}

impl TensorCursor for Plain {
    fn fork(&self) -> Box<dyn TensorCursor> {
        Box::new(self.clone())
    }

    fn take(&mut self, count: usize) -> Arc<dyn Source> {
        let (first, dtype) = (self.position, self.dtype);
        self.position += count as u64;
        let words = || Words::new(self.state.words.clone());
        let part: Arc<dyn Source> = match self.distribution {
            PlainLaw::Uniform { low: from, high: to } => Arc::new(Uniforms { words: words(), dtype, from, to }),
            PlainLaw::Normal { mean, std } if self.is_addressed() => {
                Arc::new(Blocks { words: words(), first, count: self.count, dtype, mean, std })
            }
            PlainLaw::Normal { mean, std } => {
                let values: Vec<f64> = (0..count).map(|_| self.state.normal().mul_add(std, mean)).collect();
                return Arc::new(rounded(values, dtype));
            }
        };
        let skipped = self.words_before(self.position) - self.words_before(first);
        self.state.words.skip(skipped);
        part
    }

    fn finish(self: Box<Self>) -> Box<dyn RngState> {
        Box::new(self.ended())
    }
}

impl Plain {
    /// The state after the last value.
    fn ended(mut self) -> Generator {
        if matches!(self.distribution, PlainLaw::Normal { .. }) && self.is_addressed() {
            let all = uniforms(self.count, self.dtype) * words_of(self.dtype);
            let skipped = self.words_before(self.position);
            self.state.words.skip(all - skipped);
        }
        self.state
    }
}

/// Doubles rounded as in torch: to half types via single precision.
fn rounded(values: Vec<f64>, dtype: DType) -> Values {
    match dtype {
        DType::F64 => Values::Doubles(values),
        _ => Values::Singles(values.into_iter().map(|value| to_f32(dtype.round(f64::from(to_f32(value))))).collect()),
    }
}
