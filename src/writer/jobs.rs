//! A file's pieces cut into jobs that threads do in any order.

use std::io;
use std::sync::{Arc, Mutex};

use anyhow::Result;

use super::Encoder;
use crate::format::{Piece, Render};
use crate::generator::{Source, column_major};
use crate::parallel::lock;
use crate::plan::{Opened, Plan, Tensor};
use crate::tensor::{DType, Element, StoredTensor};

/// The most elements that a thread draws at a time, a multiple of every tile: few enough to stay in its cache, and so many that
/// threads seldom meet at the file's lock in the kernel.
const CHUNK: usize = 1 << 18;
/// The fewest: a small tensor is not worth a large buffer's page faults.
const SMALL_CHUNK: usize = 1 << 14;
/// The same for text, which is several times as long.
const TEXT_CHUNK: usize = 1 << 13;
/// Where jobs end in a file, in bytes: half a page costs the kernel more than a whole one, and two threads would meet in it.
const PAGE: u64 = 1 << 12;

/// A piece and where it begins in a file. The offset means nothing after a piece of text, whose length is not known.
pub(super) struct Located<'a> {
    pub(super) piece: &'a Piece,
    offset: u64,
    /// How many `Values` pieces come before it.
    values_before: usize,
}

impl Located<'_> {
    /// How many of the `count` elements of its tensor make a job.
    fn chunk(&self, count: u64) -> usize {
        match self.piece {
            Piece::Text(_) => TEXT_CHUNK,
            _ => usize::try_from(count / 16).unwrap_or(CHUNK).clamp(SMALL_CHUNK, CHUNK).next_power_of_two(),
        }
    }

    /// True if more of it than a part is drawn at a time, maybe by several threads.
    fn takes_workspace(&self, plan: &Plan) -> bool {
        match self.piece {
            Piece::Bytes(_) | Piece::Checked(..) => false,
            Piece::Columns(_) => true,
            Piece::Values(tensor) | Piece::Text(tensor) => {
                plan.tensors()[*tensor].drawn().is_some_and(|drawn| plan.workspace(drawn.spec()) > 0)
            }
        }
    }

    /// How many threads are worth their start for it.
    fn threads(&self, plan: &Plan) -> usize {
        let (tensor, share) = match self.piece {
            Piece::Bytes(_) | Piece::Checked(..) => return 0,
            Piece::Values(tensor) | Piece::Columns(tensor) => (tensor, CHUNK),
            Piece::Text(tensor) => (tensor, TEXT_CHUNK),
        };
        usize::try_from(plan.tensors()[*tensor].shape().count().div_ceil(share as u64)).unwrap_or(usize::MAX)
    }
}

fn located<'a>(plan: &'a Plan, pieces: &'a [Piece]) -> impl Iterator<Item = Located<'a>> {
    let (mut offset, mut values) = (0, 0);
    pieces.iter().map(move |piece| {
        let here = Located { piece, offset, values_before: values };
        offset += piece.size(plan).unwrap_or(0);
        values += usize::from(matches!(piece, Piece::Values(_) | Piece::Columns(_)));
        here
    })
}

/// Errors where a file that pieces were copied from is not what it was before.
pub(super) fn check_unchanged(plan: &Plan, pieces: &[Piece]) -> Result<()> {
    let tensors = pieces.iter().filter_map(|piece| match piece {
        Piece::Values(tensor) | Piece::Columns(tensor) | Piece::Text(tensor) => plan.tensors()[*tensor].copied(),
        _ => None,
    });
    Ok(tensors.into_iter().try_for_each(|copied| copied.values.check_unchanged())?)
}

/// The pieces that need checksums, and where they begin.
pub(super) fn checked<'a>(plan: &'a Plan, pieces: &'a [Piece]) -> impl Iterator<Item = (u64, &'a Render)> {
    located(plan, pieces).filter_map(|Located { piece, offset, .. }| match piece {
        Piece::Checked(_, render) => Some((offset, render.as_ref())),
        _ => None,
    })
}

/// Pieces that are worked on at once. A tensor that is drawn whole makes a run of its own, so that one matrix at a time is in
/// memory and all threads help to draw it.
pub(super) fn runs<'a>(plan: &'a Plan, pieces: &'a [Piece]) -> impl Iterator<Item = Vec<Located<'a>>> {
    let whole = |piece: &Piece| match piece {
        Piece::Values(tensor) | Piece::Text(tensor) => {
            plan.tensors()[*tensor].drawn().is_some_and(|drawn| drawn.distribution().is_joint())
        }
        Piece::Columns(_) => true,
        _ => false,
    };
    let mut rest = located(plan, pieces).peekable();
    std::iter::from_fn(move || {
        let first = rest.next()?;
        let alone = whole(first.piece);
        let mut run = vec![first];
        if !alone {
            run.extend(std::iter::from_fn(|| rest.next_if(|next| !whole(next.piece))));
        }
        Some(run)
    })
}

/// A part of the work that one thread does at a time.
pub(super) struct Job<'a> {
    /// Its number in its run.
    pub(super) number: u64,
    /// Where its bytes go in a file.
    pub(super) offset: u64,
    pub(super) work: Work<'a>,
}

pub(super) enum Work<'a> {
    Bytes(&'a [u8]),
    Values {
        dtype: DType,
        source: Arc<dyn Source>,
        start: u64,
        count: usize,
        order: usize,
    },
    /// The same, copied.
    Copied {
        stored: StoredTensor,
        start: u64,
        count: usize,
        order: usize,
    },
    /// The same as text.
    Text {
        tensor: &'a Tensor,
        values: Origin,
        start: u64,
        count: usize,
    },
    Checked(&'a Render),
}

/// The jobs of a run, one after the other.
pub(super) struct Jobs<'a> {
    threads: usize,
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
    values: Origin,
    start: u64,
}

/// The origin of the values of a tensor.
#[derive(Clone)]
pub(super) enum Origin {
    Numbers(DType, Arc<dyn Source>),
    Copied(StoredTensor),
}

impl<'a> Jobs<'a> {
    pub(super) fn new(plan: &'a Plan, run: &'a [Located<'a>], threads: &dyn Fn() -> usize) -> Self {
        let worth = run.iter().map(|located| located.threads(plan)).fold(0, usize::saturating_add);
        let threads = if worth > 1 || run.iter().any(|located| located.takes_workspace(plan)) { threads() } else { 1 };
        Self {
            threads: threads.min(worth),
            state: Mutex::new(JobState { plan, run: run.iter(), threads, number: 0, current: None }),
        }
    }

    /// How many threads should do them.
    pub(super) fn threads(&self) -> usize {
        self.threads
    }

    /// The next job, for any thread.
    pub(super) fn next(&self) -> Option<Job<'a>> {
        lock(&self.state).next()
    }

    /// Leaves the rest undone.
    pub(super) fn stop(&self) {
        let mut state = lock(&self.state);
        state.run = [].iter();
        state.current = None;
    }
}

/// How many of a chunk's elements at an offset to leave to the next, so that it ends with a page; none where no element does.
fn beyond_a_page(offset: u64, chunk: usize, size: u64) -> usize {
    let beyond = (offset + chunk as u64 * size) % PAGE;
    // Elements of less than a byte have no size of their own.
    let whole = beyond.checked_rem(size) == Some(0);
    if whole { usize::try_from(beyond / size).unwrap_or(0) } else { 0 }
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
        let Current { located, tensor, values, start } = self.current.as_mut()?;
        let count = tensor.shape().count();
        let (left, chunk) = (count - *start, located.chunk(count));
        if left == 0 {
            return None;
        }
        let (tensor, from) = (*tensor, *start);
        let element = tensor.element();
        let offset = located.offset + element.bytes(from);
        let count = match usize::try_from(left) {
            Ok(left) if left <= chunk => left,
            _ if matches!(located.piece, Piece::Text(_)) => chunk,
            _ => chunk - beyond_a_page(offset, chunk, element.bytes(1)),
        };
        *start += count as u64;
        let values = match values {
            Origin::Numbers(dtype, source) => {
                Origin::Numbers(*dtype, source.part(from, count).unwrap_or_else(|| Arc::clone(source)))
            }
            Origin::Copied(stored) => Origin::Copied(stored.clone()),
        };
        let order = located.values_before;
        Some(match (located.piece, values) {
            (Piece::Text(_), values) => (0, Work::Text { tensor, values, start: from, count }),
            (_, Origin::Copied(stored)) => (offset, Work::Copied { stored, start: from, count, order }),
            (_, Origin::Numbers(dtype, source)) => (offset, Work::Values { dtype, source, start: from, count, order }),
        })
    }

    /// Goes on to the next piece that holds work.
    fn open(&mut self) -> Option<(u64, Work<'a>)> {
        loop {
            let located = self.run.next()?;
            match located.piece {
                Piece::Bytes(bytes) => return Some((located.offset, Work::Bytes(bytes))),
                Piece::Checked(_, render) => return Some((located.offset, Work::Checked(render.as_ref()))),
                Piece::Values(number) | Piece::Columns(number) | Piece::Text(number) => {
                    let tensor = &self.plan.tensors()[*number];
                    let by_columns = matches!(located.piece, Piece::Columns(_));
                    let values = match self.plan.open(*number, self.threads) {
                        Opened::Numbers(dtype, source) if by_columns => {
                            Origin::Numbers(dtype, column_major(&*source, tensor.shape(), dtype).into())
                        }
                        Opened::Numbers(dtype, source) => Origin::Numbers(dtype, source.into()),
                        Opened::Copied(copied) if by_columns => Origin::Copied(copied.values.reversed()),
                        Opened::Copied(copied) => Origin::Copied(copied.values.clone()),
                    };
                    self.current = Some(Current { located, tensor, values, start: 0 });
                    if let Some(part) = self.part() {
                        return Some(part);
                    }
                }
            }
        }
    }
}

impl<'a> Work<'a> {
    /// Makes the bytes that the job draws or copies. Errors where they cannot be read.
    pub(super) fn make(&self, encoder: &mut Encoder) -> io::Result<()> {
        match self {
            Self::Bytes(_) | Self::Checked(_) => {}
            Self::Copied { stored, start, count, .. } => encoder.copies(stored, *start, *count)?,
            Self::Values { dtype, source, start, count, .. } => {
                encoder.reserve(*dtype, *count)?;
                encoder.values(source.as_ref(), *dtype, *start, *count);
            }
            Self::Text { tensor, values, start, count } => match values {
                Origin::Copied(stored) => encoder.text_of_copies(stored, tensor.shape(), *start, *count)?,
                Origin::Numbers(dtype, source) => {
                    encoder.reserve(DType::F64, *count)?;
                    encoder.text(source.as_ref(), tensor.shape(), *dtype, *start, *count);
                }
            },
        }
        Ok(())
    }

    /// The bytes of the job, once they are made.
    pub(super) fn bytes<'b>(&self, encoder: &'b Encoder) -> &'b [u8]
    where
        'a: 'b,
    {
        match self {
            Self::Bytes(bytes) => bytes,
            // Its bytes depend on those of others.
            Self::Checked(_) => &[],
            Self::Copied { .. } | Self::Values { .. } | Self::Text { .. } => encoder.bytes(),
        }
    }

    /// How many bytes of values the job makes.
    pub(super) fn done(&self) -> u64 {
        match self {
            Self::Bytes(_) | Self::Checked(_) => 0,
            Self::Values { dtype, count, .. } => Element::Drawn(*dtype).bytes(*count as u64),
            Self::Copied { stored, count, .. } => stored.element().bytes(*count as u64),
            Self::Text { tensor, count, .. } => tensor.element().bytes(*count as u64),
        }
    }
}
