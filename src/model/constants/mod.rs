//! The constants of a recipe, with overrides, and the values of their expressions.

mod entry;
mod table;

use std::sync::Arc;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Map, Value};

use self::entry::{Entry, joined};
use self::table::{Table, evaluated};
use super::config::MAX_DEPTH;
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

    /// Overrides or adds constants, tables entry by entry. A null overrides plain values only.
    pub fn merge(&mut self, values: Map<String, Value>) {
        self.given.push(Override::All(values));
    }

    /// The values that override those of the recipe, as one table.
    pub(super) fn values(&self) -> Map<String, Value> {
        let mut values = Map::new();
        for over in &self.given {
            match over {
                Override::All(over) => lay(&mut values, over),
                Override::One(path, value) => {
                    let mut keys = path.rsplit('.');
                    let last = keys.next().unwrap_or_default();
                    let one = Map::from_iter([(last.to_string(), value.clone())]);
                    lay(&mut values, &keys.fold(one, |inner, key| Map::from_iter([(key.to_string(), inner.into())])));
                }
            }
        }
        values
    }

    /// Parses `NAME=VALUE`. A value that is not JSON is text.
    pub fn pair(text: &str) -> Result<(String, Value)> {
        let (name, value) = text.split_once('=').with_context(|| format!("`{text}` is not NAME=VALUE"))?;
        let is_shallow = name.split('.').count() <= MAX_DEPTH;
        ensure!(is_shallow, "`{}`: tables are nested more than {MAX_DEPTH} deep", escape(&cut(name, 60)));
        Ok((name.into(), serde_json::from_str(value).unwrap_or_else(|_| value.into())))
    }
}

impl FromIterator<(String, Value)> for Overrides {
    /// Overrides known constants; `text_config.hidden_size` is an entry of a table.
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(pairs: I) -> Self {
        let given = pairs.into_iter().map(|(name, value)| Override::One(name, value)).collect();
        Self { defaults: Map::new(), given }
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
    /// The defaults of the library, for a component and for a recipe that extends a family.
    pub(super) defaults: Map<String, Value>,
    /// The `model_type` of a component.
    pub(super) model_type: Option<&'static str>,
    /// The components, each with the table of its constants.
    pub(super) components: Vec<(&'e str, Self)>,
}

impl<'e> Written<'e> {
    /// The constants as a tree; `defaults` are between those of components and the recipe's own. Their expressions use the names of the table at `base`.
    fn entries(&self, base: &Arc<str>, defaults: &Map<String, Value>) -> Result<Entry<'e>> {
        let mut entries = Entry::given(self.defaults.clone().into());
        if let Some(head) = &self.head {
            entries.lay(Entry::Table([(HEAD.into(), Entry::Head(head.as_str().into()))].into()));
        }
        if let Some(model_type) = self.model_type {
            entries.lay(Entry::Table([("model_type".into(), Entry::Given(model_type.into()))].into()));
        }
        for (table, part) in &self.components {
            let part = part.entries(&joined(base, table).into(), &Map::new())?;
            entries.lay(Entry::Table([((*table).to_string(), part)].into()));
        }
        entries.merge(defaults.clone().into());
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
pub(super) struct Constants<'e> {
    entries: Entry<'e>,
    table: Arc<Table>,
}

impl<'e> Constants<'e> {
    /// The values of all constants. The errors of overrides name `file`.
    pub(super) fn new(
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
        Ok(Self { table: evaluated(language, file, &root)?, entries: root })
    }

    /// The constants of the component with a table, for the head that `written` has.
    pub(super) fn component(&self, language: &'e Language, table: &'e str, written: &Written<'e>) -> Result<Self> {
        let entry = self.entries.get(table).context("no component")?;
        let values = self.table.at(table).with_context(|| format!("`{table}` must be a table"))?.to_json()?;
        let mut given = Overrides::default();
        given.merge(entry.given_outside(table, &values));
        Self::new(language, table, written, &given)
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

/// Lays values over others, tables entry by entry.
pub(super) fn lay(values: &mut Map<String, Value>, over: &Map<String, Value>) {
    for (key, value) in over {
        match (values.get_mut(key), value) {
            (Some(Value::Object(values)), Value::Object(over)) => lay(values, over),
            _ => drop(values.insert(key.clone(), value.clone())),
        }
    }
}

fn unknown(file: &str, name: &str, root: &Entry) -> anyhow::Error {
    let mut paths = Vec::new();
    root.paths("", &mut paths);
    let near = did_you_mean(name, paths.iter().map(String::as_str));
    anyhow!("--set `{}`: {file} has no such constant{near}", escape(&cut(name, 60)))
}
