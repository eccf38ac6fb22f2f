//! `fanin mlp`: the weights of a multilayer perceptron.

use std::io::Write;

use anyhow::{Context, Result, bail};
use clap::builder::NonEmptyStringValueParser;

use super::numbers::Numbers;
use super::output::Output;
use super::overlap::Touched;
use super::slices::Slices;
use crate::model::mlp::{self, ACTIVATIONS, Activation, BiasScheme, Sizes};
use crate::plan::Plan;
use crate::scheme;
use crate::tensor::{DType, Layout};

/// Draw the weights and biases of a multilayer perceptron.
#[derive(clap::Args)]
pub(super) struct Mlp {
    /// The sizes of its layers, joined by -: inputs first, outputs last, as in 784-512-10
    sizes: Sizes,
    /// What follows each layer but the last; it says which scheme the weights have (see below)
    #[arg(long, default_value = "relu")]
    activation: Activation,
    /// Whose names, shapes and order: a framework, or a letter an axis (io, oi); `default` where it is not given
    #[arg(long)]
    layout: Option<Layout>,
    /// The scheme of the weights, in place of the activation's
    #[arg(long, value_name = "EXPR", value_parser = NonEmptyStringValueParser::new())]
    scheme: Option<String>,
    /// The scheme of the last layer's weight, such as zeros
    #[arg(long, value_name = "EXPR", visible_alias = "output-scheme", value_parser = NonEmptyStringValueParser::new())]
    last: Option<String>,
    /// The scheme of the biases, zeros where it is not given; `none` leaves them out
    #[arg(long, value_name = "EXPR", value_parser = NonEmptyStringValueParser::new())]
    bias: Option<String>,
    #[command(flatten)]
    numbers: Numbers,
    /// The type of the elements: f64, f32, f16 or bf16
    #[arg(long, default_value = "f32")]
    dtype: DType,
    #[command(flatten)]
    slices: Slices,
    #[command(flatten)]
    output: Output,
}

impl Mlp {
    pub(super) fn run(&self, out: &mut dyn Write) -> Result<()> {
        self.check_output()?;
        self.output.write(out, &self.slices.of(self.plan()?)?, Touched::default())
    }

    /// Refuses a scheme where a file is meant: `--output zeros` would be a file without an extension anyhow.
    fn check_output(&self) -> Result<()> {
        let word = self.output.file().and_then(|path| path.to_str());
        match word.filter(|word| !word.contains(['.', '/']) && scheme::resolve(word).is_ok()) {
            Some(word) if !self.output.has_format() => {
                bail!("`--output {word}` names a file: `--last {word}` is the scheme of the last layer")
            }
            _ => Ok(()),
        }
    }

    fn plan(&self) -> Result<Plan> {
        let layout = self.numbers.layout(self.layout.as_ref())?;
        let generator = self.numbers.generator();
        let like = crate::plan::like_table(generator).map(|like| mlp::own_layers(like.framework));
        let bias = match self.bias.as_deref() {
            None => BiasScheme::Usual,
            Some("none") => BiasScheme::Absent,
            Some(expression) => BiasScheme::Drawn(expression.into()),
        };
        // Told of by the option, even where no tensor comes to it.
        for (option, expression) in [("--scheme", &self.scheme), ("--last", &self.last), ("--bias", &self.bias)] {
            if let Some(expression) = expression.as_deref().filter(|word| option != "--bias" || *word != "none") {
                scheme::resolve(expression).context(option)?;
            }
        }
        let mlp = mlp::Mlp {
            sizes: self.sizes.clone(),
            activation: self.activation.clone(),
            layout,
            dtype: self.dtype,
            like: like.transpose()?,
            generator,
            scheme: self.scheme.clone(),
            last: self.last.clone(),
            bias,
        };
        Plan::of_layers(generator, self.numbers.seed(), mlp.tensors()?)
    }
}

/// What the activations mean, for the help.
pub(super) fn activations() -> String {
    let widest = ACTIVATIONS.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let rows = ACTIVATIONS.iter().map(|row| format!("  {:widest$}  {} ({})", row.name, row.scheme, row.source));
    format!(
        "Activations, and the scheme that the literature gives for the weights before each:\n{}\n\
         `leaky-relu:0.2` has that slope. In torch and mlx the activations are layers and count; linear is none.",
        rows.collect::<Vec<_>>().join("\n")
    )
}
