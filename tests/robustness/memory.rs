//! The memory that a command takes, counted before it is taken.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::{Ended, FANIN, Folder, TIME, has, peak_memory, skipped, status};

/// The most memory that a distribution of independent elements may take, however large the file.
const MOST_MEMORY: u64 = 64 << 20;

#[test]
fn a_large_file_is_written_in_little_memory() {
    if !Path::new(TIME).exists() {
        skipped("the memory of a large file: no GNU time");
        return;
    }
    let folder = Folder::new();
    // Two gigabytes of normals where a fast program is at hand; constants do for the others.
    let (program, init, size) = match std::env::var("FANIN_RELEASE") {
        Ok(program) => (program, "init normal 16384x32768", 2 << 30),
        Err(_) => (FANIN.to_string(), "init constant:0.5 --dtype f64 8192x4096", 256 << 20),
    };
    let memory = folder.join("memory");
    let measured = format!("{TIME} -q -f %M -o memory \"{program}\" {init} -q --no-fsync --format npy");
    let streamed = folder.shell(&format!("{measured} | wc -c"));
    assert_eq!(String::from_utf8_lossy(&streamed.stdout).trim(), (size + 128).to_string());
    let stream = peak_memory(&memory);
    folder.shell(&format!("{measured} -o large.npy"));
    assert_eq!(fs::metadata(folder.join("large.npy")).unwrap().len(), size + 128);
    let file = peak_memory(&memory);
    eprintln!("peak memory: {stream} bytes to a pipe, {file} to a file");
    assert!(stream.max(file) <= MOST_MEMORY, "{stream} bytes to a pipe, {file} to a file");
}

#[test]
fn memory_for_joint_draws_of_a_framework_is_counted_before_the_draw() {
    /// What the program takes by itself, with its buffers.
    const OWN: u64 = 16 << 20;
    let (folder, measured) = (Folder::new(), Path::new(TIME).exists());
    for line in [
        "torch.orthogonal_ 20000x50 --like torch",
        "torch.orthogonal_ 50x20000 --like torch --dtype f64",
        "torch.orthogonal_ 700x700 --like torch",
        "torch.sparse_:sparsity=0.5 30000x50 --like torch --dtype f64",
        "orthogonal 50x20000 --like jax",
        "delta-orthogonal 3x3x300x300 --like jax",
        "orthogonal 20000x50 --like keras:jax",
        "orthogonal 50x20000 --like keras:tensorflow",
        "orthogonal 50x20000 --like keras:torch",
    ] {
        let message: serde_json::Value =
            serde_json::from_slice(&folder.done(&format!("init {line} --dry-run --json -o w.npy"))).unwrap();
        let needed = message["workspace_bytes"].as_u64().unwrap();
        assert!(needed >= 8_000_000, "{line}: {needed}");
        let below = Ended::of(&mut folder.fanin(&format!("init {line} -o w.npy --max-memory {}", needed - 1)));
        assert!(below.is_refusal() && below.stderr.contains("of memory"), "{line}: {}", below.stderr);
        let drawn = format!("\"{FANIN}\" init {line} -q --force -o w.npy --max-memory {needed}");
        if measured {
            let ended = folder.shell(&format!("{TIME} -q -f %M -o memory {drawn}"));
            assert_eq!(ended.status, 0, "{line}: {}", ended.stderr);
            let peak = peak_memory(&folder.join("memory"));
            assert!(peak <= needed + OWN, "{line}: {peak} bytes, and {needed} were counted");
        }
    }
    // A slice, and a tensor after it, need the memory of the full tensor.
    folder.done("init torch.orthogonal_ a=20000x50 b=1x1 --like torch -q -o both.npz");
    for line in
        ["init torch.orthogonal_ w=20000x50 --slice w=0:1 --like torch -o w.npy --force", "verify both.npz --tensor b"]
    {
        let ended = Ended::of(&mut folder.fanin(&format!("{line} --max-memory 1MiB")));
        assert!(ended.is_refusal() && ended.stderr.contains("of memory"), "{line}: {}", ended.stderr);
    }
}

#[test]
fn a_matrix_beyond_the_memory_of_the_system_is_refused_and_not_aborted() {
    if !has("prlimit", "a matrix beyond the memory of the system") {
        return;
    }
    let folder = Folder::new();
    let limited = |line: &str| {
        let mut command: Command = folder.command("prlimit");
        Ended::of(command.args(["--as=536870912", FANIN]).args(line.split_whitespace()))
    };
    let ended = limited("init orthogonal 20000x20000 --max-memory 1TiB -o w.npy");
    assert!(ended.is_refusal() && ended.stderr.contains("of memory"), "{}", ended.stderr);
    assert!(folder.names().is_empty());
    assert_eq!(limited("init orthogonal 20x20 -q -o w.npy").status, 0);
    assert_eq!(status(folder.fanin("init orthogonal 20x20 -q --force -o w.npy").status().unwrap()), 0);
}

/// A recipe of as many tensors as a mixture of 256 experts in 61 layers has.
const EXPERTS: &str = r#"
layout = "torch"
dtype = "bf16"

[rules]
"*norm.weight" = "ones"
"*" = "normal:std=0.02"

[[blocks]]
repeat = { i = 61 }
prefix = "model.layers.{i}."
[blocks.tensors]
"input_layernorm.weight" = [7168]
"self_attn.o_proj.weight" = [7168, 16384]

[[blocks]]
repeat = { i = 58, e = 256 }
prefix = "model.layers.{i + 3}.mlp.experts.{e}."
[blocks.tensors]
"gate_proj.weight" = [2048, 7168]
"up_proj.weight" = [2048, 7168]
"down_proj.weight" = [7168, 2048]
"#;

#[test]
fn a_plan_of_many_tensors_takes_little_memory() {
    /// Beyond what the program takes by itself.
    const MOST: u64 = 60 << 20;
    if !Path::new(TIME).exists() {
        skipped("the memory of a plan: no GNU time");
        return;
    }
    let folder = Folder::new();
    folder.write("experts.toml", EXPERTS);
    let peak = |line: &str| {
        let ended = folder.shell(&format!("{TIME} -q -f %M -o memory \"{FANIN}\" {line}"));
        assert_eq!(ended.status, 0, "{line}: {}", ended.stderr);
        (peak_memory(&folder.join("memory")), ended.stdout)
    };
    let (own, _) = peak("init zeros 3 --dry-run");
    let (text, printed) = peak("model experts.toml --dry-run -o x/");
    let (json, report) = peak("model experts.toml --dry-run -o x/ --json");
    assert!(String::from_utf8(printed).unwrap().starts_with("44,666 tensors, "));
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["tensors"].as_array().unwrap().len(), 44_666);
    assert!(text.max(json) <= own + MOST, "{own} bytes, {text} with a plan, {json} as JSON");
}
