//! Generators: distribution to numbers. A generator knows no scheme's name, no file and no command line.

mod column_major;
mod elementwise;
pub(crate) mod householder;
mod jax;
mod keras;
mod libm_probe;
mod mt19937;
mod native;
mod numpy;
mod pcg64;
mod philox;
mod precision;
mod qr;
mod sequential;
mod source;
mod tensorflow;
mod threefry;
mod torch;

use std::sync::Arc;

use anyhow::{Context, Result, bail};

use crate::distribution::{Distribution, TensorSpec};
use crate::tensor::{DType, Seed, Step, to_usize};
use crate::text::{self, did_you_mean};
pub(crate) use column_major::column_major;
use libm_probe::Function;
use sequential::RngState;
pub use sequential::Sequence;
use source::{Offset, Sliced};

pub use precision::to_bfloat16;
pub use source::{Source, Values};

/// A way to turn distributions into numbers.
#[derive(Debug)]
pub struct Generator {
    /// Its name, in provenance and on the command line.
    pub name: &'static str,
    /// Its promise, in a line for `fanin list generators`.
    pub summary: &'static str,
    /// The framework whose numbers it draws; `None` for the program's own.
    pub framework: Option<Framework>,
    /// Errors if it takes no such seed.
    check: fn(&Seed) -> Result<()>,
    /// True if it draws such a distribution.
    supports: fn(&Distribution) -> bool,
    access: Access,
    /// The memory that drawing a tensor takes beyond fixed buffers, in bytes; 0 if it is drawn element by element.
    workspace: fn(&TensorSpec) -> u64,
}

/// A release of a framework whose numbers are reproduced.
#[derive(Debug)]
pub struct Framework {
    /// Its word after `--like`.
    pub word: &'static str,
    /// The release that was compared.
    pub release: &'static str,
    /// The first release that is known to draw these values.
    pub since: &'static str,
    /// True if each layer of a model takes a seed of its own.
    seeds_layers: bool,
    /// Errors if several tensors cannot share such a seed, which one tensor can take.
    check_shared: fn(&Seed) -> Result<()>,
    /// The libm functions that the values of a tensor depend on. Values that are rounded from double precision to a smaller type
    /// depend on none: a wrong last bit is lost.
    libm_functions: fn(&TensorSpec) -> &'static [Function],
}

/// How a generator goes through the tensors of a plan.
#[derive(Debug)]
enum Access {
    /// Any part of any tensor at any time.
    Random(Open),
    /// One tensor after the other, from the state that a seed gives.
    Sequential(fn(&Seed) -> Box<dyn RngState>),
}

/// Opens the numbers of a tensor with a number of threads; `None` if the generator has no such distribution.
type Open = fn(&Seed, &TensorSpec, usize) -> Option<Box<dyn Source>>;

/// The source of numbers for all tensors of a plan.
#[derive(Clone, Debug)]
pub(crate) enum Sampler {
    /// Each by itself.
    Random(Open),
    /// One after the other.
    Sequential(Arc<Sequence>),
}

/// Every generator. The row of a framework is in the framework's module.
pub const GENERATORS: &[Generator] = &[
    Generator {
        name: native::NAME,
        summary: "element i of a tensor is a function of (seed, name, i) alone, on every machine; its values never change",
        framework: None,
        check: native::check,
        supports: |_| true,
        access: Access::Random(OPEN_NATIVE),
        workspace: native::workspace,
    },
    jax::GENERATOR,
    numpy::DEFAULT_RNG,
    numpy::LEGACY,
    numpy::LASAGNE,
    torch::GENERATOR,
    tensorflow::GENERATOR,
    keras::JAX,
    keras::TENSORFLOW,
    keras::torch::GENERATOR,
    keras::NUMPY,
];

/// The generator of this program's own numbers.
pub const NATIVE: &Generator = &GENERATORS[0];

impl Generator {
    /// The generator of that name, as provenance has it. Errors name the nearest.
    pub fn find(name: &str) -> Result<&'static Self> {
        let names = || GENERATORS.iter().map(|generator| generator.name);
        GENERATORS.iter().find(|generator| generator.name == name).with_context(|| {
            let (shown, known) = (text::cut(&text::escape(name), 100), names().collect::<Vec<_>>().join(", "));
            format!("unknown generator `{shown}`: known are {known}{}", did_you_mean(name, names()))
        })
    }

    /// The generator of a framework's numbers, by its word after `--like`. Errors name the nearest.
    pub fn like(word: &str) -> Result<&'static Self> {
        let words = || GENERATORS.iter().filter_map(|generator| Some(generator.framework.as_ref()?.word));
        let found = |generator: &&Self| generator.framework.as_ref().is_some_and(|framework| framework.word == word);
        let Some(generator) = GENERATORS.iter().find(found) else {
            let (shown, known) = (text::cut(word, 60), words().collect::<Vec<_>>().join(", "));
            bail!("unknown framework `{shown}`: use {known}{}", did_you_mean(&shown, words()));
        };
        Ok(generator)
    }

    /// The memory that drawing a tensor takes beyond fixed buffers, in bytes: 0 for a distribution that is drawn element by element.
    pub(crate) fn workspace(&self, tensor: &TensorSpec) -> u64 {
        // Values that are not random are the same for every generator.
        let workspace = if tensor.distribution.is_random() { self.workspace } else { NATIVE.workspace };
        workspace(tensor)
    }

    /// Errors if it takes no such seed.
    pub fn check(&self, seed: &Seed) -> Result<()> {
        (self.check)(seed).with_context(|| format!("seed `{}`", seed.typed()))
    }

    /// True if each layer of a model takes a seed of its own.
    pub fn seeds_layers(&self) -> bool {
        self.framework.as_ref().is_some_and(|framework| framework.seeds_layers)
    }

    /// The seed of the layers of a model.
    pub fn seed_of_layers(&self, seed: Seed) -> Seed {
        if self.seeds_layers() && seed.steps().is_empty() { seed.then([Step::Layers]) } else { seed }
    }

    /// The reason why the values of a tensor are only approximate on this machine; `None` if they are equal to the framework's.
    pub(crate) fn inexact_reason(&self, tensor: &TensorSpec) -> Option<String> {
        let framework = self.framework.as_ref()?;
        let functions = if tensor.distribution.is_random() { (framework.libm_functions)(tensor) } else { &[] };
        let strays: Vec<_> = functions.iter().filter(|function| !function.rounds_as_glibc()).collect();
        let names: Vec<_> = strays.iter().map(|function| function.name()).collect();
        (!names.is_empty()).then(|| {
            format!(
                "{} takes {} from glibc on a CPU with fused multiply-add, and this machine rounds otherwise",
                framework.release,
                names.join(", ")
            )
        })
    }

    /// True if it draws such a distribution. What is not random is drawn whatever the generator.
    pub(crate) fn draws(&self, distribution: &Distribution) -> bool {
        !distribution.is_random() || (self.supports)(distribution)
    }

    /// The source of numbers for the tensors of a plan. Errors if it takes no such seed.
    pub(crate) fn sampler(&self, seed: &Seed, tensors: &[&TensorSpec]) -> Result<Sampler> {
        self.check(seed)?;
        let shared = self.framework.as_ref().filter(|_| tensors.iter().any(|tensor| tensor.order.is_some()));
        shared.map_or(Ok(()), |framework| (framework.check_shared)(seed)).with_context(|| format!("seed `{seed}`"))?;
        if let Some(tensor) = tensors.iter().find(|tensor| tensor.skipped > 0 && self.name != torch::GENERATOR.name) {
            bail!("`{}`: {} skips no values", tensor.name, self.name);
        }
        Ok(match self.access {
            Access::Random(open) => Sampler::Random(open),
            Access::Sequential(start) => Sampler::Sequential(Arc::new(Sequence::new(seed, tensors, start)?)),
        })
    }
}

const OPEN_NATIVE: Open = |seed, tensor, threads| Some(native::open(seed, tensor, threads));

impl Sampler {
    /// The sampler of this program's own numbers.
    pub(crate) const NATIVE: Self = Self::Random(OPEN_NATIVE);

    /// The numbers of a tensor of a plan with that seed. An elementwise distribution costs nothing here; a matrix distribution is drawn now, by
    /// `threads` threads. `None` if the generator has no such distribution.
    pub(crate) fn open(&self, seed: &Seed, tensor: &TensorSpec, threads: usize) -> Option<Box<dyn Source>> {
        let whole: Box<dyn Source> = match self {
            Self::Sequential(sequence) => Box::new(sequence.open(tensor.order.map_or(0, to_usize))),
            Self::Random(open) => open(seed, tensor, threads)?,
        };
        Some(part_of(whole, tensor))
    }

    /// The tensors before the position `place` that are drawn one after the other.
    pub(crate) fn before(&self, place: usize) -> &[TensorSpec] {
        match self {
            Self::Sequential(sequence) => sequence.first(place),
            Self::Random(_) => &[],
        }
    }
}

/// The native numbers of one tensor, whatever its plan.
pub fn native(seed: u64, tensor: &TensorSpec, threads: usize) -> Box<dyn Source> {
    part_of(native::open(&Seed::from(seed), tensor, threads), tensor)
}

/// The numbers of a tensor whose values are in memory.
pub(crate) fn held(values: Arc<Values>, tensor: &TensorSpec) -> Box<dyn Source> {
    part_of(Box::new(Offset { from: 0, values }), tensor)
}

/// The numbers of a slice, from those of the whole.
fn part_of(whole: Box<dyn Source>, tensor: &TensorSpec) -> Box<dyn Source> {
    match &tensor.slice {
        Some(slice) => Box::new(Sliced { whole, slice: slice.clone(), shape: tensor.shape.clone() }),
        None => whole,
    }
}

/// The numbers of what is not random, which are the same whatever the generator.
pub(crate) fn unrandom(tensor: &TensorSpec, threads: usize) -> Box<dyn Source> {
    part_of(native::open(&Seed::default(), tensor, threads), tensor)
}

/// The bounds of a distribution inside a dtype: the outermost values of that type that the distribution allows.
fn bounds(distribution: &Distribution, dtype: DType) -> (f64, f64) {
    distribution
        .bounds()
        .map_or((f64::NEG_INFINITY, f64::INFINITY), |(low, high)| (dtype.round_up(low), dtype.round_down(high)))
}
