//! `fanin inspect --plot`, `--spectrum` and the picture of both.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::{Inspect, Looked, cut, escape, expected, figure, grouped, scheme, shown, shown_path};
use crate::cli::destination::OPTION;
use crate::cli::overlap::Touched;
use crate::format::Piece;
use crate::inspect::{Panel, Spectrum, histogram, picture};
use crate::parallel::available_threads;
use crate::plan::Plan;
use crate::reader::Contents;
use crate::show;
use crate::statistics::summary::Summary;
use crate::writer::{self, Existing, FileOptions, Settings};

/// The width of a histogram in a terminal, and its rows.
const WIDTH: usize = 78;
const ROWS: usize = 21;
/// The number of bars of a histogram in a picture.
const BARS: usize = 80;
/// The maximum number of tensors in a picture.
const MAX_PANELS: usize = 100;
/// The number of columns of a spectrum in a terminal.
const COLUMNS: usize = 64;

impl Inspect {
    /// Errors if the picture cannot be written, before any work is done.
    pub(super) fn check_picture(&self) -> Result<()> {
        let Some(path) = &self.output else { return Ok(()) };
        let svg = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("svg"));
        if !svg {
            bail!("-o {}: the plot is an SVG file: name it FILE.svg", shown_path(path));
        }
        Touched::default().reads_weights("FILE", &self.file).writes(OPTION, path).check()?;
        writer::check_target(&Plan::nothing(), &[], path, self.file_options()).with_context(|| shown_path(path))
    }

    fn file_options(&self) -> FileOptions {
        let existing = if self.force { Existing::Replace } else { Existing::Refuse };
        FileOptions { existing, fsync: false }
    }

    /// Histograms and spectra for a terminal.
    pub(super) fn plots(&self, out: &mut dyn Write, contents: &Contents, looked: &[Looked]) -> Result<()> {
        for Looked { number, summary, spectrum, .. } in looked {
            let name = shown(&contents.entries[*number].name);
            if let (true, Some(summary)) = (self.plot, summary)
                && let Some(counted) = histogram(contents, *number, summary, ROWS, available_threads())?
            {
                let rows = show::histogram_rows(&counted, WIDTH);
                write!(out, "\n{name}\n{rows}")?;
            }
            if let Some(spectrum) = spectrum {
                writeln!(out, "\n{name}: {}", spectrum_text(spectrum))?;
                writeln!(out, "{}", columns(&spectrum.values))?;
            }
        }
        Ok(())
    }

    /// Writes the picture.
    pub(super) fn draw(&self, path: &Path, contents: &mut Contents, looked: &[Looked]) -> Result<()> {
        let mut panels = Vec::new();
        for Looked { number, summary, spectrum, .. } in looked.iter().take(MAX_PANELS) {
            let counted = match summary {
                Some(summary) => histogram(contents, *number, summary, BARS, available_threads())?,
                None => None,
            };
            let entry = &contents.entries[*number];
            let figures = summary.as_ref().map_or(String::new(), figures);
            let distribution = expected(entry)
                .and_then(|expected| expected.std)
                .map_or(String::new(), |std| format!(" (expected {})", figure(std)));
            let scheme = scheme(entry).map_or(String::new(), |scheme| format!(", {}", cut(scheme, 60)));
            panels.push(Panel {
                name: entry.name.clone(),
                caption: format!("{} {}{figures}{distribution}{scheme}", entry.shape, entry.type_word),
                histogram: counted,
                spectrum: spectrum.clone(),
            });
        }
        if looked.len() > MAX_PANELS {
            contents.notes.push(format!("the plot shows the first {MAX_PANELS} of {} tensors", looked.len()));
        }
        let title = self.file.file_name().unwrap_or_default().to_string_lossy();
        let pieces = [Piece::Bytes(picture(&escape(&title), &panels).into_bytes())];
        let settings = Settings { threads: &|| 1, progress: &|_| () };
        writer::write_file(&Plan::nothing(), &pieces, path, self.file_options(), &settings).map(|_| ())
    }
}

fn figures(summary: &Summary) -> String {
    let figure =
        |word: &str, value: Option<f64>| value.map_or(String::new(), |value| format!(", {word} {}", figure(value)));
    format!("{}{}", figure("mean", summary.mean()), figure("std", summary.std()))
}

/// `128 singular values of 128x784, from 1.42 to 0.61; condition 2.33`.
fn spectrum_text(spectrum: &Spectrum) -> String {
    let Spectrum { sides: (rows, columns), values, random } = spectrum;
    let (largest, smallest) = (values.first().copied().unwrap_or(0.0), values.last().copied().unwrap_or(0.0));
    let random = random.map_or(String::new(), |(lower, upper)| {
        format!("; random matrices range from {} to {}", figure(upper), figure(lower))
    });
    format!(
        "{} singular value{} of {rows}x{columns}, from {} to {}; condition {}{random}",
        grouped(values.len() as u64),
        if values.len() == 1 { "" } else { "s" },
        figure(largest),
        figure(smallest),
        figure(spectrum.condition())
    )
}

/// The values in descending order, as columns drawn in eighths of a character.
fn columns(values: &[f64]) -> String {
    const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = values.first().copied().unwrap_or(0.0).max(f64::MIN_POSITIVE);
    let width = values.len().min(COLUMNS);
    (0..width)
        .map(|column| {
            let value = values[column * values.len() / width];
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 8")]
            let eighths = (value / most * 8.0).round() as usize;
            EIGHTHS[eighths.min(8)]
        })
        .collect()
}
