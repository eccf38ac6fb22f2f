//! `fanin verify`: values derived again and compared, or tested against their distribution.

mod planted;
mod tied;

use std::fs;

use fanin::scheme;
use serde_json::Value;

use crate::common::{Ended, Folder};

#[track_caller]
fn verify(folder: &Folder, line: &str, status: i32) -> String {
    let ended = Ended::of(&mut folder.fanin(&format!("verify {line}")));
    let said = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert_eq!(ended.status, status, "fanin verify {line}: {said}{}", ended.stderr);
    assert!(status != 2 || ended.is_refusal(), "fanin verify {line}: {ended:?}");
    if status == 2 { ended.stderr } else { said }
}

/// Changes a bit of a file, its place counted from the end.
fn flip(folder: &Folder, name: &str, from_end: usize, bit: u8) {
    let mut bytes = folder.read(name);
    let place = bytes.len() - from_end;
    bytes[place] ^= bit;
    folder.write(name, bytes);
}

#[test]
fn every_scheme_verifies_in_two_dtypes() {
    let folder = Folder::new();
    folder.done("init normal:std=1 8x8 -q -o base.npy");
    let mut verified = 0;
    for scheme in scheme::all() {
        let (expression, shape, layout) = scheme.example.on("40x30");
        let explained = String::from_utf8(folder.done(&format!("explain {}", scheme.name))).unwrap();
        let base = if explained.contains("--base") { "--base base.npy" } else { "" };
        for dtype in ["f32", "bf16"] {
            let common = format!("{expression} {shape} --layout {layout} --dtype {dtype} {base} --seed 5");
            folder.done(&format!("init {common} -q --force -o w.safetensors"));
            let said = verify(&folder, &format!("w.safetensors {base}"), 0);
            assert!(said.starts_with("equal: 1 tensor of "), "{common}: {said}");
            verified += 1;
        }
    }
    assert!(verified > 100, "{verified}");
}

#[test]
fn every_format_verifies_by_its_recipe_or_by_an_expression() {
    let folder = Folder::new();
    for extension in ["safetensors", "npz", "json", "pt", "raw", "npy"] {
        let tensors = if extension == "npy" { "57x31" } else { "a=57x31 b=7 c=3x0" };
        folder.done(&format!("init normal:std=1 {tensors} -q --seed 9 -o w.{extension}"));
        if extension != "npy" {
            verify(&folder, &format!("w.{extension}"), 0);
        }
        let by = format!("w.{extension} --scheme normal:std=1");
        verify(&folder, &format!("{by} --seed 9"), 0);
        verify(&folder, &format!("{by} --seed 10"), 1);
        verify(&folder, &format!("w.{extension} --scheme normal:std=1.01 --seed 9"), 1);
    }
}

#[test]
fn a_file_without_a_recipe_verifies_as_what_a_framework_drew() {
    let folder = Folder::new();
    folder.done("init normal 9x8 --like jax --seed 3,fold-in=2 -q -o w.npy");
    verify(&folder, "w.npy --scheme normal --like jax --seed 3,fold-in=2", 0);
    verify(&folder, "w.npy --scheme normal --like jax --seed 3", 1);
    verify(&folder, "w.npy --scheme normal --like torch --seed 3", 1);
    folder.done("init normal w=9x8 --like jax --seed 3,fold-in=2 -q -o w.safetensors");
    for option in ["--like jax", "--seed 3,split=0/2"] {
        let message = verify(&folder, &format!("w.safetensors {option}"), 2);
        assert!(message.contains("needs --scheme or --recipe"), "{message}");
    }
    folder.write("r.toml", "seed = 3\nlike = \"jax\"\n[tensors]\nw = { shape = [9, 8], scheme = \"normal\" }\n");
    verify(&folder, "w.safetensors --recipe r.toml --seed 3,fold-in=2", 0);
    verify(&folder, "w.safetensors --recipe r.toml", 1);
}

#[test]
fn a_flipped_bit_is_found_with_its_position() {
    let folder = Folder::new();
    // More than one block of reading, so that the middle and the last lie in others than the first.
    for (index, place) in [(0, "[0, 0]"), (45_000, "[150, 0]"), (89_999, "[299, 299]")] {
        folder.done("init normal 300x300 -q --force --seed 1 -o w.safetensors");
        flip(&folder, "w.safetensors", (90_000 - index) * 4, 1);
        let said = verify(&folder, "w.safetensors", 1);
        assert!(said.starts_with(&format!("`weight`{place}: ")), "{said}");
        assert!(said.contains("; 1 of 90,000 elements differs"), "{said}");
        let report: Value = serde_json::from_str(&verify(&folder, "w.safetensors --json", 1)).unwrap();
        let tensor = &report["tensors"][0];
        assert_eq!((&tensor["first"], &tensor["count"]), (&Value::from(index), &Value::from(1)), "{report}");
        assert_eq!(report["equal"], false);
        assert_eq!(verify(&folder, "w.safetensors --quiet", 1), "");
    }
}

#[test]
fn infinite_constants_verify_to_the_bit_and_by_their_distribution() {
    let folder = Folder::new();
    folder.done("init constant:-inf 3 -q -o w.safetensors");
    assert!(folder.read("w.safetensors").ends_with(&f32::NEG_INFINITY.to_le_bytes().repeat(3)));
    verify(&folder, "w.safetensors", 0);
    verify(&folder, "w.safetensors --distribution", 0);
    verify(&folder, "w.safetensors --scheme constant:inf --seed 0", 1);
}

#[test]
fn minus_zero_is_not_zero() {
    let folder = Folder::new();
    folder.done("init zeros 10 -q -o w.safetensors");
    verify(&folder, "w.safetensors", 0);
    flip(&folder, "w.safetensors", 1, 0x80);
    let said = verify(&folder, "w.safetensors", 1);
    assert!(said.starts_with("`weight`[9]: found -0.0, expected 0.0"), "{said}");
}

#[test]
fn a_changed_recipe_is_found_and_a_truncated_file_is_refused() {
    let folder = Folder::new();
    folder.done("init normal 30x30 -q --seed 7 -o w.safetensors");
    let bytes = folder.read("w.safetensors");
    folder.write("short.safetensors", &bytes[..bytes.len() - 5]);
    verify(&folder, "short.safetensors", 2);
    let length = bytes.len() - 3600;
    let header = String::from_utf8(bytes[8..length].to_vec()).unwrap();
    let other = header.replace(r#"\"seed\":\"7\""#, r#"\"seed\":\"8\""#);
    assert_ne!(header, other, "the recipe names its seed: {header}");
    folder.write("other.safetensors", [&bytes[..8], other.as_bytes(), &bytes[length..]].concat());
    let said = verify(&folder, "other.safetensors", 1);
    assert!(said.contains("seed 8"), "{said}");
}

#[test]
fn a_folder_of_shards_verifies_as_one_and_not_without_a_shard_or_with_one_that_is_another() {
    let folder = Folder::new();
    let tensors = "a=200x200 b=200x200 c=200x200";
    folder.done(&format!("init normal {tensors} -q --format safetensors --max-shard-size 200KB -o d/"));
    let shard = |n: u32| format!("d/model-0000{n}-of-00003.safetensors");
    assert!(verify(&folder, "d", 0).starts_with("equal: 3 tensors of 480,000 bytes"));
    verify(&folder, "d/model.safetensors.index.json", 0);
    flip(&folder, &shard(2), 4, 1);
    let said = verify(&folder, "d", 1);
    assert!(said.starts_with("`b`[199, 199]: "), "{said}");
    flip(&folder, &shard(2), 4, 1);
    let (one, two) = (folder.read(&shard(1)), folder.read(&shard(2)));
    folder.write(&shard(1), &two);
    folder.write(&shard(2), &one);
    assert!(verify(&folder, "d", 2).contains("does not hold"));
    folder.write(&shard(1), &one);
    folder.write(&shard(2), &two);
    verify(&folder, "d", 0);
    fs::remove_file(folder.join(shard(3))).unwrap();
    assert!(verify(&folder, "d", 2).contains("model-00003-of-00003.safetensors"));
}

#[test]
fn copied_tensors_are_compared_by_their_hash() {
    let folder = Folder::new();
    folder.done("init normal:std=1 a=20x20 b=20x20 -q --seed 3 -o x.safetensors");
    folder.write("r.toml", "[rules]\n\"*\" = \"he-normal\"\n");
    folder.done("model x.safetensors --keep a --rules r.toml --seed 4 -q -o y.safetensors");
    verify(&folder, "y.safetensors", 0);
    // `a` comes first, `b` last.
    flip(&folder, "y.safetensors", 3200, 1);
    let said = verify(&folder, "y.safetensors", 1);
    assert!(said.starts_with("`a`: its values have SHA-256 "), "{said}");
    verify(&folder, "y.safetensors --tensor b", 0);
    folder.done("model x.safetensors --keep * -q -o copies.safetensors");
    let said = verify(&folder, "copies.safetensors", 0);
    assert!(said.starts_with("equal: 2 tensors of 3,200 bytes (2 copied, compared by SHA-256), "), "{said}");
    let report: Value = serde_json::from_str(&verify(&folder, "copies.safetensors --json", 0)).unwrap();
    assert_eq!(report["tensors"][1], serde_json::json!({"name": "b", "equal": true, "elements": 400, "copied": true}));
}

#[test]
fn slices_verify() {
    let folder = Folder::new();
    folder.done("init normal a=40x30 b=8 --slice a=10:20,: -q --seed 2 -o s.safetensors");
    verify(&folder, "s.safetensors", 0);
    flip(&folder, "s.safetensors", 4, 1);
    verify(&folder, "s.safetensors", 1);
}

#[test]
fn a_file_without_a_recipe_verifies_by_the_recipe_that_it_was_made_by() {
    let folder = Folder::new();
    folder.write("r.toml", "seed = 6\n[rules]\n\"*.bias\" = \"zeros\"\n\"*\" = \"he-normal\"\n[tensors]\n\"w\" = [9, 8]\n\"w.bias\" = [9]\n");
    folder.done("model r.toml -q -o whole.safetensors");
    let bytes = folder.read("whole.safetensors");
    let length = 8 + usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
    let mut header: Value = serde_json::from_slice(&bytes[8..length]).unwrap();
    let damaged = header.to_string().replace("seed", "sead");
    folder.write(
        "damaged.safetensors",
        [&(damaged.len() as u64).to_le_bytes(), damaged.as_bytes(), &bytes[length..]].concat(),
    );
    assert!(verify(&folder, "damaged.safetensors", 2).contains("unknown field `sead`"));
    header.as_object_mut().unwrap().remove("__metadata__");
    let header = header.to_string();
    let stripped = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &bytes[length..]].concat();
    folder.write("w.safetensors", stripped);
    let message = verify(&folder, "w.safetensors", 2);
    assert!(message.contains("--recipe FILE, or --scheme EXPR --seed N, or test it with --distribution"), "{message}");
    verify(&folder, "w.safetensors --recipe r.toml", 0);
    verify(&folder, "w.safetensors --recipe r.toml --distribution", 0);
    verify(&folder, "w.safetensors --recipe r.toml --seed 7", 1);
    folder.write("less.toml", "seed = 6\n[tensors]\nw = { shape = [9, 8], scheme = \"he-normal\" }\n");
    assert!(verify(&folder, "w.safetensors --recipe less.toml", 1).contains("unexpected in the file"));
}

#[test]
fn a_checkpoint_of_a_family_verifies_by_its_config() {
    let folder = Folder::new();
    let sizes = "--set n_layer=1 --set n_embd=32 --set n_head=2 --set vocab_size=64 --set n_positions=16";
    folder.done(&format!("model gpt2 {sizes} --seed 3 -q -o d/"));
    verify(&folder, "d", 0);
    verify(&folder, "d --recipe d/config.json --seed 3", 0);
    verify(&folder, "d --recipe d/config.json --seed 4", 1);
}

/// Schemes with different kinds of distributions, each for a tensor of 100,000 elements.
#[test]
fn values_of_every_scheme_and_dtype_fit_their_distribution() {
    let folder = Folder::new();
    let mut tested = 0;
    for scheme in scheme::all() {
        let (expression, shape, _) = scheme.example.on("400x250");
        if shape != "400x250" {
            continue;
        }
        for dtype in ["f64", "f32", "f16", "bf16"] {
            folder.done(&format!("init {expression} {shape} --dtype {dtype} -q --force --seed 11 -o w.safetensors"));
            let ended = Ended::of(&mut folder.fanin("verify w.safetensors --distribution"));
            let said = String::from_utf8_lossy(&ended.stdout).into_owned();
            assert_eq!(ended.status, 0, "{expression} {dtype}: {said}{}", ended.stderr);
            tested += 1;
        }
    }
    assert!(tested > 100, "{tested}");
}

#[test]
fn a_distribution_that_is_a_little_another_does_not_fit() {
    let folder = Folder::new();
    for dtype in ["f32", "bf16"] {
        for (drawn, distribution) in [
            ("normal:std=0.02", "normal:std=0.0204"),
            ("normal:std=0.02", "normal:std=0.0196"),
            ("normal:std=1,mean=0.03", "normal:std=1"),
            ("uniform:0.05", "uniform:0.049"),
            ("uniform:0.05", "uniform:0.051"),
            ("uniform:std=0.02", "normal:std=0.02"),
            ("normal:std=0.02", "truncated-normal:std=0.02"),
            ("normal:std=0.05", "orthogonal"),
            ("ones", "constant:1.01"),
        ] {
            folder.done(&format!("init {drawn} 400x250 --dtype {dtype} -q --force -o w.npy"));
            verify(&folder, &format!("w.npy --distribution --scheme {drawn}"), 0);
            let said = verify(&folder, &format!("w.npy --distribution --scheme {distribution}"), 1);
            assert!(said.contains("does not fit: 1 of 1 tensors"), "{said}");
        }
    }
}

#[test]
fn a_repeated_block_and_a_nan_do_not_fit() {
    let folder = Folder::new();
    folder.done("init normal 400x250 -q -o w.npy");
    let mut bytes = folder.read("w.npy");
    let end = bytes.len();
    bytes.copy_within(end - 40_960..end - 40_960 + 1280, end - 20_480);
    folder.write("again.npy", &bytes);
    assert!(verify(&folder, "again.npy --distribution --scheme normal", 1).contains("are repeated"));
    let mut bytes = folder.read("w.npy");
    bytes[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    folder.write("nan.npy", &bytes);
    assert!(verify(&folder, "nan.npy --distribution --scheme normal", 1).contains("[399, 249] is NaN"));
}

#[test]
fn false_alarms_are_as_rare_as_alpha() {
    let folder = Folder::new();
    let mut alarms = 0;
    for seed in 0..200 {
        folder.done(&format!("init normal 40x50 --seed {seed} -q --force -o w.npy"));
        let ended = Ended::of(&mut folder.fanin("verify w.npy --distribution --scheme normal --alpha 0.01 -q"));
        assert!(matches!(ended.status, 0 | 1), "{ended:?}");
        alarms += ended.status;
    }
    // Of 200 trials at 0.01 each, more than 10 come once in 100,000 times.
    assert!(alarms <= 10, "{alarms}");
}

#[test]
fn bad_lines_are_refused_in_one_line() {
    let folder = Folder::new();
    folder.done("init normal 4x4 -q -o w.npy");
    folder.done("init normal a=4x4 b=4 -q -o w.safetensors");
    folder.write("text.txt", "not weights");
    fs::create_dir(folder.join("empty")).unwrap();
    for line in [
        "missing.npy",
        "text.txt",
        "empty",
        "w.npy",
        "w.npy --scheme normal",
        "w.npy --scheme nromal --seed 1",
        "w.npy --scheme normal --seed x",
        "w.npy --scheme normal --recipe r.toml",
        "w.npy --recipe missing.toml",
        "w.safetensors --seed 1",
        "w.safetensors --tensor nothing*",
        "w.safetensors --alpha 0.01",
        "w.safetensors --distribution --alpha 2",
        "w.safetensors --distribution --alpha nan",
        "w.safetensors --scheme normal --seed 1 --name x",
        "w.safetensors --layout torch",
        "w.safetensors --threads 0",
        "w.safetensors --base-tensor x",
        "w.safetensors --base missing.npy",
        "w.safetensors --max-memory lots",
        "w.safetensors --scheme orthogonal --seed 1 --max-memory 1B",
        "",
    ] {
        let ended = Ended::of(&mut folder.fanin(&format!("verify {line}")));
        assert!(ended.is_refusal() && ended.stdout.is_empty(), "fanin verify {line}: {ended:?}");
    }
}

#[test]
fn differences_are_counted_over_all_blocks_and_the_first_of_them_is_shown() {
    const COUNT: usize = 300_000;
    let folder = Folder::new();
    for (dtype, size) in [("f64", 8), ("f32", 4), ("bf16", 2)] {
        folder.done(&format!("init uniform:1 a=300x1000 b=300x1000 --dtype {dtype} -q --force -o w.safetensors"));
        let whole = folder.read("w.safetensors");
        // A block of reading is 64 KiB; a job of drawing ends with a block.
        let block = (1 << 16) / size;
        let borders = [1, 2, 4, 8].map(|blocks| [blocks * block - 1, blocks * block]).concat();
        let spread = [COUNT / 2, COUNT - block, COUNT - 1];
        for [a, b] in [
            [&borders[..], &[][..]],
            [&[0, COUNT - 1], &spread],
            [&spread, &borders],
            [&[4 * block, 4 * block + 1], &[0]],
            [&(0..COUNT).collect::<Vec<_>>(), &(block..COUNT - 3).collect::<Vec<_>>()],
        ] {
            let mut bytes = whole.clone();
            for (from_end, places) in [(2 * COUNT, a), (COUNT, b)] {
                for place in places {
                    bytes[whole.len() - (from_end - place) * size] ^= 1;
                }
            }
            folder.write("w.safetensors", bytes);
            for threads in [1, 5] {
                let line = format!("w.safetensors --json --threads {threads}");
                let report: Value = serde_json::from_str(&verify(&folder, &line, 1)).unwrap();
                for (name, places) in [("a", a), ("b", b)] {
                    let tensors = report["tensors"].as_array().unwrap();
                    let found = tensors.iter().find(|tensor| tensor["name"] == name);
                    let found = found.and_then(|tensor| Some([tensor["first"].as_u64()?, tensor["count"].as_u64()?]));
                    let expected = places.first().map(|&first| [first as u64, places.len() as u64]);
                    assert_eq!(found, expected, "`{name}` in {dtype}, {threads} threads: {report}");
                }
            }
        }
    }
}
