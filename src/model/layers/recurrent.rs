//! Recurrent layers: the tensors of their gates.

use anyhow::{Result, ensure};

use super::arguments::LayerArguments;
use super::default_init::Gates;
use super::frameworks::GateTensor::{self, Bias, Biases, ForgetBias, Input, Recurrent, SecondBias};
use super::frameworks::Part;
use super::torch::named_by_torch;
use super::{Framework, LayerTensor, TensorRole, by_letters};
use crate::tensor::{Fans, Layout};

/// The most layers on top of each other, in one.
const MAX_LAYERS: u64 = 1 << 16;

/// What a framework that keeps all layers in one writes after the names of the first.
const FIRST: &str = "_l0";

/// A layer, or `layers` on top of each other, each once or in both directions of time: all tensors of one before those of the next.
pub(super) fn recurrent(
    given: &LayerArguments,
    parts: &[Part],
    framework: &Framework,
    layout: &Layout,
) -> Result<Vec<LayerTensor>> {
    ensure!(
        !parts.is_empty(),
        "layout `{layout}` has no names for it here: a tensor for each of its gates is to be named by hand"
    );
    let (inputs, outputs, layers) = (given.size("in")?, given.size("out")?, given.count("layers")?);
    for (key, size) in [("in", inputs), ("out", outputs)] {
        ensure!(size > 0 || !given.drawn_by_torch(), "`{key}` is 0, and torch takes 1 or more");
    }
    let state = match given.optional("proj")?.filter(|&proj| proj > 0) {
        None => outputs,
        Some(proj) => {
            named_by_torch(framework, layout)?;
            ensure!(proj < outputs, "`proj` is {proj}, and takes less than the {outputs} hidden units");
            proj
        }
    };
    ensure!(layers <= MAX_LAYERS, "`layers` is {layers}, and at most 2^16 are allowed");
    let endings: &[&str] = if given.switch("bidirectional", false)? { &["", "_reverse"] } else { &[""] };
    for (key, several) in [("layers", layers > 1), ("bidirectional", endings.len() > 1)] {
        let in_one = parts.iter().all(|(word, ..)| word.ends_with(FIRST));
        ensure!(!several || in_one, "`{key}`: layout `{layout}` keeps each of them apart: give each an entry");
    }
    let mut tensors = Vec::new();
    for layer in 0..layers {
        let inputs = if layer == 0 { inputs } else { state * endings.len() as u64 };
        for ending in endings {
            let one = Layer { inputs, outputs, state, bias: given.bias()? };
            let mut tensors_of_one = one.tensors(given, parts, framework, layout)?;
            if state != outputs {
                tensors_of_one.push(one.projection(given, framework, layout)?);
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
    /// The size of the state: the outputs, where they are not projected.
    state: u64,
    bias: bool,
}

/// A cell: one layer for one step of time, whose names torch writes without the number of a layer.
pub(super) fn cell(
    given: &LayerArguments,
    framework: &Framework,
    layout: &Layout,
    gates: u64,
) -> Result<Vec<LayerTensor>> {
    named_by_torch(framework, layout)?;
    let (inputs, outputs) = (given.size("in")?, given.size("out")?);
    let parts = CELL.map(|(word, form)| (word, form, gates));
    let tensors =
        Layer { inputs, outputs, state: outputs, bias: given.bias()? }.tensors(given, &parts, framework, layout)?;
    // Of no units nothing is drawn.
    let own = |own: Option<String>| if outputs == 0 { own.map(|_| "zeros".into()) } else { own };
    Ok(tensors.into_iter().map(|tensor| LayerTensor { own: own(tensor.own.clone()), ..tensor }).collect())
}

const CELL: [(&str, GateTensor); 4] =
    [("weight_ih", Input), ("weight_hh", Recurrent), ("bias_ih", Bias), ("bias_hh", SecondBias)];

impl Layer {
    fn tensors(
        &self,
        given: &LayerArguments,
        parts: &[Part],
        framework: &Framework,
        layout: &Layout,
    ) -> Result<Vec<LayerTensor>> {
        let letters = layout.letters(2)?;
        let wanted = parts.iter().filter(|(_, form, _)| self.bias || matches!(form, Input | Recurrent));
        wanted
            .map(|&(word, form, gates)| {
                // Bounded by 2^48 and four gates.
                let all = gates * self.outputs;
                let fan_in = if form == Input { self.inputs } else { self.state };
                let fans = Fans { fan_in: Some(fan_in), fan_out: Some(all) };
                let (shape, role) = match form {
                    Input => (by_letters(&letters, self.inputs, all, &[])?, TensorRole::Weight),
                    Recurrent => (by_letters(&letters, self.state, all, &[])?, TensorRole::Recurrent),
                    Bias | SecondBias | ForgetBias => (vec![all], TensorRole::Bias),
                    Biases => (vec![2, all], TensorRole::Bias),
                };
                let layout = matches!(form, Input | Recurrent).then(|| letters.clone());
                let own = given.own(role, Some(Gates { form, count: gates, units: self.outputs }));
                Ok(LayerTensor { layout, fans, own, ..given.tensor(framework, word, shape, role) })
            })
            .collect()
    }

    /// The projection of the outputs of an LSTM; drawn as the rest of it.
    fn projection(&self, given: &LayerArguments, framework: &Framework, layout: &Layout) -> Result<LayerTensor> {
        let letters = layout.letters(2)?;
        let shape = by_letters(&letters, self.outputs, self.state, &[])?;
        let own = given.drawn_by_torch().then(|| format!("rnn-uniform:hidden={}", self.outputs));
        let fans = Fans { fan_in: Some(self.outputs), fan_out: Some(self.state) };
        let tensor = given.tensor(framework, "weight_hr_l0", shape, TensorRole::Weight);
        Ok(LayerTensor { layout: Some(letters), fans, own, ..tensor })
    }
}
