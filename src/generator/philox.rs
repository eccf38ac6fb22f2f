//! Philox4x32-10 (Salmon, Moraes, Dror and Shaw 2011, Parallel random numbers: as easy as 1, 2, 3), and the seeds of
//! `tf.random.stateless_*`, which are mixed by one of its blocks.

/// The multipliers of a block's first and third word in each round.
const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];

/// The increments of the key between rounds: the golden ratio, and sqrt(3) - 1.
const WEYL: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];

/// The key that mixes `TensorFlow`'s pairs of seeds.
const SCRAMBLE: [u32; 2] = [0x3ec8_f720, 0x0246_1e29];

/// Addressable blocks of four words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Philox {
    key: [u32; 2],
    /// The address of block 0.
    first: u128,
}

impl Philox {
    /// The generator of `tf.random.stateless_*(seed=[first, second])` on a CPU.
    pub(super) fn of_pair(first: u64, second: u64) -> Self {
        let pair = u128::from(second) << 64 | u128::from(first);
        let [key0, key1, low, high] = philox4x32(SCRAMBLE, words(pair));
        Self { key: [key0, key1], first: u128::from(high) << 96 | u128::from(low) << 64 }
    }

    /// The words of a block.
    #[inline(always)]
    pub(super) fn block(self, number: u64) -> [u32; 4] {
        philox4x32(self.key, words(self.first.wrapping_add(number.into())))
    }
}

/// The block function: ten rounds.
#[inline(always)]
pub(super) fn philox4x32(mut key: [u32; 2], counter: [u32; 4]) -> [u32; 4] {
    let mut block = counter;
    for round in 0..10 {
        if round > 0 {
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        let (high0, low0) = product(MULTIPLIERS[0], block[0]);
        let (high1, low1) = product(MULTIPLIERS[1], block[2]);
        block = [high1 ^ block[1] ^ key[0], low1, high0 ^ block[3] ^ key[1], low0];
    }
    block
}

/// The upper and the lower half of a product.
#[inline(always)]
fn product(a: u32, b: u32) -> (u32, u32) {
    let product = u64::from(a) * u64::from(b);
    #[expect(clippy::cast_possible_truncation, reason = "halves of a word")]
    ((product >> 32) as u32, product as u32)
}

/// A number as words, the lowest first.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "words of a product")]
fn words(number: u128) -> [u32; 4] {
    [number as u32, (number >> 32) as u32, (number >> 64) as u32, (number >> 96) as u32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_those_of_the_published_known_answers() {
        // `kat_vectors` of Random123: philox4x32, 10 rounds.
        const ONES: u32 = u32::MAX;
        for (counter, key, expected) in [
            ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
            ([ONES; 4], [ONES; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
            (
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0],
                [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
            ),
        ] {
            assert_eq!(philox4x32(key, counter), expected);
        }
    }

    #[test]
    fn addresses_carry_from_word_to_word() {
        let philox = Philox { key: [1, 2], first: u128::from(u64::MAX) };
        assert_eq!(philox.block(1), philox4x32([1, 2], [0, 0, 1, 0]));
    }
}
