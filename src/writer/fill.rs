//! Filling a file's pieces by any number of threads: at their places in a file, or in order into a stream.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};

use super::{Encoder, Piece};
use crate::generator::Source;
use crate::law::Law;
use crate::plan::{Plan, Tensor};

/// How many elements a thread draws at a time: few enough to stay in its cache, a multiple of every tile.
const CHUNK: usize = 1 << 16;
/// The same for text, which is several times as long.
const TEXT_CHUNK: usize = 1 << 13;

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
        in_parallel(&Jobs::new(plan, &run, settings.threads), settings, &put)?;
    }
    // What needs checksums comes last, wherever it stands.
    for (offset, length, render) in checked(plan, pieces) {
        let bytes = render(&checksums.finished());
        debug_assert_eq!(bytes.len(), length);
        file.write_all_at(&bytes, offset)?;
    }
    Ok(())
}

/// Writes pieces in order into a stream; threads draw ahead and wait for their turn.
pub(super) fn into_stream(plan: &Plan, pieces: &[Piece], settings: &Settings, stream: impl Write + Send) -> Result<()> {
    let checksums = Checksums::for_pieces(pieces);
    let line = Line { state: Mutex::new((0, stream)), moved: Condvar::new() };
    for run in runs(plan, pieces) {
        line.restart();
        let put = |job: &Job, bytes: &[u8]| line.write(job.number, || checksums.add(job, bytes), bytes);
        in_parallel(&Jobs::new(plan, &run, settings.threads), settings, &put)?;
        if let Some(Located { piece: Piece::Checked(_, render), .. }) = run.last() {
            lock(&line.state).1.write_all(&render(&checksums.finished()))?;
        }
    }
    lock(&line.state).1.flush()?;
    Ok(())
}

/// A piece and where it begins in a file. The offset means nothing after a piece of text, whose length is not known.
struct Located<'a> {
    piece: &'a Piece,
    offset: u64,
    /// How many `Values` pieces come before it.
    values_before: usize,
}

fn located<'a>(plan: &'a Plan, pieces: &'a [Piece]) -> impl Iterator<Item = Located<'a>> {
    let (mut offset, mut values) = (0, 0);
    pieces.iter().map(move |piece| {
        let here = Located { piece, offset, values_before: values };
        offset += match piece {
            Piece::Bytes(bytes) => bytes.len() as u64,
            Piece::Values(tensor) => plan.tensors[*tensor].bytes(),
            Piece::Checked(length, _) => *length as u64,
            Piece::Text(_) => 0,
        };
        values += usize::from(matches!(piece, Piece::Values(_)));
        here
    })
}

type Render = dyn Fn(&[u32]) -> Vec<u8> + Send + Sync;

fn checked<'a>(plan: &'a Plan, pieces: &'a [Piece]) -> impl Iterator<Item = (u64, usize, &'a Render)> {
    located(plan, pieces).filter_map(|Located { piece, offset, .. }| match piece {
        Piece::Checked(length, render) => Some((offset, *length, render.as_ref())),
        _ => None,
    })
}

/// Pieces that are worked on at once. A matrix law makes a run of its own, so that one matrix at a time is in memory and
/// all threads help to draw it; a piece that needs checksums ends a run.
fn runs<'a>(plan: &'a Plan, pieces: &'a [Piece]) -> impl Iterator<Item = Vec<Located<'a>>> {
    let whole = |piece: &Piece| match piece {
        Piece::Values(tensor) | Piece::Text(tensor) => matches!(plan.tensors[*tensor].law, Law::Orthogonal { .. }),
        _ => false,
    };
    let mut rest = located(plan, pieces).peekable();
    std::iter::from_fn(move || {
        let first = rest.next()?;
        let alone = whole(first.piece);
        let mut run = vec![first];
        while let Some(next) = rest.peek() {
            let ended = run.last().is_some_and(|last| matches!(last.piece, Piece::Checked(..)));
            if alone || ended || whole(next.piece) {
                break;
            }
            run.extend(rest.next());
        }
        Some(run)
    })
}

/// A part of the work that one thread does at a time.
struct Job<'a> {
    /// Its number in its run.
    number: u64,
    /// Where its bytes go in a file.
    offset: u64,
    work: Work<'a>,
}

enum Work<'a> {
    Bytes(&'a [u8]),
    Values { tensor: &'a Tensor, source: Arc<dyn Source>, start: u64, count: usize, order: usize },
    Text { tensor: &'a Tensor, source: Arc<dyn Source>, start: u64, count: usize },
}

/// The jobs of a run, one after the other.
struct Jobs<'a> {
    state: Mutex<JobState<'a>>,
}

struct JobState<'a> {
    plan: &'a Plan,
    run: std::slice::Iter<'a, Located<'a>>,
    threads: usize,
    number: u64,
    current: Option<Current<'a>>,
}

/// The tensor that is being cut into jobs.
struct Current<'a> {
    located: &'a Located<'a>,
    tensor: &'a Tensor,
    source: Arc<dyn Source>,
    start: u64,
}

impl<'a> Jobs<'a> {
    fn new(plan: &'a Plan, run: &'a [Located<'a>], threads: usize) -> Self {
        Self { state: Mutex::new(JobState { plan, run: run.iter(), threads, number: 0, current: None }) }
    }

    fn next(&self) -> Option<Job<'a>> {
        lock(&self.state).next()
    }
}

impl<'a> JobState<'a> {
    fn next(&mut self) -> Option<Job<'a>> {
        let (offset, work) = self.part().or_else(|| self.open())?;
        let number = self.number;
        self.number += 1;
        Some(Job { number, offset, work })
    }

    /// The next part of the current tensor, if one is left.
    fn part(&mut self) -> Option<(u64, Work<'a>)> {
        let Current { located, tensor, source, start } = self.current.as_mut()?;
        let left = tensor.shape.count() - *start;
        if left == 0 {
            return None;
        }
        let (tensor, source, from) = (*tensor, Arc::clone(source), *start);
        let chunk = if matches!(located.piece, Piece::Text(_)) { TEXT_CHUNK } else { CHUNK };
        let count = usize::try_from(left).map_or(chunk, |left| left.min(chunk));
        *start += count as u64;
        let offset = located.offset + from * tensor.dtype.size();
        Some(match located.piece {
            Piece::Text(_) => (0, Work::Text { tensor, source, start: from, count }),
            _ => (offset, Work::Values { tensor, source, start: from, count, order: located.values_before }),
        })
    }

    /// Goes on to the next piece that holds work.
    fn open(&mut self) -> Option<(u64, Work<'a>)> {
        loop {
            let located = self.run.next()?;
            match located.piece {
                Piece::Bytes(bytes) => return Some((located.offset, Work::Bytes(bytes))),
                Piece::Checked(..) => {}
                Piece::Values(number) | Piece::Text(number) => {
                    let tensor = &self.plan.tensors[*number];
                    let source = self.plan.generator.open(self.plan.seed, tensor, self.threads).into();
                    self.current = Some(Current { located, tensor, source, start: 0 });
                    if let Some(part) = self.part() {
                        return Some(part);
                    }
                }
            }
        }
    }
}

/// Does all jobs; the first error stops every thread.
fn in_parallel(jobs: &Jobs, settings: &Settings, put: &(dyn Fn(&Job, &[u8]) -> io::Result<()> + Sync)) -> Result<()> {
    let work = || {
        let mut encoder = Encoder::default();
        while let Some(job) = jobs.next() {
            let bytes = job.work.bytes(&mut encoder);
            put(&job, bytes).map_err(|error| {
                lock(&jobs.state).stop();
                error
            })?;
            (settings.progress)(job.work.done());
        }
        Ok(())
    };
    let outcomes: Vec<io::Result<()>> = std::thread::scope(|scope| {
        let others: Vec<_> = (1..settings.threads).map(|_| scope.spawn(work)).collect();
        let own = work();
        let joined =
            others.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        std::iter::once(own).chain(joined).collect()
    });
    // A thread that only waited for one that failed has no news of its own.
    let mut errors = outcomes.into_iter().filter_map(Result::err);
    match errors.next() {
        Some(error) if error.kind() == STOPPED => Err(errors.next().unwrap_or(error)).context("writing"),
        Some(error) => Err(error).context("writing"),
        None => Ok(()),
    }
}

/// What a thread reports that stopped because another failed.
const STOPPED: io::ErrorKind = io::ErrorKind::Interrupted;

impl JobState<'_> {
    fn stop(&mut self) {
        self.run = [].iter();
        self.current = None;
    }
}

impl<'a> Work<'a> {
    fn bytes<'b>(&self, encoder: &'b mut Encoder) -> &'b [u8]
    where
        'a: 'b,
    {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Values { tensor, source, start, count, .. } => {
                encoder.values(source.as_ref(), tensor.dtype, *start, *count)
            }
            Self::Text { tensor, source, start, count } => {
                encoder.text(source.as_ref(), &tensor.shape, tensor.dtype, *start, *count)
            }
        }
    }

    /// How many bytes of values the job makes.
    fn done(&self) -> u64 {
        match self {
            Self::Bytes(_) => 0,
            Self::Values { tensor, count, .. } | Self::Text { tensor, count, .. } => {
                *count as u64 * tensor.dtype.size()
            }
        }
    }
}

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

    /// Waits for turn `number`, calls `first` and writes the bytes.
    fn write(&self, number: u64, first: impl FnOnce(), bytes: &[u8]) -> io::Result<()> {
        let waiting = lock(&self.state);
        let mut state = self
            .moved
            .wait_while(waiting, |(turn, _)| *turn != number && *turn != CLOSED)
            .unwrap_or_else(PoisonError::into_inner);
        if state.0 == CLOSED {
            return Err(STOPPED.into());
        }
        first();
        let written = state.1.write_all(bytes);
        state.0 = if written.is_ok() { number + 1 } else { CLOSED };
        self.moved.notify_all();
        written
    }
}

/// The checksums of the values, chunk by chunk, where a piece asks for them.
struct Checksums {
    /// For each `Values` piece the checksum and length of its chunks, by their first element.
    chunks: Option<Mutex<Vec<Vec<(u64, u32, u64)>>>>,
}

impl Checksums {
    fn for_pieces(pieces: &[Piece]) -> Self {
        let asked = pieces.iter().any(|piece| matches!(piece, Piece::Checked(..)));
        let values = pieces.iter().filter(|piece| matches!(piece, Piece::Values(_))).count();
        Self { chunks: asked.then(|| Mutex::new(vec![Vec::new(); values])) }
    }

    fn add(&self, job: &Job, bytes: &[u8]) {
        if let (Some(chunks), Work::Values { start, order, .. }) = (&self.chunks, &job.work) {
            let checksum = crc32fast::hash(bytes);
            lock(chunks)[*order].push((*start, checksum, bytes.len() as u64));
        }
    }

    /// The checksum of each `Values` piece, as far as they are written.
    fn finished(&self) -> Vec<u32> {
        let Some(chunks) = &self.chunks else { return Vec::new() };
        let mut chunks = lock(chunks);
        chunks
            .iter_mut()
            .map(|chunks| {
                chunks.sort_unstable();
                let mut whole = crc32fast::Hasher::new();
                for &(_, checksum, length) in chunks.iter() {
                    whole.combine(&crc32fast::Hasher::new_with_initial_len(checksum, length));
                }
                whole.finalize()
            })
            .collect()
    }
}

/// A lock that a panic elsewhere does not make unusable: that panic ends the program anyhow.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
