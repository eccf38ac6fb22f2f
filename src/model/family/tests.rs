//! Tests of models from and to `config.json`.

use serde_json::json;

use super::*;
use crate::tensor::DType;

const TINY: &str = r#"{"model_type": "llama", "hidden_size": 8, "num_attention_heads": 2, "vocab_size": 9, "intermediate_size": 5,
    "num_hidden_layers": 2, "architectures": ["LlamaModel"]}"#;

fn of(text: &str, settings: &[(&str, Value)], asked: &Request) -> Result<Configured> {
    let settings: Vec<_> = settings.iter().map(|(key, value)| ((*key).to_string(), value.clone())).collect();
    from_config(text, &settings, asked)
}

fn refusal(text: &str, settings: &[(&str, Value)]) -> String {
    format!("{:#}", of(text, settings, &Request::default()).unwrap_err())
}

fn names(configured: &Configured) -> Vec<&str> {
    configured.model.plan.tensors().iter().map(|tensor| tensor.name().as_str()).collect()
}

#[test]
fn every_family_makes_each_of_its_models() {
    let families = Family::all().unwrap();
    assert_eq!(families.len(), library::names().count());
    for family in &families {
        for architecture in family.classes() {
            // The library has no default for these.
            let needed = [
                ("esm", "vocab_size"),
                ("time_series_transformer", "prediction_length"),
                ("vilt", "num_images"),
                ("wav2vec2-bert", "vocab_size"),
            ];
            let needed = needed.iter().filter(|(model_type, _)| *model_type == family.model_type);
            let mut settings = vec![("architectures".to_string(), json!([architecture]))];
            settings.extend(needed.map(|(_, key)| ((*key).to_string(), json!(33))));
            let made = from_defaults(family, &settings, &Request::default());
            let made = made.unwrap_or_else(|error| panic!("{architecture}: {error:#}"));
            let text = String::from_utf8(made.config).unwrap();
            let again = of(&text, &[], &Request::default()).unwrap();
            assert_eq!(again.config, text.into_bytes(), "{architecture}: what is written is taken back");
            assert_eq!(again.model.plan.bytes(), made.model.plan.bytes());
        }
    }
}

#[test]
fn a_part_that_is_absent_by_default_is_made_if_one_of_its_keys_is_there() {
    let towers = |configured: &Configured| {
        let has = |word: &str| names(configured).iter().any(|name| name.contains(word));
        (has("vision_tower."), has("audio_tower."))
    };
    let gemma4 =
        |settings: &[(String, Value)]| from_defaults(&Family::find("gemma4").unwrap(), settings, &Request::default());
    let one = gemma4(&[("vision_config.num_hidden_layers".into(), json!(1))]).unwrap();
    assert_eq!((towers(&gemma4(&[]).unwrap()), towers(&one)), ((false, false), (true, false)));
    let written = Config::parse(&String::from_utf8(one.config).unwrap()).unwrap();
    assert_eq!(written.at("vision_config.head_dim"), Some(json!(64)));
    assert_eq!(written.get("audio_config"), Some(json!(null)));
    let absent = of(r#"{"model_type": "gemma4", "vision_config": null}"#, &[], &Request::default()).unwrap();
    assert_eq!(towers(&absent), (false, false));
    let misspelled = gemma4(&[("vision_config.num_hiden_layers".into(), json!(1))]).unwrap_err();
    assert!(format!("{misspelled:#}").contains("did you mean `vision_config.num_hidden_layers`"), "{misspelled:#}");
}

#[test]
fn a_config_in_which_nothing_is_set_stays_as_it_is() {
    assert_eq!(of(TINY, &[], &Request::default()).unwrap().config, TINY.as_bytes());
    let same = of(TINY, &[("hidden_size", json!(8))], &Request::default()).unwrap();
    assert_eq!(same.config, TINY.as_bytes());
}

#[test]
fn a_number_that_is_set_has_the_type_of_its_key() {
    let text =
        TINY.replacen('{', r#"{"rope_theta": 10000.0, "max_position_embeddings": 64, "text": {"eps": 1e-5}, "#, 1);
    for (key, given, written) in [
        ("hidden_size", json!(64.0), "64"),
        ("vocab_size", json!(1e2), "100"),
        ("num_key_value_heads", json!(1.0), "1"),
        ("head_dim", json!(4.0), "4"),
        ("pad_token_id", json!(-1.0), "-1"),
        ("initializer_range", json!(0), "0.0"),
        ("rope_theta", json!(500_000), "500000.0"),
        ("max_position_embeddings", json!(1e3), "1000"),
        ("text.eps", json!(1), "1.0"),
    ] {
        let made = of(&text, &[(key, given)], &Request::default()).unwrap();
        let last = key.rsplit('.').next().unwrap();
        let (message, wanted) = (String::from_utf8(made.config).unwrap(), format!("\"{last}\": {written}"));
        assert!(message.lines().any(|line| line.trim().trim_end_matches(',') == wanted), "{wanted}: {message}");
    }
    for (key, given) in [
        ("hidden_size", json!(64.5)),
        ("vocab_size", json!(1e-2)),
        ("head_dim", json!(0.5)),
        ("num_hidden_layers", json!(1e30)),
        ("max_position_embeddings", json!(2.5)),
    ] {
        let refusal = refusal(&text, &[(key, given)]);
        assert!(refusal.contains("is not an integer"), "{key}: {refusal}");
    }
}

#[test]
fn a_byte_order_mark_is_left_out() {
    let marked = format!("\u{feff}{TINY}");
    assert_eq!(of(&marked, &[], &Request::default()).unwrap().config, TINY.as_bytes());
    let changed = of(&marked, &[("vocab_size", json!(10))], &Request::default()).unwrap();
    assert_eq!(changed.config[0], b'{');
}

#[test]
fn what_python_writes_for_numbers_that_are_none_is_kept() {
    let text = TINY.replacen('{', r#"{"limit": [0.0, Infinity], "low": -Infinity, "odd": NaN, "word": "NaN", "#, 1);
    assert_eq!(of(&text, &[], &Request::default()).unwrap().config, text.as_bytes());
    let made = of(&text, &[("vocab_size", json!(10))], &Request::default()).unwrap();
    let message = String::from_utf8(made.config).unwrap();
    for line in [r#""limit": [0.0, Infinity],"#, r#""low": -Infinity,"#, r#""odd": NaN,"#, r#""word": "NaN","#] {
        assert!(message.contains(line), "{message}");
    }
    let known = TINY.replacen('{', r#"{"initializer_range": NaN, "#, 1);
    assert!(
        refusal(&known, &[]).contains("`initializer_range` is `NaN`: it must be a number"),
        "{}",
        refusal(&known, &[])
    );
}

#[test]
fn what_is_set_is_in_the_weights_and_in_the_config() {
    let bf16 = Request { dtype: Some(DType::BF16), ..Request::default() };
    let made = of(TINY, &[("num_hidden_layers", json!(1)), ("mlp_bias", json!(true))], &bf16).unwrap();
    assert!(names(&made).contains(&"layers.0.mlp.up_proj.bias"));
    assert!(!names(&made).iter().any(|name| name.starts_with("layers.1.")));
    let config: Value = serde_json::from_slice(&made.config).unwrap();
    assert_eq!(config["num_hidden_layers"], json!(1));
    assert_eq!(config["mlp_bias"], json!(true));
    assert_eq!(config["dtype"], json!("bfloat16"));
}

#[test]
fn what_a_family_writes_can_be_set_again() {
    let made = from_defaults(
        &Family::find("gpt2").unwrap(),
        &[("n_embd".into(), json!(24)), ("vocab_size".into(), json!(9))],
        &Request::default(),
    )
    .unwrap();
    let text = String::from_utf8(made.config).unwrap();
    let again = of(&text, &[("n_layer", json!(1))], &Request::default()).unwrap();
    assert!(!names(&again).iter().any(|name| name.contains(".h.1.")));
}

#[test]
fn the_types_of_layers_are_as_many_as_the_layers() {
    let text = r#"{"model_type":"qwen3","num_hidden_layers":3,"layer_types":["full_attention","full_attention","sliding_attention"]}"#;
    let types = |layers: u64| {
        let made = of(text, &[("num_hidden_layers", json!(layers))], &Request::default()).unwrap();
        serde_json::from_slice::<Value>(&made.config).unwrap()["layer_types"].clone()
    };
    assert_eq!(types(2), json!(["full_attention", "full_attention"]));
    assert_eq!(types(4), Value::Null, "the library makes a new list");
}

#[test]
fn the_dtype_of_the_config_is_that_of_the_weights() {
    let text = TINY.replacen('{', r#"{"torch_dtype": "float16", "#, 1);
    let made = of(&text, &[], &Request::default()).unwrap();
    assert!(
        made.model.plan.tensors().iter().all(|tensor| tensor.element() == crate::tensor::Element::Drawn(DType::F16))
    );
    assert_eq!(made.config, text.as_bytes());
    assert!(refusal(&TINY.replacen('{', r#"{"dtype": "auto", "#, 1), &[]).contains("--dtype"));
}

#[test]
fn a_null_padding_token_is_none() {
    let text = r#"{"model_type": "gemma", "pad_token_id": null, "vocab_size": 9}"#;
    let scheme = |text| {
        of(text, &[], &Request::default()).unwrap().model.plan.tensors()[0].drawn().unwrap().expression().to_string()
    };
    assert!(!scheme(text).contains("padding="));
    assert!(scheme(r#"{"model_type": "gemma", "vocab_size": 9}"#).contains("padding=0"));
}

#[test]
fn a_null_table_is_the_family_s_own() {
    let made = |text| names(&of(text, &[], &Request::default()).unwrap()).join(" ");
    assert_eq!(made(r#"{"model_type": "clip", "text_config": null}"#), made(r#"{"model_type": "clip"}"#));
}

#[test]
fn a_key_of_the_library_may_begin_as_private_constants_do() {
    let opt = |more: &str| of(&format!(r#"{{"model_type": "opt"{more}}}"#), &[], &Request::default()).unwrap();
    let has_norm = |configured: &Configured| names(configured).contains(&"model.decoder.final_layer_norm.weight");
    assert!(has_norm(&opt("")));
    assert!(!has_norm(&opt(r#", "_remove_final_layer_norm": true"#)));
    assert_eq!(names(&opt(r#", "_projects": true"#)), names(&opt("")), "a constant of the recipe is private");
    let set = [("_remove_final_layer_norm".to_string(), json!(true))];
    let made = from_defaults(&Family::find("opt").unwrap(), &set, &Request::default()).unwrap();
    assert!(String::from_utf8(made.config).unwrap().contains(r#""_remove_final_layer_norm": true"#));
}

#[test]
fn refusals_name_the_culprit() {
    let gemma4 = |layers: &str| format!(r#"{{"model_type": "gemma4_text", "per_layer_config": {layers}}}"#);
    let with = |key: &str| TINY.replacen('{', &format!("{{{key}, "), 1);
    for (text, settings, message) in [
        ("{}", vec![], "model_type"),
        (r#"{"model_type": 3}"#, vec![], "model_type"),
        (r#"{"model_type": "lama"}"#, vec![], "did you mean `llama`"),
        (r#"{"model_type": "xyz"}"#, vec![], "--rules rules.toml"),
        (TINY, vec![("architectures", json!(["LlamaForCausalML"]))], "did you mean `LlamaForCausalLM`?"),
        (
            r#"{"model_type": "llama", "architectures": "LlamaModel"}"#,
            vec![],
            "`architectures` is `\"LlamaModel\"`: it must be a list or null",
        ),
        (TINY, vec![("hiden_size", json!(8))], "did you mean `hidden_size`"),
        (TINY, vec![("_std", json!(8))], "_std"),
        (TINY, vec![("model_type", json!("gpt2"))], "model_type"),
        (TINY, vec![("num_attention_heads", json!(3))], "a multiple of num_attention_heads"),
        (TINY, vec![("pad_token_id", json!(9))], "below vocab_size"),
        (TINY, vec![("hidden_size", json!("wide"))], r#"`hidden_size` is `"wide"`: it must be an integer"#),
        (TINY, vec![("hidden_size", json!(true))], "must be an integer"),
        (TINY, vec![("hidden_size", json!({"a": 1}))], "must be an integer"),
        (TINY, vec![("hidden_size", json!(null))], "`hidden_size` is `null`: it must be an integer"),
        (TINY, vec![("hidden_size", json!(-8))], "`hidden_size` is `-8`: it must be an integer, and not negative"),
        (TINY, vec![("tie_word_embeddings", json!("yes"))], "must be true or false"),
        (r#"{"model_type": "clip", "text_config": 3}"#, vec![], "`text_config` is `3`: it must be a table"),
        (&with(r#""quantization_config": {"bits": 4}"#), vec![], "quantization_config"),
        (
            &with(r#""per_layer_config": {"0": {"intermediate_size": 4}}"#),
            vec![],
            "`per_layer_config` changes the tensors",
        ),
        (&gemma4(r#"{"5": {"head_dim": 64}}"#), vec![], "same for all layers"),
        (&gemma4(r#"{"30": {"head_dim": 64}}"#), vec![], "above num_hidden_layers"),
        (&gemma4(r#"{"5": {"hidden_size": 64}}"#), vec![], "no keys but head_dim"),
    ] {
        let refusal = refusal(text, &settings);
        assert!(refusal.contains(message), "{refusal}");
    }
}
