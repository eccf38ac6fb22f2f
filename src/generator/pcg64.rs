//! `NumPy`'s default engine: PCG64, also known as PCG XSL RR 128/64 (O'Neill 2014), seeded by `SeedSequence`.

/// The multiplier of the linear congruential generator.
const MULTIPLIER: u128 = 0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645;

/// The engine.
#[derive(Clone)]
pub(super) struct Pcg64 {
    state: u128,
    increment: u128,
    /// The unused upper half of a word, which the next draw of a half uses, regardless of draws in between.
    half: Option<u32>,
}

impl Pcg64 {
    /// Seeds from the words of a `SeedSequence`.
    pub(super) fn from_entropy(words: &[u32]) -> Self {
        let [state, stream] = SeedSequence::new(words).two();
        let increment = stream << 1 | 1;
        let first = increment.wrapping_add(state);
        Self { state: first.wrapping_mul(MULTIPLIER).wrapping_add(increment), increment, half: None }
    }

    /// The next word.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the halves of the state")]
    pub(super) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(self.increment);
        let mixed = (self.state >> 64) as u64 ^ self.state as u64;
        mixed.rotate_right((self.state >> 122) as u32)
    }

    /// The next half of a word, the lower half first.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the halves of a word")]
    pub(super) fn next_half(&mut self) -> u32 {
        if let Some(half) = self.half.take() {
            return half;
        }
        let word = self.next();
        self.half = Some((word >> 32) as u32);
        word as u32
    }

    /// Skips words: `count` steps of `state * MULTIPLIER + increment` are one such step, composed by squaring (Brown 1994).
    pub(super) fn skip(&mut self, mut count: u64) {
        let (mut factor, mut term) = (MULTIPLIER, self.increment);
        let (mut factors, mut terms) = (1u128, 0u128);
        while count > 0 {
            if count & 1 == 1 {
                factors = factors.wrapping_mul(factor);
                terms = terms.wrapping_mul(factor).wrapping_add(term);
            }
            term = factor.wrapping_add(1).wrapping_mul(term);
            factor = factor.wrapping_mul(factor);
            count >>= 1;
        }
        self.state = self.state.wrapping_mul(factors).wrapping_add(terms);
    }

    /// Skips halves of words.
    pub(super) fn skip_halves(&mut self, count: u64) {
        let rest = count - u64::from(count > 0 && self.half.take().is_some());
        self.skip(rest / 2);
        if rest % 2 == 1 {
            self.next_half();
        }
    }
}

/// `numpy.random.SeedSequence`: mixes the entropy of a seed into a pool of words (after O'Neill's `seed_seq_fe128`).
struct SeedSequence {
    pool: [u32; POOL],
}

const POOL: usize = 4;

impl SeedSequence {
    /// Any number of entropy words.
    fn new(words: &[u32]) -> Self {
        let mut hash = Hash { constant: 0x43b0_d7e5, factor: 0x931e_8875 };
        let mut pool = [0; POOL];
        for (place, word) in pool.iter_mut().enumerate() {
            *word = hash.of(words.get(place).copied().unwrap_or(0));
        }
        for from in 0..POOL {
            for to in (0..POOL).filter(|&to| to != from) {
                pool[to] = mixed(pool[to], hash.of(pool[from]));
            }
        }
        for &word in words.iter().skip(POOL) {
            for to in &mut pool {
                *to = mixed(*to, hash.of(word));
            }
        }
        Self { pool }
    }

    /// Its first two 128-bit numbers: words have the lower half first, 64-bit halves the higher one.
    fn two(&self) -> [u128; 2] {
        let mut hash = Hash { constant: 0x8b51_f9dd, factor: 0x58f3_8ded };
        let mut words = self.pool.iter().cycle().map(|&word| u128::from(hash.of(word)));
        let mut word = || words.next().unwrap_or_default();
        [(); 2].map(|()| word() << 64 | word() << 96 | word() | word() << 32)
    }
}

/// A hash of words with a new constant for each.
struct Hash {
    constant: u32,
    factor: u32,
}

impl Hash {
    fn of(&mut self, word: u32) -> u32 {
        let word = word ^ self.constant;
        self.constant = self.constant.wrapping_mul(self.factor);
        let word = word.wrapping_mul(self.constant);
        word ^ word >> 16
    }
}

fn mixed(x: u32, y: u32) -> u32 {
    let word = x.wrapping_mul(0xca01_f9dd).wrapping_sub(y.wrapping_mul(0x4973_f715));
    word ^ word >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_numpys() {
        // `PCG64(entropy).random_raw(3)` by NumPy 2.4.6.
        let known: [(&[u32], [u64; 3]); 4] = [
            (&[0], [0xa30f_ebcf_d9c2_825f, 0x4510_bdf8_82d9_d721, 0x0a7d_3da9_4ecd_e8b8]),
            (&[42], [0xc621_fbcd_16d9_2688, 0x705a_5661_a791_ffc1, 0xdbcd_12c2_6eda_1624]),
            (&[7, 1], [0xc527_f515_dec9_5ccd, 0x1ca7_438d_e038_1dec, 0x3068_b584_4246_d312]),
            (&[1, 2, 3, 4, 5, 6], [0x9f2e_9b7b_6e26_5292, 0x1e91_14dc_b6eb_4a21, 0xd6cb_d985_e366_3eed]),
        ];
        for (entropy, words) in known {
            let mut engine = Pcg64::from_entropy(entropy);
            assert_eq!([(); 3].map(|()| engine.next()), words, "{entropy:?}");
        }
    }

    #[test]
    fn skipping_goes_the_same_way_as_single_words() {
        let start = Pcg64::from_entropy(&[42]);
        for count in [0, 1, 2, 3, 64, 1000, 65537] {
            let (mut single, mut skipped) = (start.clone(), start.clone());
            for _ in 0..count {
                single.next();
            }
            skipped.skip(count);
            assert_eq!(single.next(), skipped.next());
            for before in [0, 1] {
                let (mut single, mut skipped) = (start.clone(), start.clone());
                for _ in 0..before + count {
                    single.next_half();
                }
                for _ in 0..before {
                    skipped.next_half();
                }
                skipped.skip_halves(count);
                assert_eq!([single.next_half(), single.next_half()], [skipped.next_half(), skipped.next_half()]);
            }
        }
    }

    #[test]
    fn a_half_waits_while_whole_words_are_drawn() {
        let mut engine = Pcg64::from_entropy(&[0]);
        let words = [(); 2].map(|()| engine.next());
        let mut engine = Pcg64::from_entropy(&[0]);
        let (low, between, high) = (engine.next_half(), engine.next(), engine.next_half());
        assert_eq!((u64::from(high) << 32 | u64::from(low), between), (words[0], words[1]));
    }
}
