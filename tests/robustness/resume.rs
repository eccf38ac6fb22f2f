//! A run that was killed anywhere goes on, by the same command with `--resume`, to the same weights, log and picture.

use std::collections::HashMap;
use std::fs;

use crate::common::{Ended, FANIN, Folder, has};

/// The calls that change files; a kill before a sync leaves the same as one before the call after it.
const CALLS: &str = "write,pwrite64,linkat,rename,renameat2,unlink,ftruncate,fchmod,fallocate";

/// Runs whose outputs have every form: the format of the weights, and options beside.
const RUNS: &[(&str, &str)] = &[
    ("rbm 3-2-2 --epochs 2 --validation 0.2 --log l.jsonl --plot p.svg", "w.npz"),
    ("rbm 3-2 --epochs 2 --persistent --plot p.svg --sha256", "w.raw"),
    ("dae 3-2 --epochs 2 --momentum 0.5 --log l.jsonl", "w.json"),
    ("kmeans 3-2-2 --epochs 2 --log l.jsonl --plot p.png --sha256", "w.safetensors"),
    ("lsuv 3-2-2 --epochs 2 --log l.jsonl --plot p.svg", "w.pt"),
];

fn folder() -> Folder {
    let folder = Folder::new();
    folder.done("init uniform:low=0,high=1 30x3 -q -o x.npy");
    folder
}

fn line(run: &(&str, &str)) -> String {
    format!("pretrain {} --data x.npy --checkpoint-every 1 --threads 1 -q -o {}", run.0, run.1)
}

/// The names and contents of a folder, without what may differ: the seconds of a log, files that a kill left under a temporary name.
fn outcome(folder: &Folder) -> HashMap<String, String> {
    let names = folder.names().into_iter().filter(|name| !name.starts_with('.'));
    let content = |name: &str| match name {
        "l.jsonl" => format!("{:?}", lines(folder, name)),
        _ => format!("{:?}", folder.read(name)),
    };
    names.map(|name| (name.clone(), content(&name))).collect()
}

/// The objects of a log without their seconds.
fn lines(folder: &Folder, name: &str) -> Vec<serde_json::Value> {
    let text = String::from_utf8(folder.read(name)).unwrap();
    let parse = |line| {
        let mut line: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        assert!(line["seconds"].take().is_number(), "{line}");
        line
    };
    assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
    text.lines().map(parse).collect()
}

fn traced(folder: &Folder, line: &str, log: &str, injected: Option<&str>) -> Ended {
    let mut command = folder.command("strace");
    command.args(["-f", "-qq", "-o", log, "-e", &format!("trace={CALLS}")]);
    if let Some(injected) = injected {
        command.args(["-e", &format!("inject={injected}")]);
    }
    Ended::of(command.arg(FANIN).args(line.split(' ')))
}

/// The faults that kill a command before each of its calls: strace counts those of a name in each thread.
fn kills(prepared: &Folder, line: &str) -> Vec<String> {
    let scratch = Folder::new();
    let log = scratch.join("log");
    let ended = traced(prepared, line, log.to_str().unwrap(), None);
    assert_eq!(ended.status, 0, "{line}: {ended:?}");
    let mut counts: HashMap<(String, String), usize> = HashMap::new();
    for call in fs::read_to_string(log).unwrap().lines() {
        let (thread, call) = call.split_once(' ').unwrap();
        if let Some((name, _)) = call.trim().split_once('(') {
            *counts.entry((name.into(), thread.into())).or_default() += 1;
        }
    }
    let mut most: HashMap<String, usize> = HashMap::new();
    for ((name, _), count) in counts {
        let most = most.entry(name).or_default();
        *most = count.max(*most);
    }
    let of_name = |(name, most): (String, usize)| (1..=most).map(move |n| format!("{name}:signal=KILL:when={n}"));
    most.into_iter().flat_map(of_name).collect()
}

/// Kills a command before each call that changes files, in copies of a folder, and goes on by `resumed` to the `whole` outcome.
fn sweep(prepare: &dyn Fn() -> Folder, line: &str, resumed: &str, whole: &HashMap<String, String>) -> usize {
    let kills = kills(&prepare(), line);
    for kill in &kills {
        let folder = prepare();
        let ended = traced(&folder, line, "/dev/null", Some(kill));
        assert_eq!(ended.status, 137, "{line}, {kill}: {ended:?}");
        let at = format!("{line}, {kill}, which left {:?}", folder.names());
        let ended = Ended::of(&mut folder.fanin(resumed));
        assert_eq!(ended.status, 0, "{at}: {ended:?}");
        assert!(outcome(&folder) == *whole, "{at}: {:?} is another outcome than {:?}", outcome(&folder), whole);
    }
    kills.len()
}

#[test]
fn a_run_killed_anywhere_resumes_to_the_same_files() {
    if !has("strace", "kills of runs that learn") {
        return;
    }
    std::thread::scope(|scope| RUNS.iter().for_each(|run| drop(scope.spawn(|| killed_anywhere(&line(run))))));
}

fn killed_anywhere(line: &str) {
    let folder = folder();
    folder.done(line);
    let whole = outcome(&folder);
    assert!(!whole.keys().any(|name| name.ends_with(".checkpoint")), "{:?}", whole.keys());
    let resumed = format!("{line} --resume");
    let killed = sweep(&self::folder, line, &resumed, &whole);
    // The end of a run alone, when it goes on from its last checkpoint.
    let last = || {
        let folder = self::folder();
        let ended = traced(&folder, line, "/dev/null", Some("unlink:signal=KILL:when=1"));
        assert_eq!(ended.status, 137, "{ended:?}");
        for name in whole.keys().filter(|name| *name != "x.npy") {
            fs::remove_file(folder.join(name)).unwrap();
        }
        folder
    };
    let ended = sweep(&last, &resumed, &resumed, &whole);
    eprintln!("{line}: {killed} kills, and {ended} of a run that went on");
    assert!(killed > 20 && ended > 5, "{killed}, {ended}");
}

#[test]
fn a_run_over_older_files_resumes_if_it_may_replace_them() {
    if !has("strace", "kills of runs that replace files") {
        return;
    }
    let line = format!("{} --force", line(&RUNS[0]));
    let older = || {
        let folder = folder();
        for name in ["w.npz", "l.jsonl", "p.svg"] {
            folder.write(name, "older");
        }
        folder
    };
    let folder = older();
    folder.done(&line);
    sweep(&older, &line, &format!("{line} --resume"), &outcome(&folder));
}

#[test]
fn resuming_a_finished_run_changes_nothing() {
    for run in RUNS {
        let (folder, line) = (folder(), line(run));
        folder.done(&line);
        let before = folder.contents();
        let ended = Ended::of(&mut folder.fanin(&format!("{} --resume", line.replace(" -q", ""))));
        assert!(ended.status == 0 && ended.stderr.contains("skipped w."), "{line}: {ended:?}");
        assert!(folder.contents() == before, "{line}");
        // As a kill before the removal of the checkpoint leaves it.
        folder.write("w.checkpoint", "");
        let other = format!("{} --seed 9", line.replace(" -o ", " --force -o "));
        folder.done(&format!("{other} --resume"));
        let ended = Ended::of(&mut folder.fanin(&format!("{line} --resume")));
        assert!(ended.is_refusal() && ended.stderr.contains("another run"), "{line}: {ended:?}");
    }
    let (folder, line) = (folder(), line(&RUNS[0]));
    folder.done(&line);
    fs::remove_file(folder.join("p.svg")).unwrap();
    let ended = Ended::of(&mut folder.fanin(&format!("{line} --resume")));
    assert!(ended.is_refusal() && ended.stderr.contains("--plot: `p.svg` is missing"), "{ended:?}");
}

/// A folder with a run that was killed when it had learned two of its four epochs.
fn half_way(line: &str) -> Folder {
    let folder = folder();
    let ended = traced(&folder, line, "/dev/null", Some("rename:signal=KILL:when=3"));
    assert_eq!(ended.status, 137, "{ended:?}");
    folder
}

#[test]
fn a_log_has_every_epoch_once_after_any_end() {
    if !has("strace", "kills of runs with a log") {
        return;
    }
    let line = line(&RUNS[0]);
    let whole = folder();
    whole.done(&line);
    let expected = lines(&whole, "l.jsonl");
    let half = half_way(&line);
    let log = half.read("l.jsonl");
    let ends: Vec<usize> = log.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1).collect();
    assert_eq!(ends.len(), 3);
    let cut = |length: usize| log[..length].to_vec();
    let with = |more: &[u8]| [&log, more].concat();
    for held in [
        cut(0),
        cut(1),
        cut(ends[0]),
        cut(ends[1] - 1),
        cut(ends[1] + 9),
        cut(ends[2] - 5),
        with(b"{\"run\":"),
        with(&log[..ends[1]]),
        with(&[0; 100]),
    ] {
        let folder = half_way(&line);
        folder.write("l.jsonl", &held);
        folder.done(&format!("{line} --resume"));
        assert_eq!(lines(&folder, "l.jsonl"), expected, "{:?}", String::from_utf8_lossy(&held));
    }
    for other in ["{\"epoch\":1}\n", "notes of last week", "{\"run\":\"0123456789abcdef\",\"epoch\":1}\n", "\n"] {
        for held in [other.as_bytes().to_vec(), with(other.as_bytes()), [other.as_bytes(), &log].concat()] {
            half.write("l.jsonl", &held);
            let before = half.contents();
            let ended = Ended::of(&mut half.fanin(&format!("{line} --resume")));
            assert!(ended.is_refusal() && ended.stderr.contains("is from another run"), "{other:?}: {ended:?}");
            assert!(half.contents() == before, "{other:?}");
        }
    }
}

#[test]
fn a_damaged_checkpoint_is_refused_and_so_are_files_of_others() {
    if !has("strace", "kills of runs with a checkpoint") {
        return;
    }
    let line = line(&RUNS[0]);
    let folder = half_way(&line);
    let whole = folder.read("w.npz.checkpoint");
    let flipped = |at: usize, bit: u8| {
        let mut bytes = whole.clone();
        bytes[at] ^= 1 << bit;
        bytes
    };
    let (end, header) = (whole.len(), 8 + usize::from(whole[0]) + 256 * usize::from(whole[1]));
    for bytes in [
        flipped(end - 1, 6),
        flipped(end - 4, 0),
        flipped(header, 3),
        flipped(header + 800, 7),
        flipped(0, 3),
        whole[..end - 1].to_vec(),
        whole[..header].to_vec(),
        [&whole, &b"x"[..]].concat(),
        Vec::new(),
    ] {
        folder.write("w.npz.checkpoint", &bytes);
        let before = folder.contents();
        let ended = Ended::of(&mut folder.fanin(&format!("{line} --resume")));
        assert!(ended.is_refusal() && ended.stderr.contains("`w.npz.checkpoint`"), "{ended:?}");
        assert!(folder.contents() == before);
    }
    folder.write("w.npz.checkpoint", &whole);
    for (name, made) in [("w.npz", "written"), ("p.svg", "drawn")] {
        folder.write(name, "other");
        let ended = Ended::of(&mut folder.fanin(&format!("{line} --resume")));
        assert!(ended.is_refusal() && ended.stderr.contains(&format!("`{name}`: {made} by another run")), "{ended:?}");
        fs::remove_file(folder.join(name)).unwrap();
    }
    folder.done(&format!("{line} --resume"));
}
