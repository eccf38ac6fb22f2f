//! The rows of `LeCun`, Glorot and He, and the general one.

use anyhow::ensure;

use super::{
    BASE, CORRECTED, DISTRIBUTION, FanDistribution, GAIN, GAIN_RELU, GLOROT, HE, IntoFan, LECUN, MODE, POOL, SCALE,
    SLOPE, ScaledDistribution, Scheme, TRUNCATED, UNIFORM, average, example, fan, pooled_average, scaled,
};

pub(in crate::scheme) const ROWS: &[Scheme] = &[
    Scheme {
        name: "lecun-normal",
        summary: "normal, variance 1/fan_in",
        formula: "w ~ N(0, std^2), std = 1 / sqrt(fan_in)",
        source: LECUN,
        example: example("lecun-normal"),
        distribution: |_, site| scaled(ScaledDistribution::Normal, 1.0, site.fan_in()?.into_fan()),
        ..BASE
    },
    Scheme {
        name: "lecun-uniform",
        summary: "uniform, variance 1/fan_in",
        formula: "w ~ U(-bound, bound), bound = sqrt(3 / fan_in)",
        source: LECUN,
        example: example("lecun-uniform"),
        distribution: |_, site| scaled(ScaledDistribution::Uniform, 1.0, site.fan_in()?.into_fan()),
        ..BASE
    },
    Scheme {
        name: "lecun",
        summary: "lecun-normal or lecun-uniform, selected by distribution",
        formula: "variance 1 / fan_in",
        source: LECUN,
        parameters: &[&DISTRIBUTION],
        example: example("lecun"),
        distribution: |arguments, site| scaled(ScaledDistribution::of(arguments)?, 1.0, site.fan_in()?.into_fan()),
        ..BASE
    },
    Scheme {
        name: "glorot-normal",
        summary: "normal, variance 2/(fan_in+fan_out)",
        formula: "w ~ N(0, std^2), std = gain sqrt(2 / (fan_in + fan_out))",
        source: GLOROT,
        parameters: &[&GAIN, &SLOPE, &POOL],
        example: example("glorot-normal"),
        distribution: |arguments, site| {
            scaled(ScaledDistribution::Normal, arguments.gain()?, pooled_average(arguments, site)?)
        },
        ..BASE
    },
    Scheme {
        name: "glorot-uniform",
        summary: "uniform, variance 2/(fan_in+fan_out)",
        formula: "w ~ U(-bound, bound), bound = gain sqrt(6 / (fan_in + fan_out))",
        source: GLOROT,
        parameters: &[&GAIN, &SLOPE, &POOL],
        example: example("glorot-uniform"),
        distribution: |arguments, site| {
            scaled(ScaledDistribution::Uniform, arguments.gain()?, pooled_average(arguments, site)?)
        },
        ..BASE
    },
    Scheme {
        name: "glorot",
        summary: "glorot-uniform or glorot-normal, selected by distribution",
        formula: "variance gain^2 2 / (fan_in + fan_out)",
        source: "Lasagne Glorot; Glorot and Bengio 2010",
        parameters: &[&GAIN, &SLOPE, &UNIFORM, &POOL],
        example: example("glorot"),
        distribution: |arguments, site| {
            scaled(ScaledDistribution::of(arguments)?, arguments.gain()?, pooled_average(arguments, site)?)
        },
        ..BASE
    },
    Scheme {
        name: "sigmoid-uniform",
        summary: "uniform, four times the bound of glorot-uniform: for sigmoid units",
        formula: "w ~ U(-bound, bound), bound = 4 sqrt(6 / (fan_in + fan_out))",
        source: "the Deep Learning Tutorials (Theano), HiddenLayer; Glorot and Bengio 2010",
        example: example("sigmoid-uniform"),
        distribution: |_, site| scaled(ScaledDistribution::Uniform, 4.0, average(site)?),
        ..BASE
    },
    Scheme {
        name: "he-normal",
        summary: "normal, variance gain^2/fan: for rectifiers",
        formula: "w ~ N(0, std^2), std = gain / sqrt(fan)",
        source: HE,
        parameters: &[&GAIN_RELU, &SLOPE, &MODE],
        example: example("he-normal"),
        distribution: |arguments, site| scaled(ScaledDistribution::Normal, arguments.gain()?, fan(arguments, site)?),
        ..BASE
    },
    Scheme {
        name: "he-uniform",
        summary: "uniform, variance gain^2/fan: for rectifiers",
        formula: "w ~ U(-bound, bound), bound = gain sqrt(3 / fan)",
        source: HE,
        parameters: &[&GAIN_RELU, &SLOPE, &MODE],
        example: example("he-uniform"),
        distribution: |arguments, site| scaled(ScaledDistribution::Uniform, arguments.gain()?, fan(arguments, site)?),
        ..BASE
    },
    Scheme {
        name: "he",
        summary: "he-normal or he-uniform, selected by distribution",
        formula: "variance gain^2 / fan",
        source: "Lasagne He; He et al. 2015",
        parameters: &[&GAIN_RELU, &SLOPE, &MODE, &DISTRIBUTION],
        example: example("he"),
        distribution: |arguments, site| {
            scaled(ScaledDistribution::of(arguments)?, arguments.gain()?, fan(arguments, site)?)
        },
        ..BASE
    },
    Scheme {
        name: "variance-scaling",
        summary: "the general scheme: any scale, fan and distribution",
        formula: "variance scale / fan; normal: std = sqrt(scale / fan); uniform: bound = sqrt(3 scale / fan); truncated-normal: cut at 2 sigma, then the same std",
        source: "Keras VarianceScaling; jax.nn.initializers.variance_scaling",
        parameters: &[&SCALE, &MODE, &TRUNCATED, &CORRECTED],
        example: example("variance-scaling"),
        distribution: |arguments, site| {
            let truncated = arguments.value(&DISTRIBUTION)? == FanDistribution::TruncatedNormal;
            ensure!(truncated || !arguments.given(&CORRECTED), "corrected goes with distribution=truncated-normal");
            scaled(ScaledDistribution::of(arguments)?, arguments.positive(&SCALE)?.sqrt(), fan(arguments, site)?)
        },
        ..BASE
    },
];
