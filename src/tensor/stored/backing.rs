//! Random access from any thread to the bytes of a file, of a part of one, or in memory.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, anyhow, ensure};
use rustix::fs::OFlags;

use super::recent::Recent;

/// Bytes that do not change while they are read.
pub trait Backing: fmt::Debug + Send + Sync {
    /// Number of bytes.
    fn length(&self) -> u64;

    /// Reads the bytes from `offset` on. Errors if there are too few, or if they are damaged.
    fn read(&self, bytes: &mut [u8], offset: u64) -> io::Result<()>;

    /// Errors if the underlying file has changed since it was opened.
    fn check_unchanged(&self) -> io::Result<()> {
        Ok(())
    }

    /// True if any part can be read without reading others: the bytes are not compressed.
    fn is_direct(&self) -> bool {
        true
    }
}

/// A number that is unique in this process.
pub fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A file, and its state when it was opened. It is reopened if too many other files are open.
#[derive(Debug)]
pub struct Origin {
    path: PathBuf,
    id: u64,
    state: State,
}

/// Numbers that change if a file is replaced or written: device, inode, length, seconds and nanoseconds.
type State = (u64, u64, u64, i64, i64);

fn state(file: &File) -> io::Result<State> {
    let metadata = file.metadata()?;
    Ok((metadata.dev(), metadata.ino(), metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
}

/// Opens a regular file and returns its length. Never blocks on the other end of a pipe.
fn regular(path: &Path) -> Result<(File, u64)> {
    let check = |metadata: &fs::Metadata| {
        ensure!(!metadata.is_dir(), "it is a folder");
        ensure!(metadata.is_file(), "not a regular file: pipes and devices cannot be read at random");
        Ok(())
    };
    check(&fs::metadata(path)?)?;
    let flags = i32::try_from(OFlags::NONBLOCK.bits())?;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    check(&metadata)?;
    Ok((file, metadata.len()))
}

/// Cache of open files.
static OPEN: Recent<u64, File> = Recent::new(64);

impl Origin {
    /// Errors if the path is not a regular file.
    pub fn open(path: &Path) -> Result<Arc<Self>> {
        let file = regular(path)?.0;
        let origin = Self { path: path.into(), id: unique(), state: state(&file)? };
        OPEN.get(origin.id, || Ok((file, 1)))?;
        Ok(Arc::new(origin))
    }

    /// Reads from the start.
    pub fn reader(self: &Arc<Self>) -> OriginReader {
        OriginReader { origin: Arc::clone(self), position: 0 }
    }

    /// Reads up to `bytes.len()` bytes; fewer at the end of the file.
    pub fn read_some(&self, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match self.file()?.read_at(bytes, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    fn file(&self) -> io::Result<Arc<File>> {
        OPEN.get(self.id, || {
            let file = regular(&self.path).map_err(|error| self.error(error))?.0;
            self.check(&file)?;
            Ok((file, 1))
        })
    }

    fn check(&self, file: &File) -> io::Result<()> {
        if state(file)? == self.state { Ok(()) } else { Err(self.error(anyhow!("it changed while it was read"))) }
    }

    fn error(&self, cause: anyhow::Error) -> io::Error {
        io::Error::other(cause.context(format!("`{}`", self.path.display())))
    }
}

impl Backing for Origin {
    fn length(&self) -> u64 {
        self.state.2
    }

    fn read(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.file()?.read_exact_at(bytes, offset).map_err(|error| self.error(error.into()))
    }

    fn check_unchanged(&self) -> io::Result<()> {
        self.check(&*self.file()?)
    }
}

/// Sequential reader from the start of a file, for headers.
#[derive(Debug)]
pub struct OriginReader {
    origin: Arc<Origin>,
    position: u64,
}

impl Read for OriginReader {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.origin.read_some(bytes, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for OriginReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(back) => self.origin.length().checked_add_signed(back),
            SeekFrom::Current(on) => self.position.checked_add_signed(on),
        };
        self.position = place.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

/// Bytes in memory.
pub struct InMemory(pub Vec<u8>);

impl fmt::Debug for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Backing for InMemory {
    fn length(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        let from = usize::try_from(offset).ok().and_then(|offset| self.0.get(offset..)?.get(..bytes.len()));
        bytes.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}
