//! Looking on while layers learn: lines, the log, the picture, checkpoints.

use std::fs::{File, OpenOptions};
use std::io::{IsTerminal, Write, stderr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use crate::cli::output::Output;
use crate::cli::shown;
use crate::plan::Plan;
use crate::pretrain::{Curve, Picture, Progress, Report, Survey, Watch};
use crate::text::figure;
use crate::writer::{self, Existing, FileOptions, Format, Piece, Settings};

/// Whoever looks on, and hears of the data first.
pub(in crate::cli) trait Noticed: Watch + Send {
    /// Hears what the data is like.
    fn data(&mut self, survey: &Survey);
}

/// Nobody.
pub(in crate::cli) struct Unseen;

impl Watch for Unseen {
    fn looks(&self) -> bool {
        false
    }

    fn epoch(&mut self, _: &Report) -> Result<()> {
        Ok(())
    }

    fn keep(&mut self, _: &mut dyn FnMut() -> Progress) -> Result<()> {
        Ok(())
    }
}

impl Noticed for Unseen {
    fn data(&mut self, _: &Survey) {}
}

/// How often a checkpoint is written where nothing says it.
const OFTEN: Duration = Duration::from_secs(10);

/// A person, a log, a picture and a checkpoint.
pub(super) struct Looker {
    bar: Option<ProgressBar>,
    log: Option<File>,
    picture: Option<(PathBuf, Vec<Curve>)>,
    checkpoint: Option<Checkpoint>,
    options: FileOptions,
    notes: Vec<String>,
}

struct Checkpoint {
    path: PathBuf,
    run: [u8; 32],
    every: Option<u64>,
    /// How many epochs ago, and when, it was written last.
    epochs: u64,
    written: Instant,
}

impl Looker {
    pub(super) fn new(output: &Output, log: Option<&Path>, plot: Option<&Path>, resume: bool) -> Result<Self> {
        let options = output.file_options();
        if let Some(path) = plot {
            let pieces = [Piece::Bytes(Vec::new())];
            writer::check_target(&Plan::nothing(), &pieces, path, options)
                .with_context(|| shown(path))
                .context("--plot")?;
        }
        let open = |path: &Path| {
            let mut how = OpenOptions::new();
            match (resume, options.existing) {
                (true, _) => how.create(true).append(true),
                (false, Existing::Replace) => how.create(true).write(true).truncate(true),
                (false, _) => how.create_new(true).write(true),
            };
            how.open(path).with_context(|| shown(path)).context("--log")
        };
        Ok(Self {
            bar: (!output.is_quiet()).then(bar),
            log: log.filter(|_| !output.is_dry_run()).map(open).transpose()?,
            picture: plot.map(|path| (path.into(), Vec::new())),
            checkpoint: None,
            options,
            notes: Vec::new(),
        })
    }

    /// Where a run goes on that was interrupted, or begins.
    pub(super) fn checkpoint(
        &mut self,
        output: &Output,
        resume: bool,
        every: Option<u64>,
        run: [u8; 32],
    ) -> Result<Progress> {
        let Some(path) = checkpoint_of(output) else {
            ensure!(!resume, "--resume: a checkpoint lies beside the output: -o FILE");
            ensure!(every.is_none(), "--checkpoint-every: a checkpoint lies beside the output: -o FILE");
            return Ok(Progress::default());
        };
        let there = path.symlink_metadata().is_ok();
        ensure!(there || !resume, "--resume: there is no checkpoint {}: leave it out to begin", shown(&path));
        ensure!(
            !there || resume || self.options.existing == Existing::Replace,
            "{}: a run was interrupted there: --resume goes on with it, --force begins anew",
            shown(&path)
        );
        let from = match resume {
            true => Progress::read(&path, &run).with_context(|| format!("--resume: {}", shown(&path)))?,
            false => Progress::default(),
        };
        self.checkpoint = Some(Checkpoint { path, run, every, epochs: 0, written: Instant::now() });
        Ok(from)
    }

    /// What is to be known about the data.
    pub(super) fn notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// Draws what was learnt, where that is wanted.
    pub(super) fn draw(&mut self, plan: &Plan) -> Result<()> {
        self.bar.take().iter().for_each(ProgressBar::finish_and_clear);
        let Some((path, curves)) = &self.picture else { return Ok(()) };
        let picture = Picture { curves, weight: plan.tensors.first() }.svg();
        let pieces = [Piece::Bytes(picture.into_bytes())];
        let settings = Settings { threads: &|| 1, progress: &|_| () };
        writer::write_file(&Plan::nothing(), &pieces, path, self.options, &settings)?;
        Ok(())
    }

    /// Takes the checkpoint away, which nobody needs any more.
    pub(super) fn done(self) -> Result<()> {
        let Some(Checkpoint { path, .. }) = self.checkpoint.filter(|checkpoint| checkpoint.path.exists()) else {
            return Ok(());
        };
        std::fs::remove_file(&path).with_context(|| shown(&path))
    }
}

/// The checkpoint beside an output that is a file.
pub(super) fn checkpoint_of(output: &Output) -> Option<PathBuf> {
    let file = output.file().filter(|path| *path != Path::new("-") && !writer::is_stream(path))?;
    let mut path = file.as_os_str().to_owned();
    if path.as_encoded_bytes().ends_with(b"/") {
        return None;
    }
    path.push(".checkpoint");
    Some(path.into())
}

/// Counts epochs, where somebody looks.
fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
    if let Ok(style) = ProgressStyle::with_template("{bar:30} epoch {pos} of {len}, {eta} left") {
        bar.set_style(style);
    }
    if stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::stderr());
    }
    bar
}

impl Noticed for Looker {
    fn data(&mut self, survey: &Survey) {
        let constant = survey.constant();
        if constant > 0 {
            self.notes.push(format!(
                "{constant} of {} features have one value only: there is nothing to learn from them",
                survey.low.len()
            ));
        }
    }
}

impl Watch for Looker {
    fn looks(&self) -> bool {
        self.bar.is_some() || self.log.is_some() || self.picture.is_some()
    }

    fn epoch(&mut self, report: &Report) -> Result<()> {
        if let Some(bar) = &self.bar {
            let done = report.layer as u64 * report.epochs + report.epoch;
            bar.set_length(report.layers as u64 * report.epochs);
            bar.set_position(done);
            let line = line(report);
            if bar.is_hidden() {
                // What is said on standard error may be lost, but must not fail the work.
                let _ = writeln!(stderr(), "{line}");
            } else {
                bar.println(line);
            }
        }
        if let Some(log) = &mut self.log {
            let means = |means: &[(&'static str, f64)]| -> serde_json::Map<String, serde_json::Value> {
                means.iter().map(|&(name, value)| (name.into(), json!(value))).collect()
            };
            let line = json!({
                "layer": report.layer,
                "epoch": report.epoch,
                "training": means(&report.training),
                "held_out": means(&report.held_out),
                "seconds": report.seconds,
            });
            writeln!(log, "{line}").context("--log")?;
        }
        if let Some((_, curves)) = &mut self.picture {
            Curve::add(curves, report);
        }
        Ok(())
    }

    fn keep(&mut self, progress: &mut dyn FnMut() -> Progress) -> Result<()> {
        let Some(checkpoint) = &mut self.checkpoint else { return Ok(()) };
        checkpoint.epochs += 1;
        let due =
            checkpoint.every.map_or_else(|| checkpoint.written.elapsed() >= OFTEN, |every| checkpoint.epochs >= every);
        if due {
            checkpoint.write(&progress(), self.options.fsync)?;
        }
        Ok(())
    }
}

impl Checkpoint {
    fn write(&mut self, progress: &Progress, fsync: bool) -> Result<()> {
        let plan = progress.plan(&self.run)?;
        let pieces = Format::find("safetensors")?.pieces(&plan)?;
        let settings = Settings { threads: &|| 1, progress: &|_| () };
        let options = FileOptions { existing: Existing::Replace, fsync };
        writer::write_file(&plan, &pieces, &self.path, options, &settings).with_context(|| shown(&self.path))?;
        (self.epochs, self.written) = (0, Instant::now());
        Ok(())
    }
}

/// `layer 1 of 2, epoch 3 of 10: reconstruction error 0.021, pseudo-likelihood -25.3; held out 0.022, -26; 0.8 s`
fn line(report: &Report) -> String {
    let Report { layer, layers, epoch, epochs, .. } = report;
    let means: Vec<String> = report.training.iter().map(|(name, value)| format!("{name} {}", figure(*value))).collect();
    let held_out: Vec<String> = report.held_out.iter().map(|(_, value)| figure(*value)).collect();
    let held_out = if held_out.is_empty() { String::new() } else { format!("; held out {}", held_out.join(", ")) };
    let layer = if *layers > 1 { format!("layer {} of {layers}, ", layer + 1) } else { String::new() };
    format!("{layer}epoch {epoch} of {epochs}: {}{held_out}; {:.1} s", means.join(", "), report.seconds)
}
