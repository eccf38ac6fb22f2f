//! Matrices with rows that are directions, or with blocks that are rotations.

use std::f64::consts::PI;

use fanin::generator::NATIVE;
use fanin::plan::{Common, DrawnTensor};
use fanin::tensor::{DType, Fans};
use nalgebra::DMatrix;

use crate::draw;
use crate::orthogonal::errors;
use crate::reference::Reference;
use crate::sample::{CRITICAL, distance, faults};

/// Expressions that take every matrix.
pub(crate) const EXPRESSIONS: &[&str] = &[
    "scaled-orthogonal:layers=12",
    "orthogonal-random-features",
    "orthogonal-random-features:norms=equal,std=0.5",
    "glorot-orthogonal",
    "nguyen-widrow",
];

/// Those that take square ones.
pub(crate) const SQUARE: &[(&str, &str, &str)] = &[
    ("skew-symmetric", "7x7", "io"),
    ("skew-symmetric:angles=cayley", "5x8x8", "bio"),
    ("skew-symmetric:angles=haar", "7x7", "torch"),
    ("skew-symmetric:angles=haar", "3x6x6", "bio"),
    ("skew-symmetric:angles=normal", "9x9", "io"),
    ("skew-symmetric:angles=normal-squeeze", "2x9x9", "gio"),
];

fn draw(expression: &str, shape: &str, layout: &str) -> Vec<f64> {
    draw::whole(9, &draw::tensor(expression, shape, layout, DType::F64))
}

/// Whether a sample follows a distribution, and whether the same sample 5 % larger does not.
#[track_caller]
fn assert_distribution(values: &[f64], cdf: impl Fn(f64) -> f64, what: &str) {
    let critical = CRITICAL / (values.len() as f64).sqrt();
    let found = distance(values.to_vec(), &cdf);
    assert!(found <= critical, "{what}: {found} is above {critical}");
    let planted = distance(values.iter().map(|value| 1.05 * value).collect(), &cdf);
    assert!(planted > critical, "{what}: a planted error was not found");
}

#[test]
fn scaled_orthogonal_is_orthogonal_with_a_gain_of_its_layers() {
    let gain = (2.0 / 12f64).sqrt();
    let expected = draw(&format!("orthogonal:gain={gain:?}"), "40x30", "torch");
    assert_eq!(draw("scaled-orthogonal:layers=12", "40x30", "torch"), expected);
}

#[test]
fn features_are_orthogonal_in_blocks_of_as_many_as_there_are_inputs() {
    for (rows, d) in [(20, 8), (16, 8), (5, 8), (3, 1)] {
        let equal = draw("orthogonal-random-features:norms=equal,std=3", &format!("{rows}x{d}"), "torch");
        let gaussian = draw("orthogonal-random-features", &format!("{rows}x{d}"), "torch");
        for (number, values) in [&equal, &gaussian].into_iter().enumerate() {
            for block in values.chunks(d * d) {
                let matrix = DMatrix::from_row_slice(block.len() / d, d, block);
                let products = &matrix * matrix.transpose();
                for (row, column) in (0..matrix.nrows()).flat_map(|row| (0..row).map(move |column| (row, column))) {
                    assert!(products[(row, column)].abs() < 1e-12, "{rows}x{d}");
                }
                let lengths = products.diagonal() / (9.0 * d as f64);
                assert!(number == 1 || lengths.iter().all(|length| (length - 1.0).abs() < 1e-13));
            }
        }
    }
}

#[test]
fn features_of_gaussian_norms_are_each_normal() {
    let values = draw("orthogonal-random-features:std=0.5", "20000x6", "torch");
    let found = faults(&Reference::normal(0.5), None, values.iter().copied());
    assert!(found.is_empty(), "{found:?}");
    assert!(!faults(&Reference::normal(0.5), None, values.iter().map(|value| 1.02 * value)).is_empty());
    // The squared length of two standard normals is exponential.
    let pairs = draw("orthogonal-random-features", "10000x2", "torch");
    let squares: Vec<f64> = pairs.chunks_exact(2).map(|pair| pair[0] * pair[0] + pair[1] * pair[1]).collect();
    assert_distribution(&squares, |x| 1.0 - f64::exp(-x / 2.0), "squared norms");
}

#[test]
fn glorot_orthogonal_has_the_variance_of_glorot() {
    for (shape, sizes, fans) in [("40x30", [40, 30], 70.0), ("30x40", [30, 40], 70.0), ("4x2x3x3", [4, 18], 54.0)] {
        let values = draw("glorot-orthogonal:scale=3", shape, "torch");
        let (count, mean) = (values.len() as f64, values.iter().sum::<f64>() / values.len() as f64);
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        assert!((variance * fans / 3.0 - 1.0).abs() < 1e-12, "{shape}");
        let matrix = DMatrix::from_row_slice(sizes[0], sizes[1], &values);
        let wide = sizes[0] < sizes[1];
        let products = if wide { &matrix * matrix.transpose() } else { matrix.tr_mul(&matrix) };
        let size = products.nrows();
        assert!((&products / products[(0, 0)] - DMatrix::identity(size, size)).amax() < 1e-13, "{shape}");
    }
}

#[test]
fn units_of_nguyen_and_widrow_have_one_norm_and_directions_of_a_cube() {
    for (shape, layout, units, inputs) in
        [("30x40", "torch", 30, 40), ("30x40", "io", 40, 30), ("6x2x3x3", "torch", 6, 18), ("1x7", "io", 7, 1)]
    {
        let values = draw("nguyen-widrow", shape, layout);
        let beta = 0.7 * f64::from(units).powf(1.0 / f64::from(inputs));
        let mut squares = vec![0.0; units as usize];
        for (index, value) in values.iter().enumerate() {
            let unit = if layout == "torch" { index / inputs as usize } else { index % units as usize };
            squares[unit] += value * value;
        }
        assert!(squares.iter().all(|square| (square.sqrt() / beta - 1.0).abs() < 1e-14), "{shape} in {layout}");
    }
    let signs: Vec<f64> = draw("nguyen-widrow", "1x2000", "io").into_iter().map(f64::signum).collect();
    assert!(errors(&signs, 0.0).abs() < 4.0);
    let ratios = draw("nguyen-widrow", "40000x2", "torch");
    let ratios: Vec<f64> = ratios.chunks_exact(2).map(|pair| (pair[0] / pair[1]).abs()).collect();
    assert_distribution(&ratios, |x| if x < 1.0 { x / 2.0 } else { 1.0 - 0.5 / x }, "ratios of two uniforms");
    let doubled = draw("neurolab.initnw", "30x40", "torch");
    assert!(
        doubled.iter().zip(draw("nguyen-widrow", "30x40", "torch")).all(|(two, one)| (two / one - 2.0).abs() < 1e-15)
    );
}

#[test]
fn biases_of_nguyen_and_widrow_are_uniform_within_the_norm() {
    let fans = Fans { fan_in: Some(4), fan_out: None };
    let common = Common { dtype: DType::F64.into(), layout: "torch".parse().unwrap(), fans, generator: NATIVE };
    let tensor = DrawnTensor::new("bias".parse().unwrap(), "10000".parse().unwrap(), "nguyen-widrow", &common).unwrap();
    let found = faults(&Reference::uniform(7.0), Some((-7.0, 7.0)), draw::whole(9, &tensor));
    assert!(found.is_empty(), "{found:?}");
}

/// The angles of a batch of skew-symmetric matrices, those of each matrix together.
fn angles(distribution: &str, count: usize, size: usize) -> Vec<Vec<f64>> {
    let values = draw(&format!("skew-symmetric:angles={distribution}"), &format!("{count}x{size}x{size}"), "bio");
    let angles = |matrix: &[f64]| {
        let matrix = DMatrix::from_row_slice(size, size, matrix);
        assert_eq!(matrix.transpose(), -&matrix);
        let blocks = (0..size / 2).map(|block| matrix[(2 * block, 2 * block + 1)]).collect::<Vec<f64>>();
        let nonzeros = matrix.iter().filter(|value| **value != 0.0).count();
        assert_eq!(nonzeros, 2 * blocks.len(), "what is outside the blocks is zero");
        blocks
    };
    values.chunks_exact(size * size).map(angles).collect()
}

/// The distribution function of a standard normal's remainder, with the normal's sign.
fn remainder(modulus: f64, x: f64) -> f64 {
    let upper = |x: f64| 0.5 * libm::erf(x / 2f64.sqrt());
    let sum: f64 = (0..40).map(|k| f64::from(k) * modulus).map(|from| upper(from + x.abs()) - upper(from)).sum();
    0.5 + sum * x.signum()
}

#[test]
fn angles_have_their_distributions() {
    let all = |distribution: &str, size| angles(distribution, 8000, size).concat();
    assert_distribution(&all("henaff", 5), |x| f64::midpoint(x / PI, 1.0), "henaff");
    assert_distribution(&all("cayley", 4), |x| 1.0 - 4.0 * (-x).atan() / PI, "cayley");
    assert_distribution(&all("normal", 8), |x| remainder(PI, x), "normal");
    assert_distribution(&all("normal-squeeze", 8), |x| remainder(PI / 8.0, x), "normal-squeeze");
    // A rotation of the plane is by any angle; one of space more often by a large one.
    assert_distribution(&all("haar", 2), |x| x / PI, "haar in two dimensions");
    assert_distribution(&all("haar", 3), |x| (x - x.sin()) / PI, "haar in three dimensions");
}

#[test]
fn angles_of_a_haar_rotation_ascend_and_give_its_trace() {
    for size in [4, 5, 8] {
        let angles = angles("haar", 4000, size);
        assert!(angles.iter().all(|angles| angles.is_sorted() && angles[0] >= 0.0));
        let trace = |angles: &Vec<f64>| (size % 2) as f64 + angles.iter().map(|angle| 2.0 * angle.cos()).sum::<f64>();
        let traces: Vec<f64> = angles.iter().map(trace).collect();
        let squares: Vec<f64> = traces.iter().map(|trace| trace * trace).collect();
        assert!(errors(&traces, 0.0).abs() < 4.0 && errors(&squares, 1.0).abs() < 4.0, "{size}");
    }
}

#[test]
fn a_block_has_its_angle_from_the_even_input_to_the_odd_output() {
    assert!(draw("skew-symmetric:angles=cayley", "2x2", "io")[1] < 0.0);
    assert!(draw("skew-symmetric:angles=cayley", "2x2", "torch")[2] < 0.0);
}
