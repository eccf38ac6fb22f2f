//! Where the bytes go: a file is there whole or not at all, a stream is told from a file, and talk stays apart from data.

mod common;
mod overlap;

use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use common::{Ended, FANIN, Folder, TIME, has, peak_memory, skipped, status};
use fanin::writer::FORMATS;
use serde_json::Value;

#[test]
fn an_existing_file_is_refused_and_left_as_it_is() {
    let folder = Folder::new();
    for format in FORMATS {
        let file = format!("w.{}", format.name);
        folder.write(&file, "old");
        let before = folder.contents();
        let ended = Ended::of(&mut folder.fanin(&format!("init normal 3 -o {file}")));
        assert!(ended.is_refusal() && ended.told.contains("--force"), "{}", ended.told);
        assert_eq!(folder.contents(), before);
    }
}

#[test]
fn force_replaces_a_file_and_keeps_its_mode() {
    let folder = Folder::new();
    for format in FORMATS {
        let file = format!("w.{}", format.name);
        folder.write(&file, "old");
        // Whose program it runs as is no matter of a file's name.
        folder.shell(&format!("chmod 7640 {file}"));
        folder.done(&format!("init normal 3 -q --force -o {file}"));
        let fresh = folder.done(&format!("init normal 3 -q --format {}", format.name));
        assert_eq!((folder.read(&file), folder.mode(&file)), (fresh, 0o640), "{file}");
    }
    let others = folder.names().into_iter().filter(|name| !name.ends_with(".raw.json"));
    assert_eq!(others.count(), FORMATS.len(), "nothing is left beside the files but a manifest");
}

#[test]
fn a_name_of_the_old_file_elsewhere_keeps_the_old_content() {
    let folder = Folder::new();
    folder.write("w.npy", "old");
    fs::hard_link(folder.join("w.npy"), folder.join("other")).unwrap();
    folder.done("init normal 3 -q --force -o w.npy");
    assert_eq!(folder.read("other"), b"old");
}

#[test]
fn a_symbolic_link_is_followed_and_kept() {
    let folder = Folder::new();
    fs::create_dir(folder.join("store")).unwrap();
    folder.write("store/real.npy", "old");
    symlink("store/real.npy", folder.join("w.npy")).unwrap();
    assert!(Ended::of(&mut folder.fanin("init normal 3 -o w.npy")).is_refusal());
    folder.done("init normal 3 -q --force -o w.npy");
    assert_eq!(fs::read_link(folder.join("w.npy")).unwrap(), Path::new("store/real.npy"));
    assert_eq!(folder.read("store/real.npy"), folder.done("init normal 3 -q"));
}

#[test]
fn a_device_is_written_and_not_replaced() {
    let folder = Folder::new();
    for flag in ["", "--force"] {
        folder.done(&format!("init normal 3 -q -o /dev/null --format npy {flag}"));
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        let full = Ended::of(&mut folder.fanin(&format!("init normal 3 -o /dev/full --format npy {flag}")));
        assert!(full.is_temporary_failure() && full.told.contains("No space left"), "{}", full.told);
        assert!(fs::metadata("/dev/full").unwrap().file_type().is_char_device());
    }
}

#[test]
fn a_named_pipe_gets_the_bytes_of_the_file() {
    let folder = Folder::new();
    for format in FORMATS {
        let pipe = format!("pipe.{}", format.name);
        let init = format!("init normal 300x300 -q -o {pipe}");
        let ended = folder.shell(&format!("mkfifo {pipe}; {{ \"$FANIN\" {init} & }}; cat {pipe}"));
        assert_eq!(ended.stdout, folder.done(&format!("init normal 300x300 -q --format {}", format.name)), "{pipe}");
        assert!(fs::metadata(folder.join(&pipe)).unwrap().file_type().is_fifo());
    }
}

#[test]
fn a_new_file_has_the_mode_that_the_umask_leaves() {
    let folder = Folder::new();
    for (umask, mode) in [("000", 0o666), ("022", 0o644), ("027", 0o640), ("077", 0o600)] {
        for format in FORMATS {
            let file = format!("{umask}.{}", format.name);
            folder.shell(&format!("umask {umask}; \"$FANIN\" init normal 3 -q -o {file}"));
            assert_eq!(folder.mode(&file), mode, "{file}");
            folder.shell(&format!("umask {umask}; \"$FANIN\" init normal 3 -q -o {umask}/ --format {}", format.name));
            assert_eq!(folder.mode(&format!("{umask}/weight.{}", format.name)), mode, "{file}");
        }
    }
}

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
            assert!(ended.is_refusal() && ended.told.contains("File too large"), "{init}: {ended:?}");
            assert!(folder.names().is_empty());
        }
        let stream = init.replace("-o w", "");
        let ended = folder.shell(&format!("ulimit -f 64; exec \"$FANIN\" {stream} >stream"));
        assert!(ended.is_refusal() && ended.told.contains("File too large"), "{stream}: {ended:?}");
        fs::remove_file(folder.join("stream")).unwrap();
    }
}

#[test]
fn a_manifest_is_written_beside_raw_values_with_the_same_care_and_never_beside_a_stream() {
    let folder = Folder::new();
    folder.done("init normal 3 a=4 -q -o w.raw");
    assert_eq!(folder.names(), ["w.raw", "w.raw.json"]);
    let manifest: Value = serde_json::from_slice(&folder.read("w.raw.json")).unwrap();
    assert_eq!(manifest["tensors"]["a"]["offset"], 64);
    assert_eq!(manifest["fanin"]["seed"], "0");
    folder.done("init normal 3 -q -o values --format raw");
    assert_eq!(folder.names(), ["values", "values.json", "w.raw", "w.raw.json"]);
    let before = folder.contents();
    folder.write("new.raw.json", "old");
    let ended = Ended::of(&mut folder.fanin("init normal 3 -o new.raw"));
    assert!(ended.is_refusal() && ended.told.contains("`new.raw.json`"), "{}", ended.told);
    assert!(!folder.join("new.raw").exists(), "no values are written where their manifest cannot be");
    folder.done("init normal 3 -q --force -o new.raw");
    assert!(folder.read("new.raw.json").starts_with(br#"{"format":"raw","#));
    fs::remove_file(folder.join("new.raw")).unwrap();
    fs::remove_file(folder.join("new.raw.json")).unwrap();
    folder.done("init normal 3 -q -o /dev/null --format raw");
    folder.shell("mkfifo p.raw; { \"$FANIN\" init normal 3 -q -o p.raw & }; cat p.raw >/dev/null; wait; rm p.raw");
    assert_eq!(folder.contents(), before);
    assert!(!Path::new("/dev/null.json").exists());
}

#[test]
fn of_two_processes_for_one_target_exactly_one_wins() {
    let folder = Folder::new();
    let [one, two] = [1, 2].map(|seed| folder.done(&format!("init normal 100x100 -q --seed {seed}")));
    for round in 0..20 {
        let ended = at_once(&folder, &format!("init normal 100x100 -q -o {round}.npy"));
        let won: Vec<bool> = ended.iter().map(|ended| ended.status == 0).collect();
        assert_eq!(won.iter().filter(|&&won| won).count(), 1, "round {round}: {ended:?}");
        assert!(ended.iter().all(|ended| ended.status == 0 || ended.is_refusal()), "round {round}: {ended:?}");
        assert_eq!(folder.read(&format!("{round}.npy")), if won[0] { &one[..] } else { &two[..] });
    }
    assert_eq!(folder.names().len(), 20, "nothing is left beside the files");
}

#[test]
fn of_two_processes_that_may_replace_both_succeed_and_one_is_last() {
    let folder = Folder::new();
    let files = [1, 2].map(|seed| folder.done(&format!("init normal 100x100 -q --seed {seed}")));
    for round in 0..20 {
        let ended = at_once(&folder, &format!("init normal 100x100 -q --force -o {round}.npy"));
        assert!(ended.iter().all(|ended| ended.status == 0), "round {round}: {ended:?}");
        assert!(files.contains(&folder.read(&format!("{round}.npy"))));
    }
    assert_eq!(folder.names().len(), 20, "nothing is left beside the files");
}

/// Runs a line twice at the same time, with seeds 1 and 2.
fn at_once(folder: &Folder, line: &str) -> [Ended; 2] {
    let start = |seed: &str| -> Child {
        let mut command = folder.fanin(line);
        command.args(["--seed", seed]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    [start("1"), start("2")].map(|child| child.wait_with_output().unwrap().into())
}

#[test]
fn a_temporary_file_of_a_dead_process_is_neither_in_the_way_nor_removed() {
    let folder = Folder::new();
    folder.write("w.npy", "old");
    let ended = folder.shell("touch .w.npy.$$.tmp; exec \"$FANIN\" init normal 3 -q --force -o w.npy");
    assert_eq!((ended.status, ended.told.as_str()), (0, ""));
    assert_eq!(folder.names().len(), 2);
}

#[test]
fn the_same_bytes_are_written_to_a_file_to_a_stream_and_without_sync() {
    let folder = Folder::new();
    for format in FORMATS {
        let init = format!("init he-normal 100x300 -q --format {}", format.name);
        let stream = folder.done(&init);
        folder.done(&format!("{init} -o synced"));
        folder.done(&format!("{init} -o unsynced --no-fsync"));
        folder.done(&format!("{init} -o - --threads 7"));
        assert_eq!(folder.read("synced"), stream, "{}", format.name);
        assert_eq!(folder.read("unsynced"), stream, "{}", format.name);
        assert_eq!(folder.done(&format!("{init} -o -")), stream, "{}", format.name);
        fs::remove_file(folder.join("synced")).unwrap();
        fs::remove_file(folder.join("unsynced")).unwrap();
    }
}

#[test]
fn a_folder_gets_one_file_for_each_tensor() {
    let folder = Folder::new();
    for format in FORMATS {
        folder.done(&format!("init normal 3 a=4 b/c=5 -q -o out/deep/ --format {}", format.name));
        let [weight, a, c] =
            ["weight", "a", "b/c"].map(|name| folder.read(&format!("out/deep/{name}.{}", format.name)));
        for (file, tensor) in [(weight, "weight=3"), (a, "a=4"), (c, "b/c=5")] {
            assert_eq!(file, folder.done(&format!("init normal {tensor} -q --format {}", format.name)), "{tensor}");
        }
    }
    let again = Ended::of(&mut folder.fanin("init normal new=3 a=4 -o out/deep/"));
    assert!(again.is_refusal() && again.told.contains("`out/deep/a.npy`"), "{}", again.told);
    assert!(!folder.join("out/deep/new.npy").exists(), "none is written where one is refused");
    folder.done("init normal new=3 a=4 -q --force -o out/deep/");
}

#[test]
fn the_report_goes_to_standard_error_and_quiet_silences_it() {
    let folder = Folder::new();
    let ended = Ended::of(&mut folder.fanin("init he-normal 30x20 -o w.npy"));
    assert!(ended.stdout.is_empty());
    for word in ["weight=30x20", "fan_in 30", "std 0.258199", "wrote w.npy", "seed 0"] {
        assert!(ended.told.contains(word), "no {word:?} in {:?}", ended.told);
    }
    let stream = Ended::of(&mut folder.fanin("init he-normal 30x20"));
    assert_eq!(stream.stdout, folder.read("w.npy"));
    assert!(stream.told.contains("standard output"), "{}", stream.told);
    for quiet in ["-q", "--quiet"] {
        let ended = Ended::of(&mut folder.fanin(&format!("init he-normal 30x20 --force -o w.npy {quiet}")));
        assert!(ended.stdout.is_empty() && ended.told.is_empty(), "{ended:?}");
    }
}

#[test]
fn the_report_for_machines_goes_to_standard_output_unless_the_data_is_there() {
    let folder = Folder::new();
    let is_report = |text: &[u8]| {
        let report: Value = serde_json::from_slice(text).unwrap();
        assert_eq!(report["tensors"][0]["fan_in"], 30, "{report}");
    };
    let file = Ended::of(&mut folder.fanin("init he-normal 30x20 --json -o w.npy"));
    is_report(&file.stdout);
    assert_eq!(file.told, "");
    for quiet in ["", "-q"] {
        let stream = Ended::of(&mut folder.fanin(&format!("init he-normal 30x20 --json {quiet}")));
        is_report(stream.told.as_bytes());
        assert_eq!(stream.stdout, folder.read("w.npy"));
    }
}

#[test]
fn a_progress_bar_is_shown_at_a_terminal_and_nowhere_else() {
    if !has("script", "the progress bar at a terminal") {
        return;
    }
    let folder = Folder::new();
    // A reader that lets it wait makes the work take long enough on any machine.
    let line = |quiet| format!("\"$FANIN\" init normal 512x512 {quiet} | (sleep 1; cat >/dev/null)");
    let at_terminal = folder.shell(&format!("script -qec '{}' /dev/null", line("")));
    assert!(String::from_utf8_lossy(&at_terminal.stdout).contains("of 1.00 MiB, "), "{at_terminal:?}");
    let quiet = folder.shell(&format!("script -qec '{}' /dev/null", line("-q")));
    assert!(quiet.stdout.is_empty(), "{quiet:?}");
    assert!(!folder.shell(&line("")).told.contains("of 1.00 MiB, "));
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
fn a_full_standard_output_is_told_and_a_full_standard_error_is_not_minded() {
    let folder = Folder::new();
    for &(line, writes) in LINES {
        let full = folder.shell(&format!("exec \"$FANIN\" {line} >/dev/full"));
        let told = full.told.lines().last().unwrap_or_default();
        assert!(!writes || full.status == 75 && told.starts_with("fanin: "), "fanin {line} >/dev/full: {full:?}");
        let ended = folder.shell(&format!("exec \"$FANIN\" {line} 2>/dev/full"));
        assert!(ended.is_orderly(), "fanin {line} 2>/dev/full: {ended:?}");
    }
    let ended = folder.shell("exec \"$FANIN\" init normal 3 --force -o whole.npy 2>/dev/full");
    assert_eq!((ended.status, folder.read("whole.npy")), (0, folder.done("init normal 3 -q")));
}

#[test]
fn a_reader_that_goes_away_ends_the_work_in_silence_with_status_141() {
    let folder = Folder::new();
    for format in FORMATS {
        for threads in [1, 2, 3, 7] {
            for taken in [0, 1, 100, 4096, 65536] {
                let line = format!("init uniform 800x800 -q --format {} --threads {threads}", format.name);
                let mut child = folder.fanin(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
                let mut reader = std::io::Read::take(child.stdout.take().unwrap(), taken);
                std::io::copy(&mut reader, &mut std::io::sink()).unwrap();
                drop(reader);
                let ended = Ended::from(child.wait_with_output().unwrap());
                assert_eq!((ended.status, ended.told.as_str()), (141, ""), "{line}, {taken} bytes taken");
            }
        }
    }
}

/// The most memory that a law of independent elements may take, however large the file.
const MOST_MEMORY: u64 = 64 << 20;

#[test]
fn a_large_file_is_written_in_little_memory() {
    if !Path::new(TIME).exists() {
        skipped("the memory of a large file: no GNU time");
        return;
    }
    let folder = Folder::new();
    // Two gigabytes of normals where a fast program is at hand; constants do for the others.
    let (program, init, size) = match std::env::var("FANIN_RELEASE") {
        Ok(program) => (program, "init normal 16384x32768", 2 << 30),
        Err(_) => (FANIN.to_string(), "init constant:0.5 --dtype f64 8192x4096", 256 << 20),
    };
    let memory = folder.join("memory");
    let measured = format!("{TIME} -q -f %M -o memory \"{program}\" {init} -q --no-fsync --format npy");
    let streamed = folder.shell(&format!("{measured} | wc -c"));
    assert_eq!(String::from_utf8_lossy(&streamed.stdout).trim(), (size + 128).to_string());
    let stream = peak_memory(&memory);
    folder.shell(&format!("{measured} -o large.npy"));
    assert_eq!(fs::metadata(folder.join("large.npy")).unwrap().len(), size + 128);
    let file = peak_memory(&memory);
    eprintln!("peak memory: {stream} bytes to a pipe, {file} to a file");
    assert!(stream.max(file) <= MOST_MEMORY, "{stream} bytes to a pipe, {file} to a file");
}

#[test]
fn what_a_framework_s_generator_draws_as_a_whole_is_counted_before_it_is_drawn() {
    /// What the program takes by itself, with its buffers.
    const OWN: u64 = 16 << 20;
    let (folder, measured) = (Folder::new(), Path::new(TIME).exists());
    for line in [
        "torch.orthogonal_ 20000x50 --like torch",
        "torch.orthogonal_ 50x20000 --like torch --dtype f64",
        "torch.orthogonal_ 700x700 --like torch",
        "torch.sparse_:sparsity=0.5 30000x50 --like torch --dtype f64",
        "orthogonal 50x20000 --like jax",
        "delta-orthogonal 3x3x300x300 --like jax",
        "orthogonal 20000x50 --like keras:jax",
        "orthogonal 50x20000 --like keras:tensorflow",
        "orthogonal 50x20000 --like keras:torch",
    ] {
        let told: serde_json::Value =
            serde_json::from_slice(&folder.done(&format!("init {line} --dry-run --json -o w.npy"))).unwrap();
        let needed = told["workspace_bytes"].as_u64().unwrap();
        assert!(needed >= 8_000_000, "{line}: {needed}");
        let below = Ended::of(&mut folder.fanin(&format!("init {line} -o w.npy --max-memory {}", needed - 1)));
        assert!(below.is_refusal() && below.told.contains("drawn as a whole"), "{line}: {}", below.told);
        let drawn = format!("\"{FANIN}\" init {line} -q --force -o w.npy --max-memory {needed}");
        if measured {
            let ended = folder.shell(&format!("{TIME} -q -f %M -o memory {drawn}"));
            assert_eq!(ended.status, 0, "{line}: {}", ended.told);
            let peak = peak_memory(&folder.join("memory"));
            assert!(peak <= needed + OWN, "{line}: {peak} bytes, and {needed} were counted");
        }
    }
    // A slice, and a tensor after it, take the whole as well.
    folder.done("init torch.orthogonal_ a=20000x50 b=1x1 --like torch -q -o both.npz");
    for line in
        ["init torch.orthogonal_ w=20000x50 --slice w=0:1 --like torch -o w.npy --force", "verify both.npz --tensor b"]
    {
        let ended = Ended::of(&mut folder.fanin(&format!("{line} --max-memory 1MiB")));
        assert!(ended.is_refusal() && ended.told.contains("drawn as a whole"), "{line}: {}", ended.told);
    }
}

#[test]
fn a_matrix_beyond_the_memory_of_the_system_is_refused_and_not_aborted() {
    if !has("prlimit", "a matrix beyond the memory of the system") {
        return;
    }
    let folder = Folder::new();
    let limited = |line: &str| {
        let mut command: Command = folder.command("prlimit");
        Ended::of(command.args(["--as=536870912", FANIN]).args(line.split_whitespace()))
    };
    let ended = limited("init orthogonal 20000x20000 --max-memory 1TiB -o w.npy");
    assert!(ended.is_refusal() && ended.told.contains("of memory"), "{}", ended.told);
    assert!(folder.names().is_empty());
    assert_eq!(limited("init orthogonal 20x20 -q -o w.npy").status, 0);
    assert_eq!(status(folder.fanin("init orthogonal 20x20 -q --force -o w.npy").status().unwrap()), 0);
}
