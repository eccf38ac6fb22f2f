//! The standard normal distribution: density and probabilities, by the `libm` crate for the same bits on every platform.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// The density exp(-z²/2) / sqrt(2 pi).
pub fn density(z: f64) -> f64 {
    libm::exp(-0.5 * z * z) / (2.0 * PI).sqrt()
}

/// The probability of a value above `z`, with a small relative error even far in the tail.
pub fn upper(z: f64) -> f64 {
    0.5 * libm::erfc(z * FRAC_1_SQRT_2)
}

/// The probability of a value below `z`.
pub fn lower(z: f64) -> f64 {
    upper(-z)
}

/// The probability of a value between `a` and `b`, a <= b, computed in the more accurate tail.
pub fn between(a: f64, b: f64) -> f64 {
    if a > 0.0 { upper(a) - upper(b) } else { lower(b) - lower(a) }
}
