//! Blocks of tensors with parsed expressions, before any value is known.

use anyhow::{Context, Result, bail, ensure};
use minijinja::value::Value;

use super::braces::Template;
use super::document::{self, Node, SourceLocation};
use super::entry::{Entry, Parameter, Quantity, Reading, known_key};
use super::expression::{Compiled, Scope, is_name};
use super::value::{from_number, shown_value, size};
use crate::text::{cut, escape};

/// The deepest nesting of blocks.
pub(super) const MAX_NESTING: usize = 8;

/// Tensors that repeat.
pub(super) struct Block<'e> {
    pub(super) place: SourceLocation<'e>,
    pub(super) repeats: Vec<(&'e str, Count<'e>)>,
    pub(super) prefix: Option<Template<'e>>,
    pub(super) when: Option<Compiled<'e>>,
    pub(super) content: Content<'e>,
}

/// The content of a block.
pub(super) enum Content<'e> {
    Own(Vec<Entry<'e>>, Vec<Block<'e>>),
    Shared(Use<'e>),
    Component(Component<'e>),
}

/// A family as a part, with its own constants and rules.
pub(super) struct Component<'e> {
    pub(super) reading: Reading<'e>,
    pub(super) place: SourceLocation<'e>,
    /// The table of its constants, a key of `[components]`.
    pub(super) table: &'e str,
    pub(super) head: Option<Template<'e>>,
    pub(super) rules: Option<&'e Node>,
}

/// A use of a shared block.
pub(super) struct Use<'e> {
    pub(super) place: SourceLocation<'e>,
    pub(super) name: &'e str,
    pub(super) with: Vec<(&'e str, Parameter<'e>)>,
}

/// A block for use in several places.
pub(super) struct Shared<'e> {
    pub(super) block: Block<'e>,
    /// The names that every use gives.
    pub(super) needs: Vec<&'e str>,
    /// The names that a use may give, with their defaults.
    pub(super) with: Vec<(&'e str, Parameter<'e>)>,
}

/// The number of repeats, or their items.
pub(super) enum Count<'e> {
    Number(u64),
    Items(Vec<Value>),
    Expression(Compiled<'e>),
}

/// The keys of a block.
const KEYS: [&str; 10] = ["repeat", "prefix", "when", "tensors", "blocks", "use", "with", "component", "head", "rules"];
/// The keys that say what a block contains, each with those that need it.
const CONTENTS: [(&[&str], &[&str]); 3] =
    [(&["tensors", "blocks"], &[]), (&["use"], &["with"]), (&["component"], &["head", "rules"])];
/// The keys of a shared block.
const OF_SHARED: [&str; 7] = ["needs", "with", "repeat", "prefix", "when", "tensors", "blocks"];

impl<'e> Reading<'e> {
    /// The blocks of a list.
    pub(super) fn blocks(self, node: &'e Node, depth: usize) -> Result<Vec<Block<'e>>> {
        let place = self.place(node, "", "blocks");
        let document::Value::List(blocks) = &node.value else {
            bail!("{place}: it must be a list of tables (`[[blocks]]`), not {}", node.value.kind());
        };
        ensure!(depth < MAX_NESTING, "{place}: blocks are nested more than {MAX_NESTING} deep");
        blocks.iter().map(|node| self.block(node, "blocks", &KEYS, depth)).collect()
    }

    /// A table of a block, with some of all keys.
    fn block(self, node: &'e Node, table: &'e str, keys: &[&str], depth: usize) -> Result<Block<'e>> {
        let place = self.place(node, table, "");
        let (mut repeats, mut prefix, mut when) = (Vec::new(), None, None);
        let (mut entries, mut blocks) = (Vec::new(), Vec::new());
        for (key, value) in node.table().with_context(|| place.to_string())? {
            let place = self.place(value, table, key);
            let context = || place.to_string();
            known_key(key, keys).with_context(context)?;
            match key.as_str() {
                "repeat" => repeats = self.repeats(value).with_context(context)?,
                "prefix" => prefix = Some(self.template(value).with_context(context)?),
                "when" => when = Some(self.condition(value).with_context(context)?),
                "tensors" => entries = self.entries(value, "blocks.tensors")?,
                "blocks" => blocks = self.blocks(value, depth + 1)?,
                _ => {}
            }
        }
        let content = match table {
            "shared" => Content::Own(entries, blocks),
            _ => match self.part(node)? {
                Some(content) => content,
                None => Content::Own(entries, blocks),
            },
        };
        Ok(Block { place, repeats, prefix, when, content })
    }

    /// The shared block or the component of a block, if it has one.
    fn part(self, node: &'e Node) -> Result<Option<Content<'e>>> {
        let given = |keys: &[&'static str]| keys.iter().find(|key| node.get(key).is_some()).copied();
        let kinds: Vec<&str> = CONTENTS.iter().filter_map(|(kind, _)| given(kind)).collect();
        let at = |key: &'e str| self.place(node.get(key).unwrap_or(node), "blocks", key);
        if let [one, other, ..] = kinds[..] {
            bail!("{}: `{other}` and `{one}` are mutually exclusive", at(other));
        }
        for (kind, keys) in CONTENTS {
            if let (None, Some(key)) = (given(kind), given(keys)) {
                bail!("{}: it needs `{}`", at(key), kind[0]);
            }
        }
        let name = |key: &'static str| {
            let named = node.get(key).map(|name| match &name.value {
                document::Value::Text(name) => Ok(name.as_str()),
                other => bail!("{}: it must be a name, not {}", at(key), other.kind()),
            });
            named.transpose()
        };
        if let Some(name) = name("use")? {
            let with = self.parameters(node.get("with")).with_context(|| at("with").to_string())?;
            return Ok(Some(Content::Shared(Use { place: at("use"), name, with })));
        }
        let Some(table) = name("component")? else { return Ok(None) };
        let head = node.get("head").map(|head| self.template(head).with_context(|| at("head").to_string()));
        let (head, rules) = (head.transpose()?, node.get("rules"));
        Ok(Some(Content::Component(Component { reading: self, place: at("component"), table, head, rules })))
    }

    /// The names and values of a table `with`.
    fn parameters(self, node: Option<&'e Node>) -> Result<Vec<(&'e str, Parameter<'e>)>> {
        let Some(node) = node else { return Ok(Vec::new()) };
        let parameters = node.table()?.iter().map(|(name, value)| {
            let shown = || format!("`{}`", escape(&cut(name, 60)));
            ensure!(is_name(name), "{}: use letters, digits and underscores, and no word of expressions", shown());
            Ok((name.as_str(), self.parameter(value).with_context(shown)?))
        });
        parameters.collect()
    }

    /// A table `[shared.NAME]`.
    pub(super) fn shared(self, name: &'e str, node: &'e Node) -> Result<Shared<'e>> {
        let place = self.place(node, "shared", name);
        let block = self.block(node, "shared", &OF_SHARED, 0)?;
        let with = self.parameters(node.get("with")).context("`with`").with_context(|| place.to_string())?;
        let needs = match node.get("needs").map(|node| &node.value) {
            None => Vec::new(),
            Some(document::Value::List(names)) => {
                let names = names.iter().map(|name| match &name.value {
                    document::Value::Text(name) if is_name(name) => Ok(name.as_str()),
                    _ => bail!("{place}: `needs`: use letters, digits and underscores, and no word of expressions"),
                });
                names.collect::<Result<_>>()?
            }
            Some(other) => bail!("{place}: `needs`: it must be a list of names, not {}", other.kind()),
        };
        Ok(Shared { block: Block { place, ..block }, needs, with })
    }

    fn repeats(self, node: &'e Node) -> Result<Vec<(&'e str, Count<'e>)>> {
        let mut repeats = Vec::new();
        for (name, value) in node.table()? {
            let shown = || format!("`{}`", escape(&cut(name, 60)));
            ensure!(is_name(name), "{}: use letters, digits and underscores, and no word of expressions", shown());
            let count = match &value.value {
                document::Value::List(items) => {
                    Count::Items(items.iter().map(item).collect::<Result<_>>().with_context(shown)?)
                }
                _ => match self.quantity(value).with_context(shown)? {
                    Quantity::Number(count) => Count::Number(count),
                    Quantity::Expression(expression) => Count::Expression(expression),
                },
            };
            repeats.push((name.as_str(), count));
        }
        Ok(repeats)
    }
}

impl<'e> Block<'e> {
    /// The shared blocks and components in it.
    pub(super) fn parts<'b>(&'b self, found: &mut Vec<&'b Content<'e>>) {
        match &self.content {
            Content::Own(_, blocks) => {
                for block in blocks {
                    block.parts(found);
                }
            }
            part => found.push(part),
        }
    }

    /// The minimum number of tensors, computed before any is made.
    pub(super) fn least(&self, scope: &Scope) -> u64 {
        let rounds = self.repeats.iter().map(|(_, count)| count.items(scope).map_or(1, |items| items.count()));
        let rounds = rounds.fold(1, u64::saturating_mul);
        match &self.content {
            Content::Own(entries, blocks) if self.when.is_none() => {
                let inside = blocks.iter().map(|block| block.least(scope));
                rounds.saturating_mul(inside.fold(entries.len() as u64, u64::saturating_add).max(1))
            }
            // Each round may be omitted.
            _ => rounds,
        }
    }
}

/// An item of a repeat; its text is not an expression.
fn item(node: &Node) -> Result<Value> {
    Ok(match &node.value {
        document::Value::Bool(truth) => Value::from(*truth),
        document::Value::Number(number) => from_number(number),
        document::Value::Text(text) => Value::from(text.as_str()),
        document::Value::List(items) => items.iter().map(item).collect::<Result<Vec<_>>>()?.into(),
        other => bail!("an item must be a number, text, true, false or a list, not {}", other.kind()),
    })
}

/// The values that a block repeats over.
pub(super) enum Items {
    UpTo(u64),
    List(Vec<Value>),
}

impl Items {
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::UpTo(count) => *count,
            Self::List(items) => items.len() as u64,
        }
    }

    pub(super) fn into_values(self) -> Box<dyn Iterator<Item = Value>> {
        match self {
            Self::UpTo(count) => Box::new((0..count).map(Value::from)),
            Self::List(items) => Box::new(items.into_iter()),
        }
    }
}

impl Count<'_> {
    pub(super) fn items(&self, scope: &Scope) -> Result<Items> {
        match self {
            Self::Number(count) => Ok(Items::UpTo(*count)),
            Self::Items(items) => Ok(Items::List(items.clone())),
            Self::Expression(expression) => {
                let value = expression.value(scope)?;
                if let Some(count) = size(&value) {
                    return Ok(Items::UpTo(count));
                }
                let context = || format!("it must be a number or a list, not {}", shown_value(&value));
                ensure!(!value.is_number() && value.as_str().is_none(), context());
                Ok(Items::List(value.try_iter().ok().with_context(context)?.collect()))
            }
        }
    }
}
