//! The program: exit status, and the one place where an error is printed.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use fanin::text::escape;

/// Usage, input or output: it could not be done.
const COULD_NOT: u8 = 2;
/// The reader went away, so the data is not whole: what a shell shows of a program that died of SIGPIPE.
const READER_GONE: u8 = 128 + 13;
/// The longest error message, in characters; an argument in it may be longer than any screen.
const LONGEST: usize = 1000;

fn main() -> ExitCode {
    let Err(error) = fanin::cli::run(std::env::args_os()) else {
        return ExitCode::SUCCESS;
    };
    let gone = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
    };
    if error.chain().any(gone) {
        return ExitCode::from(READER_GONE);
    }
    let message = escape(&format!("{error:#}"));
    let shown = match message.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}...", &message[..cut]),
        None => message,
    };
    // Not `eprintln!`, which panics where standard error is closed or full.
    let _ = writeln!(io::stderr(), "fanin: {shown}");
    ExitCode::from(COULD_NOT)
}
