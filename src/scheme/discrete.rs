//! Discrete distributions.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use rand::Rng;
use rand::distr::{Bernoulli, Distribution as _, Uniform};

use super::common::{HIGH, LOW, P, VALUE};
use super::parameter::Value as _;
use super::{Arguments, EMPTY, Parameter, Scheme, Site, example};
use crate::distribution::{Distribution, Iid, Moments, Named};
use crate::statistics::marginal::Marginal;

const OTHER: Parameter<f64> = Parameter::new("other", "the other value [default: -value]");

pub(super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "bernoulli",
        summary: "one of two values, the first with a given probability",
        formula: "w = value with probability p, else other; other = -value by default",
        source: "ReservoirPy bernoulli",
        ranks: "any",
        parameters: &[
            &P.default("0.5").help("the probability of value"),
            &VALUE.default("1").help("the value with probability p"),
            &OTHER,
        ],
        bare: Some(P.name),
        example: example("bernoulli:0.3"),
        distribution: bernoulli,
        ..EMPTY
    },
    Scheme {
        name: "rademacher",
        summary: "a value or its negative, equally likely: random signs",
        formula: "w = value or -value, each with probability 1/2",
        source: "the Rademacher distribution; jax.random.rademacher",
        ranks: "any",
        parameters: &[&VALUE.default("1").help("the magnitude of all elements")],
        bare: Some(VALUE.name),
        aliases: &["random-sign"],
        example: example("rademacher"),
        distribution: |arguments, _| {
            let value = arguments.value(&VALUE)?;
            choice(0.5, value, -value)
        },
        ..EMPTY
    },
    Scheme {
        name: "integer-uniform",
        summary: "whole numbers between two bounds, equally likely",
        formula: "w ~ U{low, low + 1, ..., high}",
        source: "NNabla UniformIntInitializer",
        ranks: "any",
        parameters: &[
            &LOW.default("0").help("the lowest value, a whole number"),
            &HIGH.default("9").help("the highest value, included; a whole number"),
        ],
        aliases: &["randint"],
        example: example("integer-uniform:low=-3,high=4"),
        distribution: integer_uniform,
        ..EMPTY
    },
];

fn bernoulli(arguments: &mut Arguments, _: &Site) -> Result<Distribution> {
    let value = arguments.value(&VALUE)?;
    let other = arguments.optional(&OTHER).unwrap_or(-value);
    let p = arguments.fraction(&P)?;
    choice(p, value, other)
}

fn choice(p: f64, value: f64, other: f64) -> Result<Distribution> {
    let first = Bernoulli::new(p).context("p must lie between 0 and 1")?;
    Ok(Distribution::Iid(Arc::new(Choice { p, value, other, first })))
}

/// `value` with probability `p`, else `other`.
#[derive(Debug)]
struct Choice {
    p: f64,
    value: f64,
    other: f64,
    first: Bernoulli,
}

/// No bounds: each value is rounded to the nearest of the dtype, as constants are.
impl Moments for Choice {
    fn mean(&self) -> Option<f64> {
        Some(self.p * self.value + (1.0 - self.p) * self.other)
    }

    fn std(&self) -> Option<f64> {
        Some((self.value - self.other).abs() * (self.p * (1.0 - self.p)).sqrt())
    }

    fn marginal(&self) -> Option<Marginal> {
        Some(Marginal::discrete([(self.value, self.p), (self.other, 1.0 - self.p)]))
    }

    fn max_abs(&self) -> f64 {
        self.value.abs().max(self.other.abs())
    }
}

impl Iid for Choice {
    fn sample(&self, words: &mut dyn Rng) -> f64 {
        if self.first.sample(words) { self.value } else { self.other }
    }

    fn named(&self) -> Option<Named> {
        let is_sign = self.p == 0.5 && self.other == -self.value;
        is_sign.then_some(Named::Sign { value: self.value })
    }
}

fn integer_uniform(arguments: &mut Arguments, _: &Site) -> Result<Distribution> {
    let [low, high] = [&LOW, &HIGH].map(|parameter| {
        let (name, value) = (parameter.name, arguments.value(parameter)?);
        let text = value.spelling();
        ensure!(value.fract() == 0.0, "{name} is {text}: it must be a whole number");
        ensure!(value.abs() <= LARGEST_WHOLE, "{name} is {text}: its magnitude must not exceed 2^53");
        #[expect(clippy::cast_possible_truncation, reason = "a whole number of at most 2^53")]
        Ok(value as i64)
    });
    let (low, high) = (low?, high?);
    let values = Uniform::new_inclusive(low, high).ok();
    let values = values.with_context(|| format!("low is {low} and high is {high}: low must not be above high"))?;
    Ok(Distribution::Iid(Arc::new(IntegerUniform { low, high, values })))
}

/// Doubles represent every integer up to this one.
const LARGEST_WHOLE: f64 = 9_007_199_254_740_992.0;

/// Integers from `low` to `high`.
#[derive(Debug)]
struct IntegerUniform {
    low: i64,
    high: i64,
    values: Uniform<i64>,
}

#[expect(clippy::cast_precision_loss, reason = "whole numbers of at most 2^53, and a variance")]
impl Moments for IntegerUniform {
    fn mean(&self) -> Option<f64> {
        Some(f64::midpoint(self.low as f64, self.high as f64))
    }

    fn std(&self) -> Option<f64> {
        let count = (self.high - self.low + 1) as f64;
        Some(((count - 1.0) * (count + 1.0) / 12.0).sqrt())
    }

    fn bounds(&self) -> Option<(f64, f64)> {
        Some((self.low as f64, self.high as f64))
    }

    fn marginal(&self) -> Option<Marginal> {
        const FEW: i64 = 1000;
        let (low, count) = (self.low as f64, self.high - self.low + 1);
        Some(match count <= FEW {
            true => Marginal::discrete((self.low..=self.high).map(|value| (value as f64, 1.0 / count as f64))),
            false => Marginal::continuous(move |x| ((x.floor() - low + 1.0) / count as f64).clamp(0.0, 1.0)),
        })
    }

    fn max_abs(&self) -> f64 {
        (self.low.abs().max(self.high.abs())) as f64
    }
}

impl Iid for IntegerUniform {
    fn sample(&self, words: &mut dyn Rng) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "whole numbers of at most 2^53")]
        let value = self.values.sample(words) as f64;
        value
    }
}
