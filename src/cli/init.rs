//! `fanin init`: arrays from a scheme and shapes.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use clap::builder::NonEmptyStringValueParser;

use super::numbers::Numbers;
use super::output::Output;
use super::overlap::Touched;
use super::shown;
use super::slices::Slices;
use crate::model::layers::modules;
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
        let touched = self.base.iter().fold(Touched::default(), |touched, path| touched.reads_weights("--base", path));
        self.output.check_named(&touched)?;
        self.output.write(out, &self.plan()?, touched)
    }

    fn plan(&self) -> Result<Plan> {
        let fans = Fans { fan_in: self.fan_in, fan_out: self.fan_out };
        let layout = self.numbers.layout(self.layout.as_ref())?;
        let common = Common { dtype: self.dtype, layout, fans, generator: self.numbers.generator() };
        let (base, module) = (self.base()?.map(Arc::new), self.module()?);
        let mut tensors = Vec::with_capacity(self.shapes.len());
        for (position, text) in self.shapes.iter().enumerate() {
            let told = || format!("`{text}`");
            let (name, shape) =
                text.rsplit_once('=').map_or((None, text.as_str()), |(name, shape)| (Some(name), shape));
            // The scheme of single tensors that a module shares its word with goes for a tensor with a name.
            match module.as_ref().filter(|module| module.by_name || name.is_none() || !is_scheme(&self.scheme)) {
                Some(module) => {
                    ensure!(fans == Fans::default(), "--fan-in, --fan-out: a module has the fans of its shape");
                    let alone = if self.shapes.len() > 1 { position.to_string() } else { String::new() };
                    let shape: Shape = shape.parse().with_context(told)?;
                    let parts =
                        module.tensors(name.unwrap_or(&alone), shape.axes(), &common.layout).with_context(told)?;
                    for part in parts {
                        tensors.push(part.drawn(&part.name, part.scheme(), self.dtype, common.generator)?);
                    }
                }
                None => {
                    let name = name.map_or_else(|| Ok(Name::unnamed(position)), str::parse).with_context(told)?;
                    let shape = shape.parse().with_context(told)?;
                    tensors.push(Tensor::from_base(name, shape, &self.scheme, &common, base.as_ref())?);
                }
            }
        }
        let seed = self.numbers.seed();
        self.slices.of(Plan::new(common.generator, seed, tensors)?)
    }

    /// The module that is asked for, whose tensors are drawn together.
    fn module(&self) -> Result<Option<modules::Asked>> {
        let like = self.numbers.generator().like_table();
        let module = modules::find(&self.scheme)?;
        if like.is_some_and(|like| like.framework == modules::FRAMEWORK) {
            return Ok(module);
        }
        match module.filter(|_| !is_scheme(&self.scheme)) {
            Some(module) => bail!("`{}` is a module of torch: `--like torch` draws its tensors", module.module.word),
            None => Ok(None),
        }
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

/// Whether an expression has the name of a scheme, of which each tensor is drawn by itself.
fn is_scheme(expression: &str) -> bool {
    scheme::look_up(expression).is_ok()
}
