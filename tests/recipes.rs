//! Recipes: what they describe is what is written, and bad ones are refused on one line that names file, line and key.

mod common;
mod limits;

use std::path::Path;
use std::time::{Duration, Instant};

use common::{Ended, FANIN, Folder, TIME, peak_memory, skipped};
use serde_json::Value;

/// The most memory that a refusal may take.
const MOST_MEMORY: u64 = 160 << 20;
/// The longest time; much more than it takes, since tests share their machine.
const LONGEST: Duration = Duration::from_secs(10);

/// A recipe that is good up to what stands in a case.
fn with(text: &str) -> String {
    format!("[rules]\n\"*\" = \"ones\"\n[tensors]\nw = [2]\n{text}\n")
}

/// Refuses each: the name of the file, its content, further arguments, and words that the refusal must hold.
#[track_caller]
fn all_refused(cases: &[(&str, Vec<u8>, &str, &[&str])]) {
    let measured = Path::new(TIME).exists();
    if !measured {
        skipped("the memory of refusals: no GNU time");
    }
    let mut faults = Vec::new();
    for (number, (file, content, arguments, words)) in cases.iter().enumerate() {
        let (folder, scratch) = (Folder::new(), Folder::new());
        folder.write(file, content);
        let memory = scratch.join("memory");
        let mut command = folder.command(if measured { TIME } else { FANIN });
        if measured {
            command.args(["-q", "-f", "%M", "-o"]).arg(&memory).arg(FANIN);
        }
        let started = Instant::now();
        let ended = Ended::of(command.args(["model", file, "-o", "out.npz"]).args(arguments.split_whitespace()));
        let missing: Vec<_> = words.iter().filter(|word| !ended.told.contains(**word)).collect();
        if !ended.is_refusal() || !ended.stdout.is_empty() {
            faults.push(format!("{number}: status {}, {:?}", ended.status, ended.told));
        } else if !missing.is_empty() {
            faults.push(format!("{number}: no {missing:?} in {:?}", ended.told));
        } else if folder.names() != [*file] {
            faults.push(format!("{number}: it left {:?}", folder.names()));
        } else if started.elapsed() > LONGEST {
            faults.push(format!("{number}: it took {:?}", started.elapsed()));
        } else if measured && peak_memory(&memory) > MOST_MEMORY {
            faults.push(format!("{number}: it took {} bytes of memory", peak_memory(&memory)));
        }
    }
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), cases.len(), faults.join("\n"));
}

/// Refuses each text, with words that the refusal must hold.
#[track_caller]
fn all_recipes_refused(cases: Vec<(String, &[&str])>) {
    let cases: Vec<_> = cases.into_iter().map(|(text, words)| ("r.toml", text.into_bytes(), "", words)).collect();
    all_refused(&cases);
}

#[test]
fn bad_keys_and_expressions_are_refused_by_file_line_and_key() {
    let deep = format!("w = {}1{}", "[".repeat(70), "]".repeat(70));
    let cases: Vec<(String, &[&str])> = vec![
        // Text that is no recipe.
        ("w = ".into(), &["r.toml:1", "not TOML"]),
        ("[tensors]\nw = [2]\nw = [3]".into(), &["r.toml:3", "duplicate key"]),
        ("[tensors]\n[tensors]".into(), &["r.toml:2"]),
        ("[tensors\nw = [2]".into(), &["r.toml:1"]),
        (String::new(), &["r.toml", "it is empty"]),
        (deep, &["r.toml:1"]),
        ("[tensors]".into(), &["r.toml", "no tensors"]),
        ("[constants]\na = 1979-05-27".into(), &["r.toml:2", "date"]),
        ("[constants]\na = inf".into(), &["r.toml:2", "`inf`", "finite"]),
        ("[constants]\na = 99999999999999999999".into(), &["r.toml:2", "64 bits"]),
        // Keys and types.
        ("[tensor]\nw = [2]".into(), &["r.toml:1", "`tensor`", "did you mean `tensors`?"]),
        ("[family]\nmodel_type = \"gpt2\"".into(), &["r.toml:1", "`family`", "unknown key"]),
        ("tensors = 3".into(), &["r.toml:1", "`tensors`", "a table"]),
        ("rules = 3".into(), &["r.toml:1", "`rules`", "a table"]),
        ("blocks = 3".into(), &["r.toml:1", "`blocks`", "a list of tables"]),
        ("constants = 3".into(), &["r.toml:1", "`constants`", "a table"]),
        ("require = 3".into(), &["r.toml:1", "`require`", "a table"]),
        (with("x = true"), &["r.toml:5", "[tensors] `x`", "a truth value"]),
        (with("x = { shap = [2] }"), &["r.toml:5", "`shap`", "did you mean `shape`?"]),
        (with("x = {}"), &["r.toml:5", "`x`", "no `shape`"]),
        (with("x = { shape = [2], tied = \"w\" }"), &["r.toml:5", "both"]),
        (with("x = { tied = \"w\", dtype = \"f16\" }"), &["r.toml:5", "`dtype`", "tied"]),
        (with("x = { shape = [2], fan_in = 0 }"), &["r.toml:5", "`fan_in`", "from 1"]),
        (with("x = { shape = [2], dtype = \"f33\" }"), &["r.toml:5", "`dtype`", "`f33`", "f32"]),
        (with("x = { shape = [2], layout = \"tensorflow9\" }"), &["r.toml:5", "`layout`", "`tensorflow9`"]),
        (with("x = { shape = [2], scheme = \"onse\" }"), &["r.toml:5", "`onse`", "did you mean"]),
        (with("x = { shape = [2], when = 3 }"), &["r.toml:5", "`when`", "expression"]),
        (with("x = { shape = [2], when = \"1 + 1\" }"), &["r.toml:5", "`1 + 1`", "true or false"]),
        ("dtype = \"f33\"".into(), &["r.toml:1", "`dtype`", "`f33`"]),
        ("layout = \"qq\"".into(), &["r.toml:1", "`layout`", "`qq`"]),
        ("layout = 3".into(), &["r.toml:1", "`layout`", "text"]),
        ("seed = 1.5".into(), &["r.toml:1", "`seed`", "whole number"]),
        ("seed = -1".into(), &["r.toml:1", "`seed`", "whole number"]),
        ("seed = true".into(), &["r.toml:1", "`seed`"]),
        // Constants and expressions.
        ("[constants]\na = \"b\"\nb = \"a\"".into(), &["r.toml:2", "circle", "`a` -> `b` -> `a`"]),
        ("[constants]\na = \"a + 1\"".into(), &["r.toml:2", "`a` -> `a`"]),
        ("[constants]\nwidth = 2\na = \"widht * 2\"".into(), &["r.toml:3", "`a`", "`widht`", "did you mean `width`?"]),
        ("[constants]\na = \"1 / 0\"".into(), &["r.toml:2", "`a`", "`1 / 0`"]),
        ("[constants]\na = \"1 // 0\"".into(), &["r.toml:2", "`1 // 0`"]),
        ("[constants]\na = \"1 % 0\"".into(), &["r.toml:2", "`1 % 0`"]),
        ("[constants]\na = \"1e308 * 10.0\"".into(), &["r.toml:2", "`a`"]),
        ("[constants]\na = \"9223372036854775807 * 3\"".into(), &["r.toml:2", "64 bits"]),
        ("[constants]\na = \"2 ** 3\"".into(), &["r.toml:2", "`**`", "pow"]),
        ("[constants]\na = \"sqrt(-1)\"".into(), &["r.toml:2", "sqrt", "finite"]),
        ("[constants]\na = \"2 +\"".into(), &["r.toml:2", "`2 +`"]),
        ("[constants]\na = \"'x' + 1\"".into(), &["r.toml:2", "`a`"]),
        ("[constants]\na = \"'x' * 50000000\"".into(), &["r.toml:2", "`a`"]),
        ("[constants]\na = \"[0] * 50000000\"".into(), &["r.toml:2", "`a`"]),
        ("[constants]\na = \"nothing(1)\"".into(), &["r.toml:2", "`nothing`"]),
        ("[constants]\na = \"1|nothing\"".into(), &["r.toml:2", "`a`"]),
        ("[constants]\n\"a b\" = 1".into(), &["r.toml:2", "`a b`", "name"]),
        ("[constants]\nsqrt = 1".into(), &["r.toml:2", "`sqrt`", "name"]),
        (format!("[constants]\na = \"{}1\"", "1 + ".repeat(2000)), &["r.toml:2", "at most 4096"]),
        (format!("[constants]\na = \"{}1{}\"", "(".repeat(500), ")".repeat(500)), &["r.toml:2", "`a`"]),
        (with("[require]\n\"1 > 2\" = \"one is less\""), &["r.toml:6", "[require]", "one is less"]),
        (with("[require]\n\"1 >\" = \"x\""), &["r.toml:6", "[require]"]),
        (with("[require]\n\"3\" = \"x\""), &["r.toml:6", "true or false"]),
    ];
    all_recipes_refused(cases);
}

#[test]
fn bad_sizes_and_names_are_refused_by_file_line_and_key() {
    let long = "x".repeat(600);
    let cases: Vec<(String, &[&str])> = vec![
        (with("x = [-1]"), &["r.toml:5", "`-1`", "not negative"]),
        (with("x = [1.5]"), &["r.toml:5", "`1.5`", "whole"]),
        (with("x = [\"3 / 2\"]"), &["r.toml:5", "`3 / 2`", "whole"]),
        (with("x = [\"1 - 2\"]"), &["r.toml:5", "-1", "not negative"]),
        (with("x = [\"'y'\"]"), &["r.toml:5", "text `y`"]),
        (with("x = \"2y3\""), &["r.toml:5", "`2y3`", "not a shape"]),
        (with("x = [281474976710657]"), &["r.toml:5", "2^48"]),
        (with("x = [99999999999, 99999999999]"), &["r.toml:5", "2^48"]),
        (with(&format!("x = [{}]", "1,".repeat(33))), &["r.toml:5", "33 axes"]),
        (with("x = \"{w}\""), &["r.toml:5", "`w`"]),
        (with("x = \"{1\""), &["r.toml:5", "not closed"]),
        (with("x = \"1}\""), &["r.toml:5", "closes nothing"]),
        // Names.
        (with("\"a/../b\" = [2]"), &["r.toml:5", "`..`"]),
        (with("\"{1+0}\" = [2]\n1 = [2]"), &["r.toml:6", "`1`", "two tensors"]),
        (with(&format!("{long} = [2]")), &["r.toml:5", "600 bytes"]),
        (with("\"{'y' * 600}\" = [2]"), &["r.toml:5", "600 bytes"]),
        (with("\"\" = [2]"), &["r.toml:5", "empty"]),
        (with("\"a\\u001b[31m\" = [2]"), &["r.toml:5", "control"]),
        (with("x = { tied = \"y\" }"), &["r.toml:5", "no tensor `y`"]),
        (with("x = { tied = \"x\" }"), &["r.toml:5", "itself"]),
        (with("x = { tied = \"y\" }\ny = { tied = \"x\" }"), &["r.toml:5", "itself"]),
    ];
    all_recipes_refused(cases);
}

#[test]
fn bad_rules_and_blocks_are_refused_by_file_line_and_key() {
    let nested: Vec<String> = (0..9).map(|depth| format!("[[blocks{}]]", ".blocks".repeat(depth))).collect();
    let nested = nested.join("\n");
    let cases: Vec<(String, &[&str])> = vec![
        ("[tensors]\nw = [2]".into(), &["r.toml:2", "`w`", "no rule"]),
        (
            "[rules]\n\"b\" = \"zeros\"\n\"*\" = \"ones\"\n[tensors]\nw = [2]".into(),
            &["r.toml:2", "`b`", "matches no tensor"],
        ),
        ("[rules]\n\"[\" = \"zeros\"\n[tensors]\nw = [2]".into(), &["r.toml:2", "`[`", "pattern"]),
        ("[rules]\n\"*\" = 3\n[tensors]\nw = [2]".into(), &["r.toml:2", "`*`", "a number"]),
        ("[rules]\n\"*\" = { dtype = \"f16\" }\n[tensors]\nw = [2]".into(), &["r.toml:2", "`scheme`"]),
        ("[rules]\n\"*\" = { shceme = \"ones\" }\n[tensors]\nw = [2]".into(), &["r.toml:2", "did you mean `scheme`?"]),
        ("[rules]\n\"*\" = \"normal:std={sdt}\"\n[tensors]\nw = [2]".into(), &["r.toml:2", "`sdt`"]),
        ("[rules]\n\"*\" = \"he-normal\"\n[tensors]\nw = [2]".into(), &["r.toml:4", "`w`", "line 2"]),
        // Blocks.
        (with("[[blocks]]\nrepeat = { i = 1000000000 }\ntensors = { \"{i}\" = [2] }"), &["r.toml:5", "1,000,000,000"]),
        (
            with("[[blocks]]\nrepeat = { i = 2000, j = 2000 }\ntensors = { \"{i}.{j}\" = [2] }"),
            &["r.toml:5", "4,000,000", "2^20"],
        ),
        (with("[[blocks]]\nrepeat = { i = 9223372036854775807, j = 9223372036854775807 }"), &["r.toml:5", "2^20"]),
        (
            with(
                "[[blocks]]\nrepeat = { i = 2000 }\n[[blocks.blocks]]\nrepeat = { j = 2000 }\ntensors = { \"{i}.{j}\" = [2] }",
            ),
            &["r.toml:5", "4,000,000"],
        ),
        (with("[[blocks]]\nrepeat = { i = -1 }"), &["r.toml:6", "`repeat`", "not negative"]),
        (with("[[blocks]]\nrepeat = { i = \"'x'\" }"), &["`repeat`", "text `x`"]),
        (with("[[blocks]]\nrepeat = { \"i j\" = 2 }"), &["r.toml:6", "`i j`"]),
        (with("[[blocks]]\nrepeat = 3"), &["r.toml:6", "`repeat`", "a table"]),
        (with("[[blocks]]\nrepaet = { i = 2 }"), &["r.toml:6", "did you mean `repeat`?"]),
        (with("[[blocks]]\nrepeat = { i = 2 }\ntensors = { x = [2] }"), &["r.toml:7", "two tensors are named `x`"]),
        (with("[[blocks]]\nprefix = \"{i}.\"\ntensors = { x = [2] }"), &["r.toml:5", "`prefix`", "`i`"]),
        (with("[[blocks]]\nwhen = \"2\""), &["r.toml:5", "`when`", "true or false"]),
        (with(&nested), &["r.toml:13", "at most 8 blocks"]),
        (with("[[blocks]]\ntensors = 3"), &["r.toml:6", "`blocks.tensors`", "a table"]),
    ];
    all_recipes_refused(cases);
}

#[test]
fn bad_json_files_and_options_are_refused() {
    let good = || with("").into_bytes();
    let deep = format!("{{\"tensors\":{{\"w\":{}{}}}}}", "[".repeat(100_000), "]".repeat(100_000)).into_bytes();
    let mut huge = good();
    huge.resize((16 << 20) + 1, b'\n');
    let utf16: Vec<u8> = with("").encode_utf16().flat_map(u16::to_le_bytes).collect();
    all_refused(&[
        ("r.json", b"{\n\"tensors\": {\"w\": [2],\n\"w\": [2]}}".to_vec(), "", &["r.json:3", "`w`", "two entries"]),
        ("r.json", b"{\n\"tensors\": {}\n\"rules\": {}}".to_vec(), "", &["r.json:3", "not JSON"]),
        ("r.json", b"{\"tensors\": {\n\"w\":\n[2, {}]}}".to_vec(), "", &["r.json:3", "[tensors] `w`", "a table"]),
        ("r.json", b"{\"tensors\": {\"w\": null}}".to_vec(), "", &["r.json:1", "`w`", "null"]),
        ("r.json", b"{\"tensors\": {\"w\": [1e999]}}".to_vec(), "", &["r.json:1"]),
        ("r.json", b"{\"tensors\": {\"w\": [2]}} {}".to_vec(), "", &["r.json:1", "not JSON"]),
        ("r.json", deep, "", &["r.json:1"]),
        ("r.toml", huge, "", &["r.toml", "16 MiB"]),
        ("r.toml", b"[tensors]\n\"\xff\" = [2]".to_vec(), "", &["r.toml", "line 2", "UTF-8"]),
        ("r.toml", [b"\xff\xfe".to_vec(), utf16].concat(), "", &["r.toml", "UTF-8"]),
        ("r.toml", good(), "--set hidden=3", &["r.toml", "`hidden`", "no such constant"]),
        ("r.toml", good(), "--set hidden", &["--set", "NAME=VALUE"]),
        ("r.toml", with("[constants]\nhidden = 3").into_bytes(), "--set hiden=3", &["did you mean `hidden`?"]),
        ("r.toml", with("[constants]\nhidden = 3").into_bytes(), "--set hidden=x", &["`hidden`", "a number", "text"]),
        ("r.toml", with("[constants.a]\nb = 3").into_bytes(), "--set a=3", &["`a`", "a table"]),
        ("r.toml", with("[constants.a]\nb = 3").into_bytes(), "--set a.c=3", &["`a.c`", "did you mean `a.b`?"]),
        ("r.toml", with("[constants]\nhidden = 3").into_bytes(), "--set hidden=3 --set hidden=4", &["given twice"]),
        (
            "r.toml",
            with("[constants]\nx = '([1] * 100000000)|last'").into_bytes(),
            "",
            &["r.toml:", "a list is not repeated"],
        ),
        ("r.toml", good(), "--dtype f33", &["f33"]),
        ("r.toml", good(), "--seed x", &["seed"]),
    ]);
}

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
fn a_family_is_told_from_a_file_and_its_config_from_none() {
    let folder = Folder::new();
    let told = |line: &str| Ended::of(&mut folder.fanin(line)).told;
    let refused = told("model nosuch -o x.npz");
    assert!(refused.contains("there is no file `nosuch`"), "{refused}");
    assert!(refused.contains("no family"), "{refused}");
    let tiny = "model gpt2 --set n_layer=1 --set n_embd=12 --set vocab_size=9 -o";
    let note = "config.json is not written: `-o DIR/` puts it beside the weights";
    assert!(told(&format!("{tiny} x.safetensors")).contains(note));
    assert!(!told(&format!("{tiny} x/")).contains(note));
    assert!(folder.join("x/config.json").is_file());
    for name in ["w.raw", "w.json"] {
        folder.done(&format!("init he-normal w=3x2 -q -o {name}"));
        folder.write("zero.toml", "[rules]\n\"*\" = \"zeros\"\n");
        folder.done(&format!("model {name} --rules zero.toml -q -o like-{name}.npz"));
    }
    assert!(folder.shell("$FANIN model - -o y.npz < w.json").told.contains("weights are read from a file"));
}

#[test]
fn tensors_come_in_the_order_of_the_recipe() {
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

/// The blocks of a page: the language of each, and its content.
fn fenced(page: &str) -> Vec<(String, String)> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let content: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push((language.into(), content.join("\n") + "\n"));
        }
    }
    blocks
}

#[test]
fn the_examples_of_the_page_do_what_it_says() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/recipes.md")).unwrap();
    let folder = Folder::new();
    let (mut recipes, mut runs) = (0, 0);
    for (language, content) in fenced(&page) {
        match language.split_once(' ') {
            Some((_, file)) => {
                folder.write(file, &content);
                recipes += 1;
            }
            None if language == "console" => {
                // Commands after `$`, each followed by what it prints.
                for run in content.split("$ ").filter(|run| !run.is_empty()) {
                    let (line, printed) = run.split_once('\n').unwrap();
                    let ended = folder.shell(&format!("{} 2>&1", line.replacen("fanin", "$FANIN", 1)));
                    assert_eq!(String::from_utf8_lossy(&ended.stdout), printed, "{line}");
                    runs += 1;
                }
            }
            None => {}
        }
    }
    assert!(recipes >= 5 && runs >= 5, "{recipes} recipes, {runs} runs");
}
