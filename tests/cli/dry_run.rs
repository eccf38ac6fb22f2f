//! `--dry-run`: the sizes of what a command would write.

use serde_json::{Value, json};

use crate::checkpoints::{PLAN, files};
use crate::common::{Ended, Folder, TIME, has, peak_memory};

#[test]
fn a_dry_run_reports_the_exact_sizes_and_writes_nothing() {
    let folder = Folder::new();
    let planned = folder.done(&format!("{PLAN} -o c/ --dry-run --json --rank 0 --world-size 4"));
    assert!(folder.names().is_empty());
    let planned: Value = serde_json::from_slice(&planned).unwrap();
    folder.done(&format!("{PLAN} -o c/"));
    for (file, size) in planned["files"].as_array().unwrap().iter().zip(planned["file_bytes"].as_array().unwrap()) {
        assert_eq!(folder.read(file.as_str().unwrap()).len() as u64, size.as_u64().unwrap(), "{file}");
    }
    assert_eq!(planned["files"].as_array().unwrap().len(), files(&folder, "c").len());
    assert_eq!(planned["parameters"], 81_501);
    assert_eq!(planned["workspace_bytes"], 0);
    let own = json!(["c/model-00001-of-00005.safetensors", "c/model-00005-of-00005.safetensors"]);
    assert_eq!(planned["rank"]["files"], own);
    // What is there already is no matter of the plan.
    let text = String::from_utf8(folder.done(&format!("{PLAN} -o c/ --dry-run"))).unwrap();
    assert!(text.contains("big=200x200 f32: normal:std=0.01,mean=0; std 0.01\n"), "{text}");
    assert!(text.contains("7 tensors, 81,501 parameters, 326,004 bytes of values; files: 6, "), "{text}");
    let matrix = folder.done("init orthogonal 300x200 --dry-run --json");
    let matrix: Value = serde_json::from_slice(&matrix).unwrap();
    assert!(matrix["workspace_bytes"].as_u64().unwrap() >= 4 * 300 * 200, "{matrix}");
}

#[test]
fn seventy_billion_parameters_are_planned_in_little_memory() {
    if !has(TIME.trim_start_matches("/usr/bin/"), "the memory of a plan") {
        return;
    }
    let folder = Folder::new();
    let mut shapes = vec!["embed=32000x8192".to_string(), "head=32000x8192".into()];
    for layer in 0..80 {
        for (name, shape) in [("q", "8192x8192"), ("o", "8192x8192"), ("k", "8192x1024"), ("v", "8192x1024")] {
            shapes.push(format!("layers.{layer}.{name}={shape}"));
        }
        shapes.extend(["gate", "up", "down"].map(|name| format!("layers.{layer}.{name}=8192x28672")));
    }
    let message = folder.join("message");
    let mut command = folder.command(TIME);
    command
        .args(["-q", "-f", "%M", "-o"])
        .arg(&message)
        .arg(crate::common::FANIN)
        .args(["init", "normal"])
        .args(&shapes);
    let ended = Ended::of(command.args(["--dtype", "bf16", "--max-shard-size", "5GB", "-o", "c/", "--dry-run"]));
    assert_eq!(ended.status, 0, "{}", ended.stderr);
    let text = String::from_utf8(ended.stdout).unwrap();
    assert!(text.contains("562 tensors, 68,975,329,280 parameters"), "{}", text.lines().last().unwrap_or_default());
    let memory = peak_memory(&message);
    assert!(memory < 64 << 20, "{memory} bytes");
}
