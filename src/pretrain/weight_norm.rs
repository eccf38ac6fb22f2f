//! Data-dependent scale and bias (Salimans and Kingma 2016, "Weight normalization"; the `ActNorm` of Kingma and Dhariwal 2018): each
//! output is shifted and divided, for mean 0 and variance 1 over all samples. With weights g v / |v|, g is then the length of an
//! output's weights.

use anyhow::Result;

use super::input::Input;
use super::layer::Layer;
use super::options::ACTIVATION;
use super::precision::widened;
use super::summary::FeatureMoments;
use super::{Method, Trainer};
use crate::matrix::Matrix;
use crate::tensor::to_f32;

pub(super) const METHOD: Method = Method {
    name: "weight-norm",
    summary: "any scheme, each output shifted and rescaled to mean 0 and variance 1 on the data",
    source: "Salimans and Kingma 2016, Weight normalization",
    parameters: &[&ACTIVATION],
    // The paper's v.
    scheme: |_| Some("normal:std=0.05"),
    workspace: |_| 0,
    centres: true,
    has_visible_bias: false,
    activation: |arguments| arguments.value(&ACTIVATION),
    unit_interval: |_| None,
    check: |_| Ok(()),
    start: |job, _| {
        let weight = job.initial.clone();
        Ok(Box::new(WeightNorm { bias: vec![0.0; weight.columns()], weight }))
    },
};

struct WeightNorm {
    weight: Matrix<f32>,
    bias: Vec<f64>,
}

impl Trainer for WeightNorm {
    /// A constant output is shifted to 0 and keeps its weights.
    fn epoch(&mut self, _: u64, input: &Input) -> Result<bool> {
        let moments = input.moments(&self.weight)?;
        let factors: Vec<f64> = moments
            .variances()
            .map(|variance| if variance.sqrt().is_normal() { 1.0 / variance.sqrt() } else { 1.0 })
            .collect();
        for row in self.weight.each_row_mut() {
            row.iter_mut().zip(&factors).for_each(|(weight, factor)| *weight = to_f32(f64::from(*weight) * factor));
        }
        // The mean with the rounded weights: a mean far from 0 amplifies their rounding.
        let mean = Matrix::new(input.mean(self.weight.rows())?, self.weight.rows());
        self.bias = mean.times(&widened(&self.weight)).values().iter().map(|sum| -sum).collect();
        Ok(true)
    }

    fn measures(&self, input: &Input, samples: &[u64]) -> Result<Vec<(&'static str, f64)>> {
        let sums = input.fill_f64(samples)?.times(&widened(&self.weight));
        let mut moments = FeatureMoments::new(sums.columns());
        sums.each_row().for_each(|row| moments.add(row.iter().zip(&self.bias).map(|(sum, bias)| sum + bias)));
        let largest = moments.mean.iter().fold(0.0, |largest: f64, mean| largest.max(mean.abs()));
        Ok(vec![("largest mean", largest), ("variance", moments.variance())])
    }

    fn state(&mut self) -> Vec<(&'static str, &mut [f32])> {
        vec![("weight", self.weight.values_mut())]
    }

    fn layer(&self) -> Layer {
        Layer { weight: self.weight.clone(), bias: self.bias.clone(), visible_bias: None }
    }
}
