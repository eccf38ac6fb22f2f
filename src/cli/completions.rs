//! `fanin completions`, and the answers to the scripts that it prints.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::Write;

use anyhow::{Context, Result};
use clap::builder::StyledStr;
use clap::{Arg, Command};
use clap_complete::engine::ValueCompleter;
use clap_complete::env::Shells;
use clap_complete::{ArgValueCompleter, CompleteEnv, CompletionCandidate, PathCompleter, Shell};

use super::{command, explain, help};
use crate::format::FORMATS;
use crate::generator::GENERATORS;
use crate::model::family::Family;
use crate::model::layers::modules::MODULES;
use crate::model::mlp::ACTIVATIONS;
use crate::model::moments;
use crate::pretrain::{METHODS, Method};
use crate::reader::Delimiter;
use crate::scheme::frameworks::FRAMEWORKS;
use crate::scheme::{self, AnyParameter, Kind};
use crate::tensor::{DType, LAYOUTS};

/// Print a completion script for a shell.
#[derive(clap::Args)]
#[command(before_help = help::styled(EXAMPLES))]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

const EXAMPLES: &str = "\
Examples:
  source <(fanin completions bash)  in ~/.bashrc
  source <(fanin completions zsh)   in ~/.zshrc, after compinit
  fanin completions fish | source   in ~/.config/fish/config.fish";

/// The environment variable by which a script asks for candidates.
const VARIABLE: &str = "FANIN_COMPLETE";
const PROGRAM: &str = "fanin";

impl Completions {
    pub(super) fn run(&self, out: &mut dyn Write) -> Result<()> {
        let name = self.shell.to_string();
        let shells = Shells::builtins();
        let shell = shells.completer(&name).with_context(|| format!("no completions for {name}"))?;
        shell.write_registration(VARIABLE, PROGRAM, PROGRAM, PROGRAM, out)?;
        if self.shell == Shell::Zsh {
            // A function of `fpath` is loaded by its first call, which must answer, too.
            writeln!(out, "[[ $funcstack[1] = _{PROGRAM} ]] && _clap_dynamic_completer_{PROGRAM}")?;
        }
        Ok(())
    }
}

/// Prints candidates if a completion script asks for them. Returns false otherwise.
pub(super) fn answer(arguments: &[OsString]) -> Result<bool> {
    let folder = env::current_dir().ok();
    let completed = CompleteEnv::with_factory(with_words).var(VARIABLE).bin(PROGRAM);
    Ok(completed.try_complete(arguments, folder.as_deref())?)
}

/// The command line with the words that each argument takes.
fn with_words() -> Command {
    let mut whole = command();
    let commands: Vec<Word> = whole.get_subcommands().map(|row| word(row.get_name(), "")).collect();
    for command in whole.get_subcommands_mut() {
        command.build();
        let name = command.get_name().to_string();
        let described = |argument: Arg| {
            let words = match argument.get_id().as_str() {
                COMMAND => commands.clone(),
                id => words(&name, id),
            };
            let takes_path = [MODEL, RULES].contains(&argument.get_id().as_str());
            if words.is_empty() { argument } else { argument.add(completer(words, takes_path)) }
        };
        *command = std::mem::take(command).mut_args(described);
    }
    whole
}

/// A word and a remark.
type Word = (String, String);

fn word(word: impl Into<String>, remark: impl Into<String>) -> Word {
    (word.into(), remark.into())
}

/// The argument of `man`.
const COMMAND: &str = "command";
/// The argument of `model`: a family, or a file.
const MODEL: &str = "spec";
/// The argument of `--rules`: a set of rules, or a file.
const RULES: &str = "rules";

/// The words of an argument of a command.
fn words(command: &str, argument: &str) -> Vec<Word> {
    match argument {
        "name" if command == "explain" => {
            let of_frameworks = schemes().filter(|(name, _)| name.contains('.'));
            let names = explain::names().map(|(name, kind)| word(name, kind));
            let mut words: Vec<Word> = names.chain(of_frameworks).collect();
            words.sort();
            words.dedup_by(|one, other| one.0 == other.0);
            words
        }
        "scheme" | "output_scheme" => schemes().collect(),
        "bias" => schemes().chain([word("none", "no biases")]).collect(),
        "layout" => LAYOUTS.iter().map(|row| word(row.name, row.summary)).collect(),
        "dtype" => DType::ALL.iter().map(|dtype| word(dtype.word(), "")).collect(),
        "format" => FORMATS.iter().map(|row| word(row.name, row.summary)).collect(),
        "like" => {
            let frameworks = GENERATORS.iter().filter_map(|row| Some((row.framework.as_ref()?, row.summary)));
            frameworks.map(|(framework, summary)| word(framework.word, summary)).collect()
        }
        "framework" => FRAMEWORKS.iter().map(|row| word(row.word, row.title)).collect(),
        "activation" if command == "mlp" => ACTIVATIONS.iter().map(|row| word(row.name, row.scheme)).collect(),
        "method" => METHODS.iter().map(|row| word(row.name, row.summary)).collect(),
        MODEL => {
            let families = Family::all().unwrap_or_default().into_iter();
            families.map(|family| word(family.model_type, family.classes().collect::<Vec<_>>().join(", "))).collect()
        }
        RULES => vec![word(moments::NAME, moments::SUMMARY)],
        "seed" => vec![word("random", "a seed of the system")],
        "rank" => vec![word("auto", "from Slurm, Kubernetes, torchrun or MPI")],
        "delimiter" => Delimiter::WORDS.iter().map(|(name, _)| word(*name, "")).collect(),
        option => method_words(option),
    }
}

/// Schemes with their other names, and the names of frameworks for schemes and modules.
fn schemes() -> impl Iterator<Item = Word> {
    let schemes = scheme::all().map(|row| word(row.name, row.summary));
    let others = scheme::all().flat_map(|row| row.aliases.iter().map(|alias| word(*alias, row.name)));
    let modules = MODULES.iter().map(|row| word(row.path(), row.axes));
    let aliases = FRAMEWORKS.iter().flat_map(|row| row.aliases);
    let aliases = aliases.map(|row| word(format!("{}.{}", row.framework, row.name), row.means));
    schemes.chain(others).chain(modules).chain(aliases)
}

/// The words of an option of training methods.
fn method_words(option: &str) -> Vec<Word> {
    let found = METHODS.iter().flat_map(Method::parameters).find(|row| row.name() == option);
    match found.map(AnyParameter::kind) {
        Some(Kind::Choice(words) | Kind::ChoiceOrNumber(words)) => words.iter().map(|name| word(*name, "")).collect(),
        _ => Vec::new(),
    }
}

/// Completes the words, and paths if an argument takes those. The many names of frameworks follow a dot.
fn completer(words: Vec<Word>, takes_path: bool) -> ArgValueCompleter {
    ArgValueCompleter::new(move |typed: &OsStr| {
        let begins = |word: &str| {
            typed.to_str().is_some_and(|typed| word.starts_with(typed) && (typed.contains('.') || !word.contains('.')))
        };
        let words = words.iter().filter(|(word, _)| begins(word)).map(|(word, remark)| {
            let remark = Some(remark).filter(|remark| !remark.is_empty());
            CompletionCandidate::new(word).help(remark.map(StyledStr::from))
        });
        let paths = if takes_path { PathCompleter::any().complete(typed) } else { Vec::new() };
        words.chain(paths).collect()
    })
}
