//! Fills a file's pieces with any number of threads: at their offsets in a file, or in order into a stream.

use std::fs::File;
use std::io::{self, Write};
use std::mem;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result};

use super::Encoder;
use super::checksums::Checksums;
use super::in_order::{OrderedWriter, STOPPED};
use super::jobs::{Job, Jobs, check_unchanged, checked, runs};
use super::settings::{Settings, Step};
use crate::format::Piece;
use crate::parallel::on_threads;
use crate::plan::Plan;

/// Writes pieces at their offsets from the start of `file`. Their sizes must be known.
pub(super) fn into_file(plan: &Plan, pieces: &[Piece], settings: &Settings, file: &File) -> Result<()> {
    let checksums = Checksums::for_pieces(pieces);
    for run in runs(plan, pieces) {
        let put: &Put = &|job, encoder| {
            let bytes = job.bytes(encoder);
            checksums.add(job, bytes);
            file.write_all_at(bytes, job.offset)
        };
        in_parallel(&Jobs::new(plan, run, settings), settings, put, &|| ()).context("writing")?;
    }
    // Pieces that need checksums come last, regardless of their offset.
    for (offset, render) in checked(plan, pieces) {
        file.write_all_at(&checksums.render(render), offset)?;
    }
    check_unchanged(plan, pieces)
}

/// Number of jobs, beyond one per thread, by which a stream's threads may run ahead of the current turn. It covers
/// the milliseconds for which the system may suspend that thread.
const AHEAD: usize = 8;

/// Writes pieces in order into a stream while threads draw ahead.
pub(super) fn into_stream(
    plan: &Plan,
    pieces: &[Piece],
    settings: &Settings,
    mut stream: impl Write + Send,
) -> Result<()> {
    let checksums = Checksums::for_pieces(pieces);
    for run in runs(plan, pieces) {
        let jobs = Jobs::new(plan, run, settings);
        let line = OrderedWriter::new(&mut stream, jobs.threads() + AHEAD);
        let put: &Put = &|job, encoder| {
            checksums.add(job, job.bytes(encoder));
            let made = job.has_values().then(|| mem::take(encoder));
            // The queue does not hold the source of a job, which may own a full tensor.
            let written = line.take(job.number, (job.piece, made), |stream, (piece, made)| match piece {
                Piece::Bytes(bytes) => stream.write_all(bytes),
                // All earlier pieces are written by now.
                Piece::Checked(_, render) => stream.write_all(&checksums.render(render.as_ref())),
                Piece::Values(_) | Piece::Columns(_) | Piece::Text(_) => {
                    stream.write_all(made.as_ref().map_or(&[], Encoder::bytes))
                }
            });
            if let Some((_, Some(used))) = written? {
                *encoder = used;
            }
            Ok(())
        };
        in_parallel(&jobs, settings, put, &|| line.close()).context("writing")?;
    }
    stream.flush()?;
    check_unchanged(plan, pieces)
}

/// Receives elements from `start` on of the tensor with this index, encoded as in a file. Called from any thread.
pub type Take<'a> = dyn Fn(usize, u64, &[u8]) -> io::Result<()> + Sync + 'a;

/// Draws the tensors with these numbers and passes their parts to `take` in any order, with the tensor's position in
/// `numbers`. The first error stops every thread.
pub fn draw(plan: &Plan, numbers: &[usize], settings: &Settings, take: &Take) -> io::Result<()> {
    let pieces: Vec<Piece> = numbers.iter().copied().map(Piece::Values).collect();
    for run in runs(plan, &pieces) {
        let put: &Put = &|job, encoder| {
            if job.is_drawn() { take(job.order, job.start, encoder.bytes()) } else { Ok(()) }
        };
        in_parallel(&Jobs::new(plan, run, settings), settings, put, &|| ())?;
    }
    Ok(())
}

/// Stores the encoded bytes of a job.
type Put<'a, 'b> = dyn Fn(&Job<'a>, &mut Encoder) -> io::Result<()> + Sync + 'b;

/// Runs all jobs. The first error or panic stops every thread; `abandon` then wakes blocked threads.
fn in_parallel<'a>(
    jobs: &Jobs<'a>,
    settings: &Settings,
    put: &Put<'a, '_>,
    abandon: &(dyn Fn() + Sync),
) -> io::Result<()> {
    let stop = || {
        jobs.stop();
        abandon();
    };
    let work = || {
        let _guard = OnPanic(stop);
        let mut encoder = Encoder::default();
        while let Some(job) = jobs.next() {
            job.make(&mut encoder).and_then(|()| put(&job, &mut encoder)).inspect_err(|_| stop())?;
            (settings.progress)(Step::Bytes(job.done()));
        }
        Ok(())
    };
    let outcomes = on_threads(jobs.threads(), work);
    // A thread blocked by a failed one reports no separate error.
    let mut errors: Vec<io::Error> = outcomes.into_iter().filter_map(Result::err).collect();
    errors.sort_by_key(|error| error.kind() == STOPPED);
    errors.into_iter().next().map_or(Ok(()), Err)
}

/// Runs a function if a panic unwinds through it.
struct OnPanic<F: Fn()>(F);

impl<F: Fn()> Drop for OnPanic<F> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            (self.0)();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generator::NATIVE;
    use crate::parallel::in_time;
    use crate::plan::{Common, DrawnTensor};
    use crate::tensor::{DType, Fans, Layout, Seed};

    #[test]
    fn a_panic_of_one_thread_leaves_no_other_waiting() {
        in_time(|| {
            let common = Common {
                dtype: DType::F32.into(),
                layout: Layout::default(),
                fans: Fans::default(),
                generator: NATIVE,
            };
            let tensor = |name: &str| {
                DrawnTensor::new(name.parse().unwrap(), "1000x1000".parse().unwrap(), "normal", &common).unwrap()
            };
            let plan = Plan::new(NATIVE, Seed::default(), vec![tensor("a"), tensor("b")]).unwrap();
            let broken = Piece::Checked(1, Box::new(|_| panic!("on purpose")));
            let pieces = [Piece::Values(0), broken, Piece::Values(1)];
            let settings = Settings { threads: &|| 4, progress: &|_| () };
            let write = || into_stream(&plan, &pieces, &settings, io::sink());
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(write));
            assert!(outcome.is_err(), "the panic is lost");
        });
    }
}
