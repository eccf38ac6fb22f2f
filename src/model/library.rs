//! The embedded families of models: the recipe and the facts of each, by name.
//!
//! Both are text here, and are read only if their family is named.

use super::document::{Syntax, Text};

/// Name and content of a file.
type File = (&'static str, &'static str);

/// The recipe of each family, in the order of names.
#[cfg(not(debug_assertions))]
static FAMILIES: &[File] = include!(concat!(env!("OUT_DIR"), "/families.rs"));
#[cfg(debug_assertions)]
static FAMILIES: std::sync::LazyLock<Vec<File>> = std::sync::LazyLock::new(|| source::files("families", "toml"));

/// The facts of each configuration, in the order of names.
#[cfg(not(debug_assertions))]
static CONFIGS: &[File] = include!(concat!(env!("OUT_DIR"), "/configs.rs"));
#[cfg(debug_assertions)]
static CONFIGS: std::sync::LazyLock<Vec<File>> = std::sync::LazyLock::new(|| source::files("configs", "json"));

/// The file of blocks that families share. It is not a family.
const SHARED: &str = "shared";

/// The names of the families.
pub fn names() -> impl Iterator<Item = &'static str> {
    FAMILIES.iter().map(|&(name, _)| name).filter(|&name| name != SHARED)
}

/// The name of a family as it is embedded, and its recipe.
pub fn recipe(name: &str) -> Option<(&'static str, Text<'static>)> {
    let (name, content) = file(&FAMILIES, name).filter(|_| name != SHARED)?;
    Some((name, text(name, content)))
}

/// The facts of a family's configuration.
pub fn facts(name: &str) -> Option<&'static str> {
    file(&CONFIGS, name).map(|(_, text)| text)
}

/// The file of blocks that families share.
pub fn shared() -> Option<Text<'static>> {
    file(&FAMILIES, SHARED).map(|(name, content)| text(name, content))
}

/// The file of a name.
fn file(files: &[File], name: &str) -> Option<File> {
    let at = files.binary_search_by_key(&name, |&(name, _)| name).ok()?;
    files.get(at).copied()
}

/// The text of a recipe. Messages show the name of its family, since users do not see its file.
fn text(name: &'static str, content: &'static str) -> Text<'static> {
    Text { shown_name: name, content, syntax: Syntax::Toml, path: None }
}

/// The files of the source. A debug build reads them when it runs, so that a changed one needs no build.
#[cfg(debug_assertions)]
mod source {
    use std::fs;
    use std::path::Path;

    /// The files of a folder of `src/model` with an extension, in the order of names.
    pub(super) fn files(folder: &str, extension: &str) -> Vec<super::File> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/model").join(folder);
        let read = |path: &Path| {
            let name = path.file_stem().filter(|_| path.extension().is_some_and(|end| end == extension))?.to_str()?;
            Some((&*name.to_string().leak(), &*fs::read_to_string(path).ok()?.leak()))
        };
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        let mut files: Vec<_> = entries.filter_map(|entry| read(&entry.path())).collect();
        files.sort_unstable();
        files
    }
}
