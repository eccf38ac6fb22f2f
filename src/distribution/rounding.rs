//! The fraction of values that a dtype rounds to 0 or stores with fewer digits.

use super::Distribution;
use crate::statistics::normal;
use crate::tensor::DType;

/// The fraction of zeros, and of values with fewer digits, that triggers a note.
const ZEROS: f64 = 0.01;
const SUBNORMAL: f64 = 0.1;

impl Distribution {
    /// A note if a considerable fraction of the values is too small for a dtype.
    pub fn too_small_for(&self, dtype: DType) -> Option<String> {
        let least = dtype.least_normal();
        // Half of the least number above 0 rounds to 0.
        let zero = least * libm::ldexp(1.0, -1 - i32::try_from(dtype.mantissa_bits()).unwrap_or(0));
        let zeros = self.share_below(zero)?;
        if zeros >= ZEROS {
            return Some(format!(
                "{}% of the values round to 0 in {dtype}: use a wider --dtype or a larger scale",
                percent(zeros)
            ));
        }
        let subnormal = self.share_below(least)?;
        (subnormal >= SUBNORMAL).then(|| {
            format!(
                "{}% of the values lie below {least:.1e}, where {dtype} has fewer digits: use a wider --dtype or a larger scale",
                percent(subnormal)
            )
        })
    }

    /// The fraction of values with a magnitude below `limit`, among those not set to 0; `None` if unknown.
    fn share_below(&self, limit: f64) -> Option<f64> {
        let within = |mean: f64, std: f64| normal::between((-limit - mean) / std, (limit - mean) / std);
        Some(match *self {
            Self::Constant { value } => f64::from(u8::from(value != 0.0 && value.abs() < limit)),
            Self::Normal { mean, std } | Self::Sparse { mean, std, .. } if std > 0.0 => within(mean, std),
            Self::Uniform { low, high } => ((high.min(limit) - low.max(-limit)) / (high - low)).max(0.0),
            Self::TruncatedNormal { mean, std, low, high } => {
                let (from, to) = (low.max(-limit), high.min(limit));
                let share = |from: f64, to: f64| normal::between((from - mean) / std, (to - mean) / std);
                // Far out in a tail the distribution's own probability may have no digits.
                let all = share(low, high);
                if from >= to {
                    0.0
                } else if all > 0.0 {
                    share(from, to) / all
                } else {
                    f64::from(u8::from(low >= -limit && high <= limit))
                }
            }
            // Its elements are close to normal.
            Self::Orthogonal { .. } => within(0.0, self.std().filter(|&std| std > 0.0)?),
            Self::Cleared { ref distribution, .. } => distribution.share_below(limit)?,
            // Of another distribution its bounds are known: none of its values is above the largest.
            _ => f64::from(u8::from(self.max_abs() > 0.0 && self.max_abs() < limit)),
        })
    }
}

/// A fraction as a percentage, rounded down.
fn percent(share: f64) -> String {
    let percent = (share * 1000.0).floor() / 10.0;
    format!("{percent:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_is_due_where_many_values_are_too_small() {
        let normal = |std| Distribution::Normal { mean: 0.0, std };
        let note = |distribution: &Distribution, dtype| distribution.too_small_for(dtype).unwrap_or_default();
        // P(|z| < 2^-25 / 1e-8) and P(|z| < 2^-14 / 1e-4).
        assert!(note(&normal(1e-8), DType::F16).starts_with("99.7% of the values round to 0 in f16"));
        assert!(note(&normal(1e-4), DType::F16).starts_with("45.8% of the values lie below 6.1e-5"));
        assert!(note(&Distribution::Uniform { low: -1e-7, high: 1e-7 }, DType::F16).starts_with("29.8%"));
        assert!(note(&Distribution::Constant { value: 1e-9 }, DType::F16).starts_with("100.0%"));
        assert!(note(&normal(1e-40), DType::BF16).contains("round to 0"));
        assert!(note(&normal(1e-320), DType::F64).contains("fewer digits"));
        let cut = Distribution::TruncatedNormal { mean: 0.0, std: 1e-7, low: 2e-7, high: f64::INFINITY };
        assert!(note(&cut, DType::F16).contains("fewer digits"));
        for distribution in [
            normal(0.02),
            normal(0.0),
            Distribution::Constant { value: 0.0 },
            Distribution::Uniform { low: 1.0, high: 2.0 },
        ] {
            assert_eq!(distribution.too_small_for(DType::F16), None, "{distribution:?}");
            assert_eq!(distribution.too_small_for(DType::F32), None, "{distribution:?}");
        }
    }
}
