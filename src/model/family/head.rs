//! The table `[family]`: the kind of a family, and its classes.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::model::Document;

/// The kind of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A causal language model.
    Decoder,
    /// A model of text in both directions.
    Encoder,
    /// A model from text to text.
    EncoderDecoder,
    /// A model of images.
    Vision,
    /// A model of images and text.
    VisionLanguage,
    /// A model of sound.
    Audio,
    /// Any other model.
    Other,
}

/// A class of a family.
#[derive(Clone, Debug)]
pub struct Head {
    /// The constant `head` of its recipe: `ForCausalLM`.
    pub word: String,
    /// The name in `architectures`: `LlamaForCausalLM`.
    pub class: String,
}

/// The table `[family]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    kind: Kind,
    class: String,
    heads: Vec<String>,
    /// The head of the model that is a component of another.
    #[serde(default = "model")]
    base: String,
    /// The classes whose names are not `class` and the head.
    #[serde(default)]
    classes: Map<String, Value>,
}

fn model() -> String {
    "Model".into()
}

/// The ends of names of classes, each with heads that do the same, the nearest first.
const ENDS: &[(&str, &[&str])] = &[
    ("LMHeadModel", &["LMHeadModel", "ForCausalLM", "ForConditionalGeneration", "ForMaskedLM"]),
    ("ForCausalLM", &["ForCausalLM", "LMHeadModel", "ForConditionalGeneration"]),
    ("ForSeq2SeqLM", &["ForConditionalGeneration", "ForCausalLM"]),
    ("ForConditionalGeneration", &["ForConditionalGeneration", "ForCausalLM", "LMHeadModel"]),
];

impl Head {
    /// The head of a class that the library does not know: one of an older version, or of code next to the weights.
    pub(super) fn like<'a>(heads: &'a [Self], class: &str) -> Option<&'a Self> {
        let found = |word: &str| heads.iter().find(|head| head.word == word);
        if let Some((_, words)) = ENDS.iter().find(|(end, _)| class.ends_with(end)) {
            return words.iter().find_map(|word| found(word));
        }
        heads.iter().filter(|head| class.ends_with(&head.word)).max_by_key(|head| head.word.len())
    }
}

impl Kind {
    /// The word in `[family]`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Decoder => "decoder",
            Self::Encoder => "encoder",
            Self::EncoderDecoder => "encoder-decoder",
            Self::Vision => "vision",
            Self::VisionLanguage => "vision-language",
            Self::Audio => "audio",
            Self::Other => "other",
        }
    }
}

/// The kind of a family, its heads, the default first, and the head that is a component.
pub(super) fn heads(name: &str, recipe: &Document) -> Result<(Kind, Vec<Head>, String)> {
    let context = || format!("{name}: [family]");
    let table = recipe.family()?.into();
    let Table { kind, class, heads, base, classes } = serde_json::from_value(table).with_context(context)?;
    ensure!(
        heads.contains(&base) && classes.keys().all(|word| heads.contains(word)),
        "{}: a head is missing",
        context()
    );
    let named = |word: String| {
        let own = classes.get(&word).and_then(Value::as_str).map(String::from);
        Head { class: own.unwrap_or_else(|| format!("{class}{word}")), word }
    };
    Ok((kind, heads.into_iter().map(named).collect(), base))
}
