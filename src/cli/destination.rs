//! The destination of a plan with every option resolved, and the writing.

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use rustix::fs::OFlags;

use super::overlap::Touched;
use super::progress::Progress;
use super::report::{self, Written};
use super::resources::Resources;
use super::screen::Screen;
use super::{dry_run, terminal};
use crate::checkpoint::{Division, Files, Rank, Statement, WriteSummary};
use crate::format::{Format, Sidecar};
use crate::plan::{Plan, Tensor};
use crate::text::bytes;
use crate::writer::{self, FileOptions, Settings};

/// The destination of a plan.
pub(super) struct Destination {
    pub(super) place: Place,
    pub(super) options: FileOptions,
    /// The rank of this process; `None` if it writes every file.
    pub(super) rank: Option<Rank>,
    /// True if the SHA-256 of each file is reported and written.
    pub(super) sha256: bool,
    /// The file of the statement about the files; `None` if none is written.
    pub(super) provenance: Option<PathBuf>,
    /// The other files that the command reads or writes. No file of the plan may replace them.
    pub(super) touched: Touched,
    pub(super) resources: Resources,
    /// True if the plan is only printed.
    pub(super) is_dry_run: bool,
    /// True if the sizes of a plan are reported before the work.
    pub(super) announces: bool,
    pub(super) quiet: bool,
    /// True if every tensor has its own line in the report.
    pub(super) verbose: bool,
    pub(super) json: bool,
}

/// The kind of destination.
pub(super) enum Place {
    /// Standard output as a terminal.
    Terminal,
    /// Standard output.
    Stream(&'static Format),
    /// One file.
    File(PathBuf, &'static Format),
    /// A folder with a file for each tensor.
    TensorFiles(PathBuf, &'static Format),
    /// A folder with a checkpoint, and its division into files.
    Checkpoint(PathBuf, &'static Format, Division),
}

/// The option that names the files of a plan.
pub(super) const OPTION: &str = "--output";

impl Destination {
    /// The format of the data; `None` for a terminal.
    pub(super) fn format(&self) -> Option<&'static Format> {
        match &self.place {
            Place::Terminal => None,
            Place::Stream(format)
            | Place::File(_, format)
            | Place::TensorFiles(_, format)
            | Place::Checkpoint(_, format, _) => Some(format),
        }
    }

    /// True if sidecars of the full model are written too.
    pub(super) fn is_folder(&self) -> bool {
        matches!(self.place, Place::TensorFiles(..) | Place::Checkpoint(..))
    }

    /// Divides a checkpoint into files of as many tensors, unless `--max-shard-size` does or `counts` is empty.
    pub(super) fn divide(&mut self, counts: Vec<usize>) {
        if let Place::Checkpoint(_, _, division @ Division::Default) = &mut self.place
            && !counts.is_empty()
        {
            *division = Division::Counts(counts);
        }
    }

    /// Draws a plan and writes it.
    pub(super) fn write(&self, out: &mut dyn Write, plan: &Plan) -> Result<()> {
        self.write_with(out, plan, Vec::new())
    }

    /// As [`Self::write`]; a folder also gets these sidecars.
    pub(super) fn write_with(&self, out: &mut dyn Write, plan: &Plan, sidecars: Vec<Sidecar>) -> Result<()> {
        let files = self.files(plan, sidecars)?;
        if self.is_dry_run {
            return match self.json {
                true => dry_run::as_json(out, plan, self.format(), files.as_ref()),
                false => dry_run::as_text(&mut Screen::stdout(out), plan, self.format(), files.as_ref(), self.verbose),
            };
        }
        self.check_memory(plan)?;
        match (&self.place, files) {
            (Place::Stream(format), _) => self.write_stream(plan, format),
            (_, Some(files)) => self.write_files(out, plan, &files),
            (_, None) => self.show(out, plan),
        }
    }

    /// Errors if a plan cannot be written, before any work is done.
    pub(super) fn check(&self, plan: &Plan) -> Result<()> {
        match (self.files(plan, Vec::new())?, &self.place) {
            (Some(files), _) => files.check(self.options),
            (None, Place::Stream(format)) if !self.is_dry_run => check_stream(plan, format),
            (None, _) => Ok(()),
        }
    }

    /// The files of a plan with their sizes in bytes, tensor files first; `None` if the size depends on the values.
    pub(super) fn sizes(&self, plan: &Plan) -> Result<Vec<(PathBuf, Option<u64>)>> {
        Ok(self.files(plan, Vec::new())?.map(|files| files.sizes()).unwrap_or_default())
    }

    /// The report of a plan with complete files.
    pub(super) fn report_skipped(&self, out: &mut dyn Write, plan: &Plan) -> Result<()> {
        let Some(files) = self.files(plan, Vec::new())? else { return Ok(()) };
        let skipped = files.data.iter().map(|file| file.path.clone()).collect();
        let done = WriteSummary { skipped, ..WriteSummary::default() };
        self.report(out, plan, &Written { done, format: self.format(), ..Written::default() })
    }

    /// The files of a plan; `None` for a stream or a terminal. Errors if a file is an input or another output.
    fn files(&self, plan: &Plan, sidecars: Vec<Sidecar>) -> Result<Option<Files>> {
        let files = match &self.place {
            Place::Terminal | Place::Stream(_) => None,
            Place::File(path, format) => Some(Files::single(path.clone(), plan, format)?),
            Place::TensorFiles(folder, format) => Some(Files::of_tensors(folder, plan, format, sidecars)?),
            Place::Checkpoint(folder, _, division) => Some(Files::of_checkpoint(folder, plan, division, sidecars)?),
        };
        let statement = self.provenance.as_ref().map(|path| Statement {
            path: path.clone(),
            plan: plan.clone(),
            inputs: self.touched.inputs().map(Path::to_path_buf).collect(),
        });
        let files = files.map(|files| files.written_by(self.rank.clone(), self.sha256, statement));
        self.check_overlap(files.as_ref())?;
        Ok(files)
    }

    fn check_overlap(&self, files: Option<&Files>) -> Result<()> {
        let mut touched = self.touched.clone();
        if let Place::Stream(_) = self.place {
            touched = touched.writes(OPTION, Path::new("-"));
        }
        for path in files.iter().flat_map(|files| files.changed()) {
            touched = touched.writes(OPTION, path);
        }
        if let Some(path) = files.and_then(Files::sha256_path) {
            touched = touched.writes("--sha256", &path);
        }
        if let Some(path) = files.and_then(Files::statement_path) {
            touched = touched.writes("--provenance", path);
        }
        touched.check()
    }

    /// Errors if a tensor that must be in memory exceeds the limit. The limit is read only for these, since that takes time.
    fn check_memory(&self, plan: &Plan) -> Result<()> {
        let joint: Vec<_> =
            plan.drawn_for(0..plan.tensors().len()).filter(|tensor| plan.workspace(tensor) > 0).collect();
        let format = self.format().filter(|format| format.column_major);
        if joint.is_empty() && format.is_none() {
            return Ok(());
        }
        let limit = self.resources.limit();
        joint.into_iter().try_for_each(|tensor| plan.check_workspace(tensor, limit))?;
        let Some(format) = format else { return Ok(()) };
        let held = |tensor: &&Tensor| tensor.copied().is_none() && tensor.shape().rank() > 1;
        let large = plan.tensors().iter().filter(held).find(|tensor| tensor.bytes() > limit);
        large.map_or(Ok(()), |tensor| {
            bail!(
                "writing `{}` to .{format} needs {} of memory, above the limit of {}: raise --max-memory",
                tensor.name(),
                bytes(tensor.bytes()),
                bytes(limit)
            )
        })
    }

    fn write_files(&self, out: &mut dyn Write, plan: &Plan, files: &Files) -> Result<()> {
        files.check(self.options)?;
        self.announce(plan, Some(files));
        let started = Instant::now();
        let bytes = files.bytes_to_write(self.options.existing);
        let done = self.with_settings(bytes, |settings| files.write(self.options, settings))?;
        let seconds = started.elapsed().as_secs_f64();
        let shards = files.data.len();
        let rank = files.rank.clone();
        self.report(out, plan, &Written { done, format: self.format(), seconds, rank, shards })
    }

    fn write_stream(&self, plan: &Plan, format: &'static Format) -> Result<()> {
        check_stream(plan, format)?;
        let pieces = format.pieces(plan)?;
        self.announce(plan, None);
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

    /// Writes with threads and a progress bar.
    fn with_settings<T>(&self, bytes: u64, write: impl FnOnce(&Settings) -> Result<T>) -> Result<T> {
        let bar = Progress::new(bytes, !self.quiet && io::stderr().is_terminal());
        let threads = self.resources.threads_on_demand();
        let outcome = write(&Settings { threads: &threads, progress: &|step| bar.step(&step) });
        bar.finish();
        outcome
    }

    /// Reports the sizes of a model, which may take long to draw and fill the disk.
    fn announce(&self, plan: &Plan, files: Option<&Files>) {
        if self.announces && !self.json && !self.quiet {
            // As for the report.
            let _ = Screen::stderr(&mut io::stderr()).line(report::sizes(plan, files));
        }
    }

    fn report(&self, out: &mut dyn Write, plan: &Plan, written: &Written) -> Result<()> {
        match (self.json, self.quiet) {
            (true, _) => report::json(out, plan, written),
            (false, true) => Ok(()),
            (false, false) => {
                // A report on standard error may be lost, but must not fail the work.
                let error = &mut BufWriter::new(io::stderr());
                let _ = report::text(&mut Screen::stderr(error), plan, written, self.verbose);
                Ok(())
            }
        }
    }

    /// Prints the report and the values; as JSON only the report.
    fn show(&self, out: &mut dyn Write, plan: &Plan) -> Result<()> {
        self.announce(plan, None);
        self.report(out, plan, &Written::default())?;
        if self.json { Ok(()) } else { terminal::show(&mut Screen::stdout(out), plan, self.resources.threads()) }
    }
}

/// Errors if standard output cannot take a plan.
fn check_stream(plan: &Plan, format: &Format) -> Result<()> {
    ensure!(
        !is_closed(io::stdout().as_fd())?,
        "standard output is closed or open for reading: write to a file, or redirect it with `>`"
    );
    ensure!(
        format.holds_several || plan.tensors().len() == 1,
        "{} holds one tensor, not {}: write a file with -o, or use --format npz or safetensors",
        format.name,
        plan.tensors().len()
    );
    Ok(())
}

/// True if a standard stream was closed at the start: Rust's runtime then opens /dev/null for reading and writing. The same holds if a
/// parent process opened it so, such as Python with `subprocess.DEVNULL`.
fn is_closed(stream: BorrowedFd) -> Result<bool> {
    if rustix::fs::fcntl_getfl(stream)? & OFlags::RWMODE != OFlags::RDWR {
        return Ok(false);
    }
    let held = File::from(stream.try_clone_to_owned()?).metadata()?.rdev();
    Ok(held != 0 && fs::metadata("/dev/null").is_ok_and(|nothing| nothing.rdev() == held))
}
