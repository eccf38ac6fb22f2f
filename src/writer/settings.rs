//! Threads and progress of a writer.

use crate::plan::Tensor;

/// A step of the work.
pub enum Step<'a> {
    /// A tensor is drawn as a whole, which takes time before its first value.
    Whole(&'a Tensor),
    /// This number of bytes of values is complete.
    Bytes(u64),
}

/// Execution settings. None of them changes the output.
pub struct Settings<'a> {
    /// Number of threads. Called only if several threads are useful, because querying the CPU count is slow.
    pub threads: &'a (dyn Fn() -> usize + Sync),
    /// Called with each step, from any thread.
    pub progress: &'a (dyn Fn(Step) + Sync),
}
