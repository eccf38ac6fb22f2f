//! A picture of tensors as SVG: histograms with the expected counts, and singular values.

use std::fmt::Write;

use super::Spectrum;
use crate::show::svg::{line, page, text};
use crate::statistics::histogram::Histogram;
use crate::tensor::to_f64;
use crate::text::{cut, figure};

/// The row of a tensor.
pub struct Panel {
    /// The name of the tensor.
    pub name: String,
    /// The line below the name: shape, dtype, statistics, scheme.
    pub caption: String,
    /// The histogram; `None` if no value is finite.
    pub histogram: Option<Histogram>,
    /// The singular values, if wanted.
    pub spectrum: Option<Spectrum>,
}

/// The width and height of a plot, and the space around it.
const PLOT: (f64, f64) = (400.0, 150.0);
const MARGIN: f64 = 32.0;
const ABOVE: f64 = 62.0;
const BELOW: f64 = 44.0;
const GAP: f64 = 56.0;

/// An SVG file with the panels below each other.
pub fn picture(title: &str, panels: &[Panel]) -> String {
    let spectra = panels.iter().any(|panel| panel.spectrum.is_some());
    let width = 2.0 * MARGIN + PLOT.0 + if spectra { GAP + PLOT.0 } else { 0.0 };
    let row = ABOVE + PLOT.1 + BELOW;
    let height = 64.0 + row * to_f64(panels.len() as u64);
    let mut svg = page((width, height), MARGIN, title);
    for (number, panel) in panels.iter().enumerate() {
        let top = 64.0 + row * to_f64(number as u64);
        text(&mut svg, (MARGIN, top + 20.0), "name", 14, "start", &cut(&panel.name, 100));
        text(
            &mut svg,
            (MARGIN, top + 38.0),
            "small",
            11,
            "start",
            &cut(&panel.caption, if spectra { 150 } else { 70 }),
        );
        match &panel.histogram {
            Some(histogram) => bars(&mut svg, (MARGIN, top + ABOVE), histogram),
            None => text(
                &mut svg,
                (MARGIN, top + ABOVE + 20.0),
                "small",
                11,
                "start",
                "no finite values of a supported type",
            ),
        }
        if let Some(spectrum) = &panel.spectrum {
            dots(&mut svg, (MARGIN + PLOT.0 + GAP, top + ABOVE), spectrum);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// The counts as bars, the expected counts as a line over them.
fn bars(svg: &mut String, (x, y): (f64, f64), histogram: &Histogram) {
    let Histogram { bins, counts, expected } = histogram;
    let most =
        counts.iter().map(|&count| to_f64(count as u64)).chain(expected.iter().flatten().copied()).fold(1.0, f64::max);
    let (step, bottom) = (PLOT.0 / to_f64(bins.len() as u64), y + PLOT.1);
    for (bin, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let tall = (to_f64(count as u64) / most * PLOT.1).max(0.5);
        let left = x + step * to_f64(bin as u64);
        let _ = writeln!(
            svg,
            r##"<rect class="bar" x="{:.2}" y="{:.2}" width="{:.2}" height="{tall:.2}" fill="#2f74c0"/>"##,
            left + 0.06 * step.min(12.0),
            bottom - tall,
            (0.88 * step).min(step - 0.12 * step.min(12.0))
        );
    }
    line(svg, "rule", [x, bottom, x + PLOT.0, bottom]);
    if let Some(expected) = expected {
        let points: Vec<String> = expected
            .iter()
            .enumerate()
            .map(|(bin, count)| {
                format!("{:.2},{:.2}", x + step * (to_f64(bin as u64) + 0.5), bottom - count / most * PLOT.1)
            })
            .collect();
        let _ = writeln!(
            svg,
            r##"<polyline class="curve" points="{}" fill="none" stroke="#d97706" stroke-width="2" stroke-linejoin="round"/>"##,
            points.join(" ")
        );
        text(svg, (x + PLOT.0, y - 4.0), "curve-label", 11, "end", "line: expected");
    }
    text(svg, (x, y - 4.0), "small", 11, "start", "values");
    text(svg, (x, bottom + 16.0), "small", 11, "start", &figure(bins.low()));
    text(svg, (x + PLOT.0, bottom + 16.0), "small", 11, "end", &figure(bins.high()));
}

/// Singular values from the largest to the smallest, and the range of those of random matrices.
fn dots(svg: &mut String, (x, y): (f64, f64), spectrum: &Spectrum) {
    let Spectrum { sides: (rows, columns), values, random } = spectrum;
    let most = values.iter().copied().chain(random.map(|(_, upper)| upper)).fold(f64::MIN_POSITIVE, f64::max);
    let bottom = y + PLOT.1;
    let place = |value: f64| bottom - value / most * PLOT.1;
    line(svg, "rule", [x, bottom, x + PLOT.0, bottom]);
    if let Some((lower, upper)) = random {
        for edge in [*lower, *upper] {
            line(svg, "edge", [x, place(edge), x + PLOT.0, place(edge)]);
        }
        text(svg, (x + PLOT.0, y - 4.0), "curve-label", 11, "end", "dashed: range for random values");
    }
    let step = PLOT.0 / to_f64(values.len().max(2) as u64 - 1);
    // At most 400 dots are visible.
    let every = values.len().div_ceil(400).max(1);
    for (number, value) in values.iter().enumerate().step_by(every) {
        let _ = writeln!(
            svg,
            r##"<circle class="dot" cx="{:.2}" cy="{:.2}" r="{}" fill="#0f8f6b"/>"##,
            x + step * to_f64(number as u64),
            place(*value),
            if values.len() > 100 { 1.6 } else { 2.6 }
        );
    }
    let (largest, smallest) = (values.first().copied().unwrap_or(0.0), values.last().copied().unwrap_or(0.0));
    text(svg, (x, y - 4.0), "small", 11, "start", &format!("singular values of {rows}x{columns}"));
    text(svg, (x, bottom + 16.0), "small", 11, "start", &figure(largest));
    text(
        svg,
        (x + PLOT.0 / 2.0, bottom + 16.0),
        "small",
        11,
        "middle",
        &format!("condition {}", figure(spectrum.condition())),
    );
    text(svg, (x + PLOT.0, bottom + 16.0), "small", 11, "end", &figure(smallest));
}
