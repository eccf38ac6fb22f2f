//! The modules of `torch.nn` by their names, with torch's numbers and with native ones.

use std::collections::HashSet;

use crate::common::{Ended, Folder};

#[track_caller]
fn verify(folder: &Folder, line: &str, status: i32) -> String {
    let ended = Ended::of(&mut folder.fanin(&format!("verify {line}")));
    let said = format!("{}{}", String::from_utf8_lossy(&ended.stdout), ended.stderr);
    assert_eq!(ended.status, status, "fanin verify {line}: {said}");
    said
}

/// The names of the tensors of a command, in the order of the file, and its report.
#[track_caller]
fn drawn(folder: &Folder, line: &str) -> serde_json::Value {
    let report = folder.done(&format!("{line} --json -o w.npz --force"));
    serde_json::from_slice(&report).unwrap()
}

#[track_caller]
fn names(report: &serde_json::Value) -> Vec<String> {
    report["tensors"].as_array().unwrap().iter().map(|tensor| tensor["name"].as_str().unwrap().into()).collect()
}

#[test]
fn what_init_writes_by_a_module_s_name_verifies_as_that_module() {
    let folder = Folder::new();
    for line in [
        "torch.nn.Linear 8x9",
        "torch.nn.Linear z=8x9 b=4x8",
        "torch.nn.Linear 8x9 4x8 3x3 3x3 3x3 3x3 3x3 3x3 3x3 3x3 2x2",
        "nn.Conv2d:groups=4 32x4x3x3",
        "torch.nn.ConvTranspose1d 4x4x3",
        "torch.nn.MultiheadAttention 24x8",
        "torch.nn.MultiheadAttention:kdim=4 8x8",
        "torch.nn.LSTM:num_layers=2 16x3",
        "torch.nn.GRUCell 12x3",
        "torch.nn.EmbeddingBag:padding_idx=-1 12x3",
        "torch.nn.Transformer:num_encoder_layers=2,num_decoder_layers=1 9x4",
    ] {
        let module = line.split(' ').next().unwrap();
        for like in ["", "--like torch"] {
            for file in ["w.safetensors", "w.npz", "w.pt"] {
                folder.done(&format!("init {line} {like} --seed 5 -q --force -o {file}"));
                verify(&folder, &format!("{file} --scheme {module} {like} --seed 5"), 0);
            }
            verify(&folder, &format!("w.pt --scheme {module} {like} --seed 6"), 1);
            verify(&folder, &format!("w.pt --scheme {module} --distribution"), 0);
        }
    }
}

#[test]
fn a_part_of_a_module_verifies_and_a_file_without_one_is_refused() {
    let folder = Folder::new();
    folder.done("init torch.nn.LSTM 16x3 --like torch -q -o w.npz");
    let said = verify(&folder, "w.npz --scheme torch.nn.LSTM --like torch --seed 0 --tensor bias*", 0);
    assert!(said.contains("2 tensors"), "{said}");
    let refusal = verify(&folder, "w.npz --scheme torch.nn.Linear --seed 0", 2);
    assert!(refusal.contains("no tensor is named `weight` or `NAME.weight`"), "{refusal}");
    let refusal = verify(&folder, "w.npz --scheme torch.nn.LSTM --like jax --seed 0", 2);
    assert!(refusal.contains("which jax cannot draw"), "{refusal}");
    // The scheme draws a single tensor.
    folder.done("init fan-in-uniform w=5x3 --like torch -q -o one.npz");
    verify(&folder, "one.npz --scheme fan-in-uniform --like torch --seed 0", 0);
}

#[test]
fn modules_have_the_order_of_state_dict_for_any_order_of_draws() {
    let folder = Folder::new();
    let attention = ["in_proj_weight", "in_proj_bias", "bias_k", "bias_v", "out_proj.weight", "out_proj.bias"];
    let report = drawn(&folder, "init torch.nn.MultiheadAttention:add_bias_kv=true 12x4 --like torch");
    assert_eq!(names(&report), attention);
    folder.write(
        "r.toml",
        "like = \"torch\"\n[tensors]\na = { layer = \"multihead_attention\", size = 4, add_bias_kv = true }\n",
    );
    assert_eq!(names(&drawn(&folder, "model r.toml")), attention.map(|name| format!("a.{name}")));
    let places: Vec<_> = report["tensors"].as_array().unwrap().iter().map(|tensor| tensor["order"].as_u64()).collect();
    assert_eq!(places, [Some(2), None, Some(3), Some(4), Some(0), Some(1)]);
    let projected = drawn(&folder, "init torch.nn.LSTM:proj_size=2 16x3");
    assert_eq!(names(&projected), ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "weight_hr_l0"]);
    let layer = drawn(&folder, "init torch.nn.TransformerEncoderLayer:bias=false 6x4");
    let expected =
        ["self_attn.in_proj_weight", "self_attn.out_proj.weight", "linear1.weight", "linear2.weight", "norm1.weight"];
    assert_eq!(names(&layer)[..5], expected);
}

#[test]
fn the_layers_of_a_stack_are_copies_with_torch_s_numbers_and_draw_their_own_without() {
    let folder = Folder::new();
    let hashes = |like: &str| {
        folder.done(&format!("init torch.nn.TransformerEncoder:num_layers=3 6x4 {like} -q --format npy -o {}/", "d"));
        let of = |number: u32| folder.read(&format!("d/layers.{number}.linear1.weight.npy"));
        let different: HashSet<Vec<u8>> = (0..3).map(of).collect();
        std::fs::remove_dir_all(folder.join("d")).unwrap();
        different.len()
    };
    assert_eq!((hashes("--like torch"), hashes("")), (1, 3));
    let report = drawn(&folder, "init torch.nn.TransformerEncoder:num_layers=3 6x4");
    assert!(report["notes"].to_string().contains("torch copies one layer"), "{}", report["notes"]);
}

#[test]
fn a_transformer_is_written_in_shards_and_derived_again_from_its_recipe() {
    let folder = Folder::new();
    let line = "init torch.nn.Transformer:num_encoder_layers=2,num_decoder_layers=2 40x20 --like torch --seed 3";
    folder.done(&format!("{line} -q -o whole.safetensors"));
    folder.done(&format!("{line} -q --max-shard-size 20kB -o shards/"));
    verify(&folder, "whole.safetensors", 0);
    verify(&folder, "shards/", 0);
    verify(&folder, "whole.safetensors --distribution", 0);
    verify(
        &folder,
        "shards/ --scheme torch.nn.Transformer:num_encoder_layers=2,num_decoder_layers=2 --like torch --seed 3",
        0,
    );
}

#[test]
fn the_bias_of_a_layer_without_inputs_is_zero_and_takes_its_numbers_all_the_same() {
    let folder = Folder::new();
    for (module, empty) in [("Linear", "3x0"), ("Conv2d", "3x0x3x3"), ("ConvTranspose1d", "2x3x0")] {
        folder.done(&format!("init torch.nn.{module} {empty} --like torch -q --force --format npy -o d/"));
        let values = folder.read("d/bias.npy");
        assert!(values[128..].iter().all(|&byte| byte == 0), "{module}");
    }
    folder.done("init torch.nn.Linear a=3x0 b=1x1 --like torch -q --force -o pair.pt");
    folder.done("init torch.uniform_ a=3 b=1x1 --like torch -q --force -o other.pt");
    verify(&folder, "pair.pt --scheme torch.nn.Linear --like torch --seed 0", 0);
    let value = |line: &str| String::from_utf8(folder.done(line)).unwrap();
    assert_ne!(
        value("init torch.nn.Linear b=1x1 --like torch --format json -o -"),
        value("init torch.nn.Linear a=3x0 b=1x1 --like torch --format json -o -")
    );
}

#[test]
fn a_padding_row_is_counted_from_either_end() {
    let folder = Folder::new();
    for (given, row) in [("2", 2), ("-1", 6), ("-7", 0)] {
        for line in [
            format!("torch.nn.Embedding:padding_idx={given}"),
            format!("torch.nn.EmbeddingBag:padding_idx={given}"),
            format!("embedding:padding={given}"),
        ] {
            let report = drawn(&folder, &format!("init {line} 7x3"));
            let scheme = report["tensors"][0]["scheme"].as_str().unwrap();
            assert!(scheme.contains(&format!("padding={row}")), "{line}: {scheme}");
        }
    }
}

#[test]
fn a_prelu_has_one_slope_and_no_note() {
    let folder = Folder::new();
    for like in ["", "--like torch"] {
        let report = drawn(&folder, &format!("init torch.nn.PReLU:init=0.1 3 {like}"));
        assert_eq!(report["tensors"][0]["scheme"], "constant:value=0.1");
        assert!(!report["notes"].to_string().contains("torch.constant_"), "{}", report["notes"]);
    }
}

#[test]
fn modules_refuse_what_torch_refuses() {
    let folder = Folder::new();
    for (line, message) in [
        ("torch.nn.Embedding:padding_idx=7 7x3", "within the 7 rows"),
        ("torch.nn.EmbeddingBag:padding_idx=-8 7x3", "within the 7 rows"),
        ("torch.nn.MultiheadAttention:num_heads=3 24x8", "`heads` is 3"),
        ("torch.nn.TransformerEncoderLayer:nhead=3 6x4", "`heads` is 3"),
        ("torch.nn.Transformer:nhead=0 6x4", "`heads` is 0"),
        ("torch.nn.Transformer:activation=tanh 6x4", "relu or gelu"),
        ("torch.nn.LSTM:proj_size=4 16x3", "below the 4 hidden units"),
        ("torch.nn.LSTM:proj_size=-1 16x3", "`proj` is -1"),
        (
            "torch.nn.LSTM:num_layer=2 12x3",
            "unknown parameter `num_layer`: use bias, num_layers, bidirectional or proj_size; did you mean `num_layers`?",
        ),
        ("torch.nn.GRU:proj_size=2 12x3", "unknown parameter `proj_size`: use bias, num_layers or bidirectional"),
        ("torch.nn.RNN 4x0", "must be 1 or more"),
        ("torch.nn.Bilinear 2x0x3", "must be 1 or more"),
        ("torch.nn.GroupNorm:num_groups=3 4", "not a multiple of the 3 groups"),
        ("torch.nn.InstanceNorm1d 4", "it has no tensors"),
        ("torch.nn.TransformerDecoder:num_layers=100000 6x4", "at most 2^12"),
        ("torch.nn.Transformer 6", "needs the shape of its encoder.layers.0.linear1.weight"),
        ("torch.nn.PReLU:init=x 1", "`init` is `x`"),
    ] {
        for like in ["", "--like torch"] {
            let ended = Ended::of(&mut folder.fanin(&format!("init {line} {like} -o w.npz")));
            assert!(ended.is_refusal() && ended.stderr.contains(message), "{line}: {}", ended.stderr);
        }
    }
}

#[test]
fn a_module_of_torch_means_all_its_tensors_with_and_without_torch_s_values() {
    let folder = Folder::new();
    for like in ["", "--like torch"] {
        let lstm = drawn(&folder, &format!("init torch.nn.LSTM 8x3 {like}"));
        assert_eq!(names(&lstm), ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]);
        let linear = drawn(&folder, &format!("init torch.nn.Linear fc=8x3 {like}"));
        assert_eq!(names(&linear), ["fc.weight", "fc.bias"]);
        let scheme = drawn(&folder, &format!("init fan-in-uniform 8x3 --layout torch {like}"));
        assert_eq!(names(&scheme), ["weight"]);
        for (other, hint) in [
            ("torch.LSTM", "write torch.nn before the name"),
            ("torch.Linear", "`fan-in-uniform`"),
            ("torch-linear", "unknown scheme `torch-linear`"),
            ("torch.nn.LTSM", "did you mean `LSTM`?"),
        ] {
            let ended = Ended::of(&mut folder.fanin(&format!("init {other} 8x3 {like} -o o.npz")));
            assert!(ended.is_refusal() && ended.stderr.contains(hint), "{other}: {}", ended.stderr);
        }
    }
}
