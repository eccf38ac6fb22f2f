//! Bad command lines: each is refused with status 2 and one line that names the culprit and what is allowed, in little
//! memory, with nothing on standard output and nothing made or changed.

mod parameters;
mod tensors;
mod words;

use std::ffi::OsString;
use std::path::Path;
use std::time::Instant;

use crate::common::{Ended, FANIN, Folder, TIME, peak_memory, skipped};

/// The most memory that a refusal may take.
const MOST_MEMORY: u64 = 32 << 20;

/// A command line without quotes, and words that the refusal must hold.
type Case<'a> = (&'a str, &'a [&'a str]);

#[track_caller]
pub(crate) fn all_refused(cases: &[Case]) {
    let lines: Vec<_> = cases
        .iter()
        .map(|&(line, words)| (line.split_whitespace().map(OsString::from).collect::<Vec<_>>(), words))
        .collect();
    all_lines_refused(&lines);
}

#[track_caller]
pub(crate) fn all_lines_refused(cases: &[(Vec<OsString>, &[&str])]) {
    let folder = workplace();
    let measured = Path::new(TIME).exists();
    if !measured {
        skipped("the memory of refusals: no GNU time");
    }
    let mut times = Vec::with_capacity(cases.len());
    let mut faults = Vec::new();
    for (arguments, words) in cases {
        let started = Instant::now();
        faults.extend(fault(&folder, arguments, words, measured));
        times.push(started.elapsed());
    }
    times.sort();
    // For a reader only: how long a run takes says more of the machine than of the program.
    eprintln!("{} refusals, median {:?}", times.len(), times[times.len() / 2]);
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), cases.len(), faults.join("\n"));
}

/// A folder with what a target may run into.
fn workplace() -> Folder {
    let folder = Folder::new();
    folder.write("kept.npy", "trained for a week");
    std::fs::create_dir(folder.join("folder.npy")).unwrap();
    std::fs::create_dir(folder.join("out")).unwrap();
    folder.write("out/weight.npy", "trained for a week");
    std::os::unix::fs::symlink("nowhere", folder.join("dangling.npy")).unwrap();
    std::os::unix::fs::symlink("loop.npy", folder.join("loop.npy")).unwrap();
    folder.done("init normal 6x4 --layout torch -o base.npy");
    folder.done("init normal a=6x4 b=8 -o two.safetensors");
    folder.done("init normal 2x6x4 -o three.npy");
    folder
}

/// What is wrong with the way in which a command line is refused, if anything is.
fn fault(folder: &Folder, arguments: &[OsString], words: &[&str], measured: bool) -> Option<String> {
    let scratch = Folder::new();
    let memory = scratch.join("memory");
    let mut command = folder.command(if measured { TIME } else { FANIN });
    if measured {
        command.args(["-q", "-f", "%M", "-o"]).arg(&memory).arg(FANIN);
    }
    let before = folder.contents();
    let ended = Ended::of(command.args(arguments));

    let missing = words.iter().find(|word| !ended.stderr.contains(**word));
    let fault = if !ended.is_refusal() {
        format!("status {} and {:?}", ended.status, ended.stderr)
    } else if !ended.stdout.is_empty() {
        format!("wrote {} bytes to standard output", ended.stdout.len())
    } else if let Some(word) = missing {
        format!("does not say {word:?}: {:?}", ended.stderr)
    } else if folder.contents() != before {
        "changed the folder".into()
    } else if measured && peak_memory(&memory) > MOST_MEMORY {
        format!("took {} bytes of memory", peak_memory(&memory))
    } else {
        return None;
    };
    let shown = arguments.iter().map(|argument| argument.display().to_string().chars().take(60).collect());
    Some(format!("fanin {}: {fault}", shown.collect::<Vec<String>>().join(" ")))
}
