//! The distribution of a single element of a tensor, for comparison with a histogram of all elements.

use std::fmt::{Debug, Formatter, Result};

use super::histogram::{Bins, Histogram};
use super::normal;
use super::special::beta;
use crate::tensor::to_f64;

/// A cumulative distribution function: the probability of a value up to x.
pub type Cdf = Box<dyn Fn(f64) -> f64>;

/// The distribution of one element over all draws: single values, each with a probability, and all others.
///
/// [`Marginal::expected`] gives the expected counts of a histogram, [`Marginal::density`] the curve over its bars, and [`Marginal::zero`]
/// the share of the zeros of a sparse matrix, which neither can show.
pub struct Marginal {
    /// Values and their probabilities, each above 0; no value is listed twice.
    pub atoms: Vec<(f64, f64)>,
    /// The distribution function of the other values, from 0 to 1; `None` if it is unknown or the probabilities add up to 1.
    pub others: Option<Cdf>,
}

impl Debug for Marginal {
    fn fmt(&self, out: &mut Formatter) -> Result {
        write!(out, "Marginal {{ atoms: {:?}, others: {} }}", self.atoms, self.others.is_some())
    }
}

impl Marginal {
    /// A distribution without atoms.
    pub fn continuous(cdf: impl Fn(f64) -> f64 + 'static) -> Self {
        Self { atoms: Vec::new(), others: Some(Box::new(cdf)) }
    }

    /// A distribution symmetric about `centre`; `within(x)` is the probability of a distance up to x >= 0.
    pub fn symmetric(centre: f64, within: impl Fn(f64) -> f64 + 'static) -> Self {
        Self::continuous(move |x| 0.5 + 0.5 * within((x - centre).abs()).copysign(x - centre))
    }

    /// N(mean, std²); std is 0 or more.
    pub fn normal(mean: f64, std: f64) -> Self {
        if std > 0.0 {
            Self::continuous(move |x| normal::lower((x - mean) / std))
        } else {
            Self::discrete([(mean, 1.0)])
        }
    }

    /// A coordinate of a uniformly drawn point on the sphere of `dimensions` dimensions, such as an element of a random orthogonal matrix.
    /// Its density is proportional to (1 - (x / radius)²)^((dimensions - 3) / 2).
    pub fn coordinate(radius: f64, dimensions: u64) -> Self {
        if dimensions < 2 || radius == 0.0 {
            return Self::discrete([(-radius, 0.5), (radius, 0.5)]);
        }
        let rest = to_f64(dimensions - 1) / 2.0;
        Self::symmetric(0.0, move |x| beta((x / radius) * (x / radius), 0.5, rest))
    }

    /// Values with their probabilities, which add up to 1.
    pub fn discrete(atoms: impl IntoIterator<Item = (f64, f64)>) -> Self {
        let mut marginal = Self { atoms: Vec::new(), others: None };
        atoms.into_iter().for_each(|(value, probability)| marginal.add(value, probability));
        marginal
    }

    /// Zeros with a probability; the distribution of the other values is unknown.
    pub fn zeros(probability: f64) -> Self {
        Self::discrete([(0.0, probability)])
    }

    /// This distribution, or 0 with a probability.
    #[must_use]
    pub fn or_zero(self, probability: f64) -> Self {
        self.or_value(0.0, probability)
    }

    /// This distribution, or `value` with a probability.
    #[must_use]
    pub fn or_value(mut self, value: f64, probability: f64) -> Self {
        self.atoms.iter_mut().for_each(|(_, other)| *other *= 1.0 - probability);
        self.add(value, probability);
        self
    }

    fn add(&mut self, value: f64, probability: f64) {
        match self.atoms.iter_mut().find(|(atom, _)| *atom == value) {
            Some((_, sum)) => *sum += probability,
            None if probability > 0.0 => self.atoms.push((value, probability)),
            None => (),
        }
    }

    /// The probability of an exact zero.
    pub fn zero(&self) -> f64 {
        self.atoms.iter().find(|(value, _)| *value == 0.0).map_or(0.0, |(_, probability)| *probability)
    }

    /// The probability of all values that are no atoms.
    fn rest(&self) -> f64 {
        1.0 - self.atoms.iter().map(|(_, probability)| probability).sum::<f64>()
    }

    /// The expected counts of a histogram, without zeros if they are set apart there; `None` if part of the distribution is unknown.
    pub fn expected(&self, histogram: &Histogram) -> Option<Vec<f64>> {
        const NONE: f64 = 1e-12;
        let Histogram { bins, zeros, .. } = histogram;
        let (rest, total) = (self.rest(), to_f64(histogram.total() as u64));
        let mut expected = match &self.others {
            Some(cdf) => bins.probabilities(cdf).map(|probability| rest * probability * total).collect(),
            None if rest < NONE => vec![0.0; bins.len()],
            None => return None,
        };
        for (value, probability) in self.atoms.iter().filter(|(value, _)| *value != 0.0 || *zeros == 0) {
            expected[bins.bin(*value)] += probability * total;
        }
        (bins.len() > 1).then_some(expected)
    }

    /// The density of the values that are no atoms, in the middle of each bin: its integral is their probability. `None` if it is unknown.
    pub fn density(&self, bins: &Bins) -> Option<Vec<(f64, f64)>> {
        let probabilities = bins.probabilities(self.others.as_ref()?).enumerate();
        let middle = |bin: usize| bins.edge(bin) / 2.0 + bins.edge(bin + 1) / 2.0;
        let point = |(bin, probability)| (middle(bin), self.rest() * probability / bins.step());
        (bins.len() > 1).then(|| probabilities.map(point).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uniform() -> Marginal {
        Marginal::symmetric(0.0, |x| x.min(1.0))
    }

    /// A histogram of four bins from -1 to 1.
    fn histogram(counts: [usize; 4], zeros: usize) -> Histogram {
        Histogram { bins: Bins::new(-1.0, 1.0, 4), counts: counts.into(), zeros, expected: None }
    }

    #[test]
    fn expected_counts_include_single_values_in_their_bins() {
        let marginal = uniform().or_zero(0.5);
        assert_eq!(marginal.expected(&histogram([10, 10, 50, 10], 0)), Some(vec![10.0, 10.0, 50.0, 10.0]));
        assert_eq!(marginal.expected(&histogram([10; 4], 40)), Some(vec![10.0; 4]));
        let density = marginal.density(&Bins::new(-1.0, 1.0, 4));
        assert_eq!(density, Some(vec![(-0.75, 0.25), (-0.25, 0.25), (0.25, 0.25), (0.75, 0.25)]));
        let coin = Marginal::discrete([(-1.0, 0.25), (1.0, 0.75)]);
        assert_eq!(coin.expected(&histogram([2, 0, 0, 2], 0)), Some(vec![1.0, 0.0, 0.0, 3.0]));
        assert!(coin.density(&Bins::new(-1.0, 1.0, 4)).is_none());
    }

    #[test]
    fn unknown_values_have_no_expected_counts() {
        assert_eq!(Marginal::zeros(0.9).expected(&histogram([1; 4], 0)), None);
    }

    #[test]
    fn zeros_of_zeros_add_up() {
        let marginal = uniform().or_zero(0.5).or_zero(0.2);
        assert!((marginal.zero() - 0.6).abs() < 1e-15 && marginal.atoms.len() == 1);
    }

    #[test]
    fn coordinates_of_a_sphere_have_the_distribution_of_archimedes() {
        // In space it is uniform; that of a circle is an arcsine.
        let space = Marginal::coordinate(2.0, 3).others.unwrap();
        let circle = Marginal::coordinate(1.0, 2).others.unwrap();
        for x in [-1.0, -0.3, 0.0, 0.5, 0.9] {
            assert!((space(2.0 * x) - (0.5 + 0.5 * x)).abs() < 1e-14);
            assert!((circle(x) - (0.5 + f64::asin(x) / std::f64::consts::PI)).abs() < 1e-14);
        }
    }
}
