//! The content of a file that has been opened, before a value is read.

use std::io::Read;
use std::sync::Arc;

use anyhow::{Context, Result};

use crate::plan::DrawnTensor;
use crate::provenance::Provenance;
use crate::tensor::{CopiedIdentity, DType, Element, Origin, Shape, StoredTensor};
use crate::text;

/// All of a file but its values.
pub(crate) struct Found {
    pub(crate) entries: Vec<Entry>,
    pub(crate) provenance: Option<Provenance>,
    pub(crate) notes: Vec<String>,
    /// The layout of the framework that the file is of, if it says.
    pub(crate) layout: Option<&'static str>,
}

/// A tensor in a file.
pub struct Entry {
    /// Its name, as it is in the file: show it through [`text::escape`].
    pub name: String,
    /// Its shape.
    pub shape: Shape,
    /// The type of its elements, in the file's own word if it is none of ours.
    pub type_word: String,
    /// The same tensor derived again from the provenance, if that is possible.
    pub planned: Option<Box<DrawnTensor>>,
    /// The scheme by the provenance, if it cannot be derived again without its base, its data or its source.
    pub scheme: Option<String>,
    /// The values that it is a copy of, by the provenance.
    pub copied: Option<CopiedIdentity>,
    /// Its file below the folder, if there are several: show it through [`text::escape`].
    pub file: Option<String>,
    /// Its values; `None` if their type is not known.
    stored: Option<StoredTensor>,
}

impl Entry {
    /// A tensor whose values are read.
    pub(super) fn new(name: String, stored: StoredTensor) -> Self {
        let type_word = stored.element().word().into();
        let unread = Self::unread(name, stored.shape().clone(), type_word);
        Self { stored: Some(stored), ..unread }
    }

    /// A tensor of a type that is not read, by the file's own word for it.
    pub(super) fn unread(name: String, shape: Shape, type_word: String) -> Self {
        Self { name, shape, type_word, planned: None, scheme: None, copied: None, file: None, stored: None }
    }

    /// Its values. Errors if their type is not read.
    pub fn values(&self) -> Result<&StoredTensor> {
        self.stored.as_ref().with_context(|| format!("values of type {} are not read", text::escape(&self.type_word)))
    }

    /// The type of its elements, if it is known.
    pub fn element(&self) -> Option<Element> {
        self.stored.as_ref().map(StoredTensor::element)
    }

    /// The type of its elements, if schemes draw it.
    pub fn dtype(&self) -> Option<DType> {
        self.element()?.dtype()
    }

    /// The size of its values in bytes; `None` if their type is not known.
    pub fn bytes(&self) -> Option<u64> {
        self.stored.as_ref().map(StoredTensor::bytes)
    }

    /// Names the type without doubt, because the provenance confirms it.
    pub(crate) fn confirm_type(&mut self) {
        if let Some(element) = self.element() {
            self.type_word = element.word().into();
        }
    }
}

/// The provenance of a text; if it is none, a note says why.
pub(super) fn parse_provenance(text: &str, notes: &mut Vec<String>) -> Option<Provenance> {
    Provenance::parse(text).map_err(|error| notes.push(format!("the provenance is left aside: {error:#}"))).ok()
}

/// Reads exactly `length` bytes, which the caller has checked against the file's length.
pub(super) fn read_bytes(source: &mut dyn Read, length: u64) -> Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length)?];
    source.read_exact(&mut bytes).context("it ends too early")?;
    Ok(bytes)
}

/// The first bytes of a file, at most `length`.
pub(crate) fn opening(origin: &Arc<Origin>, length: u64) -> Result<Vec<u8>> {
    let mut opening = Vec::new();
    origin.reader().take(length).read_to_end(&mut opening).context("it cannot be read")?;
    Ok(opening)
}

/// A name from a file in backquotes, safe to show.
pub(crate) fn shown_name(name: &str) -> String {
    format!("`{}`", text::cut(&text::escape(name), 100))
}
