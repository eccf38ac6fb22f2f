//! The names of a scheme in the frameworks.

use super::Scheme;
use super::frameworks::{Alias, FRAMEWORKS};

/// Names of one meaning in several frameworks.
pub struct Meaning {
    /// The meaning, as an expression here.
    pub means: &'static str,
    /// A remark on the meaning.
    pub note: Option<&'static str>,
    /// The names.
    pub names: Vec<&'static Alias>,
}

impl Meaning {
    /// The meanings of names, in their order.
    pub(super) fn of(aliases: impl Iterator<Item = &'static Alias>) -> Vec<Self> {
        let mut meanings: Vec<Self> = Vec::new();
        for alias in aliases {
            match meanings.iter_mut().find(|meaning| meaning.means == alias.means) {
                Some(meaning) => {
                    meaning.note = meaning.note.or(alias.note);
                    meaning.names.push(alias);
                }
                None => meanings.push(Self { means: alias.means, note: alias.note, names: vec![alias] }),
            }
        }
        meanings
    }
}

impl Scheme {
    /// Its names in the frameworks, in the order of the pages.
    pub fn framework_aliases(&self) -> impl Iterator<Item = &'static Alias> + use<'_> {
        let aliases = FRAMEWORKS.iter().flat_map(|framework| framework.aliases);
        aliases.filter(|alias| alias.scheme == self.name)
    }

    /// Its names in the frameworks by their meaning, the literature's first.
    pub fn meanings(&self) -> Vec<Meaning> {
        let mut meanings = Meaning::of(self.framework_aliases());
        meanings.sort_by_key(|meaning| meaning.means != self.name);
        meanings
    }
}
