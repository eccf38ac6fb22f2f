//! The content of an opened file, except values.

use std::io::Read;
use std::sync::Arc;

use anyhow::{Context, Result};

use crate::plan::DrawnTensor;
use crate::provenance::Provenance;
use crate::tensor::{CopiedIdentity, DType, Element, Origin, Shape, StoredTensor};
use crate::text;

/// The content of a file, except values.
pub(crate) struct Found {
    pub(crate) entries: Vec<Entry>,
    /// The provenance, or the reason why it is ignored.
    pub(crate) provenance: Option<Parsed>,
    pub(crate) notes: Vec<String>,
    /// The layout of the framework that wrote the file, if recorded.
    pub(crate) layout: Option<&'static str>,
}

/// A tensor in a file.
pub struct Entry {
    /// The name in the file: show it through `text::escape`.
    pub name: String,
    /// Shape of the tensor.
    pub shape: Shape,
    /// The element type: our word, or else the file's own.
    pub type_word: String,
    /// The same tensor derived from the provenance, if possible.
    pub planned: Option<Box<DrawnTensor>>,
    /// The scheme in the provenance, if the tensor needs its base, data or source to be derived.
    pub scheme: Option<String>,
    /// The identity of the copied values, by the provenance.
    pub copied: Option<CopiedIdentity>,
    /// The file below the folder, if there are several: show it through `text::escape`.
    pub file: Option<String>,
    /// The values; `None` if their type is unsupported.
    stored: Option<StoredTensor>,
}

impl Entry {
    /// A tensor with readable values.
    pub(super) fn new(name: String, stored: StoredTensor) -> Self {
        let type_word = stored.element().word().into();
        let unread = Self::unread(name, stored.shape().clone(), type_word);
        Self { stored: Some(stored), ..unread }
    }

    /// A tensor of an unsupported type, by the file's own word for it.
    pub(super) fn unread(name: String, shape: Shape, type_word: String) -> Self {
        Self { name, shape, type_word, planned: None, scheme: None, copied: None, file: None, stored: None }
    }

    /// The values. Errors if their type is unsupported.
    pub fn values(&self) -> Result<&StoredTensor> {
        self.stored.as_ref().with_context(|| format!("values of type {} cannot be read", text::escape(&self.type_word)))
    }

    /// The element type, if known.
    pub fn element(&self) -> Option<Element> {
        self.stored.as_ref().map(StoredTensor::element)
    }

    /// The element type, if schemes draw it.
    pub fn dtype(&self) -> Option<DType> {
        self.element()?.dtype()
    }

    /// The size of the values in bytes; `None` if their type is unsupported.
    pub fn bytes(&self) -> Option<u64> {
        self.stored.as_ref().map(StoredTensor::bytes)
    }

    /// Drops the question mark of a guessed type, because the provenance confirms the guess.
    pub(crate) fn confirm_type(&mut self) {
        if let Some(element) = self.element() {
            self.type_word = element.word().into();
        }
    }
}

/// A provenance, or the reason why it is ignored.
pub(crate) type Parsed = Result<Provenance, String>;

/// Parses a provenance. An error is the reason why it is ignored.
pub(super) fn parse_provenance(text: &str) -> Parsed {
    Provenance::parse(text).map_err(|error| format!("the provenance is ignored: {error:#}"))
}

/// Reads exactly `length` bytes. The caller has checked `length` against the file's size.
pub(super) fn read_bytes(source: &mut dyn Read, length: u64) -> Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length)?];
    source.read_exact(&mut bytes).context("unexpected end of the file")?;
    Ok(bytes)
}

/// The first bytes of a file, at most `length`.
pub(crate) fn opening(origin: &Arc<Origin>, length: u64) -> Result<Vec<u8>> {
    let mut opening = Vec::new();
    origin.reader().take(length).read_to_end(&mut opening).context("cannot be read")?;
    Ok(opening)
}

/// A name from a file in backticks, safe to show.
pub(crate) fn shown_name(name: &str) -> String {
    format!("`{}`", text::cut(&text::escape(name), 100))
}
