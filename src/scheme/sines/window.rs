//! Windows that are sums of cosines (Harris 1978, On the use of windows for harmonic analysis).

use std::f64::consts::TAU;

use crate::scheme::choice;
use crate::tensor::to_f64;

choice! {
    pub(super) enum WindowKind {
        Hann = "hann",
        Hamming = "hamming",
        Blackman = "blackman",
        Boxcar = "boxcar",
        None = "none",
    }
}

/// The longest window summed term by term; for longer ones the closed form is exact.
const SHORT: u64 = 64;

choice! {
    /// The divisor of a window.
    pub(super) enum Normalisation {
        /// The root of the sum of its squares.
        Density = "density",
        /// The sum of its magnitudes.
        Spectrum = "spectrum",
        /// No divisor.
        None = "none",
    }
}

/// w(t) = a0 - a1 cos(2 pi t / period) + a2 cos(4 pi t / period).
#[derive(Debug)]
pub(super) struct Window {
    cosines: [f64; 3],
    length: u64,
    period: u64,
}

impl Window {
    /// A window of this length; `None` for [`WindowKind::None`].
    pub(super) fn new(kind: WindowKind, length: u64, periodic: bool) -> Option<Self> {
        let cosines = match kind {
            WindowKind::Hann => [0.5, 0.5, 0.0],
            WindowKind::Hamming => [0.54, 0.46, 0.0],
            WindowKind::Blackman => [0.42, 0.5, 0.08],
            WindowKind::Boxcar => [1.0, 0.0, 0.0],
            WindowKind::None => return None,
        };
        Some(Self { cosines, length, period: length.saturating_sub(u64::from(!periodic)) })
    }

    /// The window at a place.
    pub(super) fn value(&self, place: u64) -> f64 {
        // A window of one place is 1.
        if self.length <= 1 {
            return 1.0;
        }
        let [a0, a1, a2] = self.cosines;
        let angle = |times: u64| TAU * to_f64(times * place % self.period) / to_f64(self.period);
        a0 - a1 * libm::cos(angle(1)) + a2 * libm::cos(angle(2))
    }

    /// The divisor of the window.
    pub(super) fn sum(&self, normalisation: Normalisation) -> f64 {
        let [a0, a1, a2] = self.cosines;
        let short = self.length <= SHORT;
        let places = || (0..self.length).map(|place| self.value(place));
        // A symmetric window is a period and the first place once more.
        let again = if self.period < self.length { self.value(0) } else { 0.0 };
        let period = to_f64(self.period);
        match normalisation {
            Normalisation::None => 1.0,
            Normalisation::Density if short => places().map(|value| value * value).sum::<f64>().sqrt(),
            Normalisation::Density => (period * (a0 * a0 + 0.5 * (a1 * a1 + a2 * a2)) + again * again).sqrt(),
            Normalisation::Spectrum if short => places().map(f64::abs).sum(),
            Normalisation::Spectrum => period * a0 + again.abs(),
        }
    }
}
