//! `fanin verify`: recomputes a file's values and compares them, or tests their distribution.

mod distribution;
mod modules;
mod report;

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Error, Result, anyhow, bail, ensure};

use super::data::DataOptions;
use super::drawing_options::{DrawingOptions, default_layout};
use super::resources::Resources;
use super::screen::Screen;
use super::{Outcome, help, shown};
use crate::format::Format;
use crate::generator::{Generator, NATIVE};
use crate::model::Model;
use crate::plan::{Common, DrawnTensor, Plan, norm_of};
use crate::pretrain::TrainingTarget;
use crate::provenance::{Provenance, TensorProvenance};
use crate::reader::{Contents, Dataset, Entry};
use crate::tensor::{Base, Element, Fans, Layout, Name};
use crate::text::{cut, escape, grouped, matches};
use crate::verify::{TensorMatch, compare, copies, match_tensors};
use crate::writer::Settings;

/// Recompute the values of a file and compare them, or test their distribution.
///
/// The file's own provenance is used unless --scheme or --recipe is given. Exit status: 0 match, 1 mismatch, 2 error.
#[derive(clap::Args)]
#[command(before_help = help::styled(EXAMPLES), mut_args(with_help))]
pub(super) struct Verify {
    /// Weights file, index (*.index.json), or a folder of either
    file: PathBuf,
    /// Tensors to check, as in 'fc*' [default: all]
    ///
    /// `*` matches any characters, `?` exactly one.
    #[arg(long, value_name = "PATTERN", help_heading = help::INPUT)]
    tensor: Option<String>,
    /// Data that the weights were trained on
    #[arg(long, value_name = "FILE", conflicts_with_all = ["scheme", "recipe"], help_heading = help::INPUT)]
    data: Option<PathBuf>,
    #[command(flatten)]
    data_options: DataOptions,
    /// Scheme or module, for a file without provenance
    #[arg(long, conflicts_with = "recipe", help_heading = help::SCHEMES)]
    scheme: Option<String>,
    /// Recipe or config.json, for a file without provenance
    ///
    /// As `fanin model` takes it.
    #[arg(long, value_name = "FILE", help_heading = help::SCHEMES)]
    recipe: Option<PathBuf>,
    /// Name under which the tensor was drawn, with --scheme
    ///
    /// Needed if the name of the .npy file differs.
    #[arg(long, requires = "scheme", help_heading = help::SCHEMES)]
    name: Option<Name>,
    /// Axes: torch, keras, ..., or letters; with --scheme
    ///
    /// A framework (`fanin list layouts`), or one letter per axis: i inputs, o outputs, k kernel, b batch, g group, as in oikk.
    #[arg(long, requires = "scheme", help_heading = help::AXES)]
    layout: Option<Layout>,
    /// Number of inputs per output [default: by layout]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = super::init::fan, requires = "scheme", help_heading = help::AXES)]
    fan_in: Option<u64>,
    /// Number of outputs per input [default: by layout]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = super::init::fan, requires = "scheme", help_heading = help::AXES)]
    fan_out: Option<u64>,
    #[command(flatten)]
    numbers: DrawingOptions,
    /// Weight that a scheme such as pissa-a started from
    #[arg(long, value_name = "FILE", help_heading = help::BASE)]
    base: Option<PathBuf>,
    /// Tensor of that file, if it has several
    #[arg(long, value_name = "NAME", requires = "base", help_heading = help::BASE)]
    base_tensor: Option<String>,
    /// Test the distribution of the values, whatever their seed
    ///
    /// With --scheme or --recipe, this also works for files from other programs.
    #[arg(long, help_heading = help::TEST)]
    distribution: bool,
    /// Probability of a false alarm [default: 1e-6]
    ///
    /// It applies to all tensors together.
    #[arg(long, value_name = "P", default_value = "1e-6", hide_default_value = true, value_parser = alpha, requires = "distribution", allow_negative_numbers = true, help_heading = help::TEST)]
    alpha: f64,
    /// Print nothing; the exit status is the answer
    #[arg(short, long, help_heading = help::OUTPUT)]
    quiet: bool,
    /// Print the report as JSON
    #[arg(long, help_heading = help::OUTPUT)]
    json: bool,
    #[command(flatten)]
    resources: Resources,
}

const EXAMPLES: &str = "\
Examples:
  fanin verify w.safetensors                            by its provenance
  fanin verify w.npy --scheme he-normal --seed 7        by a scheme and a seed
  fanin verify w.npy --scheme he-normal --distribution  by a statistical test";

const SEED: &str = "Seed of the values, with --scheme or --recipe";

/// Sets this command's help of the common options.
fn with_help(argument: clap::Arg) -> clap::Arg {
    match argument.get_id().as_str() {
        "seed" => argument.help(SEED).long_help(SEED),
        "like" => argument.help("Framework of the values, with --scheme or --recipe").long_help(
            "Framework of the values, with --scheme or --recipe\n\nThe tensors count as drawn in the order of the file; with --tensor, only those that match count.",
        ),
        _ => argument,
    }
}

/// The expected tensors of a file.
struct Expected {
    plan: Plan,
    /// The names of tensors that need a missing base to be derived; only a test of distributions works without it.
    underived: Vec<String>,
    /// The names of tensors outside the plan, each with the tensor that it equals.
    tied: Vec<(Name, Name)>,
    /// The names of tensors of types that no distribution draws, such as step counters. They are not in the plan.
    undrawn: Vec<String>,
}

impl From<Plan> for Expected {
    fn from(plan: Plan) -> Self {
        Self { plan, underived: Vec::new(), tied: Vec::new(), undrawn: Vec::new() }
    }
}

fn alpha(text: &str) -> Result<f64, String> {
    let alpha = text.parse().ok().filter(|alpha| (1e-300..=0.1).contains(alpha));
    alpha.ok_or_else(|| "use a probability from 1e-300 to 0.1".into())
}

impl Verify {
    pub(super) fn run(&self, out: &mut dyn Write) -> Result<Outcome> {
        let mut contents = Contents::open(&self.file)?;
        if let Some(pattern) = &self.tensor {
            let any = contents.entries.iter().any(|entry| matches(pattern, &entry.name));
            ensure!(any, "--tensor `{pattern}`: no tensor of {} matches it", shown(&self.file));
        }
        self.rename(&mut contents)?;
        let done = if self.distribution { self.test(out, &mut contents) } else { self.compare(out, &mut contents) };
        done.with_context(|| escape(&shown(&self.file)))
    }

    /// Recomputes and compares every value.
    fn compare(&self, out: &mut dyn Write, contents: &mut Contents) -> Result<Outcome> {
        let expected = self.expected(contents)?;
        let mut meeting = self.match_tensors(&expected, contents);
        let Expected { plan, undrawn, .. } = expected;
        let copies = copies(contents, &|name| self.wants(name))?;
        meeting.faults.extend(copies.changed);
        meeting.faults.extend(contents.faults.iter().map(|fault| (String::new(), fault.clone())));
        let pairs = [meeting.pairs.as_slice(), &meeting.tied].concat();
        for tensor in plan.drawn_for(pairs.iter().map(|&(number, _)| number)) {
            plan.check_workspace(tensor, self.resources.limit_for(tensor))?;
        }
        let started = Instant::now();
        let settings = Settings { threads: &self.resources.threads_on_demand(), progress: &|_| () };
        let differences = compare(&plan, contents, &pairs, &settings)?;
        let seconds = started.elapsed().as_secs_f64();
        let tensors = pairs.iter().zip(differences).map(|(&(number, entry), difference)| report::Tensor {
            name: &contents.entries[entry].name,
            planned: &plan.tensors()[number],
            difference,
        });
        let (faults, tensors) = (&meeting.faults, tensors.collect());
        let compared =
            report::Compared { plan: &plan, faults, tensors, copied: copies.same, undrawn: &undrawn, seconds };
        match (self.json, self.quiet) {
            (true, _) => compared.machine(out)?,
            (false, true) => {}
            (false, false) => compared.human(&mut Screen::stdout(out))?,
        }
        Ok(if compared.is_equal() { Outcome::Done } else { Outcome::Different })
    }

    fn match_tensors(&self, expected: &Expected, contents: &Contents) -> TensorMatch {
        let kept = contents.entries.iter().filter(|entry| entry.copied.is_some()).map(|entry| entry.name.as_str());
        let others: HashSet<&str> = kept.chain(expected.undrawn.iter().map(String::as_str)).collect();
        match_tensors(&expected.plan, &expected.tied, contents, &|name| self.wants(name) && !others.contains(name))
    }

    fn wants(&self, name: &str) -> bool {
        let named = self.name.as_ref().is_some_and(|own| own.as_str() == name);
        named || self.tensor.as_ref().is_none_or(|pattern| matches(pattern, name))
    }

    /// Renames the single selected tensor to the name that it was drawn with.
    fn rename(&self, contents: &mut Contents) -> Result<()> {
        let Some(name) = &self.name else { return Ok(()) };
        let mut wanted: Vec<_> = contents.entries.iter_mut().filter(|entry| self.wants(&entry.name)).collect();
        match wanted.as_mut_slice() {
            [entry] => entry.name = name.to_string(),
            others => bail!("--name needs a single tensor, but there are {}: select one with --tensor", others.len()),
        }
        Ok(())
    }

    /// The tensors that the file should hold.
    fn expected(&self, contents: &Contents) -> Result<Expected> {
        let base = self.base()?.map(Arc::new);
        if let Some(expression) = &self.scheme {
            let plan = self.by_expression(expression, contents, base.as_ref())?;
            return Ok(Expected { undrawn: self.undrawn(&plan, contents), ..plan.into() });
        }
        if let Some(path) = &self.recipe {
            let expected = self.by_recipe(path, contents.format)?;
            return Ok(Expected { undrawn: self.undrawn(&expected.plan, contents), ..expected });
        }
        let Some(provenance) = &contents.provenance else {
            let why = contents.ignored.as_ref().map_or("it has no provenance".into(), |why| cut(&escape(why), 200));
            let distribution = if self.distribution { "" } else { ", or test it with --distribution" };
            bail!("{why}: pass --recipe FILE, or --scheme EXPR --seed N{distribution}");
        };
        if let Some(option) = self.numbers.given() {
            bail!("{option} needs --scheme or --recipe: the file's provenance already has it");
        }
        let trained = provenance.tensors.iter().flatten().any(|(_, tensor)| tensor.trained.is_some());
        if trained && !self.distribution {
            return Ok(self.learned(provenance)?.into());
        }
        ensure!(self.data.is_none(), "--data: no tensor of the file was learned from data");
        self.by_provenance(provenance, base.as_ref())
    }

    /// The names of tensors of types that no distribution draws, unless the plan has them.
    fn undrawn(&self, plan: &Plan, contents: &Contents) -> Vec<String> {
        let planned: HashSet<&str> = plan.tensors().iter().map(|tensor| tensor.name().as_str()).collect();
        let entries = contents.entries.iter().filter(|entry| entry.dtype().is_none() && self.wants(&entry.name));
        entries.filter(|entry| !planned.contains(entry.name.as_str())).map(|entry| entry.name.clone()).collect()
    }

    /// Repeats the training of all trained weights of the plan.
    fn learned(&self, provenance: &Provenance) -> Result<Plan> {
        let mut wanted = Vec::new();
        for (name, tensor) in provenance.tensors.iter().flatten() {
            let word = || format!("the provenance of `{}`", cut(&escape(name), 100));
            wanted.push(TrainingTarget::from_record(name, tensor).with_context(word)?);
        }
        let data = &wanted.first().context("its provenance has no tensors")?.trained.data;
        let Some(path) = &self.data else {
            bail!(
                "it was learned from `{}` (SHA-256 {}): pass that file as --data FILE",
                cut(&escape(&data.name), 100),
                cut(&escape(&data.sha256), 64)
            );
        };
        let table = Dataset::open(path, &self.data_options.table(), self.resources.limit()).context("--data")?;
        let seed = provenance.seed()?;
        let (threads, limit) = (self.resources.threads(), self.resources.limit());
        let tensors = super::pretrain::retrain(wanted, &seed, &table, threads, limit).context("its provenance")?;
        Ok(Plan::new(NATIVE, seed, tensors)?.only(|tensor| self.wants(tensor.name().as_str())))
    }

    fn by_provenance(&self, provenance: &Provenance, base: Option<&Arc<Base>>) -> Result<Expected> {
        let generator = Generator::find(&provenance.generator).context("its provenance")?;
        let (mut tensors, mut underived) = (Vec::new(), Vec::new());
        let drawn = |tensor: &TensorProvenance| tensor.copied.is_none();
        let listed = || provenance.tensors.iter().flatten();
        let has_norms = listed().any(|(name, tensor)| self.wants(name) && norm_of(&tensor.scheme).is_some());
        // If a tensor's values continue those of others, or are norms of others, the others are derived too.
        let needed = |tensor: &TensorProvenance| tensor.order.is_some() || has_norms && tensor.base.is_none();
        let all = listed().filter(|(name, tensor)| (self.wants(name) || needed(tensor)) && drawn(tensor));
        for (name, tensor) in all {
            let word = || format!("the provenance of `{}`", cut(&escape(name), 100));
            match self.derive(name, tensor, generator, base).with_context(word)? {
                Some(tensor) => tensors.push(tensor),
                None => underived.push(name.clone()),
            }
        }
        let plan = Plan::new(generator, provenance.seed()?, tensors)?;
        Ok(Expected { underived, ..plan.only(|tensor| self.wants(tensor.name().as_str())).into() })
    }

    /// A tensor from its provenance; `None` for a test of distributions if its base is missing.
    fn derive(
        &self,
        name: &str,
        provenance: &TensorProvenance,
        generator: &'static Generator,
        base: Option<&Arc<Base>>,
    ) -> Result<Option<DrawnTensor>> {
        let Some(identity) = &provenance.base else { return Ok(Some(provenance.tensor(name, generator)?)) };
        match base {
            Some(base) => {
                let same = base.identity.sha256 == identity.sha256 && base.identity.dtype == identity.dtype;
                ensure!(
                    same && base.identity.shape == identity.shape,
                    "it started from `{}` with SHA-256 {}, but --base has SHA-256 {}",
                    cut(&escape(&identity.name), 100),
                    cut(&escape(&identity.sha256), 64),
                    base.identity.sha256
                );
                Ok(Some(provenance.tensor_from(name, generator, Some(base))?))
            }
            None if self.distribution => Ok(None),
            None => bail!(
                "it started from `{}` (SHA-256 {}): pass its file as --base FILE",
                cut(&escape(&identity.name), 100),
                cut(&escape(&identity.sha256), 64)
            ),
        }
    }

    /// Every tensor of the file by one expression.
    fn by_expression(&self, expression: &str, contents: &Contents, base: Option<&Arc<Base>>) -> Result<Plan> {
        let known = self.distribution || self.numbers.has_seed();
        ensure!(known, "--scheme needs --seed N, or --distribution if the seed is unknown");
        if let Some(plan) = self.by_module(expression, contents)? {
            return Ok(plan);
        }
        let generator = self.numbers.generator();
        let wanted: Vec<_> = contents.entries.iter().filter(|entry| self.wants(&entry.name)).collect();
        let fans = Fans { fan_in: self.fan_in, fan_out: self.fan_out };
        let layout = self.numbers.layout(self.layout.as_ref(), Some(contents.format))?;
        let drawn = |entry: &Entry, dtype: Element| {
            let common = Common { dtype, layout: layout.clone(), fans, generator };
            let name = entry.name.parse().with_context(|| format!("`{}`", cut(&escape(&entry.name), 100)))?;
            DrawnTensor::from_base(name, entry.shape.clone(), expression, &common, base)
        };
        // Integers beside floating-point numbers count something: the scheme is not theirs.
        let has_floats = wanted.iter().any(|entry| entry.dtype().is_some());
        let tensors = wanted.iter().filter_map(|&entry| {
            let element = entry.element().filter(|element| !has_floats || element.dtype().is_some())?;
            Some(drawn(entry, element))
        });
        let tensors = tensors.collect::<Result<Vec<_>>>()?;
        if let (Some(first), []) = (wanted.first(), tensors.as_slice()) {
            return Err(no_distribution(first));
        }
        Plan::new(generator, self.numbers.seed(), tensors)
    }

    /// The plan of a recipe, as in `fanin model`.
    fn by_recipe(&self, path: &Path, format: &Format) -> Result<Expected> {
        let spec = path.to_str().with_context(|| format!("--recipe {}: its name is not UTF-8", shown(path)))?;
        let made = super::model::model_of(spec, &self.numbers, default_layout(Some(format))?);
        let Model { plan, tied, .. } = made.context("--recipe")?;
        let sources: HashSet<&Name> =
            tied.iter().filter(|(name, _)| self.wants(name.as_str())).map(|(_, source)| source).collect();
        let plan = plan.only(|tensor| self.wants(tensor.name().as_str()) || sources.contains(tensor.name()));
        Ok(Expected { tied, ..plan.into() })
    }

    /// The weight that schemes started from.
    fn base(&self) -> Result<Option<Base>> {
        let Some(path) = &self.base else { return Ok(None) };
        let read = Contents::open(path)?.base(self.base_tensor.as_deref(), self.resources.limit());
        Ok(Some(read.with_context(|| format!("--base {}", shown(path)))?))
    }
}

/// The error for a file in which no tensor has a distribution.
fn no_distribution(entry: &Entry) -> Error {
    let (name, word) = (cut(&escape(&entry.name), 100), escape(&entry.type_word));
    anyhow!("`{name}` has type {word}: no scheme draws it")
}

/// The note on tensors of types that no distribution draws.
fn undrawn_note(names: &[String]) -> Option<String> {
    let (first, others) = names.split_first()?;
    let first = cut(first, 100);
    Some(match others.len() {
        0 => format!("`{first}` is skipped: no distribution has its type"),
        more => format!("`{first}` and {} more are skipped: no distribution has their types", grouped(more as u64)),
    })
}
