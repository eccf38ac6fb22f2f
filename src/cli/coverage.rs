//! What becomes of each framework's names: for a terminal and as a page.

use std::io::{self, Write};

use crate::scheme;
use crate::scheme::frameworks::{Is, Name, frameworks, included, names, offered, title};
use crate::scheme::unsupported::UNSUPPORTED;

/// A framework's names, each beside what it is here.
pub(super) fn of_framework(out: &mut dyn Write, framework: &'static str) -> io::Result<()> {
    let all = offered(framework);
    writeln!(out, "{framework}: {}", title(framework))?;
    if let Some(other) = included(framework) {
        writeln!(out, "with those of {other}: {}", title(other))?;
    }
    let widest = all.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    for row in all {
        writeln!(out, "  {:widest$}  {}", row.name, becomes(row))?;
    }
    writeln!(out, "\n`{framework}.NAME` has {framework}'s meaning wherever a scheme is named.")
}

fn becomes(row: Name) -> String {
    match row.is {
        Is::Means(expression) => spelled_out(expression),
        Is::Unsupported(row) => row.refusal(),
    }
}

/// An expression with its defaults, which are what frameworks differ in.
fn spelled_out(expression: &str) -> String {
    scheme::resolve(expression).map_or(expression.into(), |resolved| resolved.expression())
}

/// Every framework and the number of its names.
pub(super) fn summary(out: &mut dyn Write) -> io::Result<()> {
    let words = frameworks();
    let widest = words.iter().map(|word| word.len()).max().unwrap_or(0);
    for word in &words {
        let and = included(word).map(|other| format!("; and those of {other}")).unwrap_or_default();
        writeln!(out, "{word:widest$}  {:>3}  {}{and}", names(word).len(), title(word))?;
    }
    writeln!(out, "\n`fanin list schemes --framework WORD` shows the names of one.")
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
    for word in frameworks() {
        let names = names(word);
        let schemes = names.iter().filter(|row| matches!(row.is, Is::Means(_))).count();
        writeln!(out, "\n## `{word}`: {}\n", title(word))?;
        writeln!(out, "Names of schemes: {schemes}; other names: {}.", names.len() - schemes)?;
        if let Some(other) = included(word) {
            writeln!(out, "The names of `{other}` are accepted as well.")?;
        }
        writeln!(out, "\n| name | meaning here |\n|---|---|")?;
        for row in names {
            match row.is {
                Is::Means(expression) => writeln!(out, "| `{}` | `{}` |", row.name, spelled_out(expression))?,
                Is::Unsupported(other) => writeln!(out, "| `{}` | {} |", row.name, other.refusal())?,
            }
        }
    }
    writeln!(out, "\n## Words of the literature that name no scheme\n\n| name | why |\n|---|---|")?;
    for row in UNSUPPORTED.iter().filter(|row| row.frameworks.is_empty()) {
        writeln!(out, "| `{}` | {} |", row.names.join("`, `"), row.refusal())?;
    }
    Ok(())
}
