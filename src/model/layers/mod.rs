//! Layers: kinds as data, to the tensors that a framework keeps of each, in its names, shapes and order.
//!
//! A kind says what its tensors are; a [`Framework`] says what each is called; the [`Layout`] says how each axis lies.

mod frameworks;
mod given;
pub mod modules;
mod recurrent;
mod torch;

use anyhow::{Context, Result, bail, ensure};

pub use frameworks::{FRAMEWORKS, Framework, Stack, further_seeds_of_keras};

use crate::generator::Generator;
use crate::plan::{Common, DType, Fans, LAYOUTS, Layout, Shape, Tensor};
use crate::scheme::{self, Reads};
use crate::text::did_you_mean;
use given::Given;
use recurrent::recurrent;

/// A parameter of a layer as it is given.
#[derive(Clone, Debug, PartialEq)]
pub enum Parameter {
    /// `in = 784`
    Number(f64),
    /// `kernel = [3, 3]`
    List(Vec<f64>),
    /// `bias = false`
    Switch(bool),
    /// Any word: no kind takes one so far, and an error can say so.
    Word(String),
}

/// What a tensor is to its layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// What inputs are multiplied by.
    Weight,
    /// What the state of a recurrent layer is multiplied by.
    Recurrent,
    /// What is added.
    Bias,
    /// What normalized values are multiplied by.
    Scale,
    /// The running mean of a batch norm.
    Mean,
    /// Its running variance.
    Variance,
    /// One over its running standard deviation.
    InverseStd,
}

impl Role {
    /// The scheme of what is never drawn at random, unless somebody asks for it.
    pub fn usual(self) -> Option<&'static str> {
        match self {
            Self::Weight | Self::Recurrent => None,
            Self::Bias | Self::Mean => Some("zeros"),
            Self::Scale | Self::Variance | Self::InverseStd => Some("ones"),
        }
    }
}

/// A tensor of a layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerTensor {
    /// Its name, that of its layer before it.
    pub name: String,
    /// The size of each axis.
    pub shape: Vec<u64>,
    /// A letter an axis, where it is a weight.
    pub layout: Option<String>,
    /// What it is to its layer.
    pub role: Role,
    /// The fans of its layer, which a bias has no axes to tell of.
    pub fans: Fans,
    /// The scheme that the framework's own layer draws it by, where that is known.
    pub own: Option<String>,
}

impl LayerTensor {
    /// The scheme that its framework draws it by.
    pub fn scheme(&self) -> &str {
        self.own.as_deref().or(self.role.usual()).unwrap_or("zeros")
    }

    /// The tensor of that name, drawn by a scheme.
    pub fn drawn(&self, name: &str, expression: &str, dtype: DType, generator: &'static Generator) -> Result<Tensor> {
        let layout = match &self.layout {
            Some(letters) => letters.parse()?,
            None => Layout::default(),
        };
        // A bias has no axes that tell of its layer; a scheme that reads the fans is told them.
        let reads = || Ok::<_, anyhow::Error>(scheme::resolve(expression)?.scheme.reads == Reads::Fans);
        let fans = if self.role == Role::Bias && reads()? { self.fans } else { Fans::default() };
        let common = Common { dtype, layout, fans, generator };
        let sizes: Vec<String> = self.shape.iter().map(u64::to_string).collect();
        let shape = Shape::new(self.shape.clone()).with_context(|| format!("`{name}={}`", sizes.join("x")))?;
        Tensor::new(name.parse()?, shape, expression, &common)
    }
}

/// What a parameter of a kind takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// A size, which must be given.
    Size,
    /// A size, or one for each axis, which must be given.
    Sizes,
    /// A count, 1 where it is not given.
    Count,
    /// `true` where it is not given.
    Switch,
    /// `false` where it is not given.
    Flag,
}

/// A kind of layer.
struct Kind {
    name: &'static str,
    parameters: &'static [(&'static str, Takes)],
    expand: fn(&Given, &Framework, &Layout) -> Result<Vec<LayerTensor>>,
}

const IN_OUT: [(&str, Takes); 3] = [("in", Takes::Size), ("out", Takes::Size), ("bias", Takes::Switch)];
const CONVOLUTION: &[(&str, Takes)] = &[
    ("in", Takes::Size),
    ("out", Takes::Size),
    ("kernel", Takes::Sizes),
    ("groups", Takes::Count),
    ("bias", Takes::Switch),
];

const RECURRENT: &[(&str, Takes)] = &[
    ("in", Takes::Size),
    ("out", Takes::Size),
    ("bias", Takes::Switch),
    ("layers", Takes::Count),
    ("bidirectional", Takes::Flag),
];

const KINDS: &[Kind] = &[
    Kind { name: "dense", parameters: &IN_OUT, expand: |given, framework, layout| weight(given, framework, layout, 0) },
    Kind {
        name: "conv1d",
        parameters: CONVOLUTION,
        expand: |given, framework, layout| weight(given, framework, layout, 1),
    },
    Kind {
        name: "conv2d",
        parameters: CONVOLUTION,
        expand: |given, framework, layout| weight(given, framework, layout, 2),
    },
    Kind {
        name: "conv3d",
        parameters: CONVOLUTION,
        expand: |given, framework, layout| weight(given, framework, layout, 3),
    },
    Kind { name: "embedding", parameters: &[("in", Takes::Size), ("out", Takes::Size)], expand: embedding },
    Kind { name: "layer_norm", parameters: &[("size", Takes::Sizes), ("bias", Takes::Switch)], expand: layer_norm },
    Kind {
        name: "batch_norm",
        parameters: &[("size", Takes::Size), ("bias", Takes::Switch), ("statistics", Takes::Switch)],
        expand: batch_norm,
    },
    Kind {
        name: "rnn",
        parameters: RECURRENT,
        expand: |given, framework, layout| recurrent(given, framework.rnn, framework, layout),
    },
    Kind {
        name: "lstm",
        parameters: RECURRENT,
        expand: |given, framework, layout| recurrent(given, framework.lstm, framework, layout),
    },
    Kind {
        name: "gru",
        parameters: RECURRENT,
        expand: |given, framework, layout| recurrent(given, framework.gru, framework, layout),
    },
    Kind {
        name: "conv_transpose1d",
        parameters: CONVOLUTION,
        expand: |given, framework, layout| torch::transposed(given, framework, layout, 1),
    },
    Kind {
        name: "conv_transpose2d",
        parameters: CONVOLUTION,
        expand: |given, framework, layout| torch::transposed(given, framework, layout, 2),
    },
    Kind {
        name: "conv_transpose3d",
        parameters: CONVOLUTION,
        expand: |given, framework, layout| torch::transposed(given, framework, layout, 3),
    },
    Kind {
        name: "bilinear",
        parameters: &[("in", Takes::Sizes), ("out", Takes::Size), ("bias", Takes::Switch)],
        expand: torch::bilinear,
    },
    Kind {
        name: "multihead_attention",
        parameters: &[("size", Takes::Size), ("bias", Takes::Switch)],
        expand: torch::multihead_attention,
    },
];

/// The name of every kind of layer.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.name)
}

/// The parameters of a kind of layer.
fn parameters(kind: &str) -> impl Iterator<Item = &'static str> {
    let found = KINDS.iter().find(|row| row.name == kind);
    found.map_or(&[][..], |row| row.parameters).iter().map(|(key, _)| *key)
}

/// The tensors of a layer, under the names of the layout's framework. Errors name an unknown kind or parameter with the
/// nearest that is known, and a parameter that is missing or takes something else.
pub fn expand(name: &str, kind: &str, parameters: &[(String, Parameter)], layout: &Layout) -> Result<Vec<LayerTensor>> {
    let found = KINDS.iter().find(|row| row.name == kind).with_context(|| {
        let known: Vec<&str> = kinds().collect();
        format!("unknown layer `{kind}`: known are {}{}", known.join(", "), did_you_mean(kind, known.iter().copied()))
    })?;
    let given = Given { name, kind: found, parameters };
    given
        .check()
        .and_then(|()| (found.expand)(&given, Framework::of(layout), layout))
        .with_context(|| format!("layer `{kind}`"))
}

/// A dense layer or a convolution: its weight, each axis where its letter stands, and its bias.
fn weight(given: &Given, framework: &Framework, layout: &Layout, places: usize) -> Result<Vec<LayerTensor>> {
    let (inputs, outputs) = (given.size("in")?, given.size("out")?);
    let kernel = if places > 0 { kernel(given, places)? } else { Vec::new() };
    let groups = if places > 0 { given.count("groups")? } else { 1 };
    for (key, size) in [("in", inputs), ("out", outputs)] {
        ensure!(size % groups == 0, "`{key}` is {size}, which {groups} groups do not divide");
    }
    let letters = layout.letters(2 + places)?;
    let shape = by_letters(&letters, inputs / groups, outputs, &kernel)?;
    let field = kernel.iter().try_fold(1u64, |field, &size| field.checked_mul(size));
    let fan = |side: u64| field.and_then(|field| field.checked_mul(side / groups));
    let fans = Fans { fan_in: fan(inputs), fan_out: fan(outputs) };
    let named = |word, shape, role| LayerTensor { fans, ..given.tensor(framework, word, shape, role) };
    let mut tensors = vec![LayerTensor { layout: Some(letters), ..named(framework.weight, shape, Role::Weight) }];
    if given.bias()? {
        tensors.push(named(framework.bias, vec![outputs], Role::Bias));
    }
    Ok(tensors)
}

/// The sizes of a kernel: one for all of its axes, or one for each.
fn kernel(given: &Given, places: usize) -> Result<Vec<u64>> {
    let sizes = given.sizes("kernel")?;
    match sizes.as_slice() {
        [one] => Ok(vec![*one; places]),
        _ if sizes.len() == places => Ok(sizes),
        _ => bail!("`kernel` is a list of {}, and takes one size, or {places}", sizes.len()),
    }
}

/// The shape of a weight whose axes are these letters.
fn by_letters(letters: &str, inputs: u64, outputs: u64, kernel: &[u64]) -> Result<Vec<u64>> {
    let mut kernel = kernel.iter().copied();
    let shape: Option<Vec<u64>> = letters
        .chars()
        .map(|letter| match letter {
            'i' => Some(inputs),
            'o' => Some(outputs),
            'k' => kernel.next(),
            _ => None,
        })
        .collect();
    let once = |letter| letters.matches(letter).count() == 1;
    shape.filter(|_| once('i') && once('o') && kernel.next().is_none()).with_context(|| {
        let all: Vec<&str> = LAYOUTS.iter().map(|row| row.name).collect();
        format!("layout `{letters}` is not of one `i`, one `o` and a `k` for each axis of a kernel: {}", all.join(", "))
    })
}

/// A table of a row for each word: as a matrix that rows of zeros with a single one are multiplied by.
fn embedding(given: &Given, framework: &Framework, _: &Layout) -> Result<Vec<LayerTensor>> {
    let (inputs, outputs) = (given.size("in")?, given.size("out")?);
    let fans = Fans { fan_in: Some(inputs), fan_out: Some(outputs) };
    let table = given.tensor(framework, framework.embedding, vec![inputs, outputs], Role::Weight);
    Ok(vec![LayerTensor { layout: Some("io".into()), fans, ..table }])
}

fn layer_norm(given: &Given, framework: &Framework, _: &Layout) -> Result<Vec<LayerTensor>> {
    normalization(given, framework, &given.sizes("size")?)
}

fn batch_norm(given: &Given, framework: &Framework, _: &Layout) -> Result<Vec<LayerTensor>> {
    let size = vec![given.size("size")?];
    let mut tensors = normalization(given, framework, &size)?;
    if given.switch("statistics", true)? {
        tensors.extend(framework.statistics.map(|(word, role)| given.tensor(framework, word, size.clone(), role)));
    }
    Ok(tensors)
}

fn normalization(given: &Given, framework: &Framework, size: &[u64]) -> Result<Vec<LayerTensor>> {
    let [scale, shift] = framework.norm;
    let mut tensors = vec![given.tensor(framework, scale, size.to_vec(), Role::Scale)];
    if given.bias()? {
        tensors.push(given.tensor(framework, shift, size.to_vec(), Role::Bias));
    }
    Ok(tensors)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(key: &str, number: f64) -> (String, Parameter) {
        (key.into(), Parameter::Number(number))
    }

    /// `NAME SHAPE LETTERS` of each tensor.
    fn told(kind: &str, parameters: &[(String, Parameter)], layout: &str) -> Vec<String> {
        let tensors = expand("l", kind, parameters, &layout.parse().unwrap()).unwrap();
        let line = |tensor: LayerTensor| {
            let shape: Vec<String> = tensor.shape.iter().map(u64::to_string).collect();
            let letters = tensor.layout.map(|letters| format!(" {letters}")).unwrap_or_default();
            format!("{} {}{letters}", tensor.name, shape.join("x"))
        };
        tensors.into_iter().map(line).collect()
    }

    type Given = [(String, Parameter)];

    #[test]
    fn every_layer_is_named_shaped_and_ordered_as_its_framework_does() {
        let dense = [number("in", 3.0), number("out", 4.0)];
        let kernel = ("kernel".to_string(), Parameter::List(vec![5.0, 7.0]));
        let conv = [number("in", 6.0), number("out", 8.0), number("groups", 2.0), kernel];
        let size = [number("size", 4.0)];
        let cases: &[(&str, &Given, &str, &[&str])] = &[
            ("dense", &dense, "default", &["l.weight 3x4 io", "l.bias 4"]),
            ("dense", &dense, "oi", &["l.weight 4x3 oi", "l.bias 4"]),
            ("dense", &dense, "torch", &["l.weight 4x3 oi", "l.bias 4"]),
            ("dense", &dense, "keras", &["l/kernel 3x4 io", "l/bias 4"]),
            ("dense", &dense, "jax", &["l.kernel 3x4 io", "l.bias 4"]),
            ("dense", &dense, "lasagne", &["l.W 3x4 io", "l.b 4"]),
            ("dense", &dense, "mlx", &["l.weight 4x3 oi", "l.bias 4"]),
            ("conv2d", &conv, "default", &["l.weight 5x7x3x8 kkio", "l.bias 8"]),
            ("conv2d", &conv, "torch", &["l.weight 8x3x5x7 oikk", "l.bias 8"]),
            ("conv2d", &conv, "keras", &["l/kernel 5x7x3x8 kkio", "l/bias 8"]),
            ("conv2d", &conv, "lasagne", &["l.W 8x3x5x7 oikk", "l.b 8"]),
            ("conv2d", &conv, "mlx", &["l.weight 8x5x7x3 okki", "l.bias 8"]),
            ("conv2d", &conv, "c01b", &["l.weight 3x5x7x8 ikko", "l.bias 8"]),
            ("embedding", &dense, "torch", &["l.weight 3x4 io"]),
            ("embedding", &dense, "keras", &["l/embeddings 3x4 io"]),
            ("layer_norm", &size, "torch", &["l.weight 4", "l.bias 4"]),
            ("layer_norm", &size, "jax", &["l.scale 4", "l.bias 4"]),
            ("batch_norm", &size, "torch", &["l.weight 4", "l.bias 4", "l.running_mean 4", "l.running_var 4"]),
            ("batch_norm", &size, "keras", &["l/gamma 4", "l/beta 4", "l/moving_mean 4", "l/moving_variance 4"]),
            (
                "lstm",
                &dense,
                "torch",
                &["l.weight_ih_l0 16x3 oi", "l.weight_hh_l0 16x4 oi", "l.bias_ih_l0 16", "l.bias_hh_l0 16"],
            ),
            ("lstm", &dense, "keras", &["l/kernel 3x16 io", "l/recurrent_kernel 4x16 io", "l/bias 16"]),
            ("gru", &dense, "keras", &["l/kernel 3x12 io", "l/recurrent_kernel 4x12 io", "l/bias 2x12"]),
            ("rnn", &dense, "jax", &["l.i.kernel 3x4 io", "l.i.bias 4", "l.h.kernel 4x4 io"]),
            ("gru", &dense, "mlx", &["l.Wx 12x3 oi", "l.Wh 12x4 oi", "l.b 12", "l.bhn 4"]),
        ];
        for (kind, parameters, layout, expected) in cases {
            assert_eq!(&told(kind, parameters, layout), expected, "{kind} of {layout}");
        }
    }

    #[test]
    fn a_layer_may_do_without_its_bias() {
        let without = ("bias".to_string(), Parameter::Switch(false));
        let parameters = [number("in", 3.0), number("out", 4.0), without];
        for kind in ["dense", "rnn", "lstm", "gru"] {
            for framework in FRAMEWORKS.iter().filter(|framework| framework.layout != "lasagne") {
                let tensors = expand("l", kind, &parameters, &framework.layout.parse().unwrap()).unwrap();
                assert!(tensors.iter().all(|tensor| tensor.role != Role::Bias), "{kind} of {}", framework.layout);
                assert!(!tensors.is_empty());
            }
        }
    }

    #[test]
    fn a_kernel_of_one_size_has_it_along_every_axis_and_a_bias_knows_the_fans() {
        let parameters = [number("in", 6.0), number("out", 8.0), number("kernel", 3.0)];
        let tensors = expand("l", "conv3d", &parameters, &Layout::default()).unwrap();
        assert_eq!(tensors[0].shape, [3, 3, 3, 6, 8]);
        assert_eq!(tensors[1].fans, Fans { fan_in: Some(162), fan_out: Some(216) });
    }

    #[test]
    fn what_is_wrong_is_named_with_what_is_known() {
        let good = [number("in", 3.0), number("out", 4.0)];
        let with = |key: &str, parameter: Parameter| {
            let mut parameters: Vec<_> = good.iter().filter(|(name, _)| name != key).cloned().collect();
            parameters.push((key.into(), parameter));
            parameters
        };
        let cases: &[(&str, Box<Given>, &str, &[&str])] = &[
            ("dens", good.clone().into(), "torch", &["`dens`", "did you mean `dense`?", "lstm"]),
            ("dense", with("inn", Parameter::Number(1.0)).into(), "torch", &["`inn`", "did you mean `in`?", "bias"]),
            ("dense", with("kernel", Parameter::Number(1.0)).into(), "torch", &["`kernel`", "in, out, bias"]),
            ("dense", [good[0].clone()].into(), "torch", &["`out` is missing"]),
            ("dense", [&good[..], &good[..1]].concat().into(), "torch", &["`in` is given twice"]),
            ("dense", with("in", Parameter::Number(2.5)).into(), "torch", &["`in` is 2.5", "whole number"]),
            ("dense", with("in", Parameter::Number(-1.0)).into(), "torch", &["`in` is -1"]),
            ("dense", with("in", Parameter::Number(f64::NAN)).into(), "torch", &["`in` is NaN"]),
            ("dense", with("in", Parameter::Number(1e300)).into(), "torch", &["`in` is 1e300", "2^48"]),
            ("dense", with("in", Parameter::Word("a".into())).into(), "torch", &["`in` is `a`"]),
            ("dense", with("bias", Parameter::Number(1.0)).into(), "torch", &["`bias` is 1", "true or false"]),
            ("dense", good.clone().into(), "c01b", &["c01b"]),
            ("dense", good.clone().into(), "ik", &["`ik`", "one `i`, one `o`"]),
            ("dense", good.clone().into(), "oikk", &["names 4 axes"]),
            ("conv2d", good.clone().into(), "torch", &["`kernel` is missing"]),
            (
                "conv2d",
                with("kernel", Parameter::List(vec![3.0; 3])).into(),
                "torch",
                &["a list of 3", "one size, or 2"],
            ),
            ("lstm", good.clone().into(), "lasagne", &["lasagne", "by hand"]),
        ];
        for (kind, parameters, layout, words) in cases {
            let error = expand("l", kind, parameters, &layout.parse().unwrap()).expect_err(kind);
            let message = format!("{error:#}");
            for word in *words {
                assert!(message.contains(word), "{kind}: no {word:?} in {message:?}");
            }
        }
        let groups = [number("in", 3.0), number("out", 4.0), number("kernel", 1.0), number("groups", 2.0)];
        let error = expand("l", "conv1d", &groups, &Layout::default()).unwrap_err();
        assert!(format!("{error:#}").contains("`in` is 3, which 2 groups do not divide"), "{error:#}");
    }
}
