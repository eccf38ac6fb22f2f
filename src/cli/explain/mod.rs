//! `fanin explain`: the description of anything that has a name here. Each registry makes the pages of its names.

mod markdown;
mod options;
mod page;
mod rows;
mod schemes;

use std::io::Write;

use anyhow::{Result, bail};

pub(super) use self::markdown::page as markdown;
use self::page::{Page, paragraph};
use super::help;
use super::screen::Screen;
use crate::scheme::frameworks::Framework;
use crate::scheme::{self, Scheme};
use crate::text::{json_line, nearest};

/// Explain a name: its meaning, formula, parameters and source.
#[derive(clap::Args)]
#[command(before_help = help::styled(EXAMPLES))]
pub(super) struct Explain {
    /// Scheme, framework, family, gain, format, layout, generator, model, method, option, or paper, as in `glorot 2010`
    ///
    /// If several things have the name, put the kind first, as in `layout torch`.
    // An option is a name here.
    #[arg(value_name = "NAME", allow_hyphen_values = true)]
    name: String,
    /// Further words of the name
    #[arg(value_name = "WORD", hide = true)]
    rest: Vec<String>,
    /// Print as JSON
    #[arg(long, help_heading = help::OUTPUT)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  fanin explain he-normal
  fanin explain keras.HeNormal
  fanin explain glorot 2010";

/// A registry with pages of its names.
struct Registry {
    /// The kind of its names, which may come before one.
    kind: &'static str,
    names: fn() -> Vec<String>,
    /// The page of a name, if the registry has it.
    page: fn(&str) -> Result<Option<Page>>,
}

/// Every registry. The first one with a name explains it.
const REGISTRIES: &[Registry] = &[
    Registry { kind: "module", names: rows::module_names, page: rows::module_page },
    Registry { kind: "method", names: rows::method_names, page: |typed| Ok(rows::method_page(typed)) },
    Registry { kind: "scheme", names: schemes::names, page: schemes::page },
    Registry { kind: "gain", names: rows::gain_names, page: |typed| Ok(rows::gain_page(typed)) },
    Registry { kind: "model", names: rows::model_names, page: rows::model_page },
    Registry { kind: "framework", names: rows::framework_names, page: |typed| Ok(rows::framework_page(typed)) },
    Registry { kind: "family", names: schemes::family_names, page: |typed| Ok(schemes::family_page(typed)) },
    Registry { kind: "layout", names: rows::layout_names, page: |typed| Ok(rows::layout_page(typed)) },
    Registry { kind: "generator", names: rows::generator_names, page: |typed| Ok(rows::generator_page(typed)) },
    Registry { kind: "format", names: rows::format_names, page: |typed| Ok(rows::format_page(typed)) },
    Registry { kind: "rules", names: rows::rule_set_names, page: |typed| Ok(rows::rule_set_page(typed)) },
    Registry { kind: "option", names: options::names, page: |typed| Ok(options::page(typed)) },
    Registry { kind: "unsupported", names: Vec::new, page: |typed| Ok(schemes::unsupported_page(typed)) },
];

/// Every name of a registry, with its kind.
pub(super) fn names() -> impl Iterator<Item = (String, &'static str)> {
    REGISTRIES.iter().flat_map(|registry| (registry.names)().into_iter().map(|name| (name, registry.kind)))
}

impl Explain {
    pub(super) fn run(&self, out: &mut dyn Write) -> Result<()> {
        let typed = [std::slice::from_ref(&self.name), &self.rest].concat().join(" ");
        let page = found(&typed)?;
        if self.json {
            return Ok(writeln!(out, "{}", json_line(&page.json()))?);
        }
        let screen = &mut Screen::stdout(out);
        page.print(screen)?;
        if !page.also.is_empty() {
            let others: Vec<String> = page.also.iter().map(|kind| format!("`fanin explain {kind} {typed}`")).collect();
            screen.exact("")?;
            paragraph(screen, &format!("Also: {}", others.join(", ")))?;
        }
        Ok(())
    }
}

/// The page of a name, with the kinds of other things of that name.
fn found(typed: &str) -> Result<Page> {
    if let Some((kind, name)) = typed.split_once(' ')
        && let Some(registry) = REGISTRIES.iter().find(|registry| registry.kind == kind)
        && let Some(page) = (registry.page)(name)?
    {
        return Ok(page);
    }
    let mut pages = Vec::new();
    for registry in REGISTRIES {
        pages.extend((registry.page)(typed)?.map(|page| (registry.kind, page)));
    }
    let mut pages = pages.into_iter();
    let Some((kind, mut page)) = pages.next() else { return searched(typed) };
    // A scheme says more than the list of its family, and any page more than a refusal.
    let adds = |other: &&str| *other != "unsupported" && (kind, *other) != ("scheme", "family");
    page.also = pages.map(|(other, _)| other).filter(adds).collect();
    Ok(page)
}

/// The schemes with the words of a paper. An error names the nearest name of any registry.
fn searched(typed: &str) -> Result<Page> {
    let is_dotted = !typed.starts_with('.') && !typed.contains(' ');
    if let Some(Err(error)) = Framework::split(typed).filter(|_| is_dotted) {
        return Err(error);
    }
    let schemes: Vec<&Scheme> = if typed.starts_with('-') { Vec::new() } else { scheme::search(typed) };
    match schemes.as_slice() {
        [] => {}
        [scheme] => {
            return Ok(schemes::page(scheme.name)?.unwrap_or_else(|| Page::new("scheme", scheme.name, scheme.summary)));
        }
        _ => return Ok(schemes::listed("search", typed, "schemes with these words", &schemes)),
    }
    let names: Vec<String> = names().map(|(name, _)| name).collect();
    match nearest(typed, names.iter().map(String::as_str)) {
        Some(near) => bail!("nothing is called `{typed}`; did you mean `{near}`?"),
        None => bail!("nothing is called `{typed}`; `fanin list schemes --search WORD` searches the schemes"),
    }
}
