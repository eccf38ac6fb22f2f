//! The initializers of Lasagne (`lasagne.init`), in double precision. All of them take a standard deviation, of which a uniform distribution
//! makes bounds.

use anyhow::{Result, ensure};

use super::shared::{fans, without};
use super::{Arguments, Distribution, ParityRow, ParityTable, Site, row, same};
use crate::scheme::scaled::{DISTRIBUTION, FanDistribution, FanMode, MODE, POOL};
use crate::scheme::sparse::{DENSITY, MEAN, NONZEROS, STD, UNIT, ZEROS};
use crate::tensor::to_f64;

pub(super) const TABLE: ParityTable = ParityTable { framework: "lasagne", layout: "lasagne", rows: ROWS };

const ROWS: &[ParityRow] = &[
    same("constant"),
    same("zeros"),
    same("normal"),
    same("uniform"),
    row("glorot-normal", |arguments, site, _| Ok(normal(glorot_std(arguments, site)?))),
    row("glorot-uniform", |arguments, site, _| Ok(uniform(glorot_std(arguments, site)?))),
    row("glorot", |arguments, site, _| {
        let std = glorot_std(arguments, site)?;
        by_distribution(arguments, std)
    }),
    row("he-normal", |arguments, site, _| Ok(normal(he_std(arguments, site)?))),
    row("he-uniform", |arguments, site, _| Ok(uniform(he_std(arguments, site)?))),
    row("he", |arguments, site, _| {
        let std = he_std(arguments, site)?;
        by_distribution(arguments, std)
    }),
    row("sparse", |arguments, site, _| sparse(arguments, site)),
];

fn normal(std: f64) -> Distribution {
    Distribution::Normal { mean: 0.0, std }
}

fn uniform(std: f64) -> Distribution {
    let half = 3f64.sqrt() * std;
    Distribution::Uniform { low: -half, high: half }
}

fn by_distribution(arguments: &Arguments, std: f64) -> Result<Distribution> {
    Ok(match arguments.value(&DISTRIBUTION)? {
        FanDistribution::Normal => normal(std),
        FanDistribution::Uniform | FanDistribution::TruncatedNormal => uniform(std),
    })
}

/// `gain * sqrt(2 / ((n1 + n2) * receptive field))`
fn glorot_std(arguments: &mut Arguments, site: &Site) -> Result<f64> {
    without("Lasagne", arguments, &[&POOL])?;
    let [inputs, outputs] = fans(site)?;
    Ok(arguments.gain()? * (2.0 / (inputs + outputs).max(1.0)).sqrt())
}

/// `gain * sqrt(1 / fan_in)`
fn he_std(arguments: &mut Arguments, site: &Site) -> Result<f64> {
    ensure!(arguments.value(&MODE)? == FanMode::In, "Lasagne has the mode fan-in and no other");
    Ok(arguments.gain()? * (1.0 / fans(site)?[0].max(1.0)).sqrt())
}

/// `int(sparsity * inputs)` of the inputs of each output, whichever way the product was rounded.
fn sparse(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    without("Lasagne", arguments, &[&NONZEROS, &ZEROS, &MEAN, &UNIT])?;
    ensure!(site.shape.rank() == 2, "Lasagne fills matrices alone by this one");
    let unfolding = site.unfolding()?;
    let density = arguments.optional_fraction(&DENSITY)?.unwrap_or(0.1);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a fraction of a count")]
    let nonzeros = (density * to_f64(unfolding.columns())) as u64;
    Ok(Distribution::Sparse { nonzeros, mean: 0.0, std: arguments.nonnegative(&STD)?, unfolding })
}
