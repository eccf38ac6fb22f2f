//! Kinds of distributions without a dedicated variant, by the dependence between their values.

use std::fmt::Debug;

use rand::Rng;

use crate::statistics::marginal::Marginal;

/// The moments and range of a distribution. The debug form must include every parameter: tests compare distributions by it.
pub trait Moments: Debug + Send + Sync {
    /// The mean of an element over all draws, if known and equal for every element.
    fn mean(&self) -> Option<f64> {
        None
    }

    /// The standard deviation of an element over all draws, if known and equal for every element.
    fn std(&self) -> Option<f64> {
        None
    }

    /// The closed interval of all values, if any. Values are clamped to it after rounding.
    fn bounds(&self) -> Option<(f64, f64)> {
        None
    }

    /// The distribution of an element, averaged over its positions; `None` without a formula.
    fn marginal(&self) -> Option<Marginal> {
        None
    }

    /// The tightest known upper bound on the magnitude of values. It determines whether they fit a dtype.
    fn max_abs(&self) -> f64;
}

/// A distribution without randomness.
pub trait Deterministic: Moments {
    /// The value of element `index`, row-major.
    fn value(&self, index: u64) -> f64;

    /// The least and greatest value, if all are integers.
    fn integers(&self) -> Option<(f64, f64)> {
        None
    }
}

/// A distribution of independent values.
pub trait Iid: Moments {
    /// One value, from any number of random words reserved for this element. It must use no function that depends on the machine: `libm`,
    /// not the methods of `f64`, except for arithmetic and square roots.
    fn sample(&self, words: &mut dyn Rng) -> f64;

    /// The name of a distribution that frameworks draw by their own methods.
    fn named(&self) -> Option<Named> {
        None
    }
}

/// A distribution of independent values that frameworks draw by their own methods.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Named {
    /// The exponential distribution.
    Exponential {
        /// 1 / mean.
        rate: f64,
    },
    /// The Laplace distribution.
    Laplace {
        /// The mean.
        mean: f64,
        /// The standard deviation divided by sqrt(2).
        scale: f64,
    },
    /// The Cauchy distribution, not truncated.
    Cauchy {
        /// The median.
        median: f64,
        /// The half the interquartile range.
        scale: f64,
    },
    /// exp(sigma z), z standard normal.
    LogNormal {
        /// The standard deviation of the logarithm.
        sigma: f64,
    },
    /// The gamma distribution.
    Gamma {
        /// The shape parameter.
        shape: f64,
        /// The scale parameter.
        scale: f64,
    },
    /// Student's t distribution, not truncated.
    StudentT {
        /// The degrees of freedom.
        dof: f64,
        /// The centre.
        mean: f64,
        /// The factor of a standard value.
        scale: f64,
    },
    /// A value or its negative.
    Sign {
        /// One value; the other is its negative.
        value: f64,
    },
}

/// A distribution of dependent values, drawn together in memory.
pub trait Joint: Moments {
    /// Every value of the tensor, row-major. Sums have a fixed order. No fused multiply-add and no product of `nalgebra`, whose bits depend
    /// on the CPU; functions come from `libm`.
    fn draw(&self, draws: &dyn RandomStreams) -> Vec<f64>;

    /// The memory for drawing, including the values, in bytes.
    fn workspace(&self) -> u64;

    /// True if it draws only [`RandomStreams::orthonormal`].
    fn is_of_matrices(&self) -> bool {
        false
    }
}

/// The random streams of a [`Joint`] distribution, which numbers them freely. Streams are independent and endless.
pub trait RandomStreams {
    /// Fills `out` with the first standard normals of a stream.
    fn normals(&self, stream: u64, out: &mut [f64]);

    /// Fills `out` with the first values of a stream, uniform on (-1, 1).
    fn signed_uniforms(&self, stream: u64, out: &mut [f64]);

    /// A `longer` x `shorter` Haar-distributed matrix with orthonormal columns, column by column.
    fn orthonormal(&self, stream: u64, longer: usize, shorter: usize) -> Vec<f64>;

    /// The random words of a stream, for other draws.
    fn words(&self, stream: u64) -> Box<dyn Rng>;
}
