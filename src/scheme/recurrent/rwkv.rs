//! RWKV's initial curves over the channels.

use std::sync::Arc;

use anyhow::{Result, ensure};

use super::super::common::{self, HIGH, LOW};
use super::super::{Arguments, EMPTY, Parameter, Scheme, Site, choice, example_on};
use crate::distribution::{Deterministic, Distribution, Moments};
use crate::tensor::to_f64;

const LAYER: Parameter<u64> = Parameter::new("layer", "the index of the layer, from 0").default("0");
const LAYERS: Parameter<u64> = common::LAYERS.default("1").help("the number of layers of the model");

const SOURCE: &str = "Peng et al. 2023, RWKV: reinventing RNNs for the transformer era";
const RANKS: &str = "any; channels are counted row-major over all axes, as in the shape 1x1xC";

choice! {
    /// The mixed vector of a block.
    enum Part { K = "k", V = "v", R = "r" }
}
const PART: Parameter<Part> =
    Parameter::new("part", "time_mix_k (and both of the channel mixing), time_mix_v, or time_mix_r (and g of RWKV-5)")
        .default("k");

pub(in crate::scheme) const ROWS: &[Scheme] = &[
    Scheme {
        name: "rwkv-decay",
        summary: "the time_decay of RWKV, from slow to fast over the channels; RWKV-5 and RWKV-6 use low=-6,high=-1",
        formula: "w_h = low + (high - low) (h/(C-1))^(0.7 + 1.3 layer/(layers-1)), channels h from 0 to C-1",
        source: SOURCE,
        ranks: RANKS,
        parameters: &[
            &LAYER,
            &LAYERS,
            &LOW.default("-5").help("the value of the first channel"),
            &HIGH.default("3").help("the value of the last channel"),
        ],
        example: example_on("rwkv-decay:layer=5,layers=12", "64", "io"),
        distribution: |arguments, site| {
            let exponent = 0.7 + 1.3 * Depth::of(arguments)?.rising();
            let (low, high) = (arguments.value(&LOW)?, arguments.value(&HIGH)?);
            ensure!(
                (high - low).is_finite(),
                "low is {} and high is {}: they are too far apart",
                arguments.text(&LOW),
                arguments.text(&HIGH)
            );
            Ok(over_channels(Curve::Decay { low, high, exponent }, site))
        },
        ..EMPTY
    },
    Scheme {
        name: "rwkv-first",
        summary: "the time_first of RWKV: the extra weight of the current token, in a zigzag over the channels",
        formula: "u_h = ln(0.3) + ((h+1) mod 3 - 1) / 2, channels h from 0",
        source: SOURCE,
        ranks: RANKS,
        example: example_on("rwkv-first", "64", "io"),
        distribution: |_, site| Ok(over_channels(Curve::First, site)),
        ..EMPTY
    },
    Scheme {
        name: "rwkv-mix",
        summary: "the time_mix of RWKV: the share of the current token, against the previous one, in each channel",
        formula: "part k: m_h = (h/C)^r, r = 1 - layer/layers; v: m_h + 0.3 layer/(layers-1); r: (h/C)^(r/2); channels h from 0 to C-1",
        source: SOURCE,
        ranks: RANKS,
        parameters: &[&PART, &LAYER, &LAYERS],
        bare: Some(PART.name),
        example: example_on("rwkv-mix:part=v,layer=5,layers=12", "1x1x64", "io"),
        distribution: |arguments, site| {
            let depth = Depth::of(arguments)?;
            let (exponent, shift) = match arguments.value(&PART)? {
                Part::V => (depth.falling(), 0.3 * depth.rising()),
                Part::R => (0.5 * depth.falling(), 0.0),
                Part::K => (depth.falling(), 0.0),
            };
            Ok(over_channels(Curve::Mix { exponent, shift }, site))
        },
        ..EMPTY
    },
];

fn over_channels(curve: Curve, site: &Site) -> Distribution {
    Distribution::Deterministic(Arc::new(Channels { curve, count: site.shape.count() }))
}

/// The position of a layer in its model.
struct Depth {
    layer: u64,
    layers: u64,
}

impl Depth {
    fn of(arguments: &Arguments) -> Result<Self> {
        let [layer, layers] = [arguments.value(&LAYER)?, arguments.value(&LAYERS)?];
        ensure!(layer < layers, "layer is {layer}, counted from 0, and layers is {layers}: layer must be below layers");
        Ok(Self { layer, layers })
    }

    /// 0 at the first layer, 1 at the last.
    fn rising(&self) -> f64 {
        to_f64(self.layer) / to_f64((self.layers - 1).max(1))
    }

    /// 1 at the first layer, nearly 0 at the last.
    fn falling(&self) -> f64 {
        1.0 - to_f64(self.layer) / to_f64(self.layers)
    }
}

#[derive(Debug)]
enum Curve {
    Decay { low: f64, high: f64, exponent: f64 },
    First,
    Mix { exponent: f64, shift: f64 },
}

#[derive(Debug)]
struct Channels {
    curve: Curve,
    count: u64,
}

impl Moments for Channels {
    fn max_abs(&self) -> f64 {
        match self.curve {
            Curve::Decay { low, high, .. } => low.abs().max(high.abs()),
            Curve::First => 0.5 - libm::log(0.3),
            Curve::Mix { shift, .. } => 1.0 + shift,
        }
    }
}

impl Deterministic for Channels {
    fn value(&self, channel: u64) -> f64 {
        let (at, count) = (to_f64(channel), to_f64(self.count));
        match self.curve {
            Curve::Decay { low, high, exponent } => {
                low + (high - low) * libm::pow(at / (count - 1.0).max(1.0), exponent)
            }
            Curve::First => libm::log(0.3) + 0.5 * (to_f64((channel + 1) % 3) - 1.0),
            Curve::Mix { exponent, shift } => libm::pow(at / count, exponent) + shift,
        }
    }
}
