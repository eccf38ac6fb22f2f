//! The seeds that layers take where none is given: `keras.utils.set_random_seed(seed)` seeds Python's `random`, of which each
//! initializer takes the next when it is made.

use super::super::mt19937::Mt19937;

/// How many different seeds there are: they go from 1 to this.
const SEEDS: u32 = 1_000_000_000;

/// The seeds of initializers after `keras.utils.set_random_seed(seed)`, in the order in which they are made: each is
/// `random.randint(1, 10**9)` of Python.
pub(super) fn layer_seeds(seed: u32) -> impl Iterator<Item = u32> {
    let mut words = Mt19937::from_array(&[seed]);
    // Thirty bits at a time, until they are below the number of seeds.
    std::iter::from_fn(move || Some(words.next() >> 2)).filter(|&bits| bits < SEEDS).map(|bits| bits + 1)
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
            assert_eq!(layer_seeds(seed).take(6).collect::<Vec<u32>>(), expected, "{seed}");
        }
    }
}
