//! P-values: each function gives the probability of a statistic at least as extreme as its argument, if the values
//! have the expected distribution.

use super::normal;
use super::special::beta;
use crate::tensor::to_f64;

/// An upper bound of the p-value for the distance between an empirical distribution function of `count` values and the true one. Holds
/// for any distribution and count (Dvoretzky, Kiefer and Wolfowitz 1956; Massart's constant of 1990).
pub fn kolmogorov_smirnov(distance: f64, count: u64) -> f64 {
    (2.0 * libm::exp(-2.0 * to_f64(count) * distance * distance)).min(1.0)
}

/// An upper bound of the p-value for the distance between two samples of one distribution (Wei and Dudley 2012).
pub fn kolmogorov_smirnov_two_samples(distance: f64, one: u64, two: u64) -> f64 {
    let (one, two) = (to_f64(one), to_f64(two));
    (std::f64::consts::E * libm::exp(-2.0 * one * two / (one + two) * distance * distance)).min(1.0)
}

/// The probability of a standard normal at least as far from 0, two-sided.
pub fn standard_normal(z: f64) -> f64 {
    (2.0 * normal::upper(z.abs())).min(1.0)
}

/// The p-value of the ratio of the sample variance of `count` normals to the true variance, by the cube root of Wilson and
/// Hilferty (1931).
pub fn variance_of_normals(ratio: f64, count: u64) -> f64 {
    let spread = 2.0 / (9.0 * to_f64(count - 1));
    standard_normal((libm::cbrt(ratio) - (1.0 - spread)) / spread.sqrt())
}

/// The p-value of the smallest of `count` independent p-values: 1 - (1 - p)^n (Šidák 1967).
pub fn sidak(p_value: f64, count: u64) -> f64 {
    -libm::expm1(to_f64(count) * libm::log1p(-p_value.clamp(0.0, 1.0)))
}

/// The p-value of `tests` tests with any dependence: p n (Bonferroni).
pub fn bonferroni(p_value: f64, tests: u64) -> f64 {
    (p_value * to_f64(tests)).min(1.0)
}

/// A two-sided p-value from the p-values of both sides.
pub fn two_sided(one: f64, other: f64) -> f64 {
    (2.0 * one.min(other)).min(1.0)
}

/// The p-value of a sum of `freedom` squared standard normals, two-sided, by the cube root of Wilson and Hilferty (1931). Far
/// above the mean the result is too large, which is conservative.
pub fn chi_squared(sum: f64, freedom: u64) -> f64 {
    let freedom = to_f64(freedom);
    let spread = 2.0 / (9.0 * freedom);
    standard_normal((libm::cbrt(sum / freedom) - (1.0 - spread)) / spread.sqrt())
}

/// An upper bound of the p-value for `count` or more independent rare events if `mean` are expected (Chernoff 1952).
pub fn poisson_bound(count: f64, mean: f64) -> f64 {
    if count <= mean {
        return 1.0;
    }
    libm::exp(count - mean - count * libm::log(count / mean))
}

/// The p-value of the number of heads in `count` tosses of a fair coin, two-sided.
pub fn fair_coin(heads: u64, count: u64) -> f64 {
    let above = |heads: u64| {
        if heads == 0 { 1.0 } else { beta(0.5, to_f64(heads), to_f64(count - heads + 1)) }
    };
    two_sided(above(heads), above(count - heads))
}

/// The p-value of a coordinate of a random point on the unit sphere, such as an entry of a random orthogonal matrix, two-sided.
pub fn sphere_coordinate(coordinate: f64, dimensions: u64) -> f64 {
    let square = (coordinate * coordinate).min(1.0);
    if dimensions < 2 { 1.0 } else { beta(1.0 - square, to_f64(dimensions - 1) / 2.0, 0.5) }
}

/// The p-value of the squared length of the first `coordinates` coordinates of a random point on the unit sphere, two-sided
/// about its median.
pub fn sphere_projection(square: f64, coordinates: u64, dimensions: u64) -> f64 {
    let (first, rest) = (to_f64(coordinates) / 2.0, to_f64(dimensions - coordinates) / 2.0);
    let square = square.clamp(0.0, 1.0);
    two_sided(beta(square, first, rest), beta(1.0 - square, rest, first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_distances_are_just_above_the_exact_p_values() {
        // scipy.stats.kstwo.sf(D, n).
        for (count, distance, exact) in [
            (100, 0.15, 0.019_839_242_125_641_813),
            (1000, 0.05, 0.013_012_074_781_090_332),
            (10_000, 0.02, 0.000_661_684_863_938_730_9),
        ] {
            let ratio = kolmogorov_smirnov(distance, count) / exact;
            assert!((1.0..1.12).contains(&ratio), "{count}: {ratio}");
        }
        // scipy.stats.ks_2samp of samples at this distance, method="exact".
        for (one, two, distance, exact) in [
            (100, 250, 0.18, 0.017_518_132_504_533_032),
            (300, 1000, 0.31 / 3.0, 0.013_480_419_600_984_622),
            (1000, 1000, 0.07, 0.014_870_029_418_858_987),
            (2000, 3000, 0.05, 0.004_836_257_555_649_373),
        ] {
            let ratio = kolmogorov_smirnov_two_samples(distance, one, two) / exact;
            assert!((1.36..1.52).contains(&ratio), "{one}, {two}: {ratio}");
        }
    }

    /// The constant of Wei and Dudley is the smallest one for any two samples of equal size. Samples of one value
    /// each reach the bound.
    #[test]
    fn the_bound_of_two_samples_is_reached_by_samples_of_one_and_holds_for_all() {
        assert!((kolmogorov_smirnov_two_samples(1.0, 1, 1) - 1.0).abs() < 1e-12);
        for size in 1..=60 {
            for apart in 1..=size {
                // Gnedenko and Korolyuk (1951): twice the alternating sum of C(2n, n - jk) / C(2n, n).
                let term = |at: u64| (0..at).map(|i| to_f64(size - i) / to_f64(size + at - i)).product::<f64>();
                let terms = (1..=size / apart).map(|j| if j % 2 == 1 { term(j * apart) } else { -term(j * apart) });
                let (exact, bound) = (
                    2.0 * terms.sum::<f64>(),
                    kolmogorov_smirnov_two_samples(to_f64(apart) / to_f64(size), size, size),
                );
                assert!(bound >= exact * (1.0 - 1e-12), "{size}, {apart}: {bound} < {exact}");
            }
        }
    }

    #[test]
    fn the_variance_of_normals_is_chi_squared() {
        // A chi-square of 100 degrees is above 135.807 with probability 0.01, and below 70.065 likewise. The
        // approximation improves with the number of values; for few it is within a tenth.
        for (ratio, count, within) in
            [(1.358_07, 101, 0.02), (0.700_65, 101, 0.02), (2.320_9, 11, 0.1), (0.255_8, 11, 0.1)]
        {
            assert!((variance_of_normals(ratio, count) / 0.02 - 1.0).abs() < within, "{ratio} {count}");
        }
    }

    #[track_caller]
    fn near(found: f64, expected: f64, within: f64) {
        assert!((found / expected - 1.0).abs() <= within, "{found:e}, not {expected:e}");
    }

    // Expected numbers from SciPy 1.16 and mpmath.

    #[test]
    fn rare_events_keep_their_digits_among_many_tries() {
        near(sidak(1e-20, 1_000_000), 9.999_999_999_999_95e-15, 1e-13);
        near(sidak(1e-9, 1_000_000), 9.995_001_671_245_08e-4, 1e-13);
        near(sidak(0.5, 3), 0.875, 1e-15);
        near(sidak(1e-300, 1_000_000_000_000), 1e-288, 1e-12);
        assert_eq!((sidak(0.0, 9), sidak(1.0, 9)), (0.0, 1.0));
    }

    #[test]
    fn sums_of_squares_are_chi_squared() {
        near(chi_squared(1200.0, 1000), 2.451_19e-5, 0.01);
        near(chi_squared(150.0, 100), 1.807_86e-3, 0.02);
        near(chi_squared(40.0, 100), 2.491_79e-8, 0.3);
        near(chi_squared(3.0, 10), 0.037_152, 0.1);
        // The result is too large for few degrees and large sums.
        for (sum, freedom, exact) in [(60.0, 10, 7.248_6e-9), (20.0, 1, 1.548_8e-5)] {
            assert!((exact..20.0 * exact).contains(&chi_squared(sum, freedom)));
        }
    }

    #[test]
    fn heads_are_binomial() {
        near(fair_coin(32, 32), 4.656_612_873_077_393e-10, 1e-12);
        near(fair_coin(0, 32), 4.656_612_873_077_393e-10, 1e-12);
        near(fair_coin(20, 32), 0.215_327_149_722_725_15, 1e-12);
        near(fair_coin(30, 100), 7.850_139_645_593_67e-5, 1e-10);
        near(fair_coin(1100, 2000), 8.457_089_535_503_81e-6, 1e-9);
        assert_eq!(fair_coin(16, 32), 1.0);
    }

    #[test]
    fn coordinates_on_a_sphere_are_beta() {
        near(sphere_coordinate(0.5, 2), 2.0 / 3.0, 1e-13);
        near(sphere_coordinate(-0.5, 3), 0.5, 1e-13);
        near(sphere_coordinate(0.1, 100), 0.319_748_474_139_301_35, 1e-12);
        near(sphere_coordinate(0.9, 64), 2.115_867_877_915_542_3e-24, 1e-11);
        near(sphere_coordinate(0.01, 1000), 0.752_003_702_198_591_9, 1e-11);
        near(sphere_coordinate(0.3, 4096), 5.686_575_883_382_783e-86, 1e-9);
        assert_eq!((sphere_coordinate(1.5, 10), sphere_coordinate(1.0, 1)), (0.0, 1.0));
    }

    #[test]
    fn lengths_of_projections_are_beta() {
        near(sphere_projection(0.3, 10, 20), 0.197_617_32, 1e-12);
        near(sphere_projection(0.9, 10, 20), 0.001_781_84, 1e-12);
        near(sphere_projection(0.01, 5, 100), 0.070_063_456_258_890_09, 1e-12);
        near(sphere_projection(0.25, 64, 256), 0.972_822_596_007_298_8, 1e-11);
    }

    #[test]
    fn the_bound_of_a_count_is_above_the_poisson_distribution() {
        for (count, mean, exact) in [(10.0, 1.0, 1.114_254_8e-7), (1.0, 1e-5, 9.999_95e-6), (100.0, 80.0, 0.017_108_3)]
        {
            assert!((exact..8.0 * exact).contains(&poisson_bound(count, mean)), "{count} {mean}");
        }
        assert_eq!((poisson_bound(0.0, 0.0), poisson_bound(3.0, 4.0)), (1.0, 1.0));
    }
}
