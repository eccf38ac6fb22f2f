//! The record of how a tensor was learned from data.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::TensorIdentity;
use crate::text::{cut, escape};

/// The record of how a tensor was learned, beside the scheme that it started from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainedIdentity {
    /// The data.
    pub data: TensorIdentity,
    /// Its layer, from 0.
    pub layer: usize,
    /// The method with every option.
    pub method: String,
    /// Its part of the layer.
    pub part: Part,
    /// The sizes of all layers, inputs first.
    pub sizes: Vec<u64>,
}

impl fmt::Display for TrainedIdentity {
    /// By which method and from which data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = cut(&escape(&self.data.name), 100);
        write!(f, "learned by {} from `{name}` (SHA-256 {})", escape(&self.method), escape(&self.data.sha256))
    }
}

/// The part of a layer that a tensor is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Its weight.
    Weight,
    /// The shift of its outputs.
    Bias,
    /// The shift of what it makes of its inputs again.
    VisibleBias,
}
