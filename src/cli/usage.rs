//! Errors of the argument parser in the form of all errors, culprit, fault, fix, with the usage below.

use std::error::Error;
use std::ffi::OsString;
use std::fmt;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::suggest;
use crate::text::{alternatives, nearest};

/// An error lists the values of an argument that has no more than these.
const FEW_VALUES: usize = 6;

/// A command line that could not be parsed.
#[derive(Debug)]
pub(super) struct UsageError {
    /// The line that names the fault.
    fault: String,
    /// The usage of the command, and how to see its help.
    pub(super) usage: String,
}

impl fmt::Display for UsageError {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.fault)
    }
}

impl Error for UsageError {}

/// The error of a command line.
pub(super) fn error(error: &clap::Error, line: &mut Command, arguments: &[OsString]) -> UsageError {
    line.build();
    let fault = match error.kind() {
        // The parser does not report which.
        ErrorKind::InvalidUtf8 => {
            let culprit = arguments.iter().find(|argument| argument.to_str().is_none());
            let culprit = culprit.cloned().unwrap_or_default();
            format!("`{}` is not UTF-8: only a file name may have other bytes", culprit.display())
        }
        _ => {
            let words: Vec<String> = arguments.iter().map(|word| word.to_string_lossy().into_owned()).collect();
            message(error, line, &words)
        }
    };
    let verb = arguments.get(1).and_then(|verb| verb.to_str()).filter(|verb| *verb != "help");
    let usage = match verb.and_then(|verb| line.find_subcommand_mut(verb)) {
        Some(command) => usage(command),
        None => usage(line),
    };
    UsageError { fault, usage }
}

fn usage(command: &mut Command) -> String {
    let usage = command.render_usage().ansi().to_string();
    let name = command.get_bin_name().unwrap_or("fanin");
    format!("\n{usage}\n\nFor more information, try '{name} --help'.\n")
}

/// An error of the parser on one line.
fn message(error: &clap::Error, line: &Command, arguments: &[String]) -> String {
    let culprit = culprits(error, ContextKind::InvalidArg);
    let value = strings(error, ContextKind::InvalidValue).join(" ");
    match error.kind() {
        ErrorKind::UnknownArgument if culprit.starts_with('-') => {
            let near = near(error, &culprit, ContextKind::SuggestedArg);
            format!("unknown option `{culprit}`{}", suggest::option(&culprit, near, line, arguments))
        }
        ErrorKind::UnknownArgument => format!("unexpected argument `{culprit}`{}", suggest::extra(&culprit, arguments)),
        ErrorKind::InvalidSubcommand => {
            let command = strings(error, ContextKind::InvalidSubcommand).join(" ");
            match suggest::command(&command, arguments.get(2..).unwrap_or_default()) {
                // The culprit is in the line.
                Some(line) if line.contains(&command) => format!("unknown command; did you mean `{line}`?"),
                Some(line) => format!("unknown command `{command}`; did you mean `{line}`?"),
                None => {
                    format!("unknown command `{command}`{}", near(error, &command, ContextKind::SuggestedSubcommand))
                }
            }
        }
        ErrorKind::InvalidValue if value.is_empty() => format!("{culprit} needs a value"),
        ErrorKind::InvalidValue => {
            let known = strings(error, ContextKind::ValidValue);
            let near = nearest(&value, known.iter().map(String::as_str)).filter(|_| known.len() > FEW_VALUES);
            let fix = near
                .map_or_else(|| format!(": use {}", alternatives(&known)), |near| format!("; did you mean `{near}`?"));
            format!("unknown {culprit} `{value}`{fix}")
        }
        ErrorKind::ValueValidation => {
            let fault = error.source().map(ToString::to_string).unwrap_or_default();
            let shown = format!("`{value}`");
            if fault.contains(&shown) { format!("{culprit}: {fault}") } else { format!("{culprit} {shown}: {fault}") }
        }
        ErrorKind::TooManyValues if !culprit.starts_with('-') => {
            format!("unexpected argument `{value}`{}", suggest::extra(&value, arguments))
        }
        ErrorKind::TooManyValues => format!("{culprit} takes no value, but `{value}` was given"),
        ErrorKind::ArgumentConflict => match culprits(error, ContextKind::PriorArg) {
            other if other == culprit => format!("{culprit} is given twice"),
            other => format!("{culprit} cannot be used with {other}"),
        },
        ErrorKind::MissingRequiredArgument => {
            if let Some(option) = requiring(line, arguments).filter(|_| culprit.starts_with('-')) {
                return format!("{option} needs {culprit}");
            }
            let shows = |line: &str| {
                culprit
                    .split(", ")
                    .all(|word| !word.starts_with('-') || line.contains(word.split(' ').next().unwrap_or(word)))
            };
            let example = suggest::example(arguments).filter(|line| shows(line));
            let example = example.map(|line| format!(", as in `{line}`")).unwrap_or_default();
            let missing = culprit.replace("...", "").replace(", ", " and ");
            // An option that the command itself requires has an example.
            let why = if example.is_empty() && culprit.starts_with("--") { ", which another option needs" } else { "" };
            format!("missing {missing}{example}{why}")
        }
        _ => first_lines(error),
    }
}

/// The option of a command line that needs a missing one: without it and its value, nothing is missing.
fn requiring<'a>(line: &Command, arguments: &'a [String]) -> Option<&'a str> {
    let is_complete = |at: usize, count: usize| {
        let rest = arguments.iter().take(at).chain(arguments.iter().skip(at + count));
        line.clone().try_get_matches_from(rest).is_ok()
    };
    let mut options = arguments.iter().enumerate().filter(|(_, word)| word.starts_with("--"));
    let (_, found) = options.find(|&(at, _)| is_complete(at, 1) || is_complete(at, 2))?;
    found.split('=').next()
}

/// The arguments of an error, as typed: `--seed` of `--seed <SEED>`, SHAPE of `<SHAPE>`.
fn culprits(error: &clap::Error, kind: ContextKind) -> String {
    let is_missing = error.kind() == ErrorKind::MissingRequiredArgument;
    let typed = strings(error, kind).into_iter().map(|text| match text.split_once(' ') {
        Some((option, value)) if is_missing => format!("{option} {}", value.replace(['<', '>'], "")),
        Some((option, _)) => option.into(),
        None => text.replace(['<', '>'], ""),
    });
    typed.collect::<Vec<_>>().join(", ")
}

fn strings(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}

/// The parser's suggestion, if it is near enough to the word.
fn near(error: &clap::Error, word: &str, kind: ContextKind) -> String {
    let bare = word.trim_start_matches('-');
    let suggested = strings(error, kind);
    let found = suggested.iter().find(|other| nearest(bare, [other.trim_start_matches('-')]).is_some());
    found.map_or_else(String::new, |word| format!("; did you mean `{word}`?"))
}

/// The parser's own message without the usage.
fn first_lines(error: &clap::Error) -> String {
    let text = error.to_string();
    let lines =
        text.lines().take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"));
    let joined = lines.map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    joined.strip_prefix("error: ").unwrap_or(&joined).to_string()
}
