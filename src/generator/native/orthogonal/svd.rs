//! Orthogonal matrices as the singular vectors of Gaussian matrices.

use nalgebra::{DMatrix, RealField};

/// Draws a `rows x cols` matrix with orthonormal columns from Haar's distribution, stored by columns.
///
/// These are the left singular vectors U of a Gaussian matrix G = U S V^T, each times a random
/// sign: the distribution of G does not change when G is rotated, so neither does that of U, up to the
/// signs, which the decomposition leaves open.
///
/// `normals(start, out)` fills `out` with the standard normal numbers from number `start` on;
/// element (i, j) of G is number `i * cols + j`. Column j is multiplied by -1 if `flip(j)`.
/// `rows >= cols`.
pub(super) fn svd<T: RealField + Copy>(
    rows: usize,
    cols: usize,
    normals: &(dyn Fn(u64, &mut [T]) + Sync),
    flip: &dyn Fn(u64) -> bool,
) -> Vec<T> {
    if cols == 0 {
        return Vec::new();
    }
    let mut gaussian = vec![T::zero(); rows * cols];
    normals(0, &mut gaussian);
    let gaussian = DMatrix::from_row_slice(rows, cols, &gaussian);
    let Some(mut vectors) = gaussian.svd(true, false).u else { unreachable!("the decomposition computes U") };
    for (number, mut column) in (0..).zip(vectors.column_iter_mut()) {
        if flip(number) {
            column.neg_mut();
        }
    }
    vectors.data.into()
}
