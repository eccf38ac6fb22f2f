//! Comparison of a file's bytes with a plan's, drawn in parallel.

use std::io;
use std::sync::Mutex;

use anyhow::{Context, Result};

use crate::parallel::{into_inner, lock};
use crate::plan::Plan;
use crate::reader::Contents;
use crate::tensor::{Element, StoredTensor};
use crate::writer::{self, Settings};

/// The number of bytes read at a time; they fit in the second-level cache.
const BLOCK: usize = 1 << 16;

/// The difference between a tensor of a file and that of a plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The index of the first element that differs, row-major.
    pub first: u64,
    /// The value of that element in the file.
    pub found: f64,
    /// The value of that element in the plan.
    pub expected: f64,
    /// The number of elements that differ.
    pub count: u64,
}

/// Compares pairs of tensors with the same shape and dtype, by their numbers in the plan and in the file. Returns the difference of each
/// pair, in order.
pub fn compare(
    plan: &Plan,
    contents: &Contents,
    pairs: &[(usize, usize)],
    settings: &Settings,
) -> Result<Vec<Option<Difference>>> {
    let stored: Vec<&StoredTensor> =
        pairs.iter().map(|&(_, entry)| contents.entries[entry].values()).collect::<Result<_>>()?;
    let differences: Vec<Mutex<Option<Difference>>> = pairs.iter().map(|_| Mutex::new(None)).collect();
    let numbers: Vec<usize> = pairs.iter().map(|&(number, _)| number).collect();
    let take = |order: usize, start: u64, expected: &[u8]| {
        let (values, difference, size) =
            (stored[order], &differences[order], plan.tensors()[numbers[order]].element().bytes(1));
        let (mut found, mut start) = (Vec::new(), start);
        for expected in expected.chunks(BLOCK) {
            let count = expected.len() as u64 / size;
            values.read(start, count, &mut found).map_err(|error| {
                let name = crate::text::escape(&contents.entries[pairs[order].1].name);
                io::Error::other(format!("`{name}`: its values cannot be read: {error}"))
            })?;
            if let Some(new) = unequal(values.element(), start, &found, expected) {
                note(&mut lock(difference), new);
            }
            start += count;
        }
        Ok(())
    };
    writer::draw(plan, &numbers, settings, &take)?;
    // An empty tensor is not drawn, but its checksum is compared.
    for values in stored.iter().filter(|values| values.shape().count() == 0) {
        values.read(0, 0, &mut Vec::new()).context("reading")?;
    }
    Ok(differences.into_iter().map(into_inner).collect())
}

/// The difference between little-endian bytes of the file and of the plan, from element `start` on.
fn unequal(element: Element, start: u64, found: &[u8], expected: &[u8]) -> Option<Difference> {
    if found == expected {
        return None;
    }
    let size = usize::try_from(element.bytes(1)).unwrap_or(1);
    let elements = || found.chunks_exact(size).zip(expected.chunks_exact(size)).enumerate();
    let (first, (found, expected)) = elements().find(|(_, (found, expected))| found != expected)?;
    let value = |bytes: &[u8]| {
        let mut values = Vec::with_capacity(1);
        element.widen(bytes, &mut values);
        values.first().copied().unwrap_or(f64::NAN)
    };
    let count = elements().filter(|(_, (found, expected))| found != expected).count() as u64;
    Some(Difference { first: start + first as u64, found: value(found), expected: value(expected), count })
}

/// Merges a difference into the earlier ones: keeps the first and adds the counts.
fn note(seen: &mut Option<Difference>, other: Difference) {
    *seen = Some(match *seen {
        None => other,
        Some(before) => {
            let first = if before.first < other.first { before } else { other };
            Difference { count: before.count + other.count, ..first }
        }
    });
}
