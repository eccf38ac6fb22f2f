//! The index of a checkpoint in several files, `model.safetensors.index.json`.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::BufReader;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::unread;
use crate::format::{OPENING, opening, shown_name};
use crate::plan::Plan;
use crate::tensor::{Backing, Origin};
use crate::text::{self, Unique};

/// Ending of an index's file name.
pub(super) const INDEX: &str = ".index.json";
/// The index that is preferred if a folder has several.
const USUAL_INDEX: &str = "model.safetensors.index.json";
/// Largest index that is read, in bytes.
const MAX_INDEX: u64 = 1 << 28;
/// JSON key of the map from tensor names to files.
const WEIGHT_MAP: &[u8] = b"\"weight_map\"";

/// True if an index has this name.
fn is_named_index(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().ends_with(INDEX.as_bytes()))
}

/// True if the name or the first bytes indicate an index.
pub(super) fn is_index(path: &Path) -> Result<bool> {
    let opening = opening(&Origin::open(path)?, OPENING)?;
    let has_map = opening.windows(WEIGHT_MAP.len()).any(|window| window == WEIGHT_MAP);
    Ok(is_named_index(path) || opening.trim_ascii_start().starts_with(b"{") && has_map)
}

/// Files of an index with their tensor names, and the total size in bytes if given.
pub(super) struct Index {
    pub(super) files: BTreeMap<String, HashSet<String>>,
    pub(super) total_size: Option<f64>,
}

impl Index {
    /// Reads an index. Errors if it names a file outside its folder.
    pub(super) fn read(path: &Path) -> Result<Self> {
        #[derive(Deserialize)]
        struct Document {
            #[serde(default)]
            metadata: Metadata,
            weight_map: Unique<String>,
        }
        #[derive(Default, Deserialize)]
        struct Metadata {
            /// Some writers store a floating-point number here.
            total_size: Option<f64>,
        }
        let origin = Origin::open(path)?;
        let (opening, length) = (opening(&origin, OPENING)?, origin.length());
        ensure!(length > 0, "it is empty");
        let is_json = opening.trim_ascii_start().starts_with(b"{");
        ensure!(is_json, unread(&opening));
        ensure!(
            length <= MAX_INDEX,
            "an index of {} exceeds the limit of {}",
            text::bytes(length),
            text::bytes(MAX_INDEX)
        );
        let document: Document = serde_json::from_reader(BufReader::new(origin.reader())).context("invalid index")?;
        let Unique(places) = document.weight_map;
        ensure!(places.len() <= Plan::MAX_TENSORS, "{} tensors: at most 2^20 are allowed", places.len());
        ensure!(!places.is_empty(), "invalid index: its weight_map is empty");
        let mut files: BTreeMap<String, HashSet<String>> = BTreeMap::new();
        for (name, file) in places {
            check_file(&file).with_context(|| format!("weight_map entry {}", shown_name(&name)))?;
            files.entry(file).or_default().insert(name);
        }
        Ok(Self { files, total_size: document.metadata.total_size })
    }
}

/// Index of a folder, if any. Errors if it has several and none has the usual name.
pub(super) fn index_of(folder: &Path) -> Result<Option<PathBuf>> {
    let names: Vec<PathBuf> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    let indices: Vec<&PathBuf> = names.iter().filter(|path| is_named_index(path)).collect();
    let usual = indices.iter().find(|path| path.ends_with(USUAL_INDEX));
    match (usual, indices.as_slice()) {
        (Some(index), _) | (None, [index]) => Ok(Some((*index).clone())),
        (None, []) => Ok(None),
        (None, [first, ..]) => {
            bail!(
                "it holds {} indices: name one of them, such as {}",
                indices.len(),
                shown_name(&first.to_string_lossy())
            )
        }
    }
}

pub(super) fn files_of_index(path: &Path) -> Result<Vec<PathBuf>> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let names = Index::read(path)?.files.into_keys();
    Ok(names.map(|name| folder.join(name)).chain([path.into()]).collect())
}

/// Errors if the path is not that of a file inside its folder.
fn check_file(file: &str) -> Result<()> {
    let parts = || Path::new(file).components();
    let is_outside = parts().any(|part| matches!(part, Component::ParentDir | Component::RootDir));
    ensure!(!is_outside, "{} is outside the folder", shown_name(file));
    let is_name = !file.is_empty() && parts().all(|part| matches!(part, Component::Normal(_)));
    ensure!(is_name && !file.contains(['\\', '\0']), "{} is not a file name", shown_name(file));
    Ok(())
}
