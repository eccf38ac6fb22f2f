//! The tables of frameworks' names hold against the frameworks: each name exists there, its parameters and defaults are theirs,
//! and what it draws has the same mean, standard deviation and range. `scripts/signatures` makes tests/data/signatures/*.json;
//! unverified.json lists the frameworks, names and parameters that no framework at hand can tell of.

#![allow(clippy::cast_precision_loss, reason = "counts of elements are small")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::common::Folder;
use fanin::generator::{NATIVE, native};
use fanin::plan::{Common, DrawnTensor};
use fanin::scheme;
use fanin::scheme::frameworks::{Framework, ParameterAlias};
use fanin::tensor::{DType, Fans, Layout, Shape};
use serde::Deserialize;
use serde_json::Value;

/// What scripts/signatures recorded of a framework.
#[derive(Deserialize)]
struct Table {
    framework: String,
    /// The order of axes that its schemes mean, as `--layout` takes it.
    layout: String,
    names: BTreeMap<String, Name>,
    /// Names and shapes of the tensors of its layers.
    layers: BTreeMap<String, Vec<(String, Vec<u64>)>>,
}

#[derive(Deserialize)]
struct Name {
    /// Its place in the framework; `None` if it is not there.
    is: Option<String>,
    /// Defaults; `"required"` if there is none.
    #[serde(default)]
    parameters: BTreeMap<String, Value>,
    #[serde(default)]
    calls: Vec<Call>,
}

/// A draw of the framework, and its figures.
#[derive(Deserialize)]
struct Call {
    with: BTreeMap<String, Value>,
    shape: Vec<u64>,
    #[serde(flatten)]
    figures: Figures,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Figures {
    mean: f64,
    std: f64,
    min: f64,
    max: f64,
    /// Quartiles, which heavy tails leave alone.
    lower: f64,
    median: f64,
    upper: f64,
}

/// What cannot be held against a framework, so that a new row must be verified or be listed.
#[derive(Deserialize)]
struct Unverified {
    /// Frameworks without a table, and the number of their names.
    frameworks: BTreeMap<String, usize>,
    /// The numbers of their words for parameters.
    words: BTreeMap<String, usize>,
    /// `FRAMEWORK.NAME` and `FRAMEWORK:PARAMETER` that the version at hand lacks, and the reason.
    absent: BTreeMap<String, String>,
    /// `FRAMEWORK.NAME` that is there and is not drawn or not compared, and the reason.
    undrawn: BTreeMap<String, String>,
    /// `FRAMEWORK.NAME:PARAMETER` whose other values draw something else here, and the reason.
    differs: BTreeMap<String, String>,
    /// `FRAMEWORK.NAME:PARAMETER` that fanin does not take.
    untaken: BTreeSet<String>,
    /// Layouts that no table has.
    layouts: BTreeSet<String>,
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/signatures")
}

fn unverified() -> Unverified {
    serde_json::from_slice(&fs::read(folder().join("unverified.json")).unwrap()).unwrap()
}

fn tables() -> Vec<Table> {
    let mut paths: Vec<_> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.file_name().unwrap() != "unverified.json");
    paths.sort();
    let read = |path| serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    paths.iter().map(read).collect()
}

/// Every name of a framework that the page of schemes lists, by its framework.
fn aliases() -> BTreeMap<String, BTreeSet<String>> {
    let page = String::from_utf8(Folder::new().done("list schemes --markdown")).unwrap();
    let mut known: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in page.lines().filter(|line| line.starts_with("  - ")) {
        // Every second part stands between backticks.
        for (framework, name) in line.split('`').skip(1).step_by(2).filter_map(|text| text.split_once('.')) {
            let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
            if plain(framework) && plain(name) && name.starts_with(|c: char| c.is_ascii_alphabetic()) {
                known.entry(framework.into()).or_default().insert(name.into());
            }
        }
    }
    known
}

/// A value as it is typed in an expression.
fn typed(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), String::from)
}

fn expression(framework: &str, name: &str, with: &BTreeMap<String, Value>) -> String {
    let pairs: Vec<String> = with.iter().map(|(key, value)| format!("{key}={}", typed(value))).collect();
    if pairs.is_empty() { format!("{framework}.{name}") } else { format!("{framework}.{name}:{}", pairs.join(",")) }
}

fn tensor(expression: &str, shape: &[u64], layout: &str) -> anyhow::Result<DrawnTensor> {
    let common = Common { dtype: DType::F32.into(), layout: layout.parse()?, fans: Fans::default(), generator: NATIVE };
    DrawnTensor::new("weight".parse()?, Shape::new(shape.to_vec())?, expression, &common)
}

#[test]
fn every_alias_exists_in_its_framework() {
    let (unverified, mut missing) = (unverified(), Vec::new());
    let tables: BTreeMap<String, Table> = tables().into_iter().map(|table| (table.framework.clone(), table)).collect();
    let known = aliases();
    assert!(known.values().map(BTreeSet::len).sum::<usize>() > 440, "the page lists few names");
    let mut untabled = BTreeMap::new();
    for (framework, names) in &known {
        let Some(table) = tables.get(framework) else {
            untabled.insert(framework.clone(), names.len());
            continue;
        };
        for name in names {
            let qualified = format!("{framework}.{name}");
            let found = table.names.get(name).is_some_and(|row| row.is.is_some());
            if found == unverified.absent.contains_key(&qualified) {
                missing.push(qualified);
            }
        }
    }
    assert_eq!(missing, Vec::<String>::new(), "are these names there? run scripts/signatures");
    assert_eq!(untabled, unverified.frameworks, "frameworks without a table, and the numbers of their names");
}

#[test]
fn every_default_is_that_of_the_framework() {
    let (unverified, mut untaken, mut wrong) = (unverified(), BTreeSet::new(), Vec::new());
    for table in tables() {
        for (name, row) in &table.names {
            let Some(call) = row.calls.first() else { continue };
            let draws = |with: &BTreeMap<String, Value>| {
                tensor(&expression(&table.framework, name, with), &call.shape, &table.layout)
            };
            let Ok(default) = draws(&call.with) else {
                untaken.extend(call.with.keys().map(|parameter| format!("{}.{name}:{parameter}", table.framework)));
                continue;
            };
            for (parameter, value) in &row.parameters {
                let known = unverified.differs.contains_key(&format!("{}.{name}:{parameter}", table.framework));
                if value == "required" || value.is_null() || value.is_array() || known {
                    continue;
                }
                let mut with = call.with.clone();
                with.insert(parameter.clone(), value.clone());
                match draws(&with) {
                    Ok(stated) if format!("{:?}", stated.distribution()) == format!("{:?}", default.distribution()) => {
                    }
                    Ok(stated) => wrong.push(format!(
                        "{}.{name}:{parameter}={value} is {}, and without it {}",
                        table.framework,
                        stated.expression(),
                        default.expression()
                    )),
                    Err(_) => _ = untaken.insert(format!("{}.{name}:{parameter}", table.framework)),
                }
            }
            let refused = row.calls.iter().map(|called| &called.with).filter(|with| draws(with).is_err());
            let parameters = refused.flat_map(|with| with.keys().filter(|key| !call.with.contains_key(*key)));
            untaken.extend(parameters.map(|parameter| format!("{}.{name}:{parameter}", table.framework)));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(untaken, unverified.untaken, "parameters of frameworks that fanin does not take");
}

/// The figures of values, and the relative error of their standard deviation.
fn figures(values: &[f32]) -> (Figures, f64) {
    let mut sorted: Vec<f64> = values.iter().copied().map(f64::from).collect();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len() as f64;
    let mean = sorted.iter().sum::<f64>() / count;
    let moment = |power| sorted.iter().map(|value| (value - mean).powi(power)).sum::<f64>() / count;
    let (variance, fourth) = (moment(2), moment(4));
    let at = |quarter: usize| sorted[(sorted.len() - 1) * quarter / 4];
    let (lower, median, upper) = (at(1), at(2), at(3));
    let figures =
        Figures { mean, std: variance.sqrt(), min: sorted[0], max: sorted[sorted.len() - 1], lower, median, upper };
    let kurtosis = if variance > 0.0 { fourth / variance / variance } else { 1.0 };
    (figures, ((kurtosis - 1.0) / (4.0 * count)).sqrt())
}

/// What differs between a draw of a framework and one of fanin, beyond chance.
fn difference(theirs: Figures, tensor: &DrawnTensor) -> Option<String> {
    let distribution = tensor.distribution();
    let count = tensor.shape().count() as f64;
    let near = |a: f64, b: f64, slack: f64| (a - b).abs() <= slack + 1e-5 * a.abs().max(b.abs());
    if distribution.is_joint()
        && let (Some(mean), Some(std)) = (distribution.mean(), distribution.std())
    {
        let same = near(theirs.mean, mean, 6.0 * std / count.sqrt()) && near(theirs.std, std, 0.03 * std);
        return (!same).then(|| format!("mean {mean} and std {std}; theirs {theirs:?}"));
    }
    let mut values = vec![f32::NAN; usize::try_from(tensor.shape().count()).unwrap()];
    native(11, tensor.spec(), 1).fill_f32(0, &mut values);
    let (ours, error) = figures(&values);
    // Of heavy tails the quartiles alone say something.
    let mut same = error > 0.05
        || near(theirs.mean, ours.mean, 7.0 * ours.std.max(theirs.std) / count.sqrt())
            && near(theirs.std, ours.std, 7.0 * error * ours.std);
    let distinct: BTreeSet<u32> = values.iter().map(|value| value.to_bits()).collect();
    if distinct.len() > 20 {
        let slack = 20.0 * (ours.upper - ours.lower) / count.sqrt();
        same &= near(theirs.lower, ours.lower, slack) && near(theirs.upper, ours.upper, slack);
        same &= near(theirs.median, ours.median, slack);
    } else {
        same &= theirs.min == ours.min && theirs.max == ours.max
            || near(theirs.min, ours.min, 0.0) && near(theirs.max, ours.max, 0.0);
    }
    if let Some((low, high)) = distribution.bounds().filter(|(low, high)| (high - low).is_finite()) {
        let slack = 0.005 * (high - low);
        same &= theirs.min >= low - 1e-5 * (high - low) && theirs.max <= high + 1e-5 * (high - low);
        same &= ours.min > low + slack || theirs.min <= low + 2.0 * slack;
        same &= ours.max < high - slack || theirs.max >= high - 2.0 * slack;
    }
    (!same).then(|| format!("{ours:?}; theirs {theirs:?}"))
}

#[test]
fn every_alias_draws_what_its_framework_draws() {
    let (unverified, mut wrong) = (unverified(), Vec::new());
    let mut compared = 0;
    for table in tables() {
        for (name, row) in table.names.iter().filter(|(_, row)| row.is.is_some()) {
            let qualified = format!("{}.{name}", table.framework);
            if unverified.undrawn.contains_key(&qualified) {
                continue;
            }
            if row.calls.is_empty() {
                wrong.push(format!("{qualified} was not drawn, and is not listed as such"));
            }
            for call in &row.calls {
                let listed = |key: &String| {
                    let key = format!("{qualified}:{key}");
                    unverified.untaken.contains(&key) || unverified.differs.contains_key(&key)
                };
                if call.with.keys().any(listed) {
                    continue;
                }
                let typed = expression(&table.framework, name, &call.with);
                compared += 1;
                match tensor(&typed, &call.shape, &table.layout) {
                    Ok(tensor) => {
                        let found = difference(call.figures, &tensor);
                        wrong.extend(found.map(|what| format!("{typed} {:?}: {what}", call.shape)));
                    }
                    Err(error) => wrong.push(format!("{typed} {:?}: {error:#}", call.shape)),
                }
            }
        }
    }
    assert!(compared > 500, "{compared} draws were compared");
    assert!(wrong.is_empty(), "{} of {compared} draws differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_word_for_a_parameter_is_that_of_its_framework() {
    let (tables, unverified) = (tables(), unverified());
    let fold = |text: &str| text.replace(['_', '-'], "").to_lowercase();
    let takes = |row: &Name, theirs: &str| row.parameters.keys().any(|key| fold(key) == fold(theirs));
    let (mut untabled, mut wrong): (BTreeMap<String, usize>, Vec<String>) = (BTreeMap::new(), Vec::new());
    for (framework, ParameterAlias { name, theirs, ours }) in scheme::parameter_words() {
        let mut own = tables.iter().filter(|table| framework.is_empty() || table.framework == framework).peekable();
        if own.peek().is_none() {
            *untabled.entry(framework.into()).or_default() += 1;
            continue;
        }
        let mut rows = own.flat_map(|table| &table.names);
        let found = rows.any(|(row, held)| (name.is_empty() || fold(name) == fold(row)) && takes(held, theirs));
        let whose = if name.is_empty() { framework.into() } else { format!("{framework}.{name}") };
        if found == unverified.absent.contains_key(&format!("{whose}:{theirs}")) {
            wrong.push(format!("`{theirs}` of `{whose}`, here `{ours}`"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "no function of these frameworks has such a parameter");
    assert_eq!(untabled, unverified.words, "words of frameworks without a table");
}

#[test]
fn axes_lie_as_in_the_framework() {
    let mut layouts: BTreeSet<String> = fanin::tensor::LAYOUTS.iter().map(|row| row.name.into()).collect();
    for table in tables() {
        let ours = Framework::find(&table.framework).unwrap().layout.unwrap_or("io");
        for rank in [2, 3, 4, 5] {
            let letters = |word: &str| word.parse::<Layout>().unwrap().letters(rank).unwrap();
            assert_eq!(letters(ours), letters(&table.layout), "{} with {rank} axes", table.framework);
        }
        layouts.remove(&table.layout);
    }
    assert_eq!(layouts, unverified().layouts, "layouts that no table has");
}

#[test]
fn layers_have_the_tensors_of_the_framework() {
    const RECIPE: &str = r#"
        [tensors]
        dense = { layer = "dense", in = 5, out = 3 }
        conv1d = { layer = "conv1d", in = 5, out = 6, kernel = 3 }
        conv2d = { layer = "conv2d", in = 5, out = 6, kernel = [3, 2] }
        conv3d = { layer = "conv3d", in = 5, out = 6, kernel = [3, 2, 4] }
        embedding = { layer = "embedding", in = 7, out = 5 }
        layer_norm = { layer = "layer_norm", size = 5 }
        batch_norm = { layer = "batch_norm", size = 5 }
        rnn = { layer = "rnn", in = 5, out = 3 }
        lstm = { layer = "lstm", in = 5, out = 3 }
        gru = { layer = "gru", in = 5, out = 3 }
        [rules]
        "*" = "zeros"
    "#;
    let mut seen = 0;
    for table in tables().into_iter().filter(|table| !table.layers.is_empty()) {
        let folder = Folder::new();
        folder.write("recipe.toml", RECIPE);
        folder.done(&format!("model recipe.toml --layout {} -q -o w.safetensors", table.layout));
        let file = folder.read("w.safetensors");
        let length = usize::try_from(u64::from_le_bytes(file[..8].try_into().unwrap())).unwrap();
        let header: BTreeMap<String, Value> = serde_json::from_slice(&file[8..8 + length]).unwrap();
        for (kind, theirs) in &table.layers {
            let tensors = header.iter().filter_map(|(name, held)| {
                let name = name.strip_prefix(kind.as_str())?.strip_prefix(['.', '/'])?;
                Some((name.to_owned(), serde_json::from_value(held["shape"].clone()).unwrap()))
            });
            let ours: BTreeMap<String, Vec<u64>> = tensors.collect();
            assert_eq!(ours, theirs.iter().cloned().collect(), "{kind} of {}", table.framework);
            seen += 1;
        }
    }
    assert!(seen >= 40, "{seen} layers were compared");
}

#[test]
fn a_wrong_figure_is_seen() {
    let tensor = tensor("torch.uniform_", &[300, 200], "torch").unwrap();
    let right = Figures { mean: 0.5, std: 0.2887, min: 0.0, max: 1.0, lower: 0.25, median: 0.5, upper: 0.75 };
    assert_eq!(difference(right, &tensor), None);
    for wrong in [
        Figures { mean: 0.52, ..right },
        Figures { std: 0.3, ..right },
        Figures { min: 0.02, ..right },
        Figures { max: 1.01, ..right },
        Figures { lower: 0.32, ..right },
    ] {
        assert!(difference(wrong, &tensor).is_some(), "{wrong:?}");
    }
}
