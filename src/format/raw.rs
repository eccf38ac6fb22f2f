//! Raw little-endian values, tensors aligned to 64 bytes. The manifest `FILE.json` describes them. C, `numpy.memmap` and ONNX external
//! data can use them directly. Reading opens the manifest and is as strict as for safetensors.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::entry::{parse_provenance, read_bytes};
use super::{Entry, Format, Found, Piece, SidecarFormat};
use crate::plan::Plan;
use crate::provenance::{self, Provenance};
use crate::tensor::{Backing, Element, Origin, Shape, StoredTensor};
use crate::text::Unique;

pub(super) const FORMAT: Format = Format {
    name: "raw",
    extensions: &["raw"],
    shared_extensions: &[],
    binary: true,
    holds_several: true,
    is_generic: false,
    column_major: false,
    layout: None,
    summary: "little-endian values, each tensor at a multiple of 64 bytes, listed in FILE.json: numpy.memmap, C, ONNX",
    has_type: |_| true,
    pieces,
    shard: None,
    sidecar: Some(SidecarFormat { suffix: SUFFIX, opening: OPENING, text: manifest }),
    note: |_| None,
    recognizes,
    open,
};

/// The alignment of a tensor's values: a cache line, and the widest vectors.
const ALIGNMENT: u64 = 64;
/// The suffix of the manifest after the file's name.
const SUFFIX: &str = ".json";
/// The first bytes of a manifest.
const OPENING: &str = r#"{"format":"raw","#;

fn pieces(plan: &Plan) -> Result<Vec<Piece>> {
    let mut pieces = Vec::with_capacity(2 * plan.tensors().len());
    let mut end = 0;
    for (number, offset) in offsets(plan).enumerate() {
        let gap = usize::try_from(offset - end)?;
        if gap > 0 {
            pieces.push(Piece::Bytes(vec![0; gap]));
        }
        pieces.push(Piece::Values(number));
        end = offset + plan.tensors()[number].bytes();
    }
    Ok(pieces)
}

fn offsets(plan: &Plan) -> impl Iterator<Item = u64> {
    plan.tensors().iter().scan(0u64, |end, tensor| {
        let offset = end.next_multiple_of(ALIGNMENT);
        *end = offset + tensor.bytes();
        Some(offset)
    })
}

/// The manifest: a line per tensor in file order, and the provenance.
fn manifest(plan: &Plan) -> Result<String> {
    let entries: Vec<String> = plan
        .tensors()
        .iter()
        .zip(offsets(plan))
        .map(|(tensor, offset)| {
            let (name, shape) = (Value::from(tensor.name().as_str()), json!(tensor.shape().axes()));
            let (dtype, bytes) = (tensor.element().word(), tensor.bytes());
            format!("{name}:{{\"dtype\":\"{dtype}\",\"shape\":{shape},\"offset\":{offset},\"bytes\":{bytes}}}")
        })
        .collect();
    let (key, provenance) = (provenance::KEY, Provenance::json(plan)?);
    Ok(format!("{OPENING}\n\"{key}\":{provenance},\n\"tensors\":{{\n{}\n}}}}\n", entries.join(",\n")))
}

/// Longest manifest, in bytes: 2^20 tensors of 500 bytes.
const MAX_MANIFEST: u64 = 1 << 29;
/// Longest description of one tensor, in bytes.
const MAX_ENTRY: usize = 1 << 14;

fn recognizes(opening: &[u8]) -> bool {
    opening.starts_with(OPENING.as_bytes())
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

/// A tensor in the manifest.
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
    ensure!(length <= MAX_MANIFEST, "its manifest of {length} bytes exceeds {MAX_MANIFEST}");
    let text =
        String::from_utf8(read_bytes(&mut manifest.reader(), length)?).context("its manifest is not UTF-8 text")?;
    let Manifest { fanin, tensors, .. } = serde_json::from_str(&text).context("invalid manifest")?;
    let values = values_of(path)?;
    ensure!(tensors.0.len() <= Plan::MAX_TENSORS, "{} tensors: at most 2^20 are allowed", tensors.0.len());
    let mut located = Vec::with_capacity(tensors.0.len());
    for (name, raw) in tensors.0 {
        located.push(read_info(&name, raw.get()).with_context(|| format!("tensor `{name}`"))?);
    }
    located.sort_by_key(|located| (located.offset, located.bytes));
    check_cover(&located, values.length())?;
    let provenance = fanin.map(|raw| parse_provenance(raw.get()));
    let entry = |Located { name, element, shape, offset, .. }| {
        let stored = StoredTensor::new(Arc::<Origin>::clone(&values), offset, element, shape);
        Ok(Entry::new(name.clone(), stored.with_context(|| format!("tensor `{name}`"))?))
    };
    let entries = located.into_iter().map(entry).collect::<Result<_>>()?;
    Ok(Found { entries, provenance, notes: Vec::new(), layout: None })
}

/// The data file of a manifest.
fn values_of(manifest: &Path) -> Result<Arc<Origin>> {
    let name = manifest.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(SUFFIX));
    let name = name.with_context(|| format!("a manifest needs the name of its data file plus `{SUFFIX}`"))?;
    let path = manifest.with_file_name(name);
    ensure!(path.is_file(), "its data file `{name}` is missing");
    Origin::open(&path).with_context(|| format!("`{name}`"))
}

/// A tensor with its offset and size in bytes.
struct Located {
    name: String,
    element: Element,
    shape: Shape,
    offset: u64,
    bytes: u64,
}

fn read_info(name: &str, text: &str) -> Result<Located> {
    ensure!(text.len() <= MAX_ENTRY, "its description exceeds {MAX_ENTRY} bytes");
    let Info { dtype, shape, offset, bytes } = serde_json::from_str(text)?;
    let element = Element::of_word(&dtype).with_context(|| format!("unknown dtype `{dtype}`"))?;
    let shape = Shape::new(shape)?;
    ensure!((shape.count() * element.bits()).is_multiple_of(8), "its values do not fill whole bytes");
    let asked = element.bytes(shape.count());
    ensure!(bytes == asked, "shape {shape} needs {asked} bytes, but the manifest says {bytes}");
    ensure!(offset.is_multiple_of(ALIGNMENT), "its offset {offset} is not a multiple of {ALIGNMENT}");
    ensure!(offset.checked_add(bytes).is_some(), "it ends beyond 2^64");
    Ok(Located { name: name.into(), element, shape, offset, bytes })
}

/// Errors unless tensors, in order of their offsets, fill the file with no gaps but alignment.
fn check_cover(tensors: &[Located], held: u64) -> Result<()> {
    let mut end = 0u64;
    for Located { name, offset, bytes, .. } in tensors {
        ensure!(*offset >= end, "tensor `{name}` overlaps the one before it, at {offset}");
        ensure!(offset - end < ALIGNMENT, "no tensor holds the bytes from {end} to {offset}");
        end = offset + bytes;
    }
    // Empty tensors at the end do not extend the file to their alignment.
    let filled = tensors.iter().filter(|tensor| tensor.bytes > 0).map(|tensor| tensor.offset + tensor.bytes).max();
    let least = filled.unwrap_or(0);
    ensure!(held >= least, "truncated: its tensors end at byte {least}, but it has only {held} bytes");
    ensure!(held <= end, "{} bytes follow its tensors", held - end);
    Ok(())
}
