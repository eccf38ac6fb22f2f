//! The constants of a recipe, with overrides, and the values of their expressions.

mod entry;
mod table;

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use serde_json::{Map, Value};

use self::entry::Entry;
use self::table::{Table, evaluated};
use super::document::{Node, SourceLocation};
use super::expression::{Language, Scope};
use crate::text::{cut, did_you_mean, escape};

/// The constant of a family that says which of its models is built.
const HEAD: &str = "head";

/// Values in place of those of a recipe's constants.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// The values of constants that the recipe does not state.
    defaults: Map<String, Value>,
    /// The values that override those of the recipe, in order.
    given: Vec<Override>,
}

#[derive(Clone, Debug)]
enum Override {
    /// A constant that must be known.
    One(String, Value),
    /// Constants that may be unknown, such as those of a config.json.
    All(Map<String, Value>),
}

impl Overrides {
    /// Adds constants below those of the recipe, tables entry by entry.
    pub fn below(&mut self, defaults: Map<String, Value>) {
        self.defaults = defaults;
    }

    /// Overrides one known constant; `text_config.hidden_size` is an entry of a table.
    pub fn set(&mut self, name: &str, value: Value) {
        self.given.push(Override::One(name.into(), value));
    }

    /// Overrides or adds constants, tables entry by entry. A null overrides plain values only.
    pub fn merge(&mut self, values: Map<String, Value>) {
        self.given.push(Override::All(values));
    }

    /// Parses `NAME=VALUE`. A value that is not JSON is text.
    pub fn pair(text: &str) -> Result<(String, Value)> {
        let (name, value) = text.split_once('=').with_context(|| format!("`{text}` is not NAME=VALUE"))?;
        Ok((name.into(), serde_json::from_str(value).unwrap_or_else(|_| value.into())))
    }
}

/// The constants of a recipe before any value is known.
#[derive(Default)]
pub(super) struct Written<'e> {
    /// Each table `[constants]` with its file: the recipe's own, then those of the recipes that it extends.
    pub(super) tables: Vec<(&'e str, &'e Node)>,
    /// Each table `[alias]` with its file, in the same order.
    pub(super) aliases: Vec<(&'e str, &'e Node)>,
    /// The default of `head`, for a family.
    pub(super) head: Option<String>,
}

impl<'e> Written<'e> {
    /// The constants as a tree over their defaults. Their expressions use the names of the table at `base`.
    fn entries(&self, base: &Arc<str>, defaults: &Map<String, Value>) -> Result<Entry<'e>> {
        let mut entries = Entry::given(defaults.clone().into());
        if let Some(head) = &self.head {
            entries.lay(Entry::Table([(HEAD.into(), Entry::Head(head.as_str().into()))].into()));
        }
        for &(file, node) in self.tables.iter().rev() {
            let place = SourceLocation { file, line: node.line, table: "", key: "constants" };
            node.table().with_context(|| place.to_string())?;
            entries.lay(Entry::of(file, base, node, base)?);
        }
        for &(file, node) in self.aliases.iter().rev() {
            entries.alias(file, node)?;
        }
        Ok(entries)
    }
}

/// The constants of a recipe with their values.
pub(super) struct Constants {
    table: Arc<Table>,
}

impl Constants {
    /// The values of all constants. The errors of overrides name `file`.
    pub(super) fn new<'e>(
        language: &'e Language,
        file: &'e str,
        written: &Written<'e>,
        overrides: &Overrides,
    ) -> Result<Self> {
        let mut root = written.entries(&"".into(), &overrides.defaults)?;
        for over in &overrides.given {
            match over {
                Override::All(values) => root.merge(values.clone().into()),
                Override::One(name, value) => match root.find(name) {
                    Some(entry) => {
                        entry.set(value.clone()).with_context(|| format!("--set `{}`", escape(&cut(name, 60))))?;
                    }
                    None => return Err(unknown(file, name, &root)),
                },
            }
        }
        Ok(Self { table: evaluated(language, file, &root)? })
    }

    /// The scope of expressions.
    pub(super) fn scope(&self) -> Scope {
        self.table.scope()
    }

    /// The values for reports. The head of a family and second names are left out.
    pub(super) fn to_json(&self) -> Result<Map<String, Value>> {
        self.table.to_json()
    }
}

fn unknown(file: &str, name: &str, root: &Entry) -> anyhow::Error {
    let mut paths = Vec::new();
    root.paths("", &mut paths);
    let near = did_you_mean(name, paths.iter().map(String::as_str));
    anyhow!("--set `{}`: {file} has no such constant{near}", escape(&cut(name, 60)))
}
