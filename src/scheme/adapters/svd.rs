//! Factors of a matrix for adapters: singular vectors, or an orthogonal and a triangular matrix.

use nalgebra::DMatrix;

/// The first factors of a matrix: `left` (rows x count) and `right` (count x columns), both row-major, and a weight for each pair.
pub(super) struct Factors {
    pub(super) left: Vec<f64>,
    pub(super) weights: Vec<f64>,
    pub(super) right: Vec<f64>,
}

/// The `count` largest singular values of a `rows` x `columns` matrix, row-major, with their vectors. Signs make the largest element of
/// each left vector positive (the first of several).
pub(super) fn singular(matrix: &[f64], [rows, columns]: [usize; 2], count: usize) -> Factors {
    let shorter = rows.min(columns);
    let (matrix, exponent) = brought_near_one(matrix);
    let whole = DMatrix::from_row_slice(rows, columns, &matrix);
    // The limit ends an iteration that does not converge; a few steps for each singular value are usual.
    let found = whole.try_svd(true, true, 5.0 * f64::EPSILON, 1000 * shorter.max(1));
    let found = found.and_then(|found| Some((found.u?, found.singular_values, found.v_t?)));
    // Of some matrices of low rank it finds vectors that are none.
    let found = found.filter(|(left, weights, right)| make_again(&matrix, left, weights.as_slice(), right));
    let (left, weights, right) = match found {
        Some((left, weights, right)) => (
            columns_of(&left, count),
            weights.iter().take(count).copied().collect(),
            columns_of(&right.transpose(), count),
        ),
        None => jacobi(&matrix, [rows, columns], count),
    };
    let weights = weights.into_iter().map(|weight: f64| libm::scalbn(weight, exponent)).collect();
    assembled(left, weights, right, [rows, columns])
}

/// The matrix scaled by a power of two, which is exact and keeps its squares in range, and the exponent removed.
fn brought_near_one(matrix: &[f64]) -> (Vec<f64>, i32) {
    let largest = matrix.iter().fold(0f64, |largest, value| largest.max(value.abs()));
    let exponent = if largest > 0.0 { libm::ilogb(largest) } else { 0 };
    (matrix.iter().map(|value| libm::scalbn(*value, -exponent)).collect(), exponent)
}

/// True if the product of the factors is a row-major matrix of values near 1.
fn make_again(matrix: &[f64], left: &DMatrix<f64>, weights: &[f64], right: &DMatrix<f64>) -> bool {
    let columns = right.ncols();
    let largest = weights.iter().fold(1f64, |largest, weight| largest.max(*weight));
    matrix.iter().enumerate().all(|(index, value)| {
        let (row, column) = (index / columns, index % columns);
        let made: f64 =
            weights.iter().enumerate().map(|(at, weight)| left[(row, at)] * weight * right[(at, column)]).sum();
        (made - value).abs() <= 1e-11 * largest
    })
}

/// Q and R of a `rows` x `columns` matrix, row-major: the first `count` columns and rows. The diagonal of R is not negative.
pub(super) fn triangular(matrix: &[f64], [rows, columns]: [usize; 2], count: usize) -> Factors {
    let (matrix, exponent) = brought_near_one(matrix);
    let decomposed = DMatrix::from_row_slice(rows, columns, &matrix).qr();
    let (left, right) = (columns_of(&decomposed.q(), count), columns_of(&decomposed.r().transpose(), count));
    let signed = |side: Vec<Vec<f64>>| -> Vec<Vec<f64>> {
        let sign = |number: usize| if right[number][number] < 0.0 { -1.0 } else { 1.0 };
        let flipped = side.into_iter().enumerate();
        flipped.map(|(number, line)| line.iter().map(|value| value * sign(number)).collect()).collect()
    };
    let (left, right) = (signed(left), signed(right.clone()));
    let right = right.concat().into_iter().map(|value| libm::scalbn(value, exponent)).collect();
    Factors { left: turned(&left, rows), weights: vec![1.0; count], right }
}

fn columns_of(matrix: &DMatrix<f64>, count: usize) -> Vec<Vec<f64>> {
    matrix.column_iter().take(count).map(|column| column.iter().copied().collect()).collect()
}

/// Columns as a row-major matrix.
fn turned(columns: &[Vec<f64>], rows: usize) -> Vec<f64> {
    (0..rows).flat_map(|row| columns.iter().map(move |column| column[row])).collect()
}

/// Normalises the signs of pairs of vectors.
fn assembled(mut left: Vec<Vec<f64>>, weights: Vec<f64>, mut right: Vec<Vec<f64>>, [rows, _]: [usize; 2]) -> Factors {
    for (one, other) in left.iter_mut().zip(&mut right) {
        let largest =
            one.iter().fold(0f64, |largest, value| if value.abs() > largest.abs() { *value } else { largest });
        if largest < 0.0 {
            for value in one.iter_mut().chain(other) {
                *value = -*value;
            }
        }
    }
    Factors { left: turned(&left, rows), weights, right: right.concat() }
}

/// Left vectors, singular values and right vectors.
type Pairs = (Vec<Vec<f64>>, Vec<f64>, Vec<Vec<f64>>);

/// One-sided Jacobi rotations of rows or columns, whichever are fewer (Hestenes 1958). Slow, but always converges.
fn jacobi(matrix: &[f64], [rows, columns]: [usize; 2], count: usize) -> Pairs {
    let tall = rows >= columns;
    let at = |row: usize, column: usize| matrix[row * columns + column];
    let (lines, length) = if tall { (columns, rows) } else { (rows, columns) };
    let line =
        |number| (0..length).map(move |place| if tall { at(place, number) } else { at(number, place) }).collect();
    let mut long: Vec<Vec<f64>> = (0..lines).map(line).collect();
    let unit = |number| (0..lines).map(|place| if place == number { 1.0 } else { 0.0 }).collect();
    let mut short: Vec<Vec<f64>> = (0..lines).map(unit).collect();
    let dot = |one: &[f64], other: &[f64]| one.iter().zip(other).map(|(one, other)| one * other).sum::<f64>();
    for _ in 0..60 {
        let mut turned = false;
        for one in 0..lines {
            for other in one + 1..lines {
                let product = dot(&long[one], &long[other]);
                let (square, further) = (dot(&long[one], &long[one]), dot(&long[other], &long[other]));
                if product == 0.0 || product.abs() <= f64::EPSILON * (square * further).sqrt() {
                    continue;
                }
                turned = true;
                let middle = (further - square) / (2.0 * product);
                let sign = if middle < 0.0 { -1.0 } else { 1.0 };
                let tangent = sign / (middle.abs() + (1.0 + middle * middle).sqrt());
                let cosine = 1.0 / (1.0 + tangent * tangent).sqrt();
                let sine = cosine * tangent;
                for side in [&mut long, &mut short] {
                    let (before, after) = side.split_at_mut(other);
                    for (a, b) in before[one].iter_mut().zip(&mut after[0]) {
                        (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
                    }
                }
            }
        }
        if !turned {
            break;
        }
    }
    let mut order: Vec<(f64, usize)> = long.iter().map(|line| dot(line, line).sqrt()).zip(0..).collect();
    order.sort_by(|one, other| other.0.total_cmp(&one.0));
    order.truncate(count);
    let weights: Vec<f64> = order.iter().map(|(weight, _)| *weight).collect();
    let scaled = |&(weight, number): &(f64, usize)| -> Vec<f64> {
        long[number].iter().map(|value| if weight > 0.0 { value / weight } else { 0.0 }).collect()
    };
    let long: Vec<Vec<f64>> = order.iter().map(scaled).collect();
    let short: Vec<Vec<f64>> = order.iter().map(|&(_, number)| short[number].clone()).collect();
    if tall { (long, weights, short) } else { (short, weights, long) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::matrix::product;

    /// Pseudorandom entries.
    fn matrix(rows: usize, columns: usize) -> Vec<f64> {
        (1..=rows * columns).map(|n| libm::sin(f64::from(u32::try_from(n * n).unwrap()))).collect()
    }

    fn assembled_again(factors: &Factors, [rows, columns]: [usize; 2]) -> Vec<f64> {
        let count = factors.weights.len();
        let weighted: Vec<f64> =
            factors.left.iter().enumerate().map(|(at, value)| value * factors.weights[at % count]).collect();
        product(&weighted, &factors.right, [rows, count, columns])
    }

    #[test]
    fn all_factors_make_the_matrix_again() {
        for [rows, columns] in [[7, 4], [4, 7], [5, 5], [1, 6], [6, 1]] {
            let (matrix, shorter) = (matrix(rows, columns), rows.min(columns));
            for factors in [singular(&matrix, [rows, columns], shorter), triangular(&matrix, [rows, columns], shorter)]
            {
                let again = assembled_again(&factors, [rows, columns]);
                assert!(matrix.iter().zip(again).all(|(one, other)| (one - other).abs() < 1e-13));
            }
        }
    }

    #[test]
    fn both_ways_to_singular_vectors_agree() {
        for sizes in [[7, 4], [4, 7], [6, 6]] {
            let matrix = matrix(sizes[0], sizes[1]);
            let one = singular(&matrix, sizes, 3);
            let (left, weights, right) = jacobi(&matrix, sizes, 3);
            let other = assembled(left, weights, right, sizes);
            let near =
                |one: &[f64], other: &[f64]| one.iter().zip(other).all(|(one, other)| (one - other).abs() < 1e-12);
            assert!(near(&one.weights, &other.weights));
            assert!(near(&one.left, &other.left) && near(&one.right, &other.right));
        }
    }

    #[test]
    fn a_matrix_of_zeros_has_singular_values_of_zero() {
        assert_eq!(singular(&[0.0; 12], [3, 4], 2).weights, [0.0, 0.0]);
    }
}
