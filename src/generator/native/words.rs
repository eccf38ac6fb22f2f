//! Addressable random words: `ChaCha8` keyed by seed and tensor name.
//!
//! A tensor has 2^64 planes (the streams of `ChaCha8`) of 2^64 words each; word `index` of a plane belongs to element `index`. Sixteen
//! blocks of sixteen words make 256 words in the order of vector code: word `index` is word `index % 256 / 16` of block `index / 256 * 16 +
//! index % 16`. `rand`'s `ChaCha8Rng` computes the same words one by one.

use pulp::{Simd, WithSimd};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

use super::NAME;
use crate::simd::dispatch;
use crate::tensor::Name;

/// The number of words in sixteen blocks, the unit of generation.
pub(super) const GROUP: usize = 256;
const BLOCKS: usize = 16;
const STEPS: [u32; BLOCKS] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// The number of words generated together at unrelated addresses: the lanes of the widest vectors.
pub(super) const LANES: usize = 16;

/// "expand 32-byte k", the constants of `ChaCha` (Bernstein 2008).
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];

/// The words of one tensor.
#[derive(Clone)]
pub(super) struct Words {
    key: [u8; 32],
}

impl Words {
    /// The words of a seed and a name. The key is the SHA-256 of the generator's name, the seed and the name.
    pub(super) fn new(seed: u64, name: &Name) -> Self {
        let mut hash = Sha256::new();
        hash.update(format!("fanin {NAME}\0"));
        hash.update(seed.to_le_bytes());
        hash.update(name.as_str().as_bytes());
        Self { key: hash.finalize().into() }
    }

    /// The words of an additional stream with its own key.
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

    pub(super) fn word(&self, plane: u64, index: u64) -> u32 {
        let mut words = self.block(plane, block_of(index));
        for _ in 0..position_of(index) {
            words.next_u32();
        }
        words.next_u32()
    }

    /// The words of a plane in the order of `ChaCha8`, from block `block`: for draws that need several words.
    pub(super) fn block(&self, plane: u64, block: u64) -> ChaCha8Rng {
        let mut words = ChaCha8Rng::from_seed(self.key);
        words.set_stream(plane);
        words.set_block_pos(block);
        words
    }

    /// The words at any [`LANES`] addresses (plane and index), for vector code. Computes a block for each.
    #[inline(always)]
    pub(super) fn gather_simd<S: Simd>(&self, simd: S, addresses: &[(u64, u64); LANES]) -> [u32; LANES] {
        // Loops, as the library's `map` becomes a call of code that is not compiled for wide vectors.
        let mut counters = [[0; LANES]; 4];
        for (lane, &(plane, index)) in addresses.iter().enumerate() {
            let ([low, high], [stream_low, stream_high]) = (halves(block_of(index)), halves(plane));
            for (row, half) in counters.iter_mut().zip([low, high, stream_low, stream_high]) {
                row[lane] = half;
            }
        }
        let mut initial = self.initial(simd);
        let mut words = [0; LANES];
        for lane in (0..LANES).step_by(S::U32_LANES) {
            let lanes = lane..lane + S::U32_LANES;
            for (row, counts) in initial[12..].iter_mut().zip(&counters) {
                *row = S::as_simd_u32s(&counts[lanes.clone()]).0[0];
            }
            let mut rows = [[0; LANES]; 16];
            for (row, made) in rows.iter_mut().zip(finish(simd, begin(simd, initial), initial)) {
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

    /// A plane, for vector code.
    #[inline(always)]
    pub(super) fn plane<S: Simd>(&self, simd: S, plane: u64) -> Plane<S> {
        let mut initial = self.initial(simd);
        let [low, high] = halves(plane);
        initial[14] = simd.splat_u32s(low);
        initial[15] = simd.splat_u32s(high);
        Plane { simd, initial, begun: begin(simd, initial), high: 0 }
    }
}

/// The words of a plane.
pub(super) struct Plane<S: Simd> {
    simd: S,
    /// The state before the rounds; `begun` is the state after the work shared by all blocks with this upper half of the counter.
    initial: [S::u32s; 16],
    begun: [S::u32s; 16],
    high: u32,
}

impl<S: Simd> Plane<S> {
    /// Fills `out`, whole groups, with the words from word `first`, a multiple of [`GROUP`].
    #[inline(always)]
    pub(super) fn fill(&mut self, first: u64, out: &mut [u32]) {
        let simd = self.simd;
        let mut block = block_of(first);
        for group in out.chunks_exact_mut(GROUP) {
            // The counters of sixteen blocks differ only in their lowest four bits.
            let [low, high] = halves(block);
            if high != self.high {
                self.go_to(high);
            }
            for lane in (0..BLOCKS).step_by(S::U32_LANES) {
                let counters = simd.or_u32s(simd.splat_u32s(low), S::as_simd_u32s(&STEPS[lane..]).0[0]);
                (self.initial[12], self.begun[12]) = (counters, counters);
                let rows = finish(simd, self.begun, self.initial);
                for (position, row) in rows.into_iter().enumerate() {
                    let at = position * BLOCKS + lane;
                    S::as_mut_simd_u32s(&mut group[at..at + S::U32_LANES]).0[0] = row;
                }
            }
            block += BLOCKS as u64;
        }
    }

    /// Sets the upper half of the counters.
    #[cold]
    fn go_to(&mut self, high: u32) {
        self.initial[13] = self.simd.splat_u32s(high);
        self.begun = begin(self.simd, self.initial);
        self.high = high;
    }
}

/// The block that holds word `index` of a plane.
const fn block_of(index: u64) -> u64 {
    index / GROUP as u64 * BLOCKS as u64 + index % BLOCKS as u64
}

/// The position of word `index` of a plane in its block.
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
        self.words.plane(simd, self.plane).fill(self.first, self.out);
    }
}

/// The `ChaCha8` block function, one block per lane, up to the first use of the counter's lower half: the first round of all columns except
/// the first.
#[inline(always)]
fn begin<S: Simd>(simd: S, mut state: [S::u32s; 16]) -> [S::u32s; 16] {
    quarter_rounds(simd, &mut state, [[1, 2, 3], [5, 6, 7], [9, 10, 11], [13, 14, 15]]);
    state
}

/// The rest of the eight rounds.
#[inline(always)]
fn finish<S: Simd>(simd: S, begun: [S::u32s; 16], initial: [S::u32s; 16]) -> [S::u32s; 16] {
    let mut state = begun;
    quarter_rounds(simd, &mut state, [[0], [4], [8], [12]]);
    for _ in 0..3 {
        diagonals(simd, &mut state);
        quarter_rounds(simd, &mut state, [[0, 1], [4, 5], [8, 9], [12, 13]]);
        quarter_rounds(simd, &mut state, [[2, 3], [6, 7], [10, 11], [14, 15]]);
    }
    diagonals(simd, &mut state);
    for (word, start) in state.iter_mut().zip(initial) {
        *word = simd.add_u32s(*word, start);
    }
    state
}

#[inline(always)]
fn diagonals<S: Simd>(simd: S, state: &mut [S::u32s; 16]) {
    quarter_rounds(simd, state, [[0, 1], [5, 6], [10, 11], [15, 12]]);
    quarter_rounds(simd, state, [[2, 3], [7, 4], [8, 9], [13, 14]]);
}

/// Quarter rounds in step, to hide latency. More than two would need more registers than AVX2 has.
#[inline(always)]
fn quarter_rounds<S: Simd, const N: usize>(simd: S, state: &mut [S::u32s; 16], [a, b, c, d]: [[usize; N]; 4]) {
    quarters_of_a_round(simd, state, [a, b, d], 16);
    quarters_of_a_round(simd, state, [c, d, b], 12);
    quarters_of_a_round(simd, state, [a, b, d], 8);
    quarters_of_a_round(simd, state, [c, d, b], 7);
}

#[inline(always)]
fn quarters_of_a_round<S: Simd, const N: usize>(
    simd: S,
    state: &mut [S::u32s; 16],
    [sum, other, turned]: [[usize; N]; 3],
    bits: u32,
) {
    for (&sum, other) in sum.iter().zip(other) {
        state[sum] = simd.add_u32s(state[sum], state[other]);
    }
    for (&turned, sum) in turned.iter().zip(sum) {
        state[turned] = simd.xor_u32s(state[turned], state[sum]);
    }
    for turned in turned {
        state[turned] = rotate(simd, state[turned], bits);
    }
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
    use crate::simd::available;

    fn words() -> Words {
        Words::new(7, &"weight".parse().unwrap())
    }

    #[test]
    fn vector_code_finds_the_words_that_rand_finds() {
        // The last begins just before the lower half of the counters is full.
        for (plane, first) in [(0, 0), (3, 512), (u64::MAX, 1 << 40), (1, (1 << 36) - 256)] {
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
