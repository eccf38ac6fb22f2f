//! Orthonormal matrices as products of Householder reflections, random or from a decomposition.
//!
//! Reflections are gathered in panels, so that most of the work is matrix products.

mod panel;
mod reflection;

use crate::matrix::product::Real;
use panel::Panel;

/// Reflections per panel. A wider panel has less memory traffic but more work on the inner products of its vectors.
const PANEL: usize = 64;

/// Draws a `rows x cols` matrix with orthonormal columns from Haar's distribution, stored by columns.
///
/// Q of the QR decomposition of a Gaussian matrix follows Haar's distribution if the diagonal of R is
/// positive (Mezzadri 2007, "How to generate random matrices from the classical compact groups").
/// Householder's method finds Q as a product of reflections, and each depends on one Gaussian
/// vector that is independent of all others. So it is enough to draw those vectors (Stewart 1980,
/// "The efficient generation of random orthogonal matrices with an application to condition
/// estimators"): 4/3 n^3 operations for an n x n matrix, and nothing to decompose.
///
/// `normals(start, out)` fills `out` with the standard normal numbers from number `start` on.
/// Reflection k is made of the `rows - k` numbers from number `k * rows` on. The result is the Q
/// whose R has a positive diagonal; the last sign of a square matrix is the sign of the last number.
///
/// `rows >= cols`. The result is the same for any number of `threads`.
pub(super) fn drawn<T: Real>(
    rows: usize,
    cols: usize,
    normals: &(dyn Fn(u64, &mut [T]) + Sync),
    threads: usize,
) -> Vec<T> {
    let width = panel_width(cols);
    let mut starts = (0..cols).step_by(width).rev();
    let draw = |spare| starts.next().map(|start| Panel::draw(rows, start, width.min(cols - start), normals, spare));
    product_of(rows, cols, draw, threads)
}

/// The columns of Q, one after the other. Q R is the column-major `rows x cols` matrix `matrix`, with a positive diagonal of R, which makes
/// Q unique. If an element of the diagonal is 0, so is the column of Q.
///
/// `rows >= cols`. The result is the same for any number of `threads`.
pub(super) fn decomposed(rows: usize, cols: usize, mut matrix: Vec<f64>, threads: usize) -> Vec<f64> {
    let width = panel_width(cols);
    let mut panels = Vec::new();
    for start in (0..cols).step_by(width) {
        let (own, later) = matrix[start * rows..].split_at_mut(width.min(cols - start) * rows);
        let panel = Panel::of(rows, start, own);
        panel.reflect_back(later, rows, threads);
        panels.push(panel);
    }
    drop(matrix);
    product_of(rows, cols, |_| panels.pop(), threads)
}

/// The product of the reflections of all panels, the last panel first, times the initial columns. `next` yields panels and reuses the
/// memory of the one passed in.
fn product_of<T: Real>(
    rows: usize,
    cols: usize,
    mut next: impl FnMut(Option<Panel<T>>) -> Option<Panel<T>>,
    threads: usize,
) -> Vec<T> {
    let mut matrix = vec![T::zero(); rows * cols];
    let mut start = |before: &mut [T], spare| {
        let panel = next(spare)?;
        panel.start_columns(&mut before[panel.start() * rows..], rows);
        Some(panel)
    };
    let (mut current, mut spare) = (start(&mut matrix, None), None);
    while let Some(panel) = current {
        let (before, columns) = matrix.split_at_mut(panel.start() * rows);
        current = panel.reflect(columns, rows, threads, || start(before, spare));
        spare = Some(panel);
    }
    matrix
}

/// Two panels are in memory at a time, so narrow matrices get narrow panels.
fn panel_width(cols: usize) -> usize {
    cols.div_ceil(4).next_multiple_of(8).clamp(8, PANEL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(matrix: &[f64], rows: usize, column: usize) -> &[f64] {
        &matrix[column * rows..][..rows]
    }

    fn dot(left: &[f64], right: &[f64]) -> f64 {
        left.iter().zip(right).map(|(left, right)| left * right).sum()
    }

    #[test]
    fn a_decomposition_is_orthonormal_and_what_is_left_is_triangular_with_a_positive_diagonal() {
        for (rows, cols) in [(1, 1), (5, 3), (40, 40), (70, 64), (200, 130), (300, 300)] {
            let matrix: Vec<f64> =
                (0..rows * cols).map(|number| libm::sin((number * number % 9973) as f64 + 1.0)).collect();
            let vectors = decomposed(rows, cols, matrix.clone(), 2);
            assert_eq!(vectors, decomposed(rows, cols, matrix.clone(), 1), "{rows} x {cols} on one thread");
            for (one, other) in (0..cols).flat_map(|one| (0..cols).map(move |other| (one, other))) {
                let product = dot(column(&vectors, rows, one), column(&vectors, rows, other));
                let wanted = if one == other { 1.0 } else { 0.0 };
                assert!((product - wanted).abs() < 1e-13, "{rows} x {cols}: columns {one} and {other}: {product}");
                let r = dot(column(&vectors, rows, one), column(&matrix, rows, other));
                let fits = if one == other { r > 0.0 } else { one < other || r.abs() < 1e-11 };
                assert!(fits, "{rows} x {cols}: {one}, {other} of R is {r}");
            }
        }
    }

    #[test]
    fn a_zero_has_no_sign() {
        assert_eq!(decomposed(1, 1, vec![0.0], 1), [0.0]);
        assert_eq!(decomposed(1, 1, vec![-3.0], 1), [-1.0]);
        assert!(decomposed(3, 0, Vec::new(), 1).is_empty());
    }
}
