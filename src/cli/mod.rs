//! The command line, one file per command. Commands contain no formulas and no file formats.

mod colour;
mod completions;
mod control_group;
mod coverage;
mod data;
mod deferred;
mod destination;
mod drawing_options;
mod dry_run;
mod explain;
mod failure;
mod help;
mod init;
mod inspect;
mod list;
mod man;
mod memory;
mod mlp;
mod model;
mod output;
mod overlap;
mod pretrain;
mod progress;
mod repeated;
mod report;
mod resources;
mod screen;
mod slices;
mod suggest;
mod terminal;
mod tokenizer_files;
mod usage;
mod verify;

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use self::colour::{STYLES, coloured};
use self::deferred::Deferred;
use self::screen::is_utf8;
use crate::show::ascii;
use crate::simd;
use crate::text::shown;

/// Initial weights of neural networks, written to files.
///
/// fanin draws values by a scheme and writes them to .npy, .npz, safetensors, .pt and other files. The same command writes the same bytes
/// on every machine and with any number of threads.
#[derive(Parser)]
#[command(name = "fanin", version, max_term_width = 100, styles = STYLES, after_help = help::styled(EXAMPLES))]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

const EXAMPLES: &str = "\
Start by copying a line:
  fanin init glorot-uniform 4x3                    look at some weights
  fanin init he-normal 784x256 -o w.npy            one matrix for NumPy
  fanin init orthogonal:gain=relu 512x512 --seed 7 -o w.safetensors
  fanin init he-normal fc1=784x256 fc2=256x10 -o mlp.npz
  fanin mlp 784-512-10 -o mlp.pt                   a perceptron for PyTorch
  fanin pretrain rbm 64-256 --data x.npy -o w.npz  weights trained on data
  fanin model recipe.toml -o model.safetensors     all weights of a model
  fanin model config.json -o checkpoint/           the same for Transformers
  fanin list schemes                               every scheme
  fanin explain he-normal                          its formula and source
  fanin inspect mlp.npz                            its tensors and statistics
  fanin verify mlp.npz                             recompute every value

Exit status:
  0    done
  1    a comparison found a difference
  2    error
  75   temporary error, such as a full disk: try again
  141  standard output was closed by its reader";

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
    /// List schemes, frameworks, formats, models and more
    List(Deferred<list::List>),
    /// Show the tensors of a file with their statistics
    Inspect(Deferred<inspect::Inspect>),
    /// Recompute and compare a file's values, or test their distribution
    Verify(Deferred<verify::Verify>),
    /// Explain a name: meaning, formula, parameters, source
    Explain(Deferred<explain::Explain>),
    /// Print a completion script for a shell
    Completions(Deferred<completions::Completions>),
    /// Print a manual page
    Man(Deferred<man::Man>),
}

/// The result of a command that ran without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Success.
    Done,
    /// A comparison found a difference.
    Different,
}

/// The exit status for a difference.
const DIFFERENT: u8 = 1;

/// Runs the program `fanin` with its arguments, prints its error if there is one, and returns its exit status.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    // Without a handler, a file that grows beyond `ulimit -f` ends the program without a word; with one, the write fails.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
    match outcome(&arguments.into_iter().collect::<Vec<_>>()) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Different) => ExitCode::from(DIFFERENT),
        Err(error) => failure::report(&error),
    }
}

fn outcome(arguments: &[OsString]) -> Result<Outcome> {
    if completions::answer(arguments)? {
        return Ok(Outcome::Done);
    }
    let mut line = command();
    let matches = match line.try_get_matches_from_mut(arguments) {
        Ok(matches) => matches,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            print(&error.render().ansi().to_string())?;
            return Ok(Outcome::Done);
        }
        Err(error) => return Err(usage::error(&error, &mut line, arguments).into()),
    };
    simd::check_width()?;
    memory::check_room()?;
    let Cli { command } = Cli::from_arg_matches(&matches)?;
    let out = &mut io::stdout().lock();
    match command {
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
        None => print(&line.render_help().ansi().to_string()),
    }?;
    Ok(Outcome::Done)
}

/// The full command line.
fn command() -> clap::Command {
    Cli::command()
}

fn print(text: &str) -> Result<()> {
    let text = &*if is_utf8() { Cow::from(text) } else { ascii(text).into() };
    Ok(io::stdout().write_all(coloured(text, &io::stdout()).as_bytes())?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_consistent() {
        super::command().debug_assert();
    }
}
