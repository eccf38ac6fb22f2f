//! Repeated values: runs at any distance, slices, single values beyond chance and rounding, and tensors with the values of another.
//!
//! Copies with all signs reversed are found too: single values are compared without signs, runs and slices by the changes of sign.

use super::excerpt::Excerpt;
use super::{Fingerprint, TestResult, share};
use crate::statistics::ecdf::{Cells, MANTISSA};
use crate::statistics::p_value::poisson_bound;
use crate::tensor::to_f64;
use crate::text::grouped;

/// The lengths of runs that are compared. A distribution with fewer distinct values needs longer runs.
const LENGTHS: [usize; 3] = [128, 32, 8];
/// The approximate number of runs of a length that are stored.
const RUNS: u64 = 1 << 18;
/// If a tensor has more values, one run in sixteen is compared.
const MANY: u64 = 1 << 16;
/// The base of hashes: the first 128 bits of the fraction of pi.
const BASE: u128 = 0x243f_6a88_85a3_08d3_1319_8a2e_0370_7345;
/// The sign bit of a double.
const SIGN: u64 = 1 << 63;
/// The approximate number of single values that are sorted.
const SORTED: u64 = 1 << 18;
/// A repeat with a lower probability is a fault.
const NEVER: f64 = 1e-12;
/// The bits of a fraction drawn by the coarsest generators of random numbers.
pub(super) const COARSEST_BITS: u32 = 23;

/// Hashes of runs of each length, and the indices of their first values.
pub(super) type RunHashes = [Vec<(u128, u64)>; LENGTHS.len()];

/// A mask: a run is compared if its hash has none of these bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sampling(u128);

impl Sampling {
    pub(super) fn new(count: u64) -> Self {
        Self(if count <= MANY { 0 } else { 16 * thinning(count / 16) - 1 })
    }

    /// Appends the hashes of the selected runs of a chunk. `index` gives the index in the tensor of each value.
    pub(super) fn add(self, values: &[f64], index: &dyn Fn(usize) -> u64, runs: &mut RunHashes) {
        let symbols: Vec<u64> = values.windows(2).map(|pair| symbol(pair[0], pair[1])).collect();
        for (runs, length) in runs.iter_mut().zip(LENGTHS) {
            let hashes = values.iter().zip(rolling(&symbols, length - 1)).map(|(&first, rest)| with_first(first, rest));
            let picked = hashes.enumerate().filter(|(_, hash)| hash & self.0 == 0);
            runs.extend(picked.map(|(number, hash)| (hash, index(number))));
        }
    }
}

/// A power of two: one in this number of runs is stored.
fn thinning(runs: u64) -> u128 {
    runs.div_ceil(RUNS).max(1).next_power_of_two().into()
}

/// A hash of the magnitude of a value and of its change of sign.
#[inline(always)]
fn symbol(before: f64, value: f64) -> u64 {
    mixed(magnitude(value) | (before.to_bits() ^ value.to_bits()) & SIGN)
}

/// Hashes of all runs of `length` symbols (Karp and Rabin 1987). With 128 bits, no two are equal by chance.
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

/// The hash of a run from its first value and the hash of the rest. Its low bits depend on all values.
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

/// A hash of values, the same if all signs are reversed.
fn hash(values: &[f64]) -> u64 {
    let sign = values.first().map_or(0, |value| value.to_bits() & SIGN);
    let hash = values.iter().fold(0x243f_6a88_85a3_08d3, |hash: u64, value| {
        (hash ^ value.to_bits() ^ sign).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    });
    hash ^ hash >> 31
}

/// A bound on the probability that two values are equal, from the values, their dtype and the coarsest generators. `drawn` is another
/// estimate, or 0.
pub(super) fn collision(cells: &Cells, block: &[f64], drawn: f64) -> f64 {
    let bits = block.iter().filter(|value| value.is_finite()).fold(0, |bits, value| bits | value.to_bits());
    // Values that were rounded to a shorter dtype before end in zero bits.
    let mantissa = 52 - (bits << 12 >> 12 | 1 << 52).trailing_zeros();
    // Numbers with fewer bits have separate cells.
    let grid = if mantissa > MANTISSA { 0.5f64.powi(mantissa.min(COARSEST_BITS).cast_signed()) } else { 0.0 };
    cells.collision(mantissa).max(grid).max(drawn)
}

/// A bound on the probability that two values have the same magnitude: they are opposite at most as often as equal.
pub(super) fn of_magnitudes(collision: f64) -> f64 {
    (2.0 * collision).min(1.0)
}

/// The share of equal pairs among all pairs of these values.
pub(super) fn share_of_equal_pairs(values: &[f64]) -> f64 {
    let pairs = to_f64(values.len() as u64).powi(2) / 2.0;
    // The sum turns -0.0 into 0.0.
    let bits = values.iter().filter(|value| value.is_finite()).map(|value| (value + 0.0).to_bits());
    to_f64(pairs_among(bits.collect())) / pairs.max(1.0)
}

fn pairs_among(mut bits: Vec<u64>) -> u64 {
    bits.sort_unstable();
    bits.chunk_by(|one, other| one == other).map(|same| same.len() as u64 * (same.len() as u64 - 1) / 2).sum()
}

/// Tests for more equal magnitudes than expected. Among many values, a hash selects magnitudes, each with all values equal to it.
pub(super) fn duplicates(values: &[f64], collision: f64) -> TestResult {
    let all = || values.iter().filter(|value| value.is_finite()).map(|value| magnitude(*value));
    let count = all().count() as u64;
    let thinning = count.div_ceil(SORTED).next_power_of_two();
    let picked: Vec<u64> = all().filter(|bits| (mixed(*bits) >> 32).is_multiple_of(thinning)).collect();
    let pairs = pairs_among(picked);
    let mean = to_f64(count) * to_f64(count.saturating_sub(1)) / 2.0 * of_magnitudes(collision) / to_f64(thinning);
    let part = if thinning > 1 { format!(" (a sample of 1 in {thinning})") } else { String::new() };
    TestResult {
        name: "repeated values".into(),
        statistic: to_f64(pairs),
        p_value: poisson_bound(to_f64(pairs), mean),
        text: format!(
            "{} pairs of {} values{part} have the same magnitude; {mean:.3e} are expected",
            grouped(pairs),
            grouped(count)
        ),
    }
}

/// The fault of repeated runs, of the greatest length with any.
pub(super) fn runs(runs: &mut RunHashes, collision: f64) -> Option<String> {
    LENGTHS.into_iter().zip(runs).find_map(|(length, runs)| repeated_runs(length, runs, collision))
}

fn repeated_runs(length: usize, runs: &mut [(u128, u64)], collision: f64) -> Option<String> {
    if !is_rare_run(collision, length, runs.len()) {
        return None;
    }
    runs.sort_unstable();
    let repeats = || runs.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    let (first, second) = repeats().map(|pair| (pair[0].1, pair[1].1)).min()?;
    let often = repeats().count() as u64;
    Some(format!(
        "values {} to {} are repeated from {} on; {} of the {} compared runs of {length} values are repeats ({:.1}%)",
        grouped(first),
        grouped(first + length as u64 - 1),
        grouped(second),
        grouped(often),
        grouped(runs.len() as u64),
        100.0 * share(often, runs.len() as u64)
    ))
}

/// True if two of `runs` runs are hardly ever equal. Two that overlap by all but one value are equal if all their values are. No value is
/// more likely than the root of the probability that two are equal.
fn is_rare_run(collision: f64, length: usize, runs: usize) -> bool {
    is_rare(collision, length / 2, to_f64(runs as u64))
}

/// The faults of equal slices, at most one for each axis.
pub(super) fn slices(excerpt: &Excerpt, collision: f64) -> Vec<String> {
    let matrix = excerpt.axes().len() == 2;
    let equal = excerpt.slices().filter_map(|(axis, each, values)| {
        let slices = values.chunks_exact(each.max(1)).map(|slice| (slice.iter().all(|value| value.is_finite()), slice));
        let mut hashes: Vec<(u64, usize)> = slices
            .enumerate()
            .filter(|(_, (is_complete, _))| *is_complete)
            .map(|(number, (_, slice))| (hash(slice), number))
            .collect();
        // Twice as many tries: slices may be equal or opposite.
        if !is_rare(collision, each, 2.0 * to_f64(hashes.len() as u64).powi(2)) {
            return None;
        }
        hashes.sort_unstable();
        let repeats = || hashes.windows(2).filter(|pair| pair[0].0 == pair[1].0);
        let (first, second) = repeats().map(|pair| (pair[0].1, pair[1].1)).min()?;
        let further = repeats().count() - 1;
        let (what, along) = match (matrix, axis) {
            (true, 0) => ("rows", String::new()),
            (true, _) => ("columns", String::new()),
            _ => ("slices", format!(" of axis {axis}")),
        };
        let more = if further > 0 { format!("; {} more are repeats", grouped(further as u64)) } else { String::new() };
        Some(format!("{what} {first} and {second}{along} are equal, or opposite, in all {each} values compared{more}"))
    });
    equal.collect()
}

/// True if `values` values hardly ever equal the same number of others in any of `tries` comparisons.
fn is_rare(collision: f64, values: usize, tries: f64) -> bool {
    to_f64(values as u64) * libm::log(collision) + libm::log(tries.max(1.0)) < libm::log(NEVER)
}

impl Fingerprint {
    /// The fingerprint of one of several tensors, which have `total_values` together.
    pub(super) fn new(count: u64, block: &[f64], mut runs: RunHashes, collision: f64, total_values: u64) -> Self {
        let bits = thinning(total_values) - 1;
        for runs in &mut runs {
            runs.retain(|(hash, _)| hash & bits == 0);
            runs.shrink_to_fit();
        }
        let values = block.iter().filter(|value| value.is_finite() && **value != 0.0);
        let (summed, sum) = values.fold((0, 0), |(summed, sum): (usize, u64), &value| {
            let bits = mixed(magnitude(value));
            (summed + 1, sum.wrapping_add(mixed(bits ^ bits >> 29)))
        });
        Self { count, summed, sum, runs, collision }
    }
}

/// Tensors with values of another: the number of each, the number of the other, and the finding up to the other's name.
pub fn repeated_tensors(fingerprints: &[Option<&Fingerprint>]) -> Vec<(usize, usize, String)> {
    let mut found = Vec::new();
    let tries = to_f64(fingerprints.len() as u64).powi(2);
    let mut sums: Vec<(u64, u64, usize)> = (0..)
        .zip(fingerprints)
        .filter_map(|(number, fingerprint)| {
            let fingerprint = fingerprint
                .filter(|fingerprint| is_rare(of_magnitudes(fingerprint.collision), fingerprint.summed, tries))?;
            Some((fingerprint.sum, fingerprint.count, number))
        })
        .collect();
    sums.sort_unstable();
    for pair in sums.windows(2).filter(|pair| (pair[0].0, pair[0].1) == (pair[1].0, pair[1].1)) {
        found.push((pair[1].2, pair[0].2, "has the same values as".to_string()));
    }
    for (which, length) in LENGTHS.into_iter().enumerate() {
        for (number, other, text) in runs_between(fingerprints, which, length) {
            if !found.iter().any(|(one, two, _)| (*one, *two) == (number, other)) {
                found.push((number, other, text));
            }
        }
    }
    found.sort();
    found
}

/// Tensors with runs of one length of another.
fn runs_between(fingerprints: &[Option<&Fingerprint>], which: usize, length: usize) -> Vec<(usize, usize, String)> {
    let all: usize = fingerprints.iter().flatten().map(|fingerprint| fingerprint.runs[which].len()).sum();
    let mut runs: Vec<(u128, usize, u64)> = Vec::new();
    for (number, fingerprint) in
        fingerprints.iter().enumerate().filter_map(|(number, fingerprint)| Some((number, (*fingerprint)?)))
    {
        if is_rare_run(fingerprint.collision, length, all) {
            runs.extend(fingerprint.runs[which].iter().map(|&(hash, place)| (hash, number, place)));
        }
    }
    runs.sort_unstable();
    let mut repeats: Vec<_> = runs
        .windows(2)
        .filter(|pair| pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1)
        .map(|pair| (pair[1].1, pair[0].1, pair[1].2, pair[0].2))
        .collect();
    repeats.sort_unstable();
    let first = repeats.chunk_by(|one, other| (one.0, one.1) == (other.0, other.1)).map(|same| {
        let (number, other, place, there) = same[0];
        let (from, to) = (grouped(place), grouped(place + length as u64 - 1));
        (number, other, format!("its values {from} to {to} equal, in order, those from {} on of", grouped(there)))
    });
    first.collect()
}
