//! The scaling of the data.

use super::options::{SCALE, ScaleOption};
use super::summary::FeatureStats;
use crate::scheme::Arguments;

/// The scaling of the data, by `--scale`.
#[derive(Clone, Debug)]
pub(super) enum Scale {
    /// Shifts each feature, then multiplies it.
    Features { shift: Vec<f64>, factor: Vec<f64> },
    /// Divides all values by one number.
    Divided(f64),
}

impl Scale {
    /// True if the scale depends on the data.
    pub(super) fn is_fitted(arguments: &Arguments) -> bool {
        matches!(arguments.optional(&SCALE), Some(ScaleOption::MinMax | ScaleOption::Standard))
    }

    /// The scale for data with these statistics; `None` if it is not scaled. A constant feature is only shifted.
    pub(super) fn fit(arguments: &Arguments, stats: &FeatureStats) -> Option<Self> {
        let factor = |spread: f64| if spread > 0.0 { 1.0 / spread } else { 1.0 };
        let (shift, factor) = match arguments.optional(&SCALE)? {
            ScaleOption::None => return None,
            ScaleOption::Divisor(divisor) => return Some(Self::Divided(divisor)),
            ScaleOption::MinMax => {
                let spread = stats.low.iter().zip(&stats.high).map(|(low, high)| factor(high - low));
                (&stats.low, spread.collect())
            }
            ScaleOption::Standard => (&stats.mean, stats.std.iter().map(|&std| factor(std)).collect()),
        };
        Some(Self::Features { shift: shift.clone(), factor })
    }

    pub(super) fn apply(&self, values: &mut [f64]) {
        match self {
            Self::Divided(divisor) => values.iter_mut().for_each(|value| *value /= divisor),
            Self::Features { shift, factor } => {
                for values in values.chunks_exact_mut(shift.len()) {
                    for ((value, shift), factor) in values.iter_mut().zip(shift).zip(factor) {
                        *value = (*value - shift) * factor;
                    }
                }
            }
        }
    }

    /// The statistics of scaled data, from those of the data.
    pub(super) fn stats(&self, stats: &FeatureStats) -> FeatureStats {
        let each = |values: &[f64]| {
            let mut values = values.to_vec();
            self.apply(&mut values);
            values
        };
        let std = match self {
            Self::Divided(divisor) => stats.std.iter().map(|std| std / divisor).collect(),
            Self::Features { factor, .. } => stats.std.iter().zip(factor).map(|(std, factor)| std * factor).collect(),
        };
        FeatureStats { low: each(&stats.low), high: each(&stats.high), mean: each(&stats.mean), std }
    }
}
