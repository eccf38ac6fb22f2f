//! The plan: the tensors of a file in order, each with its name, shape, dtype and distribution. Valid by construction, so that
//! nothing after it can fail but input and output.

mod draw;
mod slice;

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};

pub use slice::SliceSpec;

use crate::distribution::{Distribution, TensorSpec, Values};
use crate::generator::{Generator, NATIVE, Sampler};
use crate::scheme::parity::{self, DrawContext, ParityTable};
use crate::scheme::{self, Requires, Resolved, Site};
use crate::tensor::{Base, Copied, DType, Element, Fans, Layout, Name, Seed, Shape, TensorIdentity, TrainedIdentity};

/// Everything that a file will hold.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The generator that draws the numbers.
    pub generator: &'static Generator,
    /// The seed of all tensors.
    pub seed: Seed,
    /// The tensors in the order in which they were asked for.
    pub tensors: Vec<Tensor>,
    /// What draws them: of a generator that goes in order, all tensors of the command.
    pub(crate) sampler: Sampler,
}

/// One tensor of a plan.
#[derive(Clone, Debug)]
pub struct Tensor {
    /// All that is needed to draw it.
    pub spec: TensorSpec,
    /// The scheme in canonical form, every parameter spelled out; empty if the tensor is copied.
    pub expression: String,
    /// One letter an axis, if the layout has a letter for each.
    pub layout: Option<String>,
    /// The fans that the scheme read; `None` if it reads none.
    pub fans: Option<Fans>,
    /// Those of them that were given by hand.
    pub given_fans: Fans,
    /// The tensor that the scheme started from; `None` if it starts from none.
    pub base: Option<TensorIdentity>,
    /// The training that made its values; `None` if they are drawn.
    pub trained: Option<TrainedIdentity>,
    /// The reason why the values are approximate to the framework's and not equal to them; `None` if they are equal.
    pub approximate: Option<String>,
    /// What the user should know about this tensor.
    pub notes: Vec<String>,
}

/// What all tensors of a command have in common.
#[derive(Clone, Debug)]
pub struct Common {
    /// The type of the elements.
    pub dtype: DType,
    /// Which axis is what.
    pub layout: Layout,
    /// Fans given by hand, which override those of the layout.
    pub fans: Fans,
    /// What draws the numbers: names of schemes mean what they mean to its framework.
    pub generator: &'static Generator,
}

impl Tensor {
    /// A tensor by a scheme expression. Errors name the tensor where its shape or dtype does not suit the scheme.
    pub fn new(name: Name, shape: Shape, expression: &str, common: &Common) -> Result<Self> {
        Self::from_base(name, shape, expression, common, None)
    }

    /// The same, where there is a tensor that the scheme may start from.
    pub fn from_base(
        name: Name,
        shape: Shape,
        expression: &str,
        common: &Common,
        base: Option<&Arc<Base>>,
    ) -> Result<Self> {
        let resolved = match parity_table(common.generator) {
            Some(like) => like.resolve(expression)?,
            None => scheme::resolve(expression)?,
        };
        Self::resolved(name, shape, (expression, &resolved), common, base)
    }

    /// The same by a scheme that was looked up already, such as that of a provenance, whatever a framework means by its name.
    pub fn resolved(
        name: Name,
        shape: Shape,
        (expression, resolved): (&str, &Resolved),
        common: &Common,
        base: Option<&Arc<Base>>,
    ) -> Result<Self> {
        let row = parity_table(common.generator).map(|like| like.row(resolved)).transpose()?;
        let target =
            common.generator.framework.as_ref().map(|framework| DrawContext::new(common.dtype, framework.word));
        let site = Site::new(&shape, &common.layout, common.fans).with_base(base);
        let (distribution, canonical) = resolved
            .distribution(&site, row.and_then(|row| row.distribution).zip(target))
            .with_context(|| format!("scheme `{expression}` for `{name}={shape}`"))?;
        distribution.fits(common.dtype).with_context(|| format!("scheme `{expression}`"))?;
        target
            .map_or(Ok(()), |target| target.spans(&distribution))
            .with_context(|| format!("scheme `{expression}`"))?;
        let is_pattern = matches!(distribution, Distribution::Deterministic(_));
        let mut notes = resolved.notes.clone();
        if matches!(distribution, Distribution::Constant { .. })
            && !distribution.is_nan()
            && shape.rank() >= 2
            && shape.count() > 1
        {
            notes.push(
                "all units of a constant weight start equal and stay equal; harmless for biases and output weights"
                    .into(),
            );
        }
        notes.extend(distribution.too_small_for(common.dtype));
        let fans = resolved.fans(&site);
        if fans.is_none() && common.fans != Fans::default() {
            notes.push(format!("{} reads no fan: --fan-in and --fan-out change nothing", resolved.scheme.name));
        }
        notes.extend(resolved.other_layout(&common.layout, shape.rank()));
        let given_fans = if fans.is_some() { common.fans } else { Fans::default() };
        let layout = common.layout.letters(shape.rank()).ok();
        let approximate =
            row.and_then(|row| row.approximate).filter(|_| distribution.is_random() || is_pattern).map(Into::into);
        let base = base.filter(|_| resolved.scheme.requires == Requires::Base).map(|base| base.identity.clone());
        Ok(Self {
            spec: TensorSpec {
                name,
                shape,
                slice: None,
                dtype: common.dtype,
                precision: if row.is_some_and(|row| row.single) { common.dtype } else { DType::F64 },
                is_scaled: row.is_some_and(|row| row.scaled),
                distribution,
                order: None,
                skipped: 0,
            },
            expression: canonical,
            layout,
            fans,
            given_fans,
            base,
            trained: None,
            approximate,
            notes,
        })
    }

    /// A tensor that is copied from a file.
    pub fn keep(name: Name, shape: Shape, copied: Copied) -> Self {
        let dtype = match copied.values.element() {
            Element::Drawn(dtype) => dtype,
            Element::Stored(_) => DType::F32,
        };
        Self {
            spec: TensorSpec {
                name,
                shape,
                slice: None,
                dtype,
                distribution: Distribution::Copied(copied.into()),
                order: None,
                skipped: 0,
                precision: DType::F64,
                is_scaled: false,
            },
            expression: String::new(),
            layout: None,
            fans: None,
            given_fans: Fans::default(),
            base: None,
            trained: None,
            approximate: None,
            notes: Vec::new(),
        }
    }

    /// The same tensor, but with these values, row-major, in the place of what its scheme draws.
    #[must_use]
    pub fn holding<T>(self, values: Vec<T>, trained: Option<TrainedIdentity>) -> Self
    where
        T: Copy + Into<f64> + Send + Sync + 'static,
    {
        let distribution = Distribution::Joint(Arc::new(Values::new(values)));
        Self { spec: TensorSpec { distribution, ..self.spec }, fans: None, trained, notes: Vec::new(), ..self }
    }

    /// What it is a copy of; `None` where it is drawn.
    pub fn copied(&self) -> Option<&Copied> {
        match &self.spec.distribution {
            Distribution::Copied(copied) => Some(copied),
            _ => None,
        }
    }

    /// The type of its elements, drawn or copied.
    pub fn element(&self) -> Element {
        self.copied().map_or(Element::Drawn(self.spec.dtype), |copied| copied.values.element())
    }

    /// If it has the distribution of another tensor, so that it may be a copy of its draw.
    pub(crate) fn draws_as(&self, other: &Self) -> bool {
        let distribution =
            |tensor: &Self| (tensor.spec.skipped, tensor.spec.dtype, tensor.given_fans, tensor.spec.whole().shape);
        distribution(self) == distribution(other)
            && (&self.expression, &self.layout) == (&other.expression, &other.layout)
    }

    /// True if it and another tensor are recorded as copies of one draw.
    pub fn is_copy_of(&self, other: &Self) -> bool {
        self.spec.order.is_some() && self.spec.order == other.spec.order && self.draws_as(other)
    }

    /// The size of its values in the file, in bytes.
    pub fn bytes(&self) -> u64 {
        self.element().bytes(self.spec.shape.count())
    }
}

impl Plan {
    /// The largest number of tensors.
    pub const MAX_TENSORS: usize = 1 << 20;
    /// The largest size of all values in bytes, 2^62: with any header it is still an offset in a file.
    pub const MAX_BYTES: u64 = 1 << 62;

    /// A plan of these tensors. Errors where there are too many, or too large ones, or where two have one name.
    pub fn new(generator: &'static Generator, seed: Seed, mut tensors: Vec<Tensor>) -> Result<Self> {
        ensure!(tensors.len() <= Self::MAX_TENSORS, "{} tensors: at most 2^20 are allowed", tensors.len());
        let mut names = HashSet::with_capacity(tensors.len());
        for tensor in &tensors {
            ensure!(names.insert(&tensor.spec.name), "two tensors are named `{}`", tensor.spec.name);
        }
        // A tensor has at most 2^51 bytes, so that 2^20 of them could pass 64 bits.
        let bytes: u128 = tensors.iter().map(|tensor| u128::from(tensor.bytes())).sum();
        ensure!(
            bytes <= u128::from(Self::MAX_BYTES),
            "{} tensors of {bytes} bytes in all: at most 2^62 bytes are allowed",
            tensors.len()
        );
        if generator.framework.is_some() {
            put_in_order(&mut tensors);
            for tensor in &mut tensors {
                tensor.approximate = tensor.approximate.take().or_else(|| generator.inexact_reason(&tensor.spec));
            }
        }
        if let Some(tensor) = tensors.iter().find(|tensor| !generator.draws(&tensor.spec.distribution)) {
            bail!("`{}` by `{}`: {} draws no such distribution", tensor.spec.name, tensor.expression, generator.name);
        }
        let sampler = generator.sampler(&seed, &draws(&tensors))?;
        Ok(Self { generator, seed, tensors, sampler })
    }

    /// A plan of the tensors of a model's layers, which take other seeds in some frameworks than single tensors do.
    pub fn of_layers(generator: &'static Generator, seed: Seed, tensors: Vec<Tensor>) -> Result<Self> {
        Self::new(generator, generator.seed_of_layers(seed), tensors)
    }

    /// The same for these of its tensors alone, each with the values that it has among all.
    #[must_use]
    pub fn of(&self, tensors: Vec<Tensor>) -> Self {
        Self { generator: self.generator, seed: self.seed.clone(), tensors, sampler: self.sampler.clone() }
    }

    /// Some of its tensors, each with the values that it has among all.
    #[must_use]
    pub fn only(mut self, wanted: impl Fn(&Tensor) -> bool) -> Self {
        self.tensors.retain(wanted);
        self
    }

    /// A plan without tensors, for files that hold none.
    pub fn nothing() -> Self {
        Self { generator: NATIVE, seed: Seed::default(), tensors: Vec::new(), sampler: Sampler::NATIVE }
    }

    /// The size of all values in bytes.
    pub fn bytes(&self) -> u64 {
        self.tensors.iter().map(Tensor::bytes).sum()
    }

    /// The number of all elements; no more than their bytes, so that it fits.
    pub fn parameters(&self) -> u64 {
        self.tensors.iter().map(|tensor| tensor.spec.shape.count()).sum()
    }
}

/// The turn of a tensor in the order of draws: the number of its layer, and its place in the draws of that. Copies of one draw share a turn.
pub type Turn = (usize, usize);

/// Numbers the tensors that draw by their turns, where a generator draws one after the other.
pub fn put_in_turn(generator: &Generator, tensors: &mut [Tensor], turns: &[Turn]) {
    let mut drawing: Vec<(&mut Tensor, Turn)> = tensors
        .iter_mut()
        .zip(turns.iter().copied())
        .filter(|(tensor, _)| tensor.spec.distribution.is_random())
        .collect();
    if generator.framework.is_none() || generator.seeds_layers() || drawing.len() < 2 {
        return;
    }
    drawing.sort_by(|(one, first), (other, second)| (first, &one.expression).cmp(&(second, &other.expression)));
    let mut before: Option<(&Tensor, Turn)> = None;
    let mut place = 0;
    for (tensor, turn) in drawing {
        place += u64::from(before.is_some_and(|(other, before)| before != turn || !tensor.draws_as(other)));
        tensor.spec.order = Some(place);
        before = Some((tensor, turn));
    }
}

/// The draws of tensors by their order, one for all tensors that are copies of it.
fn draws(tensors: &[Tensor]) -> Vec<&TensorSpec> {
    let mut drawing: Vec<&Tensor> = tensors.iter().filter(|tensor| tensor.spec.distribution.is_random()).collect();
    drawing.sort_by_key(|tensor| tensor.spec.order);
    drawing.dedup_by(|copy, tensor| copy.is_copy_of(tensor));
    drawing.into_iter().map(|tensor| &tensor.spec).collect()
}

/// The schemes of the framework whose numbers a generator draws, and their meaning there; `None` for our own.
pub fn parity_table(generator: &Generator) -> Option<&'static ParityTable> {
    parity::of(generator.framework.as_ref()?.word)
}

/// Numbers the tensors that draw, where that was not done and there are several.
fn put_in_order(tensors: &mut [Tensor]) {
    let mut drawing: Vec<&mut Tensor> =
        tensors.iter_mut().filter(|tensor| tensor.spec.distribution.is_random()).collect();
    if drawing.len() > 1 && drawing.iter().all(|tensor| tensor.spec.order.is_none()) {
        drawing.iter_mut().zip(0..).for_each(|(tensor, place)| tensor.spec.order = Some(place));
    }
}
