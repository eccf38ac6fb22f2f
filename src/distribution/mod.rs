//! Distributions: complete instructions for drawing. A scheme makes one from a shape; a generator draws from it.

mod kinds;
pub mod libm_float;
mod marginal;
pub mod matrix;
mod rounding;
pub mod sampling;
mod spec;
mod workspace;

use std::sync::Arc;

use anyhow::Context;

use crate::statistics::truncated_normal::truncated_moments;
use crate::tensor::{DType, Element, Name, Unfolding, to_f64};
pub use kinds::{Deterministic, Iid, Joint, Moments, Named, RandomStreams};
pub use marginal::cdf;
pub use spec::TensorSpec;
pub use workspace::{bytes_of, panels};

/// The distribution of a tensor's values. The most common ones have variants, for speed; any other is a [`Deterministic`], an [`Iid`] or a
/// [`Joint`] in its scheme's file.
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
        /// The mean before truncation.
        mean: f64,
        /// The standard deviation before truncation, above 0.
        std: f64,
        /// The lower bound; may be -infinity.
        low: f64,
        /// The upper bound, above `low`; may be infinity.
        high: f64,
    },
    /// `gain` times a Haar-distributed matrix with orthonormal rows or columns, whichever are fewer, for each matrix of
    /// the unfolding.
    Orthogonal {
        /// The norm of each orthonormal row or column.
        gain: f64,
        /// The algorithm.
        method: OrthogonalMethod,
        /// The tensor as matrices.
        unfolding: Unfolding,
    },
    /// Exactly `nonzeros` elements of each row of the unfolding are N(mean, std²), at uniformly drawn places; the others are 0.
    Sparse {
        /// The number of non-zero elements of a row.
        nonzeros: u64,
        /// The mean of non-zero elements.
        mean: f64,
        /// The standard deviation of non-zero elements.
        std: f64,
        /// The tensor as matrices, one row per unit.
        unfolding: Unfolding,
    },
    /// The values of another distribution, with 0 in the elements `from..to`, row-major.
    Cleared {
        /// The distribution of the other elements.
        distribution: Box<Distribution>,
        /// The first zero element.
        from: u64,
        /// The end of the zero elements.
        to: u64,
    },
    /// The norms of another tensor's values, over the axes where this tensor has size 1. A plan with both computes them.
    NormOf {
        /// The other tensor.
        tensor: Name,
    },
    /// Each element is a function of its index.
    Deterministic(Arc<dyn Deterministic>),
    /// Independent values of another distribution.
    Iid(Arc<dyn Iid>),
    /// Dependent values, drawn together in memory.
    Joint(Arc<dyn Joint>),
}

/// The algorithm for an orthogonal matrix. Both are Haar-distributed; their values differ.
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

    /// The moments of a distribution without a dedicated variant.
    fn moments(&self) -> Option<&dyn Moments> {
        match self {
            Self::Deterministic(distribution) => Some(distribution.as_ref()),
            Self::Iid(distribution) => Some(distribution.as_ref()),
            Self::Joint(distribution) => Some(distribution.as_ref()),
            _ => None,
        }
    }

    /// The name of a distribution that its mean, standard deviation and bounds determine.
    pub fn name(&self) -> Option<&'static str> {
        match self {
            Self::Constant { .. } => Some("constant"),
            Self::Normal { .. } => Some("normal"),
            Self::Uniform { .. } => Some("uniform"),
            Self::TruncatedNormal { .. } => Some("truncated-normal"),
            Self::Orthogonal { .. } => Some("orthogonal"),
            _ => None,
        }
    }

    /// The standard deviation of an element over all draws; `None` without an accurate formula.
    pub fn std(&self) -> Option<f64> {
        Some(match *self {
            Self::Constant { value } => return Some(0.0).filter(|_| value.is_finite()),
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

    /// The mean of an element over all draws; `None` without an accurate formula.
    pub fn mean(&self) -> Option<f64> {
        Some(match *self {
            Self::Constant { value } => return Some(value).filter(|value| value.is_finite()),
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

    /// The closed interval of all values, if any.
    pub fn bounds(&self) -> Option<(f64, f64)> {
        match *self {
            Self::Uniform { low, high } | Self::TruncatedNormal { low, high, .. } => Some((low, high)),
            _ => self.moments()?.bounds(),
        }
    }

    /// The largest magnitude of the native generator.
    pub fn max_abs(&self) -> f64 {
        match *self {
            Self::Constant { value } => value.abs(),
            Self::Normal { mean, std } | Self::Sparse { mean, std, .. } => mean.abs() + NORMAL_REACH * std,
            Self::Uniform { low, high } => low.abs().max(high.abs()),
            Self::TruncatedNormal { mean, std, low, high } => {
                // An open side ends where the normal does; a side cut far out in a tail ends slightly beyond the cut.
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

    /// True if all values are drawn together in memory.
    pub fn is_joint(&self) -> bool {
        matches!(self, Self::Orthogonal { .. } | Self::Joint(_))
    }

    /// True if the values depend on a seed.
    pub fn is_random(&self) -> bool {
        !matches!(self, Self::Constant { .. } | Self::NormOf { .. } | Self::Deterministic(_))
    }

    /// The value of all elements, if it is NaN or infinite.
    pub fn not_finite(&self) -> Option<f64> {
        match self {
            Self::Constant { value } => Some(*value).filter(|value| !value.is_finite()),
            _ => None,
        }
    }

    /// The least and greatest value, if all are integers that do not depend on a seed.
    fn integers(&self) -> Option<(f64, f64)> {
        match self {
            Self::Constant { value } => Some((*value, *value)).filter(|_| value.fract() == 0.0),
            Self::Deterministic(distribution) => distribution.integers(),
            _ => None,
        }
    }

    /// Errors if a value of this distribution may not fit a type.
    pub fn fits(&self, element: impl Into<Element>) -> anyhow::Result<()> {
        let element = element.into();
        let Some((_, least, greatest)) = element.integer_range() else {
            return self.fits_dtype(element.computed_in());
        };
        let word = element.word();
        let (from, to) = self.integers().with_context(|| {
            format!("its values are not integers, but {word} holds nothing else: use f64, f32, f16 or bf16")
        })?;
        // Every integer up to 2^53 is a double.
        let largest = 2f64.powi(53);
        #[expect(clippy::cast_possible_truncation, reason = "the bounds are integers")]
        let inside = from >= -largest && to <= largest && from as i128 >= least && to as i128 <= greatest;
        anyhow::ensure!(inside, "values from {from} to {to} exceed {word}: use a wider dtype");
        Ok(())
    }

    fn fits_dtype(&self, dtype: DType) -> anyhow::Result<()> {
        // Every dtype has NaN and infinities.
        if self.not_finite().is_some() {
            return Ok(());
        }
        anyhow::ensure!(
            self.max_abs() <= dtype.max(),
            "values up to {:.3e} exceed the largest {dtype}, {:.6e}: use a wider --dtype or a smaller scale",
            self.max_abs(),
            dtype.max()
        );
        if let Some((low, high)) = self.bounds() {
            anyhow::ensure!(
                dtype.round_up(low) <= dtype.round_down(high),
                "no {dtype} number lies between {low} and {high}: use a wider --dtype"
            );
        }
        Ok(())
    }
}

/// An absolute bound in standard deviations from the mean. Among equivalent numbers up to rounding, the one with the fewest digits, as it
/// was written.
pub fn in_deviations(cut: f64, mean: f64, std: f64) -> f64 {
    let near = (cut - mean) / std;
    let slack = 2.0 * f64::EPSILON * (near.abs() + mean.abs() / std);
    let mut shorter = (0..17).filter_map(|digits| format!("{near:.digits$e}").parse().ok());
    shorter.find(|number: &f64| (number - near).abs() <= slack).unwrap_or(near)
}

/// The bound of native standard normals: from 96-bit words, Box-Muller stays below 12. Single normals from random words are below
/// [`sampling::LARGEST_NORMAL`].
pub const NORMAL_REACH: f64 = 12.0;
