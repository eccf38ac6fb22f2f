//! Plain random fills, which know no fan.

use anyhow::{Context, Result, ensure};

use super::{Arguments, Kind, Parameter, Reads, Scheme, Site, example, spelling};
use crate::law::Law;

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
        spellings: &[
            spelling("lasagne", "Normal", "normal"),
            spelling("hinton", "rbm", "normal"),
            spelling("torch", "normal_", "normal:std=1"),
            spelling("numpy", "normal", "normal:std=1"),
            spelling("numpy", "randn", "normal:std=1"),
            spelling("keras", "RandomNormal", "normal:std=0.05"),
            spelling("keras", "normal", "normal:std=0.05"),
            spelling("tensorflow", "random_normal_initializer", "normal:std=0.05"),
            spelling("tensorflow", "stateless_normal", "normal:std=1"),
            spelling("jax", "normal", "normal"),
            spelling("mxnet", "Normal", "normal"),
            spelling("chainer", "Normal", "normal:std=0.05"),
            spelling("caffe", "gaussian", "normal:std=1"),
            spelling("haiku", "RandomNormal", "normal:std=1"),
            spelling("flux", "randn32", "normal:std=1"),
            spelling("mlx", "normal", "normal:std=1"),
            spelling("burn", "Normal", "normal:std=1"),
            spelling("candle", "Randn", "normal:std=1"),
            spelling("tch", "Randn", "normal:std=1"),
            spelling("flax", "normal", "normal"),
            spelling("sonnet", "RandomNormal", "normal:std=1"),
            spelling("lux", "randn32", "normal:std=1"),
            spelling("paddle", "Normal", "normal:std=1"),
            spelling("mindspore", "Normal", "normal"),
            spelling("nnabla", "NormalInitializer", "normal:std=1"),
            spelling("tfjs", "randomNormal", "normal:std=0.05"),
            spelling("axon", "normal", "normal"),
            spelling("pyg", "normal", "normal"),
            spelling("tinygrad", "normal", "normal:std=1"),
            spelling("tinygrad", "randn", "normal:std=1"),
            spelling("reservoirpy", "normal", "normal:std=1"),
            spelling("kaldi", "ParamStddev", "normal:std=0.1"),
            spelling("transformers", "initializer_range", "normal:std=0.02"),
            spelling("dl4j", "NORMAL", "lecun-normal"),
            spelling("kaldi", "AffineTransform", "normal:std=0.1"),
        ],
        reads: Reads::Shape,
        example: example("normal"),
        law: normal,
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
        spellings: &[
            spelling("lasagne", "Uniform", "uniform"),
            spelling("torch", "uniform_", "uniform:low=0,high=1"),
            spelling("numpy", "uniform", "uniform:low=0,high=1"),
            spelling("numpy", "rand", "uniform:low=0,high=1"),
            spelling("numpy", "random_sample", "uniform:low=0,high=1"),
            spelling("keras", "RandomUniform", "uniform:low=-0.05,high=0.05"),
            spelling("keras", "uniform", "uniform:low=-0.05,high=0.05"),
            spelling("tensorflow", "random_uniform_initializer", "uniform:low=-0.05,high=0.05"),
            spelling("tensorflow", "stateless_uniform", "uniform:low=0,high=1"),
            spelling("jax", "uniform", "uniform:low=0,high=0.01"),
            spelling("mxnet", "Uniform", "uniform:range=0.07"),
            spelling("chainer", "Uniform", "uniform:range=0.05"),
            spelling("caffe", "uniform", "uniform:low=0,high=1"),
            spelling("haiku", "RandomUniform", "uniform:low=0,high=1"),
            spelling("flux", "rand32", "uniform:low=0,high=1"),
            spelling("mlx", "uniform", "uniform:low=0,high=1"),
            spelling("burn", "Uniform", "uniform:low=0,high=1"),
            spelling("candle", "Uniform", "uniform:low=0,high=1"),
            spelling("tch", "Uniform", "uniform:low=0,high=1"),
            spelling("flax", "uniform", "uniform:low=0,high=0.01"),
            spelling("sonnet", "RandomUniform", "uniform:low=0,high=1"),
            spelling("lux", "rand32", "uniform:low=0,high=1"),
            spelling("paddle", "Uniform", "uniform:low=-1,high=1"),
            spelling("mindspore", "Uniform", "uniform:range=0.07"),
            spelling("nnabla", "UniformInitializer", "uniform:low=-1,high=1"),
            spelling("tfjs", "randomUniform", "uniform:low=-0.05,high=0.05"),
            spelling("axon", "uniform", "uniform"),
            spelling("tinygrad", "uniform", "uniform:low=0,high=1"),
            spelling("tinygrad", "rand", "uniform:low=0,high=1"),
            spelling("reservoirpy", "uniform", "uniform:low=-1,high=1"),
            spelling("dl4j", "UNIFORM", "torch-linear"),
            spelling("pyg", "uniform", "torch-linear"),
        ],
        reads: Reads::Shape,
        example: example("uniform"),
        law: uniform,
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
        spellings: &[spelling("numpy", "standard_normal", "standard-normal")],
        reads: Reads::Shape,
        example: example("standard-normal"),
        law: |_, _| Ok(Law::Normal { mean: 0.0, std: 1.0 }),
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
        spellings: &[spelling("numpy", "random", "standard-uniform")],
        reads: Reads::Shape,
        example: example("standard-uniform"),
        law: |_, _| between(0.0, 1.0),
    },
];

fn normal(arguments: &mut Arguments, _: &Site) -> Result<Law> {
    Ok(Law::Normal { mean: arguments.number("mean")?, std: arguments.nonnegative("std")? })
}

fn uniform(arguments: &mut Arguments, _: &Site) -> Result<Law> {
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
pub(super) fn between(low: f64, high: f64) -> Result<Law> {
    ensure!(low < high, "low is {low} and high is {high}: low must be below high");
    Ok(Law::Uniform { low, high })
}
