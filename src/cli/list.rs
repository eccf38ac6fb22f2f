//! `fanin list`: the lists of schemes, frameworks, formats and more.

use std::io::{self, Write};

use anyhow::{Result, ensure};
use clap::ValueEnum;

use super::screen::Screen;
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

impl List {
    pub(super) fn run(&self, out: &mut dyn Write) -> Result<()> {
        let pages = [What::Schemes, What::Frameworks];
        ensure!(!self.markdown || pages.contains(&self.what), "--markdown lists schemes or frameworks only");
        ensure!(self.framework.is_none() || self.what == What::Schemes, "--framework lists schemes only");
        if self.markdown {
            return Ok(if self.what == What::Schemes { explain::page(out) } else { coverage::page(out) }?);
        }
        let screen = &mut Screen::stdout(out);
        match self.what {
            What::Schemes => match &self.framework {
                Some(word) => coverage::of_framework(screen, frameworks::Framework::find(word)?)?,
                None => schemes(screen)?,
            },
            What::Frameworks => coverage::summary(screen)?,
            What::Formats => screen.rows(
                FORMATS
                    .iter()
                    .map(|format| [format.name.into(), format!(".{}", format.extensions[0]), format.summary.into()]),
            )?,
            What::Generators => {
                let like = |row: &Framework| {
                    format!("--like {}: {}; the same values since {}", row.word, row.release, row.since)
                };
                let like = |row: &Generator| row.framework.as_ref().map_or("the default".into(), like);
                screen.rows(GENERATORS.iter().map(|row| [row.name.into(), like(row), row.summary.into()]))?;
            }
            What::Layouts => {
                screen.rows(LAYOUTS.iter().map(|row| [row.name.into(), row.rule(), row.summary.into()]))?;
            }
            What::Models => models(screen)?,
            What::Modules => screen.rows(MODULES.iter().map(|module| {
                let Module { weights, axes, example, .. } = module;
                [module.path(), (*example).into(), format!("{}: {axes}", weights[0])]
            }))?,
            What::PretrainMethods => {
                screen.rows(METHODS.iter().map(|row| [row.name.into(), row.summary.into(), row.source.into()]))?;
            }
            What::Gains => screen.rows(GAINS.iter().map(|gain| {
                let also =
                    if gain.aliases.is_empty() { String::new() } else { format!("also {}", gain.aliases.join(", ")) };
                [gain.name.into(), figure(gain.number(DEFAULT_SLOPE)), gain.formula.into(), gain.source.into(), also]
            }))?,
        }
        Ok(())
    }
}

fn models(screen: &mut Screen) -> Result<()> {
    let families = Family::all()?;
    screen.rows(families.iter().map(|family| [family.model_type.clone(), family.architectures.join(", ")]))?;
    screen.exact("")?;
    let default = "The first is the default if a config.json names none.";
    Ok(screen.line(format!("{default} Names, shapes and values follow {FOLLOWS}."))?)
}

fn schemes(screen: &mut Screen) -> io::Result<()> {
    let of_family = |(position, family): (usize, &scheme::Family)| {
        let before = (position > 0).then(|| [String::new(), String::new()]);
        let schemes = family.schemes.iter().map(|scheme| [format!("  {}", scheme.name), scheme.summary.into()]);
        before.into_iter().chain([[family.name.into(), String::new()]]).chain(schemes)
    };
    screen.rows(SCHEMES.iter().enumerate().flat_map(of_family))?;
    screen.exact("")?;
    screen.line("`fanin explain NAME` shows the formula, the parameters, the source and other names.")?;
    screen.line("`fanin list schemes --framework torch` shows the names of a framework and their meanings.")
}
