//! Tensors that were copied from another file, by the provenance.

use anyhow::{Result, ensure};

use super::{Entry, npy};
use crate::provenance::TensorProvenance;
use crate::tensor::{CopiedIdentity, Element, Shape};

/// Whether the provenance of a copied tensor is of what the file holds.
pub(super) fn agrees(entry: &Entry, provenance: &TensorProvenance) -> Result<()> {
    let (shape, element) = (Shape::new(provenance.shape.clone())?, provenance.element()?);
    let held = entry.element();
    ensure!(shape == entry.shape, "it says shape {shape}, and the file {}", entry.shape);
    ensure!(held == Some(element), "it says dtype {}, and the file {}", element.word(), entry.type_word);
    ensure!(provenance.scheme.is_empty(), "it says both that the values are copied and that they are drawn");
    provenance.check_slice()
}

/// Tells of an entry that it was copied.
pub(super) fn tell(entry: &mut Entry, identity: &CopiedIdentity) {
    if entry.type_word == npy::BFLOAT16 {
        entry.type_word = entry.element().map_or("", Element::word).into();
    }
    entry.scheme = Some(format!("copied, SHA-256 {}", identity.sha256));
    entry.copied = Some(identity.clone());
}
