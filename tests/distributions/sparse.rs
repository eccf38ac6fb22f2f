//! Sparse distributions: exactly so many non-zeros in every unit, at places drawn evenly, and normal.

use std::collections::BTreeMap;

use fanin::tensor::DType;

use crate::draw;
use crate::reference::Reference;
use crate::sample::{Fault, faults};

/// Expressions of all three kinds.
pub(crate) const EXPRESSIONS: [&str; 5] =
    ["sparse:nonzeros=2", "sparse:nonzeros=15,std=1", "sparse:density=0.29", "sparse:zeros=0.9", "sparse:zeros=0"];

/// Expressions of coins, and of more than a standard deviation and a count.
pub(crate) const EXTRA_CASES: [&str; 4] = [
    "sparse-bernoulli:nonzeros=2",
    "sparse-bernoulli:density=0.3,mean=1,unit=input",
    "sparse:nonzeros=3,unit=input",
    "sparse:density=0.5,mean=2",
];

/// How many of `n` incoming weights an expression leaves.
fn nonzeros(expression: &str, n: usize) -> usize {
    // Percentages, so that all counts are whole numbers and nothing is rounded the wrong way.
    match expression {
        "sparse:nonzeros=2" => 2,
        "sparse:nonzeros=15,std=1" => 15,
        "sparse:density=0.29" => 29 * n / 100,
        "sparse:zeros=0.9" => n - (90 * n).div_ceil(100),
        "sparse:zeros=0" => n,
        other => panic!("{other} is not in the table"),
    }
}

/// The elements of each unit of a tensor: those that agree on every axis that is not an input or a kernel.
pub(crate) fn units(shape: &[usize], letters: &str) -> Vec<Vec<usize>> {
    units_across(shape, letters, &['i', 'k'])
}

/// The elements that agree on every axis that is not one of these.
fn units_across(shape: &[usize], letters: &str, across: &[char]) -> Vec<Vec<usize>> {
    let mut units = BTreeMap::<Vec<usize>, Vec<usize>>::new();
    for element in 0..shape.iter().product() {
        let (mut rest, mut unit) = (element, Vec::new());
        for (&size, letter) in shape.iter().rev().zip(letters.chars().rev()) {
            if !across.contains(&letter) {
                unit.push(rest % size);
            }
            rest /= size;
        }
        units.entry(unit).or_default().push(element);
    }
    units.into_values().collect()
}

#[test]
fn every_unit_has_exactly_as_many_nonzeros_in_every_layout() {
    for (layout, letters, shape) in [
        ("torch", "oi", vec![64, 200]),
        ("io", "io", vec![200, 64]),
        ("torch", "oikk", vec![40, 16, 3, 5]),
        ("keras", "kkio", vec![3, 5, 16, 40]),
        ("mlx", "okki", vec![40, 3, 5, 16]),
        ("c01b", "ikko", vec![16, 3, 5, 40]),
        ("bio", "bio", vec![5, 100, 30]),
        ("goik", "goik", vec![4, 8, 20, 3]),
        ("oib", "oib", vec![8, 50, 6]),
    ] {
        let text: Vec<String> = shape.iter().map(ToString::to_string).collect();
        let units = units(&shape, letters);
        for (expression, dtype) in EXPRESSIONS.into_iter().flat_map(|row| [(row, DType::F32), (row, DType::F64)]) {
            let values = draw::whole(1, &draw::tensor(expression, &text.join("x"), layout, dtype));
            for unit in &units {
                let found = unit.iter().filter(|&&element| values[element] != 0.0).count();
                assert_eq!(found, nonzeros(expression, unit.len()), "{expression} of {text:?} in {layout}");
            }
        }
    }
}

const PLACES: usize = 100;
const CHOSEN: usize = 7;
const UNITS: usize = 50_000;

/// For each unit, whether each of its places is not zero.
fn choices() -> Vec<Vec<bool>> {
    let tensor = draw::tensor("sparse:nonzeros=7,std=1", "50000x100", "torch", DType::F32);
    let values = draw::whole(4, &tensor);
    values.chunks_exact(PLACES).map(|unit| unit.iter().map(|&value| value != 0.0).collect()).collect()
}

/// The chi-square of how often each place is chosen, in standard deviations from its mean.
fn unevenness(choices: &[Vec<bool>]) -> f64 {
    let (n, share) = (PLACES as f64, CHOSEN as f64 / PLACES as f64);
    let expected = choices.len() as f64 * share;
    let squares = (0..PLACES).map(|place| {
        let count = choices.iter().filter(|unit| unit[place]).count() as f64;
        (count - expected).powi(2) / (expected * (1.0 - share))
    });
    // The places of a unit are drawn without replacement, which leaves n - 1 degrees of freedom after this factor.
    let chi_square = squares.sum::<f64>() * (n - 1.0) / n;
    (chi_square - (n - 1.0)) / (2.0 * (n - 1.0)).sqrt()
}

#[test]
fn every_place_is_equally_likely() {
    let mut choices = choices();
    let excess = unevenness(&choices);
    assert!(excess.abs() < 4.0, "{excess} standard deviations");
    for unit in choices.iter_mut().take(UNITS / 100) {
        *unit = (0..PLACES).map(|place| place < CHOSEN).collect();
    }
    assert!(unevenness(&choices) > 4.0, "one unit of a hundred with its first places chosen was not found");
}

/// By how many standard errors a count of `trials` with this `chance` is off.
fn errors(count: usize, trials: usize, chance: f64) -> f64 {
    let trials = trials as f64;
    (count as f64 - trials * chance) / (trials * chance * (1.0 - chance)).sqrt()
}

#[test]
fn places_are_chosen_independently_of_each_other_and_of_those_of_other_units() {
    let choices = choices();
    let (n, k) = (PLACES as f64, CHOSEN as f64);
    for apart in [1, 2, 7, 10, 50] {
        // Two places of one unit, and one place of two units.
        let within = choices.iter().flat_map(|unit| (apart..PLACES).map(|place| unit[place] && unit[place - apart]));
        let (count, trials) = (within.filter(|&both| both).count(), UNITS * (PLACES - apart));
        let off = errors(count, trials, k * (k - 1.0) / (n * (n - 1.0)));
        assert!(off.abs() < 4.0, "places {apart} apart: {off} standard errors");

        let pairs = choices.iter().zip(&choices[apart..]);
        let across = pairs.flat_map(|(one, other)| one.iter().zip(other).map(|(&a, &b)| a && b));
        let off = errors(across.filter(|&both| both).count(), (UNITS - apart) * PLACES, (k / n).powi(2));
        assert!(off.abs() < 4.0, "units {apart} apart: {off} standard errors");
    }
}

#[test]
fn nonzeros_are_normal() {
    for dtype in [DType::F32, DType::F64] {
        let tensor = draw::tensor("sparse:nonzeros=1000,std=0.5", "2000x3000", "io", dtype);
        let mut values = draw::whole(2, &tensor);
        let share = values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64;
        let std = tensor.distribution().std().unwrap();
        assert!(
            (share.sqrt() / std - 1.0).abs() < 0.005 && tensor.distribution().mean() == Some(0.0),
            "{share} and {std}"
        );
        values.retain(|&value| value != 0.0);
        let reference = Reference::normal(0.5);
        let found = faults(&reference, None, values.iter().copied());
        assert!(found.is_empty(), "{dtype}: {found:?}");
        let found = faults(&reference, None, values.iter().map(|value| 1.01 * value));
        assert!(matches!(found[..2], [Fault::Distance(_), Fault::Moment(2, _)]), "{dtype}: {found:?}");
    }
}

#[test]
fn every_input_has_the_exact_number_of_nonzeros_if_inputs_are_the_units() {
    for (layout, letters, shape) in [
        ("torch", "oi", vec![64, 200]),
        ("io", "io", vec![200, 64]),
        ("torch", "oikk", vec![40, 16, 3, 5]),
        ("keras", "kkio", vec![3, 5, 16, 40]),
        ("bio", "bio", vec![5, 100, 30]),
    ] {
        let text: Vec<String> = shape.iter().map(ToString::to_string).collect();
        let values = draw::whole(1, &draw::tensor("sparse:zeros=0.9,unit=input", &text.join("x"), layout, DType::F32));
        for unit in units_across(&shape, letters, &['o']) {
            let found = unit.iter().filter(|&&element| values[element] != 0.0).count();
            assert_eq!(found, unit.len() - (90 * unit.len()).div_ceil(100), "{text:?} in {layout}");
        }
    }
}

#[test]
fn torch_and_flux_leave_out_outgoing_weights_and_lasagne_and_mlx_incoming_ones() {
    // As torch.nn.init.sparse_ and mlx.nn.init.sparse (0.32.4) do with (outputs, inputs).
    let nonzeros = |values: &[f32]| values.iter().filter(|value| **value != 0.0).count();
    let column =
        |values: &[f32], column: usize| -> Vec<f32> { values.iter().skip(column).step_by(30).copied().collect() };
    let draw = |expression: &str| -> Vec<f32> {
        draw::singles(&*draw::open(1, &draw::tensor(expression, "25x30", "torch", DType::F32)), 0, 750)
    };
    for (expression, across, expected) in [
        ("torch.sparse_:zeros=0.7", false, 25 - 18),
        ("flux.sparse_init:zeros=0.7", false, 25 - 18),
        ("mindspore.Sparse:zeros=0.7", false, 25 - 18),
        ("mlx.sparse:zeros=0.7", true, 30 - 21),
        ("lasagne.Sparse", true, 3),
    ] {
        let values = draw(expression);
        for unit in 0..25 {
            let weights = if across { values[unit * 30..][..30].to_vec() } else { column(&values, unit) };
            assert_eq!(nonzeros(&weights), expected, "{expression}");
        }
    }
}

#[test]
fn nonzeros_have_the_given_mean() {
    let reference = Reference::Normal { mean: 2.0, std: 0.5 };
    for expression in ["sparse:nonzeros=300,mean=2,std=0.5", "sparse-bernoulli:density=0.3,mean=2,std=0.5"] {
        for dtype in [DType::F32, DType::F64] {
            let tensor = draw::tensor(expression, "1000x1000", "io", dtype);
            let mut values = draw::whole(2, &tensor);
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let square = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
            assert!((mean / tensor.distribution().mean().unwrap() - 1.0).abs() < 0.01, "{expression}: mean {mean}");
            assert!((square.sqrt() / tensor.distribution().std().unwrap() - 1.0).abs() < 0.01, "{expression}: std");
            values.retain(|value| *value != 0.0);
            let found = faults(&reference, None, values.iter().copied());
            assert!(found.is_empty(), "{expression} in {dtype}: {found:?}");
            assert!(!faults(&reference, None, values.iter().map(|value| 1.01 * value)).is_empty());
        }
    }
}

/// The chi-square of units by their number of non-zeros against coins of this chance, in standard deviations from its mean.
fn unlike_coins(counts: &[usize], n: usize, chance: f64) -> f64 {
    let mut probability = (1.0 - chance).powi(n as i32);
    let (mut chi_square, mut cells) = (0.0, -1.0);
    for number in 0..=n {
        let expected = counts.len() as f64 * probability;
        if expected > 10.0 {
            let found = counts.iter().filter(|count| **count == number).count() as f64;
            chi_square += (found - expected).powi(2) / expected;
            cells += 1.0;
        }
        probability *= (n - number) as f64 / (number + 1) as f64 * chance / (1.0 - chance);
    }
    (chi_square - cells) / (2.0 * cells).sqrt()
}

#[test]
fn coins_leave_a_binomial_number_of_nonzeros() {
    for (expression, layout, letters, shape, n) in [
        ("sparse-bernoulli:nonzeros=12", "torch", "oi", vec![20_000, 40], 40),
        ("sparse-bernoulli:density=0.3,unit=input", "torch", "oikk", vec![40, 5000, 2, 2], 40),
        ("caffe.sparse:nonzeros=12", "torch", "oikk", vec![40, 5000, 2, 2], 40),
    ] {
        let text: Vec<String> = shape.iter().map(ToString::to_string).collect();
        let values = draw::whole(5, &draw::tensor(expression, &text.join("x"), layout, DType::F32));
        let across: &[char] = if letters == "oi" { &['i'] } else { &['o'] };
        let units = units_across(&shape, letters, across);
        let nonzeros = |unit: &Vec<usize>| unit.iter().filter(|&&element| values[element] != 0.0).count();
        let counts: Vec<usize> = units.iter().map(nonzeros).collect();
        let excess = unlike_coins(&counts, n, 0.3);
        assert!(excess.abs() < 4.0, "{expression}: {excess} standard deviations");
        assert!(unlike_coins(&counts, n, 0.31) > 4.0, "{expression}: a chance of 0.31 passed for 0.3");
    }
}
