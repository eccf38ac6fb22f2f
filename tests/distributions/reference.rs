//! The distributions once more, by other means than the program's: probabilities from the error function, moments by integration.

use std::f64::consts::FRAC_1_SQRT_2;

/// The distribution that the elements of a tensor must follow.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Reference {
    Constant(f64),
    Normal { mean: f64, std: f64 },
    Uniform { low: f64, high: f64 },
    Truncated { mean: f64, std: f64, low: f64, high: f64 },
}

/// The moments of a distribution: its mean, its standard deviation, and the powers of (x - mean) / std on average.
#[derive(Debug)]
pub(crate) struct Moments {
    pub(crate) mean: f64,
    pub(crate) std: f64,
    pub(crate) standardized: [f64; 9],
}

impl Reference {
    pub(crate) fn normal(std: f64) -> Self {
        Self::Normal { mean: 0.0, std }
    }

    /// Uniform on [-bound, bound].
    pub(crate) fn uniform(bound: f64) -> Self {
        Self::Uniform { low: -bound, high: bound }
    }

    /// N(mean, std²) cut at multiples of std.
    pub(crate) fn cut_at_sigmas(mean: f64, std: f64, low: f64, high: f64) -> Self {
        Self::Truncated { mean, std, low: mean + low * std, high: mean + high * std }
    }

    /// N(mean, s²) cut at multiples of s, where s is such that the standard deviation after cutting is `std`.
    pub(crate) fn corrected(mean: f64, std: f64, low: f64, high: f64) -> Self {
        let kept = Self::cut_at_sigmas(0.0, 1.0, low, high).moments().std;
        Self::cut_at_sigmas(mean, std / kept, low, high)
    }

    /// The probability of a value up to any x.
    pub(crate) fn cdf(&self) -> Box<dyn Fn(f64) -> f64> {
        match *self {
            Self::Constant(value) => Box::new(move |x| f64::from(x >= value)),
            Self::Uniform { low, high } => Box::new(move |x| ((x - low) / (high - low)).clamp(0.0, 1.0)),
            Self::Normal { mean, std } => {
                Self::Truncated { mean, std, low: f64::NEG_INFINITY, high: f64::INFINITY }.cdf()
            }
            Self::Truncated { mean, std, low, high } => {
                // From whichever tail is exact.
                let side = if low > mean { -1.0 } else { 1.0 };
                let tail = move |x| 0.5 * libm::erfc(-side * (x - mean) / std * FRAC_1_SQRT_2);
                let (start, end) = (tail(low), tail(high));
                Box::new(move |x: f64| (tail(x.clamp(low, high)) - start) / (end - start))
            }
        }
    }

    /// The interval of all values.
    pub(crate) fn bounds(&self) -> Option<(f64, f64)> {
        match *self {
            Self::Uniform { low, high } | Self::Truncated { low, high, .. } => Some((low, high)),
            _ => None,
        }
    }

    /// The standard deviation before any cut.
    pub(crate) fn scale(&self) -> f64 {
        match *self {
            Self::Normal { std, .. } | Self::Truncated { std, .. } => std,
            _ => self.moments().std,
        }
    }

    pub(crate) fn moments(&self) -> Moments {
        let (middle, scale, weight): (f64, f64, fn(f64) -> f64) = match *self {
            Self::Constant(value) => return Moments { mean: value, std: 0.0, standardized: [0.0; 9] },
            Self::Normal { mean, std } | Self::Truncated { mean, std, .. } => (mean, std, |z| -0.5 * z * z),
            Self::Uniform { low, high } => (low, high - low, |_| 0.0),
        };
        let [a, b] = match *self {
            Self::Uniform { .. } => [0.0, 1.0],
            Self::Truncated { low, high, .. } => [low, high].map(|cut| (cut - middle) / scale),
            _ => [-12.0, 12.0],
        };
        // Twelve sigma beyond its nearest point to the mean, a normal is at its end.
        let mode = 0f64.clamp(a, b);
        let (a, b) = (a.max(mode - 12.0), b.min(mode + 12.0));
        let density = |z| f64::exp(weight(z) - weight(mode));
        let mass = integral(a, b, density);
        // From the middle of the interval, so that a narrow one far out keeps its digits.
        let centre = f64::midpoint(a, b);
        let mean = integral(a, b, |z| (z - centre) * density(z)) / mass;
        let central = |power| integral(a, b, |z| (z - centre - mean).powi(power) * density(z)) / mass;
        let std = central(2).sqrt();
        let standardized = [0, 1, 2, 3, 4, 5, 6, 7, 8].map(|power| central(power) / std.powi(power));
        Moments { mean: middle + scale * (centre + mean), std: scale * std, standardized }
    }
}

/// Simpson's rule.
fn integral(a: f64, b: f64, f: impl Fn(f64) -> f64) -> f64 {
    const STEPS: i32 = 20_000;
    let step = (b - a) / f64::from(STEPS);
    let inner = (1..STEPS).map(|n| f(a + step * f64::from(n)) * if n % 2 == 0 { 2.0 } else { 4.0 });
    (f(a) + inner.sum::<f64>() + f(b)) * step / 3.0
}

#[test]
fn the_moments_of_a_normal_and_of_a_uniform_are_known() {
    let normal = Reference::Normal { mean: 2.0, std: 3.0 }.moments();
    let uniform = Reference::Uniform { low: 1.0, high: 3.0 }.moments();
    for (found, expected) in [
        (normal.mean, 2.0),
        (normal.std, 3.0),
        (normal.standardized[4], 3.0),
        (normal.standardized[8], 105.0),
        (uniform.mean, 2.0),
        (uniform.std, 3f64.sqrt().recip()),
        (uniform.standardized[4], 1.8),
        (uniform.standardized[8], 9.0),
    ] {
        assert!((found / expected - 1.0).abs() < 1e-12, "{found} is not {expected}");
    }
}
