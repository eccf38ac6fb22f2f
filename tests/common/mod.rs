//! Shared by all tests of the program: running it, temporary folders, and skips that are reported and counted.
#![allow(dead_code, reason = "each file of tests uses a part of it")]

pub(crate) mod hostile;
pub(crate) mod safetensors;

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// The program under test.
pub(crate) const FANIN: &str = env!("CARGO_BIN_EXE_fanin");

/// A folder of a test's own; it and all in it are removed when this is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("fanin-test-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.join(name)
    }

    /// A command that runs in this folder, with nothing on standard input and with UTF-8 text of any width.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.0).stdin(Stdio::null()).env("LC_ALL", "C.UTF-8").env_remove("COLUMNS");
        command
    }

    /// The program in this folder, its arguments given as a line without quotes.
    pub(crate) fn fanin(&self, line: &str) -> Command {
        let mut command = self.command(FANIN);
        command.args(line.split_whitespace());
        command
    }

    /// Runs a line that must succeed, and returns what it wrote to standard output.
    #[track_caller]
    pub(crate) fn done(&self, line: &str) -> Vec<u8> {
        let ended = Ended::of(&mut self.fanin(line));
        assert_eq!(ended.status, 0, "fanin {line}: {}", ended.stderr);
        ended.stdout
    }

    /// Runs a line of shell in this folder; `$FANIN` is the program.
    pub(crate) fn shell(&self, line: &str) -> Ended {
        Ended::of(self.command("sh").env("FANIN", FANIN).args(["-c", line]))
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.join(name), content).unwrap();
    }

    pub(crate) fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.join(name)).unwrap().permissions().mode() & 0o7777
    }

    /// Everything in the folder: what each name is, its mode and its content.
    pub(crate) fn contents(&self) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.0.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).unwrap() {
                let path = entry.unwrap().path();
                let metadata = fs::symlink_metadata(&path).unwrap();
                let content = if metadata.is_symlink() {
                    fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
                } else if metadata.is_file() {
                    fs::read(&path).unwrap()
                } else {
                    Vec::new()
                };
                if metadata.is_dir() {
                    folders.push(path.clone());
                }
                found.insert(path, (metadata.permissions().mode(), content));
            }
        }
        found
    }

    /// The names in the folder itself.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A program that runs longer is killed, and its test fails: no test waits for ever.
const LIMIT: Duration = Duration::from_secs(600);

/// A program that runs, under a watchdog.
pub(crate) struct Running {
    pub(crate) child: Child,
    line: String,
    watchdog: JoinHandle<bool>,
    stop: Sender<()>,
}

impl Running {
    /// Starts a program with its output in pipes, in a process group of its own that can be killed with all that it started.
    pub(crate) fn start(command: &mut Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let group = child.id();
        let (stop, stopped) = channel();
        let watchdog = std::thread::spawn(move || {
            let is_late = stopped.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout);
            is_late && Command::new("sh").args(["-c", &format!("kill -9 -{group}")]).status().is_ok()
        });
        Self { child, line: format!("{command:?}"), watchdog, stop }
    }

    pub(crate) fn ended(self) -> Ended {
        let output = self.child.wait_with_output().unwrap();
        drop(self.stop);
        assert!(!self.watchdog.join().unwrap(), "killed after {LIMIT:?}: {}", self.line);
        output.into()
    }
}

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// The exit status as a shell shows it: 128 and the signal where one killed the program.
    pub(crate) status: i32,
    pub(crate) stdout: Vec<u8>,
    /// What came on standard error.
    pub(crate) stderr: String,
}

impl Ended {
    pub(crate) fn of(command: &mut Command) -> Self {
        Running::start(command).ended()
    }

    /// Whether the program ended in an orderly way: no panic, no abort, no signal.
    pub(crate) fn is_orderly(&self) -> bool {
        matches!(self.status, 0 | 2 | 75 | 141)
    }

    /// Whether it says, on one line that moves no terminal, why it could not, and that another try would end in the same.
    pub(crate) fn is_refusal(&self) -> bool {
        self.status == 2 && self.is_one_line()
    }

    /// The same for a fault that may pass by itself.
    pub(crate) fn is_temporary_failure(&self) -> bool {
        self.status == 75 && self.is_one_line()
    }

    /// The line of the error, without the usage below it.
    pub(crate) fn error(&self) -> &str {
        self.stderr.lines().next().unwrap_or_default()
    }

    /// True if standard error holds one line, or one line and the usage of a command that could not be parsed.
    fn is_one_line(&self) -> bool {
        let Some((line, usage)) = self.stderr.strip_prefix("fanin: ").and_then(|text| text.split_once('\n')) else {
            return false;
        };
        let is_usage =
            usage.starts_with("\nUsage: fanin ") && usage.ends_with(" --help'.\n") && usage.lines().count() == 4;
        !line.is_empty() && !line.contains(char::is_control) && (usage.is_empty() || is_usage)
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Self { status: status(output.status), stdout: output.stdout, stderr }
    }
}

pub(crate) fn status(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// Says that something is not tested here, and counts it where `FANIN_SKIPPED` names a file.
pub(crate) fn skipped(why: &str) {
    let line = format!("SKIPPED: {why}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
    if let Some(path) = std::env::var_os("FANIN_SKIPPED") {
        let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
}

/// True if the machine has a program. If not, that is reported as the reason of a skip.
pub(crate) fn has(program: &str, for_what: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let there = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if !there {
        skipped(&format!("{for_what}: no program `{program}`"));
    }
    there
}

/// The program that measures the peak memory of another (GNU time).
pub(crate) const TIME: &str = "/usr/bin/time";

/// The peak memory in bytes of a command that was run as `TIME -q -f %M -o FILE COMMAND`.
pub(crate) fn peak_memory(told_in: &Path) -> u64 {
    let mut text = String::new();
    File::open(told_in).unwrap().read_to_string(&mut text).unwrap();
    let kibibytes: u64 = text.trim().parse().unwrap_or_else(|_| panic!("GNU time said {text:?}"));
    kibibytes * 1024
}
