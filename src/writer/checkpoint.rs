//! A checkpoint as Hugging Face lays it out: `model.safetensors`, or `model-00001-of-00007.safetensors` and so on with an index
//! that says which tensor is in which file. All of it is known from the plan, before a number is drawn.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::format::{Format, Piece};
use crate::plan::{Plan, Tensor};
use crate::provenance::Provenance;
use crate::text::hex;

/// A checkpoint that is planned.
pub struct Checkpoint {
    /// Its files of tensors.
    pub shards: Vec<Shard>,
    /// The index, where there are several files: it is written last, so that a checkpoint with one is complete.
    pub index: Option<Beside>,
}

/// A file of tensors of a checkpoint.
pub struct Shard {
    /// Its name.
    pub name: String,
    /// Its part of the plan.
    pub plan: Plan,
    /// What it is made of.
    pub pieces: Vec<Piece>,
}

/// A small file beside the weights, such as `config.json`.
#[derive(Clone, Debug)]
pub struct Beside {
    /// Its name in the folder.
    pub name: String,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Checkpoint {
    /// The size above which a file is not filled unless one tensor alone is larger: the limit of `huggingface_hub`.
    pub const MAX_SHARD_SIZE: u64 = 5_000_000_000;
    /// The name of the index.
    pub const INDEX: &str = "model.safetensors.index.json";

    /// The checkpoint of a plan. Errors if a header would pass what readers take, or the format does not have a type.
    pub fn new(plan: &Plan, max_shard_size: u64) -> Result<Self> {
        let format = Format::of_checkpoints()?;
        format.check_types(plan)?;
        let sizes: Vec<u64> = plan.tensors().iter().map(Tensor::bytes).collect();
        let parts = cut(&sizes, max_shard_size);
        if parts.len() < 2 {
            let (name, plan) = ("model.safetensors".into(), plan.clone());
            let pieces = format.shard(&plan, None)?;
            return Ok(Self { shards: vec![Shard { name, plan, pieces }], index: None });
        }
        let name = |number: usize| format!("model-{:05}-of-{:05}.safetensors", number + 1, parts.len());
        let index = index(plan, &parts, name);
        let whole = hash(plan, &index)?;
        let shard = |(number, part): (usize, &Vec<usize>)| {
            let tensors = part.iter().map(|&tensor| plan.tensors()[tensor].clone()).collect();
            let (name, plan) = (name(number), plan.of(tensors));
            let pieces = format.shard(&plan, Some(&whole)).with_context(|| format!("`{name}`"))?;
            Ok(Shard { name, plan, pieces })
        };
        let shards = parts.iter().enumerate().map(shard).collect::<Result<_>>()?;
        Ok(Self { shards, index: Some(Beside { name: Self::INDEX.into(), bytes: index.into_bytes() }) })
    }

    /// True if a file of that name in the folder of a checkpoint is taken for a part of it by those who load it.
    pub fn is_part(name: &str) -> bool {
        let shard = |name: &str| name.starts_with("model-") && name.contains("-of-") && name.ends_with(".safetensors");
        name == "model.safetensors" || name == Self::INDEX || shard(name)
    }
}

/// Which tensors go together, as `huggingface_hub` cuts them: in order, a file closed where the next tensor would take it past
/// the limit. A tensor above the limit makes a file of its own at once, and the file before it stays open.
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

/// The index to the byte as `json.dumps(index, indent=2, sort_keys=True)` and a line end.
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
    for (number, (tensor, file)) in files.into_iter().enumerate() {
        let comma = if number > 0 { "," } else { "" };
        let _ = write!(text, "{comma}\n    {}: \"{}\"", ascii_json(tensor), name(file));
    }
    text.push_str("\n  }\n}\n");
    text
}

/// A text as Python's `json` writes it: ASCII alone, other characters as the halves of UTF-16.
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

/// What tells the files of one plan from those of another: a hash of all that is drawn and of how it is cut.
fn hash(plan: &Plan, index: &str) -> Result<String> {
    let mut hash = Sha256::new();
    hash.update(Provenance::whole(plan).to_json()?);
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
