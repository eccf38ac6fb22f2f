//! The embedded families of models: the recipe of each, by name.
//!
//! A recipe is text here, and is read only if its family is named.

use super::document::{Syntax, Text};

/// Name, file and recipe of each family, in the order of names.
static FAMILIES: &[(&str, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/families.rs"));

/// The file of blocks that families share. It is not a family.
const SHARED: &str = "shared";

/// The names of the families.
pub fn names() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().map(|&(name, ..)| name).filter(|&name| name != SHARED)
}

/// The name of a family as it is embedded, and its recipe.
pub fn recipe(name: &str) -> Option<(&'static str, Text<'static>)> {
    let at = FAMILIES.binary_search_by_key(&name, |&(name, ..)| name).ok()?;
    let &(name, shown_name, content) = FAMILIES.get(at).filter(|_| name != SHARED)?;
    Some((name, Text { shown_name, content, syntax: Syntax::Toml }))
}
