//! Distributions of independent values that frameworks have.

use crate::distribution::Distribution;

/// A distribution of independent values.
#[derive(Clone, Copy, Debug)]
pub(super) enum Elementwise {
    /// Uniform on [low, high].
    Uniform { low: f64, high: f64 },
    /// N(mean, std²).
    Normal { mean: f64, std: f64 },
    /// N(mean, std²), truncated to [`low`, `high`].
    TruncatedNormal { mean: f64, std: f64, low: f64, high: f64 },
}

impl Elementwise {
    /// N(0, 1).
    pub(super) const STANDARD_NORMAL: Self = Self::Normal { mean: 0.0, std: 1.0 };

    /// The distribution, if it is one of these.
    pub(super) fn of(distribution: &Distribution) -> Option<Self> {
        match *distribution {
            Distribution::Uniform { low, high } => Some(Self::Uniform { low, high }),
            Distribution::Normal { mean, std } => Some(Self::Normal { mean, std }),
            Distribution::TruncatedNormal { mean, std, low, high } => {
                Some(Self::TruncatedNormal { mean, std, low, high })
            }
            _ => None,
        }
    }
}

impl From<Elementwise> for Distribution {
    fn from(distribution: Elementwise) -> Self {
        match distribution {
            Elementwise::Uniform { low, high } => Self::Uniform { low, high },
            Elementwise::Normal { mean, std } => Self::Normal { mean, std },
            Elementwise::TruncatedNormal { mean, std, low, high } => Self::TruncatedNormal { mean, std, low, high },
        }
    }
}
