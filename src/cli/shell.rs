//! `fanin completions` and `fanin man`.

use std::io::Write;

use anyhow::{Context, Result};
use clap::builder::PossibleValuesParser;
use clap_complete::Shell;

use super::{command, help};
use crate::format::FORMATS;
use crate::scheme;
use crate::tensor::{DType, LAYOUTS};

/// Print a completion script for a shell.
#[derive(clap::Args)]
#[command(before_help = help::styled(COMPLETIONS))]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

const COMPLETIONS: &str = "\
Examples:
  fanin completions bash > ~/.local/share/bash-completion/completions/fanin
  fanin completions zsh > ~/.zfunc/_fanin
  fanin completions fish > ~/.config/fish/completions/fanin.fish";

impl Completions {
    pub(super) fn run(&self, out: &mut dyn Write) -> Result<()> {
        // The names of the registries; the parser accepts aliases, too.
        let schemes: Vec<&str> = scheme::all().map(|scheme| scheme.name).collect();
        let names = schemes.clone();
        let mut command = command();
        command.get_subcommands_mut().for_each(clap::Command::build);
        let mut command = command
            .mut_subcommand("init", |init| {
                init.mut_arg("scheme", |scheme| scheme.value_parser(PossibleValuesParser::new(schemes)))
                    .mut_arg("dtype", |dtype| {
                        dtype.value_parser(PossibleValuesParser::new(DType::ALL.map(DType::word)))
                    })
                    .mut_arg("layout", |layout| {
                        layout.value_parser(PossibleValuesParser::new(LAYOUTS.iter().map(|row| row.name)))
                    })
                    .mut_arg("format", |format| {
                        format.value_parser(PossibleValuesParser::new(FORMATS.iter().map(|row| row.name)))
                    })
            })
            .mut_subcommand("list", |list| {
                list.mut_arg("framework", |framework| {
                    let words = scheme::frameworks::FRAMEWORKS.iter().map(|row| row.word);
                    framework.value_parser(PossibleValuesParser::new(words))
                })
            })
            .mut_subcommand("explain", |explain| {
                explain.mut_arg("scheme", |scheme| scheme.value_parser(PossibleValuesParser::new(names)))
            });
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "fanin", &mut script);
        Ok(out.write_all(&script)?)
    }
}

/// Print a manual page.
#[derive(clap::Args)]
#[command(before_help = help::styled(PAGES))]
pub(super) struct Man {
    /// Command [default: the page of fanin itself]
    command: Option<String>,
}

const PAGES: &str = "\
Examples:
  fanin man | man -l -
  fanin man init | man -l -
  fanin man init > ~/.local/share/man/man1/fanin-init.1";

impl Man {
    pub(super) fn run(&self, out: &mut dyn Write) -> Result<()> {
        let mut whole = command();
        whole.build();
        let page = match &self.command {
            None => whole,
            Some(name) => whole.find_subcommand(name).with_context(|| format!("there is no command `{name}`"))?.clone(),
        };
        let mut text = Vec::new();
        clap_mangen::Man::new(page).render(&mut text)?;
        Ok(out.write_all(&text)?)
    }
}
