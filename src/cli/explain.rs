//! `fanin explain`: the description of a scheme.

use std::io::{self, Write};

use anyhow::Result;

use super::help;
use crate::model::layers::modules::{self, MODULES, Module, ModuleSpec};
use crate::scheme::{self, AnyParameter, Meaning, PACKING, Requires, SCHEMES, Scheme, parity};
use crate::tensor::LAYOUTS;
use crate::text::wrap;

/// Explain a scheme: formula, parameters, source, what each framework calls it.
#[derive(clap::Args)]
#[command(before_help = help::styled(EXAMPLES))]
pub(super) struct Explain {
    /// The scheme, by any of its names; or `packing`, the parameters of every scheme that reads fans or matrices
    scheme: String,
}

const EXAMPLES: &str = "\
Examples:
  fanin explain he-normal
  fanin explain keras.HeNormal
  fanin explain torch.nn.Linear";

impl Explain {
    pub(super) fn run(&self, out: &mut dyn Write) -> Result<()> {
        if self.scheme == PACKING_WORD {
            return Ok(packing(out)?);
        }
        if let Some(asked) = modules::find(&self.scheme)? {
            return of_module(out, &asked);
        }
        if let Some(row) = scheme::unsupported(&self.scheme) {
            return Ok(paragraph(out, &format!("{}: {}", self.scheme, row.refusal()))?);
        }
        let resolved = scheme::look_up(&self.scheme)?;
        for note in resolved.notes.iter().filter(|_| self.scheme != resolved.scheme.name) {
            writeln!(out, "note: {note}\n")?;
        }
        text(out, resolved.scheme)?;
        Ok(())
    }
}

const WIDTH: usize = 100;
const INDENT: usize = 14;

/// The word that selects the parameters of packing.
pub(super) const PACKING_WORD: &str = "packing";
pub(super) const PACKING_USE: &str = "several weights in one tensor, or a transposed one";

fn text(out: &mut dyn Write, scheme: &Scheme) -> io::Result<()> {
    writeln!(out, "{}: {}\n", scheme.name, scheme.summary)?;
    entry(out, "formula", scheme.formula)?;
    entry(out, "source", scheme.source)?;
    entry(out, "shapes", scheme.ranks)?;
    parameters(out, scheme.parameters)?;
    if scheme.requires.arranges() {
        let names: Vec<&str> = PACKING.iter().map(|parameter| parameter.name()).collect();
        let text = format!("{}: {PACKING_USE} (`fanin explain {PACKING_WORD}`)", names.join(", "));
        entry(out, if scheme.parameters.is_empty() { "parameters" } else { "" }, &text)?;
    }
    if let Some(bare) = scheme.bare {
        let several =
            if scheme.order.len() > 1 { format!("; several are {}", scheme.order.join(", ")) } else { String::new() };
        entry(out, "short form", &format!("a value without a key is {bare}: `{}:VALUE`{several}", scheme.name))?;
    }
    if !scheme.aliases.is_empty() {
        entry(out, "also called", &scheme.aliases.join(", "))?;
    }
    let likes: Vec<String> = parity::having(scheme.name)
        .map(|(framework, close)| match close {
            Some(why) => format!("{framework} (approximate: {why})"),
            None => framework.into(),
        })
        .collect();
    if !likes.is_empty() {
        entry(out, "--like", &likes.join(", "))?;
    }
    for (position, meaning) in scheme.meanings().iter().enumerate() {
        let word = if position == 0 { "frameworks" } else { "" };
        entry(out, word, &meaning_text(scheme, meaning))?;
    }
    entry(out, "example", &command(scheme))
}

/// Describes a module: its tensors in drawing order, and the shape that determines them.
fn of_module(out: &mut dyn Write, asked: &ModuleSpec) -> Result<()> {
    let Module { weights, axes, example, .. } = asked.module;
    let (weight, path, command) = (weights[0], asked.module.path(), asked.module.with_example());
    writeln!(out, "{path}: all tensors of the module; --like torch draws torch's values, in its order\n")?;
    for (position, tensor) in ModuleSpec::of_example(asked.module).example()?.iter().enumerate() {
        let sizes: Vec<String> = tensor.shape.iter().map(u64::to_string).collect();
        let line = format!("{}={}: {}", tensor.name, sizes.join("x"), tensor.scheme());
        entry(out, if position == 0 { "tensors" } else { "" }, &line)?;
    }
    entry(out, "shape", &format!("that of {weight}: {axes}, as {example}"))?;
    entry(out, "parameters", &asked.module.parameters().join(", "))?;
    entry(out, "names", &format!("NAME=SHAPE gives NAME.{weight} and so on"))?;
    Ok(entry(out, "example", &format!("fanin init {command} {example} --like torch --seed 0 -o module.npz"))?)
}

/// The command that draws a scheme's example.
fn command(scheme: &Scheme) -> String {
    let (expression, shape, layout) = scheme.example.on("784x256");
    let layout = if layout == LAYOUTS[0].name { String::new() } else { format!(" --layout {layout}") };
    let base = if scheme.requires == Requires::Base { " --base base.npy" } else { "" };
    format!("fanin init {expression} {shape}{layout}{base} -o w.npy")
}

/// The names that share a meaning, the meaning, and its note.
fn meaning_text(scheme: &Scheme, meaning: &Meaning) -> String {
    let means = if meaning.means == scheme.name { "the same" } else { meaning.means };
    let note = meaning.note.map(|note| format!(" ({note})")).unwrap_or_default();
    format!("{}: {means}{note}", names(meaning).join(", "))
}

fn names(meaning: &Meaning) -> Vec<String> {
    meaning.names.iter().map(|row| format!("{}.{}", row.framework, row.name)).collect()
}

fn parameters(out: &mut dyn Write, parameters: &[&dyn AnyParameter]) -> io::Result<()> {
    for (position, parameter) in parameters.iter().enumerate() {
        let word = if position == 0 { "parameters" } else { "" };
        entry(out, word, &format!("{}: {}", with_default(*parameter), parameter.help()))?;
    }
    Ok(())
}

/// Describes the parameters for several weights in one tensor.
fn packing(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{PACKING_WORD}: {PACKING_USE}\n")?;
    entry(out, "schemes", "every scheme that reads fans or matrices takes these beside its own parameters")?;
    parameters(out, PACKING)?;
    entry(out, "example", "fanin init glorot-uniform:split=3,axis=0 768x256 --layout torch -o qkv.npy")
}

fn paragraph(out: &mut dyn Write, text: &str) -> io::Result<()> {
    wrap(text, WIDTH).iter().try_for_each(|line| writeln!(out, "{line}"))
}

fn entry(out: &mut dyn Write, word: &str, text: &str) -> io::Result<()> {
    for (position, line) in wrap(text, WIDTH - INDENT).iter().enumerate() {
        let word = if position == 0 { word } else { "" };
        writeln!(out, "{}", format!("  {word:<12}{line}").trim_end())?;
    }
    Ok(())
}

fn with_default(parameter: &dyn AnyParameter) -> String {
    match parameter.default() {
        Some(default) => format!("{}={default}", parameter.name()),
        None => parameter.name().into(),
    }
}

/// The description of every scheme, in Markdown.
pub(super) fn page(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# Schemes\n")?;
    writeln!(out, "Made by `fanin list schemes --markdown`; `fanin explain NAME` shows the same for one scheme.")?;
    writeln!(out, "Each framework's names and their meanings here: [coverage](coverage.md).\n")?;
    for family in SCHEMES {
        let names: Vec<String> = family.schemes.iter().map(|scheme| format!("[{0}](#{0})", scheme.name)).collect();
        writeln!(out, "- {}: {}", capitalized(family.name), names.join(", "))?;
    }
    writeln!(out, "\nA scheme that uses fans or matrices also takes parameters for {PACKING_USE}:\n")?;
    for parameter in PACKING {
        writeln!(out, "- `{}`: {}", parameter.name(), parameter.help())?;
    }
    writeln!(out, "\nThese are modules of torch, drawn with all their tensors from the shape of one weight:\n")?;
    for module in MODULES {
        let (Module { weights, axes, example, .. }, path) = (module, module.path());
        let parameters = module.parameters().join(", ");
        writeln!(out, "- `{path} {example}`: {} is {axes}; parameters: {parameters}", weights[0])?;
    }
    for family in SCHEMES {
        writeln!(out, "\n## {}", capitalized(family.name))?;
        for scheme in family.schemes {
            section(out, scheme)?;
        }
    }
    Ok(())
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn section(out: &mut dyn Write, scheme: &Scheme) -> io::Result<()> {
    writeln!(out, "\n### `{}`\n\n{}.\n", scheme.name, capitalized(scheme.summary))?;
    writeln!(out, "- Formula: `{}`", scheme.formula)?;
    writeln!(out, "- Source: {}", scheme.source)?;
    writeln!(out, "- Shapes: {}", scheme.ranks)?;
    for parameter in scheme.parameters {
        let short = if scheme.bare == Some(parameter.name()) { " (also without its key)" } else { "" };
        writeln!(out, "- `{}`{short}: {}", with_default(*parameter), parameter.help())?;
    }
    if !scheme.aliases.is_empty() {
        writeln!(out, "- Also called: {}", scheme.aliases.join(", "))?;
    }
    writeln!(out, "- Example: `{}`", command(scheme))?;
    let meanings = scheme.meanings();
    if !meanings.is_empty() {
        writeln!(out, "- In the frameworks:")?;
    }
    for meaning in meanings {
        let means = if meaning.means == scheme.name { "the same".into() } else { format!("`{}`", meaning.means) };
        let note = meaning.note.map(|note| format!(" ({note})")).unwrap_or_default();
        writeln!(out, "  - {means}{note}: `{}`", names(&meaning).join("`, `"))?;
    }
    Ok(())
}
