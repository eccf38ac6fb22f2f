//! `--provenance`: an in-toto statement about the files.

use std::fmt::Write as _;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::common::{Ended, FANIN, Folder};

const RECIPE: &str = "seed = 7\n[rules]\n\"*\" = \"he-normal\"\n[tensors]\na = [4, 3]\nb = [3, 5]\n";

fn statement(folder: &Folder, name: &str) -> Value {
    serde_json::from_slice(&folder.read(name)).unwrap()
}

fn resource(name: &str, content: &[u8]) -> Value {
    let hash = Sha256::digest(content).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    json!({ "name": name, "digest": { "sha256": hash } })
}

#[test]
fn a_statement_has_the_file_the_inputs_the_program_and_the_origin_of_the_values() {
    let folder = Folder::new();
    folder.write("r.toml", RECIPE);
    folder.done("model r.toml -q -o w.safetensors --provenance w.json");
    let statement = statement(&folder, "w.json");
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(statement["predicateType"], "pkg:cargo/fanin#provenance/v1");
    assert_eq!(statement["subject"], json!([resource("w.safetensors", &folder.read("w.safetensors"))]));
    let predicate = &statement["predicate"];
    assert_eq!(predicate["inputs"], json!([resource("r.toml", RECIPE.as_bytes())]));
    let program = resource("fanin", &std::fs::read(FANIN).unwrap());
    assert_eq!(predicate["program"]["digest"], program["digest"]);
    assert_eq!(predicate["program"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&predicate["values"]["seed"], &predicate["values"]["generator"]), (&json!("7"), &json!("native-1")));
    assert_eq!(predicate["values"]["tensors"]["b"]["shape"], json!([3, 5]));
}

#[test]
fn every_rank_and_number_of_threads_makes_the_same_statement_about_all_files() {
    let folder = Folder::new();
    folder.write("r.toml", RECIPE);
    let line = "model r.toml -q --max-shard-size 50";
    folder.done(&format!("{line} --threads 3 -o one/ --provenance one.json"));
    folder.done(&format!("{line} -o many/ --provenance many.json --rank 0 --world-size 2"));
    assert!(!folder.join("many.json").exists(), "a file is missing");
    folder.done(&format!("{line} --threads 1 -o many/ --provenance many.json --rank 1 --world-size 2"));
    assert_eq!(folder.read("one.json"), folder.read("many.json"));
    folder.done(&format!("{line} -o many/ --provenance many.json --rank 0 --world-size 2 --resume"));
    let names =
        ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"];
    let wanted: Vec<Value> = names.iter().map(|name| resource(name, &folder.read(&format!("one/{name}")))).collect();
    assert_eq!(statement(&folder, "one.json")["subject"], json!(wanted));
    // The statement may lie beside the files, with their sums.
    folder.done(&format!("{line} -o new/ --provenance new/provenance.json --sha256"));
    assert_eq!(statement(&folder, "new/provenance.json")["subject"], json!(wanted));
}

#[test]
fn a_statement_is_replaced_with_its_files() {
    let folder = Folder::new();
    let line = "init normal 5 -q -o w.npy --provenance w.json";
    folder.done(line);
    let before = folder.contents();
    let ended = Ended::of(&mut folder.fanin(&format!("{line} --seed 1")));
    assert!(ended.is_refusal() && folder.contents() == before, "{}", ended.stderr);
    folder.done(&format!("{line} --seed 1 --force"));
    assert_eq!(statement(&folder, "w.json")["subject"], json!([resource("w.npy", &folder.read("w.npy"))]));
}

#[test]
fn a_statement_without_files_is_refused() {
    let folder = Folder::new();
    folder.write("other.json", "other");
    let before = folder.contents();
    for (line, word) in [
        ("--provenance p.json -o -", "-o FILE"),
        ("--provenance p.json", "-o FILE"),
        ("--provenance - -o w.npy", "a regular file"),
        ("--provenance /dev/null -o w.npy", "a regular file"),
        ("--provenance p.json --format npy -o /dev/null", "--provenance needs a regular file"),
        ("--provenance p.json -o w.npy --dry-run", "--dry-run"),
        ("--provenance w.npy -o w.npy", "also written as --output"),
        ("--provenance no/p.json -o w.npy", "no such folder"),
        ("--provenance other.json -o w.npy", "--force"),
    ] {
        let ended = Ended::of(&mut folder.fanin(&format!("init zeros 3 {line}")));
        assert!(ended.is_refusal() && ended.stderr.contains(word), "{line}: {}", ended.stderr);
        assert_eq!(folder.contents(), before, "{line}");
    }
}
