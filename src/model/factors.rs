//! Refuses to repeat lists in expressions. The engine repeats them lazily and counts only the outermost list, so three nested lists
//! could have 10^9 items that no limit sees.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind};

/// The filter that checks each factor.
pub(super) const FACTOR: &str = "__factor";

/// Errors if a factor is a list.
pub(super) fn factor(value: Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            Err(Error::new(ErrorKind::InvalidOperation, "a list cannot be repeated: write out its items"))
        }
        _ => Ok(value),
    }
}

/// The expression with the filter on both sides of each `*`.
pub(super) fn with_checked_factors(text: &str) -> String {
    let (mut checked, mut ends, mut place) = (String::with_capacity(text.len()), Vec::new(), 0);
    let bytes = text.as_bytes();
    while place < bytes.len() {
        let next = if matches!(bytes[place], b'\'' | b'"') { after_text(bytes, place) } else { place + 1 };
        if bytes[place] == b'*' {
            let before = text[..place].trim_end();
            // Here `*` unpacks a list into the arguments of a function.
            if !before.ends_with(['(', ',']) {
                ends.extend([before.len(), after_operand(bytes, next)]);
            }
        }
        place = next;
    }
    ends.sort_unstable();
    let mut begin = 0;
    for end in ends {
        checked.push_str(&text[begin..end]);
        checked.push('|');
        checked.push_str(FACTOR);
        begin = end;
    }
    checked + &text[begin..]
}

/// The position after the quoted text.
pub(super) fn after_text(bytes: &[u8], begin: usize) -> usize {
    let mut place = begin + 1;
    while place < bytes.len() && bytes[place] != bytes[begin] {
        place += if bytes[place] == b'\\' { 2 } else { 1 };
    }
    (place + 1).min(bytes.len())
}

/// The position after an operand with its attributes and filters: `-x.y[0](1)|int`.
fn after_operand(bytes: &[u8], begin: usize) -> usize {
    let mut place = after_blanks(bytes, begin);
    while bytes.get(place).is_some_and(|byte| matches!(byte, b'-' | b'+')) {
        place = after_blanks(bytes, place + 1);
    }
    let mut end = after_part(bytes, place);
    loop {
        place = after_blanks(bytes, end);
        end = match bytes.get(place) {
            Some(b'.' | b'|') => after_part(bytes, after_blanks(bytes, place + 1)),
            Some(b'[' | b'(') => after_part(bytes, place),
            _ => return end,
        };
    }
}

/// The position of the next character that is not blank.
pub(super) fn after_blanks(bytes: &[u8], begin: usize) -> usize {
    begin + bytes[begin..].iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// The position after a word, a number, a string or brackets.
pub(super) fn after_part(bytes: &[u8], begin: usize) -> usize {
    match bytes.get(begin) {
        Some(b'\'' | b'"') => after_text(bytes, begin),
        Some(b'(' | b'[' | b'{') => after_brackets(bytes, begin),
        _ => {
            let mut place = begin;
            while let Some(byte) = bytes.get(place) {
                let exponent = matches!(byte, b'-' | b'+')
                    && bytes[begin].is_ascii_digit()
                    && matches!(bytes[place - 1], b'e' | b'E');
                let point = *byte == b'.' && bytes[begin].is_ascii_digit();
                if !(byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii() || exponent || point) {
                    break;
                }
                place += 1;
            }
            place
        }
    }
}

/// The position after the closing bracket.
pub(super) fn after_brackets(bytes: &[u8], begin: usize) -> usize {
    let (mut place, mut depth) = (begin, 0);
    while let Some(byte) = bytes.get(place) {
        match byte {
            b'\'' | b'"' => {
                place = after_text(bytes, place);
                continue;
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            _ => {}
        }
        place += 1;
        if depth == 0 {
            break;
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_of_a_product_are_checked_and_nothing_else_is() {
        for (text, expected) in [
            ("a*b", "a!*b!"),
            ("4 * hidden", "4! * hidden!"),
            ("a * b * c", "a! * b!! * c!"),
            ("2 * -x.y[0](1)|int + 1", "2! * -x.y[0](1)|int! + 1"),
            ("[3*a, b]", "[3!*a!, b]"),
            ("2 * ([1] * 3)", "2! * ([1]! * 3!)!"),
            ("'a*b' ~ \"c\\\"*d\"", "'a*b' ~ \"c\\\"*d\""),
            ("max(*list, 2*'*')", "max(*list, 2!*'*'!)"),
            ("1.5e-3*é", "1.5e-3!*é!"),
            ("2 * x | list", "2! * x | list!"),
            ("2 *", "2! *!"),
        ] {
            assert_eq!(with_checked_factors(text), expected.replace('!', "|__factor"));
        }
    }
}
