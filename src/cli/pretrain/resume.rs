//! `--resume`: the files of an interrupted run.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::{Pretrain, checkpoint};
use crate::cli::destination::Destination;
use crate::cli::shown;
use crate::plan::Plan;
use crate::pretrain::{History, Picture, Progress, Run};
use crate::provenance::Provenance;
use crate::reader::Contents;
use crate::text::hex;

/// The state of an interrupted run.
#[derive(Default)]
pub(super) struct Resumed {
    pub(super) progress: Progress,
    pub(super) history: History,
    /// True if the weights and all sidecars exist.
    pub(super) is_finished: bool,
    pub(super) notes: Vec<String>,
}

/// The name of a run in logs and pictures.
pub(super) fn short(run: &Run) -> String {
    hex(&run[..8])
}

impl Pretrain {
    /// The state of the interrupted run. Errors if an output of another run exists, unless `replaces`.
    pub(super) fn resumed(&self, destination: &Destination, plan: &Plan, run: &Run, replaces: bool) -> Result<Resumed> {
        let checkpoint = checkpoint::path_beside(&self.output).context("--resume needs -o FILE")?;
        let has_checkpoint = checkpoint.exists();
        let (progress, history) = match has_checkpoint {
            true => Progress::read(&checkpoint, run).with_context(|| format!("--resume: {}", shown(&checkpoint)))?,
            false => Default::default(),
        };
        let files = destination.sizes(plan)?;
        // A .raw file gets its name before its manifest, which identifies the run.
        let is_bare = |path: &Path, size| has_checkpoint && path.metadata().is_ok_and(|held| Some(held.len()) == size);
        let is_own = files.first().is_some_and(|(path, size)| holds(path, plan) || is_bare(path, *size));
        if is_own && files.iter().all(|(path, _)| path.exists()) {
            self.check_finished(has_checkpoint)?;
            return Ok(Resumed { is_finished: true, ..Resumed::default() });
        }
        for (path, _) in files.iter().filter(|_| !is_own && !replaces) {
            ensure!(!path.exists(), "{}: written by another run: name another file, or add --force", shown(path));
        }
        if let Some(path) = self.plot.as_ref().map(|plot| &plot.path).filter(|path| !replaces && path.is_file()) {
            let own = File::open(path).is_ok_and(|file| Picture::is_of(&short(run), file));
            ensure!(own, "--plot: {}: drawn by another run: name another file, or add --force", shown(path));
        }
        let mut notes = Vec::new();
        if !has_checkpoint {
            notes.push(format!("no checkpoint {}: the run starts at the first epoch", shown(&checkpoint)));
        } else if history.last().is_none() && (self.log.is_some() || self.plot.is_some()) {
            notes.push("the epochs before the checkpoint were not measured: --log and --plot lack them".into());
        }
        Ok(Resumed { progress, history, notes, is_finished: false })
    }

    /// Errors if a finished run lacks a file that only retraining would produce.
    fn check_finished(&self, has_checkpoint: bool) -> Result<()> {
        match self.sidecars().find(|(_, path)| !has_checkpoint && !path.exists()) {
            Some((option, path)) => {
                bail!("{option}: {} is missing and the run is finished: --force trains again", shown(path))
            }
            None => Ok(()),
        }
    }
}

/// True if a file has the provenance of that plan.
fn holds(path: &Path, plan: &Plan) -> bool {
    let json = |provenance: Provenance| provenance.to_json().ok();
    let held = || Contents::open(path).ok()?.provenance.and_then(json);
    path.is_file() && held().is_some_and(|held| Provenance::json(plan).is_ok_and(|planned| planned == held))
}
