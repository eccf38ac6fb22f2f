//! Decays and time steps of state-space models: Mamba and S4.

use std::sync::Arc;

use anyhow::{Result, ensure};
use rand::Rng;

use super::super::common::{HIGH, LOW, SCALE};
use super::super::normal_uniform::between;
use super::super::{Arguments, EMPTY, Parameter, Requires, Scheme, Site, choice, example, example_on};
use super::s4d::{Curve, Diagonal, Part};
use super::{last_axis, ordered};
use crate::distribution::{Distribution, Iid, Moments, sampling::open_unit};
use crate::statistics::marginal::Marginal;
use crate::statistics::quadrature::moments;
use crate::tensor::to_f64;

const LEAST_STEP: Parameter<f64> = Parameter::new("dt-min", "the shortest time step, above 0").default("0.001");
const LONGEST_STEP: Parameter<f64> = Parameter::new("dt-max", "the longest time step").default("0.1");

const MAMBA: &str = "Gu and Dao 2023, Mamba: linear-time sequence modeling with selective state spaces";
const MAMBA2: &str = "Dao and Gu 2024, Transformers are SSMs";
const S4: &str = "Gu, Goel and Ré 2022, Efficiently modeling long sequences with structured state spaces";

const FLOOR: Parameter<f64> =
    Parameter::new("floor", "the minimum: shorter time steps are raised to it; 0 or more").default("0.0001");
choice! {
    /// The values of `dt_init`.
    enum Values { Uniform = "uniform", Constant = "constant" }
}
const DISTRIBUTION: Parameter<Values> =
    Parameter::new("distribution", "dt_init of Mamba, whose `random` is uniform here").default("uniform");

pub(in crate::scheme) const ROWS: &[Scheme] = &[
    Scheme {
        name: "mamba-a",
        summary: "the A_log of Mamba: the logarithms of the decays of s4d-real (its D is ones); on one axis, the A_log of transformers' Mamba2",
        formula: "A_log_n = ln(n+1), n from 0 along the last axis (d_state)",
        source: MAMBA,
        ranks: "one or more axes; leading axes repeat it",
        example: example_on("mamba-a", "64x16", "io"),
        distribution: |_, site| {
            Ok(Distribution::Deterministic(Arc::new(Diagonal {
                curve: Curve::Real,
                part: Part::LogReal,
                size: last_axis(site)?,
            })))
        },
        ..EMPTY
    },
    Scheme {
        name: "mamba2-a",
        summary: "the A_log of Mamba-2: the logarithms of random decays, one per head",
        formula: "A_log ~ ln U(low, high)",
        source: MAMBA2,
        ranks: "any",
        parameters: &[
            &LOW.default("1").help("the slowest decay, above 0"),
            &HIGH.default("16").help("the fastest decay"),
        ],
        example: example("mamba2-a"),
        distribution: |arguments, _| {
            let (low, high) = ordered(arguments, &LOW, &HIGH)?;
            Ok(Distribution::Iid(Arc::new(LogarithmOfUniform { low, high })))
        },
        ..EMPTY
    },
    Scheme {
        name: "mamba-dt",
        summary: "the bias of the time steps of Mamba and Mamba-2: its softplus is log-uniform",
        formula: "b = dt + ln(1 - exp(-dt)), dt = max(floor, exp(U(ln dt-min, ln dt-max)))",
        source: MAMBA,
        ranks: "any",
        parameters: &[&LEAST_STEP, &LONGEST_STEP, &FLOOR],
        example: example("mamba-dt"),
        distribution: |arguments, _| {
            let (least, longest) = ordered(arguments, &LEAST_STEP, &LONGEST_STEP)?;
            let floor = arguments.nonnegative(&FLOOR)?;
            ensure!(floor < longest, "floor is {floor} and dt-max is {longest}: floor must be below dt-max");
            Ok(Distribution::Iid(Arc::new(TimeStep { least, longest, floor })))
        },
        ..EMPTY
    },
    Scheme {
        name: "mamba-dt-proj",
        summary: "Mamba's projection to the time steps, which preserves the variance",
        formula: "w ~ U(-bound, bound), bound = scale / sqrt(fan_in), fan_in = dt_rank; constant: w = bound",
        source: MAMBA,
        ranks: "two or more axes; any with --fan-in",
        parameters: &[&SCALE.default("1").help("the factor (dt_scale), above 0"), &DISTRIBUTION],
        requires: Requires::Fans,
        example: example("mamba-dt-proj"),
        distribution: projection,
        ..EMPTY
    },
    Scheme {
        name: "s4-dt",
        summary: "the log_dt of S4 and S4D: the logarithms of the time steps",
        formula: "log_dt ~ U(ln dt-min, ln dt-max)",
        source: S4,
        ranks: "any",
        parameters: &[&LEAST_STEP, &LONGEST_STEP],
        example: example("s4-dt"),
        distribution: |arguments, _| {
            let (least, longest) = ordered(arguments, &LEAST_STEP, &LONGEST_STEP)?;
            between(libm::log(least), libm::log(longest))
        },
        ..EMPTY
    },
];

fn projection(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let scale = arguments.positive(&SCALE)?;
    let bound = scale / to_f64(site.fan_in()?.max(1)).sqrt();
    ensure!(bound > 0.0, "scale is {scale}: too small, since scale / sqrt(fan_in) is 0");
    match arguments.value(&DISTRIBUTION)? {
        Values::Constant => Ok(Distribution::Constant { value: bound }),
        Values::Uniform => between(-bound, bound),
    }
}

/// The logarithm of a uniform number.
#[derive(Debug)]
struct LogarithmOfUniform {
    low: f64,
    high: f64,
}

impl Moments for LogarithmOfUniform {
    /// ln low + s / (1 - exp(-s)) - 1, s = ln(high / low).
    fn mean(&self) -> Option<f64> {
        let span = libm::log(self.high / self.low);
        Some(libm::log(self.low) - span / libm::expm1(-span) - 1.0)
    }

    /// sqrt(1 - (h / sinh h)^2), h half of s; of a narrow range by its series.
    fn std(&self) -> Option<f64> {
        let half = libm::log(self.high / self.low) / 2.0;
        let (square, ratio) = (half * half, half / libm::sinh(half));
        let series = square * (1.0 / 3.0 - square * (1.0 / 15.0 - square * 2.0 / 189.0));
        Some(if half < 0.03 { series.sqrt() } else { (1.0 - ratio * ratio).sqrt() })
    }

    fn bounds(&self) -> Option<(f64, f64)> {
        Some((libm::log(self.low), libm::log(self.high)))
    }

    fn marginal(&self) -> Option<Marginal> {
        let Self { low, high } = *self;
        Some(Marginal::continuous(move |x| ((libm::exp(x) - low) / (high - low)).clamp(0.0, 1.0)))
    }

    fn max_abs(&self) -> f64 {
        libm::log(self.low).abs().max(libm::log(self.high).abs())
    }
}

impl Iid for LogarithmOfUniform {
    fn sample(&self, words: &mut dyn Rng) -> f64 {
        let unit = open_unit(words);
        libm::log(self.low * (1.0 - unit) + self.high * unit)
    }
}

/// The inverse softplus of a log-uniform time step.
#[derive(Debug)]
struct TimeStep {
    least: f64,
    longest: f64,
    floor: f64,
}

impl TimeStep {
    /// x such that ln(1 + exp(x)) is this time step, or the floor if that is longer.
    fn inverse_softplus(&self, step: f64) -> f64 {
        let step = step.max(self.floor);
        step + libm::log(-libm::expm1(-step))
    }
}

impl TimeStep {
    /// By quadrature over the logarithm of the step; some of the steps are at the floor.
    fn moments(&self) -> (f64, f64) {
        let (low, high) = (libm::log(self.least), libm::log(self.longest));
        let from = if self.floor > self.least { libm::log(self.floor) } else { low };
        let (mean, std) = moments((from, high), |_| 1.0, |step| self.inverse_softplus(libm::exp(step)));
        let at_floor = (from - low) / (high - low);
        let apart = self.inverse_softplus(self.least) - mean;
        (mean + at_floor * apart, ((1.0 - at_floor) * (std * std + at_floor * apart * apart)).sqrt())
    }
}

impl Moments for TimeStep {
    fn mean(&self) -> Option<f64> {
        Some(self.moments().0)
    }

    fn std(&self) -> Option<f64> {
        Some(self.moments().1)
    }

    fn bounds(&self) -> Option<(f64, f64)> {
        Some((self.inverse_softplus(self.least), self.inverse_softplus(self.longest)))
    }

    fn marginal(&self) -> Option<Marginal> {
        let (low, high) = (libm::log(self.least), libm::log(self.longest));
        // The softplus of a value is its time step; ln(exp(x) + 1) = x + ln(1 + exp(-x)) keeps its digits for large x.
        let step = |x: f64| if x > 0.0 { x + libm::log1p(libm::exp(-x)) } else { libm::log1p(libm::exp(x)) };
        let below = move |x: f64| ((libm::log(step(x)) - low) / (high - low)).clamp(0.0, 1.0);
        let at_floor = if self.floor > self.least { (libm::log(self.floor) - low) / (high - low) } else { 0.0 };
        let above_floor = move |x| ((below(x) - at_floor) / (1.0 - at_floor)).max(0.0);
        Some(Marginal::continuous(above_floor).or_value(self.inverse_softplus(self.floor), at_floor))
    }

    fn max_abs(&self) -> f64 {
        self.inverse_softplus(self.least).abs().max(self.inverse_softplus(self.longest).abs())
    }
}

impl Iid for TimeStep {
    fn sample(&self, words: &mut dyn Rng) -> f64 {
        let (low, high) = (libm::log(self.least), libm::log(self.longest));
        self.inverse_softplus(libm::exp(low + (high - low) * open_unit(words)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::quadrature::tests::of_fractions;

    #[track_caller]
    fn are_near(distribution: &dyn Moments, expected: (f64, f64)) {
        let (mean, std) = (distribution.mean().unwrap(), distribution.std().unwrap());
        assert!((mean - expected.0).abs() < 1e-3 * expected.1, "{distribution:?}: mean {mean}, {expected:?}");
        assert!((std / expected.1 - 1.0).abs() < 1e-3, "{distribution:?}: std {std}, {expected:?}");
    }

    #[test]
    fn figures_are_those_of_the_values() {
        for (low, high) in [(1.0, 16.0), (0.5, 0.5001), (1.0, 1.06), (1e-3, 1e3)] {
            let value = |unit| libm::log(low * (1.0 - unit) + high * unit);
            are_near(&LogarithmOfUniform { low, high }, of_fractions(value));
        }
        for (least, longest, floor) in [(1e-3, 0.1, 1e-4), (1e-5, 1.0, 1e-4), (1e-3, 0.1, 0.09), (1.0, 50.0, 0.0)] {
            let distribution = TimeStep { least, longest, floor };
            let value = |unit| distribution.inverse_softplus(least * libm::pow(longest / least, unit));
            are_near(&distribution, of_fractions(value));
        }
    }
}
