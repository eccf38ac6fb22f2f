//! A recipe as a tree, from TOML or JSON. Every value has its line.

use std::fmt;
use std::path::Path;

use anyhow::{Context, Error, Result, anyhow, bail, ensure};
use serde_json::Number;
use serde_json::value::RawValue;
use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use crate::text::Unique;
use crate::text::{cut, escape};

/// The longest recipe, in bytes.
pub const MAX_LENGTH: u64 = 16 << 20;
/// The deepest nesting of tables and lists.
const MAX_DEPTH: usize = 32;

/// The language of a recipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// TOML.
    Toml,
    /// The same tree as JSON.
    Json,
}

impl Syntax {
    /// The extensions of recipes and configurations.
    pub const EXTENSIONS: [&str; 2] = [Self::JSON, "toml"];
    const JSON: &str = "json";

    /// The syntax of a file: JSON if its extension is JSON's, or if it starts with a brace.
    pub fn of(name: &str, text: &str) -> Self {
        match Path::new(name).extension().is_some_and(|extension| extension == Self::JSON)
            || text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).starts_with('{')
        {
            true => Self::Json,
            false => Self::Toml,
        }
    }
}

/// The text of a recipe.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    /// The name of the file, for messages.
    pub shown_name: &'a str,
    /// The content.
    pub content: &'a str,
    /// The language.
    pub syntax: Syntax,
    /// The path of the file, if it is one. Paths in the recipe are relative to its folder.
    pub path: Option<&'a Path>,
}

/// A value and its line.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) value: Value,
}

/// A value of a recipe.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    /// In the order of the text.
    Table(Vec<(String, Node)>),
}

impl Value {
    /// The kind of value, for a message.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a truth value",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

impl Node {
    /// A table without entries.
    pub(super) fn empty() -> Self {
        Self { line: 1, value: Value::Table(Vec::new()) }
    }

    /// The entries of a table. Errors if it is something else.
    pub(super) fn table(&self) -> Result<&[(String, Node)]> {
        match &self.value {
            Value::Table(entries) => Ok(entries),
            other => bail!("it must be a table, not {}", other.kind()),
        }
    }

    /// The entry of a table.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Table(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, node)| node),
            _ => None,
        }
    }

    /// The items of a list; none of anything else.
    pub(super) fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The place of this value under a key.
    pub(super) fn place<'a>(&self, file: &'a str, table: &'a str, key: &'a str) -> SourceLocation<'a> {
        SourceLocation { file, line: self.line, table, key }
    }

    /// The value without lines.
    pub(super) fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(truth) => (*truth).into(),
            Value::Number(number) => number.clone().into(),
            Value::Text(text) => text.as_str().into(),
            Value::List(items) => items.iter().map(Self::to_json).collect(),
            Value::Table(entries) => entries.iter().map(|(key, node)| (key.clone(), node.to_json())).collect(),
        }
    }
}

/// The place of a key in a recipe, as messages name it: `recipe.toml:12: [tensors] ...`.
#[derive(Clone, Copy)]
pub(super) struct SourceLocation<'a> {
    pub(super) file: &'a str,
    pub(super) line: usize,
    pub(super) table: &'a str,
    pub(super) key: &'a str,
}

impl fmt::Display for SourceLocation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, table, key } = self;
        write!(f, "{file}:{line}")?;
        let separator = if table.is_empty() && key.is_empty() { "" } else { ":" };
        f.write_str(separator)?;
        if !table.is_empty() {
            write!(f, " [{table}]")?;
        }
        if !key.is_empty() {
            write!(f, " `{}`", escape(&cut(key, 60)))?;
        }
        Ok(())
    }
}

/// Reads a recipe's text.
pub(super) fn read(recipe: &Text) -> Result<Node> {
    let Text { shown_name, content: text, syntax, .. } = *recipe;
    ensure!(text.len() as u64 <= MAX_LENGTH, "{shown_name}: {} bytes: at most 16 MiB are allowed", text.len());
    // Some editors put a byte order mark before UTF-8.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = Lines::of(text);
    match syntax {
        Syntax::Toml => {
            let root = DeTable::parse(text).map_err(|error| toml_error(shown_name, &lines, &error))?;
            let root = DeValue::Table(root.into_inner());
            from_toml(&root, 1, 0, &lines).map_err(|Misplaced { line, error }| at(shown_name, line, error))
        }
        Syntax::Json => {
            let raw: &RawValue = serde_json::from_str(text).map_err(|error| json_error(shown_name, 1, &error))?;
            let reading = Json { file: shown_name, text, lines: &lines };
            reading.node(raw.get(), 0)
        }
    }
}

fn at(file: &str, line: usize, error: Error) -> Error {
    error.context(SourceLocation { file, line, table: "", key: "" }.to_string())
}

fn toml_error(file: &str, lines: &Lines, error: &toml::de::Error) -> Error {
    let line = error.span().map_or(1, |span| lines.line(span.start));
    at(file, line, anyhow!("not TOML: {}", escape(&error.message().replace('\n', ", "))))
}

/// An error of the parser, whose lines count from `first`.
fn json_error(file: &str, first: usize, error: &serde_json::Error) -> Error {
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    at(file, first + error.line().max(1) - 1, anyhow!("not JSON: {}", escape(message)))
}

/// The positions of line ends.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(position, _)| position).collect())
    }

    /// The line of a byte, from 1.
    fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|&end| end < offset) + 1
    }
}

/// An error with its line, but without its file.
struct Misplaced {
    line: usize,
    error: Error,
}

fn from_toml(value: &DeValue, line: usize, depth: usize, lines: &Lines) -> Result<Node, Misplaced> {
    let misplaced = |error| Misplaced { line, error };
    if depth > MAX_DEPTH {
        return Err(misplaced(too_deep()));
    }
    let value = match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(digits) => Value::Number(integer(digits).map_err(misplaced)?),
        DeValue::Float(digits) => {
            let number = digits.as_str().parse().ok().and_then(Number::from_f64);
            let error = || misplaced(anyhow!("`{}` is not a finite number", cut(digits.as_str(), 40)));
            Value::Number(number.ok_or_else(error)?)
        }
        DeValue::Boolean(truth) => Value::Bool(*truth),
        DeValue::Datetime(date) => return Err(misplaced(anyhow!("`{date}` is a date: dates are not supported"))),
        DeValue::Array(items) => {
            let items =
                items.iter().map(|item| from_toml(item.as_ref(), lines.line(item.span().start), depth + 1, lines));
            Value::List(items.collect::<Result<_, _>>()?)
        }
        DeValue::Table(table) => {
            let mut entries: Vec<(&Spanned<_>, &Spanned<DeValue>)> = table.iter().collect();
            entries.sort_by_key(|(key, _)| key.span().start);
            let entries = entries.into_iter().map(|(key, value)| {
                let node = from_toml(value.as_ref(), lines.line(key.span().start), depth + 1, lines)?;
                Ok((key.as_ref().to_string(), node))
            });
            Value::Table(entries.collect::<Result<_, _>>()?)
        }
    };
    Ok(Node { line, value })
}

fn integer(digits: &DeInteger) -> Result<Number> {
    let (text, radix) = (digits.as_str(), digits.radix());
    let number = i64::from_str_radix(text, radix).map(Number::from);
    let number = number.or_else(|_| u64::from_str_radix(text, radix).map(Number::from));
    number.ok().with_context(|| format!("`{}` has more than 64 bits", cut(text, 40)))
}

fn too_deep() -> Error {
    anyhow!("tables and lists are nested more than {MAX_DEPTH} deep")
}

/// A reader of JSON that keeps the line of each value.
struct Json<'a> {
    file: &'a str,
    text: &'a str,
    lines: &'a Lines,
}

impl<'a> Json<'a> {
    fn node(&self, raw: &'a str, depth: usize) -> Result<Node> {
        // A raw value is a slice of the text.
        let line = self.lines.line(raw.as_ptr() as usize - self.text.as_ptr() as usize);
        let misplaced = |error| at(self.file, line, error);
        let not_json = |error: serde_json::Error| json_error(self.file, line, &error);
        ensure!(depth <= MAX_DEPTH, misplaced(too_deep()));
        let value = match raw.as_bytes().first() {
            Some(b'{') => {
                let Unique(entries) = serde_json::from_str::<Unique<&RawValue>>(raw).map_err(not_json)?;
                let entries = entries.into_iter().map(|(key, value)| Ok((key, self.node(value.get(), depth + 1)?)));
                Value::Table(entries.collect::<Result<_>>()?)
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(raw).map_err(not_json)?;
                Value::List(items.into_iter().map(|item| self.node(item.get(), depth + 1)).collect::<Result<_>>()?)
            }
            _ => match serde_json::from_str(raw).map_err(not_json)? {
                serde_json::Value::Null => Value::Null,
                serde_json::Value::Bool(truth) => Value::Bool(truth),
                serde_json::Value::Number(number) => Value::Number(number),
                serde_json::Value::String(text) => Value::Text(text),
                // Lists and tables start with a bracket or brace.
                _ => return Err(misplaced(anyhow!("not JSON"))),
            },
        };
        Ok(Node { line, value })
    }
}
