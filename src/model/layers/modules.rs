//! The modules of `torch.nn` with weights, by the shape of the first of these: all their tensors, in the order in which torch draws them.

use anyhow::{Context, Result, ensure};

use super::{Framework, LayerTensor, Parameter, expand};
use crate::plan::{Layout, Shape};
use crate::text::{cut, escape};

/// The framework whose modules these are, and whose layout they have.
pub const FRAMEWORK: &str = "torch";

/// A module of `torch.nn`.
pub struct Module {
    /// Its name there.
    pub name: &'static str,
    /// Its word here.
    pub word: &'static str,
    /// The weight whose shape tells its sizes.
    pub weight: &'static str,
    /// The axes of that weight.
    pub axes: &'static str,
    /// Such a shape.
    pub example: &'static str,
    /// The layer that it is.
    kind: &'static str,
    /// The sizes of that layer, from the axes and the groups; `None` where they do not fit.
    sizes: fn(&[u64], u64) -> Option<Sizes>,
}

/// Parameters of a layer that are sizes.
type Sizes = Vec<(&'static str, Vec<u64>)>;

const LINEAR: Module = Module {
    name: "Linear",
    word: "torch-linear",
    weight: "weight",
    axes: "out x in",
    example: "256x784",
    kind: "dense",
    sizes: |axes, _| match *axes {
        [outputs, inputs] => Some(vec![("in", vec![inputs]), ("out", vec![outputs])]),
        _ => None,
    },
};

/// Of inputs and outputs in that order.
const EMBEDDING: Module = Module {
    name: "Embedding",
    word: "torch-embedding",
    axes: "rows x features",
    example: "1000x64",
    kind: "embedding",
    sizes: |axes, _| match *axes {
        [rows, features] => Some(vec![("in", vec![rows]), ("out", vec![features])]),
        _ => None,
    },
    ..LINEAR
};

const RNN: Module = Module {
    name: "RNN",
    word: "torch-rnn",
    weight: "weight_ih_l0",
    axes: "hidden x in",
    example: "64x32",
    kind: "rnn",
    sizes: |axes, _| recurrent(axes, 1),
};

/// `places` axes of the kernel, after the outputs and the inputs.
const CONV: Module = Module {
    axes: "out x in/groups x kernel",
    sizes: |axes, groups| match *axes {
        [outputs, inputs, ref kernel @ ..] => {
            Some(vec![("in", vec![inputs.checked_mul(groups)?]), ("out", vec![outputs]), ("kernel", kernel.to_vec())])
        }
        _ => None,
    },
    ..LINEAR
};

const CONV_TRANSPOSE: Module = Module {
    axes: "in x out/groups x kernel",
    sizes: |axes, groups| match *axes {
        [inputs, outputs, ref kernel @ ..] => {
            Some(vec![("in", vec![inputs]), ("out", vec![outputs.checked_mul(groups)?]), ("kernel", kernel.to_vec())])
        }
        _ => None,
    },
    ..LINEAR
};

/// Every module.
pub const MODULES: &[Module] = &[
    LINEAR,
    Module { name: "Conv1d", word: "torch-conv1d", kind: "conv1d", example: "16x8x5", ..CONV },
    Module { name: "Conv2d", word: "torch-conv2d", kind: "conv2d", example: "32x16x3x3", ..CONV },
    Module { name: "Conv3d", word: "torch-conv3d", kind: "conv3d", example: "8x4x3x3x3", ..CONV },
    Module {
        name: "ConvTranspose1d",
        word: "torch-conv-transpose1d",
        kind: "conv_transpose1d",
        example: "16x8x5",
        ..CONV_TRANSPOSE
    },
    Module {
        name: "ConvTranspose2d",
        word: "torch-conv-transpose2d",
        kind: "conv_transpose2d",
        example: "32x16x3x3",
        ..CONV_TRANSPOSE
    },
    Module {
        name: "ConvTranspose3d",
        word: "torch-conv-transpose3d",
        kind: "conv_transpose3d",
        example: "8x4x3x3x3",
        ..CONV_TRANSPOSE
    },
    EMBEDDING,
    Module { name: "EmbeddingBag", word: "torch-embedding-bag", ..EMBEDDING },
    RNN,
    Module {
        name: "LSTM",
        word: "torch-lstm",
        axes: "4 hidden x in",
        example: "256x32",
        kind: "lstm",
        sizes: |axes, _| recurrent(axes, 4),
        ..RNN
    },
    Module {
        name: "GRU",
        word: "torch-gru",
        axes: "3 hidden x in",
        example: "192x32",
        kind: "gru",
        sizes: |axes, _| recurrent(axes, 3),
        ..RNN
    },
    Module {
        name: "MultiheadAttention",
        word: "torch-multihead-attention",
        weight: "in_proj_weight",
        axes: "3 size x size",
        example: "192x64",
        kind: "multihead_attention",
        sizes: |axes, _| match *axes {
            [three, size] if size.checked_mul(3) == Some(three) => Some(vec![("size", vec![size])]),
            _ => None,
        },
    },
    Module {
        name: "Bilinear",
        word: "torch-bilinear",
        axes: "out x in1 x in2",
        example: "8x16x32",
        kind: "bilinear",
        sizes: |axes, _| match *axes {
            [outputs, first, second] => Some(vec![("in", vec![first, second]), ("out", vec![outputs])]),
            _ => None,
        },
        ..LINEAR
    },
];

fn recurrent(axes: &[u64], gates: u64) -> Option<Sizes> {
    match *axes {
        [all, inputs] if all.is_multiple_of(gates) => Some(vec![("in", vec![inputs]), ("out", vec![all / gates])]),
        _ => None,
    }
}

/// torch's words for parameters.
const WORDS: &[(&str, &str)] = &[("num_layers", "layers"), ("padding_idx", PADDING)];

/// Of the scheme of tables alone: the row that stays zero.
const PADDING: &str = "padding";

/// A module as it was asked for: `torch.nn.LSTM:num_layers=2`.
pub struct Asked {
    /// Which it is.
    pub module: &'static Module,
    /// Whether it was asked for by its name there, which nothing else has.
    pub by_name: bool,
    parameters: Vec<(String, Parameter)>,
}

/// The module that an expression asks for; `None` where its name is none of a module.
pub fn find(expression: &str) -> Result<Option<Asked>> {
    let (word, arguments) = expression.split_once(':').map_or((expression, None), |(word, rest)| (word, Some(rest)));
    let fold = |word: &str| word.replace(['-', '_'], "").to_lowercase();
    let (path, name) = word.rsplit_once('.').unwrap_or(("", word));
    let by_name = ["torch.nn", "nn"].contains(&path.to_lowercase().as_str());
    let called = |module: &&Module| match path {
        "" => fold(module.word) == fold(name),
        _ => by_name && fold(module.name) == fold(name),
    };
    let Some(module) = MODULES.iter().find(called) else { return Ok(None) };
    let parameters = arguments.into_iter().flat_map(|text| text.split([',', ':'])).map(parameter);
    let parameters =
        parameters.collect::<Result<_>>().with_context(|| format!("`{}`", escape(&cut(expression, 100))))?;
    Ok(Some(Asked { module, by_name, parameters }))
}

fn parameter(text: &str) -> Result<(String, Parameter)> {
    let pair = text.split_once('=').filter(|(key, value)| !key.is_empty() && !value.is_empty());
    let (key, value) = pair.with_context(|| format!("`{}` is not `key=value`", escape(&cut(text, 60))))?;
    let key = WORDS.iter().find(|(theirs, _)| *theirs == key).map_or(key, |(_, ours)| ours);
    let value = match value.to_lowercase().as_str() {
        "true" => Parameter::Switch(true),
        "false" => Parameter::Switch(false),
        word => word.parse().map_or_else(|_| Parameter::Word(value.into()), Parameter::Number),
    };
    Ok((key.into(), value))
}

impl Module {
    /// `NAME` of each parameter beside its shape.
    pub fn parameters(&self) -> Vec<&'static str> {
        let of_kind = super::parameters(self.kind).filter(|key| !["in", "out", "kernel", "size"].contains(key));
        let of_scheme = (self.kind == EMBEDDING.kind).then_some(PADDING);
        of_kind.chain(of_scheme).collect()
    }
}

impl Asked {
    /// Its tensors from the shape of the example.
    pub fn example(&self) -> Result<Vec<LayerTensor>> {
        let shape: Shape = self.module.example.parse()?;
        self.tensors("", shape.axes(), &FRAMEWORK.parse()?)
    }

    /// Its tensors under a name, or under their own where that is empty, from the shape of its first weight. Errors where the shape is
    /// none of that.
    pub fn tensors(&self, name: &str, axes: &[u64], layout: &Layout) -> Result<Vec<LayerTensor>> {
        let Module { word, weight, axes: wanted, example, kind, .. } = self.module;
        let own = Framework::of(layout).layout == FRAMEWORK;
        ensure!(own, "`{word}`: layout `{layout}`: a module keeps its tensors as torch does, layout `torch`");
        // Which row of a table stays zero is the scheme's matter.
        let of_scheme = |key: &str| *kind == EMBEDDING.kind && key == PADDING;
        let groups = self.parameters.iter().find_map(|(key, value)| match (key.as_str(), value) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is checked as a count")]
            ("groups", Parameter::Number(number)) => Some(*number as u64),
            _ => None,
        });
        let sizes = (self.module.sizes)(axes, groups.unwrap_or(1));
        let unfit = || format!("`{word}` takes the shape of its {weight}, {wanted}, as {example}");
        let sizes = sizes.with_context(unfit)?;
        #[expect(clippy::cast_precision_loss, reason = "sizes are 2^48 at most")]
        let given = sizes.into_iter().map(|(key, sizes)| {
            let sizes: Vec<f64> = sizes.into_iter().map(|size| size as f64).collect();
            let value = if let [size] = *sizes { Parameter::Number(size) } else { Parameter::List(sizes) };
            (key.to_string(), value)
        });
        let others = self.parameters.iter().filter(|(key, _)| !of_scheme(key)).cloned();
        let parameters: Vec<_> = given.chain(others).collect();
        let mut tensors = expand(name, kind, &parameters, layout, Framework::drawing(FRAMEWORK))?;
        ensure!(tensors.iter().any(|tensor| tensor.shape == axes), unfit());
        for (key, value) in self.parameters.iter().filter(|(key, _)| of_scheme(key)) {
            for tensor in &mut tensors {
                tensor.own = tensor.own.take().map(|own| format!("{own}:{key}={}", value.to_string().replace('`', "")));
            }
        }
        for tensor in &mut tensors {
            // Without a name of its own its tensors have theirs alone.
            if let Some(rest) = tensor.name.strip_prefix('.') {
                tensor.name = rest.into();
            }
        }
        Ok(tensors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_is_found_by_its_names_and_its_example_is_the_shape_of_its_weight() {
        for module in MODULES {
            for name in [module.word.to_string(), format!("torch.nn.{}", module.name), format!("nn.{}", module.name)] {
                let asked = find(&name).unwrap().expect(&name);
                assert_eq!(asked.module.name, module.name);
                let tensors = asked.example().unwrap();
                let weight = tensors.iter().find(|tensor| tensor.name == module.weight).expect(&name);
                let sizes: Vec<String> = weight.shape.iter().map(u64::to_string).collect();
                assert_eq!(sizes.join("x"), module.example, "{name}");
            }
        }
        for name in ["torch.Linear", "linear", "torch.nn.Lin", "jax.nn.Linear"] {
            assert!(find(name).unwrap().is_none(), "{name}");
        }
    }
}
