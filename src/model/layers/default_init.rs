//! The initialization of each framework's own layers: the scheme of each tensor, in any layout.

use super::kind::LayerKind;
use super::tensor::{GateTensor, Gates, TensorRole};

/// The scheme of a tensor of a layer, with its gates in a recurrent layer; `None` if it is not known.
pub(super) type DefaultInit = fn(LayerKind, TensorRole, Option<Gates>) -> Option<String>;

impl Gates {
    /// True if the tensor has all gates of such a layer side by side, along one axis.
    fn has_all(self, kind: LayerKind) -> bool {
        self.count == kind.gates() && self.tensor != GateTensor::Biases
    }
}

/// Zeros for biases and one scheme for the weights, of dense layers and convolutions only.
pub(super) fn weights_only(kind: LayerKind, role: TensorRole, weight: &str) -> Option<String> {
    let scheme = if role == TensorRole::Weight { weight } else { "zeros" };
    is_dense_or_conv(kind).then(|| scheme.into())
}

fn is_dense_or_conv(kind: LayerKind) -> bool {
    matches!(kind, LayerKind::Dense | LayerKind::Conv(_) | LayerKind::ConvTranspose(_))
}

/// `reset_parameters` of `torch.nn`'s modules.
pub(super) fn of_torch(kind: LayerKind, role: TensorRole, gates: Option<Gates>) -> Option<String> {
    if role.constant().is_some() && role != TensorRole::Bias {
        return None;
    }
    let scheme = match (kind, gates) {
        // A shape does not show the number of units if each gate has its own tensor.
        (_, Some(gates)) if !gates.has_all(kind) => return Some(format!("rnn-uniform:hidden={}", gates.units)),
        (LayerKind::Embedding, _) => "embedding",
        (LayerKind::Rnn | LayerKind::RnnCell, _) => "rnn-uniform:gates=1",
        (LayerKind::Lstm | LayerKind::LstmCell, _) => "rnn-uniform:gates=4",
        (LayerKind::Gru | LayerKind::GruCell, _) => "rnn-uniform:gates=3",
        // Biases are drawn like the weights.
        _ if is_dense_or_conv(kind) => "fan-in-uniform",
        _ => return None,
    };
    Some(scheme.into())
}

/// The constructors of `keras.layers`.
pub(super) fn of_keras(kind: LayerKind, role: TensorRole, gates: Option<Gates>) -> Option<String> {
    use LayerKind::{Embedding, Gru, Lstm, Rnn};
    let scheme = match (kind, role) {
        (Embedding, _) => "keras.RandomUniform",
        (Rnn | Lstm | Gru, TensorRole::Weight) => "keras.GlorotUniform",
        (Rnn | Lstm | Gru, TensorRole::Recurrent) => "keras.Orthogonal",
        // The one bias of an LSTM is 1 at the forget gate.
        (Lstm, TensorRole::Bias) => match gates {
            Some(Gates { tensor: GateTensor::ForgetBias, .. }) => "ones",
            Some(gates) if gates.tensor == GateTensor::Bias && gates.has_all(Lstm) => "keras.unit_forget_bias",
            _ => "zeros",
        },
        _ => return weights_only(kind, role, "keras.GlorotUniform"),
    };
    Some(scheme.into())
}

/// The modules of `mlx.nn`, which draw biases like weights.
pub(super) fn of_mlx(kind: LayerKind, role: TensorRole, _: Option<Gates>) -> Option<String> {
    let is_drawn = matches!(role, TensorRole::Weight | TensorRole::Bias);
    (is_drawn && is_dense_or_conv(kind)).then(|| "mlx.Linear".into())
}
