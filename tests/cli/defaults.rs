//! Defaults that load: a format's layout, the size of a model before the work, and repeated layers on one line.

use serde_json::Value;

use crate::common::{Ended, Folder};

/// Three layers of equal shapes.
const STACK: &str = "[[blocks]]\nrepeat = { i = 3 }\n[blocks.tensors]\n\"h.{i}.weight\" = [8, 6]\n\"h.{i}.bias\" = [6]\n\
                     [rules]\n\"*.bias\" = \"zeros\"\n\"*\" = \"he-normal\"\n";

/// The report of a command that must succeed.
#[track_caller]
fn report(folder: &Folder, line: &str) -> String {
    let ended = Ended::of(&mut folder.fanin(line));
    assert_eq!(ended.status, 0, "{line}: {}", ended.stderr);
    ended.stderr
}

#[test]
fn a_pt_file_has_the_layout_of_torch_unless_something_else_sets_it() {
    let folder = Folder::new();
    folder.write("r.toml", STACK);
    folder.write("io.toml", format!("layout = \"io\"\n{STACK}"));
    folder.write("x.csv", "1,0,2,1\n0,1,1,0\n1,1,0,2\n2,0,1,1\n");
    for command in [
        "mlp 4-3-2",
        "init he-normal a=4x3 b=3x3x4x2",
        "model r.toml",
        "pretrain pca 4-2 --data x.csv",
        "mlp 4-3-2 --format pt",
    ] {
        let report = report(&folder, &format!("{command} --force -o a.pt"));
        assert!(report.contains("note: axes are in torch's order, oi; --layout sets another\n"), "{report}");
        folder.done(&format!("{command} --force -o b.pt --layout torch -q"));
        folder.done(&format!("{command} --force -o c.pt --layout io -q"));
        let [by_default, torch, io] = ["a.pt", "b.pt", "c.pt"].map(|file| folder.read(file));
        assert!(by_default == torch && by_default != io, "{command}");
    }
    let warning = "note: axes are in the order io, but torch expects oi: use --layout torch\n";
    for command in ["mlp 4-3-2 --layout io", "mlp 4-3-2 --like jax", "model io.toml", "init he-normal 4x3 --layout io"]
    {
        let report = report(&folder, &format!("{command} --force -o a.pt"));
        assert!(report.contains(warning), "{command}: {report}");
    }
    // The transposed weights of gpt2 are those of its recipe.
    let tiny = "model gpt2 --set n_layer=1 --set n_embd=12 --set vocab_size=9";
    let noted = report(&folder, &format!("{tiny} --force -o a.pt"));
    assert!(!noted.contains("axes are"), "{noted}");
    for other in ["a.npz", "a.safetensors"] {
        let report = report(&folder, &format!("mlp 4-3-2 -o {other}"));
        assert!(report.contains("layer_0.weight=4x3") && !report.contains("axes are"), "{report}");
    }
}

#[test]
fn a_file_verifies_by_the_layout_that_it_was_written_with() {
    let folder = Folder::new();
    folder.write("r.toml", STACK);
    folder.done("model r.toml -q -o m.pt");
    folder.done("init he-normal 4x3 -q -o w.pt");
    for line in ["m.pt", "m.pt --recipe r.toml", "w.pt", "w.pt --scheme he-normal --seed 0"] {
        folder.done(&format!("verify {line}"));
    }
    assert_eq!(Ended::of(&mut folder.fanin("verify w.pt --scheme he-normal --seed 0 --layout io")).status, 1);
}

#[test]
fn a_perceptron_names_the_framework_that_loads_it() {
    let folder = Folder::new();
    for (layout, words) in [
        ("torch", "note: loads into torch.nn.Sequential, by load_state_dict\n"),
        ("mlx", "note: loads into mlx.nn.Sequential, by load_weights\n"),
        ("keras", "note: loads into keras.Sequential, by set_weights in the order above\n"),
        ("io", "note: no framework loads these names as they are: use --layout torch, keras, jax, lasagne, mlx\n"),
    ] {
        let report = report(&folder, &format!("mlp 4-3-2 --layout {layout} --force -o x.safetensors"));
        assert!(report.contains(words), "{report}");
    }
}

#[test]
fn the_sizes_of_a_model_are_reported_before_the_work() {
    let folder = Folder::new();
    folder.write("r.toml", STACK);
    let first = |line: &str| Ended::of(&mut folder.fanin(line)).stderr.lines().next().map(String::from);
    let sizes = "6 tensors, 162 parameters, 648 bytes of values";
    assert_eq!(first("model r.toml -o m/"), Some(format!("{sizes}; files: 1, 1,720 bytes")));
    assert_eq!(first("model r.toml --format npz -o -"), Some(sizes.into()));
    // A device that is full: the line comes before the error.
    let full = Ended::of(&mut folder.fanin("model r.toml --format safetensors -o /dev/full"));
    assert!(full.status != 0 && full.stderr.starts_with(&format!("{sizes}; files: 1, ")), "{}", full.stderr);
    // A refusal is still one line.
    assert!(Ended::of(&mut folder.fanin("model r.toml -o m/")).is_refusal());
    assert_eq!(first("model r.toml -q -o q.npz"), None);
    let planned = String::from_utf8(folder.done("model r.toml --dry-run -o d/")).unwrap();
    assert!(planned.starts_with(sizes), "{planned}");
}

#[test]
fn a_large_family_by_its_name_needs_yes() {
    let folder = Folder::new();
    let full = "--format safetensors -o /dev/full";
    let ended = |line: &str| Ended::of(&mut folder.fanin(line));
    let refused = ended("model llama -o big/");
    let message =
        "fanin: `llama` has 25.10 GiB of values: add --yes to write them, or choose a smaller size with --set\n";
    assert_eq!((refused.status, refused.stderr.as_str()), (2, message));
    assert!(folder.names().is_empty());
    folder.done("model llama --dry-run -o big/");
    folder.write("config.json", r#"{"model_type": "llama"}"#);
    for line in ["model llama --yes", "model config.json"] {
        let begun = ended(&format!("{line} {full}"));
        assert!(begun.stderr.starts_with("291 tensors, ") && !begun.stderr.contains("--yes"), "{}", begun.stderr);
    }
    folder.done("model llama --set num_hidden_layers=1 --set hidden_size=64 --set vocab_size=9 -q -o small/");
}

#[test]
fn repeated_layers_share_a_line_of_the_report() {
    let folder = Folder::new();
    folder.write("r.toml", STACK);
    let folded = report(&folder, "model r.toml -o a.npz");
    let shared = "h.{0..2}.weight=8x6 f32: he-normal:gain=relu,mode=fan-in; fan_in 8, fan_out 6, std 0.5 (x3)\n\
                  h.{0..2}.bias=6 f32: zeros; mean 0, std 0 (x3)\n";
    assert!(folded.contains(shared) && !folded.contains("h.1.weight"), "{folded}");
    let all = report(&folder, "model r.toml --verbose -o b.npz");
    for name in ["h.0.weight", "h.1.weight", "h.2.bias"] {
        assert!(all.contains(&format!("{name}=")), "{all}");
    }
    let report: Value = serde_json::from_slice(&folder.done("model r.toml --json -o c.npz")).unwrap();
    assert_eq!(report["tensors"].as_array().unwrap().len(), 6);
    // Another standard deviation is another line.
    folder.write("depth.toml", STACK.replace("\"he-normal\"", "\"normal:std=0.1\"").replace("\"*.bias\"", "\"h.1.*\""));
    let parted = self::report(&folder, "model depth.toml -o d.npz");
    for name in ["h.0.weight", "h.1.weight", "h.2.bias"] {
        assert!(parted.contains(&format!("{name}=")), "{parted}");
    }
}
