//! Spherical k-means with filters of length 1 (Coates and Ng 2012, "Learning feature representations with k-means"). A sample x is assigned
//! to the filter d of the largest |d'x|, with s = d'x. The damped update adds all s x to a filter and normalises it to length 1.

use anyhow::{Result, ensure};

use super::input::Input;
use super::layer::Layer;
use super::noise::Noise;
use super::options::{ACTIVATION, EPOCHS, TOLERANCE};
use super::precision::narrowed;
use super::{InitialWeight, Job, Method, Request, Trainer};
use crate::matrix::Matrix;
use crate::scheme::{Parameter, choice};
use crate::tensor::{to_f32, to_f64};

choice! {
    enum Normalize { None = "none", Length = "length", Contrast = "contrast" }
}
const NORMALIZE: Parameter<Normalize> = Parameter::new(
    "normalize",
    "normalisation of samples for training: to length 1; contrast first subtracts the mean of the sample",
)
.default("length");

pub(super) const METHOD: Method = Method {
    name: "kmeans",
    summary: "filters of length 1 by spherical k-means",
    source: "Coates and Ng 2012, Learning feature representations with k-means",
    parameters: &[&EPOCHS.default("100"), &NORMALIZE, &TOLERANCE.default("0.0001"), &ACTIVATION],
    scheme: |_| None,
    centres: false,
    has_visible_bias: false,
    workspace: |_| 0,
    activation: |arguments| arguments.value(&ACTIVATION),
    unit_interval: |_| None,
    check,
    start: |job, input| Ok(Box::new(KMeans::start(job, input)?)),
};

fn check(request: &Request) -> Result<()> {
    let samples = request.samples;
    for InitialWeight { name, weight } in request.layers {
        let outputs = weight.columns();
        ensure!(outputs <= samples, "`{name}`: {outputs} filters for {samples} samples: use {samples} or fewer");
    }
    Ok(())
}

/// The minimum number of samples that are candidates for the first filters.
const CANDIDATES: usize = 4096;

struct KMeans {
    normalize: Normalize,
    tolerance: f64,
    /// Outputs x inputs: each row of length 1.
    filters: Matrix<f32>,
    first: Noise,
    redrawn: Noise,
}

impl Normalize {
    /// In double precision: a mean may be far larger than the differences.
    fn apply(self, mut samples: Matrix<f64>) -> Matrix<f32> {
        if self == Self::None {
            return narrowed(&samples);
        }
        let features = to_f64(samples.columns() as u64);
        for row in samples.each_row_mut() {
            if self == Self::Contrast {
                let mean = row.iter().sum::<f64>() / features;
                for value in &mut *row {
                    *value -= mean;
                }
            }
            let length = row.iter().map(|value| value * value).sum::<f64>().sqrt();
            if length > 0.0 {
                for value in row {
                    *value /= length;
                }
            }
        }
        narrowed(&samples)
    }
}

impl KMeans {
    fn start(job: &Job, input: &Input) -> Result<Self> {
        let (inputs, outputs) = (job.initial.rows(), job.initial.columns());
        let mut found = Self {
            normalize: job.arguments.value(&NORMALIZE)?,
            tolerance: job.arguments.value(&TOLERANCE)?,
            filters: Matrix::zeros(outputs, inputs),
            first: Noise::uniform(job.seed, job.name, "first filters")?,
            redrawn: Noise::uniform(job.seed, job.name, "redrawn filters")?,
        };
        found.choose(input)?;
        Ok(found)
    }

    /// The first filters, from random samples (greedy k-means++, Arthur & Vassilvitskii 2007). After the first, each is the best of a few
    /// candidates, drawn by their reconstruction error.
    fn choose(&mut self, input: &Input) -> Result<()> {
        let outputs = self.filters.rows();
        let mut candidates = self.first.shuffle(0, &input.training);
        candidates.truncate(CANDIDATES.max(4 * outputs));
        candidates.sort_unstable();
        let samples = self.normalize.apply(input.fill_f64(&candidates)?);
        let squares: Vec<f64> = samples.each_row().map(square).collect();
        let mut left = squares.clone();
        let trials = 2 + outputs.ilog2() as usize;
        let mut drawn = vec![0.0; outputs * trials];
        // The shuffle used the numbers before.
        self.first.fill(input.training.len() as u64, &mut drawn);
        for (filter, drawn) in drawn.chunks_exact(trials).enumerate() {
            let mut tried = Matrix::zeros(trials, samples.columns());
            for (row, &number) in tried.each_row_mut().zip(drawn) {
                row.copy_from_slice(samples.row(picked(&left, number.into())));
                to_length_one(row);
            }
            let shares = samples.times_transposed(&tried);
            let kept = |trial: usize| {
                let shares = shares.values().iter().skip(trial).step_by(trials);
                let rest =
                    squares.iter().zip(shares).map(|(square, &s)| (square - f64::from(s) * f64::from(s)).max(0.0));
                left.iter().zip(rest).map(|(left, rest)| left.min(rest)).collect::<Vec<f64>>()
            };
            let mut best: Option<(f64, usize, Vec<f64>)> = None;
            for trial in 0..trials {
                let after = kept(trial);
                let sum = after.iter().sum();
                if best.as_ref().is_none_or(|(least, ..)| sum < *least) {
                    best = Some((sum, trial, after));
                }
            }
            if let Some((_, trial, after)) = best {
                self.filters.row_mut(filter).copy_from_slice(tried.row(trial));
                left = after;
            }
        }
        Ok(())
    }

    /// The nearest filter of each sample, with its projection onto the filter.
    fn nearest(&self, samples: &Matrix<f32>) -> Vec<(usize, f32)> {
        let best = |row: &[f32]| {
            let largest = (0..).zip(row.iter().copied());
            largest.fold((0, 0.0f32), |best, (filter, s)| if s.abs() > best.1.abs() { (filter, s) } else { best })
        };
        samples.times_transposed(&self.filters).each_row().map(best).collect()
    }

    /// Replaces a filter without samples by a random sample.
    fn draw_anew(&mut self, epoch: u64, filter: usize, input: &Input) -> Result<()> {
        let mut number = [0.0];
        self.redrawn.fill(epoch * self.filters.rows() as u64 + filter as u64, &mut number);
        let samples = input.training.len();
        let sample = input.training[share_of(samples, number[0].into())];
        let mut drawn = self.normalize.apply(input.fill_f64(&[sample])?);
        to_length_one(drawn.values_mut());
        if drawn.values().iter().any(|&value| value != 0.0) {
            self.filters.row_mut(filter).copy_from_slice(drawn.values());
        }
        Ok(())
    }
}

impl Trainer for KMeans {
    fn epoch(&mut self, number: u64, input: &Input) -> Result<bool> {
        let (outputs, inputs) = (self.filters.rows(), self.filters.columns());
        let mut sums: Matrix<f64> = Matrix::zeros(outputs, inputs);
        let mut counts = vec![0u64; outputs];
        for block in input.blocks() {
            let samples = self.normalize.apply(input.fill_f64(block)?);
            let mut of_block: Matrix<f32> = Matrix::zeros(outputs, inputs);
            for (sample, (filter, s)) in samples.each_row().zip(self.nearest(&samples)) {
                of_block.row_mut(filter).iter_mut().zip(sample).for_each(|(sum, &value)| *sum += s * value);
                counts[filter] += u64::from(s != 0.0);
            }
            sums.values_mut().iter_mut().zip(of_block.values()).for_each(|(sum, &value)| *sum += f64::from(value));
        }
        let mut farthest = 0f64;
        for (filter, &count) in counts.iter().enumerate() {
            if count == 0 {
                self.draw_anew(number, filter, input)?;
                farthest = f64::INFINITY;
                continue;
            }
            let sum = sums.row_mut(filter);
            sum.iter_mut().zip(self.filters.row(filter)).for_each(|(sum, &before)| *sum += f64::from(before));
            let length = sum.iter().map(|value| value * value).sum::<f64>().sqrt();
            let mut moved = 0.0;
            for (before, sum) in self.filters.row_mut(filter).iter_mut().zip(sum) {
                let after = *sum / length;
                moved += {
                    let step = after - f64::from(*before);
                    step * step
                };
                *before = to_f32(after);
            }
            farthest = farthest.max(moved.sqrt());
        }
        Ok(farthest <= self.tolerance)
    }

    /// The error of reconstructing samples by their filters.
    fn measures(&self, input: &Input, samples: &[u64]) -> Result<Vec<(&'static str, f64)>> {
        let samples = self.normalize.apply(input.fill_f64(samples)?);
        let rest = samples
            .each_row()
            .zip(self.nearest(&samples))
            .map(|(row, (_, s))| square(row) - f64::from(s) * f64::from(s));
        let error = rest.sum::<f64>() / to_f64(samples.values().len() as u64);
        Ok(vec![("reconstruction error", error)])
    }

    fn state(&mut self) -> Vec<(&'static str, &mut [f32])> {
        vec![("filters", self.filters.values_mut())]
    }

    fn layer(&self) -> Layer {
        Layer { weight: self.filters.transposed(), bias: vec![0.0; self.filters.rows()], visible_bias: None }
    }
}

fn square(values: &[f32]) -> f64 {
    values.iter().map(|&value| f64::from(value) * f64::from(value)).sum()
}

/// Normalises to length 1; zeros are unchanged.
fn to_length_one(values: &mut [f32]) {
    let length = square(values).sqrt();
    if length > 0.0 {
        for value in values {
            *value = to_f32(f64::from(*value) / length);
        }
    }
}

/// The position below `count` for a number in [0, 1].
fn share_of(count: usize, number: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below the count")]
    let place = (number * to_f64(count as u64)) as usize;
    place.min(count - 1)
}

/// A position drawn by weights, for a number in [0, 1]; uniform if all weights are 0.
fn picked(weights: &[f64], number: f64) -> usize {
    let total: f64 = weights.iter().sum();
    if total <= 0.0 {
        return share_of(weights.len(), number);
    }
    let mut rest = number * total;
    let found = weights.iter().position(|weight| {
        rest -= weight;
        rest < 0.0
    });
    found.unwrap_or(weights.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draw_by_weights_takes_none_of_weight_zero() {
        let weights = [0.0, 1.0, 0.0, 3.0];
        for (number, place) in [(0.0, 1), (0.24, 1), (0.26, 3), (0.999, 3), (1.0, 3)] {
            assert_eq!(picked(&weights, number), place, "{number}");
        }
        assert_eq!([picked(&[0.0; 4], 0.0), picked(&[0.0; 4], 0.6), picked(&[0.0; 4], 1.0)], [0, 2, 3]);
    }

    #[test]
    fn samples_are_brought_to_length_one_and_zeros_stay() {
        let samples = Matrix::new(vec![3.0, 4.0, 0.0, 0.0, 5.0, 7.0], 2);
        assert_eq!(Normalize::Length.apply(samples.clone()).values()[..4], [0.6, 0.8, 0.0, 0.0]);
        let half = to_f32(0.5f64.sqrt());
        assert_eq!(Normalize::Contrast.apply(samples.clone()).values()[4..], [-half, half]);
        assert_eq!(Normalize::None.apply(samples.clone()), narrowed(&samples));
    }
}
