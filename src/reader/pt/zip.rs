//! The archives that torch writes since version 1.6, and the writer here. The recipe lies in a member of its own.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use zip::CompressionMethod;

use super::{MAX_PICKLE, SAVE_AGAIN, check_names, entry};
use crate::plan::{Backing, Origin};
use crate::reader::archive::{self, Archive, Members};
use crate::reader::pickle::{Pickle, Tensor};
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

pub(super) fn open(origin: &Arc<Origin>) -> Result<Found> {
    let mut archive = archive::open(origin)?;
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

    let mut storages = Storages { folder, members, archive: Members::new(origin, archive), read: HashMap::new() };
    let mut entries = Vec::new();
    let mut notes = Pickle::run(&pickle)?.tensors(&mut |name, tensor| {
        let backing = storages.of(&tensor).with_context(|| format!("tensor {}", shown_name(&name)))?;
        entries.push(entry(name, tensor, backing, 0, big_endian)?);
        Ok(())
    })?;
    check_names(&entries)?;
    let recipe = recipe_text.and_then(|text| recipe(&String::from_utf8_lossy(&text), &mut notes));
    Ok(Found { entries, recipe, notes, layout: Some("torch") })
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

/// The members that tensors are parts of.
struct Storages {
    folder: String,
    members: HashMap<String, (usize, u64)>,
    archive: Members,
    /// Those that a tensor was found in, by their number: tensors that share one compare its checksum once.
    read: HashMap<usize, Arc<dyn Backing>>,
}

impl Storages {
    fn of(&mut self, tensor: &Tensor) -> Result<Arc<dyn Backing>> {
        let Tensor { storage, held, .. } = tensor;
        let found = self.members.get(&format!("{}/data/{storage}", self.folder));
        let &(number, size) = found.with_context(|| format!("there is no member `data/{storage}`"))?;
        ensure!(size == *held, "its storage `{storage}` has {held} bytes, and its member {size}");
        if let Some(backing) = self.read.get(&number) {
            return Ok(Arc::clone(backing));
        }
        let backing = self.archive.member(number)?;
        self.read.insert(number, Arc::clone(&backing));
        Ok(backing)
    }
}
