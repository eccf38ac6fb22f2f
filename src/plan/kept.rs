//! Tensors that are kept: copied unchanged from a file that is there already.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Element, Shape, Slice};
use crate::text;

/// A file that tensors are copied from, and what it was when it was opened.
#[derive(Debug)]
pub struct Origin {
    file: File,
    path: PathBuf,
    state: State,
}

/// What changes where somebody writes to a file: its length, and when it was written to (seconds and nanoseconds).
type State = (u64, i64, i64);

fn state(file: &File) -> io::Result<State> {
    let metadata = file.metadata()?;
    Ok((metadata.len(), metadata.mtime(), metadata.mtime_nsec()))
}

impl Origin {
    /// The open file that stands at this path.
    pub fn new(file: File, path: &Path) -> io::Result<Self> {
        Ok(Self { state: state(&file)?, path: path.into(), file })
    }

    /// Errors where the file is not what it was when it was opened.
    pub fn check_unchanged(&self) -> io::Result<()> {
        if state(&self.file)? == self.state {
            return Ok(());
        }
        Err(self.error(anyhow!("it has changed while its tensors were copied")))
    }

    fn read(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(bytes, offset).map_err(|error| self.error(error.into()))
    }

    /// An error with the file's name.
    fn error(&self, cause: anyhow::Error) -> io::Error {
        io::Error::other(cause.context(format!("`{}`", self.path.display())))
    }
}

/// Where the values of a tensor lie: little-endian, in C order, without gaps.
#[derive(Clone, Debug)]
pub struct Region {
    /// The file.
    pub origin: Arc<Origin>,
    /// Where they begin in it.
    pub offset: u64,
    /// The type of their elements.
    pub element: Element,
}

impl Region {
    /// Reads elements `first..first + count` of a tensor of this shape, or of a slice of it, in place of what `bytes` holds.
    pub fn read(
        &self,
        shape: &Shape,
        slice: Option<&Slice>,
        first: u64,
        count: u64,
        bytes: &mut Vec<u8>,
    ) -> io::Result<()> {
        let size = |count| usize::try_from(self.element.bytes(count)).map_err(io::Error::other);
        bytes.resize(size(count)?, 0);
        let Some(slice) = slice else {
            return self.origin.read(bytes, self.offset + self.element.bytes(first));
        };
        let mut rest = bytes.as_mut_slice();
        for (begin, length) in slice.runs(shape, first, count) {
            let (run, after) = rest.split_at_mut(size(length)?);
            self.origin.read(run, self.offset + self.element.bytes(begin))?;
            rest = after;
        }
        Ok(())
    }
}

/// A tensor that is copied.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Which values it holds.
    pub identity: KeptIdentity,
    /// Where they lie.
    pub region: Region,
}

/// Which values a kept tensor holds: what a recipe keeps of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptIdentity {
    /// The SHA-256 of its values as the file holds them, little-endian and in C order, in hexadecimal.
    pub sha256: String,
}

/// How many elements are hashed at a time; a multiple of 8, so that elements of less than a byte make whole ones.
const CHUNK: u64 = 1 << 17;

impl Kept {
    /// The values of a tensor of this shape, or of a slice of it, which are read once for their hash.
    pub fn new(region: Region, shape: &Shape, slice: Option<&Slice>) -> Result<Self> {
        let (mut hash, mut bytes, mut first) = (Sha256::new(), Vec::new(), 0);
        while first < shape.count() {
            let count = CHUNK.min(shape.count() - first);
            region.read(shape, slice, first, count, &mut bytes).context("reading what is kept")?;
            hash.update(&bytes);
            first += count;
        }
        Ok(Self { identity: KeptIdentity { sha256: text::hex(&hash.finalize()) }, region })
    }
}
