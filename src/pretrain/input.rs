//! The input of a layer: the data, scaled, through the layers below.

use anyhow::{Context, Result};

use super::activation::Activation;
use super::blocks::{VALUES_OF_A_BLOCK, block, both};
use super::layer::Layer;
use super::precision::{narrowed, widened};
use super::scale::Scale;
use super::summary::FeatureMoments;
use crate::matrix::Matrix;
use crate::reader::Dataset;

/// The input of a layer.
pub(super) struct Input<'a> {
    pub(super) table: &'a Dataset,
    pub(super) scale: Option<Scale>,
    /// Clips scaled values to [0, 1].
    pub(super) clips: bool,
    /// The trained layers, first to last.
    pub(super) below: Vec<Layer>,
    /// The activation after each of them.
    pub(super) activation: Activation,
    /// The numbers of the training samples.
    pub(super) training: Vec<u64>,
    /// The numbers of the validation samples.
    pub(super) held_out: Vec<u64>,
    /// The maximum number of bytes of samples in memory.
    pub(super) memory: u64,
}

impl Input<'_> {
    /// The inputs of the layer: samples x features. The first layer subtracts its mean in double precision.
    pub(super) fn samples(&self, samples: &[u64]) -> Result<Matrix<f32>> {
        let data = Matrix::new(self.scaled(samples)?, self.table.features);
        let Some((first, others)) = self.below.split_first() else { return Ok(narrowed(&data)) };
        let first = first.forward_doubles(&data, self.activation);
        Ok(others.iter().fold(first, |samples, layer| layer.forward(&samples, self.activation)))
    }

    /// The same in double precision; for the first layer without rounding.
    pub(super) fn fill_f64(&self, samples: &[u64]) -> Result<Matrix<f64>> {
        match self.below.is_empty() {
            true => Ok(Matrix::new(self.scaled(samples)?, self.table.features)),
            false => Ok(widened(&self.samples(samples)?)),
        }
    }

    /// The mean over the training samples.
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
        if self.clips {
            for value in &mut values {
                *value = value.clamp(0.0, 1.0);
            }
        }
        Ok(values)
    }

    /// The means and variances of a layer's outputs over the training samples, before the activation.
    pub(super) fn moments(&self, weight: &Matrix<f32>) -> Result<FeatureMoments> {
        let (mut moments, weight) = (FeatureMoments::new(weight.columns()), widened(weight));
        for block in self.blocks() {
            moments.add_rows(&self.fill_f64(block)?.times(&weight));
        }
        Ok(moments)
    }

    /// The training samples, block by block in order.
    pub(super) fn blocks(&self) -> impl Iterator<Item = &[u64]> {
        self.training.chunks(block(VALUES_OF_A_BLOCK, self.table.features))
    }

    /// Calls `learn` with each batch and its number. If a step needs enough multiplications (`work`), the next batch is read in parallel.
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
