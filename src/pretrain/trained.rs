//! Tensors that hold what was learnt.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::law::{Described, Draws, Whole, bytes_of};
use crate::plan::BaseIdentity;

/// How a tensor was learnt: what a recipe keeps of it, beside the scheme that it started from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainedIdentity {
    /// The data.
    pub data: BaseIdentity,
    /// Its layer, from 0.
    pub layer: usize,
    /// The method with every option.
    pub method: String,
    /// What of the layer it is.
    pub part: Part,
    /// The sizes of all layers, inputs first.
    pub sizes: Vec<u64>,
}

/// What of a layer a tensor is.
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

/// Values that are there already, as a law that draws them.
pub struct Values(Vec<f32>);

impl Values {
    /// These, row-major.
    pub fn new(values: Vec<f32>) -> Self {
        Self(values)
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} values", self.0.len())
    }
}

impl Described for Values {
    fn largest(&self) -> f64 {
        self.0.iter().fold(0.0, |largest, value| value.abs().max(largest)).into()
    }
}

impl Whole for Values {
    fn draw(&self, _: &dyn Draws) -> Vec<f64> {
        self.0.iter().map(|&value| value.into()).collect()
    }

    fn workspace(&self) -> u64 {
        bytes_of(&[&[self.0.len() as u64]])
    }
}
