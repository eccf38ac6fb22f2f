//! An existing tensor, for schemes that start from one.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Shape;

/// A tensor that has been read, with its values widened to `f64`; all are finite.
pub struct Base {
    /// Identity of the tensor, for provenance.
    pub identity: TensorIdentity,
    /// Shape of the tensor.
    pub shape: Shape,
    /// Values, row-major.
    pub values: Vec<f64>,
}

/// Identity of a tensor in provenance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TensorIdentity {
    /// Element type in its file.
    pub dtype: String,
    /// Name in its file.
    pub name: String,
    /// SHA-256 of the values in their stored type, little-endian, in hexadecimal.
    pub sha256: String,
    /// Size of each axis.
    pub shape: Vec<u64>,
}

impl Base {
    /// Frobenius norm: an upper bound of every element and singular value.
    pub fn norm(&self) -> f64 {
        let largest = self.values.iter().fold(0f64, |largest, value| largest.max(value.abs()));
        if largest == 0.0 {
            return 0.0;
        }
        largest * self.values.iter().map(|value| (value / largest) * (value / largest)).sum::<f64>().sqrt()
    }
}

impl fmt::Debug for Base {
    /// Omits the values, which the hash identifies.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.identity, self.shape)
    }
}
