//! The kinds of distributions without a variant of their own, by how their values depend on one another.

use std::fmt::Debug;

use rand::Rng;

/// The moments and the range of a distribution. The debug form must spell out every parameter: tests compare
/// distributions by it.
pub trait Moments: Debug + Send + Sync {
    /// The mean of an element over all draws, if it is known and the same for every element.
    fn mean(&self) -> Option<f64> {
        None
    }

    /// The standard deviation of an element over all draws, if it is known and the same for every element.
    fn std(&self) -> Option<f64> {
        None
    }

    /// The closed interval that holds every value, if there is one. Values are moved inside it after rounding.
    fn bounds(&self) -> Option<(f64, f64)> {
        None
    }

    /// An upper bound of the magnitude of all values, as tight as is known. It decides if the values fit a dtype.
    fn max_abs(&self) -> f64;
}

/// A distribution by which nothing is random.
pub trait Deterministic: Moments {
    /// The value of element `index`, row-major.
    fn value(&self, index: u64) -> f64;
}

/// A distribution of independent values.
pub trait Iid: Moments {
    /// One value, from random words that no other element reads. It may take as many as it needs, and must use no function
    /// whose bits depend on the machine: `libm`, not the methods of `f64`, for all but arithmetic and square roots.
    fn sample(&self, words: &mut dyn Rng) -> f64;

    /// The distribution by its name, if frameworks draw it in ways of their own.
    fn named(&self) -> Option<Named> {
        None
    }
}

/// A distribution of independent values that frameworks draw in ways of their own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Named {
    /// The exponential distribution.
    Exponential {
        /// 1 / mean.
        rate: f64,
    },
    /// The distribution of Laplace.
    Laplace {
        /// Its mean.
        mean: f64,
        /// Its standard deviation over the root of 2.
        scale: f64,
    },
    /// The distribution of Cauchy, not cut.
    Cauchy {
        /// Its median.
        median: f64,
        /// Half the distance between its quartiles.
        scale: f64,
    },
    /// exp(sigma z), z standard normal.
    LogNormal {
        /// The standard deviation of the logarithm.
        sigma: f64,
    },
    /// The gamma distribution.
    Gamma {
        /// Its shape.
        shape: f64,
        /// Its scale.
        scale: f64,
    },
    /// Student's distribution, not cut.
    StudentT {
        /// The degrees of freedom.
        dof: f64,
        /// Its centre.
        mean: f64,
        /// The factor of a standard value.
        scale: f64,
    },
    /// A value or its negative.
    Sign {
        /// That value.
        value: f64,
    },
}

/// A distribution of values that depend on one another: all of them are drawn at once, in memory.
pub trait Joint: Moments {
    /// Every value of the tensor, row-major. Sums are taken in a fixed order, with no fused multiply-add and no product of
    /// `nalgebra`'s (whose bits depend on the CPU); functions are those of `libm`.
    fn draw(&self, draws: &dyn RandomStreams) -> Vec<f64>;

    /// The memory that drawing takes, the values among it, in bytes.
    fn workspace(&self) -> u64;

    /// True if it draws nothing but [`RandomStreams::orthonormal`].
    fn is_of_matrices(&self) -> bool {
        false
    }
}

/// The random streams of a [`Joint`] distribution. The distribution numbers the streams that it reads as it likes: each is independent of
/// the others, and endless.
pub trait RandomStreams {
    /// Fills `out` with the first standard normals of a stream.
    fn normals(&self, stream: u64, out: &mut [f64]);

    /// Fills `out` with the first values of a stream, uniform on (-1, 1).
    fn signed_uniforms(&self, stream: u64, out: &mut [f64]);

    /// A `longer` x `shorter` matrix of orthonormal columns, Haar-distributed, one column after the other.
    fn orthonormal(&self, stream: u64, longer: usize, shorter: usize) -> Vec<f64>;

    /// The random words of a stream, for any other draw.
    fn words(&self, stream: u64) -> Box<dyn Rng>;
}
