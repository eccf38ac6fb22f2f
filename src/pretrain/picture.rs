//! The picture of a run: the learning curves, and the first layer's weights as tiles.

use std::fmt::Write;
use std::fs::File;
use std::io::Read;

use super::history::History;
use crate::generator::Source;
use crate::plan::TrainedTensor;
use crate::show::svg::{line, page, text};
use crate::tensor::{to_f64, to_usize};
use crate::text::figure;

/// A measure over the epochs of all layers.
struct Curve<'a> {
    name: &'a str,
    training: Vec<f64>,
    /// Means over validation samples; empty if there are none.
    held_out: Vec<f64>,
    /// The layer of the last epoch.
    layer: usize,
    /// The first epochs of later layers.
    layers: Vec<usize>,
}

impl<'a> Curve<'a> {
    fn all(history: &'a History) -> Vec<Self> {
        let mut curves: Vec<Self> = Vec::new();
        for row in history.rows() {
            for (number, (name, value)) in row.training.into_iter().enumerate() {
                let known = curves.iter().position(|curve| curve.name == name).unwrap_or_else(|| {
                    let (training, held_out) = (Vec::new(), Vec::new());
                    curves.push(Self { name, training, held_out, layer: row.layer, layers: Vec::new() });
                    curves.len() - 1
                });
                let curve = &mut curves[known];
                if row.layer > curve.layer {
                    curve.layers.push(curve.training.len());
                    curve.layer = row.layer;
                }
                curve.training.push(value);
                curve.held_out.extend(row.held_out.get(number).map(|&(_, value)| value));
            }
        }
        curves
    }
}

/// The content of a picture.
pub struct Picture<'a> {
    /// The source of the learning curves.
    pub history: &'a History,
    /// The first layer's weight.
    pub weight: Option<&'a TrainedTensor>,
    /// The name of the run, in a comment for [`Picture::is_of`].
    pub run: &'a str,
}

/// The comment with the name of the run ends within this number of bytes.
const OPENING: u64 = 1 << 14;

const MARGIN: f64 = 32.0;
const PLOT: (f64, f64) = (440.0, 150.0);
const ROW: f64 = 216.0;
const TOP: f64 = 64.0;
/// The side of a tile, and the gap between tiles.
const TILE: (f64, f64) = (56.0, 8.0);
const TILES_A_ROW: usize = 14;
const MAX_TILES: usize = 98;
/// The number of colours from the smallest to the largest weight.
const SHADES: i16 = 15;

impl Picture<'_> {
    /// True if a file is a picture of that run.
    pub fn is_of(run: &str, file: File) -> bool {
        let mut opening = Vec::new();
        let read = file.take(OPENING).read_to_end(&mut opening);
        read.is_ok() && String::from_utf8_lossy(&opening).contains(&comment(run))
    }

    /// The SVG text.
    pub fn svg(&self) -> String {
        let curves = Curve::all(self.history);
        let tiles = self.weight.map(Tiles::new);
        let below = tiles.as_ref().map_or(0.0, Tiles::height);
        let width = 2.0 * MARGIN + to_f64(TILES_A_ROW as u64) * (TILE.0 + TILE.1);
        let height = TOP + ROW * to_f64(curves.len() as u64) + below;
        let mut svg = page((width, height), MARGIN, "what was learned");
        let _ = writeln!(svg, "{}", comment(self.run));
        for (number, curve) in curves.iter().enumerate() {
            draw(&mut svg, curve, TOP + ROW * to_f64(number as u64));
        }
        if let Some(tiles) = &tiles {
            tiles.draw(&mut svg, TOP + ROW * to_f64(curves.len() as u64));
        }
        svg.push_str("</svg>\n");
        svg
    }
}

fn comment(run: &str) -> String {
    format!("<!-- run {run} -->")
}

fn draw(svg: &mut String, curve: &Curve, top: f64) {
    let values = || curve.training.iter().chain(&curve.held_out).copied();
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let spread = if high > low { high - low } else { 1.0 };
    let (x, y, bottom) = (MARGIN, top + 28.0, top + 28.0 + PLOT.1);
    let step = PLOT.0 / to_f64(curve.training.len().max(2) as u64 - 1);
    let place = |epoch: usize, value: f64| (x + step * to_f64(epoch as u64), bottom - (value - low) / spread * PLOT.1);
    text(svg, (x, top + 14.0), "name", 14, "start", curve.name);
    line(svg, "rule", [x, bottom, x + PLOT.0, bottom]);
    for &epoch in &curve.layers {
        let (at, _) = place(epoch, low);
        line(svg, "rule", [at - step / 2.0, y, at - step / 2.0, bottom]);
    }
    for (class, colour, values) in [("bar", "#2f74c0", &curve.training), ("curve", "#d97706", &curve.held_out)] {
        let mut path = String::new();
        for (epoch, &value) in values.iter().enumerate() {
            // Each layer has its own line.
            let word = if epoch == 0 || curve.layers.contains(&epoch) { 'M' } else { 'L' };
            let (x, y) = place(epoch, value);
            let _ = write!(path, "{word}{x:.1} {y:.1}");
        }
        if !path.is_empty() {
            let _ = writeln!(
                svg,
                r#"<path class="{class}" d="{path}" style="fill:none" stroke="{colour}" stroke-width="2" stroke-linejoin="round"/>"#
            );
        }
    }
    text(svg, (x + PLOT.0 + 8.0, y + 4.0), "small", 11, "start", &figure(high));
    text(svg, (x + PLOT.0 + 8.0, bottom + 4.0), "small", 11, "start", &figure(low));
    text(svg, (x, bottom + 16.0), "small", 11, "start", "epoch 1");
    text(svg, (x + PLOT.0, bottom + 16.0), "small", 11, "end", &curve.training.len().to_string());
    if !curve.held_out.is_empty() {
        text(svg, (x + PLOT.0, top + 14.0), "curve-label", 11, "end", "this line: held out");
    }
}

/// The weights of each output as a tile: blue below zero, red above.
struct Tiles {
    filters: Vec<Vec<f32>>,
    outputs: usize,
    /// The numbers of columns and rows of a tile.
    sides: (usize, usize),
    largest: f32,
}

impl Tiles {
    fn new(weight: &TrainedTensor) -> Self {
        let drawn = weight.initial();
        let axes: Vec<usize> = drawn.shape().axes().iter().map(|&size| to_usize(size)).collect();
        let outputs_first = drawn.layout() == Some("oi");
        let [inputs, outputs] = match (axes.as_slice(), outputs_first) {
            (&[rows, columns], false) => [rows, columns],
            (&[rows, columns], true) => [columns, rows],
            _ => [0, 0],
        };
        let mut values = vec![0.0; inputs * outputs];
        if let Some(learned) = weight.values() {
            learned.fill_f32(0, &mut values);
        }
        let at = |input, output| {
            if outputs_first { values[output * inputs + input] } else { values[input * outputs + output] }
        };
        let tile = |output| (0..inputs).map(|input| at(input, output)).collect::<Vec<f32>>();
        let filters: Vec<Vec<f32>> = (0..outputs.min(MAX_TILES)).map(tile).collect();
        let largest = filters.iter().flatten().fold(f32::MIN_POSITIVE, |largest, value| value.abs().max(largest));
        Self { filters, outputs, sides: sides(inputs), largest }
    }

    fn rows(&self) -> usize {
        self.filters.len().div_ceil(TILES_A_ROW)
    }

    fn height(&self) -> f64 {
        64.0 + to_f64(self.rows() as u64) * (TILE.0 + TILE.1)
    }

    fn draw(&self, svg: &mut String, top: f64) {
        let (wide, high) = self.sides;
        text(svg, (MARGIN, top + 14.0), "name", 14, "start", "weights of the first layer");
        let shown = match self.filters.len() {
            all if all == self.outputs => format!("{all} outputs"),
            some => format!("the first {some} of {} outputs", self.outputs),
        };
        let end = figure(self.largest.into());
        let caption = format!("{shown}, each {wide}x{high}; from -{end} (blue) to {end} (red)");
        text(svg, (MARGIN, top + 30.0), "small", 11, "start", &caption);
        for (number, tile) in self.filters.iter().enumerate() {
            let left = MARGIN + to_f64((number % TILES_A_ROW) as u64) * (TILE.0 + TILE.1);
            let above = top + 44.0 + to_f64((number / TILES_A_ROW) as u64) * (TILE.0 + TILE.1);
            let scale = TILE.0 / to_f64(wide.max(high) as u64);
            let _ = writeln!(
                svg,
                r#"<g transform="translate({left:.1} {above:.1}) scale({scale:.4})" shape-rendering="crispEdges">"#
            );
            let _ = writeln!(svg, r#"<path fill="{}" d="M0 0h{wide}v{high}h-{wide}z"/>"#, colour(0));
            for shade in (-SHADES..=SHADES).filter(|&shade| shade != 0) {
                let runs = self.runs(tile, shade);
                if !runs.is_empty() {
                    let _ = writeln!(svg, r#"<path fill="{}" d="{runs}"/>"#, colour(shade));
                }
            }
            svg.push_str("</g>\n");
        }
    }

    /// The positions of a shade, with adjacent ones joined.
    fn runs(&self, tile: &[f32], shade: i16) -> String {
        let mut runs = String::new();
        for (y, row) in tile.chunks(self.sides.0).enumerate() {
            let mut x = 0;
            for run in row.chunk_by(|a, b| self.shade(*a) == self.shade(*b)) {
                if self.shade(run[0]) == shade {
                    let _ = write!(runs, "M{x} {y}h{0}v1h-{0}z", run.len());
                }
                x += run.len();
            }
        }
        runs
    }

    #[expect(clippy::cast_possible_truncation, reason = "between -15 and 15")]
    fn shade(&self, value: f32) -> i16 {
        (value / self.largest * f32::from(SHADES)).round() as i16
    }
}

/// The sides of a tile, as square as the number of inputs allows.
fn sides(inputs: usize) -> (usize, usize) {
    let high = (1..=inputs.max(1))
        .take_while(|side| side * side <= inputs.max(1))
        .filter(|side| inputs.is_multiple_of(*side))
        .last();
    let high = high.unwrap_or(1);
    (inputs.max(1) / high, high)
}

/// Blue through pale grey to red.
fn colour(shade: i16) -> String {
    let part = f64::from(shade.abs()) / f64::from(SHADES);
    let end = if shade < 0 { [33.0, 102.0, 172.0] } else { [178.0, 24.0, 43.0] };
    let mix = |end: f64| 244.0 + (end - 244.0) * part;
    format!("rgb({:.0},{:.0},{:.0})", mix(end[0]), mix(end[1]), mix(end[2]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_are_as_square_as_their_inputs_allow() {
        for (inputs, expected) in [(784, (28, 28)), (64, (8, 8)), (12, (4, 3)), (7, (7, 1)), (1, (1, 1))] {
            assert_eq!(sides(inputs), expected);
        }
    }
}
