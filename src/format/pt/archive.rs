//! The archives of torch 1.6 and later, read and written. The provenance is a separate member.

use std::collections::HashMap;
use std::sync::Arc;

use ::zip::CompressionMethod;
use anyhow::{Context, Result, ensure};

use super::pickle::{Pickle, Tensor};
use super::{MAX_PICKLE, SAVE_AGAIN, check_names, entry};
use crate::format::entry::parse_provenance;
use crate::format::zip::{self, Archive, Members};
use crate::format::{Found, shown_name};
use crate::provenance;

use crate::tensor::{Backing, Origin};

const PICKLE: &str = "data.pkl";
/// The longest compressed pickle: a small file could claim much more memory than its length.
const MAX_PACKED_PICKLE: u64 = 1 << 26;
/// Parts of folder names that only torch's archives have below their folder.
const PARTS: [&str; 9] =
    [PICKLE, "data", "byteorder", "version", "code", "constants.pkl", ".data", ".format_version", "model.json"];

/// True for a zip archive with a first member named as in torch's.
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
    let mut archive = zip::open(origin)?;
    let folder = folder(&mut archive)?;
    for script in ["constants.pkl", "model.json"] {
        let found = archive.index_for_name(&format!("{folder}/{script}")).is_some();
        ensure!(!found, "TorchScript programs are not supported: {SAVE_AGAIN}");
    }
    let has_checksums = has_checksums(&mut archive)?;
    let members = members(&mut archive)?;
    let archive = Members::new(origin, archive).with_checksums(has_checksums);
    let mut storages = Storages { folder, members, archive, read: HashMap::new() };
    let big_endian = match storages.small("byteorder")?.as_deref() {
        None | Some(b"little") => false,
        Some(b"big") => true,
        Some(_) => anyhow::bail!("its byte order is neither `little` nor `big`"),
    };
    let pickle = storages.small(PICKLE)?.context("it holds no pickle")?;
    let text = storages.small(&format!("{}.json", provenance::KEY))?;
    let mut entries = Vec::new();
    let mut notes = Pickle::run(&pickle)?.tensors(&mut |name, tensor| {
        let backing = storages.of(&tensor).with_context(|| format!("tensor {}", shown_name(&name)))?;
        entries.push(entry(name, tensor, backing, 0, big_endian)?);
        Ok(())
    })?;
    check_names(&entries)?;
    if !has_checksums {
        notes.push("it has no checksums: torch.serialization.set_crc32_options(False) omits them".into());
    }
    let provenance = text.map(|text| parse_provenance(&String::from_utf8_lossy(&text)));
    Ok(Found { entries, provenance, notes, layout: super::FORMAT.layout })
}

/// The top-level folder of the archive.
fn folder(archive: &mut Archive) -> Result<String> {
    let name = archive.by_index_data(0)?.name()?.into_owned();
    Ok(name.split_once('/').context("its first member is not in a folder")?.0.into())
}

/// Index and sizes of every member, by name.
fn members(archive: &mut Archive) -> Result<HashMap<String, Member>> {
    let mut members = HashMap::with_capacity(archive.len());
    for number in 0..archive.len() {
        let member = archive.by_index_data(number)?;
        let is_packed = member.compression() != CompressionMethod::Stored;
        members.insert(member.name()?.into_owned(), Member { number, size: member.size(), is_packed });
    }
    Ok(members)
}

/// A member of an archive, by its index.
#[derive(Clone, Copy)]
struct Member {
    number: usize,
    size: u64,
    is_packed: bool,
}

/// False if every checksum is 0, an option of torch.
fn has_checksums(archive: &mut Archive) -> Result<bool> {
    let mut has_checksums = false;
    for number in 0..archive.len() {
        has_checksums |= archive.by_index_data(number)?.crc32() != 0;
    }
    Ok(has_checksums)
}

/// The members that hold tensors.
struct Storages {
    folder: String,
    members: HashMap<String, Member>,
    archive: Members,
    /// The members in use, by index: tensors that share one verify its checksum once.
    read: HashMap<usize, Arc<dyn Backing>>,
}

impl Storages {
    /// All bytes of a member that is not a storage, if it exists.
    fn small(&self, name: &str) -> Result<Option<Vec<u8>>> {
        let Some(&Member { number, size, is_packed }) = self.members.get(&format!("{}/{name}", self.folder)) else {
            return Ok(None);
        };
        let most = if is_packed { MAX_PACKED_PICKLE } else { MAX_PICKLE };
        ensure!(size <= most, "member `{name}` of {size} bytes exceeds {most}");
        let member = self.archive.member(number)?;
        let mut bytes = vec![0; usize::try_from(size)?];
        member.read(&mut bytes, 0).with_context(|| format!("member `{name}`"))?;
        Ok(Some(bytes))
    }

    fn of(&mut self, tensor: &Tensor) -> Result<Arc<dyn Backing>> {
        let Tensor { storage, held, .. } = tensor;
        let found = self.members.get(&format!("{}/data/{storage}", self.folder));
        let &Member { number, size, .. } = found.with_context(|| format!("member `data/{storage}` is missing"))?;
        ensure!(size == *held, "storage `{storage}` has {held} bytes, but its member has {size}");
        if let Some(backing) = self.read.get(&number) {
            return Ok(Arc::clone(backing));
        }
        let backing = self.archive.member(number)?;
        self.read.insert(number, Arc::clone(&backing));
        Ok(backing)
    }
}
