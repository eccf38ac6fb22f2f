//! Passes over the samples, block by block on several threads.

use anyhow::Result;
use rayon::prelude::*;

/// The maximum number of samples of a block.
const MAX_BLOCK: usize = 4096;
/// Values of a block that are multiplied together.
pub(super) const VALUES_OF_A_BLOCK: usize = 1 << 19;
/// Values of a block that a thread passes over, so that they stay in its cache.
const VALUES_OF_A_PASS: usize = 1 << 16;
/// The minimum number of multiplications that justifies a second thread.
pub(super) const WORK_OF_A_THREAD: usize = 1 << 19;

/// The samples of a block of about `values` values.
pub(super) fn block(values: usize, features: usize) -> usize {
    (values / features.max(1)).clamp(1, MAX_BLOCK)
}

/// Computes `each` for blocks of the samples, in parallel, and passes the results to `take` in the order of the samples.
pub(super) fn in_order<'a, T: Send>(
    samples: &'a [u64],
    features: usize,
    each: impl Fn(&'a [u64]) -> Result<T> + Sync,
    mut take: impl FnMut(T),
) -> Result<()> {
    let block = block(VALUES_OF_A_PASS, features);
    for blocks in samples.chunks(block * 8 * rayon::current_num_threads()) {
        let made: Vec<Result<T>> = blocks.par_chunks(block).map(&each).collect();
        for made in made {
            take(made?);
        }
    }
    Ok(())
}

/// Runs both, in parallel if they need enough multiplications.
pub(super) fn both<A: Send, B: Send>(
    work: usize,
    first: impl FnOnce() -> A + Send,
    second: impl FnOnce() -> B + Send,
) -> (A, B) {
    if work < WORK_OF_A_THREAD { (first(), second()) } else { rayon::join(first, second) }
}
