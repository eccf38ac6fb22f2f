//! The `config.json` next to the weights.

use anyhow::{Result, ensure};
use serde_json::{Map, Value};

use super::reading::{LABELS, Reading};
use super::{FOLLOWS, Head};
use crate::model::config::Config;
use crate::model::facts::{Facts, Key};
use crate::tensor::DType;

/// The maximum number of labels with names: a `config.json` with more is too long to be read.
const MAX_LABELS: u64 = 1 << 17;

impl Reading<'_> {
    /// The configuration of the model with these constants.
    pub(super) fn written(&self, constants: &Map<String, Value>, head: &Head, dtype: DType) -> Result<Config> {
        let mut config = if self.is_complete { self.complete(constants)? } else { self.config.clone() };
        let first = config.get("architectures").and_then(|names| names.get(0)?.as_str().map(String::from));
        if first.as_deref() != Some(&head.class) {
            config.set("architectures", &vec![head.class.as_str()].into())?;
        }
        if self.is_complete || dtype != self.dtype()? {
            // The older key is used if only it exists.
            let old = config.get("torch_dtype").is_some() && config.get("dtype").is_none();
            config.set(if old { "torch_dtype" } else { "dtype" }, &dtype.numpy().into())?;
        }
        Ok(config)
    }

    /// Every key, as the library writes it.
    fn complete(&self, constants: &Map<String, Value>) -> Result<Config> {
        let own = self.config.to_map();
        let mut entries = complete(&self.facts, constants, &own);
        // The library writes names of labels, unless their number is the default.
        let named = entries.get("id2label").and_then(Value::as_object).map_or(LABELS, |names| names.len() as u64);
        if let Some(count) = entries.remove("num_labels").and_then(|count| count.as_u64())
            && count != named
        {
            ensure!(count <= MAX_LABELS, "`num_labels` is {count}: at most 2^17 labels are allowed");
            let name = |label: u64| format!("LABEL_{label}");
            let names: Map<_, Value> = (0..count).map(|label| (label.to_string(), name(label).into())).collect();
            let labels: Map<_, Value> = (0..count).map(|label| (name(label), label.into())).collect();
            entries.insert("id2label".into(), names.into());
            entries.insert("label2id".into(), labels.into());
        }
        let version = FOLLOWS.rsplit(' ').next().unwrap_or_default();
        for (key, value) in
            [("architectures", Value::Null), ("dtype", Value::Null), ("transformers_version", version.into())]
        {
            entries.insert(key.into(), value);
        }
        let mut config = Config::default();
        for (key, value) in &entries {
            config.set(key, value)?;
        }
        for (path, value) in self.facts.fitted(&entries, "")? {
            config.set(&path, &value)?;
        }
        Ok(config)
    }
}

/// The keys of a configuration with the values of constants, and its own further keys.
fn complete(facts: &Facts, constants: &Map<String, Value>, own: &Map<String, Value>) -> Map<String, Value> {
    let mut entries = own.clone();
    let part =
        |values: &Map<String, Value>, key| values.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
    for (key, entry) in facts.keys() {
        let value = match entry {
            Key::Table { facts, model_type } => {
                let mut part = complete(facts, &part(constants, key), &part(own, key));
                part.insert("model_type".into(), model_type.as_str().into());
                Some(part.into())
            }
            // What depends on other keys, and is not a constant, is left to the library.
            _ => constants.get(key).cloned(),
        };
        if let Some(value) = value {
            entries.insert(key.into(), value);
        }
    }
    entries
}
