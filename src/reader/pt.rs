//! `PyTorch`'s files: a [pickle](super::pickle) and storages, in an archive (`zip.rs`) or one after the other, as before
//! version 1.6 (`legacy.rs`).

mod legacy;
mod zip;

use std::fs::File;
use std::path::Path;

use anyhow::{Result, bail, ensure};

use super::pickle::Tensor;
use super::values::Encoding;
use super::{Entry, Found, Reader, shown_name};
use crate::plan;

pub(super) const READER: Reader = Reader { format: "pt", recognizes, open };

/// The longest pickle and the longest recipe: 2^20 tensors of 500 bytes.
const MAX_PICKLE: u64 = 1 << 29;

/// The way out of formats that are not read.
const SAVE_AGAIN: &str = "load it in Python and save it again by torch.save(model.state_dict(), FILE)";

fn recognizes(opening: &[u8]) -> bool {
    zip::recognizes(opening) || legacy::recognizes(opening) || is_tar(opening) || is_pickle(opening)
}

fn open(file: File, length: u64, _: &Path) -> Result<Found> {
    let mut opening = [0; super::OPENING];
    let held = std::os::unix::fs::FileExt::read_at(&file, &mut opening, 0)?;
    let opening = &opening[..held];
    ensure!(!is_tar(opening), "it is a tar archive of torch before 0.1.11, which is not read: {SAVE_AGAIN}");
    if zip::recognizes(opening) {
        zip::open(file, length)
    } else if legacy::recognizes(opening) {
        legacy::open(file, length)
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

/// A pickle of protocol 2 or later, of anything.
fn is_pickle(opening: &[u8]) -> bool {
    matches!(opening, [0x80, 2..=5, b'}' | b']' | b'(' | b'c' | 0x8a | 0x8c | 0x95, ..])
}

/// The entry of a tensor.
fn entry(name: String, tensor: &Tensor, big_endian: bool) -> Entry {
    let word = tensor.element.word;
    let element = plan::Element::of_word(word);
    let encoding = match element {
        Some(plan::Element::Drawn(dtype)) => Some(Encoding { dtype, big_endian }),
        _ => None,
    };
    Entry { element: element.filter(|_| !big_endian), ..Entry::new(name, tensor.shape.clone(), word.into(), encoding) }
}

/// Errors if two tensors have one name.
fn check_names(entries: &[Entry]) -> Result<()> {
    let mut names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    names.sort_unstable();
    let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
    ensure!(twice.is_none(), "two tensors are named {}", shown_name(twice.map_or("", |pair| pair[0])));
    Ok(())
}

/// The bytes of a tensor's values in its storage: where they begin, and how many they are.
fn extent(tensor: &Tensor) -> Result<(u64, u64)> {
    let Tensor { shape, strides, element, negated, conjugated, .. } = tensor;
    ensure!(!negated && !conjugated, "it is a negated or conjugated view: save `tensor.resolve_neg().resolve_conj()`");
    let mut expected = 1u64;
    for (&size, &stride) in shape.axes().iter().zip(strides).rev() {
        let contiguous = size <= 1 || shape.count() == 0 || stride == expected;
        ensure!(contiguous, "shape {shape} with strides {strides:?} is not contiguous: save `tensor.contiguous()`");
        expected *= size.max(1);
    }
    Ok((tensor.begin, shape.count() * element.size))
}
