//! Several files read as one: the files of a Hugging Face index, or all weights files of a folder.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::index::{INDEX, Index, files_of_index, index_of, is_index};
use super::{Content, Contents, content, open_file};
use crate::format::{Entry, Format, Found, is_of_weights, may_be_of_weights, shown_name, with_sidecar};
use crate::plan::Plan;
use crate::provenance::{Provenance, TensorProvenance};
use crate::text;

/// Deepest nesting of folders: a name of 512 bytes has no more parts.
const MAX_DEPTH: usize = 256;

/// Weights of a folder: from its index, or from every weights file in it.
pub(super) fn of_folder(folder: &Path) -> Result<Contents> {
    if let Some(index) = index_of(folder)? {
        return of_index(&index);
    }
    let files = files_without_index(folder)?;
    match files.as_slice() {
        [] => bail!("it holds no weights: neither an index (*{INDEX}) nor a file with a known extension"),
        [only] => {
            let (format, found) = open_file(only).with_context(|| shown_path(only))?;
            // In a single-tensor format, the tensor is named after its file.
            if format.holds_several {
                return Ok(Contents::of((format, found)));
            }
        }
        _ => {}
    }
    let kinds: BTreeSet<&str> = files.iter().filter_map(|path| kind(path)).collect();
    ensure!(
        kinds.len() <= 1,
        "it holds files of several formats ({}) and no index: name one file",
        kinds.into_iter().collect::<Vec<_>>().join(", ")
    );
    let mut all = MultiFile::default();
    for path in files {
        let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
        all.add(&path, &name).with_context(|| shown_name(&name))?;
    }
    all.finish()
}

/// Weights files of a folder without an index, by extension. If none matches, files next to a `config.json`, or a lone
/// file, are recognised by content, as for `pytorch_model.bin`.
fn files_without_index(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    weights(folder, 0, &mut files)?;
    if files.is_empty() {
        let names: Vec<PathBuf> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
        let is_weights = |path: &PathBuf| content(path).is_ok_and(|content| content == Content::Weights);
        files = names.into_iter().filter(|path| path.is_file() && may_be_weights(path) && is_weights(path)).collect();
    }
    files.sort();
    Ok(files)
}

/// True if only the content can show that a file holds weights: its extension belongs to no weights format.
fn may_be_weights(path: &Path) -> bool {
    let is_settings = path.file_name().is_some_and(|name| name == "training_args.bin");
    !is_settings && extension(path).is_some_and(may_be_of_weights)
}

fn extension(path: &Path) -> Option<&str> {
    path.extension()?.to_str()
}

/// The usual extension of a file's format, derived from the file's own.
fn kind(path: &Path) -> Option<&'static str> {
    let extension = extension(path).filter(|extension| is_of_weights(extension))?;
    Some(Format::of_extension(extension)?.extensions[0])
}

/// Collects every weights file below a folder. Links to folders are not followed.
fn weights(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    ensure!(depth <= MAX_DEPTH, "folders are nested more than {MAX_DEPTH} deep");
    for entry in fs::read_dir(folder).with_context(|| shown_path(folder))? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            weights(&path, depth + 1, files)?;
        } else if kind(&path).is_some() {
            files.push(path);
            ensure!(files.len() <= Plan::MAX_TENSORS, "it holds more than 2^20 files");
        }
    }
    Ok(())
}

/// Every file read for this path: itself, an index with its files, or the weights of a folder. An unreadable path
/// yields itself, so that opening it reports the error.
pub fn files_of(path: &Path) -> Vec<PathBuf> {
    let found = match path.is_dir() {
        true => files_of_folder(path),
        false if is_index(path).unwrap_or(false) => files_of_index(path),
        false => Ok(with_sidecar(path)),
    };
    found.unwrap_or_else(|_| vec![path.into()])
}

fn files_of_folder(folder: &Path) -> Result<Vec<PathBuf>> {
    match index_of(folder)? {
        Some(index) => files_of_index(&index),
        None => files_without_index(folder),
    }
}

/// Reads the files of an index. Errors if the files contradict the index about a tensor's place.
pub(super) fn of_index(path: &Path) -> Result<Contents> {
    let Index { files, total_size } = Index::read(path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut all = MultiFile::default();
    for (file, names) in &files {
        all.add(&folder.join(file), file).with_context(|| shown_name(file))?;
        let held: HashSet<&str> = all
            .entries
            .iter()
            .filter(|entry| entry.file.as_ref() == Some(file))
            .map(|entry| entry.name.as_str())
            .collect();
        let mut missing: Vec<&String> = names.iter().filter(|name| !held.contains(name.as_str())).collect();
        missing.sort();
        if let Some(name) = missing.first() {
            bail!("the index assigns {} to {}, which does not hold it", shown_name(name), shown_name(file));
        }
        if let Some(name) = held.iter().filter(|name| !names.contains(**name)).min() {
            bail!("{} holds {}, but the index does not list it there", shown_name(file), shown_name(name));
        }
    }
    let held: u64 = all.entries.iter().filter_map(Entry::bytes).sum();
    let mut contents = all.finish()?;
    #[expect(clippy::cast_precision_loss, reason = "a JSON number is a double to most who write it")]
    if let Some(stated) = total_size.filter(|&stated| stated != held as f64) {
        contents.faults.push(format!("the index says total_size {stated}, but the tensors have {held} bytes"));
    }
    Ok(contents)
}

fn shown_path(path: &Path) -> String {
    shown_name(&path.to_string_lossy())
}

/// Files merged so far.
#[derive(Default)]
struct MultiFile {
    format: Option<&'static Format>,
    entries: Vec<Entry>,
    names: HashSet<String>,
    provenance: Vec<(String, Provenance)>,
    notes: Vec<String>,
    /// Number of files.
    files: usize,
    /// Layout that all files share.
    layout: Option<&'static str>,
}

impl MultiFile {
    /// Appends the tensors of one more file.
    fn add(&mut self, path: &Path, file: &str) -> Result<()> {
        let (format, Found { entries, provenance, notes, layout }) = open_file(path)?;
        let first = *self.format.get_or_insert(format);
        let is_same = format.name == first.name;
        ensure!(is_same, "it is {format}, but other files are {first}: use one format");
        for mut entry in entries {
            if !format.holds_several {
                let extension = extension(Path::new(file)).filter(|extension| format.extensions.contains(extension));
                let end = extension.map_or(file.len(), |extension| file.len() - extension.len() - 1);
                entry.name = file[..end].into();
            }
            ensure!(self.names.insert(entry.name.clone()), "{} is also in another file", shown_name(&entry.name));
            ensure!(self.names.len() <= Plan::MAX_TENSORS, "more than 2^20 tensors");
            entry.file = Some(file.into());
            self.entries.push(entry);
        }
        self.layout = layout.filter(|_| self.files == 0 || self.layout == layout);
        self.files += 1;
        let ignored = match provenance {
            Some(Ok(provenance)) => {
                self.provenance.push((file.to_string(), provenance));
                None
            }
            Some(Err(reason)) => Some(reason),
            None => None,
        };
        self.notes.extend(notes.into_iter().chain(ignored).map(|note| format!("{file}: {note}")));
        Ok(())
    }

    fn finish(mut self) -> Result<Contents> {
        let provenance = self.provenance()?;
        let found = Found { entries: self.entries, provenance, notes: self.notes, layout: self.layout };
        Ok(Contents::of((self.format.context("it holds no weights")?, found)))
    }

    /// Merges the provenances of all files, or returns the reason to ignore them if not each has one. Errors if two contradict each other.
    fn provenance(&mut self) -> Result<Option<Result<Provenance, String>>> {
        let some = self.provenance.len();
        let mut provenance = std::mem::take(&mut self.provenance).into_iter();
        let Some((first, mut whole)) = provenance.next() else { return Ok(None) };
        if some < self.files {
            let reason = format!("only {some} of {} files have a provenance: it is ignored", self.files);
            return Ok(Some(Err(reason)));
        }
        let mut tensors: BTreeMap<String, TensorProvenance> = whole.tensors.take().unwrap_or_default();
        for (file, other) in provenance {
            ensure!(
                other.generator == whole.generator && other.seed == whole.seed,
                "{} was drawn with {}, seed {}, but {} with {}, seed {}: the files do not belong together",
                shown_name(&first),
                other_word(&whole.generator),
                whole.seed,
                shown_name(&file),
                other_word(&other.generator),
                other.seed
            );
            for (name, tensor) in other.tensors.unwrap_or_default() {
                if let Some(known) = tensors.get(&name) {
                    ensure!(*known == tensor, "the provenance of {} differs between two files", shown_name(&name));
                }
                tensors.insert(name, tensor);
            }
        }
        whole.tensors = Some(tensors);
        Ok(Some(Ok(whole)))
    }
}

fn other_word(generator: &str) -> String {
    text::cut(&text::escape(generator), 100)
}
