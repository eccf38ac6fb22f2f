//! What a layer learns from: the data, scaled, through the layers below.

use anyhow::{Context, Result, ensure};

use super::activation::Activation;
use super::layer::Layer;
use crate::matrix::Matrix;
use crate::plan::narrow;
use crate::reader::Table;

/// How many samples are looked at together where all are.
const BLOCK: u64 = 4096;

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
        let features = table.features;
        let (mut low, mut high) = (vec![f64::INFINITY; features], vec![f64::NEG_INFINITY; features]);
        let (mut mean, mut squares) = (vec![0.0; features], vec![0.0; features]);
        let mut count = 0.0;
        for samples in blocks(table.samples) {
            let mut values = Vec::new();
            table.read(&samples, &mut values)?;
            for (sample, values) in samples.iter().zip(values.chunks_exact(features)) {
                count += 1.0;
                for (feature, &value) in values.iter().enumerate() {
                    ensure!(
                        value.is_finite(),
                        "sample {sample}, feature {feature} is {value}: all values must be finite"
                    );
                    low[feature] = value.min(low[feature]);
                    high[feature] = value.max(high[feature]);
                    // Welford 1962: no digits cancel.
                    let before = value - mean[feature];
                    mean[feature] += before / count;
                    squares[feature] += before * (value - mean[feature]);
                }
            }
        }
        let std = squares.into_iter().map(|sum| (sum / count).sqrt()).collect();
        Ok(Self { low, high, mean, std })
    }

    /// The same of what a scale makes of it.
    pub(super) fn scaled(&self, scale: &Scale) -> Self {
        let each = |values: &[f64]| {
            let mut values = values.to_vec();
            scale.apply(&mut values);
            values
        };
        let std = self.std.iter().zip(&scale.factor).map(|(std, factor)| std * factor);
        Self { low: each(&self.low), high: each(&self.high), mean: each(&self.mean), std: std.collect() }
    }

    /// How many features have one value only.
    pub fn constant(&self) -> usize {
        self.low.iter().zip(&self.high).filter(|(low, high)| low == high).count()
    }
}

/// The numbers of samples in blocks.
fn blocks(samples: u64) -> impl Iterator<Item = Vec<u64>> {
    (0..samples).step_by(4096).map(move |begin| (begin..samples.min(begin + BLOCK)).collect())
}

/// What each feature is shifted by, and then multiplied with.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    shift: Vec<f64>,
    factor: Vec<f64>,
}

impl Scale {
    /// The words of `--scale`.
    pub(super) const WORDS: &'static [&'static str] = &["none", "minmax", "standard"];

    /// A feature that is constant is shifted, and not stretched.
    pub(super) fn new(word: &str, survey: &Survey) -> Option<Self> {
        let factor = |spread: f64| if spread > 0.0 { 1.0 / spread } else { 1.0 };
        match word {
            "minmax" => {
                let spread = survey.low.iter().zip(&survey.high).map(|(low, high)| factor(high - low));
                Some(Self { shift: survey.low.clone(), factor: spread.collect() })
            }
            "standard" => {
                Some(Self { shift: survey.mean.clone(), factor: survey.std.iter().map(|&std| factor(std)).collect() })
            }
            _ => None,
        }
    }

    fn apply(&self, values: &mut [f64]) {
        for values in values.chunks_exact_mut(self.shift.len()) {
            for ((value, shift), factor) in values.iter_mut().zip(&self.shift).zip(&self.factor) {
                *value = (*value - shift) * factor;
            }
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
}

impl Input<'_> {
    /// How many features a sample has where it comes in.
    pub(super) fn features(&self) -> usize {
        self.below.last().map_or(self.table.features, |layer| layer.weight.columns())
    }

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
        self.table.read(samples, &mut values).with_context(|| format!("`{}`", self.table.identity.name))?;
        if let Some(scale) = &self.scale {
            scale.apply(&mut values);
        }
        Ok(values)
    }

    /// The samples that are learnt from, block by block in their order.
    pub(super) fn blocks(&self) -> impl Iterator<Item = &[u64]> {
        self.training.chunks(crate::law::in_memory(BLOCK))
    }
}
