//! Reads the tensors of a file, an index of files or a folder. The content decides the format, not the name.

mod base;
mod dataset;
mod delimited;
mod folder;
mod index;

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

pub use crate::format::Entry;
use crate::format::{FORMATS, Format, Found, OPENING, foreign, opening, sidecar_of};
use crate::generator::{Generator, NATIVE};
use crate::passing;
use crate::provenance::{Provenance, TensorProvenance};
use crate::scheme;
use crate::tensor::{Element, Origin, Shape};
use crate::text;
pub use dataset::{Dataset, DatasetOptions};
pub use delimited::{Columns, Delimiter, TextOptions};
pub use folder::files_of;

/// An open file, or several read as one: its tensors and access to their values.
pub struct Contents {
    /// Format of the file.
    pub format: &'static Format,
    /// Tensors in file order.
    pub entries: Vec<Entry>,
    /// Provenance embedded in the file, or in its sidecar.
    pub provenance: Option<Provenance>,
    /// The reason why the provenance is ignored, if it is. It is also in the notes.
    pub ignored: Option<String>,
    /// Notes for the user.
    pub notes: Vec<String>,
    /// Framework layout that the file declares, such as `torch`.
    pub layout: Option<&'static str>,
    /// Contradictions between the index and its files, except about names.
    pub faults: Vec<String>,
}

impl Contents {
    /// Content of a file, with each tensor derived again from the provenance.
    fn of((format, found): (&'static Format, Found)) -> Self {
        let Found { mut entries, provenance, mut notes, layout } = found;
        let (provenance, ignored) = match provenance.transpose() {
            Ok(provenance) => (provenance, None),
            Err(reason) => (None, Some(reason)),
        };
        notes.extend(ignored.clone());
        if let Some(provenance) = &provenance {
            notes.extend(derive_all(&mut entries, provenance));
        }
        Self { format, entries, provenance, ignored, notes, layout, faults: Vec::new() }
    }

    /// Opens a file, an index (`*.index.json`) or a folder of weights, and reads everything but the values. Errors
    /// name the file and its fault, on one line that is safe to print.
    pub fn open(path: &Path) -> Result<Self> {
        open(path).map_err(|error| shown(path, &error))
    }

    /// Passes the values of an entry to `visit` in chunks, widened to `f64`, in C order. Errors if the dtype is not
    /// supported or the values are damaged.
    pub fn read(&self, number: usize, visit: &mut dyn FnMut(&[f64])) -> Result<()> {
        let entry = self.entries.get(number).context("no such tensor")?;
        let read = entry.values().and_then(|values| values.widened(visit));
        read.map_err(|error| shown(Path::new(&entry.name), &error))
    }
}

fn open(path: &Path) -> Result<Contents> {
    if fs::metadata(path)?.is_dir() {
        return folder::of_folder(path);
    }
    if index::is_index(path)? {
        return folder::of_index(path);
    }
    open_file(path).map(Contents::of)
}

/// Reads everything but the values of a single file.
fn open_file(path: &Path) -> Result<(&'static Format, Found)> {
    // A raw file is recognised by its sidecar.
    let sidecar = sidecar_of(path);
    let path = sidecar.as_deref().unwrap_or(path);
    let origin = Origin::open(path)?;
    let opening = opening(&origin, OPENING)?;
    ensure!(!opening.is_empty(), "it is empty");
    let format = Format::of_opening(&opening).with_context(|| unread(&opening))?;
    Ok((format, format.open(&origin, path)?))
}

/// Kind of content in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Weights in a supported format.
    Weights,
    /// JSON: weights, an index of weights, a provenance, or something else.
    Json,
    /// Any other text.
    Text,
}

/// Detects the content of a file from its first bytes. Errors name an unsupported format and a fix.
pub fn content(path: &Path) -> Result<Content> {
    let found = || -> Result<Content> {
        if sidecar_of(path).is_some() {
            return Ok(Content::Weights);
        }
        let opening = opening(&Origin::open(path)?, OPENING)?;
        ensure!(!opening.is_empty(), "it is empty");
        match Format::of_opening(&opening) {
            Some(format) if format.is_generic => Ok(Content::Json),
            Some(_) => Ok(Content::Weights),
            None if is_text(&opening) => Ok(Content::Text),
            None => bail!(unread(&opening)),
        }
    };
    found().map_err(|error| shown(path, &error))
}

/// True if the first bytes are text and match no format.
fn is_text(opening: &[u8]) -> bool {
    let is_control = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    Format::of_opening(opening).is_none() && foreign(opening).is_none() && !opening.iter().any(is_control)
}

/// Error for content in no supported format.
fn unread(opening: &[u8]) -> String {
    let formats: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
    let formats = formats.join(", ");
    match foreign(opening) {
        Some(foreign) => foreign,
        None if is_text(opening) => format!("a text file, not weights; supported formats: {formats}"),
        None => format!("unrecognised format; supported formats: {formats}"),
    }
}

/// Errors if a matrix needs more than `limit` bytes of memory.
fn check_memory(samples: u64, features: usize, limit: u64) -> Result<()> {
    let needed = samples.saturating_mul(features as u64).saturating_mul(8);
    ensure!(
        needed <= limit,
        "unpacking needs {} of memory, above the limit of {}: raise --max-memory, or use a plain .npy",
        text::bytes(needed),
        text::bytes(limit)
    );
    Ok(())
}

const MAX_MESSAGE: usize = 400;

/// An error prefixed with its file. Both texts may come from an untrusted source, so they are made safe to print.
fn shown(name: &Path, error: &anyhow::Error) -> anyhow::Error {
    let message = text::cut(&text::escape(&text::one_line(error)), MAX_MESSAGE);
    passing::in_one_text(error, format!("`{}`: {message}", text::escape(&name.to_string_lossy())))
}

/// Derives each entry again from the provenance. Returns notes on every disagreement with the file.
fn derive_all(entries: &mut [Entry], provenance: &Provenance) -> Vec<String> {
    let (mut notes, mut seen) = (Vec::new(), HashSet::new());
    // A scheme means the same under an unknown generator.
    let generator = Generator::find(&provenance.generator).unwrap_or(NATIVE);
    for entry in &mut *entries {
        let tensor = provenance.tensors.as_ref().and_then(|tensors| tensors.get(&entry.name));
        let note = match tensor.map(|tensor| derive(entry, tensor, generator)) {
            None => Some(format!("the provenance does not list `{}`", entry.name)),
            Some(Err(error)) => Some(format!("the provenance of `{}` is ignored: {error:#}", entry.name)),
            Some(Ok(note)) => note,
        };
        notes.extend(note.filter(|note| seen.insert(note.clone())));
    }
    let held: HashSet<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    let unmet = provenance.tensors.iter().flatten().filter(|(name, _)| !held.contains(name.as_str()));
    notes.extend(unmet.map(|(name, _)| format!("the provenance lists `{name}`, which is not in the file")));
    notes
}

/// Attaches the provenance to an entry: its plan, or the reason why it cannot be derived. Errors if the file holds no
/// such tensor.
fn derive(entry: &mut Entry, provenance: &TensorProvenance, generator: &'static Generator) -> Result<Option<String>> {
    let mut note = None;
    if let Some(identity) = &provenance.copied {
        check_copied(entry, provenance)?;
        entry.scheme = Some(format!("copied, SHA-256 {}", identity.sha256));
        entry.copied = Some(identity.clone());
    } else if let Some(trained) = &provenance.trained {
        check_drawn(entry, provenance)?;
        entry.scheme = Some(trained.method.clone());
        note = Some(format!("{trained}; reproducing the values requires this data"));
    } else if let Some(base) = &provenance.base {
        check_drawn(entry, provenance)?;
        entry.scheme = Some(provenance.scheme.clone());
        note = Some(format!(
            "`{}` started from `{}` (SHA-256 {}); without it the distribution is unknown",
            entry.name, base.name, base.sha256
        ));
    } else {
        let tensor = provenance.tensor(&entry.name, generator)?;
        check_same(entry, tensor.shape(), tensor.element())?;
        entry.planned = Some(Box::new(tensor));
    }
    entry.confirm_type();
    Ok(note)
}

/// Errors if the provenance of a copied tensor contradicts the file.
fn check_copied(entry: &Entry, provenance: &TensorProvenance) -> Result<()> {
    check_same(entry, &Shape::new(provenance.shape.clone())?, provenance.element()?)?;
    ensure!(provenance.scheme.is_empty(), "it marks the values as both copied and drawn");
    provenance.check_slice()
}

/// Errors if the provenance of an underivable tensor contradicts the file.
fn check_drawn(entry: &Entry, provenance: &TensorProvenance) -> Result<()> {
    scheme::resolve(&provenance.scheme)?;
    check_same(entry, &Shape::new(provenance.shape.clone())?, Element::Drawn(provenance.dtype()?))
}

/// Errors if the shape or the dtype of a provenance differs from the file's.
fn check_same(entry: &Entry, shape: &Shape, element: Element) -> Result<()> {
    ensure!(*shape == entry.shape, "it says shape {shape}, but the file has {}", entry.shape);
    let is_same = entry.element() == Some(element);
    ensure!(is_same, "it says dtype {}, but the file has {}", element.word(), entry.type_word);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_short_and_safe() {
        let message = shown(Path::new("a\u{1b}b"), &anyhow::anyhow!("{}\n", "x".repeat(1000))).to_string();
        assert!(message.starts_with("`a\\u{1b}b`: xxx") && message.ends_with("...") && message.len() < 450);
    }
}
