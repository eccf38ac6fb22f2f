//! safetensors: the length of a JSON header, the header, and the values, byte for byte in the order and alignment of
//! `safetensors.torch.save_file`. (The official crate holds each tensor in memory and writes metadata in random order.) Reading is as
//! strict as [its description](https://github.com/huggingface/safetensors#format): unique names, and offsets that cover the rest of the
//! file without gaps.

use std::io::Write as _;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::entry::{Parsed, parse_provenance, read_bytes};
use super::{Entry, Format, Found, Piece};
use crate::plan::{Plan, Tensor};
use crate::provenance::{self, Provenance};
use crate::tensor::{Backing, Element, Origin, Shape, StoredTensor};
use crate::text::Unique;

pub(super) const FORMAT: Format = Format {
    name: "safetensors",
    extensions: &["safetensors"],
    shared_extensions: &["st"],
    binary: true,
    holds_several: true,
    is_generic: false,
    column_major: false,
    layout: None,
    summary: "safetensors: PyTorch, Hugging Face, JAX, MLX, candle, burn; any number of tensors",
    has_type: |element| !matches!(element, Element::Stored(stored) if !stored.safetensors),
    pieces,
    shard: Some(shard),
    sidecar: None,
    note: |_| None,
    recognizes,
    open,
};

/// The longest header that readers accept, in bytes.
const MAX_HEADER: u64 = 100_000_000;

/// The metadata key of the hash of the whole plan, in a shard.
const WHOLE_PLAN: &str = "fanin_plan";

fn pieces(plan: &Plan) -> Result<Vec<Piece>> {
    shard(plan, None)
}

/// The pieces of a shard, with the hash of the whole plan.
fn shard(plan: &Plan, whole: Option<&str>) -> Result<Vec<Piece>> {
    let mut order: Vec<usize> = (0..plan.tensors().len()).collect();
    order.sort_by_cached_key(|&number| (rank(plan.tensors()[number].element()), plan.tensors()[number].name()));
    let header = header(plan, &order, whole)?;
    let mut opening = (header.len() as u64).to_le_bytes().to_vec();
    opening.extend(header);
    let values = order.into_iter().map(Piece::Values);
    Ok(std::iter::once(Piece::Bytes(opening)).chain(values).collect())
}

/// The types in file order: the widest first, so that all tensors stay aligned.
const ORDER: [&str; 22] = [
    "u64",
    "i64",
    "f64",
    "c64",
    "f32",
    "u32",
    "i32",
    "bf16",
    "f16",
    "u16",
    "i16",
    "f8_e8m0",
    "f8_e4m3",
    "f8_e5m2",
    "f8_e4m3fnuz",
    "f8_e5m2fnuz",
    "i8",
    "u8",
    "f6_e3m2",
    "f6_e2m3",
    "f4",
    "bool",
];

/// The rank of a type in file order.
fn rank(element: Element) -> usize {
    ORDER.iter().position(|&word| word == element.word()).unwrap_or(0)
}

fn header(plan: &Plan, order: &[usize], whole: Option<&str>) -> Result<Vec<u8>> {
    let mut header = format!("{{\"__metadata__\":{{\"{}\":", provenance::KEY).into_bytes();
    serde_json::to_writer(&mut header, &Provenance::json(plan)?)?;
    if let Some(hash) = whole {
        write!(header, ",\"{WHOLE_PLAN}\":\"{hash}\"")?;
    }
    write!(header, ",\"format\":\"pt\"}}")?;
    let mut begin = 0u64;
    for tensor in order.iter().map(|&number| &plan.tensors()[number]) {
        let end = begin + tensor.bytes();
        header.push(b',');
        write_entry(&mut header, tensor, begin..end)?;
        begin = end;
    }
    header.push(b'}');
    header.resize(header.len().next_multiple_of(8), b' ');
    ensure!(
        header.len() as u64 <= MAX_HEADER,
        "{} tensors need a header of {} bytes, but safetensors allows only 100,000,000",
        order.len(),
        header.len()
    );
    Ok(header)
}

fn write_entry(header: &mut Vec<u8>, tensor: &Tensor, Range { start, end }: Range<u64>) -> Result<()> {
    serde_json::to_writer(&mut *header, tensor.name().as_str())?;
    write!(header, ":{{\"dtype\":\"{}\",\"shape\":", tensor.element().word().to_uppercase())?;
    serde_json::to_writer(&mut *header, tensor.shape().axes())?;
    Ok(write!(header, ",\"data_offsets\":[{start},{end}]}}")?)
}

/// The longest entry of a tensor: 32 axes of 15 digits need a twentieth of that.
const MAX_ENTRY: usize = 1 << 14;
const METADATA: &str = "__metadata__";

/// True for a non-textual length followed by the header's brace.
fn recognizes(opening: &[u8]) -> bool {
    let text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    opening.get(8) == Some(&b'{') && !opening[..8].iter().all(text)
}

/// The header's entry of a tensor. Other fields are skipped, as in the safetensors library.
#[derive(Deserialize)]
struct Info {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

fn open(origin: &Arc<Origin>, _: &Path) -> Result<Found> {
    let (mut start, length) = (origin.reader(), origin.length());
    let digits = read_bytes(&mut start, 8)?;
    let header = digits.iter().rev().fold(0, |number, &digit| number << 8 | u64::from(digit));
    ensure!(header <= MAX_HEADER, "its header of {header} bytes exceeds {MAX_HEADER}");
    ensure!(8 + header <= length, "truncated: its header has {header} bytes, but the file has only {length}");
    let text = String::from_utf8(read_bytes(&mut start, header)?).context("its header is not UTF-8 text")?;
    let Unique(pairs) = serde_json::from_str::<Unique<&RawValue>>(&text).context("invalid header")?;

    let (mut provenance, mut layout) = (None, Some("torch"));
    let mut tensors = Vec::with_capacity(pairs.len());
    for (name, raw) in pairs {
        if name == METADATA {
            (provenance, layout) = metadata(raw.get())?;
        } else {
            tensors.push(Located::parse(&name, raw.get()).with_context(|| format!("tensor `{name}`"))?);
        }
    }
    ensure!(tensors.len() <= Plan::MAX_TENSORS, "{} tensors: at most 2^20 are allowed", tensors.len());
    tensors.sort_by_key(|tensor| (tensor.begin, tensor.end));
    check_cover(&tensors, length - 8 - header)?;
    let entries = tensors.into_iter().map(|tensor| tensor.entry(origin, 8 + header)).collect::<Result<_>>()?;
    Ok(Found { entries, provenance, notes: Vec::new(), layout })
}

/// The provenance in the metadata or the reason why it is ignored, and the layout of the framework that it names.
fn metadata(text: &str) -> Result<(Option<Parsed>, Option<&'static str>)> {
    let texts = serde_json::from_str::<Option<Unique<String>>>(text).context(METADATA)?;
    let texts = texts.map_or_else(Vec::new, |Unique(texts)| texts);
    let find = |wanted: &str| texts.iter().find(|(key, _)| key == wanted).map(|(_, text)| text.as_str());
    let layout = match find("format") {
        None | Some("pt") => Some("torch"),
        Some("mlx") => Some("mlx"),
        Some(_) => None,
    };
    Ok((find(provenance::KEY).map(parse_provenance), layout))
}

/// A tensor and the range of its values, from the end of the header.
struct Located {
    name: String,
    element: Element,
    shape: Shape,
    begin: u64,
    end: u64,
}

impl Located {
    fn parse(name: &str, text: &str) -> Result<Self> {
        ensure!(text.len() <= MAX_ENTRY, "its description exceeds {MAX_ENTRY} bytes");
        let Info { dtype, shape, data_offsets: (begin, end) } = serde_json::from_str(text)?;
        let shape = Shape::new(shape)?;
        let known = Element::of_safetensors(&dtype);
        let element = known.with_context(|| format!("unknown dtype `{dtype}`"))?;
        let asked = shape.count() * element.bits();
        ensure!(asked.is_multiple_of(8), "its values do not fill whole bytes");
        let held = end.checked_sub(begin).context("it ends before it begins")?;
        ensure!(held == asked / 8, "shape {shape} needs {} bytes, but its offsets span {held}", asked / 8);
        Ok(Self { name: name.into(), element, shape, begin, end })
    }

    fn entry(self, origin: &Arc<Origin>, data: u64) -> Result<Entry> {
        let Self { name, element, shape, begin, .. } = self;
        let stored = StoredTensor::new(Arc::<Origin>::clone(origin), data + begin, element, shape);
        Ok(Entry::new(name.clone(), stored.with_context(|| format!("tensor `{name}`"))?))
    }
}

/// Errors unless tensors, in order of their offsets, cover exactly the values.
fn check_cover(tensors: &[Located], held: u64) -> Result<()> {
    let mut covered = 0;
    for Located { name, begin, end, .. } in tensors {
        ensure!(*begin >= covered, "tensor `{name}` overlaps the one before it, at {begin}");
        ensure!(*begin == covered, "no tensor holds the bytes from {covered} to {begin}");
        covered = *end;
    }
    ensure!(held >= covered, "truncated: its tensors need {covered} bytes, but only {held} are present");
    ensure!(held == covered, "{} bytes follow its tensors", held - covered);
    Ok(())
}
