//! Orthogonal matrices of frameworks: Q of the QR decomposition of a matrix of their normals, with a positive diagonal of R, which makes it
//! unique. Frameworks use LAPACK, mostly in single precision. Here the decomposition is in double precision, so the result is approximate.

use super::source::Values;
use super::{Source, householder};
use crate::distribution::{Distribution, TensorSpec, bytes_of, matrix, panels};
use crate::tensor::{DType, MatrixIndex, Unfolding, to_f32, to_usize};

/// The side of a matrix that has its rows of normals.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// One row per index of the longer side; Q is transposed if there are more outputs than inputs (JAX, Keras).
    Longer,
    /// One row per output; if there are fewer outputs than inputs, the matrix and then Q are transposed (torch).
    Outputs,
}

/// `gain` times the orthonormal factor of the first normals of a source, for the one matrix of an unfolding.
pub(super) fn tensor(
    normals: &dyn Source,
    rows: Rows,
    gain: f64,
    unfolding: &Unfolding,
    dtype: DType,
    threads: usize,
) -> Values {
    let [outputs, inputs] = [unfolding.rows(), unfolding.columns()].map(to_usize);
    let (longer, shorter) = (outputs.max(inputs), outputs.min(inputs));
    let mut values = vec![0.0; longer * shorter];
    normals.fill_f64(0, &mut values);
    let is_wide = outputs < inputs;
    let vectors = match rows {
        Rows::Outputs if is_wide => householder::decomposed(longer, shorter, values, threads),
        _ => orthonormal(&values, longer, shorter, threads),
    };
    let one_for_each_output = is_wide || rows == Rows::Longer && outputs == inputs;
    let value = |place: MatrixIndex| {
        let [output, input] = [place.row, place.column].map(to_usize);
        if one_for_each_output { vectors[output * longer + input] } else { vectors[input * longer + output] }
    };
    match dtype {
        DType::F64 => Values::Doubles(unfolding.places().map(|place| gain * value(place)).collect()),
        _ => Values::Singles(unfolding.places().map(|place| to_f32(gain) * to_f32(value(place))).collect()),
    }
}

/// The bytes for such a tensor: its normals, the matrix and the values, all as doubles, and the decomposition.
pub(super) fn workspace(unfolding: &Unfolding) -> u64 {
    let (rows, columns) = (unfolding.rows(), unfolding.columns());
    bytes_of(&[&[3, rows, columns], &panels(rows.max(columns))])
}

/// The columns of Q, one after the other, from a row-major `longer` x `shorter` matrix of normals.
pub(super) fn orthonormal(normals: &[f64], longer: usize, shorter: usize, threads: usize) -> Vec<f64> {
    householder::decomposed(longer, shorter, matrix::transposed(normals, [longer, shorter]), threads)
}

/// The workspace of a tensor's decompositions, in bytes: for orthogonal and joint distributions; 0 for others.
pub(super) fn workspace_of(tensor: &TensorSpec) -> u64 {
    match &tensor.distribution {
        Distribution::Orthogonal { unfolding, .. } => workspace(unfolding),
        // It counts its values and one copy of its largest matrix.
        Distribution::Joint(distribution) => distribution.workspace().saturating_mul(3),
        _ => 0,
    }
}
