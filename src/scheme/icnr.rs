//! Convolutions before a pixel shuffle.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};

use super::gain::{GAIN_ONE, SLOPE};
use super::kernel_tap::kernel_axes;
use super::{Arguments, Kind, Parameter, Requires, Scheme, Site, example_on};
use crate::distribution::{Distribution, Joint, Moments, NORMAL_REACH, RandomStreams, bytes_of};
use crate::tensor::{MatrixIndex, Unfolding, to_f64, to_usize};

pub(super) const ROWS: &[Scheme] = &[Scheme {
    name: "icnr",
    summary: "a convolution before a pixel shuffle; together they start as a convolution with nearest-neighbour upsampling",
    formula: "r = scale^(kernel axes) outputs, those of one enlarged pixel, share one kernel of N(0, s^2) (or uniform of that s); s = std, or gain / sqrt(fan_in)",
    source: "Aitken, Ledig, Theis, Caballero, Wang and Shi 2017, Checkerboard artifact free sub-pixel convolution; fast.ai icnr_init",
    ranks: "one or more kernel axes",
    parameters: &[
        Parameter { name: "scale", kind: Kind::Count, default: Some("2"), help: "the upscaling factor, 1 or more" },
        Parameter {
            name: "shuffle",
            kind: Kind::Choice(&["pixel-shuffle", "depth-to-space"]),
            default: Some("pixel-shuffle"),
            help: "the outputs that form one pixel: r in a row, as in torch's PixelShuffle, or every (outputs/r)th, as in TensorFlow's depth_to_space",
        },
        Parameter {
            default: None,
            help: "a number, or an activation (`fanin list gains`) [default: relu, if std is not given]",
            ..GAIN_ONE
        },
        SLOPE,
        Parameter {
            name: "std",
            kind: Kind::Number,
            default: None,
            help: "the standard deviation, 0 or more [default: from gain]",
        },
        Parameter {
            name: "distribution",
            kind: Kind::Choice(&["normal", "uniform"]),
            default: Some("normal"),
            help: "the distribution of the kernels",
        },
    ],
    bare: Some("scale"),
    aliases: &[],
    requires: Requires::Matrices,
    example: example_on("icnr", "32x8x3x3", "torch"),
    distribution: icnr,
}];

fn icnr(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let kernels = kernel_axes(&site.axes()?);
    ensure!(
        kernels > 0,
        "it is for convolutions, and shape {} has no kernel axis in layout `{}`",
        site.shape,
        site.layout
    );
    let unfolding = site.unfolding()?;
    let (scale, rows) = (arguments.optional_count("scale").unwrap_or(2), unfolding.rows());
    let copies = u32::try_from(kernels).ok().and_then(|kernels| scale.checked_pow(kernels));
    let copies = copies.filter(|&copies| copies > 0 && rows % copies == 0).with_context(|| {
        format!("scale is {scale}: {scale}^{kernels} must divide the {rows} outputs of shape {}", site.shape)
    })?;
    ensure!(!(arguments.given("std") && arguments.given("gain")), "it takes std or gain, not both");
    if !arguments.given("std") && !arguments.given("gain") {
        arguments.set("gain", "relu");
    }
    let std = match arguments.given("std") {
        true => arguments.nonnegative("std")?,
        false => arguments.gain()? / to_f64(site.fan_in()?.max(1)).sqrt(),
    };
    ensure!(std >= 0.0, "gain is {}: it must be 0 or more", arguments.typed("gain"));
    let uniform = arguments.word("distribution") == Some("uniform");
    let in_a_row = arguments.word("shuffle") == Some("pixel-shuffle");
    Ok(Distribution::Joint(Arc::new(Icnr { std, uniform, copies, in_a_row, unfolding })))
}

/// Kernels that several outputs share.
#[derive(Debug)]
struct Icnr {
    std: f64,
    uniform: bool,
    /// How many outputs share a kernel.
    copies: u64,
    /// Whether those follow one another.
    in_a_row: bool,
    unfolding: Unfolding,
}

impl Icnr {
    /// How many values are drawn.
    fn count(&self) -> u64 {
        self.unfolding.count() / self.copies
    }

    /// Which of them the element at a place is.
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
