//! A tensor's values counted in equal bins, beside what its distribution expects there.

use anyhow::{Context, Result};

use super::Summary;
use crate::distribution::{Distribution, cdf};
use crate::reader::Contents;
use crate::scan::scan;
use crate::tensor::to_f64;

/// Counts in equal bins from the least value to the greatest.
#[derive(Clone, Debug)]
pub struct Histogram {
    /// The least value.
    pub low: f64,
    /// The greatest.
    pub high: f64,
    /// How many values lie in each bin.
    pub counts: Vec<usize>,
    /// How many the distribution expects there, where its distribution function is known.
    pub expected: Option<Vec<f64>>,
}

/// Counts the finite values of a tensor, of which the figures are known already; `None` where there are none.
pub fn histogram(
    contents: &Contents,
    number: usize,
    summary: &Summary,
    bins: usize,
    threads: usize,
) -> Result<Option<Histogram>> {
    let (Some(low), Some(high)) = (summary.min, summary.max) else { return Ok(None) };
    let step = high / to_f64(bins as u64) - low / to_f64(bins as u64);
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
    let distribution = contents
        .entries
        .get(number)
        .context("there is no such tensor")?
        .planned
        .as_ref()
        .map(|tensor| &tensor.spec.distribution);
    let expected = distribution.and_then(|distribution| expected(distribution, low, step, bins, summary.finite));
    Ok(Some(Histogram { low, high, counts, expected }))
}

fn expected(distribution: &Distribution, low: f64, step: f64, bins: usize, count: u64) -> Option<Vec<f64>> {
    let cdf = cdf(distribution).filter(|_| bins > 1)?;
    let edge = |bin: usize| cdf(low + step * to_f64(bin as u64));
    Some((0..bins).map(|bin| (edge(bin + 1) - edge(bin)) * to_f64(count)).collect())
}
