//! The modules of `torch.nn` with weights. The shape of the first weight gives all tensors, in the order of `state_dict()`.

mod table;

use anyhow::{Context, Result, bail, ensure};

use super::arguments::Parameter;
use super::expand;
use super::frameworks::Framework;
use super::kind::LayerKind;
use super::tensor::{LayerTensor, TensorRole};
use crate::generator::Generator;
use crate::plan::{DrawnTensor, Turn};
use crate::scheme::Expression;
use crate::tensor::{DType, Layout, Shape};
use crate::text::{alternatives, cut, did_you_mean, did_you_mean_or_list, escape};

pub use table::MODULES;

/// The framework of the modules, and their layout.
pub const FRAMEWORK: &str = "torch";

/// A module of `torch.nn`.
pub struct Module {
    /// The name in `torch.nn`.
    pub name: &'static str,
    /// The tensor that determines the sizes, then its substitutes if it is missing.
    pub weights: &'static [&'static str],
    /// The axes of that tensor.
    pub axes: &'static str,
    /// An example of that shape.
    pub example: &'static str,
    /// The parameters of the example.
    pub example_parameters: &'static str,
    kind: LayerKind,
    /// The sizes of the layer, from the axes and the parameters; `None` if they do not fit.
    sizes: fn(&[u64], &Parameters) -> Option<Sizes>,
}

/// Parameters of a layer that are sizes.
type Sizes = Vec<(&'static str, Vec<u64>)>;

/// torch's names of parameters, each with the layer's name for it.
const WORDS: &[(&str, &str)] = &[
    ("num_layers", "layers"),
    ("padding_idx", PADDING),
    ("proj_size", "proj"),
    ("num_heads", "heads"),
    ("nhead", "heads"),
    ("num_encoder_layers", "encoder_layers"),
    ("num_decoder_layers", "decoder_layers"),
    ("num_groups", "groups"),
    ("track_running_stats", "statistics"),
];

/// A parameter of the scheme of embeddings: the row that stays zero.
const PADDING: &str = "padding";

/// A module with parameters: `torch.nn.LSTM:num_layers=2`.
pub struct ModuleSpec {
    /// The module without parameters.
    pub module: &'static Module,
    parameters: Parameters,
}

struct Parameters(Vec<(String, Parameter)>);

impl Parameters {
    fn find(&self, key: &str) -> Option<&Parameter> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    fn has(&self, key: &str) -> bool {
        self.find(key).is_some()
    }
}

/// The module that an expression names, as `torch.nn.LSTM` or `nn.LSTM`; `None` if it names a scheme. Errors if `torch.nn` has no such
/// module with weights.
pub fn find(expression: &str) -> Result<Option<ModuleSpec>> {
    let Ok(Expression { name: word, values, pairs, .. }) = Expression::parse(expression) else { return Ok(None) };
    let (path, name) = word.rsplit_once('.').unwrap_or(("", word));
    ensure!(
        path.rsplit('.').next() != Some("layers"),
        "`{}` is a layer: use torch.nn.NAME, or `layer` in a recipe",
        escape(&cut(word, 100))
    );
    if !["torch.nn", "nn"].contains(&path.to_lowercase().as_str()) {
        return Ok(None);
    }
    let fold = |word: &str| word.replace(['-', '_'], "").to_lowercase();
    let module = MODULES.iter().find(|module| fold(module.name) == fold(name)).with_context(|| {
        let near = did_you_mean_or_list(name, MODULES.iter().map(|module| module.name), "modules");
        format!("`{}`: no module with weights{near}", escape(&cut(word, 100)))
    })?;
    if let Some(value) = values.first() {
        let value = escape(&cut(value, 60));
        bail!("`{value}` is not `key=value`: the shape gives the sizes, as in `{} {}`", module.path(), module.example);
    }
    module.check(pairs.iter().map(|(key, _)| *key)).with_context(|| format!("`{}`", escape(&cut(expression, 100))))?;
    let parameters = pairs.into_iter().map(|(key, value)| parameter(key, value)).collect();
    Ok(Some(ModuleSpec { module, parameters: Parameters(parameters) }))
}

/// The layer's name of a parameter.
fn our_key(key: &str) -> &str {
    WORDS.iter().find(|(theirs, _)| *theirs == key).map_or(key, |(_, ours)| ours)
}

fn parameter(key: &str, value: &str) -> (String, Parameter) {
    let key = our_key(key);
    let value = match value.to_lowercase().as_str() {
        "true" => Parameter::Switch(true),
        "false" => Parameter::Switch(false),
        word => word.parse().map_or_else(|_| Parameter::Word(value.into()), Parameter::Number),
    };
    (key.into(), value)
}

impl Module {
    /// The names of the parameters that its shape does not give.
    pub fn parameters(&self) -> Vec<&'static str> {
        let known = self.kind.parameters().iter().map(|(key, _)| *key);
        let of_kind = known.filter(|key| !["in", "out", "kernel", "size", "feedforward"].contains(key));
        let of_scheme = (self.kind == LayerKind::Embedding).then_some(PADDING);
        of_kind.chain(of_scheme).collect()
    }

    /// Errors if a key is no parameter of the layer, with the words of torch.
    fn check<'a>(&self, mut keys: impl Iterator<Item = &'a str>) -> Result<()> {
        let ours = self.parameters();
        let all: Vec<&str> = self.kind.parameters().iter().map(|(key, _)| *key).chain(ours.iter().copied()).collect();
        let Some(key) = keys.find(|key| !all.contains(&our_key(key))) else { return Ok(()) };
        let theirs = ours.into_iter().map(|ours| WORDS.iter().find(|row| row.1 == ours).map_or(ours, |row| row.0));
        let known: Vec<&str> = theirs.collect();
        let near = did_you_mean(key, known.iter().copied());
        bail!("unknown parameter `{}`: use {}{near}", escape(&cut(key, 60)), alternatives(&known))
    }

    /// Its name as the user types it.
    pub fn path(&self) -> String {
        format!("{FRAMEWORK}.nn.{}", self.name)
    }

    /// The path with the parameters of its example.
    pub fn with_example(&self) -> String {
        match self.example_parameters {
            "" => self.path(),
            parameters => format!("{}:{parameters}", self.path()),
        }
    }
}

impl ModuleSpec {
    /// A module with the parameters of its example.
    pub fn of_example(module: &'static Module) -> Self {
        let pairs = module.example_parameters.split(',').filter_map(|pair| pair.split_once('='));
        Self { module, parameters: Parameters(pairs.map(|(key, value)| parameter(key, value)).collect()) }
    }

    /// The tensors of its example.
    pub fn example(&self) -> Result<Vec<LayerTensor>> {
        let shape: Shape = self.module.example.parse()?;
        self.tensors("", shape.axes(), &FRAMEWORK.parse()?)
    }

    /// The layout of its tensors, torch's. Errors if another layout or framework was requested.
    pub fn layout(&self, given: Option<&Layout>, generator: &Generator) -> Result<Layout> {
        let word = self.module.path();
        if let Some(like) = crate::plan::parity_table(generator).filter(|like| like.framework != FRAMEWORK) {
            bail!("`{word}` is a module of torch, which {} cannot draw", like.framework);
        }
        let layout = given.map_or_else(|| FRAMEWORK.parse(), |layout| Ok(layout.clone()))?;
        let own = Framework::of(&layout).layout == FRAMEWORK;
        ensure!(own, "`{word}` needs layout `torch`, not `{layout}`");
        Ok(layout)
    }

    /// The tensors from the shape of the first weight, with a prefix unless it is empty. Errors if the shape does not fit.
    pub fn tensors(&self, name: &str, axes: &[u64], layout: &Layout) -> Result<Vec<LayerTensor>> {
        let (Module { weights, axes: wanted, example, kind, .. }, word) = (self.module, self.module.path());
        // The padding row is a parameter of the scheme.
        let of_scheme = |key: &str| *kind == LayerKind::Embedding && key == PADDING;
        let sizes = (self.module.sizes)(axes, &self.parameters);
        let unfit = || format!("`{word}` needs the shape of its {}, {wanted}, such as {example}", weights[0]);
        let sizes = sizes.with_context(unfit)?;
        #[expect(clippy::cast_precision_loss, reason = "sizes are 2^48 at most")]
        let given = sizes.into_iter().map(|(key, sizes)| {
            let sizes: Vec<f64> = sizes.into_iter().map(|size| size as f64).collect();
            let value = if let [size] = *sizes { Parameter::Number(size) } else { Parameter::List(sizes) };
            (key.to_string(), value)
        });
        let others = self.parameters.0.iter().filter(|(key, _)| !of_scheme(key)).cloned();
        let parameters: Vec<_> = given.chain(others).collect();
        let mut tensors = expand(name, *kind, &parameters, layout, Framework::with_default_init(FRAMEWORK))?;
        ensure!(tensors.iter().any(|tensor| tensor.shape == axes), unfit());
        for (key, value) in self.parameters.0.iter().filter(|(key, _)| of_scheme(key)) {
            for tensor in &mut tensors {
                tensor.default_scheme = tensor
                    .default_scheme
                    .take()
                    .map(|own| format!("{own}:{key}={}", value.to_string().replace('`', "")));
            }
        }
        for tensor in &mut tensors {
            // No prefix, only the names of the tensors.
            if let Some(rest) = tensor.name.strip_prefix('.') {
                tensor.name = rest.into();
            }
        }
        Ok(tensors)
    }

    /// The tensors as a generator draws them, each with its turn. `number` counts the modules of the command.
    pub fn drawn(
        &self,
        name: &str,
        shape: &Shape,
        number: usize,
        (dtype, generator): (DType, &'static Generator),
    ) -> Result<Vec<(DrawnTensor, Turn)>> {
        let tensors = self.tensors(name, shape.axes(), &FRAMEWORK.parse()?)?;
        let in_order = generator.framework.is_some();
        let drawn = tensors.into_iter().map(|tensor| {
            let tensor = if in_order { tensor } else { apart(tensor) };
            let drawn = tensor.drawn(&tensor.name, tensor.scheme(), dtype, generator)?;
            Ok((drawn, (number, tensor.turn)))
        });
        drawn.collect()
    }

    /// Notes for the user about its tensors.
    pub fn notes(&self, generator: &Generator) -> impl Iterator<Item = String> {
        use LayerKind::{Transformer, TransformerDecoder, TransformerEncoder};
        let in_order = generator.framework.is_some();
        let copies = matches!(self.module.kind, TransformerEncoder | TransformerDecoder | Transformer);
        [
            (copies && !in_order)
                .then_some("torch copies one layer to all layers of a stack; here each is drawn separately"),
            self.has_statistics().then_some("num_batches_tracked, an integer that starts at 0, is not written"),
        ]
        .into_iter()
        .flatten()
        .map(Into::into)
    }

    /// True if its buffers count batches.
    fn has_statistics(&self) -> bool {
        let default = match self.module.kind {
            LayerKind::BatchNorm => true,
            LayerKind::InstanceNorm => false,
            _ => return false,
        };
        self.parameters.find("statistics").map_or(default, |given| *given == Parameter::Switch(true))
    }
}

/// A tensor with its own address: no skipped values, and no later reset to zero.
fn apart(tensor: LayerTensor) -> LayerTensor {
    let is_zero = |scheme: &str| scheme.contains("cleared") || tensor.fans.fan_in == Some(0);
    let scheme = tensor.default_scheme.clone().filter(|scheme| tensor.role != TensorRole::Bias || !is_zero(scheme));
    LayerTensor { default_scheme: scheme, skipped: 0, ..tensor }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_is_found_by_its_names_and_its_example_is_the_shape_of_its_weight() {
        for module in MODULES {
            let parameters = module.with_example().replacen(&module.path(), "", 1);
            for name in
                [module.path(), format!("nn.{}", module.name), format!("TORCH.NN.{}", module.name.to_lowercase())]
            {
                let asked = find(&format!("{name}{parameters}")).unwrap().expect(&name);
                assert_eq!(asked.module.name, module.name);
                let tensors = asked.example().unwrap();
                let weight = tensors.iter().find(|tensor| tensor.name == module.weights[0]).expect(&name);
                let sizes: Vec<String> = weight.shape.iter().map(u64::to_string).collect();
                assert_eq!(sizes.join("x"), module.example, "{name}");
            }
        }
        for name in ["torch.Linear", "linear", "torch-linear", "jax.nn.Linear"] {
            assert!(find(name).unwrap().is_none(), "{name}");
        }
        assert!(find("torch.nn.Lin").is_err());
    }
}
