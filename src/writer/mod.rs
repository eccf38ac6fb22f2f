//! Writers: numbers to bytes. A format only says which pieces make up a file; [`fill`] makes the pieces and [`output`] puts
//! them where they belong, whole or not at all.

mod atomic_file;
mod checkpoint;
mod checksums;
mod encode;
mod fill;
mod in_order;
mod jobs;
mod json;
mod npy;
mod npz;
mod pt;
pub(crate) mod raw;
mod safetensors;
mod sha256;
mod unfinished;
mod zip;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, ensure};

pub use atomic_file::{
    Existing, FileOptions, Outcome, Prepared, Standing, check_target, is_stream, is_whole, prepare_file, standing,
    withdraw, write_file, write_stream,
};
pub use checkpoint::{Beside, Checkpoint, Shard};
pub use encode::Encoder;
pub use fill::{Settings, Take, draw};
pub use sha256::{sha256_of_bytes, sha256_of_files, sums_file};

use crate::plan::Plan;
use crate::tensor::{Element, Name, Stored};
use crate::text::did_you_mean;

/// A file format.
#[derive(Debug)]
pub struct Format {
    /// Its name, on the command line.
    pub name: &'static str,
    /// The extensions that stand for it, without the dot.
    pub extensions: &'static [&'static str],
    /// True if it is bytes that no terminal shows.
    pub binary: bool,
    /// True if a file holds more than one tensor.
    pub several: bool,
    /// What it is and who reads it.
    pub summary: &'static str,
    pieces: fn(&Plan) -> Result<Vec<Piece>>,
    sidecar: fn(&Plan) -> Result<Option<Sidecar>>,
    note: fn(&Plan) -> Option<String>,
    /// True if it has a word for a type that is kept and not drawn.
    keeps: fn(&Stored) -> bool,
}

/// Every format.
pub const FORMATS: &[Format] = &[npy::FORMAT, npz::FORMAT, json::FORMAT, safetensors::FORMAT, pt::FORMAT, raw::FORMAT];

/// A small file that goes with a file of values.
#[derive(Debug)]
pub struct Sidecar {
    /// What is appended to the name of the file.
    pub suffix: &'static str,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Sidecar {
    /// Where it lies, beside its file.
    pub fn path(&self, file: &Path) -> PathBuf {
        let mut path = file.as_os_str().to_owned();
        path.push(self.suffix);
        path.into()
    }
}

/// A piece of a file. The pieces of a file follow each other without gaps.
pub enum Piece {
    /// Bytes that are known before any number is drawn.
    Bytes(Vec<u8>),
    /// The values of the tensor with this number, little-endian in its dtype.
    Values(usize),
    /// The values of the tensor with this number as JSON text.
    Text(usize),
    /// Bytes that need checksums of `Values` pieces before them, and how many they will be.
    Checked(usize, Box<Render>),
}

/// Makes bytes from the CRC-32 of `Values` pieces, which it asks for by their number, from 0.
pub type Render = dyn Fn(&dyn Fn(usize) -> u32) -> Vec<u8> + Send + Sync;

impl Format {
    /// The format of that name. Errors name the nearest.
    pub fn find(name: &str) -> Result<&'static Self> {
        FORMATS.iter().find(|format| format.name == name).with_context(|| {
            let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
            format!(
                "unknown format `{name}`: known are {}{}",
                names.join(", "),
                did_you_mean(name, names.iter().copied())
            )
        })
    }

    /// The format that a file's extension stands for, whatever its case.
    pub fn of_extension(extension: &str) -> Option<&'static Self> {
        let extension = extension.to_lowercase();
        FORMATS.iter().find(|format| format.extensions.contains(&extension.as_str()))
    }

    /// True if a checkpoint of several files is made of it. Its files begin with their provenance, so that the first bytes of one
    /// tell which plan it is of.
    pub fn makes_checkpoints(&self) -> bool {
        self.name == safetensors::FORMAT.name
    }

    /// What the user should know about a file of this plan.
    pub fn note(&self, plan: &Plan) -> Option<String> {
        (self.note)(plan)
    }

    /// What goes beside a file of this plan, if anything does: written after it, so that whoever sees it finds both.
    pub fn sidecar(&self, plan: &Plan) -> Result<Option<Sidecar>> {
        (self.sidecar)(plan)
    }

    /// The pieces of a file of this plan. Errors if the format cannot hold it.
    pub fn pieces(&self, plan: &Plan) -> Result<Vec<Piece>> {
        self.check_types(plan)?;
        (self.pieces)(plan)
    }

    /// Errors if the format does not have the type of a tensor of the plan.
    fn check_types(&self, plan: &Plan) -> Result<()> {
        plan.tensors.iter().try_for_each(|tensor| self.check_type(&tensor.spec.name, tensor.element()))
    }

    /// Errors if the format does not have this type, which the tensor of that name has.
    pub fn check_type(&self, name: &Name, element: Element) -> Result<()> {
        let Element::Stored(stored) = element else { return Ok(()) };
        let others = || {
            let able: Vec<_> =
                FORMATS.iter().filter(|format| (format.keeps)(stored)).map(|format| format.name).collect();
            able.join(", ")
        };
        ensure!(
            (self.keeps)(stored),
            "`{name}` is kept as {}, a type that {} does not have: take --format {}",
            stored.word,
            self.name,
            others()
        );
        Ok(())
    }
}

impl Piece {
    /// How many bytes it is; `None` for text, where that is not known before the numbers are.
    fn size(&self, plan: &Plan) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Values(tensor) => Some(plan.tensors[*tensor].bytes()),
            Self::Checked(length, _) => Some(*length as u64),
            Self::Text(_) => None,
        }
    }
}

/// The size of a file of these pieces; `None` where it holds text.
pub fn size(pieces: &[Piece], plan: &Plan) -> Option<u64> {
    pieces.iter().try_fold(0u64, |sum, piece| sum.checked_add(piece.size(plan)?))
}

/// A lock that a panic elsewhere does not make unusable: that panic ends the program anyhow.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a test on a thread of its own, so that one that waits for ever fails.
#[cfg(test)]
fn in_time(test: impl FnOnce() + Send + 'static) {
    use std::sync::mpsc::{RecvTimeoutError, channel};
    let (done, ended) = channel();
    let test = std::thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    let outcome = ended.recv_timeout(std::time::Duration::from_secs(60));
    assert!(outcome != Err(RecvTimeoutError::Timeout), "it still waits");
    test.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
}
