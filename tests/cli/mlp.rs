//! `fanin mlp`: the names, shapes and schemes of perceptrons, and what is no perceptron.

use serde_json::Value;

use crate::common::{Ended, Folder};

/// What a report says of each tensor: `NAME SHAPE SCHEME`.
#[track_caller]
fn tensors(line: &str) -> Vec<String> {
    let folder = Folder::new();
    let report: Value = serde_json::from_slice(&folder.done(&format!("mlp {line} --json -o w.npz"))).unwrap();
    let message = |tensor: &Value| {
        let shape: Vec<String> = tensor["shape"].as_array().unwrap().iter().map(Value::to_string).collect();
        format!("{} {} {}", tensor["name"].as_str().unwrap(), shape.join("x"), tensor["scheme"].as_str().unwrap())
    };
    report["tensors"].as_array().unwrap().iter().map(message).collect()
}

fn names(line: &str) -> Vec<String> {
    tensors(line).iter().map(|message| message.rsplit_once(' ').unwrap().0.to_string()).collect()
}

#[test]
fn layers_are_named_as_the_framework_names_a_plain_stack() {
    let cases: &[(&str, [&str; 6])] = &[
        (
            "",
            [
                "layer_0.weight 7x5",
                "layer_0.bias 5",
                "layer_1.weight 5x4",
                "layer_1.bias 4",
                "layer_2.weight 4x3",
                "layer_2.bias 3",
            ],
        ),
        (
            "--layout oi",
            [
                "layer_0.weight 5x7",
                "layer_0.bias 5",
                "layer_1.weight 4x5",
                "layer_1.bias 4",
                "layer_2.weight 3x4",
                "layer_2.bias 3",
            ],
        ),
        ("--layout torch", ["0.weight 5x7", "0.bias 5", "2.weight 4x5", "2.bias 4", "4.weight 3x4", "4.bias 3"]),
        (
            "--layout torch --activation linear",
            ["0.weight 5x7", "0.bias 5", "1.weight 4x5", "1.bias 4", "2.weight 3x4", "2.bias 3"],
        ),
        (
            "--layout keras",
            [
                "dense/kernel 7x5",
                "dense/bias 5",
                "dense_1/kernel 5x4",
                "dense_1/bias 4",
                "dense_2/kernel 4x3",
                "dense_2/bias 3",
            ],
        ),
        (
            "--layout jax",
            [
                "Dense_0.kernel 7x5",
                "Dense_0.bias 5",
                "Dense_1.kernel 5x4",
                "Dense_1.bias 4",
                "Dense_2.kernel 4x3",
                "Dense_2.bias 3",
            ],
        ),
        ("--layout lasagne", ["arr_0 7x5", "arr_1 5", "arr_2 5x4", "arr_3 4", "arr_4 4x3", "arr_5 3"]),
        (
            "--layout mlx",
            [
                "layers.0.weight 5x7",
                "layers.0.bias 5",
                "layers.2.weight 4x5",
                "layers.2.bias 4",
                "layers.4.weight 3x4",
                "layers.4.bias 3",
            ],
        ),
    ];
    for (options, expected) in cases {
        assert_eq!(&names(&format!("7-5-4-3 {options}")), expected, "{options}");
    }
}

#[test]
fn the_activation_selects_the_scheme() {
    let he = "he-normal:gain=relu,mode=fan-in";
    let leaky = |slope: &str| format!("he-normal:gain=leaky-relu{slope},mode=fan-in");
    let cases = [
        ("tanh", "glorot-uniform:gain=1".to_string()),
        ("sigmoid", "sigmoid-uniform".into()),
        ("relu", he.into()),
        ("ReLU", he.into()),
        ("leaky-relu", leaky(",slope=0.01")),
        ("leaky_relu:0.2", leaky(",slope=0.2")),
        ("leaky-relu:slope=0.2", leaky(",slope=0.2")),
        ("elu", he.into()),
        ("gelu", he.into()),
        ("swish", he.into()),
        ("selu", "lecun-normal".into()),
        ("linear", "lecun-normal".into()),
        ("rbm", "normal:std=0.01,mean=0".into()),
    ];
    for (activation, scheme) in cases {
        let expected = [
            format!("layer_0.weight 7x5 {scheme}"),
            "layer_0.bias 5 zeros".into(),
            format!("layer_1.weight 5x3 {scheme}"),
            "layer_1.bias 3 zeros".into(),
        ];
        assert_eq!(tensors(&format!("7-5-3 --activation {activation}")), expected, "{activation}");
    }
    let default = [1, 3].map(|at| tensors("7-5-3")[at - 1].clone());
    assert!(default.iter().all(|message| message.ends_with(he)), "{default:?}");
}

#[test]
fn the_report_names_the_activation_of_a_scheme() {
    let folder = Folder::new();
    let message = |line: &str| Ended::of(&mut folder.fanin(&format!("mlp 7-5-3 {line} --force -o w.npz"))).stderr;
    assert!(message("--activation tanh").contains("note: tanh: glorot-uniform (Glorot and Bengio 2010)\n"));
    assert!(message("--like torch").contains("note: weights and biases follow the dense layers of torch\n"));
    assert!(!message("--scheme orthogonal").contains("note: relu"));
}

#[test]
fn schemes_given_by_hand_override_that_of_the_activation() {
    let line = "7-5-3 --scheme orthogonal --output-scheme zeros --bias constant:0.1";
    let expected = [
        "layer_0.weight 7x5 orthogonal:gain=1,method=svd",
        "layer_0.bias 5 constant:value=0.1",
        "layer_1.weight 5x3 zeros",
        "layer_1.bias 3 constant:value=0.1",
    ];
    assert_eq!(tensors(line), expected);
    assert_eq!(names("7-5-3 --bias none"), ["layer_0.weight 7x5", "layer_1.weight 5x3"]);
    assert_eq!(names("7-5-3 --bias none --layout lasagne"), ["arr_0 7x5", "arr_1 5x3"]);
}

#[test]
fn like_torch_is_what_its_linear_layers_draw_biases_included() {
    let folder = Folder::new();
    let report: Value = serde_json::from_slice(&folder.done("mlp 100-50-3 --like torch --json -o w.npz")).unwrap();
    for (tensor, inputs) in report["tensors"].as_array().unwrap().iter().zip([100f64, 100.0, 50.0, 50.0]) {
        // torch comes to the bound of the weights by way of a gain.
        assert!((tensor["high"].as_f64().unwrap() * inputs.sqrt() - 1.0).abs() < 1e-15, "{tensor}");
        assert_eq!(tensor["scheme"], "fan-in-uniform");
    }
    // Linear(100, 50), ReLU, Linear(50, 3) after manual_seed(0) in torch 2.15: the last value of each.
    let last =
        [("0.weight", 0xbd9e_715b_u32), ("0.bias", 0xbd2f_6e23), ("2.weight", 0x3d52_4873), ("2.bias", 0x3e0d_5750)];
    folder.done("mlp 100-50-3 --like torch --format npy -q -o net/");
    for (name, bits) in last {
        let bytes = folder.read(&format!("net/{name}.npy"));
        assert_eq!(bytes[bytes.len() - 4..], bits.to_le_bytes(), "{name}");
    }
    assert_eq!(names("100-50-3 --like torch"), ["0.weight 50x100", "0.bias 50", "2.weight 3x50", "2.bias 3"]);
    assert_eq!(names("7-3 --like torch --layout keras"), ["dense/kernel 7x3", "dense/bias 3"]);
    assert!(tensors("7-3 --like keras:jax")[1].ends_with(" zeros"));
    assert!(tensors("7-3 --like jax")[0].contains("distribution=truncated-normal"));
}

#[test]
fn the_values_are_those_that_init_draws_under_the_same_name() {
    let folder = Folder::new();
    folder.done("mlp 30-20-5 --layout torch --seed 7 --dtype f64 --bias none -q -o m.npz");
    folder.done("init he-normal 0.weight=20x30 2.weight=5x20 --layout torch --seed 7 --dtype f64 -q -o i.npz");
    assert_eq!(folder.read("m.npz"), folder.read("i.npz"));
}

#[test]
fn an_invalid_perceptron_is_refused_in_one_line_and_nothing_is_written() {
    let cases: &[(&str, &[&str])] = &[
        ("", &["SIZES"]),
        ("784", &["`784` is only one size", "`784-512-10`"]),
        ("784-", &["`784-`", "is not a size"]),
        ("-5-3", &["`-5`"]),
        ("-- -5-3", &["`-5-3`", "as in `5-3`"]),
        ("784--10", &["`784--10`", "join sizes by `-`, as in `784-10`"]),
        ("0-3", &["`0-3`", "0 units"]),
        ("784-0-10", &["0 units"]),
        ("784x10", &["`784x10`", "join sizes by `-`, as in `784-10`"]),
        ("784,10", &["`784,10`", "join sizes by `-`, as in `784-10`"]),
        ("relu", &["`relu` is not a size: join sizes by `-`"]),
        ("784-1e3", &["`1e3`"]),
        ("784-+3", &["`+3`"]),
        ("784-3.0", &["`3.0`"]),
        ("784-a", &["`a`"]),
        ("99999999999999999999-3", &["`99999999999999999999`", "2^48"]),
        ("281474976710657-3", &["`281474976710657`", "2^48"]),
        ("281474976710656-3", &["`layer_0.weight=281474976710656x3`", "2^48 elements"]),
        ("7-5 --activation rleu", &["`rleu`", "did you mean `relu`?"]),
        ("7-5 --activation sotfsign", &["`sotfsign`", "did you mean `softsign`?"]),
        ("7-5 --activation qqq", &["`fanin mlp --help` shows all"]),
        ("7-5 --activation relu:0.2", &["`relu`", "leaky-relu"]),
        ("7-5 --activation leaky-relu:x", &["`x`", "slope"]),
        ("7-5 --activation leaky-relu:nan", &["`nan`", "slope"]),
        ("7-5 --layout trch", &["`trch`", "did you mean `torch`?"]),
        ("7-5 --layout oikk", &["`oikk`", "4 axes"]),
        ("7-5 --layout bi", &["`bi`", "one `i`"]),
        ("7-5 --layout c01b", &["`c01b`"]),
        ("7-5 --like trch", &["`trch`", "did you mean `torch`?"]),
        ("7-5 --like default", &["`default`", "fanin list generators"]),
        ("7-5 --scheme he-nromal", &["--scheme", "`he-nromal`", "did you mean `he-normal`?"]),
        ("7-5 --output-scheme zeross", &["--output-scheme", "did you mean `zeros`?"]),
        ("7-5 --bias nromal", &["--bias", "did you mean `normal`?"]),
        ("7-5 --bias orthogonal", &["`layer_0.bias=5`", "orthogonal"]),
        ("7-5 --dtype f23", &["`f23`"]),
        ("7-5 --seed -1", &["-1"]),
        ("7-5 --scheme normal:std=1e300", &["1e300"]),
        ("7-5 7-5", &["`7-5`"]),
    ];
    let folder = Folder::new();
    for (line, words) in cases {
        // The options come first, so that a line may end with words after `--`.
        let ended = Ended::of(&mut folder.fanin(&format!("mlp --format npz -q -o w.npz {line}")));
        assert!(ended.is_refusal(), "mlp {line}: {ended:?}");
        for word in *words {
            assert!(ended.stderr.contains(word), "mlp {line}: no {word:?} in {:?}", ended.stderr);
        }
    }
    let zeros = Ended::of(&mut folder.fanin("mlp 7-5 --output zeros"));
    assert!(zeros.is_refusal() && zeros.stderr.contains("`zeros`"), "{}", zeros.stderr);
    assert!(folder.names().is_empty());
}
