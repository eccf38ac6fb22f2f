//! Principal component analysis: the directions of largest variance, from the covariance over n - 1. With its bias, a layer computes
//! scores: (x - mean) V. Whitening divides each by its standard deviation; ZCA also rotates the scores back.

use anyhow::{Result, ensure};
use nalgebra::DMatrix;

use super::activation::Activation;
use super::input::Input;
use super::layer::Layer;
use super::precision::{narrowed, widened};
use super::{EXPLAINED, Job, Method, Request, Trainer};
use crate::matrix::Matrix;
use crate::scheme::{Parameter, choice};
use crate::tensor::to_f64;

choice! {
    enum Whiten { Not = "none", Scores = "pca", Features = "zca" }
}
const WHITEN: Parameter<Whiten> =
    Parameter::new("whiten", "whitening of the scores to variance 1; zca also rotates them back to the features")
        .default("none");
const EPSILON: Parameter<f64> =
    Parameter::new("epsilon", "constant added to each variance before its square root divides the scores").default("0");

pub(super) const METHOD: Method = Method {
    name: "pca",
    summary: "principal directions of the data, optionally whitened",
    source: "Hotelling 1933; ZCA: Bell and Sejnowski 1997",
    parameters: &[&WHITEN, &EPSILON],
    scheme: |_| None,
    // The covariance, its sums, its eigenvectors and their ordered copy.
    workspace: |inputs| inputs.saturating_mul(inputs).saturating_mul(32),
    centres: true,
    has_visible_bias: false,
    activation: |_| Ok(Activation::Linear),
    unit_interval: |_| None,
    check,
    start: |job, _| Ok(Box::new(Pca::start(job)?)),
};

/// A direction with less than this fraction of the largest variance has none.
const NO_VARIANCE: f64 = 1e-12;

struct Pca {
    whiten: Whiten,
    epsilon: f64,
    weight: Matrix<f32>,
    bias: Vec<f64>,
    /// The directions as columns, for reconstructions.
    directions: Matrix<f64>,
    mean: Vec<f64>,
    /// The share of the variance that the first 1, 2, ... directions explain.
    explained: Vec<f64>,
}

fn check(request: &Request) -> Result<()> {
    let (whiten, samples) = (request.arguments.value(&WHITEN)?, request.samples);
    for layer in request.layers {
        let (inputs, outputs) = (layer.weight.rows(), layer.weight.columns());
        ensure!(outputs <= inputs, "{outputs} directions for {inputs} features: use {inputs} or fewer");
        ensure!(
            whiten != Whiten::Features || outputs == inputs,
            "--whiten zca rotates {inputs} scores back to {inputs} features, not to {outputs}"
        );
        let most = samples - 1;
        ensure!(
            outputs <= most || whiten == Whiten::Features,
            "{outputs} directions for {samples} samples: use {most} or fewer"
        );
    }
    Ok(())
}

impl Pca {
    fn start(job: &Job) -> Result<Self> {
        let (inputs, outputs) = (job.initial.rows(), job.initial.columns());
        Ok(Self {
            whiten: job.arguments.value(&WHITEN)?,
            epsilon: job.arguments.nonnegative(&EPSILON)?,
            weight: Matrix::zeros(inputs, outputs),
            bias: vec![0.0; outputs],
            directions: Matrix::zeros(inputs, outputs),
            mean: vec![0.0; inputs],
            explained: Vec::new(),
        })
    }

    /// The mean of the samples and their covariance, block by block in their order.
    fn covariance(&self, input: &Input) -> Result<(Vec<f64>, Matrix<f64>)> {
        let features = self.weight.rows();
        let mean = input.mean(features)?;
        let mut sums = Matrix::zeros(features, features);
        for block in input.blocks() {
            let mut samples = input.fill_f64(block)?;
            for row in samples.each_row_mut() {
                row.iter_mut().zip(&mean).for_each(|(value, mean)| *value -= mean);
            }
            sums.add_scaled(1.0, &samples.transposed_times(&samples));
        }
        let share = 1.0 / to_f64(input.training.len() as u64 - 1);
        sums.values_mut().iter_mut().for_each(|sum| *sum *= share);
        Ok((mean, sums))
    }
}

impl Trainer for Pca {
    fn epoch(&mut self, _: u64, input: &Input) -> Result<bool> {
        let (mean, covariance) = self.covariance(input)?;
        let (variances, directions) = eigenvectors(&covariance, self.weight.columns());
        let least = variances.first().copied().unwrap_or(0.0) * NO_VARIANCE;
        let factor = |variance: f64| match self.whiten {
            Whiten::Not => 1.0,
            _ if variance <= least => 0.0,
            _ => 1.0 / (variance + self.epsilon).sqrt(),
        };
        self.explained = cumulative_shares(&variances, &covariance);
        let factors: Vec<f64> = variances.into_iter().map(factor).collect();
        let mut scaled = directions.clone();
        for row in scaled.each_row_mut() {
            row.iter_mut().zip(&factors).for_each(|(value, factor)| *value *= factor);
        }
        let weight = if self.whiten == Whiten::Features { scaled.times_transposed(&directions) } else { scaled };
        self.weight = narrowed(&weight);
        // From the rounded weights: a mean far from 0 amplifies their rounding.
        let shift = Matrix::new(mean.clone(), self.weight.rows()).times(&widened(&self.weight));
        self.bias = shift.values().iter().map(|sum| -sum).collect();
        (self.directions, self.mean) = (directions, mean);
        Ok(true)
    }

    fn measures(&self, input: &Input, samples: &[u64]) -> Result<Vec<(&'static str, f64)>> {
        let mut centred = input.fill_f64(samples)?;
        for row in centred.each_row_mut() {
            row.iter_mut().zip(&self.mean).for_each(|(value, mean)| *value -= mean);
        }
        let again = centred.times(&self.directions).times_transposed(&self.directions);
        let squares = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>();
        let all = squares(&mut centred.values().iter().copied());
        let left = squares(&mut centred.values().iter().zip(again.values()).map(|(x, y)| x - y));
        let count = to_f64(centred.values().len() as u64);
        let explained = if all > 0.0 { 1.0 - left / all } else { 1.0 };
        Ok(vec![("reconstruction error", left / count), (EXPLAINED, explained)])
    }

    fn explained(&self) -> Vec<f64> {
        self.explained.clone()
    }

    fn state(&mut self) -> Vec<(&'static str, &mut [f32])> {
        vec![("weight", self.weight.values_mut())]
    }

    fn layer(&self) -> Layer {
        Layer { weight: self.weight.clone(), bias: self.bias.clone(), visible_bias: None }
    }
}

/// The sums of the first variances, divided by all variance; none if there is no variance.
fn cumulative_shares(variances: &[f64], covariance: &Matrix<f64>) -> Vec<f64> {
    let all: f64 = (0..covariance.rows()).map(|feature| covariance.row(feature)[feature]).sum();
    let mut sum = 0.0;
    let share = |variance: &f64| {
        sum += variance;
        (sum / all).min(1.0)
    };
    if all > 0.0 { variances.iter().map(share).collect() } else { Vec::new() }
}

/// The largest eigenvalues of a symmetric matrix, and their vectors as columns. The largest entry of each vector is positive.
fn eigenvectors(matrix: &Matrix<f64>, count: usize) -> (Vec<f64>, Matrix<f64>) {
    let side = matrix.rows();
    let found = DMatrix::from_row_slice(side, side, matrix.values()).symmetric_eigen();
    let mut order: Vec<usize> = (0..side).collect();
    order.sort_by(|&a, &b| found.eigenvalues[b].total_cmp(&found.eigenvalues[a]));
    let mut vectors = Matrix::zeros(side, count);
    for (column, &number) in order.iter().take(count).enumerate() {
        let vector = found.eigenvectors.column(number);
        let largest = vector.iter().fold(0.0, |largest: f64, &x| if x.abs() > largest.abs() { x } else { largest });
        for (row, &x) in vector.iter().enumerate() {
            vectors.row_mut(row)[column] = if largest < 0.0 { -x } else { x };
        }
    }
    // Rounding may make a variance of 0 negative.
    (order.iter().take(count).map(|&number| found.eigenvalues[number].max(0.0)).collect(), vectors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eigenvectors_come_with_the_largest_first() {
        let (values, vectors) = eigenvectors(&Matrix::new(vec![2.0, 1.0, 1.0, 2.0], 2), 2);
        assert!((values[0] - 3.0).abs() < 1e-12 && (values[1] - 1.0).abs() < 1e-12, "{values:?}");
        let half = 0.5f64.sqrt();
        assert!((vectors.row(0)[0] - half).abs() < 1e-12 && (vectors.row(1)[0] - half).abs() < 1e-12, "{vectors:?}");
    }
}
