//! The native generator. Element i of a tensor is a function of (seed, name, i): the seed and name make the key of a
//! stream of words that has an address for each element, and the law only transforms the words found there.

mod box_muller;
mod elementwise;
mod further;
mod lanes;
mod normal;
mod orthogonal;
mod permutation;
mod sparse;
mod tails;
mod truncated;
mod uniform;
mod words;

/// The name of this generator, and part of every key: values under a name never change.
pub(super) const NAME: &str = "native-1";

use words::Words;

use anyhow::{Result, ensure};

use super::{Source, bounds};
use crate::law::{Law, TensorSpec};
use crate::tensor::{DType, Seed};

/// Errors where a seed is not one number of 64 bits.
pub(super) fn check(seed: &Seed) -> Result<()> {
    seed.check_no_steps()?;
    ensure!(
        seed.to_u64().is_some(),
        "a seed is a whole number from 0 to 2^64-1 (decimal, or hexadecimal after `0x`), or `random`; others go with --like"
    );
    Ok(())
}

/// The workspace of a tensor, in bytes.
pub(super) fn workspace(tensor: &TensorSpec) -> u64 {
    match &tensor.law {
        Law::Orthogonal { method, unfolding, .. } => orthogonal::workspace(*method, unfolding, tensor.dtype),
        Law::Whole(law) => law.workspace(),
        _ => 0,
    }
}

/// The numbers of a tensor.
pub(super) fn open(seed: &Seed, tensor: &TensorSpec, threads: usize) -> Box<dyn Source> {
    open_law(Words::new(seed.to_u64().unwrap_or_default(), &tensor.name), &tensor.law, tensor.dtype, threads)
}

fn open_law(words: Words, law: &Law, dtype: DType, threads: usize) -> Box<dyn Source> {
    let (low, high) = bounds(law, dtype);
    match law {
        &Law::Constant { value } => Box::new(elementwise::Constant { value }),
        // Writers copy it; there are no numbers to draw.
        Law::Kept(_) => Box::new(elementwise::Constant { value: f64::NAN }),
        &Law::Normal { mean, std } => Box::new(normal::Normal { words, mean, std }),
        &Law::Uniform { low: from, high: to } => {
            Box::new(uniform::Uniform { words, middle: from / 2.0 + to / 2.0, half: to / 2.0 - from / 2.0, low, high })
        }
        &Law::TruncatedNormal { mean, std, low: cut_low, high: cut_high } => {
            let cuts = ((cut_low - mean) / std, (cut_high - mean) / std);
            truncated::open(words, mean, std, cuts, (low, high))
        }
        Law::Orthogonal { gain, method, unfolding } => {
            orthogonal::open(words, *gain, *method, unfolding, dtype, threads)
        }
        &Law::Sparse { nonzeros, mean, std, ref unfolding } => {
            Box::new(sparse::Sparse::new(normal::Normal { words, mean, std }, nonzeros, unfolding))
        }
        Law::Pattern(law) => Box::new(further::Places(law.clone())),
        Law::Distribution(law) => Box::new(further::Independent { words, law: law.clone(), bounds: (low, high) }),
        Law::Whole(law) => {
            let finite = (low.max(-dtype.max()), high.min(dtype.max()));
            Box::new(further::Drawn::new(words, law.as_ref(), finite, threads))
        }
        Law::Cleared { law, from, to } => {
            let whole = open_law(words, law, dtype, threads);
            Box::new(elementwise::Cleared { whole, from: *from, to: *to })
        }
    }
}

#[cfg(test)]
mod tests {
    use half::bf16;

    use super::*;

    #[test]
    fn bfloat16s_are_the_singles_rounded_once() {
        let cut = |low, high| Law::TruncatedNormal { mean: 0.25, std: 1.5, low, high };
        let laws = [
            Law::Normal { mean: 0.25, std: 1.5 },
            Law::Uniform { low: -1.0, high: 3.0 },
            cut(-2.75, 3.25),
            cut(0.0, 0.5 + f64::EPSILON),
            cut(-0.5, 1.0),
            cut(6.0, f64::INFINITY),
        ];
        for law in laws {
            // Of what is cut so far out, or so narrowly, each element rejects proposals of its own.
            let is_direct = !matches!(law, Law::TruncatedNormal { low: 0.0 | 6.0, .. });
            for (start, count) in [(0, 40_000), (700, 3), (1023, 1025)] {
                let source = open_law(Words::new(7, &"weight".parse().unwrap()), &law, DType::BF16, 1);
                let (mut singles, mut halves) = (vec![0.0; count], vec![bf16::ZERO; count]);
                source.singles(start, &mut singles);
                assert_eq!(source.bfloat16s(start, &mut halves), is_direct, "{law:?}");
                let mut pairs = singles.iter().zip(halves);
                let wrong = pairs.find(|&(&single, half)| bf16::from_f32(single).to_bits() != half.to_bits());
                assert!(wrong.is_none() || !is_direct, "{law:?} from {start}: {wrong:?}");
            }
        }
    }
}
