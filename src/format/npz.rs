//! `NumPy`'s `.npz`: a [zip archive](super::zip) of `.npy` members, stored or compressed. Each member's comment is its tensor's provenance,
//! and the archive's comment the rest, so that `numpy.load` sees only arrays. Other members are skipped.

use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use ::zip::CompressionMethod;
use ::zip::read::ZipFile;
use anyhow::{Context, Result, bail, ensure};

use super::entry::parse_provenance;
use super::foreign::foreign_archive;
use super::zip::{self, Archive, ArchiveWriter, Content, Members};
use super::{Entry, Format, Found, Piece, npy, shown_name};
use crate::plan::Plan;
use crate::provenance::{Provenance, TensorProvenance};
use crate::tensor::Origin;
use crate::text::cut;

pub(super) const FORMAT: Format = Format {
    name: "npz",
    extensions: &["npz"],
    shared_extensions: &[],
    binary: true,
    holds_several: true,
    is_generic: false,
    column_major: false,
    layout: None,
    summary: "NumPy archive: numpy.load, any number of tensors",
    has_type: npy::FORMAT.has_type,
    pieces,
    shard: None,
    sidecar: None,
    note: npy::FORMAT.note,
    recognizes,
    open,
};

fn pieces(plan: &Plan) -> Result<Vec<Piece>> {
    refuse_twins(plan)?;
    let mut archive = ArchiveWriter::new(plan);
    for (number, tensor) in plan.tensors().iter().enumerate() {
        archive.add(Content {
            name: format!("{}.npy", tensor.name()),
            comment: TensorProvenance::of(tensor).to_json()?,
            opening: npy::header(tensor)?,
            tensor: Some(number),
            alignment: 0,
        })?;
    }
    archive.finish(Provenance::head(plan).to_json()?)
}

/// Errors for tensors `a.npy` and `a` in one plan: `numpy.load` finds the member `a.npy` under both names.
fn refuse_twins(plan: &Plan) -> Result<()> {
    let names: HashSet<&str> = plan.tensors().iter().map(|tensor| tensor.name().as_str()).collect();
    let twin = names.iter().find(|name| name.strip_suffix(".npy").is_some_and(|stem| names.contains(stem)));
    ensure!(
        twin.is_none(),
        "`{0}` and the same name without `.npy` are one array in NumPy: rename one of them",
        twin.unwrap_or(&"")
    );
    Ok(())
}

fn recognizes(opening: &[u8]) -> bool {
    // A local header, or the end of an archive without members. The letters alone could start a text heading.
    [b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06"].iter().any(|magic| opening.starts_with(*magic))
}

fn open(origin: &Arc<Origin>, _: &Path) -> Result<Found> {
    let mut archive = zip::open(origin)?;
    let names: Vec<String> = archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    if let Some(foreign) = foreign_archive(&names) {
        bail!(foreign);
    }
    let (members, mut notes) = members(&mut archive)?;
    let mut provenance =
        std::str::from_utf8(archive.comment()).ok().filter(|comment| comment.starts_with('{')).map(parse_provenance);
    if let Some(Ok(provenance)) = &mut provenance {
        provenance.tensors = Some(provenance_of(&members, &mut notes));
    }
    let packed = Members::new(origin, archive);
    let entry = |Member { number, name, header, .. }: Member| -> Result<Entry> {
        header.entry(name.clone(), packed.member(number)?).with_context(|| format!("member `{name}`"))
    };
    let entries = members.into_iter().map(entry).collect::<Result<_>>()?;
    Ok(Found { entries, provenance, notes, layout: None })
}

/// The arrays of an archive, and notes on its other members. Errors if no array is numeric.
fn members(archive: &mut Archive) -> Result<(Vec<Member>, Vec<String>)> {
    let (mut members, mut names, mut further, mut notes) = (Vec::new(), HashSet::new(), Vec::new(), Vec::new());
    let mut refused = None;
    for number in 0..archive.len() {
        let name = archive.by_index_data(number)?.name()?.into_owned();
        match Member::read(archive, number, &name).with_context(|| format!("member `{name}`"))? {
            Some(member) => {
                ensure!(names.insert(member.name.clone()), "two members hold arrays named `{}`", member.name);
                match member.header.refusal() {
                    Some(refusal) => {
                        let name = shown_name(&member.name);
                        notes.push(format!("{name} is skipped: it holds {refusal}"));
                        refused.get_or_insert(format!("{name} holds {refusal}"));
                    }
                    None => members.push(member),
                }
            }
            None => further.push(shown_name(&name)),
        }
    }
    if let Some(refused) = refused.filter(|_| members.is_empty()) {
        bail!(refused);
    }
    ensure!(!members.is_empty() || further.is_empty(), "it holds no arrays, only {}", cut(&further.join(", "), 200));
    if !further.is_empty() {
        notes.push(format!("skipped, not arrays: {}", cut(&further.join(", "), 200)));
    }
    Ok((members, notes))
}

/// A member that is an array.
struct Member {
    number: usize,
    name: String,
    comment: String,
    header: npy::Header,
}

/// Above deflate's largest compression ratio (1032); a longer member is invalid.
const MAX_RATIO: u64 = 1100;
/// The largest LZMA dictionary in bytes, as in its highest preset.
const MAX_DICTIONARY: u64 = 1 << 26;

impl Member {
    /// Reads the header of a member; `None` if it is not an array: a folder, a macOS resource fork, or another file.
    fn read(archive: &mut Archive, number: usize, name: &str) -> Result<Option<Self>> {
        let own_name = name.strip_suffix(".npy");
        let is_array = own_name.is_some();
        if name.ends_with('/') || name.starts_with("__MACOSX/") {
            return Ok(None);
        }
        let data = archive.by_index_data(number)?;
        let (is_encrypted, method) = (data.encrypted(), data.compression());
        ensure!(!is_encrypted || !is_array, "it is encrypted");
        let is_read = METHODS.contains(&method);
        ensure!(is_read || !is_array, "unsupported compression {method}: use stored, deflated, bzip2 or LZMA");
        if is_encrypted || !is_read {
            return Ok(None);
        }
        if method == CompressionMethod::Lzma {
            check_dictionary(archive, number)?;
        }
        let mut member = archive.by_index(number)?;
        check_length(&member)?;
        let (size, comment) = (member.size(), member.comment().into());
        let mut opening = Vec::new();
        member.by_ref().take(npy::MAGIC.len() as u64).read_to_end(&mut opening)?;
        if !is_array && opening != npy::MAGIC {
            return Ok(None);
        }
        let header = npy::Header::read(&mut opening.as_slice().chain(member), size)?;
        Ok(Some(Self { number, name: own_name.unwrap_or(name).into(), comment, header }))
    }
}

/// The supported compression methods, as in Python's `zipfile`.
const METHODS: &[CompressionMethod] =
    &[CompressionMethod::Stored, CompressionMethod::Deflated, CompressionMethod::Bzip2, CompressionMethod::Lzma];

/// Errors if a member's length exceeds any possible one.
fn check_length<R: Read>(member: &ZipFile<R>) -> Result<()> {
    let (packed, size) = (member.compressed_size(), member.size());
    match member.compression() {
        CompressionMethod::Stored => ensure!(packed == size, "it is stored in {packed} bytes, but its size is {size}"),
        CompressionMethod::Deflated => {
            ensure!(size / MAX_RATIO <= packed, "{packed} bytes cannot decompress to {size}");
        }
        _ => {}
    }
    Ok(())
}

/// Errors if an LZMA member requires too large a dictionary, which is allocated before decompression.
fn check_dictionary(archive: &mut Archive, number: usize) -> Result<()> {
    // Version and length of the properties, in 4 bytes; then the properties with the dictionary size.
    let mut opening = [0; 9];
    archive.by_index_raw(number)?.read_exact(&mut opening).context("its LZMA header is truncated")?;
    let size = opening[5..].iter().rev().fold(0, |size, &byte| size << 8 | u64::from(byte));
    ensure!(size <= MAX_DICTIONARY, "its LZMA dictionary of {size} bytes exceeds {MAX_DICTIONARY}");
    Ok(())
}

fn provenance_of(members: &[Member], notes: &mut Vec<String>) -> BTreeMap<String, TensorProvenance> {
    let mut by_name = BTreeMap::new();
    for Member { name, comment, .. } in members.iter().filter(|member| !member.comment.is_empty()) {
        match TensorProvenance::parse(comment) {
            Ok(provenance) => drop(by_name.insert(name.clone(), provenance)),
            Err(error) => notes.push(format!("the comment of `{name}` is not a provenance record: {error}")),
        }
    }
    by_name
}
