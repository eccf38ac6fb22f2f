//! Generators turn a distribution into values. They know no scheme, file or command line.

mod column_major;
mod elementwise;
mod glibc;
pub(crate) mod householder;
mod jax;
mod keras;
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

use anyhow::{Context, Result, bail, ensure};

use crate::distribution::{Distribution, TensorSpec};
use crate::tensor::{DType, Seed, Step, to_usize};
use crate::text::{self, did_you_mean};
pub(crate) use column_major::column_major;
use sequential::RngState;
pub use sequential::Sequence;
use source::{Offset, Sliced};
pub use source::{Source, Values};

/// A random number generator with its sampling of distributions.
#[derive(Debug)]
pub struct Generator {
    /// The name, in provenance and on the command line.
    pub name: &'static str,
    /// Its guarantee, a line for `fanin list generators`.
    pub summary: &'static str,
    /// The framework that it reproduces; `None` for our own values.
    pub framework: Option<Framework>,
    /// Errors if it does not accept the seed.
    check: fn(&Seed) -> Result<()>,
    /// True if it draws the distribution.
    supports: fn(&Distribution) -> bool,
    access: Access,
    /// The memory to draw a tensor, in bytes, beyond fixed buffers; 0 if elements are drawn independently.
    workspace: fn(&TensorSpec) -> u64,
}

/// A release of a framework that is reproduced.
#[derive(Debug)]
pub struct Framework {
    /// The word for it in `--like`.
    pub word: &'static str,
    /// The release that was compared.
    pub release: &'static str,
    /// The first release known to draw these values.
    pub since: &'static str,
    /// True if each layer of a model has its own seed.
    seeds_layers: bool,
    /// Errors if several tensors cannot share a seed that one tensor can use.
    check_shared: fn(&Seed) -> Result<()>,
}

/// The order in which a generator can draw the tensors of a plan.
#[derive(Debug)]
enum Access {
    /// Any part of any tensor at any time.
    Random(Open),
    /// One tensor after the other, from the state of a seed.
    Sequential(fn(&Seed) -> Box<dyn RngState>),
}

/// Opens a tensor with a number of threads; `None` if the generator lacks the distribution.
type Open = fn(&Seed, &TensorSpec, usize) -> Option<Box<dyn Source>>;

/// The source of random numbers for all tensors of a plan.
#[derive(Clone, Debug)]
pub(crate) enum Sampler {
    /// Each tensor independently.
    Random(Open),
    /// In sequence.
    Sequential(Arc<Sequence>),
}

/// Every generator. A framework's row is in its own module.
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

/// The generator of our own values.
pub const NATIVE: &Generator = &GENERATORS[0];

impl Generator {
    /// The generator of a name in provenance. An error names the nearest name.
    pub fn find(name: &str) -> Result<&'static Self> {
        let names = || GENERATORS.iter().map(|generator| generator.name);
        GENERATORS.iter().find(|generator| generator.name == name).with_context(|| {
            let known = text::alternatives(&names().collect::<Vec<_>>());
            let shown = text::cut(&text::escape(name), 100);
            format!("unknown generator `{shown}`: use {known}{}", did_you_mean(name, names()))
        })
    }

    /// Finds a generator by a value of `--like`. An error names the nearest word.
    pub fn like(word: &str) -> Result<&'static Self> {
        let words = || GENERATORS.iter().filter_map(|generator| Some(generator.framework.as_ref()?.word));
        let found = |generator: &&Self| generator.framework.as_ref().is_some_and(|framework| framework.word == word);
        let Some(generator) = GENERATORS.iter().find(found) else {
            let shown = text::cut(word, 60);
            let backends: Vec<&str> =
                words().filter(|known| known.strip_prefix(word).is_some_and(|rest| rest.starts_with(':'))).collect();
            ensure!(backends.is_empty(), "`{shown}` needs a backend: use {}", text::alternatives(&backends));
            bail!("unknown framework `{shown}`{}", text::did_you_mean_or_list(&shown, words(), "generators"));
        };
        Ok(generator)
    }

    /// The memory to draw a tensor, in bytes, beyond fixed buffers; 0 if elements are drawn independently.
    pub(crate) fn workspace(&self, tensor: &TensorSpec) -> u64 {
        // Values that are not random are the same for every generator.
        let workspace = if tensor.distribution.is_random() { self.workspace } else { NATIVE.workspace };
        workspace(tensor)
    }

    /// Errors if it does not accept the seed.
    pub fn check(&self, seed: &Seed) -> Result<()> {
        (self.check)(seed).with_context(|| format!("seed `{}`", seed.typed()))
    }

    /// True if each layer of a model has its own seed.
    pub fn seeds_layers(&self) -> bool {
        self.framework.as_ref().is_some_and(|framework| framework.seeds_layers)
    }

    /// The seed of the layers of a model.
    pub fn seed_of_layers(&self, seed: Seed) -> Seed {
        if self.seeds_layers() && seed.steps().is_empty() { seed.then([Step::Layers]) } else { seed }
    }

    /// True if it draws the distribution. Every generator has deterministic ones.
    pub(crate) fn draws(&self, distribution: &Distribution) -> bool {
        !distribution.is_random() || (self.supports)(distribution)
    }

    /// The sampler for the tensors of a plan. Errors if the seed is not accepted.
    pub(crate) fn sampler(&self, seed: &Seed, tensors: &[&TensorSpec]) -> Result<Sampler> {
        self.check(seed)?;
        let shared = self.framework.as_ref().filter(|_| tensors.iter().any(|tensor| tensor.order.is_some()));
        shared.map_or(Ok(()), |framework| (framework.check_shared)(seed)).with_context(|| format!("seed `{seed}`"))?;
        if let Some(tensor) = tensors.iter().find(|tensor| tensor.skipped > 0 && self.name != torch::GENERATOR.name) {
            bail!("`{}` skips values, but {} cannot skip any", tensor.name, self.name);
        }
        Ok(match self.access {
            Access::Random(open) => Sampler::Random(open),
            Access::Sequential(start) => Sampler::Sequential(Arc::new(Sequence::new(seed, tensors, start)?)),
        })
    }
}

const OPEN_NATIVE: Open = |seed, tensor, threads| Some(native::open(seed, tensor, threads));

impl Sampler {
    /// The sampler of our own values.
    pub(crate) const NATIVE: Self = Self::Random(OPEN_NATIVE);

    /// The values of a planned tensor. Elementwise distributions cost nothing here; matrices are drawn now, by `threads` threads. `None` if
    /// the generator lacks the distribution.
    pub(crate) fn open(&self, seed: &Seed, tensor: &TensorSpec, threads: usize) -> Option<Box<dyn Source>> {
        let whole: Box<dyn Source> = match self {
            Self::Sequential(sequence) => Box::new(sequence.open(tensor.order.map_or(0, to_usize))),
            Self::Random(open) => open(seed, tensor, threads)?,
        };
        Some(part_of(whole, tensor))
    }

    /// The tensors drawn in sequence before position `place`.
    pub(crate) fn before(&self, place: usize) -> &[TensorSpec] {
        match self {
            Self::Sequential(sequence) => sequence.first(place),
            Self::Random(_) => &[],
        }
    }
}

/// The native values of one tensor, independent of a plan.
pub fn native(seed: u64, tensor: &TensorSpec, threads: usize) -> Box<dyn Source> {
    part_of(native::open(&Seed::from(seed), tensor, threads), tensor)
}

/// The values of a tensor in memory.
pub(crate) fn held(values: Arc<Values>, tensor: &TensorSpec) -> Box<dyn Source> {
    part_of(Box::new(Offset { from: 0, values }), tensor)
}

/// The values of a slice, from those of the full tensor.
fn part_of(whole: Box<dyn Source>, tensor: &TensorSpec) -> Box<dyn Source> {
    match &tensor.slice {
        Some(slice) => Box::new(Sliced { whole, slice: slice.clone(), shape: tensor.shape.clone() }),
        None => whole,
    }
}

/// Deterministic values, which are the same for every generator.
pub(crate) fn unrandom(tensor: &TensorSpec, threads: usize) -> Box<dyn Source> {
    part_of(native::open(&Seed::default(), tensor, threads), tensor)
}

/// The bounds of a distribution in a dtype: the outermost values that both allow.
fn bounds(distribution: &Distribution, dtype: DType) -> (f64, f64) {
    distribution
        .bounds()
        .map_or((f64::NEG_INFINITY, f64::INFINITY), |(low, high)| (dtype.round_up(low), dtype.round_down(high)))
}
