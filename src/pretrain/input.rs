//! What a layer learns from: the data, scaled, through the layers below.

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::activation::Activation;
use super::layer::Layer;
use super::survey::{DataSummary, FeatureMoments};
use crate::matrix::Matrix;
use crate::reader::Dataset;
use crate::scheme::Arguments;
use crate::tensor::to_f32;

/// At most so many samples are looked at together where all are.
const BLOCK: usize = 4096;
/// About so many values of them are multiplied at a time.
const VALUES_OF_A_BLOCK: usize = 1 << 19;
/// And so many gone through by a thread, so that they stay in its cache.
const VALUES_OF_A_PASS: usize = 1 << 16;
/// Multiplications that are worth a second thread.
pub(super) const WORK_OF_A_THREAD: usize = 1 << 19;

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

/// The preprocessing of the data.
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
    pub(super) fn new(arguments: &Arguments, survey: &DataSummary) -> Option<Self> {
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

    pub(super) fn apply(&self, values: &mut [f64]) {
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
    pub(super) fn spreads(&self, std: &[f64]) -> Vec<f64> {
        match self {
            Self::Divided(divisor) => std.iter().map(|std| std / divisor).collect(),
            Self::Features { factor, .. } => std.iter().zip(factor).map(|(std, factor)| std * factor).collect(),
        }
    }
}

/// The same values in double precision.
pub(super) fn widened(matrix: &Matrix<f32>) -> Matrix<f64> {
    Matrix::new(matrix.values().iter().map(|&value| value.into()).collect(), matrix.columns())
}

/// The same values rounded to single precision.
pub(super) fn narrowed(matrix: &Matrix<f64>) -> Matrix<f32> {
    Matrix::new(matrix.values().iter().map(|&value| to_f32(value)).collect(), matrix.columns())
}

/// What a layer learns from.
pub(super) struct Input<'a> {
    pub(super) table: &'a Dataset,
    pub(super) scale: Option<Scale>,
    /// The layers that are trained already, first to last.
    pub(super) below: Vec<Layer>,
    /// What follows each of them.
    pub(super) activation: Activation,
    /// The samples that are learned from.
    pub(super) training: Vec<u64>,
    /// Those that are kept apart.
    pub(super) held_out: Vec<u64>,
    /// How many bytes the samples of a layer may take in memory.
    pub(super) memory: u64,
}

impl Input<'_> {
    /// These samples as they come in: samples x features. The first layer takes its mean off in double precision.
    pub(super) fn samples(&self, samples: &[u64]) -> Result<Matrix<f32>> {
        let data = Matrix::new(self.scaled(samples)?, self.table.features);
        let Some((first, others)) = self.below.split_first() else { return Ok(narrowed(&data)) };
        let first = first.forward_doubles(&data, self.activation);
        Ok(others.iter().fold(first, |samples, layer| layer.forward(&samples, self.activation)))
    }

    /// The same in double precision, as the data has it if there is no layer below.
    pub(super) fn fill_f64(&self, samples: &[u64]) -> Result<Matrix<f64>> {
        match self.below.is_empty() {
            true => Ok(Matrix::new(self.scaled(samples)?, self.table.features)),
            false => Ok(widened(&self.samples(samples)?)),
        }
    }

    /// The mean of all samples that are learned from.
    pub(super) fn mean(&self, features: usize) -> Result<Vec<f64>> {
        let mut moments = FeatureMoments::new(features);
        for block in self.blocks() {
            moments.add_rows(&self.fill_f64(block)?);
        }
        Ok(moments.mean)
    }

    fn scaled(&self, samples: &[u64]) -> Result<Vec<f64>> {
        let mut values = Vec::with_capacity(samples.len() * self.table.features);
        self.table.read(samples, &mut values).with_context(|| format!("`{}`", self.table.name))?;
        if let Some(scale) = &self.scale {
            scale.apply(&mut values);
        }
        Ok(values)
    }

    /// The means and variances of what a layer makes of all samples that are learned from, before any activation.
    pub(super) fn moments(&self, weight: &Matrix<f32>) -> Result<FeatureMoments> {
        let (mut moments, weight) = (FeatureMoments::new(weight.columns()), widened(weight));
        for block in self.blocks() {
            moments.add_rows(&self.fill_f64(block)?.times(&weight));
        }
        Ok(moments)
    }

    /// The samples that are learned from, block by block in their order.
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
