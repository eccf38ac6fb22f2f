//! The model families against the tables that `scripts/families` makes out of the `transformers` library.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::common::{Ended, Folder};

/// How far two statistics may be apart, in standard errors of their difference.
const SIGMA: f64 = 5.0;

#[test]
fn every_configuration_has_a_table_and_every_table_a_configuration() {
    let configured: Vec<String> = configurations().into_iter().map(|entry| entry.name).collect();
    let tables: Vec<String> = names_in(&folder());
    for name in &configured {
        assert!(tables.contains(name), "{name}: make its table with `scripts/families {name}`");
    }
    for name in &tables {
        assert!(configured.contains(name), "tests/data/families/{name}.json has no configuration");
    }
}

#[test]
fn every_family_is_compared() {
    let compared: Vec<String> = configurations().iter().map(|entry| text(&entry.config["model_type"])).collect();
    for family in fs::read_dir(root().join("src/model/families")).unwrap() {
        let path = family.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let model_type = path.file_stem().unwrap().to_str().unwrap();
            assert!(compared.iter().any(|known| known == model_type), "no configuration of {model_type}");
        }
    }
}

#[test]
fn a_model_has_the_tensors_of_the_library_and_its_initialization() {
    let mut wrong = Vec::new();
    let tiny = configurations().into_iter().filter(|entry| !entry.full);
    for entry in tiny {
        let folder = Folder::new();
        folder.write("config.json", entry.config.to_string());
        let ended = Ended::of(&mut folder.fanin("model config.json -o out/ --quiet"));
        if ended.status != 0 {
            wrong.push(format!("{}: {}", entry.name, ended.stderr.trim_end()));
            continue;
        }
        let mut written = read_safetensors(&folder.read("out/model.safetensors"));
        for row in table(&entry.name) {
            let complaints = match written.remove(&row.name) {
                None => vec!["it is missing".into()],
                Some(tensor) if tensor.shape != row.shape => {
                    vec![format!("its shape is {:?}, not {:?}", tensor.shape, row.shape)]
                }
                Some(tensor) => complaints(&tensor, &row.distribution),
            };
            wrong.extend(complaints.iter().map(|complaint| format!("{}: {}: {complaint}", entry.name, row.name)));
        }
        wrong.extend(written.keys().map(|name| format!("{}: {name}: the library has no such tensor", entry.name)));
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_plan_has_the_tensors_of_the_library_in_its_order() {
    let mut wrong = Vec::new();
    for entry in configurations() {
        let folder = Folder::new();
        folder.write("config.json", entry.config.to_string());
        let ended = Ended::of(&mut folder.fanin("model config.json -o out/ --dry-run --json"));
        if ended.status != 0 {
            wrong.push(format!("{}: {}", entry.name, ended.stderr.trim_end()));
            continue;
        }
        let report: Value = serde_json::from_slice(&ended.stdout).unwrap();
        let planned = report["tensors"].as_array().unwrap().iter();
        let planned: Vec<_> = planned.map(|tensor| (text(&tensor["name"]), shape(&tensor["shape"]))).collect();
        let expected: Vec<_> = table(&entry.name).into_iter().map(|row| (row.name, row.shape)).collect();
        if planned != expected {
            let first = planned.iter().zip(&expected).find(|(planned, expected)| planned != expected);
            let counts = (planned.len(), expected.len());
            wrong.push(format!("{}: {counts:?} tensors, the first that differ: {first:?}", entry.name));
        }
        assert!(!folder.join("out").exists(), "{}: a dry run wrote", entry.name);
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

/// What differs between the values of a tensor and how the library initialises it.
fn complaints(tensor: &Tensor, distribution: &Value) -> Vec<String> {
    let dtype = distribution["dtype"].as_str().unwrap_or("float32");
    if tensor.dtype != dtype {
        return vec![format!("its dtype is {}, not {dtype}", tensor.dtype)];
    }
    if let Some(value) = distribution["value"].as_f64() {
        let other = tensor.values.iter().find(|&&element| element != value);
        return other.map(|other| format!("it has {other}, not {value}")).into_iter().collect();
    }
    if let Some(elements) = distribution["elements"].as_object() {
        let differs = elements.iter().filter_map(|(place, value)| {
            let (found, value) = (tensor.values[place.parse::<usize>().unwrap()], value.as_f64().unwrap());
            // The library computes them in f32.
            ((found - value).abs() > 1e-5).then(|| format!("element {place} is {found}, not {value}"))
        });
        return differs.collect();
    }
    let width = tensor.values.len() / usize::try_from(tensor.shape[0]).unwrap();
    let rows = tensor.values.chunks(width).enumerate();
    let (zero, drawn): (Vec<_>, Vec<_>) = rows.partition(|(_, row)| width > 1 && row.iter().all(|&value| value == 0.0));
    let zero: Vec<u64> = zero.iter().map(|&(row, _)| row as u64).collect();
    let expected = if distribution["zero_rows"].is_null() { Vec::new() } else { shape(&distribution["zero_rows"]) };
    if zero != expected {
        return vec![format!("its rows of zeros are {zero:?}, not {expected:?}")];
    }
    let drawn: Vec<f64> = drawn.into_iter().flat_map(|(_, row)| row).copied().collect();
    statistics(&drawn, distribution)
}

/// Compares mean, standard deviation and kurtosis, given the sampling errors of both sides.
fn statistics(values: &[f64], distribution: &Value) -> Vec<String> {
    let truth = |key: &str| distribution[key].as_f64().unwrap_or_else(|| panic!("no {key} in {distribution}"));
    #[expect(clippy::cast_precision_loss, reason = "a count of elements of a tiny tensor")]
    let count = values.len() as f64;
    let moment = |about: f64, power| values.iter().map(|value| (value - about).powi(power)).sum::<f64>() / count;
    let mean = moment(0.0, 1);
    let std = moment(mean, 2).sqrt();
    let kurtosis = moment(mean, 4) / std.powi(4);
    let error = (1.0 / count + 1.0 / truth("count")).sqrt();
    let mut compared = vec![
        ("mean", mean, truth("std") * error),
        ("std", std, truth("std") * error * ((truth("kurtosis") - 1.0) / 4.0).sqrt()),
    ];
    // A kurtosis of few values says nothing, and heavy tails have no error that is known here.
    if count > 1000.0 && truth("kurtosis") < 3.3 {
        compared.push(("kurtosis", kurtosis, 24_f64.sqrt() * error));
    }
    let wrong = compared.into_iter().filter(|&(key, found, error)| (found - truth(key)).abs() > SIGMA * error);
    wrong.map(|(key, found, error)| format!("its {key} is {found}, not {} (error {error})", truth(key))).collect()
}

// --- what is compared ---
/// A configuration of tests/data/families/configs.
struct Entry {
    name: String,
    config: Value,
    /// Whether the model is too large to be written here.
    full: bool,
}

fn configurations() -> Vec<Entry> {
    let files = names_in(&folder().join("configs"));
    let entries = files.iter().flat_map(|file| {
        let content = read_json(&folder().join("configs").join(format!("{file}.json")));
        content.as_array().unwrap_or_else(|| panic!("{file}.json is no list")).clone()
    });
    let entry = |entry: Value| Entry {
        name: text(&entry["name"]),
        config: entry["config"].clone(),
        full: entry["full"].as_bool().unwrap_or_default(),
    };
    entries.map(entry).collect()
}

/// A tensor as the library has it.
struct Row {
    name: String,
    shape: Vec<u64>,
    /// How it is initialised; null in the table of a full model.
    distribution: Value,
}

/// The table of a configuration, a row a tensor.
fn table(name: &str) -> Vec<Row> {
    rows(&read_json(&folder().join(format!("{name}.json"))))
}

/// `[NAME, SHAPE, DISTRIBUTION]`, or `["layers.{}.", FROM, TO, ROWS]` for rows under each number.
fn rows(table: &Value) -> Vec<Row> {
    let mut all = Vec::new();
    for entry in table.as_array().unwrap() {
        let name = text(&entry[0]);
        if entry[3].is_null() {
            all.push(Row { name, shape: shape(&entry[1]), distribution: entry[2].clone() });
            continue;
        }
        let inner = rows(&entry[3]);
        for number in entry[1].as_u64().unwrap()..=entry[2].as_u64().unwrap() {
            let prefix = name.replace("{}", &number.to_string());
            all.extend(inner.iter().map(|Row { name, shape, distribution }| Row {
                name: format!("{prefix}{name}"),
                shape: shape.clone(),
                distribution: distribution.clone(),
            }));
        }
    }
    all
}

/// A tensor as it was written.
struct Tensor {
    shape: Vec<u64>,
    dtype: &'static str,
    values: Vec<f64>,
}

fn read_safetensors(file: &[u8]) -> BTreeMap<String, Tensor> {
    let (length, rest) = file.split_first_chunk().unwrap();
    let (header, data) = rest.split_at(usize::try_from(u64::from_le_bytes(*length)).unwrap());
    let header: BTreeMap<String, Value> = serde_json::from_slice(header).unwrap();
    let tensors = header.into_iter().filter(|(name, _)| name != "__metadata__");
    let read = |(name, entry): (String, Value)| {
        let offset = |place: usize| usize::try_from(entry["data_offsets"][place].as_u64().unwrap()).unwrap();
        let bytes = &data[offset(0)..offset(1)];
        let single = |bits: [u8; 4]| f64::from(f32::from_le_bytes(bits));
        let (dtype, values) = match entry["dtype"].as_str() {
            Some("F32") => {
                ("float32", bytes.chunks(4).map(|bytes| single(bytes.try_into().unwrap())).collect::<Vec<_>>())
            }
            Some("BF16") => ("bfloat16", bytes.chunks(2).map(|bytes| single([0, 0, bytes[0], bytes[1]])).collect()),
            other => panic!("{name}: dtype {other:?}"),
        };
        (name, Tensor { shape: shape(&entry["shape"]), dtype, values })
    };
    tensors.map(read).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn folder() -> PathBuf {
    root().join("tests/data/families")
}

/// The names of the JSON files in a folder, without their ending.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.filter_map(|name| Some(name.strip_suffix(".json")?.to_owned())).collect();
    names.sort();
    names
}

fn read_json(path: &Path) -> Value {
    let content = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&content).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

fn shape(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|axis| axis.as_u64().unwrap()).collect()
}
