//! Layers: kinds as data, to the tensors that a framework keeps of each, in its names, shapes and order.
//!
//! A kind says what its tensors are; a [`Framework`] says what each is called; the [`Layout`] says how each axis lies.

mod arguments;
mod attention;
mod default_init;
mod frameworks;
pub mod modules;
mod normalization;
mod recurrent;
#[cfg(test)]
mod tests;
mod torch;

use anyhow::{Context, Result, bail, ensure};

pub use default_init::further_seeds_of_keras;
pub use frameworks::{FRAMEWORKS, Framework, LayerNaming};

use crate::generator::Generator;
use crate::plan::{Common, Tensor};
use crate::scheme::{self, Requires};
use crate::tensor::{DType, Fans, LAYOUTS, Layout, Shape};
use crate::text::did_you_mean;
use arguments::LayerArguments;
use default_init::MAX_SEEDS;
use recurrent::{cell, recurrent};

/// A parameter of a layer as it is given.
#[derive(Clone, Debug, PartialEq)]
pub enum Parameter {
    /// `in = 784`
    Number(f64),
    /// `kernel = [3, 3]`
    List(Vec<f64>),
    /// `bias = false`
    Switch(bool),
    /// Any word: no kind takes one so far, and an error can say so.
    Word(String),
}

/// What a tensor is to its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TensorRole {
    /// What inputs are multiplied by.
    Weight,
    /// What the state of a recurrent layer is multiplied by.
    Recurrent,
    /// What is added.
    Bias,
    /// What normalized values are multiplied by.
    Scale,
    /// The running mean of a batch norm.
    Mean,
    /// Its running variance.
    Variance,
    /// One over its running standard deviation.
    InverseStd,
}

impl TensorRole {
    /// The scheme of what is never drawn at random, unless somebody asks for it.
    pub fn usual(self) -> Option<&'static str> {
        match self {
            Self::Weight | Self::Recurrent => None,
            Self::Bias | Self::Mean => Some("zeros"),
            Self::Scale | Self::Variance | Self::InverseStd => Some("ones"),
        }
    }
}

/// A tensor of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerTensor {
    /// Its name, that of its layer before it.
    pub name: String,
    /// The size of each axis.
    pub shape: Vec<u64>,
    /// A letter an axis, where it is a weight.
    pub layout: Option<String>,
    /// What it is to its layer.
    pub role: TensorRole,
    /// The fans of its layer, which a bias has no axes to tell of.
    pub fans: Fans,
    /// The scheme that the framework's own layer draws it by, where that is known.
    pub own: Option<String>,
    /// Its place in the draws of its layer, which may differ from that in its file; copies of one draw share it.
    pub turn: usize,
    /// The number of uniform values that are drawn before it and dropped.
    pub skipped: u64,
}

impl LayerTensor {
    /// The scheme that its framework draws it by.
    pub fn scheme(&self) -> &str {
        self.own.as_deref().or(self.role.usual()).unwrap_or("zeros")
    }

    /// The tensor of that name, drawn by a scheme.
    pub fn drawn(&self, name: &str, expression: &str, dtype: DType, generator: &'static Generator) -> Result<Tensor> {
        let layout = match &self.layout {
            Some(letters) => letters.parse()?,
            None => Layout::default(),
        };
        // A bias has no axes that tell of its layer; a scheme that reads the fans is told them.
        let reads = || Ok::<_, anyhow::Error>(scheme::resolve(expression)?.scheme.requires == Requires::Fans);
        let fans = if self.role == TensorRole::Bias && reads()? { self.fans } else { Fans::default() };
        let common = Common { dtype, layout, fans, generator };
        let sizes: Vec<String> = self.shape.iter().map(u64::to_string).collect();
        let shape = Shape::new(self.shape.clone()).with_context(|| format!("`{name}={}`", sizes.join("x")))?;
        let mut drawn = Tensor::new(name.parse()?, shape, expression, &common)?;
        drawn.spec.skipped = self.skipped;
        Ok(drawn)
    }
}

/// What a parameter of a kind takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// A size, which must be given.
    Size,
    /// A size, or one for each axis, which must be given.
    Sizes,
    /// A count, 1 where it is not given.
    Count,
    /// `true` where it is not given.
    Switch,
    /// `false` where it is not given.
    Flag,
    /// A size that need not be given.
    Optional,
    /// A number that need not be given.
    Number,
    /// One of these words, which need not be given.
    Choice(&'static [&'static str]),
}

/// A kind of layer.
struct Kind {
    name: &'static str,
    parameters: &'static [(&'static str, Takes)],
    expand: fn(&LayerArguments, &Framework, &Layout) -> Result<Vec<LayerTensor>>,
}

const IN_OUT: [(&str, Takes); 3] = [("in", Takes::Size), ("out", Takes::Size), ("bias", Takes::Switch)];
const CONVOLUTION: &[(&str, Takes)] = &[
    ("in", Takes::Size),
    ("out", Takes::Size),
    ("kernel", Takes::Sizes),
    ("groups", Takes::Count),
    ("bias", Takes::Switch),
];

const RECURRENT: &[(&str, Takes)] = &[
    ("in", Takes::Size),
    ("out", Takes::Size),
    ("bias", Takes::Switch),
    ("layers", Takes::Count),
    ("bidirectional", Takes::Flag),
];

const LSTM: &[(&str, Takes)] = &[
    ("in", Takes::Size),
    ("out", Takes::Size),
    ("bias", Takes::Switch),
    ("layers", Takes::Count),
    ("bidirectional", Takes::Flag),
    ("proj", Takes::Optional),
];

const SIZE: (&str, Takes) = ("size", Takes::Size);
const FEEDFORWARD: (&str, Takes) = ("feedforward", Takes::Size);
const HEADS: (&str, Takes) = ("heads", Takes::Optional);
/// It changes no tensor.
const ACTIVATION: (&str, Takes) = ("activation", Takes::Choice(&["relu", "gelu"]));
const TRANSFORMER_LAYER: &[(&str, Takes)] = &[SIZE, FEEDFORWARD, HEADS, ("bias", Takes::Switch), ACTIVATION];
const TRANSFORMER_STACK: &[(&str, Takes)] =
    &[SIZE, FEEDFORWARD, HEADS, ("bias", Takes::Switch), ACTIVATION, ("layers", Takes::Count), ("norm", Takes::Flag)];

const KINDS: &[Kind] = &[
    Kind { name: "dense", parameters: &IN_OUT, expand: |given, framework, layout| weight(given, framework, layout, 0) },
    Kind {
        name: "conv1d",
        parameters: CONVOLUTION,
        expand: |given, framework, layout| weight(given, framework, layout, 1),
    },
    Kind {
        name: "conv2d",
        parameters: CONVOLUTION,
        expand: |given, framework, layout| weight(given, framework, layout, 2),
    },
    Kind {
        name: "conv3d",
        parameters: CONVOLUTION,
        expand: |given, framework, layout| weight(given, framework, layout, 3),
    },
    Kind { name: "embedding", parameters: &[("in", Takes::Size), ("out", Takes::Size)], expand: embedding },
    Kind {
        name: "layer_norm",
        parameters: &[("size", Takes::Sizes), ("bias", Takes::Switch)],
        expand: normalization::layer_norm,
    },
    Kind {
        name: "batch_norm",
        parameters: &[
            ("size", Takes::Size),
            ("bias", Takes::Switch),
            ("statistics", Takes::Switch),
            ("affine", Takes::Switch),
        ],
        expand: normalization::batch_norm,
    },
    Kind {
        name: "instance_norm",
        parameters: &[
            ("size", Takes::Size),
            ("bias", Takes::Switch),
            ("statistics", Takes::Flag),
            ("affine", Takes::Flag),
        ],
        expand: normalization::instance_norm,
    },
    Kind {
        name: "group_norm",
        parameters: &[("size", Takes::Size), ("groups", Takes::Count), ("bias", Takes::Switch)],
        expand: normalization::group_norm,
    },
    Kind { name: "rms_norm", parameters: &[("size", Takes::Sizes)], expand: normalization::rms_norm },
    Kind { name: "prelu", parameters: &[("size", Takes::Size), ("init", Takes::Number)], expand: normalization::prelu },
    Kind {
        name: "rnn",
        parameters: RECURRENT,
        expand: |given, framework, layout| recurrent(given, framework.rnn, framework, layout),
    },
    Kind {
        name: "lstm",
        parameters: LSTM,
        expand: |given, framework, layout| recurrent(given, framework.lstm, framework, layout),
    },
    Kind {
        name: "gru",
        parameters: RECURRENT,
        expand: |given, framework, layout| recurrent(given, framework.gru, framework, layout),
    },
    Kind {
        name: "rnn_cell",
        parameters: &IN_OUT,
        expand: |given, framework, layout| cell(given, framework, layout, 1),
    },
    Kind {
        name: "lstm_cell",
        parameters: &IN_OUT,
        expand: |given, framework, layout| cell(given, framework, layout, 4),
    },
    Kind {
        name: "gru_cell",
        parameters: &IN_OUT,
        expand: |given, framework, layout| cell(given, framework, layout, 3),
    },
    Kind {
        name: "conv_transpose1d",
        parameters: CONVOLUTION,
        expand: |given, framework, layout| torch::transposed(given, framework, layout, 1),
    },
    Kind {
        name: "conv_transpose2d",
        parameters: CONVOLUTION,
        expand: |given, framework, layout| torch::transposed(given, framework, layout, 2),
    },
    Kind {
        name: "conv_transpose3d",
        parameters: CONVOLUTION,
        expand: |given, framework, layout| torch::transposed(given, framework, layout, 3),
    },
    Kind {
        name: "bilinear",
        parameters: &[("in", Takes::Sizes), ("out", Takes::Size), ("bias", Takes::Switch)],
        expand: torch::bilinear,
    },
    Kind {
        name: "multihead_attention",
        parameters: &[
            ("size", Takes::Size),
            ("bias", Takes::Switch),
            HEADS,
            ("kdim", Takes::Optional),
            ("vdim", Takes::Optional),
            ("add_bias_kv", Takes::Flag),
        ],
        expand: attention::multihead_attention,
    },
    Kind { name: "transformer_encoder_layer", parameters: TRANSFORMER_LAYER, expand: attention::encoder_layer },
    Kind { name: "transformer_decoder_layer", parameters: TRANSFORMER_LAYER, expand: attention::decoder_layer },
    Kind { name: "transformer_encoder", parameters: TRANSFORMER_STACK, expand: attention::encoder },
    Kind { name: "transformer_decoder", parameters: TRANSFORMER_STACK, expand: attention::decoder },
    Kind {
        name: "transformer",
        parameters: &[
            SIZE,
            FEEDFORWARD,
            HEADS,
            ("bias", Takes::Switch),
            ACTIVATION,
            ("encoder_layers", Takes::Optional),
            ("decoder_layers", Takes::Optional),
        ],
        expand: attention::transformer,
    },
    // Whatever has a state of random numbers and no weights: in Keras it takes a seed, and the layers after it the next.
    Kind { name: "dropout", parameters: &[("seeds", Takes::Count)], expand: without_weights },
];

/// The name of every kind of layer.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

/// The parameters of a kind of layer.
fn parameters(kind: &str) -> impl Iterator<Item = &'static str> {
    let found = KINDS.iter().find(|row| row.name == kind);
    found.map_or(&[][..], |row| row.parameters).iter().map(|(key, _)| *key)
}

/// The tensors of a layer, under the names of the layout's framework, each with the scheme of the framework whose `numbers` are
/// drawn. Errors name an unknown kind or parameter with the nearest that is known, and a parameter that is missing or takes
/// something else.
pub fn expand(
    name: &str,
    kind: &str,
    parameters: &[(String, Parameter)],
    layout: &Layout,
    numbers: Option<&'static Framework>,
) -> Result<Vec<LayerTensor>> {
    let found = KINDS.iter().find(|row| row.name == kind).with_context(|| {
        let known: Vec<&str> = kinds().collect();
        format!("unknown layer `{kind}`: known are {}{}", known.join(", "), did_you_mean(kind, known.iter().copied()))
    })?;
    let given = LayerArguments { name, kind: found, parameters, numbers };
    let tensors = given.check().and_then(|()| (found.expand)(&given, Framework::of(layout), layout));
    let mut tensors = tensors.with_context(|| format!("layer `{kind}`"))?;
    let has_turns = given.drawn_by_torch() && tensors.iter().any(|tensor| tensor.turn > 0);
    for (place, tensor) in tensors.iter_mut().enumerate().filter(|_| !has_turns) {
        tensor.turn = place;
    }
    Ok(tensors)
}

/// A dense layer or a convolution: its weight, each axis where its letter stands, and its bias.
fn weight(given: &LayerArguments, framework: &Framework, layout: &Layout, places: usize) -> Result<Vec<LayerTensor>> {
    let (inputs, outputs) = (given.size("in")?, given.size("out")?);
    let kernel = if places > 0 { kernel(given, places)? } else { Vec::new() };
    let groups = if places > 0 { given.count("groups")? } else { 1 };
    for (key, size) in [("in", inputs), ("out", outputs)] {
        ensure!(size % groups == 0, "`{key}` is {size}, which {groups} groups do not divide");
    }
    let letters = layout.letters(2 + places)?;
    let shape = by_letters(&letters, inputs / groups, outputs, &kernel)?;
    let field = kernel.iter().try_fold(1u64, |field, &size| field.checked_mul(size));
    let fan = |side: u64| field.and_then(|field| field.checked_mul(side / groups));
    let fans = Fans { fan_in: fan(inputs), fan_out: fan(outputs) };
    let named = |word, shape, role| LayerTensor { fans, ..given.tensor(framework, word, shape, role) };
    let mut tensors = vec![LayerTensor { layout: Some(letters), ..named(framework.weight, shape, TensorRole::Weight) }];
    if given.bias()? {
        tensors.push(named(framework.bias, vec![outputs], TensorRole::Bias));
    }
    Ok(tensors)
}

/// The sizes of a kernel: one for all of its axes, or one for each.
fn kernel(given: &LayerArguments, places: usize) -> Result<Vec<u64>> {
    let sizes = given.sizes("kernel")?;
    match sizes.as_slice() {
        [one] => Ok(vec![*one; places]),
        _ if sizes.len() == places => Ok(sizes),
        _ => bail!("`kernel` is a list of {}, and takes one size, or {places}", sizes.len()),
    }
}

/// The shape of a weight whose axes are these letters.
fn by_letters(letters: &str, inputs: u64, outputs: u64, kernel: &[u64]) -> Result<Vec<u64>> {
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
        format!("layout `{letters}` is not of one `i`, one `o` and a `k` for each axis of a kernel: {}", all.join(", "))
    })
}

/// A table of a row for each word: as a matrix that rows of zeros with a single one are multiplied by.
fn embedding(given: &LayerArguments, framework: &Framework, _: &Layout) -> Result<Vec<LayerTensor>> {
    let (inputs, outputs) = (given.size("in")?, given.size("out")?);
    let fans = Fans { fan_in: Some(inputs), fan_out: Some(outputs) };
    let table = given.tensor(framework, framework.embedding, vec![inputs, outputs], TensorRole::Weight);
    Ok(vec![LayerTensor { layout: Some("io".into()), fans, ..table }])
}

fn without_weights(given: &LayerArguments, _: &Framework, _: &Layout) -> Result<Vec<LayerTensor>> {
    let seeds = given.count("seeds")?;
    ensure!(seeds <= MAX_SEEDS, "`seeds` is {seeds}, and at most 2^10 are allowed");
    Ok(Vec::new())
}
