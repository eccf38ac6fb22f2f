//! The condition number of an eigenvalue: its sensitivity to changes of the matrix.

use std::ops::Range;

use nalgebra::{Complex, DMatrix};

/// The condition number of the eigenvalue `value`, of the block at `place` of the real Schur form `form`. It is 1 for a normal matrix and
/// grows as its left and right eigenvectors become orthogonal (Wilkinson 1965). Infinite or NaN on overflow.
pub(super) fn condition(form: &DMatrix<f64>, place: usize, value: Complex<f64>) -> f64 {
    let size = form.nrows();
    let second = place > 0 && form[(place, place - 1)] != 0.0;
    let first = if second { place - 1 } else { place };
    let paired = first + 1 < size && form[(first + 1, first)] != 0.0;
    let block = first..first + if paired { 2 } else { 1 };
    // Transposed and turned round, the form is one again, and its right eigenvectors are the left ones.
    let turned = |row: usize, column: usize| form[(size - 1 - column, size - 1 - row)];
    let right = eigenvector(&|row, column| form[(row, column)], block.clone(), value);
    let left = eigenvector(&turned, size - block.end..size - block.start, value);
    let product: Complex<f64> = block.map(|unit| right[unit] * left[size - 1 - unit]).sum();
    let length = |vector: &[Complex<f64>]| vector.iter().map(Complex::norm_sqr).sum::<f64>().sqrt();
    length(&right) * length(&left) / product.norm_sqr().sqrt()
}

/// The right eigenvector of a real Schur form, from the first unit to the end of the eigenvalue's block; the rest is 0.
fn eigenvector(at: &dyn Fn(usize, usize) -> f64, block: Range<usize>, value: Complex<f64>) -> Vec<Complex<f64>> {
    let mut vector = vec![Complex::from(1.0); block.end];
    if block.len() == 2 {
        vector[block.start] = Complex::from(at(block.start, block.start + 1));
        vector[block.start + 1] = value - at(block.start, block.start);
    }
    let largest = (0..block.end).map(|unit| at(unit, unit).abs()).fold(value.norm_sqr().sqrt(), f64::max);
    let mut end = block.start;
    while end > 0 {
        let rest = |row: usize, vector: &[Complex<f64>]| -> Complex<f64> {
            (end..vector.len()).map(|column| -vector[column] * at(row, column)).sum()
        };
        let last = end - 1;
        if last > 0 && at(last, last - 1) != 0.0 {
            let first = last - 1;
            let (a, d) = (Complex::from(at(first, first)) - value, Complex::from(at(last, last)) - value);
            let (b, c) = (at(first, last), at(last, first));
            let (one, other) = (rest(first, &vector), rest(last, &vector));
            let determinant = apart(a * d - b * c, largest * largest);
            vector[first] = (one * d - other * b) / determinant;
            vector[last] = (other * a - one * c) / determinant;
            end = first;
        } else {
            vector[last] = rest(last, &vector) / apart(Complex::from(at(last, last)) - value, largest);
            end = last;
        }
    }
    vector
}

/// A difference of eigenvalues, at least as large as rounding errors.
fn apart(difference: Complex<f64>, largest: f64) -> Complex<f64> {
    let least = f64::EPSILON * largest;
    if difference.norm_sqr() < least * least { Complex::from(least) } else { difference }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[&[f64]], place: usize, value: Complex<f64>) -> f64 {
        condition(&DMatrix::from_fn(rows.len(), rows.len(), |row, column| rows[row][column]), place, value)
    }

    #[test]
    fn the_condition_of_small_forms_is_known() {
        let real = Complex::from;
        let triangle: &[&[f64]] = &[&[1.0, 3.0], &[0.0, 2.0]];
        // Eigenvectors (1, 0) and (3, 1), left ones (1, -3) and (0, 1).
        for (place, value) in [(0, 1.0), (1, 2.0)] {
            assert!((of(triangle, place, real(value)) - 10f64.sqrt()).abs() < 1e-14);
        }
        let rotation: &[&[f64]] = &[&[0.6, -0.8, 0.0], &[0.8, 0.6, 0.0], &[0.0, 0.0, 0.5]];
        for (place, sign) in [(0, 1.0), (1, -1.0)] {
            assert!((of(rotation, place, Complex::new(0.6, sign * 0.8)) - 1.0).abs() < 1e-14);
        }
        assert!((of(rotation, 2, real(0.5)) - 1.0).abs() < 1e-14);
        // By SciPy.
        let skewed: &[&[f64]] = &[&[3.0, 1.0, 2.0], &[0.0, 1.0, -4.0], &[0.0, 1.0, 1.0]];
        let found = of(skewed, 1, Complex::new(1.0, 2.0));
        assert!((found - 1.369_306_393_762_915).abs() < 1e-14, "{found}");
        assert!((of(skewed, 0, real(3.0)) - 1.25f64.sqrt()).abs() < 1e-14);
    }
}
