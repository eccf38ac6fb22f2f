//! `fanin init`: arrays from a scheme and shapes.

mod fixes;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use clap::builder::NonEmptyStringValueParser;

use super::drawing_options::DrawingOptions;
use super::output::{Folder, Output, Shards};
use super::overlap::Touched;
use super::slices::Slices;
use super::{help, shown};
use crate::format::Format;
use crate::model::layers::modules::{self, ModuleSpec};
use crate::plan::{self, Common, DrawnTensor, Plan, Turn, put_in_turn};
use crate::reader::Contents;
use crate::scheme::{Requires, Scheme};
use crate::tensor::{Base, Element, Fans, Layout, Name, Shape};

/// Draw arrays from a scheme and shapes.
#[derive(clap::Args)]
#[command(
    before_help = help::styled(EXAMPLES),
    after_help = "`fanin list schemes` lists the schemes; `fanin explain NAME` explains one.",
    mut_arg("threads", |last| last),
    mut_arg("max_memory", |last| last),
)]
pub(super) struct Init {
    /// Scheme, as in he-normal or orthogonal:gain=relu
    ///
    /// NAME or NAME:key=value,..., or a framework's name of an initializer or a module, such as torch.nn.LSTM.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    scheme: String,
    /// Shapes: 784x256, 256, fc1=784x256, or () for a scalar
    #[arg(required = true, value_name = "[NAME=]SHAPE", allow_negative_numbers = true)]
    shapes: Vec<String>,
    /// Axes: torch, keras, ..., or letters [default: io]
    ///
    /// A framework (`fanin list layouts`), or one letter per axis: i inputs, o outputs, k kernel, b batch, g group, as in oikk. With --like,
    /// the default is the layout of that framework; for .pt it is torch.
    #[arg(long, help_heading = help::AXES)]
    layout: Option<Layout>,
    /// Number of inputs per output [default: by layout]
    #[arg(long, value_name = "N", help_heading = help::AXES, allow_negative_numbers = true, value_parser = fan)]
    fan_in: Option<u64>,
    /// Number of outputs per input [default: by layout]
    #[arg(long, value_name = "N", help_heading = help::AXES, allow_negative_numbers = true, value_parser = fan)]
    fan_out: Option<u64>,
    #[command(flatten)]
    numbers: DrawingOptions,
    /// Element type: f64, f32, f16, bf16, or an integer type for a scheme of integers
    #[arg(long, default_value = "f32", help_heading = help::NUMBERS)]
    dtype: Element,
    /// Weight that a scheme such as pissa-a starts from
    #[arg(long, value_name = "FILE", help_heading = help::BASE)]
    base: Option<PathBuf>,
    /// Tensor of that file, if it has several
    #[arg(long, value_name = "NAME", requires = "base", help_heading = help::BASE)]
    base_tensor: Option<String>,
    #[command(flatten)]
    slices: Slices,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    shards: Shards,
}

const EXAMPLES: &str = "\
Examples:
  fanin init glorot-uniform 4x3                          look at some weights
  fanin init he-normal 784x256 --seed 7 -o w.npy         one matrix for NumPy
  fanin init he-normal fc1=784x256 fc2=256x10 -o w.npz   several in a file";

pub(super) fn fan(text: &str) -> Result<u64, String> {
    let fan = text.parse().ok().filter(|fan| (1..=Shape::MAX_ELEMENTS).contains(fan));
    fan.ok_or_else(|| "use a whole number from 1 to 2^48".into())
}

impl Init {
    pub(super) fn run(&self, out: &mut dyn Write) -> Result<()> {
        let touched = self.base.iter().fold(Touched::default(), |touched, path| touched.reads_weights("--base", path));
        let destination = self.output.destination(Folder::TensorFiles, self.shards, touched)?;
        destination.write(out, &self.plan(destination.format())?)
    }

    fn plan(&self, format: Option<&Format>) -> Result<Plan> {
        fixes::check_order(&self.scheme, &self.shapes)?;
        let fans = Fans { fan_in: self.fan_in, fan_out: self.fan_out };
        let layout = self.numbers.layout(self.layout.as_ref(), format)?;
        let common = Common { dtype: self.dtype, layout, fans, generator: self.numbers.generator() };
        let (tensors, notes) = match modules::find(&self.scheme)? {
            Some(module) => self.of_module(&module, &common)?,
            None => self.of_scheme(&common)?,
        };
        let (mut tensors, turns): (Vec<_>, Vec<_>) = tensors.into_iter().unzip();
        put_in_turn(common.generator, &mut tensors, &turns);
        self.slices.of(Plan::new(common.generator, self.numbers.seed(), tensors)?.with_notes(notes))
    }

    /// All tensors of a module for each shape.
    fn of_module(&self, module: &ModuleSpec, common: &Common) -> Result<Drawn> {
        let path = module.module.path();
        ensure!(self.base.is_none(), "--base: {path} does not start from a weight");
        let fans = "--fan-in and --fan-out do not apply to modules: the shape gives their fans";
        ensure!(common.fans == Fans::default(), fans);
        module.layout(self.layout.as_ref(), common.generator)?;
        let dtype =
            common.dtype.dtype().with_context(|| format!("--dtype {}: {path} has no integers", common.dtype.word()))?;
        let mut tensors = Vec::new();
        for (position, typed) in self.shapes.iter().enumerate() {
            let (name, shape) = self.named_shape(typed)?;
            let alone = if self.shapes.len() > 1 { position.to_string() } else { String::new() };
            let parts = module.drawn(name.unwrap_or(&alone), &shape, position, (dtype, common.generator));
            tensors.extend(parts.with_context(|| format!("`{typed}`"))?);
        }
        Ok((tensors, module.notes(common.generator).collect()))
    }

    /// A tensor for each shape.
    fn of_scheme(&self, common: &Common) -> Result<Drawn> {
        let scheme = plan::resolve(&self.scheme, common.meaning())?;
        let base = self.base(scheme.scheme)?.map(Arc::new);
        let (mut tensors, mut notes) = (Vec::with_capacity(self.shapes.len()), Vec::new());
        for (position, typed) in self.shapes.iter().enumerate() {
            let (name, shape) = self.named_shape(typed)?;
            let name = name.map_or_else(|| Ok(Name::unnamed(position)), str::parse);
            let name = name.with_context(|| format!("`{typed}`"))?;
            notes.extend(fixes::is_parameter(&scheme, &self.scheme, typed));
            let tensor = DrawnTensor::resolved(name, shape, &scheme, common, base.as_ref());
            let tensor = tensor.map_err(|error| fixes::of_drawing(&scheme, common.fans, &self.shapes, typed, error))?;
            tensors.push((tensor, (position, 0)));
        }
        Ok((tensors, notes))
    }

    fn named_shape<'a>(&self, typed: &'a str) -> Result<(Option<&'a str>, Shape)> {
        let (name, shape) = named(typed);
        Ok((name, shape.parse().map_err(|error| fixes::not_a_shape(&self.scheme, typed, error))?))
    }

    /// The weight that the scheme starts from.
    fn base(&self, scheme: &Scheme) -> Result<Option<Base>> {
        let Some(path) = &self.base else { return Ok(None) };
        ensure!(scheme.requires == Requires::Base, "--base: {} does not start from a weight", scheme.name);
        let read = Contents::open(path)?.base(self.base_tensor.as_deref(), self.output.resources.limit());
        Ok(Some(read.with_context(|| format!("--base {}", shown(path)))?))
    }
}

/// Tensors with their turns in a framework's order, and notes.
type Drawn = (Vec<(DrawnTensor, Turn)>, Vec<String>);

/// A shape, and the name before it if there is one.
fn named(typed: &str) -> (Option<&str>, &str) {
    typed.rsplit_once('=').map_or((None, typed), |(name, shape)| (Some(name.trim_end_matches(' ')), shape))
}
