//! Threads and locks.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, available_parallelism, scope};

/// The stack of a thread and the reserve of its allocator, in bytes.
const ADDRESS_SPACE_OF_A_THREAD: u64 = 16 << 20;

/// Locks, ignoring poison: a panic on another thread ends the program in any case.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The content of a mutex, ignoring poison.
pub fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Number of hardware threads available to this process; 1 if unknown.
pub fn available_threads() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// The number of threads: the given one, or all hardware threads; fewer if they do not fit into `address_space`, the bytes that
/// `ulimit -v` leaves.
pub fn number_of_threads(given: Option<u16>, address_space: Option<u64>) -> usize {
    let threads = given.map_or_else(available_threads, usize::from);
    let room = address_space.and_then(|left| usize::try_from(left / ADDRESS_SPACE_OF_A_THREAD).ok());
    room.map_or(threads, |room| threads.min(room.max(1)))
}

/// Runs `work` on this thread and up to `threads - 1` others, and returns all results. Uses fewer threads if the
/// system refuses more.
pub fn on_threads<T: Send>(threads: usize, work: impl Fn() -> T + Sync) -> Vec<T> {
    on_threads_meanwhile(threads, work, || ()).0
}

/// Like [`on_threads`], but this thread runs `meanwhile` before it joins the work.
pub fn on_threads_meanwhile<T: Send, R>(
    threads: usize,
    work: impl Fn() -> T + Sync,
    meanwhile: impl FnOnce() -> R,
) -> (Vec<T>, R) {
    scope(|scope| {
        let spawn = |_| Builder::new().spawn_scoped(scope, &work).ok();
        let others: Vec<_> = (1..threads).map_while(spawn).collect();
        let result = meanwhile();
        let own = work();
        let joined = others.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        (std::iter::once(own).chain(joined).collect(), result)
    })
}

/// Maps `0..count` in parallel and returns the results in order. The first error stops the work; with several errors,
/// the lowest number wins.
pub fn try_map<T: Send, E: Send>(
    count: usize,
    threads: usize,
    work: impl Fn(usize) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let next = AtomicUsize::new(0);
    let results = on_threads(threads.min(count), || {
        let mut results = Vec::new();
        while let Some(number) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&number| number < count) {
            let result = work(number);
            if result.is_err() {
                next.store(count, Ordering::Relaxed);
            }
            results.push((number, result));
        }
        results
    });
    let mut results: Vec<_> = results.into_iter().flatten().collect();
    results.sort_unstable_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Runs a test on its own thread and fails if it does not end in time.
#[cfg(test)]
pub(crate) fn in_time(test: impl FnOnce() + Send + 'static) {
    use std::sync::mpsc::{RecvTimeoutError, channel};
    let (done, ended) = channel();
    let test = std::thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    let outcome = ended.recv_timeout(std::time::Duration::from_secs(60));
    assert!(outcome != Err(RecvTimeoutError::Timeout), "it still waits");
    test.join().unwrap_or_else(|panic| resume_unwind(panic));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_as_many_as_given_if_they_fit_into_the_address_space() {
        assert_eq!(number_of_threads(None, None), available_threads());
        assert_eq!(number_of_threads(Some(40), None), 40);
        assert_eq!(number_of_threads(Some(40), Some(1 << 40)), 40);
        assert_eq!(number_of_threads(Some(40), Some(100 << 20)), 6);
        assert_eq!(number_of_threads(Some(40), Some(0)), 1);
    }

    #[test]
    fn results_come_in_the_order_of_their_numbers() {
        for threads in [1, 3, 100] {
            let squares: Result<Vec<usize>, ()> = try_map(50, threads, |number| Ok(number * number));
            assert_eq!(squares, Ok((0..50).map(|number| number * number).collect()));
        }
        assert_eq!(try_map(0, 3, Ok::<usize, ()>), Ok(Vec::new()));
    }

    #[test]
    fn the_error_of_the_least_number_is_given() {
        for threads in [1, 3] {
            let outcome = try_map(50, threads, |number| if number % 20 == 7 { Err(number) } else { Ok(()) });
            assert_eq!(outcome, Err(7));
        }
    }

    #[test]
    fn this_thread_does_something_else_first_and_a_panic_of_any_thread_passes() {
        let (results, meanwhile) = on_threads_meanwhile(3, || 1, || 2);
        assert_eq!((results, meanwhile), (vec![1, 1, 1], 2));
        in_time(|| {
            let main = std::thread::current().id();
            let work = || assert!(std::thread::current().id() == main, "on purpose");
            assert!(std::panic::catch_unwind(|| on_threads(3, work)).is_err());
        });
    }
}
