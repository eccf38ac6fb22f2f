//! JSON as the writer writes it. It is read as a whole, so its length is limited.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::values::{Encoding, Values, store};
use super::{Entry, Found, Reader, recipe};
use crate::plan::{DType, Element, Plan, Shape};
use crate::text;
use crate::unique::Unique;

pub(super) const READER: Reader = Reader { format: "json", recognizes, open };

/// The longest file that is read: its values take up to four times as much memory.
const MAX_LENGTH: u64 = 1 << 28;

fn recognizes(opening: &[u8]) -> bool {
    opening.trim_ascii_start().starts_with(b"{")
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    /// [`crate::recipe::KEY`].
    fanin: Option<Box<RawValue>>,
    tensors: Unique<Stored>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    dtype: String,
    shape: Vec<u64>,
    data: Nested,
}

fn open(file: File, length: u64, _: &Path) -> Result<Found> {
    ensure!(
        length <= MAX_LENGTH,
        "{} of JSON: at most {} are read; take .safetensors or .npz",
        text::bytes(length),
        text::bytes(MAX_LENGTH)
    );
    let document: Document = serde_json::from_reader(BufReader::new(file))?;
    let Unique(tensors) = document.tensors;
    ensure!(tensors.len() <= Plan::MAX_TENSORS, "{} tensors: at most 2^20 are allowed", tensors.len());
    let (mut entries, mut values) = (Vec::new(), Vec::new());
    for (name, stored) in tensors {
        let (entry, bytes) = stored.entry(&name).with_context(|| format!("tensor `{name}`"))?;
        entries.push(entry);
        values.push(bytes);
    }
    let mut notes = Vec::new();
    let recipe = document.fanin.and_then(|raw| recipe(raw.get(), &mut notes));
    Ok(Found { entries, recipe, notes, values: Box::new(InMemory(values)) })
}

impl Stored {
    /// The tensor, and its values as other formats store them.
    fn entry(self, name: &str) -> Result<(Entry, Vec<u8>)> {
        let shape = Shape::new(self.shape)?;
        ensure!(self.data.has_shape(&shape), "its data are not of shape {shape}");
        let ours: Option<DType> = self.dtype.parse().ok();
        let mut bytes = Vec::new();
        if let Some(dtype) = ours {
            store(dtype, &self.data.values, &mut bytes)?;
        }
        let word = ours.map_or(self.dtype, |dtype| dtype.word().into());
        let element = ours.map(Element::Drawn);
        Ok((Entry { element, ..Entry::new(name.into(), shape, word, ours.map(Encoding::little)) }, bytes))
    }
}

struct InMemory(Vec<Vec<u8>>);

impl Values for InMemory {
    fn open(&mut self, number: usize) -> Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(Cursor::new(&self.0[number])))
    }
}

/// Lists within lists, all of one depth, and of one length at each depth.
#[derive(Debug, Default)]
struct Nested {
    /// The length of the lists at each depth, known once the first of them has ended.
    lengths: Vec<Option<u64>>,
    /// Whether a number has been seen: then no list is deeper than those known.
    settled: bool,
    values: Vec<f64>,
}

impl Nested {
    /// Whether the lists are those of a shape: nothing is said of the axes after one of size 0.
    fn has_shape(&self, shape: &Shape) -> bool {
        let axes = shape.axes();
        let said = axes.iter().position(|&size| size == 0).map_or(axes.len(), |first| first + 1);
        self.lengths.iter().copied().eq(axes[..said].iter().copied().map(Some))
    }

    fn begin_list(&mut self, depth: usize) -> Result<(), &'static str> {
        if depth == self.lengths.len() {
            if self.settled {
                return Err("a list stands where a number should");
            }
            if depth == Shape::MAX_RANK {
                return Err("more than 32 lists within each other");
            }
            self.lengths.push(None);
        }
        Ok(())
    }

    fn end_list(&mut self, depth: usize, length: u64) -> Result<(), &'static str> {
        match self.lengths[depth].replace(length) {
            Some(other) if other != length => Err("lists of one depth differ in length"),
            _ => Ok(()),
        }
    }

    fn number(&mut self, depth: usize, value: f64) -> Result<(), &'static str> {
        if depth != self.lengths.len() {
            return Err("a number stands where a list should");
        }
        self.settled = true;
        self.values.push(value);
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Nested {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut nested = Self::default();
        Level { depth: 0, nested: &mut nested }.deserialize(deserializer)?;
        Ok(nested)
    }
}

/// A number or list at a depth.
struct Level<'a> {
    depth: usize,
    nested: &'a mut Nested,
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("numbers, or lists of them")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.nested.number(self.depth, value).map_err(E::custom)
    }

    #[expect(clippy::cast_precision_loss, reason = "JSON's numbers are doubles to most who write them")]
    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "JSON's numbers are doubles to most who write them")]
    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.visit_f64(value as f64)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { depth, nested } = self;
        nested.begin_list(depth).map_err(A::Error::custom)?;
        let mut length = 0;
        while list.next_element_seed(Level { depth: depth + 1, nested })?.is_some() {
            length += 1;
        }
        nested.end_list(depth, length).map_err(A::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(text: &str, shape: &str) -> bool {
        serde_json::from_str::<Nested>(text).is_ok_and(|nested| nested.has_shape(&shape.parse().unwrap()))
    }

    #[test]
    fn lists_are_of_the_shape_that_they_show() {
        for (text, shape) in [("1.5", "()"), ("[1,2]", "2"), ("[[1],[2]]", "2x1"), ("[]", "0x5"), ("[[],[]]", "2x0x3")]
        {
            assert!(is(text, shape), "{text} is {shape}");
        }
        for (text, shape) in [
            ("[1,2]", "3"),
            ("[1,2]", "()"),
            ("1", "1"),
            ("[1,[2]]", "2"),
            ("[[1],2]", "2x1"),
            ("[[],1]", "2x0"),
            ("[[1],[]]", "2x1"),
            ("[[1],[2,3]]", "2x1"),
            ("[[]]", "0"),
            ("[true]", "1"),
            ("[null]", "1"),
            ("[1e999]", "1"),
        ] {
            assert!(!is(text, shape), "{text} was taken for {shape}");
        }
    }

    #[test]
    fn lists_end_at_the_deepest_shape() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        assert!(serde_json::from_str::<Nested>(&nested(32)).is_ok());
        assert!(serde_json::from_str::<Nested>(&nested(33)).is_err());
        assert!(serde_json::from_str::<Nested>(&nested(100_000)).is_err());
    }
}
