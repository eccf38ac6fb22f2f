//! The Mersenne twister MT19937 (Matsumoto and Nishimura 1998), the engine of `numpy.random.RandomState`, of torch and of Python's
//! `random`.

/// The words of the state.
const N: usize = 624;
/// The offset of the word that each word is mixed with.
const M: usize = 397;

/// The engine.
#[derive(Clone)]
pub(super) struct Mt19937 {
    state: Box<[u32; N]>,
    /// The next word of the state; [`N`] if a twist is due.
    next: usize,
}

impl Mt19937 {
    /// Seeds from a number, as `init_genrand`.
    pub(super) fn from_seed(seed: u32) -> Self {
        let mut state = Box::new([seed; N]);
        for place in 1..N {
            let before = state[place - 1];
            state[place] = mixed(before).wrapping_mul(1_812_433_253).wrapping_add(word(place));
        }
        Self { state, next: N }
    }

    /// Seeds from one or more numbers, as `init_by_array`.
    pub(super) fn from_array(key: &[u32]) -> Self {
        let Self { mut state, next } = Self::from_seed(19_650_218);
        let (mut place, mut taken) = (1, 0);
        let mut step = |taken: Option<usize>| {
            let before = mixed(state[place - 1]);
            state[place] = match taken {
                Some(taken) => {
                    (state[place] ^ before.wrapping_mul(1_664_525)).wrapping_add(key[taken]).wrapping_add(word(taken))
                }
                None => (state[place] ^ before.wrapping_mul(1_566_083_941)).wrapping_sub(word(place)),
            };
            place += 1;
            if place == N {
                state[0] = state[N - 1];
                place = 1;
            }
        };
        for _ in 0..key.len().max(N) {
            step(Some(taken));
            taken = (taken + 1) % key.len();
        }
        (1..N).for_each(|_| step(None));
        state[0] = 0x8000_0000;
        Self { state, next }
    }

    /// The next word.
    pub(super) fn next(&mut self) -> u32 {
        if self.next == N {
            self.twist();
        }
        let word = tempered(self.state[self.next]);
        self.next += 1;
        word
    }

    /// The next words.
    pub(super) fn fill(&mut self, mut out: &mut [u32]) {
        while !out.is_empty() {
            if self.next == N {
                self.twist();
            }
            let count = out.len().min(N - self.next);
            let (now, later) = out.split_at_mut(count);
            let from = &self.state[self.next..self.next + count];
            now.iter_mut().zip(from).for_each(|(out, &word)| *out = tempered(word));
            self.next += count;
            out = later;
        }
    }

    /// Skips words.
    pub(super) fn skip(&mut self, mut count: u64) {
        loop {
            let left = (N - self.next) as u64;
            if count <= left {
                self.next += usize::try_from(count).unwrap_or(N);
                return;
            }
            count -= left;
            self.twist();
        }
    }

    /// The next 624 words, untempered. Each loop reads only words that are old or much earlier, so that it vectorizes.
    fn twist(&mut self) {
        let state = &mut *self.state;
        for place in 0..N - M {
            state[place] = state[place + M] ^ twisted(state[place], state[place + 1]);
        }
        for place in N - M..N - 1 {
            state[place] = state[place + M - N] ^ twisted(state[place], state[place + 1]);
        }
        state[N - 1] = state[M - 1] ^ twisted(state[N - 1], state[0]);
        self.next = 0;
    }
}

/// The twist of a word and the next.
fn twisted(word: u32, next: u32) -> u32 {
    let both = (word & 0x8000_0000) | (next & 0x7fff_ffff);
    (both >> 1) ^ ((both & 1).wrapping_neg() & 0x9908_b0df)
}

fn tempered(mut word: u32) -> u32 {
    word ^= word >> 11;
    word ^= (word << 7) & 0x9d2c_5680;
    word ^= (word << 15) & 0xefc6_0000;
    word ^ (word >> 18)
}

fn mixed(word: u32) -> u32 {
    word ^ (word >> 30)
}

fn word(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_the_published_ones() {
        // mt19937ar.out: the first of init_by_array({0x123, 0x234, 0x345, 0x456}).
        let mut engine = Mt19937::from_array(&[0x123, 0x234, 0x345, 0x456]);
        let first: Vec<u32> = (0..5).map(|_| engine.next()).collect();
        assert_eq!(first, [1_067_595_299, 955_945_823, 477_289_528, 4_107_218_783, 4_228_976_476]);
        // The 10000th word of the default seed, as C++11's [rand.predef] states it.
        let mut engine = Mt19937::from_seed(5489);
        engine.skip(9999);
        assert_eq!(engine.next(), 4_123_659_995);
    }

    #[test]
    fn skipping_and_filling_go_the_same_way_as_single_words() {
        let mut single = Mt19937::from_seed(7);
        let words: Vec<u32> = (0..3000).map(|_| single.next()).collect();
        for start in [0, 1, 623, 624, 625, 1247, 1248, 2000] {
            let mut engine = Mt19937::from_seed(7);
            engine.skip(start as u64);
            let mut filled = vec![0; 700];
            engine.fill(&mut filled);
            assert_eq!(filled, words[start..start + 700]);
        }
    }
}
