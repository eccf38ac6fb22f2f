//! Distributions of few values: the frequency of each.

use std::collections::BTreeMap;

use fanin::tensor::DType;
use fanin::writer::Encoder;

use crate::draw;

pub(crate) const EXPRESSIONS: &[&str] = &[
    "bernoulli:0.3",
    "bernoulli:p=0.9,value=0.1,other=0",
    "bernoulli:p=1",
    "bernoulli:p=0",
    "rademacher",
    "rademacher:0.25",
    "integer-uniform:low=-3,high=4",
    "integer-uniform:low=0,high=1",
];

/// The values of an expression and their probabilities.
fn expected(expression: &str) -> Vec<(f64, f64)> {
    match expression {
        "bernoulli:0.3" => vec![(1.0, 0.3), (-1.0, 0.7)],
        "bernoulli:p=0.9,value=0.1,other=0" => vec![(0.1, 0.9), (0.0, 0.1)],
        "bernoulli:p=1" => vec![(1.0, 1.0)],
        "bernoulli:p=0" => vec![(-1.0, 1.0)],
        "rademacher" => vec![(1.0, 0.5), (-1.0, 0.5)],
        "rademacher:0.25" => vec![(0.25, 0.5), (-0.25, 0.5)],
        "integer-uniform:low=-3,high=4" => (-3..=4).map(|value| (f64::from(value), 0.125)).collect(),
        "integer-uniform:low=0,high=1" => vec![(0.0, 0.5), (1.0, 0.5)],
        other => panic!("{other} is not in the table"),
    }
}

const COUNT: usize = 1 << 20;

/// By how many standard deviations chi-square is off; infinite where there is a value that should not be.
fn off(values: impl Iterator<Item = f64>, expected: &[(f64, f64)], dtype: DType) -> f64 {
    let mut counts: BTreeMap<u64, f64> =
        expected.iter().map(|&(value, _)| (dtype.round(value).to_bits(), 0.0)).collect();
    let mut count = 0.0;
    for value in values {
        count += 1.0;
        match counts.get_mut(&value.to_bits()) {
            Some(seen) => *seen += 1.0,
            None => return f64::INFINITY,
        }
    }
    let freedom = (expected.len() - 1) as f64;
    let squares = expected.iter().map(|&(value, chance)| {
        let mean = count * chance;
        (counts[&dtype.round(value).to_bits()] - mean).powi(2) / mean
    });
    let chi_square: f64 = squares.sum();
    if freedom == 0.0 { chi_square } else { (chi_square - freedom) / (2.0 * freedom).sqrt() }
}

#[test]
fn every_value_has_its_frequency_in_every_dtype() {
    for &expression in EXPRESSIONS {
        for dtype in DType::ALL {
            let tensor = draw::tensor(expression, "1024x1024", "io", dtype);
            let mut encoder = Encoder::default();
            let values = encoder.widened(&*draw::open(4, &tensor), dtype, 0, COUNT);
            let found = off(values.iter().copied(), &expected(expression), dtype);
            assert!(found < 5.0, "{expression} in {dtype}: {found} standard deviations");
        }
    }
}

#[test]
fn one_value_in_a_hundred_that_is_another_is_found() {
    for &expression in EXPRESSIONS.iter().filter(|expression| expected(expression).len() > 1) {
        let tensor = draw::tensor(expression, "1024x1024", "io", DType::F64);
        let first = expected(expression)[0].0;
        let values = draw::whole(4, &tensor).into_iter().zip(0..);
        let planted = values.map(|(value, index)| if index % 100 == 0 { first } else { value });
        let found = off(planted, &expected(expression), DType::F64);
        assert!(found > 5.0, "{expression}: {found} standard deviations");
    }
}

#[test]
fn distributions_state_their_mean_standard_deviation_and_bounds() {
    for &expression in EXPRESSIONS {
        let distribution = draw::tensor(expression, "9", "io", DType::F32).distribution().clone();
        let rows = expected(expression);
        let mean: f64 = rows.iter().map(|(value, chance)| value * chance).sum();
        let variance: f64 = rows.iter().map(|(value, chance)| (value - mean).powi(2) * chance).sum();
        assert!((distribution.mean().unwrap() - mean).abs() < 1e-15, "{expression}: {:?}", distribution.mean());
        assert!(
            (distribution.std().unwrap() - variance.sqrt()).abs() < 1e-15,
            "{expression}: {:?}",
            distribution.std()
        );
    }
    let distribution = |expression| draw::tensor(expression, "9", "io", DType::F64).distribution().clone();
    assert_eq!(distribution("integer-uniform:low=-3,high=4").bounds(), Some((-3.0, 4.0)));
    assert_eq!(distribution("integer-uniform:low=-9007199254740992,high=5").max_abs(), 2f64.powi(53));
    assert!(distribution("integer-uniform:low=0,high=70000").fits(DType::F16).is_err());
}

#[test]
fn integers_stay_integers_over_the_widest_range() {
    let expression = "integer-uniform:low=-9007199254740992,high=9007199254740992";
    let values = draw::whole(2, &draw::tensor(expression, "100000", "io", DType::F64));
    assert!(values.iter().all(|value| value.fract() == 0.0 && value.abs() <= 2f64.powi(53)));
    let odd = values.iter().filter(|value| *value % 2.0 != 0.0).count() as f64;
    assert!((odd - 50_000.0).abs() < 5.0 * 25_000f64.sqrt(), "{odd}");
}
