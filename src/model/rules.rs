//! Rules: a scheme for each pattern of tensor names.

use anyhow::{Context, Error, Result, bail, ensure};

use super::document::{Node, SourceLocation};
use super::entry::{Reading, Settings};
use super::expression::Scope;
use super::patterns::{Globs, MAX_PATTERNS, Patterns};

/// The rules of a recipe, in order.
pub(super) struct Rules<'e> {
    rules: Vec<Rule<'e>>,
    /// A pattern counts as matched even if the tensor is omitted or has an earlier rule.
    patterns: Patterns,
}

pub(super) struct Rule<'e> {
    pub(super) place: SourceLocation<'e>,
    pub(super) settings: Settings<'e>,
}

impl<'e> Rules<'e> {
    pub(super) fn read(reading: Reading<'e>, node: Option<&'e Node>, scope: &Scope) -> Result<Self> {
        let (mut rules, mut globs) = (Vec::new(), Globs::default());
        let Some(node) = node else { return Ok(Self { rules, patterns: globs.compile()? }) };
        let all = || reading.place(node, "", "rules").to_string();
        let entries = node.table().with_context(all)?;
        ensure!(
            entries.len() <= MAX_PATTERNS,
            "{}: {} rules: at most {MAX_PATTERNS} are allowed",
            all(),
            entries.len()
        );
        for (pattern, node) in entries {
            let place = reading.place(node, "rules", pattern);
            let mut read = || {
                let settings = reading.rule(node)?;
                // Wildcards in the value of an expression are literal.
                let pattern = reading.language.template(pattern)?.text_with(scope, |value| globset::escape(&value))?;
                globs.add(&pattern)?;
                Ok::<_, Error>(settings)
            };
            rules.push(Rule { place, settings: read().with_context(|| place.to_string())? });
        }
        Ok(Self { rules, patterns: globs.compile().with_context(all)? })
    }

    /// The first rule that a tensor matches.
    pub(super) fn of<'a>(&'a self, name: &str, scope: &Scope) -> Result<Option<&'a Rule<'e>>> {
        for number in self.patterns.matching(name) {
            let rule = &self.rules[number];
            if rule.settings.applies(scope).with_context(|| rule.place.to_string())? {
                return Ok(Some(rule));
            }
        }
        Ok(None)
    }

    /// Marks the patterns that match a name without a rule.
    pub(super) fn note(&self, name: &str) {
        self.patterns.matching(name);
    }

    /// Errors if a pattern matches no tensor.
    pub(super) fn all_matched(&self) -> Result<()> {
        match self.patterns.unmatched(|number| self.rules[number].place.key == "*") {
            Some(number) => bail!("{}: the pattern matches no tensor", self.rules[number].place),
            None => Ok(()),
        }
    }
}
