//! `fanin pretrain`: initial weights trained on data.

mod checkpoint;
mod log;
mod options;
mod resume;
mod watch;

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use clap::builder::NonEmptyStringValueParser;
use sha2::{Digest, Sha256};

use super::data::DataOptions;
use super::output::Output;
use super::overlap::Touched;
use super::shown;
use crate::format::Piece;
use crate::generator::NATIVE;
use crate::model::mlp::{self, BiasScheme, Sizes};
use crate::plan::{Common, Plan, Tensor};
use crate::pretrain::{ARITHMETIC, Known, Layer, METHODS, MethodSpec, Progress, Run, Training, TrainingTarget};
use crate::reader::Dataset;
use crate::tensor::{DType, Fans, Layout, Part, Seed, Shape, TensorIdentity, TrainedIdentity};
use crate::text::{bytes, cut, escape};
use crate::writer::{self, Existing};
use checkpoint::Checkpoint;
use log::Log;
use options::MethodOptions;
use resume::Begun;
use watch::{ConsoleObserver, ObservedData, Unseen};

/// Train initial weights on data, layer by layer.
#[derive(clap::Args)]
#[command(
    mut_arg("resume", |resume| resume.conflicts_with(clap::builder::Resettable::Reset).help("Continue an interrupted run from its checkpoint, if any")),
    mut_arg("max_memory", |memory| memory.help("Memory limit for training, and for data that is compressed, text or cut into columns, such as 8GiB [default: half of the free memory]")),
)]
pub(super) struct Pretrain {
    /// Training method: NAME or NAME:key=value,... (see below)
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    method: String,
    /// Layer sizes joined by -, starting with the number of features, as in 784-256-64
    sizes: Sizes,
    /// Data file, samples x features: .npy, text such as CSV, or a tensor of a weights file (.npz, safetensors, ...)
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    #[command(flatten)]
    data_options: DataOptions,
    #[command(flatten)]
    options: MethodOptions,
    /// Scheme of the weights before training [default: the method's]
    #[arg(long, value_name = "EXPR", value_parser = NonEmptyStringValueParser::new())]
    scheme: Option<String>,
    /// Random seed: 0 to 2^64-1 (decimal or 0x hex), or `random`
    #[arg(long, allow_negative_numbers = true, default_value = "0", help_heading = super::NUMBERS)]
    seed: Seed,
    /// Names, shapes and order: a framework, or one letter per axis (io, oi) [default: `default`]
    #[arg(long)]
    layout: Option<Layout>,
    /// Element type: f64, f32, f16 or bf16; trained values have f32 precision
    #[arg(long, default_value = "f32", help_heading = super::NUMBERS)]
    dtype: DType,
    /// Log file for the measurements, one JSON object per line
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Plot of the learning curve and the first layer's weights
    #[arg(long, value_name = "FILE.svg")]
    plot: Option<PathBuf>,
    /// Epochs between checkpoints, written to FILE.checkpoint next to the output [default: one every ten seconds]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    checkpoint_every: Option<u64>,
    #[command(flatten)]
    output: Output,
}

impl Pretrain {
    pub(super) fn run(mut self, out: &mut dyn Write) -> Result<()> {
        let (resume, replaces) = (self.output.take_resume(), self.output.replaces());
        if resume {
            // An output of the run itself may be there: any other is refused below.
            self.output.replace();
        }
        let asked = MethodSpec::parse(&self.method, &self.options.pairs())?;
        let seed = single(&self.seed)?;
        self.check_memory(&asked)?;
        let wanted = self.wanted(&asked, &unknown())?;
        let planned_of = |tensors| Plan::new(NATIVE, self.seed.clone(), tensors);
        let planned =
            |wanted: &[TrainingTarget]| planned_of(wanted.iter().map(|wanted| wanted.tensor.clone()).collect());
        // An hour of learning must not end in a refusal.
        let (touched, checkpoint) = (self.touched(), checkpoint::path_beside(&self.output));
        self.output.check(&planned(&wanted)?, touched.clone())?;
        self.check_beside(resume)?;
        let table = self.table()?;
        let (threads, limit) = (self.output.resources.threads(), self.output.resources.limit());
        let known = known(&table, threads).with_context(|| shown(&self.data))?;
        let wanted = self.wanted(&asked, &known.identity)?;
        if self.output.is_dry_run() {
            return self.output.write(out, &planned(&wanted)?, touched);
        }
        let run = self.identity(&wanted)?;
        let outline = planned_of(wanted.iter().map(TrainingTarget::outline).collect())?;
        let mut begun = if resume { self.begun(&outline, &run, replaces)? } else { Begun::default() };
        if begun.is_finished {
            checkpoint::remove(checkpoint.as_deref())?;
            return self.output.report_kept(out, &outline);
        }
        let from = std::mem::take(&mut begun.progress);
        let mut looker = self.looker(begun, run, resume, replaces)?;
        let learning = Learning { asked: &asked, seed, table: &table, known: &known, threads, limit };
        let mut tensors = learning.tensors(wanted, from, &mut looker).with_context(|| shown(&self.data))?;
        if let Some(first) = tensors.first_mut() {
            first.notes.extend(looker.notes().into_iter().chain(table.notes.iter().cloned()));
        }
        let plan = planned_of(tensors)?;
        looker.finish(&plan)?;
        self.output.write(out, &plan, touched)?;
        checkpoint::remove(checkpoint.as_deref())
    }

    /// Errors if a file beside the weights could not be written, before the data is read.
    fn check_beside(&self, resume: bool) -> Result<()> {
        let pieces = [Piece::Bytes(Vec::new())];
        for (option, path) in [("--log", &self.log), ("--plot", &self.plot)] {
            let Some(path) = path else { continue };
            let checked = writer::check_target(&Plan::nothing(), &pieces, path, self.output.file_options());
            checked.with_context(|| shown(path)).context(option)?;
        }
        let Some(path) = checkpoint::path_beside(&self.output) else {
            ensure!(!resume, "--resume: a checkpoint lies beside the output: -o FILE");
            ensure!(
                self.checkpoint_every.is_none(),
                "--checkpoint-every: a checkpoint lies beside the output: -o FILE"
            );
            return Ok(());
        };
        let interrupted = path.symlink_metadata().is_ok() && self.output.file_options().existing == Existing::Refuse;
        ensure!(
            !interrupted,
            "{}: a run was interrupted there: --resume goes on with it, --force begins anew",
            shown(&path)
        );
        Ok(())
    }

    fn looker(&self, begun: Begun, run: Run, resume: bool, replaces: bool) -> Result<ConsoleObserver> {
        let name = resume::short(&run);
        let log = self.log.as_ref().map(|path| match resume {
            true => Log::resumed(path, &name, &begun.history, replaces).context("--log"),
            false => Ok(Log::new(path, &name, replaces)),
        });
        let fsync = self.output.file_options().fsync;
        let checkpoint = checkpoint::path_beside(&self.output);
        let checkpoint = checkpoint.map(|path| Checkpoint::new(path, run, self.checkpoint_every, fsync));
        let mut looker = ConsoleObserver::new(&self.output, name, begun.history, begun.notes);
        (looker.log, looker.picture, looker.checkpoint) = (log.transpose()?, self.plot.clone(), checkpoint);
        Ok(looker)
    }

    /// The files that are read, and those that are written beside the weights.
    fn touched(&self) -> Touched {
        let mut touched = Touched::default().reads_weights("--data", &self.data);
        for (option, path) in [("--log", &self.log), ("--plot", &self.plot)] {
            touched = path.iter().fold(touched, |touched, path| touched.writes(option, path));
        }
        checkpoint::path_beside(&self.output)
            .iter()
            .fold(touched, |touched, path| touched.writes("its checkpoint", path))
    }

    fn check_memory(&self, asked: &MethodSpec) -> Result<()> {
        let (needed, limit) = (asked.workspace(self.sizes.all()), self.output.resources.limit());
        ensure!(
            needed <= limit,
            "layers of these sizes take {} of memory to learn, above the limit of {}: raise --max-memory",
            bytes(needed),
            bytes(limit)
        );
        Ok(())
    }

    fn table(&self) -> Result<Dataset> {
        let table = Dataset::open(&self.data, &self.data_options.table(), self.output.resources.limit())?;
        let (features, first) = (table.features as u64, self.sizes.all()[0]);
        ensure!(
            features == first,
            "{} has {features} features a sample, and the first size is {first}: begin the sizes with {features}",
            shown(&self.data)
        );
        Ok(table)
    }

    /// The tensors that will be learned, in the order of the layers.
    fn wanted(&self, asked: &MethodSpec, data: &TensorIdentity) -> Result<Vec<TrainingTarget>> {
        let method = asked.method;
        let scheme = match (&self.scheme, asked.scheme()) {
            (Some(_), None) => bail!("--scheme: {} finds its weights, and starts from none", method.name),
            (Some(scheme), Some(_)) => scheme,
            (None, own) => own.unwrap_or("zeros"),
        };
        let mlp = mlp::Mlp {
            sizes: self.sizes.clone(),
            activation: "linear".parse()?,
            layout: self.layout.clone().unwrap_or_default(),
            dtype: self.dtype,
            like: None,
            generator: NATIVE,
            scheme: Some(scheme.into()),
            last: None,
            bias: BiasScheme::Usual,
        };
        let mut wanted = Vec::new();
        // A layer is its weight and its bias, whatever the framework calls them.
        for (layer, tensors) in mlp.tensors()?.chunks(2).enumerate() {
            let trained = |part| TrainedIdentity {
                data: data.clone(),
                layer,
                method: asked.to_string(),
                part,
                sizes: self.sizes.all().into(),
            };
            for (tensor, part) in tensors.iter().zip([Part::Weight, Part::Bias]) {
                let tensor = Tensor { notes: Vec::new(), ..tensor.clone() };
                wanted.push(TrainingTarget { tensor, trained: trained(part) });
            }
            if method.has_visible_bias {
                let tensor = self.visible_bias(&tensors[0], self.sizes.all()[layer])?;
                wanted.push(TrainingTarget { tensor, trained: trained(Part::VisibleBias) });
            }
        }
        Ok(wanted)
    }

    /// The tensor of a layer's visible biases: beside its weight, as `visible_bias`.
    fn visible_bias(&self, weight: &Tensor, inputs: u64) -> Result<Tensor> {
        let name = weight.spec.name.as_str();
        let name = match name.rfind(['.', '/']) {
            Some(end) => format!("{}visible_bias", &name[..=end]),
            None => format!("{name}.visible_bias"),
        };
        let layout = Layout::default();
        let common = Common { dtype: self.dtype, layout, fans: Fans::default(), generator: NATIVE };
        let tensor = Tensor::new(name.parse()?, Shape::new(vec![inputs])?, "zeros", &common)?;
        Ok(Tensor { notes: Vec::new(), ..tensor })
    }

    /// What tells this run apart from any other.
    fn identity(&self, wanted: &[TrainingTarget]) -> Result<Run> {
        let told = wanted.iter().map(|TrainingTarget { tensor, trained }| {
            Ok(format!("{} {} {}", tensor.spec.name, tensor.expression, serde_json::to_string(trained)?))
        });
        let told = told.collect::<Result<Vec<_>>>()?.join("\n");
        Ok(Sha256::digest(format!("{ARITHMETIC}\n{}\n{told}", self.seed)).into())
    }
}

/// Data of which nothing is known yet.
fn unknown() -> TensorIdentity {
    TensorIdentity { dtype: String::new(), name: String::new(), sha256: String::new(), shape: Vec::new() }
}

fn pool(threads: usize) -> Result<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().context("no threads are to be had")
}

fn known(table: &Dataset, threads: usize) -> Result<Known> {
    pool(threads)?.install(|| Known::of(table))
}

/// The seed of the native generator.
pub(super) fn single(seed: &Seed) -> Result<u64> {
    NATIVE.check(seed)?;
    seed.to_u64().context("the seed is one of 64 bits")
}

/// The most bytes of samples that are kept in memory.
const MAX_KEPT: u64 = 1 << 30;

/// What is learned from, and how.
pub(super) struct Learning<'a> {
    pub(super) asked: &'a MethodSpec,
    pub(super) seed: u64,
    pub(super) table: &'a Dataset,
    pub(super) known: &'a Known,
    pub(super) threads: usize,
    /// The most memory that learning may take, in bytes.
    pub(super) limit: u64,
}

impl Learning<'_> {
    /// The tensors with what they have learned.
    pub(super) fn tensors(
        &self,
        wanted: Vec<TrainingTarget>,
        from: Progress,
        watch: &mut dyn ObservedData,
    ) -> Result<Vec<Tensor>> {
        let layers = self.layers(&wanted, from, watch)?;
        wanted.into_iter().map(|wanted| wanted.learned(&layers)).collect()
    }

    fn layers(&self, wanted: &[TrainingTarget], from: Progress, watch: &mut dyn ObservedData) -> Result<Vec<Layer>> {
        let survey = &self.known.survey;
        let dtype = wanted.first().map_or(DType::F32, |wanted| wanted.tensor.spec.dtype);
        watch.data(self.asked.notes(survey, dtype));
        let count = wanted.iter().map(|wanted| wanted.trained.layer + 1).max().unwrap_or(0);
        let layers = TrainingTarget::starts(wanted, count, self.seed, self.threads)?;
        let sizes = wanted.first().map_or(&[][..], |wanted| &wanted.trained.sizes);
        let taken = self.asked.workspace(sizes).saturating_add(self.table.memory());
        let memory = self.limit.saturating_sub(taken).min(MAX_KEPT);
        let training = Training { asked: self.asked, seed: self.seed, table: self.table, survey, layers, memory };
        pool(self.threads)?.install(|| training.run(from, watch))
    }
}

/// What was learned from data, learned again from the same. Errors where the data is other data, or the tensors do not go together.
pub(super) fn again(
    wanted: Vec<TrainingTarget>,
    seed: &Seed,
    table: &Dataset,
    threads: usize,
    limit: u64,
) -> Result<Vec<Tensor>> {
    let Some(TrainingTarget { trained: first, .. }) = wanted.first() else { return Ok(Vec::new()) };
    let known = known(table, threads)?;
    let identity = &known.identity;
    let same = identity.sha256 == first.data.sha256 && identity.dtype == first.data.dtype;
    ensure!(
        same && identity.shape == first.data.shape,
        "it was learned from `{}` of SHA-256 {}, and --data has SHA-256 {}",
        cut(&escape(&first.data.name), 100),
        cut(&escape(&first.data.sha256), 64),
        identity.sha256
    );
    let run = |identity: &TrainedIdentity| (identity.data.clone(), identity.method.clone(), identity.sizes.clone());
    let together = wanted.iter().all(|wanted| run(&wanted.trained) == run(first));
    ensure!(together, "its tensors were learned in several runs, which is not verified");
    let asked = MethodSpec::parse(&first.method, &[])?;
    ensure!(asked.to_string() == first.method, "its method is not spelled as it is recorded");
    let first_size = first.sizes.first().copied().unwrap_or(0);
    ensure!(first_size == table.features as u64, "its first size is {first_size}, and its data has {}", table.features);
    let learning = Learning { asked: &asked, seed: single(seed)?, table, known: &known, threads, limit };
    learning.tensors(wanted, Progress::default(), &mut Unseen)
}

/// The methods, for the help.
pub(super) fn methods() -> String {
    let widest = METHODS.iter().map(|method| method.name.len()).max().unwrap_or(0);
    let rows =
        METHODS.iter().map(|method| format!("  {:widest$}  {} ({})", method.name, method.summary, method.source));
    format!("Methods:\n{}", rows.collect::<Vec<_>>().join("\n"))
}
