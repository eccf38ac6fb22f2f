//! Families of models: a `config.json` of the `transformers` library becomes a plan.
//!
//! Each family is a recipe in `families`, whose table `[family]` has its kind and classes. Constants that start with `_` are private: they
//! are computed from the others, and neither read from a `config.json` nor written to one. A key of the library may start with `_`, too.

mod head;
mod reading;
mod rotary;
mod written;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use self::reading::Reading;
use super::config::Config;
use super::facts::Facts;
use super::{Document, Model, Request, library};
use crate::text::{cut, escape, nearest};

pub use super::facts::KeyFacts;
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
    /// The head of the model that is a component of another.
    pub base: String,
    recipe: Document,
    facts: Facts,
}

/// A model and its `config.json`.
#[derive(Clone, Debug)]
pub struct Configured {
    /// The tensors.
    pub model: Model,
    /// The `config.json`, to the byte.
    pub config: Vec<u8>,
    /// Notes for the report.
    pub notes: Vec<String>,
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
        let (kind, heads, base) = head::heads(model_type, &recipe)?;
        Ok(Some(Self { model_type, kind, heads, base, recipe, facts: Facts::of(model_type)? }))
    }

    /// The names of its classes, the default first.
    pub fn classes(&self) -> impl Iterator<Item = &str> {
        self.heads.iter().map(|head| head.class.as_str())
    }

    fn default_head(&self) -> Result<&Head> {
        self.heads.first().with_context(|| format!("{}: no head", self.model_type))
    }

    /// The keys of its `config.json`, as in the library.
    pub fn keys(&self) -> Vec<KeyFacts> {
        self.facts.described("")
    }

    /// The keys that the `config.json` of every family may have.
    pub fn common_keys() -> impl Iterator<Item = &'static str> {
        Facts::common()
    }

    /// The families that it extends, the nearest first.
    pub fn extends(&self) -> Vec<&str> {
        self.recipe.extends()
    }

    /// The model of a configuration with some values replaced, and the configuration to write.
    fn configured(
        &self,
        config: Config,
        settings: &Settings,
        asked: &Request,
        is_complete: bool,
        notes: &mut Vec<String>,
    ) -> Result<(Model, Config)> {
        let mut reading = Reading::new(self, config, settings, is_complete)?;
        let head = reading.head(settings)?;
        let dtype = asked.dtype.map_or_else(|| reading.dtype(), Ok)?;
        let model = reading.model(head, dtype, asked)?;
        rotary::check(&model.constants)?;
        let config = reading.written(&model.constants, head, dtype)?;
        notes.append(&mut reading.notes);
        Ok((model, config))
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
    let mut config = Config::parse(text)?;
    let read = config.clone();
    let mut notes = Vec::new();
    if matches!(config.get("model_type"), None | Some(Value::Null)) {
        let model_type = type_of_class(&config)?;
        notes.push(format!("`model_type` is missing: {model_type} is taken from `architectures`"));
        config.set("model_type", &model_type.into())?;
    }
    let model_type = config.text("model_type").context("`model_type` must be text")?;
    let family = Family::find(&model_type).context("`model_type`")?;
    let (model, changed) = family.configured(config, settings, asked, false, &mut notes)?;
    // An unchanged file keeps its bytes.
    let unmarked = text.trim_start_matches('\u{feff}');
    let bytes = if changed == read { unmarked.into() } else { changed.to_text().into() };
    Ok(Configured { model, config: bytes, notes })
}

/// The family that has the first of the `architectures`. A family that extends it with the same classes does not count.
fn type_of_class(config: &Config) -> Result<&'static str> {
    let class = config.get("architectures").and_then(|names| names.get(0)?.as_str().map(String::from));
    let class = class.context("`model_type` is missing: add it, as in `\"model_type\": \"llama\"`")?;
    let families = Family::all()?;
    let with_class = families.iter().filter(|family| family.classes().any(|known| known == class));
    let found = with_class.min_by_key(|family| family.recipe.bases());
    found.map(|family| family.model_type).with_context(|| {
        let shown = escape(&cut(&class, 60));
        format!("`model_type` is missing, and `{shown}` is not a known class: add `model_type`")
    })
}

/// The model of a family with the defaults of the library, and some values replaced.
pub fn from_defaults(family: &Family, settings: &Settings, asked: &Request) -> Result<Configured> {
    let mut config = Config::default();
    config.set("model_type", &family.model_type.into())?;
    let mut notes = Vec::new();
    let (model, config) = family.configured(config, settings, asked, true, &mut notes)?;
    Ok(Configured { model, config: config.to_text().into(), notes })
}

#[cfg(test)]
mod tests;
