//! What each framework calls the tensors of layers.

use super::Role;
use crate::plan::Layout;

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
    pub(super) statistics: [(&'static str, Role); 2],
    pub(super) rnn: &'static [Part],
    pub(super) lstm: &'static [Part],
    pub(super) gru: &'static [Part],
    /// How the layers of a plain stack are called.
    pub stack: Stack,
    /// The scheme that its own layer draws a tensor by, where that is known; `None` in the place of all where none is.
    pub(super) own: Option<Own>,
}

/// The scheme of a tensor: by the kind of its layer, and what the tensor is to it.
pub(super) type Own = fn(&str, Role) -> Option<String>;

/// Dense layers and convolutions whose weights have one scheme, and their biases zeros.
fn plain(kind: &str, role: Role, weight: &str) -> Option<String> {
    (kind == "dense" || kind.starts_with("conv")).then(|| match role {
        Role::Weight => weight.into(),
        _ => "zeros".into(),
    })
}

/// As `reset_parameters` of `torch.nn`'s modules has it.
fn of_torch(kind: &str, role: Role) -> Option<String> {
    if role.usual().is_some() && role != Role::Bias {
        return None;
    }
    match kind {
        "embedding" => Some("torch.Embedding".into()),
        "rnn" => Some("torch.RNN".into()),
        "lstm" => Some("torch.LSTM".into()),
        "gru" => Some("torch.GRU".into()),
        // The biases of a convolution or a dense layer are drawn as its weights are.
        _ => plain(kind, Role::Weight, "torch.Linear"),
    }
}

/// As the constructors of `keras.layers` have it.
fn of_keras(kind: &str, role: Role) -> Option<String> {
    let own = match (kind, role) {
        ("embedding", _) => "keras.RandomUniform",
        ("rnn" | "lstm" | "gru", Role::Weight) => "keras.GlorotUniform",
        ("rnn" | "lstm" | "gru", Role::Recurrent) => "keras.Orthogonal",
        ("lstm", Role::Bias) => "keras.unit_forget_bias",
        _ => return plain(kind, role, "keras.GlorotUniform"),
    };
    Some(own.into())
}

/// How many seeds a layer of Keras takes before and after those of its weights: recurrent ones have a generator for dropout.
pub fn further_seeds_of_keras(kind: &str) -> [u64; 2] {
    match kind {
        "rnn" => [1, 0],
        "lstm" | "gru" => [0, 1],
        _ => [0, 0],
    }
}

/// How a framework calls the layers of a plain stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stack {
    /// The word and a number: `layer_0`, `layer_1`.
    Numbered(&'static str),
    /// The same, where activations are layers of their own: `0`, `2`.
    Counted(&'static str),
    /// The word alone, then with a number: `dense`, `dense_1`.
    Plain(&'static str),
    /// The word and a number for each tensor, whatever its layer: `arr_0`, `arr_1`.
    Flat(&'static str),
}

/// A tensor of a recurrent layer, for so many gates of it.
pub(super) type Part = (&'static str, Form, u64);

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Inputs to gates.
    Input,
    /// State to gates.
    Recurrent,
    /// A shift of the gates.
    Bias,
    /// Two of them, in two rows: Keras's gated recurrent unit.
    Biases,
}

use Form::{Bias, Biases, Input, Recurrent};

/// Every framework with names of its own, by the word of its layout.
pub const FRAMEWORKS: &[Framework] = &[
    Framework {
        layout: "default",
        joint: ".",
        weight: "weight",
        bias: "bias",
        embedding: "weight",
        norm: ["weight", "bias"],
        statistics: [("running_mean", Role::Mean), ("running_var", Role::Variance)],
        rnn: &[("weight_ih", Input, 1), ("weight_hh", Recurrent, 1), ("bias", Bias, 1)],
        lstm: &[("weight_ih", Input, 4), ("weight_hh", Recurrent, 4), ("bias", Bias, 4)],
        gru: &[("weight_ih", Input, 3), ("weight_hh", Recurrent, 3), ("bias", Bias, 3)],
        stack: Stack::Numbered("layer_"),
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
        statistics: [("running_mean", Role::Mean), ("running_var", Role::Variance)],
        rnn: &[
            ("weight_ih_l0", Input, 1),
            ("weight_hh_l0", Recurrent, 1),
            ("bias_ih_l0", Bias, 1),
            ("bias_hh_l0", Bias, 1),
        ],
        lstm: &[
            ("weight_ih_l0", Input, 4),
            ("weight_hh_l0", Recurrent, 4),
            ("bias_ih_l0", Bias, 4),
            ("bias_hh_l0", Bias, 4),
        ],
        gru: &[
            ("weight_ih_l0", Input, 3),
            ("weight_hh_l0", Recurrent, 3),
            ("bias_ih_l0", Bias, 3),
            ("bias_hh_l0", Bias, 3),
        ],
        stack: Stack::Counted(""),
        own: Some(of_torch),
    },
    Framework {
        layout: "keras",
        joint: "/",
        weight: "kernel",
        bias: "bias",
        embedding: "embeddings",
        norm: ["gamma", "beta"],
        statistics: [("moving_mean", Role::Mean), ("moving_variance", Role::Variance)],
        rnn: &[("kernel", Input, 1), ("recurrent_kernel", Recurrent, 1), ("bias", Bias, 1)],
        lstm: &[("kernel", Input, 4), ("recurrent_kernel", Recurrent, 4), ("bias", Bias, 4)],
        // Its default, reset_after=True, has a bias for the inputs and one for the state.
        gru: &[("kernel", Input, 3), ("recurrent_kernel", Recurrent, 3), ("bias", Biases, 3)],
        stack: Stack::Plain("dense"),
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
        statistics: [("mean", Role::Mean), ("var", Role::Variance)],
        rnn: &[("i.kernel", Input, 1), ("i.bias", Bias, 1), ("h.kernel", Recurrent, 1)],
        lstm: &[
            ("ii.kernel", Input, 1),
            ("if.kernel", Input, 1),
            ("ig.kernel", Input, 1),
            ("io.kernel", Input, 1),
            ("hi.kernel", Recurrent, 1),
            ("hi.bias", Bias, 1),
            ("hf.kernel", Recurrent, 1),
            ("hf.bias", Bias, 1),
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
        stack: Stack::Numbered("Dense_"),
        own: Some(|kind, role| plain(kind, role, "jax.lecun_normal")),
    },
    // A file of its values holds them by their number, as `numpy.savez(FILE, *get_all_param_values(network))` writes it.
    Framework {
        layout: "lasagne",
        joint: ".",
        weight: "W",
        bias: "b",
        embedding: "W",
        norm: ["gamma", "beta"],
        statistics: [("mean", Role::Mean), ("inv_std", Role::InverseStd)],
        rnn: &[],
        lstm: &[],
        gru: &[],
        stack: Stack::Flat("arr_"),
        own: Some(|kind, role| plain(kind, role, "lasagne.GlorotUniform")),
    },
    Framework {
        layout: "mlx",
        joint: ".",
        weight: "weight",
        bias: "bias",
        embedding: "weight",
        norm: ["weight", "bias"],
        statistics: [("running_mean", Role::Mean), ("running_var", Role::Variance)],
        rnn: &[("Wxh", Input, 1), ("Whh", Recurrent, 1), ("bias", Bias, 1)],
        lstm: &[("Wx", Input, 4), ("Wh", Recurrent, 4), ("bias", Bias, 4)],
        gru: &[("Wx", Input, 3), ("Wh", Recurrent, 3), ("b", Bias, 3), ("bhn", Bias, 1)],
        stack: Stack::Counted("layers."),
        own: Some(|kind, role| {
            matches!(role, Role::Weight | Role::Bias).then(|| plain(kind, Role::Weight, "mlx.Linear")).flatten()
        }),
    },
];

impl Framework {
    /// The scheme that its own dense layer draws a tensor by.
    pub fn dense(&self, role: Role) -> Option<String> {
        self.own.and_then(|own| own("dense", role))
    }

    /// Whether it is known what its layers draw by themselves.
    pub fn has_own(&self) -> bool {
        self.own.is_some()
    }

    /// The framework of a layout; layouts of letters have the names of the first.
    pub fn of(layout: &Layout) -> &'static Self {
        let word = layout.to_string();
        FRAMEWORKS.iter().find(|framework| framework.layout == word).unwrap_or(&FRAMEWORKS[0])
    }
}
