//! Readers: the tensors of a file, of an index of files or of a folder. The content decides the format, not the name.

mod base;
mod dataset;
mod delimited;
mod folder;

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

/// An open file, or several that belong together: what is in it, and access to its values.
pub struct Contents {
    /// Its format.
    pub format: &'static Format,
    /// Its tensors, in the order of the file.
    pub entries: Vec<Entry>,
    /// The provenance that it carries.
    pub provenance: Option<Provenance>,
    /// What the user should know about it.
    pub notes: Vec<String>,
    /// The layout of the framework that it is of, if it says: `torch`.
    pub layout: Option<&'static str>,
    /// What its index says and its files do not bear out, short of a name.
    pub faults: Vec<String>,
}

impl Contents {
    /// The content of a file of a format, with each tensor derived again by the provenance.
    fn of((format, found): (&'static Format, Found)) -> Self {
        let Found { mut entries, provenance, mut notes, layout } = found;
        if let Some(provenance) = &provenance {
            notes.extend(derive_all(&mut entries, provenance));
        }
        Self { format, entries, provenance, notes, layout, faults: Vec::new() }
    }

    /// Opens a file, an index of files (`*.index.json`) or a folder of weights and reads all but the values. Errors name the
    /// file and its fault, in one line that is safe to show.
    pub fn open(path: &Path) -> Result<Self> {
        open(path).map_err(|error| shown(path, &error))
    }

    /// Hands the values of an entry over in chunks, widened, in C order. Errors where they are not of a type that is read
    /// here, or damaged.
    pub fn read(&self, number: usize, visit: &mut dyn FnMut(&[f64])) -> Result<()> {
        let entry = self.entries.get(number).context("there is no such tensor")?;
        let read = entry.values().and_then(|values| values.widened(visit));
        read.map_err(|error| shown(Path::new(&entry.name), &error))
    }
}

fn open(path: &Path) -> Result<Contents> {
    if fs::metadata(path)?.is_dir() {
        return folder::of_folder(path);
    }
    if folder::is_index(path)? {
        return folder::of_index(path);
    }
    open_file(path).map(Contents::of)
}

/// Reads all of one file but its values.
fn open_file(path: &Path) -> Result<(&'static Format, Found)> {
    // Bare values are known by their sidecar.
    let sidecar = sidecar_of(path);
    let path = sidecar.as_deref().unwrap_or(path);
    let origin = Origin::open(path)?;
    let opening = opening(&origin, OPENING)?;
    ensure!(!opening.is_empty(), "it is empty");
    let format = Format::of_opening(&opening).with_context(|| unread(&opening))?;
    Ok((format, format.open(&origin, path)?))
}

/// The content of a file, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Weights in one of the formats that are read.
    Weights,
    /// JSON: weights, an index of weights, a provenance or something else.
    Json,
    /// Any other text.
    Text,
}

/// The content of a file. Errors name a format that is not read, and the fix.
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

/// True for the first bytes of a text that is of no format.
fn is_text(opening: &[u8]) -> bool {
    let is_control = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    Format::of_opening(opening).is_none() && foreign(opening).is_none() && !opening.iter().any(is_control)
}

/// The error for content of no format that is read.
fn unread(opening: &[u8]) -> String {
    let formats: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
    let formats = formats.join(", ");
    match foreign(opening) {
        Some(foreign) => foreign,
        None if is_text(opening) => format!("it is text, and no weights: weights are read from {formats}"),
        None => format!("its content is of no format that is read here: {formats}"),
    }
}

/// Errors if a matrix takes more than `limit` bytes of memory.
fn check_memory(samples: u64, features: usize, limit: u64) -> Result<()> {
    let needed = samples.saturating_mul(features as u64).saturating_mul(8);
    ensure!(
        needed <= limit,
        "it is packed, not in C order or text, and takes {} of memory, above the limit of {}: raise --max-memory, or store it as a plain .npy",
        text::bytes(needed),
        text::bytes(limit)
    );
    Ok(())
}

/// The longest error that is shown.
const MAX_MESSAGE: usize = 400;

/// An error with the name of what it is about. The texts of both may come from a stranger.
fn shown(name: &Path, error: &anyhow::Error) -> anyhow::Error {
    let message = text::cut(&text::escape(&format!("{error:#}")), MAX_MESSAGE);
    passing::in_one_text(error, format!("`{}`: {message}", text::escape(&name.to_string_lossy())))
}

/// Derives each entry again by the provenance. Notes say where the file and the provenance differ.
fn derive_all(entries: &mut [Entry], provenance: &Provenance) -> Vec<String> {
    let (mut notes, mut seen) = (Vec::new(), HashSet::new());
    // The meaning of a scheme does not depend on a generator that is not known here.
    let generator = Generator::find(&provenance.generator).unwrap_or(NATIVE);
    for entry in &mut *entries {
        let tensor = provenance.tensors.as_ref().and_then(|tensors| tensors.get(&entry.name));
        let note = match tensor.map(|tensor| derive(entry, tensor, generator)) {
            None => Some(format!("the provenance does not know `{}`", entry.name)),
            Some(Err(error)) => Some(format!("the provenance of `{}` is left aside: {error:#}", entry.name)),
            Some(Ok(note)) => note,
        };
        notes.extend(note.filter(|note| seen.insert(note.clone())));
    }
    let held: HashSet<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    let unmet = provenance.tensors.iter().flatten().filter(|(name, _)| !held.contains(name.as_str()));
    notes.extend(unmet.map(|(name, _)| format!("the provenance tells of `{name}`, which is not in the file")));
    notes
}

/// Takes in what the provenance says of an entry: its plan, or the reason why it cannot be derived, with a note of that. Errors if the
/// file does not hold such a tensor.
fn derive(entry: &mut Entry, provenance: &TensorProvenance, generator: &'static Generator) -> Result<Option<String>> {
    let mut note = None;
    if let Some(identity) = &provenance.copied {
        check_copied(entry, provenance)?;
        entry.scheme = Some(format!("copied, SHA-256 {}", identity.sha256));
        entry.copied = Some(identity.clone());
    } else if let Some(trained) = &provenance.trained {
        check_drawn(entry, provenance)?;
        entry.scheme = Some(trained.method.clone());
        note = Some(format!("{trained}, without which its values are not to be had again"));
    } else if let Some(base) = &provenance.base {
        check_drawn(entry, provenance)?;
        entry.scheme = Some(provenance.scheme.clone());
        note = Some(format!(
            "`{}` started from `{}` (SHA-256 {}), without which its distribution is not known",
            entry.name, base.name, base.sha256
        ));
    } else {
        let tensor = provenance.tensor(&entry.name, generator)?;
        check_same(entry, tensor.shape(), Element::Drawn(tensor.dtype()))?;
        entry.planned = Some(Box::new(tensor));
    }
    entry.confirm_type();
    Ok(note)
}

/// Errors if the provenance of a copied tensor is not of what the file holds.
fn check_copied(entry: &Entry, provenance: &TensorProvenance) -> Result<()> {
    check_same(entry, &Shape::new(provenance.shape.clone())?, provenance.element()?)?;
    ensure!(provenance.scheme.is_empty(), "it says both that the values are copied and that they are drawn");
    provenance.check_slice()
}

/// Errors if the provenance of a tensor that cannot be derived is not of what the file holds.
fn check_drawn(entry: &Entry, provenance: &TensorProvenance) -> Result<()> {
    scheme::resolve(&provenance.scheme)?;
    check_same(entry, &Shape::new(provenance.shape.clone())?, Element::Drawn(provenance.dtype()?))
}

/// Errors if the shape or the type of a provenance is not that of the file.
fn check_same(entry: &Entry, shape: &Shape, element: Element) -> Result<()> {
    ensure!(*shape == entry.shape, "it says shape {shape}, and the file {}", entry.shape);
    let is_same = entry.element() == Some(element);
    ensure!(is_same, "it says dtype {}, and the file {}", element.word(), entry.type_word);
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
