//! The facts of a family's configuration in the library: its keys with types and defaults, and second names.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::config::python_words;
use super::library;
use crate::text::{alternatives, cut, escape};

/// The keys of a configuration.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Facts {
    /// The second names of keys.
    #[serde(default)]
    alias: BTreeMap<String, String>,
    /// The second names that the library ignores next to the first.
    #[serde(default)]
    overridden: Vec<String>,
    keys: BTreeMap<String, Key>,
}

/// A key of a configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Key {
    /// The types, as in `int|none`, and the default.
    Value(String, Value),
    /// The same, and the keys from which the library computes the value if it is missing.
    Computed(String, Value, Vec<String>),
    /// The same, and the key that counts the items of the list; fewer are the first ones of the default.
    PerItem(String, Value, Vec<String>, String),
    /// The types, null, and the family of a part that a configuration need not have.
    Optional(String, Value, String),
    /// The configuration of a part.
    Table {
        model_type: String,
        #[serde(flatten)]
        facts: Facts,
    },
}

/// A key at its path, for people.
#[derive(Clone, Debug)]
pub struct KeyFacts {
    /// The path, as in `text_config.hidden_size`.
    pub path: String,
    /// The types, or the family of a part.
    pub types: Vec<String>,
    /// The default; `None` for a part.
    pub default: Option<Value>,
    /// Other names of the key.
    pub second_names: Vec<String>,
}

/// The types of keys that every configuration may have.
const COMMON: &[(&str, &str)] = &[
    ("architectures", "list|none"),
    ("bos_token_id", "int|none"),
    ("chunk_size_feed_forward", "int"),
    ("decoder_start_token_id", "int|none"),
    ("dtype", "str|none"),
    ("eos_token_id", "int|list|none"),
    ("id2label", "dict|none"),
    ("is_encoder_decoder", "bool"),
    ("label2id", "dict|none"),
    ("num_labels", "int|none"),
    ("output_attentions", "bool|none"),
    ("output_hidden_states", "bool|none"),
    ("pad_token_id", "int|none"),
    ("per_layer_config", "dict|none"),
    ("problem_type", "str|none"),
    ("quantization_config", "dict|none"),
    ("return_dict", "bool|none"),
    ("sep_token_id", "int|none"),
    ("torch_dtype", "str|none"),
];

/// The largest range of integers that doubles represent exactly.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Facts {
    /// The facts of a family; none if there is no file.
    pub(super) fn of(name: &str) -> Result<Self> {
        match library::facts(name) {
            Some(text) => serde_json::from_str(text).with_context(|| format!("configs/{name}.json")),
            None => Ok(Self::default()),
        }
    }

    /// The facts for a configuration whose parts may be of other families than the default ones.
    pub(super) fn with_parts_of(mut self, values: &Map<String, Value>) -> Result<Self> {
        for (key, entry) in &mut self.keys {
            let Some(Value::Object(part)) = values.get(key) else { continue };
            if let Key::Optional(.., family) = entry {
                *entry = Key::Table { facts: Self::of(family)?, model_type: std::mem::take(family) };
            }
            let Key::Table { model_type, facts } = entry else { continue };
            // The defaults that a family has for its parts apply only if the part is missing.
            let own = part.get("model_type").and_then(Value::as_str).unwrap_or(model_type).to_owned();
            if library::facts(&own).is_some() {
                *facts = Self::of(&own)?;
                *model_type = own;
            }
            *facts = std::mem::take(facts).with_parts_of(part)?;
        }
        Ok(self)
    }

    /// Each key at its path, with those of its parts.
    pub(super) fn described(&self, prefix: &str) -> Vec<KeyFacts> {
        let mut all = Vec::new();
        for (key, entry) in &self.keys {
            let path = format!("{prefix}{key}");
            let second_names = self.second_names(key).into_iter().map(|name| format!("{prefix}{name}")).collect();
            let (types, default) = match entry {
                Key::Table { model_type, .. } => (model_type.as_str(), None),
                _ => (self.types(key).unwrap_or_default(), self.default_at(key)),
            };
            let types = types.split('|').map(Into::into).collect();
            all.push(KeyFacts { path: path.clone(), types, default, second_names });
            if let Key::Table { facts, .. } = entry {
                all.extend(facts.described(&format!("{path}.")));
            }
        }
        all
    }

    /// The names of keys that every configuration may have.
    pub(super) fn common() -> impl Iterator<Item = &'static str> {
        COMMON.iter().map(|&(name, _)| name)
    }

    /// The keys.
    pub(super) fn keys(&self) -> impl Iterator<Item = (&str, &Key)> {
        self.keys.iter().map(|(key, entry)| (key.as_str(), entry))
    }

    /// The default of each key for a configuration. What the library computes otherwise for these values is left out.
    pub(super) fn defaults(&self, values: &Map<String, Value>) -> Map<String, Value> {
        let part = |key: &str| values.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
        let default = |key: &String, entry: &Key| match entry {
            Key::Computed(_, value, from) => (!self.differ(from, values, "")).then(|| value.clone()),
            Key::PerItem(_, value, from, count) if !self.differ(from, values, count) => {
                first_items(value, values.get(count))
            }
            Key::PerItem(..) => None,
            Key::Value(..) | Key::Optional(..) | Key::Table { .. } => Some(entry.default(&part(key))),
        };
        self.keys.iter().filter_map(|(key, entry)| Some((key.clone(), default(key, entry)?))).collect()
    }

    /// True if any of some keys, but for one, has another value than its default.
    fn differ(&self, keys: &[String], values: &Map<String, Value>, but: &str) -> bool {
        keys.iter().filter(|key| *key != but).any(|key| {
            let default = self.keys.get(key).map(|entry| entry.default(&Map::new())).unwrap_or_default();
            values.get(key).is_some_and(|value| *value != default)
        })
    }

    /// Lists with an item for each of something, in this configuration: key, and the number of items that it needs.
    pub(super) fn lists(&self, values: &Map<String, Value>) -> Vec<(&str, &str, usize)> {
        let lists = self.keys.iter().filter_map(|(key, entry)| match entry {
            Key::PerItem(_, _, _, count) => {
                let default = || self.keys.get(count).map(|entry| entry.default(&Map::new()));
                let number = values.get(count).cloned().or_else(default)?.as_u64()?;
                Some((key.as_str(), count.as_str(), usize::try_from(number).ok()?))
            }
            _ => None,
        });
        lists.collect()
    }

    /// The first name of a key at a path.
    pub(super) fn canonical(&self, path: &str) -> String {
        let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
        let key = self.alias.get(key).map_or(key, String::as_str);
        match (rest, self.keys.get(key)) {
            (Some(rest), Some(Key::Table { facts, .. })) => format!("{key}.{}", facts.canonical(rest)),
            (Some(rest), _) => format!("{key}.{rest}"),
            (None, _) => key.into(),
        }
    }

    /// The second names of the key at a path.
    pub(super) fn second_names(&self, path: &str) -> Vec<String> {
        match path.split_once('.') {
            Some((key, rest)) => match self.keys.get(key) {
                Some(Key::Table { facts, .. }) => {
                    facts.second_names(rest).into_iter().map(|name| format!("{key}.{name}")).collect()
                }
                _ => Vec::new(),
            },
            None => {
                let names = self.alias.iter().filter(|&(name, key)| key == path && name != key);
                names.map(|(name, _)| name.clone()).collect()
            }
        }
    }

    /// True if the class has the key at a path, by its first name. A table of values takes any key.
    pub(super) fn has(&self, path: &str) -> bool {
        let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
        match (self.keys.get(key), rest) {
            (Some(Key::Table { facts, .. }), Some(rest)) => facts.has(rest),
            (Some(Key::Table { .. }), None) => true,
            _ => self.types(key).is_some_and(|types| rest.is_none() || allows(types, "dict")),
        }
    }

    /// True if a configuration need not have this part.
    pub(super) fn is_optional(&self, key: &str) -> bool {
        matches!(self.keys.get(key), Some(Key::Optional(..)))
    }

    /// The facts of a part.
    pub(super) fn part(&self, key: &str) -> Option<&Self> {
        match self.keys.get(key) {
            Some(Key::Table { facts, .. }) => Some(facts),
            _ => None,
        }
    }

    /// The names that `has` accepts, and second names.
    pub(super) fn names(&self) -> Vec<String> {
        let common = Self::common().map(Into::into);
        let mut names: Vec<String> = common.chain(self.alias.keys().cloned()).collect();
        for (key, entry) in &self.keys {
            names.push(key.clone());
            if let Key::Table { facts, .. } = entry {
                names.extend(facts.names().into_iter().map(|name| format!("{key}.{name}")));
            }
        }
        names
    }

    /// The types of a key.
    fn types(&self, key: &str) -> Option<&str> {
        match self.keys.get(key) {
            Some(entry) => entry.value().map(|(types, _)| types),
            None => COMMON.iter().find(|(name, _)| *name == key).map(|&(_, types)| types),
        }
    }

    /// The default at a path.
    pub(super) fn default_at(&self, path: &str) -> Option<Value> {
        let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
        match (self.keys.get(key)?, rest) {
            (Key::Table { facts, .. }, Some(rest)) => facts.default_at(rest),
            (entry, None) => Some(entry.default(&Map::new())),
            (entry, Some(rest)) => rest.split('.').try_fold(entry.value()?.1, |value, key| value.get(key)).cloned(),
        }
    }

    /// Separates the values by their names: those under first names, and those under second names, by the first.
    pub(super) fn split(&self, mut values: Map<String, Value>) -> (Map<String, Value>, Map<String, Value>) {
        for name in &self.overridden {
            if self.alias.get(name).is_some_and(|key| values.contains_key(key)) {
                values.remove(name);
            }
        }
        let (mut first, mut second) = (Map::new(), Map::new());
        for (key, value) in values {
            match (self.alias.get(&key).filter(|first| **first != key), self.keys.get(&key), value) {
                (Some(key), _, value) => drop(second.insert(key.clone(), value)),
                (None, Some(Key::Table { facts, .. }), Value::Object(part)) => {
                    let (part, of_second) = facts.split(part);
                    first.insert(key.clone(), part.into());
                    if !of_second.is_empty() {
                        second.insert(key, of_second.into());
                    }
                }
                (None, _, value) => drop(first.insert(key, value)),
            }
        }
        (first, second)
    }

    /// The values that must be written otherwise, by path. Errors if a value has another type than the class wants.
    pub(super) fn fitted(&self, values: &Map<String, Value>, path: &str) -> Result<Vec<(String, Value)>> {
        let mut found = Vec::new();
        for (name, value) in values {
            let key = self.alias.get(name).unwrap_or(name);
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            match (self.keys.get(key), value) {
                (Some(Key::Table { facts, .. }), Value::Object(part)) => found.extend(facts.fitted(part, &path)?),
                (Some(Key::Table { .. }), Value::Null) => {}
                (Some(Key::Table { .. }), value) => bail!(wrong(&path, value, "dict")),
                (entry, value) => {
                    let Some(types) = self.types(key) else { continue };
                    let default = entry.map(|entry| entry.default(&Map::new()));
                    found.extend(fit(&path, types, value, default.as_ref())?.map(|fitted| (path, fitted)));
                }
            }
        }
        Ok(found)
    }
}

impl Key {
    /// The types and the default; `None` for a part.
    fn value(&self) -> Option<(&str, &Value)> {
        match self {
            Self::Value(types, value)
            | Self::Computed(types, value, _)
            | Self::PerItem(types, value, ..)
            | Self::Optional(types, value, _) => Some((types, value)),
            Self::Table { .. } => None,
        }
    }

    fn default(&self, values: &Map<String, Value>) -> Value {
        let Self::Table { facts, model_type } = self else {
            return self.value().map(|(_, value)| value.clone()).unwrap_or_default();
        };
        let mut defaults = facts.defaults(values);
        defaults.insert("model_type".into(), model_type.as_str().into());
        defaults.into()
    }
}

/// The first items of a list, if it has so many.
fn first_items(list: &Value, count: Option<&Value>) -> Option<Value> {
    let (items, Some(count)) = (list.as_array()?, count) else { return Some(list.clone()) };
    let count = usize::try_from(count.as_u64()?).ok()?;
    items.get(..count).map(|items| items.to_vec().into())
}

/// True if the types include this one.
fn allows(types: &str, kind: &str) -> bool {
    types.split('|').any(|known| known == kind || known == "any")
}

/// The value in a type that the class wants, if it differs.
fn fit(path: &str, types: &str, value: &Value, default: Option<&Value>) -> Result<Option<Value>> {
    let is_size = default.is_some_and(Value::is_u64) && !path.ends_with("_id") && !allows(types, "none");
    // A switch that is neither on nor off has its default.
    let is_unset =
        value.is_null() && default.is_some_and(Value::is_boolean) && !types.split('|').any(|kind| kind == "none");
    if allows(types, kind(value)) && !(is_size && is_negative(value)) && !is_unset {
        return Ok(None);
    }
    let fitted = match value {
        Value::Null => default.filter(|_| is_unset).cloned(),
        Value::Number(number) if number.is_f64() => number.as_f64().filter(|_| allows(types, "int")).and_then(whole),
        Value::Number(number) if allows(types, "float") => number.as_f64().map(Value::from),
        Value::Number(number) if allows(types, "bool") => {
            number.as_u64().filter(|&number| number < 2).map(|number| (number == 1).into())
        }
        _ => None,
    };
    fitted.map(Some).with_context(|| wrong(path, value, types))
}

/// The type of a value.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "none",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        // Python's numbers that JSON lacks, and as the library writes them.
        Value::String(text) if text.starts_with('\0') => "float",
        Value::Object(entries) if entries.contains_key("__float__") => "float",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

fn is_negative(value: &Value) -> bool {
    value.as_i64().is_some_and(|number| number < 0)
}

/// The integer that a number is equal to.
pub(super) fn whole(number: f64) -> Option<Value> {
    #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
    (number.fract() == 0.0 && number.abs() <= EXACT).then(|| (number as i64).into())
}

fn wrong(path: &str, value: &Value, types: &str) -> String {
    let kind = |kind| match kind {
        "int" => "an integer",
        "float" => "a number",
        "bool" => "true or false",
        "str" => "text",
        "list" => "a list",
        "dict" => "a table",
        _ => "null",
    };
    let mut kinds: Vec<&str> = types.split('|').map(kind).collect();
    if allows(types, "float") {
        kinds.retain(|kind| *kind != "an integer");
    }
    let shown = escape(&cut(&python_words(&value.to_string()), 60));
    let negative = if is_negative(value) { ", and not negative" } else { "" };
    format!("`{}` is `{shown}`: it must be {}{negative}", escape(&cut(path, 60)), alternatives(&kinds))
}
