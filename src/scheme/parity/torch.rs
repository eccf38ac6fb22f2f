//! `torch.nn.init` and the modules of `torch.nn`, with their order of arithmetic (torch 2.15).

use anyhow::{Result, ensure};

use super::shared::decomposed;
use super::{DrawContext, ParityTable, row, same};
use crate::distribution::Distribution;
use crate::scheme::scaled::{CLEARED, FanMode, MODE, POOL};
use crate::scheme::{Arguments, Choice, Site, find};
use crate::tensor::to_f64;

pub(super) const TABLE: ParityTable = ParityTable {
    framework: "torch",
    layout: "torch",
    rows: &[
        same("normal"),
        same("uniform"),
        row("glorot-uniform", |arguments, site, _| Ok(uniform(xavier_std(arguments, site)?))),
        row("glorot-normal", |arguments, site, _| Ok(normal(xavier_std(arguments, site)?))),
        row("he-uniform", |arguments, site, _| Ok(uniform(kaiming_std(arguments, site)?))),
        row("he-normal", |arguments, site, _| Ok(normal(kaiming_std(arguments, site)?))),
        same("truncated-normal"),
        same("sparse"),
        row("orthogonal", |arguments, site, DrawContext { dtype, .. }| {
            decomposed("torch", dtype)?;
            (find("orthogonal")?.distribution)(arguments, site)
        })
        .approximate("torch rounds in single precision, and in an order that hangs on its LAPACK; the distance is below 2e-5 sqrt(the shorter side)"),
        same("zeros"),
        same("ones"),
        same("constant"),
        same("identity"),
        same("dirac"),
        same("embedding"),
        row("fan-in-uniform", |arguments, site, _| {
            let distribution = linear(site)?;
            // Of no inputs the bound of a bias is 0, and its numbers are drawn all the same.
            let cleared = arguments.flag(&CLEARED) || (site.shape.rank() < 2 && site.fan_in()? == 0);
            Ok(if cleared { distribution.cleared(site.shape.count()) } else { distribution })
        }),
        same("rnn-uniform").called_as_here(),
    ],
};

fn normal(std: f64) -> Distribution {
    Distribution::Normal { mean: 0.0, std }
}

fn uniform(std: f64) -> Distribution {
    let bound = 3f64.sqrt() * std;
    Distribution::Uniform { low: -bound, high: bound }
}

/// `gain * sqrt(2 / (fan_in + fan_out))`
fn xavier_std(arguments: &mut Arguments, site: &Site) -> Result<f64> {
    ensure!(arguments.optional(&POOL).is_none(), "torch divides no fan by pool");
    let fans = to_f64(site.fan_in()?) + to_f64(site.fan_out()?);
    Ok(arguments.gain()? * (2.0 / fans.max(1.0)).sqrt())
}

/// `gain / sqrt(fan)`
fn kaiming_std(arguments: &mut Arguments, site: &Site) -> Result<f64> {
    let fan = match arguments.value(&MODE)? {
        FanMode::In => site.fan_in()?,
        FanMode::Out => site.fan_out()?,
        mode => anyhow::bail!("mode is {}: torch has fan-in and fan-out", mode.word()),
    };
    Ok(arguments.gain()? / to_f64(fan.max(1)).sqrt())
}

/// Weights: `kaiming_uniform_(a=sqrt(5))`; biases, which have one axis: `uniform_(-bound, bound)`, bound = 1 / `sqrt(fan_in)`.
fn linear(site: &Site) -> Result<Distribution> {
    let fan = to_f64(site.fan_in()?.max(1));
    if site.shape.rank() < 2 {
        let bound = 1.0 / fan.sqrt();
        return Ok(Distribution::Uniform { low: -bound, high: bound });
    }
    let slope = 5f64.sqrt();
    Ok(uniform((2.0 / (1.0 + slope * slope)).sqrt() / fan.sqrt()))
}
