//! Norms of other tensors, for weight normalization.

use crate::common::safetensors::held;
use crate::common::{Ended, Folder};

const RECIPE: &str = r#"
layout = "torch"

[rules]
"*.original0" = "norm-of:original1"
"*_g" = "norm-of:out.weight_v"
"*" = "normal:std=0.1,mean=0.05"

[[blocks]]
repeat = { i = 2 }
prefix = "layers.{i}."
[blocks.tensors]
"weight.original0" = [1, 1, 7]
"weight.original1" = [300, 64, 7]

[tensors]
"weight_g" = [6, 1]
"out.weight_v" = [6, 50]
"#;

fn recipe() -> Folder {
    let folder = Folder::new();
    folder.write("r.toml", RECIPE);
    folder
}

fn singles(file: &[u8], name: &str) -> Vec<f64> {
    held(file, name).2.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes).into()).collect()
}

fn norm(values: impl Iterator<Item = f64>) -> f64 {
    values.map(|value| value * value).sum::<f64>().sqrt()
}

#[test]
fn a_norm_is_that_of_the_written_values_over_the_axes_of_size_1() {
    let folder = recipe();
    folder.done("model r.toml --seed 7 -q -o m.safetensors");
    let file = folder.read("m.safetensors");
    for layer in ["layers.0", "layers.1"] {
        let values = singles(&file, &format!("{layer}.weight.original1"));
        for (tap, found) in singles(&file, &format!("{layer}.weight.original0")).into_iter().enumerate() {
            let expected = norm(values.iter().skip(tap).step_by(7).copied());
            assert!((found - expected).abs() <= 1e-7 * expected, "{layer} {tap}: {found}, not {expected}");
        }
    }
    assert_ne!(held(&file, "layers.0.weight.original0"), held(&file, "layers.1.weight.original0"));
    let values = singles(&file, "out.weight_v");
    for (row, found) in singles(&file, "weight_g").into_iter().enumerate() {
        let expected = norm(values[row * 50..][..50].iter().copied());
        assert!((found - expected).abs() <= 1e-7 * expected, "{row}: {found}, not {expected}");
    }
}

#[test]
fn a_norm_has_the_same_bytes_for_any_threads_slice_and_rank() {
    let folder = recipe();
    for (dtype, size) in [("f32", 4), ("f64", 8), ("bf16", 2)] {
        folder.done(&format!("model r.toml --dtype {dtype} --threads 1 -q --force -o one.safetensors"));
        folder.done(&format!("model r.toml --dtype {dtype} --threads 5 -q --force -o two.safetensors"));
        let file = folder.read("one.safetensors");
        assert!(file == folder.read("two.safetensors"), "{dtype}");
        let slices = "--slice layers.1.weight.original0=:,:,2:5 --slice layers.1.weight.original1=1:2,:,:";
        let part = folder.done(&format!("model r.toml --dtype {dtype} {slices} -q --format safetensors -o -"));
        let (whole, part) = (held(&file, "layers.1.weight.original0").2, held(&part, "layers.1.weight.original0").2);
        assert_eq!(part, whole[2 * size..5 * size], "{dtype}");
    }
    folder.done("model r.toml -q --max-shard-size 300KB -o whole/");
    for rank in [0, 1, 2] {
        folder.done(&format!("model r.toml -q --max-shard-size 300KB --rank {rank} --world-size 3 -o parts/"));
    }
    let names = |place: &str| {
        let mut names: Vec<_> =
            std::fs::read_dir(folder.join(place)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert!(names("whole").len() > 2 && names("whole") == names("parts"));
    for name in names("whole") {
        let read = |place: &str| folder.read(&format!("{place}/{}", name.display()));
        assert!(read("whole") == read("parts"), "{}", name.display());
    }
    folder.done("verify parts/");
}

#[test]
fn norms_are_verified_alone_and_by_their_distribution_and_planned_dry() {
    let folder = recipe();
    folder.done("model r.toml --seed 3 --dry-run");
    folder.done("model r.toml --seed 3 -q -o m.safetensors");
    for line in [
        "verify m.safetensors",
        "verify m.safetensors --tensor *.original0",
        "verify m.safetensors --distribution",
        "verify m.safetensors --recipe r.toml --seed 3 --tensor weight_g",
        "model r.toml --seed 3 -q --resume -o m.safetensors",
    ] {
        folder.done(line);
    }
    let shown = String::from_utf8(folder.done("inspect m.safetensors")).unwrap();
    assert!(shown.contains("norm-of:original1"), "{shown}");
    assert_eq!(Ended::of(&mut folder.fanin("verify m.safetensors --recipe r.toml --seed 4")).status, 1);
}

#[test]
fn a_norm_without_a_fitting_tensor_is_refused() {
    let folder = Folder::new();
    for (tensors, expected) in [
        ("g = { shape = [1], scheme = \"norm-of:v\" }", "`g` is the norm of `v`, which does not exist"),
        ("a.g = { shape = [1], scheme = \"norm-of:g\" }", "is a norm itself"),
        (
            "g = { shape = [2, 1], scheme = \"norm-of:v\" }\nv = { shape = [3, 4], scheme = \"normal\" }",
            "`g=2x1` cannot be the norm of `v=3x4`: each axis must be 1 or equal",
        ),
        (
            "g = { shape = [1], dtype = \"i64\", scheme = \"norm-of:v\" }\nv = { shape = [3], scheme = \"normal\" }",
            "norms are not integers",
        ),
        (
            "g = { shape = [1], dtype = \"f16\", scheme = \"norm-of:v\" }\nv = { shape = [9], scheme = \"constant:60000\" }",
            "norms up to 1.800e5 exceed the largest f16",
        ),
    ] {
        folder.write("r.toml", format!("[tensors]\n{}", tensors.replace("a.g", "\"a.g\"")));
        let ended = Ended::of(&mut folder.fanin("model r.toml -o r.npz"));
        assert!(ended.is_refusal() && ended.error().contains(expected), "{tensors}: {}", ended.error());
    }
    let ended = Ended::of(&mut folder.fanin("init norm-of:v 3"));
    assert!(ended.is_refusal() && ended.error().contains("docs/recipes.md"), "{}", ended.error());
}
