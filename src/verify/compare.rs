//! Comparing byte by byte with what the recipe gives, as fast as that is drawn.

use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, ensure};

use crate::passing;
use crate::plan::Plan;
use crate::reader::{Contents, Entry, Raw};
use crate::writer::{self, Piece, Settings};

/// How many tensors are compared at a time: each holds a descriptor of its file.
const BATCH: usize = 64;

/// How many bytes are read at a time: few enough to stay in the innermost cache but one.
const BLOCK: usize = 1 << 16;

/// Where a tensor differs from its recipe.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The first element that differs, row-major.
    pub first: u64,
    /// What the file holds there.
    pub held: f64,
    /// What the recipe gives.
    pub derived: f64,
    /// How many elements differ.
    pub count: u64,
}

/// Compares tensors, given by their numbers in the plan and in the file, which are of one shape and dtype. Gives what differs in each,
/// in their order. Errors where values cannot be read.
pub fn compare(
    plan: &Plan,
    contents: &mut Contents,
    pairs: &[(usize, usize)],
    settings: &Settings,
) -> Result<Vec<Option<Difference>>> {
    let mut found = Vec::with_capacity(pairs.len());
    for batch in pairs.chunks(BATCH) {
        let raws = batch.iter().map(|&(_, entry)| contents.raw(entry)).collect::<Result<Vec<_>>>()?;
        let tensors: Vec<Tensor> = batch
            .iter()
            .zip(&raws)
            .filter_map(|(&(number, entry), raw)| Some(Tensor::new(number, &contents.entries[entry], raw.as_ref()?)))
            .collect();
        in_place(plan, &tensors, settings)?;
        let mut in_place = tensors.into_iter().map(|tensor| into_inner(tensor.seen)).collect::<Vec<_>>().into_iter();
        for (&(number, entry), raw) in batch.iter().zip(&raws) {
            match raw {
                Some(raw) => {
                    checked(contents, entry, raw)?;
                    found.extend(in_place.next());
                }
                None => found.push(in_order(plan, number, contents, entry, settings)?),
            }
        }
    }
    Ok(found)
}

/// A tensor whose values lie in the file as they are.
struct Tensor<'a> {
    number: usize,
    entry: &'a Entry,
    raw: &'a Raw,
    seen: Mutex<Option<Difference>>,
}

impl<'a> Tensor<'a> {
    fn new(number: usize, entry: &'a Entry, raw: &'a Raw) -> Self {
        Self { number, entry, raw, seen: Mutex::new(None) }
    }
}

/// Compares what threads draw with what stands at its place.
fn in_place(plan: &Plan, tensors: &[Tensor], settings: &Settings) -> Result<()> {
    let numbers: Vec<usize> = tensors.iter().map(|tensor| tensor.number).collect();
    let take = |order: usize, start: u64, derived: &[u8]| {
        let Tensor { entry, raw, seen, .. } = &tensors[order];
        let size = plan.tensors[numbers[order]].dtype.size();
        let (mut held, mut start) = (vec![0; derived.len().min(BLOCK)], start);
        for derived in derived.chunks(BLOCK) {
            let held = &mut held[..derived.len()];
            raw.file.read_exact_at(held, raw.begin + start * size)?;
            if let Some(difference) = unequal(entry, start, held, derived) {
                note(&mut lock(seen), difference);
            }
            start += derived.len() as u64 / size;
        }
        Ok(())
    };
    writer::draw(plan, &numbers, settings, &take).context("reading")
}

/// What the archive's own checksum has to say: the values are those of the recipe, yet a reader would refuse them.
fn checked(contents: &mut Contents, entry: usize, raw: &Raw) -> Result<()> {
    if contents.format != "npz" {
        return Ok(());
    }
    let name = format!("`{}`", crate::text::escape(&contents.entries[entry].name));
    let read = contents.bytes(entry).and_then(|mut bytes| Ok(io::copy(&mut bytes, &mut io::sink())?));
    let length = read.with_context(|| format!("{name}: its values cannot be read"))?;
    ensure!(length == raw.length, "{name}: its values are {length} bytes, not {}", raw.length);
    Ok(())
}

/// Compares values that can be read in order only.
fn in_order(
    plan: &Plan,
    number: usize,
    contents: &mut Contents,
    entry: usize,
    settings: &Settings,
) -> Result<Option<Difference>> {
    let Contents { entries, .. } = contents;
    let name = format!("`{}`", crate::text::escape(&entries[entry].name));
    let alone = plan.of(vec![plan.tensors[number].clone()]);
    let size = alone.tensors[0].dtype.size();
    let (seen, mut rest) = (Mutex::new(None), None);
    {
        // The entry is looked at while its values are read.
        let (bytes, entry) = contents.bytes_of(entry)?;
        let mut against = Against { held: bytes, entry, size, start: 0, seen: &seen };
        writer::write_stream(&alone, &[Piece::Values(0)], settings, &mut against)
            .map_err(|error| passing::in_one_text(&error, error.root_cause().to_string()))
            .with_context(|| format!("{name}: its values cannot be read"))?;
        // An archive compares its checksum where its member ends.
        let after = against.held.read(&mut [0]).with_context(|| format!("{name}: its values cannot be read"))?;
        rest.replace(after);
    }
    ensure!(rest == Some(0), "{name}: bytes follow its values");
    Ok(into_inner(seen))
}

/// A stream to write to that compares with what is read from another.
struct Against<'a> {
    held: Box<dyn Read + Send + 'a>,
    entry: &'a Entry,
    size: u64,
    start: u64,
    seen: &'a Mutex<Option<Difference>>,
}

impl Write for Against<'_> {
    /// Takes whole elements, as they are drawn.
    fn write(&mut self, derived: &[u8]) -> io::Result<usize> {
        let mut held = vec![0; derived.len()];
        self.held.read_exact(&mut held)?;
        if let Some(difference) = unequal(self.entry, self.start, &held, derived) {
            note(&mut lock(self.seen), difference);
        }
        self.start += derived.len() as u64 / self.size;
        Ok(derived.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What differs between bytes of the file and of the recipe, which begin at element `start`.
fn unequal(entry: &Entry, start: u64, held: &[u8], derived: &[u8]) -> Option<Difference> {
    let size = entry.dtype().map_or(1, |dtype| usize::try_from(dtype.size()).unwrap_or(1));
    // Derived bytes are little-endian.
    let turned: Vec<u8>;
    let derived = if entry.big_endian() {
        turned = derived.chunks_exact(size).flat_map(|element| element.iter().rev().copied()).collect();
        turned.as_slice()
    } else {
        derived
    };
    if held == derived {
        return None;
    }
    let elements = || held.chunks_exact(size).zip(derived.chunks_exact(size)).enumerate();
    let (first, (held, derived)) = elements().find(|(_, (held, derived))| held != derived)?;
    let value = |bytes: &[u8]| {
        let mut values = Vec::with_capacity(1);
        entry.widen(bytes, &mut values);
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

/// A lock that a panic elsewhere does not make unusable: that panic ends the program anyhow.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}
