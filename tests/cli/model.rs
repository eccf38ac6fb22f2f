//! `fanin model`: what a recipe describes is what is written.

use serde_json::Value;

use crate::common::{Ended, Folder};

const RECIPE: &str = r#"
seed = 3
[constants]
hidden = 8
layers = 2
inner = "4 * hidden"
std = 0.02
norm = "'ones'"
[constants.text]
width = "inner // 2"
[require]
"hidden % 4 == 0" = "hidden must be a multiple of 4"
[rules]
"*.bias" = "zeros"
"*norm.weight" = "{norm}"
"*down.weight" = "normal:std={std / sqrt(2 * layers)}"
"*" = { scheme = "normal:std={std}", layout = "torch" }
[tensors]
"wte.weight" = [10, "hidden"]
"wpe.weight" = "{inner}x{text.width}"
"head.weight" = { tied = "wte.weight" }
"own" = { shape = ["hidden"], scheme = "constant:2", dtype = "f16" }
"absent" = { shape = ["hidden"], when = "layers > 2" }
[[blocks]]
repeat = { i = "layers" }
prefix = "h.{i}."
[blocks.tensors]
"norm.weight" = ["hidden"]
"down.weight" = ["hidden", "inner"]
[[blocks.blocks]]
repeat = { p = ["q", "k"] }
when = "i == 0 or p == 'q'"
tensors = { "{p}.weight" = ["hidden", "hidden"], "{p}.bias" = ["hidden"] }
"#;

fn report(folder: &Folder, line: &str) -> Value {
    serde_json::from_slice(&folder.done(line)).unwrap()
}

fn names(report: &Value) -> Vec<&str> {
    report["tensors"].as_array().unwrap().iter().map(|tensor| tensor["name"].as_str().unwrap()).collect()
}

#[test]
fn a_family_is_distinguished_from_a_file() {
    let folder = Folder::new();
    let message = |line: &str| Ended::of(&mut folder.fanin(line)).stderr;
    let refused = message("model nosuch -o x.npz");
    assert!(refused.contains("SPEC is not a file"), "{refused}");
    assert!(refused.contains("unknown model family `nosuch`; `fanin list models` shows all"), "{refused}");
    let refused = message("model bert-base-uncased -o x.npz");
    assert!(refused.contains("unknown model family `bert-base-uncased`; did you mean `bert`?"), "{refused}");
    let tiny = "model gpt2 --set n_layer=1 --set n_embd=12 --set vocab_size=9 -o";
    let note = "config.json is not written: use `-o DIR/` to write it with the weights";
    assert!(message(&format!("{tiny} x.safetensors")).contains(note));
    assert!(!message(&format!("{tiny} x/")).contains(note));
    assert!(folder.join("x/config.json").is_file());
    for name in ["w.raw", "w.json"] {
        folder.done(&format!("init he-normal w=3x2 -q -o {name}"));
        folder.write("zero.toml", "[rules]\n\"*\" = \"zeros\"\n");
        folder.done(&format!("model {name} --rules zero.toml -q -o like-{name}.npz"));
    }
    assert!(folder.shell("$FANIN model - -o y.npz < w.json").stderr.contains("name a weights file instead"));
}

#[test]
fn tensors_have_the_order_of_the_recipe() {
    let folder = Folder::new();
    folder.write("r.toml", RECIPE);
    let report = report(&folder, "model r.toml -o out.safetensors --json");
    assert_eq!(
        names(&report),
        [
            "wte.weight",
            "wpe.weight",
            "own",
            "h.0.norm.weight",
            "h.0.down.weight",
            "h.0.q.weight",
            "h.0.q.bias",
            "h.0.k.weight",
            "h.0.k.bias",
            "h.1.norm.weight",
            "h.1.down.weight",
            "h.1.q.weight",
            "h.1.q.bias",
        ]
    );
    let tensors = &report["tensors"];
    assert_eq!(tensors[1]["shape"], serde_json::json!([32, 16]));
    assert_eq!(tensors[2]["dtype"], "f16");
    assert_eq!(tensors[3]["scheme"], "ones");
    assert_eq!(tensors[4]["std"], 0.01);
    assert_eq!(tensors[5]["layout"], "oi");
    assert_eq!(tensors[6]["scheme"], "zeros", "the first rule that matches wins");
    assert_eq!(report["seed"], 3);
    let notes = report["notes"].to_string();
    assert!(notes.contains("head.weight is tied to wte.weight and not written"), "{notes}");
}

#[test]
fn values_are_those_of_init() {
    let folder = Folder::new();
    folder.write("r.toml", RECIPE);
    folder.done("model r.toml -o model/ --format npy");
    folder.done("init normal:std=0.02 wte.weight=10x8 h.1.q.weight=8x8 --seed 3 --layout torch -o init/ --format npy");
    folder.done("init normal:std=0.01 h.0.down.weight=8x32 --seed 3 --layout torch -o init/ --format npy");
    for name in ["wte.weight", "h.1.q.weight", "h.0.down.weight"] {
        let read = |of: &str| folder.read(&format!("{of}/{name}.npy"));
        assert_eq!(read("model"), read("init"), "{name}");
    }
}

#[test]
fn constants_seed_dtype_and_layout_are_overridden() {
    let folder = Folder::new();
    folder.write("r.toml", RECIPE);
    let set = "--set hidden=4 --set layers=1 --set inner=6 --set text.width=5 --set norm=zeros";
    let report = report(&folder, &format!("model r.toml {set} --seed 9 --dtype f64 -o out.npz --json"));
    assert_eq!(names(&report).last(), Some(&"h.0.k.bias"));
    assert_eq!(report["tensors"][1]["shape"], serde_json::json!([6, 5]));
    assert_eq!(report["tensors"][0]["dtype"], "f64");
    assert_eq!(report["tensors"][2]["dtype"], "f16", "a tensor's own type stays");
    assert_eq!(report["tensors"][3]["scheme"], "zeros", "what is set is text, and no expression");
    assert_eq!(report["seed"], 9);
}

#[test]
fn json_and_standard_input_give_the_same_bytes() {
    let folder = Folder::new();
    let toml = "seed = 5\n[constants]\nn = 3\n[rules]\n\"*\" = \"normal:std={1 / n}\"\n[tensors]\nb = [\"n\"]\na = \"{n}x2\"\n\
                [[blocks]]\nrepeat = { i = 2 }\nprefix = \"{i}.\"\ntensors = { w = [2] }\n";
    let json = r#"{"seed": 5, "constants": {"n": 3}, "rules": {"*": "normal:std={1 / n}"},
        "tensors": {"b": ["n"], "a": "{n}x2"}, "blocks": [{"repeat": {"i": 2}, "prefix": "{i}.", "tensors": {"w": [2]}}]}"#;
    folder.write("r.toml", toml);
    folder.write("r.json", json);
    folder.write("bom.toml", format!("\u{feff}{toml}"));
    folder.done("model r.toml -o 1.npz");
    folder.done("model r.json -o 2.npz");
    folder.done("model bom.toml -o 3.npz");
    assert_eq!(folder.shell("$FANIN model - -o 4.npz < r.toml && $FANIN model - -o 5.npz < r.json").status, 0);
    for file in ["2.npz", "3.npz", "4.npz", "5.npz"] {
        assert!(folder.read(file) == folder.read("1.npz"), "{file}");
    }
}
