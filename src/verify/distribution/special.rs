//! Probabilities of counts, sums and the largest of many, where nothing but chance is at work.

use crate::statistics::p_value::of_normal;
use crate::tensor::to_f64;

/// The probability that at least one of `count` independent events of a probability happens: 1 - (1 - p)^n.
pub(super) fn of_any(probability: f64, count: u64) -> f64 {
    -libm::expm1(to_f64(count) * libm::log1p(-probability.clamp(0.0, 1.0)))
}

/// A statistic as near to its expected value as rounding by `slack` may have taken it away.
pub(super) fn nearer(statistic: f64, expected: f64, slack: f64) -> f64 {
    let off = statistic - expected;
    expected + off.signum() * (off.abs() - slack).max(0.0)
}

/// A probability on either side of what is expected, from those on both sides.
pub(super) fn two_sided(one: f64, other: f64) -> f64 {
    (2.0 * one.min(other)).min(1.0)
}

/// The probability of a sum as far as this from its mean among those of `freedom` squared standard normals, through the cube root of
/// Wilson and Hilferty (1931). Far out above the mean it errs on the side of caution.
pub(super) fn of_chi_squared(sum: f64, freedom: u64) -> f64 {
    let freedom = to_f64(freedom);
    let spread = 2.0 / (9.0 * freedom);
    of_normal((libm::cbrt(sum / freedom) - (1.0 - spread)) / spread.sqrt())
}

/// A bound on the probability of `count` or more where `mean` are expected, for independent rare events (Chernoff 1952).
pub(super) fn of_as_many(count: f64, mean: f64) -> f64 {
    if count <= mean {
        return 1.0;
    }
    libm::exp(count - mean - count * libm::log(count / mean))
}

/// The probability of a number of heads as far as this from half of `count` throws of a coin.
pub(super) fn of_heads(heads: u64, count: u64) -> f64 {
    let above = |heads: u64| {
        if heads == 0 { 1.0 } else { beta(0.5, to_f64(heads), to_f64(count - heads + 1)) }
    };
    two_sided(above(heads), above(count - heads))
}

/// The probability of a coordinate as far as this from 0 on the unit sphere of `dimensions`: of an entry of a random orthogonal matrix.
pub(super) fn of_coordinate(coordinate: f64, dimensions: u64) -> f64 {
    let square = (coordinate * coordinate).min(1.0);
    if dimensions < 2 { 1.0 } else { beta(1.0 - square, to_f64(dimensions - 1) / 2.0, 0.5) }
}

/// The probability of a length as far from what is expected as this, of the first `copied` coordinates on the unit sphere of `dimensions`.
pub(super) fn of_projection(square: f64, copied: u64, dimensions: u64) -> f64 {
    let (copied, rest) = (to_f64(copied) / 2.0, to_f64(dimensions - copied) / 2.0);
    let square = square.clamp(0.0, 1.0);
    two_sided(beta(square, copied, rest), beta(1.0 - square, rest, copied))
}

/// The incomplete beta function over the whole one: the probability of a value up to `x` of the beta distribution.
fn beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    // On the other side of the mean the fraction takes long.
    if x > (a + 1.0) / (a + b + 2.0) {
        return (1.0 - beta(1.0 - x, b, a)).max(0.0);
    }
    let whole = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b);
    libm::exp(whole + a * libm::log(x) + b * libm::log1p(-x)) * fraction(x, a, b) / a
}

/// The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8), by the method of Lentz (1976).
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const LEAST: f64 = 1e-300;
    let away = |value: f64| if value.abs() < LEAST { LEAST } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for step in 1..20_000u32 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut change = 1.0;
        for term in [even, odd] {
            d = 1.0 / away(1.0 + term * d);
            c = away(1.0 + term / c);
            change = c * d;
            value *= change;
        }
        if (change - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn near(found: f64, expected: f64, within: f64) {
        assert!((found / expected - 1.0).abs() <= within, "{found:e}, not {expected:e}");
    }

    // The expected numbers are those of SciPy 1.16 and of mpmath.

    #[test]
    fn rare_events_keep_their_digits_among_many_tries() {
        near(of_any(1e-20, 1_000_000), 9.999_999_999_999_95e-15, 1e-13);
        near(of_any(1e-9, 1_000_000), 9.995_001_671_245_08e-4, 1e-13);
        near(of_any(0.5, 3), 0.875, 1e-15);
        near(of_any(1e-300, 1_000_000_000_000), 1e-288, 1e-12);
        assert_eq!((of_any(0.0, 9), of_any(1.0, 9)), (0.0, 1.0));
    }

    #[test]
    fn sums_of_squares_are_chi_squared() {
        near(of_chi_squared(1200.0, 1000), 2.451_19e-5, 0.01);
        near(of_chi_squared(150.0, 100), 1.807_86e-3, 0.02);
        near(of_chi_squared(40.0, 100), 2.491_79e-8, 0.3);
        near(of_chi_squared(3.0, 10), 0.037_152, 0.1);
        // Of few and far out it is too large.
        for (sum, freedom, exact) in [(60.0, 10, 7.248_6e-9), (20.0, 1, 1.548_8e-5)] {
            assert!((exact..20.0 * exact).contains(&of_chi_squared(sum, freedom)));
        }
    }

    #[test]
    fn heads_are_binomial() {
        near(of_heads(32, 32), 4.656_612_873_077_393e-10, 1e-12);
        near(of_heads(0, 32), 4.656_612_873_077_393e-10, 1e-12);
        near(of_heads(20, 32), 0.215_327_149_722_725_15, 1e-12);
        near(of_heads(30, 100), 7.850_139_645_593_67e-5, 1e-10);
        near(of_heads(1100, 2000), 8.457_089_535_503_81e-6, 1e-9);
        assert_eq!(of_heads(16, 32), 1.0);
    }

    #[test]
    fn coordinates_on_a_sphere_are_beta() {
        near(of_coordinate(0.5, 2), 2.0 / 3.0, 1e-13);
        near(of_coordinate(-0.5, 3), 0.5, 1e-13);
        near(of_coordinate(0.1, 100), 0.319_748_474_139_301_35, 1e-12);
        near(of_coordinate(0.9, 64), 2.115_867_877_915_542_3e-24, 1e-11);
        near(of_coordinate(0.01, 1000), 0.752_003_702_198_591_9, 1e-11);
        near(of_coordinate(0.3, 4096), 5.686_575_883_382_783e-86, 1e-9);
        assert_eq!((of_coordinate(1.5, 10), of_coordinate(1.0, 1)), (0.0, 1.0));
    }

    #[test]
    fn lengths_of_projections_are_beta() {
        near(of_projection(0.3, 10, 20), 0.197_617_32, 1e-12);
        near(of_projection(0.9, 10, 20), 0.001_781_84, 1e-12);
        near(of_projection(0.01, 5, 100), 0.070_063_456_258_890_09, 1e-12);
        near(of_projection(0.25, 64, 256), 0.972_822_596_007_298_8, 1e-11);
    }

    #[test]
    fn the_bound_of_a_count_is_above_the_distribution_of_poisson() {
        for (count, mean, exact) in [(10.0, 1.0, 1.114_254_8e-7), (1.0, 1e-5, 9.999_95e-6), (100.0, 80.0, 0.017_108_3)]
        {
            assert!((exact..8.0 * exact).contains(&of_as_many(count, mean)), "{count} {mean}");
        }
        assert_eq!((of_as_many(0.0, 0.0), of_as_many(3.0, 4.0)), (1.0, 1.0));
    }
}
