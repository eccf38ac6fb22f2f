//! Multilayer perceptrons: dense layers with activations between them.

use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};

use super::layers::{self, FRAMEWORKS, Framework, LayerKind, LayerNaming, LayerTensor, Parameter, TensorRole};
use crate::generator::Generator;
use crate::plan::{DrawnTensor, Plan};
use crate::tensor::{DType, Layout, Seed, Shape};
use crate::text::{cut, did_you_mean_or};

/// A perceptron.
pub struct Mlp {
    /// The sizes of the layers.
    pub sizes: Sizes,
    /// The activation between layers.
    pub activation: Activation,
    /// Names, shapes and order of the tensors.
    pub layout: Layout,
    /// The type of the elements.
    pub dtype: DType,
    /// The framework whose own dense layer replaces the scheme of the activation.
    pub like: Option<&'static Framework>,
    /// The generator of the values.
    pub generator: &'static Generator,
    /// The scheme of the weights, instead of any default.
    pub scheme: Option<String>,
    /// The scheme of the last layer's weight, instead of any other.
    pub last: Option<String>,
    /// The scheme of the biases.
    pub bias: BiasScheme,
}

/// The content of biases.
#[derive(Clone, Debug)]
pub enum BiasScheme {
    /// Zeros, or the default of the framework's own layer.
    Usual,
    /// No biases.
    Absent,
    /// A scheme.
    Drawn(String),
}

/// The number of inputs and the sizes of the layers: two or more.
#[derive(Clone, Debug)]
pub struct Sizes(Vec<u64>);

impl Sizes {
    /// The sizes, inputs first.
    pub fn all(&self) -> &[u64] {
        &self.0
    }
}

impl FromStr for Sizes {
    type Err = anyhow::Error;

    /// Reads `784-512-10`.
    fn from_str(text: &str) -> Result<Self> {
        const FORM: &str = "join sizes by `-`, inputs first, as in `784-512-10`";
        let shown = cut(text, 60);
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(sizes) = rejoined(text).filter(|_| !text.split('-').all(is_digits)) {
            bail!("`{shown}`: join sizes by `-`, as in `{}`", cut(&sizes, 60));
        }
        let mut sizes = Vec::new();
        for part in text.split('-') {
            ensure!(is_digits(part), "`{}` is not a size: {FORM}", cut(part, 30));
            // More than 64 bits: too large.
            let size = part.parse().unwrap_or(u64::MAX);
            ensure!(size > 0, "`{shown}` has a layer of 0 units: every size is 1 or more");
            ensure!(size <= Shape::MAX_ELEMENTS, "`{}` in `{shown}` is above 2^48, the largest size", cut(part, 30));
            sizes.push(size);
            ensure!(sizes.len() <= Plan::MAX_TENSORS / 2, "`{shown}`: more than 2^19 layers");
        }
        ensure!(sizes.len() > 1, "`{shown}` is only one size: {FORM}");
        Ok(Self(sizes))
    }
}

/// Sizes that are joined in another way, joined by `-`.
fn rejoined(text: &str) -> Option<String> {
    let is_separator = |character: char| " ,;:xX×*/>-()[]".contains(character);
    let is_list = text.chars().all(|character| character.is_ascii_digit() || is_separator(character));
    let sizes: Vec<&str> = text.split(is_separator).filter(|size| !size.is_empty()).collect();
    (is_list && sizes.len() > 1).then(|| sizes.join("-"))
}

/// An activation between layers, with the scheme of the preceding weights.
#[derive(Clone, Debug)]
pub struct Activation {
    row: &'static ActivationRow,
    slope: Option<f64>,
}

/// An activation of the literature.
#[derive(Debug)]
pub struct ActivationRow {
    /// Its name on the command line.
    pub name: &'static str,
    aliases: &'static [&'static str],
    /// The scheme of the preceding weights.
    pub scheme: &'static str,
    /// The publication.
    pub source: &'static str,
}

const GLOROT: &str = "Glorot and Bengio 2010";
const HE: &str = "He et al. 2015";
const AS_RELU: &str = "He et al. 2015, for rectifiers, which it resembles";

/// Every activation without weights. Activations like relu have he-normal, since He et al. draw normal values.
pub const ACTIVATIONS: &[ActivationRow] = &[
    row("tanh", &[], "glorot-uniform", GLOROT),
    row(
        "hard-tanh",
        &["hardtanh"],
        "glorot-uniform",
        "Glorot and Bengio 2010, for tanh, which has the same slope at 0",
    ),
    row("softsign", &[], "glorot-uniform", GLOROT),
    row("sigmoid", &["logistic"], "sigmoid-uniform", "the Deep Learning Tutorials, after Glorot and Bengio 2010"),
    row("relu", &[], "he-normal", HE),
    row("relu6", &[], "he-normal", HE),
    row("leaky-relu", &["lrelu"], "he-normal:gain=leaky-relu", HE),
    row("elu", &["celu"], "he-normal", "Clevert et al. 2016, after He et al. 2015"),
    row("softplus", &[], "he-normal", AS_RELU),
    row("gelu", &[], "he-normal", AS_RELU),
    row("silu", &["swish"], "he-normal", AS_RELU),
    row("mish", &[], "he-normal", AS_RELU),
    row("selu", &[], "lecun-normal", "Klambauer et al. 2017"),
    row("linear", &["identity", "none"], "lecun-normal", "LeCun et al. 1998: outputs have the variance of the inputs"),
    row("rbm", &[], "normal:std=0.01", "Hinton 2010, A practical guide to training restricted Boltzmann machines"),
];

const fn row(
    name: &'static str,
    aliases: &'static [&'static str],
    scheme: &'static str,
    source: &'static str,
) -> ActivationRow {
    ActivationRow { name, aliases, scheme, source }
}

impl FromStr for Activation {
    type Err = anyhow::Error;

    /// Reads `tanh`, `leaky-relu`, `leaky-relu:0.2` or `leaky-relu:slope=0.2`, ignoring case and hyphens.
    fn from_str(text: &str) -> Result<Self> {
        let (word, slope) = text.split_once(':').map_or((text, None), |(word, slope)| (word, Some(slope)));
        let folded = |word: &str| word.to_lowercase().replace(['-', '_'], "");
        let words = |row: &ActivationRow| std::iter::once(row.name).chain(row.aliases.iter().copied());
        let found = ACTIVATIONS.iter().find(|row| words(row).any(|known| folded(known) == folded(word)));
        let row = found.with_context(|| {
            let shown = cut(word, 60);
            let near = did_you_mean_or(&shown, ACTIVATIONS.iter().flat_map(words), "fanin mlp --help");
            format!("unknown activation `{shown}`{near}")
        })?;
        let slope = slope.map(|slope| {
            ensure!(row.name == "leaky-relu", "`{}` takes no value: only leaky-relu takes one, its slope", row.name);
            let number =
                slope.strip_prefix("slope=").unwrap_or(slope).parse().ok().filter(|slope: &f64| slope.is_finite());
            number.with_context(|| format!("`{}` is not a slope, as in `leaky-relu:0.2`", cut(slope, 30)))
        });
        Ok(Self { row, slope: slope.transpose()? })
    }
}

impl Activation {
    /// The scheme of the preceding weights.
    fn scheme(&self) -> String {
        match self.slope {
            Some(slope) => format!("{},slope={slope}", self.row.scheme),
            None => self.row.scheme.into(),
        }
    }

    /// True if frameworks have a layer for it.
    fn is_a_layer(&self) -> bool {
        self.row.name != "linear"
    }
}

impl Mlp {
    /// The plan of all layers.
    pub fn plan(&self, seed: Seed) -> Result<Plan> {
        let notes = self.origin().into_iter().chain([self.loads_into()]);
        Ok(Plan::of_layers(self.generator, seed, self.tensors()?)?.with_notes(notes))
    }

    /// The tensors, in the order of the layers.
    pub fn tensors(&self) -> Result<Vec<DrawnTensor>> {
        let layers = self.sizes.0.windows(2).enumerate();
        let last = self.sizes.0.len() - 2;
        let mut tensors: Vec<DrawnTensor> = Vec::with_capacity(2 * last + 2);
        for (position, sizes) in layers {
            for tensor in self.layer(position, sizes[0], sizes[1])? {
                let name = self.name(tensor.name.clone(), tensors.len());
                let expression = self.expression(&tensor, position == last);
                tensors.push(tensor.drawn(&name, &expression, self.dtype, self.generator)?);
            }
        }
        Ok(tensors)
    }

    /// The tensors of a dense layer, under the name that the framework gives the layer.
    fn layer(&self, position: usize, inputs: u64, outputs: u64) -> Result<Vec<LayerTensor>> {
        let step = if self.activation.is_a_layer() { 2 } else { 1 };
        let name = match (Framework::of(&self.layout).sequence, position) {
            (LayerNaming::FirstUnnumbered(word), 0) => word.into(),
            (LayerNaming::FirstUnnumbered(word), _) => format!("{word}_{position}"),
            (LayerNaming::WithActivations(word), _) => format!("{word}{}", position * step),
            (LayerNaming::Numbered(word) | LayerNaming::ByTensor(word), _) => format!("{word}{position}"),
        };
        #[expect(clippy::cast_precision_loss, reason = "sizes are below 2^49")]
        let size = |key: &str, size: u64| (key.to_string(), Parameter::Number(size as f64));
        let bias = !matches!(self.bias, BiasScheme::Absent);
        let parameters = [size("in", inputs), size("out", outputs), ("bias".into(), Parameter::Switch(bias))];
        layers::expand(&name, LayerKind::Dense, &parameters, &self.layout, self.like)
    }

    /// The name of a tensor that follows `before` others.
    fn name(&self, name: String, before: usize) -> String {
        match Framework::of(&self.layout).sequence {
            LayerNaming::ByTensor(word) => format!("{word}{before}"),
            _ => name,
        }
    }

    fn expression(&self, tensor: &LayerTensor, is_last: bool) -> String {
        let own = tensor.default_scheme.clone();
        if tensor.role == TensorRole::Bias {
            return match &self.bias {
                BiasScheme::Drawn(expression) => expression.clone(),
                _ => own.unwrap_or_else(|| "zeros".into()),
            };
        }
        let last = self.last.as_ref().filter(|_| is_last);
        let asked = last.or(self.scheme.as_ref()).cloned();
        asked.or(own).unwrap_or_else(|| self.activation.scheme())
    }

    /// The model that takes these names and shapes.
    fn loads_into(&self) -> String {
        match Framework::of(&self.layout).loads_into {
            Some(model) => format!("loads into {model}"),
            None => {
                let named = FRAMEWORKS.iter().filter(|framework| framework.loads_into.is_some());
                let words: Vec<&str> = named.map(|framework| framework.layout).collect();
                format!("no framework loads these names as they are: use --layout {}", words.join(", "))
            }
        }
    }

    /// The source of the default scheme.
    fn origin(&self) -> Option<String> {
        let row = self.activation.row;
        match (&self.scheme, self.like) {
            (Some(_), _) => None,
            (None, Some(framework)) => {
                Some(format!("weights and biases follow the dense layers of {}", framework.layout))
            }
            (None, None) => Some(format!("{}: {} ({})", row.name, self.activation.scheme(), row.source)),
        }
    }
}

/// The framework with that name. Errors if the initialization of its layers is unknown.
pub fn own_layers(word: &str) -> Result<&'static Framework> {
    Framework::with_default_init(word).with_context(|| {
        let known: Vec<&str> = Framework::all_with_default_init().map(|framework| framework.layout).collect();
        format!("{word} has no dense layers ({} have): `fanin init` draws single tensors", known.join(", "))
    })
}
