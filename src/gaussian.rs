//! The standard normal law: density, probability, and the moments of its truncation. All through the `libm` crate, so that
//! parameters come out with the same bits on every platform.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// The density exp(-z²/2) / sqrt(2 pi).
pub fn density(z: f64) -> f64 {
    libm::exp(-0.5 * z * z) / (2.0 * PI).sqrt()
}

/// The probability of a value above `z`; exact in relative terms far into the upper tail.
pub fn upper(z: f64) -> f64 {
    0.5 * libm::erfc(z * FRAC_1_SQRT_2)
}

/// The probability of a value below `z`.
pub fn lower(z: f64) -> f64 {
    upper(-z)
}

/// The probability of a value between `a` and `b`, a <= b, taken in the tail where it is exact.
pub fn between(a: f64, b: f64) -> f64 {
    if a > 0.0 { upper(a) - upper(b) } else { lower(b) - lower(a) }
}

/// Mean and standard deviation of a standard normal cut to [a, b]:
/// mean = (phi(a) - phi(b)) / Z, variance = 1 + (a phi(a) - b phi(b)) / Z - mean², Z = Phi(b) - Phi(a)
/// (Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 1). `None` where the interval holds so little
/// probability that the formula has no digits left.
pub fn truncated_moments(a: f64, b: f64) -> Option<(f64, f64)> {
    let mass = between(a, b);
    if mass < 1e-9 {
        return None;
    }
    let edge = |z: f64| if z.is_finite() { z * density(z) } else { 0.0 };
    let mean = (density(a) - density(b)) / mass;
    let variance = 1.0 + (edge(a) - edge(b)) / mass - mean * mean;
    Some((mean, variance.max(0.0).sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truncation_at_two_sigma_is_the_constant_that_keras_and_jax_use() {
        let (mean, std) = truncated_moments(-2.0, 2.0).unwrap();
        assert!(mean.abs() < 1e-16);
        assert!((std - 0.879_625_661_034_239_8).abs() < 1e-15);
        let (_, std) = truncated_moments(-1.0, 1.0).unwrap();
        assert!((std - 0.539_560_093_754_896_9).abs() < 1e-15);
    }

    #[test]
    fn an_uncut_normal_has_its_own_moments() {
        let (mean, std) = truncated_moments(f64::NEG_INFINITY, f64::INFINITY).unwrap();
        assert!(mean == 0.0 && std == 1.0);
        assert!(truncated_moments(40.0, 41.0).is_none());
    }
}
