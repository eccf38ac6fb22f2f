//! `fanin pretrain`: initial weights trained on data.

mod checkpoint;
mod log;
mod observer;
mod options;
mod resume;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::builder::NonEmptyStringValueParser;
use sha2::{Digest, Sha256};

use super::data::DataOptions;
use super::drawing_options::default_layout;
use super::output::{Folder, Output, Shards};
use super::overlap::Touched;
use super::{help, shown};
use crate::format::{Format, Piece};
use crate::generator::NATIVE;
use crate::model::mlp::{self, BiasScheme, Sizes};
use crate::picture::PictureFile;
use crate::plan::{Common, DrawnTensor, Plan, TrainedTensor};
use crate::pretrain::{
    ARITHMETIC, DataSummary, Layer, METHODS, Method, MethodSpec, Progress, Run, Training, TrainingObserver,
    TrainingTarget,
};
use crate::reader::Dataset;
use crate::tensor::{DType, Fans, Layout, Part, Seed, Shape, TensorIdentity, TrainedIdentity};
use crate::text::{bytes, cut, escape};
use crate::writer::{self, Existing};
use checkpoint::Checkpoint;
use log::Log;
use observer::{ConsoleObserver, NoObserver};
use options::MethodOptions;
use resume::Resumed;

/// Train initial weights on data, layer by layer.
#[derive(clap::Args)]
#[command(
    before_help = help::styled(EXAMPLES),
    after_help = "`fanin list pretrain-methods` describes the methods.",
    after_long_help = help::styled(&methods()),
    mut_arg("resume", |resume| resume.conflicts_with(clap::builder::Resettable::Reset).help("Continue an interrupted run from its checkpoint")),
    mut_arg("max_memory", |memory| memory.help("Memory limit, as in 8GiB [default: half of free]").long_help("Memory limit for training, and for data that must be unpacked or parsed, as in 8GiB [default: half of the free memory]")),
)]
pub(super) struct Pretrain {
    /// rbm, dae, pca, kmeans, lsuv or weight-norm
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    method: String,
    /// Layer sizes, starting with the number of features, as in 784-256-64
    sizes: Sizes,
    /// Samples x features: .npy, CSV, .npz, ...
    ///
    /// An array file, text such as CSV, or a tensor of a weights file.
    #[arg(long, value_name = "FILE", help_heading = help::INPUT)]
    data: PathBuf,
    #[command(flatten)]
    data_options: DataOptions,
    /// Scheme before training [default: the method's]
    #[arg(long, value_parser = NonEmptyStringValueParser::new(), help_heading = help::SCHEMES)]
    scheme: Option<String>,
    /// Axes, names and order: torch, keras, ... [default: io]
    ///
    /// A framework (`fanin list layouts`), or io or oi for inputs and outputs. For .pt, the default is torch.
    #[arg(long, help_heading = help::AXES)]
    layout: Option<Layout>,
    /// Random seed: 0 to 2^64-1, or `random`
    ///
    /// Decimal, or hexadecimal after 0x.
    #[arg(long, allow_negative_numbers = true, default_value = "0", help_heading = help::NUMBERS)]
    seed: Seed,
    /// Element type: f64, f32, f16 or bf16
    ///
    /// Trained values have the precision of f32.
    #[arg(long, default_value = "f32", help_heading = help::NUMBERS)]
    dtype: DType,
    #[command(flatten)]
    options: MethodOptions,
    #[command(flatten)]
    output: Output,
    /// Log of the measurements, one JSON object per line
    #[arg(long, value_name = "FILE", help_heading = help::OUTPUT)]
    log: Option<PathBuf>,
    /// SVG or PNG of the curves and the first layer
    ///
    /// An SVG or PNG file, by its extension.
    #[arg(long, value_name = "FILE", help_heading = help::OUTPUT)]
    plot: Option<PictureFile>,
    /// Epochs per checkpoint [default: every 10 seconds]
    ///
    /// The checkpoint is FILE.checkpoint next to the output.
    #[arg(long, value_name = "N", value_parser = epochs, help_heading = help::OUTPUT)]
    checkpoint_every: Option<u64>,
}

const EXAMPLES: &str = "\
Examples:
  fanin pretrain rbm 784-256-64 --data x.npy -o w.npz
  fanin pretrain pca 64-16 --data x.csv --columns 2- -o w.npz
  fanin pretrain lsuv 784-256-10 --data x.npz --scheme orthogonal -o w.npz";

fn epochs(text: &str) -> Result<u64, String> {
    text.parse().ok().filter(|&epochs| epochs > 0).ok_or_else(|| "use a whole number of 1 or more".into())
}

impl Pretrain {
    pub(super) fn run(mut self, out: &mut dyn Write) -> Result<()> {
        let replaces = self.output.force;
        // Outputs of this run may exist; others are refused below.
        let resume = self.output.take_resume();
        let method = self.method()?;
        let seed = native_seed(&self.seed)?;
        self.check_memory(&method)?;
        let initial_plan = |targets: &[TrainingTarget]| {
            Plan::new(NATIVE, self.seed.clone(), targets.iter().map(|target| target.tensor.clone()))
        };
        // Every refusal comes before the training.
        let checkpoint = checkpoint::path_beside(&self.output);
        let destination = self.output.destination(Folder::TensorFiles, Shards::default(), self.touched())?;
        let table = self.table()?;
        destination.check(&initial_plan(&self.targets(&method, &unknown(), destination.format())?)?)?;
        self.check_sidecars(resume)?;
        let (threads, limit) = (self.output.resources.threads(), self.output.resources.limit());
        let data = summary(&table, threads).with_context(|| shown(&self.data))?;
        let targets = self.targets(&method, &data.identity, destination.format())?;
        if destination.is_dry_run {
            return destination.write(out, &initial_plan(&targets)?);
        }
        let run = self.identity(&targets)?;
        let outline = Plan::new(NATIVE, self.seed.clone(), targets.iter().map(TrainingTarget::outline))?;
        let mut resumed =
            if resume { self.resumed(&destination, &outline, &run, replaces)? } else { Resumed::default() };
        if resumed.is_finished {
            checkpoint::remove(checkpoint.as_deref())?;
            return destination.report_skipped(out, &outline);
        }
        let from = std::mem::take(&mut resumed.progress);
        let mut observer = self.observer(resumed, run, resume, replaces)?;
        let trainer = Trainer { method: &method, seed, table: &table, data: &data, threads, limit };
        let tensors = trainer.train(targets, from, &mut observer).with_context(|| shown(&self.data))?;
        observer.finish(&tensors)?;
        let notes = observer.take_notes().into_iter().chain(table.notes.iter().cloned());
        let plan = Plan::new(NATIVE, self.seed.clone(), tensors)?.with_notes(notes);
        destination.write(out, &plan)?;
        checkpoint::remove(checkpoint.as_deref())
    }

    fn method(&self) -> Result<MethodSpec> {
        if let Some((name, _)) = self.method.split_once(':').filter(|(name, _)| Method::find(name).is_ok()) {
            bail!("`{}`: options of a method are flags: `{name} --epochs 5`", cut(&escape(&self.method), 60));
        }
        MethodSpec::new(Method::find(&self.method)?, &self.options.pairs())
    }

    /// The log and the picture, each with its option.
    fn sidecars(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let log = self.log.iter().map(|path| ("--log", path.as_path()));
        log.chain(self.plot.iter().map(|plot| ("--plot", plot.path.as_path())))
    }

    /// Errors if the log, the picture or the checkpoint could not be written.
    fn check_sidecars(&self, resume: bool) -> Result<()> {
        let pieces = [Piece::Bytes(Vec::new())];
        for (option, path) in self.sidecars() {
            let checked = writer::check_target(&Plan::nothing(), &pieces, path, self.output.file_options());
            checked.with_context(|| shown(path)).context(option)?;
        }
        let Some(path) = checkpoint::path_beside(&self.output) else {
            ensure!(!resume, "--resume needs -o FILE: the checkpoint is FILE.checkpoint");
            ensure!(
                self.checkpoint_every.is_none(),
                "--checkpoint-every needs -o FILE: the checkpoint is FILE.checkpoint"
            );
            return Ok(());
        };
        let interrupted = path.symlink_metadata().is_ok() && self.output.file_options().existing == Existing::Refuse;
        ensure!(
            !interrupted,
            "{}: an earlier run was interrupted: use --resume to continue it, or --force to start again",
            shown(&path)
        );
        Ok(())
    }

    fn observer(&self, resumed: Resumed, run: Run, resume: bool, replaces: bool) -> Result<ConsoleObserver> {
        let name = resume::short(&run);
        let log = self.log.as_ref().map(|path| match resume {
            true => Log::resumed(path, &name, &resumed.history, replaces).context("--log"),
            false => Ok(Log::new(path, &name, replaces)),
        });
        let fsync = self.output.file_options().fsync;
        let checkpoint = checkpoint::path_beside(&self.output);
        let checkpoint = checkpoint.map(|path| Checkpoint::new(path, run, self.checkpoint_every, fsync));
        let data = self.data.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut observer =
            ConsoleObserver::new(&self.output, name, (data, self.seed.clone()), resumed.history, resumed.notes);
        (observer.log, observer.picture, observer.checkpoint) = (log.transpose()?, self.plot.clone(), checkpoint);
        Ok(observer)
    }

    /// The files that are read, and the sidecars that are written.
    fn touched(&self) -> Touched {
        let mut touched = Touched::default().reads_weights("--data", &self.data);
        for (option, path) in self.sidecars() {
            touched = touched.writes(option, path);
        }
        checkpoint::path_beside(&self.output)
            .iter()
            .fold(touched, |touched, path| touched.writes("its checkpoint", path))
    }

    fn check_memory(&self, method: &MethodSpec) -> Result<()> {
        let (needed, limit) = (method.workspace(self.sizes.all()), self.output.resources.limit());
        ensure!(
            needed <= limit,
            "training layers of these sizes needs {} of memory, above the limit of {}: raise --max-memory",
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
            "{} has {features} features, but the first size is {first}: use {features}-...",
            shown(&self.data)
        );
        Ok(table)
    }

    /// The tensors to be trained, in the order of the layers.
    fn targets(
        &self,
        spec: &MethodSpec,
        data: &TensorIdentity,
        format: Option<&Format>,
    ) -> Result<Vec<TrainingTarget>> {
        let method = spec.method;
        let scheme = match (&self.scheme, spec.scheme()) {
            (Some(_), None) => bail!("--scheme: {} computes its weights from the data alone", method.name),
            (Some(scheme), Some(_)) => scheme,
            (None, default) => default.unwrap_or("zeros"),
        };
        let mlp = mlp::Mlp {
            sizes: self.sizes.clone(),
            activation: "linear".parse()?,
            layout: self.layout.clone().map_or_else(|| default_layout(format), Ok)?,
            dtype: self.dtype,
            like: None,
            generator: NATIVE,
            scheme: Some(scheme.into()),
            last: None,
            bias: BiasScheme::Usual,
        };
        let mut targets = Vec::new();
        // Two tensors per layer: weight and bias.
        for (layer, tensors) in mlp.tensors()?.chunks(2).enumerate() {
            let trained = |part| TrainedIdentity {
                data: data.clone(),
                layer,
                method: spec.to_string(),
                part,
                sizes: self.sizes.all().into(),
            };
            for (tensor, part) in tensors.iter().zip([Part::Weight, Part::Bias]) {
                let tensor = tensor.clone().with_notes(Vec::new());
                targets.push(TrainingTarget { tensor, trained: trained(part) });
            }
            if method.has_visible_bias {
                let tensor = self.visible_bias(&tensors[0], self.sizes.all()[layer])?;
                targets.push(TrainingTarget { tensor, trained: trained(Part::VisibleBias) });
            }
        }
        Ok(targets)
    }

    /// The visible bias of a layer, named `visible_bias` next to its weight.
    fn visible_bias(&self, weight: &DrawnTensor, inputs: u64) -> Result<DrawnTensor> {
        let name = weight.name().as_str();
        let name = match name.rfind(['.', '/']) {
            Some(end) => format!("{}visible_bias", &name[..=end]),
            None => format!("{name}.visible_bias"),
        };
        let layout = Layout::default();
        let common = Common { dtype: self.dtype.into(), layout, fans: Fans::default(), generator: NATIVE };
        let tensor = DrawnTensor::new(name.parse()?, Shape::new(vec![inputs])?, "zeros", &common)?;
        Ok(tensor.with_notes(Vec::new()))
    }

    /// A hash of everything that determines the trained values.
    fn identity(&self, targets: &[TrainingTarget]) -> Result<Run> {
        let lines = targets.iter().map(|TrainingTarget { tensor, trained }| {
            Ok(format!("{} {} {}", tensor.name(), tensor.expression(), serde_json::to_string(trained)?))
        });
        let lines = lines.collect::<Result<Vec<_>>>()?.join("\n");
        Ok(Sha256::digest(format!("{ARITHMETIC}\n{}\n{lines}", self.seed)).into())
    }
}

/// The identity of data that has not been read yet.
fn unknown() -> TensorIdentity {
    TensorIdentity { dtype: String::new(), name: String::new(), sha256: String::new(), shape: Vec::new() }
}

fn pool(threads: usize) -> Result<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().context("no threads can be started")
}

fn summary(table: &Dataset, threads: usize) -> Result<DataSummary> {
    pool(threads)?.install(|| DataSummary::from_dataset(table))
}

fn native_seed(seed: &Seed) -> Result<u64> {
    NATIVE.check(seed)?;
    seed.to_u64().context("a seed of 64 bits is needed")
}

/// The maximum number of bytes of samples in memory.
const MAX_SAMPLE_BYTES: u64 = 1 << 30;

struct Trainer<'a> {
    method: &'a MethodSpec,
    seed: u64,
    table: &'a Dataset,
    data: &'a DataSummary,
    threads: usize,
    /// The maximum memory of the training, in bytes.
    limit: u64,
}

impl Trainer<'_> {
    fn train(
        &self,
        targets: Vec<TrainingTarget>,
        from: Progress,
        observer: &mut (dyn TrainingObserver + Send),
    ) -> Result<Vec<TrainedTensor>> {
        let layers = self.layers(&targets, from, observer)?;
        targets.into_iter().map(|target| target.with_trained(&layers)).collect()
    }

    fn layers(
        &self,
        targets: &[TrainingTarget],
        from: Progress,
        observer: &mut (dyn TrainingObserver + Send),
    ) -> Result<Vec<Layer>> {
        let &Self { method, seed, table, data, .. } = self;
        let dtype = targets.first().map_or(DType::F32, |target| target.tensor.spec().dtype);
        let count = targets.iter().map(|target| target.trained.layer + 1).max().unwrap_or(0);
        let layers = TrainingTarget::initial_weights(targets, count, seed, self.threads)?;
        let sizes = targets.first().map_or(&[][..], |target| &target.trained.sizes);
        let taken = method.workspace(sizes).saturating_add(table.memory());
        let memory = self.limit.saturating_sub(taken).min(MAX_SAMPLE_BYTES);
        let training = Training { method, seed, table, data, layers, dtype, memory };
        pool(self.threads)?.install(|| training.run(from, observer))
    }
}

/// Repeats the training that a file records. Errors if the data or the tensors do not belong to one run.
pub(super) fn retrain(
    targets: Vec<TrainingTarget>,
    seed: &Seed,
    table: &Dataset,
    threads: usize,
    limit: u64,
) -> Result<Vec<TrainedTensor>> {
    let Some(TrainingTarget { trained: first, .. }) = targets.first() else { return Ok(Vec::new()) };
    let data = summary(table, threads)?;
    let identity = &data.identity;
    let same = identity.sha256 == first.data.sha256 && identity.dtype == first.data.dtype;
    ensure!(
        same && identity.shape == first.data.shape,
        "trained on `{}` with SHA-256 {}, but --data has SHA-256 {}",
        cut(&escape(&first.data.name), 100),
        cut(&escape(&first.data.sha256), 64),
        identity.sha256
    );
    let run = |identity: &TrainedIdentity| (identity.data.clone(), identity.method.clone(), identity.sizes.clone());
    let one_run = targets.iter().all(|target| run(&target.trained) == run(first));
    ensure!(one_run, "its tensors were trained in several runs, which cannot be verified");
    let method = MethodSpec::from_record(&first.method)?;
    let first_size = first.sizes.first().copied().unwrap_or(0);
    ensure!(
        first_size == table.features as u64,
        "its first size is {first_size}, but --data has {} features",
        table.features
    );
    let trainer = Trainer { method: &method, seed: native_seed(seed)?, table, data: &data, threads, limit };
    trainer.train(targets, Progress::default(), &mut NoObserver)
}

/// The methods, for the help.
fn methods() -> String {
    let widest = METHODS.iter().map(|method| method.name.len()).max().unwrap_or(0);
    let rows = METHODS.iter().map(|method| format!("  {:widest$}  {}", method.name, method.summary));
    format!("Methods:\n{}", rows.collect::<Vec<_>>().join("\n"))
}
