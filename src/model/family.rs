//! Families of models: a `config.json` of the `transformers` library becomes a plan.
//!
//! Each family is a recipe in `families`, found when the program is built. Its table `[family]` says of which `model_type` it is and
//! which architectures it knows, `[config]` what is to be put into the `config.json` that is written. Constants that start with `_` are
//! worked out from the others: they are neither read from a `config.json` nor written into one.

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::config::Config;
use super::document::{self, Syntax, Text};
use super::{Asked, Document, Model, evaluate};
use crate::plan::DType;
use crate::text::{cut, did_you_mean, escape};

/// The library that the families follow, in its version.
pub const FOLLOWS: &str = "transformers 5.23.0";

/// The name of the file beside the weights.
pub const FILE: &str = "config.json";

/// File names and texts of the recipes.
static RECIPES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/families.rs"));

/// A family of models.
#[derive(Clone, Debug)]
pub struct Family {
    /// What a `config.json` calls it.
    pub model_type: String,
    /// The models that it knows, the one that is meant where none is named first.
    pub architectures: Vec<String>,
    recipe: Document,
}

/// A model, and the `config.json` that belongs to it.
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
        RECIPES.iter().map(|(file, text)| Self::read(file, text)).collect()
    }

    /// The family of a `model_type`. Errors name those that are known.
    pub fn find(model_type: &str) -> Result<Self> {
        let mut families = Self::all()?;
        if let Some(position) = families.iter().position(|family| family.model_type == model_type) {
            return Ok(families.swap_remove(position));
        }
        let known: Vec<&str> = families.iter().map(|family| family.model_type.as_str()).collect();
        bail!(
            "`{}` is no family of models that is known here{}; known are {}; of any other, `fanin model \
             model.safetensors --rules rules.toml` takes names and shapes from weights that exist",
            escape(&cut(model_type, 60)),
            did_you_mean(model_type, known.iter().copied()).trim_end_matches('?'),
            known.join(", ")
        )
    }

    fn read(file: &str, text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Head {
            model_type: String,
            architectures: Vec<String>,
        }
        let shown_name = format!("families/{file}");
        let recipe = Document::parse(&Text { shown_name: &shown_name, text, syntax: Syntax::Toml })?;
        let head = recipe.family().with_context(|| format!("{shown_name}: it has no table [family]"))?;
        let Head { model_type, architectures } =
            serde_json::from_value(head).with_context(|| format!("{shown_name}: [family]"))?;
        ensure!(!architectures.is_empty(), "{shown_name}: [family] names no architecture");
        Ok(Self { model_type, architectures, recipe })
    }

    /// The constants of the recipe, each with whether it is a plain value and no expression.
    fn constants(&self) -> impl Iterator<Item = (&str, bool)> {
        let entries = self.recipe.root.get("constants").and_then(|node| node.table().ok()).unwrap_or_default();
        let plain = |node: &document::Node| !matches!(node.value, document::Value::Text(_) | document::Value::Table(_));
        entries.iter().map(move |(key, node)| (key.as_str(), plain(node)))
    }

    /// Errors where a value is of another kind than the family's own: an expression that meets it could not say so as well.
    fn check_kinds(&self, config: &Config) -> Result<()> {
        let entries = self.recipe.root.get("constants").and_then(|node| node.table().ok()).unwrap_or_default();
        for (key, node) in entries {
            let Some(value) = config.get(key).filter(|value| !value.is_null() && !is_inner(key)) else { continue };
            let whole = |value: &Value| value.as_u64().is_some();
            // A token's number may be -1, for none.
            let size = whole(&node.to_json()) && !key.ends_with("_id");
            let (fits, kind) = match &node.value {
                document::Value::Number(_) if value.is_number() => {
                    (!size || value.as_f64().is_none_or(|number| number >= 0.0), "a number that is not negative")
                }
                document::Value::Number(_) => (value.is_array(), "a number"),
                document::Value::Bool(_) => (!value.is_string() && !value.is_object(), "true or false"),
                document::Value::Table(_) => (value.is_object(), "a table"),
                _ => (true, ""),
            };
            ensure!(fits, "`{key}` is `{}`, and takes {kind}", escape(&cut(&value.to_string(), 60)));
        }
        Ok(())
    }

    /// The architecture that a `config.json` names first, or the family's own.
    fn architecture(&self, config: &Config) -> Result<String> {
        let asked = match config.get("architectures") {
            None | Some(Value::Null) => None,
            Some(Value::Array(items)) => items.into_iter().next(),
            Some(other) => {
                bail!("`architectures` is a list of names, and not `{}`", cut(&escape(&other.to_string()), 60))
            }
        };
        let Some(asked) = asked else { return Ok(self.architectures[0].clone()) };
        let asked = asked.as_str().context("`architectures` is a list of names")?;
        ensure!(
            self.architectures.iter().any(|known| known == asked),
            "architecture `{}` is not known of {}{}; known are {}",
            escape(&cut(asked, 60)),
            self.model_type,
            did_you_mean(asked, self.architectures.iter().map(String::as_str)).trim_end_matches('?'),
            self.architectures.join(", ")
        );
        Ok(asked.into())
    }

    /// Errors where `--set` names what neither the family nor the `config.json` has.
    fn check_settings(&self, config: &Config, settings: &Settings) -> Result<()> {
        let constants: Vec<&str> = self.constants().map(|(key, _)| key).filter(|key| !is_inner(key)).collect();
        for (path, _) in settings {
            let key = path.split('.').next().unwrap_or_default();
            let known = !is_inner(key) && (constants.contains(&key) || config.get(key).is_some());
            ensure!(
                known || matches!(key, "architectures" | "dtype"),
                "--set `{}`: neither {} nor its {FILE} has such a key{}",
                escape(&cut(path, 60)),
                self.model_type,
                did_you_mean(key, constants.iter().copied().chain(config.values().map(|(key, _)| key)))
            );
            ensure!(key != "model_type", "--set `model_type`: another family needs a {FILE} of its own");
        }
        Ok(())
    }

    /// What overrides the recipe's constants: the values of a `config.json`.
    fn asked(&self, config: &Config, architecture: &str, dtype: Option<DType>, asked: &Asked) -> Asked {
        let mut asked = Asked { dtype, ..asked.clone() };
        let mut values: Map<String, Value> =
            config.values().filter(|(key, _)| !is_inner(key)).map(|(key, value)| (key.to_string(), value)).collect();
        values.insert("architecture".into(), architecture.into());
        // A null is no value to the library either, but where it works one out.
        for (key, _) in self.constants().filter(|&(key, plain)| plain && values.get(key) == Some(&Value::Null)) {
            asked.constants.set(key, Value::Null);
        }
        asked.constants.merge(values);
        asked
    }
}

/// The model of a `config.json`, some of whose values are set anew.
pub fn from_config(text: &str, settings: &Settings, asked: &Asked) -> Result<Configured> {
    let config = Config::parse(text)?;
    let model_type = config.text("model_type").context("it has no `model_type` that says which model it is of")?;
    let family = Family::find(&model_type).context("`model_type`")?;
    let (model, changed) = configured(&family, config.clone(), settings, asked, false)?;
    // What nothing was changed in stays as it is.
    let bytes = if changed == config { text.into() } else { changed.to_text().into() };
    Ok(Configured { model, config: bytes })
}

/// The model that the library makes of a family where nothing is said, but for what is set.
pub fn from_defaults(model_type: &str, settings: &Settings, asked: &Asked) -> Result<Configured> {
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
    asked: &Asked,
    full: bool,
) -> Result<(Model, Config)> {
    for key in ["quantization_config", "per_layer_config"] {
        let absent = matches!(config.get(key), None | Some(Value::Null));
        ensure!(absent, "`{key}` asks for other tensors than the family has: only models without it are known here");
    }
    family.check_settings(&config, settings)?;
    for (path, value) in settings {
        config.set(path, value).with_context(|| format!("--set `{}`", escape(&cut(path, 60))))?;
    }
    family.check_kinds(&config)?;
    let architecture = family.architecture(&config)?;
    let dtype = match asked.dtype {
        Some(dtype) => dtype,
        None => dtype_of(&config)?,
    };
    let model = family.recipe.model(&family.asked(&config, &architecture, Some(dtype), asked))?;
    if full {
        // A second name for a key would stand in the way of who sets the first.
        let second: Vec<String> = family.recipe.config()?.into_iter().map(|(_, expression)| expression).collect();
        for (key, value) in model.constants.iter().filter(|(key, value)| !is_inner(key) && !value.is_null()) {
            if key != "architecture" && config.get(key).is_none() && !second.contains(key) {
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
        config.set("architectures", &vec![architecture].into())?;
    }
    if dtype != dtype_of(&config)? {
        // The older key is kept where it is the one that is there.
        let old = config.get("torch_dtype").is_some() && config.get("dtype").is_none();
        config.set(if old { "torch_dtype" } else { "dtype" }, &dtype.numpy().into())?;
    }
    for (path, value) in settings {
        let told = config.at(path).unwrap_or_default();
        ensure!(told == *value, "--set `{path}`: it is overruled, and stays {told}: set what it is worked out from");
    }
    Ok((model, config))
}

/// The type of the weights that a `config.json` names; where it names none, f32.
fn dtype_of(config: &Config) -> Result<DType> {
    let named = |key| config.get(key).filter(|value| !value.is_null());
    let Some(value) = named("dtype").or_else(|| named("torch_dtype")) else { return Ok(DType::F32) };
    let word = value.as_str().unwrap_or_default();
    let found = DType::ALL.into_iter().find(|dtype| dtype.numpy() == word);
    found.with_context(|| {
        let known: Vec<&str> = DType::ALL.into_iter().map(DType::numpy).collect();
        format!(
            "`dtype` is `{}`, and not one of {}: say --dtype",
            escape(&cut(&value.to_string(), 60)),
            known.join(", ")
        )
    })
}

/// Whether a name is one that a family keeps to itself.
fn is_inner(key: &str) -> bool {
    key.starts_with('_')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TINY: &str = r#"{"model_type": "llama", "hidden_size": 8, "num_attention_heads": 2, "vocab_size": 9, "intermediate_size": 5,
        "num_hidden_layers": 2, "architectures": ["LlamaModel"]}"#;

    fn of(text: &str, settings: &[(&str, Value)], asked: &Asked) -> Result<Configured> {
        let settings: Vec<_> = settings.iter().map(|(key, value)| ((*key).to_string(), value.clone())).collect();
        from_config(text, &settings, asked)
    }

    fn refusal(text: &str, settings: &[(&str, Value)]) -> String {
        format!("{:#}", of(text, settings, &Asked::default()).unwrap_err())
    }

    fn names(configured: &Configured) -> Vec<&str> {
        configured.model.plan.tensors.iter().map(|tensor| tensor.name.as_str()).collect()
    }

    #[test]
    fn every_file_is_the_family_of_its_name_and_makes_each_of_its_models() {
        let families = Family::all().unwrap();
        assert_eq!(families.len(), RECIPES.len());
        for (family, (file, _)) in families.iter().zip(RECIPES) {
            assert_eq!(format!("{}.toml", family.model_type), *file);
            for architecture in &family.architectures {
                let settings = [("architectures".to_string(), json!([architecture]))];
                let made = from_defaults(&family.model_type, &settings, &Asked::default());
                let made = made.unwrap_or_else(|error| panic!("{architecture}: {error:#}"));
                let text = String::from_utf8(made.config).unwrap();
                let again = of(&text, &[], &Asked::default()).unwrap();
                assert_eq!(again.config, text.into_bytes(), "{architecture}: what is written is taken back");
                assert_eq!(again.model.plan.bytes(), made.model.plan.bytes());
            }
        }
    }

    #[test]
    fn a_config_in_which_nothing_is_set_stays_as_it_is() {
        assert_eq!(of(TINY, &[], &Asked::default()).unwrap().config, TINY.as_bytes());
        let same = of(TINY, &[("hidden_size", json!(8))], &Asked::default()).unwrap();
        assert_eq!(same.config, TINY.as_bytes());
    }

    #[test]
    fn what_is_set_is_in_the_weights_and_in_the_config() {
        let bf16 = Asked { dtype: Some(DType::BF16), ..Asked::default() };
        let made = of(TINY, &[("num_hidden_layers", json!(1)), ("mlp_bias", json!(true))], &bf16).unwrap();
        assert!(names(&made).contains(&"layers.0.mlp.up_proj.bias"));
        assert!(!names(&made).iter().any(|name| name.starts_with("layers.1.")));
        let config: Value = serde_json::from_slice(&made.config).unwrap();
        assert_eq!(config["num_hidden_layers"], json!(1));
        assert_eq!(config["mlp_bias"], json!(true));
        assert_eq!(config["dtype"], json!("bfloat16"));
    }

    #[test]
    fn what_a_family_writes_can_be_set_again() {
        let made =
            from_defaults("gpt2", &[("n_embd".into(), json!(24)), ("vocab_size".into(), json!(9))], &Asked::default())
                .unwrap();
        let text = String::from_utf8(made.config).unwrap();
        let again = of(&text, &[("n_layer", json!(1))], &Asked::default()).unwrap();
        assert!(!names(&again).iter().any(|name| name.contains(".h.1.")));
    }

    #[test]
    fn the_types_of_layers_are_as_many_as_the_layers() {
        let text = r#"{"model_type":"qwen3","num_hidden_layers":3,"layer_types":["full_attention","full_attention","sliding_attention"]}"#;
        let types = |layers: u64| {
            let made = of(text, &[("num_hidden_layers", json!(layers))], &Asked::default()).unwrap();
            serde_json::from_slice::<Value>(&made.config).unwrap()["layer_types"].clone()
        };
        assert_eq!(types(2), json!(["full_attention", "full_attention"]));
        assert_eq!(types(4), Value::Null, "the library makes the list anew");
    }

    #[test]
    fn the_dtype_of_the_config_is_that_of_the_weights() {
        let text = TINY.replacen('{', r#"{"torch_dtype": "float16", "#, 1);
        let made = of(&text, &[], &Asked::default()).unwrap();
        assert!(made.model.plan.tensors.iter().all(|tensor| tensor.dtype == DType::F16));
        assert_eq!(made.config, text.as_bytes());
        assert!(refusal(&TINY.replacen('{', r#"{"dtype": "auto", "#, 1), &[]).contains("--dtype"));
    }

    #[test]
    fn a_null_padding_token_is_none() {
        let text = r#"{"model_type": "gemma", "pad_token_id": null, "vocab_size": 9}"#;
        let scheme = |text| of(text, &[], &Asked::default()).unwrap().model.plan.tensors[0].expression.clone();
        assert!(!scheme(text).contains("padding="));
        assert!(scheme(r#"{"model_type": "gemma", "vocab_size": 9}"#).contains("padding=0"));
    }

    #[test]
    fn a_null_table_is_the_family_s_own() {
        let made = |text| names(&of(text, &[], &Asked::default()).unwrap()).join(" ");
        assert_eq!(made(r#"{"model_type": "clip", "text_config": null}"#), made(r#"{"model_type": "clip"}"#));
    }

    #[test]
    fn refusals_name_the_culprit() {
        let with = |key: &str| TINY.replacen('{', &format!("{{{key}, "), 1);
        for (text, settings, told) in [
            ("{}", vec![], "model_type"),
            (r#"{"model_type": 3}"#, vec![], "model_type"),
            (r#"{"model_type": "lama"}"#, vec![], "did you mean `llama`"),
            (r#"{"model_type": "xyz"}"#, vec![], "--rules rules.toml"),
            (r#"{"model_type": "llama", "architectures": ["LlamaForCausalML"]}"#, vec![], "LlamaForCausalLM"),
            (r#"{"model_type": "llama", "architectures": "LlamaModel"}"#, vec![], "a list of names"),
            (TINY, vec![("hiden_size", json!(8))], "did you mean `hidden_size`"),
            (TINY, vec![("_std", json!(8))], "_std"),
            (TINY, vec![("model_type", json!("gpt2"))], "model_type"),
            (TINY, vec![("num_attention_heads", json!(3))], "a multiple of num_attention_heads"),
            (TINY, vec![("pad_token_id", json!(9))], "below vocab_size"),
            (TINY, vec![("hidden_size", json!("wide"))], r#"`hidden_size` is `"wide"`, and takes a number"#),
            (TINY, vec![("hidden_size", json!(true))], "takes a number"),
            (TINY, vec![("hidden_size", json!({"a": 1}))], "takes a number"),
            (TINY, vec![("hidden_size", json!(-8))], "`hidden_size` is `-8`, and takes a number that is not negative"),
            (TINY, vec![("tie_word_embeddings", json!("yes"))], "takes true or false"),
            (r#"{"model_type": "clip", "text_config": 3}"#, vec![], "`text_config` is `3`, and takes a table"),
            (&with(r#""quantization_config": {"bits": 4}"#), vec![], "quantization_config"),
        ] {
            let refusal = refusal(text, &settings);
            assert!(refusal.contains(told), "{refusal}");
        }
        let text = r#"{"model_type": "gpt2", "hidden_size": 48, "n_embd": 48}"#;
        assert!(refusal(text, &[("n_embd", json!(24))]).contains("overruled"));
    }
}
