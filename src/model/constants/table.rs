//! Tables of constants, and the evaluation of their expressions in the order of their dependencies.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, bail, ensure};
use minijinja::value::{Enumerator, Object, Value};
use serde_json::Map;

use super::entry::{Entry, joined};
use crate::model::document::{self, Node, SourceLocation};
use crate::model::expression::{Compiled, Language, Scope};
use crate::model::value::{from_json, from_number, sized_json, to_json};
use crate::text::{cut, escape};

/// The maximum number of constants that are expressions.
const MAX_EXPRESSIONS: usize = 4096;
/// The maximum memory for the values of all of them, in bytes.
const MAX_BYTES: usize = 16 << 20;

/// A table of constants, some not yet evaluated.
#[derive(Debug)]
pub(super) struct Table(BTreeMap<String, Slot>);

#[derive(Debug)]
enum Slot {
    Table(Arc<Table>),
    Ready(Value, serde_json::Value),
    Later(Arc<OnceLock<Value>>),
    /// A value that is no key of a configuration.
    Hidden(Arc<OnceLock<Value>>),
}

impl Object for Table {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        match self.0.get(key)? {
            Slot::Table(table) => Some(Value::from_dyn_object(Arc::clone(table))),
            Slot::Ready(value, _) => Some(value.clone()),
            Slot::Later(value) | Slot::Hidden(value) => value.get().cloned(),
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.keys().map(|key| Value::from(key.as_str())).collect())
    }
}

impl Table {
    pub(super) fn to_json(&self) -> Result<Map<String, serde_json::Value>> {
        let entries = self.0.iter().filter(|(_, slot)| !matches!(slot, Slot::Hidden(_))).map(|(key, slot)| {
            let value = match slot {
                Slot::Table(table) => table.to_json()?.into(),
                Slot::Ready(_, value) => value.clone(),
                Slot::Later(value) | Slot::Hidden(value) => {
                    to_json(value.get().context("a constant is not evaluated")?)?
                }
            };
            Ok((key.clone(), value))
        });
        entries.collect()
    }

    /// The table at a path; none is at a value.
    pub(super) fn at(self: &Arc<Self>, path: &str) -> Option<Arc<Self>> {
        path.split('.').filter(|key| !key.is_empty()).try_fold(Arc::clone(self), |table, key| {
            match table.0.get(key)? {
                Slot::Table(table) => Some(Arc::clone(table)),
                _ => None,
            }
        })
    }

    pub(super) fn scope(self: &Arc<Self>) -> Scope {
        Scope::new(Value::from_dyn_object(Arc::clone(self)))
    }
}

/// A constant that is an expression, or a list with expressions in it.
struct Pending<'e> {
    path: String,
    /// The path of the table whose names it uses.
    base: Arc<str>,
    file: &'e str,
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

/// The table of all constants, each with its value.
pub(super) fn evaluated<'e>(language: &'e Language, file: &'e str, entries: &Entry<'e>) -> Result<Arc<Table>> {
    let mut pending = Vec::new();
    let table = Arc::new(slots(language, "", entries, &mut pending)?);
    ensure!(
        pending.len() <= MAX_EXPRESSIONS,
        "{file}: {} constants are expressions: at most {MAX_EXPRESSIONS} are allowed",
        pending.len()
    );
    evaluate(&pending, &table)?;
    Ok(table)
}

/// The slots of the table at `path`.
fn slots<'e>(language: &'e Language, path: &str, entry: &Entry<'e>, pending: &mut Vec<Pending<'e>>) -> Result<Table> {
    let Entry::Table(entries) = entry else { bail!("the constants are not a table") };
    let (mut table, above) = (BTreeMap::new(), path);
    for (key, entry) in entries {
        let path = joined(above, key);
        let slot = match entry {
            Entry::Table(_) => Slot::Table(Arc::new(slots(language, &path, entry, pending)?)),
            Entry::Given(value) => Slot::Ready(from_json(value), value.clone()),
            Entry::Head(value) => Slot::Hidden(Arc::new(OnceLock::from(from_json(value)))),
            Entry::Alias(target, place) => {
                let formula = Formula::Expression(language.compile(target).with_context(|| place.to_string())?);
                let slot = Arc::new(OnceLock::new());
                let SourceLocation { file, line, .. } = *place;
                pending.push(Pending { path, base: above.into(), file, line, formula, slot: Arc::clone(&slot) });
                Slot::Hidden(slot)
            }
            Entry::Written(file, node, base) => {
                let place = SourceLocation { file, line: node.line, table: "constants", key: &path };
                match Formula::of(language, node).with_context(|| place.to_string())? {
                    Formula::Plain(value) => Slot::Ready(value.clone(), to_json(&value)?),
                    formula => {
                        let (slot, base, line) = (Arc::new(OnceLock::new()), Arc::clone(base), node.line);
                        pending.push(Pending { path, base, file, line, formula, slot: Arc::clone(&slot) });
                        Slot::Later(slot)
                    }
                }
            }
        };
        table.insert(key.clone(), slot);
    }
    Ok(Table(table))
}

/// Evaluates expressions, each after those that it uses.
fn evaluate(pending: &[Pending], table: &Arc<Table>) -> Result<()> {
    let place = |one: &Pending| {
        let Pending { file, line, path, .. } = one;
        SourceLocation { file, line: *line, table: "constants", key: path }.to_string()
    };
    let mut scopes = HashMap::new();
    for one in pending {
        if !scopes.contains_key(&one.base) {
            let own = table.at(&one.base).with_context(|| format!("`{}` must be a table", one.base))?;
            scopes.insert(Arc::clone(&one.base), own.scope());
        }
    }
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
        let value = one.formula.value(&scopes[&one.base]).with_context(|| place(one))?;
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
        let name = joined(&one.base, name);
        let mut above = Some(name.as_str());
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
