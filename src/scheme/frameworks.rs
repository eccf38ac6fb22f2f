//! Frameworks: what they call the schemes, and what they mean by a name.

use std::sync::LazyLock;

use anyhow::{Context, Result, bail};

use super::expression::fold;
use super::unsupported::{self, UNSUPPORTED, Unsupported};
use super::{Alias, Scheme, all, find};
use crate::text::did_you_mean;

/// A framework, program or paper whose words for schemes are known.
pub struct Framework {
    /// The word before the dot of `FRAMEWORK.NAME`.
    pub word: &'static str,
    /// Its name, and the module that its initializers stand in.
    pub title: &'static str,
    /// Other words for it.
    aliases: &'static [&'static str],
    /// A framework whose initializers it offers as its own, beside those under its word.
    includes: Option<&'static str>,
    /// The layout of its weights, as `--layout` takes it; `None` where it is the default one or no one's.
    layout: Option<&'static str>,
}

const fn framework(word: &'static str, title: &'static str) -> Framework {
    Framework { word, title, aliases: &[], includes: None, layout: None }
}

impl Framework {
    const fn also(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    const fn in_layout(self, layout: &'static str) -> Self {
        Self { layout: Some(layout), ..self }
    }

    const fn including(self, other: &'static str) -> Self {
        Self { includes: Some(other), ..self }
    }
}

/// What is told of each framework, in the order of the page. One without a row here is known by its word alone.
const FRAMEWORKS: &[Framework] = &[
    framework("torch", "PyTorch, torch.nn.init").also(&["pytorch"]).in_layout("torch"),
    framework("keras", "Keras 3, keras.initializers"),
    framework("tensorflow", "TensorFlow, tf.initializers and tf.compat.v1.initializers")
        .also(&["tf"])
        .including("keras"),
    framework("jax", "JAX, jax.nn.initializers"),
    framework("flax", "Flax, flax.linen.initializers and flax.nnx.initializers").including("jax"),
    framework("haiku", "Haiku, haiku.initializers").also(&["hk"]),
    framework("sonnet", "Sonnet, sonnet.initializers").also(&["snt"]),
    framework("lasagne", "Lasagne, lasagne.init").in_layout("lasagne"),
    framework("theano", "Theano's Deep Learning Tutorials"),
    framework("mxnet", "MXNet, mxnet.initializer").also(&["mx"]).in_layout("torch"),
    framework("chainer", "Chainer, chainer.initializers").in_layout("torch"),
    framework("paddle", "PaddlePaddle, paddle.nn.initializer").also(&["paddlepaddle"]).in_layout("lasagne"),
    framework("mindspore", "MindSpore, mindspore.common.initializer").in_layout("torch"),
    framework("nnabla", "NNabla, nnabla.initializer").in_layout("lasagne"),
    framework("mlx", "MLX, mlx.nn.init").in_layout("mlx"),
    framework("tinygrad", "tinygrad, Tensor").in_layout("torch"),
    framework("timm", "timm, timm.layers").in_layout("torch"),
    framework("pyg", "PyTorch Geometric, torch_geometric.nn.inits").also(&["torch_geometric"]).in_layout("torch"),
    framework("transformers", "Hugging Face Transformers").also(&["huggingface", "hf"]),
    framework("gpt2", "GPT-2 in Transformers"),
    framework("whisper", "Whisper in Transformers"),
    framework("neox", "GPT-NeoX").also(&["gpt-neox"]).in_layout("torch"),
    framework("peft", "PEFT, init_lora_weights").in_layout("torch"),
    framework("fastai", "fastai, fastai.layers").in_layout("torch"),
    framework("mmcv", "MMCV, mmengine.model.weight_init").also(&["mmengine"]).in_layout("torch"),
    framework("siren", "SIREN, vsitzmann/siren").in_layout("torch"),
    framework("performer", "Performer, GaussianOrthogonalRandomMatrix").in_layout("torch"),
    framework("exprnn", "expRNN, Lezcano-Casado/expRNN").in_layout("torch"),
    framework("rwkv", "RWKV, BlinkDL/RWKV-LM"),
    framework("baselines", "OpenAI Baselines"),
    framework("equinox", "Equinox, equinox.nn").in_layout("torch"),
    framework("scipy", "SciPy, scipy.stats"),
    framework("neurolab", "NeuroLab, neurolab.init"),
    framework("s4", "S4, state-spaces/s4"),
    framework("mamba", "Mamba, state-spaces/mamba").in_layout("torch"),
    framework("caffe", "Caffe, FillerParameter").in_layout("torch"),
    framework("dl4j", "Deeplearning4j, WeightInit"),
    framework("tfjs", "TensorFlow.js, tf.initializers"),
    framework("axon", "Axon, Axon.Initializers"),
    framework("flux", "Flux.jl"),
    framework("lux", "Lux.jl, WeightInitializers"),
    framework("burn", "burn, Initializer"),
    framework("candle", "candle, candle_nn::Init").in_layout("torch"),
    framework("tch", "tch-rs, nn::Init").in_layout("torch"),
    framework("dfdx", "dfdx").in_layout("torch"),
    framework("reservoirpy", "ReservoirPy, reservoirpy.mat_gen"),
    framework("reservoircomputing", "ReservoirComputing.jl"),
    framework("kaldi", "Kaldi"),
    framework("hinton", "Hinton 2010, A practical guide to training restricted Boltzmann machines"),
];

/// The words of all frameworks with a name: those with a row first, in its order.
pub fn frameworks() -> Vec<&'static str> {
    // Every tensor asks for them.
    static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
        let spelled = all().flat_map(|scheme| scheme.framework_aliases).map(|alias| alias.framework);
        let mut words: Vec<&str> = spelled.chain(UNSUPPORTED.iter().flat_map(|row| row.frameworks).copied()).collect();
        let place = |word: &str| FRAMEWORKS.iter().position(|row| row.word == word).unwrap_or(FRAMEWORKS.len());
        words.sort_unstable_by_key(|word| (place(word), *word));
        words.dedup();
        words
    });
    WORDS.clone()
}

/// A framework's name, and the module that its initializers stand in.
pub fn title(word: &'static str) -> &'static str {
    row(word).map_or(word, |row| row.title)
}

/// The layout of a framework's weights, where it is another than the default one.
pub fn layout(word: &str) -> Option<&'static str> {
    row(word)?.layout
}

/// The framework whose names another offers as its own.
pub fn included(word: &str) -> Option<&'static str> {
    row(word)?.includes
}

fn row(word: &str) -> Option<&'static Framework> {
    FRAMEWORKS.iter().find(|row| row.word == word)
}

/// The framework of that word, whatever its case. Errors with the nearest that is known.
pub fn framework_of(word: &str) -> Result<&'static str> {
    let folded = fold(word);
    let aliased = FRAMEWORKS.iter().find(|row| row.aliases.iter().any(|alias| fold(alias) == folded));
    let known = frameworks();
    let found = known.iter().find(|known| fold(known) == folded).copied();
    found.or(aliased.map(|row| row.word)).with_context(|| {
        let near = did_you_mean(&word.to_lowercase(), known.iter().copied());
        format!("unknown framework `{word}`: known are {}{near}", known.join(", "))
    })
}

/// A framework's name and what becomes of it here.
#[derive(Clone, Copy)]
pub struct Name {
    /// The name there.
    pub name: &'static str,
    /// What it is here.
    pub is: Is,
}

/// What a framework's name is here.
#[derive(Clone, Copy)]
pub enum Is {
    /// An expression.
    Means(&'static str),
    /// No scheme.
    Unsupported(&'static Unsupported),
}

/// Every name that a framework offers: its own, and those that it takes from another and does not spell itself.
pub fn offered(framework: &str) -> Vec<Name> {
    let own = names(framework);
    let others = included(framework).map(names).unwrap_or_default().into_iter();
    let others: Vec<Name> = others.filter(|row| own.iter().all(|its| fold(its.name) != fold(row.name))).collect();
    own.into_iter().chain(others).collect()
}

/// Every name of a framework, its own only, in alphabetical order.
pub fn names(framework: &str) -> Vec<Name> {
    let framework_aliases =
        all().flat_map(|scheme| scheme.framework_aliases).filter(|alias| alias.framework == framework);
    let spelled = framework_aliases.map(|alias| Name { name: alias.name, is: Is::Means(alias.means) });
    let rows = UNSUPPORTED.iter().filter(|row| row.frameworks.contains(&framework));
    let others = rows.flat_map(|row| row.names.iter().map(|name| Name { name, is: Is::Unsupported(row) }));
    let mut names: Vec<Name> = spelled.chain(others).collect();
    names.sort_by_key(|row| (fold(row.name), row.name));
    names
}

/// What a framework means by a name: its own alias of it, or another framework's that folds to the same.
pub(super) fn qualified(framework: &str, name: &str) -> Result<&'static Alias> {
    let framework = framework_of(framework)?;
    let offers = |alias: &&Alias| {
        alias.framework == framework || included(framework).is_some_and(|other| alias.framework == other)
    };
    let framework_aliases = || all().flat_map(|scheme| scheme.framework_aliases).filter(offers);
    let called = || framework_aliases().filter(|alias| fold(alias.name) == fold(name));
    let own = called().find(|alias| alias.framework == framework);
    if let Some(alias) = own.or_else(|| called().next()) {
        return Ok(alias);
    }
    if let Some(row) = unsupported::of_framework(framework, name) {
        bail!("{}", row.refusal());
    }
    let near = match find(name) {
        Ok(_) => format!("; `{name}` alone is a scheme"),
        Err(_) => did_you_mean(name, framework_aliases().map(|alias| alias.name)),
    };
    bail!("{framework} has no `{name}` here{near}; `fanin list schemes --framework {framework}` shows its names")
}

/// A note where frameworks that use a name mean something else by it than the literature does.
pub(super) fn differences(scheme: &Scheme, typed: &str) -> Option<String> {
    if typed == scheme.name {
        return None;
    }
    let meanings = scheme.meanings().into_iter().filter(|meaning| meaning.means != scheme.name);
    let others: Vec<String> = meanings
        .filter_map(|meaning| {
            let same_name = meaning.names.iter().filter(|alias| fold(alias.name) == fold(typed));
            let names: Vec<String> = same_name.map(|row| format!("{}.{}", row.framework, row.name)).collect();
            let verb = if names.len() == 1 { "means" } else { "mean" };
            (!names.is_empty()).then(|| format!("{} {verb} {}", names.join(", "), meaning.means))
        })
        .collect();
    (!others.is_empty())
        .then(|| format!("`{typed}` is taken as {} ({}); {}", scheme.name, scheme.source, others.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_framework_has_several_words_and_may_offer_another_s_names() {
        for (framework, name, means) in [
            ("torch", "uniform", "uniform:low=0,high=1"),
            ("PyTorch", "uniform_", "uniform:low=0,high=1"),
            ("tf", "random_normal_initializer", "normal:std=0.05"),
            ("tf", "RandomNormal", "normal:std=0.05"),
            ("flax", "uniform", "uniform:low=0,high=0.01"),
            ("hk", "RandomUniform", "uniform:low=0,high=1"),
        ] {
            assert_eq!(qualified(framework, name).unwrap().means, means, "{framework}.{name}");
        }
    }

    #[test]
    fn a_name_that_a_framework_does_not_have_is_refused_with_the_way_on() {
        let message = |framework, name| format!("{:#}", qualified(framework, name).err().unwrap());
        assert!(message("torch", "nromal_").contains("did you mean `normal_`?"));
        assert!(message("torch", "he").contains("`he` alone is a scheme"));
        assert!(message("torch", "HeNormal").contains("`fanin list schemes --framework torch`"));
        assert!(message("troch", "normal_").contains("did you mean `torch`?"));
    }

    #[test]
    fn names_are_listed_with_what_becomes_of_them() {
        for framework in frameworks() {
            let names = names(framework);
            assert!(!names.is_empty(), "{framework}");
            for row in &names {
                if let Is::Means(means) = row.is {
                    assert_eq!(qualified(framework, row.name).unwrap().means, means, "{framework}.{}", row.name);
                }
            }
        }
    }
}
