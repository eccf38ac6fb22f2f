//! `NumPy`'s `.npy`. Writes version 1.0, byte for byte as `numpy.save` does, without a provenance. Reads versions 1 to 3 of
//! [`numpy.lib.format`](https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
//!
//! `npyz` reads and writes the type. Its header parser multiplies axes unchecked and follows brackets to any depth, so this module parses
//! the dictionary.

mod typestr;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail, ensure};
use npyz::{Endianness, TypeChar, TypeStr};

use super::entry::read_bytes;
use super::{Entry, Format, Found, Piece};
use crate::plan::{Plan, Tensor};
use crate::tensor::{Backing, DType, Element, Origin, Shape, StoredTensor};

pub(super) const FORMAT: Format = Format {
    name: "npy",
    extensions: &["npy"],
    shared_extensions: &[],
    binary: true,
    holds_several: false,
    is_generic: false,
    column_major: false,
    layout: None,
    summary: "NumPy array: numpy.load, one tensor",
    has_type: |element| !matches!(element, Element::Stored(stored) if stored.numpy.is_none()),
    pieces,
    shard: None,
    sidecar: None,
    note,
    recognizes,
    open,
};

fn pieces(plan: &Plan) -> Result<Vec<Piece>> {
    ensure!(
        plan.tensors().len() == 1,
        ".npy holds one tensor, not {}: use .npz, .safetensors, or `-o DIR/` for a file per tensor",
        plan.tensors().len()
    );
    Ok(vec![Piece::Bytes(header(&plan.tensors()[0])?), Piece::Values(0)])
}

/// A note for `NumPy` users: its formats do not support bfloat16.
fn note(plan: &Plan) -> Option<String> {
    let brain = plan.tensors().iter().any(|tensor| tensor.element() == Element::Drawn(DType::BF16));
    brain.then(|| {
        "NumPy has no bfloat16 and loads these values as `V2`: convert them with `.view(ml_dtypes.bfloat16)`".into()
    })
}

/// The header of an array, byte for byte as `numpy.save` writes it. `npyz` names the types alike, but places spaces and commas
/// differently.
pub(super) fn header(tensor: &Tensor) -> Result<Vec<u8>> {
    let descriptor = npyz::DType::Plain(descriptor(tensor.element()).parse()?).descr();
    let shape = tuple(tensor.shape().axes());
    let dictionary = format!("{{'descr': {descriptor}, 'fortran_order': False, 'shape': {shape}, }}");
    let growth = tensor.shape().axes().first().map_or(0, |first| GROWTH - first.to_string().len());
    let unpadded = PREFIX + dictionary.len() + growth + 1;
    let length = (unpadded / ALIGNMENT + 1) * ALIGNMENT;

    let mut header = b"\x93NUMPY\x01\x00".to_vec();
    header.extend(u16::try_from(length - PREFIX)?.to_le_bytes());
    header.extend(dictionary.into_bytes());
    header.resize(length - 1, b' ');
    header.push(b'\n');
    Ok(header)
}

/// Formats sizes as a Python tuple: `()`, `(3,)`, `(3, 4)`.
fn tuple(axes: &[u64]) -> String {
    match axes {
        [single] => format!("({single},)"),
        _ => format!("({})", axes.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")),
    }
}

/// The magic, the version and the length before the dictionary.
const PREFIX: usize = 10;
const ALIGNMENT: usize = 64;
/// Number of digits that `NumPy` reserves for the first axis.
const GROWTH: usize = 21;

/// `NumPy`'s word for the type. It has none for bfloat16, which is stored as two untyped bytes; `ml_dtypes` and JAX view them as bfloat16.
fn descriptor(element: Element) -> &'static str {
    match element {
        Element::Drawn(DType::F64) => "<f8",
        Element::Drawn(DType::F32) => "<f4",
        Element::Drawn(DType::F16) => "<f2",
        Element::Drawn(DType::BF16) => "<V2",
        // Types without a name never get here: the format rejects them.
        Element::Stored(stored) => stored.numpy.unwrap_or("|V1"),
    }
}

pub(super) const MAGIC: &[u8] = b"\x93NUMPY";
/// The longest header that is read, in bytes; `NumPy`'s own limit is 10,000.
const MAX_HEADER: u64 = 1 << 16;

fn recognizes(opening: &[u8]) -> bool {
    opening.starts_with(MAGIC)
}

fn open(origin: &Arc<Origin>, _: &Path) -> Result<Found> {
    let header = Header::read(&mut origin.reader(), origin.length())?;
    if let Some(refusal) = header.refusal() {
        bail!("it holds {refusal}");
    }
    // The file does not name its array; this is the writer's default for the first tensor.
    let entry = header.entry("weight".into(), Arc::<Origin>::clone(origin))?;
    Ok(Found { entries: vec![entry], provenance: None, notes: Vec::new(), layout: None })
}

pub(super) struct Header {
    shape: Shape,
    kind: Type,
    /// True in column-major order.
    fortran: bool,
    /// Byte offset of the values.
    begin: u64,
}

impl Header {
    /// Reads the header of an array of `length` bytes in total. Errors if the length does not match the header.
    pub(super) fn read(source: &mut dyn Read, length: u64) -> Result<Self> {
        let prefix = read_bytes(source, 8)?;
        ensure!(prefix.starts_with(MAGIC), "not a .npy file: wrong signature");
        let width = match (prefix[6], prefix[7]) {
            (1, 0) => 2,
            (2 | 3, 0) => 4,
            (major, minor) => bail!("unsupported .npy version {major}.{minor}"),
        };
        let digits = read_bytes(source, width)?;
        let header = digits.iter().rev().fold(0, |number, &digit| number << 8 | u64::from(digit));
        let begin = 8 + width + header;
        ensure!(header <= MAX_HEADER, "its header of {header} bytes exceeds {MAX_HEADER}");
        ensure!(begin <= length, "truncated: its header has {header} bytes, but the file has only {length}");
        let text = String::from_utf8(read_bytes(source, header)?).context("its header is not UTF-8 text")?;
        let Dictionary { descr, fortran, shape } = Dictionary::parse(&text)?;
        let kind = Type::parse(descr)?;
        if let Some(size) = kind.size {
            check_size(&shape, size, length - begin)?;
        }
        Ok(Self { shape, kind, fortran, begin })
    }

    /// The kind of a non-numeric array, and a fix.
    pub(super) fn refusal(&self) -> Option<&'static str> {
        self.kind.refusal
    }

    /// The array in these bytes, which include the header.
    pub(super) fn entry(self, name: String, bytes: Arc<dyn Backing>) -> Result<Entry> {
        let Self { shape, kind: Type { word, element, big_endian, .. }, fortran, begin } = self;
        let Some(element) = element else { return Ok(Entry::unread(name, shape, word)) };
        let stored = StoredTensor::new(bytes, begin, element, shape)?.in_big_endian(big_endian);
        let stored = if fortran { stored.in_fortran_order() } else { stored };
        let mut entry = Entry::new(name, stored);
        entry.type_word = word;
        Ok(entry)
    }
}

fn check_size(shape: &Shape, size: u64, held: u64) -> Result<()> {
    let asked = shape.count().checked_mul(size).context("its values exceed 2^64 bytes")?;
    ensure!(held >= asked, "truncated: shape {shape} needs {asked} bytes, but only {held} are present");
    ensure!(held == asked, "{} bytes follow its values", held - asked);
    Ok(())
}

/// Python dictionary of a header: exactly these keys and `fortran_order`, each once.
struct Dictionary<'a> {
    descr: &'a str,
    fortran: bool,
    shape: Shape,
}

impl<'a> Dictionary<'a> {
    fn parse(text: &'a str) -> Result<Self> {
        let inner = enclosed(text.trim(), '{', '}').context("its header is not a dictionary")?;
        let (mut descr, mut order, mut shape) = (None, None, None);
        for pair in elements(inner)? {
            let (key, value) = pair.split_once(':').context("a header key has no value")?;
            let slot = match quoted(key.trim()) {
                Some("descr") => &mut descr,
                Some("fortran_order") => &mut order,
                Some("shape") => &mut shape,
                _ => bail!("unknown header key {}", key.trim()),
            };
            ensure!(slot.replace(value.trim()).is_none(), "header key {} appears twice", key.trim());
        }
        let order = order.context("its header has no `fortran_order`")?;
        ensure!(matches!(order, "True" | "False"), "its `fortran_order` is neither True nor False");
        Ok(Self {
            fortran: order == "True",
            descr: descr.context("its header has no `descr`")?,
            shape: parse_tuple(shape.context("its header has no `shape`")?)?,
        })
    }
}

/// The text inside a pair of brackets that enclose all of it.
fn enclosed(text: &str, opening: char, closing: char) -> Option<&str> {
    text.strip_prefix(opening)?.strip_suffix(closing)
}

/// The content of a string without escapes.
fn quoted(text: &str) -> Option<&str> {
    let inner = enclosed(text, '\'', '\'').or_else(|| enclosed(text, '"', '"'))?;
    (!inner.contains(['\'', '"', '\\'])).then_some(inner)
}

/// The elements between commas outside of brackets and strings; a trailing comma is allowed.
fn elements(text: &str) -> Result<Vec<&str>> {
    let (mut elements, mut begin, mut depth, mut quote) = (Vec::new(), 0, 0usize, None);
    for (position, character) in text.char_indices() {
        match character {
            _ if quote.is_some() => quote = quote.filter(|&opening| opening != character),
            '\'' | '"' => quote = Some(character),
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.checked_sub(1).context("unmatched closing bracket in its header")?,
            ',' if depth == 0 => {
                elements.push(text[begin..position].trim());
                begin = position + 1;
            }
            _ => {}
        }
    }
    ensure!(depth == 0 && quote.is_none(), "unclosed bracket or string in its header");
    let last = text[begin..].trim();
    if !last.is_empty() {
        elements.push(last);
    }
    Ok(elements)
}

/// Parses a Python shape: `()`, `(3,)`, `(3, 4)`, and `(3L, 4L)` from Python 2.
fn parse_tuple(text: &str) -> Result<Shape> {
    let inner = enclosed(text, '(', ')').context("its `shape` is not a tuple")?;
    let axes = elements(inner)?;
    ensure!(axes.len() != 1 || inner.contains(','), "its `shape` is a number in parentheses, not a tuple");
    let axes: Option<Vec<u64>> = axes.into_iter().map(axis).collect();
    Shape::new(axes.context("its `shape` has an invalid size")?)
}

fn axis(text: &str) -> Option<u64> {
    let digits = text.strip_suffix('L').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().unwrap_or(u64::MAX))
}

struct Type {
    word: String,
    /// The element size in bytes, if known.
    size: Option<u64>,
    element: Option<Element>,
    big_endian: bool,
    /// The kind of non-numeric values, and a fix.
    refusal: Option<&'static str>,
}

impl Type {
    fn parse(descr: &str) -> Result<Self> {
        let Some(text) = quoted(descr) else {
            ensure!(descr.starts_with('['), "its type {descr} is neither a string nor a list");
            let refusal = Some("records (a structured array): save each field as an array, a['field']");
            return Ok(Self { word: "record".into(), size: None, element: None, big_endian: false, refusal });
        };
        let spelled = typestr::spelled(text);
        let text = spelled.as_str();
        let parsed: TypeStr = text.parse().map_err(|error| anyhow!("its type `{text}`: {error}"))?;
        let size = parsed.num_bytes();
        ensure!(size.is_some() || parsed.uses_pickled_array(), "its type `{text}` is too long");
        let big_endian = parsed.endianness() == Endianness::Big;
        // Our type names are little-endian.
        let little = if big_endian { typestr::spelled(&format!("<{}", &text[1..])) } else { text.into() };
        let element = match (parsed.type_char(), parsed.size_field()) {
            (TypeChar::Float, 8) => Some(Element::Drawn(DType::F64)),
            (TypeChar::Float, 4) => Some(Element::Drawn(DType::F32)),
            (TypeChar::Float, 2) => Some(Element::Drawn(DType::F16)),
            (TypeChar::RawData, 2) => Some(Element::Drawn(DType::BF16)),
            _ => Element::of_numpy(&little),
        };
        let word = match element {
            Some(Element::Drawn(DType::BF16)) => BFLOAT16.into(),
            Some(element) => element.word().into(),
            None if parsed.type_char() == TypeChar::Float => format!("long double (`{text}`)"),
            None => text.into(),
        };
        let refusal = typestr::refusal(parsed.type_char());
        Ok(Self { word, size: size.map(|size| size as u64), element, big_endian, refusal })
    }
}

/// Two untyped bytes: `NumPy`'s form of bfloat16, which only a provenance can confirm.
const BFLOAT16: &str = "V2 (bfloat16?)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dictionaries_are_read_as_python_writes_them() {
        for (text, shape) in [
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }   \n", "3x4"),
            ("{\"shape\":(),\"fortran_order\":True,\"descr\":\"<f4\"}", "()"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (7,)}", "7"),
            ("{'descr': '<f4', 'fortran_order': False, 'shape': (3L, 0L)}", "3x0"),
        ] {
            let read = Dictionary::parse(text).unwrap();
            assert_eq!((read.descr, read.shape.to_string().as_str()), (read.descr, shape));
        }
    }

    #[test]
    fn types_are_told_by_their_word() {
        for (descr, word, size, dtype) in [
            ("'<f4'", "f32", Some(4), Some(DType::F32)),
            ("'>f8'", "f64", Some(8), Some(DType::F64)),
            ("'|V2'", BFLOAT16, Some(2), Some(DType::BF16)),
            ("'<i8'", "i64", Some(8), None),
            ("'>c8'", "c64", Some(8), None),
            ("'|b1'", "bool", Some(1), None),
            ("'<f16'", "long double (`<f16`)", Some(16), None),
            ("'|O'", "|O", None, None),
            ("'<U3'", "<U3", Some(12), None),
            ("[('a', '<f4'), ('b', '<i2')]", "record", None, None),
        ] {
            let read = Type::parse(descr).unwrap();
            assert_eq!(
                (read.word.as_str(), read.size, read.element.and_then(Element::dtype)),
                (word, size, dtype),
                "{descr}"
            );
        }
    }

    #[test]
    fn deep_brackets_cost_no_stack() {
        let text = format!("{{'descr': {}{}}}", "[".repeat(30_000), "]".repeat(30_000));
        assert!(Dictionary::parse(&text).is_err());
    }
}
