//! `fanin model`: what a recipe describes is what is written.

use serde_json::Value;

use crate::common::{Ended, Folder};

const RECIPE: &str = r#"
seed = 3
[constants]
hidden = 8
layers = 2
inner = "4 * hidden"
std = 0.02
norm = "'ones'"
[constants.text]
width = "inner // 2"
[require]
"hidden % 4 == 0" = "hidden must be a multiple of 4"
[rules]
"*.bias" = "zeros"
"*norm.weight" = "{norm}"
"*down.weight" = "normal:std={std / sqrt(2 * layers)}"
"*" = { scheme = "normal:std={std}", layout = "torch" }
[tensors]
"wte.weight" = [10, "hidden"]
"wpe.weight" = "{inner}x{text.width}"
"head.weight" = { tied = "wte.weight" }
"own" = { shape = ["hidden"], scheme = "constant:2", dtype = "f16" }
"absent" = { shape = ["hidden"], when = "layers > 2" }
[[blocks]]
repeat = { i = "layers" }
prefix = "h.{i}."
[blocks.tensors]
"norm.weight" = ["hidden"]
"down.weight" = ["hidden", "inner"]
[[blocks.blocks]]
repeat = { p = ["q", "k"] }
when = "i == 0 or p == 'q'"
tensors = { "{p}.weight" = ["hidden", "hidden"], "{p}.bias" = ["hidden"] }
"#;

fn report(folder: &Folder, line: &str) -> Value {
    serde_json::from_slice(&folder.done(line)).unwrap()
}

fn names(report: &Value) -> Vec<&str> {
    report["tensors"].as_array().unwrap().iter().map(|tensor| tensor["name"].as_str().unwrap()).collect()
}

#[test]
fn a_family_is_distinguished_from_a_file() {
    let folder = Folder::new();
    let message = |line: &str| Ended::of(&mut folder.fanin(line)).stderr;
    let refused = message("model nosuch -o x.npz");
    assert!(refused.contains("SPEC is not a file"), "{refused}");
    assert!(refused.contains("unknown model family `nosuch`; `fanin list models` shows all"), "{refused}");
    let refused = message("model bert-base-uncased -o x.npz");
    assert!(refused.contains("unknown model family `bert-base-uncased`; did you mean `bert`?"), "{refused}");
    let tiny = "model gpt2 --set n_layer=1 --set n_embd=12 --set vocab_size=9 -o";
    let note = "config.json is not written: use `-o DIR/` to write it with the weights";
    assert!(message(&format!("{tiny} x.safetensors")).contains(note));
    assert!(!message(&format!("{tiny} x/")).contains(note));
    assert!(folder.join("x/config.json").is_file());
    for name in ["w.raw", "w.json"] {
        folder.done(&format!("init he-normal w=3x2 -q -o {name}"));
        folder.write("zero.toml", "[rules]\n\"*\" = \"zeros\"\n");
        folder.done(&format!("model {name} --rules zero.toml -q -o like-{name}.npz"));
    }
    assert!(folder.shell("$FANIN model - -o y.npz < w.json").stderr.contains("name a weights file instead"));
}

/// The config.json that a command writes into `out/`.
fn config(folder: &Folder, line: &str) -> Value {
    folder.done(&format!("model {line} -q --force -o out/"));
    serde_json::from_slice(&folder.read("out/config.json")).unwrap()
}

const TINY: &str = "llama --set hidden_size=8 --set num_attention_heads=2 --set num_key_value_heads=1 --set vocab_size=9 \
    --set intermediate_size=4 --set num_hidden_layers=1";

#[test]
fn the_number_of_labels_has_priority_over_their_names() {
    let folder = Folder::new();
    for (labels, count) in [(r#""num_labels": 5, "#, 5), ("", 3)] {
        let names = r#""id2label": {"0": "a", "1": "b", "2": "c"}"#;
        let config = format!(
            r#"{{"model_type": "llama", "architectures": ["LlamaForSequenceClassification"], "num_hidden_layers": 1, {labels}{names}}}"#
        );
        folder.write("labels.json", config);
        let report = report(&folder, "model labels.json --dry-run --json -o x/");
        let tensors = report["tensors"].as_array().unwrap();
        let head = tensors.iter().find(|tensor| tensor["name"] == "score.weight").unwrap();
        assert_eq!(head["shape"], serde_json::json!([count, 4096]));
    }
}

#[test]
fn a_written_config_has_as_many_labels_as_the_weights() {
    let folder = Folder::new();
    let tiny = "bart --set d_model=16 --set vocab_size=60 --set encoder_layers=1 --set decoder_layers=1 --set encoder_ffn_dim=4 \
        --set decoder_ffn_dim=4 --set max_position_embeddings=8";
    // The library's default for BART is three.
    for (set, count) in [("", 3), (" --set num_labels=2", 2), (" --set num_labels=5", 5)] {
        let line = format!("{tiny}{set} --set architectures=[\"BartForSequenceClassification\"]");
        let written = config(&folder, &line);
        assert_eq!(written["id2label"].as_object().unwrap().len(), count, "{set}: {written}");
        let report = report(&folder, "model out/config.json --dry-run --json -o x/");
        let tensors = report["tensors"].as_array().unwrap();
        let head = tensors.iter().find(|tensor| tensor["name"] == "classification_head.out_proj.bias").unwrap();
        assert_eq!(head["shape"], serde_json::json!([count]), "{set}");
        folder.done("verify out/model.safetensors -q");
    }
}

#[test]
fn a_key_that_shapes_no_tensor_is_set_and_every_key_is_written() {
    let folder = Folder::new();
    let set =
        "--set rope_theta=500000 --set rms_norm_eps=1 --set eos_token_id=[1,2] --set use_cache=0 --set num_labels=3";
    let written = config(&folder, &format!("{TINY} {set}"));
    assert_eq!(written["rope_parameters"], serde_json::json!({"rope_theta": 500_000.0, "rope_type": "default"}));
    assert!(written["rms_norm_eps"].is_f64(), "{written}");
    assert_eq!(written["use_cache"], false);
    assert_eq!(written["eos_token_id"], serde_json::json!([1, 2]));
    assert_eq!(written["id2label"]["2"], "LABEL_2");
    assert_eq!(written["head_dim"], 4, "a value that is computed fits the others");
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let facts = include_str!("../../src/model/configs/llama.json");
    for key in keys(&serde_json::from_str::<Value>(facts).unwrap()["keys"]) {
        assert!(written.get(&key).is_some(), "{key} is missing: {written}");
    }
    let clip = "clip --set text_config.num_hidden_layers=1 --set vision_config.num_hidden_layers=1 \
        --set text_config.hidden_act=gelu --set text_config.vocab_size=9";
    let written = config(&folder, clip);
    assert_eq!(written["text_config"]["hidden_act"], "gelu");
    assert_eq!(written["text_config"]["model_type"], "clip_text_model");
    assert_eq!(written["vision_config"]["layer_norm_eps"], 1e-5);
}

#[test]
fn a_key_that_the_class_lacks_is_refused_by_name() {
    let folder = Folder::new();
    for (set, message) in [
        ("n_embd=8", "--set `n_embd`: no such key in llama"),
        ("rms_norm_epsilon=1e-5", "did you mean `rms_norm_eps`?"),
        ("hidden_act=3", "`hidden_act` is `3`: it must be text"),
        ("use_cache=2", "`use_cache` is `2`: it must be true or false"),
        ("head_dim=7", "rotary positions"),
        ("rope_parameters.rope_type=linear", "`rope_parameters.factor` is missing"),
        ("rope_theta=abc", "`rope_parameters.rope_theta` is `\"abc\"`: it must be a number"),
        ("rope_theta=null", "`rope_parameters.rope_theta` is `null`: it must be a number"),
        ("rope_scaling=linear", "`rope_scaling` is `\"linear\"`: it must be a table or null"),
        ("model_type=gpt2", "another family needs another config.json"),
    ] {
        let refused = Ended::of(&mut folder.fanin(&format!("model {TINY} --dry-run --set {set}")));
        assert!(refused.is_refusal() && refused.stderr.contains(message), "{set}: {}", refused.stderr);
    }
    let nested = Ended::of(&mut folder.fanin("model clip --dry-run --set text_config.hiden_size=8"));
    assert!(nested.stderr.contains("did you mean `text_config.hidden_size`?"), "{}", nested.stderr);
}

#[test]
fn a_config_of_another_version_is_read_as_the_library_reads_it() {
    let folder = Folder::new();
    let t5 = r#""model_type": "t5", "vocab_size": 9, "d_model": 8, "d_kv": 4, "d_ff": 6, "num_heads": 2"#;
    let clip = r#""hidden_size": 8, "intermediate_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2"#;
    let llama = r#""model_type": "llama", "vocab_size": 9, "hidden_size": 8, "intermediate_size": 4, "num_hidden_layers": 1,
        "num_attention_heads": 2, "num_key_value_heads": 2"#;
    for (text, name, shape, note) in [
        (
            format!("{t5}, \"num_layers\": 1, \"is_gated_act\": true"),
            "encoder.block.0.layer.1.DenseReluDense.wi_0.weight",
            vec![6, 8],
            "",
        ),
        // The library counts the layers of the decoder before it reads the second name.
        (format!("{t5}, \"num_hidden_layers\": 1"), "decoder.block.5.layer.0.layer_norm.weight", vec![8], ""),
        (format!("{t5}, \"hidden_size\": 4, \"num_layers\": 1"), "shared.weight", vec![9, 4], ""),
        (
            format!("{t5}, \"num_layers\": 1, \"architectures\": [\"T5WithLMHeadModel\"]"),
            "shared.weight",
            vec![9, 8],
            "`T5WithLMHeadModel` is not one of t5: T5ForConditionalGeneration is used",
        ),
        (
            format!(
                "\"model_type\": \"clip\", \"vision_config\": {{{clip}}}, \"text_config_dict\": {{{clip}, \"vocab_size\": 7}}"
            ),
            "text_model.embeddings.token_embedding.weight",
            vec![7, 8],
            "",
        ),
        (format!("{llama}, \"tie_word_embeddings\": null"), "lm_head.weight", vec![9, 8], ""),
        (
            format!("{llama}, \"architectures\": [\"OwnModelForCausalLM\"]"),
            "lm_head.weight",
            vec![9, 8],
            "LlamaForCausalLM is used",
        ),
        (format!("{llama}, \"quantization_config\": null, \"odd\": NaN"), "lm_head.weight", vec![9, 8], ""),
        (
            llama.replacen("\"model_type\": \"llama\"", "\"architectures\": [\"LlamaModel\"]", 1),
            "embed_tokens.weight",
            vec![9, 8],
            "`model_type` is missing: llama is taken from `architectures`",
        ),
    ] {
        folder.write("config.json", format!("{{{text}}}"));
        let report = report(&folder, "model config.json --dry-run --json");
        let tensors = report["tensors"].as_array().unwrap();
        let found = tensors.iter().find(|tensor| tensor["name"] == name).unwrap_or_else(|| panic!("{name}: {text}"));
        assert_eq!(found["shape"], serde_json::json!(shape), "{name}: {text}");
        assert!(report["notes"].to_string().contains(note), "{text}: {}", report["notes"]);
    }
}

#[test]
fn a_setting_counts_before_a_refusal() {
    let folder = Folder::new();
    let llama = r#"{"model_type": "llama", "vocab_size": 9, "hidden_size": 8, "num_attention_heads": 2, "num_key_value_heads": 2, "#;
    for (further, set, message) in [
        (r#""quantization_config": {"bits": 4}"#, "quantization_config=null", "use `--set quantization_config=null`"),
        (r#""intermediate_size": null"#, "intermediate_size=4", "`intermediate_size` is `null`: it must be an integer"),
        (r#""head_dim": 7"#, "head_dim=4", "rotary positions"),
        (r#""architectures": "LlamaModel""#, "architectures=null", "it must be a list or null"),
    ] {
        folder.write("config.json", format!("{llama}{further}}}"));
        let refused = Ended::of(&mut folder.fanin("model config.json --dry-run"));
        assert!(refused.is_refusal() && refused.stderr.contains(message), "{}", refused.stderr);
        folder.done(&format!("model config.json --dry-run --set {set}"));
    }
    folder.write(
        "config.json",
        format!("{llama}\"initializer_range\": 1, \"num_hidden_layers\": 1.0, \"intermediate_size\": 4}}"),
    );
    let written = config(&folder, "config.json");
    assert!(written["initializer_range"].is_f64() && written["num_hidden_layers"].is_u64(), "{written}");
}

#[test]
fn tensors_have_the_order_of_the_recipe() {
    let folder = Folder::new();
    folder.write("r.toml", RECIPE);
    let report = report(&folder, "model r.toml -o out.safetensors --json");
    assert_eq!(
        names(&report),
        [
            "wte.weight",
            "wpe.weight",
            "own",
            "h.0.norm.weight",
            "h.0.down.weight",
            "h.0.q.weight",
            "h.0.q.bias",
            "h.0.k.weight",
            "h.0.k.bias",
            "h.1.norm.weight",
            "h.1.down.weight",
            "h.1.q.weight",
            "h.1.q.bias",
        ]
    );
    let tensors = &report["tensors"];
    assert_eq!(tensors[1]["shape"], serde_json::json!([32, 16]));
    assert_eq!(tensors[2]["dtype"], "f16");
    assert_eq!(tensors[3]["scheme"], "ones");
    assert_eq!(tensors[4]["std"], 0.01);
    assert_eq!(tensors[5]["layout"], "oi");
    assert_eq!(tensors[6]["scheme"], "zeros", "the first rule that matches wins");
    assert_eq!(report["seed"], 3);
    let notes = report["notes"].to_string();
    assert!(notes.contains("head.weight is tied to wte.weight and not written"), "{notes}");
}

#[test]
fn values_are_those_of_init() {
    let folder = Folder::new();
    folder.write("r.toml", RECIPE);
    folder.done("model r.toml -o model/ --format npy");
    folder.done("init normal:std=0.02 wte.weight=10x8 h.1.q.weight=8x8 --seed 3 --layout torch -o init/ --format npy");
    folder.done("init normal:std=0.01 h.0.down.weight=8x32 --seed 3 --layout torch -o init/ --format npy");
    for name in ["wte.weight", "h.1.q.weight", "h.0.down.weight"] {
        let read = |of: &str| folder.read(&format!("{of}/{name}.npy"));
        assert_eq!(read("model"), read("init"), "{name}");
    }
}

#[test]
fn constants_seed_dtype_and_layout_are_overridden() {
    let folder = Folder::new();
    folder.write("r.toml", RECIPE);
    let set = "--set hidden=4 --set layers=1 --set inner=6 --set text.width=5 --set norm=zeros";
    let report = report(&folder, &format!("model r.toml {set} --seed 9 --dtype f64 -o out.npz --json"));
    assert_eq!(names(&report).last(), Some(&"h.0.k.bias"));
    assert_eq!(report["tensors"][1]["shape"], serde_json::json!([6, 5]));
    assert_eq!(report["tensors"][0]["dtype"], "f64");
    assert_eq!(report["tensors"][2]["dtype"], "f16", "a tensor's own type stays");
    assert_eq!(report["tensors"][3]["scheme"], "zeros", "what is set is text, and no expression");
    assert_eq!(report["seed"], 9);
}

#[test]
fn json_and_standard_input_give_the_same_bytes() {
    let folder = Folder::new();
    let toml = "seed = 5\n[constants]\nn = 3\n[rules]\n\"*\" = \"normal:std={1 / n}\"\n[tensors]\nb = [\"n\"]\na = \"{n}x2\"\n\
                [[blocks]]\nrepeat = { i = 2 }\nprefix = \"{i}.\"\ntensors = { w = [2] }\n";
    let json = r#"{"seed": 5, "constants": {"n": 3}, "rules": {"*": "normal:std={1 / n}"},
        "tensors": {"b": ["n"], "a": "{n}x2"}, "blocks": [{"repeat": {"i": 2}, "prefix": "{i}.", "tensors": {"w": [2]}}]}"#;
    folder.write("r.toml", toml);
    folder.write("r.json", json);
    folder.write("bom.toml", format!("\u{feff}{toml}"));
    folder.done("model r.toml -o 1.npz");
    folder.done("model r.json -o 2.npz");
    folder.done("model bom.toml -o 3.npz");
    assert_eq!(folder.shell("$FANIN model - -o 4.npz < r.toml && $FANIN model - -o 5.npz < r.json").status, 0);
    for file in ["2.npz", "3.npz", "4.npz", "5.npz"] {
        assert!(folder.read(file) == folder.read("1.npz"), "{file}");
    }
}

#[test]
fn the_product_of_a_list_of_integers_is_a_size() {
    let folder = Folder::new();
    let recipe = |size: &str| {
        format!("rules = {{ \"*\" = \"zeros\" }}\n[constants]\nratios = [2, 3, 4]\n[tensors]\nw = [\"{size}\"]\n")
    };
    folder.write("r.toml", recipe("ratios|product + 1"));
    let printed = String::from_utf8(folder.done("model r.toml --dry-run")).unwrap();
    assert!(printed.contains("w=25 f32"), "{printed}");
    for (size, error) in [
        ("[9000000000, 9000000000]|product", "the product is too large"),
        ("['a']|product", "cannot convert string to i64"),
        ("3|product", "not iterable"),
    ] {
        folder.write("r.toml", recipe(size));
        let refused = Ended::of(&mut folder.fanin("model r.toml --dry-run"));
        assert!(refused.is_refusal() && refused.stderr.contains(error), "{}", refused.stderr);
    }
}
