//! State matrices of state-space models: those of `HiPPO` against the program that they come from, the diagonal ones against
//! their formulas, the random ones against their distributions.

use std::f64::consts::{LN_2, PI};

use fanin::tensor::DType;

use crate::draw;
use crate::reference::Reference;
use crate::sample::faults;

/// Expressions of every scheme.
pub(crate) const EXPRESSIONS: &[&str] = &[
    "hippo-legs",
    "hippo-legsd",
    "hippo-legt",
    "hippo-lmu",
    "hippo-lagt",
    "hippo-tlagt",
    "hippo-glagt",
    "hippo-fourier",
    "hippo-fourier-diag",
    "hippo-fourier-decay",
    "hippo-random",
    "hippo-diagonal",
    "s4d-real",
    "s4d-lin",
    "s4d-inv",
    "s4d-inv2",
    "s4d-quad",
    "s4d-legs",
    "s4d-rand",
];

fn drawn(expression: &str, shape: &str, dtype: DType) -> Vec<f64> {
    draw::whole(5, &draw::tensor(expression, shape, "io", dtype))
}

#[test]
fn matrices_are_those_of_the_program_to_the_last_bit() {
    let mut cases = 0;
    for line in include_str!("../data/distributions/hippo.txt").lines().filter(|line| !line.starts_with('#')) {
        let (case, values) = line.split_once(" = ").unwrap();
        let (expression, shape) = case.split_once(' ').unwrap();
        let expected: Vec<u32> = values.split(' ').map(|value| value.parse::<f32>().unwrap().to_bits()).collect();
        let tensor = draw::tensor(expression, shape, "io", DType::F32);
        let found = draw::singles(&*draw::open(0, &tensor), 0, expected.len());
        assert_eq!(found.iter().map(|value| value.to_bits()).collect::<Vec<u32>>(), expected, "{case}: {found:?}");
        cases += 1;
    }
    assert_eq!(cases, 30);
}

#[test]
fn generalized_laguerre_norms_keep_their_digits_far_out() {
    // L_n = sqrt(gamma(n+alpha+1) / gamma(n+1)), alpha = 0.3, to 40 digits by mpmath 1.4.1.
    let values = drawn("hippo-glagt:alpha=0.3", "300x300", DType::F64);
    for (row, column, expected) in RATIOS {
        let found = -values[row * 300 + column];
        assert!((found / expected - 1.0).abs() < 1e-14, "L_{column} / L_{row} is {found}");
    }
}

const RATIOS: [(usize, usize, f64); 3] =
    [(250, 199, 0.9664519429112827), (299, 0, 0.40273369692679256), (16, 15, 0.9907548092361399)];

#[test]
fn parts_follow_from_the_shape_and_repeat_along_the_axes_before() {
    for (whole, shape, part, small) in [
        ("hippo-legs", "4x4", "part=a", "4x4"),
        ("hippo-legs", "4", "part=b", "4"),
        ("hippo-legs", "4x1", "part=b", "4"),
        ("hippo-fourier:scale=1", "4x1", "part=b", "4"),
    ] {
        let separator = if whole.contains(':') { "," } else { ":" };
        let explicit = drawn(&format!("{whole}{separator}{part}"), small, DType::F64);
        assert_eq!(drawn(whole, shape, DType::F64), explicit, "{whole} {shape}");
    }
    let matrix = drawn("hippo-legt", "5x5", DType::F64);
    assert_eq!(drawn("hippo-legt", "3x5x5", DType::F64), [&matrix[..], &matrix, &matrix].concat());
    let vector = drawn("hippo-legt", "5", DType::F64);
    assert_eq!(drawn("hippo-legt:part=b", "2x5", DType::F64), [&vector[..], &vector].concat());
}

#[test]
fn matrices_are_scaled_and_transposed_on_request() {
    let matrix = drawn("hippo-lmu", "6x6", DType::F64);
    let scaled = drawn("hippo-lmu:scale=0.25", "6x6", DType::F64);
    let transposed = drawn("hippo-lmu:transposed=true", "6x6", DType::F64);
    for (i, j) in (0..6).flat_map(|i| (0..6).map(move |j| (i, j))) {
        assert_eq!(scaled[6 * i + j], 0.25 * matrix[6 * i + j]);
        assert_eq!(transposed[6 * i + j], matrix[6 * j + i]);
    }
}

#[test]
fn no_element_is_above_the_stated_maximum() {
    for &expression in EXPRESSIONS {
        for shape in ["1x1", "2x2", "4x4", "30x30", "30"] {
            if shape == "1x1" && expression.starts_with("hippo-fourier") {
                continue;
            }
            let tensor = draw::tensor(expression, shape, "io", DType::F64);
            let largest = draw::whole(5, &tensor).into_iter().map(f64::abs).fold(0.0, f64::max);
            let message = tensor.distribution().max_abs();
            assert!(largest <= message, "{expression} {shape}: {largest} is above {message}");
        }
    }
}

#[test]
fn diagonals_follow_their_formulas() {
    type Curve<'a> = &'a dyn Fn(f64) -> f64;
    let states = 64.0;
    let curves: &[(&str, Curve)] = &[
        ("s4d-real", &|n| -(n + 1.0)),
        ("s4d-real:log-real", &|n| (n + 1.0).ln()),
        ("s4d-real:imag", &|_| 0.0),
        ("s4d-lin", &|n| PI * n),
        ("s4d-lin:real", &|_| -0.5),
        ("s4d-inv:log-real", &|_| -LN_2),
        ("s4d-legs:real", &|_| -0.5),
        ("s4d-rand:real", &|_| -0.5),
        ("s4d-inv", &|n| states / PI * (states / (2.0 * n + 1.0) - 1.0)),
        ("s4d-inv2", &|n| states / PI * (states / (n + 1.0) - 1.0)),
        ("s4d-quad", &|n| (1.0 + 2.0 * n).powi(2) / PI),
    ];
    for (expression, curve) in curves {
        for (index, value) in drawn(expression, "3x32", DType::F64).into_iter().enumerate() {
            let expected = curve((index % 32) as f64);
            assert!((value - expected).abs() <= 1e-13 * expected.abs(), "{expression}, element {index}: {value}");
        }
    }
}

#[test]
fn eigenvalues_of_legs_are_those_of_the_program_to_the_last_bit() {
    // The imaginary parts of `nplr("legs", 16)` of state-spaces/s4 with PyTorch 2.15.0, in double precision throughout.
    let expected: [f32; 8] = [80.96608, 25.629227, 13.834342, 8.362104, 5.0900235, 2.8996682, 1.3719888, 0.3520179];
    assert_eq!(
        drawn("s4d-legs", "2x8", DType::F32),
        [expected, expected].concat().into_iter().map(f64::from).collect::<Vec<_>>()
    );
}

#[test]
fn random_matrices_follow_their_distributions() {
    let passes = |reference: &Reference, values: &[f64], error: f64| {
        faults(reference, None, values.iter().map(|value| error * value)).is_empty()
    };
    let (matrix, vector) = (drawn("hippo-random", "300x300", DType::F32), drawn("hippo-random", "90000", DType::F32));
    for (values, std) in [(matrix, 1.0 / 300.0), (vector, 1.0)] {
        let reference = Reference::normal(std);
        assert!(passes(&reference, &values, 1.0) && !passes(&reference, &values, 1.03), "std {std}");
    }
    let matrices = drawn("hippo-diagonal", "30000x3x3", DType::F32);
    let (mut decays, mut others) = (Vec::new(), Vec::new());
    for (index, value) in matrices.into_iter().enumerate() {
        if index % 9 / 3 == index % 3 { decays.push((-value).ln()) } else { others.push(value) }
    }
    assert!(others.iter().all(|&value| value == 0.0));
    let reference = Reference::normal(1.0);
    assert!(passes(&reference, &decays, 1.0) && !passes(&reference, &decays, 1.03));
    let logarithms: Vec<f64> = drawn("s4d-rand", "300x300", DType::F32).into_iter().map(f64::ln).collect();
    assert!(passes(&reference, &logarithms, 1.0) && !passes(&reference, &logarithms, 1.03));
    assert!(passes(&reference, &drawn("hippo-diagonal:b", "90000", DType::F32), 1.0));
}
