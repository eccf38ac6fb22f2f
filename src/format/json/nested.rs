//! Parses nested JSON lists as the values of a tensor.

use std::fmt;

use anyhow::{Result, ensure};
use half::{bf16, f16};
use serde::de::{DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};

use crate::tensor::{DType, Element, Shape, to_f32};

/// True if JSON numbers or booleans can represent the type.
pub(super) fn is_written(element: Element) -> bool {
    matches!(element, Element::Drawn(_)) || element.integer_range().is_some()
}

/// Nested lists of one depth, and of one length at each depth.
#[derive(Debug)]
pub(super) struct Nested {
    /// The length of the lists at each depth, known once the first of them ends.
    lengths: Vec<Option<u64>>,
    /// True after the first number, which fixes the depth.
    settled: bool,
    /// The type of the numbers; `None` to discard them.
    element: Option<Element>,
    /// Numbers, little-endian.
    pub(super) bytes: Vec<u8>,
}

impl Nested {
    pub(super) fn new(element: Option<Element>) -> Self {
        Self { lengths: Vec::new(), settled: false, element, bytes: Vec::new() }
    }

    pub(super) fn read(&mut self, text: &str) -> Result<(), serde_json::Error> {
        let mut source = serde_json::Deserializer::from_str(text);
        Level { depth: 0, nested: self }.deserialize(&mut source)?;
        source.end()
    }

    /// True if the lists have the shape. Axes after one of size 0 are not checked.
    pub(super) fn has_shape(&self, shape: &Shape) -> bool {
        let axes = shape.axes();
        let said = axes.iter().position(|&size| size == 0).map_or(axes.len(), |first| first + 1);
        self.lengths.iter().copied().eq(axes[..said].iter().copied().map(Some))
    }

    fn begin_list(&mut self, depth: usize) -> Result<(), &'static str> {
        if depth == self.lengths.len() {
            if self.settled {
                return Err("expected a number, found a list");
            }
            if depth == Shape::MAX_RANK {
                return Err("lists are nested more than 32 deep");
            }
            self.lengths.push(None);
        }
        Ok(())
    }

    fn end_list(&mut self, depth: usize, length: u64) -> Result<(), &'static str> {
        match self.lengths[depth].replace(length) {
            Some(other) if other != length => Err("lists at one depth differ in length"),
            _ => Ok(()),
        }
    }

    fn number(&mut self, depth: usize, value: Number) -> Result<(), String> {
        if depth != self.lengths.len() {
            return Err("expected a list, found a number".into());
        }
        self.settled = true;
        match (self.element, value) {
            (None, _) => Ok(()),
            (Some(Element::Drawn(dtype)), value) => {
                store(dtype, value.double(), &mut self.bytes).map_err(|error| error.to_string())
            }
            (Some(element), value) => {
                let fits = element.integer_range().and_then(|(size, least, most)| {
                    let number =
                        value.integer(element.word() == "bool").filter(|number| (least..=most).contains(number))?;
                    self.bytes.extend(number.to_le_bytes().iter().take(size));
                    Some(())
                });
                fits.ok_or_else(|| format!("{value} is not a valid {}", element.word()))
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Number {
    Double(f64),
    Integer(i128),
    Truth(bool),
}

impl Number {
    #[expect(clippy::cast_precision_loss, reason = "JSON's numbers are doubles to most who write them")]
    fn double(self) -> f64 {
        match self {
            Self::Double(value) => value,
            Self::Integer(value) => value as f64,
            Self::Truth(_) => f64::NAN,
        }
    }

    fn integer(self, truth: bool) -> Option<i128> {
        match self {
            Self::Integer(value) => Some(value),
            Self::Truth(value) if truth => Some(value.into()),
            _ => None,
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Double(value) => write!(f, "{value:?}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Truth(value) => write!(f, "{value}"),
        }
    }
}

/// A number or a list at some depth.
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
        f.write_str("numbers or lists of numbers")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.nested.number(self.depth, Number::Double(value)).map_err(E::custom)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.nested.number(self.depth, Number::Integer(value.into())).map_err(E::custom)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.nested.number(self.depth, Number::Integer(value.into())).map_err(E::custom)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.nested.number(self.depth, Number::Truth(value)).map_err(E::custom)
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

/// Appends a value as little-endian bytes. Errors if the dtype cannot hold it.
fn store(dtype: DType, value: f64, bytes: &mut Vec<u8>) -> Result<()> {
    let rounded = dtype.round(value);
    ensure!(rounded.is_finite(), "{value} is out of range for {dtype}");
    match dtype {
        DType::F64 => bytes.extend(rounded.to_le_bytes()),
        DType::F32 => bytes.extend(to_f32(rounded).to_le_bytes()),
        DType::F16 => bytes.extend(f16::from_f64(rounded).to_le_bytes()),
        DType::BF16 => bytes.extend(bf16::from_f64(rounded).to_le_bytes()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(text: &str, shape: &str) -> bool {
        let mut nested = Nested::new(Element::of_word("f64"));
        nested.read(text).is_ok() && nested.has_shape(&shape.parse().unwrap())
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
        assert!(Nested::new(None).read(&nested(32)).is_ok());
        assert!(Nested::new(None).read(&nested(33)).is_err());
        assert!(Nested::new(None).read(&nested(100_000)).is_err());
    }

    #[test]
    fn integers_and_truth_values_are_exact_or_refused() {
        let read = |word: &str, text: &str| {
            let mut nested = Nested::new(Element::of_word(word));
            nested.read(text).map(|()| nested.bytes).ok()
        };
        assert_eq!(read("i64", "[9007199254740993]"), Some(9_007_199_254_740_993i64.to_le_bytes().to_vec()));
        assert_eq!(read("u64", "18446744073709551615"), Some(vec![0xff; 8]));
        assert_eq!(read("i16", "[-2, 258]"), Some(vec![0xfe, 0xff, 2, 1]));
        assert_eq!(read("bool", "[true, false, 1]"), Some(vec![1, 0, 1]));
        for (word, text) in
            [("u8", "256"), ("i8", "-129"), ("i32", "1.5"), ("bool", "2"), ("u16", "true"), ("f32", "[true]")]
        {
            assert_eq!(read(word, text), None, "{word} {text}");
        }
    }

    #[test]
    fn a_value_beyond_its_dtype_is_an_error() {
        assert!(store(DType::F32, 1e300, &mut Vec::new()).is_err());
        assert!(store(DType::F16, 65504.0, &mut Vec::new()).is_ok());
    }
}
