//! `fanin init`: arrays from a scheme and shapes.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use clap::builder::NonEmptyStringValueParser;

use super::numbers::Numbers;
use super::output::Output;
use super::shown;
use super::slices::Slices;
use crate::plan::{Base, Common, DType, Fans, Layout, Name, Plan, Shape, Tensor};
use crate::reader::Contents;
use crate::scheme::{self, Reads};

/// Draw arrays from a scheme and shapes.
#[derive(clap::Args)]
pub(super) struct Init {
    /// What to draw: NAME or NAME:key=value,...; a framework's name works too (`xavier_uniform_`, `keras.HeNormal`)
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    scheme: String,
    /// Shapes, with or without a name: 784x256, fc1=784x256, 256, () for a scalar
    #[arg(required = true, value_name = "[NAME=]SHAPE", allow_negative_numbers = true)]
    shapes: Vec<String>,
    #[command(flatten)]
    numbers: Numbers,
    /// The type of the elements: f64, f32, f16 or bf16
    #[arg(long, default_value = "f32")]
    dtype: DType,
    /// Which axis is what: a letter an axis (i in, o out, k kernel, b batch, g group) or a framework; that of --like, or `default`
    #[arg(long)]
    layout: Option<Layout>,
    /// The number of inputs of each output, in place of the layout's
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = fan)]
    fan_in: Option<u64>,
    /// The number of outputs of each input, in place of the layout's
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = fan)]
    fan_out: Option<u64>,
    /// A file with the weight that a scheme starts from, such as pissa-a
    #[arg(long, value_name = "FILE")]
    base: Option<PathBuf>,
    /// The name of that weight, where its file holds several
    #[arg(long, value_name = "NAME", requires = "base")]
    base_tensor: Option<String>,
    #[command(flatten)]
    slices: Slices,
    #[command(flatten)]
    output: Output,
}

/// A fan as it is typed.
pub(super) fn fan(text: &str) -> Result<u64, String> {
    let fan = text.parse().ok().filter(|fan| (1..=1 << 48).contains(fan));
    fan.ok_or_else(|| "it takes a whole number from 1 to 2^48".into())
}

impl Init {
    pub(super) fn run(&self, out: &mut dyn Write) -> Result<()> {
        self.output.write(out, &self.plan()?, &[])
    }

    fn plan(&self) -> Result<Plan> {
        let fans = Fans { fan_in: self.fan_in, fan_out: self.fan_out };
        let layout = self.numbers.layout(self.layout.as_ref())?;
        let common = Common { dtype: self.dtype, layout, fans, generator: self.numbers.generator() };
        let base = self.base()?.map(Arc::new);
        let tensors = self.shapes.iter().enumerate().map(|(position, text)| {
            let (name, shape) = named_shape(text, position).with_context(|| format!("`{text}`"))?;
            Tensor::from_base(name, shape, &self.scheme, &common, base.as_ref())
        });
        let seed = self.numbers.seed();
        self.slices.of(Plan::new(common.generator, seed, tensors.collect::<Result<_>>()?)?)
    }

    /// The weight that the scheme starts from.
    fn base(&self) -> Result<Option<Base>> {
        let Some(path) = &self.base else { return Ok(None) };
        let scheme = scheme::resolve(&self.scheme)?.scheme;
        ensure!(scheme.reads == Reads::Base, "--base: {} starts from no weight", scheme.name);
        let read = Contents::open(path)?.base(self.base_tensor.as_deref(), self.output.resources.limit());
        Ok(Some(read.with_context(|| format!("--base {}", shown(path)))?))
    }
}

/// `NAME=SHAPE` or `SHAPE`.
fn named_shape(text: &str, position: usize) -> Result<(Name, Shape)> {
    match text.rsplit_once('=') {
        Some((name, shape)) => Ok((name.parse()?, shape.parse()?)),
        None => Ok((Name::unnamed(position), text.parse()?)),
    }
}
