//! Lasagne's initializers (`lasagne.init`), in double precision. All take a standard deviation, which uniform distributions convert to
//! bounds.

use anyhow::{Result, ensure};

use super::shared::{StdFirst, average, fans, without};
use super::{Arguments, Distribution, ParityRow, ParityTable, Site, row, same};
use crate::scheme::scaled::FanDistribution::{self, Normal, TruncatedNormal, Uniform};
use crate::scheme::scaled::FanMode::FanIn;
use crate::scheme::scaled::{DISTRIBUTION, MODE, POOL, scaled};
use crate::scheme::sparse::{DENSITY, MEAN, NONZEROS, STD, UNIT, ZEROS};
use crate::tensor::to_f64;

pub(super) const TABLE: ParityTable = ParityTable { framework: "lasagne", layout: "lasagne", rows: ROWS };

const ROWS: &[ParityRow] = &[
    same("constant"),
    same("zeros"),
    same("normal"),
    same("uniform"),
    row("glorot-normal", |arguments, site, _| glorot(Normal, arguments, site)),
    row("glorot-uniform", |arguments, site, _| glorot(Uniform, arguments, site)),
    row("glorot", |arguments, site, _| glorot(chosen(arguments)?, arguments, site)),
    row("he-normal", |arguments, site, _| he(Normal, arguments, site)),
    row("he-uniform", |arguments, site, _| he(Uniform, arguments, site)),
    row("he", |arguments, site, _| he(chosen(arguments)?, arguments, site)),
    row("sparse", |arguments, site, _| sparse(arguments, site)),
];

fn chosen(arguments: &Arguments) -> Result<FanDistribution> {
    let distribution = arguments.value(&DISTRIBUTION)?;
    ensure!(distribution != TruncatedNormal, "Lasagne has no truncated normal: use normal or uniform");
    Ok(distribution)
}

/// `gain * sqrt(2 / ((n1 + n2) * receptive field))`
fn glorot(distribution: FanDistribution, arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    without("Lasagne", arguments, &[&POOL])?;
    let [fan_in, fan_out] = fans(site)?;
    let fan = average(fan_in, fan_out)?;
    Ok(scaled(arguments.gain()?, fan, distribution, &StdFirst))
}

/// `gain * sqrt(1 / fan_in)`
fn he(distribution: FanDistribution, arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    ensure!(arguments.value(&MODE)? == FanIn, "Lasagne has only mode=fan-in");
    let fan = fans(site)?[0].max(1.0);
    Ok(scaled(arguments.gain()?, fan, distribution, &StdFirst))
}

/// `int(sparsity * inputs)` of the inputs of each output, as the product was rounded.
fn sparse(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    without("Lasagne", arguments, &[&NONZEROS, &ZEROS, &MEAN, &UNIT])?;
    ensure!(site.shape.rank() == 2, "Lasagne draws this for matrices only");
    let unfolding = site.unfolding()?;
    let density = arguments.optional_fraction(&DENSITY)?.unwrap_or(0.1);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a fraction of a count")]
    let nonzeros = (density * to_f64(unfolding.columns())) as u64;
    Ok(Distribution::Sparse { nonzeros, mean: 0.0, std: arguments.nonnegative(&STD)?, unfolding })
}
