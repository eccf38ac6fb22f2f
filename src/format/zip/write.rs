//! Zip archives of stored members, with zip64 sizes and a fixed date. Files and pipes get the same bytes.
//!
//! The checksum of a member is known only after its values, so it follows them in a data descriptor (flag 3, APPNOTE
//! 6.3.10). The directory at the end repeats it.

use anyhow::{Result, ensure};

use crate::format::Piece;
use crate::plan::Plan;

/// Version 4.5 of the specification: zip64.
const VERSION: u16 = 45;
/// Data descriptors (bit 3) and UTF-8 names (bit 11).
const FLAGS: u16 = 1 << 3 | 1 << 11;
const STORED: u16 = 0;
const TIME: u16 = 0;
/// 1980-01-01, the earliest date that the format can store.
const DATE: u16 = 1 << 5 | 1;
/// Marks a size that is in the zip64 field.
const IN_ZIP64: u32 = u32::MAX;
/// The size of the zip64 field of a local header: tag, length and two sizes.
const ZIP64_FIELD: u64 = 20;
/// The size of a local header without name and fields.
const LOCAL_HEADER: u64 = 30;
/// Size of a descriptor: signature, checksum and two 64-bit sizes.
const DESCRIPTOR: usize = 24;

/// Lays out an archive, member by member.
pub(in crate::format) struct ArchiveWriter<'a> {
    plan: &'a Plan,
    pieces: Vec<Piece>,
    members: Vec<Member>,
    offset: u64,
    values: usize,
}

/// A member in the directory.
struct Member {
    name: Vec<u8>,
    comment: Vec<u8>,
    offset: u64,
    size: u64,
    checksum: Checksum,
}

/// A checksum of known bytes, and of values after them.
#[derive(Clone, Copy)]
struct Checksum {
    opening: u32,
    length: u64,
    /// The index of the values that follow, and their size in bytes.
    values: Option<(usize, u64)>,
}

/// The content of a member.
pub(in crate::format) struct Content {
    pub(in crate::format) name: String,
    /// A comment in the directory.
    pub(in crate::format) comment: String,
    /// The first bytes.
    pub(in crate::format) opening: Vec<u8>,
    /// The index of the tensor whose values follow.
    pub(in crate::format) tensor: Option<usize>,
    /// The alignment of its start; 0 for none.
    pub(in crate::format) alignment: u64,
}

impl<'a> ArchiveWriter<'a> {
    pub(in crate::format) fn new(plan: &'a Plan) -> Self {
        Self { plan, pieces: Vec::new(), members: Vec::new(), offset: 0, values: 0 }
    }

    /// Adds a member. Errors if its name or comment is too long.
    pub(in crate::format) fn add(&mut self, content: Content) -> Result<()> {
        let Content { name, comment, opening, tensor, alignment } = content;
        ensure!(u16::try_from(comment.len()).is_ok(), "the provenance of `{name}` is too long for a zip archive");
        ensure!(u16::try_from(name.len()).is_ok(), "`{name}` is too long for a zip archive");
        let values = tensor.map(|tensor| (self.values, self.plan.tensors()[tensor].bytes()));
        let checksum = Checksum { opening: crc32fast::hash(&opening), length: opening.len() as u64, values };
        let size = checksum.length + values.map_or(0, |(_, bytes)| bytes);
        let member =
            Member { name: name.into_bytes(), comment: comment.into_bytes(), offset: self.offset, size, checksum };
        let mut bytes = member.local_header(alignment);
        bytes.extend(opening);
        self.offset += bytes.len() as u64 + (size - checksum.length) + DESCRIPTOR as u64;
        self.pieces.push(Piece::Bytes(bytes));
        if let Some(tensor) = tensor {
            self.pieces.push(Piece::Values(tensor));
            self.values += 1;
        }
        self.pieces.push(descriptor(checksum, size));
        self.members.push(member);
        Ok(())
    }

    /// The pieces of the whole archive, with its comment.
    pub(in crate::format) fn finish(self, comment: String) -> Result<Vec<Piece>> {
        ensure!(u16::try_from(comment.len()).is_ok(), "the comment of a zip archive is too long");
        let Self { mut pieces, members, offset, .. } = self;
        let length = directory(&members, offset, comment.as_bytes(), &|_| 0).len();
        let render = move |checksum: &dyn Fn(usize) -> u32| directory(&members, offset, comment.as_bytes(), checksum);
        pieces.push(Piece::Checked(length, Box::new(render)));
        Ok(pieces)
    }
}

fn descriptor(checksum: Checksum, size: u64) -> Piece {
    let render = move |of_values: &dyn Fn(usize) -> u32| {
        let mut bytes = b"PK\x07\x08".to_vec();
        put32(&mut bytes, &[checksum.whole(of_values)]);
        put64(&mut bytes, &[size, size]);
        bytes
    };
    match checksum.values {
        Some(_) => Piece::Checked(DESCRIPTOR, Box::new(render)),
        None => Piece::Bytes(render(&|_| 0)),
    }
}

impl Checksum {
    /// The checksum of all bytes, from those of the values.
    fn whole(self, of_values: &dyn Fn(usize) -> u32) -> u32 {
        let Some((number, length)) = self.values else { return self.opening };
        let mut whole = crc32fast::Hasher::new_with_initial_len(self.opening, self.length);
        whole.combine(&crc32fast::Hasher::new_with_initial_len(of_values(number), length));
        whole.finalize()
    }
}

impl Member {
    fn local_header(&self, alignment: u64) -> Vec<u8> {
        let padding = (alignment > 0).then(|| {
            let begins = self.offset + LOCAL_HEADER + self.name.len() as u64 + ZIP64_FIELD + PADDING_FIELD;
            begins.next_multiple_of(alignment) - begins
        });
        let fields = ZIP64_FIELD + padding.map_or(0, |padding| PADDING_FIELD + padding);
        let mut bytes = b"PK\x03\x04".to_vec();
        put16(&mut bytes, &[VERSION, FLAGS, STORED, TIME, DATE]);
        put32(&mut bytes, &[0, IN_ZIP64, IN_ZIP64]);
        put16(&mut bytes, &[length16(self.name.len() as u64), length16(fields)]);
        bytes.extend(&self.name);
        // The sizes are already known here; only the checksum is not.
        put16(&mut bytes, &[1, 16]);
        put64(&mut bytes, &[self.size, self.size]);
        if let Some(padding) = padding {
            bytes.extend(b"FB");
            put16(&mut bytes, &[length16(padding)]);
            bytes.extend((0..padding).map(|_| b'Z'));
        }
        bytes
    }

    /// The directory entry, from the checksums of the values.
    fn directory_entry(&self, of_values: &dyn Fn(usize) -> u32) -> Vec<u8> {
        let mut bytes = b"PK\x01\x02".to_vec();
        // Made on Unix (3), so that the mode below is read.
        put16(&mut bytes, &[3 << 8 | VERSION, VERSION, FLAGS, STORED, TIME, DATE]);
        put32(&mut bytes, &[self.checksum.whole(of_values), IN_ZIP64, IN_ZIP64]);
        put16(&mut bytes, &[length16(self.name.len() as u64), 28, length16(self.comment.len() as u64), 0, 0]);
        put32(&mut bytes, &[0o100_644 << 16, IN_ZIP64]);
        bytes.extend(&self.name);
        put16(&mut bytes, &[1, 24]);
        put64(&mut bytes, &[self.size, self.size, self.offset]);
        bytes.extend(&self.comment);
        bytes
    }
}

/// The tag and length of the field `FB`, `PyTorch`'s padding of members.
const PADDING_FIELD: u64 = 4;

/// The central directory and the end records.
fn directory(members: &[Member], offset: u64, comment: &[u8], of_values: &dyn Fn(usize) -> u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    for member in members {
        bytes.extend(member.directory_entry(of_values));
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
    put16(&mut bytes, &[length16(comment.len() as u64)]);
    bytes.extend(comment);
    bytes
}

/// The length of a name, comment or field; longer ones are rejected earlier.
fn length16(length: u64) -> u16 {
    u16::try_from(length).unwrap_or(u16::MAX)
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
