//! The report of drawn tensors and written files.

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::repeated::{Line, folded};
use super::screen::Screen;
use super::terminal;
use crate::checkpoint::{Files, Rank, WriteSummary};
use crate::distribution::Distribution;
use crate::format::Format;
use crate::plan::{DrawnTensor, Plan, Tensor};
use crate::show::GLUE;
use crate::tensor::{Fans, Seed, Shape, Slice};
use crate::text::{bytes, counted, escape, figure, grouped, json_line};

/// The data that was written.
#[derive(Default)]
pub(super) struct Written {
    /// The files; empty for a stream or a terminal.
    pub(super) done: WriteSummary,
    /// The format; `None` for a terminal.
    pub(super) format: Option<&'static Format>,
    /// The elapsed time.
    pub(super) seconds: f64,
    /// The rank of this process.
    pub(super) rank: Option<Rank>,
    /// The number of tensor files, including the files of other ranks.
    pub(super) shards: usize,
}

impl Written {
    fn paths(&self) -> impl Iterator<Item = &Path> {
        self.done.written.iter().map(PathBuf::as_path)
    }
}

/// The report as text: the tensors, the notes, and the files. Without `verbose`, a terminal gets as many
/// lines of tensors as it shows tensors.
pub(super) fn text(screen: &mut Screen, plan: &Plan, written: &Written, verbose: bool) -> io::Result<()> {
    let most = if written.format.is_none() && !verbose { terminal::MAX_TENSORS } else { usize::MAX };
    for line in lines(plan, verbose).into_iter().take(most) {
        screen.line(line)?;
    }
    for note in notes(plan, written.format, written.paths()) {
        screen.note(&note)?;
    }
    let Written { done, rank, shards, .. } = written;
    for (path, hash) in &done.sha256 {
        screen.line(format!("sha256 {hash}  {}", shown(path)))?;
    }
    if let Some(rank) = rank {
        screen.line(share(rank, *shards))?;
    }
    if done.missing > 0 {
        let missing = format!("{} of {shards} files do not exist yet", done.missing);
        screen.line(format!("{missing}: the rank that finds all of them writes the index"))?;
    }
    match done.skipped.as_slice() {
        [] => {}
        [file] => screen.line(format!("skipped {}: already complete", shown(file)))?,
        files => screen.line(format!("skipped {} files: already complete", files.len()))?,
    }
    for file in &done.damaged {
        screen.line(format!("replaced {}, which was damaged", shown(file)))?;
    }
    let origin = format!("seed {}, {}", plan.seed(), plan.generator().name);
    let values = |count| format!("{} of values", bytes(count));
    screen.line(match (written.format, done.written.as_slice()) {
        (None, _) => origin,
        (Some(_), []) if rank.is_some() || !done.skipped.is_empty() => format!("wrote nothing, {origin}"),
        (Some(_), []) => format!("wrote {} to standard output, {origin}", values(plan.bytes())),
        (Some(_), [file]) => format!("wrote {}: {}, {origin}", shown(file), values(done.value_bytes)),
        (Some(_), files) => format!("wrote {} files: {}, {origin}", files.len(), values(done.value_bytes)),
    })
}

/// A path, safe to show.
pub(super) fn shown(path: &Path) -> String {
    escape(&path.display().to_string())
}

/// The files of a rank, and the source of its number.
pub(super) fn share(rank: &Rank, files: usize) -> String {
    let own = (0..files).filter(|&file| rank.owns(file)).count();
    format!("rank {} of {} ({}): {own} of {files} files of tensors", rank.number, rank.world, rank.rule)
}

/// A rank in JSON.
pub(super) fn rank(rank: &Rank) -> Value {
    json!({ "number": rank.number, "world_size": rank.world, "rule": rank.rule })
}

/// The lines of the tensors. Repeated layers share their lines, unless each tensor is to have its own.
pub(super) fn lines(plan: &Plan, verbose: bool) -> Vec<String> {
    let line = |tensor: &Tensor| Line { name: escape(tensor.name().as_str()), description: description(tensor) };
    match verbose {
        true => plan.tensors().iter().map(|tensor| line(tensor).to_string()).collect(),
        false => folded(plan.tensors(), line),
    }
}

/// The sizes of a plan and its files.
pub(super) fn sizes(plan: &Plan, files: Option<&Files>) -> String {
    let files: Vec<_> = files.iter().flat_map(|files| files.all()).collect();
    let size = files.iter().try_fold(0u64, |sum, file| sum.checked_add(file.size()?));
    let size = size.filter(|_| !files.is_empty());
    format!(
        "{}, {} parameters, {} of values{}",
        counted(plan.tensors().len() as u64, "tensor"),
        grouped(plan.parameters()),
        bytes(plan.bytes()),
        size.map(|size| format!("; files: {}, {}", files.len(), bytes(size))).unwrap_or_default()
    )
}

/// The shape and type of a tensor, with everything inferred for it.
fn description(tensor: &Tensor) -> String {
    let (shape, element) = (tensor.shape(), tensor.element().word());
    let part = tensor.slice().map(|slice| part(slice, shape)).unwrap_or_default();
    let begin = format!("{shape}{part} {element}");
    let tensor = match tensor {
        Tensor::Drawn(drawn) => drawn,
        Tensor::Copied(_) => {
            let sha256 = tensor.copied().map_or("", |copied| &copied.identity.sha256);
            return format!("{begin}: copied, SHA-256 {sha256}");
        }
        Tensor::Trained(trained) => {
            let method = trained.record().map_or("", |record| &record.method);
            let (method, _) = method.split_once(':').unwrap_or((method, ""));
            return format!("{begin}: learned by {method}, from {}", trained.initial().expression());
        }
    };
    let base = tensor.base().into_iter().map(|base| ("base", format!("`{}`", escape(&base.name))));
    let figures: Vec<String> = base
        .chain(fans(tensor.fans()))
        .chain(distribution(tensor.distribution()))
        .map(|(word, figure)| format!("{word}{GLUE}{figure}"))
        .collect();
    // Of some distributions no figure is known.
    let figures = if figures.is_empty() { String::new() } else { format!("; {}", figures.join(", ")) };
    let close = if tensor.approximate().is_some() { "; approximate" } else { "" };
    format!("{begin}: {}{figures}{close}", tensor.expression())
}

/// The position of a slice in its tensor: ` [0:4, 2:8] of 16x8`.
fn part(slice: &Slice, shape: &Shape) -> String {
    let ranges = slice.start.iter().zip(shape.axes()).map(|(&start, &size)| format!("{start}:{}", start + size));
    let of = slice.of.iter().map(u64::to_string).collect::<Vec<_>>().join("x");
    format!(" [{}] of {of}", ranges.collect::<Vec<_>>().join(", "))
}

fn fans(fans: Option<Fans>) -> Vec<(&'static str, String)> {
    let Fans { fan_in, fan_out } = fans.unwrap_or_default();
    let known = [("fan_in", fan_in), ("fan_out", fan_out)];
    known.into_iter().filter_map(|(word, fan)| Some((word, fan?.to_string()))).collect()
}

fn distribution(distribution: &Distribution) -> Vec<(&'static str, String)> {
    let mut figures = Vec::new();
    if let Some((low, high)) = distribution.bounds() {
        figures.extend([("low", figure(low)), ("high", figure(high))]);
    }
    let mean = distribution.mean().filter(|&mean| mean != 0.0 || matches!(distribution, Distribution::Constant { .. }));
    figures.extend(mean.map(|mean| ("mean", figure(mean))));
    figures.extend(distribution.std().map(|std| ("std", figure(std))));
    figures
}

/// Every note once, even if it is about several tensors.
pub(super) fn notes<'a>(
    plan: &Plan,
    format: Option<&Format>,
    files: impl IntoIterator<Item = &'a Path>,
) -> Vec<String> {
    let (mut notes, mut known) = (Vec::new(), HashSet::new());
    let of_format = format.and_then(|format| format.note(plan));
    let of_files = format.and_then(|format| files.into_iter().find_map(|path| misnamed(path, format)));
    let of_tensor = |tensor: &Tensor| -> Vec<String> {
        let approximate = tensor.drawn().and_then(DrawnTensor::approximate).map(|why| format!("approximate: {why}"));
        let trained = tensor.trained().map(ToString::to_string);
        trained.into_iter().chain(tensor.notes().iter().cloned()).chain(approximate).collect()
    };
    let of_tensors = plan.tensors().iter().flat_map(of_tensor);
    let of_ties = plan.tied().iter().map(|(name, to)| format!("{name} is tied to {to} and not written"));
    for note in of_tensors.chain(of_ties).chain(plan.notes().iter().cloned()).chain(of_format).chain(of_files) {
        if known.insert(note.clone()) {
            notes.push(note);
        }
    }
    notes
}

/// A note on a file with the extension of another format.
fn misnamed(path: &Path, format: &Format) -> Option<String> {
    let other = Format::of_extension(path.extension()?.to_str()?)
        .filter(|other| other.name != format.name && !other.is_generic)?;
    Some(format!("`{}` holds {format}, but its extension is that of {other}", path.display()))
}

/// The report as one JSON object.
pub(super) fn json(out: &mut dyn Write, plan: &Plan, written: &Written) -> Result<()> {
    let Written { done, rank, .. } = written;
    let mut report = json!({
        "generator": plan.generator().name,
        "seed": seed(plan.seed()),
        "notes": notes(plan, written.format, written.paths()),
        "format": written.format.map(|format| format.name),
        "files": names(&done.written),
        "value_bytes": plan.bytes(),
        "seconds": written.seconds,
        "version": env!("CARGO_PKG_VERSION"),
    });
    if !plan.tied().is_empty() {
        report["tied"] = tied(plan);
    }
    if !done.skipped.is_empty() {
        report["skipped"] = json!(names(&done.skipped));
    }
    if !done.damaged.is_empty() {
        report["damaged"] = json!(names(&done.damaged));
    }
    if !done.sha256.is_empty() {
        report["sha256"] = done.sha256.iter().map(|(path, hash)| (path.display().to_string(), json!(hash))).collect();
    }
    if let Some(of) = rank {
        report["rank"] = self::rank(of);
        report["rank"]["missing"] = json!(done.missing);
    }
    print_json(out, &report, plan)
}

/// Prints a report on one line, with the tensors of its plan, one after the other.
pub(super) fn print_json(out: &mut dyn Write, report: &Value, plan: &Plan) -> Result<()> {
    let is_before = |key: &str| key < "tensors";
    let entries = report.as_object().into_iter().flatten();
    let (before, after): (Vec<_>, Vec<_>) = entries.partition(|(key, _)| is_before(key));
    let entry = |(key, value): (&String, &Value)| format!("{}:{}", json!(key), json_line(value));
    let joined = |entries: Vec<_>| entries.into_iter().map(entry).collect::<Vec<_>>().join(",");
    write!(out, "{{{},\"tensors\":[", joined(before))?;
    for (number, of_plan) in plan.tensors().iter().enumerate() {
        let comma = if number > 0 { "," } else { "" };
        write!(out, "{comma}{}", json_line(&tensor(of_plan)))?;
    }
    Ok(writeln!(out, "],{}}}", joined(after))?)
}

/// The largest number up to which every reader of JSON has all whole numbers.
const MAX_JSON_NUMBER: u64 = 1 << 53;

/// A seed as a number if every reader of JSON has it; else as text.
pub(super) fn seed(seed: &Seed) -> Value {
    let number = seed.to_u64().filter(|&number| number <= MAX_JSON_NUMBER);
    number.map_or_else(|| json!(seed.to_string()), |number| json!(number))
}

fn names(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| path.display().to_string()).collect()
}

/// The names that stand for a tensor, each with the name of the tensor.
pub(super) fn tied(plan: &Plan) -> Value {
    plan.tied().iter().map(|(name, to)| (name.to_string(), json!(to.as_str()))).collect()
}

pub(super) fn tensor(tensor: &Tensor) -> Value {
    let (drawn, initial) = (tensor.drawn(), tensor.initial());
    let fans = drawn.and_then(DrawnTensor::fans).unwrap_or_default();
    let (distribution, zeros) = match drawn.map(DrawnTensor::distribution) {
        Some(Distribution::Cleared { distribution, from, to }) => (Some(distribution.as_ref()), Some([from, to])),
        distribution => (distribution, None),
    };
    let bounds = distribution.and_then(Distribution::bounds);
    let spec = drawn.map(DrawnTensor::spec);
    // JSON has null for an open bound.
    let entry = json!({
        "name": tensor.name().as_str(),
        "shape": tensor.shape().axes(),
        "dtype": tensor.element().word(),
        "slice": tensor.slice(),
        "copied": tensor.copied().map(|kept| &kept.identity),
        "scheme": initial.map(DrawnTensor::expression),
        "layout": initial.and_then(DrawnTensor::layout),
        "trained": tensor.trained(),
        "base": drawn.and_then(DrawnTensor::base),
        "fan_in": fans.fan_in,
        "fan_out": fans.fan_out,
        "distribution": distribution.and_then(Distribution::name),
        "zeros": zeros,
        "mean": distribution.and_then(Distribution::mean),
        "std": distribution.and_then(Distribution::std),
        "low": bounds.map(|(low, _)| low),
        "high": bounds.map(|(_, high)| high),
        "order": spec.and_then(|spec| spec.order),
        "skipped": spec.map(|spec| spec.skipped).filter(|&skipped| skipped > 0),
        "approximate": drawn.and_then(DrawnTensor::approximate),
        "notes": tensor.notes(),
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
