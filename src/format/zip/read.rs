//! Reads members of zip archives by index, from any thread.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, ensure};
use crc32fast::Hasher;
use zip::{CompressionMethod, ZipArchive};

use super::end::End;
use crate::parallel::{available_threads, lock, try_map};
use crate::tensor::{Backing, Origin, OriginReader, Recent, unique};
use crate::text::one_line;

pub(in crate::format) type Archive = ZipArchive<BufReader<OriginReader>>;

/// Opens an archive that is exactly its file and unambiguous for all readers.
pub(in crate::format) fn open(origin: &Arc<Origin>) -> Result<Archive> {
    let end = End::read(origin)?;
    let mut archive = Archive::new(BufReader::new(origin.reader()))?;
    ensure!(!archive.has_duplicate_names(), "two members have the same name");
    let read = End {
        members: archive.len() as u64,
        directory: archive.central_directory_start(),
        comment: archive.comment().len(),
    };
    ensure!(read == end && archive.offset() == 0, "it is ambiguous: two archives in one file");
    archive.validate_header_consistency()?;
    Ok(archive)
}

/// The decompressed bytes of members. A damaged member errors on its first read.
pub(in crate::format) struct Members {
    origin: Arc<Origin>,
    archive: Arc<Mutex<Archive>>,
    has_checksums: bool,
}

impl Members {
    pub(in crate::format) fn new(origin: &Arc<Origin>, archive: Archive) -> Self {
        Self { origin: Arc::clone(origin), archive: Arc::new(Mutex::new(archive)), has_checksums: true }
    }

    /// Ignores the checksums of stored members if `has_checksums` is false.
    pub(in crate::format) fn with_checksums(self, has_checksums: bool) -> Self {
        Self { has_checksums, ..self }
    }

    /// The bytes of the member with this index.
    pub(in crate::format) fn member(&self, number: usize) -> Result<Arc<dyn Backing>> {
        let mut archive = lock(&self.archive);
        let member = archive.by_index(number)?;
        let (length, crc32) = (member.size(), member.crc32());
        if member.compression() == CompressionMethod::Stored {
            let begin = member.data_start().context("its start is unknown")?;
            let origin = Arc::clone(&self.origin);
            let is_sound = Mutex::new(if self.has_checksums { None } else { Some(true) });
            return Ok(Arc::new(Stored { origin, begin, length, crc32, is_sound }));
        }
        drop(member);
        let (origin, archive) = (Arc::clone(&self.origin), Arc::clone(&self.archive));
        Ok(Arc::new(Packed { origin, archive, number, length, id: unique() }))
    }
}

/// An uncompressed member. Its checksum is verified once, before any byte is returned.
#[derive(Debug)]
struct Stored {
    origin: Arc<Origin>,
    begin: u64,
    length: u64,
    crc32: u32,
    /// True if the checksum is right; `None` until it is verified.
    is_sound: Mutex<Option<bool>>,
}

/// The number of bytes per read, and the least that justifies a thread.
const BLOCK: u64 = 1 << 20;
const PART: u64 = 1 << 26;

impl Stored {
    fn check(&self) -> io::Result<()> {
        let mut known = lock(&self.is_sound);
        let is_sound = match *known {
            Some(is_sound) => is_sound,
            None => *known.insert(self.checksum()? == self.crc32),
        };
        if is_sound { Ok(()) } else { Err(io::Error::other(DAMAGED)) }
    }

    /// The CRC-32 of all bytes, computed on several threads. Reads block until it is verified.
    fn checksum(&self) -> io::Result<u32> {
        let part = self.length.div_ceil(available_threads() as u64).max(PART);
        let parts = usize::try_from(self.length.div_ceil(part)).map_err(io::Error::other)?;
        let hashers = try_map(parts, parts, |number| {
            let begin = number as u64 * part;
            self.hash(begin, part.min(self.length - begin))
        })?;
        let mut whole = Hasher::new();
        for hasher in hashers {
            whole.combine(&hasher);
        }
        Ok(whole.finalize())
    }

    fn hash(&self, begin: u64, length: u64) -> io::Result<Hasher> {
        let (mut hasher, mut at, mut block) = (Hasher::new(), 0, Vec::new());
        while at < length {
            let some = BLOCK.min(length - at);
            block.resize(usize::try_from(some).map_err(io::Error::other)?, 0);
            self.origin.read(&mut block, self.begin + begin + at)?;
            hasher.update(&block);
            at += some;
        }
        Ok(hasher)
    }
}

const DAMAGED: &str = "CRC-32 mismatch: the file is damaged";

impl Backing for Stored {
    fn length(&self) -> u64 {
        self.length
    }

    fn read(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.check()?;
        let inside = offset.checked_add(bytes.len() as u64).is_some_and(|end| end <= self.length);
        if !inside {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.origin.read(bytes, self.begin + offset)
    }

    fn check_unchanged(&self) -> io::Result<()> {
        self.origin.check_unchanged()
    }
}

/// A compressed member. It is decompressed as a whole, into memory or an unnamed file.
struct Packed {
    origin: Arc<Origin>,
    archive: Arc<Mutex<Archive>>,
    number: usize,
    length: u64,
    id: u64,
}

enum Unpacked {
    Memory(Vec<u8>),
    File(File),
}

/// The maximum number of bytes decompressed into memory, per member and in total.
const IN_MEMORY: u64 = 1 << 28;
static UNPACKED: Recent<u64, Unpacked> = Recent::new(IN_MEMORY);
/// The weight of a file in the cache, which limits their number.
const WEIGHT_OF_A_FILE: u64 = IN_MEMORY / 4;

impl Packed {
    fn unpack(&self) -> io::Result<(Unpacked, u64)> {
        let mut archive = lock(&self.archive);
        let mut member = archive.by_index(self.number).map_err(io::Error::other)?;
        if self.length > IN_MEMORY {
            let mut file = unnamed()?;
            self.copy(&mut member, &mut file)?;
            return Ok((Unpacked::File(file), WEIGHT_OF_A_FILE));
        }
        // A member that declares too large a size does not allocate memory for it.
        let mut bytes = Vec::new();
        self.copy(&mut member, &mut bytes)?;
        let weight = bytes.len() as u64;
        Ok((Unpacked::Memory(bytes), weight))
    }

    /// Copies all of the member; its end verifies the checksum.
    fn copy(&self, member: &mut dyn Read, to: &mut dyn Write) -> io::Result<()> {
        let copied = io::copy(&mut member.take(self.length), to)?;
        if copied < self.length || member.read(&mut [0])? > 0 {
            return Err(io::Error::other(format!("it does not have its declared size of {} bytes", self.length)));
        }
        Ok(())
    }
}

/// A file that exists while it is open: its name is removed at once.
fn unnamed() -> io::Result<File> {
    let folder = std::env::temp_dir();
    let path = folder.join(format!("fanin-{:016x}", rand::random::<u64>()));
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
    file.and_then(|file| fs::remove_file(&path).map(|()| file)).map_err(|error| {
        io::Error::other(format!("cannot unpack into `{}` ({}): set TMPDIR", folder.display(), one_line(&error.into())))
    })
}

impl Backing for Packed {
    fn length(&self) -> u64 {
        self.length
    }

    fn read(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        match &*UNPACKED.get(self.id, || self.unpack())? {
            Unpacked::File(file) => file.read_exact_at(bytes, offset),
            Unpacked::Memory(all) => {
                let part = usize::try_from(offset).ok().and_then(|offset| all.get(offset..)?.get(..bytes.len()));
                bytes.copy_from_slice(part.ok_or(io::ErrorKind::UnexpectedEof)?);
                Ok(())
            }
        }
    }

    fn check_unchanged(&self) -> io::Result<()> {
        self.origin.check_unchanged()
    }

    fn is_direct(&self) -> bool {
        false
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "member {} of {:?}", self.number, self.origin)
    }
}
