//! Rules: which scheme the tensors of a pattern get.

use std::cell::Cell;

use anyhow::{Context, Result, bail};
use globset::{GlobBuilder, GlobMatcher};

use super::document::{Node, Place};
use super::entry::{Reading, Settings};
use super::expression::Scope;

/// The rules of a recipe, in its order.
pub(super) struct Rules<'e>(Vec<Rule<'e>>);

/// One rule.
pub(super) struct Rule<'e> {
    pub(super) place: Place<'e>,
    pub(super) settings: Settings<'e>,
    matcher: GlobMatcher,
    /// Whether any tensor has a name of this pattern, be it left out or served by an earlier rule.
    matched: Cell<bool>,
}

impl<'e> Rules<'e> {
    pub(super) fn read(reading: Reading<'e>, node: Option<&'e Node>, scope: &Scope) -> Result<Self> {
        let Some(node) = node else { return Ok(Self(Vec::new())) };
        let rules = node.table().with_context(|| reading.place(node, "", "rules").to_string())?;
        let rules = rules.iter().map(|(pattern, node)| {
            let place = reading.place(node, "rules", pattern);
            Rule::read(reading, place, pattern, node, scope).with_context(|| place.to_string())
        });
        Ok(Self(rules.collect::<Result<_>>()?))
    }

    /// The first rule that a tensor matches.
    pub(super) fn of<'a>(&'a self, name: &str, scope: &Scope) -> Result<Option<&'a Rule<'e>>> {
        let mut first = None;
        for rule in self.matching(name) {
            if first.is_none() && rule.settings.applies(scope).with_context(|| rule.place.to_string())? {
                first = Some(rule);
            }
        }
        Ok(first)
    }

    /// Notes that there is a tensor of this name, though no rule is asked for it.
    pub(super) fn note(&self, name: &str) {
        self.matching(name).for_each(drop);
    }

    fn matching<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a Rule<'e>> + use<'a, 'e, 'n> {
        self.0.iter().filter(move |rule| {
            let matches = rule.matcher.is_match(name);
            rule.matched.set(rule.matched.get() || matches);
            matches
        })
    }

    /// Errors where a pattern speaks of no tensor.
    pub(super) fn all_matched(&self) -> Result<()> {
        match self.0.iter().find(|rule| !rule.matched.get() && rule.place.key != "*") {
            Some(rule) => bail!("{}: the pattern matches no tensor", rule.place),
            None => Ok(()),
        }
    }
}

impl<'e> Rule<'e> {
    fn read(reading: Reading<'e>, place: Place<'e>, pattern: &'e str, node: &'e Node, scope: &Scope) -> Result<Self> {
        let settings = reading.rule(node)?;
        // What comes of an expression stands for itself.
        let pattern = reading.language.template(pattern)?.text_with(scope, |value| globset::escape(&value))?;
        let glob = GlobBuilder::new(&pattern).literal_separator(false).backslash_escape(true).build();
        let glob = glob.map_err(|error| anyhow::anyhow!("not a pattern: {}", error.kind()))?;
        Ok(Self { place, settings, matcher: glob.compile_matcher(), matched: Cell::new(false) })
    }
}
