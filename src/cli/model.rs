//! `fanin model`: all weights of a model.

use std::fs::OpenOptions;
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use rustix::fs::{OFlags, fcntl_setfl};

use super::destination::Destination;
use super::drawing_options::{DrawingOptions, default_layout};
use super::output::{Folder, Output, Shards};
use super::overlap::Touched;
use super::slices::Slices;
use super::tokenizer_files;
use super::{help, shown};
use crate::format::Sidecar;
use crate::model::family::{self, Configured, Family};
use crate::model::moments;
use crate::model::{self, MAX_LENGTH, Overrides, Recipe, Request, RuleSet, Syntax, Template, TemplateOptions, Text};
use crate::reader::{Content, content};
use crate::tensor::{DType, Layout, Name};
use crate::text::{bytes, cut, did_you_mean, escape};

/// Write all weights of a model.
#[derive(clap::Args)]
#[command(
    before_help = help::styled(EXAMPLES),
    after_long_help = help::styled(RECIPES),
    mut_arg("seed", |seed| seed.help(SEED).long_help(SEED)),
    mut_arg("threads", |last| last),
    mut_arg("max_memory", |last| last),
)]
pub(super) struct Model {
    /// Recipe, config.json, model family or weights file; - for stdin
    ///
    /// A recipe is TOML or JSON. The folder of a config.json of Transformers stands for that file. `fanin list models` lists the families.
    /// A weights file, an index of shards or a folder of either gives names, shapes and types to --rules and --keep.
    #[arg(value_name = "SPEC")]
    spec: String,
    /// Override a constant, as in hidden=64; repeatable
    ///
    /// A constant of the recipe, or a key of the config.json.
    #[arg(long, value_name = "NAME=VALUE", help_heading = help::INPUT)]
    set: Vec<String>,
    /// Recipe with rules for a weights file, or `moments`
    ///
    /// `moments` draws each tensor with its own mean and standard deviation. A recipe of that name is ./moments.
    #[arg(long, value_name = "FILE", help_heading = help::INPUT)]
    rules: Option<PathBuf>,
    /// Tensors to copy, as in 'model.*'; repeatable
    ///
    /// The tensors of the weights file whose names match are copied; the others are drawn again.
    #[arg(long, value_name = "PATTERN", help_heading = help::INPUT)]
    keep: Vec<String>,
    /// Axes: torch, keras, ... [default: the recipe's]
    ///
    /// A framework (`fanin list layouts`), or one letter per axis: i inputs, o outputs, k kernel, b batch, g group, as in oikk.
    /// Without one in the recipe, the default is io, or torch for .pt.
    #[arg(long, help_heading = help::AXES)]
    layout: Option<Layout>,
    #[command(flatten)]
    numbers: DrawingOptions,
    /// f64, f32, f16 or bf16 [default: the recipe's]
    #[arg(long, help_heading = help::NUMBERS)]
    dtype: Option<DType>,
    #[command(flatten)]
    slices: Slices,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    shards: Shards,
    /// Write a family even if it exceeds 4 GiB
    #[arg(long, help_heading = help::OUTPUT)]
    yes: bool,
    /// Folder with tokenizer files to copy
    #[arg(long, value_name = "DIR", help_heading = help::OUTPUT)]
    tokenizer_from: Option<PathBuf>,
}

const SEED: &str = "Seed: 0 to 2^64-1, or `random` [default: the recipe's]";

const EXAMPLES: &str = "\
Examples:
  fanin model gpt2 --set n_layer=2 -o tiny/     a family with its defaults
  fanin model config.json -o checkpoint/        as Transformers initialises it
  fanin model recipe.toml -o model.safetensors  your own names, shapes and rules";

const RECIPES: &str = "\
More examples:
  fanin model recipe.toml --set hidden=64 --set layers=2 -o tiny.npz
  fanin model - -o mlp.npz < recipe.toml
  fanin model trained.safetensors --rules head.toml --keep 'model.*' -o new.safetensors
  fanin model checkpoint/ --rules moments -o twin/

A recipe:
  [constants]
  hidden = 256
  [rules]
  \"*.bias\" = \"zeros\"
  \"*\" = \"he-normal\"
  [tensors]
  \"fc1.weight\" = [784, \"hidden\"]
  \"fc1.bias\" = [\"hidden\"]

docs/recipes.md explains recipes by example.";

/// The size of values, in bytes, above which a family's name alone is not enough: a short line would fill a disk.
const LARGE: u64 = 4 << 30;

/// The source of a model.
enum Source {
    Recipe(Box<Recipe>),
    Config { name: String, text: String },
    Template,
    Family(Box<Family>),
}

impl Model {
    pub(super) fn run(&self, out: &mut dyn Write) -> Result<()> {
        let settings = self.set.iter().map(|text| Overrides::pair(text).context("--set"));
        let settings: Vec<_> = settings.collect::<Result<_>>()?;
        let names = settings.iter().map(|(name, _)| name);
        if let Some(name) = names
            .enumerate()
            .find_map(|(at, name)| settings[..at].iter().any(|(before, _)| before == name).then_some(name))
        {
            bail!("--set `{}`: it is given twice", escape(&cut(name, 60)));
        }
        let mut asked = Request {
            numbers: self.numbers.asked(),
            dtype: self.dtype,
            layout: self.layout.clone(),
            default_layout: Layout::default(),
            constants: Overrides::default(),
        };
        let mut sidecars = Vec::new();
        let mut notes = Vec::new();
        let mut configured = |Configured { model, config, notes: found }| {
            notes.extend(found);
            sidecars.push(Sidecar { name: family::FILE.into(), bytes: config });
            model
        };
        let constants = settings.iter().cloned().collect();
        let source = source(&self.spec, self.rules.is_some() || !self.keep.is_empty(), &constants)?;
        if !matches!(source, Source::Template) {
            let of_templates = "SPEC is not a weights file";
            ensure!(self.rules.is_none(), "--rules: {of_templates}");
            ensure!(self.keep.is_empty(), "--keep: {of_templates}");
        }
        let touched = self.touched(&source)?;
        let mut destination = self.output.destination(Folder::Checkpoint, self.shards, touched)?;
        asked.default_layout = default_layout(destination.format())?;
        let by_name = matches!(source, Source::Family(_));
        let made = match source {
            Source::Recipe(recipe) => {
                asked.constants = constants;
                recipe.model(&asked)?
            }
            Source::Config { name, text } => {
                configured(family::from_config(&text, &settings, &asked).with_context(|| name)?)
            }
            Source::Template => {
                asked.constants = constants;
                let Template { model, files } = self.templated(&asked, &destination)?;
                destination.divide(files);
                sidecars.extend(config_beside(Path::new(&self.spec))?);
                model
            }
            Source::Family(family) => configured(family::from_defaults(&family, &settings, &asked)?),
        };
        let unwritten = (!sidecars.is_empty() && !destination.is_folder())
            .then(|| format!("{} is not written: use `-o DIR/` to write it with the weights", family::FILE));
        let plan = made.plan.with_tied(made.tied).with_notes(notes.into_iter().chain(unwritten));
        for file in self.tokenizer_files(&destination)? {
            // The files of this model have priority.
            if sidecars.iter().all(|own| own.name != file.name) {
                sidecars.push(file);
            }
        }
        let plan = self.slices.of(plan)?;
        ensure!(
            self.yes || !by_name || destination.is_dry_run || plan.bytes() <= LARGE,
            "`{}` has {} of values: add --yes to write them, or choose a smaller size with --set",
            escape(&self.spec),
            bytes(plan.bytes())
        );
        destination.write_with(out, &plan, sidecars)
    }

    fn tokenizer_files(&self, destination: &Destination) -> Result<Vec<Sidecar>> {
        let Some(folder) = &self.tokenizer_from else { return Ok(Vec::new()) };
        ensure!(destination.is_folder(), "--tokenizer-from needs a checkpoint in a folder: -o DIR/");
        tokenizer_files::copied(folder)
    }

    /// The input files.
    fn touched(&self, source: &Source) -> Result<Touched> {
        const SPEC: &str = "SPEC";
        let (touched, path) = (Touched::default(), Path::new(&self.spec));
        let touched = match source {
            Source::Template => {
                let config = path.join(family::FILE);
                let touched = touched.reads_weights(SPEC, path);
                if config.is_file() { touched.reads(SPEC, &config) } else { touched }
            }
            Source::Config { .. } if path.is_dir() => touched.reads(SPEC, &path.join(family::FILE)),
            Source::Recipe(recipe) => {
                recipe.files().fold(touched.reads(SPEC, path), |touched, path| touched.reads(SPEC, path))
            }
            Source::Config { .. } => touched.reads(SPEC, path),
            Source::Family(_) => touched,
        };
        let mut touched = self.rules_file().iter().fold(touched, |touched, path| touched.reads("--rules", path));
        if let Some(folder) = &self.tokenizer_from {
            for name in tokenizer_files::names(folder)? {
                touched = touched.reads("--tokenizer-from", &folder.join(name));
            }
        }
        Ok(touched)
    }

    /// The file of `--rules`, unless it is a set of rules that has a name.
    fn rules_file(&self) -> Option<&Path> {
        self.rules.as_deref().filter(|path| path.as_os_str() != moments::NAME)
    }

    /// A model with the tensors of a weights file.
    fn templated(&self, asked: &Request, destination: &Destination) -> Result<Template> {
        let read = |path: &Path| {
            let is_near = || path.to_str().map_or(String::new(), |name| did_you_mean(name, [moments::NAME]));
            let text = text_of_file(path).with_context(|| format!("{}{}", shown(path), is_near()));
            Ok::<_, anyhow::Error>((escape(&path.to_string_lossy()), text?))
        };
        let recipe =
            self.rules_file().map(|path| read(path).map(|read| (path, read))).transpose().context("--rules")?;
        let recipe =
            recipe.as_ref().map(|(path, (name, text))| RuleSet::Recipe(text_of_recipe(Some(path), name, text)));
        let rules = recipe.or(self.rules.as_ref().map(|_| RuleSet::Moments));
        let format = destination.format();
        let check = |name: &Name, element| format.map_or(Ok(()), |format| format.check_type(name, element));
        let threads = self.output.resources.threads();
        let options = TemplateOptions { rules, keep: &self.keep, check_type: &check, threads };
        model::from_template(Path::new(&self.spec), &options, asked)
    }
}

fn text_of_recipe<'a>(path: Option<&'a Path>, name: &'a str, text: &'a str) -> Text<'a> {
    Text { shown_name: name, content: text, syntax: Syntax::of(name, text), path }
}

/// The config.json in the folder of a template, unchanged.
fn config_beside(folder: &Path) -> Result<Option<Sidecar>> {
    let path = folder.join(family::FILE);
    if !path.is_file() {
        return Ok(None);
    }
    let text = text_of_file(&path).with_context(|| shown(&path))?;
    Ok(Some(Sidecar { name: family::FILE.into(), bytes: text.into_bytes() }))
}

/// The model of a recipe, a config.json or a family, for `fanin verify`.
pub(super) fn model_of(spec: &str, numbers: &DrawingOptions, default_layout: Layout) -> Result<model::Model> {
    let asked = Request { numbers: numbers.asked(), default_layout, ..Request::default() };
    Ok(match source(spec, false, &Overrides::default())? {
        Source::Recipe(recipe) => recipe.model(&asked)?,
        Source::Config { name, text } => family::from_config(&text, &[], &asked).with_context(|| name)?.model,
        Source::Family(family) => family::from_defaults(&family, &[], &asked)?.model,
        Source::Template => bail!("{} holds weights, not a recipe", escape(spec)),
    })
}

/// True for the name of a model in the Hub of Hugging Face, `OWNER/NAME`, unless OWNER is a folder.
fn is_hub_name(path: &Path) -> bool {
    let is_file_name =
        path.extension().is_some_and(|extension| Syntax::EXTENSIONS.iter().any(|known| extension == *known));
    path.components().count() == 2 && !is_file_name && path.parent().is_some_and(|owner| !owner.is_dir())
}

/// The kind of a SPEC on the command line, by its content. As a template, a folder's weights take precedence over its config.json. The
/// constants are those of a recipe.
fn source(spec: &str, is_template: bool, constants: &Overrides) -> Result<Source> {
    if spec == "-" {
        let text = text_of(io::stdin().lock()).context("standard input")?;
        let source = classified(None, "standard input".into(), text, constants)?;
        let weights = matches!(source, Source::Template);
        ensure!(!weights, "standard input holds weights, not a recipe: name a weights file instead");
        return Ok(source);
    }
    let path = Path::new(spec);
    let metadata = match path.metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound && !spec.contains(['/', '.']) => {
            return Ok(Source::Family(Family::find(spec).context("SPEC is not a file")?.into()));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && is_hub_name(path) => {
            bail!("{} is not a file: download its config.json, or use a family, as `gpt2`", shown(path))
        }
        metadata => metadata.with_context(|| shown(path))?,
    };
    if metadata.is_dir() {
        let inside = path.join(family::FILE);
        if !inside.is_file() || is_template {
            return Ok(Source::Template);
        }
        return source(inside.to_str().with_context(|| format!("{} is not UTF-8", shown(path)))?, false, constants);
    }
    // A pipe is read once, as text.
    let content = if metadata.is_file() { content(path)? } else { Content::Text };
    // No recipe and no config.json is as long.
    if content == Content::Weights || content == Content::Json && metadata.len() > MAX_LENGTH {
        return Ok(Source::Template);
    }
    ensure!(
        metadata.len() <= MAX_LENGTH,
        "{}: {} bytes: a recipe has at most 16 MiB",
        shown(path),
        crate::text::grouped(metadata.len())
    );
    let text = text_of_file(path).with_context(|| shown(path))?;
    if path.file_name().is_some_and(|name| name == family::FILE) {
        return Ok(Source::Config { name: escape(spec), text });
    }
    classified(Some(path), escape(spec), text, constants)
}

/// A recipe, or another kind of JSON.
fn classified(path: Option<&Path>, name: String, text: String, constants: &Overrides) -> Result<Source> {
    if Syntax::of(&name, &text) == Syntax::Json {
        let keys: Option<serde_json::Map<String, serde_json::Value>> =
            serde_json::from_str(text.trim_start_matches('\u{feff}')).ok();
        let has = |key: &str| keys.as_ref().is_some_and(|keys| keys.contains_key(key));
        let recipe = ["tensors", "blocks", "extends"].into_iter().any(has);
        if !recipe && has("model_type") {
            return Ok(Source::Config { name, text });
        }
        if has("fanin") || (!recipe && has("weight_map")) || keys.as_ref().is_some_and(holds_values) {
            return Ok(Source::Template);
        }
    }
    Ok(Source::Recipe(Recipe::read(&text_of_recipe(path, &name, &text), constants)?.into()))
}

/// True if a table of tensors holds values, as in JSON weights files.
fn holds_values(keys: &serde_json::Map<String, serde_json::Value>) -> bool {
    let tensors = keys.get("tensors").and_then(serde_json::Value::as_object);
    tensors.is_some_and(|tensors| tensors.values().any(|tensor| tensor.get("data").is_some()))
}

/// The text of a file, or of a pipe with a writer, such as a shell's `<(...)`. Opening does not block without a writer.
fn text_of_file(path: &Path) -> Result<String> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let is_pipe = file.metadata()?.file_type().is_fifo();
    if is_pipe {
        fcntl_setfl(&file, OFlags::empty())?;
    }
    let text = text_of(file)?;
    ensure!(!is_pipe || !text.is_empty(), "it is a pipe without a writer");
    Ok(text)
}

/// Reads a text no longer than the maximum length of a recipe.
fn text_of(source: impl Read) -> Result<String> {
    let mut bytes = Vec::new();
    source.take(MAX_LENGTH + 1).read_to_end(&mut bytes)?;
    ensure!(bytes.len() as u64 <= MAX_LENGTH, "more than 16 MiB, the limit of a recipe");
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].split(|&byte| byte == b'\n').count();
        anyhow!("line {line} is not UTF-8")
    })
}
