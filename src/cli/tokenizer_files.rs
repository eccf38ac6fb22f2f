//! `--tokenizer-from`: copies the files of a tokenizer and a pipeline from the weights' folder.

use std::fs;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::shown;
use crate::format::{self, Sidecar};
use crate::tensor::{Backing, Origin};

/// The names of copied files, with `*` as a wildcard; neither weights nor `config.json`.
const NAMES: &[&str] = &[
    "tokenizer*.json",
    "vocab.*",
    "merges.txt",
    "special_tokens_map.json",
    "added_tokens.json",
    "*.model",
    "generation_config.json",
    "preprocessor_config.json",
    "chat_template*",
];
/// The maximum number of bytes to copy; tokenizers take tens of megabytes.
const LARGEST: u64 = 1 << 30;

/// The names of the files to copy from a folder, sorted.
pub(super) fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| shown(folder))? {
        names.extend(entry?.file_name().into_string().ok().filter(|name| is_copied(name)));
    }
    names.sort_unstable();
    Ok(names)
}

/// The tokenizer files of a folder. Errors if there are none, or if one is not a regular file; folders are skipped.
pub(super) fn copied(folder: &Path) -> Result<Vec<Sidecar>> {
    let (mut found, mut room) = (Vec::new(), LARGEST);
    for name in names(folder)? {
        let path = folder.join(&name);
        if let Some(bytes) = content(&path, room).with_context(|| shown(&path))? {
            room -= bytes.len() as u64;
            found.push(Sidecar { name: name.into(), bytes });
        }
    }
    ensure!(!found.is_empty(), "{} has none of the tokenizer files ({})", shown(folder), NAMES.join(", "));
    Ok(found)
}

/// The content of a regular file of at most `room` bytes; `None` for a folder.
fn content(path: &Path, room: u64) -> Result<Option<Vec<u8>>> {
    if fs::metadata(path)?.is_dir() {
        return Ok(None);
    }
    let file = Origin::open(path)?;
    let length = file.length();
    ensure!(length <= room, "more than 1 GiB to copy: these are not tokenizer files");
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(usize::try_from(length)?)?;
    file.reader().take(length + 1).read_to_end(&mut bytes)?;
    // Files generated on reading, such as those under /proc, report no length or a wrong one.
    ensure!(bytes.len() as u64 == length, "its size changed while it was copied, or it is not a regular file");
    Ok(Some(bytes))
}

fn is_copied(name: &str) -> bool {
    let matches = |pattern: &str| match pattern.split_once('*') {
        Some((head, tail)) => name.len() >= pattern.len() - 1 && name.starts_with(head) && name.ends_with(tail),
        None => name == pattern,
    };
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
    let is_of_weights = extension.is_some_and(|extension| {
        format::is_of_weights(extension) || format::may_be_of_weights(extension) || format::is_foreign(extension)
    });
    NAMES.iter().any(|pattern| matches(pattern)) && !is_of_weights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokenizers_are_copied_and_weights_are_not() {
        for name in [
            "tokenizer.json",
            "tokenizer_config.json",
            "vocab.txt",
            "merges.txt",
            "spiece.model",
            "chat_template.jinja",
        ] {
            assert!(is_copied(name), "{name}");
        }
        for name in ["config.json", "model.safetensors", "pytorch_model.bin", "vocab.bin", "README.md", "tokenizer"] {
            assert!(!is_copied(name), "{name}");
        }
    }
}
