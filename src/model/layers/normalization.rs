//! Layers that scale and shift each feature.

use anyhow::{Result, ensure};

use super::arguments::LayerArguments;
use super::frameworks::Framework;
use super::tensor::{LayerTensor, TensorRole};

pub(super) fn layer_norm(arguments: &LayerArguments, framework: &Framework) -> Result<Vec<LayerTensor>> {
    affine(arguments, framework, &arguments.sizes("size")?)
}

pub(super) fn group_norm(arguments: &LayerArguments, framework: &Framework) -> Result<Vec<LayerTensor>> {
    let size = arguments.size("size")?;
    arguments.groups(&[("size", size)])?;
    affine(arguments, framework, &[size])
}

pub(super) fn rms_norm(arguments: &LayerArguments, framework: &Framework) -> Result<Vec<LayerTensor>> {
    Ok(vec![arguments.tensor(framework, framework.norm[0], arguments.sizes("size")?, TensorRole::Scale)])
}

/// `torch.nn.PReLU`: the slope for negative inputs.
pub(super) fn prelu(arguments: &LayerArguments, framework: &Framework) -> Result<Vec<LayerTensor>> {
    let init = arguments.number("init")?.unwrap_or(0.25);
    let slope = arguments.tensor(framework, framework.weight, vec![arguments.size("size")?], TensorRole::Scale);
    let constant = if arguments.is_like_torch() { "torch.constant_" } else { "constant" };
    Ok(vec![LayerTensor { default_scheme: Some(format!("{constant}:value={init:e}")), ..slope }])
}

/// Batch and instance norms. `default` is the default of the flags `affine` and `statistics`.
pub(super) fn with_statistics(
    arguments: &LayerArguments,
    framework: &Framework,
    default: bool,
) -> Result<Vec<LayerTensor>> {
    let size = vec![arguments.size("size")?];
    let mut tensors =
        if arguments.switch("affine", default)? { affine(arguments, framework, &size)? } else { Vec::new() };
    if arguments.switch("statistics", default)? {
        tensors.extend(framework.statistics.map(|(word, role)| arguments.tensor(framework, word, size.clone(), role)));
    }
    ensure!(!tensors.is_empty(), "it has no tensors: set affine=true or statistics=true");
    Ok(tensors)
}

fn affine(arguments: &LayerArguments, framework: &Framework, size: &[u64]) -> Result<Vec<LayerTensor>> {
    let [scale, shift] = framework.norm;
    let mut tensors = vec![arguments.tensor(framework, scale, size.to_vec(), TensorRole::Scale)];
    if arguments.bias()? {
        tensors.push(arguments.tensor(framework, shift, size.to_vec(), TensorRole::Bias));
    }
    Ok(tensors)
}
