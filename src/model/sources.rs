//! The files of a recipe: its own, and those that it extends.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::document::{self, MAX_LENGTH, Node, Syntax, Text, Value};
use super::library;
use crate::text::{cut, did_you_mean, escape};

/// The maximum number of files of a recipe that extends others.
const MAX_FILES: usize = 16;

/// A recipe and those that it extends, the nearest first. There is at least one.
#[derive(Clone, Debug)]
pub(super) struct Chain(Vec<Source>);

/// A file of a recipe.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) shown_name: String,
    pub(super) root: Node,
    origin: Origin,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Origin {
    Family(&'static str),
    File(PathBuf),
    /// Standard input.
    Stream,
}

impl Source {
    fn new(text: &Text, origin: Origin) -> Result<Self> {
        Ok(Self { shown_name: text.shown_name.into(), root: document::read(text)?, origin })
    }

    /// The file of blocks that families share.
    pub(super) fn shared() -> Result<Option<Self>> {
        library::shared().map(|text| Self::new(&text, Origin::Stream)).transpose()
    }

    /// True for the recipe of a family, which users do not see.
    pub(super) fn is_family(&self) -> bool {
        self.family().is_some()
    }

    /// The name of the family whose recipe this is.
    pub(super) fn family(&self) -> Option<&'static str> {
        match self.origin {
            Origin::Family(name) => Some(name),
            _ => None,
        }
    }

    /// The path of its file, if users have one.
    pub(super) fn file(&self) -> Option<&Path> {
        match &self.origin {
            Origin::File(path) => Some(path),
            _ => None,
        }
    }

    /// True if the name of a recipe is a path to a file.
    pub(super) fn is_path(name: &str) -> bool {
        name.contains(['/', '.'])
    }

    /// A component: a family, or the recipe at a path relative to this file.
    pub(super) fn part(&self, name: &str) -> Result<Chain> {
        Chain::from(self.named(name)?)
    }

    /// The recipe that this one extends.
    fn base(&self) -> Result<Option<Self>> {
        let Some(node) = self.root.get("extends") else { return Ok(None) };
        let place = || node.place(&self.shown_name, "", "extends").to_string();
        let Value::Text(name) = &node.value else { bail!("{}: it must be text, not {}", place(), node.value.kind()) };
        self.named(name).with_context(place).map(Some)
    }

    /// The family of a name, or the recipe at a path relative to this file.
    fn named(&self, name: &str) -> Result<Self> {
        let shown = escape(&cut(name, 60));
        if !Self::is_path(name) {
            let Some((name, text)) = library::recipe(name) else {
                bail!("`{shown}` is not a model family{}", did_you_mean(name, library::names()))
            };
            return Self::new(&text, Origin::Family(name));
        }
        ensure!(!self.is_family(), "`{shown}` is not a model family");
        let folder = match &self.origin {
            Origin::File(path) => path.parent().unwrap_or(Path::new("")),
            _ => Path::new(""),
        };
        let path = folder.join(name);
        let content = content(&path).with_context(|| format!("`{shown}`"))?;
        let shown_name = escape(&path.to_string_lossy());
        let text =
            Text { shown_name: &shown_name, content: &content, syntax: Syntax::of(name, &content), path: Some(&path) };
        Self::new(&text, Origin::File(path.clone()))
    }

    /// True for the same family or file.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (&self.origin, &other.origin) {
            (Origin::File(one), Origin::File(other)) => match (one.canonicalize(), other.canonicalize()) {
                (Ok(one), Ok(other)) => one == other,
                _ => one == other,
            },
            (Origin::Stream, Origin::Stream) => false,
            (one, other) => one == other,
        }
    }
}

impl Chain {
    /// Reads a recipe and those that it extends.
    pub(super) fn read(text: &Text) -> Result<Self> {
        let origin = text.path.map_or(Origin::Stream, |path| Origin::File(path.into()));
        Self::from(Source::new(text, origin)?)
    }

    /// A recipe that extends no other.
    pub(super) fn alone(shown_name: &str, root: Node) -> Self {
        Self(vec![Source { shown_name: shown_name.into(), root, origin: Origin::Stream }])
    }

    /// Reads the recipe of a family, with its name as it is embedded; `None` if it is unknown.
    pub(super) fn of_family(name: &str) -> Result<Option<(&'static str, Self)>> {
        let Some((name, text)) = library::recipe(name) else { return Ok(None) };
        let chain = Self::from(Source::new(&text, Origin::Family(name))?)?;
        Ok(Some((name, chain)))
    }

    fn from(first: Source) -> Result<Self> {
        let mut sources = vec![first];
        while let Some(source) = sources.last()
            && let Some(base) = source.base()?
        {
            let place = || {
                let node = source.root.get("extends").unwrap_or(&source.root);
                node.place(&source.shown_name, "", "extends").to_string()
            };
            if sources.iter().any(|source| source.is(&base)) {
                bail!("{}: `{}` extends itself", place(), base.shown_name);
            }
            ensure!(sources.len() < MAX_FILES, "{}: at most {MAX_FILES} recipes may extend each other", place());
            sources.push(base);
        }
        Ok(Self(sources))
    }

    /// The files, the nearest first.
    pub(super) fn sources(&self) -> &[Source] {
        &self.0
    }

    /// The recipe's own file.
    pub(super) fn own(&self) -> &Source {
        &self.0[0]
    }

    /// The heads of a family, the default first; none of another recipe.
    pub(super) fn heads(&self) -> Result<Vec<String>> {
        let text = |node: &Node| if let Value::Text(head) = &node.value { Some(head.clone()) } else { None };
        Ok(self
            .of_family_table("heads")?
            .map(|node| node.items().iter().filter_map(text).collect())
            .unwrap_or_default())
    }

    /// The head of the base model, which is the default of a component.
    pub(super) fn base_head(&self) -> Result<Option<String>> {
        if let Some(Value::Text(base)) = self.of_family_table("base")?.map(|node| &node.value) {
            return Ok(Some(base.clone()));
        }
        let heads = self.heads()?;
        Ok(heads.iter().find(|head| *head == "Model").or(heads.first()).cloned())
    }

    /// The value of a key of `[family]`.
    fn of_family_table(&self, key: &str) -> Result<Option<&Node>> {
        let entries = self.entries("family")?;
        Ok(entries.into_iter().find_map(|(_, known, node)| (known == key).then_some(node)))
    }

    /// The nearest value of a key, with its file.
    pub(super) fn get(&self, key: &str) -> Option<(&Source, &Node)> {
        self.0.iter().find_map(|source| Some((source, source.root.get(key)?)))
    }

    /// The entries of a table in all files. The nearest of equal keys counts; those of the farthest file come first.
    pub(super) fn entries(&self, table: &str) -> Result<Vec<(&Source, &str, &Node)>> {
        let (mut found, mut places) = (Vec::<(&Source, &str, &Node)>::new(), HashMap::new());
        for source in self.0.iter().rev() {
            let Some(node) = source.root.get(table) else { continue };
            let place = || node.place(&source.shown_name, "", table).to_string();
            for (key, node) in node.table().with_context(place)? {
                match places.entry(key.as_str()) {
                    Entry::Occupied(place) => found[*place.get()] = (source, key.as_str(), node),
                    Entry::Vacant(place) => {
                        place.insert(found.len());
                        found.push((source, key, node));
                    }
                }
            }
        }
        Ok(found)
    }
}

/// The text of a recipe's file.
fn content(path: &Path) -> Result<String> {
    ensure!(path.metadata()?.is_file(), "it is not a file");
    let mut text = String::new();
    File::open(path)?.take(MAX_LENGTH + 1).read_to_string(&mut text)?;
    ensure!(text.len() as u64 <= MAX_LENGTH, "more than 16 MiB, the limit of a recipe");
    Ok(text)
}
