//! Constant fills.

use anyhow::{Result, ensure};

use super::common::{FILL, P};
use super::{Arguments, EMPTY, Scheme, Site, example};
use crate::distribution::Distribution;

const SOURCE: &str =
    "Bengio 2012, Practical recommendations for gradient-based training of deep architectures; Lasagne Constant";

pub(super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "zeros",
        summary: "every element 0: biases and output weights",
        formula: "w = 0",
        source: SOURCE,
        ranks: "any",
        aliases: &["zero"],
        example: example("zeros"),
        distribution: |_, _| Ok(Distribution::Constant { value: 0.0 }),
        ..EMPTY
    },
    Scheme {
        name: "ones",
        summary: "every element 1: scales of normalisations",
        formula: "w = 1",
        source: SOURCE,
        ranks: "any",
        aliases: &["one"],
        example: example("ones"),
        distribution: |_, _| Ok(Distribution::Constant { value: 1.0 }),
        ..EMPTY
    },
    Scheme {
        name: "constant",
        summary: "the same value for every element",
        formula: "w = value",
        source: SOURCE,
        ranks: "any",
        parameters: &[&FILL.help("the value, also inf and -inf; required")],
        bare: Some(FILL.name),
        order: &[FILL.name],
        example: example("constant:0.1"),
        distribution: constant,
        ..EMPTY
    },
    Scheme {
        name: "prior-bias",
        summary: "the bias of a sigmoid output that starts at a probability p",
        formula: "w = -ln((1 - p) / p)",
        source: "Lin, Goyal, Girshick, He and Dollár 2017, Focal loss for dense object detection",
        ranks: "any",
        parameters: &[&P.default("0.01").help("the probability, above 0 and below 1")],
        bare: Some(P.name),
        aliases: &["focal-bias"],
        example: example("prior-bias"),
        distribution: prior_bias,
        ..EMPTY
    },
    Scheme {
        name: "nan",
        summary: "NaN for every element, to reveal values that are read before they are set",
        formula: "w = NaN",
        source: "Chainer NaN",
        ranks: "any",
        aliases: &["not-a-number"],
        example: example("nan"),
        distribution: |_, _| Ok(Distribution::Constant { value: f64::NAN }),
        ..EMPTY
    },
];

fn prior_bias(arguments: &mut Arguments, _: &Site) -> Result<Distribution> {
    let p = arguments.value(&P)?;
    ensure!(0.0 < p && p < 1.0, "p is {p}: it must be above 0 and below 1");
    Ok(Distribution::Constant { value: -libm::log((1.0 - p) / p) })
}

fn constant(arguments: &mut Arguments, _: &Site) -> Result<Distribution> {
    Ok(Distribution::Constant { value: arguments.value(&FILL)?.0 })
}
