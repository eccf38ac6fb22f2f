//! Where a plan goes: the options that every command that writes has in common, and what they mean.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::memory;
use super::report::{self, Written};
use super::shown;
use crate::generator;
use crate::plan::Plan;
use crate::show::{array_text, histogram};
use crate::text::escape;
use crate::writer::{self, Encoder, FORMATS, FileOptions, Format, Settings};

/// Where the data goes, and how it gets there.
#[derive(clap::Args)]
#[expect(clippy::struct_field_names, reason = "the option is named --output")]
pub(super) struct Output {
    /// The file to write, DIR/ for a file for each tensor, or - for standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The format, where the file's extension does not say it: npy, npz, json or safetensors
    #[arg(long)]
    format: Option<String>,
    /// Replace a file that exists
    #[arg(long)]
    force: bool,
    /// How many threads draw and write; changes no byte
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Do not wait until the file is on the disk
    #[arg(long)]
    no_fsync: bool,
    /// The most memory that a matrix may take while it is drawn, such as 8GiB; half of what is free by default
    #[arg(long, value_name = "SIZE", value_parser = memory::parse)]
    max_memory: Option<u64>,
    /// No report and no progress bar
    #[arg(short, long)]
    quiet: bool,
    /// The report as JSON, on standard output unless the data goes there
    #[arg(long)]
    json: bool,
}

/// Where the data goes.
enum Destination {
    /// To a person, to look at.
    Terminal,
    /// To standard output.
    Stream(&'static Format),
    /// To a file.
    File(PathBuf, &'static Format),
    /// To a folder, a file for each tensor.
    Folder(PathBuf, &'static Format),
}

impl Output {
    /// Draws a plan and writes it where it was asked for.
    pub(super) fn write(&self, out: &mut dyn Write, plan: &Plan) -> Result<()> {
        let mut whole = plan.tensors.iter().filter(|tensor| generator::workspace(tensor) > 0).peekable();
        // What is free is asked for only where it matters: for a small program it is a good part of the time.
        if whole.peek().is_some() {
            let limit = self.limit();
            whole.try_for_each(|tensor| generator::check_workspace(tensor, limit))?;
        }
        match self.destination(plan)? {
            Destination::Terminal => self.show(out, plan),
            Destination::Stream(format) => self.write_stream(out, plan, format),
            Destination::File(path, format) => {
                writer::check_target(&path, self.file_options()).with_context(|| shown(&path))?;
                self.write_files(out, plan, format, vec![(path, plan.clone())])
            }
            Destination::Folder(folder, format) => {
                let files = self.files_in(&folder, plan, format)?;
                self.write_files(out, plan, format, files)
            }
        }
    }

    /// The most memory that a matrix may take, in bytes.
    pub(super) fn limit(&self) -> u64 {
        self.max_memory.unwrap_or_else(memory::half_of_free)
    }

    fn destination(&self, plan: &Plan) -> Result<Destination> {
        let asked = self.format.as_deref().map(Format::find).transpose()?;
        match self.output.as_deref() {
            None if asked.is_none() && io::stdout().is_terminal() => Ok(Destination::Terminal),
            None => {
                let binary = asked.is_some_and(|format| format.binary);
                ensure!(
                    !binary || !io::stdout().is_terminal(),
                    "standard output is a terminal: `-o FILE`, or `-o -` to fill it with bytes"
                );
                stream(asked, plan)
            }
            Some(path) if path == Path::new("-") => stream(asked, plan),
            Some(path) if path.as_os_str().as_encoded_bytes().ends_with(b"/") => {
                Ok(Destination::Folder(path.into(), asked.unwrap_or(&FORMATS[0])))
            }
            // Refused where files are checked, which knows what to say of a folder; its extension does not matter.
            Some(path) if path.is_dir() => Ok(Destination::File(path.into(), &FORMATS[0])),
            Some(path) => Ok(Destination::File(path.into(), asked.map_or_else(|| by_extension(path), Ok)?)),
        }
    }

    fn file_options(&self) -> FileOptions {
        FileOptions { force: self.force, fsync: !self.no_fsync }
    }

    /// A file for each tensor, none of them in the way of another.
    fn files_in(&self, folder: &Path, plan: &Plan, format: &Format) -> Result<Vec<(PathBuf, Plan)>> {
        // Without the slash at its end, which asks the system for a folder.
        let plain = folder.components().as_path();
        ensure!(plain.is_dir() || !plain.exists(), "{} is a file, and not a folder to put files in", shown(plain));
        let mut files = Vec::with_capacity(plan.tensors.len());
        for tensor in &plan.tensors {
            let path = folder.join(format!("{}.{}", tensor.name, format.extensions[0]));
            let longest = path.components().map(|part| part.as_os_str().len()).max().unwrap_or(0);
            ensure!(longest <= MAX_FILE_NAME, "{}: a file's name has at most {MAX_FILE_NAME} bytes", shown(&path));
            // Its folder may be still to be made; anything else in the way is told now.
            let there = path.symlink_metadata();
            if !there.is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
                writer::check_target(&path, self.file_options()).with_context(|| shown(&path))?;
            }
            files.push((path, Plan { tensors: vec![tensor.clone()], ..*plan }));
        }
        let paths: HashSet<&Path> = files.iter().map(|(path, _)| path.as_path()).collect();
        let both = paths.iter().flat_map(|path| path.ancestors().skip(1)).find(|folder| paths.contains(folder));
        ensure!(both.is_none(), "{} would be both a file and a folder", both.map(shown).unwrap_or_default());
        Ok(files)
    }

    fn write_files(
        &self,
        out: &mut dyn Write,
        plan: &Plan,
        format: &'static Format,
        files: Vec<(PathBuf, Plan)>,
    ) -> Result<()> {
        let pieces = files.iter().map(|(_, part)| format.pieces(part)).collect::<Result<Vec<_>>>()?;
        // The folder of a single file is there already.
        for folder in files.iter().filter_map(|(path, _)| path.parent()) {
            fs::create_dir_all(folder).with_context(|| shown(folder))?;
        }
        let started = Instant::now();
        self.with_settings(plan, |settings| {
            files.iter().zip(&pieces).try_for_each(|((path, part), pieces)| {
                writer::write_file(part, pieces, path, self.file_options(), settings)
            })
        })?;
        let files = files.into_iter().map(|(path, _)| path).collect();
        self.report(out, plan, &Written { files, format: Some(format), seconds: started.elapsed().as_secs_f64() })
    }

    fn write_stream(&self, out: &mut dyn Write, plan: &Plan, format: &'static Format) -> Result<()> {
        let pieces = format.pieces(plan)?;
        let started = Instant::now();
        // The descriptor itself: the standard library's handle looks for line ends in all that passes.
        let stream = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        self.with_settings(plan, |settings| writer::write_stream(plan, &pieces, settings, stream))
            .context("standard output")?;
        let written = Written { files: Vec::new(), format: Some(format), seconds: started.elapsed().as_secs_f64() };
        // The data is there, so the report goes elsewhere.
        if self.json { self.report(&mut io::stderr(), plan, &written) } else { self.report(out, plan, &written) }
    }

    pub(super) fn threads(&self) -> usize {
        let available = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or_else(available, usize::from)
    }

    /// Runs a piece of writing with threads and a progress bar.
    fn with_settings(&self, plan: &Plan, write: impl FnOnce(&Settings) -> Result<()>) -> Result<()> {
        let bar = Progress::new(plan.bytes(), !self.quiet && io::stderr().is_terminal());
        let threads = self.threads();
        let outcome = write(&Settings { threads, progress: &|bytes| bar.advance(bytes) });
        bar.bar.finish_and_clear();
        outcome
    }

    fn report(&self, out: &mut dyn Write, plan: &Plan, written: &Written) -> Result<()> {
        match (self.json, self.quiet) {
            (true, _) => report::machine(out, plan, written),
            (false, true) => Ok(()),
            (false, false) => {
                // What is said on standard error may be lost, but must not fail the work.
                let _ = report::human(&mut io::stderr(), plan, written);
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
        let threads = self.threads();
        for tensor in plan.tensors.iter().filter(|tensor| tensor.kept().is_none()) {
            let source = plan.generator.open(plan.seed, tensor, threads);
            let mut encoder = Encoder::default();
            let mut element = |index| encoder.widened(source.as_ref(), tensor.dtype, index, 1)[0];
            if plan.tensors.len() > 1 {
                writeln!(out, "\n{}:", escape(tensor.name.as_str()))?;
            } else {
                writeln!(out)?;
            }
            writeln!(out, "{}", array_text(tensor.shape.axes(), tensor.dtype, &mut element))?;
            let sample = usize::try_from(tensor.shape.count()).unwrap_or(MOST_SHOWN).min(MOST_SHOWN);
            if sample > 1 {
                let values = encoder.widened(source.as_ref(), tensor.dtype, 0, sample);
                write!(out, "\n{}", histogram(values, HISTOGRAM_WIDTH))?;
            }
        }
        Ok(())
    }
}

/// Standard output as a destination, in the format asked for or `.npy`.
fn stream(asked: Option<&'static Format>, plan: &Plan) -> Result<Destination> {
    let one = plan.tensors.len() == 1;
    ensure!(asked.is_some() || one, "several tensors to standard output need --format npz, json or safetensors");
    Ok(Destination::Stream(asked.unwrap_or(&FORMATS[0])))
}

fn by_extension(path: &Path) -> Result<&'static Format> {
    let found = path.extension().and_then(|extension| Format::of_extension(extension.to_str()?));
    found.with_context(|| {
        let known: Vec<String> = FORMATS.iter().map(|format| format!(".{}", format.extensions[0])).collect();
        format!("{}: its extension is none of {}: say --format", shown(path), known.join(", "))
    })
}

/// The longest name that file systems take for a file, in bytes.
const MAX_FILE_NAME: usize = 255;

/// How many values make the histogram at most.
const MOST_SHOWN: usize = 1 << 16;
const HISTOGRAM_WIDTH: usize = 75;

/// A progress bar that shows itself once the work has taken half a second.
struct Progress {
    bar: ProgressBar,
    shown_from: Option<Instant>,
}

impl Progress {
    const DELAY: Duration = Duration::from_millis(500);

    fn new(bytes: u64, shown: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::hidden());
        if let Ok(style) =
            ProgressStyle::with_template("{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left")
        {
            bar.set_style(style);
        }
        Self { bar, shown_from: shown.then(|| Instant::now() + Self::DELAY) }
    }

    fn advance(&self, bytes: u64) {
        if self.bar.is_hidden() && self.shown_from.is_some_and(|from| Instant::now() >= from) {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(bytes);
    }
}
