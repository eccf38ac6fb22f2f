//! The registry of modules.

use super::{LayerKind, Module, Parameters, Sizes};

const LINEAR: Module = Module {
    name: "Linear",
    weights: &["weight"],
    axes: "out x in",
    example: "256x784",
    kind: LayerKind::Dense,
    sizes: |axes, _| match *axes {
        [outputs, inputs] => Some(vec![("in", vec![inputs]), ("out", vec![outputs])]),
        _ => None,
    },
    example_parameters: "",
};

const EMBEDDING: Module = Module {
    name: "Embedding",
    axes: "rows x features",
    example: "1000x64",
    kind: LayerKind::Embedding,
    sizes: |axes, _| match *axes {
        [rows, features] => Some(vec![("in", vec![rows]), ("out", vec![features])]),
        _ => None,
    },
    ..LINEAR
};

const RNN: Module = Module {
    name: "RNN",
    weights: &["weight_ih_l0"],
    axes: "hidden x in",
    example: "64x32",
    kind: LayerKind::Rnn,
    sizes: |axes, _| recurrent(axes, 1),
    ..LINEAR
};

const CELL: Module = Module { name: "RNNCell", weights: &["weight_ih"], kind: LayerKind::RnnCell, ..RNN };

const CONV: Module = Module {
    axes: "out x in/groups x kernel",
    sizes: |axes, given| match *axes {
        [outputs, inputs, ref kernel @ ..] => {
            let inputs = inputs.checked_mul(given.groups())?;
            Some(vec![("in", vec![inputs]), ("out", vec![outputs]), ("kernel", kernel.to_vec())])
        }
        _ => None,
    },
    ..LINEAR
};

const CONV_TRANSPOSE: Module = Module {
    axes: "in x out/groups x kernel",
    sizes: |axes, given| match *axes {
        [inputs, outputs, ref kernel @ ..] => {
            let outputs = outputs.checked_mul(given.groups())?;
            Some(vec![("in", vec![inputs]), ("out", vec![outputs]), ("kernel", kernel.to_vec())])
        }
        _ => None,
    },
    ..LINEAR
};

const LAYER_NORM: Module = Module {
    name: "LayerNorm",
    axes: "normalized shape",
    example: "64",
    kind: LayerKind::LayerNorm,
    sizes: |axes, _| Some(vec![("size", axes.to_vec())]),
    ..LINEAR
};

const BATCH_NORM: Module = Module {
    name: "BatchNorm1d",
    weights: &["weight", "running_mean"],
    axes: "features",
    kind: LayerKind::BatchNorm,
    sizes: |axes, _| match *axes {
        [size] => Some(vec![("size", vec![size])]),
        _ => None,
    },
    ..LAYER_NORM
};

const INSTANCE_NORM: Module =
    Module { name: "InstanceNorm1d", kind: LayerKind::InstanceNorm, example_parameters: "affine=true", ..BATCH_NORM };

const ENCODER_LAYER: Module = Module {
    name: "TransformerEncoderLayer",
    weights: &["linear1.weight"],
    axes: "dim_feedforward x d_model",
    example: "256x64",
    kind: LayerKind::TransformerEncoderLayer,
    sizes: |axes, _| match *axes {
        [hidden, size] => Some(vec![("feedforward", vec![hidden]), ("size", vec![size])]),
        _ => None,
    },
    ..LINEAR
};

const ENCODER: Module = Module {
    name: "TransformerEncoder",
    weights: &["layers.0.linear1.weight"],
    kind: LayerKind::TransformerEncoder,
    example_parameters: "num_layers=2",
    ..ENCODER_LAYER
};

/// Every module.
pub const MODULES: &[Module] = &[
    LINEAR,
    Module { name: "Conv1d", kind: LayerKind::Conv(1), example: "16x8x5", ..CONV },
    Module { name: "Conv2d", kind: LayerKind::Conv(2), example: "32x16x3x3", ..CONV },
    Module { name: "Conv3d", kind: LayerKind::Conv(3), example: "8x4x3x3x3", ..CONV },
    Module { name: "ConvTranspose1d", kind: LayerKind::ConvTranspose(1), example: "16x8x5", ..CONV_TRANSPOSE },
    Module { name: "ConvTranspose2d", kind: LayerKind::ConvTranspose(2), example: "32x16x3x3", ..CONV_TRANSPOSE },
    Module { name: "ConvTranspose3d", kind: LayerKind::ConvTranspose(3), example: "8x4x3x3x3", ..CONV_TRANSPOSE },
    EMBEDDING,
    Module { name: "EmbeddingBag", ..EMBEDDING },
    RNN,
    Module {
        name: "LSTM",
        axes: "4 hidden x in",
        example: "256x32",
        kind: LayerKind::Lstm,
        sizes: |axes, _| recurrent(axes, 4),
        ..RNN
    },
    Module {
        name: "GRU",
        axes: "3 hidden x in",
        example: "192x32",
        kind: LayerKind::Gru,
        sizes: |axes, _| recurrent(axes, 3),
        ..RNN
    },
    CELL,
    Module {
        name: "LSTMCell",
        axes: "4 hidden x in",
        example: "256x32",
        kind: LayerKind::LstmCell,
        sizes: |axes, _| recurrent(axes, 4),
        ..CELL
    },
    Module {
        name: "GRUCell",
        axes: "3 hidden x in",
        example: "192x32",
        kind: LayerKind::GruCell,
        sizes: |axes, _| recurrent(axes, 3),
        ..CELL
    },
    Module {
        name: "MultiheadAttention",
        weights: &["in_proj_weight", "q_proj_weight"],
        axes: "3 size x size (with kdim or vdim q_proj_weight, size x size)",
        example: "192x64",
        kind: LayerKind::MultiheadAttention,
        sizes: |axes, given| match *axes {
            [three, size] if size.checked_mul(3) == Some(three) => Some(vec![("size", vec![size])]),
            [first, size] if first == size && (given.has("kdim") || given.has("vdim")) => {
                Some(vec![("size", vec![size])])
            }
            _ => None,
        },
        ..LINEAR
    },
    Module {
        name: "Bilinear",
        axes: "out x in1 x in2",
        example: "8x16x32",
        kind: LayerKind::Bilinear,
        sizes: |axes, _| match *axes {
            [outputs, first, second] => Some(vec![("in", vec![first, second]), ("out", vec![outputs])]),
            _ => None,
        },
        ..LINEAR
    },
    LAYER_NORM,
    Module { name: "RMSNorm", kind: LayerKind::RmsNorm, ..LAYER_NORM },
    BATCH_NORM,
    Module { name: "BatchNorm2d", ..BATCH_NORM },
    Module { name: "BatchNorm3d", ..BATCH_NORM },
    INSTANCE_NORM,
    Module { name: "InstanceNorm2d", ..INSTANCE_NORM },
    Module { name: "InstanceNorm3d", ..INSTANCE_NORM },
    Module { name: "GroupNorm", weights: &["weight"], kind: LayerKind::GroupNorm, ..BATCH_NORM },
    Module { name: "PReLU", weights: &["weight"], kind: LayerKind::Prelu, example: "1", ..BATCH_NORM },
    ENCODER_LAYER,
    Module { name: "TransformerDecoderLayer", kind: LayerKind::TransformerDecoderLayer, ..ENCODER_LAYER },
    ENCODER,
    Module { name: "TransformerDecoder", kind: LayerKind::TransformerDecoder, ..ENCODER },
    Module {
        name: "Transformer",
        weights: &["encoder.layers.0.linear1.weight"],
        kind: LayerKind::Transformer,
        example_parameters: "num_encoder_layers=1,num_decoder_layers=1",
        ..ENCODER_LAYER
    },
];

fn recurrent(axes: &[u64], gates: u64) -> Option<Sizes> {
    match *axes {
        [all, inputs] if all.is_multiple_of(gates) => Some(vec![("in", vec![inputs]), ("out", vec![all / gates])]),
        _ => None,
    }
}

impl Parameters {
    fn groups(&self) -> u64 {
        match self.find("groups") {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is checked as a count")]
            Some(super::Parameter::Number(number)) => *number as u64,
            _ => 1,
        }
    }
}
