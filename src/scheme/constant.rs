//! Constants.

use anyhow::Result;

use super::{Arguments, Kind, Parameter, Reads, Scheme, Site, example, spelling};
use crate::law::Law;

const SOURCE: &str =
    "Bengio 2012, Practical recommendations for gradient-based training of deep architectures; Lasagne Constant";

pub(super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "zeros",
        summary: "every element 0: biases and output weights",
        formula: "w = 0",
        source: SOURCE,
        ranks: "any",
        parameters: &[],
        bare: None,
        aliases: &["zero"],
        spellings: &[
            spelling("torch", "zeros_", "zeros"),
            spelling("keras", "Zeros", "zeros"),
            spelling("tensorflow", "zeros_initializer", "zeros"),
            spelling("jax", "zeros", "zeros"),
            spelling("flax", "zeros_init", "zeros"),
            spelling("mxnet", "Zero", "zeros"),
            spelling("chainer", "Zero", "zeros"),
            spelling("flux", "zeros32", "zeros"),
            spelling("burn", "Zeros", "zeros"),
            spelling("reservoirpy", "zeros", "zeros"),
        ],
        reads: Reads::Shape,
        example: example("zeros"),
        law: |_, _| Ok(Law::Constant { value: 0.0 }),
    },
    Scheme {
        name: "ones",
        summary: "every element 1: scales of normalisations",
        formula: "w = 1",
        source: SOURCE,
        ranks: "any",
        parameters: &[],
        bare: None,
        aliases: &["one"],
        spellings: &[
            spelling("torch", "ones_", "ones"),
            spelling("keras", "Ones", "ones"),
            spelling("tensorflow", "ones_initializer", "ones"),
            spelling("jax", "ones", "ones"),
            spelling("flax", "ones_init", "ones"),
            spelling("mxnet", "One", "ones"),
            spelling("chainer", "One", "ones"),
            spelling("flux", "ones32", "ones"),
            spelling("burn", "Ones", "ones"),
            spelling("reservoirpy", "ones", "ones"),
        ],
        reads: Reads::Shape,
        example: example("ones"),
        law: |_, _| Ok(Law::Constant { value: 1.0 }),
    },
    Scheme {
        name: "constant",
        summary: "every element the same value",
        formula: "w = value",
        source: SOURCE,
        ranks: "any",
        parameters: &[Parameter { name: "value", kind: Kind::Number, default: None, help: "the value; required" }],
        bare: Some("value"),
        aliases: &[],
        spellings: &[
            spelling("torch", "constant_", "constant:value=0"),
            spelling("keras", "Constant", "constant:value=0"),
            spelling("tensorflow", "constant_initializer", "constant:value=0"),
            spelling("jax", "constant", "constant:value=0"),
            spelling("lasagne", "Constant", "constant:value=0"),
            spelling("mxnet", "Constant", "constant:value=0"),
            spelling("chainer", "Constant", "constant:value=0"),
            spelling("caffe", "constant", "constant:value=0"),
            spelling("burn", "Constant", "constant:value=0"),
            spelling("candle", "Const", "constant:value=0"),
        ],
        reads: Reads::Shape,
        example: example("constant:0.1"),
        law: constant,
    },
];

fn constant(arguments: &mut Arguments, _: &Site) -> Result<Law> {
    Ok(Law::Constant { value: arguments.number("value")? })
}
