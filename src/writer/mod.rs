//! Writers: numbers to bytes. A [format](crate::format) says which pieces make up a file; [`fill`] makes them and [`atomic_file`] puts
//! them where they belong, whole or not at all.

mod atomic_file;
mod checkpoint;
mod checksums;
mod encode;
mod fill;
mod in_order;
mod jobs;
mod sha256;
mod unfinished;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use atomic_file::{
    Existing, FileOptions, Outcome, Prepared, Standing, check_target, is_stream, is_whole, prepare_file, standing,
    withdraw, write_file, write_stream,
};
pub use checkpoint::{Beside, Checkpoint, Shard};
pub use encode::Encoder;
pub use fill::{Settings, Take, draw};
pub use sha256::{sha256_of_bytes, sha256_of_files, sums_file};

/// A lock that a panic elsewhere does not make unusable: that panic ends the program anyhow.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a test on a thread of its own, so that one that waits for ever fails.
#[cfg(test)]
fn in_time(test: impl FnOnce() + Send + 'static) {
    use std::sync::mpsc::{RecvTimeoutError, channel};
    let (done, ended) = channel();
    let test = std::thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    let outcome = ended.recv_timeout(std::time::Duration::from_secs(60));
    assert!(outcome != Err(RecvTimeoutError::Timeout), "it still waits");
    test.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}
