//! Reading the values of a tensor by several threads.

use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};

use crate::reader::{Contents, Entry, Raw};

/// How many values are handed over at a time. It is fixed, so that sums come out the same for any number of threads.
const CHUNK: u64 = 1 << 17;

/// Hands all values of an entry over, widened, in chunks of one size and in any order, each with the number of its first value. Every
/// thread has a state of its own, which `new` makes; all of them are given back. Errors where the values are of no type that is read,
/// or damaged.
pub fn scan<S: Send>(
    contents: &mut Contents,
    number: usize,
    threads: usize,
    new: &(dyn Fn() -> S + Sync),
    visit: &(dyn Fn(&mut S, u64, &[f64]) + Sync),
) -> Result<Vec<S>> {
    let entry = contents.entries.get(number).context("there is no such tensor")?;
    let chunks = entry.shape.count().div_ceil(CHUNK);
    if entry.dtype().is_some()
        && let Some(raw) = contents.raw(number)?
    {
        let entry = &contents.entries[number];
        let threads = usize::try_from(chunks).unwrap_or(threads).min(threads);
        let name = || format!("`{}`", crate::text::escape(&entry.name));
        return in_parallel(entry, &raw, threads, new, visit).with_context(name);
    }
    let mut state = new();
    let (mut start, mut gathered) = (0, Vec::new());
    contents.read(number, &mut |values| {
        gathered.extend_from_slice(values);
        if gathered.len() as u64 >= CHUNK {
            visit(&mut state, start, &gathered);
            start += gathered.len() as u64;
            gathered.clear();
        }
    })?;
    if !gathered.is_empty() {
        visit(&mut state, start, &gathered);
    }
    Ok(vec![state])
}

fn in_parallel<S: Send>(
    entry: &Entry,
    raw: &Raw,
    threads: usize,
    new: &(dyn Fn() -> S + Sync),
    visit: &(dyn Fn(&mut S, u64, &[f64]) + Sync),
) -> Result<Vec<S>> {
    let (count, size) = (entry.shape.count(), entry.dtype().context("its type is not read")?.size());
    ensure!(raw.length == count * size, "its values are {} bytes, not {}", raw.length, count * size);
    let next = AtomicU64::new(0);
    let work = || -> Result<S> {
        let (mut state, mut bytes, mut values) = (new(), Vec::new(), Vec::new());
        loop {
            let start = next.fetch_add(CHUNK, Ordering::Relaxed);
            if start >= count {
                return Ok(state);
            }
            bytes.resize(usize::try_from(CHUNK.min(count - start) * size)?, 0);
            raw.file.read_exact_at(&mut bytes, raw.begin + start * size).context("its values cannot be read")?;
            values.clear();
            entry.widen(&bytes, &mut values);
            visit(&mut state, start, &values);
        }
    };
    let outcomes: Vec<Result<S>> = std::thread::scope(|scope| {
        // Where the system has no more threads to give, those that there are do the work.
        let spawn = |_| std::thread::Builder::new().spawn_scoped(scope, work).ok();
        let others: Vec<_> = (1..threads).map_while(spawn).collect();
        let own = work();
        let joined =
            others.into_iter().map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        std::iter::once(own).chain(joined).collect()
    });
    outcomes.into_iter().collect()
}
