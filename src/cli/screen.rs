//! Text for people: the width, the characters and the colours of an output.

use std::env;
use std::io::{self, Write};
use std::os::fd::AsFd;

use clap::builder::styling::Style;
use rustix::termios::tcgetwinsize;

use super::colour::{ERROR, GOOD, HEADING, NOTE, is_coloured};
use crate::show::{Column, Lines, Table, ascii, hanging};
use crate::text::escape;

/// The width of pictures if the output has none, in columns.
const USUAL_WIDTH: usize = 80;
/// The largest width of pictures, and the smallest width of text.
const WIDEST_PICTURE: usize = 120;
/// The largest width of paragraphs.
const WIDEST_TEXT: usize = 100;
const NARROWEST: usize = 20;
/// A column without a longer cell is one of words.
const LONGEST_WORDS: usize = 16;
/// The indent of lines that continue another.
const INDENT: usize = 2;

/// Standard output or standard error, as read by people.
pub(super) struct Screen<'o> {
    out: &'o mut dyn Write,
    /// The number of columns; `None` if lines may have any length, as in a file or a pipe.
    width: Option<usize>,
    is_utf8: bool,
    is_coloured: bool,
}

impl<'o> Screen<'o> {
    /// Standard output, written through `out`.
    pub(super) fn stdout(out: &'o mut dyn Write) -> Self {
        Self { out, width: width(io::stdout()), is_utf8: is_utf8(), is_coloured: is_coloured(&io::stdout()) }
    }

    /// Standard error, written through `out`.
    pub(super) fn stderr(out: &'o mut dyn Write) -> Self {
        Self { out, width: width(io::stderr()), is_utf8: is_utf8(), is_coloured: is_coloured(&io::stderr()) }
    }

    /// The width of pictures made of characters.
    pub(super) fn picture_width(&self) -> usize {
        self.width.unwrap_or(USUAL_WIDTH).min(WIDEST_PICTURE)
    }

    /// The width of paragraphs.
    pub(super) fn text_width(&self) -> usize {
        self.width.unwrap_or(WIDEST_TEXT).min(WIDEST_TEXT)
    }

    /// Prints a line, broken between words where it exceeds the width.
    pub(super) fn line(&mut self, line: impl AsRef<str>) -> io::Result<()> {
        self.broken(line.as_ref()).iter().try_for_each(|line| self.exact(line))
    }

    /// Prints a note, which may have text from outside.
    pub(super) fn note(&mut self, note: &str) -> io::Result<()> {
        self.labelled(NOTE, &format!("note: {}", escape(note)))
    }

    /// Prints the result of a comparison: a word, a colon and the facts.
    pub(super) fn verdict(&mut self, is_good: bool, line: &str) -> io::Result<()> {
        self.labelled(if is_good { GOOD } else { ERROR }, line)
    }

    /// Prints a line with its part before the first colon in a style.
    fn labelled(&mut self, style: Style, line: &str) -> io::Result<()> {
        let lines = self.broken(line);
        let Some((first, others)) = lines.split_first() else { return Ok(()) };
        match first.split_once(':').filter(|_| self.is_coloured) {
            Some((label, text)) => self.exact(&format!("{style}{label}:{style:#}{text}"))?,
            None => self.exact(first)?,
        }
        others.iter().try_for_each(|line| self.exact(line))
    }

    fn broken(&self, line: &str) -> Vec<String> {
        hanging(line, self.width.unwrap_or(usize::MAX), INDENT)
    }

    /// Prints text as it is.
    pub(super) fn exact(&mut self, text: &str) -> io::Result<()> {
        match self.is_utf8 {
            true => writeln!(self.out, "{text}"),
            false => writeln!(self.out, "{}", ascii(text)),
        }
    }

    /// Prints rows without titles: names, then words or text.
    pub(super) fn rows(&mut self, rows: impl IntoIterator<Item = impl Into<Vec<String>>>) -> io::Result<()> {
        let rows: Vec<Vec<String>> = rows.into_iter().map(Into::into).collect();
        let is_text = |column: usize| rows.iter().any(|row| row[column].chars().count() > LONGEST_WORDS);
        let column = |number| if number > 0 && is_text(number) { Column::text("") } else { Column::words("") };
        let columns: Vec<Column> = (0..rows.first().map_or(0, Vec::len)).map(column).collect();
        self.table(&Table::new(columns, rows))
    }

    /// Prints a table in the layout that fits the width.
    pub(super) fn table(&mut self, table: &Table) -> io::Result<()> {
        let Lines { heading, rows } = table.lines(self.width.unwrap_or(usize::MAX));
        for line in heading {
            let is_coloured = self.is_coloured;
            self.exact(&if is_coloured { format!("{HEADING}{line}{HEADING:#}") } else { line })?;
        }
        rows.iter().try_for_each(|line| self.exact(line))
    }
}

/// The width of a stream: that of the environment variable COLUMNS, else of its terminal.
fn width(stream: impl AsFd) -> Option<usize> {
    let typed = env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).filter(|&columns| columns > 0);
    let of_terminal = || match tcgetwinsize(stream).ok()?.ws_col {
        0 => Some(USUAL_WIDTH),
        columns => Some(columns.into()),
    };
    typed.or_else(of_terminal).map(|columns| columns.max(NARROWEST))
}

/// True if the locale's characters are UTF-8: POSIX takes the first of these variables that is not empty.
pub(super) fn is_utf8() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(env::var_os).find(|value| !value.is_empty());
    let name = locale.unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    name.contains("utf-8") || name.contains("utf8")
}
