//! `PyTorch`'s files: a [pickle] and storages, in an [archive] or, before version 1.6, one after the other
//! ([legacy]). The writer produces a state dict like `torch.save`, for `torch.load` with `weights_only=True` and with
//! `mmap=True`. Its pickle lists the tensors; each tensor is a member at a multiple of 64 bytes. The provenance is a
//! member that torch ignores.

mod archive;
mod legacy;
mod pickle;
mod pickle_writer;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};

use super::zip::{ArchiveWriter, Content};
use super::{Entry, Format, Found, OPENING, Piece, opening, shown_name};
use crate::plan::Plan;
use crate::provenance::{self, Provenance};
use crate::tensor::{Backing, Element, Origin, StoredTensor};
use pickle::Tensor;

pub(super) const FORMAT: Format = Format {
    name: "pt",
    extensions: &["pt", "pth"],
    shared_extensions: &["bin", "ckpt", "tar", "weights"],
    binary: true,
    holds_several: true,
    is_generic: false,
    column_major: false,
    layout: Some("torch"),
    summary: "PyTorch state dict: torch.load with weights_only and mmap; any number of tensors",
    has_type: |element| element.torch().is_some(),
    pieces,
    shard: None,
    sidecar: None,
    note: |_| None,
    recognizes,
    open,
};

/// The folder in the archive. `torch.save` uses the file's name, which would make the content depend on it.
const FOLDER: &str = "archive";
/// The alignment of `PyTorch`'s storages, in bytes.
const ALIGNMENT: u64 = 64;

fn pieces(plan: &Plan) -> Result<Vec<Piece>> {
    let mut archive = ArchiveWriter::new(plan);
    let mut add = |name: &str, opening: Vec<u8>, tensor| {
        let name = format!("{FOLDER}/{name}");
        archive.add(Content { name, comment: String::new(), opening, tensor, alignment: ALIGNMENT })
    };
    add("data.pkl", pickle_writer::pickle(plan), None)?;
    add("byteorder", b"little".to_vec(), None)?;
    add(&format!("{}.json", provenance::KEY), Provenance::json(plan)?.into_bytes(), None)?;
    for number in 0..plan.tensors().len() {
        add(&format!("data/{number}"), Vec::new(), Some(number))?;
    }
    add("version", b"3\n".to_vec(), None)?;
    archive.finish(String::new())
}

/// Longest pickle and longest provenance, in bytes: 2^20 tensors of 500 bytes.
const MAX_PICKLE: u64 = 1 << 29;

/// The fix for unsupported formats.
const SAVE_AGAIN: &str = "load it in Python and save it with torch.save(model.state_dict(), FILE)";

fn recognizes(opening: &[u8]) -> bool {
    archive::recognizes(opening) || legacy::recognizes(opening) || is_tar(opening) || is_pickle(opening)
}

fn open(origin: &Arc<Origin>, _: &Path) -> Result<Found> {
    let opening = opening(origin, OPENING)?;
    ensure!(!is_tar(&opening), "tar archives of the first torch versions are not supported: {SAVE_AGAIN}");
    if archive::recognizes(&opening) {
        archive::open(origin)
    } else if legacy::recognizes(&opening) {
        legacy::open(origin)
    } else {
        bail!("a pickle that torch.save did not write: {SAVE_AGAIN}")
    }
}

/// True for a tar archive of torch's first versions.
fn is_tar(opening: &[u8]) -> bool {
    let members = ["sys_info", "pickle", "storages", "tensors"];
    let name = opening.split(|&byte| byte == 0).next().unwrap_or_default();
    let name = name.strip_prefix(b"./").unwrap_or(name);
    opening.get(257..262) == Some(b"ustar") && members.iter().any(|member| member.as_bytes() == name)
}

/// True for a pickle of protocol 2 or later, but not for a safetensors header's length before its brace.
fn is_pickle(opening: &[u8]) -> bool {
    let begins = matches!(opening, [0x80, 2..=5, b'}' | b']' | b'(' | b'c' | 0x8a | 0x8c | 0x95, ..]);
    begins && !matches!(opening, [_, _, _, 0..=5, 0, 0, 0, 0, b'{', ..])
}

/// The entry of a tensor; its storage begins at byte `begin` of a backing.
fn entry(name: String, tensor: Tensor, backing: Arc<dyn Backing>, begin: u64, big_endian: bool) -> Result<Entry> {
    let Some(element) = Element::of_word(tensor.element.word) else {
        return Ok(Entry::unread(name, tensor.shape, tensor.element.word.into()));
    };
    let stored = StoredTensor::strided(backing, begin + tensor.begin, element, tensor.shape, tensor.strides);
    let stored = stored.with_context(|| format!("tensor {}", shown_name(&name)))?;
    Ok(Entry::new(name, stored.in_big_endian(big_endian).negated(tensor.negated).conjugated(tensor.conjugated)))
}

/// Errors if two tensors have the same name.
fn check_names(entries: &[Entry]) -> Result<()> {
    let mut names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    names.sort_unstable();
    let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
    ensure!(twice.is_none(), "two tensors are named {}", shown_name(twice.map_or("", |pair| pair[0])));
    Ok(())
}
