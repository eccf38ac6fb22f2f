//! Front ends that build a plan: recipes, families of models, layers, perceptrons and templates.
//!
//! A recipe is TOML, or the same tree as JSON: constants, rules from name patterns to schemes, tensors, and repeated blocks of tensors.
//! `docs/recipes.md` explains it.

mod braces;
pub mod config;
mod constants;
mod document;
mod entry;
mod expression;
mod factors;
pub mod family;
pub mod layers;
pub mod library;
pub mod mlp;
mod patterns;
mod recipe;
mod rules;
mod template;
mod value;

use anyhow::{Result, bail};
use serde_json::Map;

pub use constants::Overrides;
pub use document::{MAX_LENGTH, Syntax, Text};
pub use template::{TemplateOptions, from_template};

use crate::generator::Generator;
use crate::plan::Plan;
use crate::tensor::{DType, Layout, Name, Seed};
use document::Node;

/// The options that override a recipe.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Seed and generator.
    pub numbers: SeedRequest,
    /// The type of the elements.
    pub dtype: Option<DType>,
    /// The order of the axes.
    pub layout: Option<Layout>,
    /// The order if neither these options nor the recipe set one.
    pub default_layout: Layout,
    /// The values of constants.
    pub constants: Overrides,
}

/// The seed and generator that override those of a recipe.
#[derive(Clone, Debug, Default)]
pub struct SeedRequest {
    /// The seed of all tensors.
    pub seed: Option<Seed>,
    /// The generator of a framework.
    pub like: Option<&'static Generator>,
}

impl SeedRequest {
    /// The seed, or `default` if none is given.
    pub fn seed(&self, default: Seed) -> Seed {
        self.seed.clone().unwrap_or(default)
    }
}

/// A model.
#[derive(Clone, Debug)]
pub struct Model {
    /// The written tensors.
    pub plan: Plan,
    /// The tensors that are not written, each with the tensor that it equals.
    pub tied: Vec<(Name, Name)>,
    /// The values of all constants.
    pub constants: Map<String, serde_json::Value>,
}

/// The model of a recipe.
pub fn model(recipe: &Text, request: &Request) -> Result<Model> {
    recipe::model(recipe.shown_name, &document::read(recipe)?, request, false)
}

/// A recipe before its evaluation, such as that of a family of models.
#[derive(Clone, Debug)]
pub struct Document {
    shown_name: String,
    root: Node,
}

impl Document {
    /// Reads a recipe.
    pub fn parse(recipe: &Text) -> Result<Self> {
        Ok(Self { shown_name: recipe.shown_name.into(), root: document::read(recipe)? })
    }

    /// The table `[family]`.
    pub fn family(&self) -> Option<serde_json::Value> {
        self.root.get("family").map(Node::to_json)
    }

    /// The text of a key.
    pub fn text(&self, key: &str) -> Option<&str> {
        match &self.root.get(key)?.value {
            document::Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The table `[config]`: keys and expressions, in order.
    pub fn config(&self) -> Result<Vec<(String, String)>> {
        let Some(node) = self.root.get("config") else { return Ok(Vec::new()) };
        let entries = node.table()?.iter().map(|(key, node)| match &node.value {
            document::Value::Text(text) => Ok((key.clone(), text.clone())),
            other => bail!(
                "{}:{}: [config] `{key}`: it must be an expression, not {}",
                self.shown_name,
                node.line,
                other.kind()
            ),
        });
        entries.collect()
    }

    /// The model, with the tables of a family.
    pub fn model(&self, request: &Request) -> Result<Model> {
        recipe::model(&self.shown_name, &self.root, request, true)
    }
}

/// The value of an expression over evaluated constants.
pub fn evaluate(expression: &str, constants: &Map<String, serde_json::Value>) -> Result<serde_json::Value> {
    let language = expression::Language::new();
    let mut values = Overrides::default();
    values.merge(constants.clone());
    let (scope, _) = constants::constants(&language, "", None, &values)?;
    value::to_json(&language.compile(expression)?.value(&scope)?)
}
