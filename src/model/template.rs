//! Templates: a plan by the names, shapes and types of files that are there already.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::plan::{Element, Kept, Name, Region, Shape, Tensor};
use crate::reader::Contents;
use crate::text;
use crate::unique::Unique;

/// The longest index that is read.
const MAX_INDEX: u64 = 100_000_000;

/// Files whose tensors are taken as a pattern. Their values are read only where they are kept.
pub struct Template {
    files: Vec<Contents>,
    /// The file of each tensor, and its number there.
    places: Vec<(usize, usize)>,
}

/// A tensor of a template.
pub struct Slot {
    /// Its name.
    pub name: Name,
    /// Its shape.
    pub shape: Shape,
    /// The type of its elements, where it is known and little-endian.
    pub element: Option<Element>,
    /// The word of the file for that type.
    pub type_word: String,
}

/// Where the values of a tensor of the plan come from.
pub enum Fill {
    /// They are copied from the template.
    Kept,
    /// They are drawn.
    Drawn(Box<Tensor>),
}

impl Template {
    /// Opens a file of weights, or an index and all the files that it names. Errors name the file.
    pub fn open(path: &Path) -> Result<Self> {
        let shown = || format!("`{}`", text::escape(&path.to_string_lossy()));
        let Some(map) = weight_map(path).with_context(shown)? else {
            return Self::of(vec![Contents::open(path)?]).with_context(shown);
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut files = Vec::with_capacity(map.len());
        for (file, names) in map {
            let contents = Contents::open(&folder.join(&file)).with_context(shown)?;
            check_against(&contents, &names).with_context(|| format!("`{}`", text::escape(&file)))?;
            files.push(contents);
        }
        Self::of(files).with_context(shown)
    }

    /// Files in the order of their names, their tensors in the order of each file: an index is sorted by name, and says
    /// nothing of the order in which a model has them.
    fn of(files: Vec<Contents>) -> Result<Self> {
        let places = files.iter().enumerate().flat_map(|(file, contents)| {
            (0..contents.entries.len()).map(move |number| (file, number))
        });
        Ok(Self { places: places.collect(), files })
    }

    /// The tensors in order.
    pub fn slots(&self) -> Result<Vec<Slot>> {
        let slot = |&(file, number): &(usize, usize)| {
            let entry = &self.files[file].entries[number];
            Ok(Slot {
                name: entry.name.parse()?,
                shape: entry.shape.clone(),
                element: entry.element(),
                type_word: entry.type_word.clone(),
            })
        };
        self.places.iter().map(slot).collect()
    }

    /// The tensors of a plan, each as it is filled. What is kept is read once, by `threads` threads, for its hash.
    pub fn filled(mut self, fills: Vec<(Slot, Fill)>, threads: usize) -> Result<Vec<Tensor>> {
        let mut regions = Vec::with_capacity(fills.len());
        for (number, (slot, fill)) in fills.iter().enumerate() {
            let (file, entry) = self.places[number];
            regions.push(match fill {
                Fill::Kept => {
                    let region = self.files[file].region(entry);
                    Some(region.with_context(|| format!("`{}` cannot be kept", slot.name))?)
                }
                Fill::Drawn(_) => None,
            });
        }
        let kept = hashed(&fills, &regions, threads)?;
        let tensors = fills.into_iter().zip(kept).map(|((slot, fill), kept)| match (fill, kept) {
            (Fill::Drawn(tensor), _) => Ok(*tensor),
            (Fill::Kept, Some(kept)) => Ok(Tensor::keep(slot.name, slot.shape, kept)),
            (Fill::Kept, None) => bail!("`{}` was not read", slot.name),
        });
        tensors.collect()
    }
}

/// The tensors that are kept, with their hashes, which threads make in any order.
fn hashed(fills: &[(Slot, Fill)], regions: &[Option<Region>], threads: usize) -> Result<Vec<Option<Kept>>> {
    let done: Vec<Mutex<Option<Result<Kept>>>> = regions.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(number) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&number| number < regions.len()) {
            let Some(region) = regions[number].clone() else { continue };
            let kept = Kept::new(region, &fills[number].0.shape, None);
            *done[number].lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(kept);
        }
    };
    std::thread::scope(|scope| {
        let spawn = |_| std::thread::Builder::new().spawn_scoped(scope, work).ok();
        let others: Vec<_> = (1..threads).map_while(spawn).collect();
        work();
        drop(others);
    });
    let kept = done.into_iter().zip(fills).map(|(kept, (slot, _))| {
        let kept = kept.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        kept.transpose().with_context(|| format!("`{}`", slot.name))
    });
    kept.collect()
}

/// An index as Hugging Face writes it. Other keys are of no concern here.
#[derive(Deserialize)]
struct Index {
    weight_map: Option<Unique<String>>,
}

/// The names of the tensors of each file that an index names; `None` where the file is no index.
fn weight_map(path: &Path) -> Result<Option<BTreeMap<String, HashSet<String>>>> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut reader = BufReader::new(file);
    let mut opening = [0; 9];
    // The length that a safetensors file begins with may look like a brace; then a brace follows it.
    let brace = reader.read_exact(&mut opening).is_ok() && opening.trim_ascii_start().first() == Some(&b'{');
    if !brace || opening[8] == b'{' && opening[..8].iter().any(|&byte| byte == 0) {
        return Ok(None);
    }
    if length > MAX_INDEX {
        return Ok(None);
    }
    let Index { weight_map } = serde_json::from_reader(opening.chain(reader)).context("as an index")?;
    let Some(Unique(places)) = weight_map else { return Ok(None) };
    let mut files: BTreeMap<String, HashSet<String>> = BTreeMap::new();
    for (name, file) in places {
        let plain = !file.is_empty() && !matches!(file.as_str(), "." | "..") && !file.contains(['/', '\\', '\0']);
        ensure!(plain, "as an index: `{file}` is no name of a file beside it");
        files.entry(file).or_default().insert(name);
    }
    ensure!(!files.is_empty(), "as an index: it names no file");
    Ok(Some(files))
}

/// Errors where a file does not hold exactly the tensors that an index says it holds.
fn check_against(contents: &Contents, names: &HashSet<String>) -> Result<()> {
    let held: HashSet<&str> = contents.entries.iter().map(|entry| entry.name.as_str()).collect();
    let missing = names.iter().filter(|name| !held.contains(name.as_str())).min();
    ensure!(missing.is_none(), "the index says that it holds `{}`", missing.map_or("", String::as_str));
    let unknown = held.iter().filter(|name| !names.contains(**name)).min();
    ensure!(unknown.is_none(), "it holds `{}`, which the index does not know there", unknown.unwrap_or(&""));
    Ok(())
}
