//! The native generator. Element i of a tensor is a function of (seed, name, i). Seed and name form the key of a stream of words with an
//! address for each element; a distribution only transforms these words.

mod box_muller;
mod elementwise;
mod generic;
mod lanes;
mod normal;
mod orthogonal;
mod permutation;
mod sparse;
mod tails;
mod truncated;
mod uniform;
mod words;

/// The name of this generator, which is part of every key. Values under a name never change.
pub(super) const NAME: &str = "native-1";

use words::Words;

use anyhow::{Result, ensure};

use super::bounds;
use super::source::{Cleared, Source};
use crate::distribution::{Distribution, TensorSpec, bytes_of};
use crate::tensor::{DType, Seed};

/// Errors if the seed is not one 64-bit number.
pub(super) fn check(seed: &Seed) -> Result<()> {
    seed.check_no_steps()?;
    ensure!(seed.to_u64().is_some(), "use 0 to 2^64-1 (decimal or 0x hex), or `random`; other seeds need --like");
    Ok(())
}

/// The workspace of a tensor, in bytes.
pub(super) fn workspace(tensor: &TensorSpec) -> u64 {
    match &tensor.distribution {
        Distribution::Orthogonal { method, unfolding, .. } => orthogonal::workspace(*method, unfolding, tensor.dtype),
        Distribution::Joint(distribution) => distribution.workspace(),
        Distribution::NormOf { .. } => bytes_of(&[&[tensor.whole().shape.count()]]),
        _ => 0,
    }
}

/// The values of a tensor.
pub(super) fn open(seed: &Seed, tensor: &TensorSpec, threads: usize) -> Box<dyn Source> {
    open_distribution(
        Words::new(seed.to_u64().unwrap_or_default(), &tensor.name),
        &tensor.distribution,
        tensor.dtype,
        threads,
    )
}

fn open_distribution(words: Words, distribution: &Distribution, dtype: DType, threads: usize) -> Box<dyn Source> {
    let (low, high) = bounds(distribution, dtype);
    match distribution {
        &Distribution::Constant { value } => Box::new(elementwise::Constant { value }),
        &Distribution::Normal { mean, std } => Box::new(normal::Normal { words, mean, std }),
        &Distribution::Uniform { low: from, high: to } => {
            Box::new(uniform::Uniform { words, middle: from / 2.0 + to / 2.0, half: to / 2.0 - from / 2.0, low, high })
        }
        &Distribution::TruncatedNormal { mean, std, low: cut_low, high: cut_high } => {
            let cuts = ((cut_low - mean) / std, (cut_high - mean) / std);
            truncated::open(words, mean, std, cuts, (low, high))
        }
        Distribution::Orthogonal { gain, method, unfolding } => {
            orthogonal::open(words, *gain, *method, unfolding, dtype, threads)
        }
        &Distribution::Sparse { nonzeros, mean, std, ref unfolding } => {
            Box::new(sparse::Sparse::new(normal::Normal { words, mean, std }, nonzeros, unfolding))
        }
        // Without their plan, norms are unknown.
        Distribution::NormOf { .. } => Box::new(elementwise::Constant { value: f64::NAN }),
        Distribution::Deterministic(distribution) => Box::new(generic::DeterministicSource(distribution.clone())),
        Distribution::Iid(distribution) => {
            Box::new(generic::IidSource { words, distribution: distribution.clone(), bounds: (low, high) })
        }
        Distribution::Joint(distribution) => {
            let finite = (low.max(-dtype.max()), high.min(dtype.max()));
            Box::new(generic::JointSource::new(words, distribution.as_ref(), finite, threads))
        }
        Distribution::Cleared { distribution, from, to } => {
            let values = open_distribution(words, distribution, dtype, threads).into();
            Box::new(Cleared { values, range: *from..*to })
        }
    }
}

#[cfg(test)]
mod tests {
    use half::bf16;

    use super::*;

    #[test]
    fn bfloat16s_are_the_singles_rounded_once() {
        let cut = |low, high| Distribution::TruncatedNormal { mean: 0.25, std: 1.5, low, high };
        let distributions = [
            Distribution::Normal { mean: 0.25, std: 1.5 },
            Distribution::Uniform { low: -1.0, high: 3.0 },
            cut(-2.75, 3.25),
            cut(0.0, 0.5 + f64::EPSILON),
            cut(-0.5, 1.0),
            cut(6.0, f64::INFINITY),
        ];
        for distribution in distributions {
            // If the cut is so far out, or so narrow, each element rejects its own proposals.
            let is_direct = !matches!(distribution, Distribution::TruncatedNormal { low: 0.0 | 6.0, .. });
            for (start, count) in [(0, 40_000), (700, 3), (1023, 1025)] {
                let source =
                    open_distribution(Words::new(7, &"weight".parse().unwrap()), &distribution, DType::BF16, 1);
                let (mut singles, mut halves) = (vec![0.0; count], vec![bf16::ZERO; count]);
                source.fill_f32(start, &mut singles);
                assert_eq!(source.fill_bf16(start, &mut halves), is_direct, "{distribution:?}");
                let mut pairs = singles.iter().zip(halves);
                let wrong = pairs.find(|&(&single, half)| bf16::from_f32(single).to_bits() != half.to_bits());
                assert!(wrong.is_none() || !is_direct, "{distribution:?} from {start}: {wrong:?}");
            }
        }
    }
}
