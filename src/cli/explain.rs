//! `fanin explain`: everything about a scheme.

use std::io::{self, Write};

use anyhow::Result;

use crate::scheme::{self, ARRANGEMENT, Parameter, SCHEMES, Scheme, Spelling};
use crate::text::wrap;

/// Explain a scheme: formula, parameters, source, what each framework calls it.
#[derive(clap::Args)]
pub(super) struct Explain {
    /// The scheme, by any of its names
    scheme: String,
}

impl Explain {
    pub(super) fn run(&self, out: &mut dyn Write) -> Result<()> {
        let resolved = scheme::look_up(&self.scheme)?;
        for note in &resolved.notes {
            writeln!(out, "note: {note}\n")?;
        }
        text(out, resolved.scheme)?;
        Ok(())
    }
}

const WIDTH: usize = 100;
const INDENT: usize = 14;

fn text(out: &mut dyn Write, scheme: &Scheme) -> io::Result<()> {
    writeln!(out, "{}: {}\n", scheme.name, scheme.summary)?;
    entry(out, "formula", scheme.formula)?;
    entry(out, "source", scheme.source)?;
    entry(out, "shapes", scheme.ranks)?;
    for (position, parameter) in scheme.parameters.iter().enumerate() {
        let word = if position == 0 { "parameters" } else { "" };
        entry(out, word, &format!("{}: {}", with_default(parameter), parameter.help))?;
    }
    if scheme.reads.arranges() {
        entry(out, "several", &arrangement("; "))?;
    }
    if let Some(bare) = scheme.bare {
        entry(out, "short form", &format!("a value without a key is {bare}: `{}:VALUE`", scheme.name))?;
    }
    if !scheme.aliases.is_empty() {
        entry(out, "also called", &scheme.aliases.join(", "))?;
    }
    for (position, spelling) in scheme.spellings.iter().enumerate() {
        let word = if position == 0 { "frameworks" } else { "" };
        entry(out, word, &format!("{}.{}: {}", spelling.framework, spelling.name, meaning(scheme, spelling)))?;
    }
    entry(out, "example", &scheme.command())
}

/// The parameters that say how one tensor holds several weights.
fn arrangement(between: &str) -> String {
    let parameters: Vec<String> =
        ARRANGEMENT.iter().map(|parameter| format!("{}: {}", parameter.name, parameter.help)).collect();
    parameters.join(between)
}

fn entry(out: &mut dyn Write, word: &str, text: &str) -> io::Result<()> {
    for (position, line) in wrap(text, WIDTH - INDENT).iter().enumerate() {
        let word = if position == 0 { word } else { "" };
        writeln!(out, "{}", format!("  {word:<12}{line}").trim_end())?;
    }
    Ok(())
}

fn with_default(parameter: &Parameter) -> String {
    match parameter.default {
        Some(default) => format!("{}={default}", parameter.name),
        None => parameter.name.into(),
    }
}

/// What a framework does under its name for a scheme.
fn meaning(scheme: &Scheme, spelling: &Spelling) -> String {
    if spelling.means == scheme.name { "the same".into() } else { spelling.means.into() }
}

/// Everything about every scheme, in Markdown.
pub(super) fn page(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# Schemes\n")?;
    writeln!(out, "Made by `fanin list schemes --markdown`; `fanin explain NAME` shows the same for one scheme.")?;
    writeln!(
        out,
        "A scheme that reads fans or matrices also takes what says how one tensor holds several weights:\n\n- {}",
        arrangement("\n- ")
    )?;
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
        let short = if scheme.bare == Some(parameter.name) { " (also without its key)" } else { "" };
        writeln!(out, "- `{}`{short}: {}", with_default(parameter), parameter.help)?;
    }
    if !scheme.aliases.is_empty() {
        writeln!(out, "- Also called: {}", scheme.aliases.join(", "))?;
    }
    writeln!(out, "- Example: `{}`", scheme.command())?;
    if scheme.spellings.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n| framework | name there | what it is here |\n|---|---|---|")?;
    for spelling in scheme.spellings {
        let meaning = if spelling.means == scheme.name { "the same".into() } else { format!("`{}`", spelling.means) };
        writeln!(out, "| {} | `{}` | {meaning} |", spelling.framework, spelling.name)?;
    }
    Ok(())
}
