//! The kinds of layers: their names and parameters.

use anyhow::{Context, Result};

use crate::text::{alternatives, did_you_mean};

/// A kind of layer. A convolution has its number of spatial axes.
#[allow(missing_docs, reason = "the names of layers")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerKind {
    Dense,
    Conv(usize),
    ConvTranspose(usize),
    Embedding,
    LayerNorm,
    BatchNorm,
    InstanceNorm,
    GroupNorm,
    RmsNorm,
    Prelu,
    Rnn,
    Lstm,
    Gru,
    RnnCell,
    LstmCell,
    GruCell,
    Bilinear,
    MultiheadAttention,
    TransformerEncoderLayer,
    TransformerDecoderLayer,
    TransformerEncoder,
    TransformerDecoder,
    Transformer,
    /// Any layer with a random state and no weights. In Keras it consumes a seed, which changes the seeds of later layers.
    Dropout,
}

/// The values that a parameter of a layer accepts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ArgumentKind {
    /// A required size.
    Size,
    /// A required size, or a list of sizes.
    Sizes,
    /// A count of at least 1; 1 by default.
    Count,
    /// True by default.
    Switch,
    /// False by default.
    Flag,
    /// An optional size.
    Optional,
    /// An optional finite number.
    Number,
    /// One of these words; optional.
    Choice(&'static [&'static str]),
}

type Parameters = &'static [(&'static str, ArgumentKind)];

const IN: (&str, ArgumentKind) = ("in", ArgumentKind::Size);
const OUT: (&str, ArgumentKind) = ("out", ArgumentKind::Size);
const BIAS: (&str, ArgumentKind) = ("bias", ArgumentKind::Switch);
const SIZE: (&str, ArgumentKind) = ("size", ArgumentKind::Size);
const SIZES: (&str, ArgumentKind) = ("size", ArgumentKind::Sizes);
const GROUPS: (&str, ArgumentKind) = ("groups", ArgumentKind::Count);
const LAYERS: (&str, ArgumentKind) = ("layers", ArgumentKind::Count);
const BIDIRECTIONAL: (&str, ArgumentKind) = ("bidirectional", ArgumentKind::Flag);
const FEEDFORWARD: (&str, ArgumentKind) = ("feedforward", ArgumentKind::Size);
const HEADS: (&str, ArgumentKind) = ("heads", ArgumentKind::Optional);
/// Changes no tensor.
const ACTIVATION: (&str, ArgumentKind) = ("activation", ArgumentKind::Choice(&["relu", "gelu"]));

const DENSE: Parameters = &[IN, OUT, BIAS];
const CONVOLUTION: Parameters = &[IN, OUT, ("kernel", ArgumentKind::Sizes), GROUPS, BIAS];
const RECURRENT: Parameters = &[IN, OUT, BIAS, LAYERS, BIDIRECTIONAL];
const LSTM: Parameters = &[IN, OUT, BIAS, LAYERS, BIDIRECTIONAL, ("proj", ArgumentKind::Optional)];
const ATTENTION: Parameters = &[
    SIZE,
    BIAS,
    HEADS,
    ("kdim", ArgumentKind::Optional),
    ("vdim", ArgumentKind::Optional),
    ("add_bias_kv", ArgumentKind::Flag),
];
const TRANSFORMER_LAYER: Parameters = &[SIZE, FEEDFORWARD, HEADS, BIAS, ACTIVATION];
const TRANSFORMER_STACK: Parameters =
    &[SIZE, FEEDFORWARD, HEADS, BIAS, ACTIVATION, LAYERS, ("norm", ArgumentKind::Flag)];
const TRANSFORMER: Parameters = &[
    SIZE,
    FEEDFORWARD,
    HEADS,
    BIAS,
    ACTIVATION,
    ("encoder_layers", ArgumentKind::Optional),
    ("decoder_layers", ArgumentKind::Optional),
];

const KINDS: &[(LayerKind, &str, Parameters)] = &[
    (LayerKind::Dense, "dense", DENSE),
    (LayerKind::Conv(1), "conv1d", CONVOLUTION),
    (LayerKind::Conv(2), "conv2d", CONVOLUTION),
    (LayerKind::Conv(3), "conv3d", CONVOLUTION),
    (LayerKind::Embedding, "embedding", &[IN, OUT]),
    (LayerKind::LayerNorm, "layer_norm", &[SIZES, BIAS]),
    (
        LayerKind::BatchNorm,
        "batch_norm",
        &[SIZE, BIAS, ("statistics", ArgumentKind::Switch), ("affine", ArgumentKind::Switch)],
    ),
    (
        LayerKind::InstanceNorm,
        "instance_norm",
        &[SIZE, BIAS, ("statistics", ArgumentKind::Flag), ("affine", ArgumentKind::Flag)],
    ),
    (LayerKind::GroupNorm, "group_norm", &[SIZE, GROUPS, BIAS]),
    (LayerKind::RmsNorm, "rms_norm", &[SIZES]),
    (LayerKind::Prelu, "prelu", &[SIZE, ("init", ArgumentKind::Number)]),
    (LayerKind::Rnn, "rnn", RECURRENT),
    (LayerKind::Lstm, "lstm", LSTM),
    (LayerKind::Gru, "gru", RECURRENT),
    (LayerKind::RnnCell, "rnn_cell", DENSE),
    (LayerKind::LstmCell, "lstm_cell", DENSE),
    (LayerKind::GruCell, "gru_cell", DENSE),
    (LayerKind::ConvTranspose(1), "conv_transpose1d", CONVOLUTION),
    (LayerKind::ConvTranspose(2), "conv_transpose2d", CONVOLUTION),
    (LayerKind::ConvTranspose(3), "conv_transpose3d", CONVOLUTION),
    (LayerKind::Bilinear, "bilinear", &[("in", ArgumentKind::Sizes), OUT, BIAS]),
    (LayerKind::MultiheadAttention, "multihead_attention", ATTENTION),
    (LayerKind::TransformerEncoderLayer, "transformer_encoder_layer", TRANSFORMER_LAYER),
    (LayerKind::TransformerDecoderLayer, "transformer_decoder_layer", TRANSFORMER_LAYER),
    (LayerKind::TransformerEncoder, "transformer_encoder", TRANSFORMER_STACK),
    (LayerKind::TransformerDecoder, "transformer_decoder", TRANSFORMER_STACK),
    (LayerKind::Transformer, "transformer", TRANSFORMER),
    (LayerKind::Dropout, "dropout", &[("seeds", ArgumentKind::Count)]),
];

impl LayerKind {
    /// Reads the name of a kind, such as `conv2d`. Errors suggest the nearest.
    pub fn parse(name: &str) -> Result<Self> {
        let found = KINDS.iter().find(|(_, known, _)| *known == name);
        found.map(|(kind, ..)| *kind).with_context(|| {
            let known: Vec<&str> = KINDS.iter().map(|(_, known, _)| *known).collect();
            let near = did_you_mean(name, known.iter().copied());
            if near.is_empty() {
                format!("unknown layer `{name}`: use {}", alternatives(&known))
            } else {
                format!("unknown layer `{name}`{near}")
            }
        })
    }

    pub(super) fn name(self) -> &'static str {
        self.row().map_or("", |(_, name, _)| name)
    }

    /// The parameters, each with the values that it accepts.
    pub(super) fn parameters(self) -> Parameters {
        self.row().map_or(&[], |(.., parameters)| parameters)
    }

    fn row(self) -> Option<&'static (Self, &'static str, Parameters)> {
        KINDS.iter().find(|(kind, ..)| *kind == self)
    }

    /// True if only torch has names for the tensors.
    pub(super) fn is_torch_only(self) -> bool {
        match self {
            Self::Dense
            | Self::Conv(_)
            | Self::Embedding
            | Self::LayerNorm
            | Self::BatchNorm
            | Self::InstanceNorm
            | Self::GroupNorm
            | Self::RmsNorm
            | Self::Rnn
            | Self::Lstm
            | Self::Gru
            | Self::Dropout => false,
            Self::ConvTranspose(_)
            | Self::Prelu
            | Self::RnnCell
            | Self::LstmCell
            | Self::GruCell
            | Self::Bilinear
            | Self::MultiheadAttention
            | Self::TransformerEncoderLayer
            | Self::TransformerDecoderLayer
            | Self::TransformerEncoder
            | Self::TransformerDecoder
            | Self::Transformer => true,
        }
    }

    /// The number of gates of a recurrent layer; 1 for any other.
    pub(super) fn gates(self) -> u64 {
        match self {
            Self::Lstm | Self::LstmCell => 4,
            Self::Gru | Self::GruCell => 3,
            _ => 1,
        }
    }
}
