//! Points of balls, spheres and simplices: lengths, directions, sums, in every layout.

use fanin::tensor::DType;

use crate::draw;
use crate::sample::{CRITICAL, distance};
use crate::sparse::units;

pub(crate) const EXPRESSIONS: [&str; 4] = ["unit-ball", "unit-ball:0.5", "unit-sphere", "positive-unit-ball"];

const PLACES: [(&str, &str, [usize; 4]); 5] = [
    ("torch", "oikk", [40, 6, 3, 5]),
    ("keras", "kkio", [3, 5, 6, 40]),
    ("mlx", "okki", [40, 3, 5, 6]),
    ("bio", "bio", [5, 30, 7, 0]),
    ("goik", "goik", [4, 8, 20, 3]),
];

/// The values of each unit.
fn by_unit(expression: &str, layout: &str, letters: &str, shape: &[usize], dtype: DType) -> Vec<Vec<f64>> {
    let text: Vec<String> = shape.iter().map(ToString::to_string).collect();
    let values = draw::whole(1, &draw::tensor(expression, &text.join("x"), layout, dtype));
    let units = units(shape, letters);
    units.into_iter().map(|unit| unit.into_iter().map(|element| values[element]).collect()).collect()
}

fn length(unit: &[f64]) -> f64 {
    unit.iter().map(|value| value * value).sum::<f64>().sqrt()
}

#[test]
fn every_unit_is_a_point_of_its_body_in_every_layout() {
    for (layout, letters, shape) in PLACES {
        let shape = &shape[..letters.len()];
        for dtype in [DType::F32, DType::F64] {
            let units = |expression| by_unit(expression, layout, letters, shape, dtype);
            let near = if dtype == DType::F32 { 1e-6 } else { 1e-14 };
            for unit in units("unit-sphere") {
                assert!((length(&unit) - 1.0).abs() < near, "{layout}: {}", length(&unit));
            }
            for unit in units("unit-ball:0.5") {
                assert!(length(&unit) <= 0.5 + near, "{layout}: {}", length(&unit));
            }
            for unit in units("positive-unit-ball") {
                assert!(unit.iter().all(|&value| value > 0.0), "{layout}");
                assert!((unit.iter().sum::<f64>() - 1.0).abs() < near, "{layout}");
            }
        }
    }
}

const POINTS: usize = 300_000;

/// The points of `expression` with so many elements.
fn points(expression: &str, dimension: usize) -> Vec<Vec<f64>> {
    let shape = format!("{POINTS}x{dimension}");
    let values = draw::whole(8, &draw::tensor(expression, &shape, "torch", DType::F64));
    values.chunks_exact(dimension).map(<[f64]>::to_vec).collect()
}

/// Checks a figure of every point against its distribution, and that one which is 2 % too large is found.
fn assert_distribution(what: &str, figures: Vec<f64>, cdf: impl Fn(f64) -> f64) {
    let critical = CRITICAL / (figures.len() as f64).sqrt();
    let larger: Vec<f64> = figures.iter().map(|figure| figure * 1.02).collect();
    let far = distance(figures, |x| cdf(x).clamp(0.0, 1.0));
    assert!(far <= critical, "{what}: {far} is above {critical}");
    let far = distance(larger, |x| cdf(x).clamp(0.0, 1.0));
    assert!(far > critical, "{what}: an error of 2 % gives {far} only");
}

#[test]
fn lengths_and_elements_follow_their_distributions() {
    for dimension in [1, 2, 3, 7] {
        let ball = points("unit-ball:2", dimension);
        let power = f64::from(i32::try_from(dimension).unwrap());
        assert_distribution("the length in a ball", ball.iter().map(|point| length(point)).collect(), |r| {
            (r / 2.0).powf(power)
        });
    }
    for element in 0..3 {
        let of = |expression| points(expression, 3).into_iter().map(|point| point[element]).collect();
        // A sphere has as much surface in each slice (Archimedes); a ball's slices are discs.
        assert_distribution("an element on a sphere", of("unit-sphere"), |x| f64::midpoint(x, 1.0));
        assert_distribution("an element in a ball", of("unit-ball"), |x| 0.25 * (2.0 + 3.0 * x - x * x * x));
    }
    for element in 0..2 {
        let shares = points("positive-unit-ball", 2).into_iter().map(|point| point[element]).collect();
        assert_distribution("one of two shares", shares, |x| {
            let x = x.min(1.0);
            if x < 0.5 { 0.5 * x / (1.0 - x) } else { 1.0 - 0.5 * (1.0 - x) / x }
        });
    }
}

#[test]
fn distributions_state_their_mean_and_standard_deviation() {
    for (expression, message) in [("unit-ball:2", true), ("unit-sphere:radius=3", true), ("positive-unit-ball", false)]
    {
        for dimension in [1, 2, 5, 20] {
            let distribution =
                draw::tensor(expression, &format!("9x{dimension}"), "torch", DType::F64).distribution().clone();
            let values = points(expression, dimension).concat();
            let count = values.len() as f64;
            let (mean, expected) = (values.iter().sum::<f64>() / count, distribution.mean().unwrap());
            let square = values.iter().map(|value| (value - expected).powi(2)).sum::<f64>() / count;
            assert!((mean - expected).abs() <= 5.0 * (square / count).sqrt() + 1e-15, "{expression}: {mean}");
            assert_eq!(distribution.std().is_some(), message);
            if let Some(std) = distribution.std() {
                assert!((square.sqrt() / std - 1.0).abs() < 0.01, "{expression} in {dimension}: {square} and {std}");
            }
        }
    }
}

#[test]
fn nothing_is_drawn_for_an_empty_weight() {
    for expression in EXPRESSIONS {
        for shape in ["0x5", "5x0", "0x0"] {
            assert!(draw::whole(1, &draw::tensor(expression, shape, "torch", DType::F32)).is_empty());
        }
    }
}
