//! Orthogonal matrices, and what is made of them.

mod aware;
mod convolution;
mod delta;
mod features;
mod glorot;
mod nguyen_widrow;
mod parts;
mod skew;

use anyhow::{Result, ensure};

use super::gain::{GAIN_ONE, SLOPE};
use super::{Arguments, Kind, Parameter, Reads, Scheme, Site, example, example_on, spelling};
use crate::law::{Law, OrthogonalMethod};
use crate::tensor::{Unfolding, as_float};

/// The largest smaller dimension for which the singular value decomposition is taken when no method is asked for; beyond,
/// it would take minutes.
const LARGEST_SVD: u64 = 512;

pub(super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "orthogonal",
        summary: "orthonormal rows or columns, whichever are fewer, times gain",
        formula: "W = gain Q, Q Haar-distributed with Q Q' = I or Q' Q = I; more than two axes are flattened to outputs x (inputs, kernel) as the layout says. Frameworks flatten by position, which differs for transposed convolutions (omit `transposed` to match), attention in Keras and JAX (--layout iio) and c01b in Lasagne (--layout okki)",
        source: "Saxe, McClelland and Ganguli 2014, Exact solutions to the nonlinear dynamics of learning in deep linear neural networks",
        ranks: "two or more axes",
        parameters: &[GAIN_ONE, SLOPE, METHOD, MODE],
        bare: Some("gain"),
        aliases: &["saxe"],
        spellings: &[
            spelling("torch", "orthogonal_", "orthogonal"),
            spelling("keras", "Orthogonal", "orthogonal"),
            spelling("keras", "OrthogonalInitializer", "orthogonal"),
            spelling("tensorflow", "orthogonal_initializer", "orthogonal"),
            spelling("tensorflow", "Orthogonal", "orthogonal"),
            spelling("tfjs", "orthogonal", "orthogonal"),
            spelling("jax", "orthogonal", "orthogonal"),
            spelling("flax", "orthogonal", "orthogonal"),
            spelling("haiku", "Orthogonal", "orthogonal"),
            spelling("sonnet", "Orthogonal", "orthogonal"),
            // Singular vectors whose signs LAPACK decides; here they are random.
            spelling("lasagne", "Orthogonal", "orthogonal"),
            spelling("theano", "ortho_weight", "orthogonal"),
            // Those of a uniform matrix, which is Haar's law but nearly.
            spelling("mxnet", "Orthogonal", "orthogonal:gain=1.414"),
            spelling("chainer", "Orthogonal", "orthogonal:gain=1.1"),
            spelling("flux", "orthogonal", "orthogonal"),
            spelling("lux", "orthogonal", "orthogonal"),
            spelling("axon", "orthogonal", "orthogonal"),
            spelling("mlx", "orthogonal", "orthogonal"),
            spelling("paddle", "Orthogonal", "orthogonal"),
            spelling("mindspore", "Orthogonal", "orthogonal"),
            spelling("nnabla", "OrthogonalInitializer", "orthogonal"),
            spelling("burn", "Orthogonal", "orthogonal"),
            spelling("tch", "Orthogonal", "orthogonal"),
            // Newer versions hand it arguments in the wrong order and always raise; this is what its function draws.
            spelling("neox", "orthogonal", "orthogonal:gain=relu"),
            spelling("reservoirpy", "orthogonal", "orthogonal"),
            spelling("scipy", "ortho_group", "orthogonal"),
        ],
        reads: Reads::Matrices,
        example: example("orthogonal"),
        law: |arguments, site| {
            let gain = arguments.gain()?;
            orthogonal(gain, arguments, site)
        },
    },
    Scheme {
        name: "scaled-orthogonal",
        summary: "orthogonal with the gain of a deep residual network",
        formula: "W = gain Q, gain = sqrt(2 / layers), Q as in orthogonal",
        source: "GPT-NeoX, scaled_orthogonal",
        ranks: "two or more axes",
        parameters: &[
            Parameter {
                name: "layers",
                kind: Kind::Count,
                default: None,
                help: "the number of layers of the network, 1 or more; required",
            },
            METHOD,
            MODE,
        ],
        bare: Some("layers"),
        aliases: &[],
        spellings: &[spelling("neox", "scaled_orthogonal", "scaled-orthogonal:layers=1")],
        reads: Reads::Matrices,
        example: example("scaled-orthogonal:layers=12"),
        law: |arguments, site| {
            let layers = arguments.optional_count("layers").unwrap_or(0);
            ensure!(layers > 0, "layers is required, 1 or more, as in `scaled-orthogonal:layers=12`");
            orthogonal((2.0 / as_float(layers)).sqrt(), arguments, site)
        },
    },
    delta::ROW,
    convolution::ROW,
    aware::ROW,
    features::ROW,
    skew::ROW,
    glorot::ROW,
    nguyen_widrow::ROW,
];

const METHOD: Parameter = Parameter {
    name: "method",
    kind: Kind::Choice(&["svd", "reflectors"]),
    default: None,
    help: "singular vectors of a Gaussian matrix, or a product of random reflections (Stewart 1980); both exactly Haar-distributed [default: svd up to 512 in the smaller dimension, reflectors beyond]",
};
const MODE: Parameter = Parameter {
    name: "mode",
    kind: Kind::Choice(&["projection", "embedding", "basis"]),
    default: None,
    help: "the required form, as in Chainer: projection has no more outputs than inputs, embedding no fewer, basis as many [default: any]",
};

/// An orthogonal law of a gain, by the method and mode that the arguments name.
fn orthogonal(gain: f64, arguments: &mut Arguments, site: &Site) -> Result<Law> {
    let unfolding = site.unfolding()?;
    check_mode(arguments, &unfolding)?;
    let smaller = unfolding.rows().min(unfolding.columns());
    if !arguments.given("method") {
        arguments.set("method", if smaller <= LARGEST_SVD { "svd" } else { "reflectors" });
    }
    let method = match arguments.word("method") {
        Some("svd") => OrthogonalMethod::Svd,
        _ => OrthogonalMethod::Reflectors,
    };
    Ok(Law::Orthogonal { gain, method, unfolding })
}

fn check_mode(arguments: &Arguments, unfolding: &Unfolding) -> Result<()> {
    let (rows, columns) = (unfolding.rows(), unfolding.columns());
    let (mode, relation, fits) = match arguments.word("mode") {
        Some("projection") => ("projection", "no more outputs than", rows <= columns),
        Some("embedding") => ("embedding", "no fewer outputs than", rows >= columns),
        Some(_) => ("basis", "as many outputs as", rows == columns),
        None => return Ok(()),
    };
    ensure!(fits, "mode={mode} has {relation} inputs, and here are {rows} outputs and {columns} inputs");
    Ok(())
}
