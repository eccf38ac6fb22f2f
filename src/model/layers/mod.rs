//! Layers: the tensors of each kind, with the names, shapes and order of a framework.
//!
//! A [`LayerKind`] has parameters and tensors; a [`Framework`] names the tensors; a [`Layout`] orders the axes.

mod arguments;
mod attention;
mod default_init;
mod dense;
mod frameworks;
mod kind;
pub mod modules;
mod normalization;
mod recurrent;
mod tensor;
#[cfg(test)]
mod tests;
mod torch;

use anyhow::{Context, Result, ensure};

pub use arguments::Parameter;
pub use frameworks::{FRAMEWORKS, Framework, LayerNaming};
pub use kind::LayerKind;
pub use tensor::{LayerTensor, TensorRole};

use crate::tensor::Layout;
use arguments::LayerArguments;
use recurrent::{cell, recurrent};

/// The tensors of a layer with the names of the layout's framework, and with the default schemes of the framework `like`. Errors name
/// the parameter that is unknown, missing or wrong.
pub fn expand(
    name: &str,
    kind: LayerKind,
    parameters: &[(String, Parameter)],
    layout: &Layout,
    like: Option<&'static Framework>,
) -> Result<Vec<LayerTensor>> {
    let arguments = LayerArguments { name, kind, parameters, like };
    let tensors = arguments.check().and_then(|()| tensors(&arguments, Framework::of(layout), layout));
    let mut tensors = tensors.with_context(|| format!("layer `{}`", kind.name()))?;
    let has_turns = arguments.is_like_torch() && tensors.iter().any(|tensor| tensor.turn > 0);
    for (position, tensor) in tensors.iter_mut().enumerate().filter(|_| !has_turns) {
        tensor.turn = position;
    }
    Ok(tensors)
}

fn tensors(arguments: &LayerArguments, framework: &Framework, layout: &Layout) -> Result<Vec<LayerTensor>> {
    if arguments.kind.is_torch_only() {
        framework.require_torch(layout)?;
    }
    match arguments.kind {
        LayerKind::Dense => dense::weight(arguments, framework, layout, 0),
        LayerKind::Conv(axes) => dense::weight(arguments, framework, layout, axes),
        LayerKind::ConvTranspose(axes) => torch::transposed(arguments, framework, layout, axes),
        LayerKind::Embedding => dense::embedding(arguments, framework),
        LayerKind::LayerNorm => normalization::layer_norm(arguments, framework),
        LayerKind::BatchNorm => normalization::with_statistics(arguments, framework, true),
        LayerKind::InstanceNorm => normalization::with_statistics(arguments, framework, false),
        LayerKind::GroupNorm => normalization::group_norm(arguments, framework),
        LayerKind::RmsNorm => normalization::rms_norm(arguments, framework),
        LayerKind::Prelu => normalization::prelu(arguments, framework),
        LayerKind::Rnn => recurrent(arguments, framework.rnn, framework, layout),
        LayerKind::Lstm => recurrent(arguments, framework.lstm, framework, layout),
        LayerKind::Gru => recurrent(arguments, framework.gru, framework, layout),
        LayerKind::RnnCell | LayerKind::LstmCell | LayerKind::GruCell => cell(arguments, framework, layout),
        LayerKind::Bilinear => torch::bilinear(arguments, framework),
        LayerKind::MultiheadAttention => attention::multihead_attention(arguments, framework, layout),
        LayerKind::TransformerEncoderLayer => attention::encoder_layer(arguments, layout),
        LayerKind::TransformerDecoderLayer => attention::decoder_layer(arguments, layout),
        LayerKind::TransformerEncoder => attention::stack(arguments, layout, LayerKind::TransformerEncoderLayer),
        LayerKind::TransformerDecoder => attention::stack(arguments, layout, LayerKind::TransformerDecoderLayer),
        LayerKind::Transformer => attention::transformer(arguments, layout),
        LayerKind::Dropout => {
            seeds(arguments)?;
            Ok(Vec::new())
        }
    }
}

/// The number of seeds that Keras draws for a layer without weights.
fn seeds(arguments: &LayerArguments) -> Result<u64> {
    const MAX_SEEDS: u64 = 1 << 10;
    let seeds = arguments.count("seeds")?;
    ensure!(seeds <= MAX_SEEDS, "`seeds` is {seeds}: at most 2^10 are allowed");
    Ok(seeds)
}

/// The numbers of seeds that Keras draws for a layer before and after its weights' seeds. A recurrent layer has a generator for dropout.
pub fn extra_keras_seeds(kind: LayerKind, parameters: &[(String, Parameter)]) -> Result<[u64; 2]> {
    Ok(match kind {
        LayerKind::Rnn => [1, 0],
        LayerKind::Lstm | LayerKind::Gru => [0, 1],
        LayerKind::Dropout => [seeds(&LayerArguments { name: "", kind, parameters, like: None })?, 0],
        _ => [0, 0],
    })
}
