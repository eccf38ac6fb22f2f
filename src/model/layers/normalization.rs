//! Layers that scale and shift each feature.

use anyhow::{Result, ensure};

use super::arguments::LayerArguments;
use super::torch::named_by_torch;
use super::{Framework, LayerTensor, TensorRole};
use crate::tensor::Layout;

pub(super) fn layer_norm(given: &LayerArguments, framework: &Framework, _: &Layout) -> Result<Vec<LayerTensor>> {
    affine(given, framework, &given.sizes("size")?)
}

pub(super) fn batch_norm(given: &LayerArguments, framework: &Framework, _: &Layout) -> Result<Vec<LayerTensor>> {
    with_statistics(given, framework, true)
}

/// It has no tensors where neither of its flags is set.
pub(super) fn instance_norm(given: &LayerArguments, framework: &Framework, _: &Layout) -> Result<Vec<LayerTensor>> {
    with_statistics(given, framework, false)
}

pub(super) fn group_norm(given: &LayerArguments, framework: &Framework, _: &Layout) -> Result<Vec<LayerTensor>> {
    let (size, groups) = (given.size("size")?, given.count("groups")?);
    ensure!(size % groups == 0, "`size` is {size}, which {groups} groups do not divide");
    affine(given, framework, &[size])
}

pub(super) fn rms_norm(given: &LayerArguments, framework: &Framework, _: &Layout) -> Result<Vec<LayerTensor>> {
    Ok(vec![given.tensor(framework, framework.norm[0], given.sizes("size")?, TensorRole::Scale)])
}

/// `torch.nn.PReLU`: the slope below zero.
pub(super) fn prelu(given: &LayerArguments, framework: &Framework, layout: &Layout) -> Result<Vec<LayerTensor>> {
    named_by_torch(framework, layout)?;
    let init = given.number("init")?.unwrap_or(0.25);
    let slope = given.tensor(framework, framework.weight, vec![given.size("size")?], TensorRole::Scale);
    let constant = if given.drawn_by_torch() { "torch.constant_" } else { "constant" };
    Ok(vec![LayerTensor { own: Some(format!("{constant}:value={init:e}")), ..slope }])
}

/// The scale and the shift, and the running mean and variance. Each of the flags has a default of the layer.
fn with_statistics(given: &LayerArguments, framework: &Framework, default: bool) -> Result<Vec<LayerTensor>> {
    let size = vec![given.size("size")?];
    let mut tensors = if given.switch("affine", default)? { affine(given, framework, &size)? } else { Vec::new() };
    if given.switch("statistics", default)? {
        tensors.extend(framework.statistics.map(|(word, role)| given.tensor(framework, word, size.clone(), role)));
    }
    ensure!(!tensors.is_empty(), "it has no tensors: give affine=true or statistics=true");
    Ok(tensors)
}

fn affine(given: &LayerArguments, framework: &Framework, size: &[u64]) -> Result<Vec<LayerTensor>> {
    let [scale, shift] = framework.norm;
    let mut tensors = vec![given.tensor(framework, scale, size.to_vec(), TensorRole::Scale)];
    if given.bias()? {
        tensors.push(given.tensor(framework, shift, size.to_vec(), TensorRole::Bias));
    }
    Ok(tensors)
}
