//! `torch.nn.init` and the modules of `torch.nn`, with their order of arithmetic (torch 2.15).

use anyhow::{Result, ensure};

use super::shared::{StdFirst, average, decomposed, fans, without};
use super::{DrawContext, ParityTable, row, same};
use crate::distribution::Distribution;
use crate::scheme::orthogonal::orthogonal;
use crate::scheme::scaled::FanDistribution::{self, Normal, Uniform};
use crate::scheme::scaled::FanMode::{FanIn, FanOut};
use crate::scheme::scaled::{Arithmetic, CLEARED, MODE, POOL, scaled};
use crate::scheme::{Arguments, Choice, Site};
use crate::tensor::to_f64;

pub(super) const TABLE: ParityTable = ParityTable {
    framework: "torch",
    layout: "torch",
    rows: &[
        same("normal"),
        same("uniform"),
        row("glorot-uniform", |arguments, site, _| xavier(Uniform, arguments, site)),
        row("glorot-normal", |arguments, site, _| xavier(Normal, arguments, site)),
        row("he-uniform", |arguments, site, _| kaiming(Uniform, arguments, site)),
        row("he-normal", |arguments, site, _| kaiming(Normal, arguments, site)),
        same("truncated-normal"),
        same("sparse"),
        row("orthogonal", |arguments, site, DrawContext { dtype, .. }| {
            decomposed("torch", dtype)?;
            orthogonal(arguments, site)
        })
        .approximate("torch rounds in single precision, in an order that depends on its LAPACK; the difference is below 2e-5 sqrt(the shorter side)"),
        same("zeros"),
        same("ones"),
        same("constant"),
        same("identity"),
        same("dirac"),
        same("embedding"),
        row("fan-in-uniform", |arguments, site, _| {
            let distribution = linear(site)?;
            // Without inputs the bound of a bias is 0, but its numbers are still drawn.
            let cleared = arguments.flag(&CLEARED) || (site.shape.rank() < 2 && site.fan_in()? == 0);
            Ok(if cleared { distribution.cleared(site.shape.count()) } else { distribution })
        }),
        same("rnn-uniform").called_as_here(),
    ],
};

/// `gain * sqrt(2 / (fan_in + fan_out))`
fn xavier(distribution: FanDistribution, arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    without("torch", arguments, &[&POOL])?;
    let [fan_in, fan_out] = fans(site)?;
    let fan = average(fan_in, fan_out)?;
    Ok(scaled(arguments.gain()?, fan, distribution, &StdFirst))
}

/// `gain / sqrt(fan)`
struct Kaiming;

impl Arithmetic for Kaiming {
    fn std(&self, gain: f64, fan: f64) -> f64 {
        gain / fan.max(1.0).sqrt()
    }
}

fn kaiming(distribution: FanDistribution, arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let mode = arguments.value(&MODE)?;
    ensure!(matches!(mode, FanIn | FanOut), "mode is {}: for torch, use fan-in or fan-out", mode.word());
    let fan = mode.fan(site.fan_in().map(to_f64), site.fan_out().map(to_f64))?;
    Ok(scaled(arguments.gain()?, fan, distribution, &Kaiming))
}

/// Weights: `kaiming_uniform_(a=sqrt(5))`; biases, which have one axis: `uniform_(-bound, bound)`, bound = 1 / `sqrt(fan_in)`.
fn linear(site: &Site) -> Result<Distribution> {
    let fan = to_f64(site.fan_in()?.max(1));
    if site.shape.rank() < 2 {
        let bound = 1.0 / fan.sqrt();
        return Ok(Distribution::Uniform { low: -bound, high: bound });
    }
    let slope = 5f64.sqrt();
    Ok(scaled((2.0 / (1.0 + slope * slope)).sqrt(), fan, Uniform, &Kaiming))
}
