//! The names of each framework for the tensors of layers.

use anyhow::{Result, ensure};

use super::default_init::{DefaultInit, of_keras, of_mlx, of_torch, weights_only};
use super::tensor::GateTensor::{self, Bias, Biases, ForgetBias, Input, Recurrent, SecondBias};
use super::tensor::TensorRole;
use crate::tensor::Layout;

/// A framework's names for the tensors of layers, and its default initialization.
pub struct Framework {
    /// The name of its layout.
    pub layout: &'static str,
    /// Joins the name of a layer and that of a tensor.
    pub(super) separator: &'static str,
    pub(super) weight: &'static str,
    pub(super) bias: &'static str,
    pub(super) embedding: &'static str,
    /// The scale and the shift of a normalisation.
    pub(super) norm: [&'static str; 2],
    /// The running statistics of a batch norm.
    pub(super) statistics: [(&'static str, TensorRole); 2],
    pub(super) rnn: &'static [GateRow],
    pub(super) lstm: &'static [GateRow],
    pub(super) gru: &'static [GateRow],
    /// The names of dense layers in a sequence.
    pub sequence: LayerNaming,
    /// The model and the function that load such a sequence as it is; `None` if no framework has its names.
    pub loads_into: Option<&'static str>,
    /// The scheme of each tensor in its own layers; `None` if unknown for all.
    pub(super) default_init: Option<DefaultInit>,
}

/// The names of dense layers in a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerNaming {
    /// The word and the number of the layer: `layer_0`, `layer_1`.
    Numbered(&'static str),
    /// The same, but activations count as layers: `0`, `2`.
    WithActivations(&'static str),
    /// The word alone, then with a number: `dense`, `dense_1`.
    FirstUnnumbered(&'static str),
    /// The word and the number of the tensor, instead of a name: `arr_0`, `arr_1`.
    ByTensor(&'static str),
}

/// A tensor of a recurrent layer: its name, content and number of gates.
pub(super) type GateRow = (&'static str, GateTensor, u64);

/// Every framework with its own names.
pub const FRAMEWORKS: &[Framework] = &[
    Framework {
        layout: "io",
        separator: ".",
        weight: "weight",
        bias: "bias",
        embedding: "weight",
        norm: ["weight", "bias"],
        statistics: [("running_mean", TensorRole::Mean), ("running_var", TensorRole::Variance)],
        rnn: &[("weight_ih", Input, 1), ("weight_hh", Recurrent, 1), ("bias", Bias, 1)],
        lstm: &[("weight_ih", Input, 4), ("weight_hh", Recurrent, 4), ("bias", Bias, 4)],
        gru: &[("weight_ih", Input, 3), ("weight_hh", Recurrent, 3), ("bias", Bias, 3)],
        sequence: LayerNaming::Numbered("layer_"),
        loads_into: None,
        default_init: None,
    },
    Framework {
        layout: "torch",
        separator: ".",
        weight: "weight",
        bias: "bias",
        embedding: "weight",
        norm: ["weight", "bias"],
        // torch also counts the batches, in an integer that is not written.
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
        sequence: LayerNaming::WithActivations(""),
        loads_into: Some("torch.nn.Sequential, by load_state_dict"),
        default_init: Some(of_torch),
    },
    Framework {
        layout: "keras",
        separator: "/",
        weight: "kernel",
        bias: "bias",
        embedding: "embeddings",
        norm: ["gamma", "beta"],
        statistics: [("moving_mean", TensorRole::Mean), ("moving_variance", TensorRole::Variance)],
        rnn: &[("kernel", Input, 1), ("recurrent_kernel", Recurrent, 1), ("bias", Bias, 1)],
        lstm: &[("kernel", Input, 4), ("recurrent_kernel", Recurrent, 4), ("bias", Bias, 4)],
        // The default, reset_after=True, has a bias for the inputs and one for the state.
        gru: &[("kernel", Input, 3), ("recurrent_kernel", Recurrent, 3), ("bias", Biases, 3)],
        sequence: LayerNaming::FirstUnnumbered("dense"),
        loads_into: Some("keras.Sequential, by set_weights in the order above"),
        default_init: Some(of_keras),
    },
    // Flax, as `flatten_dict(variables["params"], sep=".")` names them: without the collection. Its recurrent cells have a
    // kernel per gate.
    Framework {
        layout: "jax",
        separator: ".",
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
        sequence: LayerNaming::Numbered("Dense_"),
        loads_into: Some("flax.linen, as the parameters of Dense_0, Dense_1, ..."),
        default_init: Some(|kind, role, _| weights_only(kind, role, "jax.lecun_normal")),
    },
    // `numpy.savez(FILE, *get_all_param_values(network))` numbers the tensors.
    Framework {
        layout: "lasagne",
        separator: ".",
        weight: "W",
        bias: "b",
        embedding: "W",
        norm: ["gamma", "beta"],
        statistics: [("mean", TensorRole::Mean), ("inv_std", TensorRole::InverseStd)],
        rnn: &[],
        lstm: &[],
        gru: &[],
        sequence: LayerNaming::ByTensor("arr_"),
        loads_into: Some("lasagne.layers.set_all_param_values, in the order above"),
        default_init: Some(|kind, role, _| weights_only(kind, role, "lasagne.GlorotUniform")),
    },
    Framework {
        layout: "mlx",
        separator: ".",
        weight: "weight",
        bias: "bias",
        embedding: "weight",
        norm: ["weight", "bias"],
        statistics: [("running_mean", TensorRole::Mean), ("running_var", TensorRole::Variance)],
        rnn: &[("Wxh", Input, 1), ("Whh", Recurrent, 1), ("bias", Bias, 1)],
        lstm: &[("Wx", Input, 4), ("Wh", Recurrent, 4), ("bias", Bias, 4)],
        gru: &[("Wx", Input, 3), ("Wh", Recurrent, 3), ("b", Bias, 3), ("bhn", Bias, 1)],
        sequence: LayerNaming::WithActivations("layers."),
        loads_into: Some("mlx.nn.Sequential, by load_weights"),
        default_init: Some(of_mlx),
    },
];

impl Framework {
    /// The frameworks whose own layers have a known initialization.
    pub fn all_with_default_init() -> impl Iterator<Item = &'static Self> {
        FRAMEWORKS.iter().filter(|framework| framework.default_init.is_some())
    }

    /// The framework of that name, if the initialization of its own layers is known.
    pub fn with_default_init(name: &str) -> Option<&'static Self> {
        Self::all_with_default_init().find(|framework| framework.layout == name)
    }

    /// The framework of a layout; the first for layouts of letters.
    pub fn of(layout: &Layout) -> &'static Self {
        let name = layout.to_string();
        FRAMEWORKS.iter().find(|framework| framework.layout == name).unwrap_or(&FRAMEWORKS[0])
    }

    pub(super) fn is_torch(&self) -> bool {
        self.layout == "torch"
    }

    /// Errors unless the framework is torch.
    pub(super) fn require_torch(&self, layout: &Layout) -> Result<()> {
        ensure!(self.is_torch(), "layout `{layout}` has no names for it: use `torch`");
        Ok(())
    }
}
