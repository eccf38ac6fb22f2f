//! A tensor that is there already, for schemes that start from one.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Shape;

/// A tensor that was read, its values widened: all finite.
pub struct Base {
    /// The identity of the tensor.
    pub identity: TensorIdentity,
    /// Its shape.
    pub shape: Shape,
    /// Its values, row-major.
    pub values: Vec<f64>,
}

/// The identity of a tensor in provenance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TensorIdentity {
    /// The type of its elements in its file.
    pub dtype: String,
    /// Its name in its file.
    pub name: String,
    /// The SHA-256 of its values in their own type, little-endian, in hexadecimal.
    pub sha256: String,
    /// The size of each axis.
    pub shape: Vec<u64>,
}

impl Base {
    /// The square root of the sum of the squares of its values: no element or singular value is larger.
    pub fn norm(&self) -> f64 {
        let largest = self.values.iter().fold(0f64, |largest, value| largest.max(value.abs()));
        if largest == 0.0 {
            return 0.0;
        }
        largest * self.values.iter().map(|value| (value / largest) * (value / largest)).sum::<f64>().sqrt()
    }
}

impl fmt::Debug for Base {
    /// Without its values, of which the hash tells.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.identity, self.shape)
    }
}
