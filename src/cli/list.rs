//! `fanin list`: the lists of schemes, frameworks, formats and more.

mod models;

use std::io::{self, Write};

use anyhow::{Result, ensure};
use clap::ValueEnum;
use serde_json::{Value, json};

use super::screen::Screen;
use super::{coverage, explain, help};
use crate::format::{FORMATS, Format};
use crate::generator::{GENERATORS, Generator};
use crate::model::family::{FOLLOWS, Family};
use crate::model::layers::modules::{MODULES, Module};
use crate::pretrain::{METHODS, Method};
use crate::scheme::gain::{DEFAULT_SLOPE, GAINS, Gain};
use crate::scheme::{self, SCHEMES, Scheme, frameworks};
use crate::tensor::{Convention, LAYOUTS};
use crate::text::{figure, json_line};

/// List schemes, frameworks, formats, generators, layouts, gains, models, modules or pretraining methods.
#[derive(clap::Args)]
#[command(before_help = help::styled(EXAMPLES))]
pub(super) struct List {
    /// Kind of names to list
    what: What,
    /// List a framework's names for schemes
    #[arg(long, value_name = "WORD", help_heading = help::OUTPUT, conflicts_with_all = ["markdown", "search"])]
    framework: Option<String>,
    /// Schemes or models with these words
    ///
    /// In the names, summaries and sources of schemes, and in the names, kinds and classes of models.
    #[arg(long, value_name = "WORDS", help_heading = help::OUTPUT, conflicts_with = "markdown")]
    search: Option<String>,
    /// Print all schemes, frameworks or models as Markdown
    #[arg(long, help_heading = help::OUTPUT)]
    markdown: bool,
    /// Print as JSON
    #[arg(long, help_heading = help::OUTPUT, conflicts_with = "markdown")]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  fanin list schemes
  fanin list schemes --search glorot
  fanin list schemes --framework torch";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum What {
    Schemes,
    Frameworks,
    Formats,
    Generators,
    Layouts,
    Gains,
    Models,
    Modules,
    PretrainMethods,
}

/// A row of a list: its columns, and the same for machines as an object with `name` and further keys.
struct Row {
    cells: Vec<String>,
    json: Value,
}

fn row<const N: usize>(cells: [&str; N], json: Value) -> Row {
    Row { cells: cells.map(Into::into).into(), json }
}

impl List {
    pub(super) fn run(&self, out: &mut dyn Write) -> Result<()> {
        let pages = [What::Schemes, What::Frameworks, What::Models];
        ensure!(!self.markdown || pages.contains(&self.what), "--markdown is only for schemes, frameworks and models");
        ensure!(self.framework.is_none() || self.what == What::Schemes, "--framework is only for schemes");
        let searched = [What::Schemes, What::Models];
        ensure!(self.search.is_none() || searched.contains(&self.what), "--search is only for schemes and models");
        if self.json {
            let rows: Vec<Value> = self.rows()?.into_iter().map(|row| row.json).collect();
            return Ok(writeln!(out, "{}", json_line(&Value::from(rows)))?);
        }
        if self.markdown {
            return match self.what {
                What::Schemes => Ok(explain::markdown(out)?),
                What::Models => models::markdown(out),
                _ => Ok(coverage::page(out)?),
            };
        }
        let screen = &mut Screen::stdout(out);
        match (self.what, &self.framework) {
            (What::Schemes, Some(word)) => coverage::of_framework(screen, frameworks::Framework::find(word)?)?,
            (What::Schemes, None) => {
                let found = self.schemes()?;
                headed(screen, found.iter().map(|(family, scheme)| (*family, scheme.name, scheme.summary.into())))?;
            }
            (What::Models, _) if self.search.is_none() => screen.rows(models::names()?)?,
            (What::Models, _) => {
                let found = models::found(self.search.as_deref())?;
                headed(screen, found.iter().map(|row| (row.kind.word(), row.model_type, models::classes(row))))?;
            }
            (What::Frameworks, _) => coverage::summary(screen)?,
            _ => screen.rows(self.rows()?.into_iter().map(|row| row.cells))?,
        }
        if self.search.is_none() && self.framework.is_none() {
            hints(screen, self.what)?;
        }
        Ok(())
    }

    /// The schemes that are listed, each with its heading.
    fn schemes(&self) -> Result<Vec<(&'static str, &'static Scheme)>> {
        let all = SCHEMES.iter().flat_map(|family| family.schemes.iter().map(|scheme| (family.name, scheme)));
        let Some(words) = &self.search else { return Ok(all.collect()) };
        let found: Vec<&str> = scheme::search(words).iter().map(|scheme| scheme.name).collect();
        ensure!(
            !found.is_empty(),
            "no scheme has `{words}` in its names, summary or source; `fanin list schemes` shows all"
        );
        Ok(all.filter(|(_, scheme)| found.contains(&scheme.name)).collect())
    }

    fn rows(&self) -> Result<Vec<Row>> {
        Ok(match (self.what, &self.framework) {
            (What::Schemes, Some(word)) => {
                let names = frameworks::Framework::find(word)?.offered();
                names.iter().map(|name| row([], coverage::json(name))).collect()
            }
            (What::Schemes, None) => self.schemes()?.into_iter().map(scheme).collect(),
            (What::Frameworks, _) => frameworks::FRAMEWORKS.iter().map(framework).collect(),
            (What::Formats, _) => FORMATS.iter().map(format).collect(),
            (What::Generators, _) => GENERATORS.iter().map(generator).collect(),
            (What::Layouts, _) => LAYOUTS.iter().map(layout).collect(),
            (What::Gains, _) => GAINS.iter().map(gain).collect(),
            (What::Models, _) => models::found(self.search.as_deref())?.iter().map(model).collect(),
            (What::Modules, _) => MODULES.iter().map(module).collect(),
            (What::PretrainMethods, _) => METHODS.iter().map(method).collect(),
        })
    }
}

fn scheme((family, scheme): (&str, &Scheme)) -> Row {
    let Scheme { name, summary, source, aliases, .. } = scheme;
    row([], json!({ "name": name, "summary": summary, "family": family, "source": source, "aliases": aliases }))
}

fn framework(row: &frameworks::Framework) -> Row {
    let includes = row.included().map(|other| other.word);
    let json = json!({ "name": row.word, "summary": row.title, "names": row.names().len(), "includes": includes });
    self::row([], json)
}

fn format(format: &Format) -> Row {
    let Format { name, summary, extensions, .. } = format;
    let json = json!({ "name": name, "summary": summary, "extensions": extensions });
    row([name, &format!(".{}", extensions[0]), summary], json)
}

fn layout(layout: &Convention) -> Row {
    let (Convention { name, summary, .. }, rule) = (layout, layout.rule());
    row([name, &rule, summary], json!({ "name": name, "summary": summary, "axes": rule }))
}

fn gain(gain: &Gain) -> Row {
    let Gain { name, formula, source, aliases, .. } = gain;
    let (value, others) = (gain.number(DEFAULT_SLOPE), aliases.join(", "));
    let also = if others.is_empty() { others } else { format!("also {others}") };
    let json = json!({ "name": name, "value": value, "formula": formula, "source": source, "aliases": aliases });
    row([name, &figure(value), formula, source, &also], json)
}

fn model(family: &Family) -> Row {
    row([], models::json(family))
}

fn module(module: &Module) -> Row {
    let (Module { weights, axes, example, .. }, path) = (module, module.path());
    let json = json!({ "name": path, "shape": example, "weight": weights[0], "axes": axes });
    row([&path, example, &format!("{}: {axes}", weights[0])], json)
}

fn method(method: &Method) -> Row {
    let Method { name, summary, source, .. } = method;
    row([name, summary, source], json!({ "name": name, "summary": summary, "source": source }))
}

fn generator(generator: &Generator) -> Row {
    let Generator { name, summary, framework, .. } = generator;
    let like = framework.as_ref().map_or("the default".into(), |row| {
        format!("--like {}: {}; the same values since {}", row.word, row.release, row.since)
    });
    let of = framework.as_ref().map(|row| json!({ "like": row.word, "release": row.release, "since": row.since }));
    row([name, &like, summary], json!({ "name": name, "summary": summary, "framework": of }))
}

/// Prints rows of a heading, a name and a text; equal headings follow each other.
fn headed<'a>(screen: &mut Screen, all: impl Iterator<Item = (&'a str, &'a str, String)>) -> io::Result<()> {
    let mut rows: Vec<[String; 2]> = Vec::new();
    let mut last = "";
    for (heading, name, text) in all {
        if heading != last {
            let before = (!last.is_empty()).then(|| [String::new(), String::new()]);
            rows.extend(before.into_iter().chain([[heading.into(), String::new()]]));
            last = heading;
        }
        rows.push([format!("  {name}"), text]);
    }
    screen.rows(rows)
}

/// Prints the ways to more about the names of a list.
fn hints(screen: &mut Screen, what: What) -> io::Result<()> {
    let hints = match what {
        What::Schemes => vec![
            "`fanin explain NAME` shows the formula, the parameters, the source and other names.".into(),
            "`fanin list schemes --framework torch` shows the names of a framework and their meanings.".into(),
            "`fanin list schemes --search WORDS` shows the schemes with these words.".into(),
        ],
        What::Models => vec![
            format!("Names, shapes and values follow {FOLLOWS}."),
            "`fanin explain NAME` shows the classes of a model and the keys of its configuration.".into(),
            "`fanin list models --search WORDS` shows the models with these words, and their classes.".into(),
        ],
        _ => return Ok(()),
    };
    screen.exact("")?;
    hints.into_iter().try_for_each(|hint: String| screen.line(hint))
}
