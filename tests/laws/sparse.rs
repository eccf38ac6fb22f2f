//! Sparse laws: exactly so many non-zeros in every unit, at places drawn evenly, and normal.

use std::collections::BTreeMap;

use fanin::plan::DType;

use crate::draw;
use crate::reference::Reference;
use crate::sample::{Fault, faults};

/// Expressions of all three kinds.
pub(crate) const EXPRESSIONS: [&str; 5] =
    ["sparse:nonzeros=2", "sparse:nonzeros=15,std=1", "sparse:density=0.29", "sparse:zeros=0.9", "sparse:zeros=0"];

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
    let mut units = BTreeMap::<Vec<usize>, Vec<usize>>::new();
    for element in 0..shape.iter().product() {
        let (mut rest, mut unit) = (element, Vec::new());
        for (&size, letter) in shape.iter().rev().zip(letters.chars().rev()) {
            if !matches!(letter, 'i' | 'k') {
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
        ("default", "io", vec![200, 64]),
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
        let tensor = draw::tensor("sparse:nonzeros=1000,std=0.5", "2000x3000", "default", dtype);
        let mut values = draw::whole(2, &tensor);
        let share = values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64;
        let std = tensor.law.std().unwrap();
        assert!((share.sqrt() / std - 1.0).abs() < 0.005 && tensor.law.mean() == Some(0.0), "{share} and {std}");
        values.retain(|&value| value != 0.0);
        let reference = Reference::normal(0.5);
        let found = faults(&reference, None, values.iter().copied());
        assert!(found.is_empty(), "{dtype}: {found:?}");
        let found = faults(&reference, None, values.iter().map(|value| 1.01 * value));
        assert!(matches!(found[..2], [Fault::Distance(_), Fault::Moment(2, _)]), "{dtype}: {found:?}");
    }
}
