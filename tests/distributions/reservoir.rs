//! Reservoirs: spectral radii, degrees and densities, topologies against formulas and against the libraries' own matrices.

use fanin::tensor::DType;
use nalgebra::DMatrix;

use crate::draw;

/// Every row's example, and one expression for every further way of drawing: with a shape that each takes in torch's layout.
pub(crate) const EXPRESSIONS: &[(&str, &str)] = &[
    ("spectral:radius=0.9,density=0.3", "24x24"),
    ("spectral:degree=3,distribution=bernoulli", "24x24"),
    ("spectral:density=0.5,exact=true,distribution=uniform", "2x24x24"),
    ("random-sparse:density=0.2", "40x30"),
    ("random-sparse:degree=4,direction=in", "40x30"),
    ("random-sparse:density=0.2,exact=true", "40x30"),
    ("fast-spectral:radius=0.9,density=0.5", "30x30"),
    ("small-world:neighbours=4,rewire=0.2", "24x24"),
    ("cluster:clusters=3,within=0.5,between=0.1", "24x24"),
    ("dale:density=0.3,radius=1", "24x24"),
    ("chaotic", "16x16"),
    ("permutation:weight=0.9", "24x24"),
    ("wigner", "24x24"),
    ("band:density=0.2,radius=0.9", "24x24"),
    ("lower-triangular:density=0.2,radius=0.9", "24x24"),
    ("toeplitz:density=0.2,radius=0.9", "24x24"),
    ("pseudo-svd:density=0.3", "24x24"),
    ("ring:weight=0.9", "24x24"),
    ("ring:self-loop=1,radius=0.5", "24x24"),
    ("line:weight=0.9", "24x24"),
    ("cycle-with-jumps:weight=0.7,jump=0.3,jump-size=4", "24x24"),
    ("double-cycle:weight=0.5,backward=0.3", "24x24"),
    ("self-loop-feedback-cycle:weight=0.5,self-loop=0.3,backward=0.2", "24x24"),
    ("block-diagonal:size=5", "24x24"),
    ("reservoir-input:scaling=0.5", "40x5"),
    ("weighted-input", "40x5"),
    ("minimal-input", "40x5"),
    ("minimal-input:signs=pi", "40x5"),
    ("chebyshev:amplitude=0.7,control=3", "24x5"),
    ("logistic", "24x5"),
    ("logistic-chain", "24x8"),
];

/// The layout that holds a shape of [`EXPRESSIONS`] as x' = W x.
fn layout(shape: &str) -> &'static str {
    if shape.matches('x').count() == 2 { "boi" } else { "torch" }
}

pub(crate) fn drawn(seed: u64, expression: &str, shape: &str) -> Vec<f64> {
    draw::whole(seed, &draw::tensor(expression, shape, layout(shape), DType::F64))
}

pub(crate) fn square(seed: u64, expression: &str, n: usize) -> Vec<f64> {
    drawn(seed, expression, &format!("{n}x{n}"))
}

/// The largest magnitude of an eigenvalue, by Gelfand's formula and nothing else: the norm of W^(2^k), to the power 1/2^k.
fn gelfand(matrix: &[f64], n: usize) -> f64 {
    let mut power = DMatrix::from_row_slice(n, n, matrix);
    let mut logarithm = 0.0;
    for doubling in 0..40 {
        let norm = power.norm();
        logarithm += norm.ln() / 2f64.powi(doubling);
        power /= norm;
        power = &power * &power;
    }
    logarithm.exp()
}

#[test]
fn the_spectral_radius_is_the_requested_one() {
    for (expression, n) in [
        ("spectral:radius=0.9,density=0.1", 200),
        ("spectral:radius=1.3,density=1", 60),
        ("spectral:radius=0.5,degree=10", 150),
        ("spectral:radius=0.9,degree=1,direction=in", 100),
        ("spectral:radius=0.9,density=0.02,distribution=bernoulli", 100),
        ("spectral:radius=2,density=0.3,exact=true,distribution=uniform", 80),
        ("small-world:neighbours=6,radius=0.9", 100),
        ("cluster:clusters=4,within=0.5,radius=0.9", 100),
        ("dale:density=0.2,radius=0.9", 100),
        ("chaotic:radius=0.9", 64),
        ("chaotic:extra=0,radius=0.9", 50),
        ("band:density=0.1,radius=0.9", 100),
        ("toeplitz:density=0.1,radius=0.9", 64),
        ("lower-triangular:density=0.3,radius=0.9", 60),
        ("cycle-with-jumps:jump-size=4,radius=0.9", 100),
        ("double-cycle:radius=0.9", 64),
        ("ring:self-loop=0.5,radius=0.9", 50),
        ("line:self-loop=0.5,backward=0.8,radius=0.9", 50),
        ("self-loop-feedback-cycle:radius=0.9", 51),
        ("block-diagonal:size=7,radius=0.9", 50),
    ] {
        let asked: f64 = expression.split("radius=").nth(1).unwrap().split(',').next().unwrap().parse().unwrap();
        for seed in 0..3 {
            let found = gelfand(&square(seed, expression, n), n);
            // A norm of a power forgets the eigenvectors slowly: what is left of them after 2^40 steps is far below this.
            assert!((found / asked - 1.0).abs() < 1e-6, "{expression}, seed {seed}: {found}");
        }
    }
}

#[test]
fn a_radius_that_some_draws_lack_is_drawn_until_it_is_there() {
    assert_eq!(drawn(1, "spectral:density=0", "0x0"), [] as [f64; 0]);
    // Some of such draws have no cycle: they are made again until there is one.
    for seed in 0..20 {
        let matrix = square(seed, "spectral:density=0.05,radius=0.9", 20);
        assert!(
            matrix.iter().all(|value| value.is_finite()) && matrix.iter().any(|&value| value != 0.0),
            "seed {seed}"
        );
    }
}

#[test]
fn a_fast_spectral_radius_is_near_the_requested_one() {
    for expression in ["fast-spectral:radius=0.9", "fast-spectral:radius=0.9,density=0.1"] {
        let found = gelfand(&square(3, expression, 600), 600);
        // reservoirpy's own test allows a tenth at 1000 units.
        assert!((found / 0.9 - 1.0).abs() < 0.1, "{expression}: {found}");
    }
    let distribution =
        draw::tensor("fast-spectral:radius=0.9,density=0.25", "100x100", "torch", DType::F64).distribution().clone();
    // The circular distribution: n std^2 = radius^2.
    assert!((distribution.std().unwrap() - 0.09).abs() < 1e-12);
}

pub(crate) fn nonzeros(values: impl Iterator<Item = f64>) -> usize {
    values.filter(|&value| value != 0.0).count()
}

fn row(matrix: &[f64], n: usize, number: usize) -> impl Iterator<Item = f64> {
    matrix[number * n..][..n].iter().copied()
}

fn column(matrix: &[f64], n: usize, number: usize) -> impl Iterator<Item = f64> {
    matrix.iter().skip(number).step_by(n).copied()
}

#[test]
fn degrees_and_counts_are_exact() {
    for seed in 0..5 {
        let (into, out) = (square(seed, "spectral:degree=7,direction=in", 50), square(seed, "spectral:degree=7", 50));
        let (part, exact) = (
            square(seed, "spectral:density=0.29,direction=out", 50),
            square(seed, "spectral:density=0.1234,exact=true", 50),
        );
        for unit in 0..50 {
            assert_eq!(nonzeros(row(&into, 50, unit)), 7);
            assert_eq!(nonzeros(column(&out, 50, unit)), 7);
            assert_eq!(nonzeros(column(&part, 50, unit)), 14);
        }
        // round(308.5), ties to even.
        assert_eq!(nonzeros(exact.into_iter()), 308);
    }
}

#[test]
fn every_layout_has_the_same_matrix() {
    for (expression, _) in EXPRESSIONS.iter().filter(|(_, shape)| *shape == "24x24") {
        let values = |layout| draw::whole(5, &draw::tensor(expression, "24x24", layout, DType::F64));
        let (outputs_first, inputs_first) = (values("torch"), values("io"));
        if !expression.starts_with("fast") {
            let transposed: Vec<f64> =
                (0..24).flat_map(|unit| column(&inputs_first, 24, unit).collect::<Vec<_>>()).collect();
            assert_eq!(outputs_first, transposed, "{expression}");
        }
    }
}

#[test]
fn several_reservoirs_in_one_tensor_are_independent_and_each_has_its_radius() {
    let values = drawn(2, "spectral:radius=0.7,density=0.3", "3x40x40");
    for (number, matrix) in values.chunks_exact(1600).enumerate() {
        assert!((gelfand(matrix, 40) / 0.7 - 1.0).abs() < 1e-6);
        assert_ne!(matrix, &values[(number + 1) % 3 * 1600..][..1600]);
    }
}

/// By how many standard errors a count of `trials` with this `chance` is off.
fn errors(count: usize, trials: usize, chance: f64) -> f64 {
    let trials = trials as f64;
    (count as f64 - trials * chance) / (trials * chance * (1.0 - chance)).sqrt()
}

#[test]
fn densities_are_the_requested_ones_and_positions_are_uniform() {
    for (expression, density) in [
        ("random-sparse:density=0.2", 0.2),
        ("random-sparse:density=0.2,exact=true", 0.2),
        ("random-sparse:density=0.2,direction=out", 0.2),
        ("random-sparse:degree=60,direction=in", 0.2),
        ("fast-spectral:radius=0.9,density=0.3", 0.3),
        ("cluster:clusters=3,within=0.2,between=0.2", 0.2),
    ] {
        let matrix = square(8, expression, 300);
        let off = errors(nonzeros(matrix.iter().copied()), 90_000, density);
        assert!(off.abs() < 4.0, "{expression}: {off} standard errors");
        // Each column and each row on its own, by chi-square with at most 300 degrees of freedom.
        for lines in [row_counts(&matrix), column_counts(&matrix)] {
            let expected = 300.0 * density;
            let squares: f64 = lines.iter().map(|&count| (count as f64 - expected).powi(2) / expected).sum();
            let excess = (squares / (1.0 - density) - 300.0) / 600f64.sqrt();
            assert!(excess < 4.0, "{expression}: {excess} standard deviations");
        }
    }
    // What is planted is found: places of which the first hundred columns have a tenth more.
    let off = errors(90_000 / 5 + 600, 90_000, 0.2);
    assert!(off > 4.0);
}

fn row_counts(matrix: &[f64]) -> Vec<usize> {
    (0..300).map(|unit| nonzeros(row(matrix, 300, unit))).collect()
}

fn column_counts(matrix: &[f64]) -> Vec<usize> {
    (0..300).map(|unit| nonzeros(column(matrix, 300, unit))).collect()
}

#[test]
fn values_have_the_moments_of_their_distribution() {
    for (expression, mean, square) in [
        ("random-sparse:density=0.5,scale=2", 0.0, 2.0),
        ("random-sparse:density=0.5,distribution=uniform,scale=2", 0.0, 2.0 / 3.0),
        ("random-sparse:density=0.5,distribution=bernoulli,positive=0.7,scale=2", 0.4, 2.0),
        ("random-sparse:density=0.5,exact=true,scale=2", 0.0, 2.0),
        ("random-sparse:distribution=bernoulli,positive=0.7,exact=true", 0.4, 1.0),
        ("reservoir-input:scaling=0.3", 0.0, 0.03),
        ("minimal-input:weight=0.2,positive=0.25", -0.1, 0.04),
        ("weighted-input:scaling=0.3", 0.0, 0.03 / 5.0),
        ("small-world:neighbours=300,rewire=0", 0.0, 300.0 / 2000.0),
    ] {
        let shape = if expression.starts_with("small") { "2000x2000" } else { "60000x5" };
        let values = drawn(9, expression, shape);
        let count = values.len() as f64;
        let mean_found = values.iter().sum::<f64>() / count;
        let square_found = values.iter().map(|value| value * value).sum::<f64>() / count;
        let error = (square / count).sqrt();
        assert!((mean_found - mean).abs() < 4.0 * error, "{expression}: mean {mean_found}");
        assert!((square_found / square - 1.0).abs() < 0.02, "{expression}: mean square {square_found}");
        let distribution = draw::tensor(expression, shape, "torch", DType::F64).distribution().clone();
        if let (Some(message), Some(std)) = (distribution.mean(), distribution.std()) {
            assert!((message - mean).abs() < 1e-12, "{expression}: {message}");
            assert!((std - (square - mean * mean).sqrt()).abs() < 1e-12, "{expression}: {std}");
        }
        let largest = values.iter().fold(0f64, |largest, value| largest.max(value.abs()));
        assert!(largest <= distribution.max_abs(), "{expression}: {largest}");
    }
}

#[test]
fn a_small_world_keeps_its_connections_and_without_rewiring_its_neighbours() {
    let n = 60;
    let lattice = square(4, "small-world:neighbours=6,rewire=0", n);
    for unit in 0..n {
        for other in 0..n {
            let apart = unit.abs_diff(other).min(n - unit.abs_diff(other));
            assert_eq!(lattice[unit * n + other] != 0.0, (1..=3).contains(&apart));
        }
    }
    let rewired = square(4, "small-world:neighbours=6,rewire=0.25", n);
    assert_eq!(nonzeros(rewired.iter().copied()), 6 * n);
    let kept = (0..n * n).filter(|&at| lattice[at] != 0.0 && rewired[at] != 0.0).count();
    // A joint stays with probability 3/4, or comes back.
    assert!(errors(kept / 2, 3 * n, 0.75).abs() < 4.0, "{kept}");
    for at in 0..n * n {
        assert_eq!(rewired[at] != 0.0, rewired[at % n * n + at / n] != 0.0, "joints go both ways");
    }
    assert!((0..n).all(|unit| rewired[unit * n + unit] == 0.0), "no unit is joined to itself");
}

#[test]
fn clusters_are_denser_inside() {
    let matrix = square(6, "cluster:clusters=3,within=0.4,between=0.05", 300);
    let inside = |at: usize| at / 300 / 100 == at % 300 / 100;
    let count = |together: bool| (0..90_000).filter(|&at| inside(at) == together && matrix[at] != 0.0).count();
    assert!(errors(count(true), 30_000, 0.4).abs() < 4.0);
    assert!(errors(count(false), 60_000, 0.05).abs() < 4.0);
}

#[test]
fn a_chaotic_reservoir_has_its_ring_and_further_connections_but_none_to_itself() {
    let n = 200;
    let matrix = square(2, "chaotic:extra=0.1", n);
    let ring = |at: usize| at % n == (at / n + 1) % n;
    assert!((0..n * n).all(|at| !ring(at) || matrix[at] != 0.0));
    assert!((0..n).all(|unit| matrix[unit * n + unit] == 0.0));
    let others = (0..n * n).filter(|&at| !ring(at) && matrix[at] != 0.0).count();
    assert!(errors(others, n * n - 2 * n, 0.1).abs() < 4.0, "{others}");
}

#[test]
fn by_dales_principle_all_that_a_unit_sends_has_one_sign() {
    for (expression, exciting) in
        [("dale:radius=0.9", 80), ("dale:excitatory=0.5,ratio=3", 50), ("dale:excitatory=1", 100)]
    {
        let matrix = square(7, expression, 100);
        for unit in 0..100 {
            let sign = if unit < exciting { 1.0 } else { -1.0 };
            assert!(column(&matrix, 100, unit).all(|value| value * sign >= 0.0), "{expression}: unit {unit}");
        }
    }
    let matrix = square(7, "dale:excitatory=0.5,density=1,ratio=3", 100);
    let mean = |units: std::ops::Range<usize>| {
        units.flat_map(|unit| column(&matrix, 100, unit).collect::<Vec<_>>()).sum::<f64>() / 5000.0
    };
    // The mean of |N(0, 1)|.
    let expected = (2.0 / std::f64::consts::PI).sqrt();
    assert!((mean(0..50) - expected).abs() < 0.04 && (mean(50..100) + 3.0 * expected).abs() < 0.12);
}

#[test]
fn permutations_connect_each_unit_to_one_and_reach_all_equally() {
    let mut counts = [0usize; 6];
    for seed in 0..3000 {
        let matrix = square(seed, "permutation", 3);
        let led_to: Vec<usize> =
            (0..3).map(|from| column(&matrix, 3, from).position(|value| value == 1.0).unwrap()).collect();
        let order = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        counts[order.iter().position(|order| led_to == order).unwrap()] += 1;
    }
    assert!(counts.iter().all(|&count| errors(count, 3000, 1.0 / 6.0).abs() < 4.0), "{counts:?}");
}

#[test]
fn a_wigner_matrix_is_symmetric_and_its_radius_twice_its_std() {
    let n = 400;
    let matrix = square(1, "wigner:std=0.5", n);
    assert!((0..n * n).all(|at| matrix[at] == matrix[at % n * n + at / n]));
    let off: f64 = (0..n * n).filter(|at| at % n != at / n).map(|at| matrix[at].powi(2)).sum();
    let diagonal: f64 = (0..n).map(|unit| matrix[unit * n + unit].powi(2)).sum();
    assert!((off / (n - 1) as f64 - 0.25).abs() < 0.25 * 4.0 / (n as f64), "{off}");
    assert!((diagonal - 0.25).abs() < 0.25 * 4.0 * (2.0 / n as f64).sqrt(), "{diagonal}");
    assert!((gelfand(&matrix, n) - 1.0).abs() < 0.05);
}

#[test]
fn diagonals_are_filled_from_the_main_one_outwards() {
    let n = 20;
    // 80 of 400: 20 on the main diagonal, 19 + 19 beside it, 18 below those, and 4 of the 18 above.
    let band = square(3, "band:density=0.2", n);
    let on = |matrix: &[f64], offset: isize| {
        (0..n as isize)
            .filter(|&to| {
                let from = to - offset;
                (0..n as isize).contains(&from) && matrix[(to * n as isize + from) as usize] != 0.0
            })
            .count()
    };
    let counts: Vec<usize> = [0, 1, -1, 2, -2, 3, -3].iter().map(|&offset| on(&band, offset)).collect();
    assert_eq!(counts, [20, 19, 19, 18, 4, 0, 0]);
    let lower = square(3, "lower-triangular:density=0.2", n);
    assert_eq!([0, 1, 2, 3, 4, -1].map(|offset| on(&lower, offset)), [20, 19, 18, 17, 6, 0]);
    let toeplitz = square(3, "toeplitz:density=0.2", n);
    assert_eq!([0, 1, -1, 2, -2, 3].map(|offset| on(&toeplitz, offset)), [20, 19, 19, 18, 4, 0]);
    for at in 0..n * n - n - 1 {
        let (one, next) = (toeplitz[at], toeplitz[at + n + 1]);
        assert!(at % n == n - 1 || one == next || one == 0.0 || next == 0.0, "one value on each diagonal");
    }
    let scaled = square(3, "lower-triangular:density=0.2,radius=0.9", n);
    let largest = (0..n).map(|unit| scaled[unit * n + unit].abs()).fold(0.0, f64::max);
    assert!((largest - 0.9).abs() < 1e-15);
}

#[test]
fn a_pseudo_svd_has_the_singular_values_that_it_began_with() {
    let n = 40;
    let start = square(5, "pseudo-svd:density=0", n);
    let turned = square(5, "pseudo-svd:density=0.4", n);
    let singular = |matrix: &[f64]| {
        let mut values: Vec<f64> = DMatrix::from_row_slice(n, n, matrix).singular_values().iter().copied().collect();
        values.sort_by(f64::total_cmp);
        values
    };
    assert_eq!(start[n * n - 1], 1.0);
    assert!((0..n).all(|unit| unit == 0 || start[unit * (n + 1)] >= start[(unit - 1) * (n + 1)]));
    assert!(singular(&start).iter().zip(singular(&turned)).all(|(one, other)| (one - other).abs() < 1e-12));
    let density = nonzeros(turned.iter().copied()) as f64 / (n * n) as f64;
    assert!((0.4..0.45).contains(&density), "{density}");
}

#[test]
fn a_ring_to_the_power_of_its_size_is_a_multiple_of_the_identity() {
    let n = 24;
    let ring = DMatrix::from_row_slice(n, n, &square(0, "ring:weight=0.9", n));
    let power = (1..n).fold(ring.clone(), |power, _| &power * &ring);
    assert!((power - DMatrix::identity(n, n) * 0.9f64.powi(24)).norm() < 1e-12);
    let line = DMatrix::from_row_slice(n, n, &square(0, "line:weight=0.9", n));
    assert_eq!((1..n).fold(line.clone(), |power, _| &power * &line).norm(), 0.0);
}

#[test]
fn slices_threads_and_dtypes_change_no_value() {
    for &(expression, shape) in EXPRESSIONS {
        let tensor = draw::tensor(expression, shape, layout(shape), DType::F64);
        let count = usize::try_from(tensor.shape().count()).unwrap();
        let (one, three) = (draw::open(6, &tensor), draw::open_with(6, &tensor, 3));
        let all = draw::doubles(&*one, 0, count);
        assert_eq!(draw::doubles(&*three, 0, count), all, "{expression}");
        assert_eq!(draw::doubles(&*three, 17, count - 40), all[17..count - 23], "{expression}");
        let narrow: Vec<f32> = all.iter().map(|&value| value as f32).collect();
        assert_eq!(draw::singles(&*one, 0, count), narrow, "{expression}");
        let largest = all.iter().fold(0f64, |largest, value| largest.max(value.abs()));
        assert!(largest <= tensor.distribution().max_abs(), "{expression}: {largest}");
    }
}
