//! Reads that are interrupted or come in parts, and pipes in the place of files.

use std::fs;
use std::time::{Duration, Instant};

use crate::common::{Ended, FANIN, Folder, has};

/// A file of each format with what its name and the command before it are.
const FILES: &[(&str, &str)] = &[
    ("w.npy", "inspect"),
    ("w.npz", "inspect"),
    ("w.pt", "inspect"),
    ("w.safetensors", "inspect"),
    ("w.json", "inspect"),
    ("x.csv", "pretrain pca 2-1 -q --force -o o.npz --data"),
];

#[test]
fn interrupted_and_short_reads_lose_no_byte() {
    if !has("strace", "interrupted and short reads") {
        return;
    }
    let folder = Folder::new();
    folder.write("x.csv", "a,b\n1,2\n3,5\n4,4\n");
    for (name, _) in FILES.iter().filter(|(name, _)| name.starts_with("w.")) {
        folder.done(&format!("init normal 9x4 -q -o {name}"));
    }
    for (name, verb) in FILES {
        let path = folder.join(name);
        let read = |threads: &str, injected: &str| {
            let mut command = folder.command("strace");
            let injected = format!("inject=pread64:{injected}");
            command.args(threads.split_whitespace());
            command.args(["-qq", "-o", "trace", "-e", "trace=pread64", "-e", &injected]);
            let ended = Ended::of(command.arg("-P").arg(&path).arg(FANIN).args(verb.split(' ')).arg(&path));
            let hits = String::from_utf8(folder.read("trace")).unwrap().matches("INJECTED").count();
            assert!(ended.status == 0 && hits > 0, "{name}, {injected}, {hits} times: {ended:?}");
            ended.stdout
        };
        let whole = folder.done(&format!("{verb} {}", path.display()));
        assert!(read("-f", "error=EINTR:when=1+2") == whole, "{name}");
        // One byte comes, and is the first of the file. Other threads have a first read of their own.
        let first = fs::read(&path).unwrap()[0];
        assert!(read("", &format!("retval=1:poke_exit=@arg2={first:02x}:when=1")) == whole, "{name}");
    }
}

#[test]
fn a_call_of_writing_that_is_interrupted_is_made_again_or_may_pass_by_itself() {
    if !has("strace", "interrupted writing") {
        return;
    }
    let folder = Folder::new();
    folder.done("init normal 600x600 -q -o old.npy");
    let line = "init normal 600x600 --seed 1 -q --threads 1";
    let whole = folder.done(&format!("{line} -o -"));
    for (injected, status) in [
        ("fallocate:error=EINTR:when=1", 0),
        ("fsync:error=EINTR:when=1", 0),
        ("fchmod:error=EINTR:when=1", 0),
        ("pwrite64:error=EINTR:when=1+2", 0),
        ("linkat:error=EINTR:when=1", 75),
        ("rename:error=EINTR:when=1", 75),
    ] {
        fs::copy(folder.join("old.npy"), folder.join("w.npy")).unwrap();
        let strace = format!("strace -f -qqq -o trace -e inject={injected}");
        let ended = folder.shell(&format!("{strace} \"{FANIN}\" {line} --force -o w.npy"));
        assert_eq!(ended.status, status, "{injected}: {ended:?}");
        assert!(String::from_utf8(folder.read("trace")).unwrap().contains("INJECTED"), "{injected}");
        let expected = if status == 0 { whole.clone() } else { folder.read("old.npy") };
        assert!(folder.read("w.npy") == expected, "{injected}");
    }
}

#[test]
fn a_pipe_without_a_writer_is_refused_at_once() {
    let folder = Folder::new();
    if !has("mkfifo", "pipes in the place of files") {
        return;
    }
    assert_eq!(folder.shell("mkfifo p p.csv p.toml").status, 0);
    folder.done("init normal 4x4 -q -o w.npz");
    for line in [
        "inspect p",
        "verify p",
        "verify w.npz --recipe p.toml",
        "verify w.npz --scheme pissa-a --seed 1 --base p",
        "pretrain pca 4-2 --data p.csv -o o.npz",
        "init pissa-a 4x4 --base p -o o.npz",
        "model p.toml -o o.npz",
        "model w.npz --rules p.toml -o o.npz",
    ] {
        let mut child = folder.fanin(line).stderr(std::process::Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if begun.elapsed() > Duration::from_secs(20) {
                child.kill().unwrap();
                panic!("{line} waits");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let ended = Ended::from(child.wait_with_output().unwrap());
        assert!(ended.is_refusal() && ended.stderr.contains("pipe"), "{line}: {ended:?}");
    }
    // A pipe with a writer is read.
    folder.write("r.toml", "[tensors]\nw = { shape = [2], scheme = \"ones\" }\n");
    let ended = folder.shell("cat r.toml > p & $FANIN model /dev/stdin -q -o o.npz < p && $FANIN verify o.npz");
    assert_eq!(ended.status, 0, "{ended:?}");
}
