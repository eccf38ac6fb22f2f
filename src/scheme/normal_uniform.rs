//! Plain random fills, which know no fan.

use anyhow::{Context, Result, ensure};

use super::{Arguments, Kind, Parameter, Requires, Scheme, Site, alias, example};
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
        framework_aliases: &[
            alias("lasagne", "Normal", "normal"),
            alias("hinton", "rbm", "normal"),
            alias("torch", "normal_", "normal:std=1"),
            alias("numpy", "normal", "normal:std=1"),
            alias("numpy", "randn", "normal:std=1"),
            alias("keras", "RandomNormal", "normal:std=0.05"),
            alias("keras", "normal", "normal:std=0.05"),
            alias("tensorflow", "random_normal_initializer", "normal:std=0.05"),
            alias("tensorflow", "stateless_normal", "normal:std=1"),
            alias("jax", "normal", "normal"),
            alias("mxnet", "Normal", "normal"),
            alias("chainer", "Normal", "normal:std=0.05"),
            alias("caffe", "gaussian", "normal:std=1"),
            alias("haiku", "RandomNormal", "normal:std=1"),
            alias("flux", "randn32", "normal:std=1"),
            alias("mlx", "normal", "normal:std=1"),
            alias("burn", "Normal", "normal:std=1"),
            alias("candle", "Randn", "normal:std=1"),
            alias("tch", "Randn", "normal:std=1"),
            alias("flax", "normal", "normal"),
            alias("sonnet", "RandomNormal", "normal:std=1"),
            alias("lux", "randn32", "normal:std=1"),
            alias("paddle", "Normal", "normal:std=1"),
            alias("mindspore", "Normal", "normal"),
            alias("nnabla", "NormalInitializer", "normal:std=1"),
            alias("tfjs", "randomNormal", "normal:std=0.05"),
            alias("axon", "normal", "normal"),
            alias("pyg", "normal", "normal"),
            alias("tinygrad", "normal", "normal:std=1"),
            alias("tinygrad", "randn", "normal:std=1"),
            alias("reservoirpy", "normal", "normal:std=1"),
            alias("kaldi", "ParamStddev", "normal:std=0.1"),
            alias("transformers", "initializer_range", "normal:std=0.02"),
            alias("dl4j", "NORMAL", "lecun-normal"),
            alias("kaldi", "AffineTransform", "normal:std=0.1"),
        ],
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
        framework_aliases: &[
            alias("lasagne", "Uniform", "uniform"),
            alias("torch", "uniform_", "uniform:low=0,high=1"),
            alias("numpy", "uniform", "uniform:low=0,high=1"),
            alias("numpy", "rand", "uniform:low=0,high=1"),
            alias("numpy", "random_sample", "uniform:low=0,high=1"),
            alias("keras", "RandomUniform", "uniform:low=-0.05,high=0.05"),
            alias("keras", "uniform", "uniform:low=-0.05,high=0.05"),
            alias("tensorflow", "random_uniform_initializer", "uniform:low=-0.05,high=0.05"),
            alias("tensorflow", "stateless_uniform", "uniform:low=0,high=1"),
            alias("jax", "uniform", "uniform:low=0,high=0.01"),
            alias("mxnet", "Uniform", "uniform:range=0.07"),
            alias("chainer", "Uniform", "uniform:range=0.05"),
            alias("caffe", "uniform", "uniform:low=0,high=1"),
            alias("haiku", "RandomUniform", "uniform:low=0,high=1"),
            alias("flux", "rand32", "uniform:low=0,high=1"),
            alias("mlx", "uniform", "uniform:low=0,high=1"),
            alias("burn", "Uniform", "uniform:low=0,high=1"),
            alias("candle", "Uniform", "uniform:low=0,high=1"),
            alias("tch", "Uniform", "uniform:low=0,high=1"),
            alias("flax", "uniform", "uniform:low=0,high=0.01"),
            alias("sonnet", "RandomUniform", "uniform:low=0,high=1"),
            alias("lux", "rand32", "uniform:low=0,high=1"),
            alias("paddle", "Uniform", "uniform:low=-1,high=1"),
            alias("mindspore", "Uniform", "uniform:range=0.07"),
            alias("nnabla", "UniformInitializer", "uniform:low=-1,high=1"),
            alias("tfjs", "randomUniform", "uniform:low=-0.05,high=0.05"),
            alias("axon", "uniform", "uniform"),
            alias("tinygrad", "uniform", "uniform:low=0,high=1"),
            alias("tinygrad", "rand", "uniform:low=0,high=1"),
            alias("reservoirpy", "uniform", "uniform:low=-1,high=1"),
            alias("dl4j", "UNIFORM", "torch-linear"),
            alias("pyg", "uniform", "torch-linear"),
        ],
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
        framework_aliases: &[alias("numpy", "standard_normal", "standard-normal")],
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
        framework_aliases: &[alias("numpy", "random", "standard-uniform")],
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
