//! What frameworks call a scheme.

use super::Scheme;

/// A framework's name for a scheme, or its own meaning of that name.
pub struct Spelling {
    /// The framework.
    pub framework: &'static str,
    /// Its name there.
    pub name: &'static str,
    /// What it does there, as an expression here.
    pub means: &'static str,
    /// What else is to be said of it, or of all names with this meaning.
    pub note: Option<&'static str>,
}

impl Spelling {
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
    pub names: Vec<&'static Spelling>,
}

/// A row of a scheme's spellings.
pub const fn spelling(framework: &'static str, name: &'static str, means: &'static str) -> Spelling {
    Spelling { framework, name, means, note: None }
}

impl Scheme {
    /// Its spellings by what they mean: the literature's meaning first, the others in the order of the table.
    pub fn meanings(&self) -> Vec<Meaning> {
        let mut meanings: Vec<Meaning> = Vec::new();
        for spelling in self.spellings {
            match meanings.iter_mut().find(|meaning| meaning.means == spelling.means) {
                Some(meaning) => {
                    meaning.note = meaning.note.or(spelling.note);
                    meaning.names.push(spelling);
                }
                None => {
                    let &Spelling { means, note, .. } = spelling;
                    meanings.push(Meaning { means, note, names: vec![spelling] });
                }
            }
        }
        meanings.sort_by_key(|meaning| meaning.means != self.name);
        meanings
    }
}
