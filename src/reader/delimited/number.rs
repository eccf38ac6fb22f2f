//! Parses a field of a text file as a number, or explains why it is not one.

use crate::text::{cut, escape};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Field {
    Number(f64),
    /// Empty, or a marker of a missing value.
    Missing,
    /// Infinity, or a number beyond the range of `f64`.
    Infinite,
    Word,
}

/// Markers of a missing value that programs write, besides `NaN`.
const MISSING: &[&str] = &["", "NA", "N/A", "#N/A", "<NA>", "NULL", "None", "?", "-", "--", "."];

impl Field {
    pub(super) fn of(text: &str) -> Self {
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Self::Number(value),
            Ok(value) if value.is_nan() => Self::Missing,
            Ok(_) => Self::Infinite,
            Err(_) if MISSING.iter().any(|word| word.eq_ignore_ascii_case(text)) => Self::Missing,
            Err(_) => Self::Word,
        }
    }
}

/// Reason why a field is not a number, with the fix if its spelling suggests one.
pub(super) fn fault(text: &str) -> String {
    let shown = cut(&escape(text), 30);
    misspelled(text).map_or_else(|| format!("`{shown}` is not a number"), |remedy| format!("`{shown}` {remedy}"))
}

/// Fix for a number in an unsupported spelling; `None` for any other text.
pub(super) fn misspelled(text: &str) -> Option<String> {
    let is_number = |text: &str| matches!(Field::of(text), Field::Number(_));
    let (point, exponent) = (text.replacen(',', ".", 1), text.replace(['d', 'D'], "E"));
    if matches!(Field::of(text), Field::Infinite) {
        return Some("is not finite".into());
    }
    if is_number(text) {
        return None;
    }
    if is_number(&point) {
        return Some(format!("has a decimal comma: use `{point}`"));
    }
    if is_number(&exponent) {
        return Some(format!("has a Fortran exponent: use `{exponent}`"));
    }
    let mut words = text.split_ascii_whitespace();
    let is_several = words.clone().nth(1).is_some() && words.all(is_number);
    is_several.then(|| "is several numbers: use --delimiter space".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_numbers_missing_or_words() {
        for text in ["1", "-1.5e-3", "+2.", ".5", "1E+02", "-0"] {
            assert!(matches!(Field::of(text), Field::Number(_)), "{text}");
        }
        for text in ["", "NA", "nan", "NaN", "?", "null", "<NA>", "n/a"] {
            assert_eq!(Field::of(text), Field::Missing, "{text}");
        }
        for text in ["inf", "-Infinity", "1e999"] {
            assert_eq!(Field::of(text), Field::Infinite, "{text}");
        }
        for text in ["x", "1.0D+02", "1,5", "1 2", "0x10", "1_000", "50%"] {
            assert_eq!(Field::of(text), Field::Word, "{text}");
        }
    }

    #[test]
    fn the_fault_of_a_spelling_has_its_way_out() {
        for (text, words) in [
            ("1.0D+02", "use `1.0E+02`"),
            ("1,5", "use `1.5`"),
            ("1 2", "--delimiter space"),
            ("1e999", "not finite"),
            ("setosa", "is not a number"),
        ] {
            assert!(fault(text).contains(words), "{text}: {}", fault(text));
        }
    }
}
