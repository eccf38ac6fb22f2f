//! The tensors of a layer.

use anyhow::{Context, Result};

use crate::generator::Generator;
use crate::plan::{Common, DrawnTensor};
use crate::scheme::{self, Requires};
use crate::tensor::{DType, Fans, Layout, Shape};

/// The purpose of a tensor in its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TensorRole {
    /// Multiplies the inputs.
    Weight,
    /// Multiplies the state of a recurrent layer.
    Recurrent,
    /// Added to the sums.
    Bias,
    /// Multiplies normalised values.
    Scale,
    /// The running mean of a batch norm.
    Mean,
    /// The running variance of a batch norm.
    Variance,
    /// One over the running standard deviation of a batch norm.
    InverseStd,
}

impl TensorRole {
    /// The scheme of tensors that start as constants in every framework; `None` for weights.
    pub fn constant(self) -> Option<&'static str> {
        match self {
            Self::Weight | Self::Recurrent => None,
            Self::Bias | Self::Mean => Some("zeros"),
            Self::Scale | Self::Variance | Self::InverseStd => Some("ones"),
        }
    }
}

/// A tensor of a recurrent layer, by its role in the gates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GateTensor {
    /// Inputs to gates.
    Input,
    /// State to gates.
    Recurrent,
    Bias,
    /// The second of two biases that are added.
    SecondBias,
    /// The bias of the forget gate, in a layer with one tensor per gate.
    ForgetBias,
    /// Two biases in two rows: Keras's gated recurrent unit.
    Biases,
}

impl GateTensor {
    pub(super) fn role(self) -> TensorRole {
        match self {
            Self::Input => TensorRole::Weight,
            Self::Recurrent => TensorRole::Recurrent,
            _ => TensorRole::Bias,
        }
    }
}

/// The gates of a recurrent layer that a tensor contains.
#[derive(Clone, Copy)]
pub(super) struct Gates {
    pub(super) tensor: GateTensor,
    /// The number of gates, side by side.
    pub(super) count: u64,
    /// The units of each gate.
    pub(super) units: u64,
}

/// A tensor of a layer, before it is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerTensor {
    /// The name, prefixed with the layer's name.
    pub name: String,
    /// The size of each axis.
    pub shape: Vec<u64>,
    /// One letter per axis, for weights.
    pub layout: Option<String>,
    /// The purpose in the layer.
    pub role: TensorRole,
    /// The fans of the layer, which the axes of a bias do not show.
    pub fans: Fans,
    /// The scheme of the framework's own layer, if known.
    pub default_scheme: Option<String>,
    /// The position among the draws of the layer, which may differ from that in the file. Copies of one draw share it.
    pub turn: usize,
    /// The number of uniform values that are drawn before this tensor and discarded.
    pub skipped: u64,
}

impl LayerTensor {
    /// Its framework's scheme.
    pub fn scheme(&self) -> &str {
        self.default_scheme.as_deref().or(self.role.constant()).unwrap_or("zeros")
    }

    /// The tensor under a name, drawn by a scheme.
    pub fn drawn(
        &self,
        name: &str,
        expression: &str,
        dtype: DType,
        generator: &'static Generator,
    ) -> Result<DrawnTensor> {
        let layout = match &self.layout {
            Some(letters) => letters.parse()?,
            None => Layout::default(),
        };
        let needs_fans = || Ok::<_, anyhow::Error>(scheme::resolve(expression)?.scheme.requires == Requires::Fans);
        let fans = if self.role == TensorRole::Bias && needs_fans()? { self.fans } else { Fans::default() };
        let common = Common { dtype: dtype.into(), layout, fans, generator };
        let sizes: Vec<String> = self.shape.iter().map(u64::to_string).collect();
        let shape = Shape::new(self.shape.clone()).with_context(|| format!("`{name}={}`", sizes.join("x")))?;
        Ok(DrawnTensor::new(name.parse()?, shape, expression, &common)?.skipping(self.skipped))
    }
}
