//! Tests of matrices with orthogonal rows or columns.

use anyhow::Result;
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

use super::excerpt::Excerpt;
use super::haar::Orthonormal;
use super::repeats::RunHashes;
use super::{Fingerprint, GoodnessOfFit, TestOptions, check_memory};
use crate::distribution::TensorSpec;
use crate::reader::Contents;
use crate::tensor::{Unfolding, to_usize};
use crate::text::figure;

/// The number of random directions in which a matrix is tested. One almost surely finds an error; more measure it better.
const DIRECTIONS: usize = 8;

/// A bound on the probability that two entries are equal, for any dtype.
const COLLISION: f64 = 0.01;

/// Tests that W^T W = gain² I for each matrix of a tensor (W W^T if it has fewer rows than columns), then the Haar measure.
///
/// The product is applied to random vectors x of signs: the root mean square of W^T W x / gain² - x is that of the rows of
/// W^T W / gain² - I.
pub(super) fn test(
    tensor: &TensorSpec,
    gain: f64,
    unfolding: &Unfolding,
    contents: &mut Contents,
    entry: usize,
    options: TestOptions,
) -> Result<GoodnessOfFit> {
    check_memory(tensor, tensor.shape.count().saturating_mul(24), options.max_memory)?;
    let (rows, columns) = (to_usize(unfolding.rows()), to_usize(unfolding.columns()));
    let mut matrices = vec![0.0; to_usize(tensor.shape.count())];
    let (excerpt, mut index) = (Excerpt::new(&tensor.shape), 0);
    contents.read(entry, &mut |values| {
        excerpt.add(index, values);
        for &value in values {
            let at = unfolding.place(index);
            let row = to_usize(at.matrix) * rows + to_usize(at.row);
            matrices[row * columns + to_usize(at.column)] = value;
            index += 1;
        }
    })?;
    // Rounding moves each value by at most half a unit in the last place, and the products by about as much.
    let tolerance = 1e-5 + 8.0 * 0.5f64.powi(i32::try_from(tensor.dtype.mantissa_bits()).unwrap_or(0) + 1);
    let mut worst = (0.0, 0);
    if rows * columns > 0 {
        for (number, matrix) in matrices.chunks_exact(rows * columns).enumerate() {
            let error = error(matrix, rows, columns, gain, number as u64);
            if error.is_nan() || error > worst.0 {
                worst = (error, number);
            }
        }
    }
    let (error, number) = worst;
    let mut fit = GoodnessOfFit::default();
    if error.is_nan() || error > tolerance {
        let (which, of) = if rows < columns { ("rows", "W W^T") } else { ("columns", "W^T W") };
        let matrix = if unfolding.matrices() > 1 { format!(" of matrix {number}") } else { String::new() };
        fit.faults.push(format!(
            "the {which}{matrix} are not orthogonal with norm {}: {of} / gain^2 differs from I by {}, more than {}",
            figure(gain.abs()),
            figure(error),
            figure(tolerance)
        ));
        return Ok(fit);
    }
    let (longer, shorter) = (rows.max(columns), rows.min(columns));
    if rows >= columns && rows * columns > 0 {
        matrices = matrices.chunks_exact(rows * columns).flat_map(|matrix| transposed(matrix, columns)).collect();
    }
    let columns = Orthonormal { dtype: tensor.dtype, values: &matrices, rows: longer, columns: shorter, gain };
    fit.tests = columns.tests();
    fit.fingerprint = Some(Fingerprint::new(
        matrices.len() as u64,
        &excerpt.block(),
        RunHashes::default(),
        COLLISION,
        options.total_values,
    ));
    Ok(fit)
}

/// The values of a matrix, column by column.
fn transposed(matrix: &[f64], columns: usize) -> impl Iterator<Item = f64> {
    (0..columns).flat_map(move |column| matrix.iter().skip(column).step_by(columns).copied())
}

/// The root mean square of W^T W x / gain² - x over random vectors x of signs, or of W W^T x, whichever is smaller.
fn error(matrix: &[f64], rows: usize, columns: usize, gain: f64, stream: u64) -> f64 {
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
