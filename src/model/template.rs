//! Templates: a plan by the names, shapes and types of files that are there already.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::constants::constants;
use super::document::{self, Node, Text};
use super::entry::{Reading, known_key};
use super::expression::{Language, Scope};
use super::patterns::{Globs, Patterns};
use super::recipe::{General, required};
use super::rules::Rules;
use super::{Model, Request};
use crate::generator::Generator;
use crate::parallel::try_map;
use crate::plan::{Common, CopiedTensor, DrawnTensor, Plan, Tensor};
use crate::reader::{Contents, Entry};
use crate::tensor::{Copied, DType, Element, Layout, Name, Shape, StoredTensor};
use crate::text;

/// How the tensors of a template are filled.
#[derive(Clone, Copy)]
pub struct TemplateOptions<'a> {
    /// A recipe of rules alone.
    pub rules: Option<Text<'a>>,
    /// Patterns of the names of tensors that are copied.
    pub keep: &'a [String],
    /// Errors if a tensor that is copied has a type that cannot be written.
    pub check_type: &'a dyn Fn(&Name, Element) -> Result<()>,
    /// How many threads read what is copied, for its hash.
    pub threads: usize,
}

/// The keys of a recipe that holds for a template.
const KEYS: [&str; 6] = ["seed", "dtype", "layout", "constants", "require", "rules"];

/// The model that has the tensors of a file of weights, some copied and the others drawn by rules.
pub fn from_template(path: &Path, refill: &TemplateOptions, asked: &Request) -> Result<Model> {
    let keep = keep(refill.keep)?;
    let template = Template::open(path)?;
    ensure!(
        refill.rules.is_some() || !refill.keep.is_empty(),
        "`{}` is a file of weights: --rules FILE says how its tensors are drawn anew, --keep PATTERN which are copied",
        text::escape(&path.to_string_lossy())
    );
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
    let copied: Vec<bool> = slots.iter().map(|slot| !keep.matching(slot.name.as_str()).is_empty()).collect();
    if let Some(number) = keep.unmatched(|_| false) {
        bail!("--keep `{}`: the pattern matches no tensor", shown(&refill.keep[number]));
    }
    let mut fills = Vec::with_capacity(slots.len());
    for (slot, copied) in slots.into_iter().zip(copied) {
        let fill = if copied {
            rules.note(slot.name.as_str());
            Fill::Copied
        } else {
            Fill::Drawn(drawing.tensor(&slot)?.into())
        };
        fills.push((slot, fill));
    }
    rules.all_matched()?;
    let tensors = template.filled(fills, refill)?;
    let plan = Plan::of_layers(general.generator, general.seed, tensors)?;
    Ok(Model { plan, tied: Vec::new(), constants })
}

fn shown(pattern: &str) -> String {
    text::escape(&text::cut(pattern, 60))
}

/// The patterns of the names that are copied.
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
    fn tensor(&self, slot: &TemplateTensor) -> Result<DrawnTensor> {
        let TemplateTensor { name, shape, .. } = slot;
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
            DrawnTensor::new(name.clone(), shape.clone(), &scheme, &common)
        };
        drawn().with_context(|| rule.place.to_string())
    }
}

/// Files whose tensors are taken as a pattern. Their values are read only where they are copied.
struct Template {
    contents: Contents,
}

/// A tensor of a template.
struct TemplateTensor {
    name: Name,
    shape: Shape,
    /// The type of its elements, where it is one that is drawn.
    dtype: Option<DType>,
    /// The word of the file for that type.
    type_word: String,
}

impl TemplateTensor {
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
    Copied,
    /// They are drawn.
    Drawn(Box<DrawnTensor>),
}

impl Template {
    /// Opens a file of weights, a folder of them, or an index and all the files that it names. Errors name the file.
    fn open(path: &Path) -> Result<Self> {
        Ok(Self { contents: Contents::open(path)? })
    }

    /// The tensors in order.
    fn slots(&self) -> Result<Vec<TemplateTensor>> {
        let slot = |entry: &Entry| {
            Ok(TemplateTensor {
                name: entry.name.parse()?,
                shape: entry.shape.clone(),
                dtype: entry.dtype(),
                type_word: entry.type_word.clone(),
            })
        };
        self.contents.entries.iter().map(slot).collect()
    }

    /// The tensors of a plan, each as it is filled. What is copied is read once, by several threads, for its hash.
    fn filled(self, fills: Vec<(TemplateTensor, Fill)>, refill: &TemplateOptions) -> Result<Vec<Tensor>> {
        let mut sources = Vec::with_capacity(fills.len());
        for ((slot, fill), entry) in fills.iter().zip(&self.contents.entries) {
            sources.push(match fill {
                Fill::Copied => {
                    let values = entry.values().with_context(|| format!("`{}` cannot be copied", slot.name))?;
                    (refill.check_type)(&slot.name, values.element())?;
                    Some(values.clone())
                }
                Fill::Drawn(_) => None,
            });
        }
        let copied = hashed(&fills, &sources, refill.threads)?;
        let tensors = fills.into_iter().zip(copied).map(|((slot, fill), copied)| match (fill, copied) {
            (Fill::Drawn(tensor), _) => Ok((*tensor).into()),
            (Fill::Copied, Some(copied)) => Ok(CopiedTensor::new(slot.name, slot.shape, copied)?.into()),
            (Fill::Copied, None) => bail!("`{}` was not read", slot.name),
        });
        tensors.collect()
    }
}

/// The tensors that are copied, with their hashes, which threads make in any order.
fn hashed(
    fills: &[(TemplateTensor, Fill)],
    sources: &[Option<StoredTensor>],
    threads: usize,
) -> Result<Vec<Option<Copied>>> {
    try_map(sources.len(), threads, |number| {
        let copied = sources[number].clone().map(Copied::new);
        copied.transpose().with_context(|| format!("`{}`", fills[number].0.name))
    })
}
