//! Independent values against their law.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;

use super::cells::{Cells, Grid};
use super::probability::{cdf, kurtosis, of_distance, of_normal, of_normal_variance, of_two};
use super::{Settings, Test, Verdict, check_memory, place, share};
use crate::inspect::Summary;
use crate::law::{Law, as_float};
use crate::plan::{DType, Shape, Tensor, Unfolding};
use crate::reader::Contents;
use crate::scan::scan;
use crate::text::{figure, grouped};
use crate::writer::Encoder;

/// Which elements of a tensor follow the law; the others are 0.
pub(super) enum Part<'a> {
    /// All of them.
    All,
    /// All but a range.
    Without(u64, u64),
    /// A certain number of each row of the unfolding.
    NonZero { each: u64, unfolding: &'a Unfolding },
}

/// How many values make a block that should not come twice.
const BLOCK: usize = 32;
/// About how many blocks are remembered.
const BLOCKS: u64 = 1 << 20;
/// From how many values on the sum of any bounded ones is normal as far out as it is looked at.
const MANY: u64 = 4096;
/// How many values are drawn to compare with, at least and at most.
const DRAWN: (u64, u64) = (1 << 16, 1 << 24);

/// What was seen of a tensor's values.
struct Seen {
    sums: Vec<(u64, Summary)>,
    cells: Cells,
    outside: Option<(u64, f64)>,
    /// The first element that is not 0 and should be.
    not_zero: Option<(u64, f64)>,
    blocks: Vec<(u64, u64)>,
}

pub(super) fn test(
    tensor: &Tensor,
    law: &Law,
    part: &Part,
    contents: &mut Contents,
    entry: usize,
    settings: Settings,
) -> Result<Verdict> {
    let count = tensor.shape.count();
    let rows = match part {
        Part::NonZero { unfolding, .. } => {
            let rows = unfolding.matrices() * unfolding.rows();
            check_memory(tensor, rows.saturating_mul(4), settings.limit)?;
            (0..rows).map(|_| AtomicU32::new(0)).collect()
        }
        _ => Vec::new(),
    };
    let (mean, std) = (law.mean().unwrap_or(0.0), law.std().unwrap_or(0.0));
    // Cells are narrowest about 0; of a law that lies elsewhere, about its mean.
    let grid = Grid::new(tensor.dtype, if mean.abs() > std { mean } else { 0.0 });
    let kept = (count / BLOCK as u64).div_ceil(BLOCKS).max(1);
    let new = || Seen { sums: Vec::new(), cells: Cells::new(grid), outside: None, not_zero: None, blocks: Vec::new() };
    let visit = |seen: &mut Seen, start: u64, values: &[f64]| {
        let chosen;
        let (start, values) = match part {
            Part::All => (start, values),
            Part::Without(from, to) => {
                let inside = |index: u64| (*from..*to).contains(&index);
                let off = (start..).zip(values.iter().copied()).find(|&(index, value)| inside(index) && value != 0.0);
                seen.not_zero = first(seen.not_zero, off);
                chosen = (start..)
                    .zip(values)
                    .filter(|(index, _)| !inside(*index))
                    .map(|(_, &value)| value)
                    .collect::<Vec<_>>();
                (start, chosen.as_slice())
            }
            Part::NonZero { unfolding, .. } => {
                for (index, _) in (start..).zip(values).filter(|(_, value)| **value != 0.0) {
                    let at = unfolding.place(index);
                    let row = usize::try_from(at.matrix * unfolding.rows() + at.row).unwrap_or(usize::MAX);
                    if let Some(row) = rows.get(row) {
                        row.fetch_add(1, Ordering::Relaxed);
                    }
                }
                chosen = values.iter().copied().filter(|&value| value != 0.0).collect::<Vec<_>>();
                (start, chosen.as_slice())
            }
        };
        let mut summary = Summary::default();
        summary.add(values);
        if summary.nan + summary.infinite > 0 || beyond(tensor, law, summary.min, summary.max) {
            seen.outside = first(seen.outside, first_outside(tensor, law, start, values));
        }
        seen.sums.push((start, summary));
        if summary.nan + summary.infinite == 0 {
            seen.cells.add(values);
            seen.blocks.extend(blocks(start, values).filter(|(hash, _)| hash % kept == 0));
        }
    };
    let mut found = scan(contents, entry, settings.threads, &new, &visit)?.into_iter();
    let mut seen = found.next().unwrap_or_else(new);
    for other in found {
        seen.cells.merge(&other.cells);
        seen.sums.extend(other.sums);
        seen.blocks.extend(other.blocks);
        seen.outside = first(seen.outside, other.outside);
        seen.not_zero = first(seen.not_zero, other.not_zero);
    }
    let mut verdict = Verdict::default();
    verdict.faults.extend(seen.outside.map(|(index, value)| outside(tensor, law, index, value)));
    let not_zero = seen
        .not_zero
        .map(|(index, value)| format!("{} is {}, and the law says 0", place(tensor, index), figure(value)));
    verdict.faults.extend(not_zero);
    if let Part::NonZero { each, unfolding } = part {
        verdict.faults.extend(miscounted(tensor.dtype, law, *each, unfolding, &rows));
    }
    if verdict.faults.is_empty() && seen.cells.total() > 0 {
        distribution(&mut verdict, tensor, law, &seen.cells, grid, settings);
        moments(&mut verdict, tensor.dtype, law, seen.sums);
        verdict.faults.extend(repeated(&seen.cells, seen.blocks));
    }
    Ok(verdict)
}

fn first(one: Option<(u64, f64)>, other: Option<(u64, f64)>) -> Option<(u64, f64)> {
    one.into_iter().chain(other).min_by_key(|(index, _)| *index)
}

/// The outermost values that a law's bounds allow in a dtype, two roundings further out for those who compute them otherwise.
fn reach(tensor: &Tensor, law: &Law) -> (f64, f64) {
    let dtype = tensor.dtype;
    let further = |bound: f64| if bound.is_finite() { dtype.next_up(dtype.next_up(dtype.round(bound))) } else { bound };
    law.bounds().map_or((f64::NEG_INFINITY, f64::INFINITY), |(low, high)| (-further(-low), further(high)))
}

fn beyond(tensor: &Tensor, law: &Law, min: Option<f64>, max: Option<f64>) -> bool {
    let (low, high) = reach(tensor, law);
    min.is_some_and(|min| min < low) || max.is_some_and(|max| max > high)
}

/// The first value that is not finite or not inside the bounds.
pub(super) fn first_outside(tensor: &Tensor, law: &Law, start: u64, values: &[f64]) -> Option<(u64, f64)> {
    let (low, high) = reach(tensor, law);
    (start..).zip(values.iter().copied()).find(|(_, value)| !value.is_finite() || !(low..=high).contains(value))
}

pub(super) fn outside(tensor: &Tensor, law: &Law, index: u64, value: f64) -> String {
    let bounds = match law.bounds() {
        Some((low, high)) if value.is_finite() => format!("the law ends at {} and {}", figure(low), figure(high)),
        _ => "the law has no such value".into(),
    };
    format!("{} is {}: {bounds}", place(tensor, index), figure(value))
}

/// Rows that do not hold as many values that are not 0 as the law says. Few values may have been rounded to 0.
fn miscounted(dtype: DType, law: &Law, each: u64, unfolding: &Unfolding, rows: &[AtomicU32]) -> Option<String> {
    let smallest = dtype.next_up(0.0) / 2.0;
    let lost = cdf(law).map_or(0.0, |cdf| cdf(smallest) - cdf(-smallest));
    let total = as_float(each) * as_float(rows.len() as u64);
    let exact = lost * total < 1e-9;
    let row = rows.iter().map(|row| u64::from(row.load(Ordering::Relaxed)));
    let (number, held) = (0u64..).zip(row).find(|(_, held)| *held > each || exact && *held != each)?;
    let per = unfolding.rows().max(1);
    let matrix = if unfolding.matrices() > 1 { format!(" of matrix {}", number / per) } else { String::new() };
    Some(format!(
        "unit {}{matrix} has {} values that are not 0, and the law says {}",
        number % per,
        grouped(held),
        grouped(each)
    ))
}

/// The test of Kolmogorov and Smirnov, of one sample or of two.
fn distribution(verdict: &mut Verdict, tensor: &Tensor, law: &Law, cells: &Cells, grid: Grid, settings: Settings) {
    let count = cells.total();
    if let Some(cdf) = cdf(law) {
        let statistic = cells.distance(&*cdf, law.bounds());
        verdict.tests.push(Test { name: "distance", statistic, probability: of_distance(statistic, count) });
    } else if matches!(law, Law::Distribution(_)) {
        let drawn = drawn(tensor, law, count.clamp(DRAWN.0, DRAWN.1), grid, settings);
        let statistic = cells.distance_from(&drawn);
        verdict.tests.push(Test { name: "distance*", statistic, probability: of_two(statistic, count, drawn.total()) });
    } else {
        verdict.untested = Some("no distribution function is known: its moments alone are tested".into());
    }
}

/// Values of another seed.
fn drawn(tensor: &Tensor, law: &Law, count: u64, grid: Grid, settings: Settings) -> Cells {
    const SEED: u64 = 0x6c61_7720_7465_7374;
    let mut like = Tensor { law: law.clone(), ..tensor.clone() };
    if let Ok(shape) = Shape::new(vec![count]) {
        like.shape = shape;
    }
    let source = crate::generator::native(SEED, &like, settings.threads);
    let (mut cells, mut encoder) = (Cells::new(grid), Encoder::default());
    for start in (0..count).step_by(BLOCK * 512) {
        let part = usize::try_from(count - start).unwrap_or(usize::MAX).min(BLOCK * 512);
        cells.add(encoder.widened(source.as_ref(), tensor.dtype, start, part));
    }
    cells
}

/// The mean and the variance, in units of how far they may stray.
fn moments(verdict: &mut Verdict, dtype: DType, law: &Law, mut sums: Vec<(u64, Summary)>) {
    // In one order, whoever read first.
    sums.sort_by_key(|(start, _)| *start);
    let whole = sums.into_iter().fold(Summary::default(), |whole, (_, part)| whole.and(part));
    let (Some(mean), Some(std)) = (law.mean(), law.std().filter(|std| *std > 0.0 && std.is_finite())) else { return };
    let (Some(found_mean), Some(found_std)) = (whole.mean(), whole.std()) else { return };
    let count = whole.finite;
    let normal = matches!(law, Law::Normal { .. });
    // What rounding itself may do to the mean and to the variance of values of this size.
    let large = dtype.round((mean.abs() + 2.0 * std).min(dtype.max() / 2.0));
    let step = dtype.next_up(large) - large;
    let allowed = |off: f64, slack: f64| off.signum() * (off.abs() - slack).max(0.0);
    let kurtosis = kurtosis(law);
    // Of heavier tails a sum is not normal for long.
    if normal || count >= MANY && kurtosis.is_some() {
        let off = allowed(found_mean - mean, step * step / std);
        let z = off / std * as_float(count).sqrt();
        verdict.tests.push(Test { name: "mean", statistic: z, probability: of_normal(z) });
    }
    let variance = (found_std / std) * (found_std / std) * as_float(count) / as_float(count.max(2) - 1);
    let ratio = 1.0 + allowed(variance - 1.0, (step / std) * (step / std) / 4.0);
    if normal && count >= 2 {
        let probability = of_normal_variance(ratio, count);
        verdict.tests.push(Test { name: "std", statistic: ratio.sqrt(), probability });
    } else if count >= MANY
        && let Some(kurtosis) = kurtosis
    {
        let z = (ratio - 1.0) / ((kurtosis - 1.0) / as_float(count)).sqrt();
        verdict.tests.push(Test { name: "std", statistic: ratio.max(0.0).sqrt(), probability: of_normal(z) });
    }
}

/// A hash of each whole block, and its number of the first value.
fn blocks(start: u64, values: &[f64]) -> impl Iterator<Item = (u64, u64)> {
    let (blocks, _) = values.as_chunks::<BLOCK>();
    blocks.iter().enumerate().map(move |(number, block)| {
        let hash = block.iter().fold(0x243f_6a88_85a3_08d3, |hash: u64, value| {
            (hash ^ value.to_bits()).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
        });
        (hash ^ hash >> 31, start + (number * BLOCK) as u64)
    })
}

/// Whether a block of values comes twice, where the law hardly ever does that.
fn repeated(cells: &Cells, mut blocks: Vec<(u64, u64)>) -> Option<String> {
    let pairs = as_float(blocks.len() as u64).powi(2);
    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "32")]
    let chance = cells.largest_share().powi(BLOCK as i32) * pairs;
    if chance > 1e-12 {
        return None;
    }
    blocks.sort_unstable();
    let again = blocks.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    let (first, second) = again.map(|pair| (pair[0].1, pair[1].1)).min()?;
    let often = blocks.windows(2).filter(|pair| pair[0].0 == pair[1].0).count() as u64;
    Some(format!(
        "values {first} to {} come again from {second} on; {} of {} blocks of {BLOCK} come again ({:.1} %)",
        first + BLOCK as u64 - 1,
        grouped(often),
        grouped(blocks.len() as u64),
        100.0 * share(often, blocks.len() as u64)
    ))
}
