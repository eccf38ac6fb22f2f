//! `fanin inspect`: the contents of a file, compared with the distributions in its provenance.

mod json;
mod plots;
mod table;

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::builder::NonEmptyStringValueParser;

use super::screen::Screen;
use super::{help, memory, shown as shown_path};
use crate::generator::NATIVE;
use crate::inspect::{Expected, FEW_AXES, Spectrum, spectrum, summary, tree};
use crate::parallel::available_threads;
use crate::plan::{Common, DrawnTensor};
use crate::reader::{Contents, Entry};
use crate::statistics::summary::Summary;
use crate::tensor::{Fans, Layout};
use crate::text::{bytes, counted, cut, escape, grouped, json_line, matches};
use plots::Plot;

/// Show the tensors of a file with their statistics, measured and expected.
///
/// A file of more than 64 tensors is shown as a tree of names, and no value is read; `--tensor '*'` prints the table.
#[derive(clap::Args)]
#[command(before_help = help::styled(EXAMPLES))]
pub(super) struct Inspect {
    /// Weights file, index (*.index.json), or a folder of either; two are compared
    #[arg(value_name = "FILE", required = true, num_args = 1..=2)]
    files: Vec<PathBuf>,
    /// Tensors to show, as in 'fc*' [default: all]
    ///
    /// `*` matches any characters, `?` exactly one.
    #[arg(long, value_name = "PATTERN", help_heading = help::INPUT)]
    tensor: Option<String>,
    /// Scheme to compare with, for a file without provenance
    #[arg(long, value_parser = NonEmptyStringValueParser::new(), help_heading = help::SCHEMES)]
    scheme: Option<String>,
    /// Axes: torch, ..., or letters [default: the file's]
    ///
    /// For --spectrum and --scheme: a framework (`fanin list layouts`), or one letter per axis, as in oikk. The layout unfolds tensors of
    /// more than two axes. The default is the layout of the file's provenance or framework.
    #[arg(long, help_heading = help::AXES)]
    layout: Option<Layout>,
    /// Print names, counts and sizes as a tree
    ///
    /// No value is read.
    #[arg(long, help_heading = help::OUTPUT, conflicts_with_all = ["plot", "spectrum"])]
    tree: bool,
    /// Histograms in the terminal, or in an SVG or PNG file
    ///
    /// FILE is FILE.svg or FILE.png. With --spectrum, also singular values. In the terminal, `○` marks the expected length of each bar. In a picture, tensors of the same name
    /// share a panel.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-", help_heading = help::OUTPUT)]
    plot: Option<Plot>,
    /// Print the singular values of each matrix
    #[arg(long, help_heading = help::OUTPUT)]
    spectrum: bool,
    /// Overwrite an existing picture
    #[arg(long, requires = "plot", help_heading = help::OUTPUT)]
    force: bool,
    /// Print as JSON, with names unescaped
    #[arg(long, help_heading = help::OUTPUT)]
    json: bool,
    /// Memory per matrix, as in 8GiB [default: half of free]
    ///
    /// It limits the memory for singular values. The default is half of the free memory.
    #[arg(long, value_name = "SIZE", value_parser = memory::parse, help_heading = help::RESOURCES)]
    max_memory: Option<u64>,
}

const EXAMPLES: &str = "\
Examples:
  fanin inspect w.safetensors                     a table of all tensors
  fanin inspect w.npz --tensor 'fc*' --plot       histograms
  fanin inspect before.npz after.npz --plot w.svg";

/// More tensors than this are shown as a tree.
const MAX_ROWS: usize = 64;

impl Inspect {
    /// Reads the files completely, then shows them.
    pub(super) fn run(&self, out: &mut dyn Write) -> Result<()> {
        let misplaced = self.layout.is_some() && self.scheme.is_none() && !self.spectrum;
        ensure!(!misplaced, "--layout needs --spectrum or --scheme");
        let mut opened = Vec::new();
        for path in &self.files {
            let mut contents = Contents::open(path)?;
            if let Some(scheme) = &self.scheme {
                self.expect(scheme, &mut contents)?;
            }
            let numbers = self.wanted(path, &contents)?;
            opened.push((path, contents, numbers));
        }
        let figures =
            self.json || self.plot.is_some() || self.spectrum || self.scheme.is_some() || self.tensor.is_some();
        let most = opened.iter().map(|(_, _, numbers)| numbers.len()).max().unwrap_or(0);
        let is_tree = self.tree || !figures && most > MAX_ROWS;
        self.check_picture()?;
        let mut files = Vec::new();
        for (path, contents, numbers) in opened {
            let looked = match is_tree {
                true => numbers.into_iter().map(|number| Looked { number, ..Looked::default() }).collect(),
                false => self.look(&contents, &numbers).with_context(|| escape(&shown_path(path)))?,
            };
            files.push(Inspected { contents, looked });
        }
        if let Some(picture) = self.picture() {
            self.draw(picture, &mut files)?;
        }
        if self.json {
            return Ok(writeln!(out, "{}", json_line(&self.machine(&files)?))?);
        }
        let (screen, labels) = (&mut Screen::stdout(out), plots::labels(&self.files));
        if is_tree {
            return labels.iter().zip(&files).try_for_each(|(label, file)| self.show_tree(screen, label, file));
        }
        human(screen, &labels, &files)?;
        files.iter().zip(&labels).try_for_each(|(file, label)| {
            let label = if files.len() > 1 { format!("{label}: ") } else { String::new() };
            self.plots(screen, &label, file)
        })
    }

    fn matches(&self, name: &str) -> bool {
        self.tensor.as_ref().is_none_or(|pattern| matches(pattern, name))
    }

    /// The tensors that the pattern selects.
    fn wanted(&self, path: &Path, contents: &Contents) -> Result<Vec<usize>> {
        let wanted = |number: &usize| self.matches(&contents.entries[*number].name);
        let numbers: Vec<usize> = (0..contents.entries.len()).filter(wanted).collect();
        if let Some(pattern) = &self.tensor {
            ensure!(!numbers.is_empty(), "--tensor `{pattern}`: no tensor of {} matches it", shown_path(path));
        }
        Ok(numbers)
    }

    fn show_tree(&self, screen: &mut Screen, label: &str, file: &Inspected) -> Result<()> {
        screen.line(format!("{label}: {}", heading(&file.contents)))?;
        screen.table(&tree(&file.contents, &|name| self.matches(name)))?;
        notes(screen, file)
    }

    /// Expects the scheme of --scheme of every tensor that it suits. Errors if it suits none.
    fn expect(&self, scheme: &str, contents: &mut Contents) -> Result<()> {
        let layout = self.layout.clone().or_else(|| contents.layout?.parse().ok()).unwrap_or_default();
        let (mut unfit, mut suits) = (None, false);
        for entry in contents.entries.iter_mut().filter(|entry| self.matches(&entry.name)) {
            let Some(dtype) = entry.dtype() else { continue };
            let common =
                Common { dtype: dtype.into(), layout: layout.clone(), fans: Fans::default(), generator: NATIVE };
            let tensor = entry.name.parse().map(|name| DrawnTensor::new(name, entry.shape.clone(), scheme, &common));
            match tensor.flatten() {
                Ok(tensor) => (entry.planned, suits) = (Some(Box::new(tensor)), true),
                Err(error) => unfit = unfit.or(Some(error)),
            }
        }
        match unfit {
            Some(error) if !suits => Err(error.context("--scheme")),
            Some(error) => {
                contents.notes.push(format!("--scheme does not suit every tensor: {error:#}"));
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn look(&self, contents: &Contents, numbers: &[usize]) -> Result<Vec<Looked>> {
        let limit = if self.spectrum { memory::limit(self.max_memory) } else { 0 };
        numbers
            .iter()
            .map(|&number| {
                let summary = summary(contents, number, available_threads())?;
                let spectrum =
                    self.spectrum.then(|| spectrum(contents, number, limit, self.layout.as_ref())).transpose()?;
                let (spectrum, no_spectrum) = match spectrum {
                    Some(Ok(spectrum)) => (Some(spectrum), None),
                    Some(Err(reason)) => (None, Some(reason)),
                    None => (None, None),
                };
                Ok(Looked { number, summary, spectrum, no_spectrum })
            })
            .collect()
    }
}

/// A file and the findings on its tensors.
struct Inspected {
    contents: Contents,
    looked: Vec<Looked>,
}

/// The findings on one tensor.
#[derive(Default)]
struct Looked {
    number: usize,
    summary: Option<Summary>,
    spectrum: Option<Spectrum>,
    /// The reason for a missing spectrum that was requested.
    no_spectrum: Option<&'static str>,
}

/// Prints the headings and notes of all files, and their tensors in one table.
fn human(screen: &mut Screen, labels: &[String], files: &[Inspected]) -> Result<()> {
    for (label, file) in labels.iter().zip(files) {
        screen.line(format!("{label}: {}", heading(&file.contents)))?;
    }
    if files.iter().any(|file| !file.looked.is_empty()) {
        screen.table(&table::table(labels, files))?;
    }
    files.iter().try_for_each(|file| notes(screen, file))
}

fn notes(screen: &mut Screen, Inspected { contents, looked }: &Inspected) -> Result<()> {
    for note in all_notes(contents, looked) {
        screen.note(&cut(&note, LONGEST_NOTE))?;
    }
    Ok(())
}

/// Notes on the file, its statistics and its singular values.
fn all_notes(contents: &Contents, looked: &[Looked]) -> Vec<String> {
    let known = contents.notes.iter().chain(&contents.faults).cloned();
    known
        .chain(not_finite(contents, looked))
        .chain(kinds(contents, looked))
        .chain(no_spectra(contents, looked))
        .collect()
}

/// Notes on types with statistics of something else than their values.
fn kinds(contents: &Contents, looked: &[Looked]) -> impl Iterator<Item = String> {
    looked.iter().filter_map(|Looked { number, .. }| {
        let entry = &contents.entries[*number];
        let (name, word) = (&entry.name, &entry.type_word);
        match entry.element() {
            Some(element) if element.is_complex() => {
                Some(format!("`{name}` is complex: statistics use the magnitudes"))
            }
            Some(element) if element.is_number() => None,
            _ => Some(format!("`{name}` has no statistics: values of type {word} cannot be read")),
        }
    })
}

/// Notes on tensors without singular values, if those were requested.
fn no_spectra(contents: &Contents, looked: &[Looked]) -> impl Iterator<Item = String> {
    let few = looked.iter().filter(|looked| looked.no_spectrum == Some(FEW_AXES)).count() as u64;
    let few = (few > 0).then(|| format!("{} with fewer than two axes: no singular values", counted(few, "tensor")));
    let others = looked.iter().filter_map(|Looked { number, no_spectrum, .. }| {
        let reason = no_spectrum.filter(|reason| *reason != FEW_AXES)?;
        Some(format!("`{}` has no singular values: {reason}", contents.entries[*number].name))
    });
    others.chain(few)
}

/// `safetensors, 2 tensors, 203,264 elements, 813,056 bytes; seed 7, native-1`.
fn heading(contents: &Contents) -> String {
    let Contents { format, entries, provenance, .. } = contents;
    let elements: u64 = entries.iter().map(|entry| entry.shape.count()).sum();
    let size: u64 = entries.iter().filter_map(Entry::bytes).sum();
    let origin = match provenance {
        Some(provenance) => format!("seed {}, {}", shown(&provenance.seed), shown(&provenance.generator)),
        None => "no provenance".into(),
    };
    let (tensors, elements) = (counted(entries.len() as u64, "tensor"), counted(elements, "element"));
    format!("{format}, {tensors}, {elements}, {}; {origin}", bytes(size))
}

/// The longest name or other word from a file, and the longest note, in characters.
const LONGEST_WORD: usize = 100;
const LONGEST_NOTE: usize = 400;

/// A word from the file, safe to show in a table.
fn shown(word: &str) -> String {
    cut(&escape(word), LONGEST_WORD)
}

fn not_finite(contents: &Contents, looked: &[Looked]) -> impl Iterator<Item = String> {
    looked.iter().filter_map(|Looked { number, summary, .. }| {
        let Entry { name, .. } = &contents.entries[*number];
        let Summary { nan, infinite, .. } = (*summary)?;
        (nan + infinite > 0).then(|| {
            format!(
                "`{name}` has {} NaN and {} infinite values, excluded from its statistics",
                grouped(nan),
                grouped(infinite)
            )
        })
    })
}

/// The scheme in the provenance.
fn scheme(entry: &Entry) -> Option<&str> {
    entry.planned.as_ref().map(|tensor| tensor.expression()).or(entry.scheme.as_deref())
}

fn expected(entry: &Entry) -> Option<Expected> {
    entry.planned.as_ref().map(|tensor| tensor.distribution().into())
}
