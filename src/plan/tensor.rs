//! The tensors of a plan, by the origin of their values.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};

use super::parity_table;
use crate::distribution::{Distribution, TensorSpec};
use crate::generator::{Generator, Values};
use crate::scheme::parity::DrawContext;
use crate::scheme::{self, Requires, Resolved, Site};
use crate::tensor::{Base, Copied, DType, Element, Fans, Layout, Name, Shape, Slice, TensorIdentity, TrainedIdentity};

/// One tensor of a plan.
#[derive(Clone, Debug)]
pub enum Tensor {
    /// Its values follow a distribution.
    Drawn(DrawnTensor),
    /// Its values are those of a file.
    Copied(CopiedTensor),
    /// Its values were learned from data.
    Trained(TrainedTensor),
}

/// A tensor that is drawn by a scheme.
#[derive(Clone, Debug)]
pub struct DrawnTensor {
    pub(super) spec: TensorSpec,
    expression: String,
    layout: Option<String>,
    fans: Option<Fans>,
    given_fans: Fans,
    base: Option<TensorIdentity>,
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

/// A tensor that training has made of one that was drawn.
#[derive(Clone, Debug)]
pub struct TrainedTensor {
    pub(super) initial: DrawnTensor,
    record: Option<TrainedIdentity>,
    /// `None` before the training.
    pub(super) values: Option<Arc<Values>>,
}

/// The properties that all tensors of a command share.
#[derive(Clone, Debug)]
pub struct Common {
    /// The type of the elements.
    pub dtype: DType,
    /// The roles of the axes.
    pub layout: Layout,
    /// Fans that override those of the layout.
    pub fans: Fans,
    /// The generator of the numbers. If it is a framework's, names of schemes mean what they mean there.
    pub generator: &'static Generator,
}

impl DrawnTensor {
    /// A tensor by a scheme expression. Errors name the tensor if its shape or dtype does not suit the scheme.
    ///
    /// ```
    /// use fanin::generator::NATIVE;
    /// use fanin::plan::{Common, DrawnTensor};
    /// use fanin::tensor::{DType, Fans, Layout};
    ///
    /// let common = Common { dtype: DType::F32, layout: Layout::default(), fans: Fans::default(), generator: NATIVE };
    /// let tensor = DrawnTensor::new("weight".parse()?, "784x256".parse()?, "he-normal", &common)?;
    /// assert_eq!(tensor.expression(), "he-normal:gain=relu,mode=fan-in");
    /// assert_eq!(tensor.fans().and_then(|fans| fans.fan_in), Some(784));
    /// # Ok::<(), anyhow::Error>(())
    /// ```
    pub fn new(name: Name, shape: Shape, expression: &str, common: &Common) -> Result<Self> {
        Self::from_base(name, shape, expression, common, None)
    }

    /// A tensor by a scheme that may start from the values of another tensor.
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

    /// A tensor by a scheme that is already looked up, such as that of a provenance, whatever a framework means by its name.
    pub fn resolved(
        name: Name,
        shape: Shape,
        (expression, resolved): (&str, &Resolved),
        common: &Common,
        base: Option<&Arc<Base>>,
    ) -> Result<Self> {
        let row = parity_table(common.generator).map(|like| like.row(resolved)).transpose()?;
        let target = common
            .generator
            .framework
            .as_ref()
            .map(|framework| DrawContext::new(common.dtype, framework.word))
            .transpose()?;
        let site = Site::new(&shape, &common.layout, common.fans).with_base(base);
        let (distribution, canonical) = resolved
            .distribution(&site, row.and_then(|row| row.distribution).zip(target))
            .with_context(|| format!("scheme `{expression}` for `{name}={shape}`"))?;
        distribution
            .fits(common.dtype)
            .and_then(|()| target.map_or(Ok(()), |target| target.spans(&distribution)))
            .with_context(|| format!("scheme `{expression}`"))?;
        let fans = resolved.fans(&site);
        let is_exact = matches!(distribution, Distribution::Constant { .. });
        Ok(Self {
            notes: notes(resolved, &distribution, &shape, fans.is_some(), common),
            expression: canonical,
            layout: common.layout.letters(shape.rank()).ok(),
            fans,
            given_fans: if fans.is_some() { common.fans } else { Fans::default() },
            base: base.filter(|_| resolved.scheme.requires == Requires::Base).map(|base| base.identity.clone()),
            approximate: row.and_then(|row| row.approximate).filter(|_| !is_exact).map(Into::into),
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
        })
    }

    /// The tensor after so many uniform values that its framework draws and drops.
    #[must_use]
    pub fn skipping(mut self, values: u64) -> Self {
        self.spec.skipped = values;
        self
    }

    /// The tensor at a position, from 0, among those that a framework draws one after the other.
    #[must_use]
    pub fn in_order(mut self, order: Option<u64>) -> Self {
        self.spec.order = order;
        self
    }

    /// The tensor with another list of notes.
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

    /// The shape in the file: that of the slice, if it is one.
    pub fn shape(&self) -> &Shape {
        &self.spec.shape
    }

    /// The type of the elements in the file.
    pub fn dtype(&self) -> DType {
        self.spec.dtype
    }

    /// The distribution of the values.
    pub fn distribution(&self) -> &Distribution {
        &self.spec.distribution
    }

    /// The scheme in canonical form, every parameter spelled out.
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// One letter an axis, if the layout has a letter for each.
    pub fn layout(&self) -> Option<&str> {
        self.layout.as_deref()
    }

    /// The fans that the scheme read; `None` if it reads none.
    pub fn fans(&self) -> Option<Fans> {
        self.fans
    }

    /// The fans that the user set and the scheme read.
    pub fn given_fans(&self) -> Fans {
        self.given_fans
    }

    /// The tensor that the scheme started from; `None` if it starts from none.
    pub fn base(&self) -> Option<&TensorIdentity> {
        self.base.as_ref()
    }

    /// The reason why the values are approximate to the framework's; `None` if they are equal.
    pub fn approximate(&self) -> Option<&str> {
        self.approximate.as_deref()
    }

    /// True if it and another tensor are recorded as copies of one draw.
    pub fn is_copy_of(&self, other: &Self) -> bool {
        self.spec.order.is_some() && self.spec.order == other.spec.order && self.draws_as(other)
    }

    /// True if it has the distribution of another tensor, so that it may be a copy of its draw.
    pub(super) fn draws_as(&self, other: &Self) -> bool {
        let drawn = |tensor: &Self| {
            let TensorSpec { skipped, dtype, .. } = tensor.spec;
            (skipped, dtype, tensor.given_fans, tensor.spec.whole().shape)
        };
        drawn(self) == drawn(other) && (&self.expression, &self.layout) == (&other.expression, &other.layout)
    }
}

/// Notes about a tensor that is drawn.
fn notes(
    resolved: &Resolved,
    distribution: &Distribution,
    shape: &Shape,
    reads_fans: bool,
    common: &Common,
) -> Vec<String> {
    let mut notes = resolved.notes.clone();
    let is_constant = matches!(distribution, Distribution::Constant { .. }) && !distribution.is_nan();
    if is_constant && shape.rank() >= 2 && shape.count() > 1 {
        notes.push(
            "all units of a constant weight start equal and stay equal; harmless for biases and output weights".into(),
        );
    }
    notes.extend(distribution.too_small_for(common.dtype));
    if !reads_fans && common.fans != Fans::default() {
        notes.push(format!("{} reads no fan: --fan-in and --fan-out change nothing", resolved.scheme.name));
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
    /// A tensor before its training, for the provenance that it will have.
    pub fn before(initial: DrawnTensor, record: TrainedIdentity) -> Self {
        Self { initial, record: Some(record), values: None }
    }

    /// A tensor with learned values, row-major. Without a record it has no provenance of its training, as in a checkpoint of a run.
    pub fn new(initial: DrawnTensor, record: Option<TrainedIdentity>, values: Values) -> Result<Self> {
        let (name, count) = (initial.name(), initial.shape().count());
        ensure!(values.len() as u64 == count, "`{name}` has {count} elements, and {} were learned", values.len());
        Ok(Self { initial, record, values: Some(values.into()) })
    }

    /// The draw that its training began with.
    pub fn initial(&self) -> &DrawnTensor {
        &self.initial
    }

    /// The data and the method that it was learned by.
    pub fn record(&self) -> Option<&TrainedIdentity> {
        self.record.as_ref()
    }

    /// The learned values; `None` before the training.
    pub fn values(&self) -> Option<&Values> {
        self.values.as_deref()
    }
}

impl Tensor {
    /// The name in the file.
    pub fn name(&self) -> &Name {
        match self {
            Self::Copied(copied) => &copied.name,
            Self::Drawn(drawn) | Self::Trained(TrainedTensor { initial: drawn, .. }) => &drawn.spec.name,
        }
    }

    /// The shape in the file: that of the slice, if it is one.
    pub fn shape(&self) -> &Shape {
        match self {
            Self::Copied(copied) => &copied.shape,
            Self::Drawn(drawn) | Self::Trained(TrainedTensor { initial: drawn, .. }) => &drawn.spec.shape,
        }
    }

    /// Its position in the tensor that it is a slice of; `None` if it is whole.
    pub fn slice(&self) -> Option<&Slice> {
        match self {
            Self::Copied(copied) => copied.slice.as_ref(),
            Self::Drawn(drawn) | Self::Trained(TrainedTensor { initial: drawn, .. }) => drawn.spec.slice.as_ref(),
        }
    }

    /// The type of the elements in the file.
    pub fn element(&self) -> Element {
        match self {
            Self::Copied(copied) => copied.copied.values.element(),
            Self::Drawn(drawn) | Self::Trained(TrainedTensor { initial: drawn, .. }) => {
                Element::Drawn(drawn.spec.dtype)
            }
        }
    }

    /// The tensor if it is drawn.
    pub fn drawn(&self) -> Option<&DrawnTensor> {
        match self {
            Self::Drawn(drawn) => Some(drawn),
            Self::Copied(_) | Self::Trained(_) => None,
        }
    }

    /// The draw that it is, or that its training began with; `None` if it is copied.
    pub fn initial(&self) -> Option<&DrawnTensor> {
        match self {
            Self::Drawn(drawn) | Self::Trained(TrainedTensor { initial: drawn, .. }) => Some(drawn),
            Self::Copied(_) => None,
        }
    }

    /// The values that it is a copy of; `None` if it is no copy.
    pub fn copied(&self) -> Option<&Copied> {
        match self {
            Self::Copied(copied) => Some(&copied.copied),
            Self::Drawn(_) | Self::Trained(_) => None,
        }
    }

    /// The record of its training; `None` if it has none.
    pub fn trained(&self) -> Option<&TrainedIdentity> {
        match self {
            Self::Trained(trained) => trained.record(),
            Self::Drawn(_) | Self::Copied(_) => None,
        }
    }

    /// Facts for the user.
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
        Self::Drawn(drawn)
    }
}

impl From<CopiedTensor> for Tensor {
    fn from(copied: CopiedTensor) -> Self {
        Self::Copied(copied)
    }
}

impl From<TrainedTensor> for Tensor {
    fn from(trained: TrainedTensor) -> Self {
        Self::Trained(trained)
    }
}
