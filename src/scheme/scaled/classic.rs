//! The rows of `LeCun`, Glorot and He, and the general one.

use anyhow::ensure;

use super::{
    BASE, CORRECTED, DISTRIBUTION, GAIN_ONE, GAIN_RELU, GLOROT, HE, IntoFan, LECUN, MODE, POOL, SCALE, SLOPE,
    ScaledDistribution, Scheme, TRUNCATED, UNIFORM, alias, average, example, fan, pooled_average, scaled,
};

/// What frameworks mean that call a truncated normal plainly normal.
const LECUN_TRUNCATED: &str = "variance-scaling:scale=1,mode=fan-in,distribution=truncated-normal";
const GLOROT_TRUNCATED: &str = "variance-scaling:scale=1,mode=fan-avg,distribution=truncated-normal";
const HE_TRUNCATED: &str = "variance-scaling:scale=2,mode=fan-in,distribution=truncated-normal";

pub(in crate::scheme) const ROWS: &[Scheme] = &[
    Scheme {
        name: "lecun-normal",
        summary: "normal, variance 1/fan_in",
        formula: "w ~ N(0, std^2), std = 1 / sqrt(fan_in)",
        source: LECUN,
        framework_aliases: &[
            alias("keras", "LecunNormal", LECUN_TRUNCATED),
            alias("jax", "lecun_normal", LECUN_TRUNCATED),
            alias("timm", "lecun_normal_", LECUN_TRUNCATED),
            alias("chainer", "LeCunNormal", "lecun-normal"),
            alias("flax", "lecun_normal", LECUN_TRUNCATED),
            alias("tensorflow", "lecun_normal", LECUN_TRUNCATED),
            alias("axon", "lecun_normal", LECUN_TRUNCATED),
            alias(
                "tfjs",
                "leCunNormal",
                "variance-scaling:scale=1,mode=fan-in,distribution=truncated-normal,corrected=false",
            ),
            alias("dl4j", "LECUN_NORMAL", "lecun-normal"),
            alias("dl4j", "XAVIER_FAN_IN", "lecun-normal"),
            alias("kaldi", "AffineComponent", "lecun-normal"),
            alias("kaldi", "NaturalGradientAffineComponent", "lecun-normal"),
        ],
        example: example("lecun-normal"),
        distribution: |_, site| scaled(ScaledDistribution::Normal, 1.0, site.fan_in()?.into_fan()),
        ..BASE
    },
    Scheme {
        name: "lecun-uniform",
        summary: "uniform, variance 1/fan_in",
        formula: "w ~ U(-bound, bound), bound = sqrt(3 / fan_in)",
        source: LECUN,
        framework_aliases: &[
            alias("keras", "LecunUniform", "lecun-uniform"),
            alias("jax", "lecun_uniform", "lecun-uniform"),
            alias("chainer", "LeCunUniform", "lecun-uniform"),
            alias("flax", "lecun_uniform", "lecun-uniform"),
            alias("tensorflow", "lecun_uniform", "lecun-uniform"),
            alias("axon", "lecun_uniform", "lecun-uniform"),
            alias("tfjs", "leCunUniform", "lecun-uniform"),
            alias("dl4j", "LECUN_UNIFORM", "variance-scaling:scale=3,mode=fan-in,distribution=uniform"),
        ],
        example: example("lecun-uniform"),
        distribution: |_, site| scaled(ScaledDistribution::Uniform, 1.0, site.fan_in()?.into_fan()),
        ..BASE
    },
    Scheme {
        name: "lecun",
        summary: "lecun-normal or lecun-uniform, selected by distribution",
        formula: "variance 1 / fan_in",
        source: LECUN,
        parameters: &[DISTRIBUTION],
        example: example("lecun"),
        distribution: |arguments, site| scaled(ScaledDistribution::of(arguments), 1.0, site.fan_in()?.into_fan()),
        ..BASE
    },
    Scheme {
        name: "glorot-normal",
        summary: "normal, variance 2/(fan_in+fan_out)",
        formula: "w ~ N(0, std^2), std = gain sqrt(2 / (fan_in + fan_out))",
        source: GLOROT,
        parameters: &[GAIN_ONE, SLOPE, POOL],
        framework_aliases: &[
            alias("torch", "xavier_normal_", "glorot-normal"),
            alias("keras", "GlorotNormal", GLOROT_TRUNCATED),
            alias("jax", "glorot_normal", GLOROT_TRUNCATED),
            alias("jax", "xavier_normal", GLOROT_TRUNCATED),
            alias("lasagne", "GlorotNormal", "glorot-normal"),
            alias("chainer", "GlorotNormal", "glorot-normal"),
            alias("flux", "glorot_normal", "glorot-normal"),
            alias("mlx", "glorot_normal", "glorot-normal"),
            alias("burn", "XavierNormal", "glorot-normal"),
            alias("flax", "glorot_normal", GLOROT_TRUNCATED),
            alias("flax", "xavier_normal", GLOROT_TRUNCATED),
            alias("tensorflow", "glorot_normal_initializer", GLOROT_TRUNCATED),
            alias("axon", "glorot_normal", GLOROT_TRUNCATED),
            alias(
                "tfjs",
                "glorotNormal",
                "variance-scaling:scale=1,mode=fan-avg,distribution=truncated-normal,corrected=false",
            ),
            alias("lux", "glorot_normal", "glorot-normal"),
            alias("paddle", "XavierNormal", "glorot-normal"),
            alias("mindspore", "XavierNormal", "glorot-normal"),
            alias("nnabla", "calc_normal_std_glorot", "glorot-normal"),
        ],
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
        parameters: &[GAIN_ONE, SLOPE, POOL],
        framework_aliases: &[
            alias("torch", "xavier_uniform_", "glorot-uniform"),
            alias("keras", "GlorotUniform", "glorot-uniform"),
            alias("jax", "glorot_uniform", "glorot-uniform"),
            alias("jax", "xavier_uniform", "glorot-uniform"),
            alias("lasagne", "GlorotUniform", "glorot-uniform"),
            alias("chainer", "GlorotUniform", "glorot-uniform"),
            alias("flux", "glorot_uniform", "glorot-uniform"),
            alias("mlx", "glorot_uniform", "glorot-uniform"),
            alias("burn", "XavierUniform", "glorot-uniform"),
            alias("mxnet", "Xavier", "magnitude-scaling"),
            alias("tinygrad", "glorot_uniform", "glorot-uniform")
                .noting("of matrices; of a convolution its fan_out leaves the kernel out"),
            alias("caffe", "xavier", "lecun-uniform"),
            alias("dl4j", "XAVIER", "glorot-normal"),
            alias("flax", "glorot_uniform", "glorot-uniform"),
            alias("flax", "xavier_uniform", "glorot-uniform"),
            alias("tensorflow", "glorot_uniform_initializer", "glorot-uniform"),
            alias("tensorflow", "xavier_initializer", "glorot-uniform"),
            alias("axon", "glorot_uniform", "glorot-uniform"),
            alias("tfjs", "glorotUniform", "glorot-uniform"),
            alias("lux", "glorot_uniform", "glorot-uniform"),
            alias("paddle", "XavierUniform", "glorot-uniform"),
            alias("mindspore", "XavierUniform", "glorot-uniform"),
            alias("nnabla", "calc_uniform_lim_glorot", "glorot-uniform"),
            alias("dl4j", "XAVIER_UNIFORM", "glorot-uniform"),
            alias("theano", "HiddenLayer", "glorot-uniform"),
            alias("theano", "LeNetConvPoolLayer", "glorot-uniform:pool=4"),
        ],
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
        parameters: &[GAIN_ONE, SLOPE, UNIFORM, POOL],
        framework_aliases: &[alias("lasagne", "Glorot", "glorot"), alias("pyg", "glorot", "glorot")],
        example: example("glorot"),
        distribution: |arguments, site| {
            scaled(ScaledDistribution::of(arguments), arguments.gain()?, pooled_average(arguments, site)?)
        },
        ..BASE
    },
    Scheme {
        name: "sigmoid-uniform",
        summary: "uniform, four times the bound of glorot-uniform: for sigmoid units",
        formula: "w ~ U(-bound, bound), bound = 4 sqrt(6 / (fan_in + fan_out))",
        source: "the Deep Learning Tutorials (Theano), HiddenLayer; Glorot and Bengio 2010",
        framework_aliases: &[alias("dl4j", "SIGMOID_UNIFORM", "sigmoid-uniform")],
        example: example("sigmoid-uniform"),
        distribution: |_, site| scaled(ScaledDistribution::Uniform, 4.0, average(site)?),
        ..BASE
    },
    Scheme {
        name: "he-normal",
        summary: "normal, variance gain^2/fan: for rectifiers",
        formula: "w ~ N(0, std^2), std = gain / sqrt(fan)",
        source: HE,
        parameters: &[GAIN_RELU, SLOPE, MODE],
        framework_aliases: &[
            alias("torch", "kaiming_normal_", "he-normal"),
            alias("keras", "HeNormal", HE_TRUNCATED),
            alias("jax", "he_normal", HE_TRUNCATED),
            alias("jax", "kaiming_normal", HE_TRUNCATED),
            alias("lasagne", "HeNormal", "he-normal:gain=1"),
            alias("mlx", "he_normal", "he-normal:gain=1"),
            alias("chainer", "HeNormal", "he-normal"),
            alias("flux", "kaiming_normal", "he-normal"),
            alias("burn", "KaimingNormal", "he-normal:gain=1"),
            alias("caffe", "msra", "he-normal"),
            alias("mxnet", "MSRAPrelu", "he-normal:gain=leaky-relu,slope=0.25,mode=fan-avg"),
            alias("flax", "he_normal", HE_TRUNCATED),
            alias("flax", "kaiming_normal", HE_TRUNCATED),
            alias("tensorflow", "he_normal", HE_TRUNCATED),
            alias("axon", "he_normal", HE_TRUNCATED),
            alias(
                "tfjs",
                "heNormal",
                "variance-scaling:scale=2,mode=fan-in,distribution=truncated-normal,corrected=false",
            ),
            alias("lux", "kaiming_normal", "he-normal"),
            alias("paddle", "KaimingNormal", "he-normal"),
            alias("mindspore", "HeNormal", "he-normal"),
            alias("nnabla", "calc_normal_std_he_forward", "he-normal"),
            alias("nnabla", "calc_normal_std_he_backward", "he-normal:mode=fan-out"),
            alias("dl4j", "RELU", "he-normal"),
            alias("candle", "DEFAULT_KAIMING_NORMAL", "he-normal"),
            alias("tch", "DEFAULT_KAIMING_NORMAL", "he-normal"),
            alias("tinygrad", "kaiming_normal", "he-normal:gain=leaky-relu,slope=0.01"),
            alias("siren", "init_weights_normal", "he-normal"),
            alias("siren", "init_weights_elu", "he-normal:gain=1.2451983007208263"),
        ],
        example: example("he-normal"),
        distribution: |arguments, site| scaled(ScaledDistribution::Normal, arguments.gain()?, fan(arguments, site)?),
        ..BASE
    },
    Scheme {
        name: "he-uniform",
        summary: "uniform, variance gain^2/fan: for rectifiers",
        formula: "w ~ U(-bound, bound), bound = gain sqrt(3 / fan)",
        source: HE,
        parameters: &[GAIN_RELU, SLOPE, MODE],
        framework_aliases: &[
            alias("torch", "kaiming_uniform_", "he-uniform"),
            alias("keras", "HeUniform", "he-uniform"),
            alias("jax", "he_uniform", "he-uniform"),
            alias("jax", "kaiming_uniform", "he-uniform"),
            alias("lasagne", "HeUniform", "he-uniform:gain=1"),
            alias("mlx", "he_uniform", "he-uniform:gain=1"),
            alias("chainer", "HeUniform", "he-uniform"),
            alias("flux", "kaiming_uniform", "he-uniform"),
            alias("burn", "KaimingUniform", "he-uniform:gain=1"),
            alias("flax", "he_uniform", "he-uniform"),
            alias("flax", "kaiming_uniform", "he-uniform"),
            alias("tensorflow", "he_uniform", "he-uniform"),
            alias("axon", "he_uniform", "he-uniform"),
            alias("tfjs", "heUniform", "he-uniform"),
            alias("lux", "kaiming_uniform", "he-uniform"),
            alias("paddle", "KaimingUniform", "he-uniform"),
            alias("mindspore", "HeUniform", "he-uniform"),
            alias("dl4j", "RELU_UNIFORM", "he-uniform"),
            alias("candle", "DEFAULT_KAIMING_UNIFORM", "he-uniform"),
            alias("tch", "DEFAULT_KAIMING_UNIFORM", "he-uniform"),
            alias("pyg", "kaiming_uniform", "he-uniform:gain=leaky-relu,slope=0"),
            alias("tinygrad", "kaiming_uniform", "he-uniform:gain=leaky-relu,slope=0.01"),
        ],
        example: example("he-uniform"),
        distribution: |arguments, site| scaled(ScaledDistribution::Uniform, arguments.gain()?, fan(arguments, site)?),
        ..BASE
    },
    Scheme {
        name: "he",
        summary: "he-normal or he-uniform, selected by distribution",
        formula: "variance gain^2 / fan",
        source: "Lasagne He; He et al. 2015",
        parameters: &[GAIN_RELU, SLOPE, MODE, DISTRIBUTION],
        framework_aliases: &[alias("lasagne", "He", "he:gain=1")],
        example: example("he"),
        distribution: |arguments, site| {
            scaled(ScaledDistribution::of(arguments), arguments.gain()?, fan(arguments, site)?)
        },
        ..BASE
    },
    Scheme {
        name: "variance-scaling",
        summary: "the general scheme: any scale, fan and distribution",
        formula: "variance scale / fan; normal: std = sqrt(scale / fan); uniform: bound = sqrt(3 scale / fan); truncated-normal: cut at 2 sigma, then the same std",
        source: "Keras VarianceScaling; jax.nn.initializers.variance_scaling",
        parameters: &[SCALE, MODE, TRUNCATED, CORRECTED],
        framework_aliases: &[
            alias("keras", "VarianceScaling", "variance-scaling"),
            alias("jax", "variance_scaling", "variance-scaling"),
            alias("haiku", "VarianceScaling", "variance-scaling"),
            alias("timm", "variance_scaling_", "variance-scaling:distribution=normal"),
            alias("flax", "variance_scaling", "variance-scaling"),
            alias("tensorflow", "variance_scaling_initializer", "variance-scaling"),
            alias("tensorflow", "VarianceScaling", "variance-scaling"),
            alias("sonnet", "VarianceScaling", "variance-scaling"),
            alias("axon", "variance_scaling", "variance-scaling:distribution=normal"),
            alias("tfjs", "varianceScaling", "variance-scaling:corrected=false"),
            alias("mindspore", "VarianceScaling", "variance-scaling:distribution=uniform"),
            alias("dl4j", "VAR_SCALING_NORMAL_FAN_IN", "variance-scaling:mode=fan-in,corrected=false"),
            alias("dl4j", "VAR_SCALING_NORMAL_FAN_OUT", "variance-scaling:mode=fan-out,corrected=false"),
            alias("dl4j", "VAR_SCALING_NORMAL_FAN_AVG", "variance-scaling:mode=fan-avg,corrected=false"),
            alias("dl4j", "VAR_SCALING_UNIFORM_FAN_IN", "variance-scaling:scale=3,mode=fan-in,distribution=uniform"),
            alias("dl4j", "VAR_SCALING_UNIFORM_FAN_OUT", "variance-scaling:scale=3,mode=fan-out,distribution=uniform"),
            alias("dl4j", "VAR_SCALING_UNIFORM_FAN_AVG", "variance-scaling:scale=3,mode=fan-avg,distribution=uniform"),
        ],
        example: example("variance-scaling"),
        distribution: |arguments, site| {
            let truncated = arguments.word("distribution") == Some("truncated-normal");
            ensure!(truncated || !arguments.given("corrected"), "corrected goes with distribution=truncated-normal");
            scaled(ScaledDistribution::of(arguments), arguments.positive("scale")?.sqrt(), fan(arguments, site)?)
        },
        ..BASE
    },
];
