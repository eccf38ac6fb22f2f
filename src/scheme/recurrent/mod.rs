//! Recurrent layers and state-space models: gate biases, state matrices, time steps.

pub(super) mod gates;
pub(super) mod hippo;
mod hippo_values;
pub(super) mod mamba;
pub(super) mod rwkv;
pub(super) mod s4d;
mod s4d_legs;
pub(super) mod unit_disk;

use anyhow::{Context, Result, ensure};

use super::example::Example;
use super::{Arguments, Parameter, Scheme, Site};
use crate::distribution::Distribution;

impl Scheme {
    /// A row with all other fields of this one; its example is its name on the same shape.
    const fn row(
        self,
        name: &'static str,
        summary: &'static str,
        formula: &'static str,
        source: &'static str,
        distribution: fn(&mut Arguments, &Site) -> Result<Distribution>,
    ) -> Self {
        let example = Example { expression: name, ..self.example };
        Self { name, summary, formula, source, example, distribution, ..self }
    }
}

/// The size of the last axis (states or units); the preceding axes repeat them.
fn last_axis(site: &Site) -> Result<u64> {
    let last = site.shape.axes().last().copied();
    last.context("this scheme needs one or more axes, not a scalar")
}

/// Two parameters, 0 < low < high.
fn ordered(arguments: &Arguments, low: &Parameter<f64>, high: &Parameter<f64>) -> Result<(f64, f64)> {
    let (least, most) = (arguments.positive(low)?, arguments.value(high)?);
    let (low, high) = (low.name, high.name);
    ensure!(least < most, "{low} is {least} and {high} is {most}: {low} must be below {high}");
    Ok((least, most))
}

/// The exponential of a normal number, capped at exp(10) so that every dtype holds it; one in 10^23 exceeds that.
fn exponential(normal: f64) -> f64 {
    libm::exp(normal.min(HIGHEST_NORMAL))
}

const HIGHEST_NORMAL: f64 = 10.0;
