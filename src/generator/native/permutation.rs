//! Keyed permutations: an order of n places that can be asked place by place, without a list.

/// A family of permutations of `0..size`, one for each number.
///
/// A Feistel network (Luby and Rackoff 1988) over a rectangle of `height` x `width` places that is hardly larger than `size`; a
/// place that lands outside walks on until it is inside (Black and Rogaway 2002), which keeps the map one to one.
pub(super) struct Permutations {
    size: u64,
    height: u64,
    width: u64,
    rounds: u64,
    secret: u64,
}

impl Permutations {
    /// The permutations of `0..size` that belong to a secret.
    pub(super) fn new(size: u64, secret: u64) -> Self {
        let height = size.isqrt().max(1);
        // A small rectangle needs more rounds until all orders are equally likely (see the test).
        let rounds = if size < 64 { 24 } else { 12 };
        Self { size, height, width: size.div_ceil(height), rounds, secret }
    }

    /// The key of permutation number `number`.
    pub(super) fn key(&self, number: u64) -> u64 {
        mix(self.secret ^ mix(number))
    }

    /// Where the permutation of a key sends `place`.
    pub(super) fn apply(&self, key: u64, place: u64) -> u64 {
        let mut at = place;
        loop {
            at = self.once(key, at);
            if at < self.size {
                return at;
            }
        }
    }

    fn once(&self, key: u64, place: u64) -> u64 {
        let (mut row, mut column) = (place / self.width, place % self.width);
        for round in (0..self.rounds).step_by(2) {
            row = shifted(row, mix(key ^ column << 8 ^ round), self.height);
            column = shifted(column, mix(key ^ row << 8 ^ (round + 1)), self.width);
        }
        row * self.width + column
    }
}

/// `at` moved on along an axis of `length` places, by as much of it as the random `word` says.
fn shifted(at: u64, word: u64, length: u64) -> u64 {
    // A length is at most 2^24, so that the product fits and the share is even to 2^-8 of a place in 2^32.
    let moved = at + ((word >> 32) * length >> 32);
    if moved < length { moved } else { moved - length }
}

/// Mixes 64 bits one to one so that each bit depends on all (the finalizer of `MurmurHash3`).
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

    #[test]
    fn every_place_is_reached_once() {
        for size in [1, 2, 3, 5, 16, 17, 100, 784, 1025] {
            let permutations = Permutations::new(size, 99);
            for number in 0..5 {
                let key = permutations.key(number);
                let mut images: Vec<u64> = (0..size).map(|place| permutations.apply(key, place)).collect();
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
                let key = permutations.key(number);
                let places = (0..size).filter(|&place| permutations.apply(key, place) < chosen);
                *seen.entry(places.map(|place| 1 << place).sum()).or_default() += 1.0;
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
