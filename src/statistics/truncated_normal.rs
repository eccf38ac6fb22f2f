//! Mean and standard deviation of a truncated standard normal distribution, by the `libm` crate for the same bits on
//! every platform.

use super::normal::{between, density};
use super::quadrature::{self, GAUSS_LEGENDRE};

/// The mean and standard deviation of a standard normal truncated to [a, b]:
///
/// mean = (phi(a) - phi(b)) / Z, variance = 1 + (a phi(a) - b phi(b)) / Z - mean², Z = Phi(b) - Phi(a)
///
/// (Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions 1). Quadrature replaces the formula far in a
/// tail, because its terms cancel there.
pub fn truncated_moments(a: f64, b: f64) -> (f64, f64) {
    let (centre, half) = (a / 2.0 + b / 2.0, b / 2.0 - a / 2.0);
    if half * (centre.abs() + half) < 0.5 {
        return narrow_moments(centre, half);
    }
    let mass = between(a, b);
    if mass < 1e-9 {
        return tail_moments(a, b);
    }
    let edge = |z: f64| if z.is_finite() { z * density(z) } else { 0.0 };
    let mean = (density(a) - density(b)) / mass;
    let variance = 1.0 + (edge(a) - edge(b)) / mass - mean * mean;
    (mean, variance.max(0.0).sqrt())
}

/// The moments by quadrature, for an interval over which the density hardly varies and the formula's terms cancel.
fn narrow_moments(centre: f64, half: f64) -> (f64, f64) {
    let [mut mass, mut first, mut second] = [0.0; 3];
    for (t, weight) in GAUSS_LEGENDRE.into_iter().flat_map(|(t, weight)| [(-t, weight), (t, weight)]) {
        let density = weight * libm::exp(-half * t * (centre + 0.5 * half * t));
        mass += density;
        first += t * density;
        second += t * t * density;
    }
    let mean = first / mass;
    (centre + half * mean, half * (second / mass - mean * mean).sqrt())
}

/// The moments by quadrature, for an interval in one tail, near ±6 or beyond.
fn tail_moments(a: f64, b: f64) -> (f64, f64) {
    let (near, length) = if a > 0.0 { (a, b - a) } else { (-b, b - a) };
    // Less than e^-45 of the interval's probability lies beyond.
    let length = length.min(45.0 / near);
    let (mean, std) = quadrature::moments((0.0, length), |t| libm::exp(-t * (near + 0.5 * t)), |t| t);
    (if a > 0.0 { near + mean } else { -near - mean }, std)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_a_narrow_interval_lose_no_digits() {
        for (low, width) in [(0.0, 1e-9), (1.0, 1e-3), (-3.0, 1e-5), (40.0, 1e-6)] {
            // Nearly uniform, with a slightly higher density towards 0.
            let (mean, std) = truncated_moments(low, low + width);
            let (middle, width): (f64, f64) = (low + width / 2.0, low + width - low);
            let tilt = (middle * width).powi(2) + width * width;
            assert!((mean - middle + middle * width * width / 12.0).abs() <= 1e-15 * middle + width * tilt);
            assert!((std / width * 12f64.sqrt() - 1.0).abs() <= 1e-14 + tilt, "{low} + {width}: {std}");
        }
        let (narrow, formula) = (narrow_moments(0.5, 0.5), truncated_moments(0.0, 1.0));
        assert!((narrow.0 - formula.0).abs() < 1e-14 && (narrow.1 - formula.1).abs() < 1e-14);
    }

    #[test]
    fn truncation_at_two_sigma_is_the_constant_that_keras_and_jax_use() {
        let (mean, std) = truncated_moments(-2.0, 2.0);
        assert!(mean.abs() < 1e-16);
        assert!((std - 0.879_625_661_034_239_8).abs() < 1e-15);
        let (_, std) = truncated_moments(-1.0, 1.0);
        assert!((std - 0.539_560_093_754_896_9).abs() < 1e-15);
    }

    #[test]
    fn an_untruncated_normal_has_mean_0_and_std_1() {
        let (mean, std) = truncated_moments(f64::NEG_INFINITY, f64::INFINITY);
        assert!(mean == 0.0 && std == 1.0);
    }

    #[test]
    fn moments_of_an_interval_far_out_in_a_tail_are_exact() {
        // From the asymptotic series of the Mills ratio.
        for cut in [30.0f64, 1e3, 1e6] {
            let (mean, std) = truncated_moments(cut, f64::INFINITY);
            let (first, second) = (1.0 / cut - 2.0 / cut.powi(3), 1.0 / cut - 3.0 / cut.powi(3));
            assert!((mean - cut - first).abs() < 20.0 / cut.powi(5) + 1e-15 * cut, "{cut}: {mean}");
            assert!((std / second - 1.0).abs() < 40.0 / cut.powi(4) + 1e-10, "{cut}: {std}");
            assert_eq!(truncated_moments(f64::NEG_INFINITY, -cut), (-mean, std));
        }
        // The formula and the quadrature agree near the point of transition.
        let (formula, tail) = (truncated_moments(5.0, 7.0), tail_moments(5.0, 7.0));
        assert!((formula.0 - tail.0).abs() < 1e-9 && (formula.1 / tail.1 - 1.0).abs() < 1e-6);
    }
}
