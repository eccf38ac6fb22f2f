//! Element types of files: those that are drawn, integers that hold exact values, and others that are only copied.

use std::hash::{Hash, Hasher};
use std::str::FromStr;

use anyhow::{Context, Error};

use super::DType;
use super::widen::{self, Widen};
use crate::text::did_you_mean;

/// Element type of a tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Element {
    /// A type that schemes draw.
    Drawn(DType),
    /// Any other type. Integers hold the values of some deterministic schemes; all other values are only copied.
    Stored(&'static Stored),
}

/// A type that no scheme draws in.
#[derive(Debug)]
pub struct Stored {
    /// Name in provenance and reports: that of safetensors, in lower case.
    pub word: &'static str,
    /// Name in `NumPy` headers, if any.
    pub numpy: Option<&'static str>,
    /// Name in torch, if any: `int64` for `torch.int64`.
    pub torch: Option<&'static str>,
    /// True if safetensors supports it.
    pub safetensors: bool,
    /// Size of an element in bits.
    pub bits: u64,
    /// True if an element is a pair of numbers, real and imaginary.
    complex: bool,
    /// True if its numbers have an IEEE sign bit; others are negated in two's complement.
    float: bool,
    widen: Option<Widen>,
}

impl PartialEq for Stored {
    fn eq(&self, other: &Self) -> bool {
        self.word == other.word
    }
}

impl Eq for Stored {}

impl Hash for Stored {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.word.hash(state);
    }
}

const fn integer(word: &'static str, numpy: &'static str, torch: &'static str, bits: u64, widen: Widen) -> Stored {
    let (numpy, torch, widen) = (Some(numpy), Some(torch), Some(widen));
    Stored { word, numpy, torch, safetensors: true, bits, complex: false, float: false, widen }
}

const fn complex(
    word: &'static str,
    numpy: Option<&'static str>,
    torch: &'static str,
    bits: u64,
    widen: Widen,
) -> Stored {
    let (torch, widen) = (Some(torch), Some(widen));
    Stored { word, numpy, torch, safetensors: bits == 64, bits, complex: true, float: true, widen }
}

const fn float8(word: &'static str, torch: &'static str, widen: Widen) -> Stored {
    let (torch, widen) = (Some(torch), Some(widen));
    Stored { word, numpy: None, torch, safetensors: true, bits: 8, complex: false, float: true, widen }
}

/// A type smaller than a byte, whose elements share bytes.
const fn packed(word: &'static str, bits: u64) -> Stored {
    Stored { word, numpy: None, torch: None, safetensors: true, bits, complex: false, float: true, widen: None }
}

/// All types that schemes do not draw in.
pub const STORED: &[Stored] = &[
    integer("u64", "<u8", "uint64", 64, widen::u64s),
    integer("i64", "<i8", "int64", 64, widen::i64s),
    complex("c128", Some("<c16"), "complex128", 128, widen::c128s),
    complex("c64", Some("<c8"), "complex64", 64, widen::c64s),
    complex("c32", None, "complex32", 32, widen::c32s),
    integer("u32", "<u4", "uint32", 32, widen::u32s),
    integer("i32", "<i4", "int32", 32, widen::i32s),
    integer("u16", "<u2", "uint16", 16, widen::u16s),
    integer("i16", "<i2", "int16", 16, widen::i16s),
    float8("f8_e8m0", "float8_e8m0fnu", widen::e8m0s),
    float8("f8_e4m3", "float8_e4m3fn", widen::e4m3s),
    float8("f8_e5m2", "float8_e5m2", widen::e5m2s),
    float8("f8_e4m3fnuz", "float8_e4m3fnuz", widen::e4m3fnuzs),
    float8("f8_e5m2fnuz", "float8_e5m2fnuz", widen::e5m2fnuzs),
    integer("i8", "|i1", "int8", 8, widen::i8s),
    integer("u8", "|u1", "uint8", 8, widen::u8s),
    packed("f6_e3m2", 6),
    packed("f6_e2m3", 6),
    packed("f4", 4),
    integer("bool", "|b1", "bool", 8, widen::bools),
];

impl Stored {
    /// True for integers and booleans.
    pub fn is_integer(&self) -> bool {
        !self.float
    }
}

impl Element {
    /// All types.
    pub fn all() -> impl Iterator<Item = Self> {
        DType::ALL.into_iter().map(Self::Drawn).chain(STORED.iter().map(Self::Stored))
    }

    /// Finds a type by its name in provenance.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::all().find(|element| element.word() == word)
    }

    /// Finds a type by its name in safetensors.
    pub fn of_safetensors(word: &str) -> Option<Self> {
        // Its names are all upper case.
        let found =
            Self::of_word(&word.to_ascii_lowercase()).filter(|_| !word.contains(|c: char| c.is_ascii_lowercase()));
        found.filter(|element| !matches!(element, Self::Stored(stored) if !stored.safetensors))
    }

    /// Finds a copied type by its little-endian name in `NumPy`.
    pub fn of_numpy(word: &str) -> Option<Self> {
        STORED.iter().find(|stored| stored.numpy == Some(word)).map(Self::Stored)
    }

    /// Finds a type by its name in torch, such as `float32` or `int64`.
    pub fn of_torch(word: &str) -> Option<Self> {
        Self::all().find(|element| element.torch() == Some(word))
    }

    /// Name in provenance and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Drawn(dtype) => dtype.word(),
            Self::Stored(stored) => stored.word,
        }
    }

    /// Name in torch, if any.
    pub fn torch(self) -> Option<&'static str> {
        match self {
            Self::Drawn(dtype) => Some(dtype.numpy()),
            Self::Stored(stored) => stored.torch,
        }
    }

    /// The dtype, if schemes draw this type.
    pub fn dtype(self) -> Option<DType> {
        match self {
            Self::Drawn(dtype) => Some(dtype),
            Self::Stored(_) => None,
        }
    }

    /// The dtype in which values are computed: doubles hold the integers of schemes exactly.
    pub fn computed_in(self) -> DType {
        self.dtype().unwrap_or(DType::F64)
    }

    /// The size in bytes of an integer or boolean type, and its least and greatest value.
    pub fn integer_range(self) -> Option<(usize, i128, i128)> {
        let Self::Stored(Stored { word, bits, .. }) = self else { return None };
        let size = usize::try_from(*bits / 8).ok()?;
        match word.as_bytes()[0] {
            b'b' => Some((size, 0, 1)),
            b'u' => Some((size, 0, (1 << bits) - 1)),
            b'i' => Some((size, -(1 << (bits - 1)), (1 << (bits - 1)) - 1)),
            _ => None,
        }
    }

    /// Appends integers in this integer type as little-endian bytes.
    #[expect(clippy::cast_possible_truncation, reason = "the values are integers of the type")]
    pub fn narrow(self, integers: &[f64], bytes: &mut Vec<u8>) {
        let size = self.part();
        bytes.extend(integers.iter().flat_map(|&integer| (integer as i128).to_le_bytes().into_iter().take(size)));
    }

    /// Size of an element in bits.
    pub fn bits(self) -> u64 {
        match self {
            Self::Drawn(dtype) => dtype.size() * 8,
            Self::Stored(stored) => stored.bits,
        }
    }

    /// Size of `count` elements in bytes. Types smaller than a byte are packed.
    pub fn bytes(self, count: u64) -> u64 {
        count * self.bits() / 8
    }

    /// True if an element is a pair of numbers, real and imaginary.
    pub fn is_complex(self) -> bool {
        matches!(self, Self::Stored(stored) if stored.complex)
    }

    /// True if [`Self::widen`] supports this type.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Drawn(_)) || matches!(self, Self::Stored(stored) if stored.widen.is_some())
    }

    /// Widens little-endian elements and appends them to `values`; a complex number yields its magnitude. Appends
    /// nothing if [`Self::is_number`] is false.
    pub fn widen(self, bytes: &[u8], values: &mut Vec<f64>) {
        match self {
            Self::Drawn(dtype) => widen::drawn(dtype)(bytes, values),
            Self::Stored(stored) => {
                if let Some(widen) = stored.widen {
                    widen(bytes, values);
                }
            }
        }
    }

    /// Size in bytes of one number of an element; a complex element has two.
    pub(super) fn part(self) -> usize {
        let bits = if self.is_complex() { self.bits() / 2 } else { self.bits() };
        usize::try_from(bits / 8).unwrap_or(1).max(1)
    }

    /// True if its numbers have an IEEE sign bit.
    pub(super) fn is_float(self) -> bool {
        matches!(self, Self::Drawn(_)) || matches!(self, Self::Stored(stored) if stored.float)
    }
}

impl From<DType> for Element {
    fn from(dtype: DType) -> Self {
        Self::Drawn(dtype)
    }
}

impl FromStr for Element {
    type Err = Error;

    /// Parses any name of a dtype, or of an integer type in provenance or torch.
    fn from_str(text: &str) -> anyhow::Result<Self> {
        if let Ok(dtype) = text.parse() {
            return Ok(Self::Drawn(dtype));
        }
        let word = text.rsplit('.').next().unwrap_or(text).to_lowercase();
        let integers = || Self::all().filter(|element| element.integer_range().is_some());
        let found = integers().find(|element| element.word() == word || element.torch() == Some(&word));
        found.with_context(|| {
            let words = DType::ALL.map(Self::Drawn).into_iter().chain(integers()).map(Self::word);
            format!("unknown dtype `{text}`: use f64, f32, f16, bf16 or an integer type{}", did_you_mean(text, words))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_again() {
        for element in Element::all() {
            assert_eq!(Element::of_word(element.word()), Some(element));
            let safetensors = !matches!(element, Element::Stored(stored) if !stored.safetensors);
            assert_eq!(Element::of_safetensors(&element.word().to_uppercase()), Some(element).filter(|_| safetensors));
            assert_eq!(Element::of_safetensors(element.word()), None);
            assert!(element.torch().is_none_or(|word| Element::of_torch(word) == Some(element)));
        }
        for stored in STORED {
            assert!(stored.numpy.is_none_or(|word| Element::of_numpy(word) == Some(Element::Stored(stored))));
        }
        assert_eq!(Element::of_word("f31"), None);
    }
}
