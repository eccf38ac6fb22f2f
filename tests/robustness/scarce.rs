//! What the system gives little of: closed streams, small limits, files that are none. Each ends well or in one line.

use std::fs;
use std::os::unix::fs::symlink;

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
                ended.is_refusal() && ended.stderr.contains("standard output is closed"),
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
    folder.write("r.toml", "tensors.w = { shape = [3], scheme = 'zeros' }\n");
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
        let ended = folder.shell(&format!("timeout 20 \"{FANIN}\" model r.toml -q --tokenizer-from {from} -o c/"));
        assert!(ended.is_refusal() && ended.stderr.contains("tokenizer.json`"), "{target}: {ended:?}");
        assert!(!folder.join("c").exists(), "{target}");
    }
    fs::create_dir(folder.join("pipe")).unwrap();
    let ended = folder
        .shell(&format!("mkfifo pipe/merges.txt; timeout 20 \"{FANIN}\" model r.toml --tokenizer-from pipe -o c/"));
    assert!(ended.is_refusal() && ended.stderr.contains("merges.txt`"), "{ended:?}");
    // Two files of 600 MiB without a block.
    fs::create_dir(folder.join("large")).unwrap();
    let ended = folder.shell(&format!(
        "truncate -s 600M large/tokenizer.json large/vocab.json; \"{FANIN}\" model r.toml --tokenizer-from large -o c/"
    ));
    assert!(ended.is_refusal() && ended.stderr.contains("1 GiB"), "{ended:?}");
    // A folder of such a name is none of them; an empty file is one.
    fs::create_dir_all(folder.join("fine/chat_templates")).unwrap();
    folder.write("fine/merges.txt", "");
    folder.done("model r.toml -q --tokenizer-from fine -o c/");
    assert_eq!(folder.read("c/merges.txt"), b"");
}
