//! Tensors of a file as what others are copies of.

use std::io::Read;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use super::{Contents, Entry, npy};
use crate::plan::{Element, KeptIdentity, Region, Shape};
use crate::recipe::TensorRecipe;
use crate::text;

/// How many bytes are hashed at a time.
const CHUNK: usize = 1 << 18;

impl Contents {
    /// Where the values of the tensor with this number lie, for copies. Errors where they are not little-endian, in C
    /// order and as they are, or of a type that is not known.
    pub fn region(&mut self, number: usize) -> Result<Region> {
        let entry = self.entries.get(number).context("there is no such tensor")?;
        ensure!(!entry.fortran, "its values lie in Fortran order: only those in C order are kept");
        let element = entry.element();
        let element = element.with_context(|| {
            let word = text::escape(&entry.type_word);
            format!("values of type {word} in {} are not kept: safetensors, .npy and .npz are", self.format)
        })?;
        let origin = self.origin.clone().context("it is of several files: each is kept from by its own name")?;
        let raw = self.values.raw(number)?;
        let raw = raw
            .context("its values are packed or text: only stored ones are kept (numpy.savez, not savez_compressed)")?;
        Ok(Region { offset: raw.begin, element, origin })
    }

    /// The SHA-256 of the values of the tensor with this number as they are stored, in hexadecimal: what the recipe of a
    /// kept tensor has.
    pub fn sha256(&mut self, number: usize) -> Result<String> {
        ensure!(number < self.entries.len(), "there is no such tensor");
        let mut values = self.values.open(number)?;
        let (mut hash, mut bytes) = (Sha256::new(), vec![0; CHUNK]);
        loop {
            match values.read(&mut bytes).context("its values cannot be read")? {
                0 => return Ok(text::hex(&hash.finalize())),
                length => hash.update(&bytes[..length]),
            }
        }
    }
}

impl Entry {
    /// The type of its elements, where it is known and little-endian.
    pub fn element(&self) -> Option<Element> {
        self.element
    }
}

/// Whether the recipe of a copied tensor is of what the file holds.
pub(super) fn agrees(entry: &Entry, recipe: &TensorRecipe) -> Result<()> {
    let (shape, element) = (Shape::new(recipe.shape.clone())?, recipe.element()?);
    let held = entry.element;
    ensure!(shape == entry.shape, "it says shape {shape}, and the file {}", entry.shape);
    ensure!(held == Some(element), "it says dtype {}, and the file {}", element.word(), entry.type_word);
    ensure!(recipe.scheme.is_empty(), "it says both that the values are kept and that they are drawn");
    recipe.check_slice()
}

/// Tells of an entry that it was copied.
pub(super) fn tell(entry: &mut Entry, identity: &KeptIdentity) {
    if entry.type_word == npy::BFLOAT16 {
        entry.type_word = entry.element.map_or("", Element::word).into();
    }
    entry.scheme = Some(format!("kept, SHA-256 {}", identity.sha256));
    entry.kept = Some(identity.clone());
}
