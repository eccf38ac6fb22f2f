//! Arithmetic shared by several frameworks.

use anyhow::{Result, bail, ensure};

use super::{Arguments, DType, Site};
use crate::distribution::Distribution;
use crate::scheme::AnyParameter;
use crate::scheme::gain::GAIN;
use crate::scheme::scaled::{Arithmetic, FanDistribution, FanMode, scaled};
use crate::tensor::{AxisRole, to_f32, to_f64};

/// The arithmetic of Keras and JAX: a variance is divided by the fan, in double precision or rounded to a type.
struct VarianceScaling(DType);

impl VarianceScaling {
    fn variance(&self, scale: f64, fan: f64) -> f64 {
        array(self.0, scale / fan.max(1.0))
    }
}

impl Arithmetic for VarianceScaling {
    fn std(&self, scale: f64, fan: f64) -> f64 {
        self.0.round(self.variance(scale, fan).sqrt())
    }

    fn bound(&self, scale: f64, fan: f64) -> f64 {
        self.0.round(self.0.round(3.0 * self.variance(scale, fan)).sqrt())
    }

    /// Both divide by the standard deviation of `scipy.stats.truncnorm(-2, 2)`, with these digits.
    fn widened(&self, std: f64) -> f64 {
        self.0.round(std / array(self.0, 0.879_625_661_034_239_8))
    }
}

/// `VarianceScaling` of Keras and JAX. Errors if the variance rounds to 0 in the type.
pub(super) fn variance_scaling(
    scale: f64,
    fan: f64,
    distribution: FanDistribution,
    dtype: DType,
) -> Result<Distribution> {
    let by = VarianceScaling(dtype);
    ensure!(by.std(scale, fan) > 0.0, "the variance {:e} rounds to 0 in {dtype}", scale / fan.max(1.0));
    Ok(scaled(scale, fan, distribution, &by))
}

/// The arithmetic of torch's Xavier functions and of Lasagne: a bound is sqrt(3) times the standard deviation.
pub(super) struct StdFirst;

impl Arithmetic for StdFirst {}

/// A number as JAX converts it: to a bfloat16 via single precision.
pub(super) fn array(dtype: DType, value: f64) -> f64 {
    match dtype {
        DType::BF16 => dtype.round(to_f32(value).into()),
        _ => dtype.round(value),
    }
}

/// The average fan for frameworks that divide by `fan_in + fan_out`, which is 1 or more.
pub(super) fn average(fan_in: f64, fan_out: f64) -> Result<f64> {
    Ok(FanMode::FanAvg.fan(Ok(fan_in), Ok(fan_out))?.max(0.5))
}

/// The fans of a site: of inputs and outputs.
pub(super) fn fans(site: &Site) -> Result<[f64; 2]> {
    Ok([to_f64(site.fan_in()?), to_f64(site.fan_out()?)])
}

/// Errors for parameters that a framework lacks.
pub(super) fn without(framework: &str, arguments: &Arguments, parameters: &[&dyn AnyParameter]) -> Result<()> {
    match parameters.iter().find(|parameter| arguments.given(**parameter)) {
        Some(parameter) => bail!("{framework} has no `{}` here: omit it", parameter.name()),
        None => Ok(()),
    }
}

/// Errors for any gain except `only`, the framework's.
pub(super) fn only_gain(framework: &str, arguments: &Arguments, only: &str) -> Result<()> {
    ensure!(
        arguments.text(&GAIN) == only,
        "{framework} has no `gain` here: use variance-scaling:scale=S, S the square of the gain"
    );
    Ok(())
}

/// Errors for dtypes that no framework has a QR decomposition for.
pub(super) fn decomposed(framework: &str, dtype: DType) -> Result<()> {
    ensure!(matches!(dtype, DType::F32 | DType::F64), "{framework} decomposes no {dtype} matrices: use --dtype f32");
    Ok(())
}

/// Errors for tensors that frameworks do not flatten to one matrix with one axis as its columns.
pub(super) fn one_matrix(framework: &str, site: &Site, dtype: DType) -> Result<()> {
    decomposed(framework, dtype)?;
    let axes = site.axes()?;
    let outputs = axes.iter().filter(|(role, _)| *role == AxisRole::Out).count();
    let sides = axes.has(|role| matches!(role, AxisRole::Batch | AxisRole::Group));
    ensure!(outputs == 1 && !sides, "{framework} needs exactly one output axis, and no batch or group axis");
    Ok(())
}
