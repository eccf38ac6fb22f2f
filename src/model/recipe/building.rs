//! The tensors of a recipe and of those that it extends: blocks, repeats and names.

use std::rc::Rc;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::general::General;
use super::instance::Instance;
use super::part::{Part, parameter_of_layer};
use super::tensors::{Content, Item, Items};
use super::work::Work;
use crate::model::block::{self, Block, Component, MAX_NESTING, Use};
use crate::model::document::SourceLocation;
use crate::model::entry::{Entry, What};
use crate::model::expression::Scope;
use crate::model::layers::{self, Framework, LayerKind};
use crate::model::rules::Rules;
use crate::model::value::to_json;
use crate::plan::Plan;
use crate::tensor::Shape;
use crate::text::grouped;

/// The tensors so far.
pub(super) struct Building<'a, 'e> {
    pub(super) instance: &'a Instance<'a, 'e>,
    /// The rules of the recipe around a component, which come first.
    pub(super) outer: Option<(&'a Rules<'e>, &'a Scope)>,
    pub(super) work: &'a mut Work,
    items: Items<'e>,
    /// The recipe whose tensors are made: 0, or one that it extends.
    pub(super) level: usize,
    /// The shared blocks in use.
    used: Vec<&'e str>,
}

/// The names of a tensor: its own, then those by the changes of each recipe that extends its own.
pub(super) struct Names<'e> {
    names: Vec<Rc<str>>,
    /// The place of the last change.
    renamed: Option<SourceLocation<'e>>,
}

impl Names<'_> {
    /// The name in the recipe at `level`, which extends that of the tensor `above` levels further, or in the tensor's own recipe.
    pub(super) fn at(&self, level: usize) -> &str {
        &self.names[(self.names.len() - 1).saturating_sub(level)]
    }

    /// The name in the recipe itself.
    pub(super) fn last(&self) -> &Rc<str> {
        &self.names[self.names.len() - 1]
    }
}

/// The tensors of a recipe and of those that it extends, in order. The rules of the recipe around a component, `outer`, come first.
pub(super) fn items<'e>(
    instance: &Instance<'_, 'e>,
    work: &mut Work,
    outer: Option<(&Rules<'e>, &Scope)>,
) -> Result<Vec<Item<'e>>> {
    let levels = &instance.parsed.levels;
    let items = Items::new(levels.len());
    let mut building = Building { instance, outer, work, items, level: 0, used: Vec::new() };
    for (number, level) in levels.iter().enumerate() {
        building.level = number;
        building.enter(&level.entries, &level.blocks, "", &instance.scope)?;
    }
    Ok(building.items.in_order())
}

impl<'a, 'e> Building<'a, 'e> {
    fn enter(&mut self, entries: &[Entry<'e>], blocks: &[Block<'e>], prefix: &str, scope: &Scope) -> Result<()> {
        for entry in entries {
            self.entry(entry, prefix, scope).with_context(|| entry.place.to_string())?;
        }
        for block in blocks {
            let least = block.least(scope);
            if least > Plan::MAX_TENSORS as u64 {
                let error = anyhow!("{} tensors or more: at most 2^20 are allowed", grouped(least));
                return Err(if self.is_family() { error } else { error.context(block.place.to_string()) });
            }
            self.repeat(block, 0, prefix, scope)?;
        }
        Ok(())
    }

    /// Enters a block once for each combination of its repeats, from the one at `depth` on.
    fn repeat(&mut self, block: &Block<'e>, depth: usize, prefix: &str, scope: &Scope) -> Result<()> {
        let place = &block.place;
        if let Some((name, count)) = block.repeats.get(depth) {
            let items = count.items(scope).with_context(|| format!("{place}: `repeat`: `{name}`"))?;
            for value in items.into_values() {
                self.work.round(place)?;
                self.repeat(block, depth + 1, prefix, &scope.with(name, value))?;
            }
            return Ok(());
        }
        if let Some(when) = &block.when
            && !when.holds(scope).with_context(|| format!("{place}: `when`"))?
        {
            return Ok(());
        }
        let own = block.prefix.as_ref().map_or(Ok(String::new()), |prefix| prefix.text(scope));
        let prefix = format!("{prefix}{}", own.with_context(|| format!("{place}: `prefix`"))?);
        match &block.content {
            block::Content::Own(entries, blocks) => self.enter(entries, blocks, &prefix, scope),
            block::Content::Shared(used) => self.shared(used, &prefix, scope),
            block::Content::Component(part) => self.component(part, &prefix, scope),
        }
    }

    /// Enters a shared block, with the names that its use gives.
    fn shared(&mut self, used: &Use<'e>, prefix: &str, scope: &Scope) -> Result<()> {
        let Use { place, name, with } = used;
        ensure!(!self.used.contains(name), "{place}: `{name}` uses itself");
        ensure!(self.used.len() < MAX_NESTING, "{place}: shared blocks are nested more than {MAX_NESTING} deep");
        self.work.round(place)?;
        let instance: &'a Instance<'a, 'e> = self.instance;
        let shared = instance.parsed.shared.get(name).with_context(|| format!("{place}: it is not read"))?;
        let mut inside = scope.clone();
        for (name, parameter) in with {
            let value = parameter.value(scope).with_context(|| format!("{place}: `with`: `{name}`"))?;
            inside = inside.with(name, value);
        }
        for (name, parameter) in shared.with.iter().filter(|(name, _)| !with.iter().any(|(given, _)| given == name)) {
            let value =
                parameter.value(&inside).with_context(|| format!("{}: `with`: `{name}`", shared.block.place))?;
            inside = inside.with(name, value);
        }
        self.used.push(name);
        self.repeat(&shared.block, 0, prefix, &inside)?;
        self.used.pop();
        Ok(())
    }

    /// Enters a component, with its own constants and rules.
    fn component(&mut self, part: &Component<'e>, prefix: &str, scope: &Scope) -> Result<()> {
        let Component { reading, place, table, head, rules } = part;
        self.work.component(place)?;
        let is_family = self.is_family();
        let context = || if is_family { format!("`{table}`") } else { place.to_string() };
        let head = head.as_ref().map(|head| head.text(scope)).transpose().with_context(context)?;
        let instance = self.instance.component(table, head).with_context(context)?;
        let rules = Rules::read(*reading, *rules, scope)?;
        let items = items(&instance, self.work, Some((&rules, scope)))?;
        if !is_family {
            rules.all_matched()?;
        }
        for Item { name, place, content } in items {
            let content = match content {
                Content::Seeds(number) => {
                    self.seeds(place, number);
                    continue;
                }
                Content::Tied(to) => Content::Tied(self.renamed(format!("{prefix}{to}"))),
                drawn @ Content::Drawn(..) => drawn,
            };
            let added = self.add(place, format!("{prefix}{name}"), |_, _| Ok(content));
            added.with_context(|| place.to_string())?;
        }
        Ok(())
    }

    /// True if the tensors are those of a family, whose recipe users do not see.
    fn is_family(&self) -> bool {
        self.instance.parsed.unit.chain.sources()[self.level].is_family()
    }

    fn entry(&mut self, entry: &Entry<'e>, prefix: &str, scope: &Scope) -> Result<()> {
        let name = format!("{prefix}{}", entry.name.text(scope)?);
        if !entry.settings.applies(scope)? {
            if let Some(names) = self.names(name) {
                self.note(&names);
            }
            return Ok(());
        }
        self.work.entries += 1;
        let place = entry.place;
        match &entry.what {
            What::Tied(to) => {
                let to = self.renamed(to.text(scope)?);
                self.work.tensor()?;
                self.add(place, name, |_, _| Ok(Content::Tied(to)))
            }
            What::Axes(axes) => {
                let axes = axes.iter().map(|axis| axis.value(scope)).collect::<Result<_>>()?;
                self.tensor(entry, name, &Part::alone(Shape::new(axes)?), scope)
            }
            What::Shape(text) => {
                let text = text.text(scope)?;
                let shape = text.parse().with_context(|| format!("shape `{}`", crate::text::cut(&text, 60)))?;
                self.tensor(entry, name, &Part::alone(shape), scope)
            }
            What::Layer { kind, parameters } => {
                let values = parameters.iter().map(|(key, parameter)| {
                    let value = parameter.value(scope).and_then(|value| to_json(&value));
                    let value = value.with_context(|| format!("`{key}`"))?;
                    Ok(((*key).to_string(), parameter_of_layer(key, &value)?))
                });
                let values: Vec<_> = values.collect::<Result<_>>()?;
                let kind = kind.text(scope)?;
                let General { layout, generator, .. } = &self.instance.general;
                let like_framework =
                    crate::plan::parity_table(generator).and_then(|like| Framework::with_default_init(like.framework));
                let layer = LayerKind::parse(&kind)?;
                let tensors = layers::expand(&name, layer, &values, layout, like_framework)?;
                if let Some(key) = entry.settings.of_weights().filter(|_| tensors.is_empty()) {
                    bail!("`{key}`: layer `{kind}` has no weights");
                }
                let [before, after] = layers::extra_keras_seeds(layer, &values)?;
                self.seeds(place, before);
                for tensor in tensors {
                    self.tensor(entry, tensor.name.clone(), &Part::of_layer(&tensor)?, scope)?;
                }
                self.seeds(place, after);
                Ok(())
            }
        }
    }

    /// The names of a tensor; `None` if it is removed.
    fn names(&self, own: String) -> Option<Names<'e>> {
        let (mut names, mut renamed) = (vec![Rc::from(own)], None);
        for level in (0..self.level).rev() {
            let (changes, name) = (&self.instance.decisions[level].1, &names[names.len() - 1]);
            if changes.removes(name) {
                return None;
            }
            let name = match changes.renamed(name) {
                Some((name, place)) => {
                    renamed = Some(place);
                    name.into()
                }
                None => Rc::clone(name),
            };
            names.push(name);
        }
        Some(Names { names, renamed })
    }

    /// The name of a tied tensor's weights after all changes.
    fn renamed(&self, own: String) -> String {
        let decisions = self.instance.decisions[..self.level].iter().rev();
        decisions.fold(own, |name, (_, changes)| changes.renamed(&name).map_or(name, |(name, _)| name))
    }

    /// Marks the patterns of the recipe's own rules that match a tensor without a rule. Those of a family need not match any.
    pub(super) fn note(&self, names: &Names) {
        let is_family = self.instance.parsed.unit.chain.own().is_family();
        if let Some((rules, _)) = self.instance.decisions.first().filter(|_| !is_family) {
            rules.note(names.last());
        }
    }

    /// Adds a tensor, unless it is removed or replaced.
    fn add(
        &mut self,
        place: SourceLocation<'e>,
        own: String,
        content: impl FnOnce(&mut Self, &Names<'e>) -> Result<Content>,
    ) -> Result<()> {
        let Some(names) = self.names(own) else { return Ok(()) };
        if self.items.is_replaced(self.level, names.last(), names.renamed)? {
            self.note(&names);
            return Ok(());
        }
        let content = content(self, &names)?;
        let name = Rc::clone(names.last());
        self.items.push(self.level, Item { name, place, content });
        Ok(())
    }

    fn tensor(&mut self, entry: &Entry<'e>, own: String, part: &Part, scope: &Scope) -> Result<()> {
        self.work.tensor()?;
        self.add(entry.place, own, |building, names| {
            let tensor = building.drawn(entry, part, names, scope)?;
            let slice = entry.settings.slice(scope)?;
            if let Some(ranges) = &slice {
                ranges.within(tensor.name(), tensor.shape()).context("`slice`")?;
            }
            Ok(Content::Drawn(Arc::new(tensor), (building.work.entries, part.turn), slice))
        })
    }

    fn seeds(&mut self, place: SourceLocation<'e>, number: u64) {
        if number > 0 {
            self.items.push(self.level, Item { name: "".into(), place, content: Content::Seeds(number) });
        }
    }
}
