//! Tests of values against a distribution. Neither their seed nor the program that drew them matters.
//!
//! Independent values are counted in cells whose borders lie halfway between neighbouring numbers of the dtype, so rounded values do not
//! fail because they are rounded. Their distribution function is compared by the test of Kolmogorov and Smirnov, with Massart's bound,
//! which holds for any count and for distributions with steps. If no formula is known, values of another seed are drawn and the two
//! samples compared. Other tests are of
//!
//! - the mean, the variance, the range, and the smallest and the largest value;
//! - the order of the values, by the ranks of a block that fits in memory;
//! - repeated values, runs, slices and tensors.
//!
//! Orthogonal matrices are tested against the Haar measure.

mod excerpt;
mod extremes;
mod fit;
mod haar;
mod matrices;
mod order;
mod pairing;
mod part;
mod range;
mod repeats;
mod sample;
mod tails;

use anyhow::{Result, bail};
pub use repeats::repeated_tensors;

use crate::distribution::{Distribution, TensorSpec};
use crate::reader::Contents;
use crate::scan::scan;
use crate::tensor::{Shape, to_f64};
use crate::text::{figure, grouped};
use part::{Part, Sample};
use range::Range;

/// The results of all tests of a tensor.
#[derive(Clone, Debug, Default)]
pub struct GoodnessOfFit {
    /// The results of statistical tests.
    pub tests: Vec<TestResult>,
    /// Impossible values of the distribution, each as a sentence.
    pub faults: Vec<String>,
    /// The part of the distribution that is not tested, and the reason.
    pub untested: Option<String>,
    /// The fingerprint for comparisons with other tensors.
    pub fingerprint: Option<Fingerprint>,
}

/// A statistic and its p-value.
#[derive(Clone, Debug)]
pub struct TestResult {
    /// The name of the test, such as `mean`.
    pub name: String,
    /// The value of the statistic.
    pub statistic: f64,
    /// The probability of a statistic at least as extreme, if the values have the distribution; it may be too large, never too small.
    pub p_value: f64,
    /// The finding as a sentence.
    pub text: String,
}

/// A fingerprint of a tensor's values.
#[derive(Clone, Debug)]
pub struct Fingerprint {
    count: u64,
    /// The number of values in `sum`.
    summed: usize,
    /// A sum of hashes of values, the same in any order.
    sum: u64,
    runs: repeats::RunHashes,
    /// The probability that two values are equal.
    collision: f64,
}

/// An index in a tensor, row-major, and the value there.
type Element = (u64, f64);

impl GoodnessOfFit {
    /// The test with the least p-value.
    pub fn least(&self) -> Option<&TestResult> {
        self.tests.iter().min_by(|one, other| one.p_value.total_cmp(&other.p_value))
    }

    fn fault(text: String) -> Self {
        Self { faults: vec![text], ..Self::default() }
    }
}

/// Resources of the tests, and facts about the file.
#[derive(Clone, Copy)]
pub struct TestOptions {
    /// The number of threads that read.
    pub threads: usize,
    /// The maximum memory for a matrix, in bytes.
    pub max_memory: u64,
    /// The number of values in all tested tensors.
    pub total_values: u64,
}

/// Tests the values of an entry against the distribution of a tensor of its shape and dtype.
pub fn test(tensor: &TensorSpec, contents: &mut Contents, entry: usize, options: TestOptions) -> Result<GoodnessOfFit> {
    let of = |distribution: &Distribution, part: Part, contents: &mut Contents| {
        Sample { tensor, distribution, part }.test(contents, entry, options)
    };
    let distribution = &tensor.distribution;
    match distribution {
        Distribution::Constant { .. } | Distribution::Deterministic(_) | Distribution::Normal { std: 0.0, .. } => {
            exact(tensor, contents, entry, options)
        }
        Distribution::Normal { .. }
        | Distribution::Uniform { .. }
        | Distribution::TruncatedNormal { .. }
        | Distribution::Iid(_) => of(distribution, Part::All, contents),
        Distribution::Cleared { distribution, from, to } if !distribution.is_joint() => {
            of(distribution, Part::Without { from: *from, to: *to }, contents)
        }
        Distribution::Sparse { nonzeros, mean, std, unfolding } => {
            let distribution = Distribution::Normal { mean: *mean, std: *std };
            of(&distribution, Part::Nonzero { each: *nonzeros, unfolding }, contents)
        }
        Distribution::Orthogonal { gain, unfolding, .. } => {
            matrices::test(tensor, *gain, unfolding, contents, entry, options)
        }
        Distribution::NormOf { tensor } => {
            Ok(GoodnessOfFit { untested: Some(format!("the norm of `{tensor}`")), ..GoodnessOfFit::default() })
        }
        Distribution::Cleared { .. } | Distribution::Joint(_) => range_alone(tensor, contents, entry, options),
    }
}

/// A value that differs from the expected one, and the number of such values.
struct Wrong {
    first: Element,
    count: u64,
}

/// Tests deterministic values: each within two units in the last place of the largest.
fn exact(tensor: &TensorSpec, contents: &mut Contents, entry: usize, options: TestOptions) -> Result<GoodnessOfFit> {
    let dtype = tensor.dtype;
    let expected = |index: u64| {
        dtype.round(match &tensor.distribution {
            Distribution::Constant { value } => *value,
            Distribution::Normal { mean, .. } => *mean,
            Distribution::Deterministic(distribution) => distribution.value(index),
            _ => 0.0,
        })
    };
    // A constant leaves no arithmetic that might round in another way.
    let tolerance = if matches!(tensor.distribution, Distribution::Deterministic(_)) {
        let largest = dtype.round(tensor.distribution.max_abs());
        2.0 * (dtype.next_up(largest) - largest)
    } else {
        0.0
    };
    let is_equal = |value: f64, expected: f64| {
        value == expected || (value - expected).abs() <= tolerance || value.is_nan() && expected.is_nan()
    };
    let visit = |wrong: &mut Option<Wrong>, start: u64, values: &[f64]| {
        for (index, &value) in (start..).zip(values).filter(|&(index, &value)| !is_equal(value, expected(index))) {
            let wrong = wrong.get_or_insert(Wrong { first: (index, value), count: 0 });
            if index < wrong.first.0 {
                wrong.first = (index, value);
            }
            wrong.count += 1;
        }
    };
    let found = scan(contents, entry, options.threads, &|| None, &visit)?;
    let count: u64 = found.iter().flatten().map(|wrong| wrong.count).sum();
    let first = found.into_iter().flatten().map(|wrong| wrong.first).min_by_key(|(index, _)| *index);
    Ok(first.map_or(GoodnessOfFit::default(), |(index, value)| {
        GoodnessOfFit::fault(format!(
            "{} is {}, not {}; {} of its values differ",
            position(&tensor.shape, index),
            figure(value),
            figure(expected(index)),
            grouped(count)
        ))
    }))
}

/// Tests a distribution of dependent values only by its bounds.
fn range_alone(
    tensor: &TensorSpec,
    contents: &mut Contents,
    entry: usize,
    options: TestOptions,
) -> Result<GoodnessOfFit> {
    let distribution = &tensor.distribution;
    let range = Range::new(tensor, distribution);
    let visit = |outside: &mut Option<Element>, start: u64, values: &[f64]| {
        *outside = first(*outside, range.first_outside(start, values));
    };
    let outside = scan(contents, entry, options.threads, &|| None, &visit)?.into_iter().fold(None, first);
    Ok(GoodnessOfFit {
        faults: outside.map(|element| range::fault(tensor, distribution, element)).into_iter().collect(),
        untested: Some("its values depend on each other: only the range is tested".into()),
        ..GoodnessOfFit::default()
    })
}

/// The position of an element on each axis: `[3, 17]`.
pub fn position(shape: &Shape, index: u64) -> String {
    let mut rest = index;
    let mut positions: Vec<String> = Vec::new();
    for &size in shape.axes().iter().rev() {
        positions.insert(0, (rest % size.max(1)).to_string());
        rest /= size.max(1);
    }
    format!("[{}]", positions.join(", "))
}

/// The one of two elements with the lower index.
fn first(one: Option<Element>, other: Option<Element>) -> Option<Element> {
    one.into_iter().chain(other).min_by_key(|(index, _)| *index)
}

/// Errors if a test needs more memory than allowed.
fn check_memory(tensor: &TensorSpec, needed: u64, limit: u64) -> Result<()> {
    if needed > limit {
        bail!(
            "testing `{}` takes {} of memory, above the limit of {}: raise --max-memory",
            tensor.name,
            crate::text::bytes(needed),
            crate::text::bytes(limit)
        );
    }
    Ok(())
}

/// A part of a count, from 0 to 1.
fn share(part: u64, total: u64) -> f64 {
    to_f64(part) / to_f64(total.max(1))
}

/// A statistic after a change by up to `rounding` towards its expected value.
fn without_rounding(statistic: f64, expected: f64, rounding: f64) -> f64 {
    let difference = statistic - expected;
    expected + difference.signum() * (difference.abs() - rounding).max(0.0)
}
