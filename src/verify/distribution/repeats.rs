//! Values that come again: runs of them at any distance, whole slices, single ones more often than chance and rounding explain, and
//! tensors that hold the values of another.
//!
//! Of runs and slices, signs count as far as they are the same or not as those before, and of single values not at all, so that what was
//! copied with all signs changed is found too.

use super::excerpt::Excerpt;
use super::special::of_as_many;
use super::{Test, Trace, share};
use crate::statistics::ecdf::{Cells, MANTISSA};
use crate::tensor::to_f64;
use crate::text::grouped;

/// Numbers of values in runs that should not come twice: the fewer different values a distribution has, the longer.
const LENGTHS: [usize; 3] = [128, 32, 8];
/// About how many runs of a length are remembered.
const RUNS: u64 = 1 << 18;
/// Of more values, one run in sixteen is looked at.
const MANY: u64 = 1 << 16;
/// The base of hashes: the first bits of the fraction of pi.
const BASE: u128 = 0x243f_6a88_85a3_08d3_1319_8a2e_0370_7345;
/// The bit of a sign.
const SIGN: u64 = 1 << 63;
/// The approximate number of single values that are sorted.
const SORTED: u64 = 1 << 18;
/// The probability of an event that hardly ever happens.
const NEVER: f64 = 1e-12;
/// No generator of random numbers takes coarser steps than this many bits of a fraction, unless its dtype does.
pub(super) const GRID: u32 = 23;

/// Hashes of runs of each length, and where they begin.
pub(super) type Runs = [Vec<(u128, u64)>; LENGTHS.len()];

/// The bits that the hash of a run has not if the run is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sampling(u128);

impl Sampling {
    /// For a tensor of `count` values.
    pub(super) fn new(count: u64) -> Self {
        Self(if count <= MANY { 0 } else { 16 * thinning(count / 16) - 1 })
    }

    /// Appends a hash of each run that is looked at, and where it begins.
    pub(super) fn add(self, values: &[f64], index: &dyn Fn(usize) -> u64, runs: &mut Runs) {
        let symbols: Vec<u64> = values.windows(2).map(|pair| symbol(pair[0], pair[1])).collect();
        for (runs, length) in runs.iter_mut().zip(LENGTHS) {
            let hashes = values.iter().zip(rolling(&symbols, length - 1)).map(|(&first, rest)| with_first(first, rest));
            let picked = hashes.enumerate().filter(|(_, hash)| hash & self.0 == 0);
            runs.extend(picked.map(|(number, hash)| (hash, index(number))));
        }
    }
}

/// A power of two that leaves about as many of so many as are remembered.
fn thinning(runs: u64) -> u128 {
    runs.div_ceil(RUNS).max(1).next_power_of_two().into()
}

/// The magnitude of a value, and if its sign is that of the one before.
#[inline(always)]
fn symbol(before: f64, value: f64) -> u64 {
    mixed(magnitude(value) | (before.to_bits() ^ value.to_bits()) & SIGN)
}

/// Hashes of all runs of so many symbols (Karp and Rabin 1987), of 128 bits, so that no two are the same by chance.
fn rolling(symbols: &[u64], length: usize) -> impl Iterator<Item = u128> {
    let (first, last) = (0..length).fold((0u128, 1u128), |(hash, power), at| {
        let symbol = symbols.get(at).copied().unwrap_or(0);
        (hash.wrapping_mul(BASE).wrapping_add(symbol.into()), power.wrapping_mul(BASE))
    });
    let steps = symbols.iter().zip(symbols.get(length..).unwrap_or(&[]));
    let later = steps.scan(first, move |hash, (&left, &entered)| {
        *hash = hash.wrapping_mul(BASE).wrapping_add(entered.into()).wrapping_sub(u128::from(left).wrapping_mul(last));
        Some(*hash)
    });
    (symbols.len() >= length).then_some(first).into_iter().chain(later)
}

/// The hash of a run by its first value and the hash of the rest. Its low bits depend on all.
fn with_first(first: f64, rest: u128) -> u128 {
    let hash = (rest ^ u128::from(magnitude(first))).wrapping_mul(BASE);
    hash ^ hash >> 64 ^ hash >> 96
}

#[inline(always)]
fn magnitude(value: f64) -> u64 {
    value.abs().to_bits()
}

#[inline(always)]
fn mixed(bits: u64) -> u64 {
    (bits ^ bits >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// A hash that values with all signs changed have, too.
fn hash(values: &[f64]) -> u64 {
    let sign = values.first().map_or(0, |value| value.to_bits() & SIGN);
    let hash = values.iter().fold(0x243f_6a88_85a3_08d3, |hash: u64, value| {
        (hash ^ value.to_bits() ^ sign).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    });
    hash ^ hash >> 31
}

/// The probability that two values are equal, as far as the values themselves, the dtype, and the coarseness of generators
/// explain it. `further` is what else is known of it.
pub(super) fn collision(cells: &Cells, block: &[f64], further: f64) -> f64 {
    let bits = block.iter().filter(|value| value.is_finite()).fold(0, |bits, value| bits | value.to_bits());
    // Of values that were rounded to a shorter dtype before, the last bits are 0.
    let mantissa = 52 - (bits << 12 >> 12 | 1 << 52).trailing_zeros();
    // Cells tell numbers of fewer bits apart.
    let grid = if mantissa > MANTISSA { 0.5f64.powi(mantissa.min(GRID).cast_signed()) } else { 0.0 };
    cells.collision(mantissa).max(grid).max(further)
}

/// A bound on the probability that two values have the same magnitude, by that of being equal: two are no more often opposite than equal.
pub(super) fn of_magnitudes(collision: f64) -> f64 {
    (2.0 * collision).min(1.0)
}

/// The share of pairs of these values that are equal.
pub(super) fn met(values: &[f64]) -> f64 {
    let pairs = to_f64(values.len() as u64).powi(2) / 2.0;
    // Neither zero has a sign.
    let bits = values.iter().filter(|value| value.is_finite()).map(|value| (value + 0.0).to_bits());
    to_f64(pairs_among(bits.collect())) / pairs.max(1.0)
}

fn pairs_among(mut bits: Vec<u64>) -> u64 {
    bits.sort_unstable();
    bits.chunk_by(|one, other| one == other).map(|same| same.len() as u64 * (same.len() as u64 - 1) / 2).sum()
}

/// Values that come more often than once by more than chance. Of many, those are looked at that a hash picks, with all that equal them.
pub(super) fn duplicates(values: &[f64], collision: f64) -> Test {
    let all = || values.iter().filter(|value| value.is_finite()).map(|value| magnitude(*value));
    let count = all().count() as u64;
    let thinning = count.div_ceil(SORTED).next_power_of_two();
    let picked: Vec<u64> = all().filter(|bits| (mixed(*bits) >> 32).is_multiple_of(thinning)).collect();
    let pairs = pairs_among(picked);
    let mean = to_f64(count) * to_f64(count.saturating_sub(1)) / 2.0 * of_magnitudes(collision) / to_f64(thinning);
    let part = if thinning > 1 { format!(" (of one part in {thinning} of them)") } else { String::new() };
    Test {
        name: "repeated values".into(),
        statistic: to_f64(pairs),
        probability: of_as_many(to_f64(pairs), mean),
        text: format!(
            "{} pairs of {} values{part} are of the same magnitude, and chance explains {mean:.3e}",
            grouped(pairs),
            grouped(count)
        ),
    }
}

/// The longest run of values that comes twice.
pub(super) fn runs(runs: &mut Runs, collision: f64) -> Option<String> {
    LENGTHS.into_iter().zip(runs).find_map(|(length, runs)| again(length, runs, collision))
}

fn again(length: usize, runs: &mut [(u128, u64)], collision: f64) -> Option<String> {
    if !is_rare_run(collision, length, runs.len()) {
        return None;
    }
    runs.sort_unstable();
    let again = || runs.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    let (first, second) = again().map(|pair| (pair[0].1, pair[1].1)).min()?;
    let often = again().count() as u64;
    Some(format!(
        "values {} to {} come again from {} on; {} of the {} runs of {length} values that were looked at come again ({:.1} %)",
        grouped(first),
        grouped(first + length as u64 - 1),
        grouped(second),
        grouped(often),
        grouped(runs.len() as u64),
        100.0 * share(often, runs.len() as u64)
    ))
}

/// If none of so many runs should be that of another. Two that overlap by all but one value are equal if all of theirs are, and no value is
/// more likely than the root of the probability that two are equal.
fn is_rare_run(collision: f64, length: usize, runs: usize) -> bool {
    is_rare(collision, length / 2, to_f64(runs as u64))
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
        // Equal or opposite.
        if !is_rare(collision, each, 2.0 * to_f64(hashes.len() as u64).powi(2)) {
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

/// True if so many values hardly ever meet as many others in one of that number of tries.
fn is_rare(collision: f64, values: usize, tries: f64) -> bool {
    to_f64(values as u64) * libm::log(collision) + libm::log(tries.max(1.0)) < libm::log(NEVER)
}

impl Trace {
    /// The fingerprint of the values of a tensor among `all` values of a file.
    pub(super) fn new(count: u64, block: &[f64], mut runs: Runs, collision: f64, all: u64) -> Self {
        let bits = thinning(all) - 1;
        for runs in &mut runs {
            runs.retain(|(hash, _)| hash & bits == 0);
            runs.shrink_to_fit();
        }
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
    let tries = to_f64(traces.len() as u64).powi(2);
    let mut sums: Vec<(u64, u64, usize)> = (0..)
        .zip(traces)
        .filter_map(|(number, trace)| {
            let trace = trace.filter(|trace| is_rare(of_magnitudes(trace.collision), trace.held, tries))?;
            Some((trace.sum, trace.count, number))
        })
        .collect();
    sums.sort_unstable();
    for pair in sums.windows(2).filter(|pair| (pair[0].0, pair[0].1) == (pair[1].0, pair[1].1)) {
        found.push((pair[1].2, pair[0].2, "its values are those of".to_string()));
    }
    for (which, length) in LENGTHS.into_iter().enumerate() {
        for (number, other, text) in runs_between(traces, which, length) {
            if !found.iter().any(|(one, two, _)| (*one, *two) == (number, other)) {
                found.push((number, other, text));
            }
        }
    }
    found.sort();
    found
}

/// Tensors that hold runs of one length of others.
fn runs_between(traces: &[Option<&Trace>], which: usize, length: usize) -> Vec<(usize, usize, String)> {
    let all: usize = traces.iter().flatten().map(|trace| trace.runs[which].len()).sum();
    let mut runs: Vec<(u128, usize, u64)> = Vec::new();
    for (number, trace) in traces.iter().enumerate().filter_map(|(number, trace)| Some((number, (*trace)?))) {
        if is_rare_run(trace.collision, length, all) {
            runs.extend(trace.runs[which].iter().map(|&(hash, place)| (hash, number, place)));
        }
    }
    runs.sort_unstable();
    let mut again: Vec<_> = runs
        .windows(2)
        .filter(|pair| pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1)
        .map(|pair| (pair[1].1, pair[0].1, pair[1].2, pair[0].2))
        .collect();
    again.sort_unstable();
    let first = again.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)).map(|same| {
        let (number, other, place, there) = same[0];
        let (from, to) = (grouped(place), grouped(place + length as u64 - 1));
        (number, other, format!("its values {from} to {to}, in order, are those from {} on of", grouped(there)))
    });
    first.collect()
}
