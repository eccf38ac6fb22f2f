//! Matrices of zeros and ones, such as samples of binary units, with one bit per element.

use std::iter::zip;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::Matrix;
use super::panels::PANEL;
use crate::simd::{bits_of, dispatch};

/// A bit matrix. A word holds [`PANEL`] columns of a row, the first in its lowest bit. Words of the same columns are
/// adjacent, row after row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bits {
    words: Vec<u64>,
    rows: usize,
    columns: usize,
}

impl Bits {
    /// A matrix of zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Self { words: vec![0; rows * columns.div_ceil(PANEL)], rows, columns }
    }

    /// Packs a matrix; `None` if a value is neither 0 nor 1.
    pub fn of(matrix: &Matrix<f32>) -> Option<Self> {
        let mut bits = Self::zeros(matrix.rows(), matrix.columns());
        for (number, row) in matrix.each_row().enumerate() {
            for (panel, values) in row.chunks(PANEL).enumerate() {
                // Branch-free, because the values are unpredictable.
                let held = values.iter().fold(true, |held, &value| held & ((value == 0.0) | (value == 1.0)));
                if !held {
                    return None;
                }
                bits.words[panel * bits.rows + number] = word(values.iter().map(|&value| value != 0.0));
            }
        }
        Some(bits)
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The words of a panel, one per row.
    pub fn panel(&self, number: usize) -> &[u64] {
        &self.words[number * self.rows..][..self.rows]
    }

    /// The panels for parallel filling.
    pub fn par_panels_mut(&mut self) -> impl IndexedParallelIterator<Item = &mut [u64]> {
        self.words.par_chunks_mut(self.rows.max(1))
    }

    /// The words of a row, panel by panel.
    pub fn row(&self, number: usize) -> impl Iterator<Item = u64> {
        self.words.iter().skip(number).step_by(self.rows.max(1)).copied()
    }

    /// Replaces a row.
    pub fn set_row(&mut self, number: usize, row: &[u64]) {
        let places = self.words.iter_mut().skip(number).step_by(self.rows.max(1));
        zip(places, row).for_each(|(place, &word)| *place = word);
    }

    /// Unpacks to `f32`.
    pub fn matrix(&self) -> Matrix<f32> {
        let mut matrix = Matrix::zeros(self.rows, self.columns);
        for (number, row) in matrix.each_row_mut().enumerate() {
            for (values, word) in zip(row.chunks_mut(PANEL), self.row(number)) {
                for (bit, value) in values.iter_mut().enumerate() {
                    *value = f32::from(word >> bit & 1 == 1);
                }
            }
        }
        matrix
    }

    /// The number of ones in each row.
    pub fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.rows];
        for panel in self.words.chunks(self.rows.max(1)) {
            zip(&mut counts, panel).for_each(|(count, word)| *count += word.count_ones());
        }
        counts
    }

    /// The transpose.
    #[must_use]
    pub fn transposed(&self) -> Self {
        let mut out = Self::zeros(self.columns, self.rows);
        for (panel, words) in self.words.chunks(self.rows.max(1)).enumerate() {
            for (number, words) in words.chunks(PANEL).enumerate() {
                let mut square = [0; PANEL];
                square[..words.len()].copy_from_slice(words);
                turn(&mut square);
                let height = PANEL.min(self.columns - panel * PANEL);
                out.words[number * self.columns + panel * PANEL..][..height].copy_from_slice(&square[..height]);
            }
        }
        out
    }
}

/// Packs at most [`PANEL`] values into a word.
#[inline(always)]
fn word(is_on: impl Iterator<Item = bool>) -> u64 {
    let mut bytes = [0u8; PANEL];
    zip(&mut bytes, is_on).for_each(|(byte, is_on)| *byte = is_on.into());
    bits_of(&bytes)
}

/// Fills a panel with `held` columns: a bit is set if its number is below its chance. Both inputs are row-major and
/// may be padded.
pub fn draw(chances: &[f32], numbers: &[f32], held: usize, out: &mut [u64]) {
    dispatch(Draw { chances, numbers, held, out });
}

struct Draw<'a> {
    chances: &'a [f32],
    numbers: &'a [f32],
    held: usize,
    out: &'a mut [u64],
}

impl WithSimd for Draw<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { chances, numbers, held, out } = self;
        let width = (chances.len() / out.len().max(1)).max(1);
        let rows = zip(chances.chunks_exact(width), numbers.chunks_exact(width));
        // Clears the bits beyond the last column.
        let mask = u64::MAX >> (PANEL - held);
        for (out, (chances, numbers)) in zip(out, rows) {
            let all = match (chances.first_chunk::<PANEL>(), numbers.first_chunk::<PANEL>()) {
                (Some(chances), Some(numbers)) => word(zip(numbers, chances).map(|(number, chance)| number < chance)),
                _ => word(zip(numbers, chances).map(|(number, chance)| number < chance)),
            };
            *out = all & mask;
        }
    }
}

/// Transposes a square of bits by recursive halving (Warren, "Hacker's Delight", 7-3).
fn turn(square: &mut [u64; PANEL]) {
    let (mut side, mut mask) = (PANEL / 2, u64::MAX >> (PANEL / 2));
    while side > 0 {
        for pair in square.chunks_exact_mut(2 * side) {
            let (above, below) = pair.split_at_mut(side);
            for (above, below) in zip(above, below) {
                let exchanged = ((*above >> side) ^ *below) & mask;
                *above ^= exchanged << side;
                *below ^= exchanged;
            }
        }
        side /= 2;
        mask ^= mask << side;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_the_matrix_and_turn_as_it_does() {
        for (rows, columns) in [(1, 1), (7, 64), (70, 65), (64, 130), (0, 3), (3, 0), (200, 17)] {
            let value = |n: usize| f32::from((n.wrapping_mul(2_654_435_761) >> 7).is_multiple_of(4));
            let matrix = Matrix::new((0..rows * columns).map(value).collect(), columns);
            let bits = Bits::of(&matrix).unwrap();
            assert_eq!(bits.matrix().values(), matrix.values(), "{rows}x{columns}");
            assert_eq!(bits.transposed().counts(), matrix.sums().iter().map(|&sum| sum as u32).collect::<Vec<_>>());
            assert_eq!(bits.transposed().matrix().values(), matrix.transposed().values(), "{rows}x{columns}");
        }
        assert_eq!(Bits::of(&Matrix::new(vec![0.0, 1.0, 0.5, 1.0], 2)), None);
        assert_eq!(Bits::of(&Matrix::new(vec![f32::NAN], 1)), None);
    }
}
