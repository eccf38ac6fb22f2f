//! Families of models: a `config.json` of the `transformers` library becomes a plan.
//!
//! Each family is a recipe in `families`. The table `[family]` has its kind and classes, and `[config]` has values for the written
//! `config.json`. Constants that start with `_` are private: they are computed from the others,
//! and neither read from a `config.json` nor written to one.

mod head;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value};

use super::config::{Config, python_words};
use super::document;
use super::{Document, Model, Request, evaluate, library};

use crate::tensor::DType;
use crate::text::{alternatives, cut, did_you_mean, escape, nearest};

pub use head::{Head, Kind};

/// The library and version that the families follow.
pub const FOLLOWS: &str = "transformers 5.23.0";

/// The name of the configuration next to the weights.
pub const FILE: &str = "config.json";

/// The constant that names the head of a model.
const HEAD: &str = "head";

/// A family of models.
#[derive(Clone, Debug)]
pub struct Family {
    /// The `model_type` of its `config.json`.
    pub model_type: &'static str,
    /// The kind of models.
    pub kind: Kind,
    /// Its classes, the default first.
    pub heads: Vec<Head>,
    recipe: Document,
}

/// A model and its `config.json`.
#[derive(Clone, Debug)]
pub struct Configured {
    /// The tensors.
    pub model: Model,
    /// The `config.json`, to the byte.
    pub config: Vec<u8>,
}

/// The values that `--set` gives, each with its path.
pub type Settings = [(String, Value)];

impl Family {
    /// Every family, by name.
    pub fn all() -> Result<Vec<Self>> {
        library::names().filter_map(|name| Self::read(name).transpose()).collect()
    }

    /// The family of a `model_type`. Errors propose another.
    pub fn find(model_type: &str) -> Result<Self> {
        if let Some(family) = Self::read(model_type)? {
            return Ok(family);
        }
        let near = nearest(model_type, library::names()).or_else(|| beginning(model_type, library::names()));
        let fix = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`fanin list models` shows all; others need a recipe, or a file of weights and --rules rules.toml"
                .into(),
        };
        bail!("unknown model family `{}`; {fix}", escape(&cut(model_type, 60)))
    }

    fn read(name: &str) -> Result<Option<Self>> {
        let Some((model_type, recipe)) = Document::of_family(name)? else { return Ok(None) };
        let (kind, heads) = head::heads(model_type, &recipe)?;
        Ok(Some(Self { model_type, kind, heads, recipe }))
    }

    /// The names of its classes, the default first.
    pub fn classes(&self) -> impl Iterator<Item = &str> {
        self.heads.iter().map(|head| head.class.as_str())
    }

    /// The constants of the recipe, each with true if it is a plain value.
    fn constants(&self) -> impl Iterator<Item = (&str, bool)> {
        let plain = |node: &document::Node| !matches!(node.value, document::Value::Text(_) | document::Value::Table(_));
        self.recipe.constants().into_iter().map(move |(key, node)| (key, plain(node)))
    }

    /// The values of `--set`. Numbers become whole or fractional, as in the family or in the `config.json`.
    fn typed(&self, config: &Config, settings: &Settings) -> Result<Vec<(String, Value)>> {
        let mut defaults = None;
        let mut typed = Vec::with_capacity(settings.len());
        for (path, value) in settings {
            let kind = match (value.is_number(), self.constant(path)) {
                (false, _) => None,
                // Token ids are integers.
                (true, _) if path.ends_with("_id") => Some(0.into()),
                (true, Some(node)) if node.is_number() => Some(node),
                (true, found) => config.at(path).filter(Value::is_number).or_else(|| {
                    // An expression has the type of its default value.
                    let made = || self.defaults().unwrap_or_default();
                    found.and_then(|_| {
                        defaults.get_or_insert_with(made).get(path).filter(|value| value.is_number()).cloned()
                    })
                }),
            };
            let value = kind.map_or(Ok(value.clone()), |kind| of_type(path, value, &kind))?;
            typed.push((path.clone(), value));
        }
        Ok(typed)
    }

    /// The keys of its `config.json`, each with the default of the library.
    pub fn keys(&self) -> Result<Vec<(String, Value)>> {
        let mut defaults = self.defaults()?;
        let known = self.constants().filter(|(key, _)| !is_private(key));
        Ok(known.map(|(key, _)| (key.into(), defaults.remove(key).unwrap_or_default())).collect())
    }

    fn defaults(&self) -> Result<Map<String, Value>> {
        let asked = self.asked(&Config::default(), self.default_head()?, None, &Request::default());
        Ok(self.recipe.model(&asked)?.constants)
    }

    /// The constant at a path, before evaluation.
    fn constant(&self, path: &str) -> Option<Value> {
        let mut keys = path.split('.');
        let first = keys.next()?;
        let (_, node) = self.recipe.constants().into_iter().find(|(key, _)| *key == first)?;
        keys.try_fold(node, |node, key| node.get(key)).map(document::Node::to_json)
    }

    /// Errors if a value differs in kind from the default. Otherwise an expression would fail with a worse message.
    fn check_kinds(&self, config: &Config) -> Result<()> {
        for (key, node) in self.recipe.constants() {
            let Some(value) = config.get(key).filter(|value| !value.is_null() && !is_private(key)) else { continue };
            let whole = |value: &Value| value.as_u64().is_some();
            // The id of a token may be -1, for none.
            let size = whole(&node.to_json()) && !key.ends_with("_id");
            let (fits, kind) = match &node.value {
                document::Value::Number(_) if value.is_number() => {
                    (!size || value.as_f64().is_none_or(|number| number >= 0.0), "a non-negative number")
                }
                document::Value::Number(_) => (value.is_array(), "a number"),
                document::Value::Bool(_) => (!value.is_string() && !value.is_object(), "true or false"),
                document::Value::Table(_) => (value.is_object(), "a table"),
                _ => (true, ""),
            };
            ensure!(fits, "`{key}` is `{}`: it must be {kind}", escape(&cut(&python_words(&value.to_string()), 60)));
        }
        Ok(())
    }

    fn default_head(&self) -> Result<&Head> {
        self.heads.first().with_context(|| format!("{}: no head", self.model_type))
    }

    /// The head of the first architecture of a `config.json`, or the default.
    fn head(&self, config: &Config) -> Result<&Head> {
        let asked = match config.get("architectures") {
            None | Some(Value::Null) => None,
            Some(Value::Array(items)) => items.into_iter().next(),
            Some(other) => {
                bail!("`architectures` must be a list of names, not `{}`", cut(&escape(&other.to_string()), 60))
            }
        };
        let Some(asked) = asked else { return self.default_head() };
        let asked = asked.as_str().context("`architectures` must be a list of names")?;
        self.heads.iter().find(|head| head.class == asked).with_context(|| {
            format!(
                "unknown architecture `{}` of {}: use {}{}",
                escape(&cut(asked, 60)),
                self.model_type,
                alternatives(&self.classes().collect::<Vec<_>>()),
                did_you_mean(asked, self.classes())
            )
        })
    }

    /// Errors if `--set` names a key that is in neither the family nor the `config.json`.
    fn check_settings(&self, config: &Config, settings: &Settings) -> Result<()> {
        let constants: Vec<&str> = self.constants().map(|(key, _)| key).filter(|key| !is_private(key)).collect();
        for (path, _) in settings {
            let key = path.split('.').next().unwrap_or_default();
            let known = !is_private(key) && (constants.contains(&key) || config.get(key).is_some());
            ensure!(
                known || matches!(key, "architectures" | "dtype"),
                "--set `{}`: no such key in {} or its {FILE}{}",
                escape(&cut(path, 60)),
                self.model_type,
                did_you_mean(key, constants.iter().copied().chain(config.values().map(|(key, _)| key)))
            );
            ensure!(key != "model_type", "--set `model_type`: another family needs another {FILE}");
        }
        Ok(())
    }

    /// The request with the values of a `config.json` as constants.
    fn asked(&self, config: &Config, head: &Head, dtype: Option<DType>, asked: &Request) -> Request {
        let mut asked = Request { dtype, ..asked.clone() };
        let mut values: Map<String, Value> =
            config.values().filter(|(key, _)| !is_private(key)).map(|(key, value)| (key.to_string(), value)).collect();
        values.insert(HEAD.into(), head.word.as_str().into());
        // The library replaces a null only if it computes the value.
        for (key, _) in self.constants().filter(|&(key, plain)| plain && values.get(key) == Some(&Value::Null)) {
            asked.constants.set(key, Value::Null);
        }
        asked.constants.merge(values);
        asked
    }
}

/// The longest of the known names that a word of a longer name begins with: `bert` of `bert-base-uncased`.
fn beginning<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let words: Vec<&str> = name.split(|character: char| !character.is_alphanumeric()).collect();
    known.filter(|known| words.iter().any(|word| word.starts_with(known))).max_by_key(|known| known.len())
}

/// The model of a `config.json` with some values replaced.
pub fn from_config(text: &str, settings: &Settings, asked: &Request) -> Result<Configured> {
    let config = Config::parse(text)?;
    let model_type = config.text("model_type").context("`model_type` is missing")?;
    let family = Family::find(&model_type).context("`model_type`")?;
    let (model, changed) = configured(&family, config.clone(), settings, asked, false)?;
    // An unchanged file keeps its bytes.
    let unmarked = text.trim_start_matches('\u{feff}');
    let bytes = if changed == config { unmarked.into() } else { changed.to_text().into() };
    Ok(Configured { model, config: bytes })
}

/// The model of a family with the defaults of the library, and some values replaced.
pub fn from_defaults(model_type: &str, settings: &Settings, asked: &Request) -> Result<Configured> {
    let family = Family::find(model_type)?;
    let mut config = Config::default();
    config.set("architectures", &Value::Null)?;
    config.set("model_type", &model_type.into())?;
    let (model, config) = configured(&family, config, settings, asked, true)?;
    Ok(Configured { model, config: config.to_text().into() })
}

fn configured(
    family: &Family,
    mut config: Config,
    settings: &Settings,
    asked: &Request,
    full: bool,
) -> Result<(Model, Config)> {
    for key in ["quantization_config", "per_layer_config"] {
        let absent = matches!(config.get(key), None | Some(Value::Null));
        ensure!(absent, "`{key}` is not supported: it changes the tensors of the family");
    }
    family.check_settings(&config, settings)?;
    let settings = &family.typed(&config, settings)?;
    for (path, value) in settings {
        config.set(path, value).with_context(|| format!("--set `{}`", escape(&cut(path, 60))))?;
    }
    family.check_kinds(&config)?;
    let head = family.head(&config)?;
    let dtype = match asked.dtype {
        Some(dtype) => dtype,
        None => dtype_of(&config)?,
    };
    let model = family.recipe.model(&family.asked(&config, head, Some(dtype), asked))?;
    if full {
        // A second name for a key would override later changes of the first.
        let second: Vec<String> = family.recipe.config()?.into_iter().map(|(_, expression)| expression).collect();
        for (key, value) in model.constants.iter().filter(|(key, value)| !is_private(key) && !value.is_null()) {
            if key != HEAD && config.get(key).is_none() && !second.contains(key) {
                config.set(key, value)?;
            }
        }
    }
    for (key, expression) in family.recipe.config()? {
        if !matches!(config.get(&key), None | Some(Value::Null)) {
            let value = evaluate(&expression, &model.constants).with_context(|| format!("[config] `{key}`"))?;
            config.set(&key, &value)?;
        }
    }
    if matches!(config.get("architectures"), None | Some(Value::Null)) {
        config.set("architectures", &vec![head.class.as_str()].into())?;
    }
    if dtype != dtype_of(&config)? {
        // The older key is used if only it exists.
        let old = config.get("torch_dtype").is_some() && config.get("dtype").is_none();
        config.set(if old { "torch_dtype" } else { "dtype" }, &dtype.numpy().into())?;
    }
    for (path, value) in settings {
        let kept = config.at(path).unwrap_or_default();
        ensure!(kept == *value, "--set `{path}` is computed from other keys (now {kept}): set those");
    }
    Ok((model, config))
}

/// Makes a number whole or fractional, like the value of its key.
fn of_type(path: &str, value: &Value, kind: &Value) -> Result<Value> {
    /// The largest range of integers that doubles represent exactly.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let Some(number) = value.as_f64() else { return Ok(value.clone()) };
    match (kind.is_f64(), value.is_f64()) {
        (true, false) => Ok(number.into()),
        (false, true) => {
            let whole = number.fract() == 0.0 && number.abs() <= EXACT;
            ensure!(whole, "--set `{}`: `{value}` is not an integer", escape(&cut(path, 60)));
            #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
            let whole = number as i64;
            Ok(whole.into())
        }
        _ => Ok(value.clone()),
    }
}

/// The type of the weights of a `config.json` [default: f32].
fn dtype_of(config: &Config) -> Result<DType> {
    let named = |key| config.get(key).filter(|value| !value.is_null());
    let Some(value) = named("dtype").or_else(|| named("torch_dtype")) else { return Ok(DType::F32) };
    let word = value.as_str().unwrap_or_default();
    let found = DType::ALL.into_iter().find(|dtype| dtype.numpy() == word);
    found.with_context(|| {
        let known: Vec<&str> = DType::ALL.into_iter().map(DType::numpy).collect();
        format!("`dtype` is `{}`, not one of {}: use --dtype", escape(&cut(&value.to_string(), 60)), known.join(", "))
    })
}

fn is_private(key: &str) -> bool {
    key.starts_with('_')
}

#[cfg(test)]
mod tests;
