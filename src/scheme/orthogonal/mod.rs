//! Orthogonal matrices and schemes built from them.

mod aware;
mod convolution;
mod delta;
mod features;
mod glorot;
mod nguyen_widrow;
mod parts;
mod skew;

pub(super) use delta::delta_orthogonal;

use anyhow::{Result, ensure};

use super::common::LAYERS;
use super::gain::{GAIN, SLOPE};
use super::{Arguments, Choice, EMPTY, Parameter, Requires, Scheme, Site, choice, example, example_on};
use crate::distribution::{Distribution, OrthogonalMethod};
use crate::tensor::{Unfolding, to_f64};

/// The largest smaller dimension that defaults to the singular value decomposition. Larger ones would take minutes.
const LARGEST_SVD: u64 = 512;

pub(super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "orthogonal",
        summary: "orthonormal rows or columns, whichever are fewer, times gain",
        formula: "W = gain Q, Q Haar-distributed with Q Q' = I or Q' Q = I; more than two axes are flattened to outputs x (inputs, kernel) by the layout. Frameworks flatten by position, which differs for transposed convolutions (omit `transposed` to match), attention in Keras and JAX (--layout iio) and c01b in Lasagne (--layout okki)",
        source: "Saxe, McClelland and Ganguli 2014, Exact solutions to the nonlinear dynamics of learning in deep linear neural networks",
        ranks: "two or more axes",
        parameters: &[&GAIN, &SLOPE, &METHOD, &MODE],
        bare: Some(GAIN.name),
        order: &[GAIN.name],
        aliases: &["saxe"],
        requires: Requires::Matrices,
        example: example("orthogonal"),
        distribution: orthogonal,
        ..EMPTY
    },
    Scheme {
        name: "scaled-orthogonal",
        summary: "orthogonal with the gain of a deep residual network",
        formula: "W = gain Q, gain = sqrt(2 / layers), Q as in orthogonal",
        source: "GPT-NeoX, scaled_orthogonal",
        ranks: "two or more axes",
        parameters: &[&LAYERS.help("the number of layers of the network, 1 or more; required"), &METHOD, &MODE],
        bare: Some(LAYERS.name),
        requires: Requires::Matrices,
        example: example("scaled-orthogonal:layers=12"),
        distribution: |arguments, site| {
            let layers = arguments.optional(&LAYERS).unwrap_or(0);
            ensure!(layers > 0, "layers is required, 1 or more, as in `scaled-orthogonal:layers=12`");
            with_gain((2.0 / to_f64(layers)).sqrt(), arguments, site)
        },
        ..EMPTY
    },
    delta::ROW,
    convolution::ROW,
    aware::ROW,
    features::ROW,
    skew::ROW,
    glorot::ROW,
    nguyen_widrow::ROW,
];

impl Choice for OrthogonalMethod {
    const WORDS: &'static [&'static str] = &["svd", "householder"];
    const ALL: &'static [Self] = &[Self::Svd, Self::Householder];
}

pub(super) const METHOD: Parameter<OrthogonalMethod> = Parameter::new(
    "method",
    "singular vectors of a Gaussian matrix, or a product of random reflections (Stewart 1980); both exactly Haar-distributed [default: svd up to 512 in the smaller dimension, householder beyond]",
);
choice! {
    /// The required form.
    pub(super) enum Mode { Projection = "projection", Embedding = "embedding", Basis = "basis" }
}
pub(super) const MODE: Parameter<Mode> = Parameter::new(
    "mode",
    "the required form, as in Chainer: projection has no more outputs than inputs, embedding no fewer, basis as many [default: any]",
);

pub(super) fn orthogonal(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let gain = arguments.gain()?;
    with_gain(gain, arguments, site)
}

/// An orthogonal distribution with a gain, by the given method and mode.
fn with_gain(gain: f64, arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let unfolding = site.unfolding()?;
    check_mode(arguments, &unfolding)?;
    let smaller = unfolding.rows().min(unfolding.columns());
    let default = if smaller <= LARGEST_SVD { OrthogonalMethod::Svd } else { OrthogonalMethod::Householder };
    let method = arguments.optional(&METHOD).unwrap_or(default);
    arguments.set(&METHOD, &method);
    Ok(Distribution::Orthogonal { gain, method, unfolding })
}

fn check_mode(arguments: &Arguments, unfolding: &Unfolding) -> Result<()> {
    let (rows, columns) = (unfolding.rows(), unfolding.columns());
    let Some(mode) = arguments.optional(&MODE) else { return Ok(()) };
    let (relation, fits) = match mode {
        Mode::Projection => ("no more outputs than", rows <= columns),
        Mode::Embedding => ("no fewer outputs than", rows >= columns),
        Mode::Basis => ("as many outputs as", rows == columns),
    };
    ensure!(fits, "mode={} needs {relation} inputs, but there are {rows} outputs and {columns} inputs", mode.word());
    Ok(())
}
