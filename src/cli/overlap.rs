//! Errors if an output is also an input or another output, before any work; for all commands.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::shown;
use crate::reader;

/// A file and the option that names it.
#[derive(Clone, Debug)]
pub(super) struct Named {
    option: &'static str,
    path: PathBuf,
}

impl Named {
    pub(super) fn new(option: &'static str, path: impl Into<PathBuf>) -> Self {
        Self { option, path: path.into() }
    }
}

/// The input files of a command, and its outputs other than the files of its plan.
#[derive(Clone, Debug, Default)]
pub(super) struct Touched {
    inputs: Vec<Named>,
    outputs: Vec<Named>,
}

impl Touched {
    /// Adds an input file; `-` is standard input.
    pub(super) fn reads(mut self, option: &'static str, path: &Path) -> Self {
        let path = if path == Path::new("-") { Path::new(STANDARD_INPUT) } else { path };
        self.inputs.push(Named::new(option, path));
        self
    }

    /// Adds every file of a weights file, folder or index as an input.
    pub(super) fn reads_weights(mut self, option: &'static str, path: &Path) -> Self {
        self.inputs.extend(reader::files_of(path).into_iter().map(|path| Named::new(option, path)));
        self
    }

    /// The input files.
    pub(super) fn inputs(&self) -> impl Iterator<Item = &Path> {
        self.inputs.iter().map(|input| input.path.as_path())
    }

    /// Adds an output file.
    pub(super) fn writes(mut self, option: &'static str, path: &Path) -> Self {
        let path = if path == Path::new("-") { Path::new(STANDARD_OUTPUT) } else { path };
        self.outputs.push(Named::new(option, path));
        self
    }

    /// Errors if an output is also an input or another output, or would be below another.
    pub(super) fn check(&self) -> Result<()> {
        if self.inputs.is_empty() && self.outputs.len() < 2 {
            return Ok(());
        }
        let mut folders = Folders::default();
        let mut seen = Seen::default();
        for input in &self.inputs {
            seen.add(&folders.place(&input.path), (input, false));
        }
        for output in &self.outputs {
            let place = folders.place(&output.path);
            if let Some((other, written)) = seen.find(&place) {
                bail!(conflict(output, other, written));
            }
            seen.add(&place, (output, true));
        }
        for output in &self.outputs {
            let place = folders.place(&output.path);
            let inside = place.path.ancestors().skip(1).find_map(|folder| seen.by_path.get(folder));
            if let Some((other, true)) = inside {
                bail!("{}: {} lies in {}, which is a file: {OTHER}", output.option, shown(&output.path), other.option);
            }
        }
        Ok(())
    }
}

const STANDARD_INPUT: &str = "/dev/stdin";
const STANDARD_OUTPUT: &str = "/dev/stdout";
/// The fix in every error.
const OTHER: &str = "name another file";

fn conflict(output: &Named, other: &Named, written: bool) -> String {
    let (path, name) = (shown(&output.path), shown(&other.path));
    let as_named = if path == name { String::new() } else { format!(", by the name {name}") };
    let word = if written { "written" } else { "read" };
    format!("{}: {path} is also {word} as {}{as_named}: {OTHER}", output.option, other.option)
}

/// The files so far, each with its option, and true if it is written.
#[derive(Default)]
struct Seen<'a> {
    by_inode: HashMap<(u64, u64), (&'a Named, bool)>,
    by_path: HashMap<PathBuf, (&'a Named, bool)>,
}

impl<'a> Seen<'a> {
    /// A device, pipe or terminal may occur several times.
    fn find(&self, place: &Place) -> Option<(&'a Named, bool)> {
        let by_inode = place.inode.and_then(|inode| self.by_inode.get(&inode));
        by_inode.or_else(|| self.by_path.get(&place.path)).filter(|_| !place.is_stream).copied()
    }

    fn add(&mut self, place: &Place, named: (&'a Named, bool)) {
        if !place.is_stream {
            if let Some(inode) = place.inode {
                self.by_inode.entry(inode).or_insert(named);
            }
            self.by_path.entry(place.path.clone()).or_insert(named);
        }
    }
}

/// The file behind a path.
struct Place {
    /// The device and inode of an existing file.
    inode: Option<(u64, u64)>,
    /// The path without links, `.` and `..`.
    path: PathBuf,
    is_stream: bool,
}

/// A cache of resolved folders, since many files share one.
#[derive(Default)]
struct Folders(HashMap<PathBuf, PathBuf>);

/// The maximum number of links in a path, as in the kernel.
const MAX_LINKS: usize = 40;

impl Folders {
    fn place(&mut self, path: &Path) -> Place {
        match fs::metadata(path) {
            Ok(metadata) => {
                let kind = metadata.file_type();
                let is_stream = kind.is_char_device() || kind.is_fifo() || kind.is_socket();
                let resolved = fs::canonicalize(path).unwrap_or_else(|_| path.into());
                Place { inode: Some((metadata.dev(), metadata.ino())), path: resolved, is_stream }
            }
            Err(_) => Place { inode: None, path: self.resolved(path, MAX_LINKS), is_stream: false },
        }
    }

    /// The path of a file if it were created.
    fn resolved(&mut self, path: &Path, links: usize) -> PathBuf {
        let folder = path.parent().unwrap_or(path);
        if let Some(target) = fs::read_link(path).ok().filter(|_| links > 0) {
            return self.resolved(&folder.join(target), links - 1);
        }
        match path.file_name() {
            Some(name) => self.folder(folder, links).join(name),
            None => fs::canonicalize(path).unwrap_or_else(|_| path.into()),
        }
    }

    fn folder(&mut self, folder: &Path, links: usize) -> PathBuf {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        if let Some(known) = self.0.get(folder) {
            return known.clone();
        }
        let resolved = fs::canonicalize(folder).unwrap_or_else(|_| self.resolved(folder, links));
        self.0.insert(folder.into(), resolved.clone());
        resolved
    }
}
