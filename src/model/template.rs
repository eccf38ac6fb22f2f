//! Templates: a plan with the names, shapes and types of existing weights.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::constants::Constants;
use super::document::{self, Node, Text};
use super::entry::{Reading, Settings, known_key};
use super::expression::{Language, Scope};
use super::moments::{self, Moments};
use super::patterns::{Globs, Patterns};
use super::recipe::{General, of_chain, required};
use super::rules::Rules;
use super::sources::Chain;
use super::{Model, Request};
use crate::generator::Generator;
use crate::parallel::try_map;
use crate::plan::{Common, CopiedTensor, DrawnTensor, Plan, Tensor};
use crate::reader::{Contents, Entry};
use crate::tensor::{Copied, DType, Element, Layout, Name, Shape, StoredTensor};
use crate::text;

/// The rules of drawn tensors.
#[derive(Clone, Copy)]
pub enum RuleSet<'a> {
    /// A recipe with rules only.
    Recipe(Text<'a>),
    /// The mean and standard deviation of each tensor.
    Moments,
}

/// The content of the tensors of a template.
#[derive(Clone, Copy)]
pub struct TemplateOptions<'a> {
    /// The rules of tensors that are not copied.
    pub rules: Option<RuleSet<'a>>,
    /// Patterns of the names of copied tensors.
    pub keep: &'a [String],
    /// Errors if a type cannot be written.
    pub check_type: &'a dyn Fn(&Name, Element) -> Result<()>,
    /// The number of threads that hash copied tensors.
    pub threads: usize,
}

/// The keys of a recipe for a template.
const KEYS: [&str; 6] = ["seed", "dtype", "layout", "constants", "require", "rules"];

/// A model with the tensors of existing weights.
pub struct Template {
    pub model: Model,
    /// The number of tensors in each file; empty if the template is one file or files of one tensor.
    pub files: Vec<usize>,
}

/// The model with the tensors of a weights file, some copied and the others drawn by rules.
pub fn from_template(path: &Path, options: &TemplateOptions, request: &Request) -> Result<Template> {
    let keep = keep(options.keep)?;
    let template = Contents::open(path)?;
    ensure!(
        options.rules.is_some() || !options.keep.is_empty(),
        "`{}` is a weights file: add --rules FILE to re-initialise its tensors, or --keep PATTERN to copy them",
        text::escape(&path.to_string_lossy())
    );
    let slots = template.entries.iter().map(TemplateTensor::new).collect::<Result<Vec<_>>>();
    let slots = slots.with_context(|| format!("`{}`", text::escape(&path.to_string_lossy())))?;
    let copied: Vec<bool> = slots.iter().map(|slot| !keep.matching(slot.name.as_str()).is_empty()).collect();
    if let Some(number) = keep.unmatched(|_| false) {
        bail!("--keep `{}`: the pattern matches no tensor", shown(&options.keep[number]));
    }
    let recipe = match options.rules {
        Some(RuleSet::Recipe(text)) => Some(text),
        Some(RuleSet::Moments) | None => None,
    };
    let root = recipe.as_ref().map_or_else(|| Ok(Node::empty()), document::read)?;
    let language = Language::new();
    let reading = Reading { file: recipe.map_or("--rules", |recipe| recipe.shown_name), language: &language };
    for (key, node) in root.table().with_context(|| reading.file.to_string())? {
        known_key(key, &KEYS).with_context(|| reading.place(node, "", key).to_string())?;
    }
    let chain = Chain::alone(reading.file, root);
    let root = &chain.own().root;
    let constants = Constants::new(&language, reading.file, &of_chain(&chain), &request.constants)?;
    let scope = constants.scope();
    required(&language, &chain, &scope)?;
    let general = General::read(&language, &chain, request, &scope)?;
    let rules = Rules::read(reading, root.get("rules"), &scope)?;
    // The default type is the template's.
    let dtype = Some(general.dtype).filter(|_| request.dtype.is_some() || root.get("dtype").is_some());
    let drawing =
        Drawing { rules: &rules, layout: &general.layout, generator: general.generator, dtype, scope: &scope };
    let originals = originals(&template.entries);
    let mut contents: Vec<Content> = Vec::with_capacity(slots.len());
    for (number, (slot, copied)) in slots.into_iter().zip(copied).enumerate() {
        let entry = &template.entries[number];
        contents.push(match options.rules {
            _ if copied => {
                rules.note(slot.name.as_str());
                Content::copied(slot, entry, None, options)?
            }
            Some(RuleSet::Moments) => match contents.get(originals[number]) {
                Some(Content::Drawn(original)) => Content::Tied(slot.name, original.name().clone()),
                _ => match Moments::of(&template, number, options.threads)? {
                    Moments::Kept(kind) => Content::copied(slot, entry, Some(kind), options)?,
                    Moments::Drawn(scheme) => {
                        Content::Drawn(drawing.drawn(&slot, &scheme, &Settings::default())?.into())
                    }
                },
            },
            Some(RuleSet::Recipe(_)) | None => Content::Drawn(drawing.by_rule(&slot)?.into()),
        });
    }
    rules.all_matched()?;
    let tied: Vec<_> = contents.iter().filter_map(Content::tied).collect();
    let files = files(&template, &contents);
    let tensors = try_map(contents.len(), options.threads, |number| contents[number].tensor())?;
    let plan =
        Plan::of_layers(general.generator, general.seed, tensors.into_iter().flatten())?.with_notes(kept(&contents));
    Ok(Template { model: Model { plan, tied, constants: constants.to_json()? }, files })
}

/// For each tensor the number of the first one with the same stored values: that of another if they are tied.
fn originals(entries: &[Entry]) -> Vec<usize> {
    let mut first = HashMap::new();
    let numbered = entries.iter().enumerate();
    let original = |(number, entry): (usize, &Entry)| match entry.values() {
        Ok(values) => *first.entry(values.location()).or_insert(number),
        Err(_) => number,
    };
    numbered.map(original).collect()
}

/// The number of written tensors in each file of a template; empty if it is one file, or files of one tensor.
fn files(template: &Contents, contents: &[Content]) -> Vec<usize> {
    let mut files: Vec<(&Option<String>, usize)> = Vec::new();
    for (entry, content) in template.entries.iter().zip(contents) {
        let written = usize::from(content.tied().is_none());
        match files.last_mut() {
            Some((file, count)) if *file == &entry.file => *count += written,
            _ => files.push((&entry.file, written)),
        }
    }
    let several = files.len() > 1 && template.format.holds_several;
    files.into_iter().map(|(_, count)| count).filter(|count| several && *count > 0).collect()
}

/// A note on the tensors that the rules `moments` keep.
fn kept(contents: &[Content]) -> Option<String> {
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    for content in contents {
        if let Content::Copied { kept: Some(kind), .. } = content {
            *kinds.entry(kind).or_default() += 1;
        }
    }
    let counts: Vec<String> =
        kinds.into_iter().map(|(kind, count)| text::counted(count, &format!("{kind} tensor"))).collect();
    (!counts.is_empty()).then(|| format!("{} keeps the values of {}", moments::NAME, counts.join(", ")))
}

fn shown(pattern: &str) -> String {
    text::escape(&text::cut(pattern, 60))
}

/// The patterns of copied names.
fn keep(texts: &[String]) -> Result<Patterns> {
    let mut globs = Globs::default();
    for text in texts {
        globs.add(text).with_context(|| format!("--keep `{}`", shown(text)))?;
    }
    globs.compile().context("--keep")
}

/// The context of drawn tensors.
struct Drawing<'a, 'e> {
    rules: &'a Rules<'e>,
    layout: &'a Layout,
    generator: &'static Generator,
    /// The type of all drawn tensors, if it was requested.
    dtype: Option<DType>,
    scope: &'a Scope,
}

impl Drawing<'_, '_> {
    /// The tensor by its rule.
    fn by_rule(&self, slot: &TemplateTensor) -> Result<DrawnTensor> {
        let name = &slot.name;
        let rule = self.rules.of(name.as_str(), self.scope)?;
        let rule = rule.with_context(|| {
            format!(
                "no rule matches `{name}`: add one to --rules, such as `\"*\" = \"he-normal\"`, or pass --keep '{name}'"
            )
        })?;
        let settings = &rule.settings;
        let drawn = || {
            let scheme = settings.scheme.as_ref().context("`scheme` is missing")?.text(self.scope)?;
            self.drawn(slot, &scheme, settings)
        };
        drawn().with_context(|| rule.place.to_string())
    }

    fn drawn(&self, slot: &TemplateTensor, scheme: &str, settings: &Settings) -> Result<DrawnTensor> {
        let dtype = settings.dtype(self.scope)?.or(self.dtype.map(Element::Drawn));
        let dtype = dtype.map_or_else(|| slot.dtype().map(Element::Drawn), Ok)?;
        let layout = settings.layout(self.scope)?.unwrap_or_else(|| self.layout.clone());
        let common = Common { dtype, layout, fans: settings.fans(self.scope)?, generator: self.generator };
        DrawnTensor::new(slot.name.clone(), slot.shape.clone(), scheme, &common)
    }
}

struct TemplateTensor {
    name: Name,
    shape: Shape,
    /// The type of its elements, if schemes can draw it.
    dtype: Option<DType>,
    /// The name of the type in the file.
    type_word: String,
}

impl TemplateTensor {
    fn new(entry: &Entry) -> Result<Self> {
        let (shape, type_word) = (entry.shape.clone(), entry.type_word.clone());
        Ok(Self { name: entry.name.parse()?, shape, dtype: entry.dtype(), type_word })
    }

    fn dtype(&self) -> Result<DType> {
        let Self { name, type_word, .. } = self;
        self.dtype.with_context(|| {
            let word = text::escape(type_word);
            format!("no scheme draws `{name}` of type {word}: add a dtype to its rule, or pass --keep '{name}'")
        })
    }
}

/// The content of a tensor of the plan.
enum Content<'a> {
    /// The template's values, with the kind of tensor that the rules keep.
    Copied {
        slot: TemplateTensor,
        values: &'a StoredTensor,
        kept: Option<&'static str>,
    },
    Drawn(Box<DrawnTensor>),
    /// A tensor that is not written, and the one that it equals.
    Tied(Name, Name),
}

impl<'a> Content<'a> {
    fn copied(
        slot: TemplateTensor,
        entry: &'a Entry,
        kept: Option<&'static str>,
        options: &TemplateOptions,
    ) -> Result<Self> {
        let values = entry.values().with_context(|| format!("`{}` cannot be copied", slot.name))?;
        (options.check_type)(&slot.name, values.element())?;
        Ok(Self::Copied { slot, values, kept })
    }

    fn tied(&self) -> Option<(Name, Name)> {
        match self {
            Self::Tied(name, to) => Some((name.clone(), to.clone())),
            Self::Copied { .. } | Self::Drawn(_) => None,
        }
    }

    /// The tensor of the plan, if it is written. Reads copied values, for their hash.
    fn tensor(&self) -> Result<Option<Tensor>> {
        Ok(match self {
            Self::Drawn(tensor) => Some((**tensor).clone().into()),
            Self::Copied { slot: TemplateTensor { name, shape, .. }, values, .. } => {
                let copied = Copied::new((*values).clone()).with_context(|| format!("`{name}`"))?;
                Some(CopiedTensor::new(name.clone(), shape.clone(), copied)?.into())
            }
            Self::Tied(..) => None,
        })
    }
}
