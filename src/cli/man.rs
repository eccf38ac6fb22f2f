//! `fanin man`.

use std::io::{self, Write};

use anyhow::{Context, Result};
use clap::Command;
use clap_mangen::roff::{Roff, roman};

use super::{command, help};
use crate::text::{cut, did_you_mean};

/// Print a manual page.
#[derive(clap::Args)]
#[command(before_help = help::styled(EXAMPLES))]
pub(super) struct Man {
    /// Command [default: the page of fanin itself]
    command: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  fanin man | man -l -
  fanin man init | man -l -
  fanin man init > ~/.local/share/man/man1/fanin-init.1";

/// The heading of the exit status in the help of the program.
const EXIT_STATUS: &str = "EXIT STATUS";

/// The variables that commands read.
const ENVIRONMENT: &str = "\
FANIN_CPU  widest vector code: baseline, avx2 or avx512; changes no value
NO_COLOR   no colours, if set
COLUMNS    width of text [default: that of the terminal, else any]
LC_ALL     ASCII instead of UTF-8, if it is another locale; else LC_CTYPE or LANG
TMPDIR     folder of compressed members above 256 MiB while they are read
With --rank auto also the variables of Slurm, Kubernetes, torchrun and MPI.";

impl Man {
    pub(super) fn run(&self, out: &mut dyn Write) -> Result<()> {
        let mut whole = command();
        whole.build();
        let page = match &self.command {
            None => &whole,
            Some(name) => whole.find_subcommand(name).with_context(|| {
                let names = whole.get_subcommands().map(Command::get_name);
                format!("unknown command `{}`{}", cut(name, 60), did_you_mean(name, names))
            })?,
        };
        let mut text = Vec::new();
        render(page, &whole, &mut text)?;
        Ok(out.write_all(&text)?)
    }
}

/// The page of a command. Examples and the exit status are those of the help.
fn render(page: &Command, whole: &Command, out: &mut Vec<u8>) -> io::Result<()> {
    let man = clap_mangen::Man::new(page.clone());
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    if page.has_subcommands() {
        man.render_subcommands_section(out)?;
    }
    let mut sections = sections(page);
    if page.get_name() != whole.get_name() {
        sections.extend(self::sections(whole).into_iter().filter(|(heading, _)| heading == EXIT_STATUS));
    }
    sections.push(("ENVIRONMENT".into(), ENVIRONMENT.into()));
    let mut roff = Roff::new();
    for (heading, text) in &sections {
        roff.control("SH", [heading.as_str()]).control("nf", []);
        for line in text.lines() {
            roff.text([roman(line.strip_prefix("  ").unwrap_or(line))]);
        }
        roff.control("fi", []);
    }
    roff.to_writer(out)?;
    if page.get_version().is_some() {
        man.render_version_section(out)?;
    }
    Ok(())
}

/// The headings and texts around the options in the help of a command. Lines without a heading are notes.
fn sections(command: &Command) -> Vec<(String, String)> {
    let mut sections: Vec<(String, String)> = Vec::new();
    for text in [command.get_before_help(), command.get_after_help()].into_iter().flatten() {
        let mut is_new = true;
        for line in text.to_string().lines() {
            let heading = line.strip_suffix(':').filter(|heading| !heading.starts_with(' '));
            if is_new || heading.is_some() {
                sections.push((heading.map_or("NOTES".into(), str::to_uppercase), String::new()));
            }
            is_new = false;
            if let Some((_, text)) = sections.last_mut().filter(|_| heading.is_none()) {
                *text += line;
                text.push('\n');
            }
        }
    }
    for (heading, text) in &mut sections {
        text.truncate(text.trim_end().len());
        if text.trim_start().starts_with("fanin ") {
            *heading = "EXAMPLES".into();
        }
    }
    sections
}
