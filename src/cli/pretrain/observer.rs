//! The observers of a training run.

use std::io::{BufWriter, IsTerminal, stderr};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget};

use super::checkpoint::Checkpoint;
use super::log::Log;
use crate::cli::output::Output;
use crate::cli::progress::style;
use crate::cli::screen::Screen;
use crate::format::Piece;
use crate::picture::PictureFile;
use crate::plan::{Plan, TrainedTensor};
use crate::pretrain::{History, Picture, Progress, Report, TrainingObserver};
use crate::tensor::Seed;
use crate::text::figure;
use crate::writer::{self, FileOptions, Settings};

/// Ignores every event.
pub(super) struct NoObserver;

impl TrainingObserver for NoObserver {
    fn every_epoch(&self) -> bool {
        false
    }

    fn notes(&mut self, _: Vec<String>) {}

    fn epoch(&mut self, _: &Report) -> Result<()> {
        Ok(())
    }

    fn checkpoint(&mut self, _: &mut dyn FnMut() -> Progress) -> Result<()> {
        Ok(())
    }
}

/// Writes progress to standard error, and maintains the log, the picture and checkpoints.
pub(super) struct ConsoleObserver {
    bar: Option<ProgressBar>,
    pub(super) log: Option<Log>,
    pub(super) picture: Option<PictureFile>,
    pub(super) checkpoint: Option<Checkpoint>,
    run: String,
    seed: Seed,
    data: String,
    history: History,
    options: FileOptions,
    notes: Vec<String>,
}

impl ConsoleObserver {
    pub(super) fn new(
        output: &Output,
        run: String,
        (data, seed): (String, Seed),
        history: History,
        notes: Vec<String>,
    ) -> Self {
        let bar = (!output.is_quiet()).then(bar);
        let options = output.file_options();
        Self { bar, log: None, picture: None, checkpoint: None, run, seed, data, history, options, notes }
    }

    pub(super) fn take_notes(&mut self) -> Vec<String> {
        std::mem::take(&mut self.notes)
    }

    /// Completes the log and draws the picture.
    pub(super) fn finish(&mut self, learned: &[TrainedTensor]) -> Result<()> {
        self.bar.take().iter().for_each(ProgressBar::finish_and_clear);
        if let Some(log) = &mut self.log {
            log.finish(self.options.fsync)?;
        }
        let Some(PictureFile { path, format }) = &self.picture else { return Ok(()) };
        let Self { history, data, seed, run, .. } = self;
        let picture = Picture { history, weight: learned.first(), data, seed, run };
        let pieces = [Piece::Bytes(picture.encode(*format))];
        let settings = Settings { threads: &|| 1, progress: &|_| () };
        writer::write_file(&Plan::nothing(), &pieces, path, self.options, &settings)?;
        Ok(())
    }
}

/// A bar of epochs, hidden if standard error is not a terminal.
fn bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
    bar.set_style(style("{bar:30} epoch {pos} of {len}, {eta} left"));
    if stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::stderr());
    }
    bar
}

impl TrainingObserver for ConsoleObserver {
    fn every_epoch(&self) -> bool {
        self.bar.is_some() || self.log.is_some() || self.picture.is_some()
    }

    fn notes(&mut self, notes: Vec<String>) {
        self.notes.extend(notes);
    }

    fn epoch(&mut self, report: &Report) -> Result<()> {
        if let Some(bar) = &self.bar {
            let done = report.layer as u64 * report.epochs + report.epoch;
            bar.set_length(report.layers as u64 * report.epochs);
            bar.set_position(done);
            // A failed write to standard error must not stop the training.
            bar.suspend(|| drop(Screen::stderr(&mut BufWriter::new(stderr())).line(line(report))));
        }
        self.history.add(report);
        if let (Some(log), Some(row)) = (&mut self.log, self.history.last()) {
            log.add(&row)?;
        }
        Ok(())
    }

    fn checkpoint(&mut self, progress: &mut dyn FnMut() -> Progress) -> Result<()> {
        let Some(checkpoint) = &mut self.checkpoint else { return Ok(()) };
        if checkpoint.is_due() { checkpoint.write(progress(), &self.history) } else { Ok(()) }
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
