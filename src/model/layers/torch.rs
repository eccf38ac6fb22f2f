//! Layers whose tensors are known as torch keeps and draws them, and as no other framework does.

use anyhow::{Result, bail, ensure};

use super::arguments::LayerArguments;
use super::{Framework, LayerTensor, TensorRole, kernel};
use crate::tensor::{Fans, Layout};

/// True if a framework is torch.
pub(super) fn is_torch(framework: &Framework) -> bool {
    framework.layout == "torch"
}

/// Errors where the names are not to be torch's.
pub(super) fn named_by_torch(framework: &Framework, layout: &Layout) -> Result<()> {
    ensure!(is_torch(framework), "layout `{layout}` has no names for it here: only `torch` has");
    Ok(())
}

/// `torch.nn.ConvTranspose1d` to `ConvTranspose3d`: a weight of inputs x outputs / groups x kernel. torch draws it by the fans of an
/// ordinary convolution of that shape, which takes the second axis for the inputs, and so do the letters.
pub(super) fn transposed(
    given: &LayerArguments,
    framework: &Framework,
    layout: &Layout,
    places: usize,
) -> Result<Vec<LayerTensor>> {
    named_by_torch(framework, layout)?;
    let (inputs, outputs, groups) = (given.size("in")?, given.size("out")?, given.count("groups")?);
    let kernel = kernel(given, places)?;
    for (key, size) in [("in", inputs), ("out", outputs)] {
        ensure!(size % groups == 0, "`{key}` is {size}, which {groups} groups do not divide");
    }
    let field = kernel.iter().try_fold(1u64, |field, &size| field.checked_mul(size));
    let fan = |side: u64| field.and_then(|field| field.checked_mul(side));
    let fans = Fans { fan_in: fan(outputs / groups), fan_out: fan(inputs) };
    let shape = [vec![inputs, outputs / groups], kernel].concat();
    let named = |word, shape, role| LayerTensor { fans, ..given.tensor(framework, word, shape, role) };
    let letters = layout.letters(2 + places)?;
    let mut tensors = vec![LayerTensor { layout: Some(letters), ..named(framework.weight, shape, TensorRole::Weight) }];
    if given.bias()? {
        tensors.push(named(framework.bias, vec![outputs], TensorRole::Bias));
    }
    Ok(tensors)
}

/// `torch.nn.Bilinear`: everything is uniform with the bound 1 / sqrt(first inputs), by the distribution of recurrent layers.
pub(super) fn bilinear(given: &LayerArguments, framework: &Framework, layout: &Layout) -> Result<Vec<LayerTensor>> {
    named_by_torch(framework, layout)?;
    let (inputs, outputs) = (given.sizes("in")?, given.size("out")?);
    let [first, second] = *inputs else {
        bail!("`in` is a list of {}, and takes two sizes", inputs.len());
    };
    ensure!(first > 0 || !given.drawn_by_torch(), "`in` is 0 of the first input, and torch takes 1 or more");
    let own = given.drawn_by_torch().then(|| format!("rnn-uniform:hidden={first}"));
    let fans = Fans { fan_in: first.checked_mul(second), fan_out: Some(outputs) };
    let named =
        |word, shape, role| LayerTensor { fans, own: own.clone(), ..given.tensor(framework, word, shape, role) };
    let mut tensors = vec![named(framework.weight, vec![outputs, first, second], TensorRole::Weight)];
    if given.bias()? {
        tensors.push(named(framework.bias, vec![outputs], TensorRole::Bias));
    }
    Ok(tensors)
}
