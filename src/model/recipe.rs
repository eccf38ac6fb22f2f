//! The evaluation of a recipe: its tensors in order, each with its scheme.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result, bail, ensure};

use super::constants::constants;
use super::document::{Node, Value};
use super::entry::{Block, Entry, Reading, What, known_key};
use super::expression::{Language, Scope};
use super::layers::{self, Framework, LayerKind, LayerTensor, Parameter, TensorRole};
use super::rules::Rules;
use super::value::to_json;
use super::{Model, Request};
use crate::generator::{Generator, NATIVE};
use crate::plan::{Common, DrawnTensor, Plan, Tensor, Turn, put_in_turn};
use crate::scheme::{self, Requires};
use crate::tensor::{DType, Element, Fans, Layout, Name, Seed, Shape};
use crate::text::grouped;

/// The tables and keys of a recipe.
const KEYS: [&str; 9] = ["seed", "like", "dtype", "layout", "constants", "require", "rules", "tensors", "blocks"];
/// The tables of families only.
pub(super) const OF_FAMILIES: [&str; 2] = ["family", "config"];

/// The tensors that are not written, each with the tensor that it equals.
type Tied = Vec<(Name, Name)>;

/// The model that a recipe describes.
pub(super) fn model(file: &str, root: &Node, request: &Request, is_family: bool) -> Result<Model> {
    let language = Language::new();
    let reading = Reading { file, language: &language };
    for (key, node) in root.table().with_context(|| file.to_string())? {
        if !(is_family && OF_FAMILIES.contains(&key.as_str())) {
            known_key(key, &KEYS).with_context(|| reading.place(node, "", key).to_string())?;
        }
    }
    let (scope, constants) = constants(&language, file, root.get("constants"), &request.constants)?;
    required(reading, root, &scope, is_family)?;
    let general = General::read(reading, root, request, &scope)?;
    let rules = Rules::read(reading, root.get("rules"), &scope)?;
    let entries = root.get("tensors").map_or(Ok(Vec::new()), |node| reading.entries(node, "tensors"))?;
    let blocks = root.get("blocks").map_or(Ok(Vec::new()), |node| reading.blocks(node, 0))?;

    let mut building = Building {
        rules: &rules,
        general: &general,
        tensors: Vec::new(),
        turns: Vec::new(),
        tied: Vec::new(),
        names: HashSet::new(),
        bytes: 0,
        rounds: 0,
        seeds: 0,
    };
    building.enter(&entries, &blocks, "", &scope)?;
    let Building { mut tensors, turns, tied, .. } = building;
    ensure!(!tensors.is_empty(), "{file}: no tensors");
    if !is_family {
        rules.all_matched()?;
    }
    put_in_turn(general.generator, &mut tensors, &turns);
    let plan = Plan::of_layers(general.generator, general.seed.clone(), tensors).with_context(|| file.to_string())?;
    let tied = resolved(&plan, &tied)?;
    Ok(Model { plan, tied, constants })
}

/// Errors if a requirement of the recipe does not hold. The error names its place, unless it is in a family, whose recipe users do not see.
pub(super) fn required<'e>(reading: Reading<'e>, root: &'e Node, scope: &Scope, is_family: bool) -> Result<()> {
    let Some(node) = root.get("require") else { return Ok(()) };
    for (expression, message) in node.table().with_context(|| reading.place(node, "", "require").to_string())? {
        let place = reading.place(message, "require", expression);
        let holds = reading.language.compile(expression).and_then(|expression| expression.holds(scope));
        if !holds.with_context(|| place.to_string())? {
            let message = reading.template(message).and_then(|message| message.text(scope));
            let message = message.with_context(|| place.to_string())?;
            ensure!(!is_family, "{message}");
            bail!("{place}: {message}");
        }
    }
    Ok(())
}

/// The defaults of all tensors.
pub(super) struct General {
    pub(super) seed: Seed,
    pub(super) generator: &'static Generator,
    pub(super) dtype: DType,
    pub(super) layout: Layout,
}

impl General {
    pub(super) fn read<'e>(reading: Reading<'e>, root: &'e Node, request: &Request, scope: &Scope) -> Result<Self> {
        let place =
            |key: &'static str| root.get(key).map(|node| reading.place(node, "", key).to_string()).unwrap_or_default();
        let text = |key| {
            let template = root.get(key).map(|node| reading.template(node)).transpose()?;
            template.map(|template| template.text(scope)).transpose()
        };
        let seed = match root.get("seed").map(|node| &node.value) {
            None => Ok(Seed::default()),
            Some(Value::Text(text)) => text.parse(),
            Some(Value::Number(number)) => number.to_string().parse(),
            Some(other) => "".parse().with_context(|| format!("it is {}", other.kind())),
        };
        let dtype = text("dtype").and_then(|text| text.map_or(Ok(DType::F32), |text| text.parse()));
        let layout = text("layout").and_then(|text| text.map(|text| text.parse::<Layout>()).transpose());
        let like = text("like").and_then(|text| text.map(|text| crate::plan::like(&text)).transpose());
        // The recipe must be valid even if it is overridden.
        let (seed, like, dtype, layout) = (
            seed.with_context(|| place("seed"))?,
            like.with_context(|| place("like"))?,
            dtype.with_context(|| place("dtype"))?,
            layout.with_context(|| place("layout"))?,
        );
        let generator = request.numbers.like.or(like).unwrap_or(NATIVE);
        if request.numbers.seed.is_none() {
            generator.check(&seed).with_context(|| place("seed"))?;
        }
        let own = crate::plan::parity_table(generator).map(|like| like.layout.parse()).transpose()?;
        Ok(Self {
            seed: request.numbers.seed(seed),
            generator,
            dtype: request.dtype.unwrap_or(dtype),
            layout: request.layout.clone().or(layout).or(own).unwrap_or_else(|| request.default_layout.clone()),
        })
    }
}

/// The tensors so far.
struct Building<'a, 'e> {
    rules: &'a Rules<'e>,
    general: &'a General,
    tensors: Vec<DrawnTensor>,
    /// The order of drawing.
    turns: Vec<Turn>,
    tied: Vec<(Name, Name, String)>,
    names: HashSet<Name>,
    /// The size of all values, in bytes.
    bytes: u64,
    /// The number of rounds through blocks, with or without tensors.
    rounds: usize,
    /// The number of seeds used by layers, for generators with a seed per layer.
    seeds: u64,
}

impl<'e> Building<'_, 'e> {
    fn enter(&mut self, entries: &[Entry<'e>], blocks: &[Block<'e>], prefix: &str, scope: &Scope) -> Result<()> {
        for entry in entries {
            self.entry(entry, prefix, scope).with_context(|| entry.place.to_string())?;
        }
        for block in blocks {
            let place = || block.place.to_string();
            let least = least(block, scope);
            ensure!(
                least <= Plan::MAX_TENSORS as u64,
                "{}: {} tensors or more: at most 2^20 are allowed",
                place(),
                grouped(least)
            );
            self.repeat(block, 0, prefix, scope)?;
        }
        Ok(())
    }

    /// Enters a block once for each combination of its repeats, from the one at `depth` on.
    fn repeat(&mut self, block: &Block<'e>, depth: usize, prefix: &str, scope: &Scope) -> Result<()> {
        let place = || block.place.to_string();
        if let Some((name, count)) = block.repeats.get(depth) {
            let items = count.items(scope).with_context(|| format!("{}: `repeat`: `{name}`", block.place))?;
            for value in items.into_values() {
                self.rounds += 1;
                ensure!(self.rounds <= Plan::MAX_TENSORS, "{}: more than 2^20 repeats", place());
                self.repeat(block, depth + 1, prefix, &scope.with(name, value))?;
            }
            return Ok(());
        }
        if let Some(when) = &block.when
            && !when.holds(scope).with_context(|| format!("{}: `when`", block.place))?
        {
            return Ok(());
        }
        let own = block.prefix.as_ref().map_or(Ok(String::new()), |prefix| prefix.text(scope));
        let prefix = format!("{prefix}{}", own.with_context(|| format!("{}: `prefix`", block.place))?);
        self.enter(&block.entries, &block.blocks, &prefix, scope)
    }

    fn entry(&mut self, entry: &Entry<'e>, prefix: &str, scope: &Scope) -> Result<()> {
        let name = format!("{prefix}{}", entry.name.text(scope)?);
        if !entry.settings.applies(scope)? {
            self.rules.note(&name);
            return Ok(());
        }
        match &entry.what {
            What::Tied(to) => {
                let name = self.name(&name)?;
                let to = to.text(scope)?.parse().context("`tied`")?;
                self.tied.push((name, to, entry.place.to_string()));
                Ok(())
            }
            What::Axes(axes) => {
                let axes = axes.iter().map(|axis| axis.value(scope)).collect::<Result<_>>()?;
                self.tensor(entry, Part::alone(&name, Shape::new(axes)?), scope)
            }
            What::Shape(text) => {
                let text = text.text(scope)?;
                let shape = text.parse().with_context(|| format!("shape `{}`", crate::text::cut(&text, 60)))?;
                self.tensor(entry, Part::alone(&name, shape), scope)
            }
            What::Layer { kind, parameters } => {
                let values = parameters.iter().map(|(key, parameter)| {
                    let value = parameter.value(scope).and_then(|value| to_json(&value));
                    let value = value.with_context(|| format!("`{key}`"))?;
                    Ok(((*key).to_string(), parameter_of_layer(key, &value)?))
                });
                let values: Vec<_> = values.collect::<Result<_>>()?;
                let kind = kind.text(scope)?;
                let General { layout, generator, .. } = self.general;
                let like_framework =
                    crate::plan::parity_table(generator).and_then(|like| Framework::with_default_init(like.framework));
                let layer = LayerKind::parse(&kind)?;
                let tensors = layers::expand(&name, layer, &values, layout, like_framework)?;
                if let Some(key) = entry.settings.of_weights().filter(|_| tensors.is_empty()) {
                    bail!("`{key}`: layer `{kind}` has no weights");
                }
                let [before, after] = layers::extra_keras_seeds(layer, &values)?;
                self.seeds += before;
                let first = self.tensors.len();
                for tensor in tensors {
                    self.tensor(entry, Part::of_layer(&tensor)?, scope)?;
                    if let Some(turn) = self.turns.last_mut() {
                        *turn = (first, tensor.turn);
                    }
                }
                self.seeds += after;
                Ok(())
            }
        }
    }

    /// Registers a name. Errors if it is taken.
    fn name(&mut self, name: &str) -> Result<Name> {
        let name: Name = name.parse()?;
        ensure!(self.names.len() < Plan::MAX_TENSORS, "more than 2^20 tensors");
        ensure!(self.names.insert(name.clone()), "two tensors are named `{name}`");
        Ok(name)
    }

    fn tensor(&mut self, entry: &Entry<'e>, part: Part, scope: &Scope) -> Result<()> {
        let Part { name, shape, letters, constant, default_scheme, fans: of_layer, skipped } = part;
        let name = self.name(name)?;
        let own = &entry.settings;
        let rule = match (&own.scheme, constant) {
            // A scheme only for this tensor.
            (Some(_), None) => {
                self.rules.note(name.as_str());
                None
            }
            _ => self.rules.of(name.as_str(), scope)?,
        };
        let of_rule = rule.map(|rule| &rule.settings);
        let scheme = match (of_rule.unwrap_or(own).scheme.as_ref(), constant) {
            (_, Some(constant)) if rule.is_none() => default_scheme.unwrap_or(constant).to_string(),
            (Some(scheme), _) => {
                scheme.text(scope).with_context(|| rule.map_or("`scheme`".into(), |rule| rule.place.to_string()))?
            }
            (None, _) if rule.is_none() && default_scheme.is_some() => default_scheme.unwrap_or_default().to_string(),
            (None, _) => {
                bail!("no rule matches `{name}`: give it a scheme, or add a rule such as `\"*\" = \"he-normal\"`")
            }
        };
        let from_rule = || rule.map(|rule| rule.place.to_string()).unwrap_or_default();
        let General { dtype, layout, generator, .. } = self.general;
        let (mut fans, mut given) = (own.fans(scope)?, (own.dtype(scope)?, own.layout(scope)?));
        if let Some(settings) = of_rule {
            let others = settings.fans(scope).with_context(from_rule)?;
            fans.fan_in = fans.fan_in.or(others.fan_in);
            fans.fan_out = fans.fan_out.or(others.fan_out);
            given.0 = given.0.or(settings.dtype(scope).with_context(from_rule)?);
            given.1 = given.1.or(settings.layout(scope).with_context(from_rule)?);
        }
        // The axes of a bias do not show the fans of its layer.
        if scheme::resolve(&scheme)?.scheme.requires == Requires::Fans {
            fans.fan_in = fans.fan_in.or(of_layer.fan_in);
            fans.fan_out = fans.fan_out.or(of_layer.fan_out);
        }
        let letters = letters.map(str::parse).transpose()?;
        let common = Common {
            dtype: given.0.unwrap_or(*dtype),
            layout: given.1.or(letters).unwrap_or_else(|| layout.clone()),
            fans,
            generator,
        };
        let tensor = DrawnTensor::new(name, shape, &scheme, &common);
        let mut tensor = match rule {
            Some(rule) => tensor.with_context(|| format!("rule `{}` in line {}", rule.place.key, rule.place.line))?,
            None => tensor?,
        };
        self.bytes = self.bytes.saturating_add(Element::Drawn(tensor.dtype()).bytes(tensor.shape().count()));
        ensure!(self.bytes <= Plan::MAX_BYTES, "the tensors up to `{}` take more than 2^62 bytes", tensor.name());
        tensor = tensor.skipping(skipped);
        if generator.seeds_layers() && tensor.distribution().is_random() {
            tensor = tensor.in_order(Some(self.seeds));
            self.seeds += 1;
        }
        self.turns.push((self.tensors.len(), 0));
        self.tensors.push(tensor);
        Ok(())
    }
}

/// The minimum number of tensors in a block, computed before processing it.
fn least(block: &Block, scope: &Scope) -> u64 {
    let rounds = block.repeats.iter().map(|(_, count)| count.items(scope).map_or(1, |items| items.count()));
    let rounds = rounds.fold(1, u64::saturating_mul);
    if block.when.is_some() {
        // Each round may be omitted.
        return rounds;
    }
    let inside =
        block.blocks.iter().map(|block| least(block, scope)).fold(block.entries.len() as u64, u64::saturating_add);
    rounds.saturating_mul(inside.max(1))
}

/// A tensor without its scheme.
struct Part<'p> {
    name: &'p str,
    shape: Shape,
    /// One letter per axis, for a weight of a layer.
    letters: Option<&'p str>,
    /// The scheme of constants, such as biases, without a rule.
    constant: Option<&'static str>,
    /// The scheme of the framework's own layer.
    default_scheme: Option<&'p str>,
    /// The fans of the layer, for a bias.
    fans: Fans,
    /// The number of uniform values that are drawn before this tensor and discarded.
    skipped: u64,
}

impl<'p> Part<'p> {
    fn alone(name: &'p str, shape: Shape) -> Self {
        Self { name, shape, letters: None, constant: None, default_scheme: None, fans: Fans::default(), skipped: 0 }
    }

    fn of_layer(tensor: &'p LayerTensor) -> Result<Self> {
        let LayerTensor { name, shape, layout, role, fans, default_scheme, skipped, .. } = tensor;
        let fans = if *role == TensorRole::Bias { *fans } else { Fans::default() };
        let shape = Shape::new(shape.clone()).with_context(|| format!("`{name}`"))?;
        let (letters, default_scheme) = (layout.as_deref(), default_scheme.as_deref());
        Ok(Self { name, shape, letters, constant: role.constant(), default_scheme, fans, skipped: *skipped })
    }
}

fn parameter_of_layer(key: &str, value: &serde_json::Value) -> Result<Parameter> {
    let number =
        |value: &serde_json::Value| value.as_f64().with_context(|| format!("`{key}`: `{value}` is not a number"));
    Ok(match value {
        serde_json::Value::Bool(switch) => Parameter::Switch(*switch),
        serde_json::Value::Array(items) => Parameter::List(items.iter().map(number).collect::<Result<_>>()?),
        serde_json::Value::String(word) => Parameter::Word(word.clone()),
        other => Parameter::Number(number(other)?),
    })
}

/// The tied tensors, each with the written tensor at the end of its chain.
fn resolved(plan: &Plan, tied: &[(Name, Name, String)]) -> Result<Tied> {
    let written: HashSet<&Name> = plan.tensors().iter().map(Tensor::name).collect();
    let links: HashMap<&Name, &Name> = tied.iter().map(|(name, to, _)| (name, to)).collect();
    let mut found = Vec::new();
    for (name, to, place) in tied {
        let (mut end, mut steps) = (to, 0);
        while let Some(next) = links.get(end) {
            end = next;
            steps += 1;
            ensure!(steps <= links.len(), "{place}: tied to itself through `{to}`");
        }
        ensure!(written.contains(end), "{place}: tied to `{end}`, which does not exist");
        found.push((name.clone(), end.clone()));
    }
    Ok(found)
}
