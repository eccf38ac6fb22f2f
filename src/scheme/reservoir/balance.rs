//! The diagonal similarity that makes a matrix closest to normal: D A D^-1 with the least sum of squares.

use crate::tensor::to_f64;

/// The maximum number of Newton steps; ten are usual.
const STEPS: usize = 60;
/// The tolerance on the scales, relative to their neighbours.
const ENOUGH: f64 = 1e-6;

/// Scales a matrix of `size` x `size`, by columns, with a strongly connected graph. Preserves the eigenvalues.
///
/// The sum of squares is that of `a_ij^2 exp(2 (x_i - x_j))`, convex in the logarithms x of the scales (Osborne 1960). Newton's method
/// finds its minimum; sweeps over rows and columns would take as many as the squared length of the graph.
pub(super) fn balance(block: &mut [f64], size: usize) {
    let squares: Vec<f64> = block.iter().map(|value| value * value).collect();
    let mut logarithms = vec![0.0; size];
    for _ in 0..STEPS {
        let (mut laplacian, mut step) = derivatives(&squares, &logarithms);
        if !solve(&mut laplacian, &mut step) {
            break;
        }
        let largest = edges(&squares, size).fold(0f64, |most, (to, from, _)| most.max((step[to] - step[from]).abs()));
        // Of a sum of exponentials a step that is damped so never goes up.
        let damping = 1.0 / (1.0 + largest);
        logarithms.iter_mut().zip(&step).for_each(|(logarithm, step)| *logarithm += damping * step);
        if largest <= ENOUGH {
            break;
        }
    }
    for (to, from, _) in edges(&squares, size) {
        block[from * size + to] *= libm::exp(logarithms[to] - logarithms[from]);
    }
}

/// The non-zero elements off the diagonal: row, column, value.
fn edges(block: &[f64], size: usize) -> impl Iterator<Item = (usize, usize, f64)> {
    let places = block.iter().enumerate().map(move |(at, &value)| (at % size, at / size, value));
    places.filter(|&(to, from, value)| to != from && value != 0.0)
}

/// Half the second derivatives of the sum, row by row, and half the negated first ones. The first unit is fixed, since only ratios of
/// scales count.
fn derivatives(squares: &[f64], logarithms: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let size = logarithms.len();
    let (mut second, mut first) = (vec![0.0; size * size], vec![0.0; size]);
    for (to, from, square) in edges(squares, size) {
        let weight = square * libm::exp(2.0 * (logarithms[to] - logarithms[from]));
        first[to] -= weight;
        first[from] += weight;
        for unit in [to, from] {
            second[unit * size + unit] += 2.0 * weight;
        }
        second[to * size + from] -= 2.0 * weight;
        second[from * size + to] -= 2.0 * weight;
    }
    second[0] *= 2.0;
    (second, first)
}

/// Solves a positive definite system by an in-place Cholesky decomposition that preserves leading zeros of rows. False if it fails.
fn solve(matrix: &mut [f64], values: &mut [f64]) -> bool {
    let size = values.len();
    let starts: Vec<usize> = (0..size)
        .map(|row| matrix[row * size..].iter().take(row).position(|&value| value != 0.0).unwrap_or(row))
        .collect();
    for row in 0..size {
        for column in starts[row]..=row {
            let start = starts[row].max(starts[column]);
            let (one, other) = (&matrix[row * size..][start..column], &matrix[column * size..][start..column]);
            let sum: f64 = one.iter().zip(other).map(|(one, other)| one * other).sum();
            let rest = matrix[row * size + column] - sum;
            if column < row {
                matrix[row * size + column] = rest / matrix[column * size + column];
            } else if rest > 0.0 {
                matrix[row * size + row] = rest.sqrt();
            } else {
                return false;
            }
        }
    }
    for row in 0..size {
        let sum: f64 = (starts[row]..row).map(|column| matrix[row * size + column] * values[column]).sum();
        values[row] = (values[row] - sum) / matrix[row * size + row];
    }
    for row in (0..size).rev() {
        values[row] /= matrix[row * size + row];
        for column in starts[row]..row {
            values[column] -= matrix[row * size + column] * values[row];
        }
    }
    true
}

/// The largest logarithm tried for the ratio of neighbouring scales, and the number of search steps.
const STEEPEST: f64 = 1.5;
const NARROWINGS: usize = 30;

/// Scales unit i by exp(i t), with the t of the least largest singular value. That value is convex in t (Hadamard's three circles theorem).
/// For a banded Toeplitz matrix it is then as close to the spectral radius as such scales allow.
pub(super) fn tilt(block: &mut [f64], size: usize) {
    let norm = |slope: f64| norm(&tilted(block, size, slope), size);
    // A golden section search.
    let golden = (5f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (-STEEPEST, STEEPEST);
    let mut inner = [high - golden * (high - low), low + golden * (high - low)];
    let mut norms = inner.map(norm);
    for _ in 0..NARROWINGS {
        if norms[0] <= norms[1] {
            high = inner[1];
            inner = [high - golden * (high - low), inner[0]];
            norms = [norm(inner[0]), norms[0]];
        } else {
            low = inner[0];
            inner = [inner[1], low + golden * (high - low)];
            norms = [norms[1], norm(inner[1])];
        }
    }
    let best = tilted(block, size, f64::midpoint(low, high));
    if best.iter().all(|value| value.is_finite()) {
        block.copy_from_slice(&best);
    }
}

fn tilted(block: &[f64], size: usize, slope: f64) -> Vec<f64> {
    let scaled = |(at, &value): (usize, &f64)| match value == 0.0 {
        true => 0.0,
        false => value * libm::exp(slope * (to_f64((at % size) as u64) - to_f64((at / size) as u64))),
    };
    block.iter().enumerate().map(scaled).collect()
}

/// The number of power iterations for the largest singular value.
const POWERS: usize = 30;

/// The approximate largest singular value, by the power method; infinite on overflow.
fn norm(block: &[f64], size: usize) -> f64 {
    let mut vector: Vec<f64> =
        (0..size).map(|unit| 1.0 + (to_f64(unit as u64) * 0.618_033_988_749_894_9) % 1.0).collect();
    let mut norm = 0.0;
    for _ in 0..POWERS {
        let mut image = vec![0.0; size];
        for (column, &factor) in block.chunks_exact(size).zip(&vector) {
            image.iter_mut().zip(column).for_each(|(sum, value)| *sum += factor * value);
        }
        let length = |vector: &[f64]| vector.iter().map(|value| value * value).sum::<f64>().sqrt();
        norm = length(&image) / length(&vector);
        if !norm.is_finite() || norm == 0.0 {
            return f64::INFINITY;
        }
        vector = block.chunks_exact(size).map(|column| column.iter().zip(&image).map(|(a, b)| a * b).sum()).collect();
        let length = length(&vector);
        for value in &mut vector {
            *value /= length;
        }
    }
    norm
}
