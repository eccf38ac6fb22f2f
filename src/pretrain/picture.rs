//! The picture of a run: the learning curves of each layer, and the first layer's weights as tiles.

use std::fs::File;
use std::io::Read;

use super::history::{History, Row};
use super::{EXPLAINED, MethodSpec};
use crate::generator::Source;
use crate::picture::{Axis, Chart, Ink, Kind, MAX_PANELS, Mark, Panel, PictureFormat, Tiles};
use crate::plan::TrainedTensor;
use crate::tensor::{Seed, to_f64, to_usize};
use crate::text::{cut, escape, rounded};

/// The content of a picture.
pub struct Picture<'a> {
    /// The source of the learning curves.
    pub history: &'a History,
    /// The first layer's weight.
    pub weight: Option<&'a TrainedTensor>,
    /// The name of the file of the data.
    pub data: &'a str,
    /// The seed of the run.
    pub seed: &'a Seed,
    /// The name of the run, in a comment for [`Picture::is_of`].
    pub run: &'a str,
}

/// The comment with the name of the run ends within this number of bytes.
const OPENING: u64 = 1 << 14;
const MAX_TILES: usize = 96;
/// The most panels in a row.
const MAX_COLUMNS: usize = 3;
/// A curve of at most this number of epochs has a dot for each.
const FEW_EPOCHS: usize = 30;

impl Picture<'_> {
    /// True if a file is a picture of that run.
    pub fn is_of(run: &str, file: File) -> bool {
        let mut opening = Vec::new();
        let read = file.take(OPENING).read_to_end(&mut opening);
        read.is_ok() && String::from_utf8_lossy(&opening).contains(&comment(run))
    }

    /// The file of the picture.
    pub fn encode(&self, format: PictureFormat) -> Vec<u8> {
        let layers = self.history.rows().map(|row| row.layer + 1).max().unwrap_or(1);
        let mut panels: Vec<Panel> = self.history.explained().map(|(row, shares)| explained(&row, shares)).collect();
        if panels.is_empty() {
            panels = self.measured(layers);
        }
        let columns = if layers > 1 { layers.min(MAX_COLUMNS) } else { 2 };
        let (title, mut caption) = self.heading();
        if panels.len() > MAX_PANELS {
            caption = format!("{caption}, the first {MAX_PANELS} of {} panels", panels.len());
            panels.truncate(MAX_PANELS);
        }
        let tiles = self.weight.and_then(tiles);
        Chart { title, caption, panels, columns, tiles, comment: Some(comment(self.run)) }.encode(format)
    }

    /// `rbm 784-256 trained on mnist.npy`, and the shape of the data, the seed, the scheme and the options.
    fn heading(&self) -> (String, String) {
        let Some((weight, record)) = self.weight.and_then(|weight| Some((weight, weight.record()?))) else {
            return (String::from("pretraining"), String::new());
        };
        let (method, options) = record.method.split_once(':').unwrap_or((&record.method, ""));
        let join = |sizes: &[u64], by: &str| sizes.iter().map(u64::to_string).collect::<Vec<_>>().join(by);
        let title = format!("{method} {} trained on {}", join(&record.sizes, "-"), self.data);
        let has_scheme = MethodSpec::from_record(&record.method).is_ok_and(|spec| spec.scheme().is_some());
        let start = has_scheme.then(|| format!(", {} at the start", weight.initial().expression()));
        let (shape, options) = (join(&record.data.shape, "x"), options.replace(',', ", "));
        let caption = format!("{shape} values, seed {}{}, {options}", self.seed, start.unwrap_or_default());
        (title, caption)
    }

    /// A panel for each measure and layer; for each measure alone if every layer was measured once.
    fn measured(&self, layers: usize) -> Vec<Panel> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in self.history.rows().flat_map(|row| row.training) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let is_once = self.history.rows().count() == layers;
        let places = || if is_once { vec![None] } else { (0..layers).map(Some).collect() };
        let curves = names.iter().flat_map(|name| places().into_iter().map(|layer| self.curve(name, layer)));
        curves.filter(|curve| !curve.training.is_empty()).map(|curve| curve.panel(layers)).collect()
    }

    /// A measure over the epochs of a layer, or over all layers.
    fn curve<'a>(&'a self, name: &'a str, layer: Option<usize>) -> Curve<'a> {
        let mut curve = Curve { name, layer, training: Vec::new(), held_out: Vec::new() };
        for row in self.history.rows().filter(|row| layer.is_none_or(|layer| layer == row.layer)) {
            let x = if layer.is_some() { row.epoch } else { to_f64(row.layer as u64 + 1) };
            let point = |means: Vec<(&str, f64)>| means.into_iter().find(|mean| mean.0 == name).map(|mean| (x, mean.1));
            curve.training.extend(point(row.training));
            curve.held_out.extend(point(row.held_out));
        }
        curve
    }
}

fn comment(run: &str) -> String {
    format!("run {run}")
}

/// A measure over the epochs of a layer, or over all layers.
struct Curve<'a> {
    name: &'a str,
    /// The layer, from 0; `None` for all layers.
    layer: Option<usize>,
    /// Epochs (or layers) from 1, each with its mean over training samples.
    training: Vec<(f64, f64)>,
    /// The same over validation samples; empty if there are none.
    held_out: Vec<(f64, f64)>,
}

impl Curve<'_> {
    fn panel(&self, layers: usize) -> Panel {
        let title = match self.layer {
            Some(layer) if layers > 1 => format!("{}, layer {}", self.name, layer + 1),
            _ => self.name.to_string(),
        };
        let end = |curve: &[(f64, f64)]| curve.last().map(|&(_, value)| rounded(value, 4));
        let place = if self.layer.is_none() && layers > 1 { "last layer" } else { "at the end" };
        let held_out = end(&self.held_out).map_or(String::new(), |value| format!(", held out {value}"));
        let caption = format!("{place}: training {}{held_out}", end(&self.training).unwrap_or_default());
        let kind = match self.layer {
            None => Kind::Dots,
            Some(_) if self.training.len() <= FEW_EPOCHS => Kind::DottedLine,
            Some(_) => Kind::Line,
        };
        let mark =
            |name: &str, ink, points: &Vec<(f64, f64)>| Mark { name: name.into(), ink, kind, points: points.clone() };
        let marks = vec![mark("training", Ink::First, &self.training), mark("held out", Ink::Expected, &self.held_out)];
        let marks: Vec<Mark> = marks.into_iter().filter(|mark| !mark.points.is_empty()).collect();
        let last = self.training.last().map_or(1.0, |point| point.0);
        let x = Axis::whole(if self.layer.is_some() { "epoch" } else { "layer" }, 1.0, last);
        let y =
            Axis::around(quantity(self.name), marks.iter().flat_map(|mark| mark.points.iter().map(|point| point.1)));
        Panel { title, captions: vec![caption], x, y, marks }
    }
}

/// The quantity or unit of a measure.
fn quantity(name: &str) -> &str {
    match name {
        "cross-entropy" | "pseudo-likelihood" => "nats per sample",
        "reconstruction error" => "mean square per value",
        "squared error" => "half the squares per sample",
        EXPLAINED => "share of the variance",
        "variance" => "variance of the outputs",
        "largest mean" => "mean of an output",
        _ => name,
    }
}

/// The share of the variance that the first outputs of a layer explain together, and the measures of all its outputs.
fn explained(row: &Row, shares: &[f64]) -> Panel {
    let points: Vec<(f64, f64)> = (1..).zip(shares).map(|(number, &share)| (to_f64(number), share)).collect();
    let last = to_f64(shares.len() as u64);
    let mut marks = vec![Mark { name: "training".into(), ink: Ink::First, kind: Kind::DottedLine, points }];
    if let Some((_, share)) = row.held_out.iter().find(|(name, _)| *name == EXPLAINED) {
        let points = vec![(last, *share)];
        marks.push(Mark { name: "held out".into(), ink: Ink::Expected, kind: Kind::Dots, points });
    }
    let caption = |(number, (name, value)): (usize, &(&str, f64))| {
        let held_out = row.held_out.get(number).map(|(_, value)| format!(", held out {}", rounded(*value, 4)));
        format!("{name}: training {}{}", rounded(*value, 4), held_out.unwrap_or_default())
    };
    Panel {
        title: format!("{EXPLAINED}, layer {}", row.layer + 1),
        captions: row.training.iter().enumerate().map(caption).collect(),
        x: Axis::whole("number of outputs", 1.0, last),
        y: Axis::new(quantity(EXPLAINED), 0.0, 1.04),
        marks,
    }
}

/// The weights of each output as a tile.
fn tiles(weight: &TrainedTensor) -> Option<Tiles> {
    let drawn = weight.initial();
    let axes: Vec<usize> = drawn.shape().axes().iter().map(|&size| to_usize(size)).collect();
    let outputs_first = drawn.layout() == Some("oi");
    let &[rows, columns] = axes.as_slice() else { return None };
    let (inputs, outputs) = if outputs_first { (columns, rows) } else { (rows, columns) };
    let mut values = vec![0.0; inputs * outputs];
    weight.values()?.fill_f32(0, &mut values);
    let at =
        |input, output| if outputs_first { values[output * inputs + input] } else { values[input * outputs + output] };
    let tile = |output| (0..inputs).map(|input| at(input, output)).collect::<Vec<f32>>();
    let tiles: Vec<Vec<f32>> = (0..outputs.min(MAX_TILES)).map(tile).collect();
    let shown = match tiles.len() {
        all if all == outputs => format!("{all} outputs"),
        some => format!("the first {some} of {outputs} outputs"),
    };
    let (wide, high) = sides(inputs);
    Some(Tiles {
        title: format!("weights of the first layer, {}", cut(&escape(drawn.name().as_str()), 60)),
        caption: format!("{shown}, each {wide}x{high} inputs"),
        label: "weight".into(),
        columns: wide,
        values: tiles,
    })
}

/// The numbers of columns and rows of a tile, as square as the number of inputs allows.
fn sides(inputs: usize) -> (usize, usize) {
    let high = (1..=inputs.max(1))
        .take_while(|side| side * side <= inputs.max(1))
        .filter(|side| inputs.is_multiple_of(*side))
        .last();
    let high = high.unwrap_or(1);
    (inputs.max(1) / high, high)
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
