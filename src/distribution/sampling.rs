//! Single values of the most common distributions from random words, with the same bits on every machine. A [`Joint`] distribution
//! that needs many normals gets them faster from [`RandomStreams`].
//!
//! [`Joint`]: super::Joint
//! [`RandomStreams`]: super::RandomStreams

use std::f64::consts::{LN_2, TAU};

use rand::Rng;

use crate::tensor::to_f64;

/// 2^-53.
const HALF_EPSILON: f64 = f64::EPSILON / 2.0;

/// The smallest value of [`open_unit`].
pub const SMALLEST_UNIT: f64 = HALF_EPSILON;

/// The largest value of [`exponential`]: minus the logarithm of [`SMALLEST_UNIT`].
pub const LARGEST_EXPONENTIAL: f64 = 53.0 * LN_2;

/// The upper bound of [`normal`]: sqrt(2 [`LARGEST_EXPONENTIAL`]), rounded up.
pub const LARGEST_NORMAL: f64 = 8.572;

/// A uniform value on [0, 1): a multiple of 2^-53.
pub fn unit<R: Rng + ?Sized>(words: &mut R) -> f64 {
    to_f64(words.next_u64() >> 11) * HALF_EPSILON
}

/// A uniform value on (0, 1): a midpoint of 2^52 equal parts, so never 0 or 1.
pub fn open_unit<R: Rng + ?Sized>(words: &mut R) -> f64 {
    (to_f64(words.next_u64() >> 12) + 0.5) * f64::EPSILON
}

/// A uniform value on [-1, 1).
pub fn signed<R: Rng + ?Sized>(words: &mut R) -> f64 {
    2.0 * unit(words) - 1.0
}

/// An exponential value with mean 1, by inversion.
pub fn exponential<R: Rng + ?Sized>(words: &mut R) -> f64 {
    -libm::log(open_unit(words))
}

/// A standard normal value, by one half of the Box-Muller transform (1958).
pub fn normal<R: Rng + ?Sized>(words: &mut R) -> f64 {
    let radius = (2.0 * exponential(words)).sqrt();
    radius * libm::cos(TAU * unit(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Repeats one word.
    struct Same(u64);

    impl rand::TryRng for Same {
        type Error = std::convert::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            unreachable!("every number takes 64 bits")
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(self.0)
        }

        fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
            unreachable!("every number takes 64 bits")
        }
    }

    #[test]
    fn the_largest_values_are_those_of_the_constants() {
        let (exponential, normal) = (exponential(&mut Same(0)), normal(&mut Same(0)));
        assert!((exponential / LARGEST_EXPONENTIAL - 1.0).abs() < 1e-15, "{exponential}");
        assert!(normal < LARGEST_NORMAL && normal > LARGEST_NORMAL - 1e-3, "{normal}");
    }

    #[test]
    fn uniform_numbers_end_at_their_bounds() {
        assert_eq!([unit(&mut Same(0)), open_unit(&mut Same(0)), signed(&mut Same(0))], [0.0, SMALLEST_UNIT, -1.0]);
        let below_one = 1.0 - HALF_EPSILON;
        assert_eq!([unit(&mut Same(u64::MAX)), open_unit(&mut Same(u64::MAX))], [below_one, below_one]);
        assert_eq!(signed(&mut Same(u64::MAX)), 1.0 - f64::EPSILON);
    }
}
