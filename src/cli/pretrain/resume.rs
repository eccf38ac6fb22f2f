//! `--resume`: the files that an interrupted run left behind, and the rest of its work.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::{Pretrain, checkpoint};
use crate::cli::shown;
use crate::plan::Plan;
use crate::pretrain::{History, Picture, Progress, Run};
use crate::provenance::Provenance;
use crate::reader::Contents;
use crate::text::hex;

/// The state from which a run goes on.
#[derive(Default)]
pub(super) struct Begun {
    pub(super) progress: Progress,
    pub(super) history: History,
    /// True if the weights and all files beside them are there.
    pub(super) is_finished: bool,
    pub(super) notes: Vec<String>,
}

/// The name of a run in logs and pictures.
pub(super) fn short(run: &Run) -> String {
    hex(&run[..8])
}

impl Pretrain {
    /// The state of the run that `--resume` goes on with. Errors if an output is there that this run did not write, unless `replaces`.
    pub(super) fn begun(&self, plan: &Plan, run: &Run, replaces: bool) -> Result<Begun> {
        let checkpoint = checkpoint::path_beside(&self.output).context("--resume: it needs a file: -o FILE")?;
        let resumes = checkpoint.exists();
        let (progress, history) = match resumes {
            true => Progress::read(&checkpoint, run).with_context(|| format!("--resume: {}", shown(&checkpoint)))?,
            false => Default::default(),
        };
        let files = self.output.files_of(plan)?;
        // Bare values get their name before the manifest that tells whose they are.
        let is_bare = |path: &Path, size| resumes && path.metadata().is_ok_and(|held| Some(held.len()) == size);
        let is_own = files.first().is_some_and(|(path, size)| holds(path, plan) || is_bare(path, *size));
        if is_own && files.iter().all(|(path, _)| path.exists()) {
            self.check_finished(resumes)?;
            return Ok(Begun { is_finished: true, ..Begun::default() });
        }
        for (path, _) in files.iter().filter(|_| !is_own && !replaces) {
            ensure!(!path.exists(), "{}: this run did not write it: name another file, or add --force", shown(path));
        }
        if let Some(path) = self.plot.as_ref().filter(|path| !replaces && path.is_file()) {
            let own = File::open(path).is_ok_and(|file| Picture::is_of(&short(run), file));
            ensure!(own, "--plot: {}: this run did not draw it: name another file, or add --force", shown(path));
        }
        let mut notes = Vec::new();
        if !resumes {
            notes.push(format!("there was no checkpoint {}: the run began at the first epoch", shown(&checkpoint)));
        } else if history.last().is_none() && (self.log.is_some() || self.plot.is_some()) {
            notes.push("the epochs before the checkpoint were not measured: --log and --plot lack them".into());
        }
        Ok(Begun { progress, history, notes, is_finished: false })
    }

    /// Errors if the run is finished, but for a file that only learning again would give.
    fn check_finished(&self, resumes: bool) -> Result<()> {
        for (option, path) in [("--log", &self.log), ("--plot", &self.plot)] {
            if let Some(path) = path.as_ref().filter(|path| !resumes && !path.exists()) {
                bail!("{option}: {} is missing and the run is finished: --force learns again", shown(path));
            }
        }
        Ok(())
    }
}

/// True if a file carries the recipe of that plan.
fn holds(path: &Path, plan: &Plan) -> bool {
    path.is_file() && Contents::open(path).is_ok_and(|contents| contents.provenance == Some(Provenance::whole(plan)))
}
