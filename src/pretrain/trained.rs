//! Tensors that hold what was learned.

use anyhow::{Context, Result, ensure};

use super::Start;
use super::layer::Layer;
use crate::distribution::TensorSpec;
use crate::generator::{NATIVE, native};
use crate::matrix::Matrix;
use crate::plan::Tensor;
use crate::provenance::TensorProvenance;
use crate::tensor::{Part, TrainedIdentity, to_usize};

/// A tensor to be learned: as it starts, and what it will be.
pub struct TrainingTarget {
    /// Its name, shape and layout, and the scheme that it starts from.
    pub tensor: Tensor,
    /// Which data, how, and what of which layer.
    pub trained: TrainedIdentity,
}

impl TrainingTarget {
    /// The tensor to be learned again, by what a file says of it. Errors if it was not learned.
    pub fn recorded(name: &str, recorded: &TensorProvenance) -> Result<Self> {
        let trained = recorded.trained.clone().context("it was not learned, and others of the file were")?;
        let start = TensorProvenance { trained: None, ..recorded.clone() };
        Ok(Self { tensor: start.tensor(name, NATIVE)?, trained })
    }

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
        let mut values = vec![0.0; to_usize(rows) * to_usize(columns)];
        native(seed, &tensor.spec, threads).fill_f32(0, &mut values);
        let stored = Matrix::new(values, to_usize(columns));
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

    /// The tensor with what its layer has learned.
    pub fn learned(self, layers: &[Layer]) -> Result<Tensor> {
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
