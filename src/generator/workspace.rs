//! The memory that generators take for what is not drawn element by element.

use super::qr;
use crate::distribution::{Distribution, TensorSpec};

/// The workspace of a generator that draws element by element.
pub(super) fn none(_: &TensorSpec) -> u64 {
    0
}

/// The workspace of a generator that decomposes the normals of an orthogonal matrix, and draws everything else element by element.
pub(super) fn of_matrices(tensor: &TensorSpec) -> u64 {
    match &tensor.distribution {
        Distribution::Orthogonal { unfolding, .. } => qr::workspace(unfolding),
        // It counts its values and one copy of its largest matrix.
        Distribution::Joint(distribution) => distribution.workspace().saturating_mul(3),
        _ => 0,
    }
}
