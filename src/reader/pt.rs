//! `PyTorch`'s files: a [pickle](super::pickle) and storages, in an archive (`zip.rs`) or one after the other, as before
//! version 1.6 (`legacy.rs`).

mod legacy;
mod zip;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};

use super::pickle::Tensor;
use super::{Entry, Found, Reader, shown_name};
use crate::tensor::{Backing, Element, Origin, StoredTensor};

pub(super) const READER: Reader = Reader { format: "pt", recognizes, open };

/// The longest pickle and the longest provenance: 2^20 tensors of 500 bytes.
const MAX_PICKLE: u64 = 1 << 29;

/// The way out of formats that are not read.
const SAVE_AGAIN: &str = "load it in Python and save it again by torch.save(model.state_dict(), FILE)";

fn recognizes(opening: &[u8]) -> bool {
    zip::recognizes(opening) || legacy::recognizes(opening) || is_tar(opening) || is_pickle(opening)
}

fn open(origin: &Arc<Origin>, _: &Path) -> Result<Found> {
    let opening = super::opening(origin, super::OPENING)?;
    ensure!(!is_tar(&opening), "it is a tar archive of the first versions of torch, which is not read: {SAVE_AGAIN}");
    if zip::recognizes(&opening) {
        zip::open(origin)
    } else if legacy::recognizes(&opening) {
        legacy::open(origin)
    } else {
        bail!("it is a pickle that torch.save did not write: {SAVE_AGAIN}")
    }
}

/// A tar archive of what the first versions of torch put into one.
fn is_tar(opening: &[u8]) -> bool {
    let members = ["sys_info", "pickle", "storages", "tensors"];
    let name = opening.split(|&byte| byte == 0).next().unwrap_or_default();
    let name = name.strip_prefix(b"./").unwrap_or(name);
    opening.get(257..262) == Some(b"ustar") && members.iter().any(|member| member.as_bytes() == name)
}

/// A pickle of protocol 2 or later, of anything, and not the length of a safetensors header before its brace.
fn is_pickle(opening: &[u8]) -> bool {
    let begins = matches!(opening, [0x80, 2..=5, b'}' | b']' | b'(' | b'c' | 0x8a | 0x8c | 0x95, ..]);
    begins && !matches!(opening, [_, _, _, 0..=5, 0, 0, 0, 0, b'{', ..])
}

/// The entry of a tensor whose storage begins at the byte `begin` of a backing.
fn entry(name: String, tensor: Tensor, backing: Arc<dyn Backing>, begin: u64, big_endian: bool) -> Result<Entry> {
    let Some(element) = Element::of_word(tensor.element.word) else {
        return Ok(Entry::unread(name, tensor.shape, tensor.element.word.into()));
    };
    let stored = StoredTensor::strided(backing, begin + tensor.begin, element, tensor.shape, tensor.strides);
    let stored = stored.with_context(|| format!("tensor {}", shown_name(&name)))?;
    Ok(Entry::new(name, stored.in_big_endian(big_endian).negated(tensor.negated).conjugated(tensor.conjugated)))
}

/// Errors if two tensors have one name.
fn check_names(entries: &[Entry]) -> Result<()> {
    let mut names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    names.sort_unstable();
    let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
    ensure!(twice.is_none(), "two tensors are named {}", shown_name(twice.map_or("", |pair| pair[0])));
    Ok(())
}
