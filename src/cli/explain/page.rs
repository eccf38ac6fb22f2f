//! The page of one thing: for people as sections, for machines as an object.

use std::io;

use serde_json::{Value, json};

use crate::cli::screen::Screen;
use crate::scheme::AnyParameter;
use crate::show::hanging;
use crate::text::cut;

/// The width of the column of section names.
const INDENT: usize = 14;

/// The longest default that is printed in full, in characters.
const LONGEST_DEFAULT: usize = 80;

/// A page on a name, from the registry that has it.
pub(super) struct Page {
    /// The registry: `scheme`, `gain`, ...
    pub(super) kind: &'static str,
    /// The name, as the registry spells it.
    pub(super) name: String,
    /// One line.
    pub(super) summary: String,
    /// The expression that a name stands for, if it is another name of something.
    pub(super) means: Option<String>,
    /// The kinds of other things with this name.
    pub(super) also: Vec<&'static str>,
    sections: Vec<(&'static str, Body)>,
}

/// The content of a section.
enum Body {
    Text(String),
    Words(Vec<String>),
    Rows(Vec<Row>),
}

/// A named part of a section.
pub(super) struct Row {
    pub(super) name: String,
    pub(super) default: Option<String>,
    pub(super) text: String,
}

impl Row {
    pub(super) fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), default: None, text: text.into() }
    }

    pub(super) fn of(parameter: &dyn AnyParameter) -> Self {
        let default = parameter.default().map(Into::into);
        Self { name: parameter.name().into(), default, text: parameter.help().into() }
    }

    /// The name, with its default if it has one. A long default is cut.
    pub(super) fn word(&self) -> String {
        match &self.default {
            Some(default) => format!("{}={}", self.name, cut(default, LONGEST_DEFAULT)),
            None => self.name.clone(),
        }
    }
}

impl Page {
    pub(super) fn new(kind: &'static str, name: impl Into<String>, summary: impl Into<String>) -> Self {
        Self { kind, name: name.into(), summary: summary.into(), means: None, also: Vec::new(), sections: Vec::new() }
    }

    /// Adds a section of text, unless it is empty.
    pub(super) fn text(&mut self, section: &'static str, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.sections.push((section, Body::Text(text)));
        }
    }

    /// Adds a list of words, unless it is empty.
    pub(super) fn words<W: Into<String>>(&mut self, section: &'static str, words: impl IntoIterator<Item = W>) {
        let words: Vec<String> = words.into_iter().map(Into::into).collect();
        if !words.is_empty() {
            self.sections.push((section, Body::Words(words)));
        }
    }

    /// Adds rows, unless there are none.
    pub(super) fn rows(&mut self, section: &'static str, rows: impl IntoIterator<Item = Row>) {
        let rows: Vec<Row> = rows.into_iter().collect();
        if !rows.is_empty() {
            self.sections.push((section, Body::Rows(rows)));
        }
    }

    pub(super) fn print(&self, screen: &mut Screen) -> io::Result<()> {
        let Self { name, summary, .. } = self;
        match &self.means {
            Some(means) => screen.line(format!("{name} is {means}"))?,
            None => paragraph(screen, &format!("{name}: {summary}"))?,
        }
        if !self.sections.is_empty() {
            screen.exact("")?;
        }
        for (section, body) in &self.sections {
            match body {
                Body::Text(text) => entry(screen, section, text)?,
                Body::Words(words) => entry(screen, section, &words.join(", "))?,
                Body::Rows(rows) => {
                    for (position, row) in rows.iter().enumerate() {
                        let section = if position == 0 { section } else { "" };
                        let colon = if row.text.is_empty() { "" } else { ": " };
                        entry(screen, section, &format!("{}{colon}{}", row.word(), row.text))?;
                    }
                }
            }
        }
        Ok(())
    }

    /// An object with `kind`, `name`, `summary`, `means` (a string, or null), `also` (other kinds with this name) and a key for each section:
    /// its name with `_` for blanks. A section is a string, a list of strings, or a list of objects with `name`, `default` (a string, or
    /// null) and `text`.
    pub(super) fn json(&self) -> Value {
        let Self { kind, name, summary, means, also, .. } = self;
        let head = json!({ "kind": kind, "name": name, "summary": summary, "means": means, "also": also });
        let mut object = head.as_object().cloned().unwrap_or_default();
        for (section, body) in &self.sections {
            let row = |row: &Row| json!({ "name": row.name, "default": row.default, "text": row.text });
            let value = match body {
                Body::Text(text) => json!(text),
                Body::Words(words) => json!(words),
                Body::Rows(rows) => rows.iter().map(row).collect(),
            };
            object.insert(section.trim_start_matches('-').replace(' ', "_"), value);
        }
        object.into()
    }
}

pub(super) fn paragraph(screen: &mut Screen, text: &str) -> io::Result<()> {
    hanging(text, screen.text_width(), 0).iter().try_for_each(|line| screen.exact(line))
}

fn entry(screen: &mut Screen, word: &str, text: &str) -> io::Result<()> {
    for (position, line) in hanging(text, screen.text_width() - INDENT, 0).iter().enumerate() {
        let word = if position == 0 { word } else { "" };
        screen.exact(format!("  {word:<12}{line}").trim_end())?;
    }
    Ok(())
}
