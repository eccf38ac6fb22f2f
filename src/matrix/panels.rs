//! Matrices by panels, for products whose factors change with every step: a panel is contiguous, so that what is gone through again and
//! again lies side by side in the cache, and is filled by one thread.

use std::iter::zip;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::{Matrix, VALUES_OF_A_TURNER};
use crate::simd::dispatch;

/// The columns of a panel, as many as a word has bits; their sums fit into registers.
pub const PANEL: usize = 64;
/// The columns of the last panel are a multiple of this: the widest vector.
const STRIP: usize = 16;

/// A matrix whose columns are cut into panels of [`PANEL`], one after the other, each by rows. What lies beyond the last column means
/// nothing.
#[derive(Clone, Debug, Default)]
pub struct Panels {
    values: Vec<f32>,
    rows: usize,
    columns: usize,
}

impl Panels {
    /// A matrix of zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        let mut zeros = Self::default();
        zeros.reshape(rows, columns);
        zeros
    }

    /// The same matrix by panels.
    pub fn of(matrix: &Matrix<f32>) -> Self {
        let mut panels = Self::zeros(matrix.rows(), matrix.columns());
        for (number, row) in matrix.each_row().enumerate() {
            panels.set_row(number, row);
        }
        panels
    }

    /// The same matrix by rows.
    pub fn matrix(&self) -> Matrix<f32> {
        let mut matrix = Matrix::zeros(self.rows, self.columns);
        for (number, row) in matrix.each_row_mut().enumerate() {
            for (part, panel) in zip(row.chunks_mut(PANEL), self.panels()) {
                let width = panel.len() / self.rows;
                part.copy_from_slice(&panel[number * width..][..part.len()]);
            }
        }
        matrix
    }

    /// Takes on this size; what the values are is left open.
    pub fn reshape(&mut self, rows: usize, columns: usize) {
        self.values.resize(rows * columns.next_multiple_of(STRIP), 0.0);
        (self.rows, self.columns) = (rows, columns);
    }

    /// Replaces a row.
    pub fn set_row(&mut self, number: usize, row: &[f32]) {
        let rows = self.rows;
        for (part, panel) in zip(row.chunks(PANEL), self.panels_mut()) {
            let width = panel.len() / rows;
            panel[number * width..][..part.len()].copy_from_slice(part);
        }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// All values, panel by panel, with those that mean nothing.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The same, to be changed.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// The panels, first to last.
    pub(super) fn panels(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks(PANEL * self.rows.max(1))
    }

    /// The panels, to be filled.
    pub fn panels_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.values.chunks_mut(PANEL * self.rows.max(1))
    }

    /// The panels, to be filled by threads.
    pub fn par_panels_mut(&mut self) -> impl IndexedParallelIterator<Item = &mut [f32]> {
        self.values.par_chunks_mut(PANEL * self.rows.max(1))
    }

    /// The panel of that number.
    pub fn panel(&self, number: usize) -> &[f32] {
        let begin = number * PANEL * self.rows;
        &self.values[begin..self.values.len().min(begin + PANEL * self.rows)]
    }

    /// The sum of each column.
    pub fn sums(&self) -> Vec<f32> {
        let mut sums = vec![0.0; self.columns.next_multiple_of(STRIP)];
        for (sums, panel) in zip(sums.chunks_mut(PANEL), self.panels()) {
            for row in panel.chunks_exact(sums.len()) {
                zip(&mut *sums, row).for_each(|(sum, value)| *sum += value);
            }
        }
        sums.truncate(self.columns);
        sums
    }

    /// Rows and columns exchanged, in the place of another matrix.
    pub fn transpose_into(&self, out: &mut Self) {
        out.reshape(self.columns, self.rows);
        let height = self.columns;
        let turn = |(number, out): (usize, &mut [f32])| {
            let width = out.len() / height;
            for (panel, out) in zip(self.panels(), out.chunks_mut(PANEL * width)) {
                let held = panel.len() / self.rows;
                let last = self.rows.min((number + 1) * PANEL);
                dispatch(Turn { rows: &panel[number * PANEL * held..last * held], held, out, width });
            }
        };
        match self.values.len() {
            0..VALUES_OF_A_TURNER => out.panels_mut().enumerate().for_each(turn),
            _ => out.par_panels_mut().enumerate().for_each(turn),
        }
    }
}

/// Turns rows of `held` values into columns of rows of `width`.
struct Turn<'a> {
    rows: &'a [f32],
    held: usize,
    out: &'a mut [f32],
    width: usize,
}

impl WithSimd for Turn<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { rows, held, out, width } = self;
        match (held, width, rows.len() / held) {
            (16, PANEL, PANEL) => turn_square::<16>(rows, out),
            (32, PANEL, PANEL) => turn_square::<32>(rows, out),
            (48, PANEL, PANEL) => turn_square::<48>(rows, out),
            (PANEL, PANEL, PANEL) => turn_square::<PANEL>(rows, out),
            _ => {
                for (column, out) in out.chunks_exact_mut(width).enumerate() {
                    zip(out, rows.chunks_exact(held)).for_each(|(out, row)| *out = row[column]);
                }
            }
        }
    }
}

/// Turns as many rows as a panel has columns: with sizes that are known, a vector is put together and not element by element.
#[inline(always)]
fn turn_square<const HELD: usize>(rows: &[f32], out: &mut [f32]) {
    let Some(rows) = rows.as_chunks::<HELD>().0.first_chunk::<PANEL>() else { return };
    for (column, out) in out.as_chunks_mut::<PANEL>().0.iter_mut().take(HELD).enumerate() {
        for (out, row) in zip(out, rows) {
            *out = row[column];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_are_the_matrix_and_turn_as_it_does() {
        for (rows, columns) in [(1, 1), (7, 64), (70, 65), (64, 130), (0, 3), (3, 0), (200, 17)] {
            let matrix = Matrix::new((0..rows * columns).map(|n| n as f32).collect(), columns);
            let panels = Panels::of(&matrix);
            assert_eq!(panels.matrix().values(), matrix.values(), "{rows}x{columns}");
            assert_eq!(panels.sums(), matrix.sums(), "{rows}x{columns}");
            let mut turned = Panels::default();
            panels.transpose_into(&mut turned);
            assert_eq!(turned.matrix().values(), matrix.transposed().values(), "{rows}x{columns}");
        }
    }
}
