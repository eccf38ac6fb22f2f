//! Orthonormal rows or columns.

use anyhow::Result;
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

use super::excerpt::Excerpt;
use super::haar::Orthonormal;
use super::repeats::Runs;
use super::{Settings, Trace, Verdict, check_memory};
use crate::plan::Tensor;
use crate::reader::Contents;
use crate::tensor::{Unfolding, to_usize};
use crate::text::figure;

/// Along how many random directions a matrix is tried. One direction misses a fault with a chance of about nothing; more of them
/// measure it better.
const DIRECTIONS: usize = 8;

/// The probability that two entries are equal, in the shortest dtype.
const COLLISION: f64 = 0.01;

/// Whether W^T W = gain² I for each matrix of a tensor (W W^T where there are fewer rows than columns), by what it does to random
/// vectors of signs: the root mean square of W^T W x / gain² - x is that of the rows of W^T W / gain² - I.
pub(super) fn test(
    tensor: &Tensor,
    gain: f64,
    unfolding: &Unfolding,
    contents: &mut Contents,
    entry: usize,
    settings: Settings,
) -> Result<Verdict> {
    check_memory(tensor, tensor.spec.shape.count().saturating_mul(24), settings.limit)?;
    let (rows, columns) = (to_usize(unfolding.rows()), to_usize(unfolding.columns()));
    let mut matrices = vec![0.0; to_usize(tensor.spec.shape.count())];
    let (excerpt, mut index) = (Excerpt::new(&tensor.spec.shape), 0);
    contents.read(entry, &mut |values| {
        excerpt.take(index, values);
        for &value in values {
            let place = unfolding.place(index);
            let row = to_usize(place.matrix) * rows + to_usize(place.row);
            matrices[row * columns + to_usize(place.column)] = value;
            index += 1;
        }
    })?;
    // Rounding moves each value by half a unit in its last place at most, and the products by as much as one of them.
    let tolerance = 1e-5 + 8.0 * 0.5f64.powi(i32::try_from(tensor.spec.dtype.mantissa_bits()).unwrap_or(0) + 1);
    let mut worst = (0.0, 0);
    if rows * columns > 0 {
        for (number, matrix) in matrices.chunks_exact(rows * columns).enumerate() {
            let off = off(matrix, rows, columns, gain, number as u64);
            // A NaN is worse than any number.
            if off.is_nan() || off > worst.0 {
                worst = (off, number);
            }
        }
    }
    let (off, number) = worst;
    let mut verdict = Verdict::default();
    if off.is_nan() || off > tolerance {
        let (which, of) = if rows < columns { ("rows", "W W^T") } else { ("columns", "W^T W") };
        let matrix = if unfolding.matrices() > 1 { format!(" of matrix {number}") } else { String::new() };
        verdict.faults.push(format!(
            "the {which}{matrix} are not orthogonal of length {}: {of} / gain² is off I by {} where {} is allowed",
            figure(gain.abs()),
            figure(off),
            figure(tolerance)
        ));
        return Ok(verdict);
    }
    let (longer, shorter) = (rows.max(columns), rows.min(columns));
    if rows >= columns && rows * columns > 0 {
        matrices = matrices.chunks_exact(rows * columns).flat_map(|matrix| transposed(matrix, columns)).collect();
    }
    let columns = Orthonormal { dtype: tensor.spec.dtype, values: &matrices, rows: longer, columns: shorter, gain };
    verdict.tests = columns.tests();
    verdict.trace =
        Some(Trace::new(matrices.len() as u64, &excerpt.block(), Runs::default(), COLLISION, settings.values));
    Ok(verdict)
}

/// The columns of a matrix, one after the other.
fn transposed(matrix: &[f64], columns: usize) -> impl Iterator<Item = f64> {
    (0..columns).flat_map(move |column| matrix.iter().skip(column).step_by(columns).copied())
}

/// The root mean square of what W^T W / gain² - I makes of random signs, on the shorter side.
fn off(matrix: &[f64], rows: usize, columns: usize, gain: f64, stream: u64) -> f64 {
    let mut words = ChaCha8Rng::seed_from_u64(stream);
    let shorter = rows.min(columns);
    let (mut squares, mut count) = (0.0, 0.0);
    for _ in 0..DIRECTIONS {
        let signs: Vec<f64> = (0..shorter).map(|_| if words.next_u32() & 1 == 0 { 1.0 } else { -1.0 }).collect();
        let image = if rows < columns {
            times(matrix, columns, &across(matrix, columns, &signs))
        } else {
            across(matrix, columns, &times(matrix, columns, &signs))
        };
        for (value, sign) in image.iter().zip(&signs) {
            squares += (value / (gain * gain) - sign).powi(2);
            count += 1.0;
        }
    }
    (squares / count).sqrt()
}

/// W x.
fn times(matrix: &[f64], columns: usize, vector: &[f64]) -> Vec<f64> {
    matrix.chunks_exact(columns).map(|row| row.iter().zip(vector).map(|(a, b)| a * b).sum()).collect()
}

/// W^T x.
fn across(matrix: &[f64], columns: usize, vector: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; columns];
    for (row, factor) in matrix.chunks_exact(columns).zip(vector) {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += factor * value);
    }
    sums
}
