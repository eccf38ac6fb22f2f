//! Whole models: a recipe becomes a plan.
//!
//! A recipe is TOML, or the same tree as JSON: constants, rules from name patterns to schemes, tensors and blocks of tensors that
//! repeat. `docs/recipes.md` explains it.

mod braces;
pub mod config;
mod constants;
mod document;
mod entry;
mod expression;
mod factors;
pub mod family;
pub mod layers;
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

/// What is asked for beside a recipe; it overrides what the recipe says.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Which numbers are drawn.
    pub numbers: SeedRequest,
    /// The type of the elements.
    pub dtype: Option<DType>,
    /// Which axis is what.
    pub layout: Option<Layout>,
    /// Constants.
    pub constants: Overrides,
}

/// Which numbers are asked for beside a recipe.
#[derive(Clone, Debug, Default)]
pub struct SeedRequest {
    /// The seed of all tensors.
    pub seed: Option<Seed>,
    /// The generator of a framework's numbers.
    pub like: Option<&'static Generator>,
}

impl SeedRequest {
    /// The seed, or `default` if none is given.
    pub fn seed(&self, default: Seed) -> Seed {
        self.seed.clone().unwrap_or(default)
    }
}

/// What a recipe describes.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its tensors.
    pub plan: Plan,
    /// Names of tensors that are not written, each with the one that it equals.
    pub tied: Vec<(Name, Name)>,
    /// The constants with their values.
    pub constants: Map<String, serde_json::Value>,
}

/// The model that a user's recipe describes.
pub fn model(recipe: &Text, asked: &Request) -> Result<Model> {
    recipe::model(recipe.shown_name, &document::read(recipe)?, asked, false)
}

/// A recipe that was read and not yet evaluated, such as that of a family of models.
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

    /// Its table `[family]`.
    pub fn family(&self) -> Option<serde_json::Value> {
        self.root.get("family").map(Node::to_json)
    }

    /// Its table `[config]`: keys and expressions in the order of the text.
    pub fn config(&self) -> Result<Vec<(String, String)>> {
        let Some(node) = self.root.get("config") else { return Ok(Vec::new()) };
        let entries = node.table()?.iter().map(|(key, node)| match &node.value {
            document::Value::Text(text) => Ok((key.clone(), text.clone())),
            other => bail!(
                "{}:{}: [config] `{key}`: it takes an expression, and this is {}",
                self.shown_name,
                node.line,
                other.kind()
            ),
        });
        entries.collect()
    }

    /// The model that it describes as a family.
    pub fn model(&self, asked: &Request) -> Result<Model> {
        recipe::model(&self.shown_name, &self.root, asked, true)
    }
}

/// The value of an expression over constants that are evaluated already.
pub fn evaluate(expression: &str, constants: &Map<String, serde_json::Value>) -> Result<serde_json::Value> {
    let language = expression::Language::new();
    let mut values = Overrides::default();
    values.merge(constants.clone());
    let (scope, _) = constants::constants(&language, "", None, &values)?;
    value::to_json(&language.compile(expression)?.value(&scope)?)
}
