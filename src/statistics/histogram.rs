//! Histograms with bins of equal width.

use crate::tensor::to_f64;

/// Counts per bin, and the expected counts if the distribution function is known.
#[derive(Clone, Debug)]
pub struct Histogram {
    /// The bins of the counts.
    pub bins: Bins,
    /// The number of values in each bin, without those of `zeros`.
    pub counts: Vec<usize>,
    /// The number of zeros that are set apart, because a density cannot show them; 0 if they are in their bin.
    pub zeros: usize,
    /// The expected number of values in each bin.
    pub expected: Option<Vec<f64>>,
}

/// The share of the values above which zeros are set apart. Continuous distributions have fewer, even in 16 bits.
const FREQUENT: f64 = 0.01;

/// Fewer zeros than this are not set apart.
const SEVERAL: usize = 3;

impl Histogram {
    /// Sets the zeros among the counted values apart, unless they are few or all.
    #[must_use]
    pub fn with_zeros_apart(mut self, zeros: usize) -> Self {
        let total = self.total();
        if zeros >= SEVERAL && zeros < total && to_f64(zeros as u64) >= FREQUENT * to_f64(total as u64) {
            let bin = self.bins.bin(0.0);
            self.counts[bin] -= zeros;
            self.zeros = zeros;
        }
        self
    }

    /// The number of all counted values.
    pub fn total(&self) -> usize {
        self.counts.iter().sum::<usize>() + self.zeros
    }

    /// Counts the finite values in bins by Sturges's rule, at most `max_bins`, and sets frequent zeros apart; `None` without finite values.
    pub fn of(values: &[f64], max_bins: usize) -> Option<Self> {
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let (low, high) = (finite().reduce(f64::min)?, finite().reduce(f64::max)?);
        let sturges = finite().count().ilog2() as usize + 1;
        let bins = Bins::new(low, high, sturges.clamp(2, max_bins));
        let mut counts = vec![0; bins.len()];
        bins.count(values, &mut counts);
        let zeros = values.iter().filter(|value| **value == 0.0).count();
        Some(Self { bins, counts, zeros: 0, expected: None }.with_zeros_apart(zeros))
    }
}

/// Bins of equal width from the smallest to the largest value. Each includes its lower edge, and the last one also
/// its upper edge.
#[derive(Clone, Copy, Debug)]
pub struct Bins {
    low: f64,
    high: f64,
    count: usize,
}

impl Bins {
    /// `count` bins, or one if no finite number lies between `low` and `high`.
    pub fn new(low: f64, high: f64, count: usize) -> Self {
        let bins = Self { low, high, count };
        if bins.step() > 0.0 { bins } else { Self { count: 1, ..bins } }
    }

    /// The number of bins, at least 1.
    #[expect(clippy::len_without_is_empty, reason = "there is always a bin")]
    pub fn len(&self) -> usize {
        self.count
    }

    /// The lower end of the range.
    pub fn low(&self) -> f64 {
        self.low
    }

    /// The upper end of the range.
    pub fn high(&self) -> f64 {
        self.high
    }

    /// The width of a bin, finite even for the widest range.
    pub fn step(&self) -> f64 {
        let count = to_f64(self.count as u64);
        self.high / count - self.low / count
    }

    /// The lower edge of a bin.
    pub fn edge(&self, bin: usize) -> f64 {
        self.low + self.step() * to_f64(bin as u64)
    }

    /// Adds the finite `values`, which must lie within the range, to the counts of their bins.
    pub fn count(&self, values: &[f64], counts: &mut [usize]) {
        for &value in values.iter().filter(|value| value.is_finite()) {
            counts[self.bin(value)] += 1;
        }
    }

    /// The bin of a finite value; that of the nearest edge for a value outside the range.
    pub fn bin(&self, value: f64) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates at 0")]
        let bin = ((value / 2.0 - self.low / 2.0) / (self.step() / 2.0)) as usize;
        bin.min(self.count - 1)
    }

    /// The probability of each bin under a distribution function.
    pub fn probabilities<'a>(&'a self, cdf: &'a dyn Fn(f64) -> f64) -> impl Iterator<Item = f64> + 'a {
        (0..self.count).map(move |bin| cdf(self.edge(bin + 1)) - cdf(self.edge(bin)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_on_an_edge_belongs_to_the_bin_above_and_the_greatest_to_the_last() {
        let bins = Bins::new(0.0, 4.0, 4);
        let mut counts = vec![0; 4];
        bins.count(&[0.0, 0.9, 1.0, 2.0, 3.0, 4.0, f64::NAN, f64::INFINITY], &mut counts);
        assert_eq!(counts, [2, 1, 1, 2]);
    }

    #[test]
    fn every_finite_value_is_counted_in_any_range() {
        for scale in [5e-324, 1e-300, 1.0, 1.7e308] {
            let values: Vec<f64> = (-500..=500).map(|n| scale * (f64::from(n) / 500.0)).collect();
            let histogram = Histogram::of(&values, 12).unwrap();
            assert!(histogram.bins.len() <= 12);
            assert_eq!(histogram.total(), values.len(), "{scale}");
        }
        assert!(Histogram::of(&[f64::NAN], 12).is_none());
    }

    #[test]
    fn zeros_are_set_apart_if_a_density_cannot_show_them() {
        let histogram = |zeros: usize| {
            let counts = vec![100, 100 + zeros, 100];
            Histogram { bins: Bins::new(-3.0, 3.0, 3), counts, zeros: 0, expected: None }.with_zeros_apart(zeros)
        };
        for (zeros, apart) in [(0, 0), (2, 0), (4, 4), (900, 900)] {
            let histogram = histogram(zeros);
            assert_eq!((histogram.zeros, histogram.total()), (apart, 300 + zeros));
            assert_eq!(histogram.counts, [100, 100 + zeros - apart, 100]);
        }
    }

    #[test]
    fn the_bins_of_a_uniform_distribution_are_equally_likely() {
        let bins = Bins::new(0.0, 1.0, 4);
        assert_eq!(bins.probabilities(&|x: f64| x.clamp(0.0, 1.0)).collect::<Vec<f64>>(), [0.25; 4]);
    }
}
