//! A trained layer, applied to samples.

use rayon::prelude::*;

use super::activation::Activation;
use super::precision::{narrowed, widened};
use crate::matrix::Matrix;
use crate::tensor::to_f32;

/// The minimum number of values that justifies a thread.
pub(super) const VALUES_OF_A_TASK: usize = 1 << 14;

/// The weights and biases of a layer.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Inputs x outputs.
    pub weight: Matrix<f32>,
    /// One per output, in double precision, since it may subtract a mean far from 0.
    pub bias: Vec<f64>,
    /// One per input, for methods that reconstruct their input.
    pub visible_bias: Option<Vec<f32>>,
}

impl Layer {
    /// The activation of x W + b.
    pub(super) fn forward(&self, samples: &Matrix<f32>, activation: Activation) -> Matrix<f32> {
        let bias: Vec<f32> = self.bias.iter().map(|&bias| to_f32(bias)).collect();
        forward(samples, &self.weight, &bias, activation)
    }

    /// The same, in double precision up to the activation.
    pub(super) fn forward_doubles(&self, samples: &Matrix<f64>, activation: Activation) -> Matrix<f32> {
        let mut sums = samples.times(&widened(&self.weight));
        for row in sums.each_row_mut() {
            row.iter_mut().zip(&self.bias).for_each(|(sum, bias)| *sum += bias);
        }
        finish(narrowed(&sums), &[], activation)
    }
}

/// The activation of x W + b.
pub(super) fn forward(x: &Matrix<f32>, weight: &Matrix<f32>, bias: &[f32], activation: Activation) -> Matrix<f32> {
    finish(x.times(weight), bias, activation)
}

/// The activation of h W^T + b.
pub(super) fn backward(h: &Matrix<f32>, weight: &Matrix<f32>, bias: &[f32], activation: Activation) -> Matrix<f32> {
    finish(h.times_transposed(weight), bias, activation)
}

/// The activation of sums plus biases.
pub(super) fn finish(mut sums: Matrix<f32>, bias: &[f32], activation: Activation) -> Matrix<f32> {
    let columns = sums.columns().max(1);
    let tasks = (sums.values().len() / VALUES_OF_A_TASK).clamp(1, rayon::current_num_threads());
    let rows = sums.rows().div_ceil(tasks).max(1);
    sums.values_mut().par_chunks_mut(rows * columns).for_each(|rows| {
        for row in rows.chunks_exact_mut(columns) {
            row.iter_mut().zip(bias).for_each(|(sum, bias)| *sum += bias);
        }
        activation.apply(rows);
    });
    sums
}
