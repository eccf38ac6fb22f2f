//! MATLAB's level 5 `.mat`, for MATLAB, Octave and `scipy.io.loadmat`: a column-major variable for each tensor. In its name `_` replaces
//! characters that MATLAB does not allow. The text `fanin` is the provenance, with the tensors' own names and shapes.
//!
//! A variable has at least two axes, so a vector is written as a row. Reading supports compressed variables and both byte orders.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use flate2::read::ZlibDecoder;

use super::entry::parse_provenance;
use super::{Entry, Format, Found, Piece, shown_name};
use crate::plan::Plan;
use crate::provenance::{self, Provenance};
use crate::tensor::{Backing, DType, Element, InMemory, Origin, Shape, StoredTensor, to_f32};
use crate::text::{bytes, cut};

pub(super) const FORMAT: Format = Format {
    name: "mat",
    extensions: &["mat"],
    shared_extensions: &[],
    binary: true,
    holds_several: true,
    is_generic: false,
    column_major: true,
    layout: None,
    summary: "MATLAB level 5: MATLAB, Octave, scipy.io.loadmat; any number of tensors",
    has_type: |element| Class::of_word(element.word()).is_some(),
    pieces,
    shard: None,
    sidecar: None,
    note,
    recognizes,
    open,
};

/// A numeric class: our name for it, its number, its data type's number, and its size in bytes.
#[derive(Clone, Copy)]
struct Class(&'static str, u32, u32, u64);

const CLASSES: [Class; 11] = [
    Class("f64", 6, 9, 8),
    Class("f32", 7, 7, 4),
    Class("i8", 8, 1, 1),
    Class("u8", 9, 2, 1),
    Class("i16", 10, 3, 2),
    Class("u16", 11, 4, 2),
    Class("i32", 12, 5, 4),
    Class("u32", 13, 6, 4),
    Class("i64", 14, 12, 8),
    Class("u64", 15, 13, 8),
    // Bytes with the logical flag.
    Class("bool", 9, 2, 1),
];

impl Class {
    fn of_word(word: &str) -> Option<Self> {
        CLASSES.into_iter().find(|class| class.0 == word)
    }
}

const OPENING: &[u8] = b"MATLAB 5.0 MAT-file";
/// The length of the text before the version and the byte order.
const TEXT: usize = 124;
const HEADER: u64 = 128;
const INT8: u32 = 1;
const UINT16: u32 = 4;
const INT32: u32 = 5;
const UINT32: u32 = 6;
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;
const CHAR: u32 = 4;
/// The class of `uint8` and of logical values.
const BYTE: u32 = 9;
const LOGICAL: u32 = 1 << 9;
const COMPLEX: u32 = 1 << 11;
/// The largest axis, and the most bytes of a variable, in MATLAB.
const MAX_BYTES: u64 = (1 << 31) - 1;
/// Longest MATLAB name, in bytes.
const MAX_NAME: usize = 63;

/// A valid MATLAB name for a tensor.
fn variable(name: &str) -> String {
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let first = if name.starts_with(|character: char| character.is_ascii_alphabetic()) { "" } else { "x" };
    format!("{first}{}", name.replace(|character| !is_allowed(character), "_"))
}

/// Axes of the variable for a tensor with these axes.
fn dimensions(axes: &[u64]) -> Vec<u64> {
    match axes {
        [] => vec![1, 1],
        [single] => vec![1, *single],
        _ => axes.into(),
    }
}

fn note(plan: &Plan) -> Option<String> {
    let mut others = plan.tensors().iter().map(|tensor| tensor.name().as_str()).filter(|name| variable(name) != *name);
    let first = others.next()?;
    Some(format!("MATLAB's names are letters, digits and `_`: `{first}` is the variable `{}`", variable(first)))
}

fn pieces(plan: &Plan) -> Result<Vec<Piece>> {
    let mut names: HashMap<String, String> = HashMap::from([(provenance::KEY.into(), "the provenance".into())]);
    let mut pieces = Vec::with_capacity(2 * plan.tensors().len() + 1);
    let mut before = header();
    before.extend(text_variable(provenance::KEY, &Provenance::json(plan)?)?);
    for (number, tensor) in plan.tensors().iter().enumerate() {
        let (name, own) = (variable(tensor.name().as_str()), tensor.name().as_str());
        ensure!(name.len() <= MAX_NAME, "`{own}`: MATLAB names have at most {MAX_NAME} characters");
        let dimensions = dimensions(tensor.shape().axes());
        let is_written = tensor.bytes() <= MAX_BYTES && dimensions.iter().all(|&size| size <= MAX_BYTES);
        ensure!(is_written, "`{own}` has {}: MATLAB reads less than 2 GiB per variable", bytes(tensor.bytes()));
        let word = tensor.element().word();
        let class = Class::of_word(word).with_context(|| format!("`{own}` has type {word}"))?;
        if let Some(other) = names.insert(name.clone(), format!("`{own}`")) {
            bail!("`{own}` and {other} would both be `{name}` in MATLAB: use another --format");
        }
        let Class(word, number_of_class, data, _) = class;
        let flags = if word == "bool" { number_of_class | LOGICAL } else { number_of_class };
        let opening = matrix(&name, flags, &dimensions, data, tensor.bytes())?;
        let padding = padding(tensor.bytes());
        before.extend(opening);
        pieces.push(Piece::Bytes(std::mem::replace(&mut before, padding)));
        let is_matrix = dimensions.iter().filter(|&&size| size != 1).count() > 1;
        pieces.push(if is_matrix { Piece::Columns(number) } else { Piece::Values(number) });
    }
    pieces.push(Piece::Bytes(before));
    Ok(pieces)
}

fn header() -> Vec<u8> {
    let mut header = OPENING.to_vec();
    header.extend(b", written by fanin");
    header.resize(TEXT - 8, b' ');
    // No offset of subsystem data.
    header.resize(TEXT, 0);
    header.extend(0x100u16.to_le_bytes());
    header.extend(b"IM");
    header
}

fn padding(length: u64) -> Vec<u8> {
    (length..length.next_multiple_of(8)).map(|_| 0).collect()
}

fn tag(kind: u32, length: u64) -> Result<Vec<u8>> {
    let length = u32::try_from(length).context("a variable is longer than 4 GiB")?;
    Ok([kind.to_le_bytes(), length.to_le_bytes()].concat())
}

/// A part of a variable, with its tag and padding to 8 bytes.
fn part(kind: u32, content: &[u8]) -> Result<Vec<u8>> {
    let length = content.len() as u64;
    Ok([&tag(kind, length)?, content, &padding(length)].concat())
}

/// A variable up to its `length` bytes of data.
fn matrix(name: &str, flags: u32, dimensions: &[u64], data: u32, length: u64) -> Result<Vec<u8>> {
    let sizes: Vec<u32> = dimensions.iter().map(|&size| Ok(u32::try_from(size)?)).collect::<Result<_>>()?;
    let sizes: Vec<u8> = sizes.into_iter().flat_map(u32::to_le_bytes).collect();
    let flags = [flags.to_le_bytes(), [0; 4]].concat();
    let inside =
        [part(UINT32, &flags)?, part(INT32, &sizes)?, part(INT8, name.as_bytes())?, tag(data, length)?].concat();
    Ok([tag(MATRIX, inside.len() as u64 + length.next_multiple_of(8))?, inside].concat())
}

fn text_variable(name: &str, text: &str) -> Result<Vec<u8>> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let data: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let length = data.len() as u64;
    let opening = matrix(name, CHAR, &[1, units.len() as u64], UINT16, length)?;
    Ok([opening, data, padding(length)].concat())
}

fn recognizes(opening: &[u8]) -> bool {
    opening.starts_with(OPENING) && matches!(opening.get(TEXT + 2..TEXT + 4), Some(b"IM" | b"MI"))
}

/// The limit on total bytes in memory: decompressed variables, and those whose data have a narrower type than their class.
const MAX_HELD: u64 = 1 << 30;
/// Above zlib's largest compression ratio.
const MAX_RATIO: u64 = 1100;
/// Longest provenance, in bytes.
const MAX_TEXT: u64 = 1 << 29;
/// The number of values converted at a time.
const CHUNK: u64 = 1 << 13;

fn open(origin: &Arc<Origin>, _: &Path) -> Result<Found> {
    let mut order = [0; 2];
    origin.read(&mut order, HEADER - 2)?;
    let (big_endian, mut room) = (order == *b"MI", MAX_HELD);
    let file = Stream { backing: Arc::<Origin>::clone(origin), end: origin.length(), big_endian };
    // MATLAB's objects have their data in a variable without a name, at this byte.
    let mut subsystem = [0; 8];
    origin.read(&mut subsystem, TEXT as u64 - 8)?;
    let subsystem = number(&subsystem, big_endian);
    let (mut at, mut variables, mut others, mut text) = (HEADER, Vec::new(), Vec::new(), None);
    while at < file.end {
        let Part { kind, begin, length, .. } = file.part(at)?;
        let stream = match kind {
            MATRIX => Stream { end: begin + length, ..file.clone() },
            COMPRESSED => unpacked(origin, begin, length, big_endian, &mut room)?,
            _ => bail!("expected a variable at byte {at}, found an element of type {kind}"),
        };
        let start = if kind == MATRIX { begin } else { 8 };
        match stream.variable(start).with_context(|| format!("the variable at byte {at}"))? {
            Kind::Numbers(variable) if !variable.name.is_empty() => variables.push(variable),
            Kind::Numbers(_) => {
                ensure!(at == subsystem, "the variable at byte {at} has no name");
                others.push("the data of objects".into());
            }
            Kind::Text(name, part) if name == provenance::KEY => text = Some(stream.text(&part)?),
            Kind::Text(name, _) | Kind::Other(name) => others.push(shown_name(&name)),
        }
        ensure!(variables.len() <= Plan::MAX_TENSORS, "more than 2^20 variables");
        at = begin + length;
    }
    let mut notes = Vec::new();
    if !others.is_empty() {
        notes.push(format!("skipped, not real numeric arrays: {}", cut(&others.join(", "), 200)));
    }
    let provenance = text.as_deref().map(parse_provenance);
    let tensors = provenance.iter().flatten().flat_map(|provenance| provenance.tensors.iter().flatten());
    let known: BTreeMap<String, (&String, &Vec<u64>)> =
        tensors.map(|(name, tensor)| (variable(name), (name, &tensor.shape))).collect();
    ensure!(!variables.is_empty() || provenance.is_some() || !notes.is_empty(), "it holds no variables");
    let (mut names, mut renamed) = (HashSet::new(), HashSet::new());
    let mut entries = Vec::with_capacity(variables.len());
    for mut variable in variables {
        ensure!(names.insert(variable.name.clone()), "two variables are named {}", shown_name(&variable.name));
        if let Some((name, axes)) = known.get(&variable.name) {
            if dimensions(axes) == variable.shape.axes() {
                variable.shape = Shape::new((*axes).clone())?;
            }
            variable.name.clone_from(name);
        }
        let shown = shown_name(&variable.name);
        ensure!(renamed.insert(variable.name.clone()), "two tensors are named {shown}");
        entries.push(variable.entry(big_endian, &mut room).with_context(|| format!("variable {shown}"))?);
    }
    let missing = known.iter().find(|(variable, _)| !names.contains(*variable));
    if let Some((variable, _)) = missing {
        bail!("truncated: variable {} of its provenance is missing", shown_name(variable));
    }
    Ok(Found { entries, provenance, notes, layout: None })
}

/// Decompresses the variable in a part of a file.
fn unpacked(origin: &Arc<Origin>, begin: u64, length: u64, big_endian: bool, room: &mut u64) -> Result<Stream> {
    let mut packed = BufReader::new(origin.reader());
    packed.seek(SeekFrom::Start(begin))?;
    let mut source = ZlibDecoder::new(packed.take(length));
    let mut held = vec![0; 8];
    source.read_exact(&mut held).context("a compressed variable ends too early")?;
    let size = number(&held[4..], big_endian);
    ensure!(number(&held[..4], big_endian) == u64::from(MATRIX), "compressed data that is not a variable");
    ensure!(size / MAX_RATIO <= length, "{length} bytes cannot decompress to {size}");
    hold(size, room)?;
    source.by_ref().take(size).read_to_end(&mut held).context("a compressed variable is damaged")?;
    let is_end = source.read(&mut [0]).context("a compressed variable is damaged")? == 0;
    ensure!(
        held.len() as u64 == 8 + size && is_end,
        "a compressed variable does not have its declared size of {size} bytes"
    );
    Ok(Stream { end: held.len() as u64, backing: Arc::new(InMemory(held)), big_endian })
}

fn hold(size: u64, room: &mut u64) -> Result<()> {
    let left = room.checked_sub(size);
    *room = left.context(
        "more than 1 GiB is compressed or in a narrower type: save fewer variables, or use save(..., '-v6')",
    )?;
    Ok(())
}

fn number(bytes: &[u8], big_endian: bool) -> u64 {
    let fold = |number, &byte: &u8| number << 8 | u64::from(byte);
    if big_endian { bytes.iter().fold(0, fold) } else { bytes.iter().rev().fold(0, fold) }
}

/// Bytes that hold variables, up to an end.
#[derive(Clone)]
struct Stream {
    backing: Arc<dyn Backing>,
    end: u64,
    big_endian: bool,
}

/// A part of a variable, and the range of its content.
struct Part {
    kind: u32,
    begin: u64,
    length: u64,
    next: u64,
}

/// The content of a variable.
enum Kind {
    Numbers(Variable),
    Text(String, Part),
    /// A cell, structure, function, sparse matrix or object.
    Other(String),
}

/// A numeric variable.
struct Variable {
    name: String,
    class: Class,
    is_complex: bool,
    shape: Shape,
    backing: Arc<dyn Backing>,
    data: Part,
}

impl Stream {
    fn bytes(&self, at: u64, length: u64) -> Result<Vec<u8>> {
        let fits = at.checked_add(length).is_some_and(|end| end <= self.end);
        ensure!(fits, "truncated: {length} bytes at byte {at} exceed the end at {}", self.end);
        let mut bytes = vec![0; usize::try_from(length)?];
        self.backing.read(&mut bytes, at)?;
        Ok(bytes)
    }

    /// The part that starts at a byte. Up to 4 bytes may be inside its tag.
    fn part(&self, at: u64) -> Result<Part> {
        let tag = self.bytes(at, 8)?;
        let first = number(&tag[..4], self.big_endian);
        let (small, kind) = (first >> 16, u32::try_from(first & 0xffff)?);
        if small > 0 {
            ensure!(small <= 4, "a part of {small} bytes in a field of 4");
            return Ok(Part { kind, begin: at + 4, length: small, next: at + 8 });
        }
        let (begin, length) = (at + 8, number(&tag[4..], self.big_endian));
        ensure!(length <= self.end - begin, "truncated: {length} bytes at byte {begin} exceed the end at {}", self.end);
        Ok(Part { kind, begin, length, next: begin + length.next_multiple_of(8) })
    }

    /// The content of the next part, at most `longest` bytes, and the start of the one after it.
    fn content(&self, at: u64, kinds: &[u32], longest: u64) -> Result<(Vec<u8>, u64)> {
        let Part { kind, begin, length, next } = self.part(at)?;
        ensure!(
            kinds.contains(&kind) && length <= longest,
            "unexpected part at byte {at}: type {kind}, {length} bytes"
        );
        Ok((self.bytes(begin, length)?, next))
    }

    /// The variable whose parts start at a byte.
    fn variable(&self, at: u64) -> Result<Kind> {
        let (flags, at) = self.content(at, &[UINT32], 8)?;
        ensure!(flags.len() == 8, "its flags field is {} bytes, not 8", flags.len());
        let flags = u32::try_from(number(&flags[..4], self.big_endian))?;
        let number_of_class = flags & 0xff;
        // Old versions of MATLAB set the logical flag on doubles too: the flag changes no value.
        let is_bool = flags & LOGICAL != 0 && number_of_class == BYTE;
        let class = CLASSES.into_iter().find(|class| class.1 == number_of_class && (class.0 == "bool") == is_bool);
        if !(1..=15).contains(&number_of_class) {
            return Ok(Kind::Other("an object".into()));
        }
        let is_signed = self.part(at)?.kind == INT32;
        let (sizes, at) = self.content(at, &[INT32, UINT32], 4 * Shape::MAX_RANK as u64)?;
        let (name, at) = self.content(at, &[INT8, 2, 16], 4096)?;
        let name = String::from_utf8(name).context("its name is not UTF-8 text")?;
        let Some(class) = class else {
            return Ok(if number_of_class == CHAR { Kind::Text(name, self.part(at)?) } else { Kind::Other(name) });
        };
        let sizes: Vec<u64> = sizes.chunks_exact(4).map(|size| number(size, self.big_endian)).collect();
        let negative = sizes.iter().position(|&size| is_signed && size > MAX_BYTES);
        ensure!(negative.is_none(), "axis {} of {} is negative", negative.unwrap_or_default(), shown_name(&name));
        let shape = Shape::new(sizes)?;
        let (is_complex, data) = (flags & COMPLEX != 0, self.part(at)?);
        Ok(Kind::Numbers(Variable { name, class, is_complex, shape, backing: Arc::clone(&self.backing), data }))
    }

    fn text(&self, part: &Part) -> Result<String> {
        ensure!(part.length <= MAX_TEXT, "its text of {} is too long", bytes(part.length));
        let held = self.bytes(part.begin, part.length)?;
        if !matches!(part.kind, UINT16 | 17) {
            return Ok(String::from_utf8_lossy(&held).into_owned());
        }
        let units = held.chunks_exact(2).map(|unit| u16::try_from(number(unit, self.big_endian)).unwrap_or_default());
        Ok(String::from_utf16_lossy(&units.collect::<Vec<_>>()))
    }
}

impl Variable {
    fn entry(self, big_endian: bool, room: &mut u64) -> Result<Entry> {
        let Self { name, class: Class(word, _, own, width), is_complex, shape, backing, data } = self;
        let element = Element::of_word(word).with_context(|| format!("type {word}"))?;
        if is_complex {
            return Ok(Entry::unread(name, shape, format!("complex {word}")));
        }
        let stored = CLASSES.into_iter().find(|class| class.2 == data.kind);
        let Class(stored, _, kind, size) = stored.with_context(|| format!("unknown data type {}", data.kind))?;
        let needed = shape.count().checked_mul(size).context("its values exceed 2^64 bytes")?;
        let held = data.length;
        ensure!(needed == held, "shape {shape} needs {needed} bytes, but {held} are present");
        if kind == own {
            let values = StoredTensor::new(backing, data.begin, element, shape)?;
            return Ok(Entry::new(name, values.in_fortran_order().in_big_endian(big_endian)));
        }
        // MATLAB stores integers of a wide class in a narrower type.
        let stored = Element::of_word(stored).with_context(|| format!("type {stored}"))?;
        let is_float = |element: Element| element.dtype().is_some();
        let is_known = size < 8 && (is_float(element) || !is_float(stored));
        ensure!(is_known, "numbers of {word} are not stored as {}", stored.word());
        hold(shape.count().saturating_mul(width), room)?;
        let narrow = StoredTensor::new(backing, data.begin, stored, Shape::new(vec![shape.count()])?)?;
        let (mut wide, mut outcome) = (Vec::new(), Ok(()));
        narrow.in_big_endian(big_endian).each(CHUNK, &mut |bytes| {
            let mut values = Vec::new();
            stored.widen(bytes, &mut values);
            let mut widened = values.into_iter().map(|value| widened(element, value, &mut wide));
            if outcome.is_ok() {
                outcome = widened.try_for_each(|fits| fits);
            }
        })?;
        outcome?;
        Ok(Entry::new(name, StoredTensor::new(Arc::new(InMemory(wide)), 0, element, shape)?.in_fortran_order()))
    }
}

/// Appends an integer of at most 32 bits, or a single, in the little-endian type of a class. Errors if it changes there.
#[expect(clippy::cast_possible_truncation, reason = "doubles of integers are whole numbers")]
fn widened(element: Element, value: f64, out: &mut Vec<u8>) -> Result<()> {
    match element.integer_range() {
        Some((size, least, most)) => {
            let number = value as i128;
            ensure!((least..=most).contains(&number), "{number} is not a valid {}", element.word());
            out.extend(number.to_le_bytes().iter().take(size));
        }
        None if element == Element::Drawn(DType::F32) => {
            let single = to_f32(value);
            ensure!(f64::from(single) == value, "{value} is not a valid {}", element.word());
            out.extend(single.to_le_bytes());
        }
        None => out.extend(value.to_le_bytes()),
    }
    Ok(())
}
