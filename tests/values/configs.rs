//! The facts of configurations in `src/model/configs`: every second name of a key is the key.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::common::{Ended, Folder};

/// A second name, its key, and the default of that key.
struct Alias {
    name: String,
    key: String,
    value: Value,
}

#[test]
fn a_second_name_is_the_key() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/model");
    let mut compared = 0;
    for entry in fs::read_dir(source.join("configs")).unwrap() {
        let path = entry.unwrap().path();
        let model_type = path.file_stem().unwrap().to_str().unwrap();
        if !source.join(format!("families/{model_type}.toml")).is_file() {
            continue;
        }
        let facts: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let mut complete = defaults(&facts);
        complete.insert("model_type".into(), json!(model_type));
        for alias in aliases(&facts, "") {
            let of_setting = |name: &str| planned(&format!("{model_type} --set {name}={}", alias.value), None);
            assert_eq!(of_setting(&alias.name), of_setting(&alias.key), "{model_type}: --set {}", alias.name);
            let first = placed(complete.clone(), &alias.key, &alias.key, &alias.value);
            let second = placed(complete.clone(), &alias.key, &alias.name, &alias.value);
            let of_config = |config: Map<String, Value>| planned("config.json", Some(config.into()));
            assert_eq!(of_config(second), of_config(first), "{model_type}: {}", alias.name);
            compared += 1;
        }
    }
    assert!(compared >= 15, "{compared} second names");
}

/// The plan of a model, or its refusal.
fn planned(line: &str, config: Option<Value>) -> Result<Value, String> {
    let folder = Folder::new();
    if let Some(config) = config {
        folder.write("config.json", config.to_string());
    }
    let ended = Ended::of(&mut folder.fanin(&format!("model {line} --dry-run --json")));
    match ended.status {
        0 => Ok(serde_json::from_slice::<Value>(&ended.stdout).unwrap()["tensors"].take()),
        _ => Err(ended.stderr),
    }
}

/// Every second name, at any depth.
fn aliases(facts: &Value, prefix: &str) -> Vec<Alias> {
    let keys = facts["keys"].as_object().unwrap();
    let own = facts["alias"].as_object().unwrap().iter().filter_map(|(name, key)| {
        let key = key.as_str().unwrap();
        // Twice the size is a multiple of what the default is a multiple of.
        let value = match keys.get(key)?.get(1)? {
            Value::Number(number) if number.is_u64() => json!(2 * number.as_u64().unwrap()),
            other => other.clone(),
        };
        (name != key).then(|| Alias { name: format!("{prefix}{name}"), key: format!("{prefix}{key}"), value })
    });
    let parts = keys.iter().filter(|(_, facts)| facts.is_object());
    own.chain(parts.flat_map(|(key, facts)| aliases(facts, &format!("{prefix}{key}.")))).collect()
}

fn defaults(facts: &Value) -> Map<String, Value> {
    let value = |facts: &Value| match facts {
        Value::Object(_) => {
            let mut part = defaults(facts);
            part.insert("model_type".into(), facts["model_type"].clone());
            part.into()
        }
        row => row[1].clone(),
    };
    facts["keys"].as_object().unwrap().iter().map(|(key, facts)| (key.clone(), value(facts))).collect()
}

/// A configuration with the value of a key under one of its names.
fn placed(mut config: Map<String, Value>, key: &str, name: &str, value: &Value) -> Map<String, Value> {
    let (table, last) = key.rsplit_once('.').unwrap_or(("", key));
    let mut part = &mut config;
    for step in table.split('.').filter(|step| !step.is_empty()) {
        part = part[step].as_object_mut().unwrap();
    }
    part.remove(last);
    part.insert(name.rsplit('.').next().unwrap().into(), value.clone());
    config
}
