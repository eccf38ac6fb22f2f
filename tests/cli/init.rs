//! `fanin init`: the last values, shapes and names that are legal.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use fanin::format::FORMATS;
use fanin::tensor::{DType, Element};
use serde_json::Value;

use crate::common::{Ended, Folder};

#[test]
fn empty_and_single_element_weights_can_be_orthogonal_or_sparse() {
    let folder = Folder::new();
    for shape in ["0x3", "3x0", "0x0", "1x2"] {
        for scheme in [
            "orthogonal-random-features",
            "glorot-orthogonal",
            "nguyen-widrow",
            "scaled-orthogonal:1",
            "sparse-bernoulli:0",
        ] {
            folder.done(&format!("init {scheme} {shape} -q -o w.npy --force"));
        }
    }
    for shape in ["0x0x3x3", "3x3x0x3", "3x3x0x0", "0x0x0x0", "1x1x1x2"] {
        for scheme in ["delta-orthogonal", "conv-orthogonal", "convolution-aware"] {
            folder.done(&format!("init {scheme} {shape} -q -o w.npy --force"));
        }
    }
    for angles in ["henaff", "cayley", "haar", "normal", "normal-squeeze"] {
        for shape in ["0x0", "1x1", "2x2", "0x3x3 --layout bio"] {
            folder.done(&format!("init skew-symmetric:{angles} {shape} -q -o w.npy --force"));
        }
    }
}

#[test]
fn an_empty_window_has_any_height() {
    Folder::new().done(&format!("init relative-position-index:height={} 0x0 -q -o w.npy", u64::MAX));
}

#[test]
fn empty_arrays_and_scalars_are_written_in_every_format() {
    let folder = Folder::new();
    for format in FORMATS {
        for dtype in DType::ALL.into_iter().filter(|&dtype| format.has_type(Element::Drawn(dtype))) {
            for (shape, count) in [("0", 0), ("0x5", 0), ("5x0", 0), ("3x0x2", 0), ("()", 1), ("1x1x1", 1)] {
                let line = format!("init normal w={shape} --dtype {dtype} --format {} -q", format.name);
                let streamed = folder.done(&line);
                folder.done(&format!("{line} --force -o file"));
                assert_eq!(folder.read("file"), streamed, "{line}");
                if format.name == "json" {
                    assert_eq!(numbers(&streamed), count, "{line}");
                }
            }
        }
    }
}

/// How many numbers stand in the data of tensor `w` of a file of JSON.
fn numbers(json: &[u8]) -> usize {
    fn count(value: &Value) -> usize {
        value.as_array().map_or(1, |values| values.iter().map(count).sum())
    }
    let file: Value = serde_json::from_slice(json).unwrap();
    count(&file["tensors"]["w"]["data"])
}

#[test]
fn the_last_values_that_are_allowed_are_taken() {
    let folder = Folder::new();
    let axes = vec!["1"; 32].join("x");
    let name = "n".repeat(512);
    for line in [
        "zeros 3 --seed 0xffffffffffffffff".into(),
        "zeros 3 --seed 18446744073709551615".into(),
        "zeros 3 --threads 1024".into(),
        "zeros 3 --max-memory 0".into(),
        "he-normal 5 --fan-in 281474976710656".into(),
        "normal:std=0 3".into(),
        "sparse:density=1 3x3".into(),
        "sparse:zeros=1 3x3".into(),
        "sparse:nonzeros=0 3x3".into(),
        "constant:65504 3 --dtype f16".into(),
        "uniform:low=1,high=1.0000001 3 --dtype f16".into(),
        format!("zeros {axes}"),
        format!("zeros {name}=3"),
    ] {
        // MATLAB has neither 16-bit numbers nor long names.
        for format in FORMATS.iter().filter(|format| format.name != "mat") {
            folder.done(&format!("init {line} --format {} -q", format.name));
        }
    }
}

#[test]
fn names_in_any_script_are_written_in_every_format() {
    let folder = Folder::new();
    for name in ["ünïcode", "重み", "вес", "שלום", "🙂", "a=b", "model.layers.0/q:0"] {
        for format in FORMATS {
            folder.done(&format!("init zeros {name}=3 --format {} -q", format.name));
            folder.done(&format!("init zeros {name}=3 --format {} -q -o out/", format.name));
        }
        assert!(folder.join(format!("out/{name}.npz")).is_file(), "{name}");
        let file: Value = serde_json::from_slice(&folder.read(&format!("out/{name}.json"))).unwrap();
        assert_eq!(file["tensors"][name]["shape"], serde_json::json!([3]));
    }
}

#[test]
fn a_file_may_have_a_name_that_is_not_utf_8() {
    let folder = Folder::new();
    let name = OsString::from_vec(b"\xff.npy".to_vec());
    let ended = Ended::of(folder.fanin("init zeros 3 -q -o").arg(&name));
    assert_eq!((ended.status, ended.stderr.as_str()), (0, ""));
    assert!(folder.join(&name).is_file());
}
