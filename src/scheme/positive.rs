//! Distributions of positive values.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use rand::Rng;
use rand_distr::Distribution as _;

use super::common::{HIGH, LOW, SCALE, SIGMA};
use super::parameter::Value as _;
use super::{Arguments, EMPTY, Parameter, Scheme, Site, example};
use crate::distribution::libm_float::LibmF64;
use crate::distribution::sampling::{self, LARGEST_EXPONENTIAL, LARGEST_NORMAL};
use crate::distribution::{Distribution, Iid, Moments, Named};
use crate::statistics::marginal::Marginal;
use crate::statistics::normal;
use crate::statistics::special;

const RATE: Parameter<f64> = Parameter::new("rate", "1 / mean, above 0").default("1");
pub(super) const SHAPE: Parameter<f64> = Parameter::new("shape", "the shape, above 0").default("1");
pub(super) const MU: Parameter<f64> = Parameter::new("mu", "the mean of ln w").default("0");

pub(super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "exponential",
        summary: "positive values with an exponentially decreasing density",
        formula: "density rate exp(-rate w), w >= 0; mean = std = 1 / rate",
        source: "torch.Tensor.exponential_",
        ranks: "any",
        parameters: &[&RATE],
        bare: Some(RATE.name),
        example: example("exponential:rate=4"),
        distribution: exponential,
        ..EMPTY
    },
    Scheme {
        name: "gamma",
        summary: "positive values, distributed as the sum of `shape` exponential values",
        formula: "density w^(shape - 1) exp(-w / scale) / (Gamma(shape) scale^shape), w >= 0; mean = shape scale, std = sqrt(shape) scale",
        source: "Marsaglia and Tsang 2000, A simple method for generating gamma variables; MXNet and NumPy gamma",
        ranks: "any",
        parameters: &[&SHAPE, &SCALE.default("1").help("the scale, above 0")],
        bare: Some(SHAPE.name),
        order: &[SHAPE.name, SCALE.name],
        example: example("gamma:shape=2.5,scale=0.1"),
        distribution: gamma,
        ..EMPTY
    },
    Scheme {
        name: "log-normal",
        summary: "positive values whose logarithm is normal",
        formula: "w = exp(mu + sigma z), z ~ N(0, 1); mean = exp(mu + sigma^2 / 2)",
        source: "torch.Tensor.log_normal_; Song et al. 2005 (synaptic weights)",
        ranks: "any",
        parameters: &[&SIGMA.default("1").help("the std of ln w, 0 or more"), &MU],
        bare: Some(SIGMA.name),
        order: &[MU.name, SIGMA.name],
        example: example("log-normal:sigma=0.5,mu=-3"),
        distribution: log_normal,
        ..EMPTY
    },
    Scheme {
        name: "log-uniform",
        summary: "positive values whose logarithm is uniform: equally many in each decade",
        formula: "w = exp(u), u ~ U(ln low, ln high)",
        source: "Gu and Dao 2023, Mamba (the time steps, 0.001 to 0.1); scipy.stats.loguniform",
        ranks: "any",
        parameters: &[
            &LOW.default("0.001").help("the lower bound, above 0"),
            &HIGH.default("0.1").help("the upper bound"),
        ],
        aliases: &["reciprocal"],
        example: example("log-uniform"),
        distribution: log_uniform,
        ..EMPTY
    },
];

fn exponential(arguments: &mut Arguments, _: &Site) -> Result<Distribution> {
    let rate = arguments.positive(&RATE)?;
    Ok(Distribution::Iid(Arc::new(Exponential { rate, mean: 1.0 / rate })))
}

#[derive(Debug)]
struct Exponential {
    rate: f64,
    mean: f64,
}

impl Moments for Exponential {
    fn mean(&self) -> Option<f64> {
        Some(self.mean)
    }

    fn std(&self) -> Option<f64> {
        Some(self.mean)
    }

    fn bounds(&self) -> Option<(f64, f64)> {
        Some(POSITIVE)
    }

    fn marginal(&self) -> Option<Marginal> {
        let rate = self.rate;
        Some(Marginal::continuous(move |x| -libm::expm1(-rate * x.max(0.0))))
    }

    fn max_abs(&self) -> f64 {
        LARGEST_EXPONENTIAL * self.mean
    }
}

impl Iid for Exponential {
    fn sample(&self, words: &mut dyn Rng) -> f64 {
        self.mean * sampling::exponential(words)
    }

    fn named(&self) -> Option<Named> {
        Some(Named::Exponential { rate: self.rate })
    }
}

/// The bounds of distributions of positive values. Values may underflow to 0.
const POSITIVE: (f64, f64) = (0.0, f64::INFINITY);

pub(super) fn gamma(arguments: &mut Arguments, _: &Site) -> Result<Distribution> {
    let (shape, scale) = (arguments.positive(&SHAPE)?, arguments.positive(&SCALE)?);
    let values = rand_distr::Gamma::new(LibmF64(shape), LibmF64(scale)).ok().context("the scale is too large")?;
    Ok(Distribution::Iid(Arc::new(Gamma { shape, scale, values })))
}

#[derive(Debug)]
struct Gamma {
    shape: f64,
    scale: f64,
    values: rand_distr::Gamma<LibmF64>,
}

impl Moments for Gamma {
    fn mean(&self) -> Option<f64> {
        Some(self.shape * self.scale)
    }

    fn std(&self) -> Option<f64> {
        Some(self.shape.sqrt() * self.scale)
    }

    fn bounds(&self) -> Option<(f64, f64)> {
        Some(POSITIVE)
    }

    fn marginal(&self) -> Option<Marginal> {
        let Self { shape, scale, .. } = *self;
        Some(Marginal::continuous(move |x| special::gamma(x / scale, shape)))
    }

    /// Marsaglia and Tsang's d (1 + z / sqrt(9 d))^3, d = shape - 1/3, at the largest normal. For a shape below 1, the maximum for shape +
    /// 1, times a factor below 1; for a shape of 1, an exponential.
    fn max_abs(&self) -> f64 {
        if self.shape == 1.0 {
            return LARGEST_EXPONENTIAL * self.scale;
        }
        let d = self.shape + f64::from(self.shape < 1.0) - 1.0 / 3.0;
        let root = 1.0 + LARGEST_NORMAL / (9.0 * d).sqrt();
        d * self.scale * root * root * root
    }
}

impl Iid for Gamma {
    fn sample(&self, words: &mut dyn Rng) -> f64 {
        self.values.sample(words).0
    }

    fn named(&self) -> Option<Named> {
        Some(Named::Gamma { shape: self.shape, scale: self.scale })
    }
}

pub(super) fn log_normal(arguments: &mut Arguments, _: &Site) -> Result<Distribution> {
    let (mu, sigma) = (arguments.value(&MU)?, arguments.nonnegative(&SIGMA)?);
    let values = rand_distr::LogNormal::new(LibmF64(mu), LibmF64(sigma)).ok().context("sigma must be finite")?;
    Ok(Distribution::Iid(Arc::new(LogNormal { mu, sigma, values })))
}

#[derive(Debug)]
struct LogNormal {
    mu: f64,
    sigma: f64,
    values: rand_distr::LogNormal<LibmF64>,
}

impl Moments for LogNormal {
    fn mean(&self) -> Option<f64> {
        Some(libm::exp(self.mu + self.sigma * self.sigma / 2.0)).filter(|mean| mean.is_finite())
    }

    fn std(&self) -> Option<f64> {
        Some(self.mean()? * libm::expm1(self.sigma * self.sigma).sqrt()).filter(|std| std.is_finite())
    }

    fn bounds(&self) -> Option<(f64, f64)> {
        Some(POSITIVE)
    }

    fn marginal(&self) -> Option<Marginal> {
        let Self { mu, sigma, .. } = *self;
        let logarithm = move |x: f64| (libm::log(x.max(0.0)) - mu) / sigma;
        Some(match sigma > 0.0 {
            true => Marginal::continuous(move |x| normal::lower(logarithm(x))),
            false => Marginal::discrete([(libm::exp(mu), 1.0)]),
        })
    }

    fn max_abs(&self) -> f64 {
        libm::exp(self.mu + LARGEST_NORMAL * self.sigma)
    }
}

impl Iid for LogNormal {
    fn sample(&self, words: &mut dyn Rng) -> f64 {
        self.values.sample(words).0
    }

    fn named(&self) -> Option<Named> {
        (self.mu == 0.0).then_some(Named::LogNormal { sigma: self.sigma })
    }
}

fn log_uniform(arguments: &mut Arguments, _: &Site) -> Result<Distribution> {
    let (low, high) = (arguments.positive(&LOW)?, arguments.value(&HIGH)?);
    let given = format!("low is {} and high is {}", low.spelling(), high.spelling());
    ensure!(low < high, "{given}: low must be below high");
    let ratio = high / low;
    ensure!(ratio.is_finite(), "{given}: high / low must be at most {:e}", f64::MAX);
    Ok(Distribution::Iid(Arc::new(LogUniform { low, high, span: libm::log(ratio) })))
}

#[derive(Debug)]
struct LogUniform {
    low: f64,
    high: f64,
    /// ln(high / low).
    span: f64,
}

impl Moments for LogUniform {
    fn mean(&self) -> Option<f64> {
        Some((self.high - self.low) / self.span)
    }

    /// The square is (high^2 - low^2) / (2 span) - mean^2, whose terms cancel if the bounds are close. The series does not: low high (sum
    /// over k >= 1 of 2 k span^(2 k) / (2 k + 2)!).
    fn std(&self) -> Option<f64> {
        if self.span > 1.0 {
            let (mean, ratio) = (self.mean()? / self.high, self.low / self.high);
            return Some(self.high * ((1.0 - ratio * ratio) / (2.0 * self.span) - mean * mean).sqrt());
        }
        let (mut sum, mut term) = (0.0, 0.5);
        for k in (2..24).step_by(2).map(f64::from) {
            term *= self.span * self.span / ((k + 1.0) * (k + 2.0));
            sum += k * term;
        }
        Some((self.low * sum).sqrt() * self.high.sqrt())
    }

    fn bounds(&self) -> Option<(f64, f64)> {
        Some((self.low, self.high))
    }

    fn marginal(&self) -> Option<Marginal> {
        let Self { low, span, .. } = *self;
        Some(Marginal::continuous(move |x| (libm::log(x.max(0.0) / low) / span).clamp(0.0, 1.0)))
    }

    fn max_abs(&self) -> f64 {
        self.high
    }
}

impl Iid for LogUniform {
    fn sample(&self, words: &mut dyn Rng) -> f64 {
        self.low * libm::exp(sampling::unit(words) * self.span)
    }
}
