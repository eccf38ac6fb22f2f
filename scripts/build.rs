//! Embeds the data files of the program, so that one more is one file more: families of models, and frameworks.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs, io};

use serde::Deserialize;
use toml::Spanned;

const FAMILIES: &str = "src/model/families";
const CONFIGS: &str = "src/model/configs";
const FRAMEWORKS: &str = "src/scheme/frameworks";

/// The frameworks in the order of the pages. Others follow by the alphabet.
const ORDER: &str = "torch keras tensorflow jax flax haiku sonnet lasagne theano mxnet chainer paddle mindspore nnabla mlx \
    tinygrad timm pyg transformers gpt2 whisper neox peft fastai mmcv siren performer exprnn rwkv baselines equinox scipy \
    neurolab s4 mamba caffe dl4j tfjs axon flux lux burn candle tch dfdx reservoirpy reservoircomputing kaldi hinton";

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=scripts/build.rs");
    // A debug build reads the families when it runs.
    if env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        for (folder, extension) in [(FAMILIES, "toml"), (CONFIGS, "json")] {
            let name = Path::new(folder).file_name().unwrap_or_default().to_string_lossy().into_owned();
            let row = |(word, text)| format!("({word:?}, {text:?})");
            embed(&format!("{name}.rs"), &files(folder, extension)?.into_iter().map(row).collect::<Vec<_>>())?;
        }
    }
    let mut frameworks = files(FRAMEWORKS, "toml")?;
    let place = |word: &str| ORDER.split(' ').position(|known| known == word).unwrap_or(usize::MAX);
    frameworks.sort_by_key(|(word, _)| place(word));
    let mut rows = Vec::new();
    for (word, text) in frameworks {
        let framework: Framework =
            toml::from_str(&text).map_err(|error| io::Error::other(format!("{FRAMEWORKS}/{word}.toml: {error}")))?;
        match word.as_str() {
            "common" => write("common.rs", &framework.expression(&word))?,
            _ => rows.push(framework.expression(&word)),
        }
    }
    embed("frameworks.rs", &rows)
}

/// The files of a folder in the order of their names without the extension, each with its text.
fn files(folder: &str, extension: &str) -> io::Result<Vec<(String, String)>> {
    println!("cargo:rerun-if-changed={folder}");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if let (true, Some(word)) = (path.extension().is_some_and(|end| end == extension), path.file_stem()) {
            found.push((word.to_string_lossy().into_owned(), fs::read_to_string(&path)?));
        }
    }
    found.sort();
    Ok(found)
}

fn embed(name: &str, rows: &[String]) -> io::Result<()> {
    write(name, &format!("&[\n{}\n]\n", rows.join(",\n")))
}

fn write(name: &str, text: &str) -> io::Result<()> {
    fs::write(Path::new(&env::var_os("OUT_DIR").unwrap_or_default()).join(name), text)
}

/// A file of `src/scheme/frameworks/`, as docs/contributing.md describes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Framework {
    title: String,
    #[serde(default)]
    words: Vec<String>,
    includes: Option<String>,
    layout: Option<String>,
    default_slope: Option<String>,
    #[serde(default)]
    positional: Vec<String>,
    #[serde(default)]
    schemes: BTreeMap<String, Spanned<Scheme>>,
    #[serde(default)]
    parameters: BTreeMap<String, Parameter>,
    #[serde(default)]
    values: BTreeMap<String, BTreeMap<String, String>>,
    #[serde(default)]
    unsupported: Vec<Unsupported>,
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Scheme {
    Meaning(String),
    Row { means: String, literature: Option<String>, note: Option<String> },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Parameter {
    /// The parameter here.
    One(String),
    /// Parameters here, of which the first counts that the scheme takes.
    Several(Vec<String>),
    /// The parameters of one name: each word there, and the parameter here.
    OfName(BTreeMap<String, String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unsupported {
    names: Vec<String>,
    why: String,
    #[serde(default)]
    instead: String,
}

impl Framework {
    /// The framework as an expression of Rust.
    fn expression(&self, word: &str) -> String {
        let Self { title, words, includes, layout, default_slope, positional, .. } = self;
        let (aliases, parameters, values) = (self.aliases(word), self.parameters(), self.values());
        let unsupported = self.unsupported.iter().map(|Unsupported { names, why, instead }| {
            format!("Unsupported {{ names: &{names:?}, why: {why:?}, instead: {instead:?} }}")
        });
        let unsupported = unsupported.collect::<Vec<_>>().join(", ");
        format!(
            "Framework {{ word: {word:?}, title: {title:?}, words: &{words:?}, includes: {includes:?}, layout: {layout:?}, \
             default_slope: {default_slope:?}, positional: &{positional:?}, aliases: &[{aliases}], parameters: &[{parameters}], values: &[{values}], \
             unsupported: &[{unsupported}] }}"
        )
    }

    /// The aliases in the order of the file.
    fn aliases(&self, word: &str) -> String {
        let mut schemes: Vec<_> = self.schemes.iter().collect();
        schemes.sort_by_key(|(_, row)| row.span().start);
        let row = |(name, row): (&String, &Spanned<Scheme>)| {
            let (means, literature, note) = match row.get_ref() {
                Scheme::Meaning(means) => (means, &None, &None),
                Scheme::Row { means, literature, note } => (means, literature, note),
            };
            let scheme = literature.as_deref().or_else(|| means.split(':').next()).unwrap_or_default();
            format!(
                "Alias {{ framework: {word:?}, name: {name:?}, scheme: {scheme:?}, means: {means:?}, note: {note:?} }}"
            )
        };
        schemes.into_iter().map(row).collect::<Vec<_>>().join(", ")
    }

    /// The words for parameters: those of one name first, which count first.
    fn parameters(&self) -> String {
        let (mut own, mut common) = (Vec::new(), Vec::new());
        let row = |name: &str, theirs: &str, ours: &str| {
            format!("ParameterAlias {{ name: {name:?}, theirs: {theirs:?}, ours: {ours:?} }}")
        };
        for (key, parameter) in &self.parameters {
            match parameter {
                Parameter::One(ours) => common.push(row("", key, ours)),
                Parameter::Several(all) => common.extend(all.iter().map(|ours| row("", key, ours))),
                Parameter::OfName(words) => own.extend(words.iter().map(|(theirs, ours)| row(key, theirs, ours))),
            }
        }
        own.append(&mut common);
        own.join(", ")
    }

    fn values(&self) -> String {
        let words = self.values.iter().flat_map(|(parameter, words)| words.iter().map(move |word| (parameter, word)));
        words
            .map(|(parameter, (theirs, ours))| format!("({parameter:?}, {theirs:?}, {ours:?})"))
            .collect::<Vec<_>>()
            .join(", ")
    }
}
