//! Matrices stored as column panels, for products whose factors change in every step. A panel is contiguous: data
//! that is reused stays in the cache, and one thread fills it.

use std::iter::zip;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::{Matrix, VALUES_OF_A_TURNER};
use crate::simd::dispatch;

/// Columns per panel, equal to the bits of a word. The sums of a panel row fit into registers.
pub const PANEL: usize = 64;
/// The width of the last panel is a multiple of this, the widest vector.
const STRIP: usize = 16;

/// A matrix cut into panels of [`PANEL`] columns, each stored row-major. Padding beyond the last column has
/// unspecified values.
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

    /// Converts from row-major storage.
    pub fn of(matrix: &Matrix<f32>) -> Self {
        let mut panels = Self::zeros(matrix.rows(), matrix.columns());
        for (number, row) in matrix.each_row().enumerate() {
            panels.set_row(number, row);
        }
        panels
    }

    /// Converts to row-major storage.
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

    /// Resizes the matrix; its values are unspecified afterwards.
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

    /// All values, panel by panel, including padding.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// A mutable view of all values, including padding.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// Iterates over the panels.
    pub(super) fn panels(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks(PANEL * self.rows.max(1))
    }

    /// Iterates over mutable panels.
    pub fn panels_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        self.values.chunks_mut(PANEL * self.rows.max(1))
    }

    /// The panels for parallel filling.
    pub fn par_panels_mut(&mut self) -> impl IndexedParallelIterator<Item = &mut [f32]> {
        self.values.par_chunks_mut(PANEL * self.rows.max(1))
    }

    /// The panel with this number.
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

    /// Writes the transpose to `out`, which is resized.
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

/// Transposes rows of `held` values into rows of `width` values.
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

/// Transposes a full square. The constant sizes let the compiler build whole vectors instead of single elements.
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
