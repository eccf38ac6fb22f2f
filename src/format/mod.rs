//! File formats, each in its own file: which pieces make up a file of a plan.

mod json;
mod npy;
mod npz;
mod pt;
pub(crate) mod raw;
mod safetensors;
mod zip;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::plan::Plan;
use crate::tensor::{Element, Name, Stored};
use crate::text::did_you_mean;
pub(crate) use json::{copied_text, text};

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
    /// The pieces of a file that holds a part of a plan, with the hash of the whole plan; `None` if no checkpoint is made of it.
    shard: Option<Shard>,
}

/// The pieces of a file that holds a part of a plan. The hash of the whole plan tells it from the same part of another.
type Shard = fn(&Plan, Option<&str>) -> Result<Vec<Piece>>;

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

    /// The format of checkpoints of several files. Its files begin with their provenance, so that the first bytes of one tell which plan
    /// it is of.
    pub fn of_checkpoints() -> Result<&'static Self> {
        FORMATS.iter().find(|format| format.makes_checkpoints()).context("no format makes checkpoints")
    }

    /// True if a checkpoint of several files is made of it.
    pub fn makes_checkpoints(&self) -> bool {
        self.shard.is_some()
    }

    /// The pieces of a file of a checkpoint: a part of a plan, with the hash of the whole if it is only a part.
    pub fn shard(&self, part: &Plan, whole: Option<&str>) -> Result<Vec<Piece>> {
        let shard = self.shard.with_context(|| format!("no checkpoint is made of {}", self.name))?;
        shard(part, whole)
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
    pub fn check_types(&self, plan: &Plan) -> Result<()> {
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
    pub(crate) fn size(&self, plan: &Plan) -> Option<u64> {
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
