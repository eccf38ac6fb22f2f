//! The contents of a file next to the distributions that its provenance expects.

mod picture;
mod spectrum;
mod tree;

use anyhow::Result;

pub use picture::{Panel, picture};
pub use spectrum::{FEW_AXES, Spectrum, spectrum};
pub use tree::tree;

use crate::distribution::{Distribution, cdf};
use crate::reader::{Contents, Entry};
use crate::scan::scan;
use crate::statistics::histogram::{Bins, Histogram};
use crate::statistics::summary::Summary;
use crate::tensor::Element;

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

/// Counts the finite values of tensor `number` in at most `bins` bins; `None` if there are none.
pub fn histogram(
    contents: &Contents,
    number: usize,
    summary: &Summary,
    bins: usize,
    threads: usize,
) -> Result<Option<Histogram>> {
    let (Some(low), Some(high)) = (summary.min, summary.max) else { return Ok(None) };
    let bins = Bins::new(low, high, bins);
    let visit = |counts: &mut Vec<usize>, _: u64, values: &[f64]| bins.count(values, counts);
    let parts = scan(contents, number, threads, &|| vec![0; bins.len()], &visit)?;
    let counts = (0..bins.len()).map(|bin| parts.iter().map(|part| part[bin]).sum()).collect();
    let planned = contents.entries.get(number).and_then(|entry| entry.planned.as_ref());
    let cdf = planned.and_then(|tensor| cdf(tensor.distribution())).filter(|_| bins.len() > 1);
    let expected = cdf.map(|cdf| bins.expected(&*cdf, summary.finite));
    Ok(Some(Histogram { bins, counts, expected }))
}
