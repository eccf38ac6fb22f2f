//! Writers: numbers to bytes. A format only says which pieces make up a file; [`fill`] makes the pieces and [`output`] puts
//! them where they belong, whole or not at all.

mod checksums;
mod encode;
mod fill;
mod jobs;
mod json;
mod npy;
mod npz;
mod output;
mod safetensors;

use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};

pub use encode::Encoder;
pub use fill::{Settings, Take, draw};
pub use output::{FileOptions, check_target, write_file, write_stream};

use crate::plan::Plan;
use crate::text::did_you_mean;

/// A file format.
#[derive(Debug)]
pub struct Format {
    /// Its name, on the command line.
    pub name: &'static str,
    /// The extensions that stand for it, without the dot.
    pub extensions: &'static [&'static str],
    /// Whether it is bytes that no terminal shows.
    pub binary: bool,
    /// Whether a file holds more than one tensor.
    pub several: bool,
    /// What it is and who reads it.
    pub summary: &'static str,
    pieces: fn(&Plan) -> Result<Vec<Piece>>,
    note: fn(&Plan) -> Option<String>,
}

/// Every format.
pub const FORMATS: &[Format] = &[npy::FORMAT, npz::FORMAT, json::FORMAT, safetensors::FORMAT];

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

    /// What the user should know about a file of this plan.
    pub fn note(&self, plan: &Plan) -> Option<String> {
        (self.note)(plan)
    }

    /// What a file of this plan is made of. Errors where the format cannot hold it.
    pub fn pieces(&self, plan: &Plan) -> Result<Vec<Piece>> {
        (self.pieces)(plan)
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
