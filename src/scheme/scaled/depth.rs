//! Schemes scaled down by network depth.

use anyhow::{Context, Result, ensure};

use super::super::common::{self, STD};
use super::FanDistribution::{Normal, Uniform};
use super::FanMode::FanAvg;
use super::{
    Arguments, BASE, DISTRIBUTION, Distribution, MODE, Parameter, Requires, Scheme, Site, choice, divisor, native,
    to_f64,
};
use crate::scheme::example;

const LAYERS: Parameter<u64> = common::LAYERS.help("the number of layers L; required");
const DIM: Parameter<u64> = Parameter::new("dim", "the width d of the model [default: fan_in]");
const NGUYEN: &str =
    "Nguyen and Salazar 2019, Transformers without tears: improving the normalization of self-attention";

const BRANCH: Parameter<u64> = Parameter::new("branch", "the number of layers m in a branch, 2 or more").default("2");
choice! {
    /// A part of a Transformer.
    enum Part { Encoder = "encoder", Decoder = "decoder", Embedding = "embedding" }
}
const PART: Parameter<Part> = Parameter::new("part", "values, output projections and feed-forward layers of the encoder or decoder, or the embeddings (whose last axis is features)").default("encoder");
const ENCODER: Parameter<u64> = Parameter::new("encoder", "the number of encoder layers N, with decoder");
const DECODER: Parameter<u64> = Parameter::new("decoder", "the number of decoder layers M, with encoder");
choice! {
    /// The side of a Transformer.
    enum Side { Encoder = "encoder", Decoder = "decoder" }
}
const SIDE: Parameter<Side> = Parameter::new("part", "the side of this tensor; required with encoder and decoder");
const RESIDUALS: Parameter<u64> =
    Parameter::new("residuals", "residual additions per layer: 2 in a Transformer, 1 in Mamba").default("2");

pub(in crate::scheme) const ROWS: &[Scheme] = &[
    Scheme {
        name: "fixup",
        summary: "He's normal scaled down by the depth, for residual branches without normalisation; initialise the last layer of each branch with zeros",
        formula: "w ~ N(0, std^2), std = layers^(-1 / (2m - 2)) sqrt(2 / fan), m = branch",
        source: "Zhang, Dauphin and Ma 2019, Fixup initialization: residual learning without normalization",
        parameters: &[&LAYERS.help("the number of residual branches L; required"), &BRANCH, &MODE.default("fan-out")],
        example: example("fixup:layers=16"),
        distribution: |arguments, site| {
            let branch = arguments.value(&BRANCH)?;
            ensure!(branch >= 2, "branch is {branch}: it must be 2 or more (the only layer of a branch is zeros)");
            let shrink = libm::pow(layers(arguments, &LAYERS)?, -1.0 / to_f64(branch.saturating_mul(2) - 2));
            native(shrink * 2f64.sqrt(), arguments.value(&MODE)?, Normal, arguments, site)
        },
        ..BASE
    },
    Scheme {
        name: "t-fixup",
        summary: "Glorot's uniform scaled down by the depth, for Transformers without warm-up or layer normalisation",
        formula: "encoder: 0.67 N^(-1/4) glorot-uniform; decoder: (9N)^(-1/4) glorot-uniform; embedding: N(0, (9N)^(-1/2) / features); N = layers",
        source: "Huang, Perez, Ba and Volkovs 2020, Improving Transformer optimization through better initialization",
        parameters: &[&LAYERS, &PART],
        example: example("t-fixup:layers=6"),
        distribution: |arguments, site| {
            let layers = layers(arguments, &LAYERS)?;
            let gain = match arguments.value(&PART)? {
                Part::Encoder => 0.67 * libm::pow(layers, -0.25),
                Part::Decoder => libm::pow(9.0 * layers, -0.25),
                Part::Embedding => {
                    let features =
                        site.shape.axes().last().context("this scheme needs one or more axes, not a scalar")?;
                    let std = libm::pow(9.0 * layers, -0.25) / divisor(*features).sqrt();
                    return Ok(Distribution::Normal { mean: 0.0, std });
                }
            };
            native(gain, FanAvg, Uniform, arguments, site)
        },
        ..BASE
    },
    Scheme {
        name: "deepnorm",
        summary: "Glorot's scheme scaled down by the depth, for values, output projections and feed-forward layers of Transformers with DeepNorm",
        formula: "glorot of gain beta: (8 layers)^(-1/4) of an encoder or decoder alone; with both, 0.87 (N^4 M)^(-1/16) in the encoder of N layers and (12 M)^(-1/4) in the decoder of M",
        source: "Wang, Ma, Dong, Huang, Zhang and Wei 2022, DeepNet: scaling Transformers to 1,000 layers",
        parameters: &[
            &LAYERS.help("the number of layers of an encoder-only or decoder-only model"),
            &ENCODER,
            &DECODER,
            &SIDE,
            &DISTRIBUTION,
        ],
        example: example("deepnorm:layers=12"),
        distribution: |arguments, site| {
            native(beta(arguments)?, FanAvg, arguments.value(&DISTRIBUTION)?, arguments, site)
        },
        ..BASE
    },
    Scheme {
        name: "small-init",
        summary: "normal, variance 2/(5 d): glorot-normal of d to 4d, for every layer of a Transformer",
        formula: "w ~ N(0, std^2), std = sqrt(2 / (5 d)), d = dim",
        source: NGUYEN,
        parameters: &[&DIM],
        example: example("small-init"),
        distribution: |arguments, site| {
            Ok(Distribution::Normal { mean: 0.0, std: (2.0 / (5.0 * width(arguments, site)?)).sqrt() })
        },
        ..BASE
    },
    Scheme {
        name: "wang-init",
        summary: "normal, standard deviation 2/(L sqrt(d)): the output projections of GPT-J and GPT-NeoX",
        formula: "w ~ N(0, std^2), std = 2 / (layers sqrt(d)), d = dim",
        source: "Wang and Komatsuzaki 2021, GPT-J-6B; GPT-NeoX wang_init",
        parameters: &[&LAYERS, &DIM],
        example: example("wang-init:layers=12"),
        distribution: |arguments, site| {
            let std = 2.0 / (layers(arguments, &LAYERS)? * width(arguments, site)?.sqrt());
            Ok(Distribution::Normal { mean: 0.0, std })
        },
        ..BASE
    },
    Scheme {
        name: "depth-scaled",
        summary: "normal, scaled down by the number of residual additions: the output projections of GPT-2",
        formula: "w ~ N(0, (std / sqrt(residuals layers))^2)",
        source: "Radford et al. 2019, Language models are unsupervised multitask learners",
        ranks: "any",
        parameters: &[
            &LAYERS,
            &STD.default("0.02").help("the standard deviation of the other layers, 0 or more"),
            &RESIDUALS,
        ],
        requires: Requires::Shape,
        example: example("depth-scaled:layers=12"),
        distribution: |arguments, _| {
            let residuals = layers(arguments, &RESIDUALS)?;
            let std = arguments.nonnegative(&STD)? / (residuals * layers(arguments, &LAYERS)?).sqrt();
            Ok(Distribution::Normal { mean: 0.0, std })
        },
        ..BASE
    },
];

/// A number of layers, at least 1.
fn layers(arguments: &Arguments, parameter: &Parameter<u64>) -> Result<f64> {
    let name = parameter.name;
    let layers = arguments.optional(parameter).with_context(|| format!("`{name}` is required, as in `{name}=12`"))?;
    ensure!(layers > 0, "{name} is 0: it must be 1 or more");
    Ok(to_f64(layers))
}

fn width(arguments: &Arguments, site: &Site) -> Result<f64> {
    match arguments.optional(&DIM) {
        Some(0) => anyhow::bail!("dim is 0: it must be 1 or more"),
        Some(dim) => Ok(to_f64(dim)),
        None => Ok(divisor(site.fan_in()?)),
    }
}

/// `DeepNet`'s gain.
fn beta(arguments: &Arguments) -> Result<f64> {
    let (alone, part) = (arguments.given(&LAYERS), arguments.optional(&SIDE));
    let both = arguments.given(&ENCODER) && arguments.given(&DECODER);
    let either = arguments.given(&ENCODER) || arguments.given(&DECODER) || part.is_some();
    match part {
        None if alone && !either => Ok(libm::pow(8.0 * layers(arguments, &LAYERS)?, -0.25)),
        Some(part) if both && !alone => {
            let (encoder, decoder) = (layers(arguments, &ENCODER)?, layers(arguments, &DECODER)?);
            Ok(match part {
                Side::Encoder => 0.87 * libm::pow(libm::pow(encoder, 4.0) * decoder, -1.0 / 16.0),
                Side::Decoder => libm::pow(12.0 * decoder, -0.25),
            })
        }
        _ => anyhow::bail!(
            "use layers alone, or encoder, decoder and part, as in `deepnorm:encoder=12,decoder=6,part=encoder`"
        ),
    }
}
