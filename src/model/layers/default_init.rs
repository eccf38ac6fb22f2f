//! What the layers of frameworks draw by themselves: the scheme of each tensor, and how many seeds a layer takes.

use super::frameworks::GateTensor;
use super::{Parameter, TensorRole};

/// The scheme of a tensor of a layer; `None` where the framework's own is not known.
pub(super) type DefaultInit = fn(&LayerTensorKind) -> Option<String>;

/// What a tensor is, whatever the layout that it is kept in.
pub(super) struct LayerTensorKind<'a> {
    /// The kind of its layer.
    pub(super) kind: &'a str,
    /// What it is to its layer.
    pub(super) role: TensorRole,
    /// Which gates it is of, where its layer is recurrent.
    pub(super) gates: Option<Gates>,
}

/// The gates of a recurrent layer that a tensor is of.
#[derive(Clone, Copy)]
pub(super) struct Gates {
    pub(super) form: GateTensor,
    /// How many of them, side by side.
    pub(super) count: u64,
    /// How many units each has.
    pub(super) units: u64,
}

impl Gates {
    /// True if all gates of such a layer lie side by side, along one axis.
    fn are_together(self, kind: &str) -> bool {
        let all = match kind {
            "lstm" | "lstm_cell" => 4,
            "gru" | "gru_cell" => 3,
            _ => 1,
        };
        self.count == all && self.form != GateTensor::Biases
    }
}

/// Dense layers and convolutions whose weights have one scheme, and their biases zeros.
pub(super) fn plain(of: &LayerTensorKind, weight: &str) -> Option<String> {
    (of.kind == "dense" || of.kind.starts_with("conv")).then(|| match of.role {
        TensorRole::Weight => weight.into(),
        _ => "zeros".into(),
    })
}

/// As `reset_parameters` of `torch.nn`'s modules has it.
pub(super) fn of_torch(of: &LayerTensorKind) -> Option<String> {
    if of.role.usual().is_some() && of.role != TensorRole::Bias {
        return None;
    }
    let own = match (of.kind, of.gates) {
        // How many units there are is not to be seen of a shape where the gates are apart.
        (kind, Some(gates)) if !gates.are_together(kind) => return Some(format!("rnn-uniform:hidden={}", gates.units)),
        ("embedding", _) => "torch.Embedding",
        ("rnn" | "rnn_cell", _) => "torch.RNN",
        ("lstm" | "lstm_cell", _) => "torch.LSTM",
        ("gru" | "gru_cell", _) => "torch.GRU",
        // The biases of a convolution or a dense layer are drawn as its weights are.
        _ => return plain(&LayerTensorKind { role: TensorRole::Weight, ..*of }, "torch.Linear"),
    };
    Some(own.into())
}

/// As the constructors of `keras.layers` have it.
pub(super) fn of_keras(of: &LayerTensorKind) -> Option<String> {
    let own = match (of.kind, of.role) {
        ("embedding", _) => "keras.RandomUniform",
        ("rnn" | "lstm" | "gru", TensorRole::Weight) => "keras.GlorotUniform",
        ("rnn" | "lstm" | "gru", TensorRole::Recurrent) => "keras.Orthogonal",
        // It has one bias, whose forget gate is 1.
        ("lstm", TensorRole::Bias) => match of.gates {
            Some(Gates { form: GateTensor::ForgetBias, .. }) => "ones",
            Some(gates) if gates.form == GateTensor::Bias && gates.are_together("lstm") => "keras.unit_forget_bias",
            _ => "zeros",
        },
        _ => return plain(of, "keras.GlorotUniform"),
    };
    Some(own.into())
}

/// As the modules of `mlx.nn` have it.
pub(super) fn of_mlx(of: &LayerTensorKind) -> Option<String> {
    let drawn = matches!(of.role, TensorRole::Weight | TensorRole::Bias);
    drawn.then(|| plain(&LayerTensorKind { role: TensorRole::Weight, ..*of }, "mlx.Linear")).flatten()
}

/// The most seeds that a layer without weights takes.
pub(super) const MAX_SEEDS: u64 = 1 << 10;

/// How many seeds a layer of Keras takes before and after those of its weights: recurrent ones have a generator for dropout.
pub fn further_seeds_of_keras(kind: &str, parameters: &[(String, Parameter)]) -> [u64; 2] {
    match kind {
        "rnn" => [1, 0],
        "lstm" | "gru" => [0, 1],
        "dropout" => {
            let given = parameters.iter().find(|(key, _)| key == "seeds");
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was checked as a count")]
            let seeds =
                given.map_or(1, |(_, value)| if let Parameter::Number(seeds) = value { *seeds as u64 } else { 1 });
            [seeds, 0]
        }
        _ => [0, 0],
    }
}
