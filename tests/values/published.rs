//! Published models: names and shapes of their tensors by their configurations, against the library's. `scripts/families published` writes
//! the table.

use std::fmt::Write;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::common::{Ended, Folder};
use crate::families::{folder, read_json, text};

#[test]
fn published_models_have_the_tensors_of_the_library() {
    let table = read_json(&folder().join("published.json"));
    let models = table.as_array().unwrap();
    assert!(models.len() >= 60, "{} models", models.len());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let shares = (0..threads).map(|share| {
            let own = models.iter().skip(share).step_by(threads);
            scope.spawn(move || own.filter_map(fault).collect::<Vec<_>>())
        });
        let shares: Vec<_> = shares.collect();
        shares.into_iter().flat_map(|share| share.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

/// The difference between a model and the library's.
fn fault(model: &Value) -> Option<String> {
    let folder = Folder::new();
    let mut config = model["config"].clone();
    config["model_type"] = model["type"].clone();
    config["architectures"] = json!([model["class"]]);
    folder.write("config.json", config.to_string());
    let ended = Ended::of(&mut folder.fanin("model config.json -o out/ --dry-run --json"));
    let name = text(&model["name"]);
    if ended.status != 0 {
        return Some(format!("{name}: {}", ended.stderr.trim_end()));
    }
    let report: Value = serde_json::from_slice(&ended.stdout).unwrap();
    let (tensors, hash) = names_and_shapes(&report);
    let found = json!([tensors, report["parameters"], hash]);
    let expected = json!([model["tensors"], model["parameters"], model["sha256"]]);
    (found != expected).then(|| format!("{name}: {found}, not {expected}"))
}

/// The number of tensors, and the hash of the sorted lines `NAME SHAPE`.
fn names_and_shapes(report: &Value) -> (usize, String) {
    let line = |tensor: &Value| {
        let axes = tensor["shape"].as_array().unwrap().iter().map(ToString::to_string);
        format!("{} {}\n", text(&tensor["name"]), axes.collect::<Vec<_>>().join("x"))
    };
    let mut lines: Vec<String> = report["tensors"].as_array().unwrap().iter().map(line).collect();
    lines.sort();
    let digest = Sha256::digest(lines.concat());
    let hash = digest.iter().fold(String::new(), |mut hash, byte| {
        write!(hash, "{byte:02x}").unwrap();
        hash
    });
    (lines.len(), hash)
}
