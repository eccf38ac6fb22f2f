//! A windowed Fourier basis, with exact angles or with a framework's rounding.

use std::f64::consts::{PI, TAU};
use std::sync::Arc;

use anyhow::{Result, ensure};

use super::window::{Normalisation, Window};
use super::{PERIODIC, SCALING, SIDE, Side, WINDOW};
use crate::distribution::{Deterministic, Distribution, Moments};
use crate::scheme::kernel_tap::{kernel_axes, widths};
use crate::scheme::{Arguments, Site};
use crate::tensor::{Axes, AxisRole, DType, to_f64};

/// The arithmetic of a framework that rounds every step, which shifts the angles of long kernels.
#[derive(Clone, Copy, Debug)]
pub(in crate::scheme) struct Steps {
    /// The type of the angles.
    pub(in crate::scheme) angle: DType,
    /// The type of pi, of sines and of roots.
    pub(in crate::scheme) wave: DType,
    /// The type of the window and of products with it.
    pub(in crate::scheme) product: DType,
    /// True if frequencies are multiplied by the reciprocal of the period, not divided by it.
    pub(in crate::scheme) reciprocal: bool,
    /// True if the period is rounded to the angles' type.
    pub(in crate::scheme) rounds_period: bool,
    /// True if a sum is rounded after each term, which loses small ones.
    pub(in crate::scheme) rounds_sums: bool,
}

/// The longest kernel with a window summed term by term.
const LONGEST: u64 = 1 << 24;

impl Steps {
    /// The divisor of the window.
    fn scale(self, window: &Window, length: u64, normalisation: Normalisation) -> Result<f64> {
        let of = self.product;
        let term = |place| match (of.round(window.value(place)), normalisation) {
            (value, Normalisation::Density) => of.round(value * value),
            (value, _) => value.abs(),
        };
        let root = |sum: f64| self.wave.round(of.round(sum).sqrt());
        Ok(match normalisation {
            Normalisation::None => 1.0,
            _ if self.rounds_sums => {
                ensure!(length <= LONGEST, "the kernel has size {length}: the limit is 2^24");
                let sum = (0..length).fold(0.0, |sum, place| of.round(sum + term(place)));
                if matches!(normalisation, Normalisation::Density) { root(sum) } else { sum }
            }
            Normalisation::Density => root(window.sum(Normalisation::Density).powi(2)),
            Normalisation::Spectrum => of.round(window.sum(Normalisation::Spectrum)),
        })
    }

    /// The cosine or sine of -2 pi time frequency / period.
    fn wave(self, imaginary: bool, [time, frequency, period]: [u64; 3]) -> f64 {
        let [time, frequency, period] = [time, frequency, period].map(to_f64);
        let round = |value: f64| self.angle.round(value);
        let period = if self.rounds_period { round(period) } else { period };
        let frequency = match self.reciprocal {
            true => round(round(frequency) * round(1.0 / period)),
            false => round(round(frequency) / period),
        };
        let angle = round(round(round(-2.0 * round(time)) * frequency) * self.wave.round(PI));
        let angle = self.wave.round(angle);
        self.wave.round(if imaginary { libm::sin(angle) } else { libm::cos(angle) })
    }
}

/// The distribution of `stft`, by a framework's steps if given.
pub(in crate::scheme) fn stft(arguments: &mut Arguments, site: &Site, steps: Option<Steps>) -> Result<Distribution> {
    let axes = site.axes()?;
    let ((outputs, inputs), kernel) = (widths(&axes), kernel_axes(&axes));
    ensure!(
        kernel == 1 && inputs == 1,
        "this scheme needs one kernel axis and one input, but layout `{}` gives {kernel} and {inputs}",
        site.layout
    );
    ensure!(outputs != 1, "this scheme needs two or more outputs, one per frequency, not 1");
    let length = axes.product(|role| role == AxisRole::Kernel);
    let normalisation = arguments.value(&SCALING)?;
    let window = Window::new(arguments.value(&WINDOW)?, length, arguments.flag(&PERIODIC));
    let scale = match (&window, steps) {
        // An empty kernel has nothing to scale.
        _ if length == 0 => 1.0,
        (None, _) => 1.0,
        (Some(window), None) => window.sum(normalisation),
        (Some(window), Some(steps)) => steps.scale(window, length, normalisation)?,
    };
    ensure!(scale > 0.0, "the window of size {length} is zero everywhere: use a longer kernel, or scaling=none");
    let imaginary = arguments.value(&SIDE)? == Side::Imaginary;
    Ok(Distribution::Deterministic(Arc::new(Stft { imaginary, window, scale, frequencies: outputs, axes, steps })))
}

/// One part of a windowed Fourier basis.
#[derive(Debug)]
struct Stft {
    imaginary: bool,
    window: Option<Window>,
    scale: f64,
    frequencies: u64,
    axes: Axes,
    steps: Option<Steps>,
}

impl Moments for Stft {
    fn max_abs(&self) -> f64 {
        1.0 / self.scale
    }
}

impl Deterministic for Stft {
    fn value(&self, index: u64) -> f64 {
        let [time, frequency, _] = self.axes.place(index, |role| match role {
            AxisRole::Kernel => 0,
            AxisRole::Out => 1,
            AxisRole::In | AxisRole::Batch | AxisRole::Group => 2,
        });
        let period = 2 * (self.frequencies - 1);
        let window = self.window.as_ref().map_or(1.0, |window| window.value(time));
        if let Some(steps) = self.steps {
            let round = |value: f64| steps.product.round(value);
            let wave = steps.wave(self.imaginary, [time, frequency, period]);
            return round(round(wave * round(window)) / self.scale);
        }
        // The angle is reduced in integers, which is exact.
        let steps = u128::from(time) * u128::from(frequency) % u128::from(period);
        let angle = -TAU * to_f64(u64::try_from(steps).unwrap_or(0)) / to_f64(period);
        let wave = if self.imaginary { libm::sin(angle) } else { libm::cos(angle) };
        wave * window / self.scale
    }
}
