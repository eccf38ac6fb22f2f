//! The facts of configurations in `src/model/configs`: every second name of a key is the key.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::common::{Ended, Folder};

/// A second name, its key, the default of that key, and another value.
struct Alias {
    name: String,
    key: String,
    default: Value,
    value: Value,
    is_overridden: bool,
}

#[test]
fn a_second_name_is_the_key() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/model");
    let (mut compared, mut refused) = (0, 0);
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
            let of_names = |names: &[(&String, &Value)]| {
                let mut config = complete.clone();
                let part = part_of(&mut config, &alias.key);
                part.remove(last(&alias.key));
                part.extend(names.iter().map(|(name, value)| (last(name).into(), (*value).clone())));
                planned("config.json", Some(config.into()))
            };
            let first = of_names(&[(&alias.key, &alias.value)]);
            assert_eq!(of_names(&[(&alias.name, &alias.value)]), first, "{model_type}: {}", alias.name);
            let both = of_names(&[(&alias.key, &alias.value), (&alias.name, &alias.default)]);
            let winner = if alias.is_overridden { &first } else { &of_names(&[(&alias.key, &alias.default)]) };
            assert_eq!(&both, winner, "{model_type}: {} next to {}", alias.name, alias.key);
            compared += 1;
            refused += usize::from(first.is_err());
        }
    }
    assert!(compared >= 200 && refused <= compared / 10, "{refused} of {compared} second names have a refused value");
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
        let default = keys.get(key)?.get(1)?.clone();
        // Twice the size is a multiple of what the default is a multiple of.
        let value = default.as_u64().map_or(default.clone(), |size| json!(2 * size));
        let is_overridden = facts["overridden"].as_array().is_some_and(|names| names.contains(&json!(name)));
        let at = |name: &str| format!("{prefix}{name}");
        (name != key).then(|| Alias { name: at(name), key: at(key), default, value, is_overridden })
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

/// The table of a configuration in which a key is.
fn part_of<'c>(config: &'c mut Map<String, Value>, key: &str) -> &'c mut Map<String, Value> {
    let table = key.rsplit_once('.').map_or("", |(table, _)| table);
    let steps = table.split('.').filter(|step| !step.is_empty());
    steps.fold(config, |part, step| part[step].as_object_mut().unwrap())
}

/// The last name of a path.
fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap()
}
