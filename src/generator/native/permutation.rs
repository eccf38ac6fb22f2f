//! Keyed permutations of n places, computed place by place without a list.

use pulp::{Simd, WithSimd};

use crate::simd::dispatch;

/// A family of permutations of `0..size`, indexed by number.
///
/// A Feistel network (Luby and Rackoff 1988) over a rectangle of `height` x `width` places, hardly larger than `size`. A place that lands
/// outside continues until it is inside (Black and Rogaway 2002), which keeps the map one to one.
pub(super) struct Permutations {
    size: u64,
    height: u32,
    width: u32,
    rounds: u32,
    secret: u64,
}

/// The number of places permuted together.
pub(super) const BATCH: usize = 64;

/// A place, and the index of the permutation.
#[derive(Clone, Copy, Default)]
pub(super) struct Query {
    pub(super) number: u64,
    pub(super) place: u64,
}

impl Permutations {
    /// The permutations of `0..size` for a secret; `size` is at most 2^48.
    pub(super) fn new(size: u64, secret: u64) -> Self {
        let height = size.isqrt().max(1);
        // A small rectangle needs more rounds until all orders are equally likely (see the test).
        let rounds = if size < 64 { 24 } else { 12 };
        Self { size, height: side(height), width: side(size.div_ceil(height)), rounds, secret }
    }

    /// The images of places.
    pub(super) fn apply(&self, queries: &[Query; BATCH]) -> [u64; BATCH] {
        dispatch(Apply { permutations: self, queries })
    }

    /// One pass of the network in all lanes. Loops over lanes vectorize; `map` and checked sums do not.
    #[inline(always)]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "below 2^48"
    )]
    fn skip(&self, keys: &Keys, places: &mut [u64; BATCH]) {
        let (mut rows, mut columns) = ([0; BATCH], [0; BATCH]);
        for lane in 0..BATCH {
            // Exact: a quotient that is not an integer differs from one by more than a double's rounding.
            rows[lane] = (places[lane] as f64 / f64::from(self.width)) as u32;
            columns[lane] = places[lane].wrapping_sub(self.first_of(rows[lane])) as u32;
        }
        for round in (0..self.rounds).step_by(2) {
            for lane in 0..BATCH {
                rows[lane] = shifted(rows[lane], keys.scramble(lane, columns[lane], round), self.height);
            }
            for lane in 0..BATCH {
                columns[lane] = shifted(columns[lane], keys.scramble(lane, rows[lane], round + 1), self.width);
            }
        }
        for lane in 0..BATCH {
            places[lane] = self.first_of(rows[lane]).wrapping_add(u64::from(columns[lane]));
        }
    }

    /// The first place of a row.
    #[inline(always)]
    fn first_of(&self, row: u32) -> u64 {
        u64::from(row).wrapping_mul(u64::from(self.width))
    }
}

/// A row, a column or their number: at most 2^24.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "at most 2^24")]
fn side(count: u64) -> u32 {
    count as u32
}

struct Apply<'a> {
    permutations: &'a Permutations,
    queries: &'a [Query; BATCH],
}

impl WithSimd for Apply<'_> {
    type Output = [u64; BATCH];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> [u64; BATCH] {
        let Self { permutations, queries } = self;
        let keys = Keys::of(permutations.secret, queries);
        let mut places = [0; BATCH];
        for lane in 0..BATCH {
            places[lane] = queries[lane].place;
        }
        permutations.skip(&keys, &mut places);
        while places.iter().fold(false, |any, &place| any | (place >= permutations.size)) {
            let mut walked = places;
            permutations.skip(&keys, &mut walked);
            for (place, walked) in places.iter_mut().zip(walked) {
                *place = if *place < permutations.size { *place } else { walked };
            }
        }
        places
    }
}

/// The key of each lane's permutation, in halves.
struct Keys {
    low: [u32; BATCH],
    high: [u32; BATCH],
}

impl Keys {
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the halves of a word")]
    fn of(secret: u64, queries: &[Query; BATCH]) -> Self {
        let mut keys = Self { low: [0; BATCH], high: [0; BATCH] };
        for (lane, query) in queries.iter().enumerate() {
            let key = mix(secret ^ mix(query.number));
            (keys.low[lane], keys.high[lane]) = (key as u32, (key >> 32) as u32);
        }
        keys
    }

    /// A random function of half a place, for each lane and round.
    #[inline(always)]
    fn scramble(&self, lane: usize, half: u32, round: u32) -> u32 {
        let mut word = half.wrapping_mul(0x9e37_79b1) ^ self.low[lane].wrapping_add(round.wrapping_mul(0x9e37_79b9));
        word = (word ^ word >> 16).wrapping_mul(0x85eb_ca6b) ^ self.high[lane];
        word = (word ^ word >> 13).wrapping_mul(0xc2b2_ae35);
        word ^ word >> 16
    }
}

/// `at` advanced along an axis of `length` places, by a random amount from `word`.
#[inline(always)]
fn shifted(at: u32, word: u32, length: u32) -> u32 {
    let moved = at.wrapping_add((u64::from(word).wrapping_mul(u64::from(length)) >> 32) as u32);
    if moved < length { moved } else { moved.wrapping_sub(length) }
}

/// Mixes 64 bits one to one so that each bit depends on all (the finalizer of `MurmurHash3`).
#[inline(always)]
fn mix(mut word: u64) -> u64 {
    word ^= word >> 33;
    word = word.wrapping_mul(0xff51_afd7_ed55_8ccd);
    word ^= word >> 33;
    word = word.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    word ^ word >> 33
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// Applies permutation `number` to every place.
    fn images(permutations: &Permutations, number: u64) -> Vec<u64> {
        let places: Vec<u64> = (0..permutations.size).collect();
        let batches = places.chunks(BATCH).flat_map(|chunk| {
            let mut queries = [Query { number, place: 0 }; BATCH];
            queries.iter_mut().zip(chunk).for_each(|(query, &place)| query.place = place);
            permutations.apply(&queries).into_iter().take(chunk.len()).collect::<Vec<_>>()
        });
        batches.collect()
    }

    #[test]
    fn every_place_is_reached_once() {
        for size in [1, 2, 3, 5, 16, 17, 100, 784, 1025] {
            let permutations = Permutations::new(size, 99);
            for number in 0..5 {
                let mut images = images(&permutations, number);
                images.sort_unstable();
                assert!(images.into_iter().eq(0..size));
            }
        }
    }

    #[test]
    fn every_choice_of_places_is_equally_likely() {
        for (size, chosen) in [(4, 2), (5, 2), (8, 3), (9, 2), (16, 2), (64, 1)] {
            let permutations = Permutations::new(size, 1);
            let mut seen = HashMap::<u64, f64>::new();
            for number in 0..200_000 {
                let images = images(&permutations, number);
                let places = (0..).zip(images).filter(|&(_, image)| image < chosen);
                *seen.entry(places.map(|(place, _)| 1 << place).sum()).or_default() += 1.0;
            }
            let choices = (0..chosen).fold(1.0, |product, i| product * (size - i) as f64 / (i + 1) as f64);
            let expected = 2e5 / choices;
            let found: f64 = seen.values().map(|count| (count - expected).powi(2) / expected).sum();
            let chi_square = found + (choices - seen.len() as f64) * expected;
            // Within four standard deviations of what chance allows.
            let excess = (chi_square - (choices - 1.0)) / (2.0 * (choices - 1.0)).sqrt();
            assert!(excess < 4.0, "{chosen} of {size}: {excess} standard deviations");
        }
    }
}
