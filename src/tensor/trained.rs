//! Record of a tensor learned from data.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::TensorIdentity;
use crate::text::{cut, escape};

/// Record of a tensor's training, in addition to the scheme that it started from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainedIdentity {
    /// Training data.
    pub data: TensorIdentity,
    /// Layer, from 0.
    pub layer: usize,
    /// Training method with every option.
    pub method: String,
    /// Role of the tensor in the layer.
    pub part: Part,
    /// Sizes of all layers, inputs first.
    pub sizes: Vec<u64>,
}

impl fmt::Display for TrainedIdentity {
    /// Writes the method and the data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = cut(&escape(&self.data.name), 100);
        write!(f, "learned by {} from `{name}` (SHA-256 {})", escape(&self.method), escape(&self.data.sha256))
    }
}

/// Role of a tensor in a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The weight matrix.
    Weight,
    /// Bias of the outputs.
    Bias,
    /// Bias of the reconstructed inputs.
    VisibleBias,
}
