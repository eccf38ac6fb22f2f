//! Row-major matrices and their products: threaded, with the same bits on every machine and for any number of
//! threads.
//!
//! Runs on the caller's [`rayon`] pool.

mod bits;
mod factor;
mod panels;
pub(crate) mod product;

use std::iter::zip;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::simd::dispatch;
use product::{Packed, Real, Rows, TILE_COLUMNS};

pub use bits::{Bits, draw};
pub use factor::Factor;
pub use panels::{PANEL, Panels};

/// Steps of the summation index that are packed together to stay in the cache. An element is the sum of the sums over
/// these parts.
const PART: usize = 256;
/// The smallest number of rows per task.
const LEAST_ROWS: usize = TILE_COLUMNS;
/// Multiplications per thread that repay its start.
const WORK_OF_A_THREAD: usize = 4_000_000;

/// The side of the square block that is transposed at a time.
const TURNED: usize = 16;
/// Values per thread that repay its start in a transpose.
const VALUES_OF_A_TURNER: usize = 1 << 16;

/// A row-major matrix.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix<T> {
    values: Vec<T>,
    rows: usize,
    columns: usize,
}

impl<T: Copy + Default + Send + Sync> Matrix<T> {
    /// A matrix of zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Self { values: vec![T::default(); rows * columns], rows, columns }
    }

    /// Wraps row-major values; `values.len()` must be a multiple of `columns`.
    pub fn new(values: Vec<T>, columns: usize) -> Self {
        let rows = values.len() / columns.max(1);
        debug_assert_eq!(rows * columns, values.len(), "the rows are whole");
        Self { values, rows, columns }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All values, row-major.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// Returns the row-major values.
    pub fn into_values(self) -> Vec<T> {
        self.values
    }

    /// A mutable view of all values, row-major.
    pub fn values_mut(&mut self) -> &mut [T] {
        &mut self.values
    }

    /// One row.
    pub fn row(&self, row: usize) -> &[T] {
        &self.values[row * self.columns..][..self.columns]
    }

    /// A mutable view of one row.
    pub fn row_mut(&mut self, row: usize) -> &mut [T] {
        &mut self.values[row * self.columns..][..self.columns]
    }

    /// Iterates over the rows.
    pub fn each_row(&self) -> impl Iterator<Item = &[T]> {
        self.values.chunks_exact(self.columns.max(1))
    }

    /// Iterates over mutable rows.
    pub fn each_row_mut(&mut self) -> impl Iterator<Item = &mut [T]> {
        self.values.chunks_exact_mut(self.columns.max(1))
    }

    /// Resizes the matrix; its values are unspecified afterwards.
    fn reshape(&mut self, rows: usize, columns: usize) {
        self.values.resize(rows * columns, T::default());
        (self.rows, self.columns) = (rows, columns);
    }

    /// The transpose.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let mut out = Self::default();
        self.transpose_into(&mut out);
        out
    }

    /// Writes the transpose to `out`, which is resized.
    pub fn transpose_into(&self, out: &mut Self) {
        out.reshape(self.columns, self.rows);
        if self.values.is_empty() {
            return;
        }
        let bands =
            out.values.par_chunks_mut(TURNED * self.rows).with_min_len(self.columns.div_ceil(TURNED * self.turners()));
        bands.enumerate().for_each(|(number, band)| self.turn(number * TURNED, band));
    }

    /// The useful number of threads for a transpose.
    fn turners(&self) -> usize {
        (self.values.len() / VALUES_OF_A_TURNER).clamp(1, rayon::current_num_threads())
    }

    /// Fills a band of the transpose: the columns from `left` on become its rows.
    fn turn(&self, left: usize, band: &mut [T]) {
        let width = band.len() / self.rows;
        for (top, rows) in (0..).step_by(TURNED).zip(self.values.chunks(TURNED * self.columns)) {
            let height = rows.len() / self.columns;
            let mut square = [[T::default(); TURNED]; TURNED];
            for (turned, row) in zip(&mut square, rows.chunks_exact(self.columns)) {
                turned[..width].copy_from_slice(&row[left..left + width]);
            }
            for (column, out) in band.chunks_exact_mut(self.rows).enumerate() {
                let turned: [T; TURNED] = std::array::from_fn(|row| square[row][column]);
                out[top..top + height].copy_from_slice(&turned[..height]);
            }
        }
    }
}

impl<T: Real> Matrix<T> {
    /// `self * right`.
    #[must_use]
    pub fn times(&self, right: &Self) -> Self {
        debug_assert_eq!(self.columns, right.rows);
        let pack = |begin: usize, end: usize| Pack {
            rows: Rows::all(&right.values[begin * right.columns..end * right.columns], right.columns),
            transposed: false,
        };
        self.product(right.columns, pack)
    }

    /// `self * rightᵀ`.
    #[must_use]
    pub fn times_transposed(&self, right: &Self) -> Self {
        debug_assert_eq!(self.columns, right.columns);
        let all = Rows::all(&right.values, right.columns.max(1));
        self.product(right.rows, |begin, end| Pack { rows: all.part(begin, end - begin), transposed: true })
    }

    /// `selfᵀ * right`.
    #[must_use]
    pub fn transposed_times(&self, right: &Self) -> Self {
        self.transposed().times(right)
    }

    /// The product with a factor of `columns` columns, which is packed in parts of the summation index.
    fn product<'a>(&self, columns: usize, part: impl Fn(usize, usize) -> Pack<'a, T>) -> Self {
        let mut out = Self::zeros(self.rows, columns);
        if out.values.is_empty() {
            return out;
        }
        let inner = self.columns;
        let tasks = (self.rows * columns * inner / WORK_OF_A_THREAD).clamp(1, rayon::current_num_threads());
        let rows = self.rows.div_ceil(tasks).next_multiple_of(LEAST_ROWS);
        for begin in (0..inner).step_by(PART) {
            let end = inner.min(begin + PART);
            // Row-major storage is the column-major transpose, so the factors swap places.
            let packed = dispatch(part(begin, end));
            let multiply = |(values, out): (&[T], &mut [T])| {
                let right = Rows::all(values, inner).part(begin, end - begin);
                dispatch(Multiply { packed: &packed, right, out, height: columns });
            };
            match tasks {
                1 => multiply((&self.values, &mut out.values)),
                _ => {
                    let tasks = self.values.par_chunks(rows * inner).zip(out.values.par_chunks_mut(rows * columns));
                    tasks.for_each(multiply);
                }
            }
        }
        out
    }

    /// The sum of each column.
    pub fn sums(&self) -> Vec<T> {
        let mut sums = vec![T::zero(); self.columns];
        for row in self.each_row() {
            zip(&mut sums, row).for_each(|(sum, &value)| *sum += value);
        }
        sums
    }

    /// Adds `factor * other`. Both matrices have the same size.
    pub fn add_scaled(&mut self, factor: T, other: &Self) {
        zip(&mut self.values, &other.values).for_each(|(value, &other)| *value += factor * other);
    }
}

/// Packs a factor in the order in which the product reads it.
struct Pack<'a, T> {
    rows: Rows<'a, T>,
    transposed: bool,
}

impl<T: Real> WithSimd for Pack<'_, T> {
    type Output = Packed<T>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Packed<T> {
        let mut packed = Packed::default();
        match (S::REGISTER_COUNT < 32, self.transposed) {
            (true, false) => packed.pack::<S, 2>(self.rows),
            (false, false) => packed.pack::<S, 4>(self.rows),
            (true, true) => packed.pack_transposed::<S, 2>(self.rows),
            (false, true) => packed.pack_transposed::<S, 4>(self.rows),
        }
        packed
    }
}

/// Adds the product of a packed factor and `right` to `out`.
struct Multiply<'a, T> {
    packed: &'a Packed<T>,
    right: Rows<'a, T>,
    out: &'a mut [T],
    height: usize,
}

impl<T: Real> WithSimd for Multiply<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::REGISTER_COUNT < 32 {
            self.packed.multiply_add::<S, 2>(simd, self.right, self.out, self.height, 0);
        } else {
            self.packed.multiply_add::<S, 4>(simd, self.right, self.out, self.height, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(rows: usize, columns: usize, seed: u32) -> Matrix<f64> {
        let value = |n: u32| f64::from((n.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 20) & 15) - 7.0;
        Matrix::new((0..rows * columns).map(|n| value(n as u32)).collect(), columns)
    }

    /// The reference product, exact for small integers.
    fn textbook(left: &Matrix<f64>, right: &Matrix<f64>) -> Matrix<f64> {
        let mut out = Matrix::zeros(left.rows(), right.columns());
        for row in 0..left.rows() {
            for column in 0..right.columns() {
                let sum = (0..left.columns()).map(|step| left.row(row)[step] * right.row(step)[column]).sum();
                out.row_mut(row)[column] = sum;
            }
        }
        out
    }

    #[test]
    fn the_products_are_those_of_the_textbook() {
        for (rows, inner, columns) in [(1, 1, 1), (5, 3, 7), (64, 300, 65), (200, 600, 33), (3, 0, 4), (0, 3, 2)] {
            let (left, right) = (filled(rows, inner, 3), filled(inner, columns, 8));
            let expected = textbook(&left, &right);
            assert_eq!(left.times(&right), expected, "{rows}x{inner}x{columns}");
            assert_eq!(left.times_transposed(&right.transposed()), expected, "{rows}x{inner}x{columns}");
            assert_eq!(left.transposed().transposed_times(&right), expected, "{rows}x{inner}x{columns}");
        }
    }

    #[test]
    fn any_number_of_threads_gives_the_same_bits() {
        let value = |n: usize| 1.0 / (n as f32 + 0.3);
        let left = Matrix::new((0..500 * 300).map(value).collect(), 300);
        let right = Matrix::new((0..300 * 200).map(|n| value(n * 7)).collect(), 200);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| left.times(&right))
        };
        let one = with(1);
        assert!([2, 3, 7].into_iter().all(|threads| with(threads) == one));
    }
}
