//! `PyTorch`'s `.pt`: archives of a [pickle](super::pickle) and storages, as `torch.save` and the writer here make them of a
//! state dict. The recipe lies in a member of its own.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use zip::CompressionMethod;

use super::archive::{self, Archive};
use super::pickle::{Stored, state_dict};
use super::values::{Encoding, Raw, Values};
use super::{Entry, Found, Reader, read_bytes, recipe};
use crate::recipe;

pub(super) const READER: Reader = Reader { format: "pt", recognizes, open };

const PICKLE: &str = "/data.pkl";
/// The longest pickle and the longest recipe: 2^20 tensors of 500 bytes.
const MAX_MEMBER: u64 = 1 << 29;

/// A zip archive whose first member is the pickle.
fn recognizes(opening: &[u8]) -> bool {
    let name = || {
        let length = usize::from(u16::from_le_bytes([*opening.get(26)?, *opening.get(27)?]));
        opening.get(30..30 + length)
    };
    opening.starts_with(b"PK\x03\x04") && name().is_some_and(|name| name.ends_with(PICKLE.as_bytes()))
}

fn open(file: File, length: u64, _: &Path) -> Result<Found> {
    let mut archive = archive::open(file.try_clone()?, length)?;
    let folder = folder(&mut archive)?;
    let members = members(&mut archive)?;
    let mut small = |name: &str| -> Result<Option<Vec<u8>>> {
        let Some(&(number, size)) = members.get(&format!("{folder}/{name}")) else { return Ok(None) };
        ensure!(size <= MAX_MEMBER, "member `{name}` of {size} bytes is longer than {MAX_MEMBER}");
        let mut member = archive.by_index(number)?;
        let bytes = read_bytes(&mut member, size).with_context(|| format!("member `{name}`"))?;
        ensure!(member.read(&mut [0])? == 0, "member `{name}` is longer than it says");
        Ok(Some(bytes))
    };
    let big_endian = match small("byteorder")?.as_deref() {
        None | Some(b"little") => false,
        Some(b"big") => true,
        Some(_) => anyhow::bail!("its byte order is neither `little` nor `big`"),
    };
    let tensors = state_dict(&small("data.pkl")?.context("it holds no pickle")?)?;
    let recipe_text = small(&format!("{}.json", recipe::KEY))?;

    let (mut entries, mut places) = (Vec::with_capacity(tensors.len()), Vec::with_capacity(tensors.len()));
    for (name, tensor) in tensors {
        let place = place(&folder, &members, &tensor).with_context(|| format!("tensor `{name}`"))?;
        let element = tensor.storage.element;
        let encoding = element.dtype().map(|dtype| Encoding { dtype, big_endian });
        entries.push(Entry::new(name.to_string(), tensor.shape.clone(), element.word.into(), encoding));
        places.push(place);
    }
    let mut notes = Vec::new();
    let recipe = recipe_text.and_then(|text| recipe(&String::from_utf8_lossy(&text), &mut notes));
    Ok(Found { entries, recipe, notes, values: Box::new(Storages { archive, file, places }) })
}

/// The folder that all of the archive lies in.
fn folder(archive: &mut Archive) -> Result<String> {
    let name = archive.by_index_data(0)?.name()?.into_owned();
    Ok(name.strip_suffix(PICKLE).context("its first member is no pickle")?.into())
}

/// Every member's number and size, by name. Errors where one is packed: torch maps its files into memory.
fn members(archive: &mut Archive) -> Result<HashMap<String, (usize, u64)>> {
    let mut members = HashMap::with_capacity(archive.len());
    for number in 0..archive.len() {
        let member = archive.by_index_data(number)?;
        let name = member.name()?.into_owned();
        let stored = member.compression() == CompressionMethod::Stored && !member.encrypted();
        ensure!(stored && member.compressed_size() == member.size(), "member `{name}` is not stored as it is");
        members.insert(name, (number, member.size()));
    }
    Ok(members)
}

/// Where the values of a tensor lie.
struct Place {
    member: usize,
    begin: u64,
    length: u64,
    /// Whether it is all of its member, whose checksum is compared then.
    whole: bool,
}

fn place(folder: &str, members: &HashMap<String, (usize, u64)>, tensor: &Stored) -> Result<Place> {
    let Stored { storage, offset, shape } = tensor;
    let (key, size) = (&storage.key, storage.element.size);
    let found = members.get(&format!("{folder}/data/{key}"));
    let &(member, held) = found.with_context(|| format!("there is no member `data/{key}`"))?;
    let asked = storage.count.checked_mul(size).with_context(|| format!("a storage of {} elements", storage.count))?;
    ensure!(held == asked, "its storage `{key}` asks for {asked} bytes, and its member holds {held}");
    // Both are no larger than what was asked.
    let (begin, length) = (offset * size, shape.count() * size);
    Ok(Place { member, begin, length, whole: length == held })
}

struct Storages {
    archive: Archive,
    file: File,
    places: Vec<Place>,
}

impl Values for Storages {
    fn open(&mut self, number: usize) -> Result<Box<dyn Read + Send + '_>> {
        let &Place { member, begin, length, whole } = &self.places[number];
        let mut member = self.archive.by_index(member)?;
        if whole {
            return Ok(Box::new(member));
        }
        let skipped = io::copy(&mut (&mut member).take(begin), &mut io::sink())?;
        ensure!(skipped == begin, "its storage ends too early");
        Ok(Box::new(member.take(length)))
    }

    fn raw(&mut self, number: usize) -> Result<Option<Raw>> {
        let &Place { member, begin, length, .. } = &self.places[number];
        let member = self.archive.by_index(member)?;
        let start = member.data_start().filter(|_| member.compression() == CompressionMethod::Stored);
        let Some(start) = start else { return Ok(None) };
        Ok(Some(Raw { file: self.file.try_clone()?, begin: start + begin, length }))
    }
}
