//! A recipe with its components: families as parts of it.

use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, Value as Json};

use super::document::Value;
use super::expression::is_name;
use super::facts::Facts;
use super::library;
use super::sources::{Chain, Source};
use crate::text::{cut, did_you_mean, escape};

/// The deepest nesting of components.
const MAX_NESTING: usize = 8;
/// The maximum number of components, with those of components.
const MAX_COMPONENTS: usize = 64;

/// A recipe, and each component by the table of its constants.
pub(super) struct Unit {
    pub(super) chain: Arc<Chain>,
    pub(super) components: Vec<(String, Self)>,
    /// The tables of components that this configuration does not have.
    pub(super) absent: Vec<String>,
}

impl Unit {
    /// A recipe with its components. A `model_type` among the values of a component's table replaces its family.
    pub(super) fn new(chain: Arc<Chain>, values: &Map<String, Json>) -> Result<Self> {
        Self::below(chain, values, &[], &mut 0)
    }

    /// A component with the values of its table, and the recipes that it is a part of. There are `count` components before it.
    fn below(chain: Arc<Chain>, values: &Map<String, Json>, above: &[&Source], count: &mut usize) -> Result<Self> {
        let above: Vec<&Source> = above.iter().copied().chain([chain.own()]).collect();
        let (mut components, mut absent) = (Vec::new(), Vec::new());
        for (source, table, node) in chain.entries("components")? {
            let place = || node.place(&source.shown_name, "components", table).to_string();
            let family = match &node.value {
                Value::Text(family) => family.as_str(),
                Value::Bool(false) => continue,
                other => bail!("{}: it must be the name of a family, not {}", place(), other.kind()),
            };
            ensure!(is_name(table), "{}: use letters, digits and underscores, and no word of expressions", place());
            if values.get(table).is_none_or(Json::is_null) && is_optional(&chain, table)? {
                absent.push(table.to_string());
                continue;
            }
            *count += 1;
            ensure!(*count <= MAX_COMPONENTS, "{}: more than {MAX_COMPONENTS} components", place());
            let none = Map::new();
            let values = values.get(table).and_then(Json::as_object).unwrap_or(&none);
            let given = values.get("model_type").and_then(Json::as_str);
            let given = given.filter(|given| !Source::is_path(family) && *given != family);
            let place = || given.map_or_else(place, |_| format!("`{table}.model_type`"));
            let part = match given {
                Some(given) => {
                    let known = Chain::of_family(given)?.with_context(|| {
                        let near = did_you_mean(given, library::names());
                        format!("{}: `{}` is not a model family{near}", place(), escape(&cut(given, 60)))
                    });
                    known?.1
                }
                None => source.part(family).with_context(place)?,
            };
            let itself = above.iter().any(|above| above.is(part.own()));
            ensure!(!itself, "{}: `{}` is a component of itself", place(), part.own().shown_name);
            ensure!(above.len() <= MAX_NESTING, "{}: components are nested more than {MAX_NESTING} deep", place());
            components.push((table.to_string(), Self::below(Arc::new(part), values, &above, count)?));
        }
        Ok(Self { chain, components, absent })
    }

    /// The files of the recipe and of its components, the recipe's own first.
    pub(super) fn sources(&self) -> Vec<&Source> {
        let inside = self.components.iter().flat_map(|(_, part)| part.sources());
        self.chain.sources().iter().chain(inside).collect()
    }
}

/// True if the family of a recipe need not have this component, and the recipe states none of its constants.
fn is_optional(chain: &Chain, table: &str) -> Result<bool> {
    let is_stated = chain.entries("constants")?.iter().any(|(_, key, _)| *key == table);
    let family = chain.sources().iter().find_map(Source::family).filter(|_| !is_stated);
    family.map_or(Ok(false), |family| Ok(Facts::of(family)?.is_optional(table)))
}
