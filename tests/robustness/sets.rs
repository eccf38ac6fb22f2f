//! Sets of files that only together are right, killed at each call that changes a folder: a set is the old one, the new one, or lacks
//! what makes it one. And what the system of files may be unable to do.

use std::collections::{BTreeMap, HashMap};
use std::fs;

use crate::common::{Ended, FANIN, Folder, has, skipped};

/// The calls that change a folder, or wait for the disk to have a change.
const CHANGING: &[&str] = &["linkat", "rename", "renameat2", "unlink", "fsync"];

/// The content of files, by name.
type Content = BTreeMap<String, Vec<u8>>;

/// A set, by the command that writes it, `SEED` standing for what makes one set another; what shows that a folder holds the whole set;
/// and the files which are then of one kind.
struct Set {
    line: &'static str,
    seal: &'static str,
    files: &'static [&'static str],
}

const SHARDS: &[&str] = &[
    "model-00001-of-00003.safetensors",
    "model-00002-of-00003.safetensors",
    "model-00003-of-00003.safetensors",
    "model.safetensors.index.json",
];

const SETS: &[Set] = &[
    // The index is the same for both: it says nothing about the values.
    Set { line: "init normal a=9 b=9 c=9 --seed SEED --max-shard-size 36 -o s/", seal: SHARDS[3], files: SHARDS },
    // Both configurations have the same shapes.
    Set { line: "model cSEED.json -o s/", seal: "config.json", files: &["config.json", "model.safetensors"] },
    Set { line: "init normal:std=1.SEED a=9 -o s/w.raw", seal: "w.raw.json", files: &["w.raw", "w.raw.json"] },
    Set {
        line: "init normal 9 --seed SEED --sha256 -o s/w.npy",
        seal: "w.npy.sha256",
        files: &["w.npy", "w.npy.sha256"],
    },
    Set {
        line: "init normal a=9 b=9 --seed SEED --format raw --sha256 -o s/",
        seal: "SHA256SUMS",
        files: &["SHA256SUMS", "a.raw", "a.raw.json", "b.raw", "b.raw.json"],
    },
    Set {
        line: "init normal 9 --seed SEED --provenance s/w.json -o s/w.npy",
        seal: "w.json",
        files: &["w.json", "w.npy"],
    },
    Set {
        line: "init normal a=9 b=9 --seed SEED --provenance s/p.json -o s/",
        seal: "p.json",
        files: &["a.npy", "b.npy", "p.json"],
    },
];

impl Set {
    fn line(&self, seed: u8) -> String {
        format!("{} -q --threads 1", self.line.replace("SEED", &seed.to_string()))
    }

    /// A folder with the set of that seed.
    fn prepared(&self, seed: Option<u8>) -> Folder {
        let folder = Folder::new();
        for heads in [2, 4] {
            let config = format!(
                r#"{{"architectures":["GPT2LMHeadModel"],"model_type":"gpt2","n_layer":1,"n_embd":8,"n_head":{heads},"vocab_size":16,"n_positions":8}}"#
            );
            folder.write(&format!("c{heads}.json"), config);
        }
        fs::create_dir(folder.join("s")).unwrap();
        if let Some(seed) = seed {
            folder.done(&format!("{} --no-fsync", self.line(seed)));
        }
        folder
    }

    fn content(&self, folder: &Folder) -> Content {
        let read = |name: &&str| Some((name.to_string(), fs::read(folder.join("s").join(name)).ok()?));
        self.files.iter().filter_map(read).collect()
    }

    /// Kills the writing of the new set at each call that changes something, and looks at the folder. Returns how often it held the old
    /// set, the new one, and none.
    fn sweep(&self, over: Option<u8>, again: &str) -> [usize; 3] {
        let new = self.content(&self.prepared(Some(4)));
        assert_eq!(new.len(), self.files.len(), "{}", self.line);
        let old = over.map(|seed| self.content(&self.prepared(Some(seed))));
        let line = format!("{}{}", self.line(4), if over.is_some() { " --force" } else { "" });
        let traced = |folder: &Folder, log: &str, injected: &str| {
            let strace = format!("strace -f -qqq -o {log} -e trace={} {injected}", CHANGING.join(","));
            folder.shell(&format!("{strace} \"{FANIN}\" {line}"))
        };
        let (folder, scratch) = (self.prepared(over), Folder::new());
        let log = scratch.join("log");
        assert_eq!(traced(&folder, log.to_str().unwrap(), "").status, 0, "{line}");
        assert_eq!(self.content(&folder), new, "{line}");
        let (mut seen, mut counts) = ([0; 3], HashMap::new());
        for call in fs::read_to_string(log).unwrap().lines() {
            let name = call.split_whitespace().nth(1).and_then(|call| call.split('(').next()).unwrap_or_default();
            let Some(name) = CHANGING.iter().find(|changing| **changing == name) else { continue };
            let number = counts.entry(name).and_modify(|number| *number += 1).or_insert(1);
            let folder = self.prepared(over);
            let ended = traced(&folder, "/dev/null", &format!("-e inject={name}:signal=KILL:when={number}"));
            assert_eq!(ended.status, 137, "{line}, {call}");
            let now = self.content(&folder);
            let at = format!("{line}, killed at {call}: {:?}", now.keys());
            if now.contains_key(self.seal) {
                assert!(Some(&now) == old.as_ref() || now == new, "a mixture: {at}");
                seen[usize::from(now == new)] += 1;
            } else {
                seen[2] += 1;
            }
            let ended = Ended::of(&mut folder.fanin(&format!("{} {again}", self.line(4))));
            assert_eq!((ended.status, ended.stderr.as_str()), (0, ""), "again: {at}");
            assert_eq!(self.content(&folder), new, "again: {at}");
        }
        seen
    }
}

#[test]
fn a_set_with_old_and_new_files_never_looks_complete() {
    if !has("strace", "sets of files that are killed") {
        return;
    }
    for set in SETS {
        let seen = set.sweep(Some(2), "--force");
        assert!(seen.iter().all(|&times| times > 0), "{}: {seen:?}", set.line);
    }
}

#[test]
fn a_new_set_is_finished_by_a_further_run() {
    if !has("strace", "sets of files that are killed") {
        return;
    }
    for set in SETS {
        let again = if set.seal == SHARDS[3] { "--resume" } else { "--force" };
        let [old, _, none] = set.sweep(None, again);
        assert!(old == 0 && none > 0, "{}", set.line);
    }
}

#[test]
fn a_replaced_set_that_was_killed_is_resumed_if_it_is_of_the_same_plan() {
    let folder = Folder::new();
    let line = "init normal a=9 b=9 c=9 --max-shard-size 36 -q -o s/";
    folder.done(line);
    let whole = folder.contents();
    let strace = "strace -f -qqq -o /dev/null -e inject=rename:signal=KILL:when=2";
    if has("strace", "a replaced set that is killed") {
        assert_eq!(folder.shell(&format!("{strace} \"{FANIN}\" {line} --force")).status, 137);
        assert!(!folder.join("s").join(SHARDS[3]).exists());
        for entry in fs::read_dir(folder.join("s")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "tmp") {
                fs::remove_file(path).unwrap();
            }
        }
        folder.done(&format!("{line} --resume"));
        assert_eq!(folder.contents(), whole);
    }
}

#[test]
fn a_failure_before_the_first_file_leaves_the_old_set_complete() {
    if !has("strace", "a disk that is full from the start") {
        return;
    }
    for set in SETS {
        // The values, a temporary name, and the disk that has both.
        for fault in ["pwrite64:error=ENOSPC", "linkat:error=ENOSPC", "linkat:error=EDQUOT:when=1", "fsync:error=EIO"] {
            let folder = set.prepared(Some(2));
            let before = folder.contents();
            let strace = format!("strace -f -qqq -o /dev/null -e inject={fault}");
            let ended = folder.shell(&format!("{strace} \"{FANIN}\" {} --force", set.line(4)));
            assert!(ended.is_temporary_failure(), "{}, {fault}: {ended:?}", set.line);
            assert_eq!(folder.contents(), before, "{}, {fault}", set.line);
        }
    }
}

#[test]
fn a_removal_that_the_disk_does_not_confirm_is_reported() {
    if !has("strace", "a folder that is not synced") {
        return;
    }
    for (set, name) in [(&SETS[0], SHARDS[3]), (&SETS[2], "w.raw.json"), (&SETS[3], "w.npy.sha256")] {
        let folder = set.prepared(Some(2));
        let strace = "strace -f -qqq -o /dev/null -P $PWD/s -e inject=fsync:error=EIO";
        let ended = folder.shell(&format!("{strace} \"{FANIN}\" {} --force", set.line(4)));
        let message = format!("`s/{name}`: its removal may not be on the disk yet");
        assert!(ended.is_temporary_failure() && ended.stderr.contains(&message), "{ended:?}");
    }
}

#[test]
fn small_files_that_were_removed_are_restored_with_their_modes() {
    let folder = Folder::new();
    let line = "init normal a=9 b=9 --max-shard-size 36 --sha256 -q -o s/";
    folder.done(line);
    let small = ["s/model.safetensors.index.json", "s/SHA256SUMS"];
    for name in small {
        folder.shell(&format!("chmod 600 {name}"));
    }
    folder.done(&format!("{line} --seed 1 --force"));
    assert_eq!(small.map(|name| folder.mode(name)), [0o600; 2]);
}

/// What a file system may be unable to do, each as strace injects it; `TMPFILE` stands for files without a name.
const UNABLE: &[&str] = &[
    "-e inject=linkat:error=EPERM",
    "-e inject=linkat:error=EOPNOTSUPP",
    "TMPFILE",
    "TMPFILE -e inject=renameat2:error=EINVAL",
    "TMPFILE -e inject=renameat2:error=EINVAL -e inject=linkat:error=EPERM",
    "TMPFILE -e inject=renameat2:error=ENOSYS -e inject=linkat:error=EOPNOTSUPP -e inject=fchmod:error=EPERM",
];

/// Runs a line where the file system is unable to do something.
fn unable(folder: &Folder, injected: &str, line: &str) -> Ended {
    let traced =
        |folder: &Folder, injected: &str| folder.shell(&format!("strace -f -qqq -o log {injected} \"{FANIN}\" {line}"));
    let mut injected = injected.to_string();
    if injected.contains("TMPFILE") {
        let scratch = Folder::new();
        for (path, (_, content)) in folder.contents() {
            scratch.write(path.file_name().unwrap().to_str().unwrap(), content);
        }
        traced(&scratch, "-e trace=openat");
        let log = String::from_utf8(scratch.read("log")).unwrap();
        let mut opened = log.lines().filter(|call| call.contains("openat("));
        let number =
            opened.position(|call| call.contains("O_TMPFILE")).map_or(usize::from(u16::MAX), |number| number + 1);
        let fault = format!("-e inject=openat:error=EOPNOTSUPP:when={number}");
        injected = injected.replace("TMPFILE", &fault);
    }
    let ended = traced(folder, &injected);
    fs::remove_file(folder.join("log")).unwrap();
    ended
}

#[test]
fn a_limited_file_system_gets_complete_files() {
    if !has("strace", "file systems that can do little") {
        return;
    }
    for injected in UNABLE {
        for line in ["init normal 9 -q -o w.npy", "init normal 9 -q -o w.json", "init normal 600x600 -q -o w.npy"] {
            let (start, file) = line.split_once(" -o ").unwrap();
            let whole = Folder::new().done(&format!("{start} --format {}", &file[2..]));
            let folder = Folder::new();
            for line in [line, &format!("{line} --force")] {
                let ended = unable(&folder, injected, line);
                assert_eq!((ended.status, ended.stderr.as_str()), (0, ""), "{injected}: {line}");
                assert!(folder.read(file) == whole && folder.names() == [file], "{injected}: {line}");
                folder.write(file, "old");
            }
        }
        let set = Folder::new();
        let line = "init normal a=9 b=9 --max-shard-size 36 --sha256 -q -o ./";
        for line in [line, &format!("{line} --force"), &format!("{line} --resume")] {
            let ended = unable(&set, injected, line);
            assert_eq!((ended.status, ended.stderr.as_str(), set.names().len()), (0, "", 4), "{injected}: {line}");
        }
    }
}

#[test]
fn a_file_that_appears_during_the_run_is_replaced_on_no_file_system() {
    if !has("strace", "files that come up meanwhile") {
        return;
    }
    for injected in UNABLE {
        let folder = Folder::new();
        // It comes while the program waits for its own to be on the disk.
        let slow = format!("{injected} -e inject=fsync:delay_enter=500000:when=1");
        let other = folder.join("w.npy");
        let comes = std::thread::spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(100));
            while fs::read_dir(other.parent().unwrap()).unwrap().all(|entry| entry.unwrap().file_name() != "log") {}
            std::thread::sleep(std::time::Duration::from_millis(250));
            fs::write(other, "theirs").unwrap();
        });
        let ended = unable(&folder, &slow, "init normal 9 -q -o w.npy");
        comes.join().unwrap();
        assert!(ended.is_refusal() && ended.stderr.contains("--force"), "{injected}: {ended:?}");
        assert_eq!((folder.read("w.npy").as_slice(), folder.names()), (&b"theirs"[..], vec!["w.npy".into()]));
    }
}

#[test]
fn a_file_system_that_renames_nothing_is_refused_before_any_work() {
    if !has("strace", "file systems that rename nothing") {
        return;
    }
    for error in ["ENOSYS", "EPERM", "EOPNOTSUPP"] {
        let folder = Folder::new();
        let ended = unable(&folder, &format!("TMPFILE -e inject=rename:error={error}"), "init normal 9 -q -o w.npy");
        assert!(ended.is_refusal() && ended.stderr.contains("cannot rename files here"), "{ended:?}");
        assert!(folder.names().is_empty());
    }
}

#[test]
fn a_name_that_a_dead_process_claimed_is_taken_over_by_a_resumed_run() {
    let folder = Folder::new();
    let line = "init normal a=9 b=9 --max-shard-size 36 -q -o s/";
    folder.done(line);
    let whole = folder.contents();
    for name in ["model-00001-of-00002.safetensors", "model.safetensors.index.json"] {
        folder.write(&format!("s/{name}"), "");
        folder.done(&format!("{line} --resume"));
        assert_eq!(folder.contents(), whole, "{name}");
    }
}

#[test]
fn without_a_journal_a_file_is_there_after_a_power_cut() {
    let folder = Folder::new();
    let mount = "truncate -s 8M disk && mkfs.ext2 -q disk && mkdir -p m && mount -o loop disk m";
    if folder.shell(&format!("unshare -m sh -c '{mount}'")).status != 0 {
        skipped("power cuts without a journal: no ext2 may be mounted here");
        return;
    }
    for (line, file) in [
        ("init normal 99 -q -o m/w.npy", "w.npy"),
        ("init normal 99 -q -o m/w.npy --force", "w.npy"),
        ("init normal a=9 b=9 --max-shard-size 36 -q -o m/ --force", "model.safetensors.index.json"),
    ] {
        folder.shell("rm -f disk cut");
        let old = if line.ends_with("--force") { "echo old > m/w.npy" } else { "true" };
        // What has reached the disk when the program ends is what a power cut leaves.
        let script = format!(
            "{mount} && {old} && sync -f m && \"$FANIN\" {line} && cp disk cut; md5sum < m/{file} > sum; umount m; \
             e2fsck -fy cut >/dev/null; mount -o loop cut m && md5sum < m/{file}; cat sum"
        );
        let ended = folder.shell(&format!("unshare -m sh -c '{script}'"));
        let text = String::from_utf8(ended.stdout).unwrap();
        let sums: Vec<&str> = text.lines().collect();
        assert!(sums.len() == 2 && sums[0] == sums[1], "{line}: {text} {}", ended.stderr);
    }
}
