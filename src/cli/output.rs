//! The options that every command that writes has in common, and the writing itself.

mod destination;

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use rustix::fs::OFlags;

use self::destination::{Destination, Folder};
use super::files::{Files, WriteOptions, WriteSummary};
use super::overlap::Touched;
use super::progress::Progress;
use super::rank::{self, Part, Rank};
use super::report::{self, Written};
use super::resources::Resources;
use super::{dry_run, memory};
use crate::format::Format;
use crate::plan::{Opened, Plan};
use crate::show::{array_text, histogram};
use crate::text::escape;
use crate::writer::{self, Beside, Encoder, Existing, FileOptions, Settings};

/// The place that the data goes to, and the way it gets there.
#[derive(clap::Args)]
#[command(next_help_heading = "Output")]
#[expect(clippy::struct_field_names, reason = "the option is named --output")]
pub(super) struct Output {
    /// Output file, DIR/ for a folder, or - for standard output
    ///
    /// A folder gets a checkpoint with `model`, and otherwise one file for each tensor.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// File format (`fanin list formats`) [default: by the file's extension]
    #[arg(long)]
    format: Option<String>,
    /// Overwrite existing files
    #[arg(long)]
    force: bool,
    /// Skip safetensors files that are already complete
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Write SHA-256 sums to FILE.sha256 or DIR/SHA256SUMS
    ///
    /// `sha256sum -c` reads them.
    #[arg(long)]
    sha256: bool,
    /// Print what would be written, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not wait until the data is on the disk
    #[arg(long)]
    no_fsync: bool,
    /// Print no report and no progress bar
    #[arg(short, long)]
    quiet: bool,
    /// Print the report as JSON
    ///
    /// On standard output, or on standard error if the data goes to standard output.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    pub(super) resources: Resources,
    /// Set by the commands that have these options.
    #[arg(skip)]
    pub(super) shards: Shards,
}

/// The files of a checkpoint, and those of them that this process writes.
#[derive(clap::Args, Clone, Copy, Default)]
#[command(next_help_heading = "Many machines")]
pub(super) struct Shards {
    /// Write DIR/ as a checkpoint of files of at most SIZE [default: 5GB]
    #[arg(long, value_name = "SIZE", value_parser = memory::parse_file_size)]
    max_shard_size: Option<u64>,
    /// Write only the files of this rank, counted from 0, or `auto`
    ///
    /// `auto` takes the rank from Slurm, Kubernetes, torchrun or MPI.
    #[arg(long, value_name = "I", allow_negative_numbers = true, value_parser = rank::parse)]
    rank: Option<Rank>,
    /// Number of ranks
    #[arg(long, value_name = "N", allow_negative_numbers = true, requires = "rank")]
    world_size: Option<u64>,
}

/// The option that names the files of a plan.
pub(super) const OPTION: &str = "--output";

impl Output {
    /// Draws a plan and writes it where it was asked for; a folder gets a file for each tensor. No file of `touched` is overwritten.
    pub(super) fn write(&self, out: &mut dyn Write, plan: &Plan, touched: Touched) -> Result<()> {
        self.write_as(Folder::TensorFiles, out, plan, &[], touched)
    }

    /// The same for a whole model: a folder gets a checkpoint, and `beside` too.
    pub(super) fn write_checkpoint(
        &self,
        out: &mut dyn Write,
        plan: &Plan,
        beside: &[Beside],
        touched: Touched,
    ) -> Result<()> {
        self.write_as(Folder::Checkpoint, out, plan, beside, touched)
    }

    fn write_as(
        &self,
        folder: Folder,
        out: &mut dyn Write,
        plan: &Plan,
        beside: &[Beside],
        touched: Touched,
    ) -> Result<()> {
        let part = self.part()?;
        let destination = self.destination(folder, plan, beside)?;
        self.check_overlap(&destination, touched)?;
        if self.dry_run {
            let (files, format) = match &destination {
                Destination::Terminal => (None, None),
                Destination::Stream(format) => (None, Some(*format)),
                Destination::Files(files, format) => (Some(files), Some(*format)),
            };
            return dry_run::print(out, plan, &dry_run::Planned { files, format, part: part.as_ref() }, self.json);
        }
        let drawn = plan.drawn_for(0..plan.tensors().len());
        let mut whole = drawn.filter(|tensor| plan.workspace(tensor) > 0).peekable();
        // What is free is asked for only where it matters: for a small program it is a good part of the time.
        if whole.peek().is_some() {
            let limit = self.resources.limit();
            whole.try_for_each(|tensor| plan.check_workspace(tensor, limit))?;
        }
        match destination {
            Destination::Terminal => self.show(out, plan),
            Destination::Stream(format) => self.write_stream(plan, format),
            Destination::Files(files, format) => {
                let manner = WriteOptions { options: self.file_options(), part, sums: self.sha256 };
                self.write_files(out, plan, format, &files, manner)
            }
        }
    }

    /// Takes `--resume` away from the files, for a command that gives it another meaning.
    pub(super) fn take_resume(&mut self) -> bool {
        std::mem::take(&mut self.resume)
    }

    /// True if files that exist are replaced.
    pub(super) fn replaces(&self) -> bool {
        self.force
    }

    /// Replaces files that exist from now on.
    pub(super) fn replace(&mut self) {
        self.force = true;
    }

    /// The files of a plan with their sizes, the weights first; a size is `None` if the numbers decide it.
    pub(super) fn files_of(&self, plan: &Plan) -> Result<Vec<(PathBuf, Option<u64>)>> {
        match self.destination(Folder::TensorFiles, plan, &[])? {
            Destination::Files(files, _) => Ok(files.sizes(self.sha256)),
            Destination::Terminal | Destination::Stream(_) => Ok(Vec::new()),
        }
    }

    /// The report of a plan whose files are there already.
    pub(super) fn report_kept(&self, out: &mut dyn Write, plan: &Plan) -> Result<()> {
        let Destination::Files(files, format) = self.destination(Folder::TensorFiles, plan, &[])? else {
            return Ok(());
        };
        let kept = files.data.iter().map(|file| file.path.clone()).collect();
        let done = WriteSummary { kept, ..WriteSummary::default() };
        self.report(out, plan, &Written { done, format: Some(format), ..Written::default() })
    }

    /// True if only the plan is printed.
    pub(super) fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// True if no progress is reported.
    pub(super) fn is_quiet(&self) -> bool {
        self.quiet || self.json
    }

    /// The options for a file that is written.
    pub(super) fn file_options(&self) -> FileOptions {
        let existing = match (self.force, self.resume) {
            (true, _) => Existing::Replace,
            (false, true) => Existing::KeepComplete,
            (false, false) => Existing::Refuse,
        };
        FileOptions { existing, fsync: !self.no_fsync }
    }

    /// Errors if the file that was named is an input, before inputs are read: they may be large.
    pub(super) fn check_named(&self, touched: &Touched) -> Result<()> {
        match self.output.as_deref().filter(|path| !path.is_dir()) {
            Some(path) => touched.clone().writes(OPTION, path).check(),
            None => touched.check(),
        }
    }

    /// Errors if a file that is to be written is an input or another output.
    fn check_overlap(&self, destination: &Destination, touched: Touched) -> Result<()> {
        let touched = match destination {
            Destination::Terminal => touched,
            Destination::Stream(_) => touched.writes(OPTION, Path::new("-")),
            Destination::Files(files, _) => files.touched(touched, self.sha256),
        };
        touched.check()
    }

    /// Errors where the files of a plan could not be put in their places, before any work is done.
    pub(super) fn check(&self, plan: &Plan, touched: Touched) -> Result<()> {
        let part = self.part()?;
        let destination = self.destination(Folder::TensorFiles, plan, &[])?;
        self.check_overlap(&destination, touched)?;
        if let Destination::Files(files, _) = destination {
            files.check(&WriteOptions { options: self.file_options(), part, sums: self.sha256 })?;
        }
        Ok(())
    }

    /// The part of the files that this process writes; `None` for all.
    fn part(&self) -> Result<Option<Part>> {
        let Shards { rank, world_size, .. } = self.shards;
        rank.map(|rank| Part::new(rank, world_size, &|name| std::env::var_os(name))).transpose()
    }

    /// The file that was named.
    pub(super) fn file(&self) -> Option<&Path> {
        self.output.as_deref()
    }

    /// True if a whole model goes into a folder.
    pub(super) fn is_checkpoint(&self) -> bool {
        self.folder(Folder::Checkpoint).is_some()
    }

    fn write_files(
        &self,
        out: &mut dyn Write,
        plan: &Plan,
        format: &'static Format,
        files: &Files,
        manner: WriteOptions,
    ) -> Result<()> {
        files.check(&manner)?;
        let started = Instant::now();
        let done = self.with_settings(files.bytes_to_write(&manner), |settings| files.write(&manner, settings))?;
        let seconds = started.elapsed().as_secs_f64();
        let shards = files.data.len();
        self.report(out, plan, &Written { done, format: Some(format), seconds, part: manner.part, shards })
    }

    fn write_stream(&self, plan: &Plan, format: &'static Format) -> Result<()> {
        ensure!(
            !is_closed(io::stdout().as_fd())?,
            "standard output is closed, or /dev/null open for reading too: write to a file, or redirect it by `>`"
        );
        let pieces = format.pieces(plan)?;
        let started = Instant::now();
        // The descriptor itself: the standard library's handle looks for line ends in all that passes.
        let stream = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        self.with_settings(plan.bytes(), |settings| writer::write_stream(plan, &pieces, settings, stream))
            .context("standard output")?;
        let seconds = started.elapsed().as_secs_f64();
        let written = Written { format: Some(format), seconds, ..Written::default() };
        // Standard output has the data.
        let mut error = BufWriter::new(io::stderr());
        self.report(&mut error, plan, &written)?;
        Ok(error.flush()?)
    }

    /// Runs a piece of writing with threads and a progress bar.
    fn with_settings<T>(&self, bytes: u64, write: impl FnOnce(&Settings) -> Result<T>) -> Result<T> {
        let bar = Progress::new(bytes, !self.quiet && io::stderr().is_terminal());
        let outcome =
            write(&Settings { threads: &self.resources.threads_when_asked(), progress: &|bytes| bar.advance(bytes) });
        bar.finish();
        outcome
    }

    fn report(&self, out: &mut dyn Write, plan: &Plan, written: &Written) -> Result<()> {
        match (self.json, self.quiet) {
            (true, _) => report::machine(out, plan, written),
            (false, true) => Ok(()),
            (false, false) => {
                // What is said on standard error may be lost, but must not fail the work.
                let _ = report::human(&mut BufWriter::new(io::stderr()), plan, written);
                Ok(())
            }
        }
    }

    /// Shows the report and the values to a person; to a machine the report alone.
    fn show(&self, out: &mut dyn Write, plan: &Plan) -> Result<()> {
        self.report(out, plan, &Written::default())?;
        if self.json {
            return Ok(());
        }
        let threads = self.resources.threads();
        for (number, tensor) in plan.tensors().iter().enumerate() {
            let Opened::Numbers(dtype, source) = plan.open(number, threads) else { continue };
            let mut encoder = Encoder::default();
            let mut element = |index| encoder.widened(source.as_ref(), dtype, index, 1)[0];
            if plan.tensors().len() > 1 {
                writeln!(out, "\n{}:", escape(tensor.name().as_str()))?;
            } else {
                writeln!(out)?;
            }
            writeln!(out, "{}", array_text(tensor.shape().axes(), dtype, &mut element))?;
            let sample = usize::try_from(tensor.shape().count()).unwrap_or(MAX_SHOWN).min(MAX_SHOWN);
            if sample > 1 {
                let values = encoder.widened(source.as_ref(), dtype, 0, sample);
                write!(out, "\n{}", histogram(values, HISTOGRAM_WIDTH))?;
            }
        }
        Ok(())
    }
}

/// True if a standard stream was closed when the program began: Rust's runtime then opens /dev/null in its place, for reading and writing.
/// A program that starts this one with /dev/null so, such as Python with `subprocess.DEVNULL`, looks the same.
fn is_closed(stream: BorrowedFd) -> Result<bool> {
    if rustix::fs::fcntl_getfl(stream)? & OFlags::RWMODE != OFlags::RDWR {
        return Ok(false);
    }
    let nothing = std::fs::metadata("/dev/null").is_ok_and(|nothing| {
        rustix::fs::fstat(stream).is_ok_and(|held| held.st_rdev == nothing.rdev() && nothing.rdev() != 0)
    });
    Ok(nothing)
}

/// The most values that make the histogram.
const MAX_SHOWN: usize = 1 << 16;
const HISTOGRAM_WIDTH: usize = 75;
