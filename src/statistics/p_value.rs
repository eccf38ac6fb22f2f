//! P-values: the probability of a statistic at least as extreme if a distribution holds.

use super::normal;
use crate::tensor::to_f64;

/// The probability of a distance as large as this between the distribution functions of `count` values and of their distribution is at most
/// this, for any distribution and any count (Dvoretzky, Kiefer and Wolfowitz 1956; the constant is Massart's, 1990).
pub fn of_distance(distance: f64, count: u64) -> f64 {
    (2.0 * libm::exp(-2.0 * to_f64(count) * distance * distance)).min(1.0)
}

/// The same for two samples of one distribution (Wei and Dudley 2012).
pub fn of_two(distance: f64, one: u64, two: u64) -> f64 {
    let (one, two) = (to_f64(one), to_f64(two));
    (std::f64::consts::E * libm::exp(-2.0 * one * two / (one + two) * distance * distance)).min(1.0)
}

/// The probability of a standard normal as far from 0 as this.
pub fn of_normal(z: f64) -> f64 {
    (2.0 * normal::upper(z.abs())).min(1.0)
}

/// The probability of a ratio as far from 1 as this between the variance of `count` normals and that of their distribution, through the cube
/// root of Wilson and Hilferty (1931).
pub fn of_normal_variance(ratio: f64, count: u64) -> f64 {
    let spread = 2.0 / (9.0 * to_f64(count - 1));
    of_normal((libm::cbrt(ratio) - (1.0 - spread)) / spread.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

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
                let term = |at: u64| (0..at).map(|i| to_f64(size - i) / to_f64(size + at - i)).product::<f64>();
                let terms = (1..=size / apart).map(|j| if j % 2 == 1 { term(j * apart) } else { -term(j * apart) });
                let (exact, bound) = (2.0 * terms.sum::<f64>(), of_two(to_f64(apart) / to_f64(size), size, size));
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
