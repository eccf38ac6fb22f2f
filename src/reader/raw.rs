//! Raw values, by the manifest beside them: as strict as safetensors. What is opened may be either of the two files.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Entry, Found, Reader, provenance, read_bytes};
use crate::format::raw::{ALIGNMENT, OPENING, SUFFIX};
use crate::plan::Plan;
use crate::tensor::{Backing, Element, Origin, Shape, StoredTensor};
use crate::text::Unique;

pub(super) const READER: Reader = Reader { format: "raw", recognizes, open };

/// The longest manifest: 2^20 tensors of 500 bytes.
const MAX_MANIFEST: u64 = 1 << 29;
/// The longest description of one tensor.
const MAX_ENTRY: usize = 1 << 14;

fn recognizes(opening: &[u8]) -> bool {
    opening.starts_with(OPENING.as_bytes())
}

/// The manifest of a file of values, where there is one.
pub(super) fn manifest_of(path: &Path) -> Option<PathBuf> {
    let mut manifest = path.as_os_str().to_owned();
    manifest.push(SUFFIX);
    let manifest = PathBuf::from(manifest);
    // A pipe would not open before somebody writes to it.
    let there = path.is_file() && manifest.is_file();
    let mut opening = [0; OPENING.len()];
    let read = there && File::open(&manifest).and_then(|mut file| file.read_exact(&mut opening)).is_ok();
    (read && recognizes(&opening)).then_some(manifest)
}

/// The files that are read where one of bare values, or a manifest, is named: both; any other file alone.
pub(super) fn both(path: &Path) -> Vec<PathBuf> {
    let values = path.to_str().and_then(|name| name.strip_suffix(SUFFIX)).map(PathBuf::from);
    let values = values.filter(|values| manifest_of(values).is_some());
    [path.into()].into_iter().chain(manifest_of(path)).chain(values).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest<'a> {
    #[serde(rename = "format")]
    _format: String,
    #[serde(borrow)]
    fanin: Option<&'a RawValue>,
    #[serde(borrow)]
    tensors: Unique<&'a RawValue>,
}

/// What the manifest says of a tensor.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Info {
    dtype: String,
    shape: Vec<u64>,
    offset: u64,
    bytes: u64,
}

fn open(manifest: &Arc<Origin>, path: &Path) -> Result<Found> {
    let length = manifest.length();
    ensure!(length <= MAX_MANIFEST, "its manifest of {length} bytes is longer than {MAX_MANIFEST}");
    let text = String::from_utf8(read_bytes(&mut manifest.reader(), length)?).context("its manifest is no text")?;
    let Manifest { fanin, tensors, .. } = serde_json::from_str(&text).context("its manifest")?;
    let values = values_of(path)?;
    ensure!(tensors.0.len() <= Plan::MAX_TENSORS, "{} tensors: at most 2^20 are allowed", tensors.0.len());
    let mut located = Vec::with_capacity(tensors.0.len());
    for (name, raw) in tensors.0 {
        located.push(read_info(&name, raw.get()).with_context(|| format!("tensor `{name}`"))?);
    }
    located.sort_by_key(|located| (located.offset, located.bytes));
    check_cover(&located, values.length())?;
    let mut notes = Vec::new();
    let provenance = fanin.and_then(|raw| provenance(raw.get(), &mut notes));
    let entry = |Located { name, element, shape, offset, .. }| {
        let stored = StoredTensor::new(Arc::<Origin>::clone(&values), offset, element, shape);
        Ok(Entry::new(name.clone(), stored.with_context(|| format!("tensor `{name}`"))?))
    };
    let entries = located.into_iter().map(entry).collect::<Result<_>>()?;
    Ok(Found { entries, provenance, notes, layout: None })
}

/// The file of values that a manifest is of.
fn values_of(manifest: &Path) -> Result<Arc<Origin>> {
    let name = manifest.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(SUFFIX));
    let name = name.with_context(|| format!("a manifest is named as its file of values, with `{SUFFIX}` after it"))?;
    let path = manifest.with_file_name(name);
    ensure!(path.is_file(), "there is no file `{name}` of values beside its manifest");
    Origin::open(&path).with_context(|| format!("`{name}`"))
}

/// A tensor, where it begins, and how many bytes it is.
struct Located {
    name: String,
    element: Element,
    shape: Shape,
    offset: u64,
    bytes: u64,
}

fn read_info(name: &str, text: &str) -> Result<Located> {
    ensure!(text.len() <= MAX_ENTRY, "its description is longer than {MAX_ENTRY} bytes");
    let Info { dtype, shape, offset, bytes } = serde_json::from_str(text)?;
    let element = Element::of_word(&dtype).with_context(|| format!("its dtype `{dtype}` is not known"))?;
    let shape = Shape::new(shape)?;
    ensure!((shape.count() * element.bits()).is_multiple_of(8), "its values do not fill whole bytes");
    let asked = element.bytes(shape.count());
    ensure!(bytes == asked, "shape {shape} asks for {asked} bytes, and the manifest says {bytes}");
    ensure!(offset.is_multiple_of(ALIGNMENT), "it begins at {offset}, which is no multiple of {ALIGNMENT}");
    ensure!(offset.checked_add(bytes).is_some(), "it ends beyond 2^64");
    Ok(Located { name: name.into(), element, shape, offset, bytes })
}

/// Whether tensors in the order of their offsets fill the file, with no hole but what alignment leaves.
fn check_cover(tensors: &[Located], held: u64) -> Result<()> {
    let mut end = 0u64;
    for Located { name, offset, bytes, .. } in tensors {
        ensure!(*offset >= end, "tensor `{name}` overlaps the one before it, at {offset}");
        ensure!(offset - end < ALIGNMENT, "no tensor holds the bytes from {end} to {offset}");
        end = offset + bytes;
    }
    // The alignment of empty tensors at the end is not filled.
    let filled = tensors.iter().filter(|tensor| tensor.bytes > 0).map(|tensor| tensor.offset + tensor.bytes).max();
    let least = filled.unwrap_or(0);
    ensure!(held >= least, "truncated: its tensors end at {least}, and {held} bytes are there");
    ensure!(held <= end, "{} bytes follow its tensors", held - end);
    Ok(())
}
