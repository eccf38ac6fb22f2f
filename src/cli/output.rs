//! The output options of all commands that write, and the destination they set.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::destination::{Destination, OPTION, Place};
use super::overlap::Touched;
use super::resources::Resources;
use super::{help, memory};
use crate::checkpoint::{Division, Rank, RankOption};
use crate::format::{self, FORMATS, Format};
use crate::text::{did_you_mean, shown};
use crate::writer::{self, Existing, FileOptions};

/// The options of output.
#[derive(clap::Args)]
#[command(next_help_heading = help::OUTPUT)]
#[expect(clippy::struct_field_names, reason = "use --output")]
pub(super) struct Output {
    /// Output file, DIR/, or - for standard output
    ///
    /// `fanin model` writes a checkpoint to DIR/; other commands write one file per tensor there.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Format: npy, npz, ... [default: by extension]
    ///
    /// `fanin list formats` lists the formats.
    #[arg(long, value_parser = Format::find)]
    format: Option<&'static Format>,
    /// Overwrite existing files
    #[arg(long)]
    pub(super) force: bool,
    /// Skip safetensors files that are already complete
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Write SHA-256 sums to FILE.sha256 or SHA256SUMS
    ///
    /// `sha256sum -c` reads them.
    #[arg(long)]
    sha256: bool,
    /// Write an in-toto statement about the files
    ///
    /// Their SHA-256 sums, the origin of their values, the inputs and this program. docs/provenance.md signs it.
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    provenance: Option<PathBuf>,
    /// Print the plan and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not wait until the data is on the disk
    #[arg(long)]
    no_fsync: bool,
    /// Print no report and no progress bar
    #[arg(short, long)]
    quiet: bool,
    /// Report repeated layers one by one
    #[arg(short, long, conflicts_with = "quiet")]
    verbose: bool,
    /// Print the report as JSON
    ///
    /// On standard output, or on standard error if the data goes to standard output.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) resources: Resources,
}

/// The files of a checkpoint, and those of them that this process writes.
#[derive(clap::Args, Clone, Copy, Default)]
#[command(next_help_heading = help::MACHINES)]
pub(super) struct Shards {
    /// Maximum size of each file [default: 5GB]
    ///
    /// DIR/ becomes a checkpoint of as many files as needed. Without this option, a template's files keep their tensors.
    #[arg(long, value_name = "SIZE", value_parser = memory::parse_file_size)]
    max_shard_size: Option<u64>,
    /// Write the files of one rank: 0, 1, ... or `auto`
    ///
    /// `auto` takes the rank from Slurm, Kubernetes, torchrun or MPI.
    #[arg(long, value_name = "I", allow_negative_numbers = true)]
    rank: Option<RankOption>,
    /// Number of ranks
    #[arg(long, value_name = "N", allow_negative_numbers = true, requires = "rank", value_parser = world_size)]
    world_size: Option<u64>,
}

fn world_size(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "use a whole number of 1 or more".into())
}

impl Shards {
    fn division(self) -> Division {
        self.max_shard_size.map_or(Division::Default, Division::Limit)
    }

    /// A given option that only checkpoints have.
    fn option(self) -> Option<&'static str> {
        let options = [(self.max_shard_size.is_some(), "--max-shard-size"), (self.rank.is_some(), "--rank")];
        options.into_iter().find_map(|(given, option)| given.then_some(option))
    }
}

/// The content of a folder by default.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Folder {
    /// A file for each tensor.
    TensorFiles,
    /// The files of a checkpoint.
    Checkpoint,
}

impl Output {
    /// The destination set by the options. Errors if its file is one of `touched`. Runs before any inputs are read, since they may be
    /// large.
    pub(super) fn destination(&self, folder: Folder, shards: Shards, touched: Touched) -> Result<Destination> {
        match self.output.as_deref().filter(|path| !path.is_dir()) {
            Some(path) => touched.clone().writes(OPTION, path).check()?,
            None => touched.check()?,
        }
        let is_stream =
            self.provenance.as_deref().is_some_and(|path| path == Path::new("-") || writer::is_stream(path));
        ensure!(!is_stream, "--provenance needs a regular file");
        let rank = shards.rank.map(|rank| Rank::new(rank, shards.world_size, &|name| std::env::var_os(name)));
        Ok(Destination {
            rank: rank.transpose()?,
            place: self.place(folder, shards)?,
            options: self.file_options(),
            sha256: self.sha256,
            provenance: self.provenance.clone(),
            touched,
            resources: self.resources,
            is_dry_run: self.dry_run,
            announces: folder == Folder::Checkpoint,
            quiet: self.quiet,
            verbose: self.verbose,
            json: self.json,
        })
    }

    /// Removes `--resume`, for a command that continues a run by it; existing files are then replaced.
    pub(super) fn take_resume(&mut self) -> bool {
        let resume = std::mem::take(&mut self.resume);
        self.force |= resume;
        resume
    }

    /// True if no progress is reported.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet || self.json
    }

    pub(super) fn file_options(&self) -> FileOptions {
        let existing = match (self.force, self.resume) {
            (true, _) => Existing::Replace,
            (false, true) => Existing::KeepComplete,
            (false, false) => Existing::Refuse,
        };
        FileOptions { existing, fsync: !self.no_fsync }
    }

    /// The path of `--output`.
    pub(super) fn file(&self) -> Option<&Path> {
        self.output.as_deref()
    }

    fn place(&self, folder: Folder, shards: Shards) -> Result<Place> {
        let format = self.format;
        if let Some(path) = self.folder(folder, shards) {
            return self.place_in(path, folder, shards, format);
        }
        if let Some(option) = shards.option() {
            bail!("{option} needs a checkpoint in a folder: -o DIR/");
        }
        let terminal = io::stdout().is_terminal();
        let path = self.output.as_deref().filter(|path| *path != Path::new("-"));
        if let Some(path) = path {
            // A folder is refused when files are checked, with the fix; its extension does not matter.
            let refused = path.is_dir().then_some(&FORMATS[0]);
            let format = refused.or(format).map_or_else(|| by_extension(path), Ok)?;
            self.check_resumable(format)?;
            return Ok(Place::File(path.into(), format));
        }
        ensure!(!self.sha256, "--sha256 needs -o FILE or -o DIR/");
        ensure!(self.provenance.is_none(), "--provenance needs -o FILE or -o DIR/");
        ensure!(!self.resume, "--resume needs -o FILE.safetensors or -o DIR/");
        let named = self.output.is_some();
        Ok(match format {
            None if self.dry_run || (terminal && !named) => Place::Terminal,
            None => Place::Stream(&FORMATS[0]),
            Some(format) => {
                ensure!(
                    named || self.dry_run || !format.binary || !terminal,
                    "standard output is a terminal: use `-o FILE`, or `-o -` to write bytes to it"
                );
                Place::Stream(format)
            }
        })
    }

    /// The output folder, if the output is one.
    fn folder(&self, folder: Folder, shards: Shards) -> Option<&Path> {
        let path = self.output.as_deref().filter(|path| *path != Path::new("-"))?;
        let named = path.as_os_str().as_encoded_bytes().ends_with(b"/");
        // A file for each tensor needs the slash.
        let checkpoint = folder == Folder::Checkpoint || shards.option().is_some();
        (named || (checkpoint && path.is_dir())).then_some(path)
    }

    fn place_in(&self, path: &Path, folder: Folder, shards: Shards, format: Option<&'static Format>) -> Result<Place> {
        let option = shards.option();
        let is_checkpoint = option.is_some() || folder == Folder::Checkpoint;
        let format = match format {
            Some(format) => format,
            None if is_checkpoint => Format::of_checkpoints()?,
            None => &FORMATS[0],
        };
        self.check_resumable(format)?;
        if let Some(option) = option.filter(|_| !format.makes_checkpoints()) {
            bail!("{option} needs a safetensors checkpoint: omit --format {}", format.name);
        }
        Ok(match is_checkpoint && format.makes_checkpoints() {
            true => Place::Checkpoint(path.into(), format, shards.division()),
            false => Place::TensorFiles(path.into(), format),
        })
    }

    /// Errors if a format does not begin with its provenance, which `--resume` requires.
    fn check_resumable(&self, format: &Format) -> Result<()> {
        ensure!(
            !self.resume || format.makes_checkpoints(),
            "--resume needs safetensors, not {}: use --force to overwrite",
            format.name
        );
        Ok(())
    }
}

/// The format of a file's extension. Errors with the way to a file of another kind.
fn by_extension(path: &Path) -> Result<&'static Format> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_lowercase();
    Format::of_extension(&extension).with_context(|| {
        if let Some(instead) = format::instead_of(&extension) {
            return format!("{}: .{extension} is not written: {instead}", shown(path));
        }
        let known: Vec<String> = FORMATS.iter().map(|format| format!(".{}", format.extensions[0])).collect();
        let near = did_you_mean(&format!(".{extension}"), known.iter().map(String::as_str));
        if extension.is_empty() {
            return format!("{} has no extension: use .npz, ..., or add --format; a folder ends with `/`", shown(path));
        }
        let fix = if near.is_empty() { format!(": use {}, or add --format", known.join(", ")) } else { near };
        format!("{}: unknown extension{fix}", shown(path))
    })
}
