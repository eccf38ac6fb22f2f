//! A stream that threads write to in order.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::parallel::lock;

/// Error kind of a thread that stopped because another failed.
pub(super) const STOPPED: io::ErrorKind = io::ErrorKind::Interrupted;

/// Turn after an error or a panic: no part has this number.
const CLOSED: u64 = u64::MAX;

/// A stream `W` that receives parts `T` in the order of their numbers, from 0, although threads finish them in any
/// order. A thread queues its part for the current writer, or for the thread whose turn comes first. It blocks only
/// if it is too far ahead.
pub(super) struct OrderedWriter<W, T> {
    state: Mutex<State<W, T>>,
    moved: Condvar,
    /// Largest lead of a part over the current turn.
    ahead: u64,
}

struct State<W, T> {
    turn: u64,
    /// `None` while a thread writes to it.
    stream: Option<W>,
    waiting: BTreeMap<u64, T>,
    /// Written parts, kept for reuse.
    written: Vec<T>,
}

impl<W, T> OrderedWriter<W, T> {
    pub(super) fn new(stream: W, ahead: usize) -> Self {
        let state = State { turn: 0, stream: Some(stream), waiting: BTreeMap::new(), written: Vec::new() };
        Self { state: Mutex::new(state), moved: Condvar::new(), ahead: ahead as u64 }
    }

    /// Queues a part and, unless another thread is writing, writes all parts whose turn has come. Blocks while the
    /// part is too far ahead. Returns a written part for reuse, if any. The first write error closes the stream.
    pub(super) fn take(
        &self,
        number: u64,
        part: T,
        write: impl Fn(&mut W, &T) -> io::Result<()>,
    ) -> io::Result<Option<T>> {
        let mut state = lock(&self.state);
        state.waiting.insert(number, part);
        if let Some(stream) = state.stream.take() {
            state = self.write(state, stream, write)?;
        }
        let too_far = |state: &mut State<W, T>| number > state.turn.saturating_add(self.ahead);
        let mut state = self.moved.wait_while(state, too_far).unwrap_or_else(PoisonError::into_inner);
        if state.turn == CLOSED { Err(STOPPED.into()) } else { Ok(state.written.pop()) }
    }

    /// Writes parts as long as the next one is queued.
    fn write<'a>(
        &'a self,
        mut state: MutexGuard<'a, State<W, T>>,
        mut stream: W,
        write: impl Fn(&mut W, &T) -> io::Result<()>,
    ) -> io::Result<MutexGuard<'a, State<W, T>>> {
        while let Some(part) = state.next() {
            drop(state);
            write(&mut stream, &part).inspect_err(|_| self.close())?;
            state = lock(&self.state);
            // A closed stream stays closed.
            state.turn = state.turn.saturating_add(1);
            state.written.push(part);
            self.moved.notify_all();
        }
        state.stream = Some(stream);
        Ok(state)
    }

    /// Prevents all later writes.
    pub(super) fn close(&self) {
        lock(&self.state).turn = CLOSED;
        self.moved.notify_all();
    }
}

impl<W, T> State<W, T> {
    fn next(&mut self) -> Option<T> {
        self.waiting.remove(&self.turn)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::parallel::in_time;

    fn write(stream: &mut Vec<u64>, part: u64) -> io::Result<()> {
        if part == 13 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        stream.push(part);
        Ok(())
    }

    #[test]
    fn parts_that_are_ahead_are_left_to_the_one_whose_turn_comes_first() {
        in_time(|| {
            let mut stream = Vec::new();
            let line = OrderedWriter::new(&mut stream, 2);
            let take = |part| line.take(part, part, |stream, &part| write(stream, part));
            assert_eq!(take(2).unwrap(), None);
            assert_eq!(take(1).unwrap(), None);
            assert!(take(0).unwrap().is_some());
            assert!(take(3).unwrap().is_some());
            assert_eq!(stream, [0, 1, 2, 3]);
        });
    }

    /// Submits part 3, which must block, from its own thread, runs `meanwhile`, and returns the result of the blocked
    /// call.
    fn waited(line: &OrderedWriter<&mut Vec<u64>, u64>, meanwhile: impl FnOnce()) -> io::Result<Option<u64>> {
        thread::scope(|scope| {
            let waits = scope.spawn(|| line.take(3, 3, |stream, &part| write(stream, part)));
            thread::sleep(Duration::from_millis(50));
            assert!(!waits.is_finished(), "it went on");
            meanwhile();
            waits.join().unwrap()
        })
    }

    #[test]
    fn a_part_that_is_too_far_ahead_waits_until_others_are_written() {
        in_time(|| {
            let mut stream = Vec::new();
            let line = OrderedWriter::new(&mut stream, 2);
            let outcome = waited(&line, || {
                line.take(0, 0, |stream, &part| write(stream, part)).unwrap();
            });
            outcome.unwrap();
            assert_eq!(stream, [0]);
        });
    }

    #[test]
    fn an_error_frees_those_that_wait_and_nothing_is_written_after_it() {
        in_time(|| {
            let mut stream = Vec::new();
            let line = OrderedWriter::new(&mut stream, 2);
            let outcome = waited(&line, || {
                line.take(1, 1, |stream, &part| write(stream, part)).unwrap();
                let outcome = line.take(0, 13, |stream, &part| write(stream, part));
                assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::StorageFull);
            });
            assert_eq!(outcome.unwrap_err().kind(), STOPPED);
            assert!(line.take(2, 2, |stream, &part| write(stream, part)).is_err());
            assert!(stream.is_empty());
        });
    }

    #[test]
    fn a_line_that_is_closed_frees_those_that_wait() {
        in_time(|| {
            let mut stream = Vec::new();
            let line = OrderedWriter::new(&mut stream, 2);
            let outcome = waited(&line, || line.close());
            assert_eq!(outcome.unwrap_err().kind(), STOPPED);
        });
    }
}
