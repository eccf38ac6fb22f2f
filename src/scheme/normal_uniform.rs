//! Plain random fills, which know no fan.

use anyhow::{Context, Result, ensure};

use super::{Arguments, Kind, Parameter, Requires, Scheme, Site, example};
use crate::distribution::Distribution;

pub(super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "normal",
        summary: "independent normal values of a given standard deviation",
        formula: "w ~ N(mean, std^2)",
        source: "Lasagne Normal; Hinton 2010, A practical guide to training restricted Boltzmann machines",
        ranks: "any",
        parameters: &[
            Parameter {
                name: "std",
                kind: Kind::Number,
                default: Some("0.01"),
                help: "the standard deviation, 0 or more",
            },
            Parameter { name: "mean", kind: Kind::Number, default: Some("0"), help: "the mean" },
        ],
        bare: Some("std"),
        aliases: &["gaussian"],
        requires: Requires::Shape,
        example: example("normal"),
        distribution: normal,
    },
    Scheme {
        name: "uniform",
        summary: "independent uniform values between bounds, or of a given standard deviation",
        formula: "w ~ U(low, high); range: U(-range, range); std: U(mean - sqrt(3) std, mean + sqrt(3) std)",
        source: "Lasagne Uniform",
        ranks: "any",
        parameters: &[
            Parameter { name: "low", kind: Kind::Number, default: None, help: "the lower bound; with high" },
            Parameter {
                name: "high",
                kind: Kind::Number,
                default: None,
                help: "the upper bound, which rounding may reach; with low",
            },
            Parameter {
                name: "range",
                kind: Kind::Number,
                default: None,
                help: "bounds of -range and range [default: 0.01, if nothing else is given]",
            },
            Parameter { name: "std", kind: Kind::Number, default: None, help: "the standard deviation" },
            Parameter { name: "mean", kind: Kind::Number, default: None, help: "the mean, with std [default: 0]" },
        ],
        bare: Some("range"),
        aliases: &[],
        requires: Requires::Shape,
        example: example("uniform"),
        distribution: uniform,
    },
    Scheme {
        name: "standard-normal",
        summary: "independent normal values with mean 0 and standard deviation 1; unlike `normal`, NumPy draws them directly in f32",
        formula: "w ~ N(0, 1)",
        source: "numpy.random.Generator.standard_normal",
        ranks: "any",
        parameters: &[],
        bare: None,
        aliases: &[],
        requires: Requires::Shape,
        example: example("standard-normal"),
        distribution: |_, _| Ok(Distribution::Normal { mean: 0.0, std: 1.0 }),
    },
    Scheme {
        name: "standard-uniform",
        summary: "independent uniform values between 0 and 1; unlike `uniform`, NumPy draws them directly in f32",
        formula: "w ~ U(0, 1); rounding can give 1 itself",
        source: "numpy.random.Generator.random",
        ranks: "any",
        parameters: &[],
        bare: None,
        aliases: &[],
        requires: Requires::Shape,
        example: example("standard-uniform"),
        distribution: |_, _| between(0.0, 1.0),
    },
];

fn normal(arguments: &mut Arguments, _: &Site) -> Result<Distribution> {
    Ok(Distribution::Normal { mean: arguments.number("mean")?, std: arguments.nonnegative("std")? })
}

fn uniform(arguments: &mut Arguments, _: &Site) -> Result<Distribution> {
    let bounds = arguments.given("low") || arguments.given("high");
    let spread = arguments.given("std") || arguments.given("mean");
    let ways = [bounds, arguments.given("range"), spread].into_iter().filter(|&given| given).count();
    ensure!(ways <= 1, "it takes low and high, or range, or std (with mean), not several of them");
    if bounds {
        return between(arguments.number("low")?, arguments.number("high")?);
    }
    if spread {
        if !arguments.given("mean") {
            arguments.set("mean", "0");
        }
        let mean = arguments.number("mean")?;
        let half = 3f64.sqrt() * arguments.positive("std").context("with mean")?;
        return between(mean - half, mean + half);
    }
    if ways == 0 {
        arguments.set("range", "0.01");
    }
    let range = arguments.positive("range")?;
    between(-range, range)
}

/// U(low, high), where the bounds make an interval.
pub(super) fn between(low: f64, high: f64) -> Result<Distribution> {
    ensure!(low < high, "low is {low} and high is {high}: low must be below high");
    Ok(Distribution::Uniform { low, high })
}
