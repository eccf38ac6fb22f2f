//! Splits lines into records in bounded memory: delimited fields, optionally quoted.

use std::borrow::Cow;
use std::io::{BufRead, Read};
use std::ops::Range;
use std::str::FromStr;

use anyhow::{Context, Result, anyhow, ensure};

use crate::tensor::to_usize;
use crate::text;

/// Delimiter between fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delimiter {
    /// Guess the delimiter from the first lines.
    #[default]
    Auto,
    /// Any number of spaces and tabs.
    Blanks,
    /// A single-byte delimiter.
    Byte(u8),
}

/// Delimiters that [`Delimiter::Auto`] tries, in order. Semicolons come before commas, which may be decimal commas.
const CANDIDATES: &[u8] = b";\t,|";

impl FromStr for Delimiter {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        if let Some((_, delimiter)) = Self::WORDS.iter().find(|(word, _)| *word == text) {
            return Ok(*delimiter);
        }
        Ok(match (text, text.as_bytes()) {
            (" ", _) => Self::Blanks,
            ("\\t", _) => Self::Byte(b'\t'),
            (_, &[byte])
                if byte == b'\t'
                    || byte.is_ascii_punctuation() && !matches!(byte, b'"' | b'#' | b'.' | b'+' | b'-') =>
            {
                Self::Byte(byte)
            }
            _ => return Err(anyhow!("use one character such as `;`, or `tab`, `space` or `auto`")),
        })
    }
}

impl Delimiter {
    /// The delimiters that have a name.
    pub const WORDS: &[(&str, Self)] = &[
        ("auto", Self::Auto),
        ("space", Self::Blanks),
        ("tab", Self::Byte(b'\t')),
        ("comma", Self::Byte(b',')),
        ("semicolon", Self::Byte(b';')),
    ];

    /// Resolves [`Delimiter::Auto`] from the first bytes of a file. A character qualifies if every line has the same
    /// number of occurrences.
    pub(super) fn or_guessed(self, opening: &[u8]) -> Self {
        if self != Self::Auto {
            return self;
        }
        let mut lines: Vec<&[u8]> = opening.split(|&byte| byte == b'\n').collect();
        if let Some(delimiter) = stated(lines[0]) {
            return Self::Byte(delimiter);
        }
        // The last line may continue after these bytes.
        if lines.len() > 1 {
            lines.pop();
        }
        lines.retain(|line| !is_passed_over(line));
        let counts = |byte: u8| lines.iter().map(move |line| outside_of_quotes(line, byte));
        let same = |byte: &&u8| {
            let first = counts(**byte).next().unwrap_or(0);
            first > 0 && counts(**byte).all(|count| count == first)
        };
        let found = CANDIDATES.iter().find(same);
        // Tabs whose number differs between lines count as blanks.
        let uneven = |byte: &&u8| **byte != b'\t' && counts(**byte).any(|count| count > 0);
        let found = found.or_else(|| CANDIDATES.iter().find(uneven));
        found.map_or(Self::Blanks, |&byte| Self::Byte(byte))
    }
}

fn outside_of_quotes(line: &[u8], byte: u8) -> usize {
    line.split(|&byte| byte == b'"').step_by(2).flatten().filter(|&&other| other == byte).count()
}

/// Delimiter declared by a first line such as `sep=;`, which Excel reads and writes.
fn stated(line: &[u8]) -> Option<u8> {
    let rest = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).strip_prefix(b"sep=")?;
    match rest.strip_suffix(b"\r").unwrap_or(rest) {
        &[delimiter] => Some(delimiter),
        _ => None,
    }
}

/// True for a blank or comment line.
fn is_passed_over(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    line.is_empty() || line[0] == b'#'
}

pub(super) struct Records<R> {
    source: R,
    delimiter: Delimiter,
    /// Largest length of a record, in bytes.
    longest: u64,
    /// Bytes of the current record.
    record: Vec<u8>,
    fields: Fields,
    /// Number of the record's first line, from 1.
    pub(super) line: u64,
    /// Number of lines read.
    lines: u64,
}

impl<R: BufRead> Records<R> {
    pub(super) fn new(source: R, delimiter: Delimiter, longest: u64) -> Self {
        Self { source, delimiter, longest, record: Vec::new(), fields: Fields::default(), line: 0, lines: 0 }
    }

    /// Advances to the next record, skipping blank lines and comments; `false` at the end.
    pub(super) fn next(&mut self) -> Result<bool> {
        loop {
            self.record.clear();
            self.line = self.lines + 1;
            if !self.take_line()? {
                return Ok(false);
            }
            if self.line == 1 && self.record.starts_with(b"\xef\xbb\xbf") {
                self.record.drain(..3);
            }
            let is_statement =
                self.line == 1 && stated(self.record.strip_suffix(b"\n").unwrap_or(&self.record)).is_some();
            if !is_statement && !is_passed_over(&self.record) {
                break;
            }
        }
        self.fields.begin();
        while !self.fields.split(&self.record, self.delimiter) {
            let line = self.line;
            ensure!(self.take_line()?, "line {line}: a quote (\") is not closed");
        }
        Ok(true)
    }

    /// Appends the next line; `false` at the end of the text.
    fn take_line(&mut self) -> Result<bool> {
        let room = self.longest - self.record.len() as u64;
        let read = (&mut self.source).take(room + 1).read_until(b'\n', &mut self.record).context("cannot be read")?;
        ensure!(
            self.record.len() as u64 <= self.longest,
            "line {} is longer than {}: close any open quote (\"), or raise --max-memory",
            self.line,
            text::bytes(self.longest)
        );
        self.lines += 1;
        Ok(read > 0)
    }

    pub(super) fn width(&self) -> usize {
        self.fields.places.len()
    }

    /// A field of the record, without quotes or surrounding blanks.
    pub(super) fn field(&self, number: usize) -> Cow<'_, str> {
        let place = &self.fields.places[number];
        let field = String::from_utf8_lossy(&self.record[to_usize(place.start.into())..to_usize(place.end.into())]);
        let Some(inner) = field.trim().strip_prefix('"').and_then(|field| field.strip_suffix('"')) else {
            return match field {
                Cow::Borrowed(field) => field.trim().into(),
                Cow::Owned(field) => field.trim().to_string().into(),
            };
        };
        inner.trim().replace("\"\"", "\"").into()
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = Cow<'_, str>> {
        (0..self.width()).map(|number| self.field(number))
    }
}

/// Positions of a record's fields, found incrementally as lines are appended.
#[derive(Default)]
struct Fields {
    places: Vec<Range<u32>>,
    /// Start of the incomplete field.
    start: usize,
    /// Number of bytes scanned.
    at: usize,
    /// True if the incomplete field began with a quote.
    is_quoted: bool,
    in_quotes: bool,
}

impl Fields {
    fn begin(&mut self) {
        self.places.clear();
        (self.start, self.at, self.is_quoted, self.in_quotes) = (0, 0, false, false);
    }

    /// Scans to the end of the record; `false` if that end lies inside quotes.
    fn split(&mut self, record: &[u8], delimiter: Delimiter) -> bool {
        while self.at < record.len() {
            let byte = record[self.at];
            if self.in_quotes {
                // A doubled quote is a literal one: the second quote reopens the field.
                self.in_quotes = byte != b'"';
            } else if byte == b'"' && self.opens(record) {
                (self.is_quoted, self.in_quotes) = (true, true);
            } else if let Delimiter::Byte(delimiter) = delimiter {
                if byte == delimiter {
                    self.end_field();
                }
            } else if byte.is_ascii_whitespace() {
                self.end_word();
            } else if byte == b'#' && self.start == self.at {
                self.start = record.len();
                self.at = record.len();
                break;
            }
            self.at += 1;
        }
        if !self.in_quotes {
            match delimiter {
                Delimiter::Byte(_) => self.end_field(),
                _ => self.end_word(),
            }
        }
        !self.in_quotes
    }

    /// True if a quote outside quotes opens a quoted part: at the start of a field, or right after a closing quote.
    fn opens(&self, record: &[u8]) -> bool {
        let before = &record[self.start..self.at];
        if self.is_quoted { before.ends_with(b"\"") } else { before.iter().all(u8::is_ascii_whitespace) }
    }

    fn end_field(&mut self) {
        // Records have at most 2^24 bytes.
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.places.push(place(self.start)..place(self.at));
        (self.start, self.is_quoted) = (self.at + 1, false);
    }

    /// Ends the current field, if one has begun.
    fn end_word(&mut self) {
        match self.start < self.at {
            true => self.end_field(),
            false => self.start = self.at + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str, delimiter: Delimiter) -> Result<Vec<Vec<String>>> {
        let mut records = Records::new(text.as_bytes(), delimiter.or_guessed(text.as_bytes()), 1000);
        let mut all = Vec::new();
        while records.next()? {
            all.push(records.fields().map(Cow::into_owned).collect());
        }
        Ok(all)
    }

    #[test]
    fn fields_are_told_apart_by_any_delimiter() {
        for text in ["1,2\n3,4\n", "1;2\r\n3;4", "1\t2\n3\t4\n", "1 2\n3  4 \n", " 1\t 2\n3 4 # so\n", "1|2\n3|4\n"] {
            assert_eq!(records(text, Delimiter::Auto).unwrap(), [["1", "2"], ["3", "4"]], "{text:?}");
        }
        assert_eq!(records("1,5;2,5\n1;2\n", Delimiter::Auto).unwrap(), [["1,5", "2,5"], ["1", "2"]]);
        assert_eq!(records("\u{feff}# a\n\n1, 2\n", Delimiter::Auto).unwrap(), [["1", "2"]]);
        for text in ["sep=;\r\n1;2\r\n", "\u{feff}sep=|\n1|2\n", "sep=\t\n1\t2\n"] {
            assert_eq!(records(text, Delimiter::Auto).unwrap(), [["1", "2"]], "{text:?}");
        }
    }

    #[test]
    fn quotes_hold_delimiters_quotes_and_lines() {
        let text = "\"a,\"\"b\",1\n \"c\nd\" ,2\n5\"\" pipe,3\n\"\",\"4\"\n";
        let all = records(text, Delimiter::Byte(b',')).unwrap();
        assert_eq!(all, [["a,\"b", "1"], ["c\nd", "2"], ["5\"\" pipe", "3"], ["", "4"]]);
        assert_eq!(records("\"a b\" 1\n", Delimiter::Blanks).unwrap(), [["a b", "1"]]);
        assert!(records("1,\"2\n3,4\n", Delimiter::Byte(b',')).unwrap_err().to_string().contains("line 1"));
    }

    #[test]
    fn a_record_that_grows_too_long_is_refused() {
        for text in ["1,".repeat(600), format!("1,\"{}", "2\n".repeat(600))] {
            assert!(records(&text, Delimiter::Auto).is_err());
        }
    }
}
