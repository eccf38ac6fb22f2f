//! What each framework calls the tensors of layers.

use super::TensorRole;
use super::default_init::{DefaultInit, of_keras, of_mlx, of_torch, plain};
use crate::tensor::Layout;

/// What a framework calls the tensors of layers, and a plain stack of dense ones.
pub struct Framework {
    /// The word of its layout.
    pub layout: &'static str,
    /// What stands between the name of a layer and that of a tensor.
    pub(super) joint: &'static str,
    pub(super) weight: &'static str,
    pub(super) bias: &'static str,
    pub(super) embedding: &'static str,
    /// The scale and the shift of a normalization.
    pub(super) norm: [&'static str; 2],
    /// The running statistics of a batch norm.
    pub(super) statistics: [(&'static str, TensorRole); 2],
    pub(super) rnn: &'static [Part],
    pub(super) lstm: &'static [Part],
    pub(super) gru: &'static [Part],
    /// How the layers of a plain stack are called.
    pub stack: LayerNaming,
    /// The scheme that its own layer draws a tensor by; `None` where that is not known of any.
    pub(super) own: Option<DefaultInit>,
}

/// How a framework calls the layers of a plain stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerNaming {
    /// The word and a number: `layer_0`, `layer_1`.
    Numbered(&'static str),
    /// The same, where activations are layers of their own: `0`, `2`.
    Histogram(&'static str),
    /// The word alone, then with a number: `dense`, `dense_1`.
    Plain(&'static str),
    /// The word and a number for each tensor, whatever its layer: `arr_0`, `arr_1`.
    Flat(&'static str),
}

/// A tensor of a recurrent layer, for so many gates of it.
pub(super) type Part = (&'static str, GateTensor, u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GateTensor {
    /// Inputs to gates.
    Input,
    /// State to gates.
    Recurrent,
    /// A shift of the gates.
    Bias,
    /// The second of two shifts that are added.
    SecondBias,
    /// A shift of the forget gate alone, of a layer that keeps its gates apart.
    ForgetBias,
    /// Two of them, in two rows: Keras's gated recurrent unit.
    Biases,
}

use GateTensor::{Bias, Biases, ForgetBias, Input, Recurrent, SecondBias};

/// Every framework with names of its own, by the word of its layout.
pub const FRAMEWORKS: &[Framework] = &[
    Framework {
        layout: "default",
        joint: ".",
        weight: "weight",
        bias: "bias",
        embedding: "weight",
        norm: ["weight", "bias"],
        statistics: [("running_mean", TensorRole::Mean), ("running_var", TensorRole::Variance)],
        rnn: &[("weight_ih", Input, 1), ("weight_hh", Recurrent, 1), ("bias", Bias, 1)],
        lstm: &[("weight_ih", Input, 4), ("weight_hh", Recurrent, 4), ("bias", Bias, 4)],
        gru: &[("weight_ih", Input, 3), ("weight_hh", Recurrent, 3), ("bias", Bias, 3)],
        stack: LayerNaming::Numbered("layer_"),
        own: None,
    },
    Framework {
        layout: "torch",
        joint: ".",
        weight: "weight",
        bias: "bias",
        embedding: "weight",
        norm: ["weight", "bias"],
        // It also counts the batches, in an integer, which is not drawn here.
        statistics: [("running_mean", TensorRole::Mean), ("running_var", TensorRole::Variance)],
        rnn: &[
            ("weight_ih_l0", Input, 1),
            ("weight_hh_l0", Recurrent, 1),
            ("bias_ih_l0", Bias, 1),
            ("bias_hh_l0", SecondBias, 1),
        ],
        lstm: &[
            ("weight_ih_l0", Input, 4),
            ("weight_hh_l0", Recurrent, 4),
            ("bias_ih_l0", Bias, 4),
            ("bias_hh_l0", SecondBias, 4),
        ],
        gru: &[
            ("weight_ih_l0", Input, 3),
            ("weight_hh_l0", Recurrent, 3),
            ("bias_ih_l0", Bias, 3),
            ("bias_hh_l0", SecondBias, 3),
        ],
        stack: LayerNaming::Histogram(""),
        own: Some(of_torch),
    },
    Framework {
        layout: "keras",
        joint: "/",
        weight: "kernel",
        bias: "bias",
        embedding: "embeddings",
        norm: ["gamma", "beta"],
        statistics: [("moving_mean", TensorRole::Mean), ("moving_variance", TensorRole::Variance)],
        rnn: &[("kernel", Input, 1), ("recurrent_kernel", Recurrent, 1), ("bias", Bias, 1)],
        lstm: &[("kernel", Input, 4), ("recurrent_kernel", Recurrent, 4), ("bias", Bias, 4)],
        // Its default, reset_after=True, has a bias for the inputs and one for the state.
        gru: &[("kernel", Input, 3), ("recurrent_kernel", Recurrent, 3), ("bias", Biases, 3)],
        stack: LayerNaming::Plain("dense"),
        own: Some(of_keras),
    },
    // Flax, as `flatten_dict(variables["params"], sep=".")` names them: without the collection. Its recurrent cells keep
    // each gate's kernel apart.
    Framework {
        layout: "jax",
        joint: ".",
        weight: "kernel",
        bias: "bias",
        embedding: "embedding",
        norm: ["scale", "bias"],
        statistics: [("mean", TensorRole::Mean), ("var", TensorRole::Variance)],
        rnn: &[("i.kernel", Input, 1), ("i.bias", Bias, 1), ("h.kernel", Recurrent, 1)],
        lstm: &[
            ("ii.kernel", Input, 1),
            ("if.kernel", Input, 1),
            ("ig.kernel", Input, 1),
            ("io.kernel", Input, 1),
            ("hi.kernel", Recurrent, 1),
            ("hi.bias", Bias, 1),
            ("hf.kernel", Recurrent, 1),
            ("hf.bias", ForgetBias, 1),
            ("hg.kernel", Recurrent, 1),
            ("hg.bias", Bias, 1),
            ("ho.kernel", Recurrent, 1),
            ("ho.bias", Bias, 1),
        ],
        gru: &[
            ("ir.kernel", Input, 1),
            ("ir.bias", Bias, 1),
            ("iz.kernel", Input, 1),
            ("iz.bias", Bias, 1),
            ("in.kernel", Input, 1),
            ("in.bias", Bias, 1),
            ("hr.kernel", Recurrent, 1),
            ("hz.kernel", Recurrent, 1),
            ("hn.kernel", Recurrent, 1),
            ("hn.bias", Bias, 1),
        ],
        stack: LayerNaming::Numbered("Dense_"),
        own: Some(|of| plain(of, "jax.lecun_normal")),
    },
    // A file of its values holds them by their number, as `numpy.savez(FILE, *get_all_param_values(network))` writes it.
    Framework {
        layout: "lasagne",
        joint: ".",
        weight: "W",
        bias: "b",
        embedding: "W",
        norm: ["gamma", "beta"],
        statistics: [("mean", TensorRole::Mean), ("inv_std", TensorRole::InverseStd)],
        rnn: &[],
        lstm: &[],
        gru: &[],
        stack: LayerNaming::Flat("arr_"),
        own: Some(|of| plain(of, "lasagne.GlorotUniform")),
    },
    Framework {
        layout: "mlx",
        joint: ".",
        weight: "weight",
        bias: "bias",
        embedding: "weight",
        norm: ["weight", "bias"],
        statistics: [("running_mean", TensorRole::Mean), ("running_var", TensorRole::Variance)],
        rnn: &[("Wxh", Input, 1), ("Whh", Recurrent, 1), ("bias", Bias, 1)],
        lstm: &[("Wx", Input, 4), ("Wh", Recurrent, 4), ("bias", Bias, 4)],
        gru: &[("Wx", Input, 3), ("Wh", Recurrent, 3), ("b", Bias, 3), ("bhn", Bias, 1)],
        stack: LayerNaming::Histogram("layers."),
        own: Some(of_mlx),
    },
];

impl Framework {
    /// True if it is known what its layers draw by themselves.
    pub fn has_own(&self) -> bool {
        self.own.is_some()
    }

    /// The framework of that word, where it is known what its layers draw by themselves.
    pub fn drawing(word: &str) -> Option<&'static Self> {
        FRAMEWORKS.iter().find(|framework| framework.layout == word && framework.has_own())
    }

    /// The framework of a layout; layouts of letters have the names of the first.
    pub fn of(layout: &Layout) -> &'static Self {
        let word = layout.to_string();
        FRAMEWORKS.iter().find(|framework| framework.layout == word).unwrap_or(&FRAMEWORKS[0])
    }
}
