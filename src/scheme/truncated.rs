//! Truncated normals.

use anyhow::{Context, Result, ensure};

use super::common::{HIGH, LOW, MEAN, STD};
use super::{Arguments, EMPTY, Parameter, Scheme, Site, SmallDefault, example};
use crate::distribution::Distribution;
use crate::statistics::truncated_normal::truncated_moments;

pub(super) const LOW_SIGMA: Parameter<f64> =
    Parameter::new("low-sigma", "the lower cut in standard deviations from the mean [default: -2, if no cut is given]");
pub(super) const HIGH_SIGMA: Parameter<f64> =
    Parameter::new("high-sigma", "the upper cut in standard deviations from the mean [default: 2, if no cut is given]");
pub(super) const CORRECTED: Parameter<bool> =
    Parameter::new("corrected", "std is the standard deviation after truncation; only with cuts in sigma")
        .default("false");

pub(super) const ROWS: &[Scheme] = &[Scheme {
    name: "truncated-normal",
    summary: "normal values, redrawn until they lie between two cuts",
    formula: "w ~ N(mean, std^2) given low <= w <= high; low-sigma, high-sigma: low = mean + low-sigma std, ...; std is that of the normal before cutting, or after it with corrected=true",
    source: "Keras TruncatedNormal (cut at 2 sigma); torch.nn.init.trunc_normal_ (cut at values)",
    ranks: "any",
    parameters: &[
        &STD.default("0.01").help("the standard deviation, above 0"),
        &MEAN.default("0").help("the mean before cutting"),
        &LOW.help("the lower bound as a value, not in sigmas [default: none, if high is given]"),
        &HIGH.help("the upper bound as a value, not in sigmas [default: none, if low is given]"),
        &LOW_SIGMA,
        &HIGH_SIGMA,
        &CORRECTED,
    ],
    bare: Some(STD.name),
    order: &[MEAN.name, STD.name, LOW.name, HIGH.name],
    small_default: Some(SmallDefault {
        spread: &[&STD],
        note: "`truncated-normal` has std 0.01 unless one is given, as in JAX; `trunc_normal_` has 1, as in torch",
    }),
    example: example("truncated-normal"),
    distribution: truncated_normal,
    ..EMPTY
}];

pub(super) fn truncated_normal(arguments: &mut Arguments, _: &Site) -> Result<Distribution> {
    let (mean, asked) = (arguments.value(&MEAN)?, arguments.positive(&STD)?);
    let absolute = arguments.given(&LOW) || arguments.given(&HIGH);
    let relative = arguments.given(&LOW_SIGMA) || arguments.given(&HIGH_SIGMA);
    ensure!(!(absolute && relative), "use low and high, or low-sigma and high-sigma, not both");
    let (std, low, high) = if absolute {
        ensure!(!arguments.flag(&CORRECTED), "corrected is only for low-sigma and high-sigma");
        let cut = |parameter, open| arguments.optional(parameter).unwrap_or(open);
        (asked, cut(&LOW, f64::NEG_INFINITY), cut(&HIGH, f64::INFINITY))
    } else {
        if !relative {
            arguments.set(&LOW_SIGMA, &-2.0);
            arguments.set(&HIGH_SIGMA, &2.0);
        }
        let low = arguments.optional(&LOW_SIGMA).unwrap_or(f64::NEG_INFINITY);
        let high = arguments.optional(&HIGH_SIGMA).unwrap_or(f64::INFINITY);
        let kept = match arguments.flag(&CORRECTED) && low < high {
            true => kept_std(low, high)?,
            false => 1.0,
        };
        let std = asked / kept;
        (std, mean + low * std, mean + high * std)
    };
    ensure!(low < high, "the cuts are {low} and {high}: the lower must be below the upper");
    let (a, b) = ((low - mean) / std, (high - mean) / std);
    ensure!(
        a <= FARTHEST && b >= -FARTHEST,
        "the cuts begin {:.3e} standard deviations from the mean: the limit is {FARTHEST:e}",
        a.max(-b)
    );
    Ok(Distribution::TruncatedNormal { mean, std, low, high })
}

/// The largest distance of an interval from the mean, in standard deviations; doubles are too coarse beyond.
const FARTHEST: f64 = 1e6;

/// The factor on the standard deviation of truncation at `low` and `high` sigma.
fn kept_std(low: f64, high: f64) -> Result<f64> {
    let kept = Some(truncated_moments(low, high).1).filter(|&std| std > 1e-6);
    kept.context("corrected=true is impossible: the cuts leave almost no probability")
}
