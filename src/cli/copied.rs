//! `--copy-from`: the files beside the weights that a tokenizer and a pipeline want, copied along.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::shown;
use crate::writer::Beside;

/// The names that are copied; a star stands for anything. Neither weights nor `config.json` is among them.
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
/// What is never copied, whatever else its name says.
const WEIGHTS: &[&str] = &[".safetensors", ".bin", ".pt", ".pth", ".npy", ".npz", ".gguf", ".h5", ".msgpack"];
/// The largest file that is copied: tokenizers have some tens of megabytes.
const LARGEST: u64 = 1 << 30;

/// The names of the files that are copied from a folder, sorted.
pub(super) fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| shown(folder))? {
        names.extend(entry?.file_name().into_string().ok().filter(|name| is_copied(name)));
    }
    names.sort_unstable();
    Ok(names)
}

/// The tokenizer files of a folder. Errors where it has none.
pub(super) fn copied(folder: &Path) -> Result<Vec<Beside>> {
    let mut found = Vec::new();
    for name in names(folder)? {
        let path = folder.join(&name);
        let metadata = fs::metadata(&path).with_context(|| shown(&path))?;
        if metadata.is_file() {
            ensure!(metadata.len() <= LARGEST, "{}: above 1 GiB, and no tokenizer's file", shown(&path));
            found.push(Beside { name, bytes: fs::read(&path).with_context(|| shown(&path))? });
        }
    }
    ensure!(!found.is_empty(), "{} has none of the files that are copied: {}", shown(folder), NAMES.join(", "));
    Ok(found)
}

fn is_copied(name: &str) -> bool {
    let matches = |pattern: &str| match pattern.split_once('*') {
        Some((head, tail)) => name.len() >= pattern.len() - 1 && name.starts_with(head) && name.ends_with(tail),
        None => name == pattern,
    };
    NAMES.iter().any(|pattern| matches(pattern)) && !WEIGHTS.iter().any(|ending| name.ends_with(ending))
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
