//! Readers: bytes to header and values. A file is known by its content, not by its name. Nothing is allocated by a number
//! from the file before that number has been checked against the file's length.

mod archive;
mod base;
mod copied;
mod dataset;
mod delimited;
mod folder;
mod foreign;
mod json;
mod npy;
mod npz;
mod pickle;
mod pt;
mod raw;
mod safetensors;
mod typestr;
mod values;
mod zip_end;

use std::collections::HashSet;
use std::fs;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};

use crate::generator::{Generator, NATIVE};
use crate::passing;
use crate::plan::Tensor;
use crate::provenance::{Provenance, TensorProvenance};
use crate::scheme;
use crate::tensor::{CopiedIdentity, DType, Element, Origin, Shape, StoredTensor};
use crate::text;
pub use dataset::{Dataset, DatasetOptions};
pub use delimited::{Columns, Delimiter, TextOptions};
pub use folder::files_of;

/// Reads one file format.
pub struct Reader {
    /// The format's name, the same as the writer's.
    pub format: &'static str,
    /// Whether a file that begins with these bytes is of this format.
    recognizes: fn(&[u8]) -> bool,
    /// Reads all of a file but its values. The path is for formats of more than one file.
    open: fn(&Arc<Origin>, &Path) -> Result<Found>,
}

/// Every reader, in the order in which they are asked.
pub const READERS: &[Reader] = &[npy::READER, pt::READER, npz::READER, safetensors::READER, raw::READER, json::READER];

/// How many bytes tell the formats apart.
const OPENING: u64 = 512;

/// What a reader finds in a file.
struct Found {
    entries: Vec<Entry>,
    provenance: Option<Provenance>,
    notes: Vec<String>,
    /// The layout of the framework that the file is of, if it says.
    layout: Option<&'static str>,
}

/// An open file, or several that belong together: what is in it, and access to its values.
pub struct Contents {
    /// The name of its format.
    pub format: &'static str,
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

/// A tensor in a file.
pub struct Entry {
    /// Its name, as it stands in the file: not to be shown without [`text::escape`].
    pub name: String,
    /// Its shape.
    pub shape: Shape,
    /// The type of its elements for people, in the file's own word where it is none of ours.
    pub type_word: String,
    /// The same tensor derived again from the provenance, where there is one and it fits.
    pub planned: Option<Box<Tensor>>,
    /// What its provenance calls the scheme, where that cannot be derived for want of the tensor that it started from.
    pub scheme: Option<String>,
    /// Which values it holds, by its provenance, where they were copied from another file.
    pub copied: Option<CopiedIdentity>,
    /// Which file of several it lies in, below their folder: not to be shown without [`text::escape`].
    pub file: Option<String>,
    /// Its values; `None` where they are of a type that is not known.
    stored: Option<StoredTensor>,
}

impl Entry {
    /// A tensor whose values are read. Its provenance has not been looked at yet.
    fn new(name: String, stored: StoredTensor) -> Self {
        let type_word = stored.element().word().into();
        let unread = Self::unread(name, stored.shape().clone(), type_word);
        Self { stored: Some(stored), ..unread }
    }

    /// A tensor of a type that is not read, by the file's own word for it.
    fn unread(name: String, shape: Shape, type_word: String) -> Self {
        Self { name, shape, type_word, planned: None, scheme: None, copied: None, file: None, stored: None }
    }

    /// Its values. Errors where they are of a type that is not read.
    pub fn values(&self) -> Result<&StoredTensor> {
        self.stored.as_ref().with_context(|| format!("values of type {} are not read", text::escape(&self.type_word)))
    }

    /// The type of its elements, where it is known.
    pub fn element(&self) -> Option<Element> {
        self.stored.as_ref().map(StoredTensor::element)
    }

    /// The type of its elements, where schemes draw it.
    pub fn dtype(&self) -> Option<DType> {
        self.element()?.dtype()
    }

    /// The size of its values in bytes; `None` where their type is not known.
    pub fn bytes(&self) -> Option<u64> {
        self.stored.as_ref().map(StoredTensor::bytes)
    }
}

impl Contents {
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
    let (format, found) = open_file(path)?;
    Ok(found.contents(format))
}

/// Reads all of one file but its values; tells its format too.
fn open_file(path: &Path) -> Result<(&'static str, Found)> {
    // Bare values are known by what stands beside them.
    let manifest = raw::manifest_of(path);
    let path = manifest.as_deref().unwrap_or(path);
    let origin = Origin::open(path)?;
    let opening = opening(&origin, OPENING)?;
    ensure!(!opening.is_empty(), "it is empty");
    let Some(reader) = READERS.iter().find(|reader| (reader.recognizes)(&opening)) else { bail!(unread(&opening)) };
    let found = (reader.open)(&origin, path).with_context(|| format!("as {}", reader.format))?;
    Ok((reader.format, found))
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

/// The content of a file. Errors name a format that is not read, and the way out.
pub fn content(path: &Path) -> Result<Content> {
    let found = || -> Result<Content> {
        if raw::manifest_of(path).is_some() {
            return Ok(Content::Weights);
        }
        let opening = opening(&Origin::open(path)?, OPENING)?;
        ensure!(!opening.is_empty(), "it is empty");
        match READERS.iter().find(|reader| (reader.recognizes)(&opening)) {
            Some(reader) if reader.format == json::READER.format => Ok(Content::Json),
            Some(_) => Ok(Content::Weights),
            None if foreign::foreign(&opening).is_none() && is_text(&opening) => Ok(Content::Text),
            None => bail!(unread(&opening)),
        }
    };
    found().map_err(|error| shown(path, &error))
}

/// True if there is no control character in it.
fn is_text(opening: &[u8]) -> bool {
    !opening.iter().any(|byte| byte.is_ascii_control() && !byte.is_ascii_whitespace())
}

/// The error for content that no reader reads.
fn unread(opening: &[u8]) -> String {
    let formats: Vec<&str> = READERS.iter().map(|reader| reader.format).collect();
    let formats = formats.join(", ");
    match foreign::foreign(opening) {
        Some(foreign) => foreign,
        None if is_text(opening) => format!("it is text, and no weights: weights are read from {formats}"),
        None => format!("its content is of no format that is read here: {formats}"),
    }
}

/// The first bytes of a file, as many as there are.
fn opening(origin: &Arc<Origin>, length: u64) -> Result<Vec<u8>> {
    let mut opening = Vec::new();
    origin.reader().take(length).read_to_end(&mut opening).context("it cannot be read")?;
    Ok(opening)
}

impl Found {
    /// With each tensor derived again by the provenance.
    fn contents(self, format: &'static str) -> Contents {
        let Self { mut entries, provenance, mut notes, layout } = self;
        if let Some(provenance) = &provenance {
            notes.extend(plan(&mut entries, provenance));
        }
        Contents { format, entries, provenance, notes, layout, faults: Vec::new() }
    }
}

/// A name from a file between backquotes, safe to show.
fn shown_name(name: &str) -> String {
    format!("`{}`", text::cut(&text::escape(name), 100))
}

/// The longest error that is shown.
const MAX_MESSAGE: usize = 400;

/// An error with the name of what it is about. The texts of both may come from a stranger.
fn shown(name: &Path, error: &anyhow::Error) -> anyhow::Error {
    let message = text::cut(&text::escape(&format!("{error:#}")), MAX_MESSAGE);
    passing::in_one_text(error, format!("`{}`: {message}", text::escape(&name.to_string_lossy())))
}

/// Derives each entry again by the provenance, and says where the two do not meet.
fn plan(entries: &mut [Entry], provenance: &Provenance) -> Vec<String> {
    let (mut notes, mut runs) = (Vec::new(), HashSet::new());
    // What a scheme means does not hang on a generator that is not known here.
    let generator = Generator::find(&provenance.generator).unwrap_or(NATIVE);
    let known = |name: &str| provenance.tensors.as_ref().and_then(|tensors| tensors.get(name));
    for entry in &mut *entries {
        let Some(tensor) = known(&entry.name) else {
            notes.push(format!("the provenance does not know `{}`", entry.name));
            continue;
        };
        if let Some(identity) = &tensor.copied {
            match copied::agrees(entry, tensor) {
                Ok(()) => copied::tell(entry, identity),
                Err(error) => notes.push(format!("the provenance of `{}` is left aside: {error:#}", entry.name)),
            }
            continue;
        }
        if let Some(trained) = &tensor.trained {
            match agrees(entry, tensor) {
                Ok(()) => {
                    entry.scheme = Some(trained.method.clone());
                    let note = format!("{trained}, without which its values are not to be had again");
                    if runs.insert(note.clone()) {
                        notes.push(note);
                    }
                }
                Err(error) => notes.push(format!("the provenance of `{}` is left aside: {error:#}", entry.name)),
            }
            continue;
        }
        if let Some(base) = &tensor.base {
            match agrees(entry, tensor) {
                Ok(()) => {
                    entry.scheme = Some(tensor.scheme.clone());
                    notes.push(format!(
                        "`{}` started from `{}` (SHA-256 {}), without which its distribution is not known",
                        entry.name, base.name, base.sha256
                    ));
                }
                Err(error) => notes.push(format!("the provenance of `{}` is left aside: {error:#}", entry.name)),
            }
            continue;
        }
        match derive(entry, tensor, generator) {
            Ok(planned) => {
                // The provenance confirms what two bytes of no type are.
                if entry.type_word == npy::BFLOAT16 {
                    entry.type_word = planned.spec.dtype.word().into();
                }
                entry.planned = Some(Box::new(planned));
            }
            Err(error) => notes.push(format!("the provenance of `{}` is left aside: {error:#}", entry.name)),
        }
    }
    let held: HashSet<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    let unmet = provenance.tensors.iter().flatten().filter(|(name, _)| !held.contains(name.as_str()));
    notes.extend(unmet.map(|(name, _)| format!("the provenance tells of `{name}`, which is not in the file")));
    notes
}

/// Whether the provenance of a tensor that cannot be derived is of what the file holds.
fn agrees(entry: &mut Entry, provenance: &TensorProvenance) -> Result<()> {
    let (shape, dtype) = (Shape::new(provenance.shape.clone())?, provenance.dtype()?);
    scheme::resolve(&provenance.scheme)?;
    same(entry, &shape, dtype)?;
    if entry.type_word == npy::BFLOAT16 {
        entry.type_word = dtype.word().into();
    }
    Ok(())
}

/// Errors where a provenance's shape or dtype is not that of the file.
fn same(entry: &Entry, shape: &Shape, dtype: DType) -> Result<()> {
    ensure!(*shape == entry.shape, "it says shape {shape}, and the file {}", entry.shape);
    ensure!(Some(dtype) == entry.dtype(), "it says dtype {dtype}, and the file {}", entry.type_word);
    Ok(())
}

/// The tensor by its provenance. Errors where that is not what the file holds.
fn derive(entry: &Entry, provenance: &TensorProvenance, generator: &'static Generator) -> Result<Tensor> {
    let tensor = provenance.tensor(&entry.name, generator)?;
    same(entry, &tensor.spec.shape, tensor.spec.dtype)?;
    Ok(tensor)
}

/// A provenance where its text is one; else a note that says why it is not.
fn provenance(text: &str, notes: &mut Vec<String>) -> Option<Provenance> {
    Provenance::parse(text).map_err(|error| notes.push(format!("the provenance is left aside: {error:#}"))).ok()
}

/// Reads exactly `length` bytes, which the caller has checked against the file's length.
fn read_bytes(source: &mut dyn Read, length: u64) -> Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(length)?];
    source.read_exact(&mut bytes).context("it ends too early")?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::FORMATS;

    #[test]
    fn every_format_that_is_written_is_read() {
        for format in FORMATS {
            assert!(READERS.iter().any(|reader| reader.format == format.name), "{} has no reader", format.name);
        }
    }

    #[test]
    fn formats_are_told_apart_by_their_first_bytes() {
        let cases: [(&[u8], Option<&str>); 18] = [
            (b"\x93NUMPY\x01\x00", Some("npy")),
            (b"PK\x03\x04", Some("npz")),
            (b"PK\x03\x04\x2d\0\x08\x08\0\0\0\0\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\x0a\0\0\0a/data.pkl", Some("pt")),
            (b"{\"format\":\"raw\",\n", Some("raw")),
            (b"{\"fanin\":{}}", Some("json")),
            (b" \n{\"tensors\":{}}", Some("json")),
            (b"{\"a\":    {\"dtype\"", Some("json")),
            (b"\x02\0\0\0\0\0\0\0{}", Some("safetensors")),
            (b"{\0\0\0\0\0\0\0{\"w\":{", Some("safetensors")),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff{}", Some("safetensors")),
            (b"\x80\x02}\x05\0\0\0\0{\"w\":{", Some("safetensors")),
            (b"\x80\x04\x95\0\0\0\0\0{}", Some("safetensors")),
            (b"\x80\x02}q\0X\x01\0\0\0", Some("pt")),
            (b"\x80\x04\x95\x02\0\0\0\0\0\0\0}.", Some("pt")),
            (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M", Some("pt")),
            (b"L119547037146038801333356L\n.L1001L\n.", Some("pt")),
            (b"PK\x03\x04\x2d\0\x08\x08\0\0\0\0\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\x0c\0\0\0a/data/0.npy", Some("npz")),
            (b"GGUF\x03\0\0\0", None),
        ];
        for (opening, format) in cases {
            let found = READERS.iter().find(|reader| (reader.recognizes)(opening));
            assert_eq!(found.map(|reader| reader.format), format, "{opening:?}");
        }
    }

    #[test]
    fn messages_are_short_and_safe() {
        let message = shown(Path::new("a\u{1b}b"), &anyhow::anyhow!("{}\n", "x".repeat(1000))).to_string();
        assert!(message.starts_with("`a\\u{1b}b`: xxx") && message.ends_with("...") && message.len() < 450);
    }
}
