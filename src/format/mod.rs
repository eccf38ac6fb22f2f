//! File formats, one per file: the pieces of a plan's file, and the tensors of a file that is read. Sizes in a file are checked against its
//! length before any allocation.

mod entry;
mod foreign;
mod json;
mod mat;
mod npy;
mod npz;
mod pt;
mod raw;
mod safetensors;
mod zip;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};

use crate::plan::Plan;
use crate::tensor::{Element, Layout, Name, Origin};
use crate::text::did_you_mean_or_list;
pub use entry::Entry;
pub(crate) use entry::{Found, opening, shown_name};
pub(crate) use foreign::{foreign, instead_of, is_foreign};
pub(crate) use json::{copied_text, text};

/// A file format.
#[derive(Debug)]
pub struct Format {
    /// The name on the command line.
    pub name: &'static str,
    /// The extensions without the dot.
    pub extensions: &'static [&'static str],
    /// Extensions shared with other kinds of files: the content decides.
    shared_extensions: &'static [&'static str],
    /// True if a terminal cannot show it.
    pub binary: bool,
    /// True if a file holds any number of named tensors; else it holds one without a name.
    pub holds_several: bool,
    /// True if most files of this kind hold no weights, as JSON.
    pub is_generic: bool,
    /// The layout of the framework that reads it, if there is only one: the default for files of this format.
    layout: Option<&'static str>,
    /// True if a matrix is column-major, and therefore in memory while it is written.
    pub column_major: bool,
    /// Its readers and purpose.
    pub summary: &'static str,
    has_type: fn(Element) -> bool,
    pieces: fn(&Plan) -> Result<Vec<Piece>>,
    /// The pieces of a shard: a part of a plan, with the hash of the whole plan if there are several. `None` if the format has no
    /// checkpoints.
    shard: Option<PiecesOfShard>,
    sidecar: Option<SidecarFormat>,
    note: fn(&Plan) -> Option<String>,
    /// True for the first bytes of a file of this format.
    recognizes: fn(&[u8]) -> bool,
    /// Reads a file except its values. The path is for formats of two files.
    open: fn(&Arc<Origin>, &Path) -> Result<Found>,
}

type PiecesOfShard = fn(&Plan, Option<&str>) -> Result<Vec<Piece>>;

/// All formats. The first one that recognises a file reads it.
pub const FORMATS: &[Format] =
    &[npy::FORMAT, pt::FORMAT, npz::FORMAT, safetensors::FORMAT, raw::FORMAT, json::FORMAT, mat::FORMAT];

/// The number of first bytes that identify a format.
pub(crate) const OPENING: u64 = 512;

/// The sidecar text that describes a file of a format.
#[derive(Debug)]
struct SidecarFormat {
    /// The suffix of the sidecar after the name of the file.
    suffix: &'static str,
    /// First bytes of the text.
    opening: &'static str,
    text: fn(&Plan) -> Result<String>,
}

/// A small file in the folder of the weights, such as `config.json`.
#[derive(Clone, Debug)]
pub struct Sidecar {
    /// File name in the folder.
    pub name: OsString,
    /// Content of the file.
    pub bytes: Vec<u8>,
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// A piece of a file. Pieces follow each other without gaps.
pub enum Piece {
    /// Bytes that do not depend on values.
    Bytes(Vec<u8>),
    /// The values of the tensor with this index, little-endian in its dtype.
    Values(usize),
    /// The same in column-major order. All of them are in memory while they are written.
    Columns(usize),
    /// The values of the tensor with this index as JSON text.
    Text(usize),
    /// Bytes that depend on checksums of preceding `Values` pieces, and their length.
    Checked(usize, Box<Render>),
}

/// Makes bytes from the CRC-32 of `Values` pieces, by index from 0.
pub type Render = dyn Fn(&dyn Fn(usize) -> u32) -> Vec<u8> + Send + Sync;

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl Format {
    /// The format of a name. An error names the nearest name.
    pub fn find(name: &str) -> Result<&'static Self> {
        FORMATS.iter().find(|format| format.name.eq_ignore_ascii_case(name)).with_context(|| {
            let names = FORMATS.iter().map(|format| format.name);
            format!("unknown format `{name}`{}", did_you_mean_or_list(name, names, "formats"))
        })
    }

    /// The format of a file extension, ignoring case.
    pub fn of_extension(extension: &str) -> Option<&'static Self> {
        let extension = extension.to_lowercase();
        FORMATS.iter().find(|format| format.extensions.contains(&extension.as_str()))
    }

    /// The format of a file with these first bytes.
    pub(crate) fn of_opening(opening: &[u8]) -> Option<&'static Self> {
        FORMATS.iter().find(|format| (format.recognizes)(opening))
    }

    /// The format of checkpoints with several files. Its files begin with their provenance, so the first bytes identify the plan.
    pub fn of_checkpoints() -> Result<&'static Self> {
        FORMATS.iter().find(|format| format.makes_checkpoints()).context("no format makes checkpoints")
    }

    /// True if it supports checkpoints of several files.
    pub fn makes_checkpoints(&self) -> bool {
        self.shard.is_some()
    }

    /// The pieces of a shard: a part of a plan, with the hash of the whole if it is only a part.
    pub fn shard(&self, part: &Plan, whole: Option<&str>) -> Result<Vec<Piece>> {
        let shard = self.shard.with_context(|| format!("{} cannot hold checkpoints", self.name))?;
        shard(part, whole)
    }

    /// The default layout for files of this format; `None` if several frameworks read it.
    pub fn layout(&self) -> Result<Option<Layout>> {
        self.layout.map(str::parse).transpose()
    }

    /// A note for the user about a plan's file.
    pub fn note(&self, plan: &Plan) -> Option<String> {
        (self.note)(plan).or_else(|| self.layout_note(plan))
    }

    /// A note on the order of the axes. There is none if only some weights have the order of the format's framework, because a recipe has
    /// then chosen the order of each.
    fn layout_note(&self, plan: &Plan) -> Option<String> {
        let (word, layout) = (self.layout?, self.layout().ok()??);
        let orders = plan.tensors().iter().filter_map(|tensor| {
            let own = tensor.initial()?.layout()?;
            Some((own, layout.letters(own.len()).ok()?))
        });
        let orders: Vec<_> = orders.collect();
        let (own, expected) = orders.first()?;
        let same = orders.iter().filter(|(own, expected)| own == expected).count();
        match same {
            0 => Some(format!("axes are in the order {own}, but {word} expects {expected}: use --layout {word}")),
            all if all == orders.len() => Some(format!("axes are in {word}'s order, {own}; --layout sets another")),
            _ => None,
        }
    }

    /// The sidecar of a plan's file, if the format has one. It is written last, so it implies the file.
    pub fn sidecar(&self, plan: &Plan, file: &Path) -> Result<Option<Sidecar>> {
        let Some(SidecarFormat { suffix, text, .. }) = &self.sidecar else { return Ok(None) };
        let name = with_suffix(Path::new(file.file_name().unwrap_or_default()), suffix).into_os_string();
        Ok(Some(Sidecar { name, bytes: text(plan)?.into_bytes() }))
    }

    /// The pieces of a plan's file. Errors if the format cannot hold it.
    pub fn pieces(&self, plan: &Plan) -> Result<Vec<Piece>> {
        self.check_types(plan)?;
        (self.pieces)(plan)
    }

    /// Errors if the format does not support a tensor's type.
    pub fn check_types(&self, plan: &Plan) -> Result<()> {
        plan.tensors().iter().try_for_each(|tensor| self.check_type(tensor.name(), tensor.element()))
    }

    /// True if it supports an element type.
    pub fn has_type(&self, element: Element) -> bool {
        (self.has_type)(element)
    }

    /// Errors if the format does not support this type of the named tensor.
    pub fn check_type(&self, name: &Name, element: Element) -> Result<()> {
        let others = || {
            let able = FORMATS.iter().filter(|format| format.has_type(element)).map(|format| format.name);
            able.collect::<Vec<_>>().join(", ")
        };
        ensure!(
            self.has_type(element),
            "`{name}` is {}, which {self} cannot store: use --format {}",
            element.word(),
            others()
        );
        Ok(())
    }

    /// Reads a file except its values. An error names the format only if the extension does not.
    pub(crate) fn open(&self, origin: &Arc<Origin>, path: &Path) -> Result<Found> {
        let found = (self.open)(origin, path);
        let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        match Self::of_extension(extension) {
            Some(format) if format.name == self.name => found,
            _ => found.with_context(|| format!("read as {}", self.name)),
        }
    }
}

/// True if all files of this extension hold weights.
pub(crate) fn is_of_weights(extension: &str) -> bool {
    Format::of_extension(extension).is_some_and(|format| !format.is_generic)
}

/// True if files with this extension may hold weights: the content decides.
pub(crate) fn may_be_of_weights(extension: &str) -> bool {
    FORMATS.iter().any(|format| format.shared_extensions.contains(&extension))
}

/// The sidecar of a weights file, if it exists.
pub(crate) fn sidecar_of(path: &Path) -> Option<PathBuf> {
    let found = |format: &Format| {
        let SidecarFormat { suffix, opening, .. } = format.sidecar.as_ref()?;
        let sidecar = with_suffix(path, suffix);
        // Opening a pipe would block until somebody writes to it.
        let there = path.is_file() && sidecar.is_file();
        let mut start = vec![0; opening.len()];
        let read = there && File::open(&sidecar).and_then(|mut file| file.read_exact(&mut start)).is_ok();
        (read && start == opening.as_bytes()).then_some(sidecar)
    };
    FORMATS.iter().find_map(found)
}

/// A path and, for a file of values or a sidecar, its counterpart.
pub(crate) fn with_sidecar(path: &Path) -> Vec<PathBuf> {
    let suffixes = FORMATS.iter().filter_map(|format| Some(format.sidecar.as_ref()?.suffix));
    let name = path.to_str().unwrap_or_default();
    let values = suffixes.filter_map(|suffix| name.strip_suffix(suffix)).map(PathBuf::from);
    let values = values.filter(|values| sidecar_of(values).is_some());
    [path.into()].into_iter().chain(sidecar_of(path)).chain(values).collect()
}

impl Piece {
    /// The size in bytes; `None` for text, whose length depends on the values.
    pub(crate) fn size(&self, plan: &Plan) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes.len() as u64),
            Self::Values(tensor) | Self::Columns(tensor) => Some(plan.tensors()[*tensor].bytes()),
            Self::Checked(length, _) => Some(*length as u64),
            Self::Text(_) => None,
        }
    }
}

/// The size of these pieces in bytes; `None` if they include text.
pub fn size(pieces: &[Piece], plan: &Plan) -> Option<u64> {
    pieces.iter().try_fold(0u64, |sum, piece| sum.checked_add(piece.size(plan)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_of_every_format_is_known() {
        for format in FORMATS {
            assert!(format.layout().is_ok(), "{format}");
        }
    }

    #[test]
    fn formats_are_told_apart_by_their_first_bytes() {
        let cases: [(&[u8], Option<&str>); 18] = [
            (b"\x93NUMPY\x01\x00", Some("npy")),
            (b"PK\x03\x04", Some("npz")),
            (b"PK\x03\x04\x2d\0\x08\x08\0\0\0\0\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\x0a\0\0\0a/data.pkl", Some("pt")),
            (b"{\"format\":\"raw\",\n", Some("raw")),
            (b"{\"fanin\":{}}", Some("json")),
            (b" \n{\"tensors\":{}}", Some("json")),
            (b"{\"a\":    {\"dtype\"", Some("json")),
            (b"\x02\0\0\0\0\0\0\0{}", Some("safetensors")),
            (b"{\0\0\0\0\0\0\0{\"w\":{", Some("safetensors")),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff{}", Some("safetensors")),
            (b"\x80\x02}\x05\0\0\0\0{\"w\":{", Some("safetensors")),
            (b"\x80\x04\x95\0\0\0\0\0{}", Some("safetensors")),
            (b"\x80\x02}q\0X\x01\0\0\0", Some("pt")),
            (b"\x80\x04\x95\x02\0\0\0\0\0\0\0}.", Some("pt")),
            (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M", Some("pt")),
            (b"L119547037146038801333356L\n.L1001L\n.", Some("pt")),
            (b"PK\x03\x04\x2d\0\x08\x08\0\0\0\0\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\x0c\0\0\0a/data/0.npy", Some("npz")),
            (b"GGUF\x03\0\0\0", None),
        ];
        for (opening, format) in cases {
            let found = Format::of_opening(opening);
            assert_eq!(found.map(|format| format.name), format, "{opening:?}");
        }
    }
}
