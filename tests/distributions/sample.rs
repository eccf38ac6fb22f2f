//! A sample against the distribution that it should follow: the test of Kolmogorov and Smirnov, four moments, and the bounds.

use crate::reference::{Moments, Reference};

/// The chance that the distance of a sample of n exceeds this over sqrt(n) is 0.001.
pub(crate) const CRITICAL: f64 = 1.95;

/// How many standard errors a moment may be off.
const STANDARD_ERRORS: f64 = 5.0;

/// How finely the distance is looked at: distances are found to 1 / `BUCKETS`.
const BUCKETS: usize = 1 << 16;

/// What a sample shows to be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// The largest distance between the sample's distribution function and the distribution's.
    Distance(f64),
    /// A power of (x - mean) / std whose average is this many standard errors off.
    Moment(i32, f64),
    /// A value outside the bounds.
    Outside(f64),
}

/// What is wrong with a sample of `reference` inside closed `bounds`; nothing where it may well be one.
pub(crate) fn faults(
    reference: &Reference,
    bounds: Option<(f64, f64)>,
    values: impl IntoIterator<Item = f64>,
) -> Vec<Fault> {
    let Moments { mean, std, standardized } = reference.moments();
    let cdf = reference.cdf();
    let (low, high) = bounds.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    let (mut count, mut sums, mut buckets) = (0.0, [0.0; 4], vec![0.0; BUCKETS]);
    let mut outside = None;
    for value in values {
        count += 1.0;
        let z = (value - mean) / std;
        let mut power = 1.0;
        for sum in &mut sums {
            power *= z;
            *sum += power;
        }
        buckets[((cdf(value) * BUCKETS as f64) as usize).min(BUCKETS - 1)] += 1.0;
        if !(low..=high).contains(&value) {
            outside = Some(Fault::Outside(value));
        }
    }
    let distance = largest_distance(&buckets, count);
    let moments = (1..).zip(sums).map(|(power, sum)| {
        let (expected, square) = (standardized[power], standardized[2 * power]);
        let error = (sum / count - expected) / ((square - expected * expected) / count).sqrt();
        Fault::Moment(power as i32, error)
    });
    let distance = (distance > CRITICAL / count.sqrt()).then_some(Fault::Distance(distance));
    // `<=` is false of a NaN too.
    let moments = moments.filter(|fault| !matches!(fault, Fault::Moment(_, error) if error.abs() <= STANDARD_ERRORS));
    distance.into_iter().chain(moments).chain(outside).collect()
}

/// The largest distance of the distribution function of a sample from that of the uniform distribution on [0, 1].
fn largest_distance(buckets: &[f64], count: f64) -> f64 {
    let (mut below, mut largest) = (0.0, 0f64);
    for (number, bucket) in buckets.iter().enumerate() {
        largest = largest.max((below / count - number as f64 / BUCKETS as f64).abs());
        below += bucket;
    }
    largest
}

/// The same test for a small sample, exactly.
pub(crate) fn distance(mut values: Vec<f64>, cdf: impl Fn(f64) -> f64) -> f64 {
    let count = values.len() as f64;
    values.sort_unstable_by(f64::total_cmp);
    let distances = values.into_iter().enumerate().map(|(rank, value)| {
        let (below, expected) = (rank as f64 / count, cdf(value));
        (expected - below).max(below + 1.0 / count - expected)
    });
    distances.fold(0.0, f64::max)
}
