//! Layers that only torch has.

use anyhow::{Result, bail, ensure};

use super::arguments::LayerArguments;
use super::dense::kernel;
use super::frameworks::Framework;
use super::tensor::{LayerTensor, TensorRole};
use crate::tensor::{Fans, Layout};

/// `torch.nn.ConvTranspose1d` to `ConvTranspose3d`: a weight of inputs x outputs / groups x kernel. torch uses the fans of an ordinary
/// convolution of that shape, whose second axis is the inputs. The letters follow it.
pub(super) fn transposed(
    arguments: &LayerArguments,
    framework: &Framework,
    layout: &Layout,
    axes: usize,
) -> Result<Vec<LayerTensor>> {
    let (inputs, outputs, kernel) = (arguments.size("in")?, arguments.size("out")?, kernel(arguments, axes)?);
    let groups = arguments.groups(&[("in", inputs), ("out", outputs)])?;
    let field = kernel.iter().try_fold(1u64, |field, &size| field.checked_mul(size));
    let fan = |side: u64| field.and_then(|field| field.checked_mul(side));
    let fans = Fans { fan_in: fan(outputs / groups), fan_out: fan(inputs) };
    let shape = [vec![inputs, outputs / groups], kernel].concat();
    let named = |word, shape, role| LayerTensor { fans, ..arguments.tensor(framework, word, shape, role) };
    let letters = layout.letters(2 + axes)?;
    let mut tensors = vec![LayerTensor { layout: Some(letters), ..named(framework.weight, shape, TensorRole::Weight) }];
    if arguments.bias()? {
        tensors.push(named(framework.bias, vec![outputs], TensorRole::Bias));
    }
    Ok(tensors)
}

/// `torch.nn.Bilinear`: weight and bias are uniform with the bound 1 / sqrt(first inputs), like recurrent layers.
pub(super) fn bilinear(arguments: &LayerArguments, framework: &Framework) -> Result<Vec<LayerTensor>> {
    let (inputs, outputs) = (arguments.sizes("in")?, arguments.size("out")?);
    let [first, second] = *inputs else {
        bail!("`in` is a list of {}: it must be two sizes", inputs.len());
    };
    ensure!(first > 0 || !arguments.is_like_torch(), "the first size of `in` is 0: it must be 1 or more");
    let default_scheme = arguments.is_like_torch().then(|| format!("rnn-uniform:hidden={first}"));
    let fans = Fans { fan_in: first.checked_mul(second), fan_out: Some(outputs) };
    let named = |word, shape, role| LayerTensor {
        fans,
        default_scheme: default_scheme.clone(),
        ..arguments.tensor(framework, word, shape, role)
    };
    let mut tensors = vec![named(framework.weight, vec![outputs, first, second], TensorRole::Weight)];
    if arguments.bias()? {
        tensors.push(named(framework.bias, vec![outputs], TensorRole::Bias));
    }
    Ok(tensors)
}
