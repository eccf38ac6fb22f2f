//! The memory that generators take for what is not drawn element by element.

use anyhow::{Result, ensure};

use super::{Drawer, NATIVE, qr};
use crate::law::Law;
use crate::plan::{Plan, Tensor};
use crate::tensor::in_memory;
use crate::text;

/// The workspace of a generator that draws element by element.
pub(super) fn none(_: &Tensor) -> u64 {
    0
}

/// The workspace of a generator that decomposes the normals of an orthogonal matrix, and draws everything else element by element.
pub(super) fn of_matrices(tensor: &Tensor) -> u64 {
    match &tensor.law {
        Law::Orthogonal { unfolding, .. } => qr::workspace(unfolding),
        // It counts its values and one copy of its largest matrix.
        Law::Whole(law) => law.workspace().saturating_mul(3),
        _ => 0,
    }
}

impl Plan {
    /// The memory that drawing a tensor takes beyond fixed buffers, in bytes: 0 for a law that is drawn element by element.
    pub fn workspace(&self, tensor: &Tensor) -> u64 {
        // What is not random is the same wherever it is from.
        let workspace = if tensor.law.is_random() { self.generator.workspace } else { NATIVE.workspace };
        workspace(tensor)
    }

    /// What is drawn for the tensors with these numbers: they themselves, and those that they follow.
    pub fn drawn_for(&self, numbers: impl Iterator<Item = usize>) -> impl Iterator<Item = &Tensor> {
        let mut wanted: Vec<&Tensor> = numbers.map(|number| &self.tensors[number]).collect();
        let before = wanted.iter().filter_map(|tensor| tensor.order).max().map_or(0, in_memory);
        if let Drawer::InOrder(sequence) = &self.drawer {
            wanted.extend(sequence.first(before));
        }
        wanted.into_iter()
    }

    /// Refuses a tensor whose matrix would not fit in `limit` bytes of memory, or in what the system gives.
    pub fn check_workspace(&self, tensor: &Tensor, limit: u64) -> Result<()> {
        let needed = self.workspace(tensor);
        ensure!(
            needed <= limit,
            "`{}` is drawn as a whole and takes {} of memory, above the limit of {}: raise --max-memory",
            tensor.name,
            text::bytes(needed),
            text::bytes(limit)
        );
        // A limit raised by hand may still be more than there is; the attempt alone costs no memory.
        let there = usize::try_from(needed).is_ok_and(|needed| Vec::<u8>::new().try_reserve_exact(needed).is_ok());
        ensure!(
            there,
            "`{}` takes {} of memory to draw, which the system does not give",
            tensor.name,
            text::bytes(needed)
        );
        Ok(())
    }
}
