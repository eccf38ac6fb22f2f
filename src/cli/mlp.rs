//! `fanin mlp`: the weights of a multilayer perceptron.

use std::io::Write;

use anyhow::{Context, Result};
use clap::builder::{NonEmptyStringValueParser, StyledStr};

use super::drawing_options::DrawingOptions;
use super::help;
use super::output::{Folder, Output, Shards};
use super::overlap::Touched;
use super::slices::Slices;
use crate::format::Format;
use crate::model::mlp::{self, ACTIVATIONS, Activation, BiasScheme, Sizes};
use crate::plan::Plan;
use crate::scheme;
use crate::tensor::{DType, Layout};

/// Draw the weights and biases of a multilayer perceptron.
#[derive(clap::Args)]
#[command(before_help = help::styled(EXAMPLES), after_help = names(), after_long_help = help::styled(&activations()))]
pub(super) struct Mlp {
    /// Layer sizes, from inputs to outputs, as in 784-512-10
    sizes: Sizes,
    /// Activation of the hidden layers
    ///
    /// It selects the scheme of the weights.
    #[arg(long, value_name = "NAME", default_value = "relu", help_heading = help::SCHEMES)]
    activation: Activation,
    /// Scheme of the weights [default: by activation]
    #[arg(long, help_heading = help::SCHEMES, value_parser = NonEmptyStringValueParser::new())]
    scheme: Option<String>,
    /// Scheme of the last layer's weight, such as zeros
    #[arg(long, value_name = "SCHEME", help_heading = help::SCHEMES, value_parser = NonEmptyStringValueParser::new())]
    output_scheme: Option<String>,
    /// Scheme of the biases, or `none` [default: zeros]
    ///
    /// `none` omits them. With --like, the default is that of the framework.
    #[arg(long, value_name = "SCHEME", help_heading = help::SCHEMES, value_parser = NonEmptyStringValueParser::new())]
    bias: Option<String>,
    /// Axes, names and order: torch, keras, ... [default: io]
    ///
    /// A framework (`fanin list layouts`), or io or oi for inputs and outputs. With --like, the default is the layout of that framework; for
    /// .pt it is torch.
    #[arg(long, help_heading = help::AXES)]
    layout: Option<Layout>,
    #[command(flatten)]
    numbers: DrawingOptions,
    /// Element type: f64, f32, f16 or bf16
    #[arg(long, default_value = "f32", help_heading = help::NUMBERS)]
    dtype: DType,
    #[command(flatten)]
    slices: Slices,
    #[command(flatten)]
    output: Output,
}

const EXAMPLES: &str = "\
Examples:
  fanin mlp 784-512-10 -o mlp.npz
  fanin mlp 784-512-10 --activation tanh -o mlp.pt       for torch.nn.Sequential
  fanin mlp 784-512-10 --like torch --seed 0 -o mlp.pt   torch's own values";

impl Mlp {
    pub(super) fn run(&self, out: &mut dyn Write) -> Result<()> {
        let destination = self.output.destination(Folder::TensorFiles, Shards::default(), Touched::default())?;
        destination.write(out, &self.slices.of(self.plan(destination.format())?)?)
    }

    fn plan(&self, format: Option<&Format>) -> Result<Plan> {
        let layout = self.numbers.layout(self.layout.as_ref(), format)?;
        let generator = self.numbers.generator();
        let like = crate::plan::parity_table(generator).map(|like| mlp::own_layers(like.framework));
        let bias = match self.bias.as_deref() {
            None => BiasScheme::Usual,
            Some("none") => BiasScheme::Absent,
            Some(expression) => BiasScheme::Drawn(expression.into()),
        };
        // An error names the option, even if no tensor uses it.
        for (option, expression) in
            [("--scheme", &self.scheme), ("--output-scheme", &self.output_scheme), ("--bias", &self.bias)]
        {
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
            last: self.output_scheme.clone(),
            bias,
        };
        mlp.plan(self.numbers.seed())
    }
}

/// The names of the activations for the short help.
fn names() -> StyledStr {
    let names: Vec<&str> = ACTIVATIONS.iter().map(|row| row.name).collect();
    help::styled(&format!("Activations:\n{}", names.join(", ")))
}

/// The activations and their schemes for the long help.
fn activations() -> String {
    let widest = ACTIVATIONS.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let rows = ACTIVATIONS.iter().map(|row| format!("  {:widest$}  {} ({})", row.name, row.scheme, row.source));
    format!(
        "Activations, and the scheme in the literature for the weights before each:\n{}\n\n\
         `leaky-relu:0.2` sets the slope. In names of torch and mlx, each activation except linear counts as a layer.",
        rows.collect::<Vec<_>>().join("\n")
    )
}
