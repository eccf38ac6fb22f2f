//! `fanin inspect`: what is in a file, beside what its recipe's laws ask for.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::inspect::{Asked, Summary, summary};
use crate::reader::{Contents, Entry};
use crate::recipe::Recipe;
use crate::text::{cut, escape, figure, grouped};

/// Show what is in a file, beside what the law asks for.
#[derive(clap::Args)]
pub(super) struct Inspect {
    /// A .npy, .npz, .safetensors or JSON file, known by its content
    file: PathBuf,
    /// The same for machines, names as they stand in the file
    #[arg(long)]
    json: bool,
}

impl Inspect {
    /// Reads the whole file, then shows it.
    pub(super) fn run(&self, out: &mut dyn Write) -> Result<()> {
        let mut contents = Contents::open(&self.file)?;
        let summaries = (0..contents.entries.len())
            .map(|number| summary(&mut contents, number, threads()))
            .collect::<Result<Vec<_>>>()
            .with_context(|| format!("`{}`", escape(&self.file.to_string_lossy())))?;
        if self.json {
            Ok(writeln!(out, "{}", machine(&contents, &summaries)?)?)
        } else {
            human(out, &contents, &summaries)
        }
    }
}

/// How many threads read where none are asked for.
pub(super) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn human(out: &mut dyn Write, contents: &Contents, summaries: &[Option<Summary>]) -> Result<()> {
    writeln!(out, "{}", heading(contents))?;
    let planned = contents.entries.iter().any(|entry| scheme(entry).is_some());
    let columns = if planned { COLUMNS } else { &COLUMNS[..STORED] };
    let mut rows = vec![columns.iter().map(|(column, _)| column.title.to_string()).collect::<Vec<_>>()];
    for (entry, summary) in contents.entries.iter().zip(summaries) {
        rows.push(columns.iter().map(|(_, cell)| cell(entry, summary.as_ref()).unwrap_or("-".into())).collect());
    }
    if !contents.entries.is_empty() {
        let columns: Vec<Column> = columns.iter().map(|(column, _)| *column).collect();
        table(out, &columns, &rows)?;
    }
    for note in contents.notes.iter().cloned().chain(not_finite(contents, summaries)) {
        writeln!(out, "note: {}", cut(&escape(&note), LONGEST_NOTE))?;
    }
    Ok(())
}

/// `safetensors: 2 tensors, 203,264 elements, native-1, seed 7`.
fn heading(contents: &Contents) -> String {
    let Contents { format, entries, recipe, .. } = contents;
    let elements: u64 = entries.iter().map(|entry| entry.shape.count()).sum();
    let origin = match recipe {
        Some(recipe) => format!("{}, seed {}", shown(&recipe.generator), shown(&recipe.seed)),
        None => "no recipe".into(),
    };
    format!("{format}: {}, {}, {origin}", counted(entries.len() as u64, "tensor"), counted(elements, "element"))
}

/// The longest name or other word from a file that is shown, and the longest note, in characters.
const LONGEST_WORD: usize = 100;
const LONGEST_NOTE: usize = 400;

/// A word from the file, safe to show in a table.
fn shown(word: &str) -> String {
    cut(&escape(word), LONGEST_WORD)
}

fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

fn not_finite(contents: &Contents, summaries: &[Option<Summary>]) -> impl Iterator<Item = String> {
    contents.entries.iter().zip(summaries).filter_map(|(Entry { name, .. }, summary)| {
        let Summary { nan, infinite, .. } = (*summary)?;
        (nan + infinite > 0).then(|| {
            format!("`{name}` holds {} NaN and {} infinite, left out of its figures", grouped(nan), grouped(infinite))
        })
    })
}

/// A column of a table.
#[derive(Clone, Copy)]
pub(super) struct Column {
    /// What stands above it.
    pub(super) title: &'static str,
    /// Whether it is set against its right edge, as numbers are.
    right: bool,
}

impl Column {
    pub(super) const fn words(title: &'static str) -> Self {
        Self { title, right: false }
    }

    pub(super) const fn numbers(title: &'static str) -> Self {
        Self { title, right: true }
    }
}

/// How many of the columns tell what is stored; the rest tell what the recipe asks.
const STORED: usize = 8;

const COLUMNS: &[(Column, Cell)] = &[
    words("name", |entry, _| Some(shown(&entry.name))),
    words("shape", |entry, _| Some(entry.shape.to_string())),
    words("dtype", |entry, _| Some(shown(&entry.type_word))),
    numbers("count", |entry, _| Some(grouped(entry.shape.count()))),
    numbers("min", |_, summary| summary?.min.map(figure)),
    numbers("max", |_, summary| summary?.max.map(figure)),
    numbers("mean", |_, summary| summary?.mean().map(figure)),
    numbers("std", |_, summary| summary?.std().map(figure)),
    numbers("law mean", |entry, _| asked(entry)?.mean.map(figure)),
    numbers("law std", |entry, _| asked(entry)?.std.map(figure)),
    words("law bounds", |entry, _| {
        asked(entry)?.bounds.map(|(low, high)| format!("[{}, {}]", figure(low), figure(high)))
    }),
    words("scheme", |entry, _| scheme(entry).map(shown)),
];

/// What stands in a column for a tensor, where there is something.
type Cell = fn(&Entry, Option<&Summary>) -> Option<String>;

const fn words(title: &'static str, cell: Cell) -> (Column, Cell) {
    (Column::words(title), cell)
}

const fn numbers(title: &'static str, cell: Cell) -> (Column, Cell) {
    (Column::numbers(title), cell)
}

/// The scheme that the recipe names.
fn scheme(entry: &Entry) -> Option<&str> {
    entry.planned.as_ref().map(|tensor| tensor.expression.as_str()).or(entry.scheme.as_deref())
}

fn asked(entry: &Entry) -> Option<Asked> {
    entry.planned.as_ref().map(|tensor| Asked::by(&tensor.law))
}

/// Rows with each column padded to one width.
pub(super) fn table(out: &mut dyn Write, columns: &[Column], rows: &[Vec<String>]) -> Result<()> {
    let width = |number: usize| rows.iter().map(|row| row[number].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(columns.iter().zip(&widths))
            .map(
                |(cell, (column, width))| {
                    if column.right { format!("{cell:>width$}") } else { format!("{cell:width$}") }
                },
            )
            .collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    Ok(())
}

/// The same as one JSON object. Figures that do not exist are null.
fn machine(contents: &Contents, summaries: &[Option<Summary>]) -> Result<Value> {
    let seed = contents.recipe.as_ref().map(Recipe::seed).transpose()?;
    let tensors: Vec<Value> =
        contents.entries.iter().zip(summaries).map(|(entry, summary)| tensor(entry, summary.as_ref())).collect();
    Ok(json!({
        "format": contents.format,
        "generator": contents.recipe.as_ref().map(|recipe| &recipe.generator),
        "seed": seed.map(|seed| seed.0),
        "tensors": tensors,
        "notes": contents.notes,
    }))
}

fn tensor(entry: &Entry, summary: Option<&Summary>) -> Value {
    // An open bound is not a JSON number.
    let law = asked(entry).map(|Asked { mean, std, bounds }| {
        let (low, high) = bounds.unzip();
        let finite = |bound: Option<f64>| bound.filter(|bound| bound.is_finite());
        json!({ "mean": mean, "std": std, "low": finite(low), "high": finite(high) })
    });
    json!({
        "name": entry.name,
        "shape": entry.shape.axes(),
        "dtype": entry.type_word,
        "count": entry.shape.count(),
        "nan": summary.map(|summary| summary.nan),
        "infinite": summary.map(|summary| summary.infinite),
        "min": summary.and_then(|summary| summary.min),
        "max": summary.and_then(|summary| summary.max),
        "mean": summary.and_then(Summary::mean),
        "std": summary.and_then(Summary::std),
        "scheme": scheme(entry),
        "law": law,
    })
}
