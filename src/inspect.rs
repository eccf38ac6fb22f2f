//! The contents of a file next to the distributions that its provenance expects.

mod picture;
mod spectrum;
mod tree;

use anyhow::Result;

pub use picture::{Plotted, Series, chart};
pub use spectrum::{FEW_AXES, Spectrum, spectrum};
pub use tree::tree;

use crate::distribution::Distribution;
use crate::reader::{Contents, Entry};
use crate::scan::scan;
use crate::statistics::histogram::{Bins, Histogram};
use crate::statistics::summary::Summary;
use crate::tensor::{Element, to_f64};

/// The moments and bounds of a distribution.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Expected {
    /// The mean over all draws; `None` if there is none or no digit of it is known.
    pub mean: Option<f64>,
    /// The standard deviation over all draws.
    pub std: Option<f64>,
    /// The closed interval that contains all values.
    pub bounds: Option<(f64, f64)>,
}

impl From<&Distribution> for Expected {
    fn from(distribution: &Distribution) -> Self {
        Self { mean: distribution.mean(), std: distribution.std(), bounds: distribution.bounds() }
    }
}

/// The summary of tensor `number`, the same for any number of threads; `None` if its type is not read.
pub fn summary(contents: &Contents, number: usize, threads: usize) -> Result<Option<Summary>> {
    let is_number = contents.entries.get(number).and_then(Entry::element).is_some_and(Element::is_number);
    if !is_number {
        return Ok(None);
    }
    let visit = |parts: &mut Vec<(u64, Summary)>, start: u64, values: &[f64]| {
        parts.push((start, Summary::of(values)));
    };
    let parts = scan(contents, number, threads, &Vec::new, &visit)?;
    Ok(Some(Summary::joined(parts.into_iter().flatten().collect())))
}

/// Counts the finite values of tensor `number` in bins that contain them all. Frequent zeros of a floating-point type are set apart.
pub fn histogram(contents: &Contents, number: usize, bins: Bins, threads: usize) -> Result<Histogram> {
    let visit = |(counts, zeros): &mut (Vec<usize>, usize), _: u64, values: &[f64]| {
        bins.count(values, counts);
        *zeros += values.iter().filter(|value| **value == 0.0).count();
    };
    let parts = scan(contents, number, threads, &|| (vec![0; bins.len()], 0), &visit)?;
    let counts = (0..bins.len()).map(|bin| parts.iter().map(|(counts, _)| counts[bin]).sum()).collect();
    let entry = contents.entries.get(number);
    let zeros = match entry.and_then(Entry::element) {
        Some(Element::Stored(stored)) if stored.is_integer() => 0,
        _ => parts.iter().map(|(_, zeros)| zeros).sum(),
    };
    let histogram = Histogram { bins, counts, zeros: 0, expected: None }.with_zeros_apart(zeros);
    let marginal = entry.and_then(|entry| entry.planned.as_ref()?.spec().marginal());
    Ok(Histogram { expected: marginal.and_then(|marginal| marginal.expected(&histogram)), ..histogram })
}

/// The expected density of tensor `number` at points of a range, without single values; `None` if it is not known.
pub fn density(contents: &Contents, number: usize, (low, high): (f64, f64)) -> Option<Vec<(f64, f64)>> {
    const POINTS: usize = 400;
    let planned = contents.entries.get(number)?.planned.as_ref()?;
    planned.spec().marginal()?.density(&Bins::new(low, high, POINTS))
}

/// Bins for `count` values from `low` to `high`: the more values, the more bins (Rice's rule), up to `most`. Each whole number lies in the
/// middle of a bin, or with as many others as in any bin.
pub fn bins((low, high): (f64, f64), count: u64, are_whole: bool, most: usize) -> Bins {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 2^17")]
    let wanted = ((2.0 * to_f64(count).cbrt()).ceil() as usize).clamp(FEWEST.min(most), most);
    if !are_whole || low == high {
        return Bins::new(low, high, wanted);
    }
    let numbers = high - low + 1.0;
    let width = (numbers / to_f64(wanted as u64)).ceil();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the wanted number")]
    let bins = (numbers / width).ceil() as usize;
    Bins::new(low - 0.5, low - 0.5 + width * to_f64(bins as u64), bins)
}

/// The least number of bins.
const FEWEST: usize = 8;
