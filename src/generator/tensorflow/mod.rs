//! TensorFlow's own numbers: `tf.random.stateless_uniform`, `stateless_normal` and `stateless_truncated_normal` on a CPU. They are
//! of Philox, so that any element is a function of a pair of seeds and its place.

mod double;
mod groups;
mod single;

use anyhow::{Context, Result};

use super::elementwise::Elementwise;
use super::philox::Philox;
use super::platform::{Function, LOGARITHMS_AND_SINES};
use super::{Draws, Framework, Generator, Source, workspace};
use crate::law::{Law, TensorSpec};
use crate::tensor::{DType, Seed};
use groups::Groups;
use single::Format;

/// TensorFlow's own numbers.
pub(super) const GENERATOR: Generator = Generator {
    name: "tensorflow-2.21",
    summary: "tf.random.stateless_uniform, stateless_normal and stateless_truncated_normal with seed=[A, B] by --seed A,B, on a CPU; of several tensors B grows by 1 from one to the next",
    framework: Some(Framework {
        word: "tensorflow",
        release: "TensorFlow 2.21",
        since: "TensorFlow 2.21, or earlier",
        seeds_layers: false,
        check_shared: |_| Ok(()),
        platform: hangs_on,
    }),
    check,
    has: |law| Elementwise::of(law).is_some(),
    draws: Draws::Anywhere(open),
    workspace: workspace::none,
};

/// Normals take logarithms and sines, of singles but for f64.
pub(super) fn hangs_on(tensor: &TensorSpec) -> &'static [Function] {
    match (&tensor.law, tensor.dtype) {
        (Law::Uniform { .. }, _) => &[],
        (_, DType::F64) => LOGARITHMS_AND_SINES,
        _ => &[Function::SingleLn, Function::SingleSin, Function::SingleCos],
    }
}

/// Errors where a seed is not one number or two of 64 bits with a sign.
pub(super) fn check(seed: &Seed) -> Result<()> {
    seed.check_no_steps()?;
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

/// The numbers of a tensor; `None` where TensorFlow has no such law.
pub(super) fn open(seed: &Seed, tensor: &TensorSpec, _: usize) -> Option<Box<dyn Source>> {
    let [first, second] = pair(seed, tensor.order.unwrap_or(0)).unwrap_or_default();
    Some(stateless([first, second], Elementwise::of(&tensor.law)?, tensor.dtype))
}

/// What the law draws under a pair of seeds.
pub(super) fn stateless([first, second]: [u64; 2], law: Elementwise, dtype: DType) -> Box<dyn Source> {
    let words = Philox::of_pair(first, second);
    match dtype {
        DType::F64 => match law {
            Elementwise::Uniform { low, high } => source(double::Uniform { words, low, span: high - low }),
            Elementwise::Normal { mean, std } => source(double::Normal { words, mean, std }),
            Elementwise::TruncatedNormal { mean, std, .. } => source(double::Truncated { words, mean, std }),
        },
        DType::F32 => below_double::<single::Single>(words, law),
        DType::F16 => below_double::<single::Half>(words, law),
        DType::BF16 => below_double::<single::Brain>(words, law),
    }
}

fn below_double<F: Format>(words: Philox, law: Elementwise) -> Box<dyn Source> {
    match law {
        Elementwise::Uniform { low, high } => source(single::Uniform::<F>::new(words, low, high)),
        Elementwise::Normal { mean, std } => source(single::Normal::<F>::new(words, mean, std)),
        Elementwise::TruncatedNormal { mean, std, .. } => source(single::Truncated::<F>::new(words, mean, std)),
    }
}

fn source(draw: impl groups::Draw + 'static) -> Box<dyn Source> {
    Box::new(Groups(draw))
}
