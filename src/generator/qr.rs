//! Orthogonal matrices as frameworks make them: Q of the QR decomposition of a matrix of their normals, where the diagonal of R is
//! positive, which leaves one Q alone. Theirs come from LAPACK, most often in single precision; these are decomposed in double
//! precision, and are close to them.

use super::source::Values;
use super::{Source, householder};
use crate::distribution::{Distribution, TensorSpec, bytes_of, matrix, panels};
use crate::tensor::{DType, MatrixIndex, Unfolding, to_f32, to_usize};

/// The side of a matrix that its rows of normals run along.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rows {
    /// As many as the longer side; Q is transposed if there are more outputs than inputs (JAX, Keras).
    Longer,
    /// As many as outputs; the matrix is transposed, and then Q again, if there are fewer of them than inputs (torch).
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

/// The bytes that such a tensor takes: its normals, the matrix, and the values, all as doubles, and what it takes to decompose it.
pub(super) fn workspace(unfolding: &Unfolding) -> u64 {
    let (rows, columns) = (unfolding.rows(), unfolding.columns());
    bytes_of(&[&[3, rows, columns], &panels(rows.max(columns))])
}

/// The columns of Q, one after the other, of a `longer` x `shorter` matrix of normals, row-major.
pub(super) fn orthonormal(normals: &[f64], longer: usize, shorter: usize, threads: usize) -> Vec<f64> {
    householder::decomposed(longer, shorter, matrix::transposed(normals, [longer, shorter]), threads)
}

/// The workspace of a generator that decomposes the normals of an orthogonal matrix, in bytes; 0 for other distributions but joint
/// ones.
pub(super) fn workspace_of(tensor: &TensorSpec) -> u64 {
    match &tensor.distribution {
        Distribution::Orthogonal { unfolding, .. } => workspace(unfolding),
        // It counts its values and one copy of its largest matrix.
        Distribution::Joint(distribution) => distribution.workspace().saturating_mul(3),
        _ => 0,
    }
}
