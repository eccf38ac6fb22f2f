//! Weights trained on data, layer by layer. Each layer is trained on the outputs of the layers below.
//!
//! The same data, seed and options give the same bytes on every machine and for any number of threads. Products are those of
//! [`crate::matrix`], sums have a fixed order, exponentials are polynomials, and random numbers are addressed by index.

mod activation;
mod blocks;
mod dae;
mod history;
mod input;
mod kmeans;
mod layer;
mod lsuv;
mod noise;
mod options;
mod pca;
mod picture;
mod precision;
mod progress;
mod rbm;
mod run;
mod sample_cache;
mod scale;
mod summary;
mod trained;
mod validation;
mod weight_norm;

use std::fmt;

use anyhow::{Context, Result, ensure};

pub use history::{History, Report, Row};
pub use layer::Layer;
pub use picture::Picture;
pub use progress::{Progress, Run};
pub use run::{InitialWeight, Training, TrainingObserver};
pub use summary::{DataSummary, FeatureStats};
pub use trained::TrainingTarget;

use crate::matrix::Matrix;
use crate::scheme::{AnyParameter, Arguments, Expression};
use crate::tensor::{DType, Name};
use crate::text::{alternatives, cut, did_you_mean_or_list};
use activation::Activation;
use input::Input;

/// A method of training.
pub struct Method {
    /// The name on the command line.
    pub name: &'static str,
    /// One line for the help.
    pub summary: &'static str,
    /// The publication.
    pub source: &'static str,
    /// The options in addition to [`COMMON`].
    pub parameters: &'static [&'static dyn AnyParameter],
    /// The default scheme of the weights before training; `None` if the method computes them.
    scheme: fn(&Arguments) -> Option<&'static str>,
    /// True if the first layer subtracts the mean of the data, in double precision.
    centres: bool,
    /// True if layers also have a bias for their inputs.
    pub has_visible_bias: bool,
    /// The memory of a layer with this number of inputs, in bytes, in addition to its weights and samples.
    workspace: fn(u64) -> u64,
    /// The activation after each layer.
    activation: fn(&Arguments) -> Result<Activation>,
    /// `Some` if the data must lie in [0, 1], with the fix for an error.
    unit_interval: fn(&Arguments) -> Option<&'static str>,
    /// Errors if the method cannot make such layers.
    check: fn(&Request) -> Result<()>,
    start: fn(&Job, &Input) -> Result<Box<dyn Trainer>>,
}

/// Changes whenever training gives other values for the same data, options and seed. A run does not resume from the checkpoint of
/// another version.
pub const ARITHMETIC: u32 = 3;

/// Every method.
pub const METHODS: &[Method] =
    &[rbm::METHOD, dae::METHOD, pca::METHOD, kmeans::METHOD, lsuv::METHOD, weight_norm::METHOD];

/// The measure of the variance that the outputs explain together.
const EXPLAINED: &str = "explained variance";

/// The options of every method.
pub const COMMON: &[&dyn AnyParameter] = &[&options::SCALE, &options::VALIDATION];

/// A method with its options.
#[derive(Clone)]
pub struct MethodSpec {
    /// The method.
    pub method: &'static Method,
    arguments: Arguments,
}

/// The layers and data of a run, before it starts.
struct Request<'a> {
    arguments: &'a Arguments,
    layers: &'a [InitialWeight],
    /// The number of training samples.
    samples: usize,
}

/// A layer before training.
struct Job<'a> {
    arguments: &'a Arguments,
    seed: u64,
    /// The name of its weight, which determines its random numbers.
    name: &'a Name,
    /// True if its input is the data.
    is_first: bool,
    /// Inputs x outputs.
    initial: Matrix<f32>,
}

/// A layer in training.
trait Trainer {
    /// Trains on all samples once; true if it has converged.
    fn epoch(&mut self, number: u64, input: &Input) -> Result<bool>;

    /// Means over these samples, each with its name.
    fn measures(&self, input: &Input, samples: &[u64]) -> Result<Vec<(&'static str, f64)>>;

    /// The share of the variance that the first 1, 2, ... outputs explain, if the method orders them by it.
    fn explained(&self) -> Vec<f64> {
        Vec::new()
    }

    /// The state that an interrupted run needs to continue, each part with its name.
    fn state(&mut self) -> Vec<(&'static str, &mut [f32])>;

    fn layer(&self) -> Layer;
}

impl Method {
    /// Finds a method by name. Errors suggest the nearest.
    pub fn find(name: &str) -> Result<&'static Self> {
        let names = || METHODS.iter().map(|method| method.name);
        METHODS.iter().find(|method| method.name == name).with_context(|| {
            format!("unknown method `{}`{}", cut(name, 60), did_you_mean_or_list(name, names(), "pretrain-methods"))
        })
    }

    /// All its options.
    pub fn parameters(&self) -> impl Iterator<Item = &'static dyn AnyParameter> {
        self.parameters.iter().chain(COMMON).copied()
    }
}

impl MethodSpec {
    /// A method with the given options, each a name and a value.
    pub fn new(method: &'static Method, options: &[(&str, &str)]) -> Result<Self> {
        for (option, _) in options {
            let has = |method: &&Method| method.parameters().any(|known| known.name() == *option);
            let others: Vec<&str> = METHODS.iter().filter(has).map(|method| method.name).collect();
            ensure!(has(&method), "{} has no option --{option}: use it with {}", method.name, alternatives(&others));
        }
        let arguments = Arguments::of(method.parameters().collect(), options)?;
        options::check(&arguments)?;
        Ok(Self { method, arguments })
    }

    /// Reads the provenance of a file: `rbm:epochs=5,...`, as [`MethodSpec`] is displayed.
    pub fn from_record(text: &str) -> Result<Self> {
        let Expression { name, pairs, .. } = Expression::parse(text)?;
        let spec = Self::new(Method::find(name)?, &pairs)?;
        ensure!(spec.to_string() == text, "its method `{}` is incomplete or not in canonical form", cut(text, 60));
        Ok(spec)
    }

    /// The default scheme of the weights before training; `None` if the method computes them.
    pub fn scheme(&self) -> Option<&'static str> {
        (self.method.scheme)(&self.arguments)
    }

    /// Notes for the user about the data, before and after scaling, for weights of that type.
    fn notes(&self, data: &FeatureStats, scaled: &FeatureStats, dtype: DType) -> Vec<String> {
        let (constant, features) = (data.constant(), data.low.len());
        let constant = (constant > 0).then(|| format!("{constant} of {features} features are constant"));
        let far = scaled.far();
        let loss = match (self.method.centres, dtype) {
            (true, DType::F64) => None,
            (true, _) => Some(format!("{dtype} rounds the bias: use --dtype f64 or --scale standard")),
            (false, _) => Some("f32 loses digits of the differences: use --scale standard".into()),
        };
        let far = loss.filter(|_| far > 0).map(|loss| {
            format!("{far} of {features} features have a mean over 10,000 standard deviations from 0: {loss}")
        });
        constant.into_iter().chain(far).collect()
    }

    /// The maximum memory to train layers of these sizes, in bytes.
    pub fn workspace(&self, sizes: &[u64]) -> u64 {
        let weights = || sizes.windows(2).map(|sides| sides[0].saturating_mul(sides[1]));
        let samples = self.arguments.if_listed(&options::BATCH).unwrap_or(1).max(run::MEASURED as u64);
        let widest = sizes.iter().copied().max().unwrap_or(0);
        // All initial and trained weights; for one layer also steps, statistics, transpose and doubles; batches of samples.
        let all = weights().fold(0, u64::saturating_add).saturating_mul(2);
        let learning = weights().max().unwrap_or(0).saturating_mul(8);
        let values = all.saturating_add(learning).saturating_add(samples.saturating_mul(widest).saturating_mul(6));
        values.saturating_mul(4).saturating_add((self.method.workspace)(widest))
    }
}

impl fmt::Display for MethodSpec {
    /// The name with every option.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.method.name, self.arguments.canonical())
    }
}
