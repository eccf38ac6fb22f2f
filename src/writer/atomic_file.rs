//! Atomic writing: a file is prepared next to its target, unnamed or under a temporary name, and then published. A
//! kill, a full disk or a power cut leaves either the old state or the complete new file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::fill;
use super::settings::Settings;
use super::sha256;
use super::unfinished::{UNCONFIRMED, Unfinished, folder, sync_names};
use crate::format::{Piece, size};
use crate::plan::Plan;

/// Options for putting a file in place.
#[derive(Clone, Copy, Debug)]
pub struct FileOptions {
    /// Policy for an existing file.
    pub existing: Existing,
    /// True if the file and its folder are synced to disk, the file before it is published.
    pub fsync: bool,
}

/// Policy for an existing file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Return an error.
    Refuse,
    /// Replace it. Through a symbolic link, replace the link's target.
    Replace,
    /// Replace it. Replace a symbolic link, not its target.
    ReplaceLink,
    /// Keep it if it is the file to write, replace it if that file is damaged, and return an error for any other
    /// file.
    KeepComplete,
}

impl Existing {
    fn is_replaced(self) -> bool {
        matches!(self, Self::Replace | Self::ReplaceLink)
    }
}

/// Result of writing one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The file was written.
    Written,
    /// The file already existed and was complete.
    Skipped,
    /// The existing file was damaged and has been rewritten.
    Mended,
}

/// Comparison of an existing file with the one to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The same file, complete.
    Whole,
    /// The same file, truncated or with extra bytes.
    Damaged,
    /// A different file.
    Other,
}

enum Target {
    /// No file: a new one is created.
    Free(PathBuf),
    /// A file to replace, with its mode.
    Replaced(PathBuf, u32),
    /// A device or a pipe, written directly and in order.
    Stream,
    /// The complete file already exists.
    Whole,
}

/// Errors if these pieces could not be written to `path`. Runs before any work is done.
pub fn check_target(plan: &Plan, pieces: &[Piece], path: &Path, options: FileOptions) -> Result<()> {
    target(plan, pieces, path, options).map(|_| ())
}

/// True for a device or a pipe, which is written directly and in order.
pub fn is_stream(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_char_device() || metadata.file_type().is_fifo())
}

fn target(plan: &Plan, pieces: &[Piece], path: &Path, options: FileOptions) -> Result<Target> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // A file created since then is not a link, and publishing detects it.
            let link = found(fs::symlink_metadata(path))?.is_some_and(|metadata| metadata.is_symlink());
            ensure!(!link, "broken symbolic link");
            let folder = folder(path);
            let is_folder = found(fs::metadata(folder))?.is_some_and(|metadata| metadata.is_dir());
            ensure!(is_folder, "no such folder: `{}`", folder.display());
            return Ok(Target::Free(path.into()));
        }
        Err(error) => return Err(error.into()),
    };
    let kind = metadata.file_type();
    if kind.is_dir() {
        bail!("a folder: use a file in it, or add `/` for one file per tensor");
    }
    if kind.is_char_device() || kind.is_fifo() {
        return Ok(Target::Stream);
    }
    ensure!(kind.is_file(), "not a file, device or pipe");
    match options.existing {
        Existing::Refuse => bail!("already exists: use --force to overwrite"),
        Existing::Replace => Ok(Target::Replaced(fs::canonicalize(path)?, permissions(&metadata))),
        Existing::ReplaceLink => Ok(Target::Replaced(path.into(), permissions(&metadata))),
        Existing::KeepComplete => match standing(plan, pieces, path)? {
            Standing::Whole => Ok(Target::Whole),
            Standing::Damaged => Ok(Target::Replaced(fs::canonicalize(path)?, permissions(&metadata))),
            Standing::Other => bail!(OTHER),
        },
    }
}

/// Permission bits that the new file inherits. Special bits, such as set-user-ID, are dropped.
fn permissions(metadata: &fs::Metadata) -> u32 {
    metadata.permissions().mode() & 0o777
}

/// Turns `NotFound` into `None`; other errors pass through.
fn found(metadata: io::Result<fs::Metadata>) -> io::Result<Option<fs::Metadata>> {
    match metadata {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// Error for a file of another plan.
pub const OTHER: &str = "exists with other contents: use another folder, or --force to overwrite";

/// True if the file at `path` is complete, by its size and its first bytes. If those bytes hold the provenance, that
/// is enough, because only complete files are published.
pub fn is_whole(plan: &Plan, pieces: &[Piece], path: &Path) -> Result<bool> {
    Ok(standing(plan, pieces, path)? == Standing::Whole)
}

/// Compares the file at `path` with these pieces. A file that ends within the first piece holds no value; if its
/// bytes agree, it counts as damaged rather than as another file.
pub fn standing(plan: &Plan, pieces: &[Piece], path: &Path) -> Result<Standing> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let Some(Piece::Bytes(opening)) = pieces.first() else { return Ok(Standing::Other) };
    let known = usize::try_from(length).unwrap_or(usize::MAX).min(opening.len());
    let mut buffer = vec![0; known.min(1 << 16)];
    for expected in opening[..known].chunks(1 << 16) {
        let held = &mut buffer[..expected.len()];
        file.read_exact(held)?;
        if held != expected {
            return Ok(Standing::Other);
        }
    }
    Ok(if Some(length) == size(pieces, plan) { Standing::Whole } else { Standing::Damaged })
}

/// A complete file that is not yet published. Dropping it removes the file.
pub struct Prepared<'a> {
    plan: &'a Plan,
    pieces: &'a [Piece],
    path: &'a Path,
    options: FileOptions,
    state: State,
}

enum State {
    /// Nothing is left to do.
    Ended(Outcome),
    /// To be published at `target`, over an existing file if `replaced`.
    Whole { unfinished: Unfinished, target: PathBuf, replaced: bool },
}

/// Writes the pieces of a plan next to the target. Errors name the file and leave nothing behind.
pub fn prepare_file<'a>(
    plan: &'a Plan,
    pieces: &'a [Piece],
    path: &'a Path,
    options: FileOptions,
    settings: &Settings,
) -> Result<Prepared<'a>> {
    let prepared = target(plan, pieces, path, options).and_then(|target| {
        let (target, mode) = match target {
            Target::Stream => {
                let stream = OpenOptions::new().write(true).open(path)?;
                fill::into_stream(plan, pieces, settings, stream)?;
                return Ok(State::Ended(Outcome::Written));
            }
            Target::Whole => return Ok(State::Ended(Outcome::Skipped)),
            Target::Free(path) => (path, None),
            Target::Replaced(path, mode) => (path, Some(mode)),
        };
        let unfinished = Unfinished::create(&target)?;
        match size(pieces, plan) {
            Some(size) => {
                unfinished.reserve(size)?;
                fill::into_file(plan, pieces, settings, unfinished.file())?;
            }
            None => fill::into_stream(plan, pieces, settings, unfinished.file())?,
        }
        mode.map_or(Ok(()), |mode| unfinished.set_mode(mode))?;
        if options.fsync {
            unfinished.file().sync_all()?;
        }
        Ok(State::Whole { unfinished, target, replaced: mode.is_some() })
    });
    let state = prepared.with_context(|| format!("`{}`", path.display()))?;
    Ok(Prepared { plan, pieces, path, options, state })
}

impl Prepared<'_> {
    /// SHA-256 of the file.
    pub fn sha256(&self) -> Result<String> {
        let hash = match &self.state {
            State::Whole { unfinished, .. } => sha256::sha256(unfinished.file()),
            State::Ended(_) => File::open(self.path).and_then(|file| sha256::sha256(&file)),
        };
        hash.with_context(|| format!("`{}`", self.path.display()))
    }

    /// If the file replaces another, does everything that may need disk space, so that publishing is a mere rename.
    pub fn name(&mut self) -> Result<()> {
        let FileOptions { existing, fsync } = self.options;
        match &mut self.state {
            State::Whole { unfinished, target, replaced } if existing.is_replaced() || *replaced => {
                unfinished.name(target, fsync).with_context(|| format!("`{}`", self.path.display()))
            }
            State::Whole { .. } | State::Ended(_) => Ok(()),
        }
    }

    /// Publishes the file, with the mode of a withdrawn one if given.
    pub fn publish(self, mode: Option<u32>) -> Result<Outcome> {
        let path = self.path;
        self.publish_whole(mode).with_context(|| format!("`{}`", path.display()))
    }

    fn publish_whole(self, mode: Option<u32>) -> Result<Outcome> {
        let Self { plan, pieces, options: FileOptions { existing, fsync }, state, .. } = self;
        let (mut unfinished, path, replaced) = match state {
            State::Ended(outcome) => return Ok(outcome),
            State::Whole { unfinished, target, replaced } => (unfinished, target, replaced),
        };
        mode.map_or(Ok(()), |mode| unfinished.set_mode(mode))?;
        if let Err(error) = unfinished.publish(&path, existing.is_replaced() || replaced, fsync) {
            // Another process with the same plan may have been faster, or may have claimed the name without
            // finishing.
            let is_file = found(fs::metadata(&path))?.is_some_and(|metadata| metadata.is_file());
            if existing != Existing::KeepComplete || !is_file {
                return Err(error);
            }
            match standing(plan, pieces, &path)? {
                Standing::Whole => return Ok(Outcome::Skipped),
                Standing::Damaged => unfinished.publish(&path, true, fsync)?,
                Standing::Other => bail!(OTHER),
            }
        }
        if fsync {
            sync_names(&path).context(UNCONFIRMED)?;
        }
        Ok(if replaced && existing == Existing::KeepComplete { Outcome::Mended } else { Outcome::Written })
    }
}

/// Writes the pieces of a plan to a file. Errors name the file and leave nothing behind.
pub fn write_file(
    plan: &Plan,
    pieces: &[Piece],
    path: &Path,
    options: FileOptions,
    settings: &Settings,
) -> Result<Outcome> {
    prepare_file(plan, pieces, path, options, settings)?.publish(None)
}

/// Removes files of one folder in this order and returns their modes. A symbolic link is removed, not its target.
pub fn withdraw<'a>(paths: impl IntoIterator<Item = &'a Path>, fsync: bool) -> Result<Vec<(PathBuf, u32)>> {
    let mut withdrawn: Vec<(PathBuf, u32)> = Vec::new();
    for path in paths {
        let remove = || {
            let Some(metadata) = found(fs::metadata(path))?.filter(fs::Metadata::is_file) else { return Ok(None) };
            match fs::remove_file(path) {
                // Another process was faster.
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                other => other.map(|()| Some((path.to_path_buf(), permissions(&metadata)))),
            }
        };
        withdrawn.extend(remove().with_context(|| format!("`{}`", path.display()))?);
    }
    if let Some((path, _)) = withdrawn.first().filter(|_| fsync) {
        let message = || format!("`{}`: its removal may not be on the disk yet", path.display());
        sync_names(path).with_context(message)?;
    }
    Ok(withdrawn)
}

/// Writes the pieces of a plan to a stream, in order.
pub fn write_stream(plan: &Plan, pieces: &[Piece], settings: &Settings, stream: impl Write + Send) -> Result<()> {
    fill::into_stream(plan, pieces, settings, stream)
}
