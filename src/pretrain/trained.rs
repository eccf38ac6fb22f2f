//! Tensors that hold what was learnt.

use std::fmt;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use super::Start;
use super::layer::Layer;
use crate::generator::native;
use crate::law::{Described, Draws, TensorSpec, Whole, bytes_of};
use crate::matrix::Matrix;
use crate::plan::Tensor;
use crate::tensor::{BaseIdentity, in_memory};
use crate::text::{cut, escape};

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

impl fmt::Display for TrainedIdentity {
    /// By which method and from which data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = cut(&escape(&self.data.name), 100);
        write!(f, "learnt by {} from `{name}` (SHA-256 {})", escape(&self.method), escape(&self.data.sha256))
    }
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

/// A tensor to be learnt: as it starts, and what it will be.
pub struct Wanted {
    /// Its name, shape and layout, and the scheme that it starts from.
    pub tensor: Tensor,
    /// Which data, how, and what of which layer.
    pub trained: TrainedIdentity,
}

impl Wanted {
    /// Where each of so many layers starts, by its weight. Errors where one has none.
    pub fn starts(all: &[Self], layers: usize, seed: u64, threads: usize) -> Result<Vec<Start>> {
        let start = |layer| {
            let weight = all.iter().find(|wanted| wanted.trained.layer == layer && wanted.trained.part == Part::Weight);
            let weight = weight.with_context(|| format!("the weight of layer {layer} is not there"))?;
            weight.start(seed, threads)
        };
        (0..layers).map(start).collect()
    }

    fn start(&self, seed: u64, threads: usize) -> Result<Start> {
        let tensor = &self.tensor;
        let &[rows, columns] = tensor.spec.shape.axes() else {
            anyhow::bail!("`{}` is no matrix: its shape is {}", tensor.spec.name, tensor.spec.shape);
        };
        let mut values = vec![0.0; in_memory(rows) * in_memory(columns)];
        native(seed, &tensor.spec, threads).singles(0, &mut values);
        let stored = Matrix::new(values, in_memory(columns));
        let weight = if self.outputs_first() { stored.transposed() } else { stored };
        Ok(Start { name: tensor.spec.name.clone(), weight })
    }

    /// The tensor without values, with the identity that they will have.
    pub fn outline(&self) -> Tensor {
        self.tensor.clone().holding(Vec::<f32>::new(), Some(self.trained.clone()))
    }

    fn outputs_first(&self) -> bool {
        self.tensor.layout.as_deref() == Some("oi")
    }

    /// The tensor with what its layer has learnt.
    pub fn learnt(self, layers: &[Layer]) -> Result<Tensor> {
        let name = &self.tensor.spec.name;
        let layer = layers.get(self.trained.layer).with_context(|| format!("`{name}`: there is no such layer"))?;
        let values = match self.trained.part {
            Part::Bias => return self.holding(layer.bias.clone()),
            Part::Weight if self.outputs_first() => layer.weight.transposed().into_values(),
            Part::Weight => layer.weight.values().to_vec(),
            Part::VisibleBias => layer.visible_bias.clone().unwrap_or_default(),
        };
        self.holding(values)
    }

    /// Errors if values overflow the type of the tensor.
    fn holding<T: Copy + Into<f64> + Send + Sync + 'static>(self, values: Vec<T>) -> Result<Tensor> {
        let TensorSpec { name, dtype, shape, .. } = &self.tensor.spec;
        ensure!(values.len() as u64 == shape.count(), "`{name}` is not of that layer's size");
        let overflowing = values.iter().map(|&value| value.into()).find(|&value| !dtype.round(value).is_finite());
        if let Some(value) = overflowing {
            anyhow::bail!("`{name}` overflows {dtype}: {value:e}: take --scale standard, or a wider --dtype");
        }
        Ok(self.tensor.holding(values, Some(self.trained)))
    }
}

/// Values that are there already, as a law that draws them.
pub struct Values<T>(Vec<T>);

impl<T> Values<T> {
    /// These, row-major.
    pub fn new(values: Vec<T>) -> Self {
        Self(values)
    }
}

impl<T> fmt::Debug for Values<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} values", self.0.len())
    }
}

impl<T: Copy + Into<f64> + Send + Sync> Described for Values<T> {
    fn largest(&self) -> f64 {
        self.0.iter().fold(0.0, |largest, &value| value.into().abs().max(largest))
    }
}

impl<T: Copy + Into<f64> + Send + Sync> Whole for Values<T> {
    fn draw(&self, _: &dyn Draws) -> Vec<f64> {
        self.0.iter().map(|&value| value.into()).collect()
    }

    fn workspace(&self) -> u64 {
        bytes_of(&[&[self.0.len() as u64]])
    }
}
