//! Checkpoints in the layout of Hugging Face: `model.safetensors`, or `model-00001-of-00007.safetensors` and so on
//! with an index. The index maps each tensor to its file. All of it follows from the plan, before any value is
//! drawn.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::files::{Files, PlannedFile, check_folder};
use crate::format::{Format, Sidecar};
use crate::plan::{Plan, Tensor};
use crate::provenance::Provenance;
use crate::text::hex;

/// Default limit of a file's size in bytes, as in `huggingface_hub`. Only a file with a single tensor may be larger.
const MAX_SHARD_SIZE: u64 = 5_000_000_000;
/// The start and the end of a file's name; a shard has its number in between, and the index has [`INDEX`] after it.
const STEM: &str = "model";
const EXTENSION: &str = ".safetensors";
const INDEX: &str = ".index.json";

/// The division of a checkpoint's tensors into files, in order.
pub enum Division {
    /// Files of the usual size.
    Default,
    /// Files of at most so many bytes.
    Limit(u64),
    /// The number of tensors in each file.
    Counts(Vec<usize>),
}

impl Division {
    /// The tensors of each file.
    fn parts(&self, plan: &Plan) -> Vec<Vec<usize>> {
        let limit = match self {
            Self::Default => MAX_SHARD_SIZE,
            Self::Limit(limit) => *limit,
            Self::Counts(counts) => {
                let mut tensors = 0..plan.tensors().len();
                return counts.iter().map(|&count| tensors.by_ref().take(count).collect()).collect();
            }
        };
        let sizes: Vec<u64> = plan.tensors().iter().map(Tensor::bytes).collect();
        cut(&sizes, limit)
    }
}

impl Files {
    /// Files of a checkpoint in a folder. Errors if a header is too large for readers, or safetensors lacks a dtype.
    pub fn of_checkpoint(folder: &Path, plan: &Plan, division: &Division, sidecars: Vec<Sidecar>) -> Result<Self> {
        check_folder(folder)?;
        let (data, index) = shards(folder, plan, division)?;
        let sidecars = sidecars.into_iter().chain(index).collect();
        Ok(Self { is_checkpoint: true, ..Self::in_folder(folder, data, Vec::new(), plan, sidecars) })
    }
}

/// Tensor files, and the index if there are several. The index is written last: its presence means that the
/// checkpoint is complete.
fn shards(folder: &Path, plan: &Plan, division: &Division) -> Result<(Vec<PlannedFile>, Option<Sidecar>)> {
    let format = Format::of_checkpoints()?;
    format.check_types(plan)?;
    let parts = division.parts(plan);
    if parts.len() < 2 {
        let pieces = format.shard(plan, None)?;
        return Ok((vec![PlannedFile::of_tensors(folder.join(file_name()), plan.clone(), pieces)], None));
    }
    let name = |number: usize| format!("{STEM}-{:05}-of-{:05}{EXTENSION}", number + 1, parts.len());
    let index = index(plan, &parts, name);
    let whole = hash(plan, &index)?;
    let shard = |(number, part): (usize, &Vec<usize>)| {
        let tensors = part.iter().map(|&tensor| plan.tensors()[tensor].clone()).collect();
        let (name, plan) = (name(number), plan.of(tensors));
        let pieces = format.shard(&plan, Some(&whole)).with_context(|| format!("`{name}`"))?;
        Ok(PlannedFile::of_tensors(folder.join(name), plan, pieces))
    };
    let shards = parts.iter().enumerate().map(shard).collect::<Result<_>>()?;
    Ok((shards, Some(Sidecar { name: index_name().into(), bytes: index.into_bytes() })))
}

/// True if a checkpoint reader treats a file of this name in its folder as a part of the checkpoint.
pub(super) fn is_part(name: &str) -> bool {
    let numbers = name.strip_prefix(STEM).and_then(|rest| rest.strip_suffix(EXTENSION));
    name == index_name()
        || numbers.is_some_and(|numbers| numbers.is_empty() || numbers.starts_with('-') && numbers.contains("-of-"))
}

/// The name of the only file.
fn file_name() -> String {
    format!("{STEM}{EXTENSION}")
}

/// The name of the index of several files.
fn index_name() -> String {
    format!("{STEM}{EXTENSION}{INDEX}")
}

/// Groups tensors into files in order, as `huggingface_hub` does: a file is closed if the next tensor would exceed
/// the limit. A tensor above the limit gets a file of its own at once, and the previous file stays open.
fn cut(sizes: &[u64], limit: u64) -> Vec<Vec<usize>> {
    let (mut parts, mut open, mut held) = (Vec::new(), Vec::new(), 0u64);
    for (tensor, &size) in sizes.iter().enumerate() {
        if size > limit {
            parts.push(vec![tensor]);
            continue;
        }
        if held.checked_add(size).is_none_or(|sum| sum > limit) {
            parts.push(std::mem::take(&mut open));
            held = 0;
        }
        open.push(tensor);
        held += size;
    }
    if !open.is_empty() {
        parts.push(open);
    }
    parts
}

/// The index, byte for byte as `json.dumps(index, indent=2, sort_keys=True)` plus a newline.
fn index(plan: &Plan, parts: &[Vec<usize>], name: impl Fn(usize) -> String) -> String {
    let files: BTreeMap<&str, usize> = parts
        .iter()
        .enumerate()
        .flat_map(|(file, part)| part.iter().map(move |&tensor| (plan.tensors()[tensor].name().as_str(), file)))
        .collect();
    let mut text = format!(
        "{{\n  \"metadata\": {{\n    \"total_parameters\": {},\n    \"total_size\": {}\n  }},\n  \"weight_map\": {{",
        plan.parameters(),
        plan.bytes()
    );
    let names: Vec<String> = (0..parts.len()).map(name).collect();
    for (number, (tensor, file)) in files.into_iter().enumerate() {
        let comma = if number > 0 { "," } else { "" };
        let _ = write!(text, "{comma}\n    {}: \"{}\"", ascii_json(tensor), names[file]);
    }
    text.push_str("\n  }\n}\n");
    text
}

/// Encodes like Python's `json`: ASCII only, other characters as UTF-16 escapes.
fn ascii_json(text: &str) -> String {
    let mut written = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => written.extend(['\\', character]),
            ' '..='~' => written.push(character),
            _ => {
                for half in character.encode_utf16(&mut [0; 2]) {
                    let _ = write!(written, "\\u{half:04x}");
                }
            }
        }
    }
    written.push('"');
    written
}

/// Hash of the provenance and the index, which identifies the files of one plan.
fn hash(plan: &Plan, index: &str) -> Result<String> {
    /// A hash that takes what is written to it.
    struct Hashed(Sha256);
    impl Write for Hashed {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut out = BufWriter::new(Hashed(Sha256::new()));
    Provenance::write(plan, &mut out)?;
    let Hashed(mut hash) = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    hash.update([0]);
    hash.update(index);
    Ok(hex(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tensor_above_the_limit_leaves_the_file_before_it_open() {
        assert_eq!(cut(&[6, 6, 2, 6, 2, 2], 10), [vec![0], vec![1, 2], vec![3, 4, 5]]);
        assert_eq!(cut(&[4, 11, 6, 1], 10), [vec![1], vec![0, 2], vec![3]]);
        assert_eq!(cut(&[10, 0, 0], 10), [vec![0, 1, 2]]);
        assert_eq!(cut(&[u64::MAX, u64::MAX], u64::MAX), [vec![0], vec![1]]);
    }

    #[test]
    fn texts_are_escaped_as_python_does() {
        assert_eq!(ascii_json("a\"\\é😀\u{7f}"), r#""a\"\\\u00e9\ud83d\ude00\u007f""#);
    }
}
