//! What several frameworks take alike.

use anyhow::{Result, bail, ensure};

use super::{Arguments, DType, Site};
use crate::scheme::AnyParameter;
use crate::scheme::gain::GAIN;
use crate::scheme::scaled::{FanMode, MODE};
use crate::tensor::{AxisRole, to_f64};

/// What the root of a variance is divided by where a normal is cut at 2 standard deviations: the standard deviation that is left
/// of 1, as JAX and Keras have it.
pub(super) const KEPT: f64 = 0.879_625_661_034_239_8;

/// The fan that `mode` names, that of the inputs where nothing does. `fans` are those of the inputs and the outputs.
pub(super) fn fan(arguments: &Arguments, [inputs, outputs]: [f64; 2]) -> Result<f64> {
    match arguments.value(&MODE)? {
        FanMode::In => Ok(inputs),
        FanMode::Out => Ok(outputs),
        FanMode::Average => Ok(f64::midpoint(inputs, outputs)),
        FanMode::GeometricMean => Ok((inputs * outputs).sqrt()),
    }
}

/// The fans of a site: of inputs and outputs.
pub(super) fn fans(site: &Site) -> Result<[f64; 2]> {
    Ok([to_f64(site.fan_in()?), to_f64(site.fan_out()?)])
}

/// Refuses parameters that a framework does not have.
pub(super) fn without(framework: &str, arguments: &Arguments, parameters: &[&dyn AnyParameter]) -> Result<()> {
    match parameters.iter().find(|parameter| arguments.given(**parameter)) {
        Some(parameter) => bail!("{framework} has no `{}` here: leave it out", parameter.name()),
        None => Ok(()),
    }
}

/// Refuses any gain but the only one that a framework's function has.
pub(super) fn only_gain(framework: &str, arguments: &Arguments, only: &str) -> Result<()> {
    ensure!(
        arguments.text(&GAIN) == only,
        "{framework} takes no gain here: take variance-scaling:scale=S, S the square of the gain"
    );
    Ok(())
}

/// Refuses types that no framework has a QR decomposition for.
pub(super) fn decomposed(framework: &str, dtype: DType) -> Result<()> {
    ensure!(matches!(dtype, DType::F32 | DType::F64), "{framework} decomposes no matrix of {dtype}: take --dtype f32");
    Ok(())
}

/// Refuses tensors of which a framework makes no matrix with one axis for its columns, and all others flattened for its rows.
pub(super) fn one_matrix(framework: &str, site: &Site, dtype: DType) -> Result<()> {
    decomposed(framework, dtype)?;
    let axes = site.axes()?;
    let outputs = axes.iter().filter(|(role, _)| *role == AxisRole::Out).count();
    let sides = axes.has(|role| matches!(role, AxisRole::Batch | AxisRole::Group));
    ensure!(outputs == 1 && !sides, "{framework} takes one axis for the columns and all others together for the rows");
    Ok(())
}
