//! What frameworks call a scheme.

use super::Scheme;

/// A framework's name for a scheme, or its own meaning of that name.
pub struct Alias {
    /// The framework.
    pub framework: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// What it does there, as an expression here.
    pub means: &'static str,
    /// What else is to be said of it, or of all names with this meaning.
    pub note: Option<&'static str>,
}

impl Alias {
    /// With a note: a phrase.
    #[must_use]
    pub const fn noting(self, note: &'static str) -> Self {
        Self { note: Some(note), ..self }
    }
}

/// Names of a scheme that mean the same, each in its framework.
pub struct Meaning {
    /// What they do, as an expression here.
    pub means: &'static str,
    /// What else is to be said of it.
    pub note: Option<&'static str>,
    /// The names.
    pub names: Vec<&'static Alias>,
}

/// A row of a scheme's aliases.
pub const fn alias(framework: &'static str, name: &'static str, means: &'static str) -> Alias {
    Alias { framework, name, means, note: None }
}

impl Scheme {
    /// Its aliases by what they mean: the literature's meaning first, the others in the order of the table.
    pub fn meanings(&self) -> Vec<Meaning> {
        let mut meanings: Vec<Meaning> = Vec::new();
        for alias in self.framework_aliases {
            match meanings.iter_mut().find(|meaning| meaning.means == alias.means) {
                Some(meaning) => {
                    meaning.note = meaning.note.or(alias.note);
                    meaning.names.push(alias);
                }
                None => {
                    let &Alias { means, note, .. } = alias;
                    meanings.push(Meaning { means, note, names: vec![alias] });
                }
            }
        }
        meanings.sort_by_key(|meaning| meaning.means != self.name);
        meanings
    }
}
