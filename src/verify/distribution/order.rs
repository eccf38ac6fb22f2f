//! Tests that the order of the values is random: neighbours, mirrored, transposed and repeated halves, and means of slices.
//!
//! Each value is replaced by its rank, from -1 to 1. For independent values of any distribution all orders of the ranks are equally
//! likely. Sums of ranks, and of products of ranks, over the root of the sum of their squares are standard normal. If the ranks are
//! symmetric about 0, the tails are lighter than those of a normal for any count (Hoeffding 1963). The ranks of distributions with few
//! distinct values are not symmetric; those are tested only if there are enough values.

use super::TestResult;
use super::excerpt::Axis;
use super::pairing::{Pairing, pairings};
use crate::statistics::ecdf::Cells;
use crate::statistics::p_value::{chi_squared, poisson_bound, sidak, standard_normal};
use crate::tensor::to_f64;

/// The minimum number of products or values for a test.
const FEWEST: f64 = 16.0;

/// The suffix of the names of tests of magnitudes.
const MAGNITUDES: &str = " of magnitudes";

/// A number for each value of a block, with mean 0 over all values of the tensor.
struct Scores {
    /// A suffix for the names of tests.
    of: &'static str,
    values: Vec<f32>,
    skew: f64,
    /// The mean of their squares.
    square: f64,
}

/// Tests a block of values, which are also counted in `cells`. Omitted values are NaN. `collision` is the probability that two values have
/// the same magnitude.
pub(super) fn test(axes: &[Axis], block: &[f64], cells: &Cells, collision: f64) -> Vec<TestResult> {
    let scores = [Scores::ranks(block, cells), Scores::magnitudes(block, cells)];
    let mut tests: Vec<TestResult> =
        pairings(axes).iter().flat_map(|pairing| pairs(pairing, block, &scores, collision)).collect();
    // Of two equally sure findings, the report shows the one for ranks first, as it is more informative.
    tests.sort_by_key(|test| test.name.contains(MAGNITUDES));
    for scores in &scores {
        for axis in (0..axes.len()).filter(|_| axes.len() > 1) {
            tests.extend(slices(axes, axis, scores));
        }
    }
    tests
}

impl Scores {
    fn ranks(block: &[f64], cells: &Cells) -> Self {
        let (ranks, skew) = cells.ranks(&|rank| rank);
        Self::new("", block, cells, &ranks, skew)
    }

    fn magnitudes(block: &[f64], cells: &Cells) -> Self {
        let (ranks, skew) = cells.ranks(&f64::abs);
        Self::new(MAGNITUDES, block, cells, &ranks, skew)
    }

    /// The scores of values, of which `list` has one for each cell; 0 for NaN.
    fn new(of: &'static str, block: &[f64], cells: &Cells, list: &[f32], skew: f64) -> Self {
        let score = |&value: &f64| if value.is_nan() { 0.0 } else { cells.of(value, list) };
        let values: Vec<f32> = block.iter().map(score).collect();
        let squares: f64 = values.iter().map(|&value| f64::from(value) * f64::from(value)).sum();
        let square = squares / to_f64(values.len().max(1) as u64);
        Self { of, values, skew, square }
    }

    /// The correlation of pairs; `None` if there are too few, or if all scores are 0.
    fn correlation(&self, pairing: &Pairing, Products { sum, squares, count }: Products) -> Option<TestResult> {
        if squares == 0.0 || !self.suffice(to_f64(count) * pairing.once(), 2) {
            return None;
        }
        let (of, correlation) = (self.of, sum / (self.square * to_f64(count)));
        Some(TestResult {
            name: pairing.name("", of),
            statistic: correlation,
            p_value: standard_normal(sum / squares.sqrt() * pairing.once().sqrt()),
            text: format!("{} are correlated: the correlation of ranks{of} is {correlation:+.4}", pairing.text),
        })
    }

    /// True if a sum of `count` scores, or of products of `power` scores, is nearly symmetric.
    fn suffice(&self, count: f64, power: i32) -> bool {
        // Then the next term of Edgeworth's series at 6 standard deviations is at most a third.
        count >= FEWEST && count >= (150.0 * self.skew.powi(power)).powi(2)
    }
}

/// Products of the scores in each pair.
#[derive(Clone, Copy, Default)]
struct Products {
    sum: f64,
    squares: f64,
    /// The number of nonzero products.
    count: u64,
}

/// Tests pairs for equal magnitudes and for correlated scores, in one pass, because the values of a pair lie far apart in memory.
fn pairs(pairing: &Pairing, block: &[f64], scores: &[Scores; 2], collision: f64) -> Vec<TestResult> {
    let (mut count, mut equal, mut products) = (0u64, 0u64, [Products::default(); 2]);
    pairing.for_each(|first, second| {
        let (one, other) = (block[first].abs(), block[second].abs());
        count += u64::from(!one.is_nan() && !other.is_nan());
        equal += u64::from(one.to_bits() == other.to_bits() && !one.is_nan());
        for (products, scores) in products.iter_mut().zip(scores) {
            let product = f64::from(scores.values[first]) * f64::from(scores.values[second]);
            products.sum += product;
            products.squares += product * product;
            products.count += u64::from(product != 0.0);
        }
    });
    let (count, equal) = (to_f64(count) * pairing.once(), to_f64(equal) * pairing.once());
    let expected = count * collision;
    let magnitudes = TestResult {
        name: pairing.name("equal ", ""),
        statistic: equal,
        p_value: poisson_bound(equal, expected),
        text: format!(
            "{} have the same magnitude in {equal} of {count} pairs; {expected:.3e} are expected",
            pairing.text
        ),
    };
    let correlated = scores.iter().zip(products).filter_map(|(scores, products)| scores.correlation(pairing, products));
    (count > 0.0).then_some(magnitudes).into_iter().chain(correlated).collect()
}

/// Tests the means of the slices of an axis: their variance, and the one furthest from 0.
fn slices(axes: &[Axis], axis: usize, scores: &Scores) -> Vec<TestResult> {
    let Axis { number, length, .. } = axes[axis];
    let inner: usize = axes[axis + 1..].iter().map(|axis| axis.length).product();
    let each = scores.values.len() / length.max(1);
    if length < 2 || !scores.suffice(to_f64(each as u64), 1) {
        return Vec::new();
    }
    let mut sums = vec![(0.0, 0.0); length];
    for (run, values) in scores.values.chunks_exact(inner.max(1)).enumerate() {
        let (sum, squares) = &mut sums[run % length];
        for value in values.iter().copied().map(f64::from) {
            *sum += value;
            *squares += value * value;
        }
    }
    let scores_of_means: Vec<f64> =
        sums.iter().map(|(sum, squares)| if *squares > 0.0 { sum / squares.sqrt() } else { 0.0 }).collect();
    let total: f64 = scores_of_means.iter().map(|z| z * z).sum();
    let worse = |worst: (usize, f64), (at, z): (usize, f64)| if z.abs() > worst.1.abs() { (at, z) } else { worst };
    let (furthest, z) = scores_of_means.iter().copied().enumerate().fold((0, 0.0), worse);
    let occupied = sums.iter().filter(|(_, squares)| *squares > 0.0).count() as u64;
    // The scores of the full tensor sum to 0.
    let is_full = axes.iter().all(|axis| axis.size == axis.length as u64);
    let freedom = occupied.saturating_sub(u64::from(is_full));
    if freedom == 0 {
        return Vec::new();
    }
    let at = furthest as u64 + axes[axis].low;
    let of = scores.of;
    let (singular, plural) = match (axes.len(), axis) {
        (2, 0) => (format!("row {at}"), "rows".into()),
        (2, _) => (format!("column {at}"), "columns".into()),
        _ => (format!("slice {at} of axis {number}"), format!("slices of axis {number}")),
    };
    vec![
        TestResult {
            name: format!("means{of}, axis {number}"),
            statistic: total / to_f64(freedom),
            p_value: chi_squared(total, freedom),
            text: format!(
                "the mean ranks{of} of the {length} {plural} have {:.4} times the expected variance",
                total / to_f64(freedom)
            ),
        },
        TestResult {
            name: format!("furthest mean{of}, axis {number}"),
            statistic: z,
            p_value: sidak(standard_normal(z), occupied),
            text: format!("the mean rank{of} of {singular} is {z:+.2} standard errors from 0"),
        },
    ]
}
