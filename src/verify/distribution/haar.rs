//! Tests of orthonormal columns as those of a random matrix, distributed as Haar's measure says: every direction alike.

use super::Test;
use super::repeats::{collision, duplicates};
use super::special::{nearer, of_any, of_coordinate, of_heads, of_projection};
use crate::statistics::ecdf::{Cells, Grid};
use crate::statistics::p_value::{of_distance, of_normal};
use crate::tensor::{DType, to_f64};
use crate::text::{figure, grouped};

/// The number of columns of a matrix that are made triangular: their signs suffice.
const COLUMNS: usize = 32;
/// The number of columns of all matrices together.
const SIGNS: u64 = 4096;
/// The error that arithmetic in single precision may leave, as a share of a length.
const LEAST_SLACK: f64 = 1e-6;

/// Matrices of orthonormal columns: `matrices` after one another, column by column.
pub(super) struct Orthonormal<'a> {
    pub(super) dtype: DType,
    pub(super) values: &'a [f64],
    /// The length of a column.
    pub(super) rows: usize,
    /// The number of columns of a matrix, `rows` at most.
    pub(super) columns: usize,
    /// The length that each column has by the distribution.
    pub(super) gain: f64,
}

impl Orthonormal<'_> {
    /// All tests that the size of the matrices allows.
    pub(super) fn tests(&self) -> Vec<Test> {
        // Of one row there are signs alone.
        if self.rows < 2 || self.columns == 0 || self.gain == 0.0 {
            return Vec::new();
        }
        let mut cells = Cells::new(Grid::new(self.dtype, 0.0));
        cells.add(self.values);
        let mut tests = vec![self.distance(&cells), self.max_abs(), self.trace(), self.sum(), self.first_column()];
        tests.extend(self.means());
        // Nobody knows which way a square matrix was drawn.
        let ways: &[bool] = if self.rows == self.columns { &[false, true] } else { &[false] };
        for &transposed in ways {
            tests.extend(self.columns_signs(transposed));
            tests.push(self.pivots(transposed));
        }
        // Both columns of a rotation of the plane hold the same two values.
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

    /// The distribution of the entries. As many of them count as the matrices have degrees of freedom.
    fn distance(&self, cells: &Cells) -> Test {
        let (rows, gain) = (self.rows as u64, self.gain.abs());
        let cdf = |x: f64| 0.5 + x.signum() * 0.5 * (1.0 - of_coordinate(x / gain, rows));
        let statistic = cells.distance(&cdf, Some((-gain, gain)));
        let free = self.columns as u64 * rows - (self.columns * (self.columns + 1) / 2) as u64;
        Test {
            name: "distance".into(),
            statistic,
            probability: of_distance(statistic, (free * self.count()).max(1)),
            text: format!(
                "the distribution function of the entries is off that of a random orthogonal matrix by {}",
                figure(statistic)
            ),
        }
    }

    fn max_abs(&self) -> Test {
        let (number, largest) = furthest(self.values.iter().copied());
        let coordinate = -self.dtype.next_up(-largest.abs()) / self.gain.abs();
        let (matrix, entry) = (number / (self.rows * self.columns), number % (self.rows * self.columns));
        Test {
            name: "largest entry".into(),
            statistic: largest,
            probability: of_any(of_coordinate(coordinate, self.rows as u64), self.values.len() as u64),
            text: format!(
                "an entry is {} where columns have length {}: that of column {} and row {}{}",
                figure(largest),
                figure(self.gain.abs()),
                entry / self.rows,
                entry % self.rows,
                self.of(matrix)
            ),
        }
    }

    /// Traces are as good as normal from the smallest matrices on (Diaconis and Shahshahani 1994).
    fn trace(&self) -> Test {
        let spread = (to_f64(self.columns as u64) / to_f64(self.rows as u64)).sqrt();
        let traces = self.matrices().map(|matrix| (0..self.columns).map(|at| matrix[at * self.rows + at]).sum::<f64>());
        let (number, trace) = furthest(traces.map(|trace| trace / self.gain));
        Test {
            name: "trace".into(),
            statistic: trace,
            probability: of_any(of_normal(trace / spread), self.count()),
            text: format!(
                "the trace{} over gain is {trace:.4}, and that of random ones strays by {spread:.4}",
                self.of(number)
            ),
        }
    }

    /// The sum of all entries, as far as it is a coordinate of a random direction.
    fn sum(&self) -> Test {
        let lengths = to_f64((self.rows * self.columns) as u64).sqrt() * self.gain;
        let (number, sum) = furthest(self.matrices().map(|matrix| matrix.iter().sum::<f64>() / lengths));
        self.coordinate("sum", sum, &format!("the sum of all entries{}", self.of(number)))
    }

    fn first_column(&self) -> Test {
        let length = to_f64(self.rows as u64).sqrt() * self.gain;
        let (number, sum) = furthest(self.matrices().map(|matrix| matrix[..self.rows].iter().sum::<f64>() / length));
        self.coordinate("first column", sum, &format!("the sum of the first column{}", self.of(number)))
    }

    /// The most by which rounded entries move the sum of all of them, over the length of a row times that of a column.
    fn slack(&self) -> f64 {
        let half_a_step = 0.5f64.powi(self.dtype.mantissa_bits().cast_signed() + 1);
        LEAST_SLACK + half_a_step * to_f64(self.columns as u64).sqrt()
    }

    fn coordinate(&self, name: &str, cosine: f64, what: &str) -> Test {
        let least = nearer(cosine, 0.0, self.slack());
        Test {
            name: name.into(),
            statistic: cosine,
            probability: of_any(of_coordinate(least, self.rows as u64), self.count()),
            text: format!("{what} is {cosine:+.4} of the most that it can be"),
        }
    }

    /// The share of the direction in which all coordinates are equal that the columns hold.
    fn means(&self) -> Option<Test> {
        if self.columns >= self.rows {
            return None;
        }
        let held = self.matrices().map(|matrix| {
            let sums = matrix.chunks_exact(self.rows).map(|column| column.iter().sum::<f64>() / self.gain);
            sums.map(|sum| sum * sum).sum::<f64>() / to_f64(self.rows as u64)
        });
        let expected = (to_f64(self.columns as u64) / to_f64(self.rows as u64)).sqrt();
        let probability = |held: f64| {
            let length = nearer(held.sqrt(), expected, self.slack());
            of_projection(length * length, self.columns as u64, self.rows as u64)
        };
        let (number, held) =
            (0..).zip(held).min_by(|one, other| probability(one.1).total_cmp(&probability(other.1)))?;
        Some(Test {
            name: "means".into(),
            statistic: held,
            probability: of_any(probability(held), self.count()),
            text: format!(
                "the means of the columns{} are {:.4} of the most that they can be",
                self.of(number),
                held.sqrt()
            ),
        })
    }

    /// A column of a matrix, or of its transpose, with the sign that it has for a gain above 0.
    fn column(&self, matrix: &[f64], column: usize, transposed: bool) -> Vec<f64> {
        let rows = self.rows;
        let at = |row: usize| if transposed { matrix[row * rows + column] } else { matrix[column * rows + row] };
        (0..rows).map(|row| at(row) / self.gain).collect()
    }

    /// The signs of columns, by which they may have been normalised: fair coins.
    fn columns_signs(&self, transposed: bool) -> Vec<Test> {
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
        let test = |(what, positive)| Test {
            name: format!("signs of the {what}{of}"),
            statistic: to_f64(positive),
            probability: of_heads(positive, count),
            text: format!("the {what} is positive in {} of {} columns{of}", grouped(positive), grouped(count)),
        };
        words.map(test).collect()
    }

    fn side(transposed: bool) -> &'static str {
        if transposed { " of the transpose" } else { "" }
    }

    /// The signs that the decomposition of Householder gives the diagonal of R, of the matrices or, if they are square, of their
    /// transposes: fair coins, unless the matrices are what such a decomposition has left.
    fn pivots(&self, transposed: bool) -> Test {
        // The last column of a square matrix has no choice left.
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
        Test {
            name: format!("signs of pivots{of}"),
            statistic: to_f64(negative),
            probability: of_heads(negative, count),
            text: format!(
                "of {} pivots of a QR decomposition{of} {} are negative, as if its signs had not been made random",
                grouped(count),
                grouped(negative)
            ),
        }
    }

    fn of(&self, matrix: usize) -> String {
        if self.count() > 1 { format!(" of matrix {matrix}") } else { String::new() }
    }
}

/// The number of negative pivots as columns are reflected onto the axes, one after the other.
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

/// The first number of the largest magnitude, and which it is.
fn furthest(numbers: impl Iterator<Item = f64>) -> (usize, f64) {
    numbers.enumerate().fold(
        (0, 0.0),
        |worst: (usize, f64), (place, number)| if number.abs() > worst.1.abs() { (place, number) } else { worst },
    )
}
