//! The frameworks' names and their meanings, for a terminal and as a page.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::screen::Screen;
use crate::scheme;
use crate::scheme::frameworks::{COMMON, FRAMEWORKS, Framework, Name, Unsupported};

/// A framework's names with their meanings.
pub(super) fn of_framework(screen: &mut Screen, framework: &Framework) -> io::Result<()> {
    let (names, word) = (framework.offered(), framework.word);
    screen.line(format!("{word}: {}", framework.title))?;
    if let Some(other) = framework.included() {
        screen.line(format!("with those of {}: {}", other.word, other.title))?;
    }
    let meaning = |row: &Name| row.meaning.map_or_else(Unsupported::refusal, spelled_out);
    screen.rows(names.iter().map(|row| [format!("  {}", row.name), meaning(row)]))?;
    screen.exact("")?;
    screen.line(format!("`{word}.NAME` has {word}'s meaning wherever a scheme is named."))
}

/// A name for machines: its meaning with every default, or the reason that it has none.
pub(super) fn json(row: &Name) -> Value {
    json!({ "name": row.name, "means": row.meaning.ok().map(spelled_out), "refusal": row.meaning.err().map(Unsupported::refusal) })
}

/// An expression with its defaults, which differ between frameworks.
fn spelled_out(expression: &str) -> String {
    scheme::resolve(expression).map_or(expression.into(), |resolved| resolved.expression())
}

/// Lists every framework and its number of names.
pub(super) fn summary(screen: &mut Screen) -> io::Result<()> {
    let row = |row: &Framework| {
        let others = row.included().map(|other| format!("; and those of {}", other.word)).unwrap_or_default();
        [row.word.into(), format!("{:>3}", row.names().len()), format!("{}{others}", row.title)]
    };
    screen.rows(FRAMEWORKS.iter().map(row))?;
    screen.exact("")?;
    screen.line("`fanin list schemes --framework WORD` lists the names of one framework.")
}

/// Every name of every framework, in Markdown.
pub(super) fn page(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "# Coverage\n")?;
    writeln!(
        out,
        "The names of each framework's initializers and their meanings here, made by `fanin list frameworks --markdown`."
    )?;
    writeln!(
        out,
        "`FRAMEWORK.NAME` is accepted wherever a scheme is named, with that framework's meaning and defaults;"
    )?;
    writeln!(out, "so are many of its names for parameters. Case, `-` and `_` are ignored.")?;
    for framework in FRAMEWORKS {
        let names = framework.names();
        let schemes = framework.aliases.len();
        writeln!(out, "\n## `{}`: {}\n", framework.word, framework.title)?;
        writeln!(out, "Names of schemes: {schemes}; other names: {}.", names.len() - schemes)?;
        if let Some(other) = framework.included() {
            writeln!(out, "The names of `{}` are accepted as well.", other.word)?;
        }
        writeln!(out, "\n| name | meaning here |\n|---|---|")?;
        for row in names {
            match row.meaning {
                Ok(expression) => writeln!(out, "| `{}` | `{}` |", row.name, spelled_out(expression))?,
                Err(other) => writeln!(out, "| `{}` | {} |", row.name, other.refusal())?,
            }
        }
    }
    writeln!(out, "\n## {} without a scheme\n\n| name | why |\n|---|---|", COMMON.title)?;
    for row in COMMON.unsupported {
        writeln!(out, "| `{}` | {} |", row.names.join("`, `"), row.refusal())?;
    }
    Ok(())
}
