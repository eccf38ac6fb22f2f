//! The format of torch before 1.6. It has five pickles: a magic number, a version, the writing system, the values and
//! the names of storages. The storages follow, each after its number of elements, little-endian on every system.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};

use super::pickle::{self, Pickle};
use super::{MAX_PICKLE, check_names, entry};
use crate::format::{Found, shown_name};
use crate::tensor::{Backing, Origin};

/// The magic number in little-endian bytes, and in digits.
const MAGIC: &[u8] = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
const MAGIC_DIGITS: &[u8] = b"L119547037146038801333356L\n.";
const VERSION: i64 = 1001;
/// The bytes of a pickle that are read first.
const FIRST_READ: usize = 1 << 16;

/// True for the magic number, after the protocol and an optional frame.
pub(super) fn recognizes(opening: &[u8]) -> bool {
    let pickle = match opening {
        [0x80, _, 0x95, _, _, _, _, _, _, _, _, rest @ ..] | [0x80, _, rest @ ..] => rest,
        _ => opening,
    };
    pickle.starts_with(MAGIC) || pickle.starts_with(MAGIC_DIGITS)
}

pub(super) fn open(origin: &Arc<Origin>) -> Result<Found> {
    let length = origin.length();
    let mut source = Source { file: Arc::clone(origin), at: 0, length };
    source.pickle().context("its magic number")?;
    let version = Pickle::run(&source.pickle().context("its version")?)?.number()?;
    ensure!(version == VERSION, "unsupported version {version}: expected {VERSION}");
    source.pickle().context("the system that wrote it")?;
    let values = source.pickle().context("its values")?;
    let values = Pickle::run(&values)?;
    let names = source.pickle().context("the names of its storages")?;
    let places = source.storages(&values, &Pickle::run(&names)?.texts()?)?;

    let mut entries = Vec::new();
    let mut notes = values.tensors(&mut |name, tensor| {
        let found = places.get(tensor.storage.as_str());
        let shown = || format!("tensor {}", shown_name(&name));
        let &(storage, held) =
            found.with_context(|| format!("storage {} is missing", shown_name(&tensor.storage))).with_context(shown)?;
        ensure!(
            held == tensor.held,
            "storage {} has {held} bytes, but the pickle says {}",
            shown_name(&tensor.storage),
            tensor.held
        );
        entries.push(entry(name, tensor, Arc::<Origin>::clone(origin), storage, false)?);
        Ok(())
    })?;
    check_names(&entries)?;
    if source.at < length {
        notes.push(format!("{} bytes follow its storages", length - source.at));
    }
    Ok(Found { entries, provenance: None, notes, layout: super::FORMAT.layout })
}

/// A file, and the offset up to which it is parsed.
struct Source {
    file: Arc<Origin>,
    at: u64,
    length: u64,
}

impl Source {
    /// The next pickle, of any length.
    fn pickle(&mut self) -> Result<Vec<u8>> {
        let left = (self.length - self.at).min(MAX_PICKLE);
        let (left, mut bytes) = (usize::try_from(left)?, Vec::new());
        while bytes.len() < left {
            let held = bytes.len();
            bytes.resize((2 * held).max(FIRST_READ).min(left), 0);
            self.file.read(&mut bytes[held..], self.at + held as u64)?;
            if let Some(length) = pickle::extent(&bytes)? {
                bytes.truncate(length);
                self.at += length as u64;
                return Ok(bytes);
            }
        }
        anyhow::bail!("a pickle has no end within {left} bytes")
    }

    /// The offset and byte length of each of the named storages.
    fn storages<'a>(&mut self, values: &Pickle<'a>, names: &[&'a str]) -> Result<HashMap<&'a str, (u64, u64)>> {
        let mut sizes = HashMap::new();
        for storage in values.storages() {
            let (name, size, count) = storage?;
            sizes.entry(name).or_insert((size, count));
        }
        let mut places = HashMap::with_capacity(names.len());
        for &name in names {
            let shown = || format!("storage {}", shown_name(name));
            let &(size, count) = sizes.get(name).with_context(|| format!("{} belongs to no tensor", shown()))?;
            let held = self.storage(size, count).with_context(shown)?;
            ensure!(places.insert(name, (self.at - held, held)).is_none(), "{} appears twice", shown());
        }
        Ok(places)
    }

    /// Skips the next storage of `count` elements of this size; returns its byte length.
    fn storage(&mut self, size: u64, count: u64) -> Result<u64> {
        let mut digits = [0; 8];
        self.file.read(&mut digits, self.at).context("truncated")?;
        let held = u64::from_le_bytes(digits);
        ensure!(held == count, "it has {held} elements, but the pickle says {count}");
        let bytes = count.checked_mul(size).context("it exceeds 2^64 bytes")?;
        let left = self.length - self.at - 8;
        ensure!(bytes <= left, "truncated: needs {bytes} bytes, but only {left} remain");
        self.at += 8 + bytes;
        Ok(bytes)
    }
}
