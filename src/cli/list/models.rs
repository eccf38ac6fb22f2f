//! The list of model families by their kinds.

use std::io::Write;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::model::family::{FOLLOWS, Family};

/// The families that have every word in their names, kinds or classes, ordered by kind.
pub(super) fn found(words: Option<&str>) -> Result<Vec<Family>> {
    let mut families = Family::all()?;
    families.sort_by_key(|family| family.kind);
    let Some(words) = words else { return Ok(families) };
    let wanted: Vec<String> = words.split_whitespace().map(plain).collect();
    families.retain(|family| {
        let texts = family.classes().chain([family.model_type, family.kind.word()]);
        let texts: Vec<String> = texts.map(plain).collect();
        wanted.iter().all(|word| texts.iter().any(|text| text.contains(word.as_str())))
    });
    ensure!(
        !families.is_empty() && !wanted.is_empty(),
        "no model has `{words}` in its name, kind or classes; `fanin list models` shows all"
    );
    Ok(families)
}

/// Each kind with the names of its families.
pub(super) fn names() -> Result<Vec<[String; 2]>> {
    let families = found(None)?;
    let kinds = families.chunk_by(|one, other| one.kind == other.kind);
    let row = |of_kind: &[Family]| {
        let names: Vec<&str> = of_kind.iter().map(|family| family.model_type).collect();
        [of_kind[0].kind.word().to_string(), names.join(" ")]
    };
    Ok(kinds.map(row).collect())
}

/// Lower case without separators: `CLIP vision`, `clip_vision` and `ClipVision` are the same.
fn plain(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The classes of a family, with their common beginning once: `Llama: ForCausalLM, Model`.
pub(super) fn classes(family: &Family) -> String {
    let heads = || family.heads.iter();
    let begin = heads().find_map(|head| head.class.strip_suffix(head.word.as_str())).unwrap_or_default();
    let ends = heads().map(|head| head.class.strip_prefix(begin).unwrap_or(&head.class));
    format!("{begin}: {}", ends.collect::<Vec<_>>().join(", "))
}

pub(super) fn json(family: &Family) -> Value {
    let heads: Vec<&str> = family.heads.iter().map(|head| head.word.as_str()).collect();
    let classes: Vec<&str> = family.classes().collect();
    json!({ "name": family.model_type, "kind": family.kind.word(), "heads": heads, "architectures": classes })
}

/// The page of all families, as Markdown.
pub(super) fn markdown(out: &mut dyn Write) -> Result<()> {
    let families = found(None)?;
    writeln!(out, "# Models\n")?;
    writeln!(
        out,
        "Made by `fanin list models --markdown`; `fanin explain NAME` shows the keys of a model's configuration."
    )?;
    writeln!(
        out,
        "Names, shapes, ties, values and default configurations follow {FOLLOWS}. The first class is the default."
    )?;
    for of_kind in families.chunk_by(|one, other| one.kind == other.kind) {
        writeln!(out, "\n## {}\n\n| model | classes |\n|---|---|", of_kind[0].kind.word())?;
        for family in of_kind {
            writeln!(out, "| `{}` | {} |", family.model_type, classes(family))?;
        }
    }
    Ok(())
}
