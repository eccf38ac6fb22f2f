//! Checkpoints of several files: how they are cut, written in parts by many processes, resumed, planned and summed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::common::{Ended, Folder, Running, has};

/// A model of one tensor.
const RECIPE: &str = "tensors.w = { shape = [5], scheme = 'normal' }\n";

/// A plan of five files, one of them with the tensor above the limit.
pub(crate) const PLAN: &str =
    "init normal a=100x100 big=200x200 b=100x100 c=90x100 d=1 e=100x100 f=50x50 -q --max-shard-size 64KB";

/// The files of a folder, by name.
pub(crate) fn files(folder: &Folder, name: &str) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder.join(name)).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

/// The index of a checkpoint.
fn index(folder: &Folder, name: &str) -> Value {
    serde_json::from_slice(&folder.read(&format!("{name}/model.safetensors.index.json"))).unwrap()
}

#[track_caller]
fn refused(folder: &Folder, line: &str, words: &[&str]) {
    let before = folder.contents();
    let ended = Ended::of(&mut folder.fanin(line));
    assert!(ended.is_refusal(), "fanin {line}: {ended:?}");
    for word in words {
        assert!(ended.stderr.contains(word), "fanin {line}: {word:?} is not in {:?}", ended.stderr);
    }
    assert_eq!(folder.contents(), before, "fanin {line}: something was written");
}

/// How `huggingface_hub` cuts: the tensors of each file, by their numbers.
fn reference(sizes: &[u64], limit: u64) -> Vec<Vec<usize>> {
    let mut list: Vec<Vec<usize>> = Vec::new();
    let mut current: Vec<usize> = Vec::new();
    for number in 0..sizes.len() {
        let held: u64 = current.iter().map(|&other| sizes[other]).sum();
        if sizes[number] > limit {
            list.push(vec![number]);
        } else {
            if held + sizes[number] > limit {
                list.push(std::mem::take(&mut current));
            }
            current.push(number);
        }
    }
    list.extend((!current.is_empty()).then_some(current));
    list
}

#[test]
fn files_are_split_as_hugging_face_splits_them() {
    let folder = Folder::new();
    let mut seed = 1u64;
    for round in 0..20 {
        let mut draw = |most: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % most
        };
        let (count, limit) = (2 + draw(12), 40 + 4 * draw(20));
        let lengths: Vec<u64> = (0..count).map(|_| draw(30)).collect();
        let shapes: Vec<String> = lengths.iter().enumerate().map(|(n, length)| format!("t{n}={length}")).collect();
        let name = format!("round{round}");
        folder.done(&format!("init zeros {} -q --no-fsync --max-shard-size {limit} -o {name}/", shapes.join(" ")));
        let parts = reference(&lengths.iter().map(|length| 4 * length).collect::<Vec<_>>(), limit);
        if parts.len() < 2 {
            assert_eq!(files(&folder, &name).into_keys().collect::<Vec<_>>(), ["model.safetensors"]);
            continue;
        }
        let mut expected = serde_json::Map::new();
        for (file, part) in parts.iter().enumerate() {
            for tensor in part {
                let file = format!("model-{:05}-of-{:05}.safetensors", file + 1, parts.len());
                expected.insert(format!("t{tensor}"), file.into());
            }
        }
        assert_eq!(index(&folder, &name)["weight_map"], Value::Object(expected), "{lengths:?} at {limit}");
    }
}

#[test]
fn the_index_is_to_the_byte_what_python_writes() {
    let folder = Folder::new();
    folder.done("init zeros b=2 é=3 a\"=4 --dtype bf16 -q --max-shard-size 10 -o c/");
    let expected = concat!(
        "{\n  \"metadata\": {\n    \"total_parameters\": 9,\n    \"total_size\": 18\n  },\n  \"weight_map\": {\n",
        "    \"a\\\"\": \"model-00002-of-00002.safetensors\",\n",
        "    \"b\": \"model-00001-of-00002.safetensors\",\n",
        "    \"\\u00e9\": \"model-00001-of-00002.safetensors\"\n  }\n}\n"
    );
    assert_eq!(String::from_utf8(folder.read("c/model.safetensors.index.json")).unwrap(), expected);
}

#[test]
fn one_file_is_named_plainly_and_is_what_a_single_file_is() {
    let folder = Folder::new();
    folder.done("init normal a=3x4 b=5 -q --max-shard-size 1GB -o c/");
    assert_eq!(files(&folder, "c").into_keys().collect::<Vec<_>>(), ["model.safetensors"]);
    folder.done("init normal a=3x4 b=5 -q -o w.safetensors");
    assert_eq!(folder.read("c/model.safetensors"), folder.read("w.safetensors"));
}

#[test]
fn any_number_of_ranks_in_any_order_writes_the_bytes_of_one() {
    let folder = Folder::new();
    folder.done(&format!("{PLAN} --sha256 -o one/"));
    let one = files(&folder, "one");
    assert_eq!(one.len(), 5 + 2, "{:?}", one.keys());
    for world in [1, 2, 3, 8] {
        let name = format!("world{world}");
        // Neither up nor down: odd ranks first.
        let order = (0..world).filter(|rank| rank % 2 == 1).chain((0..world).filter(|rank| rank % 2 == 0));
        for rank in order {
            folder.done(&format!("{PLAN} --sha256 -o {name}/ --rank {rank} --world-size {world}"));
        }
        assert!(files(&folder, &name) == one, "{world} ranks");
    }
    // All at once, each of them twice.
    let ranks = [0, 1, 2, 0, 1, 2].map(|rank| {
        Running::start(&mut folder.fanin(&format!("{PLAN} --sha256 -o race/ --resume --rank {rank} --world-size 3")))
    });
    for rank in ranks {
        assert_eq!(rank.ended().status, 0);
    }
    assert!(files(&folder, "race") == one);
}

#[test]
fn a_rank_writes_its_own_files_and_the_last_one_the_index() {
    let folder = Folder::new();
    let message = folder.done(&format!("{PLAN} --json -o c/ --rank 1 --world-size 2"));
    let message: Value = serde_json::from_slice(&message).unwrap();
    assert_eq!(message["rank"]["missing"], 3, "{message}");
    let names: Vec<String> = files(&folder, "c").into_keys().collect();
    assert_eq!(names, ["model-00002-of-00005.safetensors", "model-00004-of-00005.safetensors"]);
    folder.done(&format!("{PLAN} -o c/ --rank 0 --world-size 2"));
    assert_eq!(index(&folder, "c")["metadata"]["total_size"], 326_004);
}

#[test]
fn the_rank_is_taken_from_what_started_it() {
    let folder = Folder::new();
    let array = |task: &'static str| {
        [
            ("SLURM_ARRAY_TASK_ID", task),
            ("SLURM_ARRAY_TASK_MIN", "5"),
            ("SLURM_ARRAY_TASK_MAX", "6"),
            ("SLURM_ARRAY_TASK_COUNT", "2"),
        ]
    };
    folder.done(&format!("{PLAN} -o one/"));
    for task in ["6", "5"] {
        let line = format!("{} -o c/ --rank auto", PLAN.replace(" -q", ""));
        let ended = Ended::of(folder.fanin(&line).envs(array(task)));
        assert_eq!(ended.status, 0, "{}", ended.stderr);
        assert!(ended.stderr.contains("Slurm array: SLURM_ARRAY_TASK_ID"), "{}", ended.stderr);
    }
    assert!(files(&folder, "c") == files(&folder, "one"));
    let before = folder.contents();
    for (variables, word) in [
        (vec![("RANK", "1")], "WORLD_SIZE"),
        (vec![("RANK", "x\u{1b}[2J"), ("WORLD_SIZE", "2")], "RANK"),
        (vec![("JOB_COMPLETION_INDEX", "1")], "--world-size"),
        (vec![("SLURM_PROCID", "2"), ("SLURM_NTASKS", "2")], "rank 2 of 2"),
        (vec![], "--rank auto"),
    ] {
        let ended = Ended::of(folder.fanin(&format!("{PLAN} -o d/ --rank auto")).envs(variables));
        assert!(ended.is_refusal() && ended.stderr.contains(word), "{ended:?}");
    }
    assert_eq!(folder.contents(), before);
}

#[test]
fn what_does_not_go_together_is_refused_before_anything_is_written() {
    let folder = Folder::new();
    folder.write("file", "");
    folder.write("r.toml", RECIPE);
    fs::create_dir(folder.join("empty")).unwrap();
    for (line, words) in [
        ("init zeros 3 -o c/ --rank 0", &["--rank", "--world-size"] as &[_]),
        ("init zeros 3 -o c/ --world-size 2", &["--rank"]),
        ("init zeros 3 -o c/ --rank 2 --world-size 2", &["rank 2 of 2"]),
        ("init zeros 3 -o c/ --rank 0 --world-size 0", &["rank 0 of 0"]),
        ("init zeros 3 -o c/ --rank -1 --world-size 2", &["-1", "auto"]),
        ("init zeros 3 -o c/ --rank one --world-size 2", &["one", "auto"]),
        ("init zeros 3 -o c/ --rank 0 --world-size two", &["two"]),
        ("init zeros 3 -o c/ --max-shard-size 0", &["--max-shard-size"]),
        ("init zeros 3 -o c/ --max-shard-size 5G", &["5G", "GiB"]),
        ("init zeros 3 -o c/ --max-shard-size 99999999999TB", &["2^64"]),
        ("init zeros 3 -o c/ --max-shard-size 1GB --format npy", &["--max-shard-size", "safetensors", "--format npy"]),
        ("init zeros 3 -o w.safetensors --max-shard-size 1GB", &["--max-shard-size", "DIR/"]),
        ("init zeros 3 --rank 0 --world-size 2", &["--rank", "DIR/"]),
        ("init zeros 3 -o file/ --max-shard-size 1GB", &["`file`"]),
        ("init zeros 3 -o c/ --force --resume", &["--force", "--resume"]),
        ("init zeros 3 -o w.npy --resume", &["--resume", "safetensors"]),
        ("init zeros 3 -o - --sha256", &["--sha256"]),
        ("init zeros 3 --format npy -o /dev/null --sha256", &["/dev/null", "--sha256"]),
        ("model r.toml -o c/ --tokenizer-from empty", &["`empty`", "tokenizer*.json"]),
        ("model r.toml -o c/ --tokenizer-from nowhere", &["`nowhere`"]),
        ("model r.toml -o w.npy --tokenizer-from empty", &["--tokenizer-from", "DIR/"]),
    ] {
        refused(&folder, line, words);
    }
}

#[test]
fn a_rank_that_was_killed_is_resumed_to_the_same_bytes() {
    let folder = Folder::new();
    let plan = "init normal a=2000x1000 b=2000x1000 c=2000x1000 d=2000x1000 e=2000x1000 f=2000x1000 \
                --dtype f64 --threads 1 -q --max-shard-size 16MB";
    folder.done(&format!("{plan} --sha256 -o one/"));
    let mut killed = folder.fanin(&format!("{plan} --sha256 -o c/ --rank 0 --world-size 1")).spawn().unwrap();
    let (first, started) = (folder.join("c/model-00001-of-00006.safetensors"), Instant::now());
    while !first.exists() {
        assert!(started.elapsed() < Duration::from_secs(60), "no file comes");
        sleep(Duration::from_millis(1));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let left = files(&folder, "c");
    assert!(left.len() < 6, "it was killed too late: {:?}", left.keys());
    let one = files(&folder, "one");
    assert!(left.iter().all(|(name, bytes)| one.get(name) == Some(bytes)), "a file is not whole: {:?}", left.keys());

    refused(&folder, &format!("{plan} -o c/"), &["model-00001-of-00006.safetensors", "exists", "--force"]);
    let before = fs::metadata(&first).unwrap().modified().unwrap();
    let message = folder.done(&format!("{plan} --sha256 -o c/ --resume --json"));
    let message: Value = serde_json::from_slice(&message).unwrap();
    assert_eq!(message["skipped"].as_array().unwrap().len(), left.len(), "{message}");
    assert_eq!(fs::metadata(&first).unwrap().modified().unwrap(), before, "what is whole is not written again");
    assert!(files(&folder, "c") == one);
    // Nothing is left to do, which is as good.
    folder.done(&format!("{plan} --sha256 -o c/ --resume"));
    assert!(files(&folder, "c") == one);
}

#[test]
fn files_of_another_plan_are_refused_by_name() {
    let folder = Folder::new();
    let plan = |line: &str| format!("init normal a=100 b=100 c=100 -q --max-shard-size 400 -o c/ {line}");
    folder.done(&plan(""));
    let first = "c/model-00001-of-00003.safetensors";
    refused(&folder, &plan("--resume --seed 1"), &[first, "other contents"]);
    refused(&folder, &plan("--resume --seed 1 --rank 2 --world-size 3"), &[first, "other contents"]);
    refused(
        &folder,
        "init normal a=100 b=100 c=101 -q --max-shard-size 404 -o c/ --resume",
        &[first, "other contents"],
    );
    refused(&folder, "init normal a=100 b=100 c=100 -q --max-shard-size 1GB -o c/ --force", &["c/model", "remove"]);
    // The first two files alone are the same tensors as in the other plan, and yet no part of it.
    fs::remove_file(folder.join("c/model.safetensors.index.json")).unwrap();
    fs::remove_file(folder.join("c/model-00003-of-00003.safetensors")).unwrap();
    refused(&folder, "init normal a=100 b=100 c=99 -q --max-shard-size 400 -o c/ --resume", &[first, "other contents"]);
    folder.done(&plan("--force --seed 1"));
    folder.done(&plan("--resume --seed 1"));
}

#[test]
fn a_file_that_was_cut_short_or_grew_is_written_again() {
    let folder = Folder::new();
    let plan = "init normal a=100 b=100 --max-shard-size 400 --sha256 -o c/";
    folder.done(&format!("{plan} -q"));
    let second = folder.join("c/model-00002-of-00002.safetensors");
    let (bytes, whole) = (fs::read(&second).unwrap(), files(&folder, "c"));
    let lengths = [bytes.len() - 1, bytes.len() / 2, 100, 8, 0].map(|length| bytes[..length].to_vec());
    for damaged in lengths.into_iter().chain([[&bytes[..], b"x"].concat()]) {
        for rank in ["", "--rank 1 --world-size 2"] {
            fs::write(&second, &damaged).unwrap();
            let ended = Ended::of(&mut folder.fanin(&format!("{plan} --resume {rank}")));
            assert_eq!(ended.status, 0, "{}", ended.stderr);
            assert!(
                ended.stderr.contains("replaced c/model-00002-of-00002.safetensors, which was damaged"),
                "{}",
                ended.stderr
            );
            assert!(files(&folder, "c") == whole, "{} bytes", damaged.len());
        }
    }
    // Another rank's damaged file is missing.
    fs::write(&second, &bytes[..bytes.len() - 1]).unwrap();
    let ended = Ended::of(&mut folder.fanin(&format!("{plan} --resume --rank 0 --world-size 2")));
    assert!(ended.status == 0 && ended.stderr.contains("1 of 2 files do not exist yet"), "{}", ended.stderr);
    for name in ["c/SHA256SUMS", "c/model.safetensors.index.json"] {
        let text = folder.read(name);
        folder.write(name, &text[..text.len() - 7]);
        let ended = Ended::of(&mut folder.fanin(&format!("{plan} --resume")));
        assert!(ended.status == 0 && ended.stderr.contains(&format!("replaced {name}")), "{}", ended.stderr);
        assert!(files(&folder, "c") == whole, "{name}");
    }
}

#[test]
fn a_file_of_another_plan_is_refused_though_it_is_damaged() {
    let folder = Folder::new();
    let plan = "init normal a=100 b=100 -q --max-shard-size 400 -o c/";
    folder.done(&format!("{plan} --seed 1"));
    let second = folder.join("c/model-00002-of-00002.safetensors");
    let bytes = fs::read(&second).unwrap();
    fs::write(&second, &bytes[..bytes.len() - 1]).unwrap();
    fs::remove_file(folder.join("c/model-00001-of-00002.safetensors")).unwrap();
    refused(&folder, &format!("{plan} --resume"), &["model-00002-of-00002.safetensors", "other contents"]);
    fs::remove_file(&second).unwrap();
    symlink("/dev/null", &second).unwrap();
    refused(&folder, &format!("{plan} --resume --rank 0 --world-size 2"), &["model-00002-of-00002.safetensors"]);
}

#[test]
fn a_single_file_is_resumed_too() {
    let folder = Folder::new();
    folder.done("init normal 30x40 -q -o w.safetensors");
    let before = folder.contents();
    folder.done("init normal 30x40 -q -o w.safetensors --resume");
    assert_eq!(folder.contents(), before);
    refused(&folder, "init normal 30x40 -q -o w.safetensors --resume --seed 1", &["w.safetensors", "other contents"]);
    let bytes = folder.read("w.safetensors");
    for damaged in [bytes[..bytes.len() - 1].to_vec(), [&bytes[..], b"x"].concat(), bytes[..30].to_vec()] {
        folder.write("w.safetensors", damaged);
        let report = folder.done("init normal 30x40 --json -o w.safetensors --resume --sha256");
        let report: Value = serde_json::from_slice(&report).unwrap();
        assert_eq!(report["damaged"], json!(["w.safetensors"]));
        assert_eq!(folder.read("w.safetensors"), bytes);
    }
}

#[test]
fn checksums_pass_sha256sum_and_are_in_the_report() {
    if !has("sha256sum", "the sums of files") {
        return;
    }
    let folder = Folder::new();
    let message = folder.done("init normal a=5 b=6 sub/c=7 -q --sha256 --json -o c/");
    let checked = folder.shell("cd c && sha256sum -c --strict SHA256SUMS && cut -c 1-64 SHA256SUMS");
    assert_eq!(checked.status, 0, "{}", checked.stderr);
    let message: Value = serde_json::from_slice(&message).unwrap();
    assert_eq!(message["sha256"].as_object().unwrap().len(), 3, "{message}");
    let sum = folder.shell("sha256sum < c/sub/c.npy").stdout;
    assert_eq!(message["sha256"]["c/sub/c.npy"].as_str().unwrap().as_bytes(), &sum[..64]);
    refused(&folder, "init normal d=5 -q --sha256 -o c/", &["c/SHA256SUMS", "--force"]);

    let odd = folder.shell(r"$FANIN init normal 5 -q --sha256 -o 'a\b.npy' && sha256sum -c --strict 'a\b.npy.sha256'");
    assert_eq!(odd.status, 0, "{}", odd.stderr);
    folder.done("init normal 5 -q --sha256 -o w.npy");
    let checked = folder.shell("sha256sum -c --strict w.npy.sha256");
    assert_eq!((checked.status, checked.stdout), (0, b"w.npy: OK\n".to_vec()));
}

#[test]
fn tokenizer_files_are_copied_and_weights_are_not() {
    let folder = Folder::new();
    fs::create_dir(folder.join("from")).unwrap();
    for name in ["tokenizer.json", "tokenizer_config.json", "vocab.txt", "spiece.model", "chat_template.jinja"] {
        folder.write(&format!("from/{name}"), name);
    }
    for name in ["config.json", "model.safetensors", "pytorch_model.bin", "README.md"] {
        folder.write(&format!("from/{name}"), name);
    }
    // As in the store of a hub.
    folder.write("blob", "merges.txt");
    symlink("../blob", folder.join("from/merges.txt")).unwrap();
    folder.write("r.toml", RECIPE);
    folder.done("model r.toml -q --tokenizer-from from --sha256 -o c/");
    let copied = files(&folder, "c");
    let names = [
        "SHA256SUMS",
        "chat_template.jinja",
        "merges.txt",
        "model.safetensors",
        "spiece.model",
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
    ];
    assert_eq!(copied.keys().collect::<Vec<_>>(), names);
    assert_eq!(copied["merges.txt"], b"merges.txt");
    folder.write("c/vocab.txt", "changed");
    refused(&folder, "model r.toml -q --tokenizer-from from -o c/ --resume", &["c/vocab.txt"]);
}
