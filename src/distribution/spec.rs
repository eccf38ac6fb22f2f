//! The inputs of a generator for a tensor.

use super::Distribution;
use crate::statistics::marginal::Marginal;
use crate::tensor::{DType, Name, Shape, Slice};

/// A tensor to draw.
#[derive(Clone, Debug)]
pub struct TensorSpec {
    /// The name, which is part of the key of native values.
    pub name: Name,
    /// Its shape.
    pub shape: Shape,
    /// The position in the full tensor, for a slice; the distribution is that of the full tensor.
    pub slice: Option<Slice>,
    /// The type of its elements in the file.
    pub dtype: DType,
    /// The distribution of its values.
    pub distribution: Distribution,
    /// The position, from 0, among the tensors that a framework draws in sequence; `None` for a single one, or if each tensor has its own
    /// random numbers.
    pub order: Option<u64>,
    /// The number of uniform values that a framework draws before this tensor and discards.
    pub skipped: u64,
    /// The precision of a framework's draw, before rounding to the dtype.
    pub precision: DType,
    /// True if a framework draws on a unit interval and then multiplies, instead of drawing between the bounds.
    pub is_scaled: bool,
}

impl TensorSpec {
    /// The full tensor of a slice, or the tensor itself.
    #[must_use]
    pub fn whole(&self) -> Self {
        let of = self.slice.as_ref().and_then(|slice| Shape::new(slice.of.clone()).ok());
        Self { shape: of.unwrap_or_else(|| self.shape.clone()), slice: None, ..self.clone() }
    }

    /// The distribution of one element of the full tensor before rounding; `None` without a formula. See [`Marginal`].
    pub fn marginal(&self) -> Option<Marginal> {
        self.distribution.marginal(self.whole().shape.count())
    }
}
