//! Distribution functions of laws.

use super::Law;
use crate::gaussian;

/// A distribution function: the probability of a value up to x.
pub type Cdf = Box<dyn Fn(f64) -> f64>;

/// The distribution function of one element, before rounding, where there is a formula.
pub fn cdf(law: &Law) -> Option<Cdf> {
    Some(match *law {
        Law::Normal { mean, std } if std > 0.0 => Box::new(move |x| gaussian::lower((x - mean) / std)),
        Law::Uniform { low, high } => {
            Box::new(move |x| ((x / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0)).clamp(0.0, 1.0))
        }
        Law::TruncatedNormal { mean, std, low, high } => {
            // From whichever tail is exact.
            let side = if low > mean { -1.0 } else { 1.0 };
            let tail = move |x: f64| gaussian::lower(side * (x - mean) / std);
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
        for law in [
            Law::Normal { mean: 1.0, std: 2.0 },
            Law::Uniform { low: -1.0, high: 3.0 },
            Law::TruncatedNormal { mean: 0.0, std: 1.0, low: 5.0, high: 5.5 },
            Law::TruncatedNormal { mean: 0.0, std: 1.0, low: f64::NEG_INFINITY, high: -5.0 },
        ] {
            let cdf = cdf(&law).unwrap();
            assert!(cdf(-1e6) < 1e-12 && cdf(1e6) > 1.0 - 1e-12);
            let (mean, std) = (law.mean().unwrap(), law.std().unwrap());
            assert!((0.2..0.8).contains(&cdf(mean)) && cdf(mean - std) < cdf(mean), "{law:?}");
        }
    }
}
