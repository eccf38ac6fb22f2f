//! Normals that are cut off.

use anyhow::{Context, Result, ensure};

use super::{Arguments, Kind, Parameter, Requires, Scheme, Site, example};
use crate::distribution::Distribution;
use crate::statistics::normal;

pub(super) const ROWS: &[Scheme] = &[Scheme {
    name: "truncated-normal",
    summary: "normal values, redrawn until they lie between two cuts",
    formula: "w ~ N(mean, std^2) given low <= w <= high; low-sigma, high-sigma: low = mean + low-sigma std, ...; std is that of the normal before cutting, or after it with corrected=true",
    source: "Keras TruncatedNormal (cut at 2 sigma); torch.nn.init.trunc_normal_ (cut at absolute values)",
    ranks: "any",
    parameters: &[
        Parameter { name: "std", kind: Kind::Number, default: Some("0.01"), help: "the standard deviation, above 0" },
        Parameter { name: "mean", kind: Kind::Number, default: Some("0"), help: "the mean before cutting" },
        Parameter {
            name: "low",
            kind: Kind::Number,
            default: None,
            help: "the lower cut, an absolute value; open if only high is given",
        },
        Parameter {
            name: "high",
            kind: Kind::Number,
            default: None,
            help: "the upper cut, an absolute value; open if only low is given",
        },
        Parameter {
            name: "low-sigma",
            kind: Kind::Number,
            default: None,
            help: "the lower cut in standard deviations from the mean [default: -2, if no cut is given]",
        },
        Parameter {
            name: "high-sigma",
            kind: Kind::Number,
            default: None,
            help: "the upper cut in standard deviations from the mean [default: 2, if no cut is given]",
        },
        Parameter {
            name: "corrected",
            kind: Kind::Flag,
            default: Some("false"),
            help: "std is that after cutting; only with cuts in sigma",
        },
    ],
    bare: Some("std"),
    aliases: &[],
    requires: Requires::Shape,
    example: example("truncated-normal"),
    distribution: truncated_normal,
}];

fn truncated_normal(arguments: &mut Arguments, _: &Site) -> Result<Distribution> {
    let (mean, asked) = (arguments.number("mean")?, arguments.positive("std")?);
    let absolute = arguments.given("low") || arguments.given("high");
    let relative = arguments.given("low-sigma") || arguments.given("high-sigma");
    ensure!(!(absolute && relative), "it takes cuts at low and high, or at low-sigma and high-sigma, not both kinds");
    let (std, low, high) = if absolute {
        ensure!(!arguments.flag("corrected"), "corrected goes with cuts in sigma (low-sigma, high-sigma) only");
        let cut = |name, open| arguments.optional_number(name).unwrap_or(open);
        (asked, cut("low", f64::NEG_INFINITY), cut("high", f64::INFINITY))
    } else {
        if !relative {
            arguments.set("low-sigma", "-2");
            arguments.set("high-sigma", "2");
        }
        let low = arguments.optional_number("low-sigma").unwrap_or(f64::NEG_INFINITY);
        let high = arguments.optional_number("high-sigma").unwrap_or(f64::INFINITY);
        let kept = match arguments.flag("corrected") && low < high {
            true => kept_std(low, high)?,
            false => 1.0,
        };
        let std = asked / kept;
        (std, mean + low * std, mean + high * std)
    };
    ensure!(low < high, "the lower cut is {low} and the upper {high}: the lower must be below the upper");
    let (a, b) = ((low - mean) / std, (high - mean) / std);
    ensure!(
        a <= FARTHEST && b >= -FARTHEST,
        "the cuts begin {:.3e} standard deviations from the mean: at most {FARTHEST:e} are allowed",
        a.max(-b)
    );
    Ok(Distribution::TruncatedNormal { mean, std, low, high })
}

/// How many standard deviations from the mean an interval may begin; beyond, its values could not be told apart.
const FARTHEST: f64 = 1e6;

/// The part of the standard deviation that is left after cutting at `low` and `high` sigma.
fn kept_std(low: f64, high: f64) -> Result<f64> {
    let kept = Some(normal::truncated_moments(low, high).1).filter(|&std| std > 1e-6);
    kept.context("corrected=true is not possible: there is next to nothing between these cuts")
}
