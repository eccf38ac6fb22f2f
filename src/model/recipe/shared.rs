//! The shared blocks that a recipe uses.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};

use crate::model::block::{Block, Content, Shared};
use crate::model::document::Node;
use crate::model::entry::Reading;
use crate::model::expression::Language;
use crate::model::sources::{Chain, Source};
use crate::text::{alternatives, cut, did_you_mean, escape};

/// Shared blocks by name.
pub(super) type SharedBlocks<'e> = BTreeMap<&'e str, Shared<'e>>;

/// True if a block of a recipe or of those that it extends uses a shared one.
pub(super) fn are_used(chain: &Chain) -> bool {
    fn in_blocks(node: &Node) -> bool {
        let blocks = node.get("blocks").map(Node::items).unwrap_or_default();
        blocks.iter().any(|block| block.get("use").is_some() || in_blocks(block))
    }
    chain.sources().iter().any(|source| in_blocks(&source.root))
}

/// The blocks that others use, directly or through each other. Those of the nearest file come first, and those of `common` last.
pub(super) fn shared_blocks<'e>(
    language: &'e Language,
    chain: &'e Chain,
    common: Option<&'e Source>,
    blocks: &[&Block<'e>],
) -> Result<SharedBlocks<'e>> {
    let mut known: BTreeMap<&str, (Reading, &Node)> = BTreeMap::new();
    for source in common.into_iter().chain(chain.sources().iter().rev()) {
        let reading = Reading { file: &source.shown_name, language };
        let Some(node) = source.root.get("shared") else { continue };
        for (name, node) in node.table().with_context(|| reading.place(node, "", "shared").to_string())? {
            known.insert(name, (reading, node));
        }
    }
    let (mut read, mut parts) = (SharedBlocks::new(), Vec::new());
    // A person's blocks must be valid even if nothing uses them.
    let own =
        chain.sources().iter().filter(|source| !source.is_family()).filter_map(|source| source.root.get("shared"));
    for (name, _) in own.flat_map(|node| node.table().unwrap_or_default()) {
        let (name, &(reading, node)) = known.get_key_value(name.as_str()).context("no shared block")?;
        read.insert(*name, reading.shared(name, node)?);
    }
    for block in read.values().map(|shared| &shared.block).chain(blocks.iter().copied()) {
        block.parts(&mut parts);
    }
    let mut needed: Vec<Needed> = parts.into_iter().filter_map(Needed::of).collect();
    while let Some(Needed { place, name, with }) = needed.pop() {
        let (name, &(reading, node)) = known.get_key_value(name).with_context(|| {
            let shown = escape(&cut(name, 60));
            format!("{place}: `{shown}` is not a shared block{}", did_you_mean(name, known.keys().copied()))
        })?;
        if !read.contains_key(name) {
            let shared = reading.shared(name, node)?;
            let mut parts = Vec::new();
            shared.block.parts(&mut parts);
            needed.extend(parts.into_iter().filter_map(Needed::of));
            read.insert(*name, shared);
        }
        read[name].check(&with).with_context(|| place)?;
    }
    Ok(read)
}

/// A use of a shared block whose names are not yet checked.
struct Needed<'e> {
    place: String,
    name: &'e str,
    with: Vec<&'e str>,
}

impl<'e> Needed<'e> {
    fn of(part: &Content<'e>) -> Option<Self> {
        let Content::Shared(used) = part else { return None };
        let with = used.with.iter().map(|(name, _)| *name).collect();
        Some(Self { place: used.place.to_string(), name: used.name, with })
    }
}

impl Shared<'_> {
    /// Errors if a use does not give the names that the block needs, or gives others.
    fn check(&self, with: &[&str]) -> Result<()> {
        let name = self.block.place.key;
        if let Some(missing) = self.needs.iter().find(|needed| !with.contains(needed)) {
            bail!("`{name}` needs `{missing}`: add it to `with`");
        }
        let known: Vec<&str> = self.needs.iter().copied().chain(self.with.iter().map(|(name, _)| *name)).collect();
        if let Some(other) = with.iter().find(|other| !known.contains(other)) {
            let fix = match known.is_empty() {
                true => "remove it from `with`".into(),
                false => format!("use {}{}", alternatives(&known), did_you_mean(other, known.iter().copied())),
            };
            bail!("`{name}` takes no `{other}`: {fix}");
        }
        Ok(())
    }
}
