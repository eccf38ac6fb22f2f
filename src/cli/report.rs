//! The report of what was drawn and where it went.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Result;
use serde_json::{Map, Value, json};

use crate::law::Law;
use crate::plan::{Fans, Plan, Tensor};
use crate::text::{bytes, escape, figure};
use crate::writer::Format;

/// Where the data went.
#[derive(Default)]
pub(super) struct Written {
    /// The files; none where the data went to a stream or a terminal.
    pub(super) files: Vec<PathBuf>,
    /// Their format; `None` for a terminal.
    pub(super) format: Option<&'static Format>,
    /// How long it took.
    pub(super) seconds: f64,
}

/// The report for people: a line a tensor, the notes, and what was written.
pub(super) fn human(out: &mut dyn Write, plan: &Plan, written: &Written) -> io::Result<()> {
    for tensor in &plan.tensors {
        writeln!(out, "{}", line(tensor))?;
    }
    for note in notes(plan, written) {
        writeln!(out, "note: {}", escape(&note))?;
    }
    let origin = format!("seed {}, {}", plan.seed, plan.generator.name);
    match (written.format, written.files.as_slice()) {
        (None, _) => writeln!(out, "{origin}"),
        (Some(_), []) => writeln!(out, "wrote {} to standard output, {origin}", size(plan)),
        (Some(_), [file]) => writeln!(out, "wrote {}: {}, {origin}", escape(&file.display().to_string()), size(plan)),
        (Some(_), files) => writeln!(out, "wrote {} files: {}, {origin}", files.len(), size(plan)),
    }
}

fn size(plan: &Plan) -> String {
    format!("{} of values", bytes(plan.bytes()))
}

/// What was taken for a tensor: nothing is inferred silently.
fn line(tensor: &Tensor) -> String {
    let Tensor { name, shape, dtype, expression, .. } = tensor;
    let base = tensor.base.iter().map(|base| ("base", format!("`{}`", escape(&base.name))));
    let figures: Vec<String> = base
        .chain(fans(tensor.fans))
        .chain(law(&tensor.law))
        .map(|(word, figure)| format!("{word} {figure}"))
        .collect();
    // Of some laws no figure is known.
    let figures = if figures.is_empty() { String::new() } else { format!("; {}", figures.join(", ")) };
    format!("{}={shape} {dtype}: {expression}{figures}", escape(name.as_str()))
}

fn fans(fans: Option<Fans>) -> Vec<(&'static str, String)> {
    let Fans { fan_in, fan_out } = fans.unwrap_or_default();
    let known = [("fan_in", fan_in), ("fan_out", fan_out)];
    known.into_iter().filter_map(|(word, fan)| Some((word, fan?.to_string()))).collect()
}

fn law(law: &Law) -> Vec<(&'static str, String)> {
    let mut figures = Vec::new();
    if let Some((low, high)) = law.bounds() {
        figures.extend([("low", figure(low)), ("high", figure(high))]);
    }
    let mean = law.mean().filter(|&mean| mean != 0.0 || matches!(law, Law::Constant { .. }));
    figures.extend(mean.map(|mean| ("mean", figure(mean))));
    figures.extend(law.std().map(|std| ("std", figure(std))));
    figures
}

/// Every note once, however many tensors it is about.
fn notes(plan: &Plan, written: &Written) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    let of_format = written.format.and_then(|format| format.note(plan));
    for note in plan.tensors.iter().flat_map(|tensor| tensor.notes.iter().cloned()).chain(of_format) {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes
}

/// The report for machines: one JSON object.
pub(super) fn machine(out: &mut dyn Write, plan: &Plan, written: &Written) -> Result<()> {
    let files: Vec<String> = written.files.iter().map(|file| file.display().to_string()).collect();
    let report = json!({
        "generator": plan.generator.name,
        "seed": plan.seed.0,
        "tensors": plan.tensors.iter().map(tensor).collect::<Vec<_>>(),
        "notes": notes(plan, written),
        "format": written.format.map(|format| format.name),
        "files": files,
        "value_bytes": plan.bytes(),
        "seconds": written.seconds,
        "version": env!("CARGO_PKG_VERSION"),
    });
    Ok(writeln!(out, "{report}")?)
}

fn tensor(tensor: &Tensor) -> Value {
    let fans = tensor.fans.unwrap_or_default();
    let bounds = tensor.law.bounds();
    // An open bound is not a JSON number.
    let finite = |bound: f64| bound.is_finite().then_some(bound);
    let entry = json!({
        "name": tensor.name.as_str(),
        "shape": tensor.shape.axes(),
        "dtype": tensor.dtype.word(),
        "scheme": tensor.expression,
        "layout": tensor.layout,
        "base": tensor.base,
        "fan_in": fans.fan_in,
        "fan_out": fans.fan_out,
        "mean": tensor.law.mean(),
        "std": tensor.law.std(),
        "low": bounds.and_then(|(low, _)| finite(low)),
        "high": bounds.and_then(|(_, high)| finite(high)),
        "notes": tensor.notes,
    });
    without_nulls(entry)
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(entries) => {
            Value::Object(entries.into_iter().filter(|(_, value)| !value.is_null()).collect::<Map<_, _>>())
        }
        other => other,
    }
}
