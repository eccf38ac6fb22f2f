//! Filling a file's pieces by any number of threads: at their places in a file, or in order into a stream.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::sync::{Condvar, Mutex, PoisonError};

use anyhow::{Context, Result};

use super::checksums::Checksums;
use super::jobs::{Job, Jobs, Work, checked, runs};
use super::{Encoder, Piece, lock};
use crate::plan::Plan;

/// How the work is done; no setting changes a byte.
pub struct Settings<'a> {
    /// How many threads draw and write.
    pub threads: usize,
    /// Told how many bytes of values are done, as they are.
    pub progress: &'a (dyn Fn(u64) + Sync),
}

/// Writes pieces at their places in `file`, which begins with them. Their size must be known.
pub(super) fn into_file(plan: &Plan, pieces: &[Piece], settings: &Settings, file: &File) -> Result<()> {
    let checksums = Checksums::for_pieces(pieces);
    let put = |job: &Job, bytes: &[u8]| {
        checksums.add(job, bytes);
        file.write_all_at(bytes, job.offset)
    };
    for run in runs(plan, pieces) {
        in_parallel(&Jobs::new(plan, &run, settings.threads), settings, &put).context("writing")?;
    }
    // What needs checksums comes last, wherever it stands.
    for (offset, render) in checked(plan, pieces) {
        file.write_all_at(&checksums.render(render), offset)?;
    }
    Ok(())
}

/// Writes pieces in order into a stream; threads draw ahead and wait for their turn.
pub(super) fn into_stream(plan: &Plan, pieces: &[Piece], settings: &Settings, stream: impl Write + Send) -> Result<()> {
    let checksums = Checksums::for_pieces(pieces);
    let line = Line { state: Mutex::new((0, stream)), moved: Condvar::new() };
    for run in runs(plan, pieces) {
        line.restart();
        let put = |job: &Job, bytes: &[u8]| {
            line.in_turn(job.number, |stream| match job.work {
                // All that comes before is written by now.
                Work::Checked(render) => stream.write_all(&checksums.render(render)),
                _ => {
                    checksums.add(job, bytes);
                    stream.write_all(bytes)
                }
            })
        };
        in_parallel(&Jobs::new(plan, &run, settings.threads), settings, &put).context("writing")?;
    }
    lock(&line.state).1.flush()?;
    Ok(())
}

/// Takes elements `start..` of the tensor with a number, from any thread, as they stand in a file.
pub type Take<'a> = dyn Fn(usize, u64, &[u8]) -> io::Result<()> + Sync + 'a;

/// Draws the tensors of a plan with these numbers and hands over what is drawn, a part at a time and in any order, with the place of
/// the tensor in `numbers`. The first error stops every thread.
pub fn draw(plan: &Plan, numbers: &[usize], settings: &Settings, take: &Take) -> io::Result<()> {
    let pieces: Vec<Piece> = numbers.iter().copied().map(Piece::Values).collect();
    let put = |job: &Job, bytes: &[u8]| match job.work {
        Work::Values { start, order, .. } => take(order, start, bytes),
        _ => Ok(()),
    };
    runs(plan, &pieces).try_for_each(|run| in_parallel(&Jobs::new(plan, &run, settings.threads), settings, &put))
}

/// Does all jobs; the first error stops every thread.
fn in_parallel(
    jobs: &Jobs,
    settings: &Settings,
    put: &(dyn Fn(&Job, &[u8]) -> io::Result<()> + Sync),
) -> io::Result<()> {
    let work = || {
        let mut encoder = Encoder::default();
        while let Some(job) = jobs.next() {
            let bytes = job.work.bytes(&mut encoder);
            put(&job, bytes).inspect_err(|_| jobs.stop())?;
            (settings.progress)(job.work.done());
        }
        Ok(())
    };
    let outcomes: Vec<io::Result<()>> = std::thread::scope(|scope| {
        // Where the system has no more threads to give, those that there are do the work.
        let spawn = |_| std::thread::Builder::new().spawn_scoped(scope, work).ok();
        let others: Vec<_> = (1..jobs.threads()).map_while(spawn).collect();
        let own = work();
        let joined =
            others.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        std::iter::once(own).chain(joined).collect()
    });
    // A thread that only waited for one that failed has no news of its own.
    let mut errors: Vec<io::Error> = outcomes.into_iter().filter_map(Result::err).collect();
    errors.sort_by_key(|error| error.kind() == STOPPED);
    errors.into_iter().next().map_or(Ok(()), Err)
}

/// What a thread reports that stopped because another failed.
const STOPPED: io::ErrorKind = io::ErrorKind::Interrupted;

/// A stream that threads write to by turns.
struct Line<W> {
    state: Mutex<(u64, W)>,
    moved: Condvar,
}

/// The turn of nobody, after a failed write.
const CLOSED: u64 = u64::MAX;

impl<W: Write> Line<W> {
    fn restart(&self) {
        lock(&self.state).0 = 0;
    }

    /// Waits for turn `number` and writes.
    fn in_turn(&self, number: u64, write: impl FnOnce(&mut W) -> io::Result<()>) -> io::Result<()> {
        let waiting = lock(&self.state);
        let mut state = self
            .moved
            .wait_while(waiting, |(turn, _)| *turn != number && *turn != CLOSED)
            .unwrap_or_else(PoisonError::into_inner);
        if state.0 == CLOSED {
            return Err(STOPPED.into());
        }
        let written = write(&mut state.1);
        state.0 = if written.is_ok() { number + 1 } else { CLOSED };
        self.moved.notify_all();
        written
    }
}
