//! TensorFlow's own numbers: `tf.random.stateless_uniform`, `stateless_normal` and `stateless_truncated_normal` on a CPU. They are
//! of Philox, so that any element is a function of a pair of seeds and its place.

mod double;
mod groups;
mod single;

use anyhow::{Context, Result, ensure};

use super::Source;
use super::philox::Philox;
use crate::law::Law;
use crate::plan::{DType, Seed, Tensor};
use groups::{Groups, Precision};
use single::Format;

/// Errors where a seed is not one number or two of 64 bits with a sign.
pub(super) fn check(seed: &Seed) -> Result<()> {
    ensure!(seed.steps().is_empty(), "--fold-in and --split derive keys of JAX: they go with --like jax");
    pair(seed, 0).context("tf.random.stateless_* takes a pair of numbers from -2^63 to 2^63-1, as in 5,7; 5 is 5,0")?;
    Ok(())
}

/// The pair of seeds of a tensor: of several tensors, the second number grows by 1 from one to the next.
fn pair(seed: &Seed, order: u64) -> Option<[u64; 2]> {
    let whole = |place: usize| Some(seed.numbers().get(place)?.to_i64()?.cast_unsigned());
    let second = match seed.numbers().len() {
        1 => 0,
        2 => whole(1)?,
        _ => return None,
    };
    Some([whole(0)?, second.wrapping_add(order)])
}

/// The numbers of a tensor.
pub(super) fn open(seed: &Seed, tensor: &Tensor, _: usize) -> Box<dyn Source> {
    let [first, second] = pair(seed, tensor.order.unwrap_or(0)).unwrap_or_default();
    stateless([first, second], &tensor.law, tensor.dtype)
}

/// What the law draws under a pair of seeds.
pub(super) fn stateless([first, second]: [u64; 2], law: &Law, dtype: DType) -> Box<dyn Source> {
    let words = Philox::of_pair(first, second);
    match dtype {
        DType::F64 => match *law {
            Law::Uniform { low, high } => source(double::Uniform { words, low, span: high - low }),
            Law::Normal { mean, std } => source(double::Normal { words, mean, std }),
            Law::TruncatedNormal { mean, std, .. } => source(double::Truncated { words, mean, std }),
            _ => unreachable!("the table of its schemes has no other law"),
        },
        DType::F32 => below_double::<single::Single>(words, law),
        DType::F16 => below_double::<single::Half>(words, law),
        DType::BF16 => below_double::<single::Brain>(words, law),
    }
}

fn below_double<F: Format>(words: Philox, law: &Law) -> Box<dyn Source> {
    match *law {
        Law::Uniform { low, high } => source(single::Uniform::<F>::new(words, low, high)),
        Law::Normal { mean, std } => source(single::Normal::<F>::new(words, mean, std)),
        Law::TruncatedNormal { mean, std, .. } => source(single::Truncated::<F>::new(words, mean, std)),
        _ => unreachable!("the table of its schemes has no other law"),
    }
}

fn source<D: groups::Draw + 'static>(draw: D) -> Box<dyn Source>
where
    D::Value: Precision,
{
    Box::new(Groups(draw))
}
