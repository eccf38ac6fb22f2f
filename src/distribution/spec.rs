//! All that a generator needs to draw a tensor.

use super::Distribution;
use crate::tensor::{DType, Name, Shape, Slice};

/// A tensor to draw.
#[derive(Clone, Debug)]
pub struct TensorSpec {
    /// Its name, which is part of the key of native numbers.
    pub name: Name,
    /// Its shape.
    pub shape: Shape,
    /// Its position in the tensor that it is a slice of, whose distribution it has; `None` if it is whole.
    pub slice: Option<Slice>,
    /// The type of its elements in the file.
    pub dtype: DType,
    /// The distribution of its values.
    pub distribution: Distribution,
    /// Its position, from 0, among the tensors that a framework draws one after the other; `None` if it is the only one, or if each
    /// tensor has numbers of its own.
    pub order: Option<u64>,
    /// The number of uniform values that a framework draws before it and drops.
    pub skipped: u64,
    /// The precision in which a framework draws that then rounds to the dtype.
    pub precision: DType,
    /// True if a framework draws on a unit interval and then multiplies, instead of drawing between the bounds.
    pub is_scaled: bool,
}

impl TensorSpec {
    /// The tensor that it is a slice of, or itself.
    #[must_use]
    pub fn whole(&self) -> Self {
        let of = self.slice.as_ref().and_then(|slice| Shape::new(slice.of.clone()).ok());
        Self { shape: of.unwrap_or_else(|| self.shape.clone()), slice: None, ..self.clone() }
    }
}
