//! Deterministic input matrices of reservoirs, from chaotic maps.

use std::f64::consts::PI;

use anyhow::{Result, ensure};

use super::super::{Arguments, EMPTY, Parameter, Requires, Scheme, Site, example_on};
use super::random::Random;
use super::{ANY_MATRIX, Structure, drawn};
use crate::distribution::Distribution;

const AMPLITUDE: Parameter<f64> = Parameter::new("amplitude", "the amplitude of the sine, from 0 to 1").default("0.3");
const DIVISOR: Parameter<f64> = Parameter::new("divisor", "the divisor of the sine's angle, 1 or more").default("5.9");
const CONTROL: Parameter<f64> = Parameter::new("control", "the parameter of the map, from 0 to 4").default("3.7");

pub(in super::super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "chebyshev",
        summary: "input weights from the Chebyshev map",
        formula: "w of unit 0 and input j = 0, 1, ... is amplitude sin((j + 1) pi / (divisor inputs)); w of the next unit is cos(control arccos(w))",
        source: "Xie et al. 2024; ReservoirComputing.jl chebyshev_mapping",
        ranks: ANY_MATRIX,
        parameters: &[
            &AMPLITUDE.default("1").help("the amplitude of the sine, from -1 to 1"),
            &DIVISOR.default("1").help("the divisor of the sine's angle, above 0"),
            &CONTROL.default("1").help("the parameter of the map"),
        ],
        bare: Some(CONTROL.name),
        requires: Requires::Matrices,
        example: example_on("chebyshev:amplitude=0.7,control=3", "24x5", "torch"),
        distribution: chebyshev,
        ..EMPTY
    },
    Scheme {
        name: "logistic",
        summary: "input weights from the logistic map",
        formula: "w of unit 0 and input j = 0, 1, ... is amplitude sin((j + 1) pi / (divisor inputs)); w of the next unit is control w (1 - w)",
        source: "Wang et al. 2022, Echo state network with logistic mapping and bias dropout for time series prediction",
        ranks: ANY_MATRIX,
        parameters: &[&AMPLITUDE, &DIVISOR, &CONTROL],
        bare: Some(CONTROL.name),
        requires: Requires::Matrices,
        example: example_on("logistic", "24x5", "torch"),
        distribution: |arguments, site| logistic(arguments, site, false),
        ..EMPTY
    },
    Scheme {
        name: "logistic-chain",
        summary: "a chain of units for each input, with weights from the logistic map",
        formula: "with s = units / inputs, w of unit s j and input j = 0, 1, ... is amplitude sin(j pi / (s inputs divisor)); w of the next unit of the chain is control w (1 - w); input j connects to no other chain",
        source: "Viehweg et al. 2025; ReservoirComputing.jl modified_lm",
        ranks: "two or more axes; the outputs a multiple of the inputs",
        parameters: &[&AMPLITUDE, &DIVISOR, &CONTROL.default("2.35")],
        bare: Some(CONTROL.name),
        requires: Requires::Matrices,
        example: example_on("logistic-chain", "24x8", "torch"),
        distribution: |arguments, site| logistic(arguments, site, true),
        ..EMPTY
    },
];

/// Errors if the value is out of bounds.
fn between(arguments: &Arguments, parameter: &Parameter<f64>, low: f64, high: f64) -> Result<f64> {
    let (name, value) = (parameter.name, arguments.value(parameter)?);
    let text = arguments.text(parameter);
    ensure!((low..=high).contains(&value), "{name} is {text}: it must lie between {low} and {high}");
    Ok(value)
}

#[derive(Debug)]
enum Step {
    Chebyshev,
    Logistic,
}

#[derive(Debug)]
struct Map {
    step: Step,
    amplitude: f64,
    divisor: f64,
    control: f64,
    /// True if each input has its own units.
    chain: bool,
}

fn chebyshev(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let amplitude = between(arguments, &AMPLITUDE, -1.0, 1.0)?;
    // Far beyond these the map has no digits left.
    let divisor = between(arguments, &DIVISOR, 1e-6, 1e6)?;
    let control = between(arguments, &CONTROL, -1e6, 1e6)?;
    let map = Map { step: Step::Chebyshev, amplitude, divisor, control, chain: false };
    Ok(drawn(map, site.unfolding()?))
}

fn logistic(arguments: &mut Arguments, site: &Site, chain: bool) -> Result<Distribution> {
    let unfolding = site.unfolding()?;
    if chain {
        super::input::units_of_each(&unfolding)?;
    }
    let divisor = arguments.value(&DIVISOR)?;
    ensure!(divisor >= 1.0, "divisor is {divisor}: it must be 1 or more");
    // Between these bounds the map stays between 0 and 1.
    let amplitude = between(arguments, &AMPLITUDE, 0.0, 1.0)?;
    let control = between(arguments, &CONTROL, 0.0, 4.0)?;
    Ok(drawn(Map { step: Step::Logistic, amplitude, divisor, control, chain }, unfolding))
}

impl Structure for Map {
    fn fill(&self, _: &mut Random, [units, inputs]: [usize; 2], matrix: &mut [f64]) {
        for input in 0..inputs {
            let length = if self.chain { units / inputs } else { units };
            let first = if self.chain { input * length } else { 0 };
            let mut weight = self.amplitude * libm::sin(self.angle(input, units, inputs));
            for unit in first..first + length {
                matrix[unit * inputs + input] = weight;
                weight = match self.step {
                    Step::Chebyshev => libm::cos(self.control * libm::acos(weight)),
                    Step::Logistic => self.control * weight * (1.0 - weight),
                };
            }
        }
    }

    fn max_abs(&self) -> f64 {
        1.0
    }
}

impl Map {
    #[expect(clippy::cast_precision_loss, reason = "numbers of what is in memory")]
    fn angle(&self, input: usize, units: usize, inputs: usize) -> f64 {
        if self.chain {
            input as f64 * PI / ((units / inputs * inputs) as f64 * self.divisor)
        } else {
            (input + 1) as f64 * PI / (self.divisor * inputs as f64)
        }
    }
}
