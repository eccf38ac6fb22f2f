//! Whether values fit a distribution, whatever the seed that they were drawn with, and whoever drew them.
//!
//! Independent values are counted in cells whose borders lie half way between neighbouring numbers of the dtype. Where the distribution's
//! distribution function is known, the largest distance from it over all borders is what Kolmogorov and Smirnov test; its probability is
//! bounded by Massart's inequality, which holds for any count and for distributions with steps, so that rounded values never fail for being
//! rounded. Of other distributions of independent values, values of another seed are drawn and the two samples compared. Beside that the mean, the
//! variance, the bounds, and the smallest and the largest value are tested; the order of the values, by their ranks in a block that fits
//! in memory; and whether values, runs of them, slices or whole tensors come again. Orthogonal matrices are tested against the distribution of
//! Haar.

mod excerpt;
mod extremes;
mod haar;
mod matrices;
mod order;
mod pairing;
mod repeats;
mod sample;
mod special;
mod tails;

use anyhow::{Result, bail};
pub use repeats::between;

use crate::distribution::Distribution;
use crate::plan::Tensor;
use crate::reader::Contents;
use crate::scan::scan;
use crate::tensor::to_f64;
use crate::text::{figure, grouped};

/// What the tests of a tensor found.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// Statistics, each with the probability of one as extreme where the distribution holds.
    pub tests: Vec<Test>,
    /// What no value of the distribution could be, whatever the chance.
    pub faults: Vec<String>,
    /// What of the distribution was not tested, and why.
    pub untested: Option<String>,
    /// The fingerprint for comparisons with other tensors.
    pub trace: Option<Trace>,
}

/// A statistic.
#[derive(Clone, Debug)]
pub struct Test {
    /// Its name.
    pub name: String,
    /// Its value.
    pub statistic: f64,
    /// The probability of one as extreme or more.
    pub probability: f64,
    /// The same in words, for a reader of the report.
    pub text: String,
}

/// A fingerprint of the values of a tensor.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The number of values.
    count: u64,
    /// The number of summands.
    held: usize,
    /// A sum of hashes, the same in any order of the values.
    sum: u64,
    /// Hashes of runs of values, and where they begin.
    runs: repeats::Runs,
    /// The probability that two values are equal.
    collision: f64,
}

impl Verdict {
    /// The least probability of all statistics.
    pub fn least(&self) -> Option<&Test> {
        self.tests.iter().min_by(|one, other| one.probability.total_cmp(&other.probability))
    }

    fn fault(text: String) -> Self {
        Self { faults: vec![text], ..Self::default() }
    }
}

/// How tests are done.
#[derive(Clone, Copy)]
pub struct Settings {
    /// How many threads read.
    pub threads: usize,
    /// The most memory that a matrix may take.
    pub limit: u64,
    /// The number of values of the file that are tested.
    pub values: u64,
}

/// Tests whether the values of an entry fit the distribution of a tensor, which has its shape and dtype.
pub fn test(tensor: &Tensor, contents: &mut Contents, entry: usize, settings: Settings) -> Result<Verdict> {
    let distribution = &tensor.spec.distribution;
    match distribution {
        Distribution::Constant { .. } | Distribution::Deterministic(_) | Distribution::Normal { std: 0.0, .. } => {
            exact(tensor, contents, entry, settings)
        }
        Distribution::Normal { .. }
        | Distribution::Uniform { .. }
        | Distribution::TruncatedNormal { .. }
        | Distribution::Iid(_) => sample::test(tensor, distribution, &sample::Part::All, contents, entry, settings),
        Distribution::Cleared { distribution, from, to } if !distribution.is_joint() => {
            sample::test(tensor, distribution, &sample::Part::Without(*from, *to), contents, entry, settings)
        }
        Distribution::Sparse { nonzeros, mean, std, unfolding } => {
            let distribution = Distribution::Normal { mean: *mean, std: *std };
            let part = sample::Part::NonZero { each: *nonzeros, unfolding };
            sample::test(tensor, &distribution, &part, contents, entry, settings)
        }
        Distribution::Orthogonal { gain, unfolding, .. } => {
            matrices::test(tensor, *gain, unfolding, contents, entry, settings)
        }
        Distribution::Copied(_) => {
            bail!("`{}` was copied from another file, and has no distribution", tensor.spec.name)
        }
        Distribution::Cleared { .. } | Distribution::Joint(_) => bounds_alone(tensor, contents, entry, settings),
    }
}

/// The first value that is not the distribution's, its place before it, and how many there are.
type Off = (u64, f64, u64);

/// Values that are a function of their place: each within the last two digits of its dtype.
fn exact(tensor: &Tensor, contents: &mut Contents, entry: usize, settings: Settings) -> Result<Verdict> {
    let dtype = tensor.spec.dtype;
    let expected = |index: u64| match &tensor.spec.distribution {
        Distribution::Constant { value } => *value,
        Distribution::Normal { mean, .. } => *mean,
        Distribution::Deterministic(distribution) => distribution.value(index),
        _ => 0.0,
    };
    // Of a constant no arithmetic is left to round differently.
    let slack = if matches!(tensor.spec.distribution, Distribution::Deterministic(_)) {
        let largest = dtype.round(tensor.spec.distribution.max_abs());
        2.0 * (dtype.next_up(largest) - largest)
    } else {
        0.0
    };
    let visit = |off: &mut Option<Off>, start: u64, values: &[f64]| {
        for (index, &held) in (start..).zip(values) {
            let wanted = dtype.round(expected(index));
            let same = (held - wanted).abs() <= slack || held.is_nan() && wanted.is_nan();
            if !same {
                let (first, value, count) = off.get_or_insert((index, held, 0));
                if index < *first {
                    (*first, *value) = (index, held);
                }
                *count += 1;
            }
        }
    };
    let found = scan(contents, entry, settings.threads, &|| None, &visit)?;
    let count: u64 = found.iter().flatten().map(|(_, _, count)| count).sum();
    let first = found.into_iter().flatten().min_by_key(|(index, _, _)| *index);
    Ok(match first {
        None => Verdict::default(),
        Some((index, held, _)) => Verdict::fault(format!(
            "{} is {}, and the distribution says {}; {} of its values are not the distribution's",
            place(tensor, index),
            figure(held),
            figure(dtype.round(expected(index))),
            grouped(count)
        )),
    })
}

/// An element by its index on each axis: `[3, 17]`.
pub fn place(tensor: &Tensor, index: u64) -> String {
    let mut rest = index;
    let mut indices: Vec<String> = tensor
        .spec
        .shape
        .axes()
        .iter()
        .rev()
        .map(|&size| {
            let at = rest % size.max(1);
            rest /= size.max(1);
            at.to_string()
        })
        .collect();
    indices.reverse();
    format!("[{}]", indices.join(", "))
}

/// Distributions of values that depend on one another, of which nothing but their bounds is tested.
fn bounds_alone(tensor: &Tensor, contents: &mut Contents, entry: usize, settings: Settings) -> Result<Verdict> {
    let visit = |outside: &mut Option<(u64, f64)>, start: u64, values: &[f64]| {
        let off = sample::first_outside(tensor, &tensor.spec.distribution, start, values);
        *outside = [*outside, off].into_iter().flatten().min_by_key(|(index, _)| *index);
    };
    let found = scan(contents, entry, settings.threads, &|| None, &visit)?;
    let first = found.into_iter().flatten().min_by_key(|(index, _)| *index);
    Ok(Verdict {
        tests: Vec::new(),
        faults: first
            .map(|(index, held)| sample::outside(tensor, &tensor.spec.distribution, index, held))
            .into_iter()
            .collect(),
        untested: Some("its values depend on one another: its bounds alone are tested".into()),
        trace: None,
    })
}

/// Refuses what would not fit in memory.
fn check_memory(tensor: &Tensor, needed: u64, limit: u64) -> Result<()> {
    if needed > limit {
        bail!(
            "testing `{}` takes {} of memory, above the limit of {}: raise --max-memory",
            tensor.spec.name,
            crate::text::bytes(needed),
            crate::text::bytes(limit)
        );
    }
    Ok(())
}

/// The share of a count.
fn share(part: u64, whole: u64) -> f64 {
    to_f64(part) / to_f64(whole.max(1))
}
