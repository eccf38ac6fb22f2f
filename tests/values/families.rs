//! The model families against the facts of the `transformers` library that `scripts/families` records.
//!
//! `scripts/families_tool/tables.py` explains the tables. Names are compared as sets.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::common::{Ended, Folder};
use crate::laws;

/// A case of a table: the tensors of a model.
struct Case {
    class: String,
    config: Value,
    tensors: BTreeMap<String, Fact>,
    tied: BTreeMap<String, String>,
}

/// The facts of a tensor.
struct Fact {
    shape: Vec<u64>,
    law: Value,
}

#[test]
fn every_head_of_a_family_has_a_case() {
    let list = Folder::new().done("list models --json");
    let listed: Value = serde_json::from_slice(&list).unwrap();
    let mut missing = Vec::new();
    for family in listed.as_array().unwrap() {
        let name = text(&family["name"]);
        let table = if path(name).is_file() { read_json(&path(name)) } else { json!({"cases": []}) };
        let cases = table["cases"].as_array().unwrap();
        for class in family["architectures"].as_array().unwrap() {
            if !cases.iter().any(|case| case["class"] == *class) {
                missing.push(format!("{name}: {class}"));
            }
        }
    }
    assert!(missing.is_empty(), "add cases and run `scripts/families record`:\n{}", missing.join("\n"));
}

#[test]
fn a_model_has_the_tensors_of_the_library_and_its_initialization() {
    let tables: Vec<String> = names_in(&folder()).into_iter().filter(|name| name != "published").collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let shares = (0..threads).map(|share| {
            let own = tables.iter().skip(share).step_by(threads);
            scope.spawn(move || own.flat_map(|name| faults(name)).collect::<Vec<_>>())
        });
        let shares: Vec<_> = shares.collect();
        shares.into_iter().flat_map(|share| share.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

/// The differences between the models of a table and the library's.
fn faults(model_type: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (number, case) in cases(&read_json(&path(model_type))).into_iter().enumerate() {
        let found = case_faults(model_type, &case);
        wrong.extend(found.into_iter().map(|fault| format!("{model_type} case {number} {}: {fault}", case.class)));
    }
    wrong
}

fn case_faults(model_type: &str, case: &Case) -> Vec<String> {
    let folder = Folder::new();
    let mut config = case.config.clone();
    config["model_type"] = json!(model_type);
    config["architectures"] = json!([case.class]);
    folder.write("config.json", config.to_string());
    let ended = Ended::of(&mut folder.fanin("model config.json -o out/ --dry-run --json"));
    if ended.status != 0 {
        return vec![ended.stderr.trim_end().into()];
    }
    assert!(!folder.join("out").exists(), "a dry run wrote");
    let report: Value = serde_json::from_slice(&ended.stdout).unwrap();
    let planned = report["tensors"].as_array().unwrap().iter();
    let mut planned: BTreeMap<&str, &Value> = planned.map(|tensor| (text(&tensor["name"]), tensor)).collect();
    let mut faults = Faults::default();
    let mut drawn = Vec::new();
    for (name, fact) in &case.tensors {
        let found = planned.remove(name.as_str()).map(|tensor| match numbers(&tensor["shape"]) == fact.shape {
            true => laws::planned(tensor, &fact.law),
            false => Some(vec![format!("its shape is {}, not {:?}", tensor["shape"], fact.shape)]),
        });
        match found {
            None => faults.add(name, "it is missing".into()),
            Some(None) => drawn.push((name, fact)),
            Some(Some(found)) => found.into_iter().for_each(|fault| faults.add(name, fault)),
        }
    }
    for name in planned.keys() {
        faults.add(name, "the library has no such tensor".into());
    }
    ties(&report["tied"], &case.tied, &mut faults);
    if !drawn.is_empty() {
        folder.done("model config.json -o out/ --quiet");
        let file = folder.read("out/model.safetensors");
        for (name, fact) in drawn {
            for fault in laws::written(&file, name, &fact.shape, &fact.law) {
                faults.add(name, fault);
            }
        }
    }
    faults.lines()
}

fn ties(found: &Value, expected: &BTreeMap<String, String>, faults: &mut Faults) {
    let empty = serde_json::Map::new();
    let found = found.as_object().unwrap_or(&empty);
    for (name, to) in expected {
        if found.get(name).and_then(Value::as_str) != Some(to) {
            faults.add(name, format!("it is not tied to {to}"));
        }
    }
    for name in found.keys().filter(|name| !expected.contains_key(*name)) {
        faults.add(name, "the library does not tie it".into());
    }
}

/// Faults of tensors; layers with the same fault have one line.
#[derive(Default)]
struct Faults(BTreeMap<(String, String), u64>);

impl Faults {
    fn add(&mut self, name: &str, fault: String) {
        let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
        let words: Vec<&str> = name.split('.').map(|word| if is_number(word) { "{}" } else { word }).collect();
        *self.0.entry((words.join("."), fault)).or_default() += 1;
    }

    fn lines(self) -> Vec<String> {
        let line = |((name, fault), count): ((String, String), u64)| {
            let mut line = format!("{name}: {fault}");
            if count > 1 {
                write!(line, " ({count} tensors)").unwrap();
            }
            line
        };
        self.0.into_iter().map(line).collect()
    }
}

// --- tables ---
/// The cases of a table, each with its tensors.
fn cases(table: &Value) -> Vec<Case> {
    let cases = table["cases"].as_array().unwrap();
    let case = |(number, case): (usize, &Value)| {
        let mut read = Case {
            class: text(&case["class"]).into(),
            config: case["config"].clone(),
            tensors: BTreeMap::new(),
            tied: BTreeMap::new(),
        };
        for (group, rows) in table["tensors"].as_object().unwrap() {
            let (prefix, places) = group.split_once('@').unwrap_or((group, ""));
            let places = if places.is_empty() { &json!("") } else { &table["places"][places][number] };
            for numbers in places.as_str().map(expanded).unwrap_or_default() {
                for (rest, row) in rows.as_object().unwrap() {
                    let name = format!("{prefix}{}", rest.trim_end());
                    read.add(&table["body"][number], &name, &numbers, text(row), |kind, symbol| {
                        let column = &table[kind][symbol];
                        if column.is_array() { column[number].clone() } else { column.clone() }
                    });
                }
            }
        }
        read
    };
    cases.iter().enumerate().map(case).collect()
}

impl Case {
    fn add(&mut self, body: &Value, name: &str, numbers: &[u64], row: &str, symbol: impl Fn(&str, &str) -> Value) {
        let full = |name: &str| {
            let name = name.replacen('^', body.as_str().unwrap_or_default(), 1);
            numbers.iter().fold(name, |name, number| name.replacen("{}", &number.to_string(), 1))
        };
        if let Some(target) = row.strip_prefix("= ") {
            self.tied.insert(full(name), full(target));
            return;
        }
        let mut words: Vec<&str> = row.split(' ').collect();
        let law = match words.pop().unwrap() {
            "0" => json!(0),
            "1" => json!(1),
            law => symbol("laws", law),
        };
        let shape = words.iter().map(|axis| symbol("sizes", axis).as_u64().unwrap()).collect();
        self.tensors.insert(full(name), Fact { shape, law });
    }
}

/// The tuples of numbers of a text of ranges: `0-2,5`; `0-1/0-2` for two numbers.
fn expanded(text: &str) -> Vec<Vec<u64>> {
    let range = |run: &str| {
        let (first, last) = run.split_once('-').unwrap_or((run, run));
        first.parse::<u64>().unwrap()..=last.parse().unwrap()
    };
    let axis = |text: &str| text.split(',').flat_map(range).collect::<Vec<_>>();
    let product = |part: &str| {
        part.split('/').filter(|text| !text.is_empty()).map(axis).fold(vec![Vec::new()], |tuples, axis| {
            let longer = |tuple: &Vec<u64>| {
                let tuple = tuple.clone();
                axis.iter().map(move |&number| [tuple.as_slice(), &[number]].concat()).collect::<Vec<_>>()
            };
            tuples.iter().flat_map(longer).collect()
        })
    };
    text.split(';').flat_map(product).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn folder() -> PathBuf {
    root().join("tests/data/families")
}

fn path(model_type: &str) -> PathBuf {
    folder().join(format!("{model_type}.json"))
}

/// The names of the JSON files in a folder, without their ending.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.filter_map(|name| Some(name.strip_suffix(".json")?.to_owned())).collect();
    names.sort();
    names
}

pub(crate) fn read_json(path: &Path) -> Value {
    let content = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&content).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is not text"))
}

fn numbers(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|axis| axis.as_u64().unwrap()).collect()
}
