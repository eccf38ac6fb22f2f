//! The evaluation of a recipe: its tensors in order, each with its scheme.

mod building;
mod changes;
mod drawing;
mod general;
mod instance;
mod part;
mod shared;
mod tensors;
mod work;
mod written;

use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Map;

use self::building::items;
pub(super) use self::general::General;
use self::instance::{Instance, Parsed};
use self::shared::are_used;
use self::tensors::plan;
use self::work::Work;
pub(super) use self::written::of_chain;
use self::written::written;
use super::constants::Constants;
use super::document::Value;
use super::entry::{Reading, known_key};
use super::expression::{Language, Scope};
use super::sources::{Chain, Source};
use super::unit::Unit;
use super::{Model, Request};

/// The tables and keys of a recipe.
const KEYS: [&str; 16] = [
    "extends",
    "seed",
    "like",
    "dtype",
    "layout",
    "sorted",
    "constants",
    "alias",
    "require",
    "remove",
    "rename",
    "rules",
    "tensors",
    "blocks",
    "shared",
    "components",
];
/// The table of families only.
const OF_FAMILIES: &str = "family";

/// The model that a recipe describes.
pub(super) fn model(unit: &Unit, request: &Request) -> Result<Model> {
    check_keys(unit)?;
    let (chain, language) = (&unit.chain, Language::new());
    let common = if uses_shared(unit) { Source::shared()? } else { None };
    let parsed = Parsed::read(&language, unit, common.as_ref())?;
    let instance = Instance::of_request(&parsed, request)?;
    let items = items(&instance, &mut Work::default(), None)?;
    let (plan, tied) = plan(&chain.own().shown_name, items, &instance.general, is_sorted(chain)?)?;
    for (number, (source, (rules, changes))) in chain.sources().iter().zip(&instance.decisions).enumerate() {
        if source.is_family() {
            break;
        }
        changes.all_matched()?;
        if number == 0 {
            rules.all_matched()?;
        }
    }
    Ok(Model { plan, tied, constants: instance.constants.to_json()? })
}

/// The values of the constants of a recipe.
pub(super) fn constants(chain: &Arc<Chain>, request: &Request) -> Result<Map<String, serde_json::Value>> {
    let values = request.constants.values();
    let (language, unit) = (Language::new(), Unit::new(Arc::clone(chain), &values)?);
    let written = written(&unit, Some(&values))?;
    Constants::new(&language, &chain.own().shown_name, &written, &request.constants)?.to_json()
}

/// Errors if a key of a recipe is unknown.
fn check_keys(unit: &Unit) -> Result<()> {
    for source in unit.chain.sources() {
        let file = &source.shown_name;
        for (key, node) in source.root.table().with_context(|| file.clone())? {
            if !(source.is_family() && key == OF_FAMILIES) {
                known_key(key, &KEYS).with_context(|| node.place(file, "", key).to_string())?;
            }
        }
    }
    unit.components.iter().try_for_each(|(_, part)| check_keys(part))
}

/// True if the recipe or a component uses shared blocks.
fn uses_shared(unit: &Unit) -> bool {
    are_used(&unit.chain) || unit.components.iter().any(|(_, part)| uses_shared(part))
}

/// Errors if a requirement of a recipe does not hold. The error names its place, unless it is in a family, whose recipe users do not see.
pub(super) fn required(language: &Language, chain: &Chain, scope: &Scope) -> Result<()> {
    for (source, expression, message) in chain.entries("require")? {
        let reading = Reading { file: &source.shown_name, language };
        let place = reading.place(message, "require", expression);
        if let Value::Bool(false) = message.value {
            let others = chain.sources().iter().filter(|other| other.shown_name != source.shown_name);
            let mut others = others.filter_map(|other| other.root.get("require")?.get(expression));
            ensure!(others.next().is_some(), "{place}: no extended recipe has this requirement");
            continue;
        }
        let holds = language.compile(expression).and_then(|expression| expression.holds(scope));
        if !holds.with_context(|| place.to_string())? {
            let message = reading.template(message).and_then(|message| message.text(scope));
            let message = message.with_context(|| place.to_string())?;
            ensure!(!source.is_family(), "{message}");
            bail!("{place}: {message}");
        }
    }
    Ok(())
}

/// True if a recipe orders its tensors by name.
fn is_sorted(chain: &Chain) -> Result<bool> {
    match chain.get("sorted") {
        None => Ok(false),
        Some((source, node)) => match node.value {
            Value::Bool(sorted) => Ok(sorted),
            ref other => {
                bail!(
                    "{}: it must be true or false, not {}",
                    node.place(&source.shown_name, "", "sorted"),
                    other.kind()
                )
            }
        },
    }
}
