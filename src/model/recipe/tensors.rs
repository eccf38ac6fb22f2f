//! The tensors of a recipe in order, and the plan that they make.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};

use super::general::General;
use crate::model::document::SourceLocation;
use crate::plan::{DrawnTensor, Plan, Ranges, SliceSpec, Tensor, Turn, put_in_turn};
use crate::tensor::Name;

/// A tensor by its name in the recipe that makes it.
pub(super) struct Item<'e> {
    pub(super) name: Rc<str>,
    pub(super) place: SourceLocation<'e>,
    pub(super) content: Content,
}

pub(super) enum Content {
    /// A tensor that is drawn, or a slice of it. Its turn is the number of its entry, and its position in the layer of that entry.
    Drawn(Arc<DrawnTensor>, Turn, Option<Ranges>),
    /// A tensor that is not written, with the name of the tensor that it equals.
    Tied(String),
    /// Seeds that a layer uses in addition to those of its tensors. It has no name.
    Seeds(u64),
}

/// The tensors so far: those of a recipe, and of each recipe that it extends.
pub(super) struct Items<'e> {
    levels: Vec<Vec<Slot<'e>>>,
    names: HashMap<Rc<str>, (usize, usize)>,
    /// The places of the changes that gave tensors their names.
    renamed: HashMap<String, SourceLocation<'e>>,
    /// The names that a nearer recipe takes from each level.
    replaced: HashSet<(usize, String)>,
}

enum Slot<'e> {
    Item(Item<'e>),
    /// The place of a tensor that a nearer recipe replaces, by level and index.
    Replaced(usize, usize),
    /// A tensor that has its place already.
    Taken,
}

impl<'e> Items<'e> {
    pub(super) fn new(levels: usize) -> Self {
        Self {
            levels: (0..levels).map(|_| Vec::new()).collect(),
            names: HashMap::new(),
            renamed: HashMap::new(),
            replaced: HashSet::new(),
        }
    }

    /// True if a nearer recipe than that at `level` makes a tensor of this name, which takes the place here. Errors if the recipe
    /// itself makes it. The name may be that of a change.
    pub(super) fn is_replaced(
        &mut self,
        level: usize,
        name: &str,
        renamed: Option<SourceLocation<'e>>,
    ) -> Result<bool> {
        let taken = self.names.get(name).copied();
        if let Some(place) = renamed {
            self.renamed.insert(name.into(), place);
        }
        let Some((other, index)) = taken else { return Ok(false) };
        if other == level || !self.replaced.insert((level, name.into())) {
            let by = self.renamed.get(name).map(|place| format!(", one by [rename] in {}:{}", place.file, place.line));
            bail!("two tensors are named `{name}`{}", by.unwrap_or_default());
        }
        self.levels[level].push(Slot::Replaced(other, index));
        Ok(true)
    }

    /// Adds a tensor to the recipe at `level`.
    pub(super) fn push(&mut self, level: usize, item: Item<'e>) {
        if !matches!(item.content, Content::Seeds(_)) {
            self.names.insert(Rc::clone(&item.name), (level, self.levels[level].len()));
        }
        self.levels[level].push(Slot::Item(item));
    }

    /// The tensors in order: those of the recipe that extends no other come first.
    pub(super) fn in_order(self) -> Vec<Item<'e>> {
        drop(self.names);
        let mut levels = self.levels;
        let mut items = Vec::with_capacity(levels.iter().map(Vec::len).sum());
        for level in (0..levels.len()).rev() {
            for index in 0..levels[level].len() {
                let mut slot = std::mem::replace(&mut levels[level][index], Slot::Taken);
                while let Slot::Replaced(level, index) = slot {
                    slot = std::mem::replace(&mut levels[level][index], Slot::Taken);
                }
                if let Slot::Item(item) = slot {
                    items.push(item);
                }
            }
        }
        items
    }
}

/// The tensors that are not written, each with the tensor that it equals.
type Tied = Vec<(Name, Name)>;

/// The plan of tensors in order, and those that it does not write.
pub(super) fn plan(file: &str, items: Vec<Item>, general: &General, sorted: bool) -> Result<(Plan, Tied)> {
    let (mut tensors, mut turns, mut tied, mut seeds) = (Vec::with_capacity(items.len()), Vec::new(), Vec::new(), 0);
    let (mut cuts, mut entry) = (Vec::new(), None);
    for Item { name: name_in_recipe, place, content } in items {
        let name = || name_in_recipe.parse::<Name>().with_context(|| place.to_string());
        match content {
            Content::Seeds(more) => seeds += more,
            Content::Tied(to) => {
                let to = to.parse().context("`tied`").with_context(|| place.to_string())?;
                tied.push((name()?, to, place));
            }
            Content::Drawn(mut tensor, (number, turn), slice) => {
                if tensor.name().as_str() != &*name_in_recipe {
                    tensor = Arc::new(Arc::unwrap_or_clone(tensor).named(name()?));
                }
                let first = entry.filter(|&(before, _)| before == number).map_or(tensors.len(), |(_, first)| first);
                entry = Some((number, first));
                if general.generator.seeds_layers() && tensor.distribution().is_random() {
                    tensor = Arc::new(Arc::unwrap_or_clone(tensor).in_order(Some(seeds)));
                    seeds += 1;
                }
                turns.push((first, turn));
                cuts.extend(slice.map(|ranges| SliceSpec { name: tensor.name().to_string(), ranges }));
                tensors.push(tensor);
            }
        }
    }
    ensure!(!tensors.is_empty(), "{file}: no tensors");
    put_in_turn(general.generator, tensors.iter_mut().map(Arc::make_mut), &turns);
    if sorted {
        tensors.sort_by(|one, other| one.name().cmp(other.name()));
    }
    let plan = Plan::of_layers(general.generator, general.seed.clone(), tensors);
    let plan = plan.and_then(|plan| plan.sliced(&cuts)).with_context(|| file.to_string())?;
    let tied = resolved(&plan, &tied)?;
    Ok((plan, tied))
}

/// The tied tensors, each with the written tensor at the end of its chain.
fn resolved(plan: &Plan, tied: &[(Name, Name, SourceLocation)]) -> Result<Tied> {
    if tied.is_empty() {
        return Ok(Tied::new());
    }
    let written: HashSet<&Name> = plan.tensors().iter().map(Tensor::name).collect();
    let links: HashMap<&Name, &Name> = tied.iter().map(|(name, to, _)| (name, to)).collect();
    let mut found = Vec::new();
    for (name, to, place) in tied {
        let (mut end, mut steps) = (to, 0);
        while let Some(next) = links.get(end) {
            end = next;
            steps += 1;
            ensure!(steps <= links.len(), "{place}: tied to itself through `{to}`");
        }
        ensure!(written.contains(end), "{place}: tied to `{end}`, which does not exist");
        found.push((name.clone(), end.clone()));
    }
    Ok(found)
}
