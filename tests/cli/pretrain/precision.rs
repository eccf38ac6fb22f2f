//! Data far from 0, and of any size: what is centred is centred in double precision, and what overflows is called that.

use std::fmt::Write as _;

use serde_json::Value;

use crate::common::{Ended, Folder};

const SAMPLES: usize = 200;

const FEATURES: usize = 4;

/// Samples of standard deviations of about 3, 2, 1 and 0.5, as doubles of 2^-20 that an offset leaves exact.
fn samples() -> Vec<f64> {
    let uniform =
        |n: usize| f64::from(u32::try_from(n).unwrap().wrapping_mul(2_654_435_761) >> 12) / f64::from(1 << 20) - 0.5;
    let normal = |n: usize| (0..6).map(|k| uniform(6 * n + k + 7)).sum::<f64>();
    let independent = |n: usize| normal(n) * [4.5, 3.0, 1.5, 0.75][n % FEATURES];
    let mixed = |n: usize| independent(n) + 0.5 * independent(n / FEATURES * FEATURES);
    (0..SAMPLES * FEATURES).map(|n| (mixed(n) * f64::from(1 << 20)).round() / f64::from(1 << 20)).collect()
}

fn write(folder: &Folder, name: &str, values: impl Iterator<Item = f64>) -> Vec<f64> {
    let values: Vec<f64> = values.collect();
    let mut text = String::new();
    for row in values.chunks(FEATURES) {
        writeln!(text, "{}", row.iter().map(|value| format!("{value:e}")).collect::<Vec<_>>().join(",")).unwrap();
    }
    folder.write(name, text);
    values
}

/// x W + b of the first layer of a JSON file, for each sample.
fn outputs(folder: &Folder, name: &str, samples: &[f64]) -> Vec<Vec<f64>> {
    let parsed: Value = serde_json::from_slice(&folder.read(name)).unwrap();
    let tensors = &parsed["tensors"];
    let numbers = |value: &Value| value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect::<Vec<f64>>();
    let values = |name: &str| tensors[name].get("values").or_else(|| tensors[name].get("data")).unwrap().clone();
    let weight: Vec<Vec<f64>> = values("layer_0.weight").as_array().unwrap().iter().map(numbers).collect();
    let bias = numbers(&values("layer_0.bias"));
    let output = |row: &[f64]| {
        let sum = |column: usize| row.iter().zip(&weight).map(|(x, weights)| x * weights[column]).sum::<f64>();
        (0..bias.len()).map(|column| sum(column) + bias[column]).collect()
    };
    samples.chunks(FEATURES).map(output).collect()
}

#[test]
fn what_is_centred_is_the_same_however_far_the_data_is_from_zero() {
    let folder = Folder::new();
    let near = write(&folder, "near.csv", samples().into_iter());
    for method in ["pca 4-3 --whiten pca", "pca 4-4", "weight-norm 4-3"] {
        folder.done(&format!("pretrain {method} --data near.csv --dtype f64 -q --force -o near.json"));
        let expected = outputs(&folder, "near.json", &near);
        for offset in [1e6, -1e7, 1e9] {
            let far = write(&folder, "far.csv", near.iter().map(|value| value + offset));
            folder.done(&format!("pretrain {method} --data far.csv --dtype f64 -q --force -o far.json"));
            for (expected, got) in expected.iter().zip(outputs(&folder, "far.json", &far)) {
                let close = expected.iter().zip(&got).all(|(x, y)| (x - y).abs() < 1e-5);
                assert!(close, "{method} at {offset}: {got:?}, and {expected:?} near 0");
            }
        }
    }
}

#[test]
fn a_second_layer_sees_what_the_first_one_centred() {
    let folder = Folder::new();
    let near = write(&folder, "near.csv", samples().into_iter());
    write(&folder, "far.csv", near.iter().map(|value| value + 1e8));
    for method in ["pca 4-3-2", "weight-norm 4-3-2 --activation tanh"] {
        let weight = |data: &str| {
            folder.done(&format!("pretrain {method} --data {data}.csv --dtype f64 -q --force -o w.json"));
            let parsed: Value = serde_json::from_slice(&folder.read("w.json")).unwrap();
            let tensor = &parsed["tensors"]["layer_1.weight"];
            let rows = tensor.get("values").or_else(|| tensor.get("data")).unwrap().clone();
            let rows = rows.as_array().unwrap().clone();
            rows.iter().flat_map(|row| row.as_array().unwrap().clone()).map(|x| x.as_f64().unwrap()).collect::<Vec<_>>()
        };
        let pairs: Vec<_> = weight("near").into_iter().zip(weight("far")).collect();
        assert!(pairs.len() == 6 && pairs.iter().all(|(x, y)| (x - y).abs() < 1e-4), "{method}: {pairs:?}");
    }
}

#[test]
fn a_mean_that_is_too_far_from_zero_for_single_precision_is_noted() {
    let folder = Folder::new();
    let near = write(&folder, "near.csv", samples().into_iter());
    write(&folder, "far.csv", near.iter().map(|value| value + 1e6));
    for (options, noted) in [
        ("pca 4-2 --data far.csv", Some("--dtype f64")),
        ("weight-norm 4-2 --data far.csv", Some("--dtype f64")),
        ("lsuv 4-2 --data far.csv", Some("--scale standard")),
        ("kmeans 4-2 --data far.csv --dtype f64", Some("--scale standard")),
        ("rbm 4-2 --visible gaussian --learning-rate 1e-4 --epochs 1 --data far.csv", Some("--scale standard")),
        ("pca 4-2 --data far.csv --dtype f64", None),
        ("lsuv 4-2 --data far.csv --scale standard", None),
        ("rbm 4-2 --scale minmax --epochs 1 --data far.csv", None),
        ("lsuv 4-2 --data near.csv", None),
    ] {
        let ended = Ended::of(&mut folder.fanin(&format!("pretrain {options} --force -o w.npz")));
        assert_eq!(ended.status, 0, "{options}: {}", ended.stderr);
        let note = ended.stderr.lines().find(|line| line.contains("over 10,000 standard deviations"));
        assert_eq!(note.is_some(), noted.is_some(), "{options}: {}", ended.stderr);
        assert!(noted.is_none_or(|word| note.is_some_and(|note| note.contains(word))), "{options}: {note:?}");
    }
}

#[test]
fn data_of_any_size_is_learned_or_said_to_overflow() {
    let folder = Folder::new();
    let near = write(&folder, "near.csv", samples().into_iter());
    for (size, word) in [(1e-30, None), (1e30, None), (1e300, Some("overflows")), (1e-200, Some("underflows"))] {
        write(&folder, "x.csv", near.iter().map(|value| value * size));
        for method in ["pca 4-2", "lsuv 4-2", "weight-norm 4-2", "kmeans 4-2"] {
            let ended = Ended::of(&mut folder.fanin(&format!("pretrain {method} --data x.csv -q --force -o w.npz")));
            assert_eq!(ended.status == 0, word.is_none(), "{method} at {size}: {ended:?}");
            assert!(word.is_none_or(|word| ended.is_refusal() && ended.stderr.contains(word)), "{method}: {ended:?}");
            // Scaled data is the same at each size.
            for scale in ["standard", "minmax"] {
                let line = format!("pretrain {method} --scale {scale} --dtype f16 -q --force");
                folder.done(&format!("{line} --data near.csv -o near.raw"));
                folder.done(&format!("{line} --data x.csv -o scaled.raw"));
                let different =
                    folder.read("near.raw").iter().zip(folder.read("scaled.raw")).filter(|(x, y)| **x != *y).count();
                assert!(different <= 2, "{method}, {scale} at {size}: {different} bytes differ");
            }
        }
    }
    write(&folder, "x.csv", near.iter().map(|value| value * 1e30));
    let ended = Ended::of(&mut folder.fanin("pretrain pca 4-2 --data x.csv --dtype f16 -q -o h.npz"));
    assert!(ended.is_refusal() && ended.stderr.contains("overflows f16"), "{ended:?}");
}
