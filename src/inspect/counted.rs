//! A tensor's values counted in equal bins, beside what its law expects there.

use anyhow::{Context, Result};

use super::Summary;
use crate::law::{Law, cdf};
use crate::reader::Contents;
use crate::scan::scan;
use crate::tensor::as_float;

/// Counts in equal bins from the least value to the greatest.
#[derive(Clone, Debug)]
pub struct Counted {
    /// The least value.
    pub low: f64,
    /// The greatest.
    pub high: f64,
    /// How many values lie in each bin.
    pub counts: Vec<usize>,
    /// How many the law expects there, where its distribution function is known.
    pub expected: Option<Vec<f64>>,
}

/// Counts the finite values of a tensor, of which the figures are known already; `None` where there are none.
pub fn counted(
    contents: &Contents,
    number: usize,
    summary: &Summary,
    bins: usize,
    threads: usize,
) -> Result<Option<Counted>> {
    let (Some(low), Some(high)) = (summary.min, summary.max) else { return Ok(None) };
    let step = high / as_float(bins as u64) - low / as_float(bins as u64);
    let bins = if step > 0.0 { bins } else { 1 };
    let visit = |counts: &mut Vec<usize>, _: u64, values: &[f64]| {
        for value in values.iter().filter(|value| value.is_finite()) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "values lie between the ends")]
            let bin = ((value / 2.0 - low / 2.0) / (step / 2.0)) as usize;
            counts[bin.min(bins - 1)] += 1;
        }
    };
    let parts = scan(contents, number, threads, &|| vec![0; bins], &visit)?;
    let counts = (0..bins).map(|bin| parts.iter().map(|part| part[bin]).sum()).collect();
    let law = contents
        .entries
        .get(number)
        .context("there is no such tensor")?
        .planned
        .as_ref()
        .map(|tensor| &tensor.spec.law);
    let expected = law.and_then(|law| expected(law, low, step, bins, summary.finite));
    Ok(Some(Counted { low, high, counts, expected }))
}

fn expected(law: &Law, low: f64, step: f64, bins: usize, count: u64) -> Option<Vec<f64>> {
    let cdf = cdf(law).filter(|_| bins > 1)?;
    let edge = |bin: usize| cdf(low + step * as_float(bin as u64));
    Some((0..bins).map(|bin| (edge(bin + 1) - edge(bin)) * as_float(count)).collect())
}
