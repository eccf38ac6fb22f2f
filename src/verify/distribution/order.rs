//! Tests of values that depend on their places: neighbours, mirrored, transposed and repeated halves, and slices of an axis against the rest.
//!
//! Each value is replaced by its rank, from -1 to 1, of which independent values of any distribution have any order with the same probability.
//! Sums of products of such ranks, and of ranks, over the root of the sum of their squares, are standard normal, and their tails are
//! lighter than those of a normal for any count where ranks lie symmetrically about 0 (Hoeffding 1963). Distributions with few values, whose ranks
//! do not, are tested if there are enough of them.

use super::Test;
use super::excerpt::Axis;
use super::pairing::{Pairing, pairings};
use super::special::{of_any, of_as_many, of_chi_squared};
use crate::statistics::ecdf::Cells;
use crate::statistics::p_value::of_normal;
use crate::tensor::to_f64;

/// Fewer products or values than this say too little.
const FEWEST: f64 = 16.0;

/// The ending of the names of tests of magnitudes.
const MAGNITUDES: &str = " of magnitudes";

/// Numbers for values, 0 on average over all values.
struct Scores {
    /// An ending for the names of tests.
    of: &'static str,
    values: Vec<f32>,
    /// The third moment over the third power of the standard deviation.
    skew: f64,
    /// The mean of their squares.
    square: f64,
}

/// Tests a block of values along some axes, which were counted among others. Those that are not numbers do not count. `collision` is the
/// probability that two of them have the same magnitude.
pub(super) fn test(axes: &[Axis], block: &[f64], cells: &Cells, collision: f64) -> Vec<Test> {
    let scores = [Scores::ranks(block, cells), Scores::magnitudes(block, cells)];
    let mut tests: Vec<Test> =
        pairings(axes).iter().flat_map(|pairing| pairs(pairing, block, &scores, collision)).collect();
    // Of tests that are as sure as one another a report begins with those that say more: the ranks' before the magnitudes'.
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

    /// The scores that a list has for the cells of values; 0 for what is not a number.
    fn new(of: &'static str, block: &[f64], cells: &Cells, list: &[f32], skew: f64) -> Self {
        let score = |&value: &f64| if value.is_nan() { 0.0 } else { cells.of(value, list) };
        let values: Vec<f32> = block.iter().map(score).collect();
        let squares: f64 = values.iter().map(|&value| f64::from(value) * f64::from(value)).sum();
        let square = squares / to_f64(values.len().max(1) as u64);
        Self { of, values, skew, square }
    }

    /// The correlation of pairs; `None` if there are too few, or if all scores are 0.
    fn correlation(&self, pairing: &Pairing, Products { sum, squares, count }: Products) -> Option<Test> {
        if squares == 0.0 || !self.suffice(to_f64(count) * pairing.once(), 2) {
            return None;
        }
        let (of, correlation) = (self.of, sum / (self.square * to_f64(count)));
        Some(Test {
            name: pairing.name("", of),
            statistic: correlation,
            probability: of_normal(sum / squares.sqrt() * pairing.once().sqrt()),
            text: format!("{} are correlated: the correlation of ranks{of} is {correlation:+.4}", pairing.text),
        })
    }

    /// True if a sum of so many of them, or of products of `power` of them, is as good as symmetric.
    fn suffice(&self, count: f64, power: i32) -> bool {
        // The next term of Edgeworth's series at 6 standard deviations is a third.
        count >= FEWEST && count >= (150.0 * self.skew.powi(power)).powi(2)
    }
}

/// Products of the scores of pairs.
#[derive(Clone, Copy, Default)]
struct Products {
    sum: f64,
    squares: f64,
    /// The number of those that are not 0.
    count: u64,
}

/// Tests of pairs for equal magnitudes and for correlated scores. All sums are taken at once, since pairs lie
/// far from each other in memory.
fn pairs(pairing: &Pairing, block: &[f64], scores: &[Scores; 2], collision: f64) -> Vec<Test> {
    let (mut count, mut alike, mut products) = (0u64, 0u64, [Products::default(); 2]);
    pairing.for_each(|first, second| {
        let (one, other) = (block[first].abs(), block[second].abs());
        count += u64::from(!one.is_nan() && !other.is_nan());
        alike += u64::from(one.to_bits() == other.to_bits() && !one.is_nan());
        for (products, scores) in products.iter_mut().zip(scores) {
            let product = f64::from(scores.values[first]) * f64::from(scores.values[second]);
            products.sum += product;
            products.squares += product * product;
            products.count += u64::from(product != 0.0);
        }
    });
    let (count, alike) = (to_f64(count) * pairing.once(), to_f64(alike) * pairing.once());
    let expected = count * collision;
    let equal = Test {
        name: pairing.name("alike ", ""),
        statistic: alike,
        probability: of_as_many(alike, expected),
        text: format!(
            "{} are of the same magnitude in {alike} of {count} pairs, and chance explains {expected:.3e}",
            pairing.text
        ),
    };
    let correlated = scores.iter().zip(products).filter_map(|(scores, products)| scores.correlation(pairing, products));
    (count > 0.0).then_some(equal).into_iter().chain(correlated).collect()
}

/// The means of the slices of an axis: how far they stray together, and the one that strays furthest.
fn slices(axes: &[Axis], axis: usize, scores: &Scores) -> Vec<Test> {
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
    let off: Vec<f64> =
        sums.iter().map(|(sum, squares)| if *squares > 0.0 { sum / squares.sqrt() } else { 0.0 }).collect();
    let total: f64 = off.iter().map(|z| z * z).sum();
    let worse =
        |worst: (usize, f64), (place, z): (usize, f64)| if z.abs() > worst.1.abs() { (place, z) } else { worst };
    let (furthest, z) = off.iter().copied().enumerate().fold((0, 0.0), worse);
    let occupied = sums.iter().filter(|(_, squares)| *squares > 0.0).count() as u64;
    // All scores together sum up to 0.
    let whole = axes.iter().all(|axis| axis.size == axis.length as u64);
    let freedom = occupied.saturating_sub(u64::from(whole));
    if freedom == 0 {
        return Vec::new();
    }
    let place = furthest as u64 + axes[axis].low();
    let of = scores.of;
    let (singular, plural) = match (axes.len(), axis) {
        (2, 0) => (format!("row {place}"), "rows".into()),
        (2, _) => (format!("column {place}"), "columns".into()),
        _ => (format!("slice {place} of axis {number}"), format!("slices of axis {number}")),
    };
    vec![
        Test {
            name: format!("means{of}, axis {number}"),
            statistic: total / to_f64(freedom),
            probability: of_chi_squared(total, freedom),
            text: format!(
                "the mean ranks{of} of the {length} {plural} vary {:.4} times as much as chance lets them",
                total / to_f64(freedom)
            ),
        },
        Test {
            name: format!("furthest mean{of}, axis {number}"),
            statistic: z,
            probability: of_any(of_normal(z), occupied),
            text: format!("the mean rank{of} of {singular} is {z:+.2} standard errors off 0"),
        },
    ]
}
