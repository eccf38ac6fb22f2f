//! Faults of the system, put in by strace: a kill before each call that touches files, each of them failing once, and each
//! failing from then on. The target is then the old one or the complete new one, and nothing else is left behind.

use std::fs;

use crate::common::{Ended, FANIN, Folder, Running, has};

/// The calls that touch files.
const CALLS: &[&str] = &[
    "openat",
    "statx",
    "readlink",
    "fallocate",
    "write",
    "pwrite64",
    "fchmod",
    "fsync",
    "linkat",
    "rename",
    "renameat2",
    "unlink",
    "mkdir",
    "close",
    "read",
];

/// The target of every run.
const TARGET: &str = "weights";

/// One way of putting a file in place: the arguments before `-o`, and what stands at the target before.
struct Way {
    init: String,
    old: Option<&'static [u8]>,
    /// What is injected into every run besides the fault: it makes the program take another way.
    detour: Option<String>,
}

/// What the sweep of a way has seen.
#[derive(Debug, Default)]
struct Seen {
    runs: usize,
    /// Runs after which the target was the old one, and the new one.
    old: usize,
    new: usize,
}

impl Way {
    fn new(format: &str, old: Option<&'static [u8]>) -> Self {
        Self { init: format!("init normal 3 a=2 -q --threads 1 --format {format}"), old, detour: None }
    }

    /// `.npy` holds one tensor.
    fn npy(old: Option<&'static [u8]>) -> Self {
        Self { init: "init normal 3 -q --threads 1 --format npy".into(), old, detour: None }
    }

    fn arguments(&self) -> String {
        let force = if self.old.is_some() { " --force" } else { "" };
        format!("{}{force} -o {TARGET}", self.init)
    }

    /// The folder as it is before a run.
    fn prepared(&self) -> Folder {
        let folder = Folder::new();
        if let Some(old) = self.old {
            folder.write(TARGET, old);
        }
        folder
    }

    fn traced(&self, folder: &Folder, log: &str, injected: &[&str]) -> Ended {
        let mut command = folder.command("strace");
        command.args(["-f", "-qq", "-o", log, "-e", &format!("trace={}", CALLS.join(","))]);
        for injected in self.detour.as_deref().iter().chain(injected) {
            command.args(["-e", &format!("inject={injected}")]);
        }
        Ended::of(command.arg(FANIN).args(self.arguments().split(' ')))
    }

    /// The calls of an undisturbed run, in order.
    fn calls(&self) -> Vec<String> {
        let (folder, scratch) = (self.prepared(), Folder::new());
        let log = scratch.join("log");
        let ended = self.traced(&folder, log.to_str().unwrap(), &[]);
        assert_eq!(ended.status, 0, "{ended:?}");
        let text = fs::read_to_string(log).unwrap();
        text.lines().filter_map(|line| line.split_once(' ').map(|(_, call)| call.trim().to_string())).collect()
    }

    /// Puts each fault into each call that the program makes once its own work has begun.
    fn sweep(&self) -> Seen {
        let whole = Folder::new().done(&self.init);
        let calls = self.calls();
        // Before that come the loader and the runtime, which know nothing of the target.
        let begun = calls.iter().position(|call| call.contains(&format!("\"{TARGET}\""))).unwrap();
        let mut seen = Seen::default();
        for (position, call) in calls.iter().enumerate().skip(begun) {
            let name = call.split('(').next().unwrap();
            let taken_by_detour = self.detour.as_deref().is_some_and(|detour| detour.starts_with(&format!("{name}:")));
            if taken_by_detour || !CALLS.contains(&name) {
                continue;
            }
            let of_its_name = |call: &&String| call.starts_with(&format!("{name}("));
            let number = calls[..=position].iter().filter(of_its_name).count();
            for (fault, lasting) in FAULTS {
                let folder = self.prepared();
                let ended = self.traced(&folder, "/dev/null", &[&format!("{name}:{fault}:when={number}{lasting}")]);
                let at = format!("{} with {fault}{lasting} at {call}: {ended:?}", self.arguments());
                self.judge(&folder, &whole, &ended, (*fault == KILL, !lasting.is_empty()), &mut seen, &at);
            }
        }
        eprintln!("{}: {seen:?}", self.arguments());
        seen
    }

    fn judge(
        &self,
        folder: &Folder,
        whole: &[u8],
        ended: &Ended,
        (killed, lasting): (bool, bool),
        seen: &mut Seen,
        at: &str,
    ) {
        let now = fs::read(folder.join(TARGET)).ok();
        let (is_old, is_new) = (now.as_deref() == self.old, now.as_deref() == Some(whole));
        assert!(is_old || is_new, "the target is torn: {at}");
        seen.runs += 1;
        seen.old += usize::from(is_old);
        seen.new += usize::from(is_new);
        if killed {
            assert_eq!(ended.status, 137, "{at}");
        } else {
            // Where every write fails from then on, so does that of the message.
            let silenced = lasting && ended.status == 75 && ended.stderr.is_empty();
            assert!(ended.status == 0 || ended.is_temporary_failure() || silenced, "{at}");
            assert!(ended.status != 0 || is_new, "success without the file: {at}");
        }
        let strays: Vec<String> = folder.names().into_iter().filter(|name| name != TARGET).collect();
        // A kill between the link and the rename leaves the complete file under a temporary name; where files cannot be
        // without a name, a kill leaves what there was of it.
        let may_stray = killed && strays.len() <= 1 && (self.old.is_some() || self.detour.is_some());
        assert!(strays.is_empty() || may_stray, "{strays:?} is left: {at}");
        for stray in strays {
            let beside = stray.strip_prefix(&format!(".{TARGET}.")).and_then(|rest| rest.strip_suffix(".tmp"));
            assert!(beside.is_some(), "{stray} is left: {at}");
            assert!(self.detour.is_some() || folder.read(&stray) == whole, "{stray} is torn: {at}");
        }
    }
}

const KILL: &str = "signal=KILL";

/// Each fault, and `+` where it lasts from then on.
const FAULTS: &[(&str, &str)] = &[(KILL, ""), ("error=ENOSPC", ""), ("error=EIO", ""), ("error=ENOSPC", "+")];

const OLD: Option<&[u8]> = Some(b"the old file");

fn is_complete_or_absent(way: &Way) {
    if !has("strace", "kills and failing calls") {
        return;
    }
    let seen = way.sweep();
    assert!(seen.old > 0 && seen.new > 0, "the faults came on one side of the change only: {seen:?}");
}

#[test]
fn a_new_npy_is_complete_or_absent() {
    is_complete_or_absent(&Way::npy(None));
}

#[test]
fn a_replaced_npy_is_the_old_or_the_new_one() {
    is_complete_or_absent(&Way::npy(OLD));
}

#[test]
fn a_new_npz_is_complete_or_absent() {
    is_complete_or_absent(&Way::new("npz", None));
}

#[test]
fn a_replaced_npz_is_the_old_or_the_new_one() {
    is_complete_or_absent(&Way::new("npz", OLD));
}

#[test]
fn a_new_safetensors_file_is_complete_or_absent() {
    is_complete_or_absent(&Way::new("safetensors", None));
}

#[test]
fn a_replaced_file_of_safetensors_is_the_old_or_the_new_one() {
    is_complete_or_absent(&Way::new("safetensors", OLD));
}

#[test]
fn a_new_json_file_is_complete_or_absent() {
    is_complete_or_absent(&Way::new("json", None));
}

#[test]
fn a_replaced_file_of_json_is_the_old_or_the_new_one() {
    is_complete_or_absent(&Way::new("json", OLD));
}

#[test]
fn a_file_with_reserved_size_is_complete_or_absent() {
    if !has("strace", "a size that cannot be reserved") {
        return;
    }
    let reserved = |way: &Way| way.calls().iter().any(|call| call.starts_with("fallocate("));
    assert!(!reserved(&Way::npy(None)), "three elements are worth no call");
    let way = Way { init: "init normal 512x512 -q --threads 1 --format npy".into(), old: OLD, detour: None };
    assert!(reserved(&way), "a mebibyte is");
    is_complete_or_absent(&way);
}

#[test]
fn without_unnamed_files_a_file_is_complete_or_absent() {
    if !has("strace", "kills and failing calls without unnamed files") {
        return;
    }
    for old in [None, OLD] {
        let mut way = Way::npy(old);
        let calls = way.calls();
        let opened: Vec<&String> = calls.iter().filter(|call| call.starts_with("openat(")).collect();
        let number = 1 + opened.iter().position(|call| call.contains("O_TMPFILE")).unwrap();
        way.detour = Some(format!("openat:error=EOPNOTSUPP:when={number}"));
        is_complete_or_absent(&way);
    }
}

#[test]
fn a_file_without_a_name_gets_the_mode_that_the_umask_leaves_and_so_does_one_with_a_temporary_name() {
    if !has("strace", "the mode of files that had a temporary name") {
        return;
    }
    for (umask, mode) in [("022", 0o644), ("077", 0o600)] {
        let folder = Folder::new();
        // The program's `statx` of /proc/self/fd fails, as it does where /proc is not mounted.
        let strace = "strace -f -qq -o /dev/null -e trace=statx -P /proc/self/fd -e inject=statx:error=ENOENT";
        let ended = folder.shell(&format!("umask {umask}; {strace} \"$FANIN\" init normal 3 -q -o w.npy"));
        assert_eq!((ended.status, folder.mode("w.npy")), (0, mode), "{ended:?}");
        assert_eq!(folder.names(), ["w.npy"]);
    }
}

#[test]
fn fewer_threads_than_requested_write_the_same_bytes() {
    if !has("strace", "a system without threads to give") {
        return;
    }
    let folder = Folder::new();
    for init in ["init normal 800x800 -q", "init orthogonal:method=householder 300x200 -q"] {
        let whole = folder.done(init);
        for when in [1, 2, 3] {
            let strace = format!("strace -f -qq -o /dev/null -e inject=clone3:error=EAGAIN:when={when}+");
            let ended = folder.shell(&format!("{strace} \"$FANIN\" {init} --threads 7"));
            assert_eq!((ended.status, ended.stderr.as_str()), (0, ""), "{init}, no thread from number {when} on");
            assert_eq!(ended.stdout, whole, "{init}, no thread from number {when} on");
        }
    }
}

#[test]
fn a_fault_that_may_pass_has_an_exit_status_of_its_own() {
    if !has("strace", "faults that may pass") {
        return;
    }
    let folder = Folder::new();
    folder.done("init normal 300x400 -q -o held.npy");
    folder.done("init normal 300x400 -q -o held.safetensors");
    let lines = [
        ("init normal 3 -q -o w.npy", "-e trace=write,pwrite64 -e inject=write,pwrite64"),
        ("init normal 300x400 -q -o -", "-e trace=write -e inject=write"),
        ("verify $PWD/held.npy", "-P $PWD/held.npy -e trace=openat -e inject=openat"),
        ("verify $PWD/held.safetensors", "-P $PWD/held.safetensors -e trace=read,pread64 -e inject=read,pread64"),
        ("inspect $PWD/held.npy --json", "-P $PWD/held.npy -e trace=read,pread64 -e inject=read,pread64"),
        ("init zeros 3 -q -o new/", "-e trace=mkdir -e inject=mkdir"),
    ];
    for (line, injected) in lines {
        for (error, passes) in [("EIO", true), ("ENOSPC", true), ("EMFILE", true), ("ESTALE", true), ("EACCES", false)]
        {
            let ended =
                folder.shell(&format!("strace -f -qqq -o /dev/null {injected}:error={error} \"$FANIN\" {line}"));
            let expected = if passes { 75 } else { 2 };
            // Where no write comes through, no message does.
            let silenced = injected.contains("=write") && ended.stderr.is_empty();
            assert_eq!(ended.status, expected, "{line}, {error}: {ended:?}");
            assert!(silenced || ended.is_temporary_failure() || ended.is_refusal(), "{line}, {error}: {ended:?}");
        }
    }
}

#[test]
fn an_error_is_one_write() {
    if !has("strace", "the writes of a message") {
        return;
    }
    let folder = Folder::new();
    for line in ["init nothing 3", "inspect missing.npy", "init normal 3 -o w.weights"] {
        let ended = folder.shell(&format!("strace -f -qq -o log -e trace=write \"$FANIN\" {line}"));
        assert!(ended.is_refusal(), "{line}: {ended:?}");
        let log = String::from_utf8(folder.read("log")).unwrap();
        assert_eq!(log.lines().filter(|call| call.contains("write(2")).count(), 1, "{line}: {log}");
    }
}

#[test]
fn a_folder_that_another_process_makes_meanwhile_is_a_folder() {
    if !has("strace", "a folder that comes into being between two calls") {
        return;
    }
    for line in ["init zeros a=3 b=4 -q -o c/", "init zeros a=3 b=4 -q --max-shard-size 12 --resume -o c/"] {
        let folder = Folder::new();
        // Each look at the folder takes so long that the other process makes it meanwhile.
        let strace = "strace -f -qqq -o /dev/null -P c -P c/ -e trace=statx -e inject=statx:delay_exit=400000:when=1";
        let ended = folder.shell(&format!("{strace} \"$FANIN\" {line} & sleep 0.25; mkdir -p c; wait $!"));
        assert_eq!((ended.status, ended.stderr.as_str()), (0, ""), "{line}");
    }
}

#[test]
fn ranks_that_start_together_all_end_well() {
    for _ in 0..5 {
        let folder = Folder::new();
        let line = |rank| {
            format!("init zeros a=9 b=9 c=9 d=9 -q --max-shard-size 36 -o x/c/ --resume --rank {rank} --world-size 8")
        };
        let started: Vec<_> = (0..8).map(|rank| Running::start(&mut folder.fanin(&line(rank)))).collect();
        for process in started {
            let ended = process.ended();
            assert_eq!((ended.status, ended.stderr.as_str()), (0, ""));
        }
        folder.done("init zeros a=9 b=9 c=9 d=9 -q --max-shard-size 36 -o x/c/ --resume");
        assert!(folder.join("x/c/model.safetensors.index.json").exists());
    }
}
