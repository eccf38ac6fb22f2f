//! `fanin verify --scheme torch.nn.Linear`: finds the modules in a file by their weights.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use super::Verify;
use crate::generator::Generator;
use crate::model::layers::modules::{self, ModuleSpec};
use crate::plan::{DrawnTensor, Plan, Turn, put_in_turn};
use crate::reader::{Contents, Entry};
use crate::text::{cut, escape};

/// A module in a file: the prefix of its tensors' names, and the tensor that determines its sizes.
struct Found<'f> {
    prefix: &'f str,
    weight: &'f Entry,
}

impl Verify {
    /// The plan of the named modules; `None` if the expression is a scheme.
    pub(super) fn by_module(&self, expression: &str, contents: &Contents) -> Result<Option<Plan>> {
        let Some(asked) = modules::find(expression)? else { return Ok(None) };
        self.check_module(&asked)?;
        // With --distribution the layers of a stack may be copies, as torch makes them.
        let given = self.numbers.generator();
        let generator = if self.distribution { Generator::like(modules::FRAMEWORK)? } else { given };
        let drawn = self.modules_of(&asked, contents, generator)?;
        let (word, weight) = (asked.module.path(), asked.module.weights[0]);
        ensure!(!drawn.is_empty(), "`{word}`: no tensor is named `{weight}` or `NAME.{weight}`");
        let (mut tensors, turns): (Vec<_>, Vec<_>) = drawn.into_iter().unzip();
        put_in_turn(generator, &mut tensors, &turns);
        let plan = Plan::new(generator, self.numbers.seed(), tensors)?;
        Ok(Some(plan.only(|tensor| self.wants(tensor.name().as_str()))))
    }

    /// Errors if an option does not apply to modules.
    fn check_module(&self, asked: &ModuleSpec) -> Result<()> {
        let fans = self.fan_in.is_some() || self.fan_out.is_some();
        ensure!(!fans, "--fan-in and --fan-out do not apply to modules: the shape gives their fans");
        asked.layout(self.layout.as_ref(), self.numbers.generator()).map(drop)
    }

    /// The tensors of all modules with a selected tensor.
    fn modules_of(
        &self,
        asked: &ModuleSpec,
        contents: &Contents,
        generator: &'static Generator,
    ) -> Result<Vec<(DrawnTensor, Turn)>> {
        let mut all = Vec::new();
        for (number, Found { prefix, weight }) in found(asked, contents).into_iter().enumerate() {
            let shown = || format!("`{}`", cut(&escape(&weight.name), 100));
            let dtype = weight.dtype().ok_or_else(|| super::no_distribution(weight))?;
            let drawn = asked.drawn(prefix, &weight.shape, number, (dtype, generator)).with_context(shown)?;
            if drawn.iter().any(|(tensor, _)| self.wants(tensor.name().as_str())) {
                all.extend(drawn);
            }
        }
        Ok(all)
    }
}

/// The modules of a file in drawing order: by the provenance, by their numbers, or in file order.
fn found<'f>(asked: &ModuleSpec, contents: &'f Contents) -> Vec<Found<'f>> {
    let mut by_prefix: BTreeMap<&str, (usize, &Entry)> = BTreeMap::new();
    for word in asked.module.weights {
        for (place, entry) in contents.entries.iter().enumerate() {
            if let Some(prefix) = entry.name.strip_suffix(word).and_then(prefix) {
                by_prefix.entry(prefix).or_insert((place, entry));
            }
        }
    }
    let recorded = contents.provenance.as_ref().and_then(|provenance| provenance.tensors.as_ref());
    let order = |entry: &Entry| recorded.and_then(|tensors| tensors.get(&entry.name)?.order).unwrap_or(u64::MAX);
    let number = |prefix: &str| prefix.parse().unwrap_or(u64::MAX);
    let mut found: Vec<_> = by_prefix.into_iter().collect();
    found.sort_by_key(|&(prefix, (place, entry))| (order(entry), number(prefix), place));
    found.into_iter().map(|(prefix, (_, weight))| Found { prefix, weight }).collect()
}

/// The module's part of a tensor name: empty, or up to a dot.
fn prefix(before: &str) -> Option<&str> {
    if before.is_empty() { Some(before) } else { before.strip_suffix('.') }
}
