//! Templates: a plan by the names, shapes and types of files that are there already.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::constants::constants;
use super::document::{self, Node, Text};
use super::entry::{Reading, known_key};
use super::expression::{Language, Scope};
use super::patterns::{Globs, Patterns};
use super::recipe::{General, required};
use super::rules::Rules;
use super::{Asked, Model};
use crate::generator::Generator;
use crate::plan::{Common, DType, Kept, Layout, Name, Plan, Shape, StoredTensor, Tensor};
use crate::reader::Contents;
use crate::text;
use crate::unique::Unique;

/// The longest index that is read.
const MAX_INDEX: u64 = 100_000_000;

/// How the tensors of a template are filled.
#[derive(Clone, Copy, Debug)]
pub struct Refill<'a> {
    /// A recipe of rules alone.
    pub rules: Option<Text<'a>>,
    /// Patterns of the names of tensors that are copied.
    pub keep: &'a [String],
    /// How many threads read what is kept, for its hash.
    pub threads: usize,
}

/// The keys of a recipe that holds for a template.
const KEYS: [&str; 6] = ["seed", "dtype", "layout", "constants", "require", "rules"];

/// The model that has the tensors of a file of weights, some copied and the others drawn by rules.
pub fn from_template(path: &Path, refill: &Refill, asked: &Asked) -> Result<Model> {
    ensure!(
        refill.rules.is_some() || !refill.keep.is_empty(),
        "`{}` is a file of weights: --rules FILE says how its tensors are drawn anew, --keep PATTERN which are copied",
        text::escape(&path.to_string_lossy())
    );
    let keep = keep(refill.keep)?;
    let template = Template::open(path)?;
    let slots = template.slots().with_context(|| format!("`{}`", text::escape(&path.to_string_lossy())))?;
    let root = refill.rules.as_ref().map_or_else(|| Ok(Node::empty()), document::read)?;
    let language = Language::new();
    let reading = Reading { file: refill.rules.map_or("--rules", |rules| rules.shown_name), language: &language };
    for (key, node) in root.table().with_context(|| reading.file.to_string())? {
        known_key(key, &KEYS).with_context(|| reading.place(node, "", key).to_string())?;
    }
    let (scope, constants) = constants(&language, reading.file, root.get("constants"), &asked.constants)?;
    required(reading, &root, &scope)?;
    let general = General::read(reading, &root, asked, &scope)?;
    let rules = Rules::read(reading, root.get("rules"), &scope)?;
    // Where nobody says otherwise, the type is that of the template.
    let dtype = Some(general.dtype).filter(|_| asked.dtype.is_some() || root.get("dtype").is_some());
    let drawing =
        Drawing { rules: &rules, layout: &general.layout, generator: general.generator, dtype, scope: &scope };
    let kept: Vec<bool> = slots.iter().map(|slot| !keep.matching(slot.name.as_str()).is_empty()).collect();
    if let Some(number) = keep.unmatched(|_| false) {
        bail!("--keep `{}`: the pattern matches no tensor", shown(&refill.keep[number]));
    }
    let mut fills = Vec::with_capacity(slots.len());
    for (slot, kept) in slots.into_iter().zip(kept) {
        let fill = if kept {
            rules.note(slot.name.as_str());
            Fill::Kept
        } else {
            Fill::Drawn(drawing.tensor(&slot)?.into())
        };
        fills.push((slot, fill));
    }
    rules.all_matched()?;
    let tensors = template.filled(fills, refill.threads)?;
    let plan = Plan::of_layers(general.generator, general.seed, tensors)?;
    Ok(Model { plan, tied: Vec::new(), constants })
}

fn shown(pattern: &str) -> String {
    text::escape(&text::cut(pattern, 60))
}

/// The patterns of the names that are kept.
fn keep(texts: &[String]) -> Result<Patterns> {
    let mut globs = Globs::default();
    for text in texts {
        globs.add(text).with_context(|| format!("--keep `{}`", shown(text)))?;
    }
    globs.compile().context("--keep")
}

/// What tensors are drawn by.
struct Drawing<'a, 'e> {
    rules: &'a Rules<'e>,
    layout: &'a Layout,
    generator: &'static Generator,
    /// The type of all that are drawn, where one was asked for.
    dtype: Option<DType>,
    scope: &'a Scope,
}

impl Drawing<'_, '_> {
    fn tensor(&self, slot: &Slot) -> Result<Tensor> {
        let Slot { name, shape, .. } = slot;
        let rule = self.rules.of(name.as_str(), self.scope)?;
        let rule = rule.with_context(|| {
            format!("no rule matches `{name}`: add one to --rules, such as `\"*\" = \"he-normal\"`, or --keep '{name}'")
        })?;
        let settings = &rule.settings;
        let drawn = || {
            let scheme = settings.scheme.as_ref().context("it names no scheme")?.text(self.scope)?;
            let dtype = settings.dtype(self.scope)?.or(self.dtype).map_or_else(|| slot.dtype(), Ok)?;
            let layout = settings.layout(self.scope)?.unwrap_or_else(|| self.layout.clone());
            let common = Common { dtype, layout, fans: settings.fans(self.scope)?, generator: self.generator };
            Tensor::new(name.clone(), shape.clone(), &scheme, &common)
        };
        drawn().with_context(|| rule.place.to_string())
    }
}

/// Files whose tensors are taken as a pattern. Their values are read only where they are kept.
struct Template {
    files: Vec<Contents>,
    /// The file of each tensor, and its number there.
    places: Vec<(usize, usize)>,
}

/// A tensor of a template.
struct Slot {
    name: Name,
    shape: Shape,
    /// The type of its elements, where it is one that is drawn.
    dtype: Option<DType>,
    /// The word of the file for that type.
    type_word: String,
}

impl Slot {
    fn dtype(&self) -> Result<DType> {
        let Self { name, type_word, .. } = self;
        self.dtype.with_context(|| {
            let word = text::escape(type_word);
            format!("`{name}` is of type {word}, which no scheme draws: give its rule a dtype, or --keep '{name}'")
        })
    }
}

/// Where the values of a tensor of the plan come from.
enum Fill {
    /// They are copied from the template.
    Kept,
    /// They are drawn.
    Drawn(Box<Tensor>),
}

impl Template {
    /// Opens a file of weights, or an index and all the files that it names. Errors name the file.
    fn open(path: &Path) -> Result<Self> {
        let shown = || format!("`{}`", text::escape(&path.to_string_lossy()));
        let Some(map) = weight_map(path).with_context(shown)? else {
            return Ok(Self::of(vec![Contents::open(path)?]));
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        let mut files = Vec::with_capacity(map.len());
        for (file, names) in map {
            let contents = Contents::open(&folder.join(&file)).with_context(shown)?;
            check_against(&contents, &names).with_context(|| format!("`{}`", text::escape(&file)))?;
            files.push(contents);
        }
        Ok(Self::of(files))
    }

    /// Files in the order of their names, their tensors in the order of each file: an index is sorted by name, and says
    /// nothing of the order in which a model has them.
    fn of(files: Vec<Contents>) -> Self {
        let places = files
            .iter()
            .enumerate()
            .flat_map(|(file, contents)| (0..contents.entries.len()).map(move |number| (file, number)));
        Self { places: places.collect(), files }
    }

    /// The tensors in order.
    fn slots(&self) -> Result<Vec<Slot>> {
        let slot = |&(file, number): &(usize, usize)| {
            let entry = &self.files[file].entries[number];
            Ok(Slot {
                name: entry.name.parse()?,
                shape: entry.shape.clone(),
                dtype: entry.dtype(),
                type_word: entry.type_word.clone(),
            })
        };
        self.places.iter().map(slot).collect()
    }

    /// The tensors of a plan, each as it is filled. What is kept is read once, by `threads` threads, for its hash.
    fn filled(self, fills: Vec<(Slot, Fill)>, threads: usize) -> Result<Vec<Tensor>> {
        let mut sources = Vec::with_capacity(fills.len());
        for (number, (slot, fill)) in fills.iter().enumerate() {
            let (file, entry) = self.places[number];
            sources.push(match fill {
                Fill::Kept => {
                    let values = self.files[file].entries[entry].values();
                    Some(values.cloned().with_context(|| format!("`{}` cannot be kept", slot.name))?)
                }
                Fill::Drawn(_) => None,
            });
        }
        let kept = hashed(&fills, &sources, threads)?;
        let tensors = fills.into_iter().zip(kept).map(|((slot, fill), kept)| match (fill, kept) {
            (Fill::Drawn(tensor), _) => Ok(*tensor),
            (Fill::Kept, Some(kept)) => Ok(Tensor::keep(slot.name, slot.shape, kept)),
            (Fill::Kept, None) => bail!("`{}` was not read", slot.name),
        });
        tensors.collect()
    }
}

/// The tensors that are kept, with their hashes, which threads make in any order.
fn hashed(fills: &[(Slot, Fill)], sources: &[Option<StoredTensor>], threads: usize) -> Result<Vec<Option<Kept>>> {
    let done: Vec<Mutex<Option<Result<Kept>>>> = sources.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(number) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|&number| number < sources.len()) {
            let Some(values) = sources[number].clone() else { continue };
            let kept = Kept::new(values);
            *done[number].lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        }
    };
    std::thread::scope(|scope| {
        let spawn = |_| std::thread::Builder::new().spawn_scoped(scope, work).ok();
        let others: Vec<_> = (1..threads).map_while(spawn).collect();
        work();
        drop(others);
    });
    let kept = done.into_iter().zip(fills).map(|(kept, (slot, _))| {
        let kept = kept.into_inner().unwrap_or_else(PoisonError::into_inner);
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
    if !brace || opening[8] == b'{' && opening[..8].contains(&0) {
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
