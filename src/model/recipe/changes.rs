//! The tables `[remove]` and `[rename]`: changes of the tensors that an extended recipe makes.

use anyhow::{Context, Result, bail, ensure};

use crate::model::document::{Node, SourceLocation, Value};
use crate::model::entry::Reading;
use crate::model::expression::Scope;
use crate::model::patterns::{Globs, Patterns};
use crate::text::{cut, escape};

/// The changes that a recipe makes to the tensors of the recipe that it extends.
pub(super) struct Changes<'e> {
    removals: Vec<SourceLocation<'e>>,
    removed: Patterns,
    renames: Vec<Rename<'e>>,
    renamed: Patterns,
}

struct Rename<'e> {
    place: SourceLocation<'e>,
    /// The texts between the wildcards of the pattern.
    from: Vec<String>,
    /// The texts between the wildcards of the new name.
    to: Vec<String>,
}

impl<'e> Changes<'e> {
    pub(super) fn read(reading: Reading<'e>, root: &'e Node, scope: &Scope) -> Result<Self> {
        let (mut removals, mut removed) = (Vec::new(), Globs::default());
        for (key, node) in table(reading, root, "remove")? {
            let place = reading.place(node, "remove", key);
            let mut read = || {
                if reading.condition(node)?.holds(scope)? {
                    removed.add(&pattern(reading, key, scope)?)?;
                    removals.push(place);
                }
                Ok::<_, anyhow::Error>(())
            };
            read().with_context(|| place.to_string())?;
        }
        let (mut renames, mut renamed) = (Vec::new(), Globs::default());
        for (key, node) in table(reading, root, "rename")? {
            let place = reading.place(node, "rename", key);
            let mut read = || {
                let Value::Text(to) = &node.value else { bail!("it must be text, not {}", node.value.kind()) };
                let (from, to) = (pattern(reading, key, scope)?, pattern(reading, to, scope)?);
                renamed.add(&from)?;
                let (from, to) = (pieces(&from)?, pieces(&to)?);
                ensure!(to.len() <= from.len(), "the new name has more `*` than the pattern");
                renames.push(Rename { place, from, to });
                Ok(())
            };
            read().with_context(|| place.to_string())?;
        }
        let compiled = |globs: &Globs, key| globs.compile().with_context(|| format!("{}: [{key}]", reading.file));
        Ok(Self { removals, removed: compiled(&removed, "remove")?, renames, renamed: compiled(&renamed, "rename")? })
    }

    /// True if a tensor is removed.
    pub(super) fn removes(&self, name: &str) -> bool {
        !self.removals.is_empty() && !self.removed.matching(name).is_empty()
    }

    /// The new name of a tensor, and the place of the change; `None` if it keeps its name.
    pub(super) fn renamed(&self, name: &str) -> Option<(String, SourceLocation<'e>)> {
        if self.renames.is_empty() {
            return None;
        }
        let rename = &self.renames[*self.renamed.matching(name).first()?];
        Some((rename.of(name)?, rename.place))
    }

    /// Errors if a pattern matches no tensor.
    pub(super) fn all_matched(&self) -> Result<()> {
        let removal = self.removed.unmatched(|_| false).map(|number| self.removals[number]);
        let rename = || self.renamed.unmatched(|_| false).map(|number| self.renames[number].place);
        match removal.or_else(rename) {
            Some(place) => bail!("{place}: the pattern matches no tensor of the extended recipe"),
            None => Ok(()),
        }
    }
}

impl Rename<'_> {
    /// The new name. Each `*` of the pattern matches as little as possible.
    fn of(&self, name: &str) -> Option<String> {
        let (first, others) = self.from.split_first()?;
        let mut rest = name.strip_prefix(first.as_str())?;
        let mut matched = Vec::with_capacity(others.len());
        for (number, piece) in others.iter().enumerate() {
            let end = if number + 1 == others.len() {
                rest.len().checked_sub(piece.len()).filter(|_| rest.ends_with(piece.as_str()))?
            } else {
                rest.find(piece.as_str())?
            };
            matched.push(&rest[..end]);
            rest = &rest[end + piece.len()..];
        }
        let mut made = String::new();
        for (number, piece) in self.to.iter().enumerate() {
            if number > 0 {
                made.push_str(matched.get(number - 1)?);
            }
            made.push_str(piece);
        }
        Some(made)
    }
}

/// The entries of a table of changes.
fn table<'e>(reading: Reading<'e>, root: &'e Node, key: &'e str) -> Result<&'e [(String, Node)]> {
    let Some(node) = root.get(key) else { return Ok(&[]) };
    let place = || reading.place(node, "", key).to_string();
    let entries = node.table().with_context(place)?;
    ensure!(root.get("extends").is_some(), "{}: it changes an extended recipe: add `extends`", place());
    Ok(entries)
}

/// A pattern with its expressions. Wildcards in the value of an expression are literal.
fn pattern(reading: Reading, text: &str, scope: &Scope) -> Result<String> {
    reading.language.template(text)?.text_with(scope, |value| globset::escape(&value))
}

/// The texts between the wildcards of a pattern, unescaped.
fn pieces(pattern: &str) -> Result<Vec<String>> {
    let (mut pieces, mut piece) = (Vec::new(), String::new());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '*' => pieces.push(std::mem::take(&mut piece)),
            '\\' => piece.extend(characters.next()),
            // As an escaped character is written in a set.
            '[' if matches!(characters.as_str().as_bytes(), [_, b']', ..]) => {
                piece.extend(characters.next());
                characters.next();
            }
            '?' | '[' | ']' | '{' | '}' => {
                bail!("`{}`: only `*` is a wildcard in [rename]", escape(&cut(pattern, 60)))
            }
            other => piece.push(other),
        }
    }
    pieces.push(piece);
    Ok(pieces)
}
