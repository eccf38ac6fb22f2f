//! Integer tensors: exact values of deterministic schemes, in every format that can hold them.

use serde_json::{Value, json};

use crate::common::safetensors::held;
use crate::common::{Ended, Folder};

const RECIPE: &str = r#"
[rules]
"*.weight" = "normal"
"*.mask" = { scheme = "causal-mask", dtype = "bool" }

[tensors]
"body.weight" = [6, 4]
"bn.num_batches_tracked" = { shape = [], dtype = "i64", scheme = "zeros" }
"body.position_ids" = { shape = [1, 5], dtype = "torch.int64", scheme = "arange:start=2" }
"body.index" = { shape = [4, 4], dtype = "i32", scheme = "relative-position-index" }
"body.mask" = [2, 3]
"#;

fn bytes(values: &[i64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn recipe() -> Folder {
    let folder = Folder::new();
    folder.write("r.toml", RECIPE);
    folder
}

#[test]
fn integers_of_a_recipe_keep_their_types_whatever_the_dtype_of_the_model() {
    let folder = recipe();
    for dtype in ["f32", "bf16", "f64"] {
        folder.done(&format!("model r.toml --dtype {dtype} -q --force -o m.safetensors"));
        let file = folder.read("m.safetensors");
        assert_eq!(held(&file, "body.weight").0, dtype.to_uppercase());
        assert_eq!(held(&file, "bn.num_batches_tracked"), ("I64".into(), json!([]), bytes(&[0])));
        assert_eq!(held(&file, "body.position_ids"), ("I64".into(), json!([1, 5]), bytes(&[2, 3, 4, 5, 6])));
        assert_eq!(held(&file, "body.mask"), ("BOOL".into(), json!([2, 3]), vec![1, 0, 0, 1, 1, 0]));
        // The table of a window of 2 x 2, as Swin computes it.
        let index: Vec<u8> = [4i32, 3, 1, 0, 5, 4, 2, 1, 7, 6, 4, 3, 8, 7, 5, 4].map(i32::to_le_bytes).concat();
        assert_eq!(held(&file, "body.index"), ("I32".into(), json!([4, 4]), index));
    }
}

#[test]
fn integers_are_reported_verified_and_resumed_as_other_tensors_are() {
    let folder = recipe();
    let report: Value = serde_json::from_slice(&folder.done("model r.toml -o m.safetensors --sha256 --json")).unwrap();
    let tensors = report["tensors"].as_array().unwrap();
    let of = |name: &str| tensors.iter().find(|tensor| tensor["name"] == name).unwrap();
    assert_eq!(
        (&of("body.index")["dtype"], &of("body.index")["scheme"]),
        (&json!("i32"), &json!("relative-position-index:height=2"))
    );
    assert_eq!(of("bn.num_batches_tracked")["notes"], json!([]));
    let before = folder.read("m.safetensors");
    folder.done("model r.toml -o m.safetensors --resume -q");
    assert!(folder.read("m.safetensors") == before);
    for line in ["verify m.safetensors", "verify m.safetensors --recipe r.toml", "verify m.safetensors --distribution"]
    {
        folder.done(line);
    }
    // An integer that differs in one bit is found.
    let place = before.windows(8).position(|window| window == 4i64.to_le_bytes()).unwrap();
    folder.write("m.safetensors", [&before[..place], &[7], &before[place + 1..]].concat());
    let ended = Ended::of(&mut folder.fanin("verify m.safetensors"));
    assert!(ended.status == 1 && String::from_utf8_lossy(ended.stdout.as_ref()).contains("body.position_ids"));
    let inspected = folder.done("inspect m.safetensors --tensor body.index");
    assert!(String::from_utf8_lossy(&inspected).contains("i32"));
}

#[test]
fn every_format_writes_integers_that_it_reads_again() {
    let folder = Folder::new();
    for element in ["i64", "i32", "i16", "i8", "u64", "u32", "u16", "u8"] {
        for format in ["safetensors", "npz", "npy", "pt", "raw", "json", "mat"] {
            folder.done(&format!("init arange:start=3,step=2 w=5x7 --dtype {element} -q --force -o w.{format}"));
            folder.done(&format!("verify w.{format} --scheme arange:start=3,step=2 --seed 0 --name w"));
        }
    }
    let text = folder.done("init arange:step=-1 w=2x3 --dtype i8 -q --format json -o -");
    assert!(String::from_utf8_lossy(&text).contains("[[0,-1,-2],\n[0,-1,-2]]"));
}

#[test]
fn a_slice_of_integers_has_the_values_of_the_whole() {
    let folder = Folder::new();
    let file = folder.done("init arange w=3x40000 --dtype i64 --slice w=1:2,39998:40000 -q --format safetensors -o -");
    assert_eq!(held(&file, "w").2, bytes(&[39998, 39999]));
}

#[test]
fn values_that_an_integer_type_cannot_hold_are_refused() {
    let folder = Folder::new();
    for (line, expected) in [
        ("init normal 3 --dtype i64", "its values are not integers"),
        ("init constant:0.5 3 --dtype i8", "its values are not integers"),
        ("init linspace:end=1 3 --dtype u8", "its values are not integers"),
        ("init arange 257 --dtype u8", "values from 0 to 256 exceed u8"),
        ("init arange:start=-1 2 --dtype u64", "values from -1 to 0 exceed u64"),
        ("init constant:1e16 3 --dtype i64", "exceed i64"),
        ("init constant:2 3 --dtype bool", "exceed bool"),
        ("init nan 3 --dtype i32", "its values are not integers"),
        ("init torch.nn.Linear 3x4 --dtype i64", "torch.nn.Linear has no integers"),
        ("init zeros 3 --dtype i65", "use f64, f32, f16, bf16 or an integer type; did you mean `i64`?"),
    ] {
        let ended = Ended::of(&mut folder.fanin(line));
        assert!(ended.is_refusal() && ended.error().contains(expected), "{line}: {}", ended.error());
    }
    folder.write("r.toml", "[tensors]\nids = { shape = [3], dtype = \"i64\", scheme = \"uniform:1\" }\n");
    let ended = Ended::of(&mut folder.fanin("model r.toml -o r.npz"));
    assert!(
        ended.error().contains("`ids`") && ended.error().contains("its values are not integers"),
        "{}",
        ended.error()
    );
}
