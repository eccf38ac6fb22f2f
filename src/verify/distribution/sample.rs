//! Independent values against their distribution.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;

use super::excerpt::Excerpt;
use super::extremes::Extremes;
use super::repeats::{self, Runs, Sampling, collision, of_magnitudes};
use super::special::nearer;
use super::tails::{kurtosis, tails};
use super::{Settings, Test, Trace, Verdict, check_memory, order, place, share};
use crate::distribution::{Distribution, TensorSpec, cdf};
use crate::plan::Tensor;
use crate::reader::Contents;
use crate::scan::scan;
use crate::statistics::ecdf::{Cells, Grid};
use crate::statistics::p_value::{of_distance, of_normal, of_normal_variance, of_two};
use crate::statistics::summary::Summary;
use crate::tensor::{DType, Shape, Unfolding, to_f64};
use crate::text::{figure, grouped};
use crate::writer::Encoder;

/// Which elements of a tensor follow the distribution; the others are 0.
pub(super) enum Part<'a> {
    /// All of them.
    All,
    /// All but a range.
    Without(u64, u64),
    /// A certain number of each row of the unfolding.
    NonZero { each: u64, unfolding: &'a Unfolding },
}

/// From how many values on the sum of any bounded ones is normal as far out as it is looked at.
const MANY: u64 = 4096;
/// How many values are drawn to compare with, at least and at most.
const DRAWN: (u64, u64) = (1 << 16, 1 << 24);

/// What was seen of a tensor's values.
struct Seen {
    sums: Vec<(u64, Summary)>,
    cells: Cells,
    extremes: Extremes,
    outside: Option<(u64, f64)>,
    /// The first element that is not 0 and should be.
    not_zero: Option<(u64, f64)>,
    runs: Runs,
}

impl Seen {
    fn new(grid: Grid) -> Self {
        let cells = Cells::new(grid);
        Self {
            sums: Vec::new(),
            cells,
            extremes: Extremes::default(),
            outside: None,
            not_zero: None,
            runs: Runs::default(),
        }
    }

    fn merge(&mut self, other: Self) {
        self.cells.merge(&other.cells);
        self.extremes.merge(&other.extremes);
        self.sums.extend(other.sums);
        self.runs.iter_mut().zip(other.runs).for_each(|(runs, other)| runs.extend(other));
        self.outside = first(self.outside, other.outside);
        self.not_zero = first(self.not_zero, other.not_zero);
    }
}

pub(super) fn test(
    tensor: &Tensor,
    distribution: &Distribution,
    part: &Part,
    contents: &mut Contents,
    entry: usize,
    settings: Settings,
) -> Result<Verdict> {
    let count = tensor.spec.shape.count();
    let rows = match part {
        Part::NonZero { unfolding, .. } => {
            let rows = unfolding.matrices() * unfolding.rows();
            check_memory(tensor, rows.saturating_mul(4), settings.limit)?;
            (0..rows).map(|_| AtomicU32::new(0)).collect()
        }
        _ => Vec::new(),
    };
    let (mean, std) = (distribution.mean().unwrap_or(0.0), distribution.std().unwrap_or(0.0));
    // Cells are narrowest about 0; of a distribution that lies elsewhere, about its mean.
    let grid = Grid::new(tensor.spec.dtype, if mean.abs() > std { mean } else { 0.0 });
    let (excerpt, sampling) = (Excerpt::new(&tensor.spec.shape), Sampling::new(count));
    let visit = |seen: &mut Seen, start: u64, values: &[f64]| {
        let chosen = Chosen::new(part, start, values);
        match part {
            Part::Without(from, to) => {
                let off = chosen.others.iter().copied().find(|(_, value)| *value != 0.0);
                seen.not_zero = first(seen.not_zero, off);
                let inside = |index: u64| (*from..*to).contains(&index);
                let masked = |(index, &value): (u64, &f64)| if inside(index) { f64::NAN } else { value };
                excerpt.take(start, &(start..).zip(values).map(masked).collect::<Vec<_>>());
            }
            Part::NonZero { unfolding, .. } => {
                for &index in &chosen.places {
                    let at = unfolding.place(index);
                    let row = usize::try_from(at.matrix * unfolding.rows() + at.row).unwrap_or(usize::MAX);
                    if let Some(row) = rows.get(row) {
                        row.fetch_add(1, Ordering::Relaxed);
                    }
                }
                excerpt.take(start, values);
            }
            Part::All => excerpt.take(start, values),
        }
        let (values, index) = (chosen.values.as_ref(), |number| chosen.index(number));
        let summary = Summary::of(values);
        if summary.nan + summary.infinite > 0 || beyond(tensor, distribution, summary.min, summary.max) {
            let off = values.iter().position(|value| is_outside(tensor, distribution, *value));
            seen.outside = first(seen.outside, off.map(|number| (index(number), values[number])));
        }
        seen.sums.push((start, summary));
        if summary.nan + summary.infinite == 0 {
            seen.extremes.add(values, &summary, &index);
            seen.cells.add(values);
            sampling.add(values, &index, &mut seen.runs);
        }
    };
    let found = scan(contents, entry, settings.threads, &|| Seen::new(grid), &visit)?;
    let seen = found.into_iter().reduce(|mut seen, other| {
        seen.merge(other);
        seen
    });
    let mut seen = seen.unwrap_or_else(|| Seen::new(grid));
    let mut verdict = Verdict::default();
    verdict.faults.extend(seen.outside.map(|(index, value)| outside(tensor, distribution, index, value)));
    let not_zero = seen
        .not_zero
        .map(|(index, value)| format!("{} is {}, and the distribution says 0", place(tensor, index), figure(value)));
    verdict.faults.extend(not_zero);
    if let Part::NonZero { each, unfolding } = part {
        verdict.faults.extend(miscounted(tensor.spec.dtype, distribution, *each, unfolding, &rows));
    }
    if verdict.faults.is_empty() && seen.cells.total() > 0 {
        let zeros = matches!(part, Part::NonZero { .. });
        let further = fit(&mut verdict, tensor, distribution, &seen.cells, grid, settings);
        moments(&mut verdict, tensor.spec.dtype, distribution, std::mem::take(&mut seen.sums));
        if let Some(tails) = tails(distribution) {
            let grid = 0.5f64.powi(tensor.spec.dtype.mantissa_bits().min(repeats::GRID).cast_signed());
            verdict.tests.extend(seen.extremes.test(tensor, distribution, &tails, seen.cells.total(), grid));
        }
        order_and_repeats(&mut verdict, &excerpt, seen, zeros.then_some(count), further, settings);
    }
    Ok(verdict)
}

/// Tests of values that depend on their places or come again. `count` says how many there are together with those that are 0, if
/// those were not counted.
fn order_and_repeats(
    verdict: &mut Verdict,
    excerpt: &Excerpt,
    mut seen: Seen,
    count: Option<u64>,
    further: f64,
    settings: Settings,
) {
    let mut block = excerpt.block();
    if count.is_some() {
        block.iter_mut().filter(|value| **value == 0.0).for_each(|value| *value = f64::NAN);
    }
    let collision = collision(&seen.cells, &block, further);
    verdict.tests.extend(order::test(excerpt.axes(), &block, &seen.cells, of_magnitudes(collision)));
    verdict.tests.push(repeats::duplicates(&block, collision));
    verdict.faults.extend(repeats::runs(&mut seen.runs, collision));
    let zeros = count.map_or(0.0, |count| 1.0 - share(seen.cells.total(), count));
    verdict.faults.extend(repeats::slices(excerpt, zeros * zeros + (1.0 - zeros).powi(2) * collision));
    verdict.trace = Some(Trace::new(seen.cells.total(), &block, seen.runs, collision, settings.values));
}

/// The values of a chunk that follow the distribution.
struct Chosen<'a> {
    start: u64,
    values: Cow<'a, [f64]>,
    /// Their places, unless all of the chunk are there.
    places: Vec<u64>,
    /// The others.
    others: Vec<(u64, f64)>,
}

impl<'a> Chosen<'a> {
    fn new(part: &Part, start: u64, values: &'a [f64]) -> Self {
        let follows = |index: u64, value: f64| match part {
            Part::All => true,
            Part::Without(from, to) => !(*from..*to).contains(&index),
            Part::NonZero { .. } => value != 0.0,
        };
        if matches!(part, Part::All) {
            return Self { start, values: values.into(), places: Vec::new(), others: Vec::new() };
        }
        let all = (start..).zip(values.iter().copied());
        let (chosen, others): (Vec<_>, Vec<_>) = all.partition(|&(index, value)| follows(index, value));
        let (places, values): (Vec<u64>, Vec<f64>) = chosen.into_iter().unzip();
        Self { start, values: values.into(), places, others }
    }

    /// The place in the tensor of one of them.
    fn index(&self, number: usize) -> u64 {
        self.places.get(number).copied().unwrap_or(self.start + number as u64)
    }
}

fn first(one: Option<(u64, f64)>, other: Option<(u64, f64)>) -> Option<(u64, f64)> {
    one.into_iter().chain(other).min_by_key(|(index, _)| *index)
}

/// The outermost values that a distribution's bounds allow in a dtype, two roundings further out for those who compute them otherwise.
fn reach(tensor: &Tensor, distribution: &Distribution) -> (f64, f64) {
    let dtype = tensor.spec.dtype;
    let further = |bound: f64| if bound.is_finite() { dtype.next_up(dtype.next_up(dtype.round(bound))) } else { bound };
    distribution.bounds().map_or((f64::NEG_INFINITY, f64::INFINITY), |(low, high)| (-further(-low), further(high)))
}

fn beyond(tensor: &Tensor, distribution: &Distribution, min: Option<f64>, max: Option<f64>) -> bool {
    let (low, high) = reach(tensor, distribution);
    min.is_some_and(|min| min < low) || max.is_some_and(|max| max > high)
}

/// True if a value is not finite or not inside the bounds.
fn is_outside(tensor: &Tensor, distribution: &Distribution, value: f64) -> bool {
    let (low, high) = reach(tensor, distribution);
    !value.is_finite() || !(low..=high).contains(&value)
}

/// The first value that is not finite or not inside the bounds.
pub(super) fn first_outside(
    tensor: &Tensor,
    distribution: &Distribution,
    start: u64,
    values: &[f64],
) -> Option<(u64, f64)> {
    (start..).zip(values.iter().copied()).find(|(_, value)| is_outside(tensor, distribution, *value))
}

pub(super) fn outside(tensor: &Tensor, distribution: &Distribution, index: u64, value: f64) -> String {
    let bounds = match distribution.bounds() {
        Some((low, high)) if value.is_finite() => {
            format!("the distribution ends at {} and {}", figure(low), figure(high))
        }
        _ => "the distribution has no such value".into(),
    };
    format!("{} is {}: {bounds}", place(tensor, index), figure(value))
}

/// Rows that do not hold as many values that are not 0 as the distribution says. Few values may have been rounded to 0.
fn miscounted(
    dtype: DType,
    distribution: &Distribution,
    each: u64,
    unfolding: &Unfolding,
    rows: &[AtomicU32],
) -> Option<String> {
    let smallest = dtype.next_up(0.0) / 2.0;
    let lost = cdf(distribution).map_or(0.0, |cdf| cdf(smallest) - cdf(-smallest));
    let total = to_f64(each) * to_f64(rows.len() as u64);
    let exact = lost * total < 1e-9;
    let row = rows.iter().map(|row| u64::from(row.load(Ordering::Relaxed)));
    let (number, held) = (0u64..).zip(row).find(|(_, held)| *held > each || exact && *held != each)?;
    let per = unfolding.rows().max(1);
    let matrix = if unfolding.matrices() > 1 { format!(" of matrix {}", number / per) } else { String::new() };
    Some(format!(
        "unit {}{matrix} has {} values that are not 0, and the distribution says {}",
        number % per,
        grouped(held),
        grouped(each)
    ))
}

/// The test of Kolmogorov and Smirnov, of one sample or of two. Gives the share of pairs of values that are equal by the distribution, if values
/// of it were drawn.
fn fit(
    verdict: &mut Verdict,
    tensor: &Tensor,
    distribution: &Distribution,
    cells: &Cells,
    grid: Grid,
    settings: Settings,
) -> f64 {
    let count = cells.total();
    let mut push = |name: &str, statistic, probability, other: &str| {
        let text = format!("the distribution function is off that of {other} by {}", figure(statistic));
        verdict.tests.push(Test { name: name.into(), statistic, probability, text });
    };
    if let Some(cdf) = cdf(distribution) {
        let statistic = cells.distance(&*cdf, distribution.bounds());
        push("distance", statistic, of_distance(statistic, count), "the distribution");
    } else if matches!(distribution, Distribution::Iid(_)) {
        let (drawn, met) = drawn(tensor, distribution, count.clamp(DRAWN.0, DRAWN.1), grid, settings);
        let statistic = cells.distance_from(&drawn);
        push("distance*", statistic, of_two(statistic, count, drawn.total()), "values of another seed");
        return met;
    } else {
        verdict.untested =
            Some("no distribution function is known: its moments and the order of its values are tested".into());
    }
    0.0
}

/// Values of another seed, and the share of pairs of them that are equal.
fn drawn(tensor: &Tensor, distribution: &Distribution, count: u64, grid: Grid, settings: Settings) -> (Cells, f64) {
    const SEED: u64 = 0x6c61_7720_7465_7374;
    const PART: usize = 1 << 14;
    let mut like = TensorSpec { distribution: distribution.clone(), ..tensor.spec.clone() };
    if let Ok(shape) = Shape::new(vec![count]) {
        like.shape = shape;
    }
    let source = crate::generator::native(SEED, &like, settings.threads);
    let (mut cells, mut encoder, mut first) = (Cells::new(grid), Encoder::default(), Vec::new());
    for start in (0..count).step_by(PART) {
        let part = usize::try_from(count - start).unwrap_or(usize::MAX).min(PART);
        let values = encoder.widened(source.as_ref(), tensor.spec.dtype, start, part);
        cells.add(values);
        if start < DRAWN.0 {
            first.extend_from_slice(values);
        }
    }
    (cells, repeats::met(&first))
}

/// The mean and the variance, in units of how far they may stray.
fn moments(verdict: &mut Verdict, dtype: DType, distribution: &Distribution, sums: Vec<(u64, Summary)>) {
    let whole = Summary::joined(sums);
    let (Some(mean), Some(std)) = (distribution.mean(), distribution.std().filter(|std| *std > 0.0 && std.is_finite()))
    else {
        return;
    };
    let (Some(found_mean), Some(found_std)) = (whole.mean(), whole.std()) else { return };
    let count = whole.finite;
    let normal = matches!(distribution, Distribution::Normal { .. });
    // What rounding itself may do to the mean and to the variance of values of this size.
    let large = dtype.round((mean.abs() + 2.0 * std).min(dtype.max() / 2.0));
    let step = dtype.next_up(large) - large;
    let kurtosis = kurtosis(distribution);
    // Of heavier tails a sum is not normal for long.
    if normal || count >= MANY && kurtosis.is_some() {
        let off = nearer(found_mean - mean, 0.0, step * step / std);
        let z = off / std * to_f64(count).sqrt();
        let text = format!("the mean is {}, {z:+.2} standard errors off {}", figure(found_mean), figure(mean));
        verdict.tests.push(Test { name: "mean".into(), statistic: z, probability: of_normal(z), text });
    }
    let variance = (found_std / std) * (found_std / std) * to_f64(count) / to_f64(count.max(2) - 1);
    let ratio = nearer(variance, 1.0, (step / std) * (step / std) / 4.0);
    let text = format!("the standard deviation is {}, and that of the distribution {}", figure(found_std), figure(std));
    let mut push = |probability| {
        let (name, statistic) = ("std".into(), ratio.max(0.0).sqrt());
        verdict.tests.push(Test { name, statistic, probability, text: text.clone() });
    };
    if normal && count >= 2 {
        push(of_normal_variance(ratio, count));
    } else if count >= MANY
        && let Some(kurtosis) = kurtosis
    {
        let z = (ratio - 1.0) / ((kurtosis - 1.0) / to_f64(count)).sqrt();
        push(of_normal(z));
    }
}
