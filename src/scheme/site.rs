//! The context of a scheme: the shape, the roles of its axes, and the packing of weights in a tensor.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::{AnyParameter, Arguments, Parameter};
use crate::tensor::{Axes, AxisRole, Base, Fans, Layout, Shape, Unfolding};

const GROUPS: Parameter<u64> =
    Parameter::new("groups", "groups of a grouped convolution; each has its own weights and fans");
const HEADS: Parameter<u64> =
    Parameter::new("heads", "attention heads side by side, along the outputs or `axis`; each is a separate weight");
const SPLIT: Parameter<u64> =
    Parameter::new("split", "projections packed side by side, along the outputs or `axis`; each is a separate weight");
const AXIS: Parameter<u64> =
    Parameter::new("axis", "the axis that heads or split divide, counted from 0 [default: that of the outputs]");
const TRANSPOSED: Parameter<bool> = Parameter::new(
    "transposed",
    "the weight of a transposed convolution, stored as in torch and Keras: the layout's inputs are its outputs. MLX and Flax store it like any other convolution, so it is refused there; for Haiku and Flax's transpose_kernel=True use --layout keras",
);

/// The parameters of all schemes that read fans or matrices, in addition to their own.
pub const PACKING: &[&dyn AnyParameter] = &[&GROUPS, &HEADS, &SPLIT, &AXIS, &TRANSPOSED];

/// The packing of weights in one tensor: one, several side by side, or transposed.
#[derive(Default, PartialEq)]
struct Packing {
    transposed: bool,
    /// The parameter that divides the tensor, the number of parts, and the axis if given.
    parts: Option<(&'static str, u64, Option<usize>)>,
}

impl Packing {
    fn read(arguments: &Arguments) -> Result<Self> {
        let axis = arguments.optional(&AXIS).map(|axis| usize::try_from(axis).unwrap_or(usize::MAX));
        let given = [&GROUPS, &HEADS, &SPLIT].map(|parameter| Some((parameter.name, arguments.optional(parameter)?)));
        let mut given = given.into_iter().flatten();
        let parts = given.next();
        if let (Some((one, _)), Some((other, _))) = (parts, given.next()) {
            anyhow::bail!("groups, heads and split exclude each other: {one} and {other} are given");
        }
        let cuts = parts.is_some_and(|(name, _)| name != GROUPS.name);
        ensure!(axis.is_none() || cuts, "axis is only for heads or split");
        Ok(Self { transposed: arguments.flag(&TRANSPOSED), parts: parts.map(|(name, parts)| (name, parts, axis)) })
    }

    fn apply(&self, axes: Axes) -> Result<Axes> {
        let axes = if self.transposed { axes.transposed() } else { axes };
        let Some((name, parts, axis)) = self.parts else { return Ok(axes) };
        // A transposed convolution keeps all its inputs in one axis, and the outputs of one group.
        let side = if name == GROUPS.name && self.transposed { AxisRole::In } else { AxisRole::Out };
        let number = axis.or_else(|| axes.position(side)).context("the layout names no output axis")?;
        axes.split(parts, number).with_context(|| format!("{name}={parts}"))
    }
}

/// The context of a scheme: shape, axes and base.
pub struct Site<'a> {
    /// The shape.
    pub shape: &'a Shape,
    /// The roles of the axes.
    pub layout: &'a Layout,
    given: Fans,
    packing: Packing,
    base: Option<&'a Arc<Base>>,
}

impl<'a> Site<'a> {
    /// A shape with its layout; `given` fans override the layout's.
    pub fn new(shape: &'a Shape, layout: &'a Layout, given: Fans) -> Self {
        Self { shape, layout, given, packing: Packing::default(), base: None }
    }

    /// Adds a tensor that the scheme may start from.
    #[must_use]
    pub fn with_base(self, base: Option<&'a Arc<Base>>) -> Self {
        Self { base, ..self }
    }

    /// The tensor that the scheme starts from, and its axes.
    pub fn base(&self) -> Result<(&Arc<Base>, Axes)> {
        let base = self.base.context("this scheme starts from a given weight: add --base FILE")?;
        let axes = self.layout.axes(&base.shape);
        Ok((base, axes.with_context(|| format!("the base has shape {}", base.shape))?))
    }

    /// The site with the packing of a scheme that takes [`PACKING`].
    pub(super) fn packed(&self, arguments: &Arguments) -> Result<Self> {
        let site = Self { packing: Packing::read(arguments)?, ..Self::new(self.shape, self.layout, self.given) }
            .with_base(self.base);
        if let Some((framework, way_out)) = site.layout.without_transposed().filter(|_| site.packing.transposed) {
            bail!(
                "transposed: {framework} stores transposed convolutions like any others, so layout `{}` fits: {way_out}",
                site.layout
            );
        }
        // The packing must be possible, even if the scheme does not read it.
        if site.packing != Packing::default() {
            site.axes()?;
        }
        Ok(site)
    }

    /// The axes of the weight or weights in the tensor. Errors if the layout does not fit the shape.
    pub fn axes(&self) -> Result<Axes> {
        self.packing.apply(self.layout.axes(self.shape)?)
    }

    /// The number of inputs of each output.
    pub fn fan_in(&self) -> Result<u64> {
        self.fan(self.given.fan_in, Axes::fan_in, "fan_in")
    }

    /// The number of outputs of each input.
    pub fn fan_out(&self) -> Result<u64> {
        self.fan(self.given.fan_out, Axes::fan_out, "fan_out")
    }

    fn fan(&self, given: Option<u64>, of: fn(&Axes) -> Option<u64>, word: &str) -> Result<u64> {
        if let Some(fan) = given {
            return Ok(fan);
        }
        let Self { shape, layout, .. } = self;
        let fix = format!("--{} N", word.replace('_', "-"));
        let axes = self.axes().map_err(|why| match shape.rank() {
            0 => anyhow!("shape {shape} has no axis, so {word} is unknown: pass {fix}, or `{word} = N` in a recipe"),
            1 => anyhow!("shape {shape} has one axis, so {word} is unknown: pass {fix}, or `{word} = N` in a recipe"),
            _ => anyhow!("{why}: pass {fix}, or another --layout"),
        })?;
        of(&axes).with_context(|| format!("layout `{layout}` does not give {word}: pass {fix}, or another --layout"))
    }

    /// The fans that are known, for the report.
    pub fn known(&self) -> Fans {
        Fans { fan_in: self.fan_in().ok(), fan_out: self.fan_out().ok() }
    }

    /// The tensor as matrices. Errors for scalars and vectors, or if the layout has no input or output axis.
    pub fn unfolding(&self) -> Result<Unfolding> {
        let Self { shape, layout, .. } = self;
        ensure!(shape.rank() >= 2, "this scheme needs two or more axes, but shape {shape} has {}", shape.rank());
        Unfolding::new(self.axes()?).with_context(|| format!("layout `{layout}`"))
    }

    /// The tensor as square matrices. Errors if the numbers of inputs and outputs differ.
    pub fn square(&self) -> Result<Unfolding> {
        let (unfolding, shape) = (self.unfolding()?, self.shape);
        let (rows, columns) = (unfolding.rows(), unfolding.columns());
        ensure!(rows == columns, "shape {shape} has {columns} inputs and {rows} outputs: they must be equal");
        Ok(unfolding)
    }
}
