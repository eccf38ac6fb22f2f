//! The end of a zip archive (APPNOTE 6.3.10, 4.3.14 to 4.3.16), checked against the file's length before the `zip` crate allocates by it.
//! The archive must be exactly the file, with no bytes before it, after it, or between its directory and its end.

use anyhow::{Context, Result, ensure};

use crate::plan::Plan;
use crate::tensor::{Backing, Origin};

/// The content of an archive's end record.
#[derive(Debug, PartialEq)]
pub(super) struct End {
    /// The number of members.
    pub(super) members: u64,
    /// The offset of the directory.
    pub(super) directory: u64,
    /// The length of the archive's comment.
    pub(super) comment: usize,
}

/// The sizes of the end record without its comment, the zip64 locator before it, and the zip64 record before that.
const RECORD: usize = 22;
const LOCATOR: u64 = 20;
const ZIP64_RECORD: u64 = 56;
/// The minimum size of a directory entry.
const MEMBER: u64 = 46;

impl End {
    /// Reads the end of an archive.
    pub(super) fn read(file: &Origin) -> Result<Self> {
        let length = file.length();
        let longest = length.min((RECORD + usize::from(u16::MAX)) as u64);
        let tail = read_at(file, length - longest, usize::try_from(longest)?)?;
        let at = record(&tail).context("its zip archive has no end: truncated, or followed by other bytes")?;
        let fields = Fields(&tail[at..]);
        let position = length - (tail.len() - at) as u64;
        let short = Counts {
            disks: [fields.u16(4), fields.u16(6), 0],
            members: [fields.u16(8), fields.u16(10)],
            size: fields.u32(12),
            directory: fields.u32(16),
            end: position,
        };
        let comment = tail.len() - at - RECORD;
        let counts = match Counts::zip64(file, position)? {
            Some(wide) => {
                ensure!(short.agrees_with(&wide), "its zip64 record and its end record differ");
                wide
            }
            None => short,
        };
        counts.check()?;
        Ok(Self { members: counts.members[0], directory: counts.directory, comment })
    }
}

/// The offset of the record whose comment ends with the file.
fn record(tail: &[u8]) -> Option<usize> {
    let last = tail.len().checked_sub(RECORD)?;
    (0..=last)
        .rev()
        .find(|&at| tail[at..].starts_with(b"PK\x05\x06") && Fields(&tail[at..]).u16(20) == (last - at) as u64)
}

/// Numbers of a record, as 64-bit integers.
struct Counts {
    /// The number of this disk, that of the directory's, and the number of disks less one: all 0.
    disks: [u64; 3],
    /// The number of members on this disk, and in total.
    members: [u64; 2],
    /// The size and offset of the directory.
    size: u64,
    directory: u64,
    /// The required end of the directory.
    end: u64,
}

impl Counts {
    /// True if each number equals that of the zip64 record or is the maximum, which refers to it.
    fn agrees_with(&self, wide: &Self) -> bool {
        let agrees = |short: u64, largest: u64, wide: u64| short == wide || short == largest;
        let members = self.members.iter().zip(wide.members).all(|(&short, wide)| agrees(short, u16::MAX.into(), wide));
        members
            && agrees(self.size, u32::MAX.into(), wide.size)
            && agrees(self.directory, u32::MAX.into(), wide.directory)
    }

    /// The zip64 record whose locator ends at `position`, if any. Python writes the record from 2 GiB on, other programs always, so only
    /// the locator shows whether it is there.
    fn zip64(file: &Origin, position: u64) -> Result<Option<Self>> {
        let Some(end) = position.checked_sub(LOCATOR + ZIP64_RECORD) else { return Ok(None) };
        let bytes = read_at(file, end, usize::try_from(LOCATOR + ZIP64_RECORD)?)?;
        let (record, locator) = bytes.split_at(usize::try_from(ZIP64_RECORD)?);
        let (fields, locator) = (Fields(record), Fields(locator));
        if !locator.0.starts_with(b"PK\x06\x07") {
            return Ok(None);
        }
        ensure!(locator.u64(8) == end && record.starts_with(b"PK\x06\x06"), "its zip64 locator points elsewhere");
        ensure!(fields.u64(4) == ZIP64_RECORD - 12, "its zip64 record has an unexpected length");
        Ok(Some(Self {
            disks: [fields.u32(16), fields.u32(20), locator.u32(4)],
            members: [fields.u64(24), fields.u64(32)],
            size: fields.u64(40),
            directory: fields.u64(48),
            end,
        }))
    }

    fn check(&self) -> Result<()> {
        let [here, all] = self.members;
        ensure!(self.disks == [0; 3] && here == all, "it is part of a multi-disk archive");
        ensure!(all <= Plan::MAX_TENSORS as u64, "{all} members: at most 2^20 are allowed");
        ensure!(
            self.directory.checked_add(self.size) == Some(self.end),
            "its directory of {} bytes at {} does not end at the end record, at {}",
            self.size,
            self.directory,
            self.end
        );
        ensure!(all * MEMBER <= self.size, "its directory of {} bytes cannot hold {all} members", self.size);
        Ok(())
    }
}

/// Reads little-endian numbers of a record that is long enough.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn number(&self, at: usize, width: usize) -> u64 {
        self.0[at..at + width].iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
    }

    fn u16(&self, at: usize) -> u64 {
        self.number(at, 2)
    }

    fn u32(&self, at: usize) -> u64 {
        self.number(at, 4)
    }

    fn u64(&self, at: usize) -> u64 {
        self.number(at, 8)
    }
}

fn read_at(file: &Origin, position: u64, length: usize) -> Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read(&mut bytes, position)?;
    Ok(bytes)
}
