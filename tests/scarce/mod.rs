//! What the system gives little of: closed streams, small limits, files that are none. Each ends well or in one line.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;

use crate::common::{FANIN, Folder};

#[test]
fn data_for_a_closed_standard_output_is_an_error_and_data_for_dev_null_is_not() {
    let folder = Folder::new();
    folder.write(
        "config.json",
        r#"{"model_type":"gpt2","n_layer":1,"n_embd":8,"n_head":2,"vocab_size":16,"n_positions":8}"#,
    );
    for line in
        ["init normal 3", "mlp 3-2 --format npz -q", "model config.json --format safetensors", "init normal 3 -q -o -"]
    {
        for closed in [">&-", ">&- <&-", "<>/dev/null >&0"] {
            let ended = folder.shell(&format!("exec \"{FANIN}\" {line} {closed}"));
            assert!(
                ended.is_refusal() && ended.told.contains("standard output is closed"),
                "{line} {closed}: {ended:?}"
            );
        }
        for open in [">/dev/null", ">>/dev/null", "| cat >/dev/null"] {
            let ended = folder.shell(&format!("\"{FANIN}\" {line} {open}"));
            assert_eq!(ended.status, 0, "{line} {open}: {ended:?}");
        }
    }
    // A report is no data, and a file is written all the same.
    for line in ["init normal 3 -q -o w.safetensors", "inspect w.safetensors", "verify w.safetensors"] {
        assert_eq!(folder.shell(&format!("exec \"{FANIN}\" {line} >&-")).status, 0, "{line}");
    }
}

#[test]
fn little_address_space_ends_well_or_in_one_line() {
    let folder = Folder::new();
    folder.done("init normal a=50x50 b=50x50 -q -o held.safetensors");
    // The least that the system loads the program in.
    let starts = |mebibytes: &u64| {
        folder.shell(&format!("ulimit -v {}; exec \"{FANIN}\" --version", mebibytes << 10)).status == 0
    };
    let least = (8..400).step_by(8).find(starts).unwrap();
    let lines = [
        "init normal 700x700 -q -o w.npy --force --threads 16",
        "init normal 300x300 -q -o w.json --force --threads 4",
        "init orthogonal 4000x4000 -q -o o.npy --force",
        "init orthogonal 4000x4000 -q -o o.npy --force --max-memory 100GiB",
        "verify held.safetensors --threads 4",
        "inspect held.safetensors --json",
    ];
    let (mut done, mut short) = (0, 0);
    for line in lines {
        for more in [0, 16, 32, 64] {
            let ended = folder.shell(&format!("ulimit -v {}; exec \"{FANIN}\" {line}", (least + more) << 10));
            let orderly = ended.status == 0 || ended.is_refusal() || ended.is_temporary_failure();
            assert!(orderly, "{line} in {more} MiB more than the least: {ended:?}");
            done += usize::from(ended.status == 0);
            short += usize::from(ended.status != 0);
        }
    }
    assert!(done > 0 && short > 0, "{done} {short}");
}

#[test]
fn few_open_files_are_enough_for_many_shards() {
    let folder = Folder::new();
    let shapes: Vec<String> = (0..300).map(|number| format!("t{number}=3")).collect();
    folder.done(&format!("init normal {} -q --no-fsync --max-shard-size 12 -o s/", shapes.join(" ")));
    folder.write("rules.toml", "[rules]\n\"*\" = \"zeros\"\n");
    for line in [
        "model s/model.safetensors.index.json --rules rules.toml --keep t* -q --no-fsync -o kept/",
        "model s/model.safetensors.index.json --keep t[12]* --rules rules.toml -q --no-fsync -o part.safetensors",
        "verify s",
        "inspect s/model.safetensors.index.json",
        "init normal t0=3 t1=3 -q --no-fsync --max-shard-size 12 --sha256 -o few/",
    ] {
        let ended = folder.shell(&format!("ulimit -n 128; exec \"{FANIN}\" {line}"));
        assert_eq!(ended.status, 0, "{line}: {ended:?}");
    }
}

#[test]
fn copied_files_are_regular_ones_of_a_known_length() {
    let folder = Folder::new();
    for (number, target) in
        ["/proc/self/maps", "/proc/version", "/dev/zero", "/sys/kernel/mm/transparent_hugepage/enabled"]
            .into_iter()
            .enumerate()
    {
        if !fs::exists(target).unwrap() {
            continue;
        }
        let from = format!("from{number}");
        fs::create_dir(folder.join(&from)).unwrap();
        folder.write(&format!("{from}/vocab.txt"), "a");
        symlink(target, folder.join(format!("{from}/tokenizer.json"))).unwrap();
        let ended = folder.shell(&format!("timeout 20 \"{FANIN}\" init zeros 3 -q --copy-from {from} -o c/"));
        assert!(ended.is_refusal() && ended.told.contains("tokenizer.json`"), "{target}: {ended:?}");
        assert!(!folder.join("c").exists(), "{target}");
    }
    fs::create_dir(folder.join("pipe")).unwrap();
    let ended =
        folder.shell(&format!("mkfifo pipe/merges.txt; timeout 20 \"{FANIN}\" init zeros 3 --copy-from pipe -o c/"));
    assert!(ended.is_refusal() && ended.told.contains("merges.txt`"), "{ended:?}");
    // Two files of 600 MiB without a block.
    fs::create_dir(folder.join("large")).unwrap();
    let ended = folder.shell(&format!(
        "truncate -s 600M large/tokenizer.json large/vocab.json; \"{FANIN}\" init zeros 3 --copy-from large -o c/"
    ));
    assert!(ended.is_refusal() && ended.told.contains("1 GiB"), "{ended:?}");
    // A folder of such a name is none of them; an empty file is one.
    fs::create_dir_all(folder.join("fine/chat_templates")).unwrap();
    folder.write("fine/merges.txt", "");
    folder.done("init zeros 3 -q --copy-from fine -o c/");
    assert_eq!(folder.read("c/merges.txt"), b"");
}

#[test]
fn json_reports_are_visible_characters_that_mean_the_same() {
    let folder = Folder::new();
    let name = "a\u{202e}b\u{9b}2J\u{7f}\u{feff}\u{ffff}";
    fs::create_dir(folder.join(name)).unwrap();
    let file = format!("{name}/w.safetensors");
    for line in [
        format!("init normal 3 --json --sha256 -o {file}"),
        format!("init normal 3 --json --dry-run -o {file}"),
        format!("init normal 3 --json --resume -o {file}"),
    ] {
        let told = String::from_utf8(folder.done(&line)).unwrap();
        assert!(told.trim_end().chars().all(fanin::text::is_visible), "{line}: {told}");
        let report: Value = serde_json::from_str(&told).unwrap();
        let files = [&report["files"], &report["kept"]].into_iter().filter_map(Value::as_array).flatten();
        assert!(files.filter_map(Value::as_str).any(|told| told == file), "{line}");
    }
    // The names of tensors in the files of strangers.
    let header = "{\"x\u{202e}y\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}";
    let bytes = [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &[7]].concat();
    folder.write("stranger.safetensors", bytes);
    for line in ["inspect stranger.safetensors --json", "verify stranger.safetensors --json --law normal"] {
        let ended = folder.shell(&format!("\"{FANIN}\" {line}"));
        let told = String::from_utf8_lossy(&ended.stdout);
        assert!(told.trim_end().chars().all(fanin::text::is_visible), "{line}: {told}");
    }
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
        folder.done(&format!("inspect s.safetensors -o {number}.svg"));
        let picture = String::from_utf8(folder.read(&format!("{number}.svg"))).unwrap();
        let forbidden = |character: char| matches!(character, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
        assert!(!picture.contains(forbidden) && picture.contains("</svg>"), "{name}: {picture}");
    }
}
