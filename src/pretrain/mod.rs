//! Weights from data: each layer learns from what the layers below it make of the samples, one after the other.
//!
//! The same data, seed and options give the same bytes on every machine and for any number of threads: products are those of
//! [`crate::matrix`], sums have a fixed order, exponentials are polynomials, and random numbers have addresses.

mod activation;
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
mod progress;
mod rbm;
mod run;
mod sample_cache;
mod survey;
mod trained;
mod weight_norm;

use std::fmt;

use anyhow::{Context, Result, ensure};

pub use history::{History, Row};
pub use layer::Layer;
pub use picture::Picture;
pub use progress::{Progress, Run};
pub use run::{Report, Start, Training, TrainingObserver};
pub use survey::{DataSummary, Known};
pub use trained::TrainingTarget;

use crate::matrix::Matrix;
use crate::scheme::{Arguments, Expression, Parameter};
use crate::tensor::{DType, Name};
use crate::text::{cut, did_you_mean};
use activation::Activation;
use input::{Input, Scale};

/// A way to turn data into weights.
pub struct Method {
    /// Its name.
    pub name: &'static str,
    /// What it does, for a reader.
    pub summary: &'static str,
    /// Who gives it.
    pub source: &'static str,
    /// What it takes beside [`COMMON`].
    pub parameters: &'static [Parameter],
    /// The scheme that its weights start from where none is named; `None` where it finds them.
    scheme: fn(&Arguments) -> Option<&'static str>,
    /// True if its first layer takes off the mean of the data, in double precision.
    centres: bool,
    /// Whether its layers have a bias for their inputs, too.
    pub has_visible_bias: bool,
    /// The memory that a layer of so many inputs takes beside its weights and samples, in bytes.
    workspace: fn(u64) -> u64,
    /// What follows each layer on the way to the next.
    activation: fn(&Arguments) -> Activation,
    /// Errors if it takes no such data, or does not make such layers of it.
    check: fn(&Request) -> Result<()>,
    start: fn(&Job, &Input) -> Result<Box<dyn Trainer>>,
}

/// Changes with the numbers that learning gives for the same data, options and seed, so that no run goes on from the checkpoint of a
/// version whose numbers are others.
pub const ARITHMETIC: u32 = 2;

/// Every method.
pub const METHODS: &[Method] =
    &[rbm::METHOD, dae::METHOD, pca::METHOD, kmeans::METHOD, lsuv::METHOD, weight_norm::METHOD];

/// What every method takes.
pub const COMMON: &[Parameter] = &[options::SCALE, options::VALIDATION];

/// A method with its options, each checked.
#[derive(Clone)]
pub struct MethodSpec {
    /// The method.
    pub method: &'static Method,
    arguments: Arguments,
}

/// Everything that a run is refused for before it begins.
struct Request<'a> {
    arguments: &'a Arguments,
    /// The data, scaled.
    data: &'a DataSummary,
    layers: &'a [Start],
    /// The number of samples to learn from.
    samples: usize,
}

/// A layer that is to be trained.
struct Job<'a> {
    arguments: &'a Arguments,
    seed: u64,
    /// The name of its weight, by which its random numbers are found.
    name: &'a Name,
    /// Whether the data comes in as it is, with no layer below.
    is_first: bool,
    /// The weights that it starts from: inputs x outputs.
    initial: Matrix<f32>,
}

/// A layer in training.
trait Trainer {
    /// Learns from all samples once; tells whether it has come to its end.
    fn epoch(&mut self, number: u64, input: &Input) -> Result<bool>;

    /// Means over these samples that tell how well it does, each with its name.
    fn measures(&self, input: &Input, samples: &[u64]) -> Result<Vec<(&'static str, f64)>>;

    /// All that an interrupted run must know to go on, each with its name.
    fn state(&mut self) -> Vec<(&'static str, &mut [f32])>;

    /// What it has learned.
    fn layer(&self) -> Layer;
}

impl Method {
    /// The method of that name. Errors name the nearest.
    pub fn find(name: &str) -> Result<&'static Self> {
        let names = || METHODS.iter().map(|method| method.name);
        METHODS.iter().find(|method| method.name == name).with_context(|| {
            let (shown, known) = (cut(name, 60), names().collect::<Vec<_>>().join(", "));
            format!("unknown method `{shown}`: known are {known}{}", did_you_mean(name, names()))
        })
    }

    /// Everything that it takes.
    pub fn parameters(&self) -> impl Iterator<Item = &'static Parameter> {
        self.parameters.iter().chain(COMMON)
    }
}

impl MethodSpec {
    /// A method as it is typed, `rbm` or `rbm:epochs=5`, with further options.
    pub fn parse(text: &str, further: &[(&str, &str)]) -> Result<Self> {
        let Expression { name, bare, mut pairs } = Expression::parse(text)?;
        let method = Method::find(name)?;
        let named = || format!("method `{}`", method.name);
        ensure!(bare.is_none(), "{}: `{}` stands without a key, as in `epochs=5`", named(), bare.unwrap_or_default());
        pairs.extend(further);
        let arguments = Arguments::of(method.parameters().collect(), &pairs).with_context(named)?;
        options::check(&arguments).with_context(named)?;
        Ok(Self { method, arguments })
    }
}

impl MethodSpec {
    /// The scheme that the weights start from where none is named; `None` where the method finds them.
    pub fn scheme(&self) -> Option<&'static str> {
        (self.method.scheme)(&self.arguments)
    }

    /// Notes for the user about the data, for weights of that type.
    pub fn notes(&self, survey: &DataSummary, dtype: DType) -> Vec<String> {
        let (constant, features) = (survey.constant(), survey.low.len());
        let constant = (constant > 0).then(|| {
            format!("{constant} of {features} features have one value only: there is nothing to learn from them")
        });
        let far = Scale::new(&self.arguments, survey).map_or_else(|| survey.far(), |scale| survey.scaled(&scale).far());
        let loss = match (self.method.centres, dtype) {
            (true, DType::F64) => None,
            (true, _) => Some(format!("the bias takes it off, and {dtype} rounds it: --dtype f64 or --scale standard")),
            (false, _) => Some("f32 keeps few digits of what differs: --scale standard".into()),
        };
        let far = loss.filter(|_| far > 0).map(|loss| {
            format!("the mean of {far} of {features} features is above 10,000 standard deviations: {loss}")
        });
        constant.into_iter().chain(far).collect()
    }

    /// The memory that layers of these sizes take while they are learned, in bytes, at most.
    pub fn workspace(&self, sizes: &[u64]) -> u64 {
        let weights = || sizes.windows(2).map(|sides| sides[0].saturating_mul(sides[1]));
        let samples = self.arguments.optional_count("batch").unwrap_or(1).max(run::MEASURED as u64);
        let widest = sizes.iter().copied().max().unwrap_or(0);
        // What was learned and what it started from; of one layer its steps, statistics, transpose and doubles too; samples on their way.
        let kept = weights().fold(0, u64::saturating_add).saturating_mul(2);
        let learning = weights().max().unwrap_or(0).saturating_mul(8);
        let values = kept.saturating_add(learning).saturating_add(samples.saturating_mul(widest).saturating_mul(6));
        values.saturating_mul(4).saturating_add((self.method.workspace)(widest))
    }
}

impl fmt::Display for MethodSpec {
    /// Every option spelled out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.method.name, self.arguments.canonical())
    }
}
