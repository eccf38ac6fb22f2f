//! The frameworks, and their names for schemes and parameters: the files of `frameworks/`, which `scripts/build.rs` embeds.

use anyhow::{Context, Result};

use super::expression::fold;
use crate::text::did_you_mean;

/// A framework, program or paper with its own names for schemes.
pub struct Framework {
    /// The word before the dot of `FRAMEWORK.NAME`.
    pub word: &'static str,
    /// Its full name, and the module of its initializers.
    pub title: &'static str,
    /// Other words for it.
    words: &'static [&'static str],
    /// A framework whose initializers it offers as its own.
    includes: Option<&'static str>,
    /// The layout of its weights, as `--layout` takes it; `None` for the default layout.
    pub layout: Option<&'static str>,
    /// The slope of a leaky rectifier if none is given, for a framework that ignores the slope of other activations.
    pub default_slope: Option<&'static str>,
    /// Its names for schemes.
    pub aliases: &'static [Alias],
    /// Its words for parameters, those of a single name first.
    pub parameters: &'static [ParameterAlias],
    /// Its words for values: the parameter here, the word there, the word here.
    pub(super) values: &'static [(&'static str, &'static str, &'static str)],
    /// Its names without a scheme here.
    pub unsupported: &'static [Unsupported],
}

/// A framework's name for a scheme.
pub struct Alias {
    /// The word of the framework.
    pub framework: &'static str,
    /// The name there.
    pub name: &'static str,
    /// The scheme that the name has in the literature.
    pub scheme: &'static str,
    /// The framework's meaning, as an expression here.
    pub means: &'static str,
    /// A remark on the meaning.
    pub note: Option<&'static str>,
}

/// A framework's word for a parameter.
pub struct ParameterAlias {
    /// The framework's name that has it; empty for all of its names.
    pub name: &'static str,
    /// The word there.
    pub theirs: &'static str,
    /// The parameter here.
    pub ours: &'static str,
}

/// Names without a scheme: no shape is enough to draw it, or nothing is drawn.
pub struct Unsupported {
    /// The names.
    pub names: &'static [&'static str],
    /// The reason: a sentence without its subject.
    why: &'static str,
    /// A replacement, or empty; expressions are in backticks.
    pub(super) instead: &'static str,
}

/// Every framework, in the order of the pages.
pub static FRAMEWORKS: &[Framework] = include!(concat!(env!("OUT_DIR"), "/frameworks.rs"));

/// The words that belong to no framework.
pub static COMMON: Framework = include!(concat!(env!("OUT_DIR"), "/common.rs"));

/// A framework's name and its meaning here as an expression, or the reason that it has none.
#[derive(Clone, Copy)]
pub struct Name {
    /// The name there.
    pub name: &'static str,
    /// Its meaning here.
    pub meaning: Result<&'static str, &'static Unsupported>,
}

impl Framework {
    /// The framework of a word, in any case. Errors with the nearest known word.
    pub fn find(word: &str) -> Result<&'static Self> {
        let folded = fold(word);
        let named = FRAMEWORKS.iter().find(|row| fold(row.word) == folded);
        let aliased = || FRAMEWORKS.iter().find(|row| row.words.iter().any(|word| fold(word) == folded));
        named.or_else(aliased).with_context(|| {
            let known: Vec<&str> = FRAMEWORKS.iter().map(|row| row.word).collect();
            let near = did_you_mean(&word.to_lowercase(), known.iter().copied());
            format!("unknown framework `{word}`: known are {}{near}", known.join(", "))
        })
    }

    /// The framework whose names this one offers as its own.
    pub fn included(&self) -> Option<&'static Self> {
        FRAMEWORKS.iter().find(|row| Some(row.word) == self.includes)
    }

    /// Its own names in alphabetical order.
    pub fn names(&self) -> Vec<Name> {
        let aliases = self.aliases.iter().map(|alias| Name { name: alias.name, meaning: Ok(alias.means) });
        let others = self.unsupported.iter();
        let others = others.flat_map(|row| row.names.iter().map(move |name| Name { name, meaning: Err(row) }));
        let mut names: Vec<Name> = aliases.chain(others).collect();
        names.sort_by_key(|row| (fold(row.name), row.name));
        names
    }

    /// Its own names, then those of the framework that it includes.
    pub fn offered(&self) -> Vec<Name> {
        let mut names = self.names();
        let mut others = self.included().map(Self::names).unwrap_or_default();
        others.retain(|other| names.iter().all(|own| fold(own.name) != fold(other.name)));
        names.append(&mut others);
        names
    }

    /// Its alias for a name, or that of the framework that it includes.
    pub(super) fn alias(&self, name: &str) -> Option<&'static Alias> {
        let (own, folded) = (self.aliases.iter(), fold(name));
        let mut offered = own.chain(self.included().into_iter().flat_map(|other| other.aliases));
        offered.find(|alias| fold(alias.name) == folded)
    }

    /// Its row for a name without a scheme, that of the framework that it includes, or the common one.
    pub(super) fn unsupported(&self, name: &str) -> Option<&'static Unsupported> {
        let rows = self.unsupported.iter().chain(self.included().into_iter().flat_map(|other| other.unsupported));
        rows.chain(COMMON.unsupported).find(|row| row.has(name))
    }
}

impl Unsupported {
    /// The reason why the name is refused, and a replacement.
    pub fn refusal(&self) -> String {
        let instead = if self.instead.is_empty() { String::new() } else { format!("; {}", self.instead) };
        format!("no scheme here: it {}{instead}", self.why)
    }

    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| fold(known) == fold(name))
    }

    /// The row of a name that is typed without a framework.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        let frameworks = std::iter::once(&COMMON).chain(FRAMEWORKS);
        frameworks.flat_map(|row| row.unsupported).find(|row| row.has(name))
    }
}
