//! JSON: `{"fanin": provenance, "tensors": {NAME: {"dtype", "shape", "data": nested lists}}}`. The whole file is read at once, so its
//! length is limited.

mod nested;
mod text;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::entry::{parse_provenance, read_bytes};
use super::{Entry, Format, Found, Piece};
use crate::plan::{Plan, Tensor};
use crate::provenance::{self, Provenance};
use crate::tensor::{Backing, Element, InMemory, Origin, Shape, StoredTensor};
use crate::text::{Unique, bytes};
use nested::Nested;
pub(crate) use text::{copied_text, text};

pub(super) const FORMAT: Format = Format {
    name: "json",
    extensions: &["json"],
    shared_extensions: &[],
    binary: false,
    holds_several: true,
    is_generic: true,
    column_major: false,
    layout: None,
    summary: "JSON: any language; shortest digits that restore the same bits",
    has_type: |element| !matches!(element, Element::Stored(stored) if !stored.is_integer()),
    pieces,
    shard: None,
    sidecar: None,
    note,
    recognizes,
    open,
};

/// The number of elements that triggers a note about shorter formats.
const MANY: u64 = 10_000_000;

fn note(plan: &Plan) -> Option<String> {
    let count: u64 = plan.tensors().iter().map(|tensor| tensor.shape().count()).fold(0, u64::saturating_add);
    (count > MANY)
        .then(|| format!("JSON needs 11 bytes or more per element: about {} here", bytes(count.saturating_mul(11))))
}

fn pieces(plan: &Plan) -> Result<Vec<Piece>> {
    for tensor in plan.tensors() {
        let value = tensor.drawn().and_then(|drawn| drawn.distribution().not_finite());
        if let Some(value) = value.filter(|_| tensor.shape().count() > 0) {
            bail!("`{}` holds {value}, which JSON cannot represent: use another --format", tensor.name());
        }
    }
    let provenance = Provenance::json(plan)?;
    let mut before = format!("{{\"{}\":{provenance},\n\"tensors\":{{", provenance::KEY);
    let mut pieces = Vec::with_capacity(2 * plan.tensors().len() + 1);
    for (number, tensor) in plan.tensors().iter().enumerate() {
        before += if number == 0 { "\n" } else { ",\n" };
        before += &opening(tensor);
        if tensor.shape().count() == 0 {
            before += &empty(tensor.shape())?;
        } else {
            pieces.push(Piece::Bytes(std::mem::take(&mut before).into_bytes()));
            pieces.push(Piece::Text(number));
        }
        before += "}";
    }
    before += "\n}}\n";
    pieces.push(Piece::Bytes(before.into_bytes()));
    Ok(pieces)
}

fn opening(tensor: &Tensor) -> String {
    let name = Value::from(tensor.name().as_str());
    let shape = json!(tensor.shape().axes());
    format!("{name}:{{\"dtype\":\"{}\",\"shape\":{shape},\"data\":", numpy(tensor.element()))
}

/// `NumPy`'s name of a type, which is also torch's.
fn numpy(element: Element) -> &'static str {
    element.torch().unwrap_or(element.word())
}

/// The maximum number of empty lists written for an empty tensor.
const MAX_EMPTY: u64 = 1 << 20;

/// The nested lists of an empty tensor: one empty list for each index of the axes before the first of size 0.
fn empty(shape: &Shape) -> Result<String> {
    let mut text = String::from("[]");
    let before: Vec<u64> = shape.axes().iter().copied().take_while(|&size| size > 0).collect();
    let lists: u64 = before.iter().product();
    ensure!(lists <= MAX_EMPTY, "shape {shape} would be {lists} empty lists in JSON: use another --format");
    for size in before.into_iter().rev() {
        text = format!("[{}]", vec![text; usize::try_from(size)?].join(","));
    }
    Ok(text)
}

/// The longest file that is read. Text and values take up to five times as much memory.
const MAX_LENGTH: u64 = 1 << 28;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

fn recognizes(opening: &[u8]) -> bool {
    // Some editors write a byte order mark before UTF-8.
    opening.strip_prefix(BYTE_ORDER_MARK).unwrap_or(opening).trim_ascii_start().starts_with(b"{")
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Document<'a> {
    /// [`crate::provenance::KEY`].
    #[serde(borrow)]
    fanin: Option<&'a RawValue>,
    #[serde(borrow)]
    tensors: Unique<Written<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written<'a> {
    dtype: String,
    shape: Vec<u64>,
    #[serde(borrow)]
    data: &'a RawValue,
}

fn open(origin: &Arc<Origin>, _: &Path) -> Result<Found> {
    let length = origin.length();
    ensure!(
        length <= MAX_LENGTH,
        "{} of JSON exceed the limit of {}: use .safetensors or .npz",
        bytes(length),
        bytes(MAX_LENGTH)
    );
    let text = String::from_utf8(read_bytes(&mut origin.reader(), length)?).context("not UTF-8 text")?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let document: Document = serde_json::from_str(text).map_err(|error| refusal(text, error))?;
    let Unique(tensors) = document.tensors;
    ensure!(tensors.len() <= Plan::MAX_TENSORS, "{} tensors: at most 2^20 are allowed", tensors.len());
    let mut entries = Vec::with_capacity(tensors.len());
    for (name, written) in tensors {
        entries.push(written.entry(&name).with_context(|| format!("tensor `{name}`"))?);
    }
    let provenance = document.fanin.map(|raw| parse_provenance(raw.get()));
    Ok(Found { entries, provenance, notes: Vec::new(), layout: None })
}

/// The error for an invalid text: its JSON, keys or tensors.
fn refusal(text: &str, error: serde_json::Error) -> anyhow::Error {
    #[derive(serde::Deserialize)]
    struct Keys {
        tensors: Option<IgnoredAny>,
    }
    match serde_json::from_str(text) {
        Err(broken) => anyhow::Error::from(broken).context("invalid JSON"),
        Ok(Keys { tensors: None }) => anyhow!("it holds no weights: the key `tensors` is missing"),
        Ok(Keys { tensors: Some(_) }) => error.into(),
    }
}

impl Written<'_> {
    /// The tensor, with values as other formats store them.
    fn entry(self, name: &str) -> Result<Entry> {
        let shape = Shape::new(self.shape)?;
        let known = Element::of_word(&self.dtype).or(Element::of_torch(&self.dtype));
        let element = known.filter(|&known| nested::is_written(known));
        let text = self.data.get();
        // A value and its separator take two characters. The shape therefore cannot request more memory than the
        // file's length.
        let fits = shape.count() <= text.len() as u64;
        ensure!(fits, "its data does not have shape {shape}");
        let mut nested = Nested::new(element);
        nested.bytes.reserve_exact(usize::try_from(element.map_or(0, |element| element.bytes(shape.count())))?);
        nested.read(text)?;
        ensure!(nested.has_shape(&shape), "its data does not have shape {shape}");
        let Some(element) = element else {
            let word = known.map_or(self.dtype, |known| known.word().into());
            return Ok(Entry::unread(name.into(), shape, word));
        };
        Ok(Entry::new(name.into(), StoredTensor::new(Arc::new(InMemory(nested.bytes)), 0, element, shape)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_tensors_keep_their_shape() {
        for (shape, text) in
            [("0", "[]"), ("0x5", "[]"), ("2x0", "[[],[]]"), ("2x0x3", "[[],[]]"), ("1x2x0", "[[[],[]]]")]
        {
            assert_eq!(empty(&shape.parse().unwrap()).unwrap(), text);
        }
        assert!(empty(&"1000000000x0".parse().unwrap()).is_err());
    }
}
