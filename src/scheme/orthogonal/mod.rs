//! Orthogonal matrices.

use anyhow::Result;

use super::gain::{GAIN_ONE, SLOPE};
use super::{Arguments, Kind, Parameter, Reads, Scheme, Site, example, spelling};
use crate::law::{Law, OrthogonalMethod};

/// The largest smaller dimension for which the singular value decomposition is taken when no method is asked for; beyond,
/// it would take minutes.
const LARGEST_SVD: u64 = 512;

pub(super) const ROWS: &[Scheme] = &[Scheme {
    name: "orthogonal",
    summary: "orthonormal rows or columns, whichever are fewer, times gain",
    formula: "W = gain Q, Q Haar-distributed with Q Q' = I or Q' Q = I; more than two axes are flattened to outputs x (inputs, kernel) as the layout says",
    source: "Saxe, McClelland and Ganguli 2014, Exact solutions to the nonlinear dynamics of learning in deep linear neural networks",
    ranks: "two or more axes",
    parameters: &[
        GAIN_ONE,
        SLOPE,
        Parameter {
            name: "method",
            kind: Kind::Choice(&["svd", "reflectors"]),
            default: None,
            help: "singular vectors of a Gaussian matrix, or a product of random reflections (Stewart 1980); both exact in law. Where it is not given: svd up to 512 in the smaller dimension, reflectors beyond",
        },
    ],
    bare: Some("gain"),
    aliases: &["saxe"],
    spellings: &[
        spelling("torch", "orthogonal_", "orthogonal"),
        spelling("keras", "Orthogonal", "orthogonal"),
        spelling("keras", "OrthogonalInitializer", "orthogonal"),
        spelling("tensorflow", "orthogonal_initializer", "orthogonal"),
        spelling("jax", "orthogonal", "orthogonal"),
        spelling("lasagne", "Orthogonal", "orthogonal"),
        spelling("haiku", "Orthogonal", "orthogonal"),
        spelling("mxnet", "Orthogonal", "orthogonal:gain=1.414"),
        spelling("chainer", "Orthogonal", "orthogonal:gain=1.1"),
        spelling("flux", "orthogonal", "orthogonal"),
        spelling("mlx", "orthogonal", "orthogonal"),
        spelling("burn", "Orthogonal", "orthogonal"),
    ],
    reads: Reads::Matrices,
    example: example("orthogonal"),
    law: orthogonal,
}];

fn orthogonal(arguments: &mut Arguments, site: &Site) -> Result<Law> {
    let unfolding = site.unfolding()?;
    let smaller = unfolding.rows().min(unfolding.columns());
    if !arguments.given("method") {
        arguments.set("method", if smaller <= LARGEST_SVD { "svd" } else { "reflectors" });
    }
    let method = match arguments.word("method") {
        Some("svd") => OrthogonalMethod::Svd,
        _ => OrthogonalMethod::Reflectors,
    };
    Ok(Law::Orthogonal { gain: arguments.gain()?, method, unfolding })
}
