//! The only place that prints an error, with the exit status of its kind.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use anyhow::Error;

use super::colour::{ERROR, coloured};
use super::usage::UsageError;
use crate::passing::may_pass;
use crate::text::{escape, one_line};

/// Bad usage, or input or output failed.
const COULD_NOT: u8 = 2;
/// A failure that may be temporary: `EX_TEMPFAIL` of sysexits.h.
const MAY_PASS: u8 = 75;
/// The reader closed its pipe, so the data is incomplete: the status that a shell shows for SIGPIPE.
const READER_GONE: u8 = 128 + 13;
/// The longest error message, in characters; an argument in it may be longer than any screen.
const LONGEST: usize = 1000;
/// The longest quotation in an error message, in characters.
const LONGEST_QUOTE: usize = 200;

/// Prints an error on one line, with the usage below it if the command line could not be parsed.
pub(super) fn report(error: &Error) -> ExitCode {
    let gone = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
    };
    if error.chain().any(gone) {
        return ExitCode::from(READER_GONE);
    }
    let message = shortened(&escape(&one_line(error)));
    let usage = error.downcast_ref().map_or("", |UsageError { usage, .. }| usage);
    let text = coloured(&format!("{ERROR}fanin:{ERROR:#} {message}\n{usage}"), &io::stderr());
    // One write, so that lines of several processes do not mix; not `eprint!`, which panics if standard error is closed or full.
    let _ = io::stderr().write_all(text.as_bytes());
    ExitCode::from(if may_pass(error) { MAY_PASS } else { COULD_NOT })
}

/// A message of at most [`LONGEST`] characters, with at most [`LONGEST_QUOTE`] between two backticks.
fn shortened(message: &str) -> String {
    let pieces = message.split('`').enumerate();
    let pieces =
        pieces.map(|(number, piece)| if number % 2 == 1 { abridged(piece, LONGEST_QUOTE) } else { piece.into() });
    abridged(&pieces.collect::<Vec<_>>().join("`"), LONGEST)
}

/// The text, without its middle if it has more than `most` characters: the culprit comes first and the fix last.
fn abridged(text: &str, most: usize) -> String {
    let middle = text.chars().count().saturating_sub(most);
    if middle == 0 {
        return text.into();
    }
    let mut characters = text.chars();
    let head: String = characters.by_ref().take(most / 2).collect();
    format!("{head}...{}", characters.skip(middle).collect::<String>())
}
