//! Tests of the expansion of layers.

use super::*;
use crate::tensor::Fans;

fn number(key: &str, number: f64) -> (String, Parameter) {
    (key.into(), Parameter::Number(number))
}

/// `NAME SHAPE LETTERS` of each tensor.
fn listing(kind: &str, parameters: &[(String, Parameter)], layout: &str) -> Vec<String> {
    let tensors = expand("l", LayerKind::parse(kind).unwrap(), parameters, &layout.parse().unwrap(), None).unwrap();
    let line = |tensor: LayerTensor| {
        let shape: Vec<String> = tensor.shape.iter().map(u64::to_string).collect();
        let letters = tensor.layout.map(|letters| format!(" {letters}")).unwrap_or_default();
        format!("{} {}{letters}", tensor.name, shape.join("x"))
    };
    tensors.into_iter().map(line).collect()
}

type LayerArguments = [(String, Parameter)];

#[test]
fn every_layer_is_named_shaped_and_ordered_as_its_framework_does() {
    let dense = [number("in", 3.0), number("out", 4.0)];
    let kernel = ("kernel".to_string(), Parameter::List(vec![5.0, 7.0]));
    let conv = [number("in", 6.0), number("out", 8.0), number("groups", 2.0), kernel];
    let size = [number("size", 4.0)];
    let cases: &[(&str, &LayerArguments, &str, &[&str])] = &[
        ("dense", &dense, "io", &["l.weight 3x4 io", "l.bias 4"]),
        ("dense", &dense, "oi", &["l.weight 4x3 oi", "l.bias 4"]),
        ("dense", &dense, "torch", &["l.weight 4x3 oi", "l.bias 4"]),
        ("dense", &dense, "keras", &["l/kernel 3x4 io", "l/bias 4"]),
        ("dense", &dense, "jax", &["l.kernel 3x4 io", "l.bias 4"]),
        ("dense", &dense, "lasagne", &["l.W 3x4 io", "l.b 4"]),
        ("dense", &dense, "mlx", &["l.weight 4x3 oi", "l.bias 4"]),
        ("conv2d", &conv, "io", &["l.weight 5x7x3x8 kkio", "l.bias 8"]),
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
        assert_eq!(&listing(kind, parameters, layout), expected, "{kind} of {layout}");
    }
}

#[test]
fn a_layer_may_do_without_its_bias() {
    let without = ("bias".to_string(), Parameter::Switch(false));
    let parameters = [number("in", 3.0), number("out", 4.0), without];
    for kind in ["dense", "rnn", "lstm", "gru"] {
        for framework in FRAMEWORKS.iter().filter(|framework| framework.layout != "lasagne") {
            let tensors =
                expand("l", LayerKind::parse(kind).unwrap(), &parameters, &framework.layout.parse().unwrap(), None)
                    .unwrap();
            assert!(tensors.iter().all(|tensor| tensor.role != TensorRole::Bias), "{kind} of {}", framework.layout);
            assert!(!tensors.is_empty());
        }
    }
}

#[test]
fn a_kernel_of_one_size_has_it_along_every_axis_and_a_bias_knows_the_fans() {
    let parameters = [number("in", 6.0), number("out", 8.0), number("kernel", 3.0)];
    let tensors = expand("l", LayerKind::Conv(3), &parameters, &Layout::default(), None).unwrap();
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
    let cases: &[(&str, Box<LayerArguments>, &str, &[&str])] = &[
        ("dens", good.clone().into(), "torch", &["unknown layer `dens`; did you mean `dense`?"]),
        ("frobnicate", good.clone().into(), "torch", &["unknown layer `frobnicate`: use dense, ", "lstm"]),
        ("dense", with("inn", Parameter::Number(1.0)).into(), "torch", &["`inn`", "did you mean `in`?", "bias"]),
        ("dense", with("kernel", Parameter::Number(1.0)).into(), "torch", &["`kernel`", "in, out or bias"]),
        ("dense", [good[0].clone()].into(), "torch", &["`out` is missing"]),
        ("dense", [&good[..], &good[..1]].concat().into(), "torch", &["`in` is given twice"]),
        ("dense", with("in", Parameter::Number(2.5)).into(), "torch", &["`in` is 2.5", "integer"]),
        ("dense", with("in", Parameter::Number(-1.0)).into(), "torch", &["`in` is -1"]),
        ("dense", with("in", Parameter::Number(f64::NAN)).into(), "torch", &["`in` is NaN"]),
        ("dense", with("in", Parameter::Number(1e300)).into(), "torch", &["`in` is 1e300", "2^48"]),
        ("dense", with("in", Parameter::Word("a".into())).into(), "torch", &["`in` is `a`"]),
        ("dense", with("bias", Parameter::Number(1.0)).into(), "torch", &["`bias` is 1", "true or false"]),
        ("dense", good.clone().into(), "c01b", &["c01b"]),
        ("dense", good.clone().into(), "ik", &["`ik`", "one `i`, one `o`"]),
        ("dense", good.clone().into(), "oikk", &["names 4 axes"]),
        ("conv2d", good.clone().into(), "torch", &["`kernel` is missing"]),
        ("conv2d", with("kernel", Parameter::List(vec![3.0; 3])).into(), "torch", &["a list of 3", "one size or 2"]),
        ("lstm", good.clone().into(), "lasagne", &["lasagne", "list a tensor for each gate"]),
    ];
    for (kind, parameters, layout, words) in cases {
        let expanded =
            LayerKind::parse(kind).and_then(|kind| expand("l", kind, parameters, &layout.parse().unwrap(), None));
        let error = expanded.expect_err(kind);
        let message = format!("{error:#}");
        for word in *words {
            assert!(message.contains(word), "{kind}: no {word:?} in {message:?}");
        }
    }
    let groups = [number("in", 3.0), number("out", 4.0), number("kernel", 1.0), number("groups", 2.0)];
    let error = expand("l", LayerKind::Conv(1), &groups, &Layout::default(), None).unwrap_err();
    assert!(format!("{error:#}").contains("`in` is 3, not a multiple of the 2 groups"), "{error:#}");
}
