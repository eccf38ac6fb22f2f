//! Layers whose tensors are known as torch keeps and draws them, and as no other framework does.

use anyhow::{Result, bail, ensure};

use super::given::Given;
use super::{Framework, LayerTensor, Parameter, Role, expand, kernel};
use crate::plan::{Fans, Layout};

/// Whether a framework is torch.
fn is_torch(framework: &Framework) -> bool {
    framework.layout == "torch"
}

/// Errors where the names are not to be torch's.
fn named_by_torch(framework: &Framework, layout: &Layout) -> Result<()> {
    ensure!(is_torch(framework), "layout `{layout}` has no names for it here: only `torch` has");
    Ok(())
}

/// `torch.nn.ConvTranspose1d` to `ConvTranspose3d`: a weight of inputs x outputs / groups x kernel. torch draws it by the fans of an
/// ordinary convolution of that shape, which takes the second axis for the inputs, and so do the letters.
pub(super) fn transposed(
    given: &Given,
    framework: &Framework,
    layout: &Layout,
    places: usize,
) -> Result<Vec<LayerTensor>> {
    named_by_torch(framework, layout)?;
    let (inputs, outputs, groups) = (given.size("in")?, given.size("out")?, given.count("groups")?);
    let kernel = kernel(given, places)?;
    for (key, size) in [("in", inputs), ("out", outputs)] {
        ensure!(size % groups == 0, "`{key}` is {size}, which {groups} groups do not divide");
    }
    let field = kernel.iter().try_fold(1u64, |field, &size| field.checked_mul(size));
    let fan = |side: u64| field.and_then(|field| field.checked_mul(side));
    let fans = Fans { fan_in: fan(outputs / groups), fan_out: fan(inputs) };
    let shape = [vec![inputs, outputs / groups], kernel].concat();
    let named = |word, shape, role| LayerTensor { fans, ..given.tensor(framework, word, shape, role) };
    let letters = layout.letters(2 + places)?;
    let mut tensors = vec![LayerTensor { layout: Some(letters), ..named(framework.weight, shape, Role::Weight) }];
    if given.bias()? {
        tensors.push(named(framework.bias, vec![outputs], Role::Bias));
    }
    Ok(tensors)
}

/// `torch.nn.Bilinear`: everything is uniform with the bound 1 / sqrt(first inputs), by the law of recurrent layers.
pub(super) fn bilinear(given: &Given, framework: &Framework, layout: &Layout) -> Result<Vec<LayerTensor>> {
    named_by_torch(framework, layout)?;
    let (inputs, outputs) = (given.sizes("in")?, given.size("out")?);
    let [first, second] = *inputs else {
        bail!("`in` is a list of {}, and takes two sizes", inputs.len());
    };
    let own = given.numbers.is_some_and(is_torch).then(|| format!("rnn-uniform:hidden={first}"));
    let fans = Fans { fan_in: first.checked_mul(second), fan_out: Some(outputs) };
    let named =
        |word, shape, role| LayerTensor { fans, own: own.clone(), ..given.tensor(framework, word, shape, role) };
    let mut tensors = vec![named(framework.weight, vec![outputs, first, second], Role::Weight)];
    if given.bias()? {
        tensors.push(named(framework.bias, vec![outputs], Role::Bias));
    }
    Ok(tensors)
}

/// `torch.nn.MultiheadAttention`, in the order in which it draws: its last projection is a layer of its own, drawn when it is made;
/// then the first three are drawn as one matrix, and the biases become zeros, that of the last after it was drawn.
pub(super) fn multihead_attention(given: &Given, framework: &Framework, layout: &Layout) -> Result<Vec<LayerTensor>> {
    named_by_torch(framework, layout)?;
    let (size, bias) = (given.size("size")?, given.bias()?);
    #[expect(clippy::cast_precision_loss, reason = "sizes are 2^48 at most")]
    let number = |key: &str| (key.to_string(), Parameter::Number(size as f64));
    let parameters = [number("in"), number("out"), ("bias".into(), Parameter::Switch(bias))];
    let mut tensors = expand(&format!("{}.out_proj", given.name), "dense", &parameters, layout, given.numbers)?;
    let drawn_by_torch = given.numbers.is_some_and(is_torch);
    for tensor in tensors.iter_mut().filter(|tensor| drawn_by_torch && tensor.role == Role::Bias) {
        tensor.own = Some("torch-linear:cleared=true".into());
    }
    let first = LayerTensor {
        layout: Some(layout.letters(2)?),
        own: drawn_by_torch.then(|| "torch.xavier_uniform_".into()),
        ..given.tensor(framework, "in_proj_weight", vec![3 * size, size], Role::Weight)
    };
    tensors.push(first);
    if bias {
        let zeros = given.tensor(framework, "in_proj_bias", vec![3 * size], Role::Bias);
        tensors.push(LayerTensor { own: None, ..zeros });
    }
    Ok(tensors)
}
