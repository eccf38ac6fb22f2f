//! Reads the values of a tensor with several threads.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};

use crate::parallel::on_threads;
use crate::reader::Contents;
use crate::statistics::summary::Summary;
use crate::tensor::StoredTensor;

/// The number of values per chunk. It is fixed, so that sums do not depend on the number of threads.
const CHUNK: u64 = 1 << 17;

/// Passes all values of an entry as doubles to a visitor. Chunks have equal size, in any order, each with the row-major index of its
/// first value. `new` makes a state for each thread; all states are returned. Errors if the type is unsupported or values are damaged.
pub fn scan<S: Send>(
    contents: &Contents,
    number: usize,
    threads: usize,
    new: &(dyn Fn() -> S + Sync),
    visit: &(dyn Fn(&mut S, u64, &[f64]) + Sync),
) -> Result<Vec<S>> {
    let entry = contents.entries.get(number).context("there is no such tensor")?;
    let name = || format!("`{}`", crate::text::escape(&entry.name));
    let values = entry.values().with_context(name)?;
    let element = values.element();
    ensure!(element.is_number(), "{}: values of type {} cannot be read as numbers", name(), element.word());
    let chunks = entry.shape.count().div_ceil(CHUNK);
    let threads = usize::try_from(chunks).unwrap_or(threads).min(threads);
    in_parallel(values, threads, new, visit).with_context(name)
}

/// The summary of tensor `number`, the same for any number of threads. Errors if its type is unsupported.
pub fn summary(contents: &Contents, number: usize, threads: usize) -> Result<Summary> {
    let visit = |parts: &mut Vec<(u64, Summary)>, start: u64, values: &[f64]| {
        parts.push((start, Summary::of(values)));
    };
    let parts = scan(contents, number, threads, &Vec::new, &visit)?;
    Ok(Summary::joined(parts.into_iter().flatten().collect()))
}

fn in_parallel<S: Send>(
    values: &StoredTensor,
    threads: usize,
    new: &(dyn Fn() -> S + Sync),
    visit: &(dyn Fn(&mut S, u64, &[f64]) + Sync),
) -> Result<Vec<S>> {
    let count = values.shape().count();
    let next = AtomicU64::new(0);
    let work = || -> Result<S> {
        let (mut state, mut bytes, mut wide) = (new(), Vec::new(), Vec::new());
        loop {
            let start = next.fetch_add(CHUNK, Ordering::Relaxed);
            // Of what is empty the checksum is looked at too.
            if start >= count && start > 0 {
                return Ok(state);
            }
            values.read(start, CHUNK.min(count - start), &mut bytes).context("its values cannot be read")?;
            wide.clear();
            values.element().widen(&bytes, &mut wide);
            visit(&mut state, start, &wide);
        }
    };
    on_threads(threads, work).into_iter().collect()
}
