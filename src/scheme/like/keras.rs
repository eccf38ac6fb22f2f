//! The initializers of Keras 3 (`keras.initializers`), whose bounds and standard deviations are computed in double precision.

use anyhow::{Result, bail, ensure};

use super::tensorflow::truncated_normal;
use super::{Arguments, DType, Law, Like, Row, Site, native, row};
use crate::law::{OrthogonalMethod, as_float};
use crate::plan::Role;

pub(super) const LIKE: Like = Like { framework: "keras", layout: "keras", rows: ROWS };

const ROWS: &[Row] = &[
    native("zeros"),
    native("ones"),
    native("constant"),
    native("identity"),
    native("normal").single(),
    native("uniform").single(),
    row("truncated-normal", |arguments, site, dtype| {
        ensure!(!arguments.flag("corrected"), "Keras does not widen this one: leave `corrected` out");
        truncated_normal(arguments, site, dtype)
    })
    .single(),
    row("variance-scaling", |arguments, site, _| {
        ensure!(
            arguments.word("corrected") != Some("false"),
            "Keras always widens a truncated normal: leave `corrected` out"
        );
        let distribution = arguments.word("distribution").unwrap_or("truncated-normal").to_owned();
        scaled(&distribution, arguments.positive("scale")?, fan(arguments, site)?)
    })
    .single(),
    row("lecun-uniform", |_, site, _| scaled("uniform", 1.0, fan_in(site)?)).single(),
    row("glorot-uniform", |arguments, site, _| {
        without(arguments, "1", &["pool", "slope"])?;
        scaled("uniform", 1.0, average(site)?)
    })
    .single(),
    row("he-uniform", |arguments, site, _| {
        without(arguments, "relu", &["slope"])?;
        scaled("uniform", 2.0, fan(arguments, site)?)
    })
    .single(),
    row("orthogonal", orthogonal).single().close(
        "Keras decomposes the same normals by its backend, most often in single precision, and fanin in double precision: they agree to about 1e-6",
    ),
];

/// What `sqrt(scale / fan)` is divided by where the normal is cut at 2 standard deviations.
const KEPT: f64 = 0.879_625_661_034_239_8;

/// `VarianceScaling`, of variance scale / fan.
fn scaled(distribution: &str, scale: f64, fan: f64) -> Result<Law> {
    let scale = scale / fan.max(1.0);
    ensure!(scale > 0.0, "the variance is 0 over a fan of {fan}");
    Ok(match distribution {
        "uniform" => {
            let bound = (3.0 * scale).sqrt();
            Law::Uniform { low: -bound, high: bound }
        }
        "normal" => Law::Normal { mean: 0.0, std: scale.sqrt() },
        _ => {
            let std = scale.sqrt() / KEPT;
            Law::TruncatedNormal { mean: 0.0, std, low: -2.0 * std, high: 2.0 * std }
        }
    })
}

/// The fan that `mode` names.
fn fan(arguments: &Arguments, site: &Site) -> Result<f64> {
    match arguments.word("mode") {
        Some("fan-out") => fan_out(site),
        Some("fan-avg") => average(site),
        Some("fan-geo-avg") => bail!("Keras has no mode fan-geo-avg: it has fan-in, fan-out and fan-avg"),
        _ => fan_in(site),
    }
}

fn average(site: &Site) -> Result<f64> {
    Ok(f64::midpoint(fan_in(site)?, fan_out(site)?))
}

fn fan_in(site: &Site) -> Result<f64> {
    of_vector(site, site.fan_in())
}

fn fan_out(site: &Site) -> Result<f64> {
    of_vector(site, site.fan_out())
}

/// Both fans of a vector are its length, and of a scalar 1, where none are given.
fn of_vector(site: &Site, fan: Result<u64>) -> Result<f64> {
    match fan {
        Err(_) if site.shape.rank() < 2 => Ok(as_float(site.shape.count())),
        fan => Ok(as_float(fan?)),
    }
}

fn orthogonal(arguments: &mut Arguments, site: &Site, dtype: DType) -> Result<Law> {
    ensure!(!arguments.given("method") && !arguments.given("mode"), "Keras has no `method` and no `mode` here");
    ensure!(matches!(dtype, DType::F32 | DType::F64), "Keras decomposes no matrix of {dtype}: take --dtype f32");
    let axes = site.axes()?;
    let outputs = axes.iter().filter(|(role, _)| *role == Role::Out).count();
    let sides = axes.has(|role| matches!(role, Role::Batch | Role::Group));
    ensure!(outputs == 1 && !sides, "Keras takes one axis for the columns and all others together for the rows");
    Ok(Law::Orthogonal { gain: arguments.gain()?, method: OrthogonalMethod::Svd, unfolding: site.unfolding()? })
}

/// Refuses parameters that Keras does not have, and any gain but the one that it has.
fn without(arguments: &Arguments, gain: &str, names: &[&str]) -> Result<()> {
    if let Some(name) = names.iter().find(|name| arguments.given(name)) {
        bail!("Keras has no `{name}` here: leave it out");
    }
    let only = arguments.word("gain").is_none_or(|given| given == gain);
    ensure!(only, "Keras takes no gain here: take variance-scaling:scale=S, S the square of the gain");
    Ok(())
}
