//! Pages of schemes, of their names in frameworks, and of families of schemes.

use anyhow::Result;

use super::page::{Page, Row};
use crate::scheme::frameworks::{Alias, Framework, Unsupported};
use crate::scheme::{self, Meaning, PACKING, Requires, Resolved, SCHEMES, Scheme, parity};
use crate::tensor::LAYOUTS;

/// The name of the parameters for several weights in one tensor.
const PACKING_WORD: &str = "packing";
/// The shape of an example that any matrix suits.
const MATRIX: &str = "784x256";
pub(super) const PACKING_USE: &str = "several weights in one tensor, or a transposed one";

/// Every name of a scheme without a framework.
pub(super) fn names() -> Vec<String> {
    scheme::all().flat_map(scheme::words).chain([PACKING_WORD]).map(Into::into).collect()
}

/// The page of a scheme by its own name, by another name of it, or by that of a framework. Parameters are ignored.
pub(super) fn page(typed: &str) -> Result<Option<Page>> {
    let name = typed.split([':', '(']).next().unwrap_or(typed).replace(' ', "-");
    if name == PACKING_WORD {
        return Ok(Some(packing()));
    }
    let qualifies = Framework::split(&name).is_some_and(|split| split.is_ok());
    let known = if qualifies { scheme::unsupported(&name).is_none() } else { scheme::find(&name).is_ok() };
    if !known {
        return Ok(None);
    }
    let resolved = scheme::look_up(&name)?;
    Ok(Some(match resolved.alias() {
        Some(alias) if qualifies => of_framework(alias, &resolved),
        _ => of_name(&name, &resolved),
    }))
}

/// The page of a name without a framework.
fn of_name(name: &str, resolved: &Resolved) -> Page {
    let scheme = resolved.scheme;
    let mut page = Page::new("scheme", scheme.name, scheme.summary);
    let means = resolved.alias().map_or(scheme.name, |alias| alias.means);
    if name != means {
        page.name = name.into();
        page.means = Some(format!("{means} here"));
        page.rows("frameworks", scheme::meanings_of(name).iter().map(|meaning| meaning_row(means, meaning)));
        page.text("scheme", format!("{}: {}", scheme.name, scheme.summary));
    }
    facts(&mut page, scheme);
    page.rows("parameters", scheme.parameters.iter().map(|parameter| Row::of(*parameter)));
    page.text("note", scheme.small_default.as_ref().map(|small| small.note).unwrap_or_default());
    usage(&mut page, scheme);
    if name == means {
        page.rows("frameworks", scheme.meanings().iter().map(|meaning| meaning_row(means, meaning)));
    }
    page.text("example", command_of(scheme, name, means));
    page
}

/// The page of a framework's name: the framework's defaults and words first.
fn of_framework(alias: &Alias, resolved: &Resolved) -> Page {
    let scheme = resolved.scheme;
    let framework = Framework::find(alias.framework).ok();
    let mut page = Page::new("name", full_name(alias), scheme.summary);
    page.means = Some(alias.means.into());
    page.text("note", alias.note.unwrap_or_default());
    page.text("framework", framework.map(|row| row.title).unwrap_or_default());
    page.rows(
        "parameters",
        resolved.their_parameters(alias).into_iter().map(|theirs| {
            let (ours, help) = (theirs.ours.name(), theirs.ours.help());
            let text = if theirs.word == ours { help.into() } else { format!("{help} (here `{ours}`)") };
            Row { name: theirs.word, default: theirs.default, text }
        }),
    );
    page.text("scheme", format!("{}: {}", scheme.name, scheme.summary));
    facts(&mut page, scheme);
    usage(&mut page, scheme);
    let example = command_of(scheme, &page.name, alias.means);
    page.text("example", example);
    page
}

/// The command that draws a scheme's example by another name, which may have parameters of its own.
fn command_of(scheme: &Scheme, name: &str, means: &str) -> String {
    let (expression, ..) = scheme.example.on(MATRIX);
    let arguments = if means == scheme.name { expression.trim_start_matches(scheme.name) } else { "" };
    command(scheme).replacen(expression, &format!("{name}{arguments}"), 1)
}

fn facts(page: &mut Page, scheme: &Scheme) {
    page.text("formula", scheme.formula);
    page.text("source", scheme.source);
    page.text("shapes", scheme.ranks);
}

fn usage(page: &mut Page, scheme: &Scheme) {
    if scheme.requires.arranges() {
        let names: Vec<&str> = PACKING.iter().map(|parameter| parameter.name()).collect();
        page.text("packing", format!("{}: {PACKING_USE} (`fanin explain {PACKING_WORD}`)", names.join(", ")));
    }
    if let Some(bare) = scheme.bare {
        let order = scheme.order.join(", ");
        let several = if scheme.order.len() > 1 { format!("; several are {order}") } else { String::new() };
        page.text("short form", format!("a value without a key is {bare}: `{}:VALUE`{several}", scheme.name));
    }
    page.words("also called", scheme.aliases.iter().copied());
    page.words(
        "--like",
        parity::having(scheme.name).map(|(framework, close)| match close {
            Some(why) => format!("{framework} (approximate: {why})"),
            None => framework.into(),
        }),
    );
}

/// The names that share a meaning, the meaning, and its note.
fn meaning_row(means: &str, meaning: &Meaning) -> Row {
    let same = if meaning.means == means { "the same" } else { meaning.means };
    let note = meaning.note.map(|note| format!(" ({note})")).unwrap_or_default();
    Row::new(full_names(meaning).join(", "), format!("{same}{note}"))
}

pub(super) fn full_names(meaning: &Meaning) -> Vec<String> {
    meaning.names.iter().map(|alias| full_name(alias)).collect()
}

fn full_name(alias: &Alias) -> String {
    format!("{}.{}", alias.framework, alias.name)
}

/// The command that draws a scheme's example.
pub(super) fn command(scheme: &Scheme) -> String {
    let (expression, shape, layout) = scheme.example.on(MATRIX);
    let layout = if layout == LAYOUTS[0].name { String::new() } else { format!(" --layout {layout}") };
    let base = if scheme.requires == Requires::Base { " --base base.npy" } else { "" };
    format!("fanin init {expression} {shape}{layout}{base} -o w.npy")
}

fn packing() -> Page {
    let mut page = Page::new("parameters", PACKING_WORD, PACKING_USE);
    page.text("schemes", "every scheme that reads fans or matrices takes these besides its own parameters");
    page.rows("parameters", PACKING.iter().map(|parameter| Row::of(*parameter)));
    page.text("example", "fanin init glorot-uniform:split=3,axis=0 768x256 --layout torch -o qkv.npy");
    page
}

/// The headings of `fanin list schemes`, and the common beginnings of schemes' names.
pub(super) fn family_names() -> Vec<String> {
    let stems = scheme::all().filter_map(|scheme| scheme.name.split_once('-')).map(|(stem, _)| stem);
    let mut names: Vec<&str> = SCHEMES.iter().map(|family| family.name).chain(stems).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(Into::into).collect()
}

/// The page of a heading of `fanin list schemes`, or of the schemes whose names begin with a word, as `lora`.
pub(super) fn family_page(typed: &str) -> Option<Page> {
    let word = typed.replace(' ', "-").to_lowercase();
    let is_family = |name: &str| name.to_lowercase().replace(' ', "-") == word;
    let belongs = |scheme: &Scheme| scheme.name.split_once('-').is_some_and(|(stem, _)| stem == word);
    let family = SCHEMES.iter().find(|family| is_family(family.name));
    let of_family = family.into_iter().flat_map(|family| family.schemes);
    let others = scheme::all().filter(|scheme| belongs(scheme));
    let others =
        others.filter(|scheme| family.is_none_or(|family| family.schemes.iter().all(|own| own.name != scheme.name)));
    let schemes: Vec<&Scheme> = of_family.chain(others).collect();
    let name = family.map_or(word.as_str(), |family| family.name);
    (!schemes.is_empty()).then(|| listed("family", name, "a family of schemes", &schemes))
}

/// A page that lists schemes.
pub(super) fn listed(kind: &'static str, name: &str, summary: &str, schemes: &[&Scheme]) -> Page {
    let mut page = Page::new(kind, name, summary);
    page.rows("schemes", schemes.iter().map(|scheme| Row::new(scheme.name, scheme.summary)));
    page.text(
        "more",
        format!("`fanin explain {}` explains the first", schemes.first().map_or("NAME", |scheme| scheme.name)),
    );
    page
}

/// The names that have no scheme.
pub(super) fn unsupported_page(typed: &str) -> Option<Page> {
    let refusal = scheme::unsupported(&typed.replace(' ', "-")).map(Unsupported::refusal);
    refusal.map(|refusal| Page::new("unsupported", typed, refusal))
}
