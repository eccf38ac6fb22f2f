//! Spherical k-means (Coates and Ng 2012, "Learning feature representations with k-means"): directions D of length 1, and for each
//! sample the one with the largest |D'x|; then each direction is drawn to its samples, D + X s with s = D'x, and brought back to
//! length 1. It starts from samples, each taken the more likely the farther it is from those before (Arthur and Vassilvitskii 2007).

use anyhow::{Result, ensure};

use super::activation::Activation;
use super::input::Input;
use super::layer::Layer;
use super::noise::Noise;
use super::options::{activation, epochs, tolerance};
use super::{Job, Method, Trainer};
use crate::law::as_float;
use crate::matrix::Matrix;
use crate::plan::narrow;

pub(super) const METHOD: Method = Method {
    name: "kmeans",
    summary: "filters of length 1 by spherical k-means",
    source: "Coates and Ng 2012, Learning feature representations with k-means",
    parameters: &[
        epochs("10"),
        activation("relu"),
        tolerance("1e-6", "the mean squared change of a filter at which it has settled"),
    ],
    scheme: |_| None,
    has_visible_bias: false,
    activation: |arguments| Activation::of(arguments.word("activation")),
    check: |_, _| Ok(()),
    start: |job, input| Ok(Box::new(Kmeans::start(job, input)?)),
};

/// Filters start from so many samples at most, and no fewer than [`SAMPLES_A_FILTER`] each, where there are as many.
const SAMPLES: usize = 4096;
const SAMPLES_A_FILTER: usize = 8;

struct Kmeans {
    /// A filter a row.
    filters: Matrix<f32>,
    tolerance: f64,
    /// Takes the place of filters that no sample is near.
    order: Noise,
}

/// Which filter is nearest to a sample, and how long the sample is along it.
#[derive(Clone, Copy)]
struct Nearest {
    filter: usize,
    along: f32,
}

impl Kmeans {
    fn start(job: &Job, input: &Input) -> Result<Self> {
        let (features, count) = (job.initial.rows(), job.initial.columns());
        let held = input.training.len();
        ensure!(count <= held, "{count} filters of {held} samples: there are no more than there are samples");
        let order = Noise::uniform(job.seed, job.name, "order")?;
        let mut samples = order.shuffle(0, &input.training);
        samples.truncate(SAMPLES.max(SAMPLES_A_FILTER * count));
        let mut samples = input.samples(&samples)?;
        samples.each_row_mut().for_each(normalize);
        let mut draws = vec![0.0; count];
        Noise::uniform(job.seed, job.name, "filters")?.fill(0, &mut draws);
        let filters = spread(&samples, &draws);
        debug_assert_eq!(filters.columns(), features);
        Ok(Self { filters, tolerance: job.arguments.number("tolerance")?, order })
    }

    /// The nearest filter of each sample; of several the first.
    fn nearest(&self, samples: &Matrix<f32>) -> Vec<Nearest> {
        let along = samples.times_transposed(&self.filters);
        let first = Nearest { filter: 0, along: 0.0 };
        let nearest = |row: &[f32]| {
            row.iter().enumerate().fold(first, |best, (filter, &along)| {
                if along.abs() > best.along.abs() { Nearest { filter, along } } else { best }
            })
        };
        along.each_row().map(nearest).collect()
    }
}

impl Trainer for Kmeans {
    fn epoch(&mut self, number: u64, input: &Input) -> Result<bool> {
        let features = self.filters.columns();
        let mut sums: Vec<f64> = self.filters.values().iter().map(|&value| value.into()).collect();
        let mut counts = vec![0u64; self.filters.rows()];
        for block in input.blocks() {
            let samples = input.samples(block)?;
            for (sample, Nearest { filter, along }) in samples.each_row().zip(self.nearest(&samples)) {
                counts[filter] += 1;
                let sum = &mut sums[filter * features..][..features];
                sum.iter_mut().zip(sample).for_each(|(sum, &value)| *sum += f64::from(along) * f64::from(value));
            }
        }
        let mut others = self.order.shuffle(number + 1, &input.training).into_iter();
        let (mut change, before) = (0.0, self.filters.clone());
        for (filter, count) in counts.into_iter().enumerate() {
            let row = self.filters.row_mut(filter);
            if count == 0 {
                row.copy_from_slice(input.samples(&others.next().into_iter().collect::<Vec<_>>())?.row(0));
            } else {
                row.iter_mut().zip(&sums[filter * features..]).for_each(|(value, &sum)| *value = narrow(sum));
            }
            normalize(row);
            change += distance(row, before.row(filter));
        }
        Ok(change / as_float(self.filters.rows() as u64) < self.tolerance)
    }

    fn measures(&self, samples: &Matrix<f32>) -> Vec<(&'static str, f64)> {
        let left = samples.each_row().zip(self.nearest(samples)).map(|(sample, Nearest { along, .. })| {
            let square: f64 = sample.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
            square - f64::from(along) * f64::from(along)
        });
        vec![("reconstruction error", left.sum::<f64>() / as_float(samples.values().len() as u64))]
    }

    fn state(&mut self) -> Vec<(&'static str, &mut [f32])> {
        vec![("filters", self.filters.values_mut())]
    }

    fn layer(&self) -> Layer {
        Layer { weight: self.filters.transposed(), bias: vec![0.0; self.filters.rows()], visible_bias: None }
    }
}

/// As many of the samples as there are draws, far from one another: each is taken with a chance that goes by 1 - cos² of the angle to
/// the nearest before.
fn spread(samples: &Matrix<f32>, draws: &[f32]) -> Matrix<f32> {
    let mut far = vec![1.0; samples.rows()];
    let mut taken = Vec::with_capacity(draws.len() * samples.columns());
    for &draw in draws {
        let all: f64 = far.iter().sum();
        let mut left = f64::from(draw) * all;
        let found = far.iter().position(|&far| {
            left -= far;
            left < 0.0
        });
        let sample = samples.row(found.unwrap_or(0));
        taken.extend_from_slice(sample);
        let along = samples.times_transposed(&Matrix::new(sample.to_vec(), samples.columns()));
        for (far, &along) in far.iter_mut().zip(along.values()) {
            *far = far.min((1.0 - f64::from(along) * f64::from(along)).max(0.0));
        }
    }
    Matrix::new(taken, samples.columns())
}

/// Brings a row to length 1; one of zeros is left as it is.
fn normalize(row: &mut [f32]) {
    let length = row.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
    if length > 0.0 {
        row.iter_mut().for_each(|x| *x = narrow(f64::from(*x) / length));
    }
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(a - b) * f64::from(a - b)).sum()
}
