//! The checks of rotary positions without which the library refuses a configuration.

use anyhow::{Result, bail, ensure};
use serde_json::{Map, Value};

/// The keys that a type of rotary positions needs.
const NEEDED: &[(&str, &[&str])] = &[
    ("linear", &["factor"]),
    ("dynamic", &["factor"]),
    ("yarn", &["factor"]),
    ("longrope", &["short_factor", "long_factor"]),
    ("llama3", &["factor", "low_freq_factor", "high_freq_factor"]),
];

/// The largest odd size of heads that the library accepts, for tests of its own.
const TINY: u64 = 4;

/// Errors if the library would refuse the rotary positions of a configuration, whose keys are complete.
pub(super) fn check(constants: &Map<String, Value>) -> Result<()> {
    let tables = ["rope_parameters", "rope_scaling"].into_iter().filter_map(|key| Some((key, constants.get(key)?)));
    for (key, table) in tables {
        ensure!(!table.is_string() && !table.is_number(), "`{key}` is `{table}`: it must be a table or null");
        let Some(table) = table.as_object() else { continue };
        check_table(key, table, constants)?;
        // The layers of a hybrid have positions of their own.
        for (kind, part) in table.iter().filter(|(kind, _)| kind.ends_with("_attention")) {
            if let Some(part) = part.as_object() {
                check_table(&format!("{key}.{kind}"), part, constants)?;
            }
        }
    }
    Ok(())
}

fn check_table(path: &str, table: &Map<String, Value>, constants: &Map<String, Value>) -> Result<()> {
    let kind = table.get("rope_type").or_else(|| table.get("type")).and_then(Value::as_str).unwrap_or_default();
    for key in NEEDED.iter().filter(|(known, _)| *known == kind).flat_map(|(_, keys)| *keys) {
        ensure!(table.contains_key(*key), "`{path}.{key}` is missing: rotary positions of type `{kind}` need it");
    }
    let theta = table.get("rope_theta").filter(|theta| !theta.is_number());
    if let Some(theta) = theta {
        bail!("`{path}.rope_theta` is `{theta}`: it must be a number");
    }
    let size = constants.get("head_dim").and_then(Value::as_u64).unwrap_or_default();
    let share = table.get("partial_rotary_factor").or_else(|| constants.get("partial_rotary_factor"));
    let is_whole = share.and_then(Value::as_f64).is_none_or(|share| share >= 1.0);
    ensure!(
        size <= TINY || size.is_multiple_of(2) || !is_whole,
        "`head_dim` is {size}: rotary positions need an even size"
    );
    Ok(())
}
