//! Attention and transformers of `torch.nn`.
//!
//! torch stores their tensors in another order than it draws them. It copies the layers of a stack from one, and draws the matrices of
//! a `Transformer` twice.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use super::arguments::{LayerArguments, Parameter};
use super::expand;
use super::frameworks::Framework;
use super::kind::LayerKind;
use super::tensor::{LayerTensor, TensorRole};
use crate::tensor::{Fans, Layout};

const MAX_LAYERS: u64 = 1 << 12;

const XAVIER: &str = "torch.xavier_uniform_";

/// `torch.nn.MultiheadAttention`. The output projection is a separate layer, drawn first. The other projections follow, as one matrix
/// if they have the same size. Then the biases are set to zero.
pub(super) fn multihead_attention(
    arguments: &LayerArguments,
    framework: &Framework,
    layout: &Layout,
) -> Result<Vec<LayerTensor>> {
    let (size, bias) = (arguments.size("size")?, arguments.bias()?);
    ensure!(size > 0, "`size` is 0: it must be 1 or more");
    check_heads(arguments, size)?;
    let [keys, values] = [arguments.optional("kdim")?.unwrap_or(size), arguments.optional("vdim")?.unwrap_or(size)];
    let shapes = match (keys, values) == (size, size) {
        true => vec![("in_proj_weight", vec![3 * size, size])],
        false => [("q_proj_weight", size), ("k_proj_weight", keys), ("v_proj_weight", values)]
            .map(|(word, inputs)| (word, vec![size, inputs]))
            .into(),
    };
    let mut turns = 2..;
    let mut drawn = |word, shape: Vec<u64>, scheme: &str| {
        let tensor = arguments.tensor(framework, word, shape, TensorRole::Weight);
        let default_scheme = arguments.is_like_torch().then(|| scheme.into());
        LayerTensor {
            layout: layout.letters(tensor.shape.len()).ok(),
            default_scheme,
            turn: turns.next().unwrap_or(0),
            ..tensor
        }
    };
    let mut tensors: Vec<_> = shapes.into_iter().map(|(word, shape)| drawn(word, shape, XAVIER)).collect();
    let extra_biases = arguments
        .switch("add_bias_kv", false)?
        .then(|| ["bias_k", "bias_v"].map(|word| drawn(word, vec![1, 1, size], "torch.xavier_normal_")));
    if bias {
        let zeros = arguments.tensor(framework, "in_proj_bias", vec![3 * size], TensorRole::Bias);
        tensors.push(LayerTensor { default_scheme: None, ..zeros });
    }
    tensors.extend(extra_biases.into_iter().flatten());
    let last =
        part(arguments, layout, "out_proj", LayerKind::Dense, &[sized("in", size), sized("out", size), biased(bias)])?;
    tensors.extend(last.into_iter().map(|tensor| match tensor.role {
        TensorRole::Bias if arguments.is_like_torch() => {
            LayerTensor { default_scheme: Some("fan-in-uniform:cleared=true".into()), ..tensor }
        }
        _ => tensor,
    }));
    Ok(tensors)
}

pub(super) fn encoder_layer(arguments: &LayerArguments, layout: &Layout) -> Result<Vec<LayerTensor>> {
    layer(arguments, layout, &["self_attn"])
}

pub(super) fn decoder_layer(arguments: &LayerArguments, layout: &Layout) -> Result<Vec<LayerTensor>> {
    layer(arguments, layout, &["self_attn", "multihead_attn"])
}

/// `torch.nn.Transformer`: two stacks. All their matrices are then drawn again.
pub(super) fn transformer(arguments: &LayerArguments, layout: &Layout) -> Result<Vec<LayerTensor>> {
    let mut tensors = Vec::new();
    for (word, kind, key) in [
        ("encoder", LayerKind::TransformerEncoder, "encoder_layers"),
        ("decoder", LayerKind::TransformerDecoder, "decoder_layers"),
    ] {
        let layers = arguments.optional(key)?.unwrap_or(6);
        ensure!(layers > 0, "`{key}` is 0: it must be 1 or more");
        let mut parameters = of_layer(arguments)?;
        parameters.extend([sized("layers", layers), ("norm".into(), Parameter::Switch(true))]);
        append(&mut tensors, part(arguments, layout, word, kind, &parameters)?);
    }
    if arguments.is_like_torch() {
        draw_matrices_again(&mut tensors);
    }
    Ok(tensors)
}

/// Attentions, two dense layers, and norms.
fn layer(arguments: &LayerArguments, layout: &Layout, attentions: &[&str]) -> Result<Vec<LayerTensor>> {
    let (size, hidden, bias) = (arguments.size("size")?, arguments.size("feedforward")?, biased(arguments.bias()?));
    check_heads(arguments, size)?;
    let mut tensors = Vec::new();
    for word in attentions {
        let parameters = [sized("size", size), bias.clone()];
        append(&mut tensors, part(arguments, layout, word, LayerKind::MultiheadAttention, &parameters)?);
    }
    for (word, inputs, outputs) in [("linear1", size, hidden), ("linear2", hidden, size)] {
        let parameters = [sized("in", inputs), sized("out", outputs), bias.clone()];
        append(&mut tensors, part(arguments, layout, word, LayerKind::Dense, &parameters)?);
    }
    for number in 1..=attentions.len() + 1 {
        append(&mut tensors, norm(arguments, layout, &format!("norm{number}"), size, &bias)?);
    }
    Ok(tensors)
}

/// Layers that torch copies from one layer, followed by an optional norm.
pub(super) fn stack(arguments: &LayerArguments, layout: &Layout, kind: LayerKind) -> Result<Vec<LayerTensor>> {
    let layers = arguments.count("layers")?;
    ensure!(layers <= MAX_LAYERS, "`layers` is {layers}: at most 2^12 are allowed");
    let first = part(arguments, layout, "layers.0", kind, &of_layer(arguments)?)?;
    let prefix = format!("{}.layers.", arguments.name);
    let mut tensors = Vec::new();
    for number in 0..layers {
        tensors.extend(first.iter().cloned().map(|tensor| {
            let rest = tensor.name.strip_prefix(&format!("{prefix}0")).unwrap_or_default();
            LayerTensor { name: format!("{prefix}{number}{rest}"), ..tensor }
        }));
    }
    if arguments.switch("norm", false)? {
        let size = arguments.size("size")?;
        append(&mut tensors, norm(arguments, layout, "norm", size, &biased(arguments.bias()?))?);
    }
    Ok(tensors)
}

fn norm(
    arguments: &LayerArguments,
    layout: &Layout,
    word: &str,
    size: u64,
    bias: &(String, Parameter),
) -> Result<Vec<LayerTensor>> {
    part(arguments, layout, word, LayerKind::LayerNorm, &[sized("size", size), bias.clone()])
}

/// A layer inside this one.
fn part(
    arguments: &LayerArguments,
    layout: &Layout,
    word: &str,
    kind: LayerKind,
    parameters: &[(String, Parameter)],
) -> Result<Vec<LayerTensor>> {
    expand(&format!("{}.{word}", arguments.name), kind, parameters, layout, arguments.like)
}

/// Appends tensors that are drawn after the present ones.
fn append(tensors: &mut Vec<LayerTensor>, others: Vec<LayerTensor>) {
    let turns = tensors.iter().map(|tensor| tensor.turn + 1).max().unwrap_or(0);
    tensors.extend(others.into_iter().map(|tensor| LayerTensor { turn: turns + tensor.turn, ..tensor }));
}

/// Draws every matrix a second time, in the order of the file. Its first values are dropped; biases are unchanged.
fn draw_matrices_again(tensors: &mut [LayerTensor]) {
    let is_matrix = |tensor: &LayerTensor| tensor.shape.len() > 1;
    let mut draws: BTreeMap<usize, (bool, u64)> = BTreeMap::new();
    for tensor in tensors.iter().filter(|tensor| tensor.default_scheme.is_some()) {
        let count = tensor.shape.iter().fold(1, |count: u64, &size| count.saturating_mul(size));
        draws.insert(tensor.turn, (is_matrix(tensor), count));
    }
    let (mut dropped, mut before) = (0u64, BTreeMap::new());
    for (turn, (again, count)) in draws {
        if again {
            dropped = dropped.saturating_add(count);
        } else {
            before.insert(turn, std::mem::take(&mut dropped));
        }
    }
    let mut turn = tensors.iter().map(|tensor| tensor.turn + 1).max().unwrap_or(0);
    for tensor in tensors {
        if is_matrix(tensor) {
            let skipped = std::mem::take(&mut dropped);
            // The fans of a matrix follow from its axes.
            *tensor = LayerTensor {
                default_scheme: Some(XAVIER.into()),
                fans: Fans::default(),
                turn,
                skipped,
                ..tensor.clone()
            };
            turn += 1;
        } else if let Some(&skipped) = before.get(&tensor.turn) {
            tensor.skipped = skipped;
        }
    }
}

/// Errors unless the heads divide the size.
fn check_heads(arguments: &LayerArguments, size: u64) -> Result<()> {
    let Some(heads) = arguments.optional("heads")? else { return Ok(()) };
    ensure!(size.is_multiple_of(heads) && heads > 0, "`heads` is {heads}, which does not divide the size {size}");
    Ok(())
}

/// The parameters of a layer in a stack.
fn of_layer(arguments: &LayerArguments) -> Result<Vec<(String, Parameter)>> {
    let mut parameters = vec![
        sized("size", arguments.size("size")?),
        sized("feedforward", arguments.size("feedforward")?),
        biased(arguments.bias()?),
    ];
    parameters.extend(arguments.optional("heads")?.map(|heads| sized("heads", heads)));
    Ok(parameters)
}

#[expect(clippy::cast_precision_loss, reason = "sizes are 2^48 at most")]
fn sized(key: &str, size: u64) -> (String, Parameter) {
    (key.into(), Parameter::Number(size as f64))
}

fn biased(bias: bool) -> (String, Parameter) {
    ("bias".into(), Parameter::Switch(bias))
}
