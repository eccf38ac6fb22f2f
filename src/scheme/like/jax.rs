//! The initializers of JAX (`jax.nn.initializers`), each operation rounded to the type of the weights, as JAX does it.

use anyhow::{Result, bail, ensure};

use super::{Like, Row, row};
use crate::law::{Law, as_float};
use crate::plan::{DType, Role, narrow};
use crate::scheme::{Arguments, Site, find};

pub(super) const LIKE: Like = Like { framework: "jax", layout: "jax", rows: ROWS };

const ROWS: &[Row] = &[
    row("zeros", |_, _, _| Ok(Law::Constant { value: 0.0 })),
    row("ones", |_, _, _| Ok(Law::Constant { value: 1.0 })),
    row("constant", |arguments, _, dtype| Ok(Law::Constant { value: array(dtype, arguments.number("value")?) })),
    row("normal", |arguments, _, dtype| {
        let [mean, std] = [arguments.number("mean")?, arguments.nonnegative("std")?].map(|value| array(dtype, value));
        Ok(Law::Normal { mean, std })
    }),
    row("uniform", uniform),
    row("truncated-normal", truncated_normal),
    row("variance-scaling", |arguments, site, dtype| {
        ensure!(
            arguments.word("corrected") != Some("false"),
            "JAX always widens a truncated normal: leave `corrected` out"
        );
        let distribution = Distribution::of(arguments);
        distribution.scaled(arguments.positive("scale")?, fan(arguments, site)?, dtype)
    }),
    row("lecun-normal", |_, site, dtype| Distribution::Truncated.scaled(1.0, fan_in(site)?, dtype)),
    row("lecun-uniform", |_, site, dtype| Distribution::Uniform.scaled(1.0, fan_in(site)?, dtype)),
    row("glorot-normal", |arguments, site, dtype| {
        without(arguments, &["pool"])?;
        Distribution::Truncated.scaled(scale(arguments, "1")?, average(site)?, dtype)
    }),
    row("glorot-uniform", |arguments, site, dtype| {
        without(arguments, &["pool"])?;
        Distribution::Uniform.scaled(scale(arguments, "1")?, average(site)?, dtype)
    }),
    row("he-normal", |arguments, site, dtype| {
        Distribution::Truncated.scaled(scale(arguments, "relu")?, fan(arguments, site)?, dtype)
    }),
    row("he-uniform", |arguments, site, dtype| {
        Distribution::Uniform.scaled(scale(arguments, "relu")?, fan(arguments, site)?, dtype)
    }),
    row("orthogonal", orthogonal).close(LAPACK),
    row("delta-orthogonal", delta_orthogonal).close(LAPACK),
];

const LAPACK: &str = "JAX decomposes the same normals by LAPACK in single precision, and fanin in double precision: they agree to about 1e-6";

/// What `sqrt(variance)` is divided by where the normal is cut at 2 standard deviations.
const KEPT: f64 = 0.879_625_661_034_239_8;

#[derive(Clone, Copy)]
enum Distribution {
    Normal,
    Uniform,
    Truncated,
}

impl Distribution {
    fn of(arguments: &Arguments) -> Self {
        match arguments.word("distribution") {
            Some("uniform") => Self::Uniform,
            Some("truncated-normal") => Self::Truncated,
            _ => Self::Normal,
        }
    }

    /// `jax.nn.initializers.variance_scaling`, of variance scale / fan.
    fn scaled(self, scale: f64, fan: f64, dtype: DType) -> Result<Law> {
        let variance = array(dtype, scale / fan);
        let std = dtype.round(variance.sqrt());
        ensure!(std > 0.0, "the variance {:e} is 0 in {dtype}", scale / fan);
        Ok(match self {
            Self::Normal => Law::Normal { mean: 0.0, std },
            Self::Uniform => {
                let bound = dtype.round(dtype.round(3.0 * variance).sqrt());
                Law::Uniform { low: -bound, high: bound }
            }
            Self::Truncated => {
                let std = dtype.round(std / array(dtype, KEPT));
                Law::TruncatedNormal { mean: 0.0, std, low: -2.0 * std, high: 2.0 * std }
            }
        })
    }
}

/// `jax.numpy.array(value, dtype)`: to a bfloat16 by way of a single.
fn array(dtype: DType, value: f64) -> f64 {
    match dtype {
        DType::BF16 => dtype.round(narrow(value).into()),
        _ => dtype.round(value),
    }
}

/// `uniform(scale)`, on [0, scale); other bounds are `jax.random.uniform(minval, maxval)`.
fn uniform(arguments: &mut Arguments, site: &Site, dtype: DType) -> Result<Law> {
    let Law::Uniform { low, high } = (find("uniform")?.law)(arguments, site)? else { bail!("it takes low and high") };
    let [low, high] = [low, high].map(|bound| array(dtype, bound));
    ensure!(low < high, "low is {low} and high is {high} in {dtype}: low must be below high");
    // Initializers of a variance have such bounds by way of a product, and others by way of a sum.
    ensure!(
        low != -high || high.to_bits().trailing_zeros() >= 52,
        "jax.nn.initializers.uniform begins at 0: take `uniform:low=0`, or variance-scaling with distribution=uniform"
    );
    Ok(Law::Uniform { low, high })
}

fn truncated_normal(arguments: &mut Arguments, _: &Site, dtype: DType) -> Result<Law> {
    without(arguments, &["low", "high"])?;
    ensure!(!arguments.flag("corrected"), "JAX does not widen this one: leave `corrected` out");
    for (name, cut) in [("low-sigma", "-2"), ("high-sigma", "2")] {
        if !arguments.given(name) {
            arguments.set(name, cut);
        }
    }
    let [low, high] = [arguments.number("low-sigma")?, arguments.number("high-sigma")?];
    ensure!(low < high, "low-sigma is {low} and high-sigma is {high}: the lower cut must be below the upper");
    let [mean, std] = [arguments.number("mean")?, arguments.positive("std")?].map(|value| array(dtype, value));
    ensure!(std > 0.0, "std is {}: it is 0 in {dtype}", arguments.typed("std"));
    Ok(Law::TruncatedNormal { mean, std, low: mean + low * std, high: mean + high * std })
}

fn orthogonal(arguments: &mut Arguments, site: &Site, dtype: DType) -> Result<Law> {
    without(arguments, &["method", "mode"])?;
    check_matrix(site, dtype)?;
    let gain = array(dtype, arguments.gain()?);
    Ok(Law::Orthogonal { gain, method: crate::law::OrthogonalMethod::Svd, unfolding: site.unfolding()? })
}

fn delta_orthogonal(arguments: &mut Arguments, site: &Site, dtype: DType) -> Result<Law> {
    check_matrix(site, dtype)?;
    (find("delta-orthogonal")?.law)(arguments, site)
}

/// Refuses what JAX makes no matrix of: `column_axis` is one axis, and all others are flattened.
fn check_matrix(site: &Site, dtype: DType) -> Result<()> {
    ensure!(matches!(dtype, DType::F32 | DType::F64), "JAX decomposes no matrix of {dtype}: take --dtype f32");
    let axes = site.axes()?;
    let outputs = axes.iter().filter(|(role, _)| *role == Role::Out).count();
    let sides = axes.has(|role| matches!(role, Role::Batch | Role::Group));
    ensure!(outputs == 1 && !sides, "JAX takes one axis for the columns and all others together for the rows");
    Ok(())
}

/// The scale of the variance where the framework's function takes none: that of the only gain that it has.
fn scale(arguments: &mut Arguments, only: &str) -> Result<f64> {
    let gain = arguments.word("gain").unwrap_or(only);
    ensure!(gain == only, "JAX takes no gain here: take variance-scaling:scale=S, S the square of the gain");
    Ok(if only == "relu" { 2.0 } else { 1.0 })
}

/// Refuses parameters that the framework does not have.
fn without(arguments: &Arguments, names: &[&str]) -> Result<()> {
    match names.iter().find(|name| arguments.given(name)) {
        Some(name) => bail!("JAX has no `{name}` here: leave it out"),
        None => Ok(()),
    }
}

/// The fan that `mode` names.
fn fan(arguments: &Arguments, site: &Site) -> Result<f64> {
    match arguments.word("mode") {
        Some("fan-out") => Ok(as_float(site.fan_out()?).max(1.0)),
        Some("fan-avg") => average(site),
        Some("fan-geo-avg") => Ok((as_float(site.fan_in()?) * as_float(site.fan_out()?)).sqrt().max(1.0)),
        _ => fan_in(site),
    }
}

fn fan_in(site: &Site) -> Result<f64> {
    Ok(as_float(site.fan_in()?).max(1.0))
}

fn average(site: &Site) -> Result<f64> {
    Ok(((as_float(site.fan_in()?) + as_float(site.fan_out()?)) / 2.0).max(1.0))
}
