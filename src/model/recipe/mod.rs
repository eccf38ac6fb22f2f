//! The evaluation of a recipe: its tensors in order, each with its scheme.

mod building;
mod changes;
mod drawing;
mod general;
mod part;
mod shared;
mod tensors;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Map;

use self::building::{Level, Work, items};
use self::changes::Changes;
pub(super) use self::general::General;
use self::shared::{are_used, shared_blocks};
use self::tensors::plan;
use super::block::Block;
use super::constants::{Constants, Written};
use super::document::Value;
use super::entry::{Reading, known_key};
use super::expression::{Language, Scope};
use super::rules::Rules;
use super::sources::{Chain, Source};
use super::{Model, Request};

/// The tables and keys of a recipe.
const KEYS: [&str; 15] = [
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
];
/// The tables of families only.
const OF_FAMILIES: [&str; 2] = ["family", "config"];

/// The model that a recipe describes.
pub(super) fn model(chain: &Chain, request: &Request) -> Result<Model> {
    let language = Language::new();
    let own = chain.own();
    let common = if are_used(chain) { Source::shared()? } else { None };
    check_keys(chain)?;
    let constants = Constants::new(&language, &own.shown_name, &written(chain)?, &request.constants)?;
    let scope = constants.scope();
    required(&language, chain, &scope)?;
    let general = General::read(&language, chain, request, &scope)?;
    let levels = chain.sources().iter().map(|source| level(&language, source, &scope)).collect::<Result<Vec<_>>>()?;
    let blocks: Vec<&Block> = levels.iter().flat_map(|level| &level.blocks).collect();
    let shared = shared_blocks(&language, chain, common.as_ref(), &blocks)?;
    let items = items(&levels, &shared, &general, &mut Work::default(), &scope)?;
    let (plan, tied) = plan(&own.shown_name, items, &general, is_sorted(chain)?)?;
    for (number, (source, level)) in chain.sources().iter().zip(&levels).enumerate() {
        if source.is_family() {
            break;
        }
        level.changes.all_matched()?;
        if number == 0 {
            level.rules.all_matched()?;
        }
    }
    Ok(Model { plan, tied, constants: constants.to_json()? })
}

/// The values of the constants of a recipe.
pub(super) fn constants(chain: &Chain, request: &Request) -> Result<Map<String, serde_json::Value>> {
    let language = Language::new();
    Constants::new(&language, &chain.own().shown_name, &written(chain)?, &request.constants)?.to_json()
}

/// Errors if a key of a recipe is unknown.
fn check_keys(chain: &Chain) -> Result<()> {
    for source in chain.sources() {
        let file = &source.shown_name;
        for (key, node) in source.root.table().with_context(|| file.clone())? {
            if !(source.is_family() && OF_FAMILIES.contains(&key.as_str())) {
                known_key(key, &KEYS).with_context(|| node.place(file, "", key).to_string())?;
            }
        }
    }
    Ok(())
}

/// The constants of a recipe and of those that it extends.
pub(super) fn written(chain: &Chain) -> Result<Written<'_>> {
    let of = |key: &str| {
        let sources = chain.sources().iter();
        sources.filter_map(|source| Some((source.shown_name.as_str(), source.root.get(key)?))).collect()
    };
    Ok(Written { tables: of("constants"), aliases: of("alias"), head: chain.head()? })
}

/// Errors if a requirement of a recipe does not hold. The error names its place, unless it is in a family, whose recipe users do not see.
pub(super) fn required(language: &Language, chain: &Chain, scope: &Scope) -> Result<()> {
    for (source, expression, message) in chain.entries("require")? {
        let reading = Reading { file: &source.shown_name, language };
        if let Value::Bool(false) = message.value {
            continue;
        }
        let place = reading.place(message, "require", expression);
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

/// The tensors and rules of a file.
fn level<'e>(language: &'e Language, source: &'e Source, scope: &Scope) -> Result<Level<'e>> {
    let (reading, root) = (Reading { file: &source.shown_name, language }, &source.root);
    Ok(Level {
        entries: root.get("tensors").map_or(Ok(Vec::new()), |node| reading.entries(node, "tensors"))?,
        blocks: root.get("blocks").map_or(Ok(Vec::new()), |node| reading.blocks(node, 0))?,
        rules: Rules::read(reading, root.get("rules"), scope)?,
        changes: Changes::read(reading, root, scope)?,
    })
}
