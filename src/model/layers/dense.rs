//! Dense layers, convolutions and embeddings.

use anyhow::{Context, Result, bail};

use super::arguments::LayerArguments;
use super::frameworks::Framework;
use super::tensor::{LayerTensor, TensorRole};
use crate::tensor::{Fans, LAYOUTS, Layout};

/// The weight and bias of a dense layer or a convolution.
pub(super) fn weight(
    arguments: &LayerArguments,
    framework: &Framework,
    layout: &Layout,
    axes: usize,
) -> Result<Vec<LayerTensor>> {
    let (inputs, outputs) = (arguments.size("in")?, arguments.size("out")?);
    let kernel = if axes > 0 { kernel(arguments, axes)? } else { Vec::new() };
    let groups = arguments.groups(&[("in", inputs), ("out", outputs)])?;
    let letters = layout.letters(2 + axes)?;
    let shape = by_letters(&letters, inputs / groups, outputs, &kernel)?;
    let field = kernel.iter().try_fold(1u64, |field, &size| field.checked_mul(size));
    let fan = |side: u64| field.and_then(|field| field.checked_mul(side / groups));
    let fans = Fans { fan_in: fan(inputs), fan_out: fan(outputs) };
    let named = |word, shape, role| LayerTensor { fans, ..arguments.tensor(framework, word, shape, role) };
    let mut tensors = vec![LayerTensor { layout: Some(letters), ..named(framework.weight, shape, TensorRole::Weight) }];
    if arguments.bias()? {
        tensors.push(named(framework.bias, vec![outputs], TensorRole::Bias));
    }
    Ok(tensors)
}

/// The size of a kernel along each axis.
pub(super) fn kernel(arguments: &LayerArguments, axes: usize) -> Result<Vec<u64>> {
    let sizes = arguments.sizes("kernel")?;
    match sizes.as_slice() {
        [one] => Ok(vec![*one; axes]),
        _ if sizes.len() == axes => Ok(sizes),
        _ => bail!("`kernel` is a list of {}: it must be one size or {axes}", sizes.len()),
    }
}

/// The shape of a weight with these letters as axes.
pub(super) fn by_letters(letters: &str, inputs: u64, outputs: u64, kernel: &[u64]) -> Result<Vec<u64>> {
    let mut kernel = kernel.iter().copied();
    let shape: Option<Vec<u64>> = letters
        .chars()
        .map(|letter| match letter {
            'i' => Some(inputs),
            'o' => Some(outputs),
            'k' => kernel.next(),
            _ => None,
        })
        .collect();
    let once = |letter| letters.matches(letter).count() == 1;
    shape.filter(|_| once('i') && once('o') && kernel.next().is_none()).with_context(|| {
        let all: Vec<&str> = LAYOUTS.iter().map(|row| row.name).collect();
        format!(
            "layout `{letters}` needs one `i`, one `o` and a `k` per kernel axis; known layouts: {}",
            all.join(", ")
        )
    })
}

/// A table with a row per word: a matrix that one-hot vectors are multiplied by.
pub(super) fn embedding(arguments: &LayerArguments, framework: &Framework) -> Result<Vec<LayerTensor>> {
    let (inputs, outputs) = (arguments.size("in")?, arguments.size("out")?);
    let fans = Fans { fan_in: Some(inputs), fan_out: Some(outputs) };
    let table = arguments.tensor(framework, framework.embedding, vec![inputs, outputs], TensorRole::Weight);
    Ok(vec![LayerTensor { layout: Some("io".into()), fans, ..table }])
}
