//! Products with matrices that are mostly zeros, such as samples of units that are on or off: only what is not zero is gone through.

use std::borrow::Cow;
use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::Matrix;
use crate::generator::dispatch;

/// Columns whose sums are kept in registers, of which there are 32 wide ones or fewer and narrower ones.
const WIDE_BLOCK: usize = 256;
const BLOCK: usize = 64;
/// Multiplications that are worth a second thread.
const WORK_OF_A_THREAD: usize = 400_000;

/// A matrix that others are multiplied by, in the way that is fastest for it.
pub struct Factor<'a> {
    all: Cow<'a, Matrix<f32>>,
    held: Option<Sparse>,
}

impl<'a> From<&'a Matrix<f32>> for Factor<'a> {
    fn from(matrix: &'a Matrix<f32>) -> Self {
        Self { held: Sparse::of(matrix), all: Cow::Borrowed(matrix) }
    }
}

impl From<Matrix<f32>> for Factor<'_> {
    fn from(matrix: Matrix<f32>) -> Self {
        Self { held: Sparse::of(&matrix), all: Cow::Owned(matrix) }
    }
}

impl Factor<'_> {
    /// Factors of as many columns one below the other.
    #[must_use]
    pub fn stacked(parts: Vec<Self>) -> Self {
        let (matrices, held): (Vec<_>, Vec<_>) =
            parts.into_iter().map(|part| (part.all.into_owned(), part.held)).unzip();
        let held: Option<Vec<Sparse>> = held.into_iter().collect();
        Self { all: Cow::Owned(Matrix::stacked(matrices)), held: held.map(Sparse::stacked) }
    }

    /// What it is made of.
    pub fn matrix(&self) -> &Matrix<f32> {
        &self.all
    }

    /// The product with `right`.
    #[must_use]
    pub fn times(&self, right: &Matrix<f32>) -> Matrix<f32> {
        match &self.held {
            Some(held) => held.times(0..self.all.rows(), right),
            None => self.all.times(right),
        }
    }

    /// Some rows of the product with `right`: `count` from `first` on, or as many of them as there are.
    #[must_use]
    pub fn part_times(&self, first: usize, count: usize, right: &Matrix<f32>) -> Matrix<f32> {
        let first = first.min(self.all.rows());
        match &self.held {
            Some(held) => held.times(first..self.all.rows().min(first + count), right),
            None => self.all.part(first, count).times(right),
        }
    }

    /// The product of the transpose with `right`.
    #[must_use]
    pub fn transposed_times(&self, right: &Matrix<f32>) -> Matrix<f32> {
        let mut out = Matrix::default();
        self.transposed_times_into(right, &mut out);
        out
    }

    /// The same, in the place of another matrix.
    pub fn transposed_times_into(&self, right: &Matrix<f32>, out: &mut Matrix<f32>) {
        match &self.held {
            Some(held) => held.transposed(self.all.columns()).times_into(0..self.all.columns(), right, out),
            None => *out = self.all.transposed_times(right),
        }
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

    /// Rows one below the other.
    fn stacked(parts: Vec<Self>) -> Self {
        let mut parts = parts.into_iter();
        let mut all = parts.next().unwrap_or_else(|| Self { ends: Vec::new(), entries: Vec::new() });
        for part in parts {
            let before = all.entries.len();
            all.ends.extend(part.ends.iter().map(|end| before + end));
            all.entries.extend_from_slice(&part.entries);
        }
        all
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

    /// These rows of the product with `right`. Each element is the sum of its products in the order of the columns, none of them fused.
    fn times(&self, asked: Range<usize>, right: &Matrix<f32>) -> Matrix<f32> {
        let mut out = Matrix::default();
        self.times_into(asked, right, &mut out);
        out
    }

    fn times_into(&self, asked: Range<usize>, right: &Matrix<f32>, out: &mut Matrix<f32>) {
        let columns = right.columns();
        out.reshape(asked.len(), columns);
        let held = self.entries.len() * asked.len() / self.ends.len().max(1);
        let tasks = (held * columns / WORK_OF_A_THREAD).clamp(1, rayon::current_num_threads());
        let rows = asked.len().div_ceil(tasks).max(1);
        let multiply = |(number, out): (usize, &mut [f32])| {
            dispatch(Multiply { left: self, first: asked.start + number * rows, right, out });
        };
        match tasks {
            1 => multiply((0, out.values_mut())),
            _ => out.values_mut().par_chunks_mut((rows * columns).max(1)).enumerate().for_each(multiply),
        }
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
    fn with_simd<S: Simd>(mut self, _: S) {
        let begin = if S::REGISTER_COUNT < 32 { 0 } else { self.blocks::<WIDE_BLOCK>(0) };
        let begin = self.blocks::<BLOCK>(begin);
        self.rest(begin);
    }
}

impl Multiply<'_> {
    /// Fills whole blocks of columns from `begin` on; tells where they end. Each is done for all rows, so that the part of `right` that is
    /// gone through again and again stays in the cache.
    #[inline(always)]
    fn blocks<const COLUMNS: usize>(&mut self, begin: usize) -> usize {
        let columns = self.right.columns();
        let end = begin + (columns - begin) / COLUMNS * COLUMNS;
        for begin in (begin..end).step_by(COLUMNS) {
            for (row, out) in (self.first..).zip(self.out.chunks_exact_mut(columns)) {
                let mut sums = [0.0; COLUMNS];
                for &(step, value) in self.left.row(row) {
                    let right = &self.right.row(step as usize)[begin..begin + COLUMNS];
                    for (sum, &x) in sums.iter_mut().zip(right) {
                        *sum += value * x;
                    }
                }
                out[begin..begin + COLUMNS].copy_from_slice(&sums);
            }
        }
        end
    }

    /// Fills the columns from `begin` on.
    #[inline(always)]
    fn rest(&mut self, begin: usize) {
        let columns = self.right.columns();
        if begin == columns {
            return;
        }
        for (row, out) in (self.first..).zip(self.out.chunks_exact_mut(columns)) {
            out[begin..].fill(0.0);
            for &(step, value) in self.left.row(row) {
                let right = &self.right.row(step as usize)[begin..];
                out[begin..].iter_mut().zip(right).for_each(|(sum, &x)| *sum += value * x);
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
                let product = left.times(&right);
                assert_eq!(sparse.times(0..rows, &right), product);
                let factors = [left.part(0, 2), left.part(2, rows)].map(Factor::from);
                let stacked = Factor::stacked(factors.into());
                assert_eq!(stacked.times(&right), product);
                assert_eq!(stacked.part_times(1, 3, &right), product.part(1, 3));
                let other = Matrix::new((0..rows * columns).map(|n| (n % 5) as f32).collect(), columns);
                assert_eq!(sparse.transposed(inner).times(0..inner, &other), left.transposed_times(&other));
            }
        }
        assert!(Sparse::of(&Matrix::new(vec![1.0; 9], 3)).is_none());
    }
}
