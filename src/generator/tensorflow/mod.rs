//! TensorFlow's own values: `tf.random.stateless_uniform`, `stateless_normal` and `stateless_truncated_normal` on a CPU. Philox makes any
//! element a function of a pair of seeds and its index.

mod double;
mod float_type;
mod groups;

use anyhow::{Context, Result};

use super::elementwise::Elementwise;
use super::philox::Philox;
use super::{Access, Framework, Generator, Source};
use crate::distribution::TensorSpec;
use crate::tensor::{DType, Seed};
use float_type::FloatType;
use groups::Groups;

/// TensorFlow's own values.
pub(super) const GENERATOR: Generator = Generator {
    name: "tensorflow-2.21",
    summary: "tf.random.stateless_uniform, stateless_normal and stateless_truncated_normal with seed=[A, B] (--seed A,B), on a CPU; B grows by 1 from each tensor to the next",
    framework: Some(Framework {
        word: "tensorflow",
        release: "TensorFlow 2.21",
        since: "TensorFlow 2.21, or earlier",
        seeds_layers: false,
        check_shared: |_| Ok(()),
    }),
    check,
    supports: |distribution| Elementwise::of(distribution).is_some(),
    access: Access::Random(open),
    workspace: |_| 0,
};

/// Errors if the seed is not one or two signed 64-bit numbers.
pub(super) fn check(seed: &Seed) -> Result<()> {
    seed.check_no_steps()?;
    pair(seed, 0).context("tf.random.stateless_* takes two integers from -2^63 to 2^63-1, as in 5,7 (5 means 5,0)")?;
    Ok(())
}

/// The pair of seeds of a tensor; the second number grows by 1 from one tensor to the next.
fn pair(seed: &Seed, order: u64) -> Option<[u64; 2]> {
    let whole = |place: usize| Some(seed.numbers().get(place)?.to_i64()?.cast_unsigned());
    let second = match seed.numbers().len() {
        1 => 0,
        2 => whole(1)?,
        _ => return None,
    };
    Some([whole(0)?, second.wrapping_add(order)])
}

/// The values of a tensor; `None` if TensorFlow lacks the distribution.
pub(super) fn open(seed: &Seed, tensor: &TensorSpec, _: usize) -> Option<Box<dyn Source>> {
    let [first, second] = pair(seed, tensor.order.unwrap_or(0)).unwrap_or_default();
    Some(stateless([first, second], Elementwise::of(&tensor.distribution)?, tensor.dtype))
}

/// The values of a distribution under a pair of seeds.
pub(super) fn stateless([first, second]: [u64; 2], distribution: Elementwise, dtype: DType) -> Box<dyn Source> {
    let words = Philox::of_pair(first, second);
    match dtype {
        DType::F64 => match distribution {
            Elementwise::Uniform { low, high } => source(double::Uniform { words, low, span: high - low }),
            Elementwise::Normal { mean, std } => source(double::Normal { words, mean, std }),
            Elementwise::TruncatedNormal { mean, std, .. } => source(double::Truncated { words, mean, std }),
        },
        DType::F32 => below_double::<float_type::F32>(words, distribution),
        DType::F16 => below_double::<float_type::F16>(words, distribution),
        DType::BF16 => below_double::<float_type::Bf16>(words, distribution),
    }
}

fn below_double<F: FloatType>(words: Philox, distribution: Elementwise) -> Box<dyn Source> {
    match distribution {
        Elementwise::Uniform { low, high } => source(float_type::Uniform::<F>::new(words, low, high)),
        Elementwise::Normal { mean, std } => source(float_type::Normal::<F>::new(words, mean, std)),
        Elementwise::TruncatedNormal { mean, std, .. } => source(float_type::Truncated::<F>::new(words, mean, std)),
    }
}

fn source(draw: impl groups::Draw + 'static) -> Box<dyn Source> {
    Box::new(Groups(draw))
}
