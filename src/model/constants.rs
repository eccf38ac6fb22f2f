//! The constants of a recipe, with overrides, and the values of their expressions.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, anyhow, bail, ensure};
use minijinja::value::{Enumerator, Object, Value};
use serde_json::Map;

use super::document::{self, Node, SourceLocation};
use super::expression::{Compiled, Language, Scope, is_name};
use super::value::{from_json, from_number, sized_json, to_json};
use crate::text::{cut, did_you_mean, escape};

/// The maximum number of constants that are expressions.
const MAX_EXPRESSIONS: usize = 4096;
/// The maximum memory for the values of all of them, in bytes.
const MAX_BYTES: usize = 16 << 20;

/// Values that override constants of a recipe, in order.
#[derive(Clone, Debug, Default)]
pub struct Overrides(Vec<Override>);

#[derive(Clone, Debug)]
enum Override {
    /// A constant that must be known.
    One(String, serde_json::Value),
    /// Constants that may be unknown, such as those of a config.json.
    All(Map<String, serde_json::Value>),
}

impl Overrides {
    /// Overrides one known constant; `text_config.hidden_size` is an entry of a table.
    pub fn set(&mut self, name: &str, value: serde_json::Value) {
        self.0.push(Override::One(name.into(), value));
    }

    /// Overrides or adds constants, tables entry by entry; a null overrides nothing.
    pub fn merge(&mut self, values: Map<String, serde_json::Value>) {
        self.0.push(Override::All(values));
    }

    /// Parses `NAME=VALUE`. A value that is not JSON is text.
    pub fn pair(text: &str) -> Result<(String, serde_json::Value)> {
        let (name, value) = text.split_once('=').with_context(|| format!("`{text}` is not NAME=VALUE"))?;
        Ok((name.into(), serde_json::from_str(value).unwrap_or_else(|_| value.into())))
    }
}

/// Constants before their expressions are evaluated.
enum Entry<'e> {
    Table(BTreeMap<String, Self>),
    /// From the recipe.
    Written(&'e Node),
    /// From an override.
    Given(serde_json::Value),
}

impl<'e> Entry<'e> {
    fn of(file: &str, path: &str, node: &'e Node) -> Result<Self> {
        let document::Value::Table(entries) = &node.value else { return Ok(Self::Written(node)) };
        let mut table = BTreeMap::new();
        for (key, node) in entries {
            let path = joined(path, key);
            let place = SourceLocation { file, line: node.line, table: "constants", key: &path };
            let rule = "a name has letters, digits and underscores, and is not a word or function of expressions";
            ensure!(is_name(key), "{place}: {rule}");
            table.insert(key.clone(), Self::of(file, &path, node)?);
        }
        Ok(Self::Table(table))
    }

    fn given(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Object(entries) => {
                Self::Table(entries.into_iter().map(|(key, value)| (key, Self::given(value))).collect())
            }
            value => Self::Given(value),
        }
    }

    /// Replaces the value; merges tables entry by entry.
    fn merge(&mut self, value: serde_json::Value) {
        match (self, value) {
            (_, serde_json::Value::Null) => {}
            (Self::Table(table), serde_json::Value::Object(entries)) => {
                for (key, value) in entries {
                    match table.get_mut(&key) {
                        Some(entry) => entry.merge(value),
                        None => drop(table.insert(key, Self::given(value))),
                    }
                }
            }
            (entry, value) => *entry = Self::given(value),
        }
    }

    /// Replaces the value with one from `--set`.
    fn set(&mut self, value: serde_json::Value) -> Result<()> {
        let is_number = match self {
            Self::Written(node) => matches!(node.value, document::Value::Number(_)),
            Self::Given(given) => given.is_number(),
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
        *self = Self::given(value);
        Ok(())
    }

    fn find(&mut self, path: &str) -> Option<&mut Self> {
        path.split('.').try_fold(self, |entry, key| match entry {
            Self::Table(table) => table.get_mut(key),
            _ => None,
        })
    }

    fn paths(&self, path: &str, found: &mut Vec<String>) {
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

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.into() } else { format!("{path}.{key}") }
}

/// A table of constants, some not yet evaluated.
#[derive(Debug)]
struct Table(BTreeMap<String, Slot>);

#[derive(Debug)]
enum Slot {
    Table(Arc<Table>),
    Ready(Value, serde_json::Value),
    Later(Arc<OnceLock<Value>>),
}

impl Object for Table {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match self.0.get(key.as_str()?)? {
            Slot::Table(table) => Some(Value::from_dyn_object(Arc::clone(table))),
            Slot::Ready(value, _) => Some(value.clone()),
            Slot::Later(value) => value.get().cloned(),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.keys().map(|key| Value::from(key.as_str())).collect())
    }
}

impl Table {
    fn to_json(&self) -> Result<Map<String, serde_json::Value>> {
        let entries = self.0.iter().map(|(key, slot)| {
            let value = match slot {
                Slot::Table(table) => table.to_json()?.into(),
                Slot::Ready(_, value) => value.clone(),
                Slot::Later(value) => to_json(value.get().context("a constant is not evaluated")?)?,
            };
            Ok((key.clone(), value))
        });
        entries.collect()
    }
}

/// A constant that is an expression, or a list with expressions in it.
struct Pending<'e> {
    path: String,
    line: usize,
    formula: Formula<'e>,
    slot: Arc<OnceLock<Value>>,
}

enum Formula<'e> {
    Plain(Value),
    Expression(Compiled<'e>),
    List(Vec<Self>),
    Table(Vec<(String, Self)>),
}

impl<'e> Formula<'e> {
    fn of(language: &'e Language, node: &'e Node) -> Result<Self> {
        Ok(match &node.value {
            document::Value::Null => Self::Plain(Value::from(())),
            document::Value::Bool(truth) => Self::Plain(Value::from(*truth)),
            document::Value::Number(number) => Self::Plain(from_number(number)),
            document::Value::Text(text) => Self::Expression(language.compile(text)?),
            document::Value::List(items) => {
                Self::List(items.iter().map(|item| Self::of(language, item)).collect::<Result<_>>()?)
            }
            document::Value::Table(entries) => {
                let entries = entries.iter().map(|(key, node)| Ok((key.clone(), Self::of(language, node)?)));
                Self::Table(entries.collect::<Result<_>>()?)
            }
        })
    }

    fn names(&self) -> Vec<&str> {
        match self {
            Self::Plain(_) => Vec::new(),
            Self::Expression(expression) => expression.names().iter().map(String::as_str).collect(),
            Self::List(items) => items.iter().flat_map(Self::names).collect(),
            Self::Table(entries) => entries.iter().flat_map(|(_, entry)| entry.names()).collect(),
        }
    }

    fn value(&self, scope: &Scope) -> Result<Value> {
        Ok(match self {
            Self::Plain(value) => value.clone(),
            Self::Expression(expression) => expression.value(scope)?,
            Self::List(items) => items.iter().map(|item| item.value(scope)).collect::<Result<Vec<_>>>()?.into(),
            Self::Table(entries) => {
                let entries = entries.iter().map(|(key, entry)| Ok((key.clone(), entry.value(scope)?)));
                entries.collect::<Result<BTreeMap<_, _>>>()?.into()
            }
        })
    }
}

/// The values of all constants: as a scope for expressions, and as JSON for reports.
pub(super) fn constants<'e>(
    language: &'e Language,
    file: &str,
    written: Option<&'e Node>,
    overrides: &Overrides,
) -> Result<(Scope, Map<String, serde_json::Value>)> {
    let mut root = match written {
        Some(node) => {
            node.table()
                .with_context(|| SourceLocation { file, line: node.line, table: "", key: "constants" }.to_string())?;
            Entry::of(file, "", node)?
        }
        None => Entry::Table(BTreeMap::new()),
    };
    for over in &overrides.0 {
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
    let Entry::Table(entries) = root else { bail!("{file}: the constants are not a table") };
    let mut pending = Vec::new();
    let table = Arc::new(slots(language, file, "", entries, &mut pending)?);
    ensure!(
        pending.len() <= MAX_EXPRESSIONS,
        "{file}: {} constants are expressions: at most {MAX_EXPRESSIONS} are allowed",
        pending.len()
    );
    let scope = Scope::new(Value::from_dyn_object(Arc::clone(&table)));
    evaluate(file, &pending, &scope)?;
    let values = table.to_json()?;
    Ok((scope, values))
}

fn unknown(file: &str, name: &str, root: &Entry) -> anyhow::Error {
    let mut paths = Vec::new();
    root.paths("", &mut paths);
    let near = did_you_mean(name, paths.iter().map(String::as_str));
    anyhow!("--set `{}`: {file} has no such constant{near}", escape(&cut(name, 60)))
}

fn slots<'e>(
    language: &'e Language,
    file: &str,
    path: &str,
    entries: BTreeMap<String, Entry<'e>>,
    pending: &mut Vec<Pending<'e>>,
) -> Result<Table> {
    let mut table = BTreeMap::new();
    for (key, entry) in entries {
        let path = joined(path, &key);
        let slot = match entry {
            Entry::Table(entries) => Slot::Table(Arc::new(slots(language, file, &path, entries, pending)?)),
            Entry::Given(value) => Slot::Ready(from_json(&value), value),
            Entry::Written(node) => {
                let place = SourceLocation { file, line: node.line, table: "constants", key: &path };
                let formula = Formula::of(language, node).with_context(|| place.to_string())?;
                let slot = Arc::new(OnceLock::new());
                let line = node.line;
                match formula {
                    Formula::Plain(value) => Slot::Ready(value.clone(), to_json(&value)?),
                    formula => {
                        pending.push(Pending { path, line, formula, slot: Arc::clone(&slot) });
                        Slot::Later(slot)
                    }
                }
            }
        };
        table.insert(key, slot);
    }
    Ok(Table(table))
}

/// Evaluates expressions, each after those that it uses.
fn evaluate(file: &str, pending: &[Pending], scope: &Scope) -> Result<()> {
    let place = |one: &Pending| SourceLocation { file, line: one.line, table: "constants", key: &one.path }.to_string();
    let by_path: BTreeMap<&str, usize> =
        pending.iter().enumerate().map(|(index, one)| (one.path.as_str(), index)).collect();
    let dependencies: Vec<Vec<usize>> = pending.iter().map(|one| dependencies_of(one, &by_path)).collect();
    let mut waiting: Vec<usize> = dependencies.iter().map(Vec::len).collect();
    let mut dependents: HashMap<usize, Vec<usize>> = HashMap::new();
    for (index, others) in dependencies.iter().enumerate() {
        for &other in others {
            dependents.entry(other).or_default().push(index);
        }
    }
    let mut ready: Vec<usize> = (0..pending.len()).filter(|&index| waiting[index] == 0).collect();
    let (mut done, mut bytes) = (0, 0);
    while let Some(index) = ready.pop() {
        let one = &pending[index];
        let value = one.formula.value(scope).with_context(|| place(one))?;
        bytes += sized_json(&value).with_context(|| place(one))?.1;
        ensure!(bytes <= MAX_BYTES, "{}: the constants need more than 16 MiB of memory", place(one));
        // Each slot is set once.
        let _ = one.slot.set(value);
        done += 1;
        for &dependent in dependents.get(&index).into_iter().flatten() {
            waiting[dependent] -= 1;
            if waiting[dependent] == 0 {
                ready.push(dependent);
            }
        }
    }
    if done < pending.len() {
        let cycle = cycle(&dependencies, &waiting);
        let names: Vec<String> =
            cycle.iter().map(|&index| format!("`{}`", escape(&cut(&pending[index].path, 60)))).collect();
        bail!("{}: constants depend on each other in a cycle: {}", place(&pending[cycle[0]]), names.join(" -> "));
    }
    Ok(())
}

/// The dependencies of an expression: the named expressions, those in a named table, and the table of a named entry.
fn dependencies_of(one: &Pending, by_path: &BTreeMap<&str, usize>) -> Vec<usize> {
    let mut found = Vec::new();
    for name in one.formula.names() {
        let mut above = Some(name);
        while let Some(path) = above {
            found.extend(by_path.get(path));
            above = path.rsplit_once('.').map(|(above, _)| above);
        }
        let inside = format!("{name}.");
        let below = by_path.range(inside.as_str()..).take_while(|(path, _)| path.starts_with(&inside));
        found.extend(below.map(|(_, &index)| index));
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// A cycle among the expressions without a value; the last repeats the first.
fn cycle(dependencies: &[Vec<usize>], waiting: &[usize]) -> Vec<usize> {
    let mut path = Vec::new();
    let mut next = waiting.iter().position(|&count| count > 0);
    while let Some(index) = next {
        if let Some(start) = path.iter().position(|&before| before == index) {
            path.push(index);
            return path.split_off(start);
        }
        path.push(index);
        // Such an expression uses another without a value.
        next = dependencies[index].iter().copied().find(|&other| waiting[other] > 0);
    }
    path
}
