//! Elements are independent of each other, of those of the next seed, and of those of other tensors.

use fanin::tensor::DType;

use crate::draw;

const COUNT: usize = 1 << 22;
const DISTRIBUTIONS: [&str; 3] = ["normal:std=1", "uniform:std=1", "truncated-normal:std=1,corrected=true"];

/// Elements of a tile of normals, of which the second half completes the pairs of the first.
const TILE: usize = 512;

/// Numbers of mean 0 and standard deviation 1.
fn series(expression: &str, name: &str, seed: u64) -> Vec<f64> {
    draw::whole(seed, &draw::named(name, expression, &COUNT.to_string(), "io", DType::F32))
}

/// Whether the numbers, or their squares, are correlated by more than 4 standard errors.
fn are_correlated(pairs: impl Iterator<Item = (f64, f64)>) -> bool {
    let (mut count, mut sums) = (0.0, [0.0; 6]);
    for (x, y) in pairs {
        count += 1.0;
        let (u, v) = (x * x - 1.0, y * y - 1.0);
        for (sum, term) in sums.iter_mut().zip([x * y, x * x, y * y, u * v, u * u, v * v]) {
            *sum += term;
        }
    }
    let [xy, xx, yy, uv, uu, vv] = sums;
    [xy / (xx * yy).sqrt(), uv / (uu * vv).sqrt()]
        .into_iter()
        .any(|correlation| correlation.abs() * f64::sqrt(count) > 4.0)
}

fn pairs_apart(values: &[f64], apart: usize) -> impl Iterator<Item = (f64, f64)> {
    values.iter().copied().zip(values[apart..].iter().copied())
}

#[test]
fn elements_are_independent_of_their_neighbours() {
    for distribution in DISTRIBUTIONS {
        let values = series(distribution, "weight", 1);
        for apart in [1, 2, 3, 15, 16, 17, 255, 256, 257, 511, 512, 513, 1 << 20] {
            assert!(!are_correlated(pairs_apart(&values, apart)), "{distribution}: elements {apart} apart");
        }
    }
}

#[test]
fn the_two_normals_of_a_pair_are_independent() {
    let values = series("normal:std=1", "weight", 2);
    let halves = values.chunks_exact(TILE).map(|tile| tile.split_at(TILE / 2));
    assert!(!are_correlated(halves.flat_map(|(cosines, sines)| cosines.iter().copied().zip(sines.iter().copied()))));
}

#[test]
fn seeds_and_names_make_independent_tensors() {
    for distribution in DISTRIBUTIONS {
        let values = series(distribution, "weight", 1);
        for (name, seed) in [
            ("weight", 2),
            ("weight", 0),
            ("weight", 1 << 32),
            ("weight", u64::MAX),
            ("weight_1", 1),
            ("Weight", 1),
            ("bias", 2),
        ] {
            let others = series(distribution, name, seed);
            let pairs = values.iter().copied().zip(others);
            assert!(!are_correlated(pairs), "{distribution}: weight of seed 1 and {name} of seed {seed}");
        }
    }
}

#[test]
fn a_correlation_of_half_a_percent_is_found_in_numbers_and_in_squares() {
    let values = series("normal:std=1", "weight", 1);
    assert!(are_correlated(pairs_apart(&values, 1).map(|(x, y)| (x, y + 0.005 * x))));
    // The same magnitudes with new random signs: only the squares are correlated.
    assert!(are_correlated(
        pairs_apart(&values, 1).map(|(x, y)| (x, (0.995 * y * y + 0.005 * x * x).sqrt() * y.signum()))
    ));
}
