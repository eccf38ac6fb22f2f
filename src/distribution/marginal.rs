//! Distributions of single elements.

use super::Distribution;
use crate::statistics::marginal::{Cdf, Marginal};
use crate::statistics::normal;
use crate::tensor::to_f64;

/// The distribution function of one element before rounding, if there is a formula and the elements are independent.
pub fn cdf(distribution: &Distribution) -> Option<Cdf> {
    match *distribution {
        Distribution::Normal { .. } | Distribution::Uniform { .. } | Distribution::TruncatedNormal { .. } => {
            distribution.marginal(1)?.others
        }
        _ => None,
    }
}

impl Distribution {
    /// The distribution of one of `count` elements before rounding, averaged over their positions; `None` without a formula.
    pub fn marginal(&self, count: u64) -> Option<Marginal> {
        Some(match *self {
            Self::Constant { value } if !value.is_finite() => return None,
            Self::Constant { value } => Marginal::discrete([(value, 1.0)]),
            Self::Normal { mean, std } => Marginal::normal(mean, std),
            Self::Uniform { low, high } => {
                Marginal::continuous(move |x| ((x / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0)).clamp(0.0, 1.0))
            }
            Self::TruncatedNormal { mean, std, low, high } => return truncated_normal(mean, std, low, high),
            Self::Orthogonal { gain, ref unfolding, .. } => {
                Marginal::coordinate(gain.abs(), unfolding.rows().max(unfolding.columns()))
            }
            Self::Sparse { nonzeros, mean, std, ref unfolding } => {
                Marginal::normal(mean, std).or_zero(1.0 - to_f64(nonzeros) / to_f64(unfolding.columns().max(1)))
            }
            Self::Cleared { ref distribution, from, to } => {
                distribution.marginal(count)?.or_zero(to_f64(to - from) / to_f64(count.max(1)))
            }
            Self::NormOf { .. } => return None,
            Self::Deterministic(_) | Self::Iid(_) | Self::Joint(_) => return self.moments()?.marginal(),
        })
    }
}

/// `None` if no double lies between the probabilities of the cuts.
fn truncated_normal(mean: f64, std: f64, low: f64, high: f64) -> Option<Marginal> {
    // From whichever tail is exact.
    let side = if low > mean { -1.0 } else { 1.0 };
    let tail = move |x: f64| normal::lower(side * (x - mean) / std);
    let (start, end) = (tail(low), tail(high));
    let cdf = move |x: f64| ((tail(x.clamp(low, high)) - start) / (end - start)).clamp(0.0, 1.0);
    (start != end).then(|| Marginal::continuous(cdf))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distribution_functions_begin_at_0_and_end_at_1() {
        for distribution in [
            Distribution::Normal { mean: 1.0, std: 2.0 },
            Distribution::Uniform { low: -1.0, high: 3.0 },
            Distribution::TruncatedNormal { mean: 0.0, std: 1.0, low: 5.0, high: 5.5 },
            Distribution::TruncatedNormal { mean: 0.0, std: 1.0, low: f64::NEG_INFINITY, high: -5.0 },
        ] {
            let cdf = cdf(&distribution).unwrap();
            assert!(cdf(-1e6) < 1e-12 && cdf(1e6) > 1.0 - 1e-12);
            let (mean, std) = (distribution.mean().unwrap(), distribution.std().unwrap());
            assert!((0.2..0.8).contains(&cdf(mean)) && cdf(mean - std) < cdf(mean), "{distribution:?}");
        }
    }
}
