//! Default seeds of layers: `keras.utils.set_random_seed(seed)` seeds Python's `random`, which each initializer draws its seed from when it
//! is created.

use std::cell::Cell;

use super::super::mt19937::Mt19937;

/// The number of seeds: 1 to this.
const SEEDS: u32 = 1_000_000_000;

/// The seeds of initializers after `keras.utils.set_random_seed(seed)`, in order of creation: each is Python's `random.randint(1, 10**9)`.
struct LayerSeeds {
    seed: u32,
    words: Mt19937,
    given: u64,
}

impl LayerSeeds {
    fn new(seed: u32) -> Self {
        Self { seed, words: Mt19937::from_array(&[seed]), given: 0 }
    }

    fn next(&mut self) -> u32 {
        self.given += 1;
        // Thirty bits at a time, until they are below the number of seeds.
        loop {
            let bits = self.words.next() >> 2;
            if bits < SEEDS {
                return bits + 1;
            }
        }
    }
}

/// The seed of an initializer after `before` others.
pub(super) fn layer_seed(seed: u32, before: u64) -> u32 {
    thread_local! {
        /// The position after the last seed, since tensors are drawn in order and a model may have many.
        static LAST: Cell<Option<LayerSeeds>> = const { Cell::new(None) };
    }
    let last = LAST.take().filter(|last| last.seed == seed && last.given <= before);
    let mut seeds = last.unwrap_or_else(|| LayerSeeds::new(seed));
    while seeds.given < before {
        seeds.next();
    }
    let wanted = seeds.next();
    LAST.set(Some(seeds));
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_take_the_seeds_that_python_draws() {
        // random.seed(seed); [random.randint(1, 10**9) for _ in range(6)]
        for (seed, expected) in [
            (0, [906691060, 413654000, 813847340, 955892129, 451585302, 43469774]),
            (42, [686579304, 119540832, 26855093, 796233791, 295310486, 262950629]),
            (4294967295, [682209859, 665256254, 218184273, 231223275, 652154926, 560920438]),
        ] {
            assert_eq!([0, 1, 2, 3, 4, 5].map(|before| layer_seed(seed, before)), expected, "{seed}");
            assert_eq!([5, 0, 3].map(|before| layer_seed(seed, before)), [expected[5], expected[0], expected[3]]);
        }
    }
}
