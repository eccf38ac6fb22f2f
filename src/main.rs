//! The program: exit status, and the one place where an error is printed.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;
use std::sync::Arc;

use fanin::cli::Outcome;
use fanin::passing::may_pass;
use fanin::text::escape;

/// A comparison found a difference.
const DIFFERENT: u8 = 1;
/// Usage, input or output: it could not be done.
const COULD_NOT: u8 = 2;
/// It could not be done now, and another try may succeed: `EX_TEMPFAIL` of sysexits.h.
const MAY_PASS: u8 = 75;
/// The reader went away, so the data is not whole: what a shell shows of a program that died of SIGPIPE.
const READER_GONE: u8 = 128 + 13;
/// The longest error message, in characters; an argument in it may be longer than any screen.
const LONGEST: usize = 1000;

fn main() -> ExitCode {
    // Without a handler, a file that grows beyond `ulimit -f` ends the program without a word; with one, the write fails.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
    let error = match fanin::cli::run(std::env::args_os()) {
        Ok(Outcome::Done) => return ExitCode::SUCCESS,
        Ok(Outcome::Different) => return ExitCode::from(DIFFERENT),
        Err(error) => error,
    };
    let gone = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
    };
    if error.chain().any(gone) {
        return ExitCode::from(READER_GONE);
    }
    let message = shortened(escape(&format!("{error:#}")));
    let line = format!("fanin: {message}\n");
    // One write, so that lines of several processes do not mix; not `eprint!`, which panics if standard error is closed or full.
    let _ = io::stderr().write_all(line.as_bytes());
    ExitCode::from(if may_pass(&error) { MAY_PASS } else { COULD_NOT })
}

/// A message of at most [`LONGEST`] characters: its middle is left out, since the culprit stands first and what is allowed last.
fn shortened(message: String) -> String {
    let middle = message.chars().count().saturating_sub(LONGEST);
    if middle == 0 {
        return message;
    }
    let mut characters = message.chars();
    let head: String = characters.by_ref().take(LONGEST / 2).collect();
    format!("{head}...{}", characters.skip(middle).collect::<String>())
}
