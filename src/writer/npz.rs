//! `NumPy`'s `.npz`: a zip archive of `.npy` members, stored, with zip64 sizes and a fixed date, the same bytes to a file and to
//! a pipe. Each member's comment holds its tensor's recipe and the archive's comment the rest, so that `numpy.load` sees
//! arrays alone.
//!
//! The checksum of a member is known only when its values are, so it follows them (a data descriptor, flag 3 of the ZIP
//! specification, APPNOTE 6.3.10), and the directory at the end repeats it.

use std::collections::HashSet;

use anyhow::{Result, ensure};

use super::{Format, Piece, npy};
use crate::plan::{Plan, Tensor};
use crate::recipe::{Recipe, TensorRecipe};

pub(super) const FORMAT: Format = Format {
    name: "npz",
    extensions: &["npz"],
    binary: true,
    several: true,
    summary: "NumPy archive: numpy.load, any number of tensors",
    pieces,
    note: npy::note,
    keeps: npy::FORMAT.keeps,
};

/// Version 4.5 of the specification: zip64.
const VERSION: u16 = 45;
/// A data descriptor follows (bit 3); names are UTF-8 (bit 11).
const FLAGS: u16 = 1 << 3 | 1 << 11;
const STORED: u16 = 0;
const TIME: u16 = 0;
/// 1980-01-01, the first day that the format has.
const DATE: u16 = 1 << 5 | 1;
/// A size that is to be found in the zip64 field.
const IN_ZIP64: u32 = u32::MAX;

/// What the directory says of a member.
struct Member {
    name: Vec<u8>,
    comment: Vec<u8>,
    offset: u64,
    header: Vec<u8>,
    size: u64,
}

fn pieces(plan: &Plan) -> Result<Vec<Piece>> {
    refuse_twins(plan)?;
    let mut pieces = Vec::with_capacity(3 * plan.tensors.len() + 1);
    let mut members = Vec::with_capacity(plan.tensors.len());
    let mut offset = 0;
    for (number, tensor) in plan.tensors.iter().enumerate() {
        let member = Member::new(tensor, offset)?;
        let mut opening = member.local_header();
        opening.extend(&member.header);
        offset += opening.len() as u64 + tensor.bytes() + DESCRIPTOR as u64;
        pieces.push(Piece::Bytes(opening));
        pieces.push(Piece::Values(number));
        pieces.push(member.descriptor_piece(number));
        members.push(member);
    }
    let comment = Recipe::head(plan).to_json()?.into_bytes();
    let length = directory(&members, offset, &comment, &|_| 0).len();
    let render = move |checksum: &dyn Fn(usize) -> u32| directory(&members, offset, &comment, checksum);
    pieces.push(Piece::Checked(length, Box::new(render)));
    Ok(pieces)
}

/// Refuses a tensor `a.npy` beside a tensor `a`: `numpy.load` finds the member `a.npy` under both names.
fn refuse_twins(plan: &Plan) -> Result<()> {
    let names: HashSet<&str> = plan.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    let twin = names.iter().find(|name| name.strip_suffix(".npy").is_some_and(|stem| names.contains(stem)));
    ensure!(
        twin.is_none(),
        "NumPy could not tell `{0}` from its twin without `.npy`: name it otherwise",
        twin.unwrap_or(&"")
    );
    Ok(())
}

/// Signature, checksum and two 64-bit sizes.
const DESCRIPTOR: usize = 24;

impl Member {
    fn new(tensor: &Tensor, offset: u64) -> Result<Self> {
        let header = npy::header(tensor)?;
        let comment = TensorRecipe::of(tensor).to_json()?.into_bytes();
        ensure!(u16::try_from(comment.len()).is_ok(), "the recipe of `{}` is too long for .npz", tensor.name);
        let size = header.len() as u64 + tensor.bytes();
        Ok(Self { name: format!("{}.npy", tensor.name).into_bytes(), comment, offset, header, size })
    }

    fn local_header(&self) -> Vec<u8> {
        let mut bytes = b"PK\x03\x04".to_vec();
        put16(&mut bytes, &[VERSION, FLAGS, STORED, TIME, DATE]);
        put32(&mut bytes, &[0, IN_ZIP64, IN_ZIP64]);
        put16(&mut bytes, &[length16(&self.name), 20]);
        bytes.extend(&self.name);
        // The sizes are known here already; the checksum alone is not.
        put16(&mut bytes, &[1, 16]);
        put64(&mut bytes, &[self.size, self.size]);
        bytes
    }

    fn descriptor_piece(&self, number: usize) -> Piece {
        let (header, size) = (self.header.clone(), self.size);
        Piece::Checked(
            DESCRIPTOR,
            Box::new(move |checksum| {
                let mut bytes = b"PK\x07\x08".to_vec();
                put32(&mut bytes, &[joined(&header, size, checksum(number))]);
                put64(&mut bytes, &[size, size]);
                bytes
            }),
        )
    }

    /// The entry of a member whose values have this checksum.
    fn directory_entry(&self, values: u32) -> Vec<u8> {
        let checksum = joined(&self.header, self.size, values);
        let mut bytes = b"PK\x01\x02".to_vec();
        // Made on Unix (3), so that the mode below is read.
        put16(&mut bytes, &[3 << 8 | VERSION, VERSION, FLAGS, STORED, TIME, DATE]);
        put32(&mut bytes, &[checksum, IN_ZIP64, IN_ZIP64]);
        put16(&mut bytes, &[length16(&self.name), 28, length16(&self.comment), 0, 0]);
        put32(&mut bytes, &[0o100_644 << 16, IN_ZIP64]);
        bytes.extend(&self.name);
        put16(&mut bytes, &[1, 24]);
        put64(&mut bytes, &[self.size, self.size, self.offset]);
        bytes.extend(&self.comment);
        bytes
    }
}

/// The checksum of a member from that of its values.
fn joined(header: &[u8], size: u64, values: u32) -> u32 {
    let mut whole = crc32fast::Hasher::new();
    whole.update(header);
    whole.combine(&crc32fast::Hasher::new_with_initial_len(values, size - header.len() as u64));
    whole.finalize()
}

/// The central directory and what ends the archive.
fn directory(members: &[Member], offset: u64, comment: &[u8], checksum: &dyn Fn(usize) -> u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, member) in members.iter().enumerate() {
        bytes.extend(member.directory_entry(checksum(number)));
    }
    let (count, size) = (members.len() as u64, bytes.len() as u64);
    let end = offset + size;
    bytes.extend(b"PK\x06\x06");
    put64(&mut bytes, &[44]);
    put16(&mut bytes, &[3 << 8 | VERSION, VERSION]);
    put32(&mut bytes, &[0, 0]);
    put64(&mut bytes, &[count, count, size, offset]);
    bytes.extend(b"PK\x06\x07");
    put32(&mut bytes, &[0]);
    put64(&mut bytes, &[end]);
    put32(&mut bytes, &[1]);
    bytes.extend(b"PK\x05\x06");
    put16(&mut bytes, &[0, 0, u16::MAX, u16::MAX]);
    put32(&mut bytes, &[IN_ZIP64, IN_ZIP64]);
    put16(&mut bytes, &[length16(comment)]);
    bytes.extend(comment);
    bytes
}

/// The length of a name or comment; both are bounded far below 2^16.
fn length16(bytes: &[u8]) -> u16 {
    u16::try_from(bytes.len()).unwrap_or(u16::MAX)
}

fn put16(bytes: &mut Vec<u8>, numbers: &[u16]) {
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}

fn put32(bytes: &mut Vec<u8>, numbers: &[u32]) {
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}

fn put64(bytes: &mut Vec<u8>, numbers: &[u64]) {
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
}
