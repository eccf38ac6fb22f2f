//! Recurrent layers: the tensors of their gates.

use anyhow::{Result, ensure};

use super::arguments::LayerArguments;
use super::dense::by_letters;
use super::frameworks::{Framework, GateRow};
use super::tensor::GateTensor::{Bias, Biases, Input, Recurrent, SecondBias};
use super::tensor::{GateTensor, Gates, LayerTensor, TensorRole};
use crate::tensor::{Fans, Layout};

const MAX_LAYERS: u64 = 1 << 16;

/// The suffix of the first layer, in frameworks with one entry for stacked layers.
const FIRST: &str = "_l0";

/// `layers` stacked layers in one or both time directions: all tensors of one layer precede those of the next.
pub(super) fn recurrent(
    arguments: &LayerArguments,
    rows: &[GateRow],
    framework: &Framework,
    layout: &Layout,
) -> Result<Vec<LayerTensor>> {
    ensure!(!rows.is_empty(), "layout `{layout}` has no names for it: list a tensor for each gate instead");
    let (inputs, outputs, layers) = (arguments.size("in")?, arguments.size("out")?, arguments.count("layers")?);
    for (key, size) in [("in", inputs), ("out", outputs)] {
        ensure!(size > 0 || !arguments.is_like_torch(), "`{key}` is 0: it must be 1 or more");
    }
    let state = match arguments.optional("proj")?.filter(|&proj| proj > 0) {
        None => outputs,
        Some(proj) => {
            framework.require_torch(layout)?;
            ensure!(proj < outputs, "`proj` is {proj}: it must be below the {outputs} hidden units");
            proj
        }
    };
    ensure!(layers <= MAX_LAYERS, "`layers` is {layers}: at most 2^16 are allowed");
    let endings: &[&str] = if arguments.switch("bidirectional", false)? { &["", "_reverse"] } else { &[""] };
    for (key, several) in [("layers", layers > 1), ("bidirectional", endings.len() > 1)] {
        let in_one = rows.iter().all(|(word, ..)| word.ends_with(FIRST));
        ensure!(!several || in_one, "`{key}`: layout `{layout}` has one entry per layer and direction");
    }
    let mut tensors = Vec::new();
    for layer in 0..layers {
        let inputs = if layer == 0 { inputs } else { state * endings.len() as u64 };
        for ending in endings {
            let one = Layer { inputs, outputs, state, bias: arguments.bias()? };
            let mut tensors_of_one = one.tensors(arguments, rows, framework, layout)?;
            if state != outputs {
                tensors_of_one.push(one.projection(arguments, framework, layout)?);
            }
            for tensor in tensors_of_one {
                let name = match tensor.name.strip_suffix(FIRST) {
                    Some(name) => format!("{name}_l{layer}{ending}"),
                    None => tensor.name,
                };
                tensors.push(LayerTensor { name, ..tensor });
            }
        }
    }
    Ok(tensors)
}

/// One layer in one direction.
struct Layer {
    inputs: u64,
    outputs: u64,
    /// The size of the state: the size of the outputs, or of their projection.
    state: u64,
    bias: bool,
}

/// A cell: one layer for one time step, without a layer number in its names.
pub(super) fn cell(arguments: &LayerArguments, framework: &Framework, layout: &Layout) -> Result<Vec<LayerTensor>> {
    let (inputs, outputs) = (arguments.size("in")?, arguments.size("out")?);
    let rows = CELL.map(|(word, tensor)| (word, tensor, arguments.kind.gates()));
    let tensors = Layer { inputs, outputs, state: outputs, bias: arguments.bias()? }
        .tensors(arguments, &rows, framework, layout)?;
    // No units, no draws.
    let scheme = |scheme: Option<String>| if outputs == 0 { scheme.map(|_| "zeros".into()) } else { scheme };
    let tensors = tensors.into_iter();
    Ok(tensors.map(|tensor| LayerTensor { default_scheme: scheme(tensor.default_scheme.clone()), ..tensor }).collect())
}

const CELL: [(&str, GateTensor); 4] =
    [("weight_ih", Input), ("weight_hh", Recurrent), ("bias_ih", Bias), ("bias_hh", SecondBias)];

impl Layer {
    fn tensors(
        &self,
        arguments: &LayerArguments,
        rows: &[GateRow],
        framework: &Framework,
        layout: &Layout,
    ) -> Result<Vec<LayerTensor>> {
        let letters = layout.letters(2)?;
        let rows = rows.iter().filter(|(_, tensor, _)| self.bias || tensor.role() != TensorRole::Bias);
        rows.map(|&(word, tensor, count)| {
            // At most 2^48 times four gates.
            let all = count * self.outputs;
            let inputs = if tensor == Input { self.inputs } else { self.state };
            let fans = Fans { fan_in: Some(inputs), fan_out: Some(all) };
            let is_matrix = matches!(tensor, Input | Recurrent);
            let shape = match tensor {
                _ if is_matrix => by_letters(&letters, inputs, all, &[])?,
                Biases => vec![2, all],
                _ => vec![all],
            };
            let (layout, role) = (is_matrix.then(|| letters.clone()), tensor.role());
            let default_scheme = arguments.default_scheme(role, Some(Gates { tensor, count, units: self.outputs }));
            Ok(LayerTensor { layout, fans, default_scheme, ..arguments.tensor(framework, word, shape, role) })
        })
        .collect()
    }

    /// The projection of the outputs of an LSTM, drawn like its other tensors.
    fn projection(&self, arguments: &LayerArguments, framework: &Framework, layout: &Layout) -> Result<LayerTensor> {
        let letters = layout.letters(2)?;
        let shape = by_letters(&letters, self.outputs, self.state, &[])?;
        let default_scheme = arguments.is_like_torch().then(|| format!("rnn-uniform:hidden={}", self.outputs));
        let fans = Fans { fan_in: Some(self.outputs), fan_out: Some(self.state) };
        let tensor = arguments.tensor(framework, "weight_hr_l0", shape, TensorRole::Weight);
        Ok(LayerTensor { layout: Some(letters), fans, default_scheme, ..tensor })
    }
}
