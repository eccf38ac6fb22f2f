//! Products with matrices that are mostly zeros, such as samples of units that are on or off: only what is not zero is gone through.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::Matrix;
use crate::generator::dispatch;

/// Columns whose sums are kept in registers.
const BLOCK: usize = 128;
/// Multiplications that are worth a second thread.
const WORK_OF_A_THREAD: usize = 4_000_000;

/// A matrix that others are multiplied by, in the way that is fastest for it.
pub struct Factor<'a> {
    all: &'a Matrix<f32>,
    held: Option<Sparse>,
}

impl<'a> Factor<'a> {
    /// This matrix.
    pub fn new(matrix: &'a Matrix<f32>) -> Self {
        Self { all: matrix, held: Sparse::of(matrix) }
    }

    /// The product with `right`.
    #[must_use]
    pub fn times(&self, right: &Matrix<f32>) -> Matrix<f32> {
        self.held.as_ref().map_or_else(|| self.all.times(right), |held| held.times(right))
    }

    /// The product of the transpose with `right`.
    #[must_use]
    pub fn transposed_times(&self, right: &Matrix<f32>) -> Matrix<f32> {
        let held = self.held.as_ref();
        held.map_or_else(|| self.all.transposed_times(right), |held| held.transposed(self.all.columns()).times(right))
    }
}

/// The values of a matrix that are not zero, row by row.
struct Sparse {
    /// Where each row ends among the entries.
    ends: Vec<usize>,
    /// A column and its value, in order.
    entries: Vec<(u32, f32)>,
}

impl Sparse {
    /// The values of `matrix`; `None` where more than half of them are not zero, so that this would be slower.
    fn of(matrix: &Matrix<f32>) -> Option<Self> {
        let held = matrix.values().iter().filter(|&&value| value != 0.0).count();
        if 2 * held > matrix.values().len() {
            return None;
        }
        // Every value is written and those that are zero written over: whether a unit is on is nothing that a branch could foretell.
        let mut entries = vec![(0, 0.0); held + 1];
        let (mut ends, mut place) = (Vec::with_capacity(matrix.rows()), 0);
        for row in matrix.each_row() {
            for (column, &value) in (0..).zip(row) {
                entries[place] = (column, value);
                place += usize::from(value != 0.0);
            }
            ends.push(place);
        }
        entries.truncate(held);
        Some(Self { ends, entries })
    }

    /// Rows and columns, of which there are so many, exchanged.
    fn transposed(&self, columns: usize) -> Self {
        let mut ends = vec![0; columns];
        for &(column, _) in &self.entries {
            ends[column as usize] += 1;
        }
        let mut total = 0;
        for end in &mut ends {
            // Where the column begins, until its entries are filled in.
            total += std::mem::replace(end, total);
        }
        let mut entries = vec![(0, 0.0); total];
        for (row, held) in (0..).zip(self.rows()) {
            for &(column, value) in held {
                let place = &mut ends[column as usize];
                entries[*place] = (row, value);
                *place += 1;
            }
        }
        Self { ends, entries }
    }

    fn rows(&self) -> impl Iterator<Item = &[(u32, f32)]> {
        (0..self.ends.len()).map(|row| self.row(row))
    }

    fn row(&self, row: usize) -> &[(u32, f32)] {
        let begin = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.entries[begin..self.ends[row]]
    }

    /// The product with `right`. Each element is the sum of its products in the order of the columns, none of them fused.
    fn times(&self, right: &Matrix<f32>) -> Matrix<f32> {
        let columns = right.columns();
        let mut out = Matrix::zeros(self.ends.len(), columns);
        let tasks = (self.entries.len() * columns / WORK_OF_A_THREAD).clamp(1, rayon::current_num_threads());
        let rows = self.ends.len().div_ceil(tasks).max(1);
        let multiply = |(number, out): (usize, &mut [f32])| {
            dispatch(Multiply { left: self, first: number * rows, right, out });
        };
        match tasks {
            1 => multiply((0, out.values_mut())),
            _ => out.values_mut().par_chunks_mut((rows * columns).max(1)).enumerate().for_each(multiply),
        }
        out
    }
}

/// Fills the rows of a product from the first on.
struct Multiply<'a> {
    left: &'a Sparse,
    first: usize,
    right: &'a Matrix<f32>,
    out: &'a mut [f32],
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let columns = self.right.columns();
        for (row, out) in (self.first..).zip(self.out.chunks_exact_mut(columns.max(1))) {
            let entries = self.left.row(row);
            let (blocks, rest) = out.as_chunks_mut::<BLOCK>();
            let end = blocks.len() * BLOCK;
            for (begin, block) in (0..).step_by(BLOCK).zip(blocks) {
                let mut sums = [0.0; BLOCK];
                for &(step, value) in entries {
                    let right = &self.right.row(step as usize)[begin..begin + BLOCK];
                    for (sum, &x) in sums.iter_mut().zip(right) {
                        *sum += value * x;
                    }
                }
                *block = sums;
            }
            for &(step, value) in entries {
                let right = &self.right.row(step as usize)[end..];
                rest.iter_mut().zip(right).for_each(|(sum, &x)| *sum += value * x);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_of_few_values_is_that_of_all() {
        let value = |n: usize| if n.is_multiple_of(3) { (n % 7) as f32 } else { 0.0 };
        for (rows, inner, columns) in [(1, 1, 1), (5, 40, 300), (64, 33, 128), (7, 20, 129), (3, 0, 4)] {
            let left = Matrix::new((0..rows * inner).map(value).collect(), inner);
            let right = Matrix::new((0..inner * columns).map(|n| (n % 11) as f32).collect(), columns);
            let Some(sparse) = Sparse::of(&left) else { continue };
            if inner > 0 {
                assert_eq!(sparse.times(&right), left.times(&right));
                let other = Matrix::new((0..rows * columns).map(|n| (n % 5) as f32).collect(), columns);
                assert_eq!(sparse.transposed(inner).times(&other), left.transposed_times(&other));
            }
        }
        assert!(Sparse::of(&Matrix::new(vec![1.0; 9], 3)).is_none());
    }
}
