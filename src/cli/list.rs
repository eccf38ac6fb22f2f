//! `fanin list`: the lists of schemes, frameworks, formats and more.

use std::io::{self, Write};

use anyhow::{Result, ensure};
use clap::ValueEnum;

use super::{coverage, explain, help};
use crate::format::FORMATS;
use crate::generator::{Framework, GENERATORS, Generator};
use crate::model::family::{FOLLOWS, Family};
use crate::model::layers::modules::{MODULES, Module};
use crate::pretrain::METHODS;
use crate::scheme::gain::{DEFAULT_SLOPE, GAINS};
use crate::scheme::{self, SCHEMES, frameworks};
use crate::tensor::LAYOUTS;
use crate::text::figure;

/// List the schemes, frameworks, formats, generators, layouts, gains, models, modules or methods of learning.
#[derive(clap::Args)]
#[command(before_help = help::styled(EXAMPLES))]
pub(super) struct List {
    /// Kind of names
    what: What,
    /// Framework whose names of schemes are listed
    #[arg(long, value_name = "WORD", help_heading = help::OUTPUT, conflicts_with = "markdown")]
    framework: Option<String>,
    /// Print all schemes or frameworks as Markdown
    #[arg(long, help_heading = help::OUTPUT)]
    markdown: bool,
}

const EXAMPLES: &str = "\
Examples:
  fanin list schemes
  fanin list schemes --framework torch
  fanin list formats";

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
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

impl List {
    pub(super) fn run(&self, out: &mut dyn Write) -> Result<()> {
        let pages = [What::Schemes, What::Frameworks];
        ensure!(!self.markdown || pages.contains(&self.what), "--markdown lists schemes or frameworks only");
        ensure!(self.framework.is_none() || self.what == What::Schemes, "--framework lists schemes only");
        match self.what {
            What::Schemes => match &self.framework {
                Some(word) => coverage::of_framework(out, frameworks::Framework::find(word)?)?,
                None if self.markdown => explain::page(out)?,
                None => schemes(out)?,
            },
            What::Frameworks if self.markdown => coverage::page(out)?,
            What::Frameworks => coverage::summary(out)?,
            What::Formats => columns(
                out,
                FORMATS
                    .iter()
                    .map(|format| [format.name.into(), format!(".{}", format.extensions[0]), format.summary.into()]),
            )?,
            What::Generators => {
                let like = |row: &Framework| {
                    format!("--like {}: {}; the same values since {}", row.word, row.release, row.since)
                };
                let like = |row: &Generator| row.framework.as_ref().map_or("the default".into(), like);
                columns(out, GENERATORS.iter().map(|row| [row.name.into(), like(row), row.summary.into()]))?;
            }
            What::Layouts => {
                columns(out, LAYOUTS.iter().map(|row| [row.name.into(), row.rule(), row.summary.into()]))?;
            }
            What::Models => models(out)?,
            What::Modules => columns(
                out,
                MODULES.iter().map(|module| {
                    let Module { weights, axes, example, .. } = module;
                    [module.path(), (*example).into(), format!("{}: {axes}", weights[0])]
                }),
            )?,
            What::PretrainMethods => {
                columns(out, METHODS.iter().map(|row| [row.name.into(), row.summary.into(), row.source.into()]))?;
            }
            What::Gains => columns(
                out,
                GAINS.iter().map(|gain| {
                    let also = if gain.aliases.is_empty() {
                        String::new()
                    } else {
                        format!("also {}", gain.aliases.join(", "))
                    };
                    [
                        gain.name.into(),
                        figure(gain.number(DEFAULT_SLOPE)),
                        gain.formula.into(),
                        gain.source.into(),
                        also,
                    ]
                }),
            )?,
        }
        Ok(())
    }
}

fn models(out: &mut dyn Write) -> Result<()> {
    let families = Family::all()?;
    columns(out, families.iter().map(|family| [family.model_type.clone(), family.architectures.join(", ")]))?;
    writeln!(
        out,
        "\nThe first is the default if a config.json names none. Names, shapes and values follow {FOLLOWS}."
    )?;
    Ok(())
}

fn schemes(out: &mut dyn Write) -> io::Result<()> {
    let widest = scheme::all().map(|scheme| scheme.name.len()).max().unwrap_or(0);
    for (position, family) in SCHEMES.iter().enumerate() {
        writeln!(out, "{}{}", if position == 0 { "" } else { "\n" }, family.name)?;
        for scheme in family.schemes {
            writeln!(out, "  {:widest$}  {}", scheme.name, scheme.summary)?;
        }
    }
    writeln!(out, "\n`fanin explain NAME` shows the formula, the parameters, the source and other names;")?;
    writeln!(out, "`fanin list schemes --framework torch` shows the names of a framework and their meanings.")
}

/// Prints rows with all columns except the last padded to one width.
fn columns<const N: usize>(out: &mut dyn Write, rows: impl Iterator<Item = [String; N]>) -> io::Result<()> {
    let rows: Vec<[String; N]> = rows.collect();
    let widths: [usize; N] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    for row in rows {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}
