//! Templates: the names, shapes and types of existing files, with some tensors copied and the others drawn.

use serde_json::{Value, json};

use crate::common::safetensors::{held, safetensors};
use crate::common::{Ended, Folder, hostile};

fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|n| u8::try_from(n * 37 % 251).unwrap()).collect()
}

/// A body and a head, and tensors of types that nobody draws.
pub(crate) fn like(folder: &Folder) {
    let tensors = [
        ("body.mask", "BOOL", vec![4], vec![1, 0, 1, 1]),
        ("body.ids", "I64", vec![3, 2], bytes(48)),
        ("body.f8", "F8_E4M3", vec![2, 5], bytes(10)),
        ("body.f4", "F4", vec![4], bytes(2)),
        ("body.weight", "BF16", vec![6, 4], bytes(48)),
        ("head.weight", "F32", vec![4, 3], bytes(48)),
        ("head.bias", "F16", vec![3], bytes(6)),
    ];
    folder.write("like.safetensors", safetensors(&tensors));
    folder.write("head.toml", "[rules]\n\"*.bias\" = \"zeros\"\n\"head.*\" = \"he-normal\"\n");
}

const KINDS: [&str; 5] = ["body.mask", "body.ids", "body.f8", "body.f4", "body.weight"];

#[test]
fn a_head_is_redrawn_and_the_body_is_copied_byte_for_byte() {
    let folder = Folder::new();
    like(&folder);
    folder.done("model like.safetensors --rules head.toml --keep body.* --seed 3 -q -o new.safetensors");
    let (old, new) = (folder.read("like.safetensors"), folder.read("new.safetensors"));
    for name in KINDS {
        assert_eq!(held(&old, name), held(&new, name), "{name}");
    }
    let drawn = folder.done("init he-normal head.weight=4x3 --seed 3 -q --format safetensors -o -");
    assert_eq!(held(&new, "head.weight"), held(&drawn, "head.weight"));
    assert_ne!(held(&new, "head.weight"), held(&old, "head.weight"));
    assert_eq!(held(&new, "head.bias"), ("F16".into(), json!([3]), vec![0; 6]), "the type is the template's");
    folder.done("model like.safetensors --rules head.toml --keep body.* --dtype f64 -q -o wide.safetensors");
    assert_eq!(held(&folder.read("wide.safetensors"), "head.bias").0, "F64");
    assert_eq!(held(&folder.read("wide.safetensors"), "body.weight").0, "BF16", "what is kept is not rounded");
}

#[test]
fn keeping_everything_is_a_copy_for_any_threads_and_output() {
    let folder = Folder::new();
    folder.write(
        "like.safetensors",
        safetensors(&[("a", "I32", vec![300, 1100], bytes(1_320_000)), ("b", "U8", vec![700_001], bytes(700_001))]),
    );
    folder.done("model like.safetensors --keep * -q -o one.safetensors --threads 1");
    let one = folder.read("one.safetensors");
    for name in ["a", "b"] {
        assert_eq!(held(&one, name), held(&folder.read("like.safetensors"), name));
    }
    assert!(folder.done("model like.safetensors --keep * -q --format safetensors -o - --threads 3") == one);
    folder.done("model one.safetensors --keep * -q --format npz -o two.npz --threads 3");
    folder.done("model two.npz --keep * -q -o again.safetensors");
    assert!(folder.read("again.safetensors") == one, "through .npz and back");
}

#[test]
fn a_file_is_not_replaced_by_what_is_made_of_it_not_even_through_a_link() {
    let folder = Folder::new();
    like(&folder);
    let before = folder.read("like.safetensors");
    folder.shell("ln -s like.safetensors link.safetensors; ln like.safetensors hard.safetensors");
    for (source, target) in [("like", "like"), ("like", "link"), ("link", "like"), ("like", "hard")] {
        let line = format!("model {source}.safetensors --keep * -o {target}.safetensors --force");
        let ended = Ended::of(&mut folder.fanin(&line));
        assert!(ended.is_refusal() && ended.stderr.contains("name another file"), "{line}: {}", ended.stderr);
        assert!(folder.read("like.safetensors") == before, "{line}");
    }
}

#[test]
fn slices_of_copied_tensors_have_the_tensors_values() {
    let folder = Folder::new();
    like(&folder);
    let line = "model like.safetensors --rules head.toml --keep body.* -q -o s.safetensors";
    folder.done(&format!("{line} --slice body.ids=1:3,1: --slice body.f8=:,2:4 --slice head.weight=2:"));
    let (old, new) = (folder.read("like.safetensors"), folder.read("s.safetensors"));
    let (ids, f8) = (held(&old, "body.ids").2, held(&old, "body.f8").2);
    assert_eq!(held(&new, "body.ids"), ("I64".into(), json!([2, 1]), [&ids[24..32], &ids[40..48]].concat()));
    assert_eq!(held(&new, "body.f8"), ("F8_E4M3".into(), json!([2, 2]), [&f8[2..4], &f8[7..9]].concat()));
    let message = String::from_utf8(folder.done("inspect s.safetensors")).unwrap();
    assert!(
        message.matches("note:").count() == 1 && message.contains("note: `body.f4` has no statistics"),
        "{message}"
    );
    let ended = Ended::of(&mut folder.fanin(&format!("{line} --force --slice body.f4=0:2")));
    assert!(ended.is_refusal() && ended.stderr.contains("4 bits"), "{}", ended.stderr);
}

#[test]
fn a_source_that_changes_while_it_is_copied_is_an_error() {
    let folder = Folder::new();
    let length = 64 << 20;
    let header = json!({"w": {"dtype": "U8", "shape": [length], "data_offsets": [0, length]}}).to_string();
    // The pipe holds the copy up until the file has changed.
    for change in ["truncate -s 1000", "touch"] {
        folder.write("like.safetensors", hostile::safetensors(&header, &[]));
        let whole = 8 + header.len() as u64 + length;
        let file = std::fs::OpenOptions::new().write(true).open(folder.join("like.safetensors")).unwrap();
        file.set_len(whole).unwrap();
        let copy = "$FANIN model like.safetensors --keep '*' -q --format safetensors -o -; echo $? >status";
        let ended = folder
            .shell(&format!("( {copy} ) | ( head -c 1000 >/dev/null; {change} like.safetensors; cat >/dev/null )"));
        assert_eq!(folder.read("status"), b"2\n", "{change}: {}", ended.stderr);
        assert!(ended.stderr.contains("`like.safetensors`"), "{change}: {}", ended.stderr);
    }
}

#[test]
fn shards_are_taken_by_their_index() {
    let folder = Folder::new();
    folder.write("a-1.safetensors", safetensors(&[("x", "I64", vec![2], bytes(16))]));
    folder.write("a-2.safetensors", safetensors(&[("y", "F32", vec![2, 3], bytes(24))]));
    folder.write("r.toml", "[rules]\ny = \"ones\"\n");
    let index = |map: Value| json!({"metadata": {"total_size": 40}, "weight_map": map}).to_string();
    folder.write("a.safetensors.index.json", index(json!({"x": "a-1.safetensors", "y": "a-2.safetensors"})));
    folder.done("model a.safetensors.index.json --rules r.toml --keep x -q -o one.safetensors");
    let one = folder.read("one.safetensors");
    assert_eq!(held(&one, "x").2, bytes(16));
    assert_eq!(held(&one, "y").2, 1f32.to_le_bytes().repeat(6));
    for (map, why) in [
        (json!({"x": "../a-1.safetensors"}), "outside the folder"),
        (json!({"x": "/etc/passwd"}), "outside the folder"),
        (json!({"x": ""}), "`` is not a file name"),
        (json!({"x": "."}), "`.` is not a file name"),
        (json!({"x": "missing.safetensors"}), "missing.safetensors"),
        (
            json!({"x": "a-1.safetensors", "z": "a-1.safetensors"}),
            "assigns `z` to `a-1.safetensors`, which does not hold it",
        ),
        (json!({"x": "a-2.safetensors"}), "assigns `x` to `a-2.safetensors`, which does not hold it"),
        (json!({}), "its weight_map is empty"),
        (json!({"x": 1}), "invalid index"),
        (json!([]), "invalid index"),
    ] {
        folder.write("a.safetensors.index.json", index(map.clone()));
        let ended = Ended::of(&mut folder.fanin("model a.safetensors.index.json --keep * -o two.safetensors"));
        assert!(ended.is_refusal() && ended.stderr.contains(why), "{map}: {}", ended.stderr);
    }
}

#[test]
fn what_cannot_be_filled_is_refused_in_one_line() {
    let folder = Folder::new();
    like(&folder);
    folder.shell("mkdir empty");
    folder.write("all.toml", "[rules]\n\"*\" = \"zeros\"\n");
    folder.write("tensors.toml", "[tensors]\nw = [1]\n");
    folder.write("recipe.toml", "[rules]\n\"*\" = \"zeros\"\n[tensors]\nw = [1]\n");
    for (line, why) in [
        ("like.safetensors", "--rules FILE"),
        ("empty/", "`empty/`: it holds no weights"),
        ("like.safetensors --keep x*", "--keep `x*`: the pattern matches no tensor"),
        ("like.safetensors --keep [", "--keep `[`"),
        ("like.safetensors --keep body.*", "no rule matches `head."),
        ("like.safetensors --rules head.toml", "no rule matches `body."),
        ("like.safetensors --rules all.toml", "add a dtype to its rule, or pass --keep"),
        ("like.safetensors --rules tensors.toml", "tensors.toml:1"),
        ("like.safetensors --rules missing.toml", "missing.toml"),
        ("recipe.toml --keep *", "--keep"),
        ("recipe.toml --rules all.toml", "--rules"),
        ("like.safetensors --keep * --format npz", "which npz cannot store: use --format"),
        ("like.safetensors --keep * --format json", "which json cannot store: use --format"),
    ] {
        let ended = Ended::of(&mut folder.fanin(&format!("model {line} -o out.safetensors")));
        assert!(ended.is_refusal() && ended.stderr.contains(why), "{line}: {}", ended.stderr);
        assert!(!folder.names().contains(&"out.safetensors".into()), "{line}");
    }
}

#[test]
fn values_of_any_order_and_byte_order_are_copied() {
    let folder = Folder::new();
    let npy = |descr: &str, order: &str, size: usize| {
        hostile::npy(
            &format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': (2, 3), }}\n"),
            &bytes(6 * size),
        )
    };
    folder.write("w.npy", npy("<U1", "False", 4));
    let ended = Ended::of(&mut folder.fanin("model w.npy --keep * -o out.safetensors"));
    assert!(ended.is_refusal() && ended.stderr.contains("it holds text"), "{}", ended.stderr);
    // The elements in the order of the file, and if their bytes are reversed.
    let (rows, columns) = ([0, 1, 2, 3, 4, 5], [0, 2, 4, 1, 3, 5]);
    for (descr, order, size, word, places, turned) in [
        ("<i8", "False", 8, "I64", rows, 1),
        ("|b1", "False", 1, "BOOL", rows, 1),
        ("<f2", "False", 2, "F16", rows, 1),
        ("|V2", "False", 2, "BF16", rows, 1),
        (">f4", "False", 4, "F32", rows, 4),
        ("<f4", "True", 4, "F32", columns, 1),
        (">f8", "True", 8, "F64", columns, 8),
        (">c8", "True", 8, "C64", columns, 4),
    ] {
        folder.write("w.npy", npy(descr, order, size));
        folder.done("model w.npy --keep * --force -q -o out.safetensors");
        let kept = held(&folder.read("out.safetensors"), "weight");
        let stored = bytes(6 * size);
        let mut values: Vec<u8> = places.iter().flat_map(|&at| stored[at * size..][..size].to_vec()).collect();
        values.chunks_exact_mut(turned).for_each(<[u8]>::reverse);
        assert_eq!(kept, (word.into(), json!([2, 3]), values), "{descr} {order}");
    }
}

#[test]
fn hostile_templates_are_refused_and_nothing_is_written() {
    let folder = Folder::new();
    folder.write("r.toml", "[rules]\n\"*\" = { scheme = \"zeros\", dtype = \"f32\" }\n");
    let mut cases = 0;
    for (format, files) in hostile::all() {
        if !matches!(format, "safetensors" | "npz" | "npy") {
            continue;
        }
        for (what, bytes) in files {
            let name = format!("like.{format}");
            folder.write(&name, bytes);
            for how in ["--rules r.toml", "--keep *"] {
                let ended = Ended::of(&mut folder.fanin(&format!("model {name} {how} -o out.safetensors")));
                // A header alone does not show damaged values.
                let only_values = format == "npz" && ended.status == 0;
                assert!(only_values || ended.is_refusal(), "{what} {how}: {ended:?}");
                assert!(only_values || !folder.names().contains(&"out.safetensors".into()), "{what} {how}");
                let _ = std::fs::remove_file(folder.join("out.safetensors"));
            }
            cases += 1;
        }
    }
    assert!(cases > 60, "{cases} cases");
}

#[test]
fn provenance_that_calls_other_values_copied_is_ignored() {
    let folder = Folder::new();
    like(&folder);
    folder.done("model like.safetensors --keep * -q -o new.safetensors");
    let new = folder.read("new.safetensors");
    for (from, to) in [(r#"\"dtype\":\"i64\""#, r#"\"dtype\":\"u64\""#), (r#"\"shape\":[3,2]"#, r#"\"shape\":[2,3]"#)] {
        let at = new.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        let mut other = new.clone();
        other[at..at + to.len()].copy_from_slice(to.as_bytes());
        folder.write("other.safetensors", other);
        let message = String::from_utf8(folder.done("inspect other.safetensors")).unwrap();
        assert!(message.contains("the provenance of `body.ids` is ignored"), "{message}");
    }
}

/// The file that an index names is there, so that nothing but the rule about names can refuse it.
#[test]
fn an_index_leads_no_verb_out_of_its_folder() {
    let folder = Folder::new();
    folder.shell("mkdir -p in/below evil && ln -s ../evil in/link");
    for place in ["evil", "in", "in/below"] {
        folder.done(&format!("init normal w=4x4 -q -o {place}/x.safetensors"));
    }
    folder.write("r.toml", "[tensors]\nw = { shape = [4, 4], scheme = \"normal\" }\n");
    folder.write("rules.toml", "[rules]\n\"*\" = \"zeros\"\n");
    let lines = [
        "inspect INDEX",
        "inspect INDEX --tree",
        "inspect INDEX --spectrum --json",
        "verify INDEX",
        "verify INDEX --distribution",
        "verify INDEX --recipe r.toml",
        "verify INDEX --scheme normal --seed 0",
        "verify in/x.safetensors --scheme pissa-a --seed 0 --base INDEX",
        "model INDEX --rules rules.toml -o out.npz",
        "model INDEX --keep * -o out.npz",
        "init pissa-a 4x4 --base INDEX -o out.npz",
        "pretrain pca 4-2 --data INDEX -o out.npz",
    ];
    let index = |folder: &Folder, file: &str| {
        folder.write("in/model.safetensors.index.json", json!({"weight_map": {"w": file}}).to_string());
    };
    for inside in ["x.safetensors", "below/x.safetensors"] {
        index(&folder, inside);
        folder.done("inspect in");
    }
    let absolute = folder.join("evil/x.safetensors");
    for file in [
        "../evil/x.safetensors",
        "below/../../evil/x.safetensors",
        "./../evil/x.safetensors",
        "../in/x.safetensors",
        "..",
        absolute.to_str().unwrap(),
    ] {
        index(&folder, file);
        let before = folder.contents();
        for line in lines {
            for index in ["in/model.safetensors.index.json", "in"] {
                let line = line.replace("INDEX", index);
                let ended = Ended::of(&mut folder.fanin(&line));
                let is_told = ended.stderr.contains("outside the folder");
                assert!(ended.is_refusal() && ended.stdout.is_empty() && is_told, "{line}, {file}: {ended:?}");
            }
        }
        assert!(folder.contents() == before, "{file}");
    }
}
