//! Templates: a plan with the names, shapes and types of existing weights.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::constants::Constants;
use super::document::{self, Node, Text};
use super::entry::{Reading, known_key};
use super::expression::{Language, Scope};
use super::patterns::{Globs, Patterns};
use super::recipe::{General, required, written};
use super::rules::Rules;
use super::sources::Chain;
use super::{Model, Request};
use crate::generator::Generator;
use crate::parallel::try_map;
use crate::plan::{Common, CopiedTensor, DrawnTensor, Plan, Tensor};
use crate::reader::{Contents, Entry};
use crate::tensor::{Copied, DType, Element, Layout, Name, Shape, StoredTensor};
use crate::text;

/// The content of the tensors of a template.
#[derive(Clone, Copy)]
pub struct TemplateOptions<'a> {
    /// A recipe with rules only.
    pub rules: Option<Text<'a>>,
    /// Patterns of the names of copied tensors.
    pub keep: &'a [String],
    /// Errors if a type cannot be written.
    pub check_type: &'a dyn Fn(&Name, Element) -> Result<()>,
    /// The number of threads that hash copied tensors.
    pub threads: usize,
}

/// The keys of a recipe for a template.
const KEYS: [&str; 6] = ["seed", "dtype", "layout", "constants", "require", "rules"];

/// The model with the tensors of a weights file, some copied and the others drawn by rules.
pub fn from_template(path: &Path, options: &TemplateOptions, request: &Request) -> Result<Model> {
    let keep = keep(options.keep)?;
    let template = Contents::open(path)?;
    ensure!(
        options.rules.is_some() || !options.keep.is_empty(),
        "`{}` is a weights file: add --rules FILE to re-initialise its tensors, or --keep PATTERN to copy them",
        text::escape(&path.to_string_lossy())
    );
    let slots = template.entries.iter().map(TemplateTensor::new).collect::<Result<Vec<_>>>();
    let slots = slots.with_context(|| format!("`{}`", text::escape(&path.to_string_lossy())))?;
    let root = options.rules.as_ref().map_or_else(|| Ok(Node::empty()), document::read)?;
    let language = Language::new();
    let reading = Reading { file: options.rules.map_or("--rules", |rules| rules.shown_name), language: &language };
    for (key, node) in root.table().with_context(|| reading.file.to_string())? {
        known_key(key, &KEYS).with_context(|| reading.place(node, "", key).to_string())?;
    }
    let chain = Chain::alone(reading.file, root);
    let root = &chain.own().root;
    let constants = Constants::new(&language, reading.file, &written(&chain)?, &request.constants)?;
    let scope = constants.scope();
    required(&language, &chain, &scope)?;
    let general = General::read(&language, &chain, request, &scope)?;
    let rules = Rules::read(reading, root.get("rules"), &scope)?;
    // The default type is the template's.
    let dtype = Some(general.dtype).filter(|_| request.dtype.is_some() || root.get("dtype").is_some());
    let drawing =
        Drawing { rules: &rules, layout: &general.layout, generator: general.generator, dtype, scope: &scope };
    let copied: Vec<bool> = slots.iter().map(|slot| !keep.matching(slot.name.as_str()).is_empty()).collect();
    if let Some(number) = keep.unmatched(|_| false) {
        bail!("--keep `{}`: the pattern matches no tensor", shown(&options.keep[number]));
    }
    let mut contents = Vec::with_capacity(slots.len());
    for ((slot, copied), entry) in slots.into_iter().zip(copied).zip(&template.entries) {
        contents.push(if copied {
            rules.note(slot.name.as_str());
            let values = entry.values().with_context(|| format!("`{}` cannot be copied", slot.name))?;
            (options.check_type)(&slot.name, values.element())?;
            Content::Copied(slot, values)
        } else {
            Content::Drawn(drawing.tensor(&slot)?.into())
        });
    }
    rules.all_matched()?;
    let tensors = try_map(contents.len(), options.threads, |number| contents[number].tensor())?;
    let plan = Plan::of_layers(general.generator, general.seed, tensors)?;
    Ok(Model { plan, tied: Vec::new(), constants: constants.to_json()? })
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
    fn tensor(&self, slot: &TemplateTensor) -> Result<DrawnTensor> {
        let TemplateTensor { name, shape, .. } = slot;
        let rule = self.rules.of(name.as_str(), self.scope)?;
        let rule = rule.with_context(|| {
            format!(
                "no rule matches `{name}`: add one to --rules, such as `\"*\" = \"he-normal\"`, or pass --keep '{name}'"
            )
        })?;
        let settings = &rule.settings;
        let drawn = || {
            let scheme = settings.scheme.as_ref().context("`scheme` is missing")?.text(self.scope)?;
            let dtype = settings.dtype(self.scope)?.or(self.dtype).map_or_else(|| slot.dtype(), Ok)?;
            let layout = settings.layout(self.scope)?.unwrap_or_else(|| self.layout.clone());
            let common = Common { dtype, layout, fans: settings.fans(self.scope)?, generator: self.generator };
            DrawnTensor::new(name.clone(), shape.clone(), &scheme, &common)
        };
        drawn().with_context(|| rule.place.to_string())
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
    Copied(TemplateTensor, &'a StoredTensor),
    Drawn(Box<DrawnTensor>),
}

impl Content<'_> {
    /// The tensor of the plan. Reads copied values, for their hash.
    fn tensor(&self) -> Result<Tensor> {
        match self {
            Self::Drawn(tensor) => Ok((**tensor).clone().into()),
            Self::Copied(TemplateTensor { name, shape, .. }, values) => {
                let copied = Copied::new((*values).clone()).with_context(|| format!("`{name}`"))?;
                Ok(CopiedTensor::new(name.clone(), shape.clone(), copied)?.into())
            }
        }
    }
}
