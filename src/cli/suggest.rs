//! The way to write a command or an option that does not exist, for people who know other programs.

use std::path::Path;

use clap::{Command, ValueEnum};

use super::list::What;
use crate::model::layers::modules;
use crate::model::mlp::Sizes;
use crate::pretrain::Method;
use crate::scheme::{self, frameworks::Framework};
use crate::tensor::Shape;

/// Words of other programs for our commands.
const COMMANDS: &[(&str, &[&str])] = &[
    (
        "fanin init",
        &["new", "create", "generate", "gen", "make", "draw", "sample", "write", "initialize", "initialise"],
    ),
    (
        "fanin inspect",
        &["show", "view", "print", "cat", "stats", "info", "summary", "dump", "head", "plot", "compare", "diff", "cmp"],
    ),
    ("fanin verify", &["check", "test", "validate"]),
    ("fanin explain", &["describe", "about", "doc", "docs", "whatis"]),
    ("fanin list", &["ls", "search", "find"]),
    ("fanin pretrain", &["train", "fit", "learn"]),
    ("fanin mlp", &["net", "network", "nn"]),
    ("fanin --version", &["version"]),
];

/// Words of other programs for our options, each with the fix.
const OPTIONS: &[(&str, &[&str])] = &[
    ("use --output FILE", &["out", "outfile", "output-file", "output-dir", "file", "save", "path", "dest"]),
    ("use --dtype", &["type", "precision", "data-type", "float-type"]),
    ("use --seed", &["s", "random-state", "random-seed", "manual-seed", "rng", "key"]),
    ("use --like or --layout", &["framework", "backend", "library", "flavor", "flavour"]),
    ("use --layout", &["data-format", "axis-order", "axes", "kernel-layout"]),
    ("use --force", &["overwrite", "clobber", "replace", "exist-ok", "f"]),
    ("use --threads", &["j", "jobs", "workers", "num-workers", "num-threads", "nproc", "cpus"]),
    ("use --max-memory", &["memory", "mem", "memory-limit"]),
    ("use --quiet", &["silent", "no-progress"]),
    ("use --learning-rate", &["lr", "eta", "alpha"]),
    ("use --activation", &["act", "activation-function", "nonlinearity"]),
    ("use --batch", &["batch-size", "bs"]),
    ("use --scheme", &["as", "expect", "expected", "against"]),
    ("names precede shapes, as in `fc1=784x256`", &["name", "names", "tensor-name", "key-name"]),
    ("shapes follow the scheme, as in `fanin init normal 784x256`", &["shape", "shapes", "size", "dims", "dim"]),
    (
        "the scheme comes first, as in `fanin init normal 784x256`",
        &["scheme", "init", "initializer", "initialiser", "distribution", "dist", "method", "algorithm"],
    ),
];

/// The command for a word that is none, with the words after it.
pub(super) fn command(word: &str, rest: &[String]) -> Option<String> {
    let path = Path::new(word);
    if path.is_file() {
        let is_recipe = path.extension().is_some_and(|extension| extension == "toml");
        return Some(line(&["fanin", if is_recipe { "model" } else { "inspect" }, word], rest));
    }
    if let Some((command, _)) = COMMANDS.iter().find(|(_, words)| words.contains(&word)) {
        return Some(if command.contains("--") { (*command).into() } else { line(&[command], rest) });
    }
    let has_shape = rest.first().is_some_and(|next| is_shape(next));
    if Method::find(word).is_ok() && !has_shape {
        return Some(line(&["fanin", "pretrain", word], rest));
    }
    let is_scheme = scheme::look_up(word).is_ok() || is_module(word);
    if is_scheme && rest.is_empty() {
        return Some(line(&["fanin", "init", word, "SHAPE"], rest));
    }
    if is_scheme || has_shape {
        return Some(line(&["fanin", "init", word], rest));
    }
    if is_shape(word) {
        return Some(line(&["fanin", "init", "he-normal", word], rest));
    }
    if word.parse::<Sizes>().is_ok() {
        return Some(line(&["fanin", "mlp", word], rest));
    }
    What::from_str(word, true).is_ok().then(|| line(&["fanin", "list", word], rest))
}

/// The end of the error about an argument too many: one of several sizes or files, or a word of a list.
pub(super) fn extra(culprit: &str, arguments: &[String]) -> String {
    let is_size = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let sizes: Vec<&str> = arguments.iter().skip(2).map(String::as_str).filter(is_size).collect();
    match arguments.get(1).map(String::as_str) {
        Some("mlp" | "pretrain") if sizes.len() > 1 => format!(": join sizes by `-`, as in `{}`", sizes.join("-")),
        Some("list") if Framework::find(culprit).is_ok() => format!(": use --framework {culprit}"),
        Some("list") if arguments.iter().any(|word| word == "schemes") => format!(": use --search {culprit}"),
        Some("inspect") => ": at most two files are compared".into(),
        Some("verify") => ": `fanin inspect` compares two files".into(),
        _ => String::new(),
    }
}

/// The end of the error about an unknown option. `near` is that of the parser, or empty.
pub(super) fn option(option: &str, near: String, line: &Command, arguments: &[String]) -> String {
    let verb = arguments.get(1).map_or("", String::as_str);
    let has = |long: &str| {
        line.find_subcommand(verb).is_some_and(|verb| verb.get_arguments().any(|own| own.get_long() == Some(long)))
    };
    // An option must be one of this command; schemes and shapes are words of `init`.
    let fits = |fix: &str| match fix.split_once("--") {
        Some((_, rest)) => rest.split(' ').next().is_some_and(has),
        None => verb == "init",
    };
    if verb.starts_with('-')
        && let Some(command) = arguments.iter().find(|word| line.find_subcommand(word).is_some())
    {
        return format!(": options follow the command, as in `fanin {command} {option}`");
    }
    let key = option.trim_start_matches('-');
    let foreign = || OPTIONS.iter().find(|(fix, words)| words.contains(&key) && fits(fix)).map(|&(fix, _)| fix);
    if let Some(expression) = with_parameter(option, arguments) {
        return format!(": parameters follow a colon, as in `{expression}`");
    }
    let single_dash = |word: &&String| word.starts_with(option) && !word.starts_with("--") && has(&word[1..]);
    if let Some(word) = arguments.iter().find(single_dash) {
        return format!("; did you mean `-{word}`?");
    }
    if let Some(fix) = foreign() {
        return format!(": {fix}");
    }
    match takes(key).filter(|_| near.is_empty() && verb == "init") {
        Some(scheme) => format!(": parameters follow a colon, as in `{scheme}:{key}=VALUE`"),
        None => near,
    }
}

/// The scheme of a command line with an unknown option as its parameter, if that has a meaning.
fn with_parameter(option: &str, arguments: &[String]) -> Option<String> {
    let place = arguments.iter().position(|word| word.split('=').next() == Some(option))?;
    let value = match arguments[place].split_once('=') {
        Some((_, value)) => value,
        None => arguments.get(place + 1)?,
    };
    let mut words = arguments.iter().skip(2).filter(|word| !word.starts_with('-'));
    words.find_map(|scheme| scheme::with_parameter(scheme, option.strip_prefix("--")?, value))
}

/// A scheme that takes a parameter.
fn takes(key: &str) -> Option<&'static str> {
    let scheme = scheme::all().find(|scheme| scheme.parameters().any(|parameter| parameter.name() == key))?;
    Some(scheme.name)
}

/// An example for a command line whose required words are missing.
pub(super) fn example(arguments: &[String]) -> Option<String> {
    let word = arguments.get(2).filter(|word| !word.starts_with('-')).map(String::as_str);
    Some(match arguments.get(1)?.as_str() {
        "init" => match word {
            Some(shape) if is_shape(shape) => line(&["fanin", "init", "he-normal", shape], &[]),
            word => {
                let known = word.filter(|word| scheme::resolve(word).is_ok() || is_module(word));
                line(&["fanin", "init", known.unwrap_or("he-normal"), "784x256"], &[])
            }
        },
        "mlp" => "fanin mlp 784-512-10".into(),
        "model" => "fanin model config.json -o checkpoint/".into(),
        "pretrain" => line(&["fanin", "pretrain", word.unwrap_or("rbm"), "784-256", "--data", "x.npy"], &[]),
        "list" => "fanin list schemes".into(),
        "explain" => "fanin explain he-normal".into(),
        "completions" => "fanin completions bash".into(),
        command @ ("inspect" | "verify") => line(&["fanin", command, "w.npz"], &[]),
        _ => return None,
    })
}

/// True for a module of torch with weights, as `nn.LSTM`.
fn is_module(word: &str) -> bool {
    modules::find(word).is_ok_and(|module| module.is_some())
}

fn is_shape(word: &str) -> bool {
    word.rsplit('=').next().is_some_and(|shape| shape.parse::<Shape>().is_ok())
}

/// Words as a line of shell, with `...` for a long end.
fn line(words: &[&str], rest: &[String]) -> String {
    let mut line = String::from(words[0]);
    for word in words[1..].iter().copied().chain(rest.iter().map(String::as_str)) {
        let word = quoted(word);
        if line.chars().count() + word.chars().count() > 60 {
            return line + " ...";
        }
        line = format!("{line} {word}");
    }
    line
}

/// A word in quotes, if a shell would split or change it.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = word.chars().all(|c| c.is_alphanumeric() || "-_=.,:/×+@%".contains(c));
    if is_plain { word.into() } else { format!("'{word}'") }
}
