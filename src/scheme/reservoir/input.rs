//! Input matrices of reservoirs: one row per unit, one column per input.

use std::sync::Arc;

use anyhow::{Result, ensure};

use super::super::common::WEIGHT;
use super::super::{Arguments, EMPTY, Parameter, Requires, Scheme, Site, choice, example_on};
use super::random::{DEGREE, DENSITY_OF_ONE, DIRECTION, DISTRIBUTION, EXACT, POSITIVE, Places, Random, Values};
use super::spectral::{RandomSparse, random_sparse};
use super::{ANY_MATRIX, Structure, drawn, pi};
use crate::distribution::{Distribution, bytes_of};
use crate::statistics::marginal::Marginal;
use crate::tensor::{Unfolding, to_f64};

const SCALING: Parameter<f64> =
    Parameter::new("scaling", "the factor on the values: their std, bound or magnitude, above 0").default("0.1");

choice! {
    enum WeightedValues { Uniform = "uniform", Constant = "constant" }
}
const VALUES: Parameter<WeightedValues> =
    Parameter::new("values", "random weights, or one constant weight").default("uniform");
choice! {
    /// The source of the signs.
    enum Signs { Bernoulli = "bernoulli", Alternating = "alternating", Pi = "pi", PiParity = "pi-parity" }
}
const SIGNS: Parameter<Signs> =
    Parameter::new("signs", "the source of the signs; pi is computed to 20,000 digits").default("bernoulli");

pub(in super::super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "reservoir-input",
        summary: "random input weights of a given scale, dense or sparse",
        formula: "w = scaling v, v from the distribution, at positions given by density, or degree and direction; 0 elsewhere",
        source: "Lukosevicius 2012, A practical guide to applying echo state networks; ReservoirComputing.jl scaled_rand",
        ranks: ANY_MATRIX,
        parameters: &[
            &SCALING,
            &DENSITY_OF_ONE,
            &DEGREE,
            &DIRECTION,
            &EXACT,
            &DISTRIBUTION.default("uniform"),
            &POSITIVE,
        ],
        bare: Some(SCALING.name),
        requires: Requires::Matrices,
        example: example_on("reservoir-input:scaling=0.5", "40x5", "torch"),
        distribution: |arguments, site| random_sparse(arguments, site, 1.0, &SCALING),
        ..EMPTY
    },
    Scheme {
        name: "weighted-input",
        summary: "each input connects to its own group of units",
        formula: "with s = units / inputs, only input j connects to units s j to s j + s - 1, with weights U(-scaling, scaling), or scaling itself with values=constant",
        source: "Lu et al. 2017, Reservoir observers: model-free inference of unmeasured variables in chaotic systems",
        ranks: "two or more axes; the outputs a multiple of the inputs",
        parameters: &[&SCALING, &VALUES],
        bare: Some(SCALING.name),
        requires: Requires::Matrices,
        example: example_on("weighted-input", "40x5", "torch"),
        distribution: weighted,
        ..EMPTY
    },
    Scheme {
        name: "minimal-input",
        summary: "input weights of one magnitude, with random or patterned signs",
        formula: "w = weight or -weight; bernoulli: positive with probability positive; alternating: +, -, +, -, ...; pi: - if the digit of pi after the point is 0 to 4 (Rodan and Tino); pi-parity: - if it is odd. A pattern runs over the units of the first input, then of the next",
        source: "Rodan and Tino 2011, Minimum complexity echo state network",
        ranks: ANY_MATRIX,
        parameters: &[
            &WEIGHT.default("0.1").help("the magnitude, above 0"),
            &SIGNS,
            &POSITIVE.help("the probability of a positive sign with bernoulli [default: 0.5]"),
        ],
        bare: Some(WEIGHT.name),
        requires: Requires::Matrices,
        example: example_on("minimal-input", "40x5", "torch"),
        distribution: minimal,
        ..EMPTY
    },
];

/// The number of units per input. Errors if it is not an integer.
pub(super) fn units_of_each(unfolding: &Unfolding) -> Result<u64> {
    let (units, inputs) = (unfolding.rows(), unfolding.columns());
    ensure!(
        inputs > 0 && units % inputs == 0,
        "there are {units} outputs and {inputs} inputs: the outputs must be a multiple of the inputs"
    );
    Ok(units / inputs)
}

#[derive(Debug)]
struct Weighted {
    scaling: f64,
    constant: bool,
}

fn weighted(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let unfolding = site.unfolding()?;
    units_of_each(&unfolding)?;
    let constant = arguments.value(&VALUES)? == WeightedValues::Constant;
    Ok(drawn(Weighted { scaling: arguments.positive(&SCALING)?, constant }, unfolding))
}

impl Structure for Weighted {
    fn fill(&self, random: &mut Random, [units, inputs]: [usize; 2], matrix: &mut [f64]) {
        let mut words = random.words();
        let of_each = units / inputs;
        for unit in 0..units {
            let value = if self.constant { 1.0 } else { Values::Uniform.one(words.as_mut()) };
            matrix[unit * inputs + unit / of_each] = self.scaling * value;
        }
    }

    fn marginal(&self, _: u64, columns: u64) -> Option<Marginal> {
        let weights = match self.constant {
            true => Marginal::discrete([(self.scaling, 1.0)]),
            false => Values::Uniform.marginal(self.scaling),
        };
        Some(weights.or_zero(1.0 - 1.0 / to_f64(columns.max(1))))
    }

    fn max_abs(&self) -> f64 {
        self.scaling
    }
}

/// The maximum number of signs taken from pi.
const MAX_DIGITS: u64 = 20_000;

#[derive(Debug)]
struct Minimal {
    weight: f64,
    signs: Signs,
}

fn minimal(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let (unfolding, weight) = (site.unfolding()?, arguments.positive(&WEIGHT)?);
    let signs = arguments.value(&SIGNS)?;
    if signs == Signs::Bernoulli {
        let values = Values::bernoulli(arguments)?;
        let places = Places::Independent { density: 1.0 };
        return Ok(Distribution::Iid(Arc::new(RandomSparse { places, values, scale: weight })));
    }
    ensure!(!arguments.given(&POSITIVE), "positive is only for signs=bernoulli");
    let count = unfolding.rows().saturating_mul(unfolding.columns());
    ensure!(
        matches!(signs, Signs::Alternating) || count <= MAX_DIGITS,
        "{count} weights need more than {MAX_DIGITS} digits of pi: use signs=bernoulli or signs=alternating"
    );
    Ok(drawn(Minimal { weight, signs }, unfolding))
}

impl Structure for Minimal {
    fn fill(&self, _: &mut Random, [units, inputs]: [usize; 2], matrix: &mut [f64]) {
        let digits = if matches!(self.signs, Signs::Alternating) { Vec::new() } else { pi::digits(units * inputs) };
        for (element, weight) in matrix.iter_mut().enumerate() {
            let number = element % inputs * units + element / inputs;
            let negative = match self.signs {
                Signs::Alternating => number % 2 == 1,
                Signs::Pi => digits[number] <= 4,
                Signs::Bernoulli | Signs::PiParity => digits[number] % 2 == 1,
            };
            *weight = if negative { -self.weight } else { self.weight };
        }
    }

    fn max_abs(&self) -> f64 {
        self.weight
    }

    fn scratch(&self) -> u64 {
        if matches!(self.signs, Signs::Alternating) { 0 } else { bytes_of(&[&[2, MAX_DIGITS]]) }
    }
}
