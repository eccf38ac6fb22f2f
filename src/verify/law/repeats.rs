//! Values that come again: runs of them at any distance, whole slices, single ones more often than chance and rounding explain, and
//! tensors that hold the values of another.
//!
//! Signs are not looked at, so that what was copied with all signs changed is found too.

use super::cells::Cells;
use super::excerpt::Excerpt;
use super::special::of_as_many;
use super::{Test, Trace, share};
use crate::law::as_float;
use crate::text::grouped;

/// How many values make a run that should not come twice.
const RUN: usize = 32;
/// About how many runs are remembered.
const RUNS: u64 = 1 << 20;
/// From how many values on a run is looked at from one place in sixteen only, which its first value picks.
const MANY: u64 = 1 << 16;
/// How many single values are sorted, about.
const SORTED: u64 = 1 << 18;
/// What hardly ever happens.
const NEVER: f64 = 1e-12;
/// No generator of random numbers takes coarser steps than this many bits of a fraction, unless its dtype does.
pub(super) const GRID: u32 = 23;

/// Which runs of a tensor of `count` values are looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sampling {
    few: bool,
    kept: u64,
}

impl Sampling {
    pub(super) fn new(count: u64) -> Self {
        let looked_at = if count <= MANY { count } else { count / 16 };
        Self { few: count <= MANY, kept: thinning(looked_at) }
    }

    /// Appends a hash of each run that is looked at, and where it begins.
    pub(super) fn add(self, values: &[f64], index: &dyn Fn(usize) -> u64, runs: &mut Vec<(u64, u64)>) {
        for (number, run) in values.windows(RUN).enumerate() {
            if self.few || mixed(magnitude(run[0])) >> 60 == 0 {
                let hash = hash(run);
                if hash.is_multiple_of(self.kept) {
                    runs.push((hash, index(number)));
                }
            }
        }
    }
}

/// A power of two that leaves about as many of so many as are remembered.
fn thinning(runs: u64) -> u64 {
    runs.div_ceil(RUNS).max(1).next_power_of_two()
}

#[inline(always)]
fn magnitude(value: f64) -> u64 {
    value.abs().to_bits()
}

#[inline(always)]
fn mixed(bits: u64) -> u64 {
    (bits ^ bits >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn hash(values: &[f64]) -> u64 {
    let hash = values.iter().fold(0x243f_6a88_85a3_08d3, |hash: u64, value| {
        (hash ^ magnitude(*value)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    });
    hash ^ hash >> 31
}

/// The probability that two values have the same magnitude, as far as the values themselves, the dtype, and the coarseness of generators
/// explain it. `further` is what else is known of it.
pub(super) fn collision(cells: &Cells, block: &[f64], further: f64) -> f64 {
    let bits = block.iter().filter(|value| value.is_finite()).fold(0, |bits, value| bits | value.to_bits());
    // Of values that were rounded to a shorter dtype before, the last bits are 0.
    let mantissa = 52 - (bits << 12 >> 12 | 1 << 52).trailing_zeros();
    let grid = 0.5f64.powi(mantissa.min(GRID).cast_signed());
    (2.0 * cells.collision(mantissa).max(grid).max(further)).min(1.0)
}

/// The probability that two of these values have the same magnitude.
pub(super) fn met(values: &[f64]) -> f64 {
    let pairs = as_float(values.len() as u64).powi(2) / 2.0;
    as_float(pairs_of(values)) / pairs.max(1.0)
}

/// How many pairs of values have the same magnitude.
fn pairs_of(values: &[f64]) -> u64 {
    pairs_among(values.iter().filter(|value| value.is_finite()).map(|value| magnitude(*value)).collect())
}

fn pairs_among(mut bits: Vec<u64>) -> u64 {
    bits.sort_unstable();
    bits.chunk_by(|one, other| one == other).map(|same| same.len() as u64 * (same.len() as u64 - 1) / 2).sum()
}

/// Whether values come more often than once by more than chance. Of many, those are looked at that a hash picks, with all that equal them.
pub(super) fn duplicates(values: &[f64], collision: f64) -> Test {
    let all = || values.iter().filter(|value| value.is_finite()).map(|value| magnitude(*value));
    let count = all().count() as u64;
    let thinning = count.div_ceil(SORTED).next_power_of_two();
    let picked: Vec<u64> = all().filter(|bits| (mixed(*bits) >> 32).is_multiple_of(thinning)).collect();
    let pairs = pairs_among(picked);
    let mean = as_float(count) * as_float(count.saturating_sub(1)) / 2.0 * collision / as_float(thinning);
    let part = if thinning > 1 { format!(" (of one part in {thinning} of them)") } else { String::new() };
    Test {
        name: "repeated values".into(),
        statistic: as_float(pairs),
        probability: of_as_many(as_float(pairs), mean),
        text: format!(
            "{} pairs of {} values{part} are of the same magnitude, and chance explains {mean:.3e}",
            grouped(pairs),
            grouped(count)
        ),
    }
}

/// A run of values that comes twice.
pub(super) fn runs(runs: &mut [(u64, u64)], collision: f64) -> Option<String> {
    if !is_rare(collision, RUN, as_float(runs.len() as u64).powi(2)) {
        return None;
    }
    runs.sort_unstable();
    let again = || runs.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    let (first, second) = again().map(|pair| (pair[0].1, pair[1].1)).min()?;
    let often = again().count() as u64;
    Some(format!(
        "values {} to {} come again from {} on; {} of the {} runs of {RUN} values that were looked at come again ({:.1} %)",
        grouped(first),
        grouped(first + RUN as u64 - 1),
        grouped(second),
        grouped(often),
        grouped(runs.len() as u64),
        100.0 * share(often, runs.len() as u64)
    ))
}

/// Slices of an axis that hold the same values.
pub(super) fn slices(excerpt: &Excerpt, collision: f64) -> Vec<String> {
    let matrix = excerpt.axes().len() == 2;
    let equal = excerpt.slices().filter_map(|(axis, each, values)| {
        let slices = values.chunks_exact(each.max(1)).map(|slice| (slice.iter().all(|value| value.is_finite()), slice));
        let mut hashes: Vec<(u64, usize)> = slices
            .enumerate()
            .filter(|(_, (whole, _))| *whole)
            .map(|(number, (_, slice))| (hash(slice), number))
            .collect();
        if !is_rare(collision, each, as_float(hashes.len() as u64).powi(2)) {
            return None;
        }
        hashes.sort_unstable();
        let again = || hashes.windows(2).filter(|pair| pair[0].0 == pair[1].0);
        let (first, second) = again().map(|pair| (pair[0].1, pair[1].1)).min()?;
        let further = again().count() - 1;
        let (what, along) = match (matrix, axis) {
            (true, 0) => ("rows", String::new()),
            (true, _) => ("columns", String::new()),
            _ => ("slices", format!(" of axis {axis}")),
        };
        let more = if further > 0 { format!("; {} more come again", grouped(further as u64)) } else { String::new() };
        Some(format!("{what} {first} and {second}{along} are equal, or opposite, in all {each} values compared{more}"))
    });
    equal.collect()
}

/// Whether so many values hardly ever meet as many others in one of that number of tries.
fn is_rare(collision: f64, values: usize, tries: f64) -> bool {
    as_float(values as u64) * libm::log(collision) + libm::log(tries.max(1.0)) < libm::log(NEVER)
}

impl Trace {
    /// What tells the values of a tensor from those of others, among `all` values of a file.
    pub(super) fn new(count: u64, block: &[f64], mut runs: Vec<(u64, u64)>, collision: f64, all: u64) -> Self {
        let thinning = thinning(all);
        runs.retain(|(hash, _)| hash.is_multiple_of(thinning));
        runs.shrink_to_fit();
        let values = block.iter().filter(|value| value.is_finite() && **value != 0.0);
        let (held, sum) = values.fold((0, 0), |(held, sum): (usize, u64), &value| {
            let bits = mixed(magnitude(value));
            (held + 1, sum.wrapping_add(mixed(bits ^ bits >> 29)))
        });
        Self { count, held, sum, runs, collision }
    }
}

/// Tensors that hold the values of others, given by their traces: which, of which other, and in which words.
pub fn between(traces: &[Option<&Trace>]) -> Vec<(usize, usize, String)> {
    let mut found = Vec::new();
    let tries = as_float(traces.len() as u64).powi(2);
    let mut sums: Vec<(u64, u64, usize)> = (0..)
        .zip(traces)
        .filter_map(|(number, trace)| {
            let trace = trace.filter(|trace| is_rare(trace.collision, trace.held, tries))?;
            Some((trace.sum, trace.count, number))
        })
        .collect();
    sums.sort_unstable();
    for pair in sums.windows(2).filter(|pair| (pair[0].0, pair[0].1) == (pair[1].0, pair[1].1)) {
        found.push((pair[1].2, pair[0].2, "its values are those of".to_string()));
    }
    let mut runs: Vec<(u64, usize, u64)> = Vec::new();
    let all: usize = traces.iter().flatten().map(|trace| trace.runs.len()).sum();
    for (number, trace) in traces.iter().enumerate().filter_map(|(number, trace)| Some((number, (*trace)?))) {
        if is_rare(trace.collision, RUN, as_float(all as u64).powi(2)) {
            runs.extend(trace.runs.iter().map(|&(hash, place)| (hash, number, place)));
        }
    }
    runs.sort_unstable();
    let mut again: Vec<_> = runs
        .windows(2)
        .filter(|pair| pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1)
        .map(|pair| (pair[1].1, pair[0].1, pair[1].2, pair[0].2))
        .collect();
    again.sort_unstable();
    for same in again.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)) {
        let (number, other, place, there) = same[0];
        if !found.iter().any(|(one, two, _)| (*one, *two) == (number, other)) {
            let to = place + RUN as u64 - 1;
            let text = format!(
                "its values {} to {}, in order, are those from {} on of",
                grouped(place),
                grouped(to),
                grouped(there)
            );
            found.push((number, other, text));
        }
    }
    found.sort();
    found
}
