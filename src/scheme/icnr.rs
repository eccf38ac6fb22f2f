//! Convolutions before a pixel shuffle (ICNR).

use std::sync::Arc;

use anyhow::{Context, Result, ensure};

use super::common::STD;
use super::gain::{self, GAIN, GainArgument, SLOPE};
use super::kernel_tap::kernel_axes;
use super::{Arguments, EMPTY, Parameter, Requires, Scheme, Site, choice, example_on};
use crate::distribution::{Distribution, Joint, Moments, NORMAL_REACH, RandomStreams, bytes_of};
use crate::statistics::marginal::Marginal;
use crate::tensor::{MatrixIndex, Unfolding, to_f64, to_usize};

const SCALE: Parameter<u64> = Parameter::new("scale", "the upscaling factor, 1 or more").default("2");
choice! {
    /// The outputs that form one upsampled pixel.
    enum Shuffle { PixelShuffle = "pixel-shuffle", DepthToSpace = "depth-to-space" }
}
const SHUFFLE: Parameter<Shuffle> = Parameter::new("shuffle", "the outputs that form one pixel: r consecutive ones, as in torch's PixelShuffle, or every (outputs/r)th, as in TensorFlow's depth_to_space").default("pixel-shuffle");
choice! {
    enum Kernels { Normal = "normal", Uniform = "uniform" }
}
const DISTRIBUTION: Parameter<Kernels> =
    Parameter::new("distribution", "the distribution of the kernels").default("normal");

pub(super) const ROWS: &[Scheme] = &[Scheme {
    name: "icnr",
    summary: "a convolution before a pixel shuffle; together they start as a convolution with nearest-neighbour upsampling",
    formula: "r = scale^(kernel axes) outputs, those of one enlarged pixel, share one kernel of N(0, s^2) (or uniform of that s); s = std, or gain / sqrt(fan_in)",
    source: "Aitken, Ledig, Theis, Caballero, Wang and Shi 2017, Checkerboard artifact free sub-pixel convolution; fast.ai icnr_init",
    ranks: "one or more kernel axes",
    parameters: &[
        &SCALE,
        &SHUFFLE,
        &GAIN
            .without_default()
            .help("a number, or an activation (`fanin list gains`) [default: relu, if std is not given]"),
        &SLOPE,
        &STD.help("the standard deviation, 0 or more [default: from gain]"),
        &DISTRIBUTION,
    ],
    bare: Some(SCALE.name),
    requires: Requires::Matrices,
    example: example_on("icnr", "32x8x3x3", "torch"),
    distribution: icnr,
    ..EMPTY
}];

fn icnr(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let kernels = kernel_axes(&site.axes()?);
    ensure!(kernels > 0, "this scheme needs a kernel axis, but layout `{}` gives none", site.layout);
    let unfolding = site.unfolding()?;
    let (scale, rows) = (arguments.optional(&SCALE).unwrap_or(2), unfolding.rows());
    let copies = u32::try_from(kernels).ok().and_then(|kernels| scale.checked_pow(kernels));
    let copies = copies
        .filter(|&copies| copies > 0 && rows % copies == 0)
        .with_context(|| format!("scale is {scale}: {scale}^{kernels} must divide the {rows} outputs"))?;
    ensure!(!(arguments.given(&STD) && arguments.given(&GAIN)), "use std or gain, not both");
    if !arguments.given(&STD) && !arguments.given(&GAIN) {
        arguments.set(&GAIN, &gain::find("relu").map(GainArgument::Named)?);
    }
    let std = match arguments.given(&STD) {
        true => arguments.nonnegative(&STD)?,
        false => arguments.gain()? / to_f64(site.fan_in()?.max(1)).sqrt(),
    };
    ensure!(std >= 0.0, "gain is {}: it must be 0 or more", arguments.text(&GAIN));
    let uniform = arguments.value(&DISTRIBUTION)? == Kernels::Uniform;
    let in_a_row = arguments.value(&SHUFFLE)? == Shuffle::PixelShuffle;
    Ok(Distribution::Joint(Arc::new(Icnr { std, uniform, copies, in_a_row, unfolding })))
}

/// Kernels that are shared by several outputs.
#[derive(Debug)]
struct Icnr {
    std: f64,
    uniform: bool,
    /// The number of outputs that share a kernel.
    copies: u64,
    /// True if these outputs are consecutive.
    in_a_row: bool,
    unfolding: Unfolding,
}

impl Icnr {
    fn count(&self) -> u64 {
        self.unfolding.count() / self.copies
    }

    /// The index of the drawn value for a position.
    fn drawn(&self, MatrixIndex { matrix, row, column }: MatrixIndex) -> u64 {
        let kernels = self.unfolding.rows() / self.copies;
        let kernel = if self.in_a_row { row / self.copies } else { row % kernels };
        (matrix * kernels + kernel) * self.unfolding.columns() + column
    }
}

impl Moments for Icnr {
    fn mean(&self) -> Option<f64> {
        Some(0.0)
    }

    fn std(&self) -> Option<f64> {
        Some(self.std)
    }

    fn marginal(&self) -> Option<Marginal> {
        let bound = 3f64.sqrt() * self.std;
        match self.uniform && bound > 0.0 {
            true => Distribution::Uniform { low: -bound, high: bound },
            false => Distribution::Normal { mean: 0.0, std: self.std },
        }
        .marginal(self.unfolding.count())
    }

    fn max_abs(&self) -> f64 {
        NORMAL_REACH * self.std
    }
}

impl Joint for Icnr {
    fn draw(&self, draws: &dyn RandomStreams) -> Vec<f64> {
        let mut drawn = vec![0.0; to_usize(self.count())];
        let scale = if self.uniform {
            draws.signed_uniforms(0, &mut drawn);
            3f64.sqrt() * self.std
        } else {
            draws.normals(0, &mut drawn);
            self.std
        };
        self.unfolding.places().map(|place| scale * drawn[to_usize(self.drawn(place))]).collect()
    }

    fn workspace(&self) -> u64 {
        bytes_of(&[&[self.unfolding.count()], &[self.count()]])
    }
}
