//! Weights that pass every channel through unchanged.

use anyhow::{Result, ensure};

use super::kernel_tap::{CENTRE, Tap, kernel_axes, widths};
use super::{Arguments, EMPTY, Parameter, Requires, Scheme, Site, example_on};
use crate::distribution::{Deterministic, Distribution, Moments};
use crate::tensor::{Axes, AxisRole};
use std::sync::Arc;

const GAIN: Parameter<f64> = Parameter::new("gain", "the value of the non-zeros").default("1");
const SHIFT_IN: Parameter<f64> = Parameter::new("shift-in", "the circular shift along the inputs, a whole number");
const SHIFT_OUT: Parameter<f64> = Parameter::new(
    "shift-out",
    "the circular shift along the outputs; a shift of n leaves the first n outputs to another branch",
);

const SQUARE: Parameter<bool> =
    Parameter::new("square", "accept only square matrices, as Chainer, MLX and TensorFlow.js do");

pub(super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "identity",
        summary: "each output copies the input of the same index, at the centre of a kernel and in each weight of a batch",
        formula: "w[out, in, tap] = gain if out = in and the tap is the centre, else 0; out and in are counted after shift-out and shift-in; a bias (one axis) is 0",
        source: "Le, Jaitly and Hinton 2015, A simple way to initialize recurrent networks of rectified linear units; Flux identity_init",
        ranks: "any but scalars",
        parameters: &[&GAIN, &CENTRE, &SHIFT_IN, &SHIFT_OUT, &SQUARE],
        bare: Some(GAIN.name),
        aliases: &["eye", "irnn"],
        requires: Requires::Matrices,
        example: example_on("identity", "24x24", "io"),
        distribution: |arguments, site| match site.shape.rank() {
            0 => anyhow::bail!("this scheme needs one or more axes, not a scalar"),
            1 => Ok(Distribution::Constant { value: 0.0 }),
            _ => identity(arguments, site),
        },
        ..EMPTY
    },
    Scheme {
        name: "dirac",
        summary: "the identity of a convolution: the centre tap passes on each channel of each group",
        formula: "w[out, in, tap] = gain if out = in within a group and the tap is the centre, else 0",
        source: "Zagoruyko and Komodakis 2017, DiracNets; torch.nn.init.dirac_",
        ranks: "one to three kernel axes",
        parameters: &[&GAIN, &CENTRE.default("right")],
        bare: Some(GAIN.name),
        requires: Requires::Matrices,
        example: example_on("dirac", "16x8x3x3", "torch"),
        distribution: |arguments, site| {
            let kernel = kernel_axes(&site.axes()?);
            ensure!(
                (1..=3).contains(&kernel),
                "this scheme needs one to three kernel axes, but layout `{}` gives {kernel}: use identity or another --layout",
                site.layout
            );
            identity(arguments, site)
        },
        ..EMPTY
    },
];

fn identity(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let axes = site.unfolding().and_then(|_| site.axes())?;
    ensure!(axes.has(|role| role == AxisRole::In), "layout `{}` has no input axis: use another --layout", site.layout);
    let (outputs, inputs) = widths(&axes);
    if arguments.if_listed(&SQUARE) == Some(true) {
        let square = outputs == inputs && kernel_axes(&axes) == 0;
        ensure!(square, "the weight is not a square matrix: omit square=true");
    }
    let shift = [shift(arguments, &SHIFT_OUT, outputs)?, shift(arguments, &SHIFT_IN, inputs)?];
    let gain = arguments.value(&GAIN)?;
    Ok(Distribution::Deterministic(Arc::new(Identity { gain, tap: arguments.value(&CENTRE)?, shift, axes })))
}

/// A shift as a number of positions forward, less than `places`.
fn shift(arguments: &Arguments, parameter: &Parameter<f64>, places: u64) -> Result<u64> {
    let (name, shift) = (parameter.name, arguments.if_listed(parameter).unwrap_or(0.0));
    #[expect(clippy::cast_possible_truncation, reason = "a whole number of at most 15 digits is required")]
    let whole = shift as i64;
    ensure!(shift.fract() == 0.0 && shift.abs() < 1e15, "{name} is {shift}: it must be a whole number");
    Ok(whole.rem_euclid(i64::try_from(places.max(1))?).unsigned_abs())
}

#[derive(Debug)]
struct Identity {
    gain: f64,
    tap: Tap,
    /// The shifts of outputs and inputs.
    shift: [u64; 2],
    axes: Axes,
}

impl Moments for Identity {
    fn max_abs(&self) -> f64 {
        self.gain.abs()
    }
}

impl Deterministic for Identity {
    fn value(&self, index: u64) -> f64 {
        let (outputs, inputs) = widths(&self.axes);
        let on_diagonal = self.tap.channels(&self.axes, index).is_some_and(|(output, input)| {
            (output + outputs - self.shift[0]) % outputs == (input + inputs - self.shift[1]) % inputs
        });
        if on_diagonal { self.gain } else { 0.0 }
    }
}
