//! The entries of a recipe with parsed expressions, before any value is known.

use anyhow::{Context, Result, bail, ensure};
use minijinja::value::Value;

use super::braces::Template;
use super::document::{self, Node, SourceLocation};
use super::expression::{Compiled, Language, Scope};
use super::value::{from_number, size};
use crate::plan::Ranges;
use crate::tensor::{Element, Fans, Layout, Shape};
use crate::text::{alternatives, cut, did_you_mean, escape};

/// The reader of a recipe.
#[derive(Clone, Copy)]
pub(super) struct Reading<'e> {
    pub(super) file: &'e str,
    pub(super) language: &'e Language,
}

/// An integer or an expression.
pub(super) enum Quantity<'e> {
    Number(u64),
    Expression(Compiled<'e>),
}

/// The settings of a tensor or a rule.
#[derive(Default)]
pub(super) struct Settings<'e> {
    pub(super) scheme: Option<Template<'e>>,
    dtype: Option<Template<'e>>,
    layout: Option<Template<'e>>,
    fan_in: Option<Quantity<'e>>,
    fan_out: Option<Quantity<'e>>,
    slice: Option<Template<'e>>,
    when: Option<Compiled<'e>>,
}

impl Settings<'_> {
    /// The first key that requires a tensor with values.
    pub(super) fn of_weights(&self) -> Option<&'static str> {
        let given = [
            ("scheme", self.scheme.is_some()),
            ("dtype", self.dtype.is_some()),
            ("layout", self.layout.is_some()),
            ("fan_in", self.fan_in.is_some()),
            ("fan_out", self.fan_out.is_some()),
        ];
        given.into_iter().find_map(|(key, given)| given.then_some(key))
    }
}

/// One tensor, or the tensors of a layer.
pub(super) struct Entry<'e> {
    pub(super) place: SourceLocation<'e>,
    pub(super) name: Template<'e>,
    pub(super) settings: Settings<'e>,
    pub(super) what: What<'e>,
}

/// The content of an entry.
pub(super) enum What<'e> {
    Axes(Vec<Quantity<'e>>),
    Shape(Template<'e>),
    Tied(Template<'e>),
    Layer { kind: Template<'e>, parameters: Vec<(&'e str, Parameter<'e>)> },
}

/// A parameter of a layer: a value or an expression.
pub(super) enum Parameter<'e> {
    Plain(Value),
    Expression(Compiled<'e>),
    List(Vec<Self>),
}

/// The keys of a rule.
const OF_RULES: [&str; 6] = ["scheme", "dtype", "layout", "fan_in", "fan_out", "when"];
/// The keys of a tensor.
const OF_TENSORS: [&str; 10] =
    ["shape", "tied", "layer", "scheme", "dtype", "layout", "fan_in", "fan_out", "slice", "when"];
/// The keys of a layer that are not its parameters.
const OF_LAYERS: [&str; 4] = ["layer", "scheme", "dtype", "when"];

/// Errors if a key is unknown.
pub(super) fn known_key(key: &str, known: &[&str]) -> Result<()> {
    ensure!(
        known.contains(&key),
        "unknown key: use {}{}",
        alternatives(known),
        did_you_mean(key, known.iter().copied())
    );
    Ok(())
}

impl<'e> Reading<'e> {
    pub(super) fn place(self, node: &Node, table: &'e str, key: &'e str) -> SourceLocation<'e> {
        node.place(self.file, table, key)
    }

    pub(super) fn template(self, node: &'e Node) -> Result<Template<'e>> {
        match &node.value {
            document::Value::Text(text) => self.language.template(text),
            other => bail!("it must be text, not {}", other.kind()),
        }
    }

    pub(super) fn condition(self, node: &'e Node) -> Result<Compiled<'e>> {
        match &node.value {
            document::Value::Text(text) => self.language.compile(text),
            document::Value::Bool(true) => self.language.compile("true"),
            document::Value::Bool(false) => self.language.compile("false"),
            other => bail!("it must be an expression, not {}", other.kind()),
        }
    }

    pub(super) fn quantity(self, node: &'e Node) -> Result<Quantity<'e>> {
        match &node.value {
            document::Value::Text(text) => Ok(Quantity::Expression(self.language.compile(text)?)),
            document::Value::Number(number) => {
                let context = || format!("`{number}` is not a size: use a non-negative integer or an expression");
                Ok(Quantity::Number(size(&from_number(number)).with_context(context)?))
            }
            other => bail!("it must be an integer or an expression, not {}", other.kind()),
        }
    }

    /// The settings among the keys of a table.
    pub(super) fn settings(self, node: &'e Node) -> Result<Settings<'e>> {
        let mut settings = Settings::default();
        for (key, value) in node.table()? {
            let context = || format!("`{key}`");
            match key.as_str() {
                "scheme" => settings.scheme = Some(self.template(value).with_context(context)?),
                "dtype" => settings.dtype = Some(self.template(value).with_context(context)?),
                "layout" => settings.layout = Some(self.template(value).with_context(context)?),
                "fan_in" => settings.fan_in = Some(self.quantity(value).with_context(context)?),
                "fan_out" => settings.fan_out = Some(self.quantity(value).with_context(context)?),
                "slice" => settings.slice = Some(self.template(value).with_context(context)?),
                "when" => settings.when = Some(self.condition(value).with_context(context)?),
                _ => {}
            }
        }
        Ok(settings)
    }

    /// A rule: a scheme, or a table with one.
    pub(super) fn rule(self, node: &'e Node) -> Result<Settings<'e>> {
        if let document::Value::Text(text) = &node.value {
            return Ok(Settings { scheme: Some(self.language.template(text)?), ..Settings::default() });
        }
        for (key, _) in node.table().context("a rule is a scheme, or a table with one")? {
            known_key(key, &OF_RULES).with_context(|| format!("`{}`", escape(&cut(key, 60))))?;
        }
        let settings = self.settings(node)?;
        ensure!(settings.scheme.is_some(), "`scheme` is missing");
        Ok(settings)
    }

    /// The entries of a table of tensors.
    pub(super) fn entries(self, node: &'e Node, table: &'e str) -> Result<Vec<Entry<'e>>> {
        let place = self.place(node, "", table);
        let entries = node.table().with_context(|| place.to_string())?;
        let entries = entries.iter().map(|(key, value)| {
            let place = self.place(value, table, key);
            self.entry(place, key, value).with_context(|| place.to_string())
        });
        entries.collect()
    }

    fn entry(self, place: SourceLocation<'e>, key: &'e str, node: &'e Node) -> Result<Entry<'e>> {
        let name = self.language.template(key).context("its name")?;
        let (what, settings) = match &node.value {
            document::Value::Table(_) if node.get("layer").is_some() => (self.layer(node)?, self.settings(node)?),
            document::Value::Table(entries) => {
                for (key, _) in entries {
                    known_key(key, &OF_TENSORS).with_context(|| format!("`{}`", escape(&cut(key, 60))))?;
                }
                let what = match (node.get("shape"), node.get("tied")) {
                    (Some(shape), None) => self.shape(shape).context("`shape`")?,
                    (None, Some(tied)) => {
                        let other = entries.iter().find(|(key, _)| !matches!(key.as_str(), "tied" | "when"));
                        let other = other.map_or("", |(key, _)| key.as_str());
                        ensure!(other.is_empty(), "`{other}`: a tied tensor takes no other keys");
                        What::Tied(self.template(tied).context("`tied`")?)
                    }
                    (Some(_), Some(_)) => bail!("`shape` and `tied` are mutually exclusive"),
                    (None, None) => bail!("`shape`, `tied` or `layer` is missing"),
                };
                (what, self.settings(node)?)
            }
            _ => (self.shape(node)?, Settings::default()),
        };
        Ok(Entry { place, name, settings, what })
    }

    fn shape(self, node: &'e Node) -> Result<What<'e>> {
        Ok(match &node.value {
            document::Value::List(axes) => {
                ensure!(axes.len() <= Shape::MAX_RANK, "{} axes: at most {} are allowed", axes.len(), Shape::MAX_RANK);
                What::Axes(axes.iter().map(|axis| self.quantity(axis)).collect::<Result<_>>()?)
            }
            document::Value::Text(text) => What::Shape(self.language.template(text)?),
            other => bail!("a shape must be a list of sizes or text such as `784x256`, not {}", other.kind()),
        })
    }

    fn layer(self, node: &'e Node) -> Result<What<'e>> {
        let (mut kind, mut parameters) = (None, Vec::new());
        for (key, value) in node.table()? {
            let context = || format!("`{}`", escape(&cut(key, 60)));
            if key == "layer" {
                kind = Some(self.template(value).with_context(context)?);
            } else if !OF_LAYERS.contains(&key.as_str()) {
                parameters.push((key.as_str(), self.parameter(value).with_context(context)?));
            }
        }
        Ok(What::Layer { kind: kind.context("`layer` is missing")?, parameters })
    }

    pub(super) fn parameter(self, node: &'e Node) -> Result<Parameter<'e>> {
        Ok(match &node.value {
            document::Value::Null => Parameter::Plain(Value::from(())),
            document::Value::Bool(truth) => Parameter::Plain(Value::from(*truth)),
            document::Value::Number(number) => Parameter::Plain(from_number(number)),
            document::Value::Text(text) => Parameter::Expression(self.language.compile(text)?),
            document::Value::List(items) => {
                Parameter::List(items.iter().map(|item| self.parameter(item)).collect::<Result<_>>()?)
            }
            document::Value::Table(_) => bail!("a parameter of a layer cannot be a table"),
        })
    }
}

impl Quantity<'_> {
    pub(super) fn value(&self, scope: &Scope) -> Result<u64> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Expression(expression) => expression.size(scope),
        }
    }
}

impl Parameter<'_> {
    pub(super) fn value(&self, scope: &Scope) -> Result<Value> {
        match self {
            Self::Plain(value) => Ok(value.clone()),
            Self::Expression(expression) => expression.value(scope),
            Self::List(items) => Ok(items.iter().map(|item| item.value(scope)).collect::<Result<Vec<_>>>()?.into()),
        }
    }
}

impl Settings<'_> {
    /// False if its `when` is false.
    pub(super) fn applies(&self, scope: &Scope) -> Result<bool> {
        self.when.as_ref().map_or(Ok(true), |when| when.holds(scope).context("`when`"))
    }

    pub(super) fn dtype(&self, scope: &Scope) -> Result<Option<Element>> {
        let read = |text: &Template| text.text(scope)?.parse();
        self.dtype.as_ref().map(read).transpose().context("`dtype`")
    }

    pub(super) fn layout(&self, scope: &Scope) -> Result<Option<Layout>> {
        let read = |text: &Template| text.text(scope)?.parse();
        self.layout.as_ref().map(read).transpose().context("`layout`")
    }

    /// The ranges of the slice that is written instead of the tensor.
    pub(super) fn slice(&self, scope: &Scope) -> Result<Option<Ranges>> {
        let read = |text: &Template| text.text(scope)?.parse();
        self.slice.as_ref().map(read).transpose().context("`slice`")
    }

    pub(super) fn fans(&self, scope: &Scope) -> Result<Fans> {
        let fan = |quantity: &Quantity| {
            let fan = quantity.value(scope)?;
            ensure!((1..=Shape::MAX_ELEMENTS).contains(&fan), "a fan must be an integer from 1 to 2^48, not {fan}");
            Ok(fan)
        };
        Ok(Fans {
            fan_in: self.fan_in.as_ref().map(fan).transpose().context("`fan_in`")?,
            fan_out: self.fan_out.as_ref().map(fan).transpose().context("`fan_out`")?,
        })
    }
}
