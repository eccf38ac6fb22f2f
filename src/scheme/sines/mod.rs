//! Tables of sines and cosines: positions and Fourier transforms.

use std::sync::Arc;

use anyhow::{Result, ensure};

use super::common::PADDING;
use super::{Arguments, EMPTY, Parameter, Requires, Scheme, Site, choice, example_on};
use crate::distribution::{Deterministic, Distribution, Moments};
use crate::tensor::to_f64;

mod stft;
mod window;
pub(super) use stft::{Steps, stft};
use window::{Normalisation, WindowKind};

choice! {
    enum Order { Interleaved = "interleaved", Concatenated = "concatenated" }
}
const ORDER: Parameter<Order> =
    Parameter::new("order", "each sine before its cosine, or all sines before all cosines").default("interleaved");
const ENDPOINT: Parameter<bool> =
    Parameter::new("endpoint", "end the last pair at max-timescale itself, not one step less").default("false");
const MAX_TIMESCALE: Parameter<f64> =
    Parameter::new("max-timescale", "the longest wavelength divided by 2 pi, 1 or more").default("10000");
choice! {
    /// A part of complex numbers.
    pub(super) enum Side { Real = "real", Imaginary = "imag" }
}
const SIDE: Parameter<Side> = Parameter::new("side", "the real or the imaginary part").default("real");
const WINDOW: Parameter<WindowKind> =
    Parameter::new("window", "the window over the kernel; none: no window and no scaling").default("hann");
const SCALING: Parameter<Normalisation> = Parameter::new("scaling", "the divisor of the window").default("density");
const PERIODIC: Parameter<bool> =
    Parameter::new("periodic", "use a periodic window instead of a symmetric one").default("false");

pub(super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "sinusoidal-positions",
        summary: "sines and cosines of each position, with wavelengths from 2 pi to 2 pi max-timescale",
        formula: "pairs sin(t), cos(t) of t = position max-timescale^(-i / n), i = 0 .. features/2 - 1, n = features/2, or features/2 - 1 with endpoint; w[padding, ..] = 0",
        source: "Vaswani et al. 2017, Attention is all you need; Whisper sinusoids",
        ranks: "two or more axes, the last two positions and features",
        parameters: &[&ORDER, &ENDPOINT, &MAX_TIMESCALE, &PADDING],
        aliases: &["positions", "sinusoidal"],
        example: example_on("sinusoidal-positions", "50x16", "io"),
        distribution: positions,
        ..EMPTY
    },
    Scheme {
        name: "stft",
        summary: "a windowed Fourier basis, for a convolution that computes spectrograms",
        formula: "w[t, f] = window(t) cos(a) (real) or sin(a) (imag) / scale, a = -2 pi t f / (2 (outputs - 1)); scale = sqrt(sum window^2) (density), sum |window| (spectrum), or 1 (none)",
        source: "Keras STFTInitializer",
        ranks: "a convolution of one kernel axis and one input",
        parameters: &[&SIDE, &WINDOW, &SCALING, &PERIODIC],
        bare: Some(SIDE.name),
        requires: Requires::Matrices,
        example: example_on("stft", "16x1x9", "keras"),
        distribution: |arguments, site| stft(arguments, site, None),
        ..EMPTY
    },
];

fn positions(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let [.., rows, features] = *site.shape.axes() else {
        anyhow::bail!("this scheme needs two or more axes, not {}", site.shape.rank());
    };
    ensure!(features % 2 == 0, "this scheme needs an even number of features, not {features}");
    let endpoint = arguments.flag(&ENDPOINT);
    ensure!(!endpoint || features != 2, "endpoint=true needs four or more features, not 2");
    let steps = (features / 2).max(1 + u64::from(endpoint)) - u64::from(endpoint);
    let longest = arguments.value(&MAX_TIMESCALE)?;
    ensure!(longest >= 1.0, "max-timescale is {}: it must be 1 or more", arguments.text(&MAX_TIMESCALE));
    let rate = -libm::log(longest) / to_f64(steps);
    let padding = arguments.optional_index(&PADDING, rows)?;
    let interleaved = arguments.value(&ORDER)? == Order::Interleaved;
    Ok(Distribution::Deterministic(Arc::new(Positions { rows, features, rate, interleaved, padding })))
}

/// Sines and cosines of positions.
#[derive(Debug)]
struct Positions {
    rows: u64,
    features: u64,
    /// The logarithm of the ratio of consecutive frequencies.
    rate: f64,
    interleaved: bool,
    /// The row of zeros.
    padding: Option<u64>,
}

impl Moments for Positions {
    fn max_abs(&self) -> f64 {
        1.0
    }
}

impl Deterministic for Positions {
    fn value(&self, index: u64) -> f64 {
        let (position, feature) = (index / self.features % self.rows, index % self.features);
        if self.padding == Some(position) {
            return 0.0;
        }
        let half = self.features / 2;
        let (pair, cosine) =
            if self.interleaved { (feature / 2, feature % 2 == 1) } else { (feature % half, feature >= half) };
        let angle = to_f64(position) * libm::exp(self.rate * to_f64(pair));
        if cosine { libm::cos(angle) } else { libm::sin(angle) }
    }
}
