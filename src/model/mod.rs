//! Front ends that build a plan: recipes, families of models, layers, perceptrons and templates.
//!
//! A recipe is TOML, or the same tree as JSON: constants, rules from name patterns to schemes, tensors, and repeated blocks of tensors.
//! `docs/recipes.md` explains it.

mod block;
mod braces;
mod comprehension;
pub mod config;
mod constants;
mod document;
mod entry;
mod expression;
mod factors;
mod facts;
pub mod family;
pub mod layers;
pub mod library;
pub mod mlp;
pub mod moments;
mod patterns;
mod recipe;
mod rules;
mod sources;
mod template;
mod unit;
mod value;

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use serde_json::Map;

pub use constants::Overrides;
pub use document::{MAX_LENGTH, Syntax, Text};
pub use template::{RuleSet, Template, TemplateOptions, from_template};

use crate::generator::Generator;
use crate::plan::Plan;
use crate::tensor::{DType, Layout, Name, Seed};
use document::Node;
use sources::{Chain, Source};
use unit::Unit;

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

/// A recipe with its components before its evaluation.
pub struct Recipe(Unit);

impl Recipe {
    /// Reads a recipe, those that it extends and its components. The values of constants may name other families of components.
    pub fn read(text: &Text, constants: &Overrides) -> Result<Self> {
        Ok(Self(Unit::new(Arc::new(Chain::read(text)?), &constants.values())?))
    }

    /// The files that it extends or has as components, directly or through each other.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.0.sources().into_iter().skip(1).filter_map(Source::file)
    }

    /// The model.
    pub fn model(&self, request: &Request) -> Result<Model> {
        recipe::model(&self.0, request)
    }
}

/// The recipe of a family of models before its evaluation.
#[derive(Clone, Debug)]
pub struct Document(Arc<Chain>);

impl Document {
    /// Reads the recipe of a family and those that it extends, with its name as it is embedded; `None` if it is unknown.
    pub fn of_family(name: &str) -> Result<Option<(&'static str, Self)>> {
        Ok(Chain::of_family(name)?.map(|(name, chain)| (name, Self(Arc::new(chain)))))
    }

    /// The families that it extends, the nearest first.
    pub fn extends(&self) -> Vec<&str> {
        self.0.sources().iter().skip(1).filter_map(Source::family).collect()
    }

    /// The table `[family]`, with the keys of the families that it extends.
    pub fn family(&self) -> Result<Map<String, serde_json::Value>> {
        let entries = self.0.entries("family")?;
        Ok(entries.into_iter().map(|(_, key, node)| (key.to_string(), node.to_json())).collect())
    }

    /// The number of recipes that it extends.
    pub fn bases(&self) -> usize {
        self.0.sources().len() - 1
    }

    /// The constants as they are written, with those of the families that it extends.
    fn constants(&self) -> Vec<(&str, &Node)> {
        let entries = self.0.entries("constants").unwrap_or_default();
        entries.into_iter().map(|(_, key, node)| (key, node)).collect()
    }

    /// The values of all constants.
    fn values(&self, request: &Request) -> Result<Map<String, serde_json::Value>> {
        recipe::constants(&self.0, request)
    }

    /// The model.
    pub fn model(&self, request: &Request) -> Result<Model> {
        recipe::model(&Unit::new(Arc::clone(&self.0), &request.constants.values())?, request)
    }
}
