//! Tests of orthonormal columns against the Haar measure, under which all directions are equally likely.

use super::repeats::{collision, duplicates};
use super::{TestResult, without_rounding};
use crate::statistics::ecdf::{Cells, Grid};
use crate::statistics::p_value::{
    fair_coin, kolmogorov_smirnov, sidak, sphere_coordinate, sphere_projection, standard_normal,
};
use crate::tensor::{DType, to_f64};
use crate::text::{figure, grouped};

/// The maximum number of columns per matrix of which the pivots are tested, by their signs only.
const COLUMNS: usize = 32;
/// The maximum number of columns of all matrices whose signs are tested.
const SIGNS: u64 = 4096;
/// The error of arithmetic in single precision, as a share of a length.
const LEAST_TOLERANCE: f64 = 1e-6;

/// Matrices of orthonormal columns: `matrices` after one another, column by column.
pub(super) struct Orthonormal<'a> {
    pub(super) dtype: DType,
    pub(super) values: &'a [f64],
    pub(super) rows: usize,
    /// The number of columns of a matrix, at most `rows`.
    pub(super) columns: usize,
    /// The expected length of each column.
    pub(super) gain: f64,
}

impl Orthonormal<'_> {
    /// The tests that the size of the matrices allows.
    pub(super) fn tests(&self) -> Vec<TestResult> {
        // One row leaves only signs to chance.
        if self.rows < 2 || self.columns == 0 || self.gain == 0.0 {
            return Vec::new();
        }
        let mut cells = Cells::new(Grid::new(self.dtype, 0.0));
        cells.add(self.values);
        let mut tests = vec![self.distance(&cells), self.max_abs(), self.trace(), self.sum(), self.first_column()];
        tests.extend(self.means());
        // A square matrix may have been drawn as its transpose.
        let ways: &[bool] = if self.rows == self.columns { &[false, true] } else { &[false] };
        for &transposed in ways {
            tests.extend(self.columns_signs(transposed));
            tests.push(self.pivots(transposed));
        }
        // Both columns of a rotation of the plane have the same two magnitudes.
        if self.rows > 2 {
            tests.push(duplicates(self.values, collision(&cells, self.values, 0.0)));
        }
        tests
    }

    fn matrices(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.rows * self.columns)
    }

    fn count(&self) -> u64 {
        (self.values.len() / (self.rows * self.columns)) as u64
    }

    /// Tests the distribution of the entries, counted as the degrees of freedom of the matrices.
    fn distance(&self, cells: &Cells) -> TestResult {
        let (rows, gain) = (self.rows as u64, self.gain.abs());
        let cdf = |x: f64| 0.5 + x.signum() * 0.5 * (1.0 - sphere_coordinate(x / gain, rows));
        let statistic = cells.distance(&cdf, Some((-gain, gain)));
        let free = self.columns as u64 * rows - (self.columns * (self.columns + 1) / 2) as u64;
        TestResult {
            name: "distance".into(),
            statistic,
            p_value: kolmogorov_smirnov(statistic, (free * self.count()).max(1)),
            text: format!(
                "the distribution function of the entries differs from that of a random orthogonal matrix by {}",
                figure(statistic)
            ),
        }
    }

    fn max_abs(&self) -> TestResult {
        let (number, largest) = furthest(self.values.iter().copied());
        let coordinate = -self.dtype.next_up(-largest.abs()) / self.gain.abs();
        let (matrix, entry) = (number / (self.rows * self.columns), number % (self.rows * self.columns));
        TestResult {
            name: "largest entry".into(),
            statistic: largest,
            p_value: sidak(sphere_coordinate(coordinate, self.rows as u64), self.values.len() as u64),
            text: format!(
                "an entry is {}, above the norm of its column, {}: column {}, row {}{}",
                figure(largest),
                figure(self.gain.abs()),
                entry / self.rows,
                entry % self.rows,
                self.of(matrix)
            ),
        }
    }

    /// Traces are nearly normal even for the smallest matrices (Diaconis and Shahshahani 1994).
    fn trace(&self) -> TestResult {
        let spread = (to_f64(self.columns as u64) / to_f64(self.rows as u64)).sqrt();
        let traces = self.matrices().map(|matrix| (0..self.columns).map(|at| matrix[at * self.rows + at]).sum::<f64>());
        let (number, trace) = furthest(traces.map(|trace| trace / self.gain));
        TestResult {
            name: "trace".into(),
            statistic: trace,
            p_value: sidak(standard_normal(trace / spread), self.count()),
            text: format!(
                "the trace{} over gain is {trace:.4}; random ones have standard deviation {spread:.4}",
                self.of(number)
            ),
        }
    }

    /// The sum of all entries, a coordinate of a random direction times a length.
    fn sum(&self) -> TestResult {
        let lengths = to_f64((self.rows * self.columns) as u64).sqrt() * self.gain;
        let (number, sum) = furthest(self.matrices().map(|matrix| matrix.iter().sum::<f64>() / lengths));
        self.coordinate("sum", sum, &format!("the sum of all entries{}", self.of(number)))
    }

    fn first_column(&self) -> TestResult {
        let length = to_f64(self.rows as u64).sqrt() * self.gain;
        let (number, sum) = furthest(self.matrices().map(|matrix| matrix[..self.rows].iter().sum::<f64>() / length));
        self.coordinate("first column", sum, &format!("the sum of the first column{}", self.of(number)))
    }

    /// The largest amount by which rounding of the entries moves their sum, divided by the length of a row times that of a column.
    fn tolerance(&self) -> f64 {
        let half_a_step = 0.5f64.powi(self.dtype.mantissa_bits().cast_signed() + 1);
        LEAST_TOLERANCE + half_a_step * to_f64(self.columns as u64).sqrt()
    }

    fn coordinate(&self, name: &str, cosine: f64, what: &str) -> TestResult {
        let least = without_rounding(cosine, 0.0, self.tolerance());
        TestResult {
            name: name.into(),
            statistic: cosine,
            p_value: sidak(sphere_coordinate(least, self.rows as u64), self.count()),
            text: format!("{what} is {cosine:+.4} of its maximum"),
        }
    }

    /// The squared projection of the direction with equal coordinates onto the columns.
    fn means(&self) -> Option<TestResult> {
        if self.columns >= self.rows {
            return None;
        }
        let squares = self.matrices().map(|matrix| {
            let sums = matrix.chunks_exact(self.rows).map(|column| column.iter().sum::<f64>() / self.gain);
            sums.map(|sum| sum * sum).sum::<f64>() / to_f64(self.rows as u64)
        });
        let expected = (to_f64(self.columns as u64) / to_f64(self.rows as u64)).sqrt();
        let probability = |square: f64| {
            let length = without_rounding(square.sqrt(), expected, self.tolerance());
            sphere_projection(length * length, self.columns as u64, self.rows as u64)
        };
        let (number, square) =
            (0..).zip(squares).min_by(|one, other| probability(one.1).total_cmp(&probability(other.1)))?;
        Some(TestResult {
            name: "means".into(),
            statistic: square,
            p_value: sidak(probability(square), self.count()),
            text: format!("the means of the columns{} are {:.4} of their maximum", self.of(number), square.sqrt()),
        })
    }

    /// A column of a matrix, or of its transpose, over the gain.
    fn column(&self, matrix: &[f64], column: usize, transposed: bool) -> Vec<f64> {
        let rows = self.rows;
        let at = |row: usize| if transposed { matrix[row * rows + column] } else { matrix[column * rows + row] };
        (0..rows).map(|row| at(row) / self.gain).collect()
    }

    /// Signs by which columns may have been normalised. Each is positive with probability 1/2.
    fn columns_signs(&self, transposed: bool) -> Vec<TestResult> {
        let mut positive = [0; 3];
        for matrix in self.matrices() {
            for number in 0..self.columns {
                let column = self.column(matrix, number, transposed);
                let signs = [furthest(column.iter().copied()).1, column[0], column.iter().sum()];
                positive.iter_mut().zip(signs).for_each(|(count, sign)| *count += u64::from(sign > 0.0));
            }
        }
        let (of, count) = (Self::side(transposed), self.count() * self.columns as u64);
        let words = ["largest entry", "first entry", "sum"].into_iter().zip(positive);
        let test = |(what, positive)| TestResult {
            name: format!("signs of the {what}{of}"),
            statistic: to_f64(positive),
            p_value: fair_coin(positive, count),
            text: format!("the {what} is positive in {} of {} columns{of}", grouped(positive), grouped(count)),
        };
        words.map(test).collect()
    }

    fn side(transposed: bool) -> &'static str {
        if transposed { " of the transpose" } else { "" }
    }

    /// The signs of the diagonal of R in a Householder decomposition of the matrices, or of their transposes. Each is negative with
    /// probability 1/2, unless the matrices are themselves the Q of such a decomposition.
    fn pivots(&self, transposed: bool) -> TestResult {
        // The last column of a square matrix is determined by the others.
        let each = COLUMNS.min(self.columns).min(self.rows - 1);
        let (mut count, mut negative) = (0, 0);
        for matrix in self.matrices() {
            if count >= SIGNS {
                break;
            }
            count += each as u64;
            negative += negative_pivots((0..each).map(|number| self.column(matrix, number, transposed)).collect());
        }
        let of = Self::side(transposed);
        TestResult {
            name: format!("signs of pivots{of}"),
            statistic: to_f64(negative),
            p_value: fair_coin(negative, count),
            text: format!(
                "{} of {} pivots of a QR decomposition{of} are negative, as if its signs had not been made random",
                grouped(negative),
                grouped(count)
            ),
        }
    }

    fn of(&self, matrix: usize) -> String {
        if self.count() > 1 { format!(" of matrix {matrix}") } else { String::new() }
    }
}

/// The number of negative pivots as the columns are reflected onto the axes in turn.
fn negative_pivots(mut columns: Vec<Vec<f64>>) -> u64 {
    let mut negative = 0;
    for step in 0..columns.len() {
        let (done, rest) = columns.split_at_mut(step + 1);
        let pivot = &mut done[step][step..];
        negative += u64::from(pivot[0] < 0.0);
        let length = pivot.iter().map(|value| value * value).sum::<f64>().sqrt();
        pivot[0] += length.copysign(pivot[0]);
        let square = pivot.iter().map(|value| value * value).sum::<f64>();
        for column in rest.iter_mut().filter(|_| square > 0.0) {
            let along = pivot.iter().zip(&column[step..]).map(|(one, other)| one * other).sum::<f64>();
            let factor = 2.0 * along / square;
            column[step..].iter_mut().zip(&*pivot).for_each(|(value, part)| *value -= factor * part);
        }
    }
    negative
}

/// The first number of the largest magnitude, after its index.
fn furthest(numbers: impl Iterator<Item = f64>) -> (usize, f64) {
    numbers.enumerate().fold(
        (0, 0.0),
        |worst: (usize, f64), (place, number)| if number.abs() > worst.1.abs() { (place, number) } else { worst },
    )
}
