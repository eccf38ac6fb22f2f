//! Matrices in single and double precision.

use crate::matrix::Matrix;
use crate::tensor::to_f32;

pub(super) fn widened(matrix: &Matrix<f32>) -> Matrix<f64> {
    Matrix::new(matrix.values().iter().map(|&value| value.into()).collect(), matrix.columns())
}

/// Rounds to the nearest f32.
pub(super) fn narrowed(matrix: &Matrix<f64>) -> Matrix<f32> {
    Matrix::new(matrix.values().iter().map(|&value| to_f32(value)).collect(), matrix.columns())
}
