//! Statistics of the data, feature by feature, in double precision.

use anyhow::{Result, ensure};

use super::blocks::in_order;
use crate::matrix::Matrix;
use crate::reader::Dataset;
use crate::tensor::TensorIdentity;

/// The data: its identity and its statistics.
pub struct DataSummary {
    /// Hash, shape and type of all samples.
    pub identity: TensorIdentity,
    /// Statistics of all samples.
    pub features: FeatureStats,
}

impl DataSummary {
    /// Reads all samples, for their hash and their statistics.
    pub fn from_dataset(table: &Dataset) -> Result<Self> {
        let samples: Vec<u64> = (0..table.samples).collect();
        let (identity, features) = rayon::join(|| table.identity(), || FeatureStats::from_samples(table, &samples));
        Ok(Self { identity: identity?, features: features? })
    }
}

/// A mean of more standard deviations than this leaves f32 less than three digits of the differences.
const FAR: f64 = 1e4;
/// Variances without loss of digits by overflow or underflow.
const SAFE: std::ops::Range<f64> = 1e-280..1e280;

/// Statistics of each feature.
pub struct FeatureStats {
    /// The smallest value.
    pub low: Vec<f64>,
    /// The greatest value.
    pub high: Vec<f64>,
    /// The mean.
    pub mean: Vec<f64>,
    /// The standard deviation, with divisor n.
    pub std: Vec<f64>,
}

impl FeatureStats {
    /// Reads samples once, or twice if squares of values overflow or underflow. Errors name the first value that is not finite.
    pub fn from_samples(table: &Dataset, samples: &[u64]) -> Result<Self> {
        let sums = Accumulator::from_samples(table, samples, None)?;
        let factors = sums.factors();
        if factors.iter().all(|&factor| factor == 1.0) {
            return Ok(sums.stats());
        }
        let Self { low, high, mean, std } = Accumulator::from_samples(table, samples, Some(&factors))?.stats();
        let back = |values: Vec<f64>| values.iter().zip(&factors).map(|(value, factor)| value / factor).collect();
        Ok(Self { low: back(low), high: back(high), mean: back(mean), std: back(std) })
    }

    /// Errors if values overflow f32, or the standard deviation of a feature underflows it.
    pub(super) fn check_range(&self) -> Result<()> {
        const FIX: &str = "--scale standard brings it into the range of f32";
        for (feature, ((&low, &high), &std)) in self.low.iter().zip(&self.high).zip(&self.std).enumerate() {
            let largest = if low.abs() > high.abs() { low } else { high };
            let fits = low.abs() <= f32::MAX.into() && high.abs() <= f32::MAX.into();
            ensure!(fits, "feature {feature} overflows: it holds {largest:e}: {FIX}");
            let underflows = low < high && std < f32::MIN_POSITIVE.into();
            ensure!(!underflows, "feature {feature} underflows: its standard deviation is {std:e}: {FIX}");
        }
        Ok(())
    }

    /// The number of features whose mean is more than 10,000 standard deviations from 0.
    pub(super) fn far(&self) -> usize {
        let spread = self.std.iter().zip(&self.mean).zip(self.low.iter().zip(&self.high));
        spread.filter(|((std, mean), (low, high))| low < high && mean.abs() > FAR * **std).count()
    }

    /// Errors if a value is outside [0, 1], with `need`, the reason and the fix.
    pub(super) fn check_unit_interval(&self, need: &str) -> Result<()> {
        for (feature, (&low, &high)) in self.low.iter().zip(&self.high).enumerate() {
            let outside = if low < 0.0 { low } else { high };
            ensure!(low >= 0.0 && high <= 1.0, "feature {feature} holds {outside}, but {need}");
        }
        Ok(())
    }

    /// The number of features with values outside [0, 1].
    pub(super) fn outside_unit_interval(&self) -> usize {
        self.low.iter().zip(&self.high).filter(|&(&low, &high)| low < 0.0 || high > 1.0).count()
    }

    /// The number of constant features.
    pub(super) fn constant(&self) -> usize {
        self.low.iter().zip(&self.high).filter(|(low, high)| low == high).count()
    }
}

struct Accumulator {
    low: Vec<f64>,
    high: Vec<f64>,
    moments: FeatureMoments,
}

impl Accumulator {
    fn new(features: usize) -> Self {
        let (low, high) = (vec![f64::INFINITY; features], vec![f64::NEG_INFINITY; features]);
        Self { low, high, moments: FeatureMoments::new(features) }
    }

    /// Samples, unchanged or with each feature multiplied by a factor.
    fn from_samples(table: &Dataset, samples: &[u64], factors: Option<&[f64]>) -> Result<Self> {
        let mut all = Self::new(table.features);
        let each = |samples| Self::from_block(table, samples, factors);
        in_order(samples, table.features, each, |block| all.join(&block))?;
        Ok(all)
    }

    fn from_block(table: &Dataset, samples: &[u64], factors: Option<&[f64]>) -> Result<Self> {
        let (mut sums, mut values) = (Self::new(table.features), Vec::new());
        table.read(samples, &mut values)?;
        if let Some(factors) = factors {
            for sample in values.chunks_exact_mut(table.features) {
                sample.iter_mut().zip(factors).for_each(|(value, factor)| *value *= factor);
            }
        }
        for (sample, values) in samples.iter().zip(values.chunks_exact(table.features)) {
            for (feature, &value) in values.iter().enumerate() {
                ensure!(value.is_finite(), "sample {sample}, feature {feature} is {value}: all values must be finite");
                sums.low[feature] = value.min(sums.low[feature]);
                sums.high[feature] = value.max(sums.high[feature]);
            }
            sums.moments.add(values.iter().copied());
        }
        Ok(sums)
    }

    /// A power of two for each feature that keeps its squares from overflow and underflow: 1 for most data.
    fn factors(&self) -> Vec<f64> {
        let factor = |((&low, &high), variance): ((&f64, &f64), f64)| {
            if low == high || SAFE.contains(&variance) {
                return 1.0;
            }
            let (_, exponent) = libm::frexp(low.abs().max(high.abs()));
            libm::ldexp(1.0, -exponent.clamp(-1000, 1000))
        };
        self.low.iter().zip(&self.high).zip(self.moments.variances()).map(factor).collect()
    }

    fn stats(self) -> FeatureStats {
        let Self { low, high, moments } = self;
        let std = moments.variances().map(f64::sqrt).collect();
        FeatureStats { low, high, mean: moments.mean, std }
    }

    fn join(&mut self, other: &Self) {
        self.low.iter_mut().zip(&other.low).for_each(|(low, other)| *low = low.min(*other));
        self.high.iter_mut().zip(&other.high).for_each(|(high, other)| *high = high.max(*other));
        self.moments.join(&other.moments);
    }
}

/// Means and variances, feature by feature, by the method of Welford 1962, without cancellation.
pub(super) struct FeatureMoments {
    count: f64,
    pub(super) mean: Vec<f64>,
    squares: Vec<f64>,
}

impl FeatureMoments {
    pub(super) fn new(features: usize) -> Self {
        Self { count: 0.0, mean: vec![0.0; features], squares: vec![0.0; features] }
    }

    pub(super) fn add(&mut self, sample: impl Iterator<Item = f64>) {
        self.count += 1.0;
        let share = 1.0 / self.count;
        for ((mean, squares), value) in self.mean.iter_mut().zip(&mut self.squares).zip(sample) {
            let before = value - *mean;
            *mean += before * share;
            *squares += before * (value - *mean);
        }
    }

    pub(super) fn add_rows(&mut self, samples: &Matrix<f64>) {
        samples.each_row().for_each(|row| self.add(row.iter().copied()));
    }

    /// Adds the moments of other samples, by the formula of Chan, Golub and `LeVeque` 1979.
    fn join(&mut self, other: &Self) {
        let count = self.count + other.count;
        let (share, weight) = (other.count / count, self.count * other.count / count);
        let others = other.mean.iter().zip(&other.squares);
        for ((mean, squares), (other_mean, other_squares)) in self.mean.iter_mut().zip(&mut self.squares).zip(others) {
            let apart = other_mean - *mean;
            *mean += apart * share;
            *squares += other_squares + apart * apart * weight;
        }
        self.count = count;
    }

    /// The variance of each feature, with divisor n.
    pub(super) fn variances(&self) -> impl Iterator<Item = f64> {
        self.squares.iter().map(|squares| squares / self.count)
    }

    /// The variance over all features together.
    pub(super) fn variance(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a count of features")]
        let features = self.mean.len() as f64;
        let mean = self.mean.iter().sum::<f64>() / features;
        let within: f64 = self.variances().sum();
        let between: f64 = self.mean.iter().map(|own| (own - mean) * (own - mean)).sum();
        (within + between) / features
    }
}
