//! The description of every scheme, in Markdown.

use std::io::{self, Write};

use super::page::Row;
use super::schemes::{PACKING_USE, command, full_names};
use crate::model::layers::modules::{MODULES, Module};
use crate::scheme::{PACKING, SCHEMES, Scheme};

/// Prints the page.
pub(in crate::cli) fn page(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# Schemes\n")?;
    writeln!(out, "Made by `fanin list schemes --markdown`; `fanin explain NAME` shows one scheme.")?;
    writeln!(out, "For each framework's names and their meanings, see [coverage](coverage.md).\n")?;
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
        writeln!(out, "- `{}`{short}: {}", Row::of(*parameter).word(), parameter.help())?;
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
        writeln!(out, "  - {means}{note}: `{}`", full_names(&meaning).join("`, `"))?;
    }
    Ok(())
}
