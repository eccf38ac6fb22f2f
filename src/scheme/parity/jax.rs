//! JAX's initializers (`jax.nn.initializers`). Each operation is rounded to the dtype, as in JAX.

use anyhow::{Result, bail, ensure};

use super::shared::{array, fans, one_matrix, only_gain, variance_scaling, without};
use super::{DrawContext, ParityRow, ParityTable, row, same};
use crate::distribution::{Distribution, OrthogonalMethod, in_deviations};
use crate::scheme::common::{FILL, HIGH, LOW, MEAN, SCALE, STD};
use crate::scheme::heavy_tailed::{self, LIMIT};
use crate::scheme::positive::{self, MU, SHAPE};
use crate::scheme::scaled::FanDistribution::{self, TruncatedNormal, Uniform};
use crate::scheme::scaled::FanMode::{self, FanAvg, FanIn};
use crate::scheme::scaled::{CORRECTED, DISTRIBUTION, MODE, POOL};
use crate::scheme::truncated::{self, HIGH_SIGMA, LOW_SIGMA};
use crate::scheme::{Arguments, Site, normal_uniform, orthogonal as matrices};

pub(super) const TABLE: ParityTable = ParityTable { framework: "jax", layout: "jax", rows: ROWS };

const ROWS: &[ParityRow] = &[
    row("zeros", |_, _, _| Ok(Distribution::Constant { value: 0.0 })),
    row("ones", |_, _, _| Ok(Distribution::Constant { value: 1.0 })),
    row("constant", |arguments, _, DrawContext { dtype, .. }| {
        Ok(Distribution::Constant { value: array(dtype, arguments.value(&FILL)?.0) })
    }),
    row("normal", |arguments, _, DrawContext { dtype, .. }| {
        let [mean, std] = [arguments.value(&MEAN)?, arguments.nonnegative(&STD)?].map(|value| array(dtype, value));
        Ok(Distribution::Normal { mean, std })
    }),
    row("uniform", uniform),
    row("truncated-normal", truncated_normal),
    row("variance-scaling", |arguments, site, context| {
        ensure!(
            arguments.optional(&CORRECTED) != Some(false),
            "JAX always widens a truncated normal: omit `corrected`"
        );
        let (scale, mode) = (arguments.positive(&SCALE)?, arguments.value(&MODE)?);
        scaled(scale, mode, arguments.value(&DISTRIBUTION)?, site, context)
    })
    .scaled(),
    row("lecun-normal", |_, site, context| scaled(1.0, FanIn, TruncatedNormal, site, context)),
    row("lecun-uniform", |_, site, context| scaled(1.0, FanIn, Uniform, site, context)).scaled(),
    row("glorot-normal", |arguments, site, context| glorot(TruncatedNormal, arguments, site, context)),
    row("glorot-uniform", |arguments, site, context| glorot(Uniform, arguments, site, context)).scaled(),
    row("he-normal", |arguments, site, context| he(TruncatedNormal, arguments, site, context)),
    row("he-uniform", |arguments, site, context| he(Uniform, arguments, site, context)).scaled(),
    same("exponential"),
    same("laplace"),
    same("rademacher"),
    row("cauchy", |arguments, site, _| {
        without("JAX", arguments, &[&LIMIT])?;
        heavy_tailed::cauchy(arguments, site)
    }),
    row("log-normal", |arguments, site, _| {
        ensure!(arguments.value(&MU)? == 0.0, "JAX has no `mu` here: omit it");
        positive::log_normal(arguments, site)
    }),
    row("student-t", |arguments, site, _| {
        without("JAX", arguments, &[&LIMIT])?;
        heavy_tailed::student_t(arguments, site)
    })
    .approximate(ESTIMATE),
    row("gamma", |arguments, site, DrawContext { dtype, .. }| {
        let shape = arguments.positive(&SHAPE)?;
        ensure!(array(dtype, shape) > 0.0, "shape is {}: it rounds to 0 in {dtype}", arguments.text(&SHAPE));
        positive::gamma(arguments, site)
    })
    .approximate(ESTIMATE),
    row("orthogonal", orthogonal).approximate(LAPACK),
    row("delta-orthogonal", delta_orthogonal).approximate(LAPACK),
];

const LAPACK: &str = "JAX decomposes the same matrix with LAPACK in single precision, fanin in double precision; they agree to about 1e-6";

const ESTIMATE: &str = "JAX estimates reciprocal square roots with the CPU, fanin rounds them correctly; most values agree to a few units in the last place, and very few are other draws";

/// `variance_scaling`
fn scaled(
    scale: f64,
    mode: FanMode,
    distribution: FanDistribution,
    site: &Site,
    DrawContext { dtype, .. }: DrawContext,
) -> Result<Distribution> {
    let [fan_in, fan_out] = fans(site)?;
    variance_scaling(scale, mode.fan(Ok(fan_in), Ok(fan_out))?, distribution, dtype)
}

fn glorot(
    distribution: FanDistribution,
    arguments: &Arguments,
    site: &Site,
    context: DrawContext,
) -> Result<Distribution> {
    without("JAX", arguments, &[&POOL])?;
    only_gain("JAX", arguments, "1")?;
    scaled(1.0, FanAvg, distribution, site, context)
}

fn he(distribution: FanDistribution, arguments: &Arguments, site: &Site, context: DrawContext) -> Result<Distribution> {
    only_gain("JAX", arguments, "relu")?;
    scaled(2.0, arguments.value(&MODE)?, distribution, site, context)
}

/// `uniform(scale)`, on [0, scale), where multiplying and adding agree; other bounds are `jax.random.uniform(minval, maxval)`.
fn uniform(arguments: &mut Arguments, site: &Site, DrawContext { dtype, .. }: DrawContext) -> Result<Distribution> {
    let Distribution::Uniform { low, high } = normal_uniform::uniform(arguments, site)? else {
        bail!("JAX needs low and high")
    };
    let [low, high] = [low, high].map(|bound| array(dtype, bound));
    ensure!(low < high, "low is {low} and high is {high} in {dtype}: low must be below high");
    Ok(Distribution::Uniform { low, high })
}

fn truncated_normal(
    arguments: &mut Arguments,
    _: &Site,
    DrawContext { dtype, .. }: DrawContext,
) -> Result<Distribution> {
    without("JAX", arguments, &[&LOW, &HIGH])?;
    ensure!(!arguments.flag(&truncated::CORRECTED), "JAX does not widen this distribution: omit `corrected`");
    for (parameter, cut) in [(&LOW_SIGMA, -2.0), (&HIGH_SIGMA, 2.0)] {
        if !arguments.given(parameter) {
            arguments.set(parameter, &cut);
        }
    }
    let [low, high] = [arguments.value(&LOW_SIGMA)?, arguments.value(&HIGH_SIGMA)?];
    ensure!(low < high, "low-sigma is {low} and high-sigma is {high}: the lower cut must be below the upper");
    let [mean, std] = [arguments.value(&MEAN)?, arguments.positive(&STD)?].map(|value| array(dtype, value));
    ensure!(std > 0.0, "std is {}: it rounds to 0 in {dtype}", arguments.text(&STD));
    let cuts = [low, high].map(|cut| mean + cut * std);
    for (cut, asked) in cuts.into_iter().zip([low, high]) {
        let kept = array(dtype, in_deviations(cut, mean, std)) == array(dtype, asked);
        ensure!(kept, "a cut at {asked} standard deviations is not exact in {dtype} here: use fewer digits");
    }
    Ok(Distribution::TruncatedNormal { mean, std, low: cuts[0], high: cuts[1] })
}

fn orthogonal(arguments: &mut Arguments, site: &Site, DrawContext { dtype, .. }: DrawContext) -> Result<Distribution> {
    without("JAX", arguments, &[&matrices::METHOD, &matrices::MODE])?;
    one_matrix("JAX", site, dtype)?;
    let gain = array(dtype, arguments.gain()?);
    Ok(Distribution::Orthogonal { gain, method: OrthogonalMethod::Svd, unfolding: site.unfolding()? })
}

fn delta_orthogonal(
    arguments: &mut Arguments,
    site: &Site,
    DrawContext { dtype, .. }: DrawContext,
) -> Result<Distribution> {
    one_matrix("JAX", site, dtype)?;
    matrices::delta_orthogonal(arguments, site)
}
