//! The likely faults behind words of `fanin init` that are no schemes, no shapes, or not in their order.

use anyhow::{Error, Result, anyhow, bail};

use super::named;
use crate::format::Format;
use crate::scheme::frameworks::Framework;
use crate::scheme::{self, Requires, Resolved};
use crate::tensor::{DType, Fans, Shape};

/// Errors if the first word is a shape.
pub(super) fn check_order(first: &str, others: &[String]) -> Result<()> {
    let (name, shape) = named(first);
    let (Ok(shape), false) = (shape.parse::<Shape>(), name.is_some_and(|name| name.contains([':', '(']))) else {
        return Ok(());
    };
    let scheme = others.iter().find(|word| is_scheme(word)).map_or("he-normal", String::as_str);
    let named = name.map(|name| format!("{name}=")).unwrap_or_default();
    bail!("`{first}` is a shape: the scheme comes first, as in `fanin init {scheme} {named}{shape}`")
}

fn is_scheme(word: &str) -> bool {
    word.starts_with(char::is_alphabetic) && scheme::resolve(word).is_ok()
}

/// The error for a word after the scheme that is not a shape.
pub(super) fn not_a_shape(scheme: &str, word: &str, error: Error) -> Error {
    let extension = || word.rsplit_once('.').and_then(|(_, extension)| Format::of_extension(extension));
    if let Some(expression) = with_parameter(scheme, word) {
        anyhow!("`{word}` is not a shape: parameters follow a colon, as in `{expression}`")
    } else if let Some(option) = option_of(word) {
        anyhow!("`{word}` is not a shape: use {option}")
    } else if let Some(expression) = with_value(scheme, word) {
        anyhow!("`{word}` is not a shape: parameters follow a colon, as in `{expression}`")
    } else if extension().is_some() {
        anyhow!("`{word}` is not a shape: use -o {word} for the file")
    } else if word.parse::<DType>().is_ok() {
        anyhow!("`{word}` is not a shape: use --dtype {word}")
    } else if Framework::find(word).is_ok() {
        anyhow!("`{word}` is not a shape: use --like {word}, or --layout {word}")
    } else if is_scheme(word) {
        anyhow!("`{word}` is not a shape: use a command for each scheme, and a shape after it")
    } else {
        error.context(format!("`{word}`"))
    }
}

/// A note on a tensor with the name of a parameter or an option.
pub(super) fn is_parameter(scheme: &Resolved, expression: &str, word: &str) -> Option<String> {
    let (key, _) = word.split_once('=')?;
    // Looking up an expression takes time, and there may be many tensors.
    let is_listed = scheme.scheme.parameters().any(|parameter| parameter.name() == key);
    let meant = if is_listed { with_parameter(expression, word) } else { None };
    let meant = meant.map(|expression| format!("a parameter follows a colon, as in `{expression}`"));
    let meant = meant.or_else(|| Some(format!("the option is {}", option_of(word)?)))?;
    Some(format!("`{word}` is a tensor and its shape; {meant}"))
}

/// An option that is written as `option=value`.
fn option_of(word: &str) -> Option<String> {
    let (option, value) = word.split_once('=')?;
    ["dtype", "seed", "layout", "like", "format", "output"].contains(&option).then(|| format!("--{option} {value}"))
}

/// The scheme with a decimal number as a value without a key.
fn with_value(scheme: &str, word: &str) -> Option<String> {
    let expression = format!("{scheme}:{word}");
    (word.contains('.') && scheme::resolve(&expression).is_ok()).then_some(expression)
}

fn with_parameter(scheme: &str, word: &str) -> Option<String> {
    let (key, value) = word.split_once('=')?;
    scheme::with_parameter(scheme, key, value)
}

/// The error for a shape that the scheme cannot fill, with the shape if there are several. Vectors without fans may be sizes of one shape.
pub(super) fn of_drawing(scheme: &Resolved, fans: Fans, words: &[String], word: &str, error: Error) -> Error {
    let is_size = |word: &String| word.parse::<Shape>().is_ok_and(|shape| shape.rank() == 1);
    let reads_axes = scheme.scheme.requires != Requires::Shape && fans == Fans::default();
    match words {
        [_] => error,
        words if reads_axes && words.iter().all(is_size) => {
            anyhow!(
                "shape {word} has one axis, but {} needs two: did you mean `{}`?",
                scheme.scheme.name,
                words.join("x")
            )
        }
        _ => error.context(format!("`{word}`")),
    }
}
