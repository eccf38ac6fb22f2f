//! What a layer learns from: the data, scaled, through the layers below.

use anyhow::{Context, Result, ensure};
use rayon::prelude::*;

use super::activation::Activation;
use super::layer::Layer;
use crate::matrix::Matrix;
use crate::plan::{BaseIdentity, narrow};
use crate::reader::Table;
use crate::scheme::Arguments;

/// At most so many samples are looked at together where all are.
const BLOCK: usize = 4096;
/// About so many values of them are multiplied at a time.
const VALUES_OF_A_BLOCK: usize = 1 << 19;
/// And so many gone through by a thread, so that they stay in its cache.
const VALUES_OF_A_PASS: usize = 1 << 16;
/// Multiplications that are worth a second thread.
pub(super) const WORK_OF_A_THREAD: usize = 1 << 19;

/// What is known of the data.
pub struct Known {
    /// Which data it is.
    pub identity: BaseIdentity,
    /// What it is like.
    pub survey: Survey,
}

impl Known {
    /// Goes through all samples: for their hash, and beside that for what they are like.
    pub fn of(table: &Table) -> Result<Self> {
        let (identity, survey) = rayon::join(|| table.identity(), || Survey::of(table));
        Ok(Self { identity: identity?, survey: survey? })
    }
}

/// What the data is like, feature by feature.
pub struct Survey {
    /// The least value.
    pub low: Vec<f64>,
    /// The greatest.
    pub high: Vec<f64>,
    /// The mean.
    pub mean: Vec<f64>,
    /// The standard deviation, over n.
    pub std: Vec<f64>,
}

impl Survey {
    /// Goes through all samples once. Errors name the first value that is not finite.
    pub fn of(table: &Table) -> Result<Self> {
        let mut all = Seen::new(table.features);
        let numbers: Vec<u64> = (0..table.samples).collect();
        in_order(&numbers, table.features, |samples| Seen::of(table, samples), |seen| all.join(&seen))?;
        let Seen { low, high, moments } = all;
        let std = moments.variances().map(f64::sqrt).collect();
        Ok(Self { low, high, mean: moments.mean, std })
    }

    /// Errors where a value lies outside of [0, 1].
    pub(super) fn check_unit_interval(&self) -> Result<()> {
        for (feature, (&low, &high)) in self.low.iter().zip(&self.high).enumerate() {
            let outside = if low < 0.0 { low } else { high };
            ensure!(low >= 0.0 && high <= 1.0, "feature {feature} holds {outside}");
        }
        Ok(())
    }

    /// The same of what a scale makes of it.
    pub(super) fn scaled(&self, scale: &Scale) -> Self {
        let each = |values: &[f64]| {
            let mut values = values.to_vec();
            scale.apply(&mut values);
            values
        };
        let std = scale.spreads(&self.std);
        Self { low: each(&self.low), high: each(&self.high), mean: each(&self.mean), std }
    }

    /// How many features have one value only.
    pub fn constant(&self) -> usize {
        self.low.iter().zip(&self.high).filter(|(low, high)| low == high).count()
    }
}

/// What some samples are like.
struct Seen {
    low: Vec<f64>,
    high: Vec<f64>,
    moments: Moments,
}

impl Seen {
    /// No sample at all.
    fn new(features: usize) -> Self {
        let (low, high) = (vec![f64::INFINITY; features], vec![f64::NEG_INFINITY; features]);
        Self { low, high, moments: Moments::new(features) }
    }

    fn of(table: &Table, samples: &[u64]) -> Result<Self> {
        let (mut seen, mut values) = (Self::new(table.features), Vec::new());
        table.read(samples, &mut values)?;
        for (sample, values) in samples.iter().zip(values.chunks_exact(table.features)) {
            for (feature, &value) in values.iter().enumerate() {
                ensure!(value.is_finite(), "sample {sample}, feature {feature} is {value}: all values must be finite");
                seen.low[feature] = value.min(seen.low[feature]);
                seen.high[feature] = value.max(seen.high[feature]);
            }
            seen.moments.add(values.iter().copied());
        }
        Ok(seen)
    }

    /// Takes in what others are like.
    fn join(&mut self, other: &Self) {
        self.low.iter_mut().zip(&other.low).for_each(|(low, other)| *low = low.min(*other));
        self.high.iter_mut().zip(&other.high).for_each(|(high, other)| *high = high.max(*other));
        self.moments.join(&other.moments);
    }
}

/// Means and variances, feature by feature, by the method of Welford 1962: no digits cancel.
pub(super) struct Moments {
    count: f64,
    pub(super) mean: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    pub(super) fn new(features: usize) -> Self {
        Self { count: 0.0, mean: vec![0.0; features], squares: vec![0.0; features] }
    }

    /// Takes in a sample.
    pub(super) fn add(&mut self, sample: impl Iterator<Item = f64>) {
        self.count += 1.0;
        let share = 1.0 / self.count;
        for ((mean, squares), value) in self.mean.iter_mut().zip(&mut self.squares).zip(sample) {
            let before = value - *mean;
            *mean += before * share;
            *squares += before * (value - *mean);
        }
    }

    /// Takes in the moments of other samples, by the formula of Chan, Golub and `LeVeque` 1979.
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

    /// The variance of each feature, over n.
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

/// How many samples of so many features make so many values.
fn block(values: usize, features: usize) -> usize {
    (values / features.max(1)).clamp(1, BLOCK)
}

/// Goes through samples of so many features: does `each` to blocks of them, several at a time, and `take`s what it makes of them in
/// their order.
pub(super) fn in_order<'a, T: Send>(
    samples: &'a [u64],
    features: usize,
    each: impl Fn(&'a [u64]) -> Result<T> + Sync,
    mut take: impl FnMut(T),
) -> Result<()> {
    let block = block(VALUES_OF_A_PASS, features);
    for blocks in samples.chunks(block * 8 * rayon::current_num_threads()) {
        let made: Vec<Result<T>> = blocks.par_chunks(block).map(&each).collect();
        for made in made {
            take(made?);
        }
    }
    Ok(())
}

/// Does both, at once where so many multiplications are worth it.
pub(super) fn both<A: Send, B: Send>(
    work: usize,
    first: impl FnOnce() -> A + Send,
    second: impl FnOnce() -> B + Send,
) -> (A, B) {
    if work < WORK_OF_A_THREAD { (first(), second()) } else { rayon::join(first, second) }
}

/// What is done to the data first.
#[derive(Clone, Debug)]
pub(super) enum Scale {
    /// Each feature is shifted, and then multiplied.
    Features { shift: Vec<f64>, factor: Vec<f64> },
    /// All values are divided by one number.
    Divided(f64),
}

impl Scale {
    /// The words of `--scale`, beside numbers.
    pub(super) const WORDS: &'static [&'static str] = &["none", "minmax", "standard"];

    /// A feature that is constant is shifted, and not stretched.
    pub(super) fn new(arguments: &Arguments, survey: &Survey) -> Option<Self> {
        if let Some(divisor) = arguments.optional_number("scale") {
            return Some(Self::Divided(divisor));
        }
        let factor = |spread: f64| if spread > 0.0 { 1.0 / spread } else { 1.0 };
        let (shift, factor) = match arguments.word("scale")? {
            "minmax" => {
                let spread = survey.low.iter().zip(&survey.high).map(|(low, high)| factor(high - low));
                (&survey.low, spread.collect())
            }
            "standard" => (&survey.mean, survey.std.iter().map(|&std| factor(std)).collect()),
            _ => return None,
        };
        Some(Self::Features { shift: shift.clone(), factor })
    }

    fn apply(&self, values: &mut [f64]) {
        match self {
            Self::Divided(divisor) => values.iter_mut().for_each(|value| *value /= divisor),
            Self::Features { shift, factor } => {
                for values in values.chunks_exact_mut(shift.len()) {
                    for ((value, shift), factor) in values.iter_mut().zip(shift).zip(factor) {
                        *value = (*value - shift) * factor;
                    }
                }
            }
        }
    }

    /// The standard deviations of scaled features, by those before.
    fn spreads(&self, std: &[f64]) -> Vec<f64> {
        match self {
            Self::Divided(divisor) => std.iter().map(|std| std / divisor).collect(),
            Self::Features { factor, .. } => std.iter().zip(factor).map(|(std, factor)| std * factor).collect(),
        }
    }
}

/// What a layer learns from.
pub(super) struct Input<'a> {
    pub(super) table: &'a Table,
    pub(super) scale: Option<Scale>,
    /// The layers that are trained already, first to last.
    pub(super) below: Vec<Layer>,
    /// What follows each of them.
    pub(super) activation: Activation,
    /// The samples that are learnt from.
    pub(super) training: Vec<u64>,
    /// Those that are kept apart.
    pub(super) held_out: Vec<u64>,
    /// How many bytes the samples of a layer may take in memory.
    pub(super) memory: u64,
}

impl Input<'_> {
    /// These samples as they come in: samples x features.
    pub(super) fn samples(&self, samples: &[u64]) -> Result<Matrix<f32>> {
        let values = self.scaled(samples)?.into_iter().map(narrow).collect();
        let first = Matrix::new(values, self.table.features);
        Ok(self.below.iter().fold(first, |samples, layer| layer.forward(&samples, self.activation)))
    }

    /// The same in double precision, as the data has it where there is no layer below.
    pub(super) fn doubles(&self, samples: &[u64]) -> Result<Matrix<f64>> {
        if self.below.is_empty() {
            return Ok(Matrix::new(self.scaled(samples)?, self.table.features));
        }
        let singles = self.samples(samples)?;
        Ok(Matrix::new(singles.values().iter().map(|&value| value.into()).collect(), singles.columns()))
    }

    fn scaled(&self, samples: &[u64]) -> Result<Vec<f64>> {
        let mut values = Vec::with_capacity(samples.len() * self.table.features);
        self.table.read(samples, &mut values).with_context(|| format!("`{}`", self.table.name))?;
        if let Some(scale) = &self.scale {
            scale.apply(&mut values);
        }
        Ok(values)
    }

    /// The means and variances of what a layer makes of all samples that are learnt from, before any activation.
    pub(super) fn moments(&self, weight: &Matrix<f32>) -> Result<Moments> {
        let mut moments = Moments::new(weight.columns());
        for block in self.blocks() {
            let sums = self.samples(block)?.times(weight);
            sums.each_row().for_each(|row| moments.add(row.iter().map(|&sum| sum.into())));
        }
        Ok(moments)
    }

    /// The samples that are learnt from, block by block in their order.
    pub(super) fn blocks(&self) -> impl Iterator<Item = &[u64]> {
        self.training.chunks(block(VALUES_OF_A_BLOCK, self.table.features))
    }

    /// Learns from samples in that order, a batch at a time, with the number of the batch; the next is read meanwhile, where a step
    /// of so many multiplications is worth it.
    pub(super) fn batches(
        &self,
        order: &[u64],
        batch: usize,
        work: usize,
        mut learn: impl FnMut(u64, Matrix<f32>) + Send,
    ) -> Result<()> {
        let mut batches = order.chunks(batch);
        let mut read = || batches.next().map(|samples| self.samples(samples)).transpose();
        let (mut next, mut number) = (read()?, 0);
        while let Some(samples) = next {
            let ((), following) = both(work, || learn(number, samples), &mut read);
            (next, number) = (following?, number + 1);
        }
        Ok(())
    }
}
