//! Cumulative distribution functions.

use super::Distribution;
use crate::statistics::normal;

/// A cumulative distribution function: the probability of a value up to x.
pub type Cdf = Box<dyn Fn(f64) -> f64>;

/// The distribution function of one element before rounding, if there is a formula.
pub fn cdf(distribution: &Distribution) -> Option<Cdf> {
    Some(match *distribution {
        Distribution::Normal { mean, std } if std > 0.0 => Box::new(move |x| normal::lower((x - mean) / std)),
        Distribution::Uniform { low, high } => {
            Box::new(move |x| ((x / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0)).clamp(0.0, 1.0))
        }
        Distribution::TruncatedNormal { mean, std, low, high } => {
            // From whichever tail is exact.
            let side = if low > mean { -1.0 } else { 1.0 };
            let tail = move |x: f64| normal::lower(side * (x - mean) / std);
            let (start, end) = (tail(low), tail(high));
            if start == end {
                return None;
            }
            Box::new(move |x: f64| ((tail(x.clamp(low, high)) - start) / (end - start)).clamp(0.0, 1.0))
        }
        _ => return None,
    })
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
