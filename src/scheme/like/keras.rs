//! The initializers of Keras 3 (`keras.initializers`), whose bounds and standard deviations are computed in double precision.

use anyhow::{Result, ensure};

use super::shared::{self, KEPT, one_matrix, only_gain, without};
use super::tensorflow::truncated_normal;
use super::{Arguments, DType, Law, Like, Row, Site, native, row};
use crate::law::{OrthogonalMethod, as_float};
use crate::plan::narrow;

pub(super) const LIKE: Like = Like { framework: "keras", layout: "keras", rows: ROWS };

const ROWS: &[Row] = &[
    native("zeros"),
    native("ones"),
    row("constant", |arguments, _, dtype| {
        let value = arguments.number("value")?;
        let nearest = f64::from(narrow(value));
        let held = dtype != DType::F64 || value.is_nan() || nearest == value;
        ensure!(held, "Keras takes a constant by way of single precision on TensorFlow: of f64, write {nearest}");
        Ok(Law::Constant { value })
    }),
    native("identity"),
    native("lstm-bias"),
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
    row("lecun-uniform", |_, site, _| scaled("uniform", 1.0, fans(site)?[0])).single(),
    row("glorot-uniform", |arguments, site, _| {
        without("Keras", arguments, &["pool", "slope"])?;
        only_gain("Keras", arguments, "1")?;
        let [inputs, outputs] = fans(site)?;
        scaled("uniform", 1.0, f64::midpoint(inputs, outputs))
    })
    .single(),
    row("he-uniform", |arguments, site, _| {
        without("Keras", arguments, &["slope"])?;
        only_gain("Keras", arguments, "relu")?;
        scaled("uniform", 2.0, fan(arguments, site)?)
    })
    .single(),
    row("orthogonal", orthogonal).single().close(
        "Keras decomposes the same normals by its backend, most often in single precision, and fanin in double precision: they agree to about 1e-6",
    ),
];

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
    let known = arguments.word("mode") != Some("fan-geo-avg");
    ensure!(known, "Keras has no mode fan-geo-avg: it has fan-in, fan-out and fan-avg");
    Ok(shared::fan(arguments, fans(site)?))
}

/// The fans; both of a vector are its length, and of a scalar 1, where none are given.
fn fans(site: &Site) -> Result<[f64; 2]> {
    let of_vector = |fan: Result<u64>| match fan {
        Err(_) if site.shape.rank() < 2 => Ok(as_float(site.shape.count())),
        fan => fan.map(as_float),
    };
    Ok([of_vector(site.fan_in())?, of_vector(site.fan_out())?])
}

fn orthogonal(arguments: &mut Arguments, site: &Site, dtype: DType) -> Result<Law> {
    without("Keras", arguments, &["method", "mode"])?;
    one_matrix("Keras", site, dtype)?;
    Ok(Law::Orthogonal { gain: arguments.gain()?, method: OrthogonalMethod::Svd, unfolding: site.unfolding()? })
}
