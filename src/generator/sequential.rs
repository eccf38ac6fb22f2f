//! Sequential generators of frameworks: a tensor's values depend on all earlier draws.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use anyhow::{Result, ensure};

use super::source::{Offset, Source, Values};
use crate::distribution::TensorSpec;
use crate::parallel::lock;
use crate::tensor::Seed;

/// A framework's generator between two tensors: the state of its engine and other memory.
pub(super) trait RngState: Send {
    /// A copy of the state.
    fn fork(&self) -> Box<dyn RngState>;
    /// The values of the next tensor.
    fn tensor(self: Box<Self>, tensor: &TensorSpec) -> Box<dyn TensorCursor>;
}

/// The values of one tensor, first to last.
pub(super) trait TensorCursor: Send {
    /// A copy that continues from here.
    fn fork(&self) -> Box<dyn TensorCursor>;
    /// The next `count` values, as a source that starts at element 0. Threads draw from such parts in parallel, so this call does only the
    /// sequential work.
    fn take(&mut self, count: usize) -> Arc<dyn Source>;
    /// The state after the last value. All values must have been read.
    fn finish(self: Box<Self>) -> Box<dyn RngState>;
}

/// The computed values of a joint tensor.
pub(super) struct Precomputed {
    values: Arc<Values>,
    position: u64,
    state: Box<dyn RngState>,
}

impl Precomputed {
    /// All values of a tensor, and the state after them.
    pub(super) fn new(values: Values, state: Box<dyn RngState>) -> Self {
        Self { values: Arc::new(values), position: 0, state }
    }
}

impl TensorCursor for Precomputed {
    fn fork(&self) -> Box<dyn TensorCursor> {
        Box::new(Self { values: Arc::clone(&self.values), position: self.position, state: self.state.fork() })
    }

    fn take(&mut self, count: usize) -> Arc<dyn Source> {
        let from = self.position;
        self.position += count as u64;
        Arc::new(Offset { from, values: Arc::clone(&self.values) as Arc<dyn Source> })
    }

    fn finish(self: Box<Self>) -> Box<dyn RngState> {
        self.state
    }
}

/// The random tensors of a plan, in drawing order.
pub struct Sequence {
    tensors: Vec<TensorSpec>,
    start: Box<dyn Fn() -> Box<dyn RngState> + Send + Sync>,
    /// States before tensors, by their index.
    states: Mutex<BTreeMap<usize, Box<dyn RngState>>>,
}

/// The maximum number of states stored; each of torch's takes 2.5 KB.
const MAX_STATES: usize = 4096;
/// The number of elements drawn at a time to skip.
const SKIPPED: usize = 1 << 18;

impl fmt::Debug for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tensors in order", self.tensors.len())
    }
}

impl Sequence {
    /// The random tensors of a plan, without aliases. Errors if an earlier tensor is missing.
    pub(super) fn new(seed: &Seed, tensors: &[&TensorSpec], start: fn(&Seed) -> Box<dyn RngState>) -> Result<Self> {
        let mut drawing: Vec<TensorSpec> =
            tensors.iter().filter(|tensor| tensor.distribution.is_random()).map(|tensor| tensor.whole()).collect();
        drawing.sort_by_key(|tensor| tensor.order);
        for (place, tensor) in (0u64..).zip(&drawing) {
            let order = tensor.order.unwrap_or(0);
            ensure!(
                order <= place,
                "`{}` is drawn after {order} other tensors, but only {place} of them are here",
                tensor.name
            );
            ensure!(order == place, "`{}` and another tensor are both drawn after {order} others", tensor.name);
        }
        Ok(Self::of(seed, drawing, start))
    }

    /// A single random tensor.
    pub(super) fn of_one(seed: &Seed, tensor: TensorSpec, start: fn(&Seed) -> Box<dyn RngState>) -> Self {
        Self::of(seed, vec![tensor], start)
    }

    fn of(seed: &Seed, tensors: Vec<TensorSpec>, start: fn(&Seed) -> Box<dyn RngState>) -> Self {
        let seed = seed.clone();
        Self { tensors, start: Box::new(move || start(&seed)), states: Mutex::default() }
    }

    /// The tensors before index `place`.
    pub(super) fn first(&self, place: usize) -> &[TensorSpec] {
        &self.tensors[..place.min(self.tensors.len())]
    }

    /// The values of the tensor at index `place`.
    pub(super) fn open(self: &Arc<Self>, place: usize) -> Replay {
        let begin = self.state(place).tensor(&self.tensors[place]);
        let at = Position { position: 0, rest: begin.fork() };
        Replay { sequence: Arc::clone(self), place, begin: Mutex::new(begin), at: Mutex::new(Some(at)) }
    }

    /// The state before the tensor at index `place`. Draws and drops earlier tensors if needed.
    fn state(&self, place: usize) -> Box<dyn RngState> {
        let known = lock(&self.states).range(..=place).next_back().map(|(&place, stream)| (place, stream.fork()));
        let (from, mut stream) = known.unwrap_or_else(|| (0, (self.start)()));
        for (place, tensor) in (from..place).zip(&self.tensors[from..]) {
            let mut rest = stream.tensor(tensor);
            skip(&mut *rest, tensor.shape.count());
            stream = rest.finish();
            self.keep(place + 1, stream.fork());
        }
        stream
    }

    fn keep(&self, place: usize, state: Box<dyn RngState>) {
        let mut states = lock(&self.states);
        states.insert(place, state);
        if states.len() > MAX_STATES {
            // Every other one is enough to come near to any.
            let mut keep = false;
            states.retain(|_, _| {
                keep = !keep;
                keep
            });
        }
    }
}

fn skip(rest: &mut dyn TensorCursor, mut count: u64) {
    while count > 0 {
        let part = count.min(SKIPPED as u64);
        rest.take(crate::tensor::to_usize(part));
        count -= part;
    }
}

/// The values of one tensor of a sequence. Parts in order are as fast as the engine; any other element restarts from the beginning.
pub(super) struct Replay {
    sequence: Arc<Sequence>,
    place: usize,
    begin: Mutex<Box<dyn TensorCursor>>,
    /// `None` after the last value.
    at: Mutex<Option<Position>>,
}

struct Position {
    position: u64,
    rest: Box<dyn TensorCursor>,
}

impl Replay {
    fn take(&self, start: u64, count: usize) -> Arc<dyn Source> {
        let mut at = lock(&self.at);
        let now = at.take().filter(|at| at.position <= start);
        let Position { position, mut rest } =
            now.unwrap_or_else(|| Position { position: 0, rest: lock(&self.begin).fork() });
        skip(&mut *rest, start - position);
        let part = rest.take(count);
        let position = start + count as u64;
        if position == self.sequence.tensors[self.place].shape.count() {
            self.sequence.keep(self.place + 1, rest.finish());
        } else {
            *at = Some(Position { position, rest });
        }
        part
    }
}

impl Source for Replay {
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        self.take(start, out.len()).fill_f32(0, out);
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
        self.take(start, out.len()).fill_f64(0, out);
    }

    fn part(&self, start: u64, count: usize) -> Option<Arc<dyn Source>> {
        Some(Arc::new(Part { from: start, values: self.take(start, count) }))
    }
}

/// A part of a tensor's values, with the indices of the full tensor.
struct Part {
    from: u64,
    values: Arc<dyn Source>,
}

impl Source for Part {
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        self.values.fill_f32(start - self.from, out);
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
        self.values.fill_f64(start - self.from, out);
    }
}
