//! Plain random fills that ignore the fans.

use anyhow::{Result, ensure};

use super::common::{HIGH, LOW, MEAN, STD};
use super::parameter::Value as _;
use super::{Arguments, EMPTY, Parameter, Scheme, Site, SmallDefault, example};
use crate::distribution::Distribution;

const RANGE: Parameter<f64> =
    Parameter::new("range", "bounds of -range and range [default: 0.01, if nothing else is given]");

pub(super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "normal",
        summary: "independent normal values of a given standard deviation",
        formula: "w ~ N(mean, std^2)",
        source: "Lasagne Normal; Hinton 2010, A practical guide to training restricted Boltzmann machines",
        ranks: "any",
        parameters: &[
            &STD.default("0.01").help("the standard deviation, 0 or more"),
            &MEAN.default("0").help("the mean"),
        ],
        bare: Some(STD.name),
        order: &[MEAN.name, STD.name],
        small_default: Some(SmallDefault {
            spread: &[&STD],
            note: "`normal` has std 0.01 unless one is given, as in Lasagne; `randn` is N(0, 1)",
        }),
        example: example("normal"),
        distribution: normal,
        ..EMPTY
    },
    Scheme {
        name: "uniform",
        summary: "independent uniform values between bounds, or of a given standard deviation",
        formula: "w ~ U(low, high); range: U(-range, range); std: U(mean - sqrt(3) std, mean + sqrt(3) std)",
        source: "Lasagne Uniform",
        ranks: "any",
        parameters: &[
            &LOW.help("the lower bound; needs high"),
            &HIGH.help("the upper bound, which rounding may reach; needs low"),
            &RANGE,
            &STD.help("the standard deviation"),
            &MEAN.help("the mean; needs std [default: 0]"),
        ],
        bare: Some(RANGE.name),
        order: &[LOW.name, HIGH.name],
        small_default: Some(SmallDefault {
            spread: &[&LOW, &HIGH, &RANGE, &STD],
            note: "`uniform` is U(-0.01, 0.01) unless a range is given, as in Lasagne; `rand` is U(0, 1)",
        }),
        example: example("uniform"),
        distribution: uniform,
        ..EMPTY
    },
    Scheme {
        name: "standard-normal",
        summary: "independent normal values with mean 0 and standard deviation 1; unlike `normal`, NumPy draws them directly in f32",
        formula: "w ~ N(0, 1)",
        source: "numpy.random.Generator.standard_normal",
        ranks: "any",
        example: example("standard-normal"),
        distribution: |_, _| Ok(Distribution::Normal { mean: 0.0, std: 1.0 }),
        ..EMPTY
    },
    Scheme {
        name: "standard-uniform",
        summary: "independent uniform values between 0 and 1; unlike `uniform`, NumPy draws them directly in f32",
        formula: "w ~ U(0, 1); rounding can give 1 itself",
        source: "numpy.random.Generator.random",
        ranks: "any",
        example: example("standard-uniform"),
        distribution: |_, _| between(0.0, 1.0),
        ..EMPTY
    },
];

fn normal(arguments: &mut Arguments, _: &Site) -> Result<Distribution> {
    Ok(Distribution::Normal { mean: arguments.value(&MEAN)?, std: arguments.nonnegative(&STD)? })
}

pub(super) fn uniform(arguments: &mut Arguments, _: &Site) -> Result<Distribution> {
    let bounds = arguments.given(&LOW) || arguments.given(&HIGH);
    let spread = arguments.given(&STD) || arguments.given(&MEAN);
    let ways = [bounds, arguments.given(&RANGE), spread].into_iter().filter(|&given| given).count();
    ensure!(ways <= 1, "use one of low and high, range, or std (with mean)");
    if bounds {
        return between(arguments.value(&LOW)?, arguments.value(&HIGH)?);
    }
    if spread {
        if !arguments.given(&MEAN) {
            arguments.set(&MEAN, &0.0);
        }
        let mean = arguments.value(&MEAN)?;
        let half = 3f64.sqrt() * arguments.positive(&STD)?;
        return between(mean - half, mean + half);
    }
    if ways == 0 {
        arguments.set(&RANGE, &0.01);
    }
    let range = arguments.positive(&RANGE)?;
    between(-range, range)
}

/// U(low, high). Errors if low is not below high.
pub(super) fn between(low: f64, high: f64) -> Result<Distribution> {
    ensure!(low < high, "low is {} and high is {}: low must be below high", low.spelling(), high.spelling());
    Ok(Distribution::Uniform { low, high })
}
