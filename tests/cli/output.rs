//! Outputs: a file is complete or absent, a stream is no file, and reports do not mix with data.

use std::fs;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;

use fanin::format::FORMATS;
use serde_json::Value;

use crate::common::{Ended, FANIN, Folder, Running, has};

#[test]
fn json_reports_are_visible_characters_that_mean_the_same() {
    let folder = Folder::new();
    let name = "a\u{202e}b\u{9b}2J\u{7f}\u{feff}\u{ffff}";
    fs::create_dir(folder.join(name)).unwrap();
    let file = format!("{name}/w.safetensors");
    for line in [
        format!("init normal 3 --json --sha256 -o {file}"),
        format!("init normal 3 --json --dry-run -o {file}"),
        format!("init normal 3 --json --resume -o {file}"),
    ] {
        let message = String::from_utf8(folder.done(&line)).unwrap();
        assert!(message.trim_end().chars().all(fanin::is_visible), "{line}: {message}");
        let report: Value = serde_json::from_str(&message).unwrap();
        let files = [&report["files"], &report["skipped"]].into_iter().filter_map(Value::as_array).flatten();
        assert!(files.filter_map(Value::as_str).any(|message| message == file), "{line}");
    }
    // The names of tensors in the files of strangers.
    let header = "{\"x\u{202e}y\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}";
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[7]].concat();
    folder.write("stranger.safetensors", bytes);
    for line in ["inspect stranger.safetensors --json", "verify stranger.safetensors --json --distribution normal"] {
        let ended = folder.shell(&format!("\"{FANIN}\" {line}"));
        let message = String::from_utf8_lossy(&ended.stdout);
        assert!(message.trim_end().chars().all(fanin::is_visible), "{line}: {message}");
    }
}

#[test]
fn an_existing_file_is_refused_and_left_as_it_is() {
    let folder = Folder::new();
    for format in FORMATS {
        let file = format!("w.{}", format.name);
        folder.write(&file, "old");
        let before = folder.contents();
        let ended = Ended::of(&mut folder.fanin(&format!("init normal 3 -o {file}")));
        assert!(ended.is_refusal() && ended.stderr.contains("--force"), "{}", ended.stderr);
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
fn another_link_to_the_old_file_keeps_the_old_content() {
    let folder = Folder::new();
    folder.write("w.npy", "old");
    fs::hard_link(folder.join("w.npy"), folder.join("other")).unwrap();
    folder.done("init normal 3 -q --force -o w.npy");
    assert_eq!(folder.read("other"), b"old");
}

#[test]
fn a_symbolic_link_is_followed_and_stays() {
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
        assert!(full.is_temporary_failure() && full.stderr.contains("No space left"), "{}", full.stderr);
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
fn a_manifest_is_written_as_safely_as_its_raw_values_and_never_for_a_stream() {
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
    assert!(ended.is_refusal() && ended.stderr.contains("`new.raw.json`"), "{}", ended.stderr);
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
    let start = |seed: &str| {
        let mut command = folder.fanin(line);
        Running::start(command.args(["--seed", seed]))
    };
    [start("1"), start("2")].map(Running::ended)
}

#[test]
fn a_temporary_file_of_a_dead_process_is_neither_in_the_way_nor_removed() {
    let folder = Folder::new();
    folder.write("w.npy", "old");
    let ended = folder.shell("touch .w.npy.$$.tmp; exec \"$FANIN\" init normal 3 -q --force -o w.npy");
    assert_eq!((ended.status, ended.stderr.as_str()), (0, ""));
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
    assert!(again.is_refusal() && again.stderr.contains("`out/deep/a.npy`"), "{}", again.stderr);
    assert!(!folder.join("out/deep/new.npy").exists(), "none is written where one is refused");
    folder.done("init normal new=3 a=4 -q --force -o out/deep/");
}

#[test]
fn the_report_goes_to_standard_error_and_quiet_silences_it() {
    let folder = Folder::new();
    let ended = Ended::of(&mut folder.fanin("init he-normal 30x20 -o w.npy"));
    assert!(ended.stdout.is_empty());
    for word in ["weight=30x20", "fan_in 30", "std 0.258199", "wrote w.npy", "seed 0"] {
        assert!(ended.stderr.contains(word), "no {word:?} in {:?}", ended.stderr);
    }
    let stream = Ended::of(&mut folder.fanin("init he-normal 30x20"));
    assert_eq!(stream.stdout, folder.read("w.npy"));
    assert!(stream.stderr.contains("standard output"), "{}", stream.stderr);
    for quiet in ["-q", "--quiet"] {
        let ended = Ended::of(&mut folder.fanin(&format!("init he-normal 30x20 --force -o w.npy {quiet}")));
        assert!(ended.stdout.is_empty() && ended.stderr.is_empty(), "{ended:?}");
    }
}

#[test]
fn the_json_report_goes_to_standard_output_unless_the_data_does() {
    let folder = Folder::new();
    let is_report = |text: &[u8]| {
        let report: Value = serde_json::from_slice(text).unwrap();
        assert_eq!(report["tensors"][0]["fan_in"], 30, "{report}");
    };
    let file = Ended::of(&mut folder.fanin("init he-normal 30x20 --json -o w.npy"));
    is_report(&file.stdout);
    assert_eq!(file.stderr, "");
    for quiet in ["", "-q"] {
        let stream = Ended::of(&mut folder.fanin(&format!("init he-normal 30x20 --json {quiet}")));
        is_report(stream.stderr.as_bytes());
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
    assert!(!folder.shell(&line("")).stderr.contains("of 1.00 MiB, "));
}
