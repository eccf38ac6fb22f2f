//! Constants before their expressions are evaluated.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};

use crate::model::document::{self, Node, SourceLocation};
use crate::model::expression::is_name;

/// A constant, or a table of constants.
pub(super) enum Entry<'e> {
    Table(BTreeMap<String, Self>),
    /// From a recipe, with the path of the table whose names its expressions use.
    Written(&'e str, &'e Node, Arc<str>),
    /// From an override, or a default without expressions.
    Given(Value),
    /// The head of a family, which is no key of its configuration.
    Head(Value),
    /// A second name for the constant of the same table at a path.
    Alias(&'e str, SourceLocation<'e>),
}

impl<'e> Entry<'e> {
    /// The constants of a table, whose expressions use the names of the table at `base`.
    pub(super) fn of(file: &'e str, path: &str, node: &'e Node, base: &Arc<str>) -> Result<Self> {
        let document::Value::Table(entries) = &node.value else {
            return Ok(Self::Written(file, node, Arc::clone(base)));
        };
        let mut table = BTreeMap::new();
        for (key, node) in entries {
            let path = joined(path, key);
            let place = SourceLocation { file, line: node.line, table: "constants", key: &path };
            let rule = "a name has letters, digits and underscores, and is not a word or function of expressions";
            ensure!(is_name(key), "{place}: {rule}");
            table.insert(key.clone(), Self::of(file, &path, node, base)?);
        }
        Ok(Self::Table(table))
    }

    pub(super) fn given(value: Value) -> Self {
        match value {
            Value::Object(entries) => {
                Self::Table(entries.into_iter().map(|(key, value)| (key, Self::given(value))).collect())
            }
            value => Self::Given(value),
        }
    }

    /// Lays other constants over these, tables entry by entry.
    pub(super) fn lay(&mut self, over: Self) {
        match (self, over) {
            (Self::Table(table), Self::Table(entries)) => {
                for (key, over) in entries {
                    match table.get_mut(&key) {
                        Some(entry) => entry.lay(over),
                        None => drop(table.insert(key, over)),
                    }
                }
            }
            (entry, over) => *entry = over,
        }
    }

    /// Adds second names of constants.
    pub(super) fn alias(&mut self, file: &'e str, node: &'e Node) -> Result<()> {
        let whole = SourceLocation { file, line: node.line, table: "", key: "alias" };
        for (name, target) in node.table().with_context(|| whole.to_string())? {
            let place = SourceLocation { file, line: target.line, table: "alias", key: name };
            let document::Value::Text(path) = &target.value else {
                bail!("{place}: it must be the name of a constant, not {}", target.value.kind());
            };
            ensure!(is_name(name), "{place}: use letters, digits and underscores, and no word of expressions");
            ensure!(self.find(path).is_some(), "{place}: `{path}` is not a constant");
            let Self::Table(table) = self else { continue };
            if let Some(Self::Alias(first, _)) = table.get(path) {
                bail!("{place}: `{path}` is a second name: use `{first}`");
            }
            ensure!(
                table.get(name).is_none_or(|entry| matches!(entry, Self::Alias(..))),
                "{place}: it is a constant already"
            );
            table.insert(name.clone(), Self::Alias(path, place));
        }
        Ok(())
    }

    /// Replaces the value; merges tables entry by entry. A null replaces plain values only, since expressions compute what is missing.
    pub(super) fn merge(&mut self, value: Value) {
        match (self, value) {
            (Self::Table(_) | Self::Head(_) | Self::Alias(..), Value::Null) => {}
            (Self::Written(_, node, _), Value::Null) if matches!(node.value, document::Value::Text(_)) => {}
            (entry @ Self::Table(_), Value::Object(entries)) => {
                let is_second = |key: &str| matches!(entry.get(key), Some(Self::Alias(..)));
                let (second, first): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(key, _)| is_second(key));
                // The value of a first name is merged over that of a second one.
                for (key, value) in second {
                    if let Some(target) = entry.find(&key) {
                        target.merge(value);
                    }
                }
                let Self::Table(table) = entry else { return };
                for (key, value) in first {
                    match table.get_mut(&key) {
                        Some(entry) => entry.merge(value),
                        None => drop(table.insert(key, Self::given(value))),
                    }
                }
            }
            (entry @ Self::Head(_), value) => *entry = Self::Head(value),
            (entry, value) => *entry = Self::given(value),
        }
    }

    /// Replaces the value with one from `--set`.
    pub(super) fn set(&mut self, value: Value) -> Result<()> {
        let is_number = match self {
            Self::Written(_, node, _) => matches!(node.value, document::Value::Number(_)),
            Self::Given(given) => given.is_number(),
            Self::Head(_) | Self::Alias(..) => false,
            Self::Table(_) => {
                ensure!(value.is_object(), "it is a table: `NAME.KEY=VALUE` sets an entry");
                self.merge(value);
                return Ok(());
            }
        };
        let kind = if value.is_string() { "text" } else { "a truth value" };
        ensure!(
            !is_number || !(value.is_string() || value.is_boolean()),
            "it must be a number, but `{value}` is {kind}"
        );
        *self = if matches!(self, Self::Head(_)) { Self::Head(value) } else { Self::given(value) };
        Ok(())
    }

    /// The entry at a path, by its first name.
    pub(super) fn find(&mut self, path: &str) -> Option<&mut Self> {
        path.split('.').try_fold(self, |entry, key| {
            let path = match &*entry {
                Self::Table(table) => match table.get(key)? {
                    Self::Alias(path, _) => *path,
                    _ => key,
                },
                _ => return None,
            };
            path.split('.').try_fold(entry, |entry, key| match entry {
                Self::Table(table) => table.get_mut(key),
                _ => None,
            })
        })
    }

    /// The entry of a table.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Table(table) => table.get(key),
            _ => None,
        }
    }

    /// The values of this table of a component that are not from the component's own recipe. Its own expressions use the names of the
    /// table at `path`, or of one inside it; `values` are those of all entries.
    pub(super) fn given_outside(&self, path: &str, values: &Map<String, Value>) -> Map<String, Value> {
        let Self::Table(table) = self else { return Map::new() };
        let is_inside =
            |base: &str| base.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let entries = table.iter().filter_map(|(key, entry)| {
            let value = match entry {
                Self::Table(_) => match values.get(key) {
                    Some(Value::Object(values)) => entry.given_outside(path, values).into(),
                    _ => return None,
                },
                Self::Given(value) => value.clone(),
                Self::Written(_, _, base) if !is_inside(base) => values.get(key)?.clone(),
                _ => return None,
            };
            Some((key.clone(), value))
        });
        entries.collect()
    }

    /// The paths of all entries.
    pub(super) fn paths(&self, path: &str, found: &mut Vec<String>) {
        if !path.is_empty() {
            found.push(path.into());
        }
        if let Self::Table(table) = self {
            for (key, entry) in table {
                entry.paths(&joined(path, key), found);
            }
        }
    }
}

pub(super) fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.into() } else { format!("{path}.{key}") }
}
