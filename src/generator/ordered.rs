//! Generators of frameworks that draw one number after the other: what a tensor holds depends on all that was drawn before it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Result, ensure};

use super::Source;
use crate::law::TensorSpec;
use crate::tensor::{Seed, narrow};

/// A framework's generator between two tensors: the state of its engine, and whatever else it remembers.
pub(super) trait Stream: Send {
    /// The same state once more.
    fn fork(&self) -> Box<dyn Stream>;
    /// The values of the next tensor.
    fn tensor(self: Box<Self>, tensor: &TensorSpec) -> Box<dyn Forward>;
}

/// The values of one tensor, first to last.
pub(super) trait Forward: Send {
    /// The same values from here on once more.
    fn fork(&self) -> Box<dyn Forward>;
    /// The next `count` values, as a source whose element 0 is the first of them. Threads draw from such parts side by side, so that it
    /// does here only what must be done in order.
    fn take(&mut self, count: usize) -> Arc<dyn Source>;
    /// The state after the last value, when all were taken.
    fn finish(self: Box<Self>) -> Box<dyn Stream>;
}

/// Values that are drawn already.
pub(super) enum Drawn {
    /// In single precision, or a lesser one.
    Singles(Vec<f32>),
    /// In double precision.
    Doubles(Vec<f64>),
}

impl Source for Drawn {
    fn singles(&self, start: u64, out: &mut [f32]) {
        let start = crate::tensor::in_memory(start);
        match self {
            Self::Singles(values) => out.copy_from_slice(&values[start..start + out.len()]),
            Self::Doubles(values) => {
                out.iter_mut().zip(&values[start..]).for_each(|(out, &value)| *out = narrow(value));
            }
        }
    }

    fn doubles(&self, start: u64, out: &mut [f64]) {
        let start = crate::tensor::in_memory(start);
        match self {
            Self::Singles(values) => out.iter_mut().zip(&values[start..]).for_each(|(out, &value)| *out = value.into()),
            Self::Doubles(values) => out.copy_from_slice(&values[start..start + out.len()]),
        }
    }
}

/// The values of a tensor that must be drawn together, when they are.
pub(super) struct Ready {
    values: Arc<Drawn>,
    position: u64,
    state: Box<dyn Stream>,
}

impl Ready {
    /// All values of a tensor, and the state after them.
    pub(super) fn new(values: Drawn, state: Box<dyn Stream>) -> Self {
        Self { values: Arc::new(values), position: 0, state }
    }
}

impl Forward for Ready {
    fn fork(&self) -> Box<dyn Forward> {
        Box::new(Self { values: Arc::clone(&self.values), position: self.position, state: self.state.fork() })
    }

    fn take(&mut self, count: usize) -> Arc<dyn Source> {
        let from = self.position;
        self.position += count as u64;
        Arc::new(Rest { from, values: Arc::clone(&self.values) as Arc<dyn Source> })
    }

    fn finish(self: Box<Self>) -> Box<dyn Stream> {
        self.state
    }
}

/// Values from an element on, which is element 0 here.
pub(super) struct Rest {
    pub(super) from: u64,
    pub(super) values: Arc<dyn Source>,
}

impl Source for Rest {
    fn singles(&self, start: u64, out: &mut [f32]) {
        self.values.singles(self.from + start, out);
    }

    fn doubles(&self, start: u64, out: &mut [f64]) {
        self.values.doubles(self.from + start, out);
    }
}

/// The tensors of a plan that draw, in the order in which they do.
pub struct Sequence {
    tensors: Vec<TensorSpec>,
    start: Box<dyn Fn() -> Box<dyn Stream> + Send + Sync>,
    /// States before tensors, by their place.
    states: Mutex<BTreeMap<usize, Box<dyn Stream>>>,
}

/// The most states that are kept; of torch's each takes 2.5 KB.
const MOST_STATES: usize = 4096;
/// How many elements are drawn at a time where they are passed over.
const PASSED: usize = 1 << 18;

impl fmt::Debug for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tensors in order", self.tensors.len())
    }
}

impl Sequence {
    /// The tensors that draw, of all those of a plan, copies of one draw left out. Errors where some that come before others are missing.
    pub(super) fn new(seed: &Seed, tensors: &[&TensorSpec], start: fn(&Seed) -> Box<dyn Stream>) -> Result<Self> {
        let mut drawing: Vec<TensorSpec> =
            tensors.iter().filter(|tensor| tensor.law.is_random()).map(|tensor| tensor.whole()).collect();
        drawing.sort_by_key(|tensor| tensor.order);
        for (place, tensor) in (0u64..).zip(&drawing) {
            let order = tensor.order.unwrap_or(0);
            ensure!(
                order <= place,
                "the numbers of `{}` follow those of {order} other tensors, and only {place} of them are here",
                tensor.name
            );
            ensure!(order == place, "`{}` and another tensor are both the {order}th to be drawn", tensor.name);
        }
        Ok(Self::of(seed, drawing, start))
    }

    /// A tensor that draws, and no other.
    pub(super) fn of_one(seed: &Seed, tensor: TensorSpec, start: fn(&Seed) -> Box<dyn Stream>) -> Self {
        Self::of(seed, vec![tensor], start)
    }

    fn of(seed: &Seed, tensors: Vec<TensorSpec>, start: fn(&Seed) -> Box<dyn Stream>) -> Self {
        let seed = seed.clone();
        Self { tensors, start: Box::new(move || start(&seed)), states: Mutex::default() }
    }

    /// The tensors before that place.
    pub(super) fn first(&self, place: usize) -> &[TensorSpec] {
        &self.tensors[..place.min(self.tensors.len())]
    }

    /// The values of the tensor in that place.
    pub(super) fn open(self: &Arc<Self>, place: usize) -> Replay {
        let begin = self.state(place).tensor(&self.tensors[place]);
        let at = At { position: 0, rest: begin.fork() };
        Replay { sequence: Arc::clone(self), place, begin: Mutex::new(begin), at: Mutex::new(Some(at)) }
    }

    /// The state before the tensor in that place; what comes before it and was not drawn yet is drawn now, and dropped.
    fn state(&self, place: usize) -> Box<dyn Stream> {
        let known = lock(&self.states).range(..=place).next_back().map(|(&place, stream)| (place, stream.fork()));
        let (from, mut stream) = known.unwrap_or_else(|| (0, (self.start)()));
        for (place, tensor) in (from..place).zip(&self.tensors[from..]) {
            let mut rest = stream.tensor(tensor);
            pass(&mut *rest, tensor.shape.count());
            stream = rest.finish();
            self.keep(place + 1, stream.fork());
        }
        stream
    }

    fn keep(&self, place: usize, state: Box<dyn Stream>) {
        let mut states = lock(&self.states);
        states.insert(place, state);
        if states.len() > MOST_STATES {
            // Every other one is enough to come near to any.
            let mut keep = false;
            states.retain(|_, _| {
                keep = !keep;
                keep
            });
        }
    }
}

fn pass(rest: &mut dyn Forward, mut count: u64) {
    while count > 0 {
        let part = count.min(PASSED as u64);
        rest.take(crate::tensor::in_memory(part));
        count -= part;
    }
}

/// The values of one tensor of a sequence: parts in order at the speed of the engine, any other element by beginning again.
pub(super) struct Replay {
    sequence: Arc<Sequence>,
    place: usize,
    begin: Mutex<Box<dyn Forward>>,
    /// `None` after the last value.
    at: Mutex<Option<At>>,
}

/// Where the engine is.
struct At {
    position: u64,
    rest: Box<dyn Forward>,
}

impl Replay {
    fn take(&self, start: u64, count: usize) -> Arc<dyn Source> {
        let mut at = lock(&self.at);
        let now = at.take().filter(|at| at.position <= start);
        let At { position, mut rest } = now.unwrap_or_else(|| At { position: 0, rest: lock(&self.begin).fork() });
        pass(&mut *rest, start - position);
        let part = rest.take(count);
        let position = start + count as u64;
        if position == self.sequence.tensors[self.place].shape.count() {
            self.sequence.keep(self.place + 1, rest.finish());
        } else {
            *at = Some(At { position, rest });
        }
        part
    }
}

impl Source for Replay {
    fn singles(&self, start: u64, out: &mut [f32]) {
        self.take(start, out.len()).singles(0, out);
    }

    fn doubles(&self, start: u64, out: &mut [f64]) {
        self.take(start, out.len()).doubles(0, out);
    }

    fn part(&self, start: u64, count: usize) -> Option<Arc<dyn Source>> {
        Some(Arc::new(Part { from: start, values: self.take(start, count) }))
    }
}

/// A part of a tensor's values, addressed as in the whole.
struct Part {
    from: u64,
    values: Arc<dyn Source>,
}

impl Source for Part {
    fn singles(&self, start: u64, out: &mut [f32]) {
        self.values.singles(start - self.from, out);
    }

    fn doubles(&self, start: u64, out: &mut [f64]) {
        self.values.doubles(start - self.from, out);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
