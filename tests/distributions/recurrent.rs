//! Biases of gates, time steps and decays of recurrent layers: their places, and the distributions of what is drawn.

use fanin::tensor::DType;

use crate::draw;
use crate::reference::Reference;
use crate::sample::{Fault, faults};

/// Expressions of every scheme.
pub(crate) const EXPRESSIONS: &[&str] = &[
    "lstm-bias",
    "chrono:t-max=100",
    "chrono-gru:t-max=100",
    "mamba-a",
    "mamba2-a",
    "mamba-dt",
    "mamba-dt-proj",
    "s4-dt",
    "lru-nu",
    "lru-theta",
    "rg-lru",
    "rwkv-decay:layer=5,layers=12",
    "rwkv-first",
    "rwkv-mix:part=v,layer=5,layers=12",
];

fn drawn(expression: &str, shape: &str, dtype: DType) -> Vec<f64> {
    draw::whole(5, &draw::tensor(expression, shape, "torch", dtype))
}

/// Whether the values follow a distribution after a function that undoes the last step, and no longer when that is 1 % larger.
#[track_caller]
fn follows(expression: &str, values: &[f64], reference: &Reference, undo: impl Fn(f64) -> f64) {
    let undone = || values.iter().map(|&value| undo(value));
    let found = faults(reference, None, undone());
    assert!(found.is_empty(), "{expression}: {found:?}");
    let found = faults(reference, None, undone().map(|value| 1.01 * value));
    assert!(matches!(found[..], [Fault::Distance(_), ..]), "{expression}: an error of 1 % was not found: {found:?}");
}

#[test]
fn the_forget_gate_has_its_place_in_each_framework() {
    // Keras 3.15.1, LSTM(2); the others as their sources order the gates.
    for (expression, expected) in [
        ("lstm-bias", [0, 0, 1, 1, 0, 0, 0, 0]),
        ("keras.unit_forget_bias", [0, 0, 1, 1, 0, 0, 0, 0]),
        ("mxnet.LSTMBias", [0, 0, 1, 1, 0, 0, 0, 0]),
        ("mxnet.LSTMBias:forget=3", [0, 0, 3, 3, 0, 0, 0, 0]),
        ("sonnet.forget_bias", [0, 0, 1, 1, 0, 0, 0, 0]),
        ("dl4j.forgetGateBiasInit", [0, 0, 1, 1, 0, 0, 0, 0]),
        ("lstm-bias:gates=igfo", [0, 0, 0, 0, 1, 1, 0, 0]),
        ("chainer.forget_bias_init", [0, 0, 1, 0, 0, 0, 1, 0]),
        ("lstm-bias:-1,interleaved=true", [0, -1, 0, 0, 0, -1, 0, 0]),
    ] {
        let expected = expected.map(f64::from);
        assert_eq!(drawn(expression, "8", DType::F32), expected, "{expression}");
        // Two biases in one tensor are each such a bias.
        assert_eq!(drawn(expression, "2x8", DType::F32), [expected, expected].concat(), "{expression}");
    }
}

#[test]
fn chrono_gives_each_unit_a_time_and_the_opposite_to_its_input_gate() {
    const UNITS: usize = 40_000;
    for dtype in [DType::F32, DType::F64] {
        let values = drawn("chrono:t-max=100", "3x160000", dtype);
        let (mut times, mut first) = (Vec::new(), Vec::new());
        for bias in values.chunks_exact(4 * UNITS) {
            let [input, forget, cell, output] = [0, 1, 2, 3].map(|gate| &bias[gate * UNITS..][..UNITS]);
            assert!(input.iter().zip(forget).all(|(input, forget)| *input == -forget));
            assert!(cell.iter().chain(output).all(|&value| value == 0.0));
            times.extend_from_slice(forget);
            first.push(forget[0]);
        }
        follows("chrono", &times, &Reference::Uniform { low: 1.0, high: 99.0 }, f64::exp);
        assert!(first[0] != first[1] && first[1] != first[2], "biases of one tensor repeat each other");
    }
}

#[test]
fn chrono_of_a_gru_sets_the_update_gate_by_what_it_does() {
    const UNITS: usize = 60_000;
    let [keeping, renewing] = ["chrono-gru:t-max=100", "chrono-gru:t-max=100,gates=zrn,update=renew"]
        .map(|row| drawn(row, "180000", DType::F32));
    follows("chrono-gru", &keeping[UNITS..2 * UNITS], &Reference::Uniform { low: 1.0, high: 99.0 }, f64::exp);
    for unit in 0..UNITS {
        assert_eq!((keeping[unit], keeping[2 * UNITS + unit]), (0.0, 0.0));
        assert_eq!(renewing[unit], -keeping[UNITS + unit]);
    }
    assert!(renewing[UNITS..].iter().all(|&value| value == 0.0));
}

#[test]
fn the_order_of_gates_moves_the_same_times() {
    let plain = drawn("chrono:t-max=50", "32", DType::F32);
    let (input, forget) = (&plain[..8], &plain[8..16]);
    let chainer = drawn("chrono:t-max=50,gates=gifo,interleaved=true", "32", DType::F32);
    for (unit, gates) in chainer.chunks_exact(4).enumerate() {
        assert_eq!(gates, [0.0, input[unit], forget[unit], 0.0]);
    }
    let onnx = drawn("chrono:t-max=50,gates=iofg", "32", DType::F32);
    assert_eq!((&onnx[..8], &onnx[16..24]), (input, forget));
}

#[test]
fn decays_and_time_steps_follow_their_distributions() {
    type Undo<'a> = &'a dyn Fn(f64) -> f64;
    let uniform = |low: f64, high: f64| Reference::Uniform { low, high };
    let steps = |low: f64, high: f64| uniform(low.ln(), high.ln());
    let softplus = |bias: f64| bias.exp().ln_1p().ln();
    let radius = |nu: f64| (-2.0 * nu.exp()).exp();
    let decay = |parameter: f64| (1.0 + parameter.exp()).powi(-2);
    let same = |value: f64| value;
    let rows: &[(&str, Reference, Undo)] = &[
        ("mamba2-a", uniform(1.0, 16.0), &f64::exp),
        ("mamba2-a:low=0.5,high=2", uniform(0.5, 2.0), &f64::exp),
        ("mamba-dt", steps(0.001, 0.1), &softplus),
        ("mamba-dt:dt-min=0.01,dt-max=5,floor=0", steps(0.01, 5.0), &softplus),
        ("s4-dt", steps(0.001, 0.1), &same),
        ("s4-dt:dt-min=0.01,dt-max=1", steps(0.01, 1.0), &same),
        ("lru-nu", uniform(0.0, 1.0), &radius),
        ("lru-nu:r-min=0.4,r-max=0.9", uniform(0.16, 0.81), &radius),
        ("lru-theta", uniform(0.0, 628.0 / 100.0), &f64::exp),
        ("lru-theta:0.314", uniform(0.0, 0.314), &f64::exp),
        ("rg-lru", uniform(0.81 + 1e-8, 0.998_001 + 1e-8), &decay),
        // dt_rank is the number of inputs: PyTorch's (d_inner, dt_rank).
        ("mamba-dt-proj", Reference::uniform(1000f64.sqrt().recip()), &same),
        ("mamba-dt-proj:scale=0.5", Reference::uniform(0.5 * 1000f64.sqrt().recip()), &same),
    ];
    for (expression, reference, undo) in rows {
        for dtype in [DType::F32, DType::F64] {
            follows(expression, &drawn(expression, "300x1000", dtype), reference, undo);
        }
    }
}

#[test]
fn the_stated_moments_are_those_of_the_values() {
    let tensor = draw::tensor("lru-theta", "300x1000", "torch", DType::F64);
    let values = draw::whole(6, &tensor);
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let std = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    assert!(
        (mean - tensor.distribution().mean().unwrap()).abs() < 0.01
            && (std - tensor.distribution().std().unwrap()).abs() < 0.01
    );
}

#[test]
fn every_value_lies_inside_the_bounds_in_every_dtype() {
    for expression in
        ["chrono:t-max=2.1", "mamba2-a:low=3,high=3.2", "mamba-dt", "lru-nu:r-min=0.9,r-max=0.91", "lru-theta"]
    {
        for dtype in DType::ALL {
            let tensor = draw::tensor(expression, "100x100", "torch", dtype);
            let (low, high) = tensor.distribution().bounds().unwrap();
            let fits = |value: &f64| (low..=high).contains(value);
            // Narrow dtypes are drawn through f32: their rounding is the writer's, and tested there.
            assert!(draw::whole(7, &tensor).iter().all(fits), "{expression} in {dtype}");
        }
    }
}

#[test]
fn time_steps_below_the_floor_are_made_as_long() {
    let values = drawn("mamba-dt:floor=0.01", "100000", DType::F64);
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    assert!((least.exp().ln_1p() / 0.01 - 1.0).abs() < 1e-12, "softplus of the least is {}", least.exp().ln_1p());
    // From 0.001 to 0.01 is half of the way to 0.1 in logarithms; 1000 are more than six standard errors.
    let floored = values.iter().filter(|&&value| value == least).count();
    assert!(floored.abs_diff(50_000) < 1000, "{floored} of 100000 are at the floor");
}

#[test]
fn decays_of_mamba_are_logarithms_of_integers() {
    // What transformers 5.23.0 and mamba_ssm write: log of arange(1, d_state + 1), for every channel.
    for (shape, states) in [("5x16", 16), ("24", 24)] {
        for (index, value) in drawn("mamba-a", shape, DType::F32).into_iter().enumerate() {
            let expected = ((index % states + 1) as f64).ln();
            assert!((value - expected).abs() <= 1e-7 * expected, "{shape}, element {index}: {value}");
        }
    }
    let constant = drawn("mamba-dt-proj:distribution=constant", "7x16", DType::F32);
    assert!(constant.iter().all(|&value| value == 0.25));
}

#[test]
fn rwkv_starts_from_the_curves_of_its_program() {
    // The formulas of RWKV-LM (RWKV-4; the second row RWKV-6) in Python's doubles for six channels, as the nearest binary32.
    for (expression, expected) in [
        ("rwkv-decay:layer=5,layers=12", [-5.0, -3.998195, -2.5487614, -0.8628295, 0.9977446, 3.0]),
        ("rwkv-decay:low=-6,high=-1,layer=5,layers=12", [-6.0, -5.373872, -4.4679756, -3.4142685, -2.2514095, -1.0]),
        ("rwkv-decay:layer=0,layers=12", [-5.0, -2.4069495, -0.787577, 0.59494555, 1.8431014, 3.0]),
        ("rwkv-decay", [-5.0, -2.4069495, -0.787577, 0.59494555, 1.8431014, 3.0]),
        ("rwkv-first", [-1.2039728, -0.7039728, -1.7039728, -1.2039728, -0.7039728, -1.7039728]),
        ("rwkv-mix:part=k,layer=5,layers=12", [0.0, 0.35162395, 0.5268406, 0.6674199, 0.78936905, 0.8991061]),
        ("rwkv-mix:part=v,layer=5,layers=12", [0.13636364, 0.48798758, 0.66320425, 0.80378354, 0.9257327, 1.0354698]),
        ("rwkv-mix:part=r,layer=5,layers=12", [0.0, 0.5929789, 0.7258379, 0.8169577, 0.88846445, 0.948212]),
    ] {
        let expected = expected.map(|value: f32| f64::from(value));
        assert_eq!(drawn(expression, "6", DType::F32), expected, "{expression}");
        assert_eq!(drawn(expression, "1x1x6", DType::F32), expected, "{expression}");
    }
    // transformers 5.23.0 means the same curve for time_first and writes ones.
    assert!(drawn("transformers.time_first", "6", DType::F32).iter().all(|&value| value == 1.0));
}
