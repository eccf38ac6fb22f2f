//! An output that is an input or another output is refused before anything is changed, for every command.

use std::os::unix::fs::symlink;

use crate::common::{Ended, Folder};

/// A folder with one of everything that a command reads.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.done("init normal 40x30 -q -o base.npy");
    folder.done("init uniform:low=0,high=1 50x6 -q -o x.npy");
    folder.done("init uniform:low=0,high=1 x=50x6 -q -o x.raw");
    folder.done("init normal body.w=3x3 head.w=3x2 -q -o t.safetensors");
    folder.done("init normal a=64x64 b=64x64 -q --max-shard-size 17kB -o shards/");
    folder.write("r.toml", "[tensors]\nw = [3, 2]\n[rules]\n\"*\" = \"normal\"\n");
    folder.write("child.toml", "extends = \"./r.toml\"\n");
    folder.write("outer.toml", "[components]\nt = \"child.toml\"\n[[blocks]]\ncomponent = \"t\"\n");
    folder.write("rules.toml", "[rules]\n\"*\" = \"normal\"\n");
    folder.write("last-week.jsonl", "{\"epoch\":1}\n");
    std::fs::create_dir(folder.join("m")).unwrap();
    folder.write("m/tokenizer.json", "{}");
    std::fs::hard_link(folder.join("x.npy"), folder.join("hard.npy")).unwrap();
    symlink("x.npy", folder.join("soft.npy")).unwrap();
    symlink("base.npy", folder.join("soft-base.npy")).unwrap();
    symlink("new.npz", folder.join("dangling.npz")).unwrap();
    folder
}

#[track_caller]
fn refused(folder: &Folder, line: &str, words: &[&str]) {
    let before = folder.contents();
    let ended = Ended::of(&mut folder.fanin(line));
    assert!(ended.is_refusal(), "{line}: {ended:?}");
    assert!(words.iter().all(|word| ended.stderr.contains(word)), "{line}: {words:?} are not in {:?}", ended.stderr);
    assert!(folder.contents() == before, "{line} changed the folder");
}

#[test]
fn an_output_is_no_input() {
    let folder = folder();
    let pretrain = "pretrain pca 6-2 --force";
    // A picture has an extension of its own, which other files may have too.
    std::fs::copy(folder.join("x.npy"), folder.join("x.svg")).unwrap();
    for (line, words) in [
        (format!("{pretrain} --data x.npy --log x.npy -o w.npz"), ["--log: `x.npy`", "read as --data"]),
        (format!("{pretrain} --data x.svg --plot ./x.svg -o w.npz"), ["--plot: `./x.svg`", "`x.svg`"]),
        (format!("{pretrain} --data x.npy --format raw -o m/../x.npy"), ["--output", "--data"]),
        (format!("{pretrain} --data hard.npy --log x.npy -o w.npz"), ["--log: `x.npy`", "`hard.npy`"]),
        (format!("{pretrain} --data x.npy --log soft.npy -o w.npz"), ["--log: `soft.npy`", "`x.npy`"]),
        (format!("{pretrain} --data soft.npy --format raw -o x.npy"), ["--output: `x.npy`", "`soft.npy`"]),
        (format!("{pretrain} --data x.raw -o x.raw"), ["--output: `x.raw`", "--data"]),
        (format!("{pretrain} --data x.raw --log x.raw.json -o w.npz"), ["--log: `x.raw.json`", "--data"]),
        (format!("{pretrain} --data x.raw --format npz -o x.raw.json"), ["--output: `x.raw.json`", "--data"]),
        ("init pissa-a:rank=2 40x2 --base base.npy --force -o base.npy".into(), ["--output", "--base"]),
        ("init pissa-a:rank=2 40x2 --base soft-base.npy --force -o ./base.npy".into(), ["--output", "`soft-base.npy`"]),
        ("init pissa-a:rank=2 base=40x2 --base base.npy --force -o ./".into(), ["--output", "--base"]),
        ("model t.safetensors --keep * --force -o t.safetensors".into(), ["--output", "SPEC"]),
        ("model t.safetensors --rules rules.toml --force --format npz -o rules.toml".into(), ["--output", "--rules"]),
        ("model r.toml --force --format npz -o ./r.toml".into(), ["--output", "SPEC"]),
        ("model child.toml --force --format npz -o r.toml".into(), ["--output", "SPEC"]),
        ("model outer.toml --force --format npz -o r.toml".into(), ["--output", "SPEC"]),
        (
            "model shards/model.safetensors.index.json --keep * --force -o shards/model-00001-of-00002.safetensors"
                .into(),
            ["--output", "SPEC"],
        ),
        (
            "model shards/model.safetensors.index.json --keep * --max-shard-size 17kB --force -o shards/".into(),
            ["--output", "SPEC"],
        ),
    ] {
        refused(&folder, &line, &words);
    }
    std::fs::copy(folder.join("t.safetensors"), folder.join("t.svg")).unwrap();
    refused(&folder, "inspect t.svg --force --plot ./t.svg", &["--plot", "FILE"]);
}

#[test]
fn an_output_is_no_other_output() {
    let folder = folder();
    let pretrain = "pretrain pca 6-2 --force --data x.npy";
    for (line, words) in [
        (format!("{pretrain} --log w.npz -o w.npz"), ["--output: `w.npz`", "--log"]),
        (format!("{pretrain} --log p.svg --plot ./p.svg -o w.npz"), ["--plot: `./p.svg`", "--log"]),
        (format!("{pretrain} --log w.npz.checkpoint -o w.npz"), ["checkpoint", "--log"]),
        (format!("{pretrain} --log w.npz.sha256 --sha256 -o w.npz"), ["--sha256", "--log"]),
        (format!("{pretrain} --log w.raw.json -o w.raw"), ["w.raw.json", "--log"]),
        (format!("{pretrain} --log dangling.npz -o new.npz"), ["--output: `new.npz`", "`dangling.npz`"]),
        (format!("{pretrain} --log w.npz/run.jsonl -o w.npz"), ["--log: `w.npz/run.jsonl`", "--output"]),
        (format!("{pretrain} --log p.svg --plot p.svg -o w.npz"), ["--plot", "--log"]),
        (format!("{pretrain} --log m/new.svg --plot m/../m/new.svg -o w.npz"), ["--plot", "--log"]),
    ] {
        refused(&folder, &line, &words);
    }
}

#[test]
fn a_command_that_is_refused_leaves_the_log_of_last_week() {
    let folder = folder();
    folder.done("init nan 50x6 -q -o nan.npy");
    for line in [
        "pca 6-2 --data xx.npy",
        "pca 7-2 --data x.npy",
        "pca 6-2 --data x.npy --data-tensor no",
        "pca 6-7 --data x.npy",
        "pca 6-2 --data nan.npy",
        "pca 6-2 --data x.npy --whiten zca",
        "kmeans 6-51 --data x.npy",
        "kmeans 6-4-51 --data x.npy",
        "rbm 6-2 --data base.npy",
        "rbm 6-2 --data x.npy --plot no/p.svg",
        "rbm 6-2 --data x.npy --epochs 0",
    ] {
        refused(&folder, &format!("pretrain {line} --log last-week.jsonl --force -o w.npz"), &[]);
    }
    refused(&folder, "pretrain pca 6-2 --data x.npy --log last-week.jsonl -o w.npz", &["last-week.jsonl", "--force"]);
    refused(&folder, "pretrain pca 6-2 --data x.npy --log m -o w.npz", &["--log", "folder"]);
    refused(&folder, "pretrain pca 6-2 --data x.npy --log no/l.jsonl -o w.npz", &["--log", "no such folder"]);
}

#[test]
fn devices_and_files_that_stay_as_they_are_may_be_named_twice() {
    let folder = folder();
    folder.done("pretrain pca 6-2 --data x.npy -q --log /dev/null --force -o w.npz");
    folder.done("pretrain pca 6-2 --data x.npy -q --log /dev/stderr --format npz -o /dev/stdout");
    folder.done("init normal 3 -q --format npy -o /dev/null");
}
