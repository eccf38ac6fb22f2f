//! Makes external text (names, metadata, arguments) safe to show, and formats numbers.

mod unique;

use std::fmt::{Display, Write as _};
use std::io;
use std::path::Path;

pub(crate) use unique::Unique;

/// True if a character is visible: no control or bidirectional character, none that Unicode lets a reader ignore
/// (`Default_Ignorable_Code_Point`), and no noncharacter, which XML forbids.
#[inline]
pub fn is_visible(character: char) -> bool {
    matches!(character, ' '..='~') || is_visible_beyond_ascii(character)
}

fn is_visible_beyond_ascii(character: char) -> bool {
    !character.is_control()
        && !matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fdd0}'..='\u{fdef}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
        && character as u32 & 0xfffe != 0xfffe
}

/// A path between backticks.
pub fn shown(path: &Path) -> String {
    format!("`{}`", path.display())
}

/// The text, with `\u{...}` for every character that could move or deceive a terminal.
pub fn escape(text: &str) -> String {
    if text.chars().all(is_visible) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_visible(character) {
            shown.push(character);
        } else {
            let _ = write!(shown, "\\u{{{:x}}}", character as u32);
        }
    }
    shown
}

/// JSON on one line, with `\uXXXX` for every character that could move or deceive a terminal. The meaning is the same, since such
/// characters occur only in strings.
pub fn json_line(json: &impl Display) -> String {
    let json = json.to_string();
    let mut line = String::with_capacity(json.len());
    for character in json.chars() {
        if is_visible(character) {
            line.push(character);
            continue;
        }
        for half in character.encode_utf16(&mut [0; 2]) {
            let _ = write!(line, "\\u{half:04x}");
        }
    }
    line
}

/// The chain of an error on one line. Numbers of system errors are omitted, because their text says the same.
pub fn one_line(error: &anyhow::Error) -> String {
    let codes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()?.raw_os_error());
    codes.fold(format!("{error:#}"), |line, code| line.replace(&format!(" (os error {code})"), ""))
}

/// The first `most` characters of a text, with `...` if it is longer.
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.into(),
    }
}

/// True if a name matches a pattern: `*` for any characters, `?` for one.
pub fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut met) = (0, 0);
    // The last star, and the length of the name that it matches so far.
    let mut star = None;
    while met < name.len() {
        if pattern.get(at) == Some(&'*') {
            star = Some((at, met));
            at += 1;
        } else if pattern.get(at).is_some_and(|&wanted| wanted == '?' || wanted == name[met]) {
            at += 1;
            met += 1;
        } else if let Some((place, from)) = star {
            star = Some((place, from + 1));
            (at, met) = (place + 1, from + 1);
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|&rest| rest == '*')
}

/// The candidate nearest to a mistyped word, if one is close enough.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near_enough = |distance: usize, candidate: &str| distance <= 1 + candidate.len().min(word.len()) / 4;
    candidates
        .into_iter()
        // The lengths bound the distance from below, and an argument may be as long as a book.
        .filter(|candidate| near_enough(candidate.chars().count().abs_diff(word.chars().count()), candidate))
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .min()
        .filter(|&(distance, candidate)| near_enough(distance, candidate))
        .map(|(_, candidate)| candidate)
}

/// Words as alternatives: `a, b or c`.
pub fn alternatives(words: &[impl AsRef<str>]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

/// `; did you mean ...?`, or nothing if no candidate is close.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default()
}

/// `; did you mean ...?`, or the command that lists the candidates if none is near.
pub fn did_you_mean_or_list<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>, what: &str) -> String {
    did_you_mean_or(word, candidates, &format!("fanin list {what}"))
}

/// `; did you mean ...?`, or the command that shows the candidates if none is near.
pub fn did_you_mean_or<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>, command: &str) -> String {
    let near = did_you_mean(word, candidates);
    if near.is_empty() { format!("; `{command}` shows all") } else { near }
}

/// A number of bytes for people: `802,944 bytes`, `1.00 GiB`.
pub fn bytes(count: u64) -> String {
    let units = [("TiB", 40), ("GiB", 30), ("MiB", 20)];
    match units.iter().find(|(_, bits)| count >> bits > 0) {
        #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
        Some((unit, bits)) => format!("{:.2} {unit}", count as f64 / (1u64 << bits) as f64),
        None => format!("{} bytes", grouped(count)),
    }
}

/// A count with thousands separators: `802,944`.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun: `1 tensor`, `1,024 tensors`.
pub fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// A number for people, with six significant digits: `0.0759555`, `1.5e-12`.
pub fn figure(value: f64) -> String {
    let magnitude = value.abs();
    if value == 0.0 || (1e-4..1e7).contains(&magnitude) {
        let decimals = (5.0 - magnitude.max(1e-4).log10().floor()).clamp(0.0, 10.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 10")]
        let text = format!("{value:.*}", decimals as usize);
        return match text.contains('.') {
            true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
            false => text,
        };
    }
    let text = format!("{value:.5e}");
    match text.split_once('e') {
        Some((digits, exponent)) if digits.contains('.') => {
            format!("{}e{exponent}", digits.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => text,
    }
}

/// A number for people, with at most that many significant digits, up to six.
pub fn rounded(value: f64, digits: usize) -> String {
    let decimals = digits.saturating_sub(1);
    figure(format!("{value:.decimals$e}").parse().unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_no_numbers_of_system_errors() {
        let error = anyhow::Error::from(io::Error::from_raw_os_error(2)).context("`w.npy`");
        assert_eq!(one_line(&error), "`w.npy`: No such file or directory");
    }

    #[test]
    fn escapes_what_moves_a_terminal() {
        assert_eq!(escape("a\u{1b}[2J\nb\u{202e}"), "a\\u{1b}[2J\\u{a}b\\u{202e}");
        assert_eq!(escape("ünïcode\u{fffd}"), "ünïcode\u{fffd}");
        // Two names that look the same are two names: a joiner, a filler, a selector, a note without a head.
        assert_eq!(
            escape("\u{34f}\u{3164}\u{fe0f}\u{e0100}\u{1d173}"),
            "\\u{34f}\\u{3164}\\u{fe0f}\\u{e0100}\\u{1d173}"
        );
        assert_eq!(escape("\u{fffe}\u{ffff}\u{1ffff}\u{fdd0}"), "\\u{fffe}\\u{ffff}\\u{1ffff}\\u{fdd0}");
    }

    #[test]
    fn json_keeps_its_meaning_in_visible_characters() {
        let value = serde_json::json!({ "a\u{202e}b": "\u{7f}\u{9b}\u{e0041}\u{feff}\n\"é" });
        let line = json_line(&value);
        assert!(line.chars().all(is_visible), "{line}");
        assert!(line.contains("\\u202e") && line.contains("\\udb40\\udc41") && line.contains('é'), "{line}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&line).unwrap(), value);
    }

    #[test]
    fn alternatives_end_with_or() {
        assert_eq!(alternatives(&["a"]), "a");
        assert_eq!(alternatives(&["a", "b"]), "a or b");
        assert_eq!(alternatives(&["a", "b", "c"]), "a, b or c");
    }

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, matched) in [
            ("*", "", true),
            ("*.bias", "a.b.bias", true),
            ("*.bias", "a.bias.b", false),
            ("h.?.w*", "h.1.weight", true),
            ("h.?.w*", "h.10.weight", false),
            ("a*b*c", "axxbxbyc", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, name), matched, "{pattern} {name}");
        }
    }

    #[test]
    fn figures_are_short() {
        for (value, text) in
            [(0.0, "0"), (1.0, "1"), (0.075_955_45, "0.0759554"), (1.5e-12, "1.5e-12"), (-784.0, "-784"), (1e9, "1e9")]
        {
            assert_eq!(figure(value), text);
        }
    }

    #[test]
    fn rounded_figures_have_few_digits() {
        for (value, text) in [(0.012_345, "0.0123"), (99.96, "100"), (-1.2345e-9, "-1.23e-9"), (f64::NAN, "NaN")] {
            assert_eq!(rounded(value, 3), text);
        }
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!(bytes(802_944), "802,944 bytes");
        assert_eq!(bytes(1 << 30), "1.00 GiB");
        assert_eq!(grouped(7), "7");
        assert_eq!((counted(1, "tensor"), counted(1024, "tensor")), ("1 tensor".into(), "1,024 tensors".into()));
    }

    #[test]
    fn only_near_words_are_proposed() {
        assert_eq!(nearest("glorot-unifrom", ["zeros", "glorot-uniform"]), Some("glorot-uniform"));
        assert_eq!(nearest("qqqq", ["zeros", "glorot-uniform"]), None);
    }
}
