//! Orthogonal matrices of JAX's normals. Its own come from LAPACK in single precision; these are decomposed in double
//! precision, and are close to them.

use nalgebra::DMatrix;
use rand::Rng;

use super::elementwise;
use crate::generator::ordered::Drawn;
use crate::generator::threefry::Key;
use crate::law::{Draws, Law, Whole, in_memory, matrix};
use crate::plan::{DType, Place, Unfolding, narrow};

/// `jax.nn.initializers.orthogonal(gain)`: one matrix, a column for each output.
pub(super) fn tensor(key: Key, gain: f64, unfolding: &Unfolding, dtype: DType) -> Drawn {
    let [rows, columns] = [unfolding.columns(), unfolding.rows()].map(in_memory);
    let longer = rows.max(columns);
    let vectors = orthonormal(key, longer, rows.min(columns), dtype);
    let value = |place: Place| {
        let [row, column] = [in_memory(place.column), in_memory(place.row)];
        if rows < columns { vectors[row * longer + column] } else { vectors[column * longer + row] }
    };
    match dtype {
        DType::F64 => Drawn::Doubles(unfolding.places().map(|place| gain * value(place)).collect()),
        _ => Drawn::Singles(unfolding.places().map(|place| narrow(gain) * narrow(value(place))).collect()),
    }
}

/// The values of a law that takes such matrices.
pub(super) fn whole(key: Key, law: &dyn Whole, dtype: DType) -> Drawn {
    Drawn::Doubles(law.draw(&Matrices { key, dtype }))
}

/// The columns of Q, one after the other, where Q R is a `longer` x `shorter` matrix of normals and the diagonal of R is
/// positive, which leaves one Q alone.
fn orthonormal(key: Key, longer: usize, shorter: usize, dtype: DType) -> Vec<f64> {
    if shorter == 0 {
        return Vec::new();
    }
    let mut normals = vec![0.0; longer * shorter];
    elementwise(key, &Law::Normal { mean: 0.0, std: 1.0 }, dtype).doubles(0, &mut normals);
    let (mut vectors, upper) = DMatrix::from_row_slice(longer, shorter, &normals).qr().unpack();
    for (mut column, diagonal) in vectors.column_iter_mut().zip(upper.diagonal().iter()) {
        if *diagonal < 0.0 {
            column.neg_mut();
        }
    }
    vectors.data.into()
}

/// The matrices that a law may ask for. Each tensor has one key, and so one matrix.
struct Matrices {
    key: Key,
    dtype: DType,
}

impl Draws for Matrices {
    fn orthonormal(&self, _: u64, longer: usize, shorter: usize) -> Vec<f64> {
        let vectors = orthonormal(self.key, longer, shorter, self.dtype);
        // JAX transposes its matrix where there are more columns than rows, and so not a square one.
        if longer == shorter { matrix::transposed(&vectors, [longer, shorter]) } else { vectors }
    }

    fn normals(&self, _: u64, _: &mut [f64]) {
        unreachable!("no scheme of JAX asks for them")
    }

    fn signed_uniforms(&self, _: u64, _: &mut [f64]) {
        unreachable!("no scheme of JAX asks for them")
    }

    fn words(&self, _: u64) -> Box<dyn Rng> {
        unreachable!("no scheme of JAX asks for them")
    }
}
