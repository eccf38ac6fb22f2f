//! The tensors of a plan, by the origin of their values.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};

use super::{norm, parity_table, resolve};
use crate::distribution::{Distribution, TensorSpec};
use crate::generator::{Generator, NATIVE, Values};
use crate::scheme::parity::DrawContext;
use crate::scheme::{Requires, Resolved, Site};
use crate::tensor::{Base, Copied, DType, Element, Fans, Layout, Name, Shape, Slice, TensorIdentity, TrainedIdentity};

/// One tensor of a plan.
#[derive(Clone, Debug)]
pub enum Tensor {
    /// Values of a distribution. The plans of a checkpoint's files share it.
    Drawn(Arc<DrawnTensor>),
    /// Values of a file.
    Copied(Box<CopiedTensor>),
    /// Values trained on data.
    Trained(Box<TrainedTensor>),
}

/// A tensor that is drawn by a scheme.
#[derive(Clone, Debug)]
pub struct DrawnTensor {
    pub(super) spec: TensorSpec,
    element: Element,
    expression: Arc<str>,
    layout: Option<Arc<str>>,
    fans: Option<Fans>,
    given_fans: Fans,
    base: Option<Box<TensorIdentity>>,
    /// The full tensor whose norms this one holds, once it is in a plan with it.
    pub(super) source: Option<Arc<TensorSpec>>,
    pub(super) approximate: Option<String>,
    notes: Vec<String>,
}

/// A tensor that is copied from a file.
#[derive(Clone, Debug)]
pub struct CopiedTensor {
    pub(super) name: Name,
    pub(super) shape: Shape,
    pub(super) slice: Option<Slice>,
    pub(super) copied: Arc<Copied>,
}

/// A tensor with a drawn start and trained values.
#[derive(Clone, Debug)]
pub struct TrainedTensor {
    pub(super) initial: DrawnTensor,
    record: Option<TrainedIdentity>,
    /// The values of the full tensor, even if this is a slice; `None` before the training.
    pub(super) values: Option<Arc<Values>>,
}

/// The properties that all tensors of a command share.
#[derive(Clone, Debug)]
pub struct Common {
    /// The type of the elements in the file.
    pub dtype: Element,
    /// The roles of the axes.
    pub layout: Layout,
    /// Fans that override those of the layout.
    pub fans: Fans,
    /// The generator. With a framework's generator, names of schemes have the framework's meaning.
    pub generator: &'static Generator,
}

impl Common {
    /// The generator that gives names of schemes their meaning. Integers are exact, so every generator has them.
    pub fn meaning(&self) -> &'static Generator {
        if self.dtype.dtype().is_some() { self.generator } else { NATIVE }
    }
}

impl DrawnTensor {
    /// A tensor by a scheme expression. Errors name the tensor and the expression.
    ///
    /// ```
    /// use fanin::generator::NATIVE;
    /// use fanin::plan::{Common, DrawnTensor};
    /// use fanin::tensor::{DType, Fans, Layout};
    ///
    /// let (dtype, layout) = (DType::F32.into(), Layout::default());
    /// let common = Common { dtype, layout, fans: Fans::default(), generator: NATIVE };
    /// let tensor = DrawnTensor::new("weight".parse()?, "784x256".parse()?, "he-normal", &common)?;
    /// assert_eq!(tensor.expression(), "he-normal:gain=relu,mode=fan-in");
    /// assert_eq!(tensor.fans().and_then(|fans| fans.fan_in), Some(784));
    /// # Ok::<(), anyhow::Error>(())
    /// ```
    pub fn new(name: Name, shape: Shape, expression: &str, common: &Common) -> Result<Self> {
        let context = format!("scheme `{expression}` for `{name}={shape}`");
        if let Some(of) = norm::norm_of(expression) {
            return Self::norms(name, shape, of, common.dtype).context(context);
        }
        Self::resolved(name, shape, &resolve(expression, common.meaning())?, common, None).context(context)
    }

    /// The norms of the tensor `of` beside this one, over the axes where this one has size 1. A plan needs both.
    pub fn norms(name: Name, shape: Shape, of: &str, element: Element) -> Result<Self> {
        let (distribution, expression) = norm::distribution(&name, of, element)?;
        let dtype = element.computed_in();
        Ok(Self {
            element,
            expression: expression.into(),
            layout: None,
            fans: None,
            given_fans: Fans::default(),
            base: None,
            source: None,
            approximate: None,
            notes: Vec::new(),
            spec: TensorSpec {
                name,
                shape,
                slice: None,
                dtype,
                precision: DType::F64,
                is_scaled: false,
                distribution,
                order: None,
                skipped: 0,
            },
        })
    }

    /// A tensor by a scheme that may start from another tensor. Errors name neither the tensor nor the expression.
    pub fn from_base(
        name: Name,
        shape: Shape,
        expression: &str,
        common: &Common,
        base: Option<&Arc<Base>>,
    ) -> Result<Self> {
        Self::resolved(name, shape, &resolve(expression, common.meaning())?, common, base)
    }

    /// A tensor by a resolved scheme, such as that of a provenance, independent of frameworks' names.
    pub fn resolved(
        name: Name,
        shape: Shape,
        resolved: &Resolved,
        common: &Common,
        base: Option<&Arc<Base>>,
    ) -> Result<Self> {
        let row = parity_table(common.meaning()).map(|like| like.row(resolved)).transpose()?;
        let dtype = common.dtype.computed_in();
        let target =
            common.meaning().framework.as_ref().map(|framework| DrawContext::new(dtype, framework.word)).transpose()?;
        let site = Site::new(&shape, &common.layout, common.fans).with_base(base);
        let (distribution, canonical) =
            resolved.distribution(&site, row.and_then(|row| row.distribution).zip(target))?;
        distribution.fits(common.dtype).and_then(|()| target.map_or(Ok(()), |target| target.spans(&distribution)))?;
        let fans = resolved.fans(&site);
        let is_exact = matches!(distribution, Distribution::Constant { .. });
        Ok(Self {
            notes: notes(resolved, &distribution, &shape, fans.is_some(), common),
            element: common.dtype,
            expression: canonical.into(),
            layout: common.layout.letters(shape.rank()).ok().map(Into::into),
            fans,
            given_fans: if fans.is_some() { common.fans } else { Fans::default() },
            source: None,
            base: base.filter(|_| resolved.scheme.requires == Requires::Base).map(|base| base.identity.clone().into()),
            approximate: row.and_then(|row| row.approximate).filter(|_| !is_exact).map(Into::into),
            spec: TensorSpec {
                name,
                shape,
                slice: None,
                dtype,
                precision: if row.is_some_and(|row| row.single) { dtype } else { DType::F64 },
                is_scaled: row.is_some_and(|row| row.scaled),
                distribution,
                order: None,
                skipped: 0,
            },
        })
    }

    /// The same tensor under another name.
    #[must_use]
    pub fn named(mut self, name: Name) -> Self {
        self.spec.name = name;
        self
    }

    /// Skips uniform values before the tensor, which its framework draws and drops.
    #[must_use]
    pub fn skipping(mut self, values: u64) -> Self {
        self.spec.skipped = values;
        self
    }

    /// Sets the position, from 0, among the tensors that a framework draws in sequence.
    #[must_use]
    pub fn in_order(mut self, order: Option<u64>) -> Self {
        self.spec.order = order;
        self
    }

    /// Replaces the notes.
    #[must_use]
    pub fn with_notes(self, notes: Vec<String>) -> Self {
        Self { notes, ..self }
    }

    /// The inputs of a generator.
    pub fn spec(&self) -> &TensorSpec {
        &self.spec
    }

    /// The name in the file.
    pub fn name(&self) -> &Name {
        &self.spec.name
    }

    /// The shape in the file: the shape of the slice, if it is one.
    pub fn shape(&self) -> &Shape {
        &self.spec.shape
    }

    /// The type of the elements in the file.
    pub fn element(&self) -> Element {
        self.element
    }

    /// The distribution of the values.
    pub fn distribution(&self) -> &Distribution {
        &self.spec.distribution
    }

    /// The canonical scheme with every parameter.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// One letter per axis, if the layout has them.
    pub fn layout(&self) -> Option<&str> {
        self.layout.as_deref()
    }

    /// The fans that the scheme used; `None` if it uses none.
    pub fn fans(&self) -> Option<Fans> {
        self.fans
    }

    /// The fans that the user set and the scheme used.
    pub fn given_fans(&self) -> Fans {
        self.given_fans
    }

    /// The tensor that the scheme started from, if any.
    pub fn base(&self) -> Option<&TensorIdentity> {
        self.base.as_deref()
    }

    /// The reason why the values are only approximate; `None` if they are the framework's bit for bit.
    pub fn approximate(&self) -> Option<&str> {
        self.approximate.as_deref()
    }

    /// True if both tensors are recorded as aliases.
    pub fn is_copy_of(&self, other: &Self) -> bool {
        self.spec.order.is_some() && self.spec.order == other.spec.order && self.draws_as(other)
    }

    /// True if both tensors have one distribution, so that they may be aliases.
    pub(super) fn draws_as(&self, other: &Self) -> bool {
        let drawn = |tensor: &Self| (tensor.spec.skipped, tensor.element, tensor.given_fans, tensor.spec.whole().shape);
        drawn(self) == drawn(other) && (&self.expression, &self.layout) == (&other.expression, &other.layout)
    }
}

/// Notes on a drawn tensor.
fn notes(
    resolved: &Resolved,
    distribution: &Distribution,
    shape: &Shape,
    reads_fans: bool,
    common: &Common,
) -> Vec<String> {
    let mut notes = resolved.notes.clone();
    if shape.count() == 0 {
        notes.push(format!("shape {shape} has an axis of size 0, so the array is empty"));
    }
    let is_constant = matches!(distribution, Distribution::Constant { .. }) && distribution.not_finite().is_none();
    let is_weight = common.dtype.dtype().is_some();
    if is_weight && is_constant && shape.rank() >= 2 && shape.count() > 1 {
        notes.push(
            "with a constant weight all units start equal and stay equal; harmless for biases and output weights"
                .into(),
        );
    }
    notes.extend(distribution.too_small_for(common.dtype.computed_in()));
    if !reads_fans && common.fans != Fans::default() {
        notes.push(format!("{} uses no fans: --fan-in and --fan-out have no effect", resolved.scheme.name));
    }
    notes.extend(resolved.other_layout(&common.layout, shape.rank()));
    notes
}

impl CopiedTensor {
    /// A tensor with the values of a file, under its own name.
    pub fn new(name: Name, shape: Shape, copied: Copied) -> Result<Self> {
        ensure!(copied.values.shape() == &shape, "`{name}={shape}` is copied from a tensor of another shape");
        Ok(Self { name, shape, slice: None, copied: copied.into() })
    }
}

impl TrainedTensor {
    /// A tensor before training, for its future provenance.
    pub fn before(initial: DrawnTensor, record: TrainedIdentity) -> Self {
        Self { initial, record: Some(record), values: None }
    }

    /// A tensor with the trained values of the full tensor, row-major. Without a record its training has no provenance, as in a run's checkpoint.
    pub fn new(initial: DrawnTensor, record: Option<TrainedIdentity>, values: Values) -> Result<Self> {
        let (name, count) = (initial.name(), initial.spec.whole().shape.count());
        ensure!(values.len() as u64 == count, "`{name}` has {count} elements, but {} were learned", values.len());
        Ok(Self { initial, record, values: Some(values.into()) })
    }

    /// The draw before training.
    pub fn initial(&self) -> &DrawnTensor {
        &self.initial
    }

    /// The data and method of training.
    pub fn record(&self) -> Option<&TrainedIdentity> {
        self.record.as_ref()
    }

    /// The trained values; `None` before training.
    pub fn values(&self) -> Option<&Values> {
        self.values.as_deref()
    }
}

impl Tensor {
    /// The name in the file.
    pub fn name(&self) -> &Name {
        match self {
            Self::Copied(copied) => &copied.name,
            Self::Drawn(drawn) => &drawn.spec.name,
            Self::Trained(trained) => &trained.initial.spec.name,
        }
    }

    /// The shape in the file: the shape of the slice, if it is one.
    pub fn shape(&self) -> &Shape {
        match self {
            Self::Copied(copied) => &copied.shape,
            Self::Drawn(drawn) => &drawn.spec.shape,
            Self::Trained(trained) => &trained.initial.spec.shape,
        }
    }

    /// The position of a slice in its full tensor; `None` for a full tensor.
    pub fn slice(&self) -> Option<&Slice> {
        match self {
            Self::Copied(copied) => copied.slice.as_ref(),
            Self::Drawn(drawn) => drawn.spec.slice.as_ref(),
            Self::Trained(trained) => trained.initial.spec.slice.as_ref(),
        }
    }

    /// The type of the elements in the file.
    pub fn element(&self) -> Element {
        match self {
            Self::Copied(copied) => copied.copied.values.element(),
            Self::Drawn(drawn) => drawn.element,
            Self::Trained(trained) => trained.initial.element,
        }
    }

    /// The tensor if it is drawn.
    pub fn drawn(&self) -> Option<&DrawnTensor> {
        match self {
            Self::Drawn(drawn) => Some(drawn),
            Self::Copied(_) | Self::Trained(_) => None,
        }
    }

    /// The draw, for trained tensors the one before training; `None` for copied ones.
    pub fn initial(&self) -> Option<&DrawnTensor> {
        match self {
            Self::Drawn(drawn) => Some(drawn),
            Self::Trained(trained) => Some(&trained.initial),
            Self::Copied(_) => None,
        }
    }

    /// The source of a copied tensor.
    pub fn copied(&self) -> Option<&Copied> {
        match self {
            Self::Copied(copied) => Some(&copied.copied),
            Self::Drawn(_) | Self::Trained(_) => None,
        }
    }

    /// The record of training, if any.
    pub fn trained(&self) -> Option<&TrainedIdentity> {
        match self {
            Self::Trained(trained) => trained.record(),
            Self::Drawn(_) | Self::Copied(_) => None,
        }
    }

    /// Notes for the user.
    pub fn notes(&self) -> &[String] {
        self.drawn().map_or(&[], |drawn| &drawn.notes)
    }

    /// The size of the values in the file, in bytes.
    pub fn bytes(&self) -> u64 {
        self.element().bytes(self.shape().count())
    }
}

impl From<DrawnTensor> for Tensor {
    fn from(drawn: DrawnTensor) -> Self {
        Self::Drawn(drawn.into())
    }
}

impl From<Arc<DrawnTensor>> for Tensor {
    fn from(drawn: Arc<DrawnTensor>) -> Self {
        Self::Drawn(drawn)
    }
}

impl From<CopiedTensor> for Tensor {
    fn from(copied: CopiedTensor) -> Self {
        Self::Copied(copied.into())
    }
}

impl From<TrainedTensor> for Tensor {
    fn from(trained: TrainedTensor) -> Self {
        Self::Trained(trained.into())
    }
}
