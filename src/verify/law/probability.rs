//! Probabilities of statistics if a law holds, and tails of laws.

use crate::gaussian;
use crate::law::{Cdf, Law};
use crate::tensor::as_float;

/// The probabilities of a value below and of one above x, each exact in relative terms.
pub(super) struct Tails {
    pub(super) below: Cdf,
    pub(super) above: Cdf,
}

/// The tails of one element, before rounding, where there is a formula.
pub(super) fn tails(law: &Law) -> Option<Tails> {
    let (below, above): (Cdf, Cdf) = match *law {
        Law::Normal { mean, std } if std > 0.0 => {
            (Box::new(move |x| gaussian::lower((x - mean) / std)), Box::new(move |x| gaussian::upper((x - mean) / std)))
        }
        Law::Uniform { low, high } => {
            let share = move |x: f64| (x / (high / 2.0 - low / 2.0)).clamp(0.0, 1.0);
            (Box::new(move |x| share(x / 2.0 - low / 2.0)), Box::new(move |x| share(high / 2.0 - x / 2.0)))
        }
        Law::TruncatedNormal { mean, std, low, high } => {
            let z = move |x: f64| (x.clamp(low, high) - mean) / std;
            let mass = gaussian::between(z(low), z(high));
            if mass <= 0.0 {
                return None;
            }
            (
                Box::new(move |x| (gaussian::between(z(low), z(x)) / mass).clamp(0.0, 1.0)),
                Box::new(move |x| (gaussian::between(z(x), z(high)) / mass).clamp(0.0, 1.0)),
            )
        }
        _ => return None,
    };
    Some(Tails { below, above })
}

/// The fourth central moment of a law over the square of its variance, where there is a formula.
pub(super) fn kurtosis(law: &Law) -> Option<f64> {
    match *law {
        Law::Normal { .. } => Some(3.0),
        Law::Uniform { .. } => Some(1.8),
        Law::TruncatedNormal { mean, std, low, high } => {
            let reach = |z: f64| z.clamp(-40.0, 40.0);
            let (a, b) = (reach((low - mean) / std), reach((high - mean) / std));
            let mode = 0f64.clamp(a, b);
            let (a, b) = (a.max(mode - 12.0), b.min(mode + 12.0));
            // Simpson's rule.
            let integral = |f: &dyn Fn(f64) -> f64| {
                let step = (b - a) / f64::from(STEPS);
                let inner = (1..STEPS).map(|n| f(a + step * f64::from(n)) * if n % 2 == 0 { 2.0 } else { 4.0 });
                (f(a) + inner.sum::<f64>() + f(b)) * step / 3.0
            };
            let weight = |z: f64| libm::exp((mode * mode - z * z) / 2.0);
            let mass = integral(&weight);
            let middle = integral(&|z| z * weight(z)) / mass;
            let central = |power| integral(&|z: f64| (z - middle).powi(power) * weight(z)) / mass;
            Some(central(4) / central(2).powi(2)).filter(|kurtosis| kurtosis.is_finite())
        }
        _ => None,
    }
}

/// Into how many parts an interval is cut for an integral.
const STEPS: i32 = 2000;

/// The probability of a distance as large as this between the distribution functions of `count` values and of their law is at most
/// this, for any law and any count (Dvoretzky, Kiefer and Wolfowitz 1956; the constant is Massart's, 1990).
pub(super) fn of_distance(distance: f64, count: u64) -> f64 {
    (2.0 * libm::exp(-2.0 * as_float(count) * distance * distance)).min(1.0)
}

/// The same for two samples of one law (Wei and Dudley 2012).
pub(super) fn of_two(distance: f64, one: u64, two: u64) -> f64 {
    let (one, two) = (as_float(one), as_float(two));
    (std::f64::consts::E * libm::exp(-2.0 * one * two / (one + two) * distance * distance)).min(1.0)
}

/// The probability of a standard normal as far from 0 as this.
pub(super) fn of_normal(z: f64) -> f64 {
    (2.0 * gaussian::upper(z.abs())).min(1.0)
}

/// The probability of a ratio as far from 1 as this between the variance of `count` normals and that of their law, through the cube
/// root of Wilson and Hilferty (1931).
pub(super) fn of_normal_variance(ratio: f64, count: u64) -> f64 {
    let spread = 2.0 / (9.0 * as_float(count - 1));
    of_normal((libm::cbrt(ratio) - (1.0 - spread)) / spread.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kurtoses_are_those_of_the_textbook() {
        let open = Law::TruncatedNormal { mean: 5.0, std: 2.0, low: f64::NEG_INFINITY, high: f64::INFINITY };
        assert!((kurtosis(&open).unwrap() - 3.0).abs() < 1e-9);
        let narrow = Law::TruncatedNormal { mean: 0.0, std: 1.0, low: -1e-3, high: 1e-3 };
        assert!((kurtosis(&narrow).unwrap() - 1.8).abs() < 1e-6);
    }

    #[test]
    fn the_bounds_of_distances_are_above_the_exact_probabilities_and_near_them() {
        // scipy.stats.kstwo.sf(D, n).
        for (count, distance, exact) in [
            (100, 0.15, 0.019_839_242_125_641_813),
            (1000, 0.05, 0.013_012_074_781_090_332),
            (10_000, 0.02, 0.000_661_684_863_938_730_9),
        ] {
            let ratio = of_distance(distance, count) / exact;
            assert!((1.0..1.12).contains(&ratio), "{count}: {ratio}");
        }
        // scipy.stats.ks_2samp of samples at such a distance, method="exact".
        for (one, two, distance, exact) in [
            (100, 250, 0.18, 0.017_518_132_504_533_032),
            (300, 1000, 0.31 / 3.0, 0.013_480_419_600_984_622),
            (1000, 1000, 0.07, 0.014_870_029_418_858_987),
            (2000, 3000, 0.05, 0.004_836_257_555_649_373),
        ] {
            let ratio = of_two(distance, one, two) / exact;
            assert!((1.36..1.52).contains(&ratio), "{one}, {two}: {ratio}");
        }
    }

    /// The constant of Wei and Dudley is the least for any two samples of one size: with one value in each, their bound is reached.
    #[test]
    fn the_bound_of_two_samples_is_reached_by_the_smallest_and_holds_for_all() {
        assert!((of_two(1.0, 1, 1) - 1.0).abs() < 1e-12);
        for size in 1..=60 {
            for apart in 1..=size {
                // Gnedenko and Korolyuk (1951): twice the alternating sum of C(2n, n - jk) / C(2n, n).
                let term = |at: u64| (0..at).map(|i| as_float(size - i) / as_float(size + at - i)).product::<f64>();
                let terms = (1..=size / apart).map(|j| if j % 2 == 1 { term(j * apart) } else { -term(j * apart) });
                let (exact, bound) = (2.0 * terms.sum::<f64>(), of_two(as_float(apart) / as_float(size), size, size));
                assert!(bound >= exact * (1.0 - 1e-12), "{size}, {apart}: {bound} < {exact}");
            }
        }
    }

    #[test]
    fn the_distribution_of_a_variance_is_chi_squared() {
        // A chi-square of 100 degrees is above 135.807 with probability 0.01, and below 70.065 too. The approximation is nearer
        // the more values there are; a test of fewer is within a tenth.
        for (ratio, count, within) in
            [(1.358_07, 101, 0.02), (0.700_65, 101, 0.02), (2.320_9, 11, 0.1), (0.255_8, 11, 0.1)]
        {
            assert!((of_normal_variance(ratio, count) / 0.02 - 1.0).abs() < within, "{ratio} {count}");
        }
    }
}
