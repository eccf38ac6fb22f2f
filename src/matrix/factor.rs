//! Products with a left factor of bits or of values, panel by panel. Both kinds give the same bits. An element sums
//! parts of [`PANEL`] steps, each in the order of its steps, without fused operations.

use std::iter::zip;
use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::panels::PANEL;
use super::{Bits, Matrix, Panels};
use crate::simd::dispatch;

/// The left factor of a product.
#[derive(Clone, Debug)]
pub enum Factor {
    /// Zeros and ones: rows of the right factor are selected and summed, without multiplications.
    Bits(Bits),
    /// Arbitrary values.
    Values(Panels),
}

impl From<&Matrix<f32>> for Factor {
    fn from(matrix: &Matrix<f32>) -> Self {
        Bits::of(matrix).map_or_else(|| Self::Values(Panels::of(matrix)), Self::Bits)
    }
}

impl Factor {
    /// The number of rows.
    pub fn rows(&self) -> usize {
        match self {
            Self::Bits(bits) => bits.rows(),
            Self::Values(values) => values.rows(),
        }
    }

    /// The number of columns.
    pub fn columns(&self) -> usize {
        match self {
            Self::Bits(bits) => bits.columns(),
            Self::Values(values) => values.columns(),
        }
    }

    /// The transpose, and the sum of each of its columns.
    #[must_use]
    pub fn turned(&self) -> (Self, Vec<f32>) {
        match self {
            Self::Bits(bits) => {
                let turned = bits.transposed();
                #[expect(clippy::cast_precision_loss, reason = "a count of samples")]
                let sums = turned.counts().into_iter().map(|count| count as f32).collect();
                (Self::Bits(turned), sums)
            }
            Self::Values(values) => {
                let mut turned = Panels::default();
                values.transpose_into(&mut turned);
                (Self::Values(turned), values.sums())
            }
        }
    }

    /// Adds the product of these rows with a panel of the right factor to `out`, a panel of equal height.
    pub fn add_times(&self, rows: Range<usize>, right: &[f32], out: &mut [f32]) {
        if rows.is_empty() || right.is_empty() {
            return;
        }
        let width = out.len() / rows.len();
        debug_assert_eq!(right.len(), self.columns() * width);
        match self {
            Self::Bits(bits) => dispatch(Pick { bits, rows, right, out, width }),
            Self::Values(values) => dispatch(Multiply { values, rows, right, out, width }),
        }
    }
}

/// The product of bits with a panel.
struct Pick<'a> {
    bits: &'a Bits,
    rows: Range<usize>,
    right: &'a [f32],
    out: &'a mut [f32],
    width: usize,
}

impl WithSimd for Pick<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        match self.width {
            16 => self.add::<16>(),
            32 => self.add::<32>(),
            48 => self.add::<48>(),
            _ => self.add::<PANEL>(),
        }
    }
}

impl Pick<'_> {
    /// Each part of the right factor stays in the cache until all rows have used it.
    #[inline(always)]
    fn add<const WIDTH: usize>(self) {
        let (right, _) = self.right.as_chunks::<WIDTH>();
        let (out, _) = self.out.as_chunks_mut::<WIDTH>();
        for (number, right) in right.chunks(PANEL).enumerate() {
            let words = &self.bits.panel(number)[self.rows.clone()];
            for (&word, out) in zip(words, &mut *out) {
                let (mut left, mut sums) = (word, [0.0; WIDTH]);
                while left != 0 {
                    let picked = &right[left.trailing_zeros() as usize];
                    zip(&mut sums, picked).for_each(|(sum, value)| *sum += value);
                    left &= left.wrapping_sub(1);
                }
                zip(out, sums).for_each(|(out, sum)| *out += sum);
            }
        }
    }
}

/// The product of values with a panel.
struct Multiply<'a> {
    values: &'a Panels,
    rows: Range<usize>,
    right: &'a [f32],
    out: &'a mut [f32],
    width: usize,
}

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // Sums of this many rows and vectors fit in the registers with the factors. A strip of columns is at least as
        // wide as the vectors.
        if S::REGISTER_COUNT < 32 { self.add::<S, 5, 2>(simd) } else { self.add::<S, 10, 1>(simd) }
    }
}

impl Multiply<'_> {
    #[inline(always)]
    fn add<S: Simd, const ROWS: usize, const VECTORS: usize>(self, simd: S) {
        let Self { values, rows, right, out, width } = self;
        for (number, right) in right.chunks(PANEL * width).enumerate() {
            let left = values.panel(number);
            let held = left.len() / values.rows();
            let left = &left[rows.start * held..rows.end * held];
            let whole = rows.len() / ROWS * ROWS;
            let (left, left_rest) = left.split_at(whole * held);
            let (out, out_rest) = out.split_at_mut(whole * width);
            for (left, out) in zip(left.chunks_exact(ROWS * held), out.chunks_exact_mut(ROWS * width)) {
                add_rows::<S, ROWS, VECTORS>(simd, left, right, out, width);
            }
            for (left, out) in zip(left_rest.chunks_exact(held), out_rest.chunks_exact_mut(width)) {
                add_rows::<S, 1, VECTORS>(simd, left, right, out, width);
            }
        }
    }
}

/// Adds the product of a block of rows.
#[inline(always)]
fn add_rows<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    left: &[f32],
    right: &[f32],
    out: &mut [f32],
    width: usize,
) {
    let (held, steps) = (left.len() / ROWS, right.len() / width);
    let left: [&[f32]; ROWS] = std::array::from_fn(|row| &left[row * held..][..steps]);
    let (right, _) = S::as_simd_f32s(right);
    let (out, _) = S::as_mut_simd_f32s(out);
    let vectors = width / S::F32_LANES;
    for begin in (0..vectors).step_by(VECTORS) {
        let mut sums = [[simd.splat_f32s(0.0); VECTORS]; ROWS];
        for (step, right) in right.chunks_exact(vectors).enumerate() {
            let right = &right[begin..begin + VECTORS];
            for (sums, left) in zip(&mut sums, left) {
                let factor = simd.splat_f32s(left[step]);
                zip(sums, right).for_each(|(sum, &value)| *sum = simd.add_f32s(*sum, simd.mul_f32s(factor, value)));
            }
        }
        for (sums, out) in zip(sums, out.chunks_exact_mut(vectors)) {
            zip(&mut out[begin..], sums).for_each(|(out, sum)| *out = simd.add_f32s(*out, sum));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(left: &Factor, right: &Panels) -> Matrix<f32> {
        let mut out = Panels::zeros(left.rows(), right.columns());
        let panels = out.values_mut().chunks_mut(PANEL * left.rows().max(1));
        panels.enumerate().for_each(|(number, out)| left.add_times(0..left.rows(), right.panel(number), out));
        out.matrix()
    }

    #[test]
    fn the_products_of_bits_and_of_values_are_those_of_the_textbook() {
        for (rows, inner, columns) in [(1, 1, 1), (5, 40, 300), (64, 130, 128), (7, 200, 129), (3, 0, 4), (0, 3, 2)] {
            let bit = |n: usize| f32::from((n.wrapping_mul(2_654_435_761) >> 7).is_multiple_of(4));
            let left = Matrix::new((0..rows * inner).map(bit).collect(), inner);
            let right = Matrix::new((0..inner * columns).map(|n| (n % 11) as f32).collect(), columns);
            let (values, panels) = (Factor::Values(Panels::of(&left)), Panels::of(&right));
            let bits = Factor::from(&left);
            assert!(matches!(bits, Factor::Bits(_)));
            if inner > 0 {
                let expected = left.times(&right);
                assert_eq!(product(&bits, &panels), expected, "{rows}x{inner}x{columns}");
                assert_eq!(product(&values, &panels), expected, "{rows}x{inner}x{columns}");
                assert_eq!(values.turned().1, left.sums());
                assert_eq!(bits.turned().1, left.sums());
                assert_eq!(product(&bits.turned().0.turned().0, &panels), expected, "{rows}x{inner}x{columns}");
            }
            // Fractions expose the order of summation.
            let panels = Panels::of(&Matrix::new(right.values().iter().map(|x| 1.0 / (x + 0.3)).collect(), columns));
            assert_eq!(product(&values, &panels), product(&bits, &panels), "{rows}x{inner}x{columns}");
        }
    }
}
