//! `NumPy`'s types by their strings, such as `<f4`. `.npy` headers may have any alias that `numpy.dtype` accepts.

use anyhow::{Context, Result, ensure};

/// Types with their sizes in bytes, and aliases.
const TYPES: &[(&str, &[&str])] = &[
    ("f2", &["float16", "half", "e"]),
    ("f4", &["float32", "single", "f"]),
    ("f8", &["float64", "double", "float", "d"]),
    ("c8", &["complex64", "csingle", "F"]),
    ("c16", &["complex128", "cdouble", "complex", "D"]),
    ("i1", &["int8", "byte", "b"]),
    ("i2", &["int16", "short", "h"]),
    ("i4", &["int32", "intc", "i"]),
    ("i8", &["int64", "int", "long", "longlong", "int_", "intp", "l", "q", "p"]),
    ("u1", &["uint8", "ubyte", "B"]),
    ("u2", &["uint16", "ushort", "H"]),
    ("u4", &["uint32", "uintc", "I"]),
    ("u8", &["uint64", "uint", "ulong", "ulonglong", "uintp", "L", "Q", "P"]),
    ("b1", &["bool", "bool_", "?"]),
];

/// A type in the spelling of `numpy.save`: `<f4`, `|u1`. Unknown ones are unchanged. Native byte order (`=`, or none) is taken as
/// little-endian.
pub(super) fn spelled(text: &str) -> String {
    let (order, kind) = match text.strip_prefix(['<', '>', '=', '|']) {
        Some(kind) => (&text[..1], kind),
        None => ("=", text),
    };
    let Some((word, _)) = TYPES.iter().find(|(word, others)| *word == kind || others.contains(&kind)) else {
        return text.into();
    };
    let order = match order {
        _ if word.ends_with('1') => "|",
        ">" => ">",
        _ => "<",
    };
    format!("{order}{word}")
}

/// A type string: byte order, letter, and size.
pub(super) struct TypeString {
    pub(super) big_endian: bool,
    /// The kind of values, such as `f` for floating point.
    pub(super) letter: char,
    /// Code points of an element for `U`, else bytes.
    size: u64,
}

impl TypeString {
    pub(super) fn parse(text: &str) -> Result<Self> {
        let mut letters = text.chars();
        let (order, letter) = (letters.next(), letters.next().unwrap_or(' '));
        let rest = letters.as_str();
        let (digits, unit) = rest.split_at(rest.find(|one: char| !one.is_ascii_digit()).unwrap_or(rest.len()));
        let size = if letter == 'O' { 0 } else { digits.parse().unwrap_or(u64::MAX) };
        let fits = match letter {
            'b' => size == 1,
            'i' | 'u' => [1, 2, 4, 8].contains(&size),
            'f' => [2, 4, 8, 16].contains(&size),
            'c' => [8, 16, 32].contains(&size),
            'm' | 'M' => size == 8,
            'S' | 'a' | 'U' | 'V' => !digits.is_empty(),
            'O' => digits.is_empty(),
            _ => false,
        };
        let unit_fits = if "mM".contains(letter) { UNITS.contains(&unit) } else { unit.is_empty() };
        let ordered = match order {
            Some('<' | '>') => true,
            Some('|') => size == 1 && letter != 'U' || "SaOV".contains(letter),
            _ => false,
        };
        ensure!(fits && unit_fits && ordered, "its type `{text}` is not a type of NumPy");
        Ok(Self { big_endian: order == Some('>'), letter, size })
    }

    /// The element size in bytes; `None` for Python objects, whose size varies.
    pub(super) fn bytes(&self) -> Result<Option<u64>> {
        let size = match self.letter {
            'O' => return Ok(None),
            'U' => self.size.checked_mul(4),
            _ => Some(self.size),
        };
        size.filter(|&size| size < u64::MAX).map(Some).context("its type is too long")
    }

    /// The content of a non-numeric array, and a fix.
    pub(super) fn refusal(&self) -> Option<&'static str> {
        Some(match self.letter {
            'O' => "pickled Python objects, which fanin never opens: save numbers, for example a.astype('f8')",
            'S' | 'a' | 'U' => "text: save numbers, for example a.astype('f8')",
            'm' | 'M' => "dates or times: save them as numbers with a.astype('i8')",
            _ => return None,
        })
    }
}

/// The units of dates and times.
const UNITS: &[&str] =
    &["[Y]", "[M]", "[W]", "[D]", "[h]", "[m]", "[s]", "[ms]", "[us]", "[ns]", "[ps]", "[fs]", "[as]"];

#[cfg(test)]
mod tests {
    use super::{TypeString, spelled};

    #[test]
    fn every_spelling_of_a_type_is_that_of_numpy_save() {
        for (text, expected) in [
            ("f4", "<f4"),
            ("=f4", "<f4"),
            ("|f4", "<f4"),
            ("float32", "<f4"),
            (">f8", ">f8"),
            ("d", "<f8"),
            ("<u1", "|u1"),
            (">i1", "|i1"),
            ("bool", "|b1"),
            (">c16", ">c16"),
            ("|V2", "|V2"),
            ("<U3", "<U3"),
            ("x", "x"),
        ] {
            assert_eq!(spelled(text), expected, "{text}");
        }
    }

    #[test]
    fn a_type_has_an_order_a_letter_and_a_size_of_numpy() {
        for (text, size) in [
            ("<f4", Some(4)),
            ("|b1", Some(1)),
            ("|O", None),
            ("<U3", Some(12)),
            ("|S0", Some(0)),
            (">m8[ns]", Some(8)),
            ("|V7", Some(7)),
        ] {
            let parsed = TypeString::parse(text).unwrap();
            assert_eq!((parsed.bytes().unwrap(), parsed.big_endian), (size, text.starts_with('>')), "{text}");
        }
        for text in
            ["", "<", "é4", "f4", "|f4", "<f3", "<f", "<b2", "<U", "|U1", "<O8", "<M8", "<f4[s]", "<M8[x]", "<i+4"]
        {
            assert!(TypeString::parse(text).is_err(), "{text}");
        }
        for text in ["<U9999999999999999999", "<U4611686018427387904", "|S99999999999999999999"] {
            assert!(TypeString::parse(text).and_then(|parsed| parsed.bytes()).is_err(), "{text}");
        }
    }
}
