//! Tensors that were copied from another file, by the recipe.

use anyhow::{Result, ensure};

use super::{Entry, npy};
use crate::recipe::TensorRecipe;
use crate::tensor::{Element, KeptIdentity, Shape};

/// Whether the recipe of a copied tensor is of what the file holds.
pub(super) fn agrees(entry: &Entry, recipe: &TensorRecipe) -> Result<()> {
    let (shape, element) = (Shape::new(recipe.shape.clone())?, recipe.element()?);
    let held = entry.element();
    ensure!(shape == entry.shape, "it says shape {shape}, and the file {}", entry.shape);
    ensure!(held == Some(element), "it says dtype {}, and the file {}", element.word(), entry.type_word);
    ensure!(recipe.scheme.is_empty(), "it says both that the values are kept and that they are drawn");
    recipe.check_slice()
}

/// Tells of an entry that it was copied.
pub(super) fn tell(entry: &mut Entry, identity: &KeptIdentity) {
    if entry.type_word == npy::BFLOAT16 {
        entry.type_word = entry.element().map_or("", Element::word).into();
    }
    entry.scheme = Some(format!("kept, SHA-256 {}", identity.sha256));
    entry.kept = Some(identity.clone());
}
