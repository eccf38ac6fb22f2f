//! Values in any order, byte order, packing and type, by every verb that reads them; formats known by their content.

use std::io::Write;

use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::common::safetensors::{held, safetensors};
use crate::common::{Ended, Folder, hostile};

/// The values of `normal` for seed 3, 6x10, as a file of any order and byte order.
fn npy(values: &[f32], fortran: bool, big_endian: bool) -> Vec<u8> {
    let places: Vec<usize> = if fortran { (0..60).map(|at| at % 6 * 10 + at / 6).collect() } else { (0..60).collect() };
    let bytes = |value: f32| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() };
    let (descr, order) = (if big_endian { ">f4" } else { "<f4" }, if fortran { "True" } else { "False" });
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': (6, 10), }}\n");
    hostile::npy(&header, &places.into_iter().flat_map(|at| bytes(values[at])).collect::<Vec<_>>())
}

fn npz(member: &[u8], method: CompressionMethod) -> Vec<u8> {
    let mut archive = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("weight.npy", SimpleFileOptions::default().compression_method(method)).unwrap();
    archive.write_all(member).unwrap();
    archive.finish().unwrap().into_inner()
}

/// The same values in every order, byte order and packing.
fn alike(folder: &Folder) -> Vec<String> {
    let plain = folder.done("init normal 6x10 --seed 3 -q --format npy -o -");
    let values: Vec<f32> =
        plain[plain.len() - 240..].as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    let mut names = Vec::new();
    for (fortran, big_endian) in [(false, false), (true, false), (false, true), (true, true)] {
        let array = npy(&values, fortran, big_endian);
        let name = format!("{}{}", if fortran { "f" } else { "c" }, if big_endian { "b" } else { "l" });
        folder.write(&format!("{name}.npy"), &array);
        folder.write(&format!("{name}.npz"), npz(&array, CompressionMethod::Stored));
        folder.write(&format!("{name}-packed.npz"), npz(&array, CompressionMethod::Deflated));
        names.extend([format!("{name}.npy"), format!("{name}.npz"), format!("{name}-packed.npz")]);
    }
    names
}

#[test]
fn every_verb_reads_the_same_values_from_any_order() {
    let folder = Folder::new();
    let names = alike(&folder);
    let mut first: Option<Vec<Vec<u8>>> = None;
    for name in &names {
        folder.done(&format!("verify {name} --scheme normal --seed 3 -q"));
        folder.done(&format!("verify {name} --scheme normal --distribution -q"));
        let report = folder.done(&format!("inspect {name} --spectrum --json"));
        let report: Value = serde_json::from_slice(&report).unwrap();
        let tensor = &report["tensors"][0];
        let message = ["dtype", "min", "max", "mean", "std", "spectrum"].map(|key| tensor[key].to_string());
        let base = folder.done(&format!("init pissa-a:rank=2 6x2 --base {name} -q --format npy -o -"));
        let pca = folder.done(&format!("pretrain pca 10-2 --data {name} -q --format raw -o -"));
        let kept = folder.done(&format!("model {name} --keep * -q --format safetensors -o -"));
        let all = vec![message.join(" ").into_bytes(), base, pca, held(&kept, "weight").2];
        match &first {
            None => first = Some(all),
            Some(first) => assert!(*first == all, "{name}: {message:?}"),
        }
    }
    let wrong = Ended::of(&mut folder.fanin("verify fb.npy --scheme normal --seed 4 --json"));
    let report: Value = serde_json::from_slice(&wrong.stdout).unwrap();
    assert_eq!((wrong.status, report["tensors"][0]["position"].as_str()), (1, Some("[0, 0]")));
    let distribution = Ended::of(&mut folder.fanin("verify fl.npy --scheme identity --distribution"));
    assert!(
        distribution.status == 1 && String::from_utf8_lossy(&distribution.stdout).contains("[0, 0]"),
        "{}",
        distribution.stderr
    );
}

#[test]
fn a_member_with_a_wrong_checksum_is_refused_by_every_verb() {
    let folder = Folder::new();
    folder.write("r.toml", "[rules]\n\"*\" = \"zeros\"\n");
    for extension in ["npz", "pt"] {
        let mut file = folder.done(&format!("init normal weight=64x10 b=3 --seed 1 -q --format {extension} -o -"));
        let values = folder.done("init normal weight=64x10 --seed 1 -q --format raw -o -");
        let at = file.windows(64).position(|window| *window == values[..64]).unwrap();
        file[at + 9] ^= 1;
        folder.write(&format!("w.{extension}"), &file);
        for line in [
            "inspect W",
            "verify W",
            "verify W --distribution",
            "model W --keep * -o out.safetensors",
            "model W --rules r.toml --keep weight --slice weight=60:64 -o out.safetensors",
            "init pissa-a:rank=2 64x2 --base W --base-tensor weight -o out.npy",
            "pretrain pca 10-2 --data W --data-tensor weight -o out.npz",
        ] {
            let line = line.replace('W', &format!("w.{extension}"));
            let ended = Ended::of(&mut folder.fanin(&line));
            assert!(ended.is_refusal() && ended.stderr.contains("CRC-32"), "{line}: {}", ended.stderr);
        }
        // Nothing of that member is read here.
        folder.done(&format!("model w.{extension} --rules r.toml --keep b -q -o b.safetensors --force"));
    }
}

/// A tensor of every type that safetensors has, of six elements.
fn every_type() -> Vec<u8> {
    let mut tensors = Vec::new();
    let floats = [("F64", 8), ("F32", 4), ("F16", 2), ("BF16", 2), ("C64", 8), ("F8_E4M3", 1), ("F8_E5M2", 1)];
    let others =
        [("F8_E8M0", 1), ("I64", 8), ("I32", 4), ("I16", 2), ("I8", 1), ("U64", 8), ("U32", 4), ("U16", 2), ("U8", 1)];
    for (word, size) in floats.into_iter().chain(others) {
        let bytes = (0..6 * size).map(|at| u8::try_from(at * 37 % 100).unwrap() + 10).collect();
        tensors.push((word, word, vec![2, 3], bytes));
    }
    tensors.push(("BOOL", "BOOL", vec![2, 3], vec![0, 1, 1, 0, 1, 0]));
    safetensors(&tensors)
}

#[test]
fn every_type_is_copied_in_every_format_that_has_it() {
    let folder = Folder::new();
    folder.write("all.safetensors", every_type());
    let all = folder.read("all.safetensors");
    for (format, patterns) in [
        ("pt", vec!["*"]),
        ("raw", vec!["*"]),
        ("npz", vec!["[!F]*", "F64", "F32", "F16", "BF16"]),
        ("json", vec!["[!FC]*", "F64", "F32", "F16", "BF16"]),
    ] {
        let keep = format!(" --keep {}", patterns.join(" --keep "));
        folder.write("r.toml", "[rules]\n\"*\" = { scheme = \"zeros\", dtype = \"f32\" }\n");
        let rules = if format == "npz" || format == "json" { " --rules r.toml" } else { "" };
        folder.done(&format!("model all.safetensors{keep}{rules} -q -o kept.{format}"));
        folder.done(&format!("model kept.{format} --keep * -q --force -o again.safetensors"));
        let again = folder.read("again.safetensors");
        for word in ["F64", "F32", "F16", "BF16", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL"] {
            assert_eq!(held(&again, word), held(&all, word), "{word} by {format}");
        }
        if rules.is_empty() {
            for word in ["C64", "F8_E4M3", "F8_E5M2", "F8_E8M0"] {
                assert_eq!(held(&again, word), held(&all, word), "{word} by {format}");
            }
        }
    }
    // The advice leads out.
    let ended = Ended::of(&mut folder.fanin("model all.safetensors --keep * -o out.npz"));
    assert!(ended.is_refusal() && ended.stderr.contains("use --format pt, safetensors, raw"), "{}", ended.stderr);
    folder.done("model all.safetensors --keep * -q -o out.pt");
}

#[test]
fn a_type_that_a_format_does_not_have_is_refused_before_any_value_is_read() {
    let folder = Folder::new();
    let header = "{'descr': '<c16', 'fortran_order': False, 'shape': (2,), }\n";
    let member = hostile::npy(header, &[0x3c; 32]);
    // Its checksum is wrong, which shows as soon as a value is read.
    let mut archive = npz(&member, CompressionMethod::Stored);
    let value = archive.windows(32).position(|bytes| bytes == [0x3c; 32]).unwrap();
    archive[value] ^= 1;
    folder.write("w.npz", archive);
    for out in ["out.safetensors", "out.json", "out/", "out/ --max-shard-size 1KB", "- --format safetensors"] {
        let ended = Ended::of(&mut folder.fanin(&format!("model w.npz --keep * -q -o {out}")));
        assert!(ended.is_refusal() && ended.stdout.is_empty(), "{out}: {ended:?}");
        assert!(ended.stderr.contains("cannot store: use --format npy, pt, npz, raw"), "{out}: {}", ended.stderr);
        assert_eq!(folder.names(), ["w.npz"], "{out}");
    }
}

#[test]
fn tensors_of_types_that_no_distribution_draws_are_passed_over_by_a_scheme_and_a_recipe() {
    let folder = Folder::new();
    let plain = folder.done("init ones 2x3 -q --format raw -o -");
    let counters = [("steps", "I64", vec![], vec![7; 8]), ("seen", "BOOL", vec![2], vec![1, 0])];
    let scaled = ("scaled", "F8_E4M3", vec![2], vec![0x38, 0x40]);
    let all = [("weight", "F32", vec![2, 3], plain)].into_iter().chain(counters.clone()).chain([scaled]);
    folder.write("w.safetensors", safetensors(&all.collect::<Vec<_>>()));
    folder.write("counters.safetensors", safetensors(&counters));
    folder.write("r.toml", "[tensors]\nweight = { shape = [2, 3], scheme = \"ones\" }\n");
    for by in
        ["--scheme ones --seed 0", "--scheme ones --distribution", "--recipe r.toml", "--recipe r.toml --distribution"]
    {
        let shown = String::from_utf8(folder.done(&format!("verify w.safetensors {by}"))).unwrap();
        assert!(shown.contains(" and 2 more are skipped: no distribution has their types"), "{by}: {shown}");
        let report: Value = serde_json::from_slice(&folder.done(&format!("verify w.safetensors --json {by}"))).unwrap();
        assert_eq!(report["not_drawn"].as_array().unwrap().len(), 3, "{report}");
        let ended = Ended::of(&mut folder.fanin(&format!("verify counters.safetensors {by}")));
        // Alone, they are what a scheme of integers is compared with.
        assert_eq!(ended.status, 1, "{by}: {ended:?}");
    }
    // One that a recipe names is not skipped.
    folder.write(
        "s.toml",
        "[tensors]\nweight = { shape = [2, 3], scheme = \"ones\" }\nseen = { shape = [2], scheme = \"ones\" }\n",
    );
    let ended = Ended::of(&mut folder.fanin("verify w.safetensors --recipe s.toml"));
    let shown = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status == 1 && shown.contains("`seen`: dtype bool, not f32"), "{shown} {ended:?}");
    // As torch writes a BatchNorm.
    let parts = |scheme: &str| folder.done(&format!("init {scheme} 2 -q --format raw -o -"));
    let (ones, zeros) = (parts("ones"), parts("zeros"));
    let mut module = vec![("num_batches_tracked", "I64", vec![], vec![0; 8])];
    for (name, values) in [("weight", &ones), ("bias", &zeros), ("running_mean", &zeros), ("running_var", &ones)] {
        module.push((name, "F32", vec![2], values.clone()));
    }
    folder.write("bn.safetensors", safetensors(&module));
    let shown = folder.done("verify bn.safetensors --scheme torch.nn.BatchNorm2d --seed 0");
    let shown = String::from_utf8(shown).unwrap();
    assert!(
        shown.starts_with("note: `num_batches_tracked` is skipped") && shown.contains("equal: 4 tensors"),
        "{shown}"
    );
}

#[test]
fn what_is_no_file_of_weights_is_named_with_the_way_out() {
    let folder = Folder::new();
    folder.write("r.toml", "[rules]\n\"*\" = \"zeros\"\n");
    for (bytes, word) in [
        (&b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n"[..], "git lfs pull"),
        (b"<!DOCTYPE html>\n<html><body>404</body></html>", "HTML"),
        (b"", "it is empty"),
        (b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0", "h5py"),
        (b"\x08\x08\x12\x07pytorch\x1a\x03", "onnx"),
        (b"GGUF\x03\0\0\0\0", "GGUF"),
        (b"\x82\xa6params\x81\xa1w", "flax"),
        (b"\x1f\x8b\x08\0\0\0\0\0", "gunzip"),
        (b"\x28\xb5\x2f\xfd\0\0", "zstd"),
        (b"%PDF-1.5\n", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
    ] {
        for (file, lines) in [
            ("w.safetensors", vec!["inspect W", "verify W --scheme zeros --seed 0", "model W --rules r.toml -o o.npz"]),
            ("w.bin", vec!["model W --keep * -o o.npz", "model W -o o.npz", "verify W --scheme zeros --distribution"]),
            ("w.toml", vec!["init pissa-a:rank=1 1x2 --base W -o o.npz", "model W -o o.npz"]),
        ] {
            folder.write(file, bytes);
            for line in lines {
                let line = line.replace('W', file);
                let ended = Ended::of(&mut folder.fanin(&line));
                let message = &ended.stderr;
                assert!(ended.is_refusal() && message.contains(word) && !message.contains("TOML"), "{line}: {message}");
            }
        }
    }
    // Broken JSON is JSON, by its content or its name.
    for (file, text) in
        [("a.json", "{\"tensors\": {"), ("b.json", "[1, 2"), ("config.json", "{\"model_type\": "), ("c", "{x}")]
    {
        folder.write(file, text);
        let ended = Ended::of(&mut folder.fanin(&format!("model {file} -o o.npz")));
        assert!(
            ended.is_refusal() && ended.stderr.contains("JSON") && !ended.stderr.contains("TOML"),
            "{}",
            ended.stderr
        );
    }
}

#[test]
fn weights_with_any_file_name_are_a_template() {
    let folder = Folder::new();
    let file = folder.done("init normal weight=6x10 --seed 3 -q --format safetensors -o -");
    for name in ["pytorch_model.bin", "w.ckpt", "w.tar", "w.weights", "w.st", "w", "w.toml", "w.json"] {
        folder.write(name, &file);
        assert!(folder.done(&format!("model {name} --keep * -q --format safetensors -o -")).len() > 240, "{name}");
        folder.done(&format!("verify {name} -q"));
    }
    // A folder with a config.json: its weights are the template, and without --keep the config is meant.
    folder.shell("mkdir shards bin");
    folder.write("shards/a.safetensors", &file);
    folder.write("shards/config.json", "{\"model_type\": \"unknown\"}");
    folder.write("shards/model.safetensors.index.json", r#"{"weight_map": {"weight": "a.safetensors"}}"#);
    let kept = folder.done("model shards --keep * -q --format safetensors -o -");
    assert_eq!(held(&kept, "weight"), held(&file, "weight"));
    let ended = Ended::of(&mut folder.fanin("model shards -o o.npz"));
    assert!(ended.is_refusal() && ended.stderr.contains("unknown"), "{}", ended.stderr);
    folder.write("bin/pytorch_model.bin", folder.done("init normal weight=6x10 --seed 3 -q --format pt -o -"));
    folder.write("bin/config.json", "{}");
    assert_eq!(held(&folder.done("model bin --keep * -q --format safetensors -o -"), "weight"), held(&file, "weight"));
    // An index by its content, with a file in a folder below.
    folder.write("map", r#"{"metadata": {}, "weight_map": {"weight": "shards/a.safetensors"}}"#);
    folder.done("verify map -q");
    folder.done("model map --keep * -q -o map.npz");
}

#[test]
fn json_that_holds_no_weights_is_refused_by_its_fault() {
    let folder = Folder::new();
    for (text, why) in [
        (r#"{"model_type": "gpt2"}"#, "it holds no weights: the key `tensors` is missing"),
        (r#"{"error": "not found"}"#, "it holds no weights: the key `tensors` is missing"),
        (r#"{"model_type": "gpt2","#, "EOF while parsing"),
        (r#"{"model_type": "gpt2",}"#, "trailing comma at line 1"),
        (r#"{"tensors": {}, "x": 1}"#, "unknown field `x`"),
    ] {
        folder.write("w.json", text);
        let ended = Ended::of(&mut folder.fanin("inspect w.json"));
        assert!(ended.is_refusal() && ended.stderr.contains(why), "{text}: {}", ended.stderr);
    }
}
