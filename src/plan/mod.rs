//! The plan: the tensors of a file in order, each with its name, shape, dtype and the origin of its values. It is validated when made, so
//! only input and output can fail later.

mod draw;
mod norm;
mod slice;
mod tensor;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};

pub use draw::Opened;
pub use norm::norm_of;
pub use slice::{Ranges, SliceSpec};
pub use tensor::{Common, CopiedTensor, DrawnTensor, Tensor, TrainedTensor};

use crate::distribution::{Distribution, TensorSpec};
use crate::generator::{Generator, NATIVE, Sampler};
use crate::scheme::frameworks::Framework;
use crate::scheme::parity::{self, ParityTable};
use crate::scheme::{self, Resolved};
use crate::tensor::{Name, Seed};
use crate::text::cut;

/// The content of a file.
#[derive(Clone, Debug)]
pub struct Plan {
    generator: &'static Generator,
    seed: Seed,
    tensors: Vec<Tensor>,
    notes: Vec<String>,
    tied: Vec<(Name, Name)>,
    /// The generator's state. For a sequential generator it covers all tensors of the command.
    sampler: Sampler,
}

impl Plan {
    /// The largest number of tensors.
    pub const MAX_TENSORS: usize = 1 << 20;
    /// The largest size of all values in bytes, 2^62: with any header it is still a valid file offset.
    pub const MAX_BYTES: u64 = 1 << 62;

    /// A plan of tensors. Errors if there are too many or too large ones, if names repeat, or if the generator does not support the seed or
    /// a distribution.
    pub fn new(
        generator: &'static Generator,
        seed: Seed,
        tensors: impl IntoIterator<Item: Into<Tensor>>,
    ) -> Result<Self> {
        let mut tensors: Vec<Tensor> = tensors.into_iter().map(Into::into).collect();
        ensure!(tensors.len() <= Self::MAX_TENSORS, "{} tensors: at most 2^20 are allowed", tensors.len());
        let mut names = HashSet::with_capacity(tensors.len());
        for tensor in &tensors {
            ensure!(names.insert(tensor.name()), "two tensors are named `{}`", tensor.name());
        }
        // A tensor has at most 2^51 bytes, so that 2^20 of them could pass 64 bits.
        let bytes: u128 = tensors.iter().map(|tensor| u128::from(tensor.bytes())).sum();
        ensure!(
            bytes <= u128::from(Self::MAX_BYTES),
            "{} tensors of {bytes} bytes in all: at most 2^62 bytes are allowed",
            tensors.len()
        );
        let mut drawn: Vec<&mut DrawnTensor> = tensors
            .iter_mut()
            .filter_map(|tensor| match tensor {
                Tensor::Drawn(drawn) => Some(Arc::make_mut(drawn)),
                Tensor::Copied(_) | Tensor::Trained(_) => None,
            })
            .collect();
        if generator.framework.is_some() {
            put_in_order(&mut drawn);
        }
        if let Some(tensor) = drawn.iter().find(|tensor| !generator.draws(tensor.distribution())) {
            bail!("`{}`: scheme `{}` cannot be drawn by {}", tensor.name(), tensor.expression(), generator.name);
        }
        link_norms(&mut tensors)?;
        let sampler = generator.sampler(&seed, &draws(&tensors))?;
        Ok(Self { generator, seed, tensors, notes: Vec::new(), tied: Vec::new(), sampler })
    }

    /// A plan of a model's layers, which have other seeds than single tensors in some frameworks.
    pub fn of_layers(
        generator: &'static Generator,
        seed: Seed,
        tensors: impl IntoIterator<Item: Into<Tensor>>,
    ) -> Result<Self> {
        Self::new(generator, generator.seed_of_layers(seed), tensors)
    }

    /// A plan of other tensors of the same command, with unchanged values.
    #[must_use]
    pub fn of(&self, tensors: Vec<Tensor>) -> Self {
        Self {
            generator: self.generator,
            seed: self.seed.clone(),
            tensors,
            notes: Vec::new(),
            tied: Vec::new(),
            sampler: self.sampler.clone(),
        }
    }

    /// A subset of the tensors, with unchanged values.
    #[must_use]
    pub fn only(mut self, wanted: impl Fn(&Tensor) -> bool) -> Self {
        self.tensors.retain(wanted);
        self
    }

    /// Adds notes on the whole plan.
    #[must_use]
    pub fn with_notes(mut self, notes: impl IntoIterator<Item = String>) -> Self {
        self.notes.extend(notes);
        self
    }

    /// Adds names that stand for a tensor of the plan: each with the name of the tensor.
    #[must_use]
    pub fn with_tied(mut self, tied: Vec<(Name, Name)>) -> Self {
        self.tied.extend(tied);
        self
    }

    /// A plan without tensors, for files that have none.
    pub fn nothing() -> Self {
        Self {
            generator: NATIVE,
            seed: Seed::default(),
            tensors: Vec::new(),
            notes: Vec::new(),
            tied: Vec::new(),
            sampler: Sampler::NATIVE,
        }
    }

    /// The generator of the values.
    pub fn generator(&self) -> &'static Generator {
        self.generator
    }

    /// The seed of all tensors.
    pub fn seed(&self) -> &Seed {
        &self.seed
    }

    /// The tensors in the order of the file.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// Notes on the plan; each tensor has its own.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The names that stand for a tensor, each with the name of the tensor.
    pub fn tied(&self) -> &[(Name, Name)] {
        &self.tied
    }

    /// The size of all values in bytes.
    pub fn bytes(&self) -> u64 {
        self.tensors.iter().map(Tensor::bytes).sum()
    }

    /// The number of all elements; it fits, since it is at most their bytes.
    pub fn parameters(&self) -> u64 {
        self.tensors.iter().map(|tensor| tensor.shape().count()).sum()
    }
}

/// Gives each tensor of norms the tensor that it is of. Errors if that does not exist, or does not fit.
fn link_norms(tensors: &mut [Tensor]) -> Result<()> {
    let sources = tensors.iter().filter_map(|tensor| match tensor.drawn()?.distribution() {
        Distribution::NormOf { tensor } => Some(tensor.clone()),
        _ => None,
    });
    let sources: HashSet<Name> = sources.collect();
    if sources.is_empty() {
        return Ok(());
    }
    let spec = |tensor: &Tensor| Some(Arc::new(tensor.drawn()?.spec().whole()));
    let found = tensors.iter().filter(|tensor| sources.contains(tensor.name()));
    let specs: HashMap<Name, _> = found.map(|tensor| (tensor.name().clone(), spec(tensor))).collect();
    for tensor in tensors {
        let Tensor::Drawn(drawn) = tensor else { continue };
        let Distribution::NormOf { tensor: of } = drawn.distribution() else { continue };
        let name = drawn.name();
        let source = specs.get(of).with_context(|| format!("`{name}` is the norm of `{of}`, which does not exist"))?;
        let source = source.as_ref().with_context(|| format!("`{name}` is the norm of `{of}`, which is not drawn"))?;
        norm::check(drawn.spec(), source)?;
        Arc::make_mut(drawn).source = Some(Arc::clone(source));
    }
    Ok(())
}

/// The turn of a tensor in drawing order: the index of its layer, and its position in the layer's draws. Aliases share a turn.
pub type Turn = (usize, usize);

/// Numbers random tensors by their turns, for a sequential generator.
pub fn put_in_turn<'t>(generator: &Generator, tensors: impl IntoIterator<Item = &'t mut DrawnTensor>, turns: &[Turn]) {
    if generator.framework.is_none() || generator.seeds_layers() {
        return;
    }
    let random = tensors.into_iter().zip(turns.iter().copied()).filter(|(tensor, _)| tensor.distribution().is_random());
    let mut drawing: Vec<(&mut DrawnTensor, Turn)> = random.collect();
    if drawing.len() < 2 {
        return;
    }
    drawing.sort_by(|(one, first), (other, second)| (first, one.expression()).cmp(&(second, other.expression())));
    let mut before: Option<(&DrawnTensor, Turn)> = None;
    let mut place = 0;
    for (tensor, turn) in drawing {
        place += u64::from(before.is_some_and(|(other, before)| before != turn || !tensor.draws_as(other)));
        tensor.spec.order = Some(place);
        before = Some((tensor, turn));
    }
}

/// The draws of tensors in order, one for all aliases.
fn draws(tensors: &[Tensor]) -> Vec<&TensorSpec> {
    let drawn = tensors.iter().filter_map(Tensor::drawn);
    let mut drawing: Vec<&DrawnTensor> = drawn.filter(|tensor| tensor.distribution().is_random()).collect();
    drawing.sort_by_key(|tensor| tensor.spec.order);
    drawing.dedup_by(|copy, tensor| copy.is_copy_of(tensor));
    drawing.into_iter().map(DrawnTensor::spec).collect()
}

/// The schemes of a generator's framework; `None` for our own generator.
pub fn parity_table(generator: &Generator) -> Option<&'static ParityTable> {
    parity::of(generator.framework.as_ref()?.word)
}

/// The generator of a framework and its backend, by any of their words: `torch`, `pytorch`, `keras:tf`.
pub fn like(text: &str) -> Result<&'static Generator> {
    let canonical = |word: &str| Framework::find(word).map_or_else(|_| word.to_lowercase(), |row| row.word.into());
    let words: Vec<String> = text.split(':').map(canonical).collect();
    let found = Generator::like(&words.join(":")).or_else(|_| Generator::like(text));
    let near = || Framework::nearest(text).filter(|near| Generator::like(near).is_ok());
    found.or_else(|error| match near() {
        Some(near) => bail!("unknown framework `{}`; did you mean `{near}`?", cut(text, 60)),
        None => Err(error),
    })
}

/// The scheme of an expression, as the framework of a generator means it.
pub fn resolve(expression: &str, generator: &Generator) -> Result<Resolved> {
    match parity_table(generator) {
        Some(like) => like.resolve(expression),
        None => scheme::resolve(expression),
    }
}

/// Numbers the random tensors in file order, if there are several and none has a number.
fn put_in_order(tensors: &mut [&mut DrawnTensor]) {
    let mut drawing: Vec<_> = tensors.iter_mut().filter(|tensor| tensor.distribution().is_random()).collect();
    if drawing.len() > 1 && drawing.iter().all(|tensor| tensor.spec.order.is_none()) {
        drawing.iter_mut().zip(0..).for_each(|(tensor, place)| tensor.spec.order = Some(place));
    }
}
