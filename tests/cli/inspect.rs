//! `fanin inspect`: what it shows of files.

use serde_json::{Value, json};

use crate::common::safetensors::safetensors;
use crate::common::{Ended, Folder};
use crate::templates::like;

#[test]
fn inspect_shows_a_folder_an_index_and_many_tensors_as_a_tree() {
    let folder = Folder::new();
    folder.done("init normal a=200x200 b=200x200 -q --format safetensors --max-shard-size 170KB -o d/");
    let shown = |line: &str| String::from_utf8(folder.done(&format!("inspect {line}"))).unwrap();
    let of_index = shown("d/model.safetensors.index.json");
    assert_eq!(shown("d").strip_prefix("d"), of_index.strip_prefix("model.safetensors.index.json"));
    let heading = "safetensors, 2 tensors, 80,000 elements, 320,000 bytes; seed 0, native-1\n";
    assert!(shown("d").starts_with(&format!("d: {heading}")), "{}", shown("d"));
    let names: Vec<String> = (10..75).map(|n| format!("h.{n}.w=3x2")).collect();
    folder.done(&format!("init normal {} -q -o many.safetensors", names.join(" ")));
    let tree = shown("many.safetensors");
    assert!(tree.starts_with("many.safetensors: safetensors, 65 tensors, 390 elements"), "{tree}");
    assert!(tree.lines().count() < 10 && tree.contains("65 tensors"), "{tree}");
    assert!(shown("many.safetensors --tensor *").lines().count() > 65);
    assert!(shown("d --tree").contains("200x200 f32"));
}

#[test]
fn inspect_finds_the_singular_values_of_a_matrix() {
    let folder = Folder::new();
    // [[3, 0], [4, 5]] has the singular values 3 sqrt(5) and sqrt(5).
    folder.done("init constant-list:3/0/4/5 2x2 --dtype f64 -q -o w.safetensors");
    let report: Value = serde_json::from_slice(&folder.done("inspect w.safetensors --spectrum --json")).unwrap();
    let values: Vec<f64> = serde_json::from_value(report["tensors"][0]["spectrum"]["singular_values"].clone()).unwrap();
    let expected = [45f64.sqrt(), 5f64.sqrt()];
    assert_eq!(values.len(), 2, "{report}");
    assert!(values.iter().zip(expected).all(|(value, wanted)| (value - wanted).abs() < 1e-12), "{values:?}");
    assert!(String::from_utf8(folder.done("inspect w.safetensors --spectrum")).unwrap().contains("6.70"));
}

#[test]
fn inspect_draws_histograms_in_a_terminal_and_a_picture() {
    let folder = Folder::new();
    folder.done("init normal a&b<c>=100x100 -q -o w.safetensors");
    let plot = String::from_utf8(folder.done("inspect w.safetensors --plot")).unwrap();
    assert!(plot.lines().count() > 20 && plot.contains('○'), "{plot}");
    folder.done("inspect w.safetensors --spectrum --plot w.svg");
    let svg = String::from_utf8(folder.read("w.svg")).unwrap();
    assert!(svg.starts_with("<svg") || svg.starts_with("<?xml"), "{svg}");
    assert!(svg.contains("a&amp;b&lt;c&gt;") && !svg.contains("a&b"), "names are escaped");
    let ended = Ended::of(&mut folder.fanin("inspect w.safetensors --plot w.svg"));
    assert!(ended.is_refusal() && folder.read("w.svg") == svg.as_bytes(), "{ended:?}");
    folder.done("inspect w.safetensors --force --plot w.svg");
}

#[test]
fn bad_lines_of_inspect_are_refused_in_one_line() {
    let folder = Folder::new();
    folder.done("init normal 4x4 -q -o w.safetensors");
    for line in [
        "missing",
        "w.safetensors --tensor no*",
        "w.safetensors --tree --plot",
        "w.safetensors --plot w.pdf",
        "w.safetensors --plot no/where.svg",
        "w.safetensors --force",
        "w.safetensors --spectrum --max-memory 1B",
        "w.safetensors --max-memory x",
    ] {
        let ended = Ended::of(&mut folder.fanin(&format!("inspect {line}")));
        assert!(ended.is_refusal() && ended.stdout.is_empty(), "fanin inspect {line}: {ended:?}");
    }
}

#[test]
fn inspect_recognises_copied_tensors_by_their_hash() {
    let folder = Folder::new();
    like(&folder);
    folder.done("model like.safetensors --rules head.toml --keep body.* -q -o new.safetensors");
    let message = String::from_utf8(folder.done("inspect new.safetensors")).unwrap();
    assert!(
        message.matches("note:").count() == 1 && message.contains("note: `body.f4` has no statistics"),
        "{message}"
    );
    let sum = folder.shell("printf '\\001\\000\\001\\001' | sha256sum").stdout;
    let sum = String::from_utf8(sum).unwrap();
    let hash = format!("copied, SHA-256 {}", sum.split_whitespace().next().unwrap());
    assert!(message.lines().any(|line| line.starts_with("body.mask") && line.ends_with(&hash)), "{message}");
}

#[test]
fn figures_are_those_of_the_numbers_that_a_type_holds() {
    let folder = Folder::new();
    let file = safetensors(&[
        ("i64", "I64", vec![4], [-3i64, 5, 5, 1].map(i64::to_le_bytes).concat()),
        ("u8", "U8", vec![2], vec![0, 255]),
        ("bool", "BOOL", vec![4], vec![1, 0, 0, 0]),
        ("f8", "F8_E4M3", vec![3], vec![0x38, 0xc0, 0x7f]),
        ("c64", "C64", vec![2], [3f32, 4.0, 0.0, -1.0].map(f32::to_le_bytes).concat()),
        ("f4", "F4", vec![2], vec![0x21]),
    ]);
    folder.write("w.safetensors", file);
    let report: Value = serde_json::from_slice(&folder.done("inspect w.safetensors --json")).unwrap();
    let figures = |name: &str| {
        let tensor = report["tensors"].as_array().unwrap().iter().find(|tensor| tensor["name"] == name).unwrap();
        json!([tensor["dtype"], tensor["min"], tensor["max"], tensor["mean"], tensor["nan"]])
    };
    assert_eq!(figures("i64"), json!(["i64", -3.0, 5.0, 2.0, 0]));
    assert_eq!(figures("u8"), json!(["u8", 0.0, 255.0, 127.5, 0]));
    assert_eq!(figures("bool"), json!(["bool", 0.0, 1.0, 0.25, 0]));
    assert_eq!(figures("f8"), json!(["f8_e4m3", -2.0, 1.0, -0.5, 1]));
    assert_eq!(figures("c64"), json!(["c64", 1.0, 5.0, 3.0, 0]));
    assert_eq!(figures("f4"), json!(["f4", null, null, null, null]));
    let notes = report["notes"].to_string();
    assert!(notes.contains("`f4` has no statistics") && notes.contains("`c64` is complex"), "{notes}");
}

#[test]
fn convolutions_are_unfolded_by_the_layout_of_the_file_or_of_the_option() {
    let folder = Folder::new();
    folder.done("init orthogonal 4x6x1x1 --layout torch -q -o torch.safetensors");
    folder.write("bare.npy", folder.done("init orthogonal 4x6x1x1 --layout torch -q --format npy -o -"));
    folder.done("model bare.npy --keep * -q -o bare.pt");
    let message = |line: &str| String::from_utf8(folder.done(line)).unwrap();
    for line in ["torch.safetensors", "bare.pt", "bare.npy --layout torch", "bare.npy --layout oikk"] {
        let message = message(&format!("inspect {line} --spectrum"));
        assert!(message.contains("4 singular values of 4x6, from 1 to 1"), "{line}: {message}");
    }
    assert!(message("inspect bare.npy --spectrum").contains("1 singular value of 24x1"));
    let vector = message("inspect bare.npy --spectrum --layout bbio");
    assert!(vector.contains("note: `weight` has no singular values"), "{vector}");
    folder.done("init zeros 3x2 -q -o z.npy");
    assert!(message("inspect z.npy --spectrum").contains("from 0 to 0; condition inf"));
    folder.done("init zeros b=3 c=0x4 -q -o b.npz");
    let none = message("inspect b.npz --spectrum");
    assert!(none.contains("1 tensor with fewer than two axes") && none.contains("it is empty"), "{none}");
}

#[test]
fn pictures_of_any_name_are_xml() {
    let folder = Folder::new();
    for (number, name) in ["x\u{ffff}y", "x\u{fffe}y", "a<&>\"'b", "x\u{202e}y", "x\\u0001y"].into_iter().enumerate() {
        let shown = name.replace('"', "\\\"");
        let header = format!("{{\"{shown}\":{{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}}}");
        let bytes =
            [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[0, 0, 128, 63, 0, 0, 0, 64]].concat();
        folder.write("s.safetensors", bytes);
        folder.done(&format!("inspect s.safetensors --plot {number}.svg"));
        let picture = String::from_utf8(folder.read(&format!("{number}.svg"))).unwrap();
        let forbidden = |character: char| matches!(character, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
        assert!(!picture.contains(forbidden) && picture.contains("</svg>"), "{name}: {picture}");
    }
}
