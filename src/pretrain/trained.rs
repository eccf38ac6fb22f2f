//! Tensors of trained weights.

use anyhow::{Context, Result};

use super::layer::Layer;
use super::run::InitialWeight;
use crate::generator::{NATIVE, Values, native};
use crate::matrix::Matrix;
use crate::plan::{DrawnTensor, TrainedTensor};
use crate::provenance::TensorProvenance;
use crate::tensor::{Part, TrainedIdentity, to_usize};

/// A tensor to be trained.
pub struct TrainingTarget {
    /// Name, shape, layout, and the scheme before training.
    pub tensor: DrawnTensor,
    /// The data, the method, and the tensor's role in its layer.
    pub trained: TrainedIdentity,
}

impl TrainingTarget {
    /// The target that the provenance of a file describes. Errors if the tensor was not trained.
    pub fn from_record(name: &str, recorded: &TensorProvenance) -> Result<Self> {
        let trained = recorded.trained.clone().context("it is not trained, unlike other tensors of the file")?;
        let initial = TensorProvenance { trained: None, ..recorded.clone() };
        Ok(Self { tensor: initial.tensor(name, NATIVE)?, trained })
    }

    /// The weights of the layers before training. Errors if a layer has none.
    pub fn initial_weights(all: &[Self], layers: usize, seed: u64, threads: usize) -> Result<Vec<InitialWeight>> {
        let initial = |layer| {
            let weight = all.iter().find(|target| target.trained.layer == layer && target.trained.part == Part::Weight);
            weight.with_context(|| format!("layer {layer} has no weight"))?.initial_weight(seed, threads)
        };
        (0..layers).map(initial).collect()
    }

    fn initial_weight(&self, seed: u64, threads: usize) -> Result<InitialWeight> {
        let tensor = &self.tensor;
        let &[rows, columns] = tensor.shape().axes() else {
            anyhow::bail!("`{}` is not a matrix: its shape is {}", tensor.name(), tensor.shape());
        };
        let mut values = vec![0.0; to_usize(rows) * to_usize(columns)];
        native(seed, tensor.spec(), threads).fill_f32(0, &mut values);
        let stored = Matrix::new(values, to_usize(columns));
        let weight = if self.outputs_first() { stored.transposed() } else { stored };
        Ok(InitialWeight { name: tensor.name().clone(), weight })
    }

    /// The tensor without values, for a plan before training.
    pub fn outline(&self) -> TrainedTensor {
        TrainedTensor::before(self.tensor.clone(), self.trained.clone())
    }

    fn outputs_first(&self) -> bool {
        self.tensor.layout() == Some("oi")
    }

    /// The tensor with the values of its trained layer.
    pub fn with_trained(self, layers: &[Layer]) -> Result<TrainedTensor> {
        let name = self.tensor.name();
        let layer = layers.get(self.trained.layer).with_context(|| format!("`{name}`: the layer is missing"))?;
        let values = match self.trained.part {
            Part::Bias => return self.holding(layer.bias.clone()),
            Part::Weight if self.outputs_first() => layer.weight.transposed().into_values(),
            Part::Weight => layer.weight.values().to_vec(),
            Part::VisibleBias => layer.visible_bias.clone().unwrap_or_default(),
        };
        self.holding(values)
    }

    /// Errors if values overflow the type of the tensor.
    fn holding<T: Copy + Into<f64>>(self, values: Vec<T>) -> Result<TrainedTensor>
    where
        Values: From<Vec<T>>,
    {
        let (name, dtype) = (self.tensor.name(), self.tensor.spec().dtype);
        let overflowing = values.iter().map(|&value| value.into()).find(|&value| !dtype.round(value).is_finite());
        if let Some(value) = overflowing {
            anyhow::bail!("`{name}` overflows {dtype} with {value:e}: use --scale standard, or a wider --dtype");
        }
        TrainedTensor::new(self.tensor, Some(self.trained), values.into())
    }
}
