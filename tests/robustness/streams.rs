//! Full disks, closed streams and readers that go away.

use std::fs;

use fanin::format::FORMATS;

use crate::common::{Folder, Running, skipped};

#[test]
fn a_full_disk_leaves_what_was_there() {
    let folder = Folder::new();
    fs::create_dir(folder.join("disk")).unwrap();
    // In a mount namespace of its own the small disk goes away with the shell.
    let mount = "mount -t tmpfs -o size=64k none disk";
    if folder.shell(&format!("unshare -m sh -c '{mount}'")).status != 0 {
        skipped("a full disk: no tmpfs may be mounted here");
        return;
    }
    for format in FORMATS {
        for old in ["true", "echo old > disk/w"] {
            let init = format!("init normal 200x200 --force -o disk/w --format {}", format.name);
            let script = format!("{mount}; {old}; \"$FANIN\" {init}; echo $?; ls -A disk; cat disk/*");
            let ended = folder.shell(&format!("unshare -m sh -c '{script}' 2>&1"));
            let expected = if old == "true" { "75\ncat" } else { "75\nw\nold" };
            let said = String::from_utf8_lossy(&ended.stdout).into_owned();
            let (line, rest) = said.split_once('\n').unwrap();
            assert!(line.starts_with("fanin: `disk/w`: ") && line.contains("No space left"), "{init}: {line}");
            assert!(rest.starts_with(expected), "{init}: {rest}");
        }
    }
}

#[test]
fn a_file_too_large_for_the_limit_leaves_nothing() {
    let folder = Folder::new();
    for format in FORMATS {
        // The limit counts blocks of 512 bytes.
        let init = format!("init normal 200x200 -o w --format {}", format.name);
        for trap in ["", "trap '' XFSZ;"] {
            let ended = folder.shell(&format!("{trap} ulimit -f 64; exec \"$FANIN\" {init}"));
            assert!(ended.is_refusal() && ended.stderr.contains("File too large"), "{init}: {ended:?}");
            assert!(folder.names().is_empty());
        }
        let stream = init.replace("-o w", "");
        let ended = folder.shell(&format!("ulimit -f 64; exec \"$FANIN\" {stream} >stream"));
        assert!(ended.is_refusal() && ended.stderr.contains("File too large"), "{stream}: {ended:?}");
        fs::remove_file(folder.join("stream")).unwrap();
    }
}

/// Lines that write to every stream, and whether each writes to standard output.
const LINES: &[(&str, bool)] = &[
    ("init normal 3x3", true),
    ("init normal 3x3 --format json", true),
    ("init normal 3x3 --json", true),
    ("init normal 3x3 -o new.npy --force", false),
    ("init normal 3x3 -o new.npy --force --json", true),
    ("init nromal 3x3", false),
    ("", true),
    ("--help", true),
    ("--version", true),
    ("init --help", true),
    ("list schemes", true),
    ("list schemes --markdown", true),
    ("explain he-normal", true),
    ("completions zsh", true),
    ("man", true),
    ("frobnicate", false),
];

#[test]
fn closed_streams_make_no_line_panic() {
    let folder = Folder::new();
    for (line, _) in LINES {
        for closed in ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"] {
            let ended = folder.shell(&format!("exec \"$FANIN\" {line} {closed}"));
            assert!(ended.is_orderly(), "fanin {line} {closed}: {ended:?}");
        }
    }
}

#[test]
fn a_full_standard_output_is_an_error_and_a_full_standard_error_is_not() {
    let folder = Folder::new();
    for &(line, writes) in LINES {
        let full = folder.shell(&format!("exec \"$FANIN\" {line} >/dev/full"));
        let message = full.stderr.lines().last().unwrap_or_default();
        assert!(!writes || full.status == 75 && message.starts_with("fanin: "), "fanin {line} >/dev/full: {full:?}");
        let ended = folder.shell(&format!("exec \"$FANIN\" {line} 2>/dev/full"));
        assert!(ended.is_orderly(), "fanin {line} 2>/dev/full: {ended:?}");
    }
    let ended = folder.shell("exec \"$FANIN\" init normal 3 --force -o whole.npy 2>/dev/full");
    assert_eq!((ended.status, folder.read("whole.npy")), (0, folder.done("init normal 3 -q")));
}

#[test]
fn a_closed_pipe_ends_the_program_silently_with_status_141() {
    let folder = Folder::new();
    for format in FORMATS {
        for threads in [1, 2, 3, 7] {
            for taken in [0, 1, 100, 4096, 65536] {
                let line = format!("init uniform 800x800 -q --format {} --threads {threads}", format.name);
                let mut running = Running::start(&mut folder.fanin(&line));
                let mut reader = std::io::Read::take(running.child.stdout.take().unwrap(), taken);
                std::io::copy(&mut reader, &mut std::io::sink()).unwrap();
                drop(reader);
                let ended = running.ended();
                assert_eq!((ended.status, ended.stderr.as_str()), (141, ""), "{line}, {taken} bytes taken");
            }
        }
    }
}
