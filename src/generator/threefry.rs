//! Threefry-2x32-20 (Salmon, Moraes, Dror and Shaw 2011, Parallel random numbers: as easy as 1, 2, 3), and JAX's keys, which are keys of
//! this block function.

/// The rotation of the second word in each round; groups of four rounds alternate between the rows.
const ROTATIONS: [[u32; 4]; 2] = [[13, 15, 26, 6], [17, 29, 16, 24]];

/// The constant in the parity word of a key.
const PARITY: u32 = 0x1bd1_1bda;

/// A key, and its 2^64 blocks of two words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key(pub(super) [u32; 2]);

impl Key {
    /// `jax.random.key(seed)` without 64-bit types, the default: the lower 32 bits.
    pub(super) fn of_seed(seed: i64) -> Self {
        let [_, low] = halves(seed.cast_unsigned());
        Self([0, low])
    }

    /// `jax.random.key(seed)` with `jax_enable_x64`: all 64 bits, in two's complement.
    pub(super) fn of_wide_seed(seed: i64) -> Self {
        Self(halves(seed.cast_unsigned()))
    }

    /// `jax.random.split(key, n)[index]` for any `n`.
    pub(super) fn split(self, index: u64) -> Self {
        Self(self.block(index))
    }

    /// `jax.random.fold_in(key, data)`.
    pub(super) fn fold_in(self, data: u32) -> Self {
        Self(self.block(data.into()))
    }

    /// Block `counter`; its upper half is the first input word.
    #[inline(always)]
    pub(super) fn block(self, counter: u64) -> [u32; 2] {
        threefry2x32(self.0, halves(counter))
    }
}

/// The block function: 20 rounds, with a word of the key schedule added before them and after every four.
#[inline(always)]
pub(super) fn threefry2x32(key: [u32; 2], counter: [u32; 2]) -> [u32; 2] {
    let schedule = [key[0], key[1], key[0] ^ key[1] ^ PARITY];
    let [mut a, mut b] = [counter[0].wrapping_add(schedule[0]), counter[1].wrapping_add(schedule[1])];
    for group in 0..5u8 {
        for turn in ROTATIONS[usize::from(group % 2)] {
            a = a.wrapping_add(b);
            b = b.rotate_left(turn) ^ a;
        }
        let next = usize::from(group) + 1;
        a = a.wrapping_add(schedule[next % 3]);
        b = b.wrapping_add(schedule[(next + 1) % 3]).wrapping_add(u32::from(group) + 1);
    }
    [a, b]
}

#[expect(clippy::cast_possible_truncation, reason = "the two halves of a word")]
#[inline(always)]
const fn halves(word: u64) -> [u32; 2] {
    [(word >> 32) as u32, word as u32]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_those_of_the_authors() {
        // The known answers that come with Random123: zeros, ones, and digits of pi.
        let answers = [
            ([0, 0], [0, 0], [0x6b20_0159, 0x99ba_4efe]),
            ([u32::MAX; 2], [u32::MAX; 2], [0x1cb9_96fc, 0xbb00_2be7]),
            ([0x1319_8a2e, 0x0370_7344], [0x243f_6a88, 0x85a3_08d3], [0xc492_3a9c, 0x483d_f7a0]),
        ];
        for (key, counter, block) in answers {
            assert_eq!(threefry2x32(key, counter), block);
        }
    }

    #[test]
    fn keys_are_those_of_jax() {
        assert_eq!(Key::of_seed(42), Key([0, 42]));
        assert_eq!(Key::of_seed((1 << 32) + 7), Key([0, 7]));
        assert_eq!(Key::of_seed(-5), Key([0, 0xffff_fffb]));
        assert_eq!(Key::of_wide_seed((1 << 32) + 7), Key([1, 7]));
        assert_eq!(Key::of_wide_seed(-5), Key([0xffff_ffff, 0xffff_fffb]));
        // jax.random.fold_in(jax.random.key(1), 3), which is split(key, n)[3] too.
        assert_eq!(Key::of_seed(1).fold_in(3), Key([3_568_232_559, 2_761_185_182]));
        assert_eq!(Key::of_seed(1).fold_in(u32::MAX), Key([1_173_147_676, 4_026_309_821]));
    }
}
