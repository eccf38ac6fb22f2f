//! A recipe with parsed expressions, and with values for its constants.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use super::changes::Changes;
use super::general::General;
use super::required;
use super::shared::{SharedBlocks, shared_blocks};
use super::written::written;
use crate::model::Request;
use crate::model::block::{Block, Content};
use crate::model::constants::{Constants, Written};
use crate::model::entry::{Entry, Reading};
use crate::model::expression::{Language, Scope};
use crate::model::facts::Facts;
use crate::model::rules::Rules;
use crate::model::sources::{Chain, Source};
use crate::model::unit::Unit;
use crate::text::{alternatives, cut, did_you_mean, escape};

/// A recipe with parsed expressions.
pub(super) struct Parsed<'e> {
    pub(super) unit: &'e Unit,
    language: &'e Language,
    /// The recipe, then those that it extends.
    pub(super) levels: Vec<Level<'e>>,
    pub(super) shared: SharedBlocks<'e>,
    components: BTreeMap<&'e str, Self>,
}

/// The tensors of a recipe, or of one that it extends.
pub(super) struct Level<'e> {
    pub(super) entries: Vec<Entry<'e>>,
    pub(super) blocks: Vec<Block<'e>>,
}

impl<'e> Parsed<'e> {
    /// Parses the expressions of a recipe and of its components. The shared blocks of families are in `common`.
    pub(super) fn read(language: &'e Language, unit: &'e Unit, common: Option<&'e Source>) -> Result<Self> {
        let mut levels = Vec::new();
        for source in unit.chain.sources() {
            let (reading, root) = (Reading { file: &source.shown_name, language }, &source.root);
            levels.push(Level {
                entries: root.get("tensors").map_or(Ok(Vec::new()), |node| reading.entries(node, "tensors"))?,
                blocks: root.get("blocks").map_or(Ok(Vec::new()), |node| reading.blocks(node, 0))?,
            });
        }
        let blocks: Vec<&Block> = levels.iter().flat_map(|level| &level.blocks).collect();
        let shared = shared_blocks(language, &unit.chain, common, &blocks)?;
        let mut parts = Vec::new();
        for block in shared.values().map(|shared| &shared.block).chain(blocks) {
            block.parts(&mut parts);
        }
        let tables = || unit.components.iter().map(|(table, _)| table.as_str());
        for part in parts {
            let Content::Component(part) = part else { continue };
            let near = || did_you_mean(part.table, tables());
            ensure!(
                tables().chain(unit.absent.iter().map(String::as_str)).any(|table| table == part.table),
                "{}: `{}` is not in [components]{}",
                part.place,
                escape(&cut(part.table, 60)),
                near()
            );
        }
        check_constants(unit)?;
        let components = unit.components.iter();
        let components = components.map(|(table, part)| Ok((table.as_str(), Self::read(language, part, common)?)));
        let components = components.collect::<Result<_>>()?;
        Ok(Self { unit, language, levels, shared, components })
    }
}

/// Errors if a user's recipe states a constant that its component lacks.
fn check_constants(unit: &Unit) -> Result<()> {
    for (table, part) in &unit.components {
        let facts =
            part.chain.sources().iter().find_map(Source::family).map(Facts::of).transpose()?.unwrap_or_default();
        let mut known: Vec<&str> = vec!["model_type"];
        known.extend(part.components.iter().map(|(table, _)| table.as_str()));
        for kind in ["constants", "alias"] {
            known.extend(part.chain.entries(kind)?.iter().map(|(_, key, _)| *key));
        }
        for source in unit.chain.sources().iter().filter(|source| !source.is_family()) {
            let Some(stated) = source.root.get("constants").and_then(|node| node.get(table)) else { continue };
            let Ok(stated) = stated.table() else { continue };
            for (key, node) in stated {
                let first = facts.canonical(key);
                let near = || match first == *key {
                    true => did_you_mean(key, known.iter().copied().chain(facts.keys().map(|(key, _)| key))),
                    false => format!(": use `{first}`"),
                };
                ensure!(
                    known.contains(&key.as_str()) || first == *key && facts.has(key),
                    "{}: {} has no such constant{}",
                    node.place(&source.shown_name, &format!("constants.{table}"), key),
                    part.chain.own().shown_name,
                    near()
                );
            }
        }
    }
    Ok(())
}

/// A recipe with values for its constants.
pub(super) struct Instance<'a, 'e> {
    pub(super) parsed: &'a Parsed<'e>,
    request: &'a Request,
    pub(super) constants: Constants<'e>,
    pub(super) scope: Scope,
    pub(super) general: General,
    /// The rules and changes of the recipe, then of those that it extends.
    pub(super) decisions: Vec<(Rules<'e>, Changes<'e>)>,
}

impl<'a, 'e> Instance<'a, 'e> {
    /// The instance for a request.
    pub(super) fn of_request(parsed: &'a Parsed<'e>, request: &'a Request) -> Result<Self> {
        let Parsed { unit, language, .. } = parsed;
        let constants = Constants::new(
            language,
            &unit.chain.own().shown_name,
            &written(unit, Some(&request.constants.values()))?,
            &request.constants,
        )?;
        if !unit.chain.heads()?.is_empty() {
            let head = language.compile("head")?.value(&constants.scope())?;
            check_head(&unit.chain, &head.to_string())?;
        }
        Self::new(parsed, constants, request, None)
    }

    fn new(
        parsed: &'a Parsed<'e>,
        constants: Constants<'e>,
        request: &'a Request,
        outer: Option<&General>,
    ) -> Result<Self> {
        let Parsed { unit, language, .. } = parsed;
        let scope = constants.scope();
        required(language, &unit.chain, &scope)?;
        let general = match outer {
            Some(outer) => outer.of_component(language, &unit.chain, request, &scope)?,
            None => General::read(language, &unit.chain, request, &scope)?,
        };
        let decisions = unit.chain.sources().iter().map(|source| {
            let reading = Reading { file: &source.shown_name, language };
            let rules = Rules::read(reading, source.root.get("rules"), &scope)?;
            Ok((rules, Changes::read(reading, &source.root, &scope)?))
        });
        let decisions = decisions.collect::<Result<_>>()?;
        Ok(Self { parsed, request, constants, scope, general, decisions })
    }

    /// The instance of a component, with one of its heads, or with that of its base model.
    pub(super) fn component(&self, table: &'e str, head: Option<String>) -> Result<Instance<'a, 'e>> {
        let part = self.parsed.components.get(table).context("no component")?;
        if let Some(head) = &head {
            check_head(&part.unit.chain, head)?;
        }
        let head = head.map_or_else(|| part.unit.chain.base_head(), |head| Ok(Some(head)))?;
        let constants =
            self.constants.component(part.language, table, &Written { head, ..written(part.unit, None)? })?;
        Instance::new(part, constants, self.request, Some(&self.general))
    }
}

/// Errors if a family has heads, but not this one.
fn check_head(chain: &Chain, head: &str) -> Result<()> {
    let heads = chain.heads()?;
    let family = chain.sources().iter().rfind(|source| source.is_family()).unwrap_or(chain.own());
    ensure!(
        heads.iter().any(|known| known == head),
        "`{}` is not a head of {}: use {}",
        escape(&cut(head, 60)),
        family.shown_name,
        alternatives(&heads)
    );
    Ok(())
}
