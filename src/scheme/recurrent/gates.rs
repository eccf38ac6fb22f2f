//! Biases of the gates of an LSTM or GRU.

use std::sync::Arc;

use anyhow::{Result, ensure};

use super::super::{Arguments, Choice, EMPTY, Parameter, Scheme, Site, choice, example_on};
use super::last_axis;
use crate::distribution::{Deterministic, Distribution, Joint, Moments, RandomStreams, bytes_of};
use crate::statistics::marginal::Marginal;
use crate::tensor::{to_f64, to_usize};

choice! {
    /// The order of the gates of an LSTM.
    enum LstmGates { Ifgo = "ifgo", Igfo = "igfo", Ifog = "ifog", Iofg = "iofg", Gifo = "gifo", Gfoi = "gfoi" }
}
const GATES: Parameter<LstmGates> = Parameter::new("gates", "the order of the gates (i input, f forget, g cell, o output): ifgo in torch, Keras, MXNet, Sonnet, Flux, MLX, Paddle and cuDNN, igfo in Haiku and TensorFlow's LSTMCell, ifog in Caffe, iofg in ONNX, gifo in Chainer, gfoi in DL4J").default("ifgo");
const INTERLEAVED: Parameter<bool> =
    Parameter::new("interleaved", "group values by unit, as Chainer's LSTM does, instead of by gate").default("false");
const LONGEST: Parameter<f64> = Parameter::new("t-max", "the longest time to remember, in steps, above 2; required");
const CHRONO: &str = "Tallec and Ollivier 2018, Can recurrent neural networks warp time?";
const RANKS: &str = "one or more axes, the last of four gates side by side";

const FORGET: Parameter<f64> = Parameter::new("forget", "the bias of the forget gate; 1 remembers from the start. If two biases are added (torch bias_ih and bias_hh), use it for one and zeros for the other; if the layer itself adds 1 (TensorFlow's LSTMCell, Haiku), use zeros").default("1");
choice! {
    /// The order of the gates of a GRU.
    enum GruGates { Rzn = "rzn", Zrn = "zrn" }
}
const GRU_GATES: Parameter<GruGates> = Parameter::new(
    "gates",
    "the order of the gates (r reset, z update, n new): rzn in torch and MXNet, zrn in Keras and Haiku",
)
.default("rzn");
choice! {
    /// The role of the update gate.
    enum Update { Keep = "keep", Renew = "renew" }
}
const UPDATE: Parameter<Update> = Parameter::new("update", "the update gate keeps the state, h' = z h + (1-z) n as in torch and Keras, or renews it, h' = (1-z) h + z n as in Haiku").default("keep");

pub(in crate::scheme) const ROWS: &[Scheme] = &[
    Scheme {
        name: "lstm-bias",
        summary: "0 for every gate of an LSTM except the forget gate",
        formula: "b_f = forget, b_i = b_g = b_o = 0",
        source: "Gers, Schmidhuber and Cummins 2000, Learning to forget; Jozefowicz, Zaremba and Sutskever 2015, An empirical exploration of recurrent network architectures",
        ranks: RANKS,
        parameters: &[&FORGET, &GATES, &INTERLEAVED],
        bare: Some(FORGET.name),
        aliases: &["forget-bias"],
        example: example_on("lstm-bias", "64", "io"),
        distribution: |arguments, site| {
            let forget = arguments.value(&FORGET)?;
            Ok(Distribution::Deterministic(Arc::new(Forget { forget, gates: Gates::of_lstm(arguments, site)? })))
        },
        ..EMPTY
    },
    Scheme {
        name: "chrono",
        summary: "biases of an LSTM that remembers for up to t-max steps: a random time for each unit's forget gate, the opposite for its input gate",
        formula: "b_f ~ ln U(1, t-max - 1), b_i = -b_f of the same unit, b_g = b_o = 0",
        source: CHRONO,
        ranks: RANKS,
        parameters: &[&LONGEST, &GATES, &INTERLEAVED],
        bare: Some(LONGEST.name),
        aliases: &["chrono-initialization"],
        example: example_on("chrono:t-max=100", "64", "io"),
        distribution: |arguments, site| chrono(arguments, Gates::of_lstm(arguments, site)?, site, Some('f'), Some('i')),
        ..EMPTY
    },
    Scheme {
        name: "chrono-gru",
        summary: "biases of a GRU that remembers for up to t-max steps: a random time for each unit's update gate",
        formula: "b_z ~ ln U(1, t-max - 1) if z keeps the state, minus that if z renews it; b_r = b_n = 0",
        source: CHRONO,
        ranks: "one or more axes, the last of three gates side by side",
        parameters: &[&LONGEST, &GRU_GATES, &UPDATE],
        bare: Some(LONGEST.name),
        example: example_on("chrono-gru:t-max=100", "48", "io"),
        distribution: |arguments, site| {
            let gates = Gates::new(arguments.value(&GRU_GATES)?.word(), false, site)?;
            match arguments.value(&UPDATE)? {
                Update::Keep => chrono(arguments, gates, site, Some('z'), None),
                Update::Renew => chrono(arguments, gates, site, None, Some('z')),
            }
        },
        ..EMPTY
    },
];

fn chrono(
    arguments: &Arguments,
    gates: Gates,
    site: &Site,
    keeps: Option<char>,
    renews: Option<char>,
) -> Result<Distribution> {
    let longest = arguments.value(&LONGEST)?;
    ensure!(longest > 2.0, "t-max is {longest}: it must be above 2");
    let count = site.shape.count();
    Ok(Distribution::Joint(Arc::new(Chrono { longest, count, gates, keeps, renews })))
}

/// The layout of the gates in a bias.
#[derive(Debug)]
struct Gates {
    units: u64,
    /// A letter per gate, in order.
    order: &'static str,
    /// True if the gates of a unit are adjacent.
    interleaved: bool,
}

impl Gates {
    fn of_lstm(arguments: &Arguments, site: &Site) -> Result<Self> {
        Self::new(arguments.value(&GATES)?.word(), arguments.flag(&INTERLEAVED), site)
    }

    fn new(order: &'static str, interleaved: bool, site: &Site) -> Result<Self> {
        let size = last_axis(site)?;
        let count = order.len() as u64;
        ensure!(size % count == 0, "the last axis is {size}: it must be a multiple of {count}, the number of gates");
        Ok(Self { units: size / count, order, interleaved })
    }

    fn count(&self) -> u64 {
        self.order.len() as u64
    }

    /// The gate of an element, as a letter, and the index of its unit in the tensor.
    fn place(&self, index: u64) -> (Option<char>, u64) {
        let (bias, within) = (index / (self.count() * self.units), index % (self.count() * self.units));
        let (gate, unit) = match self.interleaved {
            true => (within % self.count(), within / self.count()),
            false => (within / self.units, within % self.units),
        };
        let letter = usize::try_from(gate).ok().and_then(|gate| self.order.chars().nth(gate));
        (letter, bias * self.units + unit)
    }
}

#[derive(Debug)]
struct Forget {
    forget: f64,
    gates: Gates,
}

impl Moments for Forget {
    fn max_abs(&self) -> f64 {
        self.forget.abs()
    }
}

impl Deterministic for Forget {
    fn value(&self, index: u64) -> f64 {
        if self.gates.place(index).0 == Some('f') { self.forget } else { 0.0 }
    }
}

#[derive(Debug)]
struct Chrono {
    longest: f64,
    count: u64,
    gates: Gates,
    /// The gate that is open while a unit remembers.
    keeps: Option<char>,
    /// The gate that is closed while a unit remembers.
    renews: Option<char>,
}

impl Moments for Chrono {
    fn bounds(&self) -> Option<(f64, f64)> {
        Some((-self.max_abs(), self.max_abs()))
    }

    fn marginal(&self) -> Option<Marginal> {
        let time = self.longest - 2.0;
        // The probability of a time up to exp(x).
        let up_to = move |x: f64| ((libm::exp(x) - 1.0) / time).clamp(0.0, 1.0);
        let [keeps, renews] = [self.keeps, self.renews].map(|gate| f64::from(u8::from(gate.is_some())));
        let random = keeps + renews;
        let cdf = move |x: f64| (keeps * up_to(x) + renews * (1.0 - up_to(-x))) / random;
        Some(Marginal::continuous(cdf).or_zero(1.0 - random / to_f64(self.gates.count())))
    }

    fn max_abs(&self) -> f64 {
        libm::log(self.longest - 1.0)
    }
}

impl Joint for Chrono {
    fn draw(&self, draws: &dyn RandomStreams) -> Vec<f64> {
        let mut times = vec![0.0; to_usize(self.count / self.gates.count())];
        draws.signed_uniforms(0, &mut times);
        // A uniform of (-1, 1) becomes one of (1, t-max - 1).
        let half = self.longest / 2.0;
        let logarithm = |unit: f64| libm::log(half + (half - 1.0) * unit);
        let bias = |index| match self.gates.place(index) {
            (gate, unit) if gate == self.keeps => logarithm(times[to_usize(unit)]),
            (gate, unit) if gate == self.renews => -logarithm(times[to_usize(unit)]),
            _ => 0.0,
        };
        (0..self.count).map(bias).collect()
    }

    fn workspace(&self) -> u64 {
        bytes_of(&[&[self.count], &[self.count / self.gates.count()]])
    }
}
