//! Comparing byte by byte with what the provenance gives, as fast as that is drawn.

use std::io;
use std::sync::Mutex;

use anyhow::{Context, Result};

use crate::parallel::{into_inner, lock};
use crate::plan::Plan;
use crate::reader::Contents;
use crate::tensor::{Element, StoredTensor};
use crate::writer::{self, Settings};

/// How many bytes are read at a time: few enough to stay in the innermost cache but one.
const BLOCK: usize = 1 << 16;

/// Where a tensor differs from its provenance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The first element that differs, row-major.
    pub first: u64,
    /// What the file holds there.
    pub held: f64,
    /// What the provenance gives.
    pub derived: f64,
    /// How many elements differ.
    pub count: u64,
}

/// Compares tensors, given by their numbers in the plan and in the file, which are of one shape and dtype. Gives what differs in each,
/// in their order. Errors where values cannot be read.
pub fn compare(
    plan: &Plan,
    contents: &Contents,
    pairs: &[(usize, usize)],
    settings: &Settings,
) -> Result<Vec<Option<Difference>>> {
    let held: Vec<&StoredTensor> =
        pairs.iter().map(|&(_, entry)| contents.entries[entry].values()).collect::<Result<_>>()?;
    let seen: Vec<Mutex<Option<Difference>>> = pairs.iter().map(|_| Mutex::new(None)).collect();
    let numbers: Vec<usize> = pairs.iter().map(|&(number, _)| number).collect();
    let take = |order: usize, start: u64, derived: &[u8]| {
        let (values, seen, size) = (held[order], &seen[order], plan.tensors()[numbers[order]].element().bytes(1));
        let (mut held, mut start) = (Vec::new(), start);
        for derived in derived.chunks(BLOCK) {
            let count = derived.len() as u64 / size;
            values.read(start, count, &mut held).map_err(|error| {
                let name = crate::text::escape(&contents.entries[pairs[order].1].name);
                io::Error::other(format!("`{name}`: its values cannot be read: {error}"))
            })?;
            if let Some(difference) = unequal(values.element(), start, &held, derived) {
                note(&mut lock(seen), difference);
            }
            start += count;
        }
        Ok(())
    };
    writer::draw(plan, &numbers, settings, &take)?;
    // A tensor without elements is not drawn, and its checksum is looked at all the same.
    for values in held.iter().filter(|values| values.shape().count() == 0) {
        values.read(0, 0, &mut Vec::new()).context("reading")?;
    }
    Ok(seen.into_iter().map(into_inner).collect())
}

/// The difference between little-endian bytes of the file and of the provenance, which begin at element `start`.
fn unequal(element: Element, start: u64, held: &[u8], derived: &[u8]) -> Option<Difference> {
    if held == derived {
        return None;
    }
    let size = usize::try_from(element.bytes(1)).unwrap_or(1);
    let elements = || held.chunks_exact(size).zip(derived.chunks_exact(size)).enumerate();
    let (first, (held, derived)) = elements().find(|(_, (held, derived))| held != derived)?;
    let value = |bytes: &[u8]| {
        let mut values = Vec::with_capacity(1);
        element.widen(bytes, &mut values);
        values.first().copied().unwrap_or(f64::NAN)
    };
    let count = elements().filter(|(_, (held, derived))| held != derived).count() as u64;
    Some(Difference { first: start + first as u64, held: value(held), derived: value(derived), count })
}

/// Keeps the first of two differences, and the sum of their counts.
fn note(seen: &mut Option<Difference>, other: Difference) {
    *seen = Some(match *seen {
        None => other,
        Some(before) => {
            let first = if before.first < other.first { before } else { other };
            Difference { count: before.count + other.count, ..first }
        }
    });
}
