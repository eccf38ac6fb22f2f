//! The checkpoint of a run: a file next to the output, until the output is complete.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::cli::output::Output;
use crate::cli::shown;
use crate::format::Format;
use crate::pretrain::{History, Progress, Run};
use crate::writer::{self, Existing, FileOptions, Settings};

/// The interval between checkpoints if no option sets it.
const OFTEN: Duration = Duration::from_secs(10);

pub(super) struct Checkpoint {
    path: PathBuf,
    run: Run,
    /// The epochs between checkpoints, if set.
    every: Option<u64>,
    /// The epochs since the last checkpoint.
    epochs: u64,
    written: Instant,
    fsync: bool,
}

/// The checkpoint of a file output.
pub(super) fn path_beside(output: &Output) -> Option<PathBuf> {
    let file = output.file().filter(|path| *path != Path::new("-") && !writer::is_stream(path))?;
    let mut path = file.as_os_str().to_owned();
    if path.as_encoded_bytes().ends_with(b"/") {
        return None;
    }
    path.push(".checkpoint");
    Some(path.into())
}

impl Checkpoint {
    pub(super) fn new(path: PathBuf, run: Run, every: Option<u64>, fsync: bool) -> Self {
        Self { path, run, every, epochs: 0, written: Instant::now(), fsync }
    }

    /// Counts an epoch; true if a checkpoint is due.
    pub(super) fn is_due(&mut self) -> bool {
        self.epochs += 1;
        self.every.map_or_else(|| self.written.elapsed() >= OFTEN, |every| self.epochs >= every)
    }

    pub(super) fn write(&mut self, progress: Progress, history: &History) -> Result<()> {
        let plan = progress.plan(history, &self.run)?;
        let pieces = Format::of_checkpoints()?.pieces(&plan)?;
        let settings = Settings { threads: &|| 1, progress: &|_| () };
        let options = FileOptions { existing: Existing::Replace, fsync: self.fsync };
        writer::write_file(&plan, &pieces, &self.path, options, &settings)?;
        (self.epochs, self.written) = (0, Instant::now());
        Ok(())
    }
}

/// Removes a checkpoint if there is one.
pub(super) fn remove(path: Option<&Path>) -> Result<()> {
    match path.filter(|path| path.symlink_metadata().is_ok()) {
        Some(path) => std::fs::remove_file(path).with_context(|| shown(path)),
        None => Ok(()),
    }
}
