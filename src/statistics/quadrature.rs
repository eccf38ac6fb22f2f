//! Mean and standard deviation by quadrature, for distributions without a closed form or with one whose terms cancel.

/// Nodes of the Gauss-Legendre rule of order 8 on [0, 1] and their weights; those on [-1, 0] mirror them.
pub(crate) const GAUSS_LEGENDRE: [(f64, f64); 4] = [
    (0.183_434_642_495_649_8, 0.362_683_783_378_362),
    (0.525_532_409_916_329, 0.313_706_645_877_887_3),
    (0.796_666_477_413_626_7, 0.222_381_034_453_374_5),
    (0.960_289_856_497_536_3, 0.101_228_536_290_376_3),
];

/// The number of equal parts of a range.
const PARTS: u16 = 512;

/// The mean and standard deviation of `value(x)`, if x has a density proportional to `density` on `from..to`. Both
/// functions must be smooth.
pub(crate) fn moments((from, to): (f64, f64), density: impl Fn(f64) -> f64, value: impl Fn(f64) -> f64) -> (f64, f64) {
    let half = (to - from) / (2.0 * f64::from(PARTS));
    let centres = (0..PARTS).map(|part| from + half * (2.0 * f64::from(part) + 1.0));
    let points: Vec<(f64, f64)> = centres
        .flat_map(|centre| GAUSS_LEGENDRE.map(|(t, weight)| [(centre - half * t, weight), (centre + half * t, weight)]))
        .flatten()
        .map(|(x, weight)| (weight * density(x), value(x)))
        .collect();
    let mass: f64 = points.iter().map(|(weight, _)| weight).sum();
    let mean = points.iter().map(|(weight, value)| weight * value).sum::<f64>() / mass;
    let variance = points.iter().map(|(weight, value)| weight * (value - mean) * (value - mean)).sum::<f64>() / mass;
    (mean, variance.sqrt())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The mean and standard deviation of `value` at evenly spaced fractions: a plain quadrature, to about three digits.
    pub(crate) fn of_fractions(value: impl Fn(f64) -> f64) -> (f64, f64) {
        const COUNT: u32 = 100_000;
        let values: Vec<f64> = (0..COUNT).map(|n| value((f64::from(n) + 0.5) / f64::from(COUNT))).collect();
        let mean = values.iter().sum::<f64>() / f64::from(COUNT);
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        (mean, (squares / f64::from(COUNT)).sqrt())
    }

    #[test]
    fn moments_of_known_distributions() {
        let (mean, std) = moments((0.0, 1.0), |_| 1.0, |x| x);
        assert!((mean - 0.5).abs() < 1e-14 && (std - 12f64.sqrt().recip()).abs() < 1e-14);
        let (mean, std) = moments((0.0, 60.0), |x| libm::exp(-x), |x| x);
        assert!((mean - 1.0).abs() < 1e-12 && (std - 1.0).abs() < 1e-12, "{mean} {std}");
    }
}
