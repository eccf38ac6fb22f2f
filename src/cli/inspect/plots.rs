//! `fanin inspect --plot` and `--spectrum`, in a terminal, in a picture and as JSON.

use std::collections::HashMap;
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, Error, Result};
use serde_json::{Value, json};

use super::{Expected, Inspect, Inspected, Looked, escape, expected, heading, scheme, shown, shown_path};
use crate::cli::overlap::Touched;
use crate::cli::screen::Screen;
use crate::format::Piece;
use crate::inspect::{Places, Plotted, Series, Spectrum, bins, chart, histogram, marginal, places};
use crate::parallel::available_threads;
use crate::picture::{MAX_PANELS, PictureFile};
use crate::plan::Plan;
use crate::show;
use crate::statistics::histogram::{Bins, Histogram};
use crate::statistics::summary::Summary;
use crate::text::{counted, figure, rounded};
use crate::writer::{self, Existing, FileOptions, Settings};

/// The greatest number of rows of a histogram in a terminal.
const ROWS: usize = 21;
/// The greatest number of bars of a histogram in a picture.
const BARS: usize = 80;

/// The place of histograms.
#[derive(Clone, Debug)]
pub(super) enum Plot {
    Terminal,
    File(PictureFile),
}

impl FromStr for Plot {
    type Err = Error;

    /// `-` or the name of a file.
    fn from_str(text: &str) -> Result<Self> {
        // After --plot, a file to read would be taken for the picture.
        let file = || text.parse().map(Self::File).context("use FILE.svg or FILE.png, or put --plot last");
        if text == "-" { Ok(Self::Terminal) } else { file() }
    }
}

impl Inspect {
    /// The file of the picture, if there is one.
    pub(super) fn picture(&self) -> Option<&PictureFile> {
        match self.plot.as_ref()? {
            Plot::Terminal => None,
            Plot::File(file) => Some(file),
        }
    }

    /// Errors if the picture cannot be written, before any work is done.
    pub(super) fn check_picture(&self) -> Result<()> {
        let Some(PictureFile { path, .. }) = self.picture() else { return Ok(()) };
        let read = self.files.iter().fold(Touched::default(), |touched, file| touched.reads_weights("FILE", file));
        read.writes("--plot", path).check()?;
        writer::check_target(&Plan::nothing(), &[], path, self.file_options()).with_context(|| shown_path(path))
    }

    fn file_options(&self) -> FileOptions {
        let existing = if self.force { Existing::Replace } else { Existing::Refuse };
        FileOptions { existing, fsync: false }
    }

    /// Prints histograms and spectra; `label` precedes the names of tensors.
    pub(super) fn plots(&self, screen: &mut Screen, label: &str, file: &Inspected) -> Result<()> {
        let in_terminal = matches!(self.plot, Some(Plot::Terminal));
        let width = screen.picture_width();
        for looked @ Looked { number, spectrum, .. } in &file.looked {
            let name = format!("{label}{}", shown(&file.contents.entries[*number].name));
            if let (true, Some(bins)) = (in_terminal, file.bins(looked, ROWS)) {
                let counted = histogram(&file.contents, *number, bins, available_threads())?;
                screen.exact("")?;
                screen.line(&name)?;
                screen.exact(show::histogram_rows(&counted, width).trim_end())?;
            }
            if let Some(spectrum) = spectrum {
                screen.exact("")?;
                screen.line(format!("{name}: {}", spectrum_text(spectrum)))?;
                screen.exact(&columns(&spectrum.values, width))?;
            }
        }
        Ok(())
    }

    /// Writes the picture of the tensors of one file, or of two files side by side.
    pub(super) fn draw(&self, picture: &PictureFile, files: &mut [Inspected]) -> Result<()> {
        let labels = labels(&self.files);
        let all = rows(files);
        let tensors = all.iter().take(MAX_PANELS).map(|row| plotted(files, &labels, row, self.spectrum));
        let tensors = tensors.collect::<Result<Vec<_>>>()?;
        let captions = files.iter().zip(&labels).map(|(file, label)| match files.len() {
            1 => heading(&file.contents),
            _ => format!("{label}: {}", heading(&file.contents)),
        });
        let caption = captions.collect::<Vec<_>>().join(". ");
        let chart = chart(labels.join(" and "), caption, &tensors);
        if let Some(file) = files.first_mut().filter(|_| all.len() > MAX_PANELS) {
            file.contents.notes.push(format!("the picture shows the first {MAX_PANELS} of {} tensors", all.len()));
        }
        let pieces = [Piece::Bytes(chart.encode(picture.format))];
        let settings = Settings { threads: &|| 1, progress: &|_| () };
        writer::write_file(&Plan::nothing(), &pieces, &picture.path, self.file_options(), &settings).map(|_| ())
    }
}

impl Inspected {
    /// Bins for the finite values of a tensor; `None` if there are none.
    fn bins(&self, looked: &Looked, most: usize) -> Option<Bins> {
        let summary = looked.summary.as_ref()?;
        let range = (summary.min?, summary.max?);
        Some(bins(range, summary.finite, self.places(looked, range), most))
    }

    fn places(&self, looked: &Looked, (low, high): (f64, f64)) -> Places {
        places(&self.contents.entries[looked.number], low.abs().max(high.abs()))
    }

    /// The histogram of a tensor for JSON: `edges` of the bins (one more than bins), `counts`, `expected` counts or null, and `zeros`: the
    /// number of exact zeros that are set apart, else null. Null if no value is finite.
    pub(super) fn histogram_json(&self, looked: &Looked) -> Result<Value> {
        let Some(bins) = self.bins(looked, BARS) else { return Ok(Value::Null) };
        let Histogram { counts, zeros, expected, .. } =
            histogram(&self.contents, looked.number, bins, available_threads())?;
        let edges: Vec<f64> = (0..bins.len()).map(|bin| bins.edge(bin)).chain([bins.high()]).collect();
        let zeros = (zeros > 0).then_some(zeros);
        Ok(json!({ "edges": edges, "counts": counts, "expected": expected, "zeros": zeros }))
    }
}

/// The places of a tensor: for each file the index among those that were looked at.
pub(super) type Row = Vec<Option<usize>>;

/// The tensors of all files in the order of the first; those of one name share a row.
pub(super) fn rows(files: &[Inspected]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut known: HashMap<&str, usize> = HashMap::new();
    for (number, file) in files.iter().enumerate() {
        for (place, looked) in file.looked.iter().enumerate() {
            let row = *known.entry(file.contents.entries[looked.number].name.as_str()).or_insert_with(|| {
                rows.push(vec![None; files.len()]);
                rows.len() - 1
            });
            rows[row][number] = Some(place);
        }
    }
    // Two files with one tensor each are compared whatever the names are.
    if let [one, two] = rows.as_mut_slice()
        && files.iter().all(|file| file.looked.len() == 1)
    {
        one[1] = two[1];
        rows.truncate(1);
    }
    rows
}

/// The names of the files, with as many folders as distinguish them.
pub(super) fn labels(paths: &[PathBuf]) -> Vec<String> {
    let label = |path: &PathBuf, parts: usize| {
        let skipped = path.components().count().saturating_sub(parts);
        escape(&path.components().skip(skipped).collect::<PathBuf>().to_string_lossy())
    };
    let most = paths.iter().map(|path| path.components().count()).max().unwrap_or(1);
    let labels = |parts| paths.iter().map(|path| label(path, parts)).collect::<Vec<_>>();
    let distinct =
        |labels: &Vec<String>| labels.iter().all(|one| labels.iter().filter(|other| *other == one).count() == 1);
    (1..=most).map(labels).find(distinct).unwrap_or_else(|| labels(most))
}

fn plotted(files: &[Inspected], labels: &[String], row: &Row, with_spectra: bool) -> Result<Plotted> {
    let found: Vec<(&Inspected, &Looked, &String)> = files
        .iter()
        .zip(row)
        .zip(labels)
        .filter_map(|((file, place), label)| Some((file, &file.looked[(*place)?], label)))
        .collect();
    let common = common_bins(&found);
    let (mut series, mut captions) = (Vec::new(), Vec::new());
    for &(file, looked, label) in &found {
        let label = (files.len() > 1).then(|| label.clone());
        let number = looked.number;
        let own = common.filter(|_| looked.summary.is_some_and(|summary| summary.finite > 0));
        let counted = own.map(|bins| histogram(&file.contents, number, bins, available_threads())).transpose()?;
        captions.extend(own_captions(file, looked, label.as_deref(), counted.as_ref()));
        series.push(Series {
            file: label,
            histogram: counted,
            marginal: marginal(&file.contents.entries[number]),
            spectrum: looked.spectrum.clone(),
        });
    }
    captions.dedup();
    let reason = found.iter().find_map(|(_, looked, _)| looked.no_spectrum);
    let no_spectrum = reason.filter(|_| with_spectra).map(|reason| format!("none: {reason}"));
    let mut names = found.iter().map(|(file, looked, _)| file.contents.entries[looked.number].name.clone());
    Ok(Plotted { name: names.next().unwrap_or_default(), captions, series, no_spectrum })
}

/// Bins for the values of all files.
fn common_bins(found: &[(&Inspected, &Looked, &String)]) -> Option<Bins> {
    let summaries = || found.iter().filter_map(|(_, looked, _)| looked.summary.as_ref());
    let low = summaries().filter_map(|summary| summary.min).reduce(f64::min)?;
    let high = summaries().filter_map(|summary| summary.max).reduce(f64::max)?;
    let count = summaries().map(|summary| summary.finite).max()?;
    let mut places = found.iter().map(|(file, looked, _)| file.places(looked, (low, high)));
    let first = places.next()?;
    let places = if places.all(|other| other == first) { first } else { Places::Anywhere };
    Some(bins((low, high), count, places, BARS))
}

/// `784x256 f32, mean 1.2e-5, std 0.0505 (expected 0.0505)`, the scheme, and the zeros that are set apart.
fn own_captions(file: &Inspected, looked: &Looked, label: Option<&str>, counted: Option<&Histogram>) -> Vec<String> {
    let entry = &file.contents.entries[looked.number];
    let label = label.map_or(String::new(), |label| format!("{label}: "));
    let summary = looked.summary.as_ref();
    let Expected { mean, std, .. } = expected(entry).unwrap_or_default();
    let mean = moment("mean", summary.and_then(Summary::mean), mean.filter(|mean| *mean != 0.0));
    let std = moment("std", summary.and_then(Summary::std), std);
    let first = format!("{label}{} {}{mean}{std}", entry.shape, entry.type_word);
    let zeros = counted.and_then(show::exact_zeros).map(|zeros| {
        let share = marginal(entry).map(|marginal| rounded(100.0 * marginal.zero(), 3));
        format!("{zeros}{}", share.map_or(String::new(), |share| format!(", expected {share} %")))
    });
    [Some(first), scheme(entry).map(String::from), zeros].into_iter().flatten().collect()
}

/// `, std 0.0505 (expected 0.0505)`.
fn moment(word: &str, found: Option<f64>, expected: Option<f64>) -> String {
    let Some(found) = found else { return String::new() };
    // A space that no line breaks at.
    let expected = expected.map_or(String::new(), |value| format!(" (expected\u{a0}{})", rounded(value, 3)));
    format!(", {word} {}{expected}", rounded(found, 3))
}

/// `128 singular values of 128x784, from 1.42 to 0.61; condition 2.33`.
fn spectrum_text(spectrum: &Spectrum) -> String {
    let Spectrum { sides: (rows, columns), values, random } = spectrum;
    let (largest, smallest) = (values.first().copied().unwrap_or(0.0), values.last().copied().unwrap_or(0.0));
    let random = random.map_or(String::new(), |(lower, upper)| {
        format!("; random matrices range from {} to {}", figure(upper), figure(lower))
    });
    format!(
        "{} of {rows}x{columns}, from {} to {}; condition {}{random}",
        counted(values.len() as u64, "singular value"),
        figure(largest),
        figure(smallest),
        figure(spectrum.condition())
    )
}

/// The values in descending order, as columns drawn in eighths of a character.
fn columns(values: &[f64], width: usize) -> String {
    const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = values.first().copied().unwrap_or(0.0).max(f64::MIN_POSITIVE);
    let width = values.len().min(width);
    (0..width)
        .map(|column| {
            let value = values[column * values.len() / width];
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 8")]
            let eighths = (value / most * 8.0).round() as usize;
            EIGHTHS[eighths.min(8)]
        })
        .collect()
}
