//! `--rules moments`: a template's structure, without its weights.

use std::collections::HashSet;

use half::{bf16, f16};
use serde_json::{Value, json};

use crate::common::safetensors::{held, safetensors};
use crate::common::{Ended, Folder};

/// Values like those of a trained layer: most of them small, some of them large, none twice.
fn trained(count: u32, mean: f64, std: f64) -> Vec<f64> {
    let mut state = u64::from(count) ^ mean.to_bits() ^ std.to_bits();
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (f64::from(u32::try_from(state >> 33).unwrap()) + 0.5) / f64::from(1u32 << 31)
    };
    let mut value = |place: u32| {
        let sum: f64 = (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
        mean + std * sum * if place.is_multiple_of(97) { 5.0 } else { 1.0 }
    };
    (0..count).map(&mut value).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "values of a smaller type")]
fn encoded(dtype: &str, values: &[f64]) -> Vec<u8> {
    let encode = |&value: &f64| match dtype {
        "F64" => value.to_le_bytes().to_vec(),
        "F32" => (value as f32).to_le_bytes().to_vec(),
        "F16" => f16::from_f64(value).to_le_bytes().to_vec(),
        _ => bf16::from_f64(value).to_le_bytes().to_vec(),
    };
    values.iter().flat_map(encode).collect()
}

/// Weights of each type, with their means and standard deviations.
const WEIGHTS: [(&str, &str, [u64; 2], f64, f64); 5] = [
    ("embed.weight", "BF16", [300, 40], 0.0, 0.02),
    ("layers.0.attn.weight", "F32", [80, 120], 0.001, 0.05),
    ("layers.0.mlp.weight", "F16", [90, 90], -0.01, 0.1),
    ("layers.1.mlp.weight", "F64", [50, 100], 3.0, 0.001),
    ("layers.1.norm.weight", "BF16", [2000, 1], 1.0, 0.1),
];

/// Tensors that are kept.
fn kept() -> Vec<(&'static str, &'static str, Vec<u64>, Vec<u8>)> {
    let bytes = |count: u8| (0..count).map(|byte| byte.wrapping_mul(37)).collect::<Vec<u8>>();
    vec![
        ("bn.num_batches_tracked", "I64", vec![], 7i64.to_le_bytes().into()),
        ("bn.running_mean", "F32", vec![5], encoded("F32", &trained(5, 0.0, 1.0))),
        ("bn.running_var", "F32", vec![5], encoded("F32", &trained(5, 9.0, 1.0))),
        ("h.0.attn.bias", "U8", vec![1, 1, 3, 3], vec![1, 0, 0, 1, 1, 0, 1, 1, 1]),
        ("logit_scale", "F32", vec![], encoded("F32", &[2.6592])),
        ("norm.weight", "BF16", vec![64], encoded("BF16", &[1.0; 64])),
        ("positions", "I32", vec![1, 6], bytes(24)),
        ("rotary.inv_freq", "F32", vec![4], encoded("F32", &[1.0, 0.1, 0.01, 0.001])),
        ("none", "F32", vec![0, 3], vec![]),
    ]
}

fn checkpoint(folder: &Folder, name: &str) -> Vec<(&'static str, Vec<u8>)> {
    let drawn = WEIGHTS.map(|(name, dtype, shape, mean, std)| {
        let count = u32::try_from(shape[0] * shape[1]).unwrap();
        (name, dtype, shape.to_vec(), encoded(dtype, &trained(count, mean, std)))
    });
    let values = drawn.iter().map(|(name, .., bytes)| (*name, bytes.clone())).collect();
    folder.write(name, safetensors(&[drawn.to_vec(), kept()].concat()));
    values
}

#[test]
fn no_16_bytes_of_a_weight_survive() {
    let folder = Folder::new();
    let originals = checkpoint(&folder, "trained.safetensors");
    folder.done("model trained.safetensors --rules moments -q -o twin.safetensors");
    let (old, new) = (folder.read("trained.safetensors"), folder.read("twin.safetensors"));
    let runs: HashSet<&[u8]> = originals.iter().flat_map(|(_, bytes)| bytes.windows(16)).collect();
    assert!(old.windows(16).any(|run| runs.contains(run)));
    assert!(!new.windows(16).any(|run| runs.contains(run)));
    for (name, dtype, shape, ..) in WEIGHTS {
        let (new_dtype, new_shape, _) = held(&new, name);
        assert_eq!((new_dtype.as_str(), new_shape), (dtype, json!(shape)));
    }
    for (name, ..) in kept() {
        assert_eq!(held(&new, name), held(&old, name), "{name}");
    }
}

#[test]
fn a_tensor_has_its_mean_and_standard_deviation() {
    let folder = Folder::new();
    checkpoint(&folder, "trained.safetensors");
    let report = Ended::of(&mut folder.fanin("model trained.safetensors --rules moments --seed 5 -o twin.safetensors"));
    let note = "note: moments keeps the values of 4 buffer tensors, 3 constant tensors, 2 integer tensors";
    assert!(report.stderr.contains(note), "{}", report.stderr);
    let tensors = |name: &str| {
        let report: Value = serde_json::from_slice(&folder.done(&format!("inspect {name} --json"))).unwrap();
        let mut tensors = report["tensors"].as_array().unwrap().clone();
        tensors.sort_by_key(|tensor| tensor["name"].to_string());
        tensors
    };
    for (old, new) in tensors("trained.safetensors").iter().zip(&tensors("twin.safetensors")) {
        assert_eq!(old["name"], new["name"]);
        let number = |tensor: &Value, key: &str| tensor[key].as_f64().unwrap_or_default();
        let (std, count) = (number(old, "std"), number(old, "count").max(1.0));
        let slack = 5.0 * std / count.sqrt() + 1e-12;
        assert!((number(old, "mean") - number(new, "mean")).abs() <= slack, "{old} {new}");
        assert!((std - number(new, "std")).abs() <= slack, "{old} {new}");
    }
    folder.done("verify twin.safetensors -q");
}

#[test]
fn threads_change_no_byte() {
    let folder = Folder::new();
    folder.done("init student-t:dof=3 w=700x900 -q -o trained.safetensors");
    for threads in [1, 3] {
        folder.done(&format!(
            "model trained.safetensors --rules moments --threads {threads} -q -o {threads}.safetensors"
        ));
    }
    assert!(folder.read("1.safetensors") == folder.read("3.safetensors"));
}

#[test]
fn kept_patterns_and_a_type_work_with_moments() {
    let folder = Folder::new();
    checkpoint(&folder, "trained.safetensors");
    folder.done("model trained.safetensors --rules moments --keep embed.* --dtype f32 -q -o twin.safetensors");
    let (old, new) = (folder.read("trained.safetensors"), folder.read("twin.safetensors"));
    assert_eq!(held(&new, "embed.weight"), held(&old, "embed.weight"));
    assert_eq!(held(&new, "layers.1.mlp.weight").0, "F32");
    assert_eq!(held(&new, "norm.weight"), held(&old, "norm.weight"));
}

#[test]
fn files_and_config_are_those_of_the_template() {
    let folder = Folder::new();
    folder.done("init normal a=30x3 b=20x3 c=10x3 d=5x3 --max-shard-size 700 -q -o old/");
    folder.write("old/config.json", "{\"model_type\": \"none\", \"x\": 1.0}\n");
    folder.write("old/tokenizer.json", "{}");
    let shards = |folder: &Folder, name: &str| {
        let index: Value =
            serde_json::from_slice(&folder.read(&format!("{name}/model.safetensors.index.json"))).unwrap();
        index["weight_map"].clone()
    };
    folder.done("model old --rules moments --tokenizer-from old -q -o new/");
    assert_eq!(shards(&folder, "old")["d"], json!("model-00002-of-00002.safetensors"));
    assert_eq!(shards(&folder, "new"), shards(&folder, "old"));
    assert_eq!(folder.read("new/config.json"), folder.read("old/config.json"));
    assert_eq!(folder.read("new/tokenizer.json"), b"{}");
    folder.done("model old --rules moments --max-shard-size 300 -q -o more/");
    assert_eq!(shards(&folder, "more")["d"], json!("model-00003-of-00003.safetensors"));
    folder.done("model old --keep * --max-shard-size 5GB -q -o one/");
    assert!(folder.join("one/model.safetensors").is_file());
}

#[test]
fn a_file_of_the_name_needs_its_folder() {
    let folder = Folder::new();
    folder.done("init normal w=30x3 -q -o w.safetensors");
    folder.write("moments", "[rules]\n\"*\" = \"ones\"\n");
    folder.done("model w.safetensors --rules moments -q -o drawn.safetensors");
    folder.done("model w.safetensors --rules ./moments -q -o ones.safetensors");
    assert_eq!(held(&folder.read("ones.safetensors"), "w").2, 1f32.to_le_bytes().repeat(90));
    assert_ne!(held(&folder.read("drawn.safetensors"), "w").2, 1f32.to_le_bytes().repeat(90));
    let ended = Ended::of(&mut folder.fanin("model w.safetensors --rules moment -o o.safetensors"));
    assert!(ended.is_refusal() && ended.stderr.contains("did you mean `moments`?"), "{}", ended.stderr);
}

#[test]
fn a_tensor_that_moments_cannot_draw_is_refused_by_name() {
    let folder = Folder::new();
    let infinite = encoded("F16", &[1.0, f64::INFINITY, f64::NAN, 2.0]);
    let cases = [
        (("w", "F16", vec![4], infinite), "`w` has 2 values that are not finite: pass --keep 'w' to copy it"),
        (("w", "F8_E4M3", vec![2], vec![1, 2]), "no scheme draws `w` of type f8_e4m3: pass --keep 'w' to copy it"),
        (("w", "C64", vec![1], vec![0; 8]), "no scheme draws `w` of type c64: pass --keep 'w' to copy it"),
        (
            ("layer.weight", "I8", vec![2, 2], vec![1, 2, 3, 4]),
            "`layer.weight` has i8 values, which may be quantised weights: pass --keep 'layer.weight' to copy it",
        ),
        (
            ("layer.qzeros", "I32", vec![2, 1, 2], vec![7; 16]),
            "`layer.qzeros` has i32 values, which may be quantised weights: pass --keep 'layer.qzeros' to copy it",
        ),
        (
            ("w", "F64", vec![2], encoded("F64", &[f64::MAX, f64::MIN])),
            "the moments of `w` exceed double precision: pass --keep 'w' to copy it",
        ),
        (("w", "F16", vec![2], encoded("F16", &[65504.0, -65504.0])), "for `w=2`: values up to"),
    ];
    for (tensor, why) in cases {
        folder.write("old.safetensors", safetensors(&[tensor]));
        let ended = Ended::of(&mut folder.fanin("model old.safetensors --rules moments -o new.safetensors"));
        assert!(ended.is_refusal() && ended.stderr.contains(why), "{}", ended.stderr);
        folder.done("model old.safetensors --rules moments --keep * -q --force -o new.safetensors");
    }
}
