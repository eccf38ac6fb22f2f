//! A distribution: what to draw, with nothing left to decide. A scheme makes one from a shape; a generator draws from it.

mod cdf;
mod kinds;
pub mod libm_float;
pub mod matrix;
mod rounding;
pub mod sampling;
mod spec;
mod workspace;

use std::sync::Arc;

use crate::statistics::truncated_normal::truncated_moments;
use crate::tensor::{DType, Unfolding, to_f64};
pub use cdf::{Cdf, cdf};
pub use kinds::{Deterministic, Iid, Joint, Moments, Named, RandomStreams};
pub use spec::TensorSpec;
pub use workspace::{bytes_of, panels};

/// The distribution of a tensor's values. The distributions that most weights follow are spelled out, for speed; any other is a
/// [`Deterministic`], an [`Iid`] or a [`Joint`] in the file of its scheme.
#[derive(Clone, Debug)]
pub enum Distribution {
    /// Every element is `value`.
    Constant {
        /// The value.
        value: f64,
    },
    /// Independent N(mean, std²).
    Normal {
        /// The mean.
        mean: f64,
        /// The standard deviation, 0 or more.
        std: f64,
    },
    /// Independent and uniform on [low, high].
    Uniform {
        /// The lower bound.
        low: f64,
        /// The upper bound, above `low`.
        high: f64,
    },
    /// Independent N(mean, std²), each redrawn until it lies in [low, high].
    TruncatedNormal {
        /// The mean before cutting.
        mean: f64,
        /// The standard deviation before cutting, above 0.
        std: f64,
        /// The lower cut, an absolute value; may be -infinity.
        low: f64,
        /// The upper cut, above `low`; may be infinity.
        high: f64,
    },
    /// `gain` times a Haar-distributed matrix with orthonormal rows or columns, whichever are fewer, for each matrix of
    /// the unfolding.
    Orthogonal {
        /// The length of each orthonormal row or column.
        gain: f64,
        /// How the matrix is made.
        method: OrthogonalMethod,
        /// The tensor as matrices.
        unfolding: Unfolding,
    },
    /// Exactly `nonzeros` elements of each row of the unfolding are N(mean, std²), at places drawn uniformly; the others 0.
    Sparse {
        /// The number of elements of a row that are not zero.
        nonzeros: u64,
        /// The mean of those.
        mean: f64,
        /// The standard deviation of those.
        std: f64,
        /// The tensor as matrices, one row a unit.
        unfolding: Unfolding,
    },
    /// The values of another distribution, but 0 for the elements `from..to`, row-major.
    Cleared {
        /// The distribution of the others.
        distribution: Box<Distribution>,
        /// The first element that is 0.
        from: u64,
        /// The first after those.
        to: u64,
    },
    /// Nothing is random: each element is a function of its place.
    Deterministic(Arc<dyn Deterministic>),
    /// Independent values of any other distribution.
    Iid(Arc<dyn Iid>),
    /// Values that depend on one another, drawn together in memory.
    Joint(Arc<dyn Joint>),
}

/// How an orthogonal matrix is made. Both are Haar-distributed; their values differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrthogonalMethod {
    /// Singular vectors of a Gaussian matrix, each with a random sign.
    Svd,
    /// A product of random Householder reflections (Stewart 1980).
    Householder,
}

impl Distribution {
    /// The distribution of values that are drawn and then all set to 0.
    #[must_use]
    pub fn cleared(self, count: u64) -> Self {
        Self::Cleared { distribution: Box::new(self), from: 0, to: count }
    }

    /// The moments of a distribution without a variant of its own.
    fn moments(&self) -> Option<&dyn Moments> {
        match self {
            Self::Deterministic(distribution) => Some(distribution.as_ref()),
            Self::Iid(distribution) => Some(distribution.as_ref()),
            Self::Joint(distribution) => Some(distribution.as_ref()),
            _ => None,
        }
    }

    /// The standard deviation of an element over all draws; `None` if no formula has digits left.
    pub fn std(&self) -> Option<f64> {
        Some(match *self {
            Self::Constant { value } => return Some(0.0).filter(|_| !value.is_nan()),
            Self::Normal { std, .. } => std,
            Self::Uniform { low, high } => (high / 2.0 - low / 2.0) / 3f64.sqrt(),
            Self::TruncatedNormal { mean, std, low, high } => {
                std * truncated_moments((low - mean) / std, (high - mean) / std).1
            }
            Self::Orthogonal { gain, ref unfolding, .. } => {
                gain.abs() / to_f64(unfolding.rows().max(unfolding.columns()).max(1)).sqrt()
            }
            Self::Sparse { nonzeros, mean, std, ref unfolding } => {
                let share = to_f64(nonzeros) / to_f64(unfolding.columns().max(1));
                libm::hypot(std * share.sqrt(), mean * (share * (1.0 - share)).sqrt())
            }
            _ => return self.moments()?.std(),
        })
    }

    /// The mean of an element over all draws; `None` if no formula has digits left.
    pub fn mean(&self) -> Option<f64> {
        Some(match *self {
            Self::Constant { value } => return Some(value).filter(|value| !value.is_nan()),
            Self::Normal { mean, .. } => mean,
            Self::Uniform { low, high } => low / 2.0 + high / 2.0,
            Self::TruncatedNormal { mean, std, low, high } => {
                mean + std * truncated_moments((low - mean) / std, (high - mean) / std).0
            }
            Self::Orthogonal { .. } => 0.0,
            Self::Sparse { nonzeros, mean, ref unfolding, .. } => {
                mean * (to_f64(nonzeros) / to_f64(unfolding.columns().max(1)))
            }
            Self::Cleared { ref distribution, .. } => return distribution.mean().filter(|&mean| mean == 0.0),
            _ => return self.moments()?.mean(),
        })
    }

    /// The closed interval that holds every value, where the distribution has one.
    pub fn bounds(&self) -> Option<(f64, f64)> {
        match *self {
            Self::Uniform { low, high } | Self::TruncatedNormal { low, high, .. } => Some((low, high)),
            _ => self.moments()?.bounds(),
        }
    }

    /// The largest magnitude that the native generator can reach.
    pub fn max_abs(&self) -> f64 {
        match *self {
            Self::Constant { value } => value.abs(),
            Self::Normal { mean, std } | Self::Sparse { mean, std, .. } => mean.abs() + NORMAL_REACH * std,
            Self::Uniform { low, high } => low.abs().max(high.abs()),
            Self::TruncatedNormal { mean, std, low, high } => {
                // An open side ends where the normal does; a side cut off far out in a tail, a little beyond the cut.
                let lowest =
                    if low.is_finite() { low } else { (mean - NORMAL_REACH * std).min(high - NORMAL_REACH * std) };
                let highest =
                    if high.is_finite() { high } else { (mean + NORMAL_REACH * std).max(low + NORMAL_REACH * std) };
                lowest.abs().max(highest.abs())
            }
            Self::Orthogonal { gain, .. } => gain.abs(),
            Self::Cleared { ref distribution, .. } => distribution.max_abs(),
            _ => self.moments().map_or(0.0, Moments::max_abs),
        }
    }

    /// True if all values are drawn together, in memory, and not one by one.
    pub fn is_joint(&self) -> bool {
        matches!(self, Self::Orthogonal { .. } | Self::Joint(_))
    }

    /// True if its values depend on a seed.
    pub fn is_random(&self) -> bool {
        !matches!(self, Self::Constant { .. } | Self::Deterministic(_))
    }

    /// True if its values are NaN, which files of text cannot hold.
    pub fn is_nan(&self) -> bool {
        matches!(self, Self::Constant { value } if value.is_nan())
    }

    /// Errors if a value of this distribution may not fit a dtype.
    pub fn fits(&self, dtype: DType) -> anyhow::Result<()> {
        // Every dtype has a NaN.
        if self.is_nan() {
            return Ok(());
        }
        anyhow::ensure!(
            self.max_abs() <= dtype.max(),
            "values up to {:.3e} do not fit {dtype}, whose largest is {:.6e}: take a wider --dtype or a smaller scale",
            self.max_abs(),
            dtype.max()
        );
        if let Some((low, high)) = self.bounds() {
            anyhow::ensure!(
                dtype.round_up(low) <= dtype.round_down(high),
                "no {dtype} number lies between {low} and {high}: take a wider --dtype"
            );
        }
        Ok(())
    }
}

/// An absolute cut in standard deviations from the mean. Of the numbers that give it up to rounding it is the one with the fewest
/// digits, which is how it was written.
pub fn in_deviations(cut: f64, mean: f64, std: f64) -> f64 {
    let near = (cut - mean) / std;
    let slack = 2.0 * f64::EPSILON * (near.abs() + mean.abs() / std);
    let mut shorter = (0..17).filter_map(|digits| format!("{near:.digits$e}").parse().ok());
    shorter.find(|number: &f64| (number - near).abs() <= slack).unwrap_or(near)
}

/// No standard normal of the native generator is above it: of 96-bit words the transformation of Box and Muller makes none
/// of 12 or more. A single normal from random words ends earlier, at [`sampling::LARGEST_NORMAL`].
pub const NORMAL_REACH: f64 = 12.0;
