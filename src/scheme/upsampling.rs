//! Convolutions that upsample by interpolation.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};

use super::kernel_tap::{kernel_axes, widths};
use super::{Arguments, EMPTY, Parameter, Requires, Scheme, Site, choice, example_on};
use crate::distribution::{Deterministic, Distribution, Moments};
use crate::tensor::{Axes, AxisRole, to_f64};

choice! {
    /// The centre of the kernel.
    enum Centre { Exact = "exact", Mxnet = "mxnet" }
}
const CENTRE: Parameter<Centre> =
    Parameter::new("centre", "exact: the centre of the kernel; mxnet: the one that MXNet and Paddle compute")
        .default("exact");
const SHEARED: Parameter<bool> = Parameter::new("sheared", "increase y along a row too, by x/k, as in Paddle");

pub(super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "bilinear",
        summary: "bilinear interpolation from every input to every output: for transposed convolutions of stride ceil(k/2)",
        formula: "w = (1 - |x/f - c|) (1 - |y/f - c|), f = ceil(k/2), c = (k - 1) / (2f); with centre=mxnet c = (2f - 1 - f mod 2) / (2f), which is off the centre unless k mod 4 is 0 or 1",
        source: "Long, Shelhamer and Darrell 2015, Fully convolutional networks; Caffe BilinearFiller",
        ranks: "two kernel axes of equal size",
        parameters: &[&CENTRE, &SHEARED],
        requires: Requires::Matrices,
        example: example_on("bilinear", "3x2x4x4", "torch"),
        distribution: bilinear,
        ..EMPTY
    },
    Scheme {
        name: "linear-upsampling",
        summary: "linear interpolation of each channel: for transposed convolutions of stride ceil(k/2), of any number of kernel axes",
        formula: "w[c, c, x..] = product over the kernel axes of 1 - |x - (k - 1)/2| / f, f = ceil(k/2), and 0 between different channels; with a single input or output, between every pair",
        source: "Chainer UpsamplingDeconvFilter; Long, Shelhamer and Darrell 2015, Fully convolutional networks",
        ranks: "one or more kernel axes of equal size",
        requires: Requires::Matrices,
        example: example_on("linear-upsampling", "3x3x4x4", "torch"),
        distribution: |_, site| linear(site, |_| 1.0),
        ..EMPTY
    },
    Scheme {
        name: "linear-downsampling",
        summary: "a weighted average: linear-upsampling with weights that sum to 1 for each output",
        formula: "linear-upsampling divided by its sum, f^(kernel axes)",
        source: "Chainer DownsamplingConvFilter",
        ranks: "one or more kernel axes of equal size",
        requires: Requires::Matrices,
        example: example_on("linear-downsampling", "3x3x4x4", "torch"),
        distribution: |_, site| linear(site, |sum| sum),
        ..EMPTY
    },
];

fn bilinear(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let (axes, size) = kernel(site)?;
    let kernels = kernel_axes(&axes);
    ensure!(
        kernels == 2,
        "this scheme needs two kernel axes, but layout `{}` gives {kernels}: use linear-upsampling or another --layout",
        site.layout
    );
    let factor = to_f64(size.div_ceil(2));
    let centre = match arguments.value(&CENTRE)? {
        Centre::Mxnet => (2.0 * factor - 1.0 - factor % 2.0) / 2.0,
        Centre::Exact => (to_f64(size.max(1)) - 1.0) / 2.0,
    };
    let sheared = arguments.flag(&SHEARED);
    Ok(Distribution::Deterministic(Arc::new(Tent { factor, centre, sheared, diagonal: false, sum: 1.0, axes })))
}

fn linear(site: &Site, divisor: fn(f64) -> f64) -> Result<Distribution> {
    let (axes, size) = kernel(site)?;
    let (outputs, inputs) = widths(&axes);
    ensure!(
        outputs == inputs || outputs == 1 || inputs == 1,
        "this scheme needs as many outputs as inputs, or one of either, not {outputs} and {inputs}"
    );
    let (factor, centre) = (to_f64(size.div_ceil(2)), (to_f64(size.max(1)) - 1.0) / 2.0);
    let total: f64 = (0..kernel_axes(&axes)).map(|_| factor).product();
    let diagonal = outputs == inputs;
    Ok(Distribution::Deterministic(Arc::new(Tent {
        factor,
        centre,
        sheared: false,
        diagonal,
        sum: divisor(total),
        axes,
    })))
}

/// The axes of a convolution and its kernel size along each.
fn kernel(site: &Site) -> Result<(Axes, u64)> {
    let axes = site.axes()?;
    let sizes: Vec<u64> = axes.iter().filter(|(role, _)| *role == AxisRole::Kernel).map(|(_, size)| size).collect();
    let size = *sizes
        .first()
        .with_context(|| format!("this scheme needs a kernel axis, but layout `{}` gives none", site.layout))?;
    if let Some(other) = sizes.iter().find(|&&other| other != size) {
        anyhow::bail!("the kernel axes have sizes {size} and {other}: they must be equal");
    }
    Ok((axes, size))
}

/// A kernel that decreases linearly along each axis.
#[derive(Debug)]
struct Tent {
    /// The distance from the centre at which it reaches 0.
    factor: f64,
    centre: f64,
    /// True if the first coordinate grows along the second.
    sheared: bool,
    /// True if elements between different channels are zero.
    diagonal: bool,
    /// The divisor.
    sum: f64,
    axes: Axes,
}

impl Moments for Tent {
    fn max_abs(&self) -> f64 {
        1.0
    }
}

impl Deterministic for Tent {
    fn value(&self, index: u64) -> f64 {
        let (output, input) = self.axes.channels(index);
        if self.diagonal && output != input {
            return 0.0;
        }
        let (mut height, mut shear) = (1.0, 0.0);
        for (_, size, at) in self.axes.coordinates(index).filter(|(role, ..)| *role == AxisRole::Kernel) {
            height *= 1.0 - (to_f64(at) + shear - self.centre).abs() / self.factor;
            shear = if self.sheared { to_f64(at) / to_f64(size) } else { 0.0 };
        }
        height / self.sum
    }
}
