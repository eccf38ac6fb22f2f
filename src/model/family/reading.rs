//! A configuration as the library reads it.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};

use super::{FILE, Family, HEAD, Head, Settings};
use crate::model::config::{Config, python_words};
use crate::model::constants::lay;
use crate::model::facts::{Facts, whole};
use crate::model::{Model, Request};
use crate::tensor::DType;
use crate::text::{cut, did_you_mean, escape};

/// A configuration of a family.
pub(super) struct Reading<'f> {
    pub(super) family: &'f Family,
    /// The facts of the family, with those of the parts of this configuration.
    pub(super) facts: Facts,
    pub(super) config: Config,
    /// True if the written configuration has all keys.
    pub(super) is_complete: bool,
    /// Notes for the report.
    pub(super) notes: Vec<String>,
}

/// The number of labels of a classifier if the configuration says nothing else.
pub(super) const LABELS: u64 = 2;

/// The keys of older versions for rotary positions.
const OLDER: [&str; 4] = ["rope_theta", "rope_local_base_freq", "rope_scaling", "partial_rotary_factor"];

/// The keys that change the tensors of any family, each with the model without it.
const UNSUPPORTED: [(&str, &str); 2] =
    [("quantization_config", "plain weights"), ("per_layer_config", "layers that are alike")];

impl<'f> Reading<'f> {
    /// Reads a configuration with some values replaced.
    pub(super) fn new(family: &'f Family, mut config: Config, settings: &Settings, is_complete: bool) -> Result<Self> {
        for (path, value) in settings {
            let part = path.split_once('.').map_or("", |(part, _)| part);
            if path.ends_with(".model_type") {
                config.set(path, value)?;
            } else if family.facts.is_optional(part) && config.get(part).is_none_or(|value| value.is_null()) {
                config.set(part, &Map::new().into())?;
            }
        }
        let facts = family.facts.clone().with_parts_of(&config.to_map())?;
        let mut reading = Self { family, facts, config, is_complete, notes: Vec::new() };
        for (path, value) in settings {
            reading.set(path, value)?;
        }
        for (key, without) in UNSUPPORTED {
            let absent = matches!(reading.config.get(key), None | Some(Value::Null));
            ensure!(
                absent || reading.facts.keys().any(|(known, _)| known == key),
                "`{key}` changes the tensors and is not supported: use `--set {key}=null` for {without}"
            );
        }
        reading.replace_older_tables()?;
        reading.shorten_lists(settings)?;
        for (path, value) in reading.facts.fitted(&reading.config.to_map(), "")? {
            reading.config.set(&path, &value)?;
        }
        Ok(reading)
    }

    /// Replaces a value by one of `--set`.
    fn set(&mut self, path: &str, value: &Value) -> Result<()> {
        let shown = || format!("--set `{}`", escape(&cut(path, 60)));
        let model_type = self.family.model_type;
        ensure!(path != "model_type" || value == model_type, "{}: another family needs another {FILE}", shown());
        let place = self.place(path);
        let key = place.split('.').next().unwrap_or_default();
        let is_constant = self.family.recipe.constants().iter().any(|(known, _)| *known == key);
        let is_known = self.facts.has(&place)
            || !is_private(key) && (is_constant || self.config.get(key).is_some() && !self.facts.has(key))
            || place.ends_with("model_type")
            || OLDER.contains(&path) && self.facts.has("rope_parameters");
        if !is_known {
            let names = self.facts.names();
            let own: Vec<String> = self.config.values().map(|(key, _)| key.into()).collect();
            bail!(
                "{}: no such key in {model_type} or its {FILE}{}",
                shown(),
                did_you_mean(path, names.iter().chain(&own).map(String::as_str))
            );
        }
        let value = self.typed(&place, value).with_context(shown)?;
        for name in self.facts.second_names(&place) {
            self.config.remove(&name);
        }
        self.config.set(&place, &value).with_context(shown)
    }

    /// The path under which a value is set: the first name of a key, or of what an older version called so.
    fn place(&self, path: &str) -> String {
        let place = self.facts.canonical(path);
        if self.facts.has(&place) || self.config.at(&place).is_some() {
            return place;
        }
        // Rotary positions have a table of their own in version 5.
        let of_layers = match path {
            "rope_theta" => "full_attention",
            "rope_local_base_freq" => "sliding_attention",
            _ => return place,
        };
        let in_table = [format!("rope_parameters.{of_layers}.rope_theta"), "rope_parameters.rope_theta".into()];
        let has = |path: &&String| match self.is_complete {
            true => self.facts.default_at(path).is_some(),
            false => self.config.at(path).is_some(),
        };
        in_table.iter().find(has).cloned().unwrap_or(place)
    }

    /// A number that is whole or fractional as the value that it replaces. Keys with types are fitted later.
    fn typed(&self, path: &str, value: &Value) -> Result<Value> {
        let before = self.config.at(path).or_else(|| self.facts.default_at(path)).filter(Value::is_number);
        Ok(match (value.as_f64(), before) {
            (Some(number), Some(before)) if before.is_f64() && !value.is_f64() => number.into(),
            (Some(number), Some(before)) if !before.is_f64() && value.is_f64() => {
                whole(number).with_context(|| format!("`{value}` is not an integer"))?
            }
            _ => value.clone(),
        })
    }

    /// Replaces `text_config` by an older `text_config_dict`, whose values and defaults the library prefers.
    fn replace_older_tables(&mut self) -> Result<()> {
        let older: Vec<String> = self.facts.keys().map(|(key, _)| format!("{key}_dict")).collect();
        for name in older {
            if let Some(Value::Object(table)) = self.config.get(&name) {
                self.config.set(name.trim_end_matches("_dict"), &table.into())?;
                self.config.remove(&name);
            }
        }
        Ok(())
    }

    /// Adapts lists with an item for each layer to a number of layers that `--set` changed. The library makes longer ones.
    fn shorten_lists(&mut self, settings: &Settings) -> Result<()> {
        let values = self.config.to_map();
        for (key, count, wanted) in self.facts.lists(&values) {
            let Some(Value::Array(mut items)) = values.get(key).cloned() else { continue };
            let is_set = |key| settings.iter().any(|(path, _)| self.facts.canonical(path) == key);
            if items.len() == wanted {
                continue;
            }
            let found = items.len();
            ensure!(is_set(count) && !is_set(key), "`{key}` has {found} items, but `{count}` is {wanted}");
            match found > wanted {
                true => {
                    items.truncate(wanted);
                    self.config.set(key, &items.into())?;
                }
                false => self.config.set(key, &Value::Null)?,
            }
        }
        Ok(())
    }

    /// The head of the first of the `architectures`, or the default. A class that `--set` names must be known.
    pub(super) fn head(&mut self, settings: &Settings) -> Result<&'f Head> {
        let Family { heads, model_type, .. } = self.family;
        let default = self.family.default_head()?;
        let classes = self.config.get("architectures").unwrap_or_default();
        let Some(asked) = classes.get(0) else { return Ok(default) };
        let asked = asked.as_str().context("`architectures` must be a list of names")?;
        if let Some(head) = heads.iter().find(|head| head.class == asked) {
            return Ok(head);
        }
        let shown = escape(&cut(asked, 60));
        ensure!(
            settings.iter().all(|(path, _)| path != "architectures"),
            "unknown architecture `{shown}` of {model_type}: use {}{}",
            crate::text::alternatives(&self.family.classes().collect::<Vec<_>>()),
            did_you_mean(asked, self.family.classes())
        );
        let head = Head::like(heads, asked).unwrap_or(default);
        self.notes.push(format!("architecture `{shown}` is not one of {model_type}: {} is used", head.class));
        Ok(head)
    }

    /// The type of the weights [default: f32].
    pub(super) fn dtype(&self) -> Result<DType> {
        let named = |key| self.config.get(key).filter(|value| !value.is_null());
        let Some(value) = named("dtype").or_else(|| named("torch_dtype")) else { return Ok(DType::F32) };
        let word = value.as_str().unwrap_or_default();
        let found = DType::ALL.into_iter().find(|dtype| dtype.numpy() == word);
        found.with_context(|| {
            let known: Vec<&str> = DType::ALL.into_iter().map(DType::numpy).collect();
            let shown = escape(&cut(&value.to_string(), 60));
            format!("`dtype` is `{shown}`, not one of {}: use --dtype", known.join(", "))
        })
    }

    /// The model with this head and type of weights.
    pub(super) fn model(&self, head: &Head, dtype: DType, asked: &Request) -> Result<Model> {
        let request = self.request(head, dtype, asked)?;
        self.family.recipe.model(&request).map_err(|error| {
            let values = self.config.to_map();
            let is_word = |value: &&Value| value.as_str().is_some_and(|text| text.starts_with('\0'));
            match values.iter().find(|(key, value)| self.facts.has(key) && is_word(value)) {
                Some((key, word)) => {
                    anyhow::anyhow!("`{key}` is `{}`: it must be a number", python_words(&word.to_string()))
                }
                None => error,
            }
        })
    }

    /// The request with the values of the configuration as constants.
    fn request(&self, head: &Head, dtype: DType, asked: &Request) -> Result<Request> {
        let mut request = Request { dtype: Some(dtype), ..asked.clone() };
        let (mut first, second) = self.facts.split(public(self.config.to_map(), Some(&self.facts)));
        let mut values = first.clone();
        lay(&mut values, &second);
        let defaults = self.facts.defaults(&values);
        // The library renames the labels if `num_labels` is another number.
        let labels = first.remove("id2label").or_else(|| defaults.get("id2label").cloned());
        let labels = labels.and_then(|labels| labels.as_object().map(Map::len));
        let count = first.remove("num_labels").filter(Value::is_u64).or_else(|| labels.map(Value::from));
        request.constants.below(defaults);
        first.insert("num_labels".into(), count.unwrap_or_else(|| LABELS.into()));
        first.insert(HEAD.into(), head.word.as_str().into());
        request.constants.merge(first);
        if !second.is_empty() {
            // The library sets second names after it has computed other keys.
            request.constants.merge(public(self.family.recipe.values(&request)?, Some(&self.facts)));
            request.constants.merge(second);
        }
        Ok(request)
    }
}

/// The values without those of private constants, at any depth. A key of the library is public.
fn public(values: Map<String, Value>, facts: Option<&Facts>) -> Map<String, Value> {
    let is_known = |key: &str| facts.is_some_and(|facts| facts.has(key));
    let known = values.into_iter().filter(|(key, _)| is_known(key) || !is_private(key));
    let part = |(key, value): (String, Value)| match value {
        Value::Object(part) => {
            let part = public(part, facts.and_then(|facts| facts.part(&key)));
            (key, part.into())
        }
        value => (key, value),
    };
    known.map(part).collect()
}

fn is_private(key: &str) -> bool {
    key.starts_with('_')
}
