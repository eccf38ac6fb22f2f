//! Orthogonal matrices of Keras. Its own come from the backend's QR decomposition, most often in single precision; these are
//! decomposed in double precision, and are close to them.

use nalgebra::DMatrix;

use crate::generator::Source;
use crate::generator::ordered::Drawn;
use crate::law::in_memory;
use crate::plan::{DType, Place, Unfolding, narrow};

/// `keras.initializers.Orthogonal(gain)`: one matrix, a column for each output, of standard normals.
pub(super) fn tensor(normals: &dyn Source, gain: f64, unfolding: &Unfolding, dtype: DType) -> Drawn {
    let [rows, columns] = [unfolding.columns(), unfolding.rows()].map(in_memory);
    let longer = rows.max(columns);
    let vectors = orthonormal(normals, longer, rows.min(columns));
    let value = |place: Place| {
        let [row, column] = [in_memory(place.column), in_memory(place.row)];
        if rows < columns { vectors[row * longer + column] } else { vectors[column * longer + row] }
    };
    match dtype {
        DType::F64 => Drawn::Doubles(unfolding.places().map(|place| gain * value(place)).collect()),
        _ => Drawn::Singles(unfolding.places().map(|place| narrow(gain) * narrow(value(place))).collect()),
    }
}

/// The columns of Q, one after the other, where Q R is a `longer` x `shorter` matrix of the normals and the diagonal of R is
/// positive, which leaves one Q alone.
fn orthonormal(normals: &dyn Source, longer: usize, shorter: usize) -> Vec<f64> {
    if shorter == 0 {
        return Vec::new();
    }
    let mut values = vec![0.0; longer * shorter];
    normals.doubles(0, &mut values);
    let (mut vectors, upper) = DMatrix::from_row_slice(longer, shorter, &values).qr().unpack();
    for (mut column, diagonal) in vectors.column_iter_mut().zip(upper.diagonal().iter()) {
        if *diagonal < 0.0 {
            column.neg_mut();
        }
    }
    vectors.data.into()
}
