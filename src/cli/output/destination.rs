//! The place that the options of output name: a terminal, a stream or files, and their format.

use std::io::{self, IsTerminal};
use std::path::Path;

use anyhow::{Result, bail, ensure};

use super::Output;
use crate::cli::files::{Files, by_extension};
use crate::format::{FORMATS, Format};
use crate::plan::Plan;
use crate::writer::{Beside, Checkpoint};

/// The content of a folder, unless an option sets it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Folder {
    /// A file for each tensor.
    TensorFiles,
    /// The files of a checkpoint.
    Checkpoint,
}

/// The place where the data goes.
pub(super) enum Destination {
    /// To a person, to look at.
    Terminal,
    /// To standard output.
    Stream(&'static Format),
    /// To files.
    Files(Files, &'static Format),
}

impl Output {
    /// The format of a whole model, if the options name it.
    pub(in crate::cli) fn format_of_model(&self) -> Result<Option<&'static Format>> {
        if let Some(name) = &self.format {
            return Format::find(name).map(Some);
        }
        Ok(match &self.output {
            _ if self.is_checkpoint() => Format::of_checkpoints().ok(),
            // A name that says no format is refused later.
            Some(path) if path != Path::new("-") => by_extension(path).ok(),
            _ => None,
        })
    }

    /// The place that the options name.
    pub(super) fn destination(&self, folder: Folder, plan: &Plan, beside: &[Beside]) -> Result<Destination> {
        let asked = self.format.as_deref().map(Format::find).transpose()?;
        if let Some(path) = self.folder(folder) {
            return self.files_in(path, folder, asked, plan, beside);
        }
        if let Some(option) = self.checkpoint_option() {
            bail!("{option} goes with a checkpoint in a folder: -o DIR/");
        }
        let destination = match self.output.as_deref() {
            None if asked.is_none() && io::stdout().is_terminal() => Destination::Terminal,
            None => {
                let binary = asked.is_some_and(|format| format.binary);
                ensure!(
                    self.dry_run || !binary || !io::stdout().is_terminal(),
                    "standard output is a terminal: `-o FILE`, or `-o -` to fill it with bytes"
                );
                stream(asked, plan, self.dry_run)?
            }
            Some(path) if path == Path::new("-") => stream(asked, plan, self.dry_run)?,
            Some(path) => {
                // A folder is refused where files are checked, which knows what to say; its extension does not matter.
                let refused = path.is_dir().then_some(&FORMATS[0]);
                let format = refused.or(asked).map_or_else(|| by_extension(path), Ok)?;
                self.check_resumable(format)?;
                Destination::Files(Files::single(path.into(), plan, format)?, format)
            }
        };
        let file = matches!(destination, Destination::Files(..));
        ensure!(file || !self.sha256, "--sha256 is of files: -o FILE or -o DIR/");
        ensure!(file || !self.resume, "--resume is for files: -o FILE.safetensors or -o DIR/");
        Ok(destination)
    }

    /// The folder to write into, if the output is one.
    pub(super) fn folder(&self, folder: Folder) -> Option<&Path> {
        let path = self.output.as_deref().filter(|path| *path != Path::new("-"))?;
        let named = path.as_os_str().as_encoded_bytes().ends_with(b"/");
        // Where a file for each tensor is meant, the slash says so.
        let checkpoint = folder == Folder::Checkpoint || self.checkpoint_option().is_some();
        (named || (checkpoint && path.is_dir())).then_some(path)
    }

    /// An option that was given and asks for a checkpoint.
    fn checkpoint_option(&self) -> Option<&'static str> {
        let options =
            [(self.shards.max_shard_size.is_some(), "--max-shard-size"), (self.shards.rank.is_some(), "--rank")];
        options.into_iter().find_map(|(given, option)| given.then_some(option))
    }

    fn files_in(
        &self,
        path: &Path,
        folder: Folder,
        asked: Option<&'static Format>,
        plan: &Plan,
        beside: &[Beside],
    ) -> Result<Destination> {
        let option = self.checkpoint_option();
        let of_checkpoints = Format::of_checkpoints().ok();
        let format = match folder {
            _ if option.is_some() => asked.or(of_checkpoints),
            Folder::Checkpoint => asked.or(of_checkpoints),
            Folder::TensorFiles => asked,
        };
        let format = format.unwrap_or(&FORMATS[0]);
        self.check_resumable(format)?;
        if let Some(option) = option.filter(|_| !format.makes_checkpoints()) {
            bail!("{option} goes with a checkpoint, which is safetensors: leave out --format {}", format.name);
        }
        let beside = beside.to_vec();
        let checkpoint = option.is_some() || (folder == Folder::Checkpoint && format.makes_checkpoints());
        let files = match checkpoint {
            true => {
                let limit = self.shards.max_shard_size.unwrap_or(Checkpoint::MAX_SHARD_SIZE);
                Files::of_checkpoint(path, plan, limit, beside)?
            }
            false => Files::of_tensors(path, plan, format, beside)?,
        };
        Ok(Destination::Files(files, format))
    }

    /// Refuses to resume what would not show which plan it is of.
    fn check_resumable(&self, format: &Format) -> Result<()> {
        ensure!(
            !self.resume || format.makes_checkpoints(),
            "--resume: the first bytes of a .{} do not tell its plan: write safetensors, or replace it by --force",
            format.name
        );
        Ok(())
    }
}

/// Standard output as a destination, in the format asked for or `.npy`.
fn stream(asked: Option<&'static Format>, plan: &Plan, dry_run: bool) -> Result<Destination> {
    let one = plan.tensors().len() == 1;
    if asked.is_none() && dry_run {
        return Ok(Destination::Terminal);
    }
    let several = || {
        FORMATS.iter().filter(|format| format.holds_several).map(|format| format.name).collect::<Vec<_>>().join(", ")
    };
    ensure!(asked.is_some() || one, "several tensors to standard output need --format: one of {}", several());
    Ok(Destination::Stream(asked.unwrap_or(&FORMATS[0])))
}
