//! Pages of the small registries: a row each.

use anyhow::Result;

use super::page::{Page, Row};
use crate::format::FORMATS;
use crate::generator::GENERATORS;
use crate::model::family::{FOLLOWS, Family, KeyFacts};
use crate::model::layers::modules::{self, MODULES, Module, ModuleSpec};
use crate::model::library;
use crate::model::moments;
use crate::pretrain::METHODS;
use crate::scheme::frameworks::{FRAMEWORKS, Framework, Name, Unsupported};
use crate::scheme::gain::{self, DEFAULT_SLOPE, GAINS};
use crate::tensor::LAYOUTS;
use crate::text::{alternatives, figure};

pub(super) fn gain_names() -> Vec<String> {
    GAINS.iter().flat_map(|gain| std::iter::once(&gain.name).chain(gain.aliases)).map(ToString::to_string).collect()
}

pub(super) fn gain_page(typed: &str) -> Option<Page> {
    let gain = gain::find(&typed.replace(' ', "-")).ok()?;
    let is_alias = gain.name != typed;
    let mut page = Page::new(
        "gain",
        if is_alias { typed } else { gain.name },
        "a gain, the factor on the standard deviation for an activation",
    );
    page.means = is_alias.then(|| gain.name.into());
    page.text("value", figure(gain.number(DEFAULT_SLOPE)));
    page.text("formula", gain.formula);
    page.text("source", gain.source);
    page.words("also called", gain.aliases.iter().copied());
    page.text("example", format!("fanin init he-normal:gain={} 784x256 -o w.npy", gain.name));
    Some(page)
}

pub(super) fn model_names() -> Vec<String> {
    library::names().map(String::from).collect()
}

pub(super) fn model_page(typed: &str) -> Result<Option<Page>> {
    let word = typed.replace([' ', '-'], "_").to_lowercase();
    if !library::names().any(|name| name == word) {
        return Ok(None);
    }
    let family = Family::find(&word)?;
    let kind = family.kind.word();
    let article = if kind.starts_with(['a', 'e', 'o']) { "an" } else { "a" };
    let mut page = Page::new("model", family.model_type, format!("{article} {kind} model, as in {FOLLOWS}"));
    page.words("heads", family.classes());
    page.text("base", family.base.as_str());
    let extends = family.extends();
    page.text("extends", if extends.is_empty() { "no other model".into() } else { extends.join(", ") });
    page.rows("keys", family.keys().into_iter().map(key));
    page.words("other keys", Family::common_keys());
    let (model, head) = (family.model_type, family.classes().last());
    let head = head.map(|head| format!(" --set 'architectures=[\"{head}\"]'")).unwrap_or_default();
    page.text("example", format!("fanin model {model}{head} --dry-run"));
    Ok(Some(page))
}

/// A key with its default, types and other names.
fn key(key: KeyFacts) -> Row {
    let types = match &key.default {
        Some(_) => alternatives(&key.types),
        None => format!("the configuration of a {}", key.types.concat()),
    };
    let also =
        if key.second_names.is_empty() { String::new() } else { format!("; also {}", key.second_names.join(", ")) };
    Row { name: key.path, default: key.default.map(|value| value.to_string()), text: format!("{types}{also}") }
}

pub(super) fn rule_set_names() -> Vec<String> {
    vec![moments::NAME.into()]
}

pub(super) fn rule_set_page(typed: &str) -> Option<Page> {
    if typed.to_lowercase() != moments::NAME {
        return None;
    }
    let mut page = Page::new("rules", moments::NAME, moments::SUMMARY);
    page.rows("keeps", moments::KEPT.map(|(kind, text)| Row::new(kind, text)));
    page.words("buffers", moments::BUFFERS);
    page.text("refuses", moments::REFUSED);
    page.text("example", format!("fanin model DIR --rules {} -o twin/", moments::NAME));
    Some(page)
}

pub(super) fn module_names() -> Vec<String> {
    MODULES.iter().map(Module::path).collect()
}

/// The page of a module: its tensors in drawing order, and the shape that determines them.
pub(super) fn module_page(typed: &str) -> Result<Option<Page>> {
    let Some(spec) = modules::find(typed)? else { return Ok(None) };
    let Module { weights, axes, example, .. } = spec.module;
    let (weight, command) = (weights[0], spec.module.with_example());
    let summary = "all tensors of the module; --like torch draws torch's values, in its order";
    let mut page = Page::new("module", spec.module.path(), summary);
    let tensors = ModuleSpec::of_example(spec.module).example()?;
    page.rows(
        "tensors",
        tensors.iter().map(|tensor| {
            let sizes: Vec<String> = tensor.shape.iter().map(u64::to_string).collect();
            Row { name: tensor.name.clone(), default: Some(sizes.join("x")), text: tensor.scheme().to_string() }
        }),
    );
    page.text("shape", format!("that of {weight}: {axes}, as {example}"));
    page.words("parameters", spec.module.parameters());
    page.text("names", format!("NAME=SHAPE gives NAME.{weight} and so on"));
    page.text("example", format!("fanin init {command} {example} --like torch --seed 0 -o module.npz"));
    Ok(Some(page))
}

pub(super) fn method_names() -> Vec<String> {
    METHODS.iter().map(|method| method.name.into()).collect()
}

pub(super) fn method_page(typed: &str) -> Option<Page> {
    let word = typed.replace([' ', '_'], "-").to_lowercase();
    let method = METHODS.iter().find(|method| method.name == word)?;
    let mut page = Page::new("method", method.name, method.summary);
    page.text("source", method.source);
    page.rows(
        "options",
        method.parameters().map(|parameter| {
            let row = Row::of(parameter);
            Row { name: format!("--{}", row.name), ..row }
        }),
    );
    page.text("example", format!("fanin pretrain {} 784-256 --data x.npy -o w.npz", method.name));
    Some(page)
}

pub(super) fn framework_names() -> Vec<String> {
    FRAMEWORKS.iter().map(|framework| framework.word.into()).collect()
}

pub(super) fn framework_page(typed: &str) -> Option<Page> {
    let framework = Framework::find(&typed.replace(' ', "-")).ok()?;
    let mut page = Page::new("framework", framework.word, framework.title);
    page.text("layout", framework.layout.unwrap_or_default());
    page.text("includes", framework.included().map(|other| other.word).unwrap_or_default());
    let (known, others): (Vec<_>, Vec<_>) = framework.offered().into_iter().partition(|row| row.meaning.is_ok());
    page.rows("names", known.iter().map(|row| Row::new(row.name, row.meaning.unwrap_or_default())));
    page.rows("words", words(framework));
    let reason = |row: &Name| row.meaning.err().map(Unsupported::reason).unwrap_or_default();
    page.rows("refused", others.iter().map(|row| Row::new(row.name, reason(row))));
    Some(page)
}

/// A framework's words for parameters, each once with the parameters here.
fn words(framework: &Framework) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for word in framework.parameters {
        let of = if word.name.is_empty() { String::new() } else { format!("{}:", word.name) };
        let name = format!("{of}{}", word.theirs);
        match rows.iter_mut().find(|row| row.name == name) {
            Some(row) => row.text = format!("{}, or {}", row.text, word.ours),
            None => rows.push(Row::new(name, format!("{} here", word.ours))),
        }
    }
    rows
}

pub(super) fn layout_names() -> Vec<String> {
    LAYOUTS.iter().map(|layout| layout.name.into()).collect()
}

pub(super) fn layout_page(typed: &str) -> Option<Page> {
    let layout = LAYOUTS.iter().find(|layout| layout.name == typed.to_lowercase())?;
    let mut page = Page::new("layout", layout.name, layout.summary);
    let axes = |rank| layout.letters(rank).map(|letters| Row::new(format!("{rank} axes"), letters));
    page.rows("axes", (2..=5).filter_map(axes));
    page.text("letters", "i input, o output, k kernel");
    page.text("example", format!("fanin init he-normal 8x8x8x8 --layout {} -o w.npy", layout.name));
    Some(page)
}

/// Names of generators and the values of `--like`.
pub(super) fn generator_names() -> Vec<String> {
    let likes = GENERATORS.iter().filter_map(|generator| Some(generator.framework.as_ref()?.word));
    GENERATORS.iter().map(|generator| generator.name).chain(likes).map(Into::into).collect()
}

pub(super) fn generator_page(typed: &str) -> Option<Page> {
    let word = typed.to_lowercase();
    let like =
        |generator: &&crate::generator::Generator| generator.framework.as_ref().is_some_and(|row| row.word == word);
    let named = GENERATORS.iter().find(|generator| generator.name == word);
    let generator = named.or_else(|| GENERATORS.iter().find(like))?;
    let mut page = Page::new("generator", generator.name, generator.summary);
    let Some(framework) = &generator.framework else {
        page.text("example", "fanin init he-normal 784x256 --seed 1 -o w.npy");
        return Some(page);
    };
    page.text("release", format!("{}; the same values since {}", framework.release, framework.since));
    page.text("example", format!("fanin init FRAMEWORK.NAME 784x256 --like {} --seed 1 -o w.npy", framework.word));
    Some(page)
}

pub(super) fn format_names() -> Vec<String> {
    FORMATS.iter().map(|format| format.name.into()).collect()
}

pub(super) fn format_page(typed: &str) -> Option<Page> {
    let word = typed.trim_start_matches('.').to_lowercase();
    let known = |format: &&crate::format::Format| format.name == word || format.extensions.contains(&word.as_str());
    let format = FORMATS.iter().find(known)?;
    let mut page = Page::new("format", format.name, format.summary);
    page.words("extensions", format.extensions.iter().map(|extension| format!(".{extension}")));
    page.text("holds", if format.holds_several { "any number of named tensors" } else { "one tensor, without a name" });
    page.text("example", format!("fanin init he-normal 784x256 -o w.{}", format.extensions[0]));
    Some(page)
}
