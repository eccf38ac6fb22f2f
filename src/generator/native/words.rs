//! Addressable random words: `ChaCha8` keyed by seed and tensor name.
//!
//! A tensor has 2^64 planes (the streams of `ChaCha8`) of 2^64 words each; word `index` of a plane belongs to element
//! `index`. Sixteen blocks of sixteen words make 256 words in the order in which vector code produces them: word
//! `index` is word `index % 256 / 16` of block `index / 256 * 16 + index % 16`. `rand`'s `ChaCha8Rng` finds the same
//! words one by one.

use pulp::{Simd, WithSimd};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

use super::NAME;
use crate::generator::dispatch;
use crate::plan::Name;

/// How many words sixteen blocks hold: whole groups of this size are drawn at once.
pub(super) const GROUP: usize = 256;
const BLOCKS: usize = 16;

/// How many words are found together when their addresses have nothing in common: the widest vectors hold as many.
pub(super) const LANES: usize = 16;

/// "expand 32-byte k", the constants of `ChaCha` (Bernstein 2008).
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// The words of one tensor.
#[derive(Clone)]
pub(super) struct Words {
    key: [u8; 32],
}

impl Words {
    /// The words that belong to a seed and a name: the key is the SHA-256 of the generator's name, the seed and the name.
    pub(super) fn new(seed: u64, name: &Name) -> Self {
        let mut hash = Sha256::new();
        hash.update(format!("fanin {NAME}\0"));
        hash.update(seed.to_le_bytes());
        hash.update(name.as_str().as_bytes());
        Self { key: hash.finalize().into() }
    }

    /// The words of a stream beside the tensor's own, with a key of its own.
    pub(super) fn stream(&self, number: u64) -> Self {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update(number.to_le_bytes());
        Self { key: hash.finalize().into() }
    }

    /// Fills `out`, whole groups, with the words of a plane from word `first`, a multiple of [`GROUP`].
    pub(super) fn fill(&self, plane: u64, first: u64, out: &mut [u32]) {
        dispatch(Fill { words: self, plane, first, out });
    }

    /// One word.
    pub(super) fn word(&self, plane: u64, index: u64) -> u32 {
        let mut words = self.block(plane, block_of(index));
        for _ in 0..position_of(index) {
            words.next_u32();
        }
        words.next_u32()
    }

    /// The words of a plane in the order of `ChaCha8`, from block `block`: for draws that take more than one word.
    pub(super) fn block(&self, plane: u64, block: u64) -> ChaCha8Rng {
        let mut words = ChaCha8Rng::from_seed(self.key);
        words.set_stream(plane);
        words.set_block_pos(block);
        words
    }

    /// The words at any [`LANES`] addresses (plane and index), for use inside vector code: a block is made for each.
    #[inline(always)]
    pub(super) fn gather_simd<S: Simd>(&self, simd: S, addresses: &[(u64, u64); LANES]) -> [u32; LANES] {
        let blocks = addresses.map(|(_, index)| block_of(index));
        let [low, high] = [0, 1].map(|half| blocks.map(|block| halves(block)[half]));
        let [stream_low, stream_high] = [0, 1].map(|half| addresses.map(|(plane, _)| halves(plane)[half]));
        let mut initial = self.initial(simd);
        let mut words = [0; LANES];
        for lane in (0..LANES).step_by(S::U32_LANES) {
            let lanes = lane..lane + S::U32_LANES;
            for (row, counts) in initial[12..].iter_mut().zip([&low, &high, &stream_low, &stream_high]) {
                *row = S::as_simd_u32s(&counts[lanes.clone()]).0[0];
            }
            let mut rows = [[0; LANES]; 16];
            for (row, made) in rows.iter_mut().zip(eight_rounds(simd, initial)) {
                S::as_mut_simd_u32s(&mut row[..S::U32_LANES]).0[0] = made;
            }
            for (step, at) in lanes.enumerate() {
                words[at] = rows[position_of(addresses[at].1)][step];
            }
        }
        words
    }

    /// The state of the block function before its counters.
    #[inline(always)]
    fn initial<S: Simd>(&self, simd: S) -> [S::u32s; 16] {
        let mut initial = [simd.splat_u32s(0); 16];
        for (row, constant) in initial.iter_mut().zip(CONSTANTS) {
            *row = simd.splat_u32s(constant);
        }
        for (row, bytes) in initial[4..12].iter_mut().zip(self.key.chunks_exact(4)) {
            *row = simd.splat_u32s(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
        }
        initial
    }

    /// The words of a run of groups, for use inside vector code.
    #[inline(always)]
    pub(super) fn fill_simd<S: Simd>(&self, simd: S, plane: u64, first: u64, out: &mut [u32]) {
        let mut initial = self.initial(simd);
        let [stream_low, stream_high] = halves(plane);
        initial[14] = simd.splat_u32s(stream_low);
        initial[15] = simd.splat_u32s(stream_high);
        let mut block = first / GROUP as u64 * BLOCKS as u64;
        for group in out.chunks_exact_mut(GROUP) {
            for lane in (0..BLOCKS).step_by(S::U32_LANES) {
                let counters: [u64; BLOCKS] = std::array::from_fn(|step| block + (lane + step) as u64);
                let low = counters.map(|counter| halves(counter)[0]);
                let high = counters.map(|counter| halves(counter)[1]);
                initial[12] = S::as_simd_u32s(&low).0[0];
                initial[13] = S::as_simd_u32s(&high).0[0];
                let rows = eight_rounds(simd, initial);
                for (position, row) in rows.into_iter().enumerate() {
                    let at = position * BLOCKS + lane;
                    S::as_mut_simd_u32s(&mut group[at..at + S::U32_LANES]).0[0] = row;
                }
            }
            block += BLOCKS as u64;
        }
    }
}

/// The block that holds word `index` of a plane.
const fn block_of(index: u64) -> u64 {
    index / GROUP as u64 * BLOCKS as u64 + index % BLOCKS as u64
}

/// Where word `index` of a plane stands in its block.
#[expect(clippy::cast_possible_truncation, reason = "a position among sixteen")]
const fn position_of(index: u64) -> usize {
    (index % GROUP as u64) as usize / BLOCKS
}

#[expect(clippy::cast_possible_truncation, reason = "the two halves of a word")]
const fn halves(word: u64) -> [u32; 2] {
    [word as u32, (word >> 32) as u32]
}

struct Fill<'a> {
    words: &'a Words,
    plane: u64,
    first: u64,
    out: &'a mut [u32],
}

impl WithSimd for Fill<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.words.fill_simd(simd, self.plane, self.first, self.out);
    }
}

/// The block function of `ChaCha8`, one block a lane.
#[inline(always)]
fn eight_rounds<S: Simd>(simd: S, initial: [S::u32s; 16]) -> [S::u32s; 16] {
    let mut state = initial;
    for _ in 0..4 {
        for [a, b, c, d] in [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]] {
            quarter_round(simd, &mut state, a, b, c, d);
        }
        for [a, b, c, d] in [[0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]] {
            quarter_round(simd, &mut state, a, b, c, d);
        }
    }
    for (word, start) in state.iter_mut().zip(initial) {
        *word = simd.add_u32s(*word, start);
    }
    state
}

#[inline(always)]
fn quarter_round<S: Simd>(simd: S, state: &mut [S::u32s; 16], a: usize, b: usize, c: usize, d: usize) {
    state[a] = simd.add_u32s(state[a], state[b]);
    state[d] = rotate(simd, simd.xor_u32s(state[d], state[a]), 16);
    state[c] = simd.add_u32s(state[c], state[d]);
    state[b] = rotate(simd, simd.xor_u32s(state[b], state[c]), 12);
    state[a] = simd.add_u32s(state[a], state[b]);
    state[d] = rotate(simd, simd.xor_u32s(state[d], state[a]), 8);
    state[c] = simd.add_u32s(state[c], state[d]);
    state[b] = rotate(simd, simd.xor_u32s(state[b], state[c]), 7);
}

/// Rotates the bits of each lane left. (The crate's own `rotate` moves lanes.)
#[inline(always)]
fn rotate<S: Simd>(simd: S, word: S::u32s, bits: u32) -> S::u32s {
    let left = simd.wrapping_dyn_shl_u32s(word, simd.splat_u32s(bits));
    let right = simd.wrapping_dyn_shr_u32s(word, simd.splat_u32s(32 - bits));
    simd.or_u32s(left, right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::available;

    fn words() -> Words {
        Words::new(7, &"weight".parse().unwrap())
    }

    #[test]
    fn vector_code_finds_the_words_that_rand_finds() {
        for (plane, first) in [(0, 0), (3, 512), (u64::MAX, 1 << 40)] {
            let mut group = [0; 2 * GROUP];
            words().fill(plane, first, &mut group);
            for (index, word) in (first..).zip(group) {
                assert_eq!(words().word(plane, index), word, "plane {plane}, word {index}");
            }
        }
    }

    struct Gather(Words, [(u64, u64); LANES]);

    impl WithSimd for Gather {
        type Output = [u32; LANES];

        fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
            self.0.gather_simd(simd, &self.1)
        }
    }

    #[test]
    fn words_at_any_addresses_are_those_that_rand_finds() {
        let address = |at: u64| (at << (at % 50), at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 8);
        let addresses = std::array::from_fn(|at| address(at as u64));
        for width in available() {
            let found = width.dispatch(Gather(words(), addresses));
            assert_eq!(found, addresses.map(|(plane, index)| words().word(plane, index)));
        }
    }

    #[test]
    fn every_width_finds_the_same_words() {
        let draws = available().into_iter().map(|width| {
            let mut group = [0; 2 * GROUP];
            width.dispatch(Fill { words: &words(), plane: 5, first: 256, out: &mut group });
            group
        });
        assert_eq!(draws.collect::<std::collections::HashSet<_>>().len(), 1);
    }

    #[test]
    fn seed_and_name_both_make_the_key() {
        let key = |seed, name: &str| Words::new(seed, &name.parse().unwrap()).key;
        assert_ne!(key(0, "a"), key(1, "a"));
        assert_ne!(key(0, "a"), key(0, "b"));
    }
}
