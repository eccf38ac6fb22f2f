//! The frameworks and their names for schemes and parameters, from `frameworks/`, which `scripts/build.rs` embeds.

use anyhow::{Context, Result, ensure};

use super::expression::fold;
use crate::text::{did_you_mean, did_you_mean_or_list, nearest};

/// A framework, program or paper with its own names for schemes.
pub struct Framework {
    /// The word before the dot of `FRAMEWORK.NAME`.
    pub word: &'static str,
    /// Its full name and the module of its initializers.
    pub title: &'static str,
    /// Other words for it.
    words: &'static [&'static str],
    /// A framework whose initializers this one re-exports.
    includes: Option<&'static str>,
    /// The layout of its weights, as a value of `--layout`; `None` for the default layout.
    pub layout: Option<&'static str>,
    /// The default slope of a leaky rectifier, for a framework that ignores the slope of other activations.
    pub default_slope: Option<&'static str>,
    /// Its names that take values without keys in the order of the schemes' rows.
    pub(super) positional: &'static [&'static str],
    /// Its names for schemes.
    pub aliases: &'static [Alias],
    /// Its words for parameters; those specific to one name come first.
    pub parameters: &'static [ParameterAlias],
    /// Words for values: our parameter, their word, our word.
    pub(super) values: &'static [(&'static str, &'static str, &'static str)],
    /// Names that have no scheme here.
    pub unsupported: &'static [Unsupported],
}

/// A framework's name for a scheme.
pub struct Alias {
    /// The word of the framework.
    pub framework: &'static str,
    /// The name in the framework.
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
    /// The framework's word.
    pub theirs: &'static str,
    /// Our parameter.
    pub ours: &'static str,
}

/// Names without a scheme: a shape is not enough to draw them, or they draw nothing.
pub struct Unsupported {
    /// The names.
    pub names: &'static [&'static str],
    /// The reason, as a sentence without its subject.
    why: &'static str,
    /// A replacement, or empty; expressions are in backticks.
    pub(super) instead: &'static str,
}

/// Every framework, in the order of the pages.
pub static FRAMEWORKS: &[Framework] = include!(concat!(env!("OUT_DIR"), "/frameworks.rs"));

/// Words without a framework.
pub static COMMON: Framework = include!(concat!(env!("OUT_DIR"), "/common.rs"));

/// A framework's name and its meaning as an expression, or the reason that it has none.
#[derive(Clone, Copy)]
pub struct Name {
    /// The framework's name.
    pub name: &'static str,
    /// Its meaning as an expression.
    pub meaning: Result<&'static str, &'static Unsupported>,
}

impl Framework {
    /// Finds a framework by its word, ignoring case. An error names the nearest known word.
    pub fn find(word: &str) -> Result<&'static Self> {
        Self::known(word).with_context(|| {
            let known = FRAMEWORKS.iter().map(|row| row.word);
            format!("unknown framework `{word}`{}", did_you_mean_or_list(&word.to_lowercase(), known, "frameworks"))
        })
    }

    /// The word of the framework that has the nearest word, if one is close enough.
    pub fn nearest(word: &str) -> Option<&'static str> {
        let words = FRAMEWORKS.iter().flat_map(|row| [row.word].into_iter().chain(row.words.iter().copied()));
        Some(Self::known(nearest(&word.to_lowercase(), words)?)?.word)
    }

    fn known(word: &str) -> Option<&'static Self> {
        let folded = fold(word);
        let named = FRAMEWORKS.iter().find(|row| fold(row.word) == folded);
        named.or_else(|| FRAMEWORKS.iter().find(|row| row.words.iter().any(|word| fold(word) == folded)))
    }

    /// The framework of a dotted name as it is imported, and the name in it: `torch.nn.init.normal_`, `nn.init.normal_`. The longest
    /// beginning that is a word of a framework counts. A method in place of a variable is torch's: `self.weight.data.normal_`. `None` for
    /// a name without a dot.
    pub fn split(path: &str) -> Option<Result<(&'static Self, &str)>> {
        let (module, name) = path.rsplit_once('.')?;
        let mut beginnings = std::iter::successors(Some(module), |module| Some(module.rsplit_once('.')?.0));
        let first = path.split('.').next().unwrap_or(path);
        let framework = match beginnings.find_map(Self::known) {
            Some(framework) => Ok(framework),
            None => Self::find(if is_method(first, name) { "torch" } else { first }),
        };
        Some(framework.and_then(|framework| {
            // Functions of random numbers have the names of initializers, but other defaults.
            ensure!(
                !module.ends_with(".random") || framework.title.ends_with(".random"),
                "`{path}` is a function, not an initializer: use `randn`, `rand` or `{}.NAME`",
                framework.word
            );
            Ok((framework, name))
        }))
    }

    /// The framework whose names this one re-exports.
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

    /// Its alias for a name, or the alias from the framework that it includes.
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

/// True if `variable.name` modifies a tensor in place, as in `w.normal_`: the variable is no misspelt framework.
fn is_method(variable: &str, name: &str) -> bool {
    let near = did_you_mean(&variable.to_lowercase(), FRAMEWORKS.iter().map(|row| row.word));
    name.ends_with('_') && near.is_empty()
}

impl Unsupported {
    /// The reason why the name is refused, and a replacement.
    pub fn refusal(&self) -> String {
        format!("no scheme here: it {}", self.reason())
    }

    /// The refusal without its subject.
    pub fn reason(&self) -> String {
        let instead = if self.instead.is_empty() { String::new() } else { format!("; {}", self.instead) };
        format!("{}{instead}", self.why)
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
