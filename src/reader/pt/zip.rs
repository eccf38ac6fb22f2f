//! The archives that torch writes since version 1.6, and the writer here. The recipe lies in a member of its own.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};

use anyhow::{Context, Result, ensure};
use zip::CompressionMethod;

use super::{MAX_PICKLE, SAVE_AGAIN, check_names, entry, extent};
use crate::reader::archive::{self, Archive};
use crate::reader::pickle::{Pickle, Tensor};
use crate::reader::values::{Raw, Values};
use crate::reader::{Found, read_bytes, recipe, shown_name};
use crate::recipe;

const PICKLE: &str = "data.pkl";
/// The parts of a folder's name that only archives of torch have below it.
const PARTS: [&str; 9] =
    [PICKLE, "data", "byteorder", "version", "code", "constants.pkl", ".data", ".format_version", "model.json"];

/// A zip archive whose first member has a name as those of torch have.
pub(super) fn recognizes(opening: &[u8]) -> bool {
    let name = || {
        let length = usize::from(u16::from_le_bytes([*opening.get(26)?, *opening.get(27)?]));
        let name = std::str::from_utf8(opening.get(30..30 + length)?).ok()?;
        name.split_once('/')
    };
    let part = |name: &str| {
        PARTS.iter().any(|part| name.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
    };
    opening.starts_with(b"PK\x03\x04")
        && name().is_some_and(|(_, name)| part(name) && name.strip_suffix(".npy").is_none())
}

pub(super) fn open(file: File, length: u64) -> Result<Found> {
    let mut archive = archive::open(file.try_clone()?, length)?;
    let folder = folder(&mut archive)?;
    for script in ["constants.pkl", "model.json"] {
        let found = archive.index_for_name(&format!("{folder}/{script}")).is_some();
        ensure!(!found, "it is a program of TorchScript, which is not read: {SAVE_AGAIN}");
    }
    let members = members(&mut archive)?;
    let mut small = |name: &str| -> Result<Option<Vec<u8>>> {
        let Some(&(number, size)) = members.get(&format!("{folder}/{name}")) else { return Ok(None) };
        ensure!(size <= MAX_PICKLE, "member `{name}` of {size} bytes is longer than {MAX_PICKLE}");
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
    let pickle = small(PICKLE)?.context("it holds no pickle")?;
    let recipe_text = small(&format!("{}.json", recipe::KEY))?;

    let (mut entries, mut places) = (Vec::new(), Vec::new());
    let mut notes = Pickle::run(&pickle)?.tensors(&mut |name, tensor| {
        let place = place(&folder, &members, &tensor).with_context(|| format!("tensor {}", shown_name(&name)))?;
        places.push(place);
        entries.push(entry(name, &tensor, big_endian));
        Ok(())
    })?;
    check_names(&entries)?;
    let recipe = recipe_text.and_then(|text| recipe(&String::from_utf8_lossy(&text), &mut notes));
    Ok(Found { entries, recipe, notes, values: Box::new(Storages { archive, file, places }) })
}

/// The folder that all of the archive lies in.
fn folder(archive: &mut Archive) -> Result<String> {
    let name = archive.by_index_data(0)?.name()?.into_owned();
    Ok(name.split_once('/').context("its first member lies in no folder")?.0.into())
}

/// Every member's number and size, by name. Errors if one is packed: torch maps its files into memory.
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

fn place(folder: &str, members: &HashMap<String, (usize, u64)>, tensor: &Tensor) -> Result<Place> {
    let Tensor { storage, held, .. } = tensor;
    let found = members.get(&format!("{folder}/data/{storage}"));
    let &(member, size) = found.with_context(|| format!("there is no member `data/{storage}`"))?;
    ensure!(size == *held, "its storage `{storage}` has {held} bytes, and its member {size}");
    let (begin, length) = extent(tensor)?;
    Ok(Place { member, begin, length, whole: length == size })
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
