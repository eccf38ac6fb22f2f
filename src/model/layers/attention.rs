//! Attention and transformers, as `torch.nn` has them.
//!
//! torch keeps their tensors in another order than it draws them, copies the layers of a stack from one, and draws the weights of a
//! whole transformer a second time.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use super::arguments::LayerArguments;
use super::torch::named_by_torch;
use super::{Framework, LayerTensor, Parameter, TensorRole, expand};
use crate::tensor::{Fans, Layout};

/// The most layers in a stack.
const MAX_LAYERS: u64 = 1 << 12;

const XAVIER: &str = "torch.xavier_uniform_";

/// `torch.nn.MultiheadAttention`. The last projection is a layer of its own, drawn when it is made; the others are drawn after it, as
/// one matrix where they are of one size; then the biases become zeros.
pub(super) fn multihead_attention(
    given: &LayerArguments,
    framework: &Framework,
    layout: &Layout,
) -> Result<Vec<LayerTensor>> {
    named_by_torch(framework, layout)?;
    let (size, bias) = (given.size("size")?, given.bias()?);
    ensure!(size > 0, "`size` is 0, and takes 1 or more");
    divided(given, size)?;
    let [keys, values] = [given.optional("kdim")?.unwrap_or(size), given.optional("vdim")?.unwrap_or(size)];
    let shapes = match (keys, values) == (size, size) {
        true => vec![("in_proj_weight", vec![3 * size, size])],
        false => [("q_proj_weight", size), ("k_proj_weight", keys), ("v_proj_weight", values)]
            .map(|(word, inputs)| (word, vec![size, inputs]))
            .into(),
    };
    let mut turns = 2..;
    let mut drawn = |word, shape: Vec<u64>, own: &str| {
        let tensor = given.tensor(framework, word, shape, TensorRole::Weight);
        let own = given.drawn_by_torch().then(|| own.into());
        LayerTensor { layout: layout.letters(tensor.shape.len()).ok(), own, turn: turns.next().unwrap_or(0), ..tensor }
    };
    let mut tensors: Vec<_> = shapes.into_iter().map(|(word, shape)| drawn(word, shape, XAVIER)).collect();
    let further = given
        .switch("add_bias_kv", false)?
        .then(|| ["bias_k", "bias_v"].map(|word| drawn(word, vec![1, 1, size], "torch.xavier_normal_")));
    if bias {
        let zeros = given.tensor(framework, "in_proj_bias", vec![3 * size], TensorRole::Bias);
        tensors.push(LayerTensor { own: None, ..zeros });
    }
    tensors.extend(further.into_iter().flatten());
    let last = part(given, layout, "out_proj", "dense", &[sized("in", size), sized("out", size), biased(bias)])?;
    tensors.extend(last.into_iter().map(|tensor| match tensor.role {
        TensorRole::Bias if given.drawn_by_torch() => {
            LayerTensor { own: Some("torch-linear:cleared=true".into()), ..tensor }
        }
        _ => tensor,
    }));
    Ok(tensors)
}

pub(super) fn encoder_layer(
    given: &LayerArguments,
    framework: &Framework,
    layout: &Layout,
) -> Result<Vec<LayerTensor>> {
    named_by_torch(framework, layout)?;
    layer(given, layout, &["self_attn"])
}

pub(super) fn decoder_layer(
    given: &LayerArguments,
    framework: &Framework,
    layout: &Layout,
) -> Result<Vec<LayerTensor>> {
    named_by_torch(framework, layout)?;
    layer(given, layout, &["self_attn", "multihead_attn"])
}

pub(super) fn encoder(given: &LayerArguments, framework: &Framework, layout: &Layout) -> Result<Vec<LayerTensor>> {
    named_by_torch(framework, layout)?;
    stack(given, layout, "transformer_encoder_layer", given.count("layers")?, given.switch("norm", false)?)
}

pub(super) fn decoder(given: &LayerArguments, framework: &Framework, layout: &Layout) -> Result<Vec<LayerTensor>> {
    named_by_torch(framework, layout)?;
    stack(given, layout, "transformer_decoder_layer", given.count("layers")?, given.switch("norm", false)?)
}

/// `torch.nn.Transformer`: both stacks, whose matrices are then all drawn again.
pub(super) fn transformer(given: &LayerArguments, framework: &Framework, layout: &Layout) -> Result<Vec<LayerTensor>> {
    named_by_torch(framework, layout)?;
    let mut tensors = Vec::new();
    for (word, kind, key) in
        [("encoder", "transformer_encoder", "encoder_layers"), ("decoder", "transformer_decoder", "decoder_layers")]
    {
        let layers = given.optional(key)?.unwrap_or(6);
        ensure!(layers > 0, "`{key}` is 0, and takes 1 or more");
        let mut parameters = of_layer(given)?;
        parameters.extend([sized("layers", layers), ("norm".into(), Parameter::Switch(true))]);
        append(&mut tensors, part(given, layout, word, kind, &parameters)?);
    }
    if given.drawn_by_torch() {
        draw_matrices_again(&mut tensors);
    }
    Ok(tensors)
}

/// Attentions, two dense layers, and a norm after each attention and after these.
fn layer(given: &LayerArguments, layout: &Layout, attentions: &[&str]) -> Result<Vec<LayerTensor>> {
    let (size, hidden, bias) = (given.size("size")?, given.size("feedforward")?, biased(given.bias()?));
    divided(given, size)?;
    let mut tensors = Vec::new();
    for word in attentions {
        let parameters = [sized("size", size), bias.clone()];
        append(&mut tensors, part(given, layout, word, "multihead_attention", &parameters)?);
    }
    for (word, inputs, outputs) in [("linear1", size, hidden), ("linear2", hidden, size)] {
        let parameters = [sized("in", inputs), sized("out", outputs), bias.clone()];
        append(&mut tensors, part(given, layout, word, "dense", &parameters)?);
    }
    for number in 1..=attentions.len() + 1 {
        append(&mut tensors, norm(given, layout, &format!("norm{number}"), size, &bias)?);
    }
    Ok(tensors)
}

/// So many layers, which torch copies from one, and a norm after them.
fn stack(given: &LayerArguments, layout: &Layout, kind: &str, layers: u64, has_norm: bool) -> Result<Vec<LayerTensor>> {
    ensure!(layers <= MAX_LAYERS, "{layers} layers: at most 2^12 are allowed");
    let first = part(given, layout, "layers.0", kind, &of_layer(given)?)?;
    let prefix = format!("{}.layers.", given.name);
    let mut tensors = Vec::new();
    for number in 0..layers {
        tensors.extend(first.iter().cloned().map(|tensor| {
            let rest = tensor.name.strip_prefix(&format!("{prefix}0")).unwrap_or_default();
            LayerTensor { name: format!("{prefix}{number}{rest}"), ..tensor }
        }));
    }
    if has_norm {
        let size = given.size("size")?;
        append(&mut tensors, norm(given, layout, "norm", size, &biased(given.bias()?))?);
    }
    Ok(tensors)
}

fn norm(
    given: &LayerArguments,
    layout: &Layout,
    word: &str,
    size: u64,
    bias: &(String, Parameter),
) -> Result<Vec<LayerTensor>> {
    part(given, layout, word, "layer_norm", &[sized("size", size), bias.clone()])
}

/// A layer inside of this one.
fn part(
    given: &LayerArguments,
    layout: &Layout,
    word: &str,
    kind: &str,
    parameters: &[(String, Parameter)],
) -> Result<Vec<LayerTensor>> {
    expand(&format!("{}.{word}", given.name), kind, parameters, layout, given.numbers)
}

/// Adds tensors that are drawn after those that are there.
fn append(tensors: &mut Vec<LayerTensor>, further: Vec<LayerTensor>) {
    let turns = tensors.iter().map(|tensor| tensor.turn + 1).max().unwrap_or(0);
    tensors.extend(further.into_iter().map(|tensor| LayerTensor { turn: turns + tensor.turn, ..tensor }));
}

/// Every matrix is drawn a second time, in the order of the file; its first values are dropped, and those of biases stay.
fn draw_matrices_again(tensors: &mut [LayerTensor]) {
    let is_matrix = |tensor: &LayerTensor| tensor.shape.len() > 1;
    let mut draws: BTreeMap<usize, (bool, u64)> = BTreeMap::new();
    for tensor in tensors.iter().filter(|tensor| tensor.own.is_some()) {
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
            // Its bias may be told the fans of its layer; a matrix has those of its axes.
            *tensor = LayerTensor { own: Some(XAVIER.into()), fans: Fans::default(), turn, skipped, ..tensor.clone() };
            turn += 1;
        } else if let Some(&skipped) = before.get(&tensor.turn) {
            tensor.skipped = skipped;
        }
    }
}

/// Errors where the heads do not divide the size.
fn divided(given: &LayerArguments, size: u64) -> Result<()> {
    let Some(heads) = given.optional("heads")? else { return Ok(()) };
    ensure!(size.is_multiple_of(heads) && heads > 0, "`heads` is {heads}, which does not divide the size {size}");
    Ok(())
}

/// The parameters that a stack hands on to its layers.
fn of_layer(given: &LayerArguments) -> Result<Vec<(String, Parameter)>> {
    let mut parameters = vec![
        sized("size", given.size("size")?),
        sized("feedforward", given.size("feedforward")?),
        biased(given.bias()?),
    ];
    parameters.extend(given.optional("heads")?.map(|heads| sized("heads", heads)));
    Ok(parameters)
}

#[expect(clippy::cast_precision_loss, reason = "sizes are 2^48 at most")]
fn sized(key: &str, size: u64) -> (String, Parameter) {
    (key.into(), Parameter::Number(size as f64))
}

fn biased(bias: bool) -> (String, Parameter) {
    ("bias".into(), Parameter::Switch(bias))
}
