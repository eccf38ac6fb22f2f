//! Values of expressions: limits and conversions.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow, bail, ensure};
use minijinja::ErrorKind;
use minijinja::value::{Value, ValueKind};
use serde_json::{Map, Number};

use crate::text::{cut, escape};

/// The longest text of a value, in bytes.
pub(super) const MAX_TEXT: usize = 1 << 16;
/// The maximum number of values in a list or table, at any depth.
pub(super) const MAX_VALUES: usize = 1 << 16;
/// The maximum number of bytes of all strings in a value.
const MAX_TEXTS: usize = 1 << 20;

/// A non-negative integer, such as 12 or 12.0; `None` for any other value.
pub(super) fn size(value: &Value) -> Option<u64> {
    if value.is_integer() {
        return u64::try_from(value.clone()).ok();
    }
    let number = f64::try_from(value.clone()).ok().filter(|_| value.is_number())?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is whole and within 53 bits")]
    ((0.0..=9_007_199_254_740_992.0).contains(&number) && number.fract() == 0.0).then_some(number as u64)
}

/// The items in the lists and tables of a value, at any depth.
pub(super) fn count(value: &Value) -> usize {
    let is_table = value.kind() == ValueKind::Map;
    if !is_table && !matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) {
        return 0;
    }
    let items = value.try_iter().into_iter().flatten();
    items
        .map(|item| 1 + if is_table { value.get_item(&item).map_or(0, |item| count(&item)) } else { count(&item) })
        .sum()
}

/// A value for a message.
pub(super) fn shown_value(value: &Value) -> String {
    match value.kind() {
        ValueKind::None => "none".into(),
        ValueKind::String => format!("the text `{}`", escape(&cut(value.as_str().unwrap_or_default(), 40))),
        ValueKind::Number | ValueKind::Bool => written(value).unwrap_or_else(|_| "a number".into()),
        ValueKind::Map => "a table".into(),
        _ => "a list".into(),
    }
}

/// A value inserted into a text: numbers in their shortest form, integers without a decimal point.
pub(super) fn written(value: &Value) -> Result<String> {
    match value.kind() {
        ValueKind::String => Ok(value.as_str().unwrap_or_default().into()),
        ValueKind::Bool => Ok(value.is_true().to_string()),
        ValueKind::Number if value.is_integer() => Ok(value.to_string()),
        ValueKind::Number => {
            let number = f64::try_from(value.clone()).map_err(|error| anyhow!(message(&error)))?;
            let magnitude = number.abs();
            Ok(match magnitude == 0.0 || (1e-5..1e16).contains(&magnitude) {
                true => format!("{number}"),
                false => format!("{number:e}"),
            })
        }
        _ => bail!("{} cannot be inserted into text", shown_value(value)),
    }
}

/// The value without lazy parts. Errors if it exceeds a limit.
pub(super) fn plain(value: &Value) -> Result<Value> {
    match value.kind() {
        ValueKind::Bool | ValueKind::None => Ok(value.clone()),
        ValueKind::Number | ValueKind::String => {
            to_json(value)?;
            Ok(value.clone())
        }
        _ => Ok(from_json(&to_json(value)?)),
    }
}

/// A value as JSON. Errors if it is not plain or exceeds a limit.
pub(super) fn to_json(value: &Value) -> Result<serde_json::Value> {
    Ok(sized_json(value)?.0)
}

/// The same with the size in memory, in bytes.
pub(super) fn sized_json(value: &Value) -> Result<(serde_json::Value, usize)> {
    let mut size = Size::default();
    let value = convert(value, &mut size, 0)?;
    // A value takes 24 bytes in the engine and 32 as JSON, in addition to its strings.
    Ok((value, 64 * size.values + 2 * size.texts))
}

/// The converted part of a value.
#[derive(Default)]
struct Size {
    values: usize,
    texts: usize,
}

fn convert(value: &Value, size: &mut Size, depth: usize) -> Result<serde_json::Value> {
    size.values += 1;
    ensure!(size.values <= MAX_VALUES, "a list of more than {MAX_VALUES} values");
    ensure!(depth <= 32, "lists are nested more than 32 deep");
    Ok(match value.kind() {
        ValueKind::None => serde_json::Value::Null,
        ValueKind::Bool => value.is_true().into(),
        ValueKind::Number if value.is_integer() => {
            let number = i64::try_from(value.clone()).map(Number::from);
            number
                .or_else(|_| u64::try_from(value.clone()).map(Number::from))
                .map_err(|_| anyhow!("{value} has more than 64 bits"))?
                .into()
        }
        ValueKind::Number => {
            let number = f64::try_from(value.clone()).ok().and_then(Number::from_f64);
            number.with_context(|| format!("{value} is not a finite number"))?.into()
        }
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            ensure!(text.len() <= MAX_TEXT, "a text of {} bytes: at most {MAX_TEXT} are allowed", text.len());
            size.texts += text.len();
            ensure!(size.texts <= MAX_TEXTS, "texts of more than {MAX_TEXTS} bytes in all");
            text.into()
        }
        ValueKind::Map => {
            let mut entries = Map::new();
            for key in value.try_iter().map_err(|error| anyhow!(message(&error)))? {
                let name = key.as_str().context("a table has a key that is not text")?.to_string();
                size.texts += name.len();
                let entry = value.get_item(&key).map_err(|error| anyhow!(message(&error)))?;
                entries.insert(name, convert(&entry, size, depth + 1)?);
            }
            entries.into()
        }
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().map_err(|error| anyhow!(message(&error)))?;
            items.map(|item| convert(&item, size, depth + 1)).collect::<Result<Vec<_>>>()?.into()
        }
        _ => bail!("it has no value"),
    })
}

pub(super) fn from_json(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::from(()),
        serde_json::Value::Bool(truth) => Value::from(*truth),
        serde_json::Value::Number(number) => from_number(number),
        serde_json::Value::String(text) => Value::from(text.as_str()),
        serde_json::Value::Array(items) => items.iter().map(from_json).collect(),
        serde_json::Value::Object(entries) => {
            entries.iter().map(|(name, value)| (name.clone(), from_json(value))).collect::<BTreeMap<_, _>>().into()
        }
    }
}

/// A number; an integer if it is written without a decimal point.
pub(super) fn from_number(number: &Number) -> Value {
    let whole = number.as_i64().map(Value::from).or_else(|| number.as_u64().map(Value::from));
    whole.or_else(|| number.as_f64().map(Value::from)).unwrap_or_default()
}

/// The message of the engine on one line.
pub(super) fn message(error: &minijinja::Error) -> String {
    let kind = error.kind();
    match (kind, error.detail()) {
        (ErrorKind::OutOfFuel, _) => "it takes too many steps, or its text is too long".into(),
        (_, Some(detail)) => escape(&cut(&detail.replace('\n', " "), 300)),
        (_, None) => kind.to_string(),
    }
}
