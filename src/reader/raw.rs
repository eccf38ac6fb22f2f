//! Raw values, by the manifest beside them: as strict as safetensors. What is opened may be either of the two files.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::values::{Encoding, InFile};
use super::{Entry, Found, Reader, read_bytes, recipe, regular};
use crate::plan::{DType, Plan, Shape};
use crate::unique::Unique;
use crate::writer::raw::{ALIGNMENT, OPENING, SUFFIX};

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

fn open(manifest: File, length: u64, path: &Path) -> Result<Found> {
    ensure!(length <= MAX_MANIFEST, "its manifest of {length} bytes is longer than {MAX_MANIFEST}");
    let mut source = manifest;
    let text = String::from_utf8(read_bytes(&mut source, length)?).context("its manifest is no text")?;
    let Manifest { fanin, tensors, .. } = serde_json::from_str(&text).context("its manifest")?;
    let (file, held) = values_of(path)?;
    ensure!(tensors.0.len() <= Plan::MAX_TENSORS, "{} tensors: at most 2^20 are allowed", tensors.0.len());
    let mut located = Vec::with_capacity(tensors.0.len());
    for (name, raw) in tensors.0 {
        located.push(read_info(&name, raw.get()).with_context(|| format!("tensor `{name}`"))?);
    }
    located.sort_by_key(|(_, place)| *place);
    check_cover(&located, held)?;
    let mut notes = Vec::new();
    let recipe = fanin.and_then(|raw| recipe(raw.get(), &mut notes));
    let (entries, places) = located.into_iter().unzip();
    Ok(Found { entries, recipe, notes, values: Box::new(InFile { file, places }) })
}

/// The file of values that a manifest is of, and its length.
fn values_of(manifest: &Path) -> Result<(File, u64)> {
    let name = manifest.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(SUFFIX));
    let name = name.with_context(|| format!("a manifest is named as its file of values, with `{SUFFIX}` after it"))?;
    let path = manifest.with_file_name(name);
    ensure!(path.is_file(), "there is no file `{name}` of values beside its manifest");
    regular(&path).with_context(|| format!("`{name}`"))
}

/// A tensor, where it begins, and how many bytes it is.
fn read_info(name: &str, text: &str) -> Result<(Entry, (u64, u64))> {
    ensure!(text.len() <= MAX_ENTRY, "its description is longer than {MAX_ENTRY} bytes");
    let Info { dtype, shape, offset, bytes } = serde_json::from_str(text)?;
    let (dtype, shape) = (dtype.parse::<DType>()?, Shape::new(shape)?);
    let asked = shape.count() * dtype.size();
    ensure!(bytes == asked, "shape {shape} asks for {asked} bytes, and the manifest says {bytes}");
    ensure!(offset.is_multiple_of(ALIGNMENT), "it begins at {offset}, which is no multiple of {ALIGNMENT}");
    ensure!(offset.checked_add(bytes).is_some(), "it ends beyond 2^64");
    Ok((Entry::new(name.into(), shape, dtype.word().into(), Some(Encoding::little(dtype))), (offset, bytes)))
}

/// Whether tensors in the order of their offsets fill the file, with no hole but what alignment leaves.
fn check_cover(tensors: &[(Entry, (u64, u64))], held: u64) -> Result<()> {
    let mut end = 0u64;
    for (Entry { name, .. }, (offset, bytes)) in tensors {
        ensure!(*offset >= end, "tensor `{name}` overlaps the one before it, at {offset}");
        ensure!(offset - end < ALIGNMENT, "no tensor holds the bytes from {end} to {offset}");
        end = offset + bytes;
    }
    // The alignment of empty tensors at the end is not filled.
    let filled = tensors.iter().filter(|(_, (_, bytes))| *bytes > 0).map(|(_, (offset, bytes))| offset + bytes).max();
    let least = filled.unwrap_or(0);
    ensure!(held >= least, "truncated: its tensors end at {least}, and {held} bytes are there");
    ensure!(held <= end, "{} bytes follow its tensors", held - end);
    Ok(())
}
