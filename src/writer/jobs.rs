//! Cuts a file's pieces into jobs that threads run in any order.

use std::io;
use std::sync::{Arc, Mutex};

use anyhow::Result;

use super::Encoder;
use super::settings::{Settings, Step};
use crate::format::{Piece, Render};
use crate::generator::{Source, column_major};
use crate::parallel::lock;
use crate::plan::{Opened, Plan, Tensor};
use crate::tensor::{DType, Element, StoredTensor, to_usize};

/// Largest number of elements drawn at a time, a multiple of every tile. Small enough for a core's cache, and large
/// enough that threads seldom contend for the file's kernel lock.
const CHUNK: usize = 1 << 18;
/// Smallest number of elements drawn at a time: a small tensor does not justify a large buffer's page faults.
const SMALL_CHUNK: usize = 1 << 14;
/// Largest number for text, which is several times as long.
const TEXT_CHUNK: usize = 1 << 13;
/// Alignment of jobs in a file, in bytes. Partial pages cost the kernel more than full ones, and two threads would
/// contend for them.
const PAGE: u64 = 1 << 12;

/// A piece of a file, or some elements of its tensor: the unit of work of one thread.
pub(super) struct Job<'a> {
    /// Number within its run.
    pub(super) number: u64,
    /// Offset of the bytes in the file. Undefined after a piece of text, whose length is unknown.
    pub(super) offset: u64,
    pub(super) piece: &'a Piece,
    /// Number of `Values` pieces before this piece.
    pub(super) order: usize,
    tensor: Option<&'a Tensor>,
    /// Values of the tensor, once opened.
    values: Option<Origin>,
    /// First element and number of elements.
    pub(super) start: u64,
    count: u64,
}

/// Source of a tensor's values.
enum Origin {
    Numbers(Element, Arc<dyn Source>),
    Copied(StoredTensor),
}

/// The pieces of a file as uncut jobs.
fn jobs<'a>(plan: &'a Plan, pieces: &'a [Piece]) -> impl Iterator<Item = Job<'a>> {
    let (mut offset, mut order) = (0, 0);
    pieces.iter().map(move |piece| {
        let tensor = match piece {
            Piece::Values(number) | Piece::Columns(number) | Piece::Text(number) => Some(&plan.tensors()[*number]),
            Piece::Bytes(_) | Piece::Checked(..) => None,
        };
        let count = tensor.map_or(0, |tensor| tensor.shape().count());
        let job = Job { number: 0, offset, piece, order, tensor, values: None, start: 0, count };
        offset += piece.size(plan).unwrap_or(0);
        order += usize::from(matches!(piece, Piece::Values(_) | Piece::Columns(_)));
        job
    })
}

/// Errors if a file that pieces are copied from has changed.
pub(super) fn check_unchanged(plan: &Plan, pieces: &[Piece]) -> Result<()> {
    let tensors = pieces.iter().filter_map(|piece| match piece {
        Piece::Values(tensor) | Piece::Columns(tensor) | Piece::Text(tensor) => plan.tensors()[*tensor].copied(),
        _ => None,
    });
    Ok(tensors.into_iter().try_for_each(|copied| copied.values.check_unchanged())?)
}

/// Pieces that need checksums, with their offsets.
pub(super) fn checked<'a>(plan: &'a Plan, pieces: &'a [Piece]) -> impl Iterator<Item = (u64, &'a Render)> {
    jobs(plan, pieces).filter_map(|Job { piece, offset, .. }| match piece {
        Piece::Checked(_, render) => Some((offset, render.as_ref())),
        _ => None,
    })
}

/// Pieces that are processed together. A joint tensor forms its own run, so that one matrix at a time is in memory
/// and all threads help to draw it.
pub(super) fn runs<'a>(plan: &'a Plan, pieces: &'a [Piece]) -> impl Iterator<Item = Vec<Job<'a>>> {
    let mut rest = jobs(plan, pieces).peekable();
    std::iter::from_fn(move || {
        let first = rest.next()?;
        let alone = first.is_joint();
        let mut run = vec![first];
        if !alone {
            run.extend(std::iter::from_fn(|| rest.next_if(|next| !next.is_joint())));
        }
        Some(run)
    })
}

/// Iterator over the jobs of a run, shared by threads.
pub(super) struct Jobs<'a> {
    threads: usize,
    queue: Mutex<Queue<'a>>,
}

struct Queue<'a> {
    plan: &'a Plan,
    /// Number of threads that help to draw a matrix.
    threads: usize,
    rest: std::vec::IntoIter<Job<'a>>,
    /// Remainder of the tensor that is being cut.
    current: Option<Job<'a>>,
    number: u64,
}

impl<'a> Jobs<'a> {
    pub(super) fn new(plan: &'a Plan, run: Vec<Job<'a>>, settings: &Settings) -> Self {
        if let Some(tensor) = run.first().filter(|job| job.takes_workspace(plan)).and_then(|job| job.tensor) {
            (settings.progress)(Step::Whole(tensor));
        }
        let worth = run.iter().map(Job::threads).fold(0, usize::saturating_add);
        let threads =
            if worth > 1 || run.iter().any(|job| job.takes_workspace(plan)) { (settings.threads)() } else { 1 };
        let queue = Queue { plan, threads, rest: run.into_iter(), current: None, number: 0 };
        Self { threads: threads.min(worth), queue: Mutex::new(queue) }
    }

    /// Useful number of threads for this run.
    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    /// Takes the next job, from any thread.
    pub(super) fn next(&self) -> Option<Job<'a>> {
        lock(&self.queue).next()
    }

    /// Drops the remaining jobs.
    pub(super) fn stop(&self) {
        let mut queue = lock(&self.queue);
        queue.rest = Vec::new().into_iter();
        queue.current = None;
    }
}

impl<'a> Queue<'a> {
    fn next(&mut self) -> Option<Job<'a>> {
        let job = loop {
            if let Some(part) = self.current.as_mut().and_then(Job::cut_off) {
                break part;
            }
            let mut job = self.rest.next()?;
            let (Piece::Values(number) | Piece::Columns(number) | Piece::Text(number)) = job.piece else { break job };
            job.values =
                Some(match (self.plan.open(*number, self.threads), job.tensor.filter(|_| job.is_by_columns())) {
                    (Opened::Numbers(element, source), Some(tensor)) => {
                        let dtype = element.computed_in();
                        Origin::Numbers(element, column_major(&*source, tensor.shape(), dtype, self.threads).into())
                    }
                    (Opened::Numbers(element, source), None) => Origin::Numbers(element, source.into()),
                    (Opened::Copied(copied), Some(_)) => Origin::Copied(copied.values.reversed()),
                    (Opened::Copied(copied), None) => Origin::Copied(copied.values.clone()),
                });
            self.current = Some(job);
        };
        let number = self.number;
        self.number += 1;
        Some(Job { number, ..job })
    }
}

/// Number of last elements to leave to the next chunk, so that this one ends at a page boundary; 0 if no element ends
/// there.
fn beyond_a_page(offset: u64, chunk: usize, size: u64) -> usize {
    let beyond = (offset + chunk as u64 * size) % PAGE;
    // Elements smaller than a byte have no individual size.
    let whole = beyond.checked_rem(size) == Some(0);
    if whole { usize::try_from(beyond / size).unwrap_or(0) } else { 0 }
}

impl Job<'_> {
    fn is_text(&self) -> bool {
        matches!(self.piece, Piece::Text(_))
    }

    fn is_by_columns(&self) -> bool {
        matches!(self.piece, Piece::Columns(_))
    }

    /// True if the tensor is held in memory as one piece.
    fn is_joint(&self) -> bool {
        self.is_by_columns() || self.tensor.and_then(Tensor::drawn).is_some_and(|drawn| drawn.distribution().is_joint())
    }

    /// True if the job produces values of a tensor.
    pub(super) fn has_values(&self) -> bool {
        self.tensor.is_some()
    }

    /// True if the values are drawn, not copied.
    pub(super) fn is_drawn(&self) -> bool {
        matches!(self.values, Some(Origin::Numbers(..)))
    }

    /// True if the tensor needs a workspace larger than a chunk, possibly shared by several threads.
    fn takes_workspace(&self, plan: &Plan) -> bool {
        self.is_by_columns()
            || self.tensor.and_then(Tensor::drawn).is_some_and(|drawn| plan.workspace(drawn.spec()) > 0)
    }

    /// Number of threads whose work outweighs their start-up cost.
    fn threads(&self) -> usize {
        let share = if self.is_text() { TEXT_CHUNK } else { CHUNK };
        usize::try_from(self.count.div_ceil(share as u64)).unwrap_or(usize::MAX)
    }

    /// Cuts off the next part, if elements remain.
    fn cut_off(&mut self) -> Option<Self> {
        let tensor = self.tensor.filter(|_| self.count > 0)?;
        let sixteenth = usize::try_from(tensor.shape().count() / 16).unwrap_or(CHUNK);
        let chunk = match self.is_text() {
            true => TEXT_CHUNK,
            false => sixteenth.clamp(SMALL_CHUNK, CHUNK).next_power_of_two(),
        };
        let count = match usize::try_from(self.count) {
            Ok(left) if left <= chunk => left,
            _ if self.is_text() => chunk,
            _ => chunk - beyond_a_page(self.offset, chunk, tensor.element().bytes(1)),
        };
        let part_of = |values: &Origin| match values {
            Origin::Numbers(element, source) => {
                Origin::Numbers(*element, source.part(self.start, count).unwrap_or_else(|| Arc::clone(source)))
            }
            Origin::Copied(stored) => Origin::Copied(stored.clone()),
        };
        let part = Job { values: self.values.as_ref().map(part_of), count: count as u64, ..*self };
        self.start += part.count;
        self.count -= part.count;
        self.offset += tensor.element().bytes(part.count);
        Some(part)
    }

    /// Encodes the values. Errors if copied values cannot be read.
    pub(super) fn make(&self, encoder: &mut Encoder) -> io::Result<()> {
        let Some(tensor) = self.tensor else { return Ok(()) };
        let (start, count) = (self.start, to_usize(self.count));
        match &self.values {
            Some(Origin::Numbers(element, source)) if self.is_text() => {
                encoder.reserve(DType::F64.into(), count)?;
                encoder.text(source.as_ref(), tensor.shape(), *element, start, count)?;
            }
            Some(Origin::Numbers(element, source)) => {
                encoder.reserve(*element, count)?;
                encoder.values(source.as_ref(), *element, start, count);
            }
            Some(Origin::Copied(stored)) if self.is_text() => {
                encoder.text_of_copies(stored, tensor.shape(), start, count)?;
            }
            Some(Origin::Copied(stored)) => encoder.copies(stored, start, count)?,
            None => {}
        }
        Ok(())
    }

    /// Bytes of the job, after its values are encoded. Empty for a piece that depends on checksums of others.
    pub(super) fn bytes<'b>(&'b self, encoder: &'b Encoder) -> &'b [u8] {
        match self.piece {
            Piece::Bytes(bytes) => bytes,
            Piece::Checked(..) => &[],
            Piece::Values(_) | Piece::Columns(_) | Piece::Text(_) => encoder.bytes(),
        }
    }

    /// Size of the values in bytes, for progress.
    pub(super) fn done(&self) -> u64 {
        self.tensor.map_or(0, |tensor| tensor.element().bytes(self.count))
    }
}
