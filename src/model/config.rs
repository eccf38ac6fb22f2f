//! A `config.json`: its values in order, some replaced.

use std::fmt::Write as _;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde_json::value::RawValue;

use crate::text::Unique;
use crate::text::{cut, escape};

/// The longest `config.json`, in bytes.
pub const MAX_LENGTH: u64 = 16 << 20;
/// The deepest nesting of objects.
pub const MAX_DEPTH: usize = 32;

/// The values of a `config.json`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    entries: Vec<(String, Entry)>,
}

/// An object, or the text of any other value: values that are not replaced keep their digits and lines.
#[derive(Clone, Debug, PartialEq)]
enum Entry {
    Object(Config),
    Other(String),
}

impl Config {
    /// Reads the text of a `config.json`.
    pub fn parse(text: &str) -> Result<Self> {
        ensure!(text.len() as u64 <= MAX_LENGTH, "{} bytes: at most 16 MiB are allowed", text.len());
        let text = as_json(text.trim_start_matches('\u{feff}'));
        let raw: &RawValue = serde_json::from_str(&text).map_err(|error| not_json(&error))?;
        match Entry::read(raw.get(), 0)? {
            Entry::Object(config) => Ok(config),
            Entry::Other(_) => bail!("a config.json must be an object of keys and values, `{{...}}`"),
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<serde_json::Value> {
        self.entry(key).map(Entry::value)
    }

    /// The value of a key, if it is text.
    pub fn text(&self, key: &str) -> Option<String> {
        self.get(key)?.as_str().map(String::from)
    }

    /// Every key with its value.
    pub fn values(&self) -> impl Iterator<Item = (&str, serde_json::Value)> {
        self.entries.iter().map(|(key, entry)| (key.as_str(), entry.value()))
    }

    /// The value at a path, `text_config.hidden_size`.
    pub fn at(&self, path: &str) -> Option<serde_json::Value> {
        match path.split_once('.') {
            None => self.get(path),
            Some((key, rest)) => match self.entry(key)? {
                Entry::Object(inner) => inner.at(rest),
                Entry::Other(_) => None,
            },
        }
    }

    /// Sets the value at a path and creates the objects on the way. An equal value keeps its text.
    pub fn set(&mut self, path: &str, value: &serde_json::Value) -> Result<()> {
        ensure!(path.split('.').count() <= MAX_DEPTH, "`{}`: {}", escape(&cut(path, 60)), too_deep());
        let (key, rest) = path.split_once('.').map_or((path, None), |(key, rest)| (key, Some(rest)));
        let position = self.entries.iter().position(|(name, _)| name == key).unwrap_or_else(|| {
            self.entries.push((key.into(), Entry::Other("null".into())));
            self.entries.len() - 1
        });
        let (_, entry) = &mut self.entries[position];
        match rest {
            None if entry.value() == *value => {}
            None => *entry = Entry::read(&value.to_string(), 0)?,
            Some(rest) => {
                if *entry == Entry::Other("null".into()) {
                    *entry = Entry::Object(Self::default());
                }
                match entry {
                    Entry::Object(inner) => inner.set(rest, value)?,
                    Entry::Other(_) => bail!("`{}` is not an object", escape(&cut(key, 60))),
                }
            }
        }
        Ok(())
    }

    /// Removes the value at a path.
    pub fn remove(&mut self, path: &str) {
        match path.split_once('.') {
            None => self.entries.retain(|(key, _)| key != path),
            Some((key, rest)) => {
                if let Some((_, Entry::Object(inner))) = self.entries.iter_mut().find(|(name, _)| name == key) {
                    inner.remove(rest);
                }
            }
        }
    }

    /// All values.
    pub fn to_map(&self) -> serde_json::Map<String, serde_json::Value> {
        self.values().map(|(key, value)| (key.into(), value)).collect()
    }

    /// The text, indented by two spaces per level.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.write(&mut text, 0);
        text.push('\n');
        python_words(&text)
    }

    fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, entry)| entry)
    }

    fn write(&self, text: &mut String, depth: usize) {
        if self.entries.is_empty() {
            text.push_str("{}");
            return;
        }
        for (position, (key, entry)) in self.entries.iter().enumerate() {
            text.push_str(if position == 0 { "{\n" } else { ",\n" });
            let _ = write!(text, "{:1$}{2}: ", "", 2 * depth + 2, serde_json::Value::from(key.as_str()));
            match entry {
                Entry::Object(inner) => inner.write(text, depth + 1),
                Entry::Other(other) => text.push_str(other),
            }
        }
        let _ = write!(text, "\n{:1$}}}", "", 2 * depth);
    }
}

impl Entry {
    fn read(raw: &str, depth: usize) -> Result<Self> {
        ensure!(depth <= MAX_DEPTH, too_deep());
        if !raw.starts_with('{') {
            // Checked here, so that `value` cannot fail.
            serde_json::from_str::<serde_json::Value>(raw).map_err(|error| not_json(&error))?;
            return Ok(Self::Other(raw.into()));
        }
        let Unique(entries) = serde_json::from_str::<Unique<&RawValue>>(raw).map_err(|error| not_json(&error))?;
        let entries = entries.into_iter().map(|(key, value)| {
            let entry = Self::read(value.get(), depth + 1).with_context(|| format!("`{}`", escape(&cut(&key, 60))))?;
            Ok((key, entry))
        });
        Ok(Self::Object(Config { entries: entries.collect::<Result<_>>()? }))
    }

    fn value(&self) -> serde_json::Value {
        match self {
            Self::Object(config) => config.to_map().into(),
            Self::Other(text) => serde_json::from_str(text).unwrap_or_default(),
        }
    }
}

/// Python's numbers that JSON lacks, each with its replacement.
const WORDS: [(&str, &str); 3] =
    [("-Infinity", r#""\u0000-Infinity""#), ("Infinity", r#""\u0000Infinity""#), ("NaN", r#""\u0000NaN""#)];

/// The text with Python's number words replaced by JSON.
fn as_json(text: &str) -> String {
    let mut json = String::with_capacity(text.len());
    let (mut rest, mut in_text) = (text, false);
    while let Some(next) = rest.chars().next() {
        let word = WORDS.iter().find(|(word, _)| !in_text && rest.starts_with(word));
        // An escaped quote does not end a string.
        let escaped = if in_text && next == '\\' { rest.chars().nth(1).map_or(0, char::len_utf8) } else { 0 };
        let taken = word.map_or(next.len_utf8() + escaped, |(word, _)| word.len());
        json.push_str(word.map_or(&rest[..taken], |(_, json)| json));
        in_text ^= next == '"';
        rest = &rest[taken..];
    }
    json
}

/// The text with Python's number words restored.
pub(super) fn python_words(json: &str) -> String {
    WORDS.iter().fold(json.to_string(), |text, (word, json)| text.replace(json, word))
}

fn not_json(error: &serde_json::Error) -> anyhow::Error {
    anyhow!("not JSON: {}", escape(&error.to_string()))
}

fn too_deep() -> String {
    format!("objects are nested more than {MAX_DEPTH} deep")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TEXT: &str = "{\"b\": 1e-5, \"list\": [1,  2], \"inner\": {\"z\": 1, \"a\": \"x\"}}";

    #[test]
    fn order_and_digits_are_kept() {
        let mut config = Config::parse(TEXT).unwrap();
        config.set("inner.a", &json!(true)).unwrap();
        config.set("inner.deep.er", &json!([1])).unwrap();
        config.set("b", &json!(0.00001)).unwrap();
        config.set("new", &json!({"k": null})).unwrap();
        assert_eq!(
            config.to_text(),
            "{\n  \"b\": 1e-5,\n  \"list\": [1,  2],\n  \"inner\": {\n    \"z\": 1,\n    \"a\": true,\n    \"deep\": {\n      \
             \"er\": [1]\n    }\n  },\n  \"new\": {\n    \"k\": null\n  }\n}\n"
        );
        assert_eq!(config.at("inner.deep.er"), Some(json!([1])));
        assert_eq!(config.at("list.0"), None);
        assert!(config.set("list.x", &json!(1)).is_err());
    }

    #[test]
    fn other_texts_are_refused() {
        let deep = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
        for text in ["", "[]", "3", "{\"a\":1,\"a\":2}", "{\"a\":nan}", "{NaN:1}x", "{\"a\":1}x", &deep] {
            assert!(Config::parse(text).is_err(), "{} was taken", cut(text, 40));
        }
    }
}
