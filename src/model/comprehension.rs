//! Lists made of the items of other lists, `[8 * width for width in widths]`: their parts.

use std::fmt::Write as _;

use anyhow::{Context, Result};

use super::factors::{after_blanks, after_brackets, after_part, after_text};
use crate::text::{cut, escape};

/// The beginning of the names of such lists in the expression around them. Recipes cannot use it.
pub(super) const MADE: &str = "__made";
/// The word before the name of an item.
pub(super) const FOR: &str = "for";

/// The parts of `[ITEM for NAME in LIST]`.
#[derive(Debug, PartialEq)]
pub(super) struct Comprehension<'t> {
    pub(super) item: &'t str,
    pub(super) name: &'t str,
    pub(super) list: &'t str,
}

/// The expression with a name in place of each list that is made, and the parts of these lists.
pub(super) fn split(text: &str) -> Result<(String, Vec<Comprehension<'_>>)> {
    let (mut outer, mut found, mut begin, mut place) = (String::new(), Vec::new(), 0, 0);
    let bytes = text.as_bytes();
    while place < bytes.len() {
        let end = if bytes[place] == b'[' { after_brackets(bytes, place) } else { place };
        let inside = text.get(place + 1..end.saturating_sub(1)).filter(|_| text[..end].ends_with(']'));
        if let Some(comprehension) = inside.and_then(|inside| Comprehension::read(inside).transpose()) {
            outer += &text[begin..place];
            let _ = write!(outer, "({MADE}{})", found.len());
            found.push(comprehension?);
            (begin, place) = (end, end);
        } else {
            place = if matches!(bytes[place], b'\'' | b'"') { after_text(bytes, place) } else { place + 1 };
        }
    }
    Ok((outer + &text[begin..], found))
}

impl<'t> Comprehension<'t> {
    /// Reads what is between the brackets; `None` if it is a list of items.
    fn read(text: &'t str) -> Result<Option<Self>> {
        let Some((item, rest)) = around(text, FOR) else { return Ok(None) };
        let parts = around(rest, "in").map(|(name, list)| Self { item, name: name.trim(), list });
        let shown = || format!("`[{}]`: write it as `[ITEM for NAME in LIST]`", escape(&cut(text, 60)));
        parts.map(Some).with_context(shown)
    }
}

/// The texts before and after the first such word outside quotes and brackets.
fn around<'t>(text: &'t str, word: &str) -> Option<(&'t str, &'t str)> {
    let (bytes, mut place) = (text.as_bytes(), 0);
    while place < bytes.len() {
        let end = after_part(bytes, place).max(place + 1);
        if text.get(place..end) == Some(word) {
            return Some((&text[..place], &text[end..]));
        }
        place = after_blanks(bytes, end);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_that_are_made_have_parts_and_other_lists_stay() {
        let made = |item, name, list| Comprehension { item, name, list };
        for (text, outer, parts) in [
            ("[a, b]", "[a, b]", vec![]),
            ("[2 * x for x in sizes]", "(__made0)", vec![made("2 * x ", "x", " sizes")]),
            ("[x for x in a]|sum + [1][0]", "(__made0)|sum + [1][0]", vec![made("x ", "x", " a")]),
            ("max([f(x) for x in a], ['for'])", "max((__made0), ['for'])", vec![made("f(x) ", "x", " a")]),
            ("[[y for y in x] for x in a]", "(__made0)", vec![made("[y for y in x] ", "x", " a")]),
            ("'[x for x in a]'", "'[x for x in a]'", vec![]),
            ("[", "[", vec![]),
            ("[x for x in a", "[x for x in a", vec![]),
        ] {
            assert_eq!(split(text).unwrap(), (outer.into(), parts), "{text}");
        }
        for text in ["[x for x]", "[x for x of a]", "[x for (x in a)]"] {
            assert!(split(text).is_err(), "{text} was taken");
        }
    }
}
