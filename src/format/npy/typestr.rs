//! `NumPy`'s aliases of types: `.npy` headers may have any that `numpy.dtype` accepts.

use npyz::TypeChar;

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

/// The content of a non-numeric array, and a fix.
pub(super) fn refusal(kind: TypeChar) -> Option<&'static str> {
    Some(match kind {
        TypeChar::Object => "pickled Python objects, which fanin never opens: save numbers, for example a.astype('f8')",
        TypeChar::ByteStr | TypeChar::UnicodeStr => "text: save numbers, for example a.astype('f8')",
        TypeChar::DateTime | TypeChar::TimeDelta => "dates or times: save them as numbers with a.astype('i8')",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::spelled;

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
}
