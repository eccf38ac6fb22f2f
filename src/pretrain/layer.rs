//! A layer that is trained: what the data goes through on its way to the next.

use super::activation::Activation;
use crate::matrix::Matrix;

/// The weights and biases of a layer.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Inputs x outputs.
    pub weight: Matrix<f32>,
    /// One for each output.
    pub bias: Vec<f32>,
    /// One for each input, of models that make their input again.
    pub visible_bias: Option<Vec<f32>>,
}

impl Layer {
    /// What comes out for samples: the activation of x W + b.
    pub(super) fn forward(&self, samples: &Matrix<f32>, activation: Activation) -> Matrix<f32> {
        forward(samples, &self.weight, &self.bias, activation)
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

/// The activation of sums with their biases.
pub(super) fn finish(mut sums: Matrix<f32>, bias: &[f32], activation: Activation) -> Matrix<f32> {
    for row in sums.each_row_mut() {
        row.iter_mut().zip(bias).for_each(|(sum, bias)| *sum += bias);
        activation.apply(row);
    }
    sums
}
