//! Rows of single frameworks.

use anyhow::{Context, Result, ensure};

use super::super::common;
use super::FanDistribution::Uniform;
use super::FanMode::FanIn;
use super::{
    Arguments, BASE, Distribution, GLOROT, LECUN, MODE, Parameter, Requires, Scheme, Site, UNIFORM, between, divisor,
    native,
};
use crate::scheme::{example, example_on};
use crate::tensor::AxisRole;

const FACTOR: Parameter<f64> = common::FACTOR.default("1").help("the factor on the bound, above 0");
const MAGNITUDE: Parameter<f64> =
    Parameter::new("magnitude", "variance x fan for the normal, and 3 x variance x fan for the uniform; above 0")
        .default("3");

pub(in crate::scheme) const CLEARED: Parameter<bool> = Parameter::new(
    "cleared",
    "draw the values, then set them all to 0, as torch.nn.MultiheadAttention does with its last bias",
);
const HIDDEN: Parameter<u64> = Parameter::new("hidden", "the number of hidden units; hidden or gates is required");
const GATES: Parameter<u64> =
    Parameter::new("gates", "the number of gates: 4 for an LSTM, 3 for a GRU, 1 for a plain layer");

pub(in crate::scheme) const ROWS: &[Scheme] = &[
    Scheme {
        name: "fan-in-uniform",
        summary: "uniform, variance 1/(3 fan_in): the default of PyTorch's layers, for weights and (with --fan-in) biases",
        formula: "w ~ U(-bound, bound), bound = 1 / sqrt(fan_in), which is kaiming_uniform_ with a = sqrt(5)",
        source: LECUN,
        parameters: &[&CLEARED],
        // The name in Glorot and Bengio 2010.
        aliases: &["standard-initialization"],
        example: example("fan-in-uniform"),
        distribution: |arguments, site| {
            let distribution = within_inverse_root(site.fan_in()?)?;
            Ok(if arguments.flag(&CLEARED) { distribution.cleared(site.shape.count()) } else { distribution })
        },
        ..BASE
    },
    Scheme {
        name: "uniform-unit-scaling",
        summary: "uniform, variance factor^2/fan_in",
        formula: "w ~ U(-bound, bound), bound = factor sqrt(3 / fan_in)",
        source: "Sussillo and Abbott 2014, Random walk initialization for training very deep feedforward networks; TensorFlow 1",
        parameters: &[&FACTOR],
        example: example("uniform-unit-scaling"),
        distribution: |arguments, site| native(arguments.positive(&FACTOR)?, FanIn, Uniform, arguments, site),
        ..BASE
    },
    Scheme {
        name: "scaled-uniform",
        summary: "uniform, variance 1/(3 n) for a tensor of n elements",
        formula: "w ~ U(-bound, bound), bound = 1 / sqrt(n), n = number of elements",
        source: "tinygrad Tensor.scaled_uniform",
        ranks: "any",
        requires: Requires::Shape,
        example: example("scaled-uniform"),
        distribution: |_, site| within_inverse_root(site.shape.count()),
        ..BASE
    },
    Scheme {
        name: "rnn-uniform",
        summary: "uniform, variance 1/(3 hidden): every weight and bias of PyTorch's recurrent layers",
        formula: "w ~ U(-bound, bound), bound = 1 / sqrt(hidden), hidden = outputs / gates by default",
        source: "torch.nn.LSTM, GRU, RNN",
        ranks: "any with hidden; one or more axes with gates",
        parameters: &[&HIDDEN, &GATES],
        requires: Requires::Matrices,
        example: example_on("rnn-uniform:gates=1", "36x24", "io"),
        distribution: |arguments, site| within_inverse_root(hidden(arguments, site)?),
        ..BASE
    },
    Scheme {
        name: "magnitude-scaling",
        summary: "MXNet's general scheme: glorot-uniform by default, and sqrt(3) times glorot-normal with distribution=normal",
        formula: "uniform: bound = sqrt(magnitude / fan); normal: std = sqrt(magnitude / fan)",
        source: "MXNet Xavier(rnd_type, factor_type, magnitude)",
        parameters: &[&MAGNITUDE, &MODE.default("fan-avg"), &UNIFORM],
        example: example("magnitude-scaling"),
        distribution: |arguments, site| {
            let distribution = arguments.value(&UNIFORM)?;
            // A uniform distribution's bound is sqrt(3) times its standard deviation.
            let factor = if distribution == Uniform { 3.0 } else { 1.0 };
            let gain = (arguments.positive(&MAGNITUDE)? / factor).sqrt();
            native(gain, arguments.value(&MODE)?, distribution, arguments, site)
        },
        ..BASE
    },
    Scheme {
        name: "xavier-legacy",
        summary: "normal, variance 1/(inputs+outputs), without the kernel's size",
        formula: "w ~ N(0, std^2), std = 1 / sqrt(inputs + outputs)",
        source: GLOROT,
        ranks: "two or more axes",
        requires: Requires::Matrices,
        example: example("xavier-legacy"),
        distribution: |_, site| {
            let axes = site.axes()?;
            let channels = axes.product(|role| role == AxisRole::In) + axes.product(|role| role == AxisRole::Out);
            Ok(Distribution::Normal { mean: 0.0, std: 1.0 / divisor(channels).sqrt() })
        },
        ..BASE
    },
];

/// U(-bound, bound), bound = 1 / sqrt(count).
fn within_inverse_root(count: u64) -> Result<Distribution> {
    let bound = 1.0 / divisor(count).sqrt();
    between(-bound, bound)
}

/// The number of hidden units of a recurrent layer.
fn hidden(arguments: &Arguments, site: &Site) -> Result<u64> {
    match (arguments.optional(&HIDDEN), arguments.optional(&GATES)) {
        (Some(hidden), None) => {
            ensure!(hidden > 0, "hidden is 0: it must be 1 or more");
            Ok(hidden)
        }
        (None, Some(gates)) => {
            let outputs = match *site.shape.axes() {
                [size] => size,
                _ => site.unfolding().context("use hidden or another --layout")?.rows(),
            };
            let divides = gates > 0 && outputs % gates == 0;
            ensure!(divides, "gates is {gates}: it must divide the {outputs} outputs");
            Ok(outputs / gates)
        }
        _ => anyhow::bail!(
            "exactly one of hidden and gates is required, as in `rnn-uniform:hidden=512`; torch.nn.LSTM is a full layer"
        ),
    }
}
