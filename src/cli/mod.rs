//! The command line, one file per command. Commands contain no formulas and no file formats.

mod control_group;
mod coverage;
mod data;
mod deferred;
mod destination;
mod drawing_options;
mod dry_run;
mod explain;
mod init;
mod inspect;
mod list;
mod memory;
mod mlp;
mod model;
mod output;
mod overlap;
mod pretrain;
mod progress;
mod report;
mod resources;
mod shell;
mod slices;
mod terminal;
mod tokenizer_files;
mod usage;
mod verify;

use std::ffi::OsString;
use std::io::{self, Write};

use anyhow::{Result, anyhow, bail};
use clap::builder::StyledStr;
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use self::deferred::Deferred;
use crate::text::shown;
use crate::{scheme, simd};

/// Initial weights of neural networks, written to files.
///
/// fanin draws values by a scheme and writes .npy, .npz, JSON, safetensors, .pt or raw values. The same command writes the same bytes on
/// every machine and with any number of threads.
#[derive(Parser)]
#[command(name = "fanin", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

const EXAMPLES: &str = "\
Start by copying a line:
  fanin init glorot-uniform 4x3                       look at some weights
  fanin init he-normal 784x256 -o w.npy               one matrix for NumPy
  fanin init orthogonal:gain=relu 512x512 --seed 7 -o w.safetensors
  fanin init he-normal fc1=784x256 fc2=256x10 -o mlp.npz
  fanin mlp 784-512-10 --layout torch -o mlp.pt       a whole perceptron
  fanin pretrain rbm 64-256 --data x.npy -o w.npz     weights trained on data
  fanin model recipe.toml -o model.safetensors        all weights of a model
  fanin model config.json -o checkpoint/              the same for transformers
  fanin list schemes                                  every scheme
  fanin explain he-normal                             its formula, source and other names
  fanin inspect mlp.npz                               statistics, measured and expected
  fanin verify mlp.npz                                recompute and compare every value

Exit status:
  0    done
  1    a comparison found a difference
  2    error
  75   temporary error, such as a full disk: try again
  141  standard output was closed by its reader";

/// Headings of options in several commands. A heading is placed at its first option; `mut_arg` moves an option to the end.
const NUMBERS: &str = "Numbers";
const RESOURCES: &str = "Resources";

#[derive(Subcommand)]
enum Command {
    /// Draw arrays from a scheme and shapes
    Init(Deferred<init::Init>),
    /// Draw the weights and biases of a multilayer perceptron
    Mlp(Deferred<mlp::Mlp>),
    /// Write all weights of a model
    Model(Deferred<model::Model>),
    /// Train initial weights on data, layer by layer
    Pretrain(Deferred<pretrain::Pretrain>),
    /// List schemes, frameworks, formats, generators, layouts, models and more
    List(Deferred<list::List>),
    /// Show the tensors of a file with their statistics, measured and expected
    Inspect(Deferred<inspect::Inspect>),
    /// Recompute the values of a file and compare them, or test their distribution
    Verify(Deferred<verify::Verify>),
    /// Explain a scheme: formula, parameters, source, names in frameworks
    Explain(Deferred<explain::Explain>),
    /// Print a completion script for a shell
    Completions(Deferred<shell::Completions>),
    /// Print a manual page
    Man(Deferred<shell::Man>),
}

/// The result of a command that ran without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Success.
    Done,
    /// A comparison found a difference.
    Different,
}

/// Runs the command of the arguments. Errors are for one line on standard error.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Result<Outcome> {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let matches = match command().try_get_matches_from(&arguments) {
        Ok(matches) => matches,
        // The parser does not report which.
        Err(error) if error.kind() == ErrorKind::InvalidUtf8 => {
            let culprit = arguments.iter().find(|argument| argument.to_str().is_none());
            bail!("`{}` is not UTF-8: only file names may be", culprit.cloned().unwrap_or_default().display());
        }
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            print(&error.render())?;
            return Ok(Outcome::Done);
        }
        Err(error) => return Err(anyhow!(usage::message(&error))),
    };
    simd::check_width()?;
    let Cli { command: asked } = Cli::from_arg_matches(&matches)?;
    let out = &mut io::stdout().lock();
    match asked {
        Some(Command::Init(Deferred(init))) => (*init).run(out),
        Some(Command::Mlp(Deferred(mlp))) => mlp.run(out),
        Some(Command::Model(Deferred(model))) => (*model).run(out),
        Some(Command::Pretrain(Deferred(pretrain))) => (*pretrain).run(out),
        Some(Command::Inspect(Deferred(inspect))) => inspect.run(out),
        Some(Command::Verify(Deferred(verify))) => return verify.run(out),
        Some(Command::List(Deferred(list))) => list.run(out),
        Some(Command::Explain(Deferred(explain))) => explain.run(out),
        Some(Command::Completions(Deferred(completions))) => completions.run(out),
        Some(Command::Man(Deferred(man))) => man.run(out),
        None => print(&command().render_help()),
    }?;
    Ok(Outcome::Done)
}

/// The full command line, with help from the registries.
fn command() -> clap::Command {
    let names: Vec<&str> = scheme::all().map(|scheme| scheme.name).collect();
    let hint = "`fanin list schemes` lists the schemes, `fanin explain NAME` explains one.";
    let schemes = format!("Schemes: {}.\n{hint}", names.join(", "));
    Cli::command()
        .mut_subcommand("init", |init| init.after_help(hint).after_long_help(schemes))
        .mut_subcommand("mlp", |mlp| mlp.after_help(mlp::activations()))
        .mut_subcommand("pretrain", |pretrain| pretrain.after_help(pretrain::methods()))
}

fn print(text: &StyledStr) -> Result<()> {
    let terminal = io::IsTerminal::is_terminal(&io::stdout()) && std::env::var_os("NO_COLOR").is_none();
    let text = if terminal { text.ansi().to_string() } else { text.to_string() };
    Ok(io::stdout().write_all(text.as_bytes())?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::command().debug_assert();
    }
}
