//! `fanin explain`: anything that has a name.

use crate::common::{Ended, Folder};
use serde_json::Value;

/// The names of all schemes in `fanin list schemes`.
fn schemes(folder: &Folder) -> Vec<String> {
    let listed = String::from_utf8(folder.done("list schemes")).unwrap();
    let rows = listed.lines().filter_map(|line| line.strip_prefix("  ")?.split_once(' '));
    rows.map(|(name, _)| name.to_string()).collect()
}

fn explain(folder: &Folder, name: &str) -> String {
    String::from_utf8(folder.done(&format!("explain {name}"))).unwrap()
}

/// The text of a section, which begins with its word in the third column.
fn section<'t>(text: &'t str, word: &str) -> &'t str {
    let start = text.find(&format!("\n  {word} ")).unwrap_or_else(|| panic!("no {word} in {text}"));
    text[start..].trim_start().strip_prefix(word).unwrap().trim_start()
}

#[test]
fn every_scheme_has_a_formula_a_source_and_an_example_that_runs() {
    let folder = Folder::new();
    folder.done("init normal:std=1 8x8 -q -o base.npy");
    let schemes = schemes(&folder);
    assert!(schemes.len() > 100, "{}", schemes.len());
    for name in schemes {
        let text = explain(&folder, &name);
        assert!(text.starts_with(&format!("{name}: ")), "{text}");
        for word in ["formula", "source"] {
            assert!(!section(&text, word).lines().next().unwrap().is_empty(), "{text}");
        }
        let example = section(&text, "example")
            .split("\n\n")
            .next()
            .unwrap()
            .strip_prefix("fanin ")
            .unwrap_or_else(|| panic!("{text}"));
        folder.done(&format!("{} -q --dry-run", example.split_whitespace().collect::<Vec<_>>().join(" ")));
    }
}

#[test]
fn a_scheme_is_explained_with_or_without_parameters() {
    let folder = Folder::new();
    let text = explain(&folder, "he-normal");
    assert_eq!(explain(&folder, "he-normal:gain=tanh"), text);
    assert!(section(&text, "parameters").starts_with("gain=relu: "), "{text}");
}

#[test]
fn a_framework_s_name_begins_with_its_meaning_and_has_the_framework_s_words_and_defaults() {
    let folder = Folder::new();
    for (name, means, words) in [
        ("keras.HeNormal", "variance-scaling:scale=2,mode=fan-in,distribution=truncated-normal", "scale=2: "),
        ("keras.RandomNormal", "normal:std=0.05", "stddev=0.05: "),
        ("keras.RandomUniform", "uniform:low=-0.05,high=0.05", "minval=-0.05: "),
        ("tf.RandomNormal", "normal:std=0.05", "stddev=0.05: "),
        ("torch.nn.init.kaiming_normal_", "he-normal", "nonlinearity=relu: "),
        ("torch.trunc_normal_", "truncated-normal:std=1,low=-2,high=2", "std=1: "),
        ("flax.uniform", "uniform:low=0,high=0.01", "scale=0.01: "),
        ("caffe.gaussian", "normal:std=1", "std=1: "),
        ("mxnet.Xavier", "magnitude-scaling", "rnd_type=uniform: "),
        ("numpy.normal", "normal:std=1", "scale=1: "),
    ] {
        let text = explain(&folder, name);
        let (first, rest) = text.split_once('\n').unwrap();
        assert!(first.ends_with(&format!(" is {means}")), "{name}: {first}");
        let parameters = section(rest, "parameters");
        let end = parameters.find("\n  scheme ").unwrap_or_else(|| panic!("{text}"));
        assert!(parameters[..end].lines().any(|line| line.trim_start().starts_with(words)), "{name}: {text}");
        assert!(!section(rest, "formula").is_empty());
    }
    let text = explain(&folder, "caffe.xavier");
    assert!(text.starts_with("caffe.xavier is lecun-uniform\n\n") && text.contains("  framework   Caffe, "), "{text}");
}

#[test]
fn the_example_of_every_framework_s_name_runs() {
    let folder = Folder::new();
    folder.done("init normal:std=1 8x8 -q -o base.npy");
    let listed = String::from_utf8(folder.done("list frameworks --json")).unwrap();
    let frameworks: Vec<Value> = serde_json::from_str(&listed).unwrap();
    let mut seen = 0;
    for framework in frameworks.iter().map(|row| row["name"].as_str().unwrap()) {
        let listed = String::from_utf8(folder.done(&format!("list schemes --framework {framework} --json"))).unwrap();
        let names: Vec<Value> = serde_json::from_str(&listed).unwrap();
        for name in names.iter().filter(|row| row["means"].is_string()).map(|row| row["name"].as_str().unwrap()) {
            let text = explain(&folder, &format!("{framework}.{name} --json"));
            let page: Value = serde_json::from_str(&text).unwrap();
            let example = page["example"].as_str().unwrap().strip_prefix("fanin ").unwrap();
            folder.done(&format!("{example} -q --dry-run"));
            seen += 1;
        }
    }
    assert!(seen > 440, "{seen}");
}

#[test]
fn a_name_that_frameworks_read_differently_has_all_their_meanings() {
    let text = explain(&Folder::new(), "HeNormal");
    assert!(text.starts_with("HeNormal is he-normal here\n"), "{text}");
    for part in ["keras.HeNormal", "variance-scaling:scale=2", "lasagne.HeNormal", "he-normal:gain=1"] {
        assert!(section(&text, "frameworks").contains(part), "{part} in {text}");
    }
    assert!(explain(&Folder::new(), "randn").starts_with("randn is normal:std=1 here\n"));
}

#[test]
fn every_registry_explains_its_names() {
    let folder = Folder::new();
    for (name, kind, parts) in [
        ("gelu", "gain", &["1.53353", "f(z) = z Phi(z)"] as &[&str]),
        ("lora", "family", &["lora-a", "lora-b"]),
        ("s4d", "family", &["s4d-real", "s4d-lin"]),
        ("hippo", "family", &["hippo-legs"]),
        ("pissa", "family", &["pissa-a", "pissa-base"]),
        ("npz", "format", &[".npz"]),
        (".safetensors", "format", &["named tensors"]),
        ("torch", "framework", &["kaiming_normal_", "calculate_gain"]),
        ("layout mlx", "layout", &["okki"]),
        ("native-1", "generator", &["seed"]),
        ("generator torch", "generator", &["--like torch"]),
        ("bert", "model", &["vocab_size=30522", "intermediate_size=3072", "BertForMaskedLM"]),
        ("rbm", "method", &["--learning-rate=", "Hinton"]),
        ("torch.nn.LSTM", "module", &["weight_ih_l0"]),
        ("--layout", "option", &["init: "]),
        ("-o", "option", &["--output"]),
        ("packing", "parameters", &["transposed"]),
        ("lsuv-init", "unsupported", &["orthogonal"]),
        ("he et al", "search", &["he-normal", "he-uniform"]),
        ("glorot 2010", "search", &["glorot-uniform", "glorot-normal"]),
        ("Kaiming", "search", &["he-normal", "he-uniform"]),
        ("xavier initialization", "search", &["glorot-uniform"]),
        ("standard initialization", "scheme", &["fan-in-uniform"]),
        ("normalized initialization", "scheme", &["glorot-uniform", "Glorot"]),
        ("delta orthogonal", "scheme", &["delta-orthogonal"]),
    ] {
        let text = explain(&folder, name);
        let page: Value = serde_json::from_str(&explain(&folder, &format!("--json {name}"))).unwrap();
        assert_eq!(page["kind"], kind, "{name}: {text}");
        for part in parts {
            assert!(text.contains(part), "{part} of {name}: {text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{name}: {text}");
    }
}

#[test]
fn a_name_of_several_registries_leads_to_each() {
    let folder = Folder::new();
    let text = explain(&folder, "torch");
    assert!(text.ends_with("Also: `fanin explain layout torch`, `fanin explain generator torch`\n"), "{text}");
    for kind in ["layout", "generator"] {
        let page: Value = serde_json::from_str(&explain(&folder, &format!("{kind} torch --json"))).unwrap();
        assert_eq!(page["kind"], kind);
    }
    let page: Value = serde_json::from_str(&explain(&folder, "torch --json")).unwrap();
    assert_eq!(page["also"], serde_json::json!(["layout", "generator"]));
}

#[test]
fn unknown_names_get_the_nearest_of_all_registries() {
    let folder = Folder::new();
    for (name, near) in [
        ("glorot-unifrom", "glorot-uniform"),
        ("gelo", "gelu"),
        ("berd", "bert"),
        ("tourch", "torch"),
        ("tourch.normal_", "torch"),
        ("safetensor", "safetensors"),
        ("--layot", "--layout"),
        ("keras.HeNormall", "HeNormal"),
        ("torch.nn.LSTN", "LSTM"),
    ] {
        let ended = Ended::of(&mut folder.fanin(&format!("explain {name}")));
        let suggestion = format!("did you mean `{near}`?");
        assert!(ended.is_refusal() && ended.stderr.contains(&suggestion), "{name}: {}", ended.stderr);
    }
    let ended = Ended::of(&mut folder.fanin("explain qqqqqqq"));
    assert!(ended.is_refusal() && ended.stderr.contains("`fanin list schemes --search WORD`"), "{}", ended.stderr);
}

#[test]
fn the_page_for_machines_has_what_the_text_has() {
    let folder = Folder::new();
    let page: Value = serde_json::from_str(&explain(&folder, "keras.RandomNormal --json")).unwrap();
    assert_eq!(page["kind"], "name");
    assert_eq!(page["name"], "keras.RandomNormal");
    assert_eq!(page["means"], "normal:std=0.05");
    assert_eq!(page["parameters"][0]["name"], "stddev");
    assert_eq!(page["parameters"][0]["default"], "0.05");
    assert_eq!(page["formula"], "w ~ N(mean, std^2)");
    let page: Value = serde_json::from_str(&explain(&folder, "he-normal --json")).unwrap();
    assert_eq!((&page["kind"], &page["means"]), (&"scheme".into(), &Value::Null));
    assert!(page["like"].as_array().unwrap().contains(&"torch".into()), "{page}");
}

#[test]
fn packing_is_explained_like_a_scheme() {
    let text = explain(&Folder::new(), "packing");
    for parameter in ["groups: ", "heads: ", "split: ", "axis: ", "transposed: "] {
        assert!(text.contains(parameter), "{parameter} in {text}");
    }
}

#[test]
fn a_model_has_its_kind_and_the_keys_of_its_configuration_with_types_and_other_names() {
    let folder = Folder::new();
    let page = String::from_utf8(folder.done("explain gpt2")).unwrap();
    for line in [
        "gpt2: a decoder model, as in transformers ",
        "  heads       GPT2LMHeadModel, GPT2Model, ",
        "  base        Model\n",
        "              n_embd=768: int; also hidden_size\n",
        "  other keys  architectures, ",
    ] {
        assert!(page.contains(line), "{line}: {page}");
    }
    let page: Value = serde_json::from_slice(&folder.done("explain clip --json")).unwrap();
    let key = |name: &str| page["keys"].as_array().unwrap().iter().find(|key| key["name"] == name).unwrap().clone();
    assert_eq!(key("text_config")["text"], "the configuration of a clip_text_model");
    assert_eq!(key("vision_config.image_size")["default"], "224");
}
