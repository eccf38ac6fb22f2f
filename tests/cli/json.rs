//! `--json`: the page of its keys lists all that are printed, and no other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::common::safetensors::safetensors;
use crate::common::{Ended, Folder};

/// The keys in the tables of the page, for each heading.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json.md")).unwrap();
    let mut sections: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut section = String::new();
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            section = heading.replace('`', "");
        } else if let Some(cell) = line.strip_prefix("| `").and_then(|row| row.split(" | ").next()) {
            let keys = cell.split(", ").map(|key| key.trim_matches('`').to_string());
            sections.entry(section.clone()).or_default().extend(keys);
        }
    }
    sections
}

/// Adds the path of each value that is not an object, nor a list of objects, nor null.
fn add_keys(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let key = match path {
                    "sha256" => "FILE",
                    "tied" => "NAME",
                    _ => key,
                };
                let dot = if path.is_empty() { "" } else { "." };
                add_keys(value, &format!("{path}{dot}{key}"), found);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for item in items {
                add_keys(item, &format!("{path}[]"), found);
            }
        }
        Value::Null => {}
        _ => {
            found.insert(path.into());
        }
    }
}

/// The keys that the commands print in a folder. A command may find a difference.
fn printed(folder: &Folder, lines: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in lines {
        let ended = Ended::of(&mut folder.fanin(&format!("{line} --json")));
        assert!(ended.status < 2, "{line}: {ended:?}");
        let report: Value = serde_json::from_slice(&ended.stdout).unwrap_or_else(|error| panic!("{line}: {error}"));
        match report.get("files").and_then(Value::as_array) {
            Some(files) if files.iter().any(Value::is_object) => {
                for file in files {
                    add_keys(file, "", &mut found);
                }
            }
            _ => add_keys(&report, "", &mut found),
        }
    }
    found
}

#[track_caller]
fn check(section: &str, folder: &Folder, lines: &[&str]) {
    let (documented, mut printed) = (documented().remove(section).unwrap_or_default(), printed(folder, lines));
    // A list of objects may be empty.
    let is_list = |key: &str| documented.iter().any(|other| other.starts_with(&format!("{key}[]")));
    printed.retain(|key| documented.contains(key) || !is_list(key));
    let missing: Vec<_> = printed.difference(&documented).collect();
    let stale: Vec<_> = documented.difference(&printed).collect();
    assert!(missing.is_empty() && stale.is_empty(), "{section}: docs/json.md lacks {missing:?}, and has {stale:?}");
}

/// A folder with weights and data.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.done("init normal:std=1 8x6 -q -o x.npy");
    folder.done("init he-normal w=6x4 b=6x4 -q -o w.npz");
    folder.done("init normal a=200x200 b=200x200 -q --max-shard-size 170KB -o d/");
    folder
}

#[test]
fn the_keys_of_drawn_tensors_are_documented() {
    let folder = folder();
    folder.done("init normal 40x40 -q -o h.safetensors");
    folder.write("h.safetensors", &folder.read("h.safetensors")[..1000]);
    folder.write("tied.toml", "[tensors]\na = { shape = [4], scheme = \"zeros\" }\nb = { tied = \"a\" }");
    let lines = [
        "init glorot-uniform w=16x8 --slice w=0:4 --layout torch --sha256 -o s.npz",
        "init pissa-a:rank=2 8x2 --base x.npy -o p.npz",
        "init orthogonal 4x4 4x4 --like jax -o j.npz",
        "init nn.Transformer:nhead=2 12x4 --like torch -o m.npz",
        "init constant:1 3 -o c.npy",
        "model w.npz --keep * -o k.npz",
        "model tied.toml -o tied.npz",
        "pretrain pca 6-2 --data x.npy -o t.npz",
        "init normal a=200x200 b=200x200 --max-shard-size 170KB --resume -o d/",
        "init normal 40x40 --resume -o h.safetensors",
        "init normal a=200x200 b=200x200 --max-shard-size 170KB --rank 0 --world-size 2 -o r/",
    ];
    check("Drawn tensors", &folder, &lines);
}

#[test]
fn the_keys_of_dry_runs_are_documented() {
    let folder = folder();
    let mut printed = printed(&folder, &["init normal a=200x200 --dry-run --rank 0 --world-size 2 -o r/"]);
    let mut documented = documented();
    let drawn = documented.remove("Drawn tensors").unwrap();
    printed.retain(|key| !drawn.contains(key));
    assert_eq!(Some(printed), documented.remove("Dry runs"));
}

#[test]
fn the_keys_of_inspect_are_documented() {
    let folder = folder();
    folder.done("init glorot-uniform 9x4 -q -o u.npz");
    folder.done("init sparse:nonzeros=2 20x10 -q -o z.npz");
    let lines = [
        "inspect u.npz --spectrum --plot",
        "inspect z.npz --plot",
        "inspect d",
        "inspect w.npz u.npz --tree",
        "inspect w.npz u.npz",
    ];
    check("inspect", &folder, &lines);
}

#[test]
fn the_keys_of_verify_are_documented() {
    let folder = folder();
    folder.write(
        "count.safetensors",
        safetensors(&[("n", "I64", vec![1], vec![0; 8]), ("w", "F32", vec![1], vec![0; 4])]),
    );
    folder.done("model w.npz --keep * -q -o k.npz");
    folder.write("tied.toml", "[tensors]\na = { shape = [2], scheme = \"zeros\" }\nb = { tied = \"a\" }\n");
    folder.done("init zeros a=2 b=2 -q -o tied.npz");
    let lines = [
        "verify w.npz",
        "verify k.npz",
        "verify x.npy --scheme zeros --seed 0",
        "verify x.npy --scheme normal:std=1 --seed 0 --name other",
        "verify count.safetensors --scheme zeros --seed 0",
        "verify tied.npz --recipe tied.toml",
        "verify w.npz --recipe tied.toml",
        "verify tied.npz --scheme zeros --seed 0 --tensor a",
    ];
    check("verify", &folder, &lines);
    folder.done("init permutation 6x6 -q -o p.npz");
    check("verify --distribution", &folder, &["verify w.npz --distribution", "verify p.npz --distribution"]);
}

#[test]
fn seeds_that_javascript_would_round_are_strings() {
    let folder = Folder::new();
    for (seed, expected) in [
        ("9007199254740992", Value::from(1u64 << 53)),
        ("9007199254740993", Value::from("9007199254740993")),
        ("0xffffffffffffffff", Value::from("18446744073709551615")),
    ] {
        let line = format!("init normal 2 --seed {seed} --force -o w.npz");
        for line in [
            &format!("{line} --dry-run --json"),
            &format!("{line} --json"),
            "inspect w.npz --json",
            "verify w.npz --json",
        ] {
            let report: Value = serde_json::from_slice(&folder.done(line)).unwrap();
            assert_eq!(report["seed"], expected, "{line}");
        }
    }
}

#[test]
fn inspect_prints_the_numbers_of_its_pictures() {
    let folder = folder();
    let report: Value = serde_json::from_slice(&folder.done("inspect x.npy --plot --spectrum --json")).unwrap();
    let tensor = &report["tensors"][0];
    let counts: Vec<u64> = serde_json::from_value(tensor["histogram"]["counts"].clone()).unwrap();
    assert_eq!(
        (counts.iter().sum::<u64>(), counts.len() + 1),
        (48, tensor["histogram"]["edges"].as_array().unwrap().len())
    );
    assert_eq!((&tensor["spectrum"]["rows"], &tensor["spectrum"]["columns"]), (&Value::from(8), &Value::from(6)));
    let tree: Value = serde_json::from_slice(&folder.done("inspect x.npy --tree --json")).unwrap();
    assert_eq!((&tree["tensors"][0]["bytes"], &tree["tensors"][0]["mean"]), (&Value::from(192), &Value::Null));
}

#[test]
fn the_keys_of_list_and_explain_are_documented() {
    let folder = Folder::new();
    let lists = ["schemes", "schemes --framework torch", "frameworks", "formats", "generators", "layouts", "gains"];
    let lists = [&lists[..], &["models", "modules", "pretrain-methods"]].concat();
    let lines: Vec<String> = lists.iter().map(|what| format!("list {what}")).collect();
    check("list", &folder, &lines.iter().map(String::as_str).collect::<Vec<_>>());
    let names = ["he-normal", "keras.HeNormal", "normal", "constant", "orthogonal", "torch.Conv1d", "packing", "hippo"];
    let others =
        ["gelu", "safetensors", "torch", "flax", "gpt2", "qwen3", "rbm", "torch.nn.LSTM", "layout io", "numpy-2.4"];
    let names = [&names[..], &others, &["glorot 2010", "--seed", "moments"]].concat();
    let lines: Vec<String> = names.iter().map(|name| format!("explain {name}")).collect();
    check("explain", &folder, &lines.iter().map(String::as_str).collect::<Vec<_>>());
}
