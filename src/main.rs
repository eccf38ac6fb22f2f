//! The program.

use std::process::ExitCode;

fn main() -> ExitCode {
    fanin::run(std::env::args_os())
}
