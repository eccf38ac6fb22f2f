//! The picture of tensors: histograms with the expected density, and singular values.

use super::Spectrum;
use crate::picture::{Axis, Chart, Ink, Kind, Mark, Panel, share};
use crate::statistics::histogram::{Bins, Histogram};
use crate::statistics::marginal::Marginal;
use crate::tensor::to_f64;
use crate::text::figure;

/// A tensor of a picture, of one file or of two that are compared.
pub struct Plotted {
    /// The name.
    pub name: String,
    /// Lines below the name: shape, type, statistics, scheme.
    pub captions: Vec<String>,
    /// The values of each file.
    pub series: Vec<Series>,
    /// The reason for a missing spectrum in a picture of spectra.
    pub no_spectrum: Option<String>,
}

/// The values of a tensor in a file.
pub struct Series {
    /// The file, if two are compared.
    pub file: Option<String>,
    /// The histogram; `None` if no value is finite.
    pub histogram: Option<Histogram>,
    /// The expected distribution, if it is known.
    pub marginal: Option<Marginal>,
    /// The singular values, if wanted.
    pub spectrum: Option<Spectrum>,
}

/// The colours of the files.
const INKS: [Ink; 2] = [Ink::First, Ink::Second];
/// The number of points of a density.
const POINTS: usize = 400;
/// At most this number of singular values is drawn.
const MOST_DOTS: usize = 400;

/// The picture with a panel for each tensor, and another for its singular values if they are wanted.
pub fn chart(title: String, caption: String, tensors: &[Plotted]) -> Chart {
    let mut ranges: Vec<Option<Axis>> = tensors.iter().map(Plotted::range).collect();
    share(ranges.iter_mut().flatten());
    let mut values: Vec<Panel> = tensors.iter().zip(ranges).map(|(tensor, x)| values_panel(tensor, x)).collect();
    let has_bars = |panel: &&mut Panel| panel.marks.iter().any(|mark| matches!(mark.kind, Kind::Bars { .. }));
    share(values.iter_mut().filter(has_bars).map(|panel| &mut panel.y));
    let with_spectra = tensors.iter().any(|tensor| tensor.series.iter().any(|series| series.spectrum.is_some()));
    if !with_spectra {
        let columns = match values.len() {
            0 | 1 => 1,
            2..=4 => 2,
            _ => 3,
        };
        return Chart { title, caption, panels: values, columns, ..Chart::default() };
    }
    let mut spectra: Vec<Panel> = tensors.iter().map(spectrum_panel).collect();
    share(spectra.iter_mut().filter(|panel| !panel.marks.is_empty()).map(|panel| &mut panel.y));
    let columns = if tensors.len() > 2 { 4 } else { 2 };
    let panels = values.into_iter().zip(spectra).flat_map(|(values, spectrum)| [values, spectrum]).collect();
    Chart { title, caption, panels, columns, ..Chart::default() }
}

impl Plotted {
    fn histograms(&self) -> impl Iterator<Item = (&Series, &Histogram)> {
        self.series.iter().filter_map(|series| Some((series, series.histogram.as_ref()?)))
    }

    /// The range of the values; `None` if they do not differ.
    fn range(&self) -> Option<Axis> {
        let bins = self.histograms().next()?.1.bins;
        (bins.len() > 1).then(|| Axis::new("value", bins.low(), bins.high()).with_margin())
    }
}

fn values_panel(tensor: &Plotted, x: Option<Axis>) -> Panel {
    let (title, mut captions) = (tensor.name.clone(), tensor.captions.clone());
    let Some(x) = x else {
        if let Some((_, histogram)) = tensor.histograms().next() {
            return constant_panel(tensor, histogram.bins.low());
        }
        captions.push("no finite values of a supported type".into());
        return Panel::bare(title, captions);
    };
    let mut marks: Vec<Mark> = tensor.histograms().enumerate().map(bars).collect();
    marks.extend(expectations(tensor, &x));
    let heights = marks.iter().flat_map(|mark| mark.points.iter().map(|point| point.1));
    let y = Axis::from_zero("density", heights);
    if tensor.histograms().any(|(_, histogram)| histogram.zeros > 0) {
        let points = vec![(0.0, y.high)];
        marks.push(Mark { name: "exact zeros".into(), ink: Ink::Apart, kind: Kind::Spikes, points });
    }
    Panel { title, captions, x, y, marks }
}

/// The values of one file as bars, those of another as an outline over them.
fn bars((number, (series, histogram)): (usize, (&Series, &Histogram))) -> Mark {
    let bins = histogram.bins;
    let point = |(bin, &count): (usize, &usize)| (bins.edge(bin), to_f64(count as u64) / unit(histogram));
    let points = histogram.counts.iter().enumerate().map(point).collect();
    let width = bins.step();
    let kind = if number == 0 { Kind::Bars { width } } else { Kind::Steps { width } };
    let name = series.file.clone().unwrap_or("values".into());
    Mark { name, ink: INKS[number.min(1)], kind, points }
}

/// A mark for the expected distribution of each file; equal ones are one mark.
fn expectations(tensor: &Plotted, x: &Axis) -> Vec<Mark> {
    let mut marks: Vec<Mark> = Vec::new();
    for series in &tensor.series {
        let Some((kind, points)) = expectation(series, x) else { continue };
        if let Some(mark) = marks.iter_mut().find(|mark| mark.points == points) {
            mark.name = "expected".into();
            continue;
        }
        let name = series.file.as_ref().map_or("expected".into(), |file| format!("expected of {file}"));
        let kind = if kind == Kind::Line && !marks.is_empty() { Kind::Dashed } else { kind };
        marks.push(Mark { name, ink: Ink::Expected, kind, points });
    }
    marks
}

/// The expected density as a line; single values as dots at the expected heights of their bars.
fn expectation(series: &Series, x: &Axis) -> Option<(Kind, Vec<(f64, f64)>)> {
    if let Some(density) = series.marginal.as_ref()?.density(&Bins::new(x.low, x.high, POINTS)) {
        return Some((Kind::Line, density));
    }
    let histogram = series.histogram.as_ref()?;
    let middle = |bin: usize| histogram.bins.edge(bin) / 2.0 + histogram.bins.edge(bin + 1) / 2.0;
    let expected = histogram.expected.as_ref()?.iter().enumerate().filter(|(_, count)| **count > 0.0);
    Some((Kind::Dots, expected.map(|(bin, count)| (middle(bin), count / unit(histogram))).collect()))
}

/// The count that a bar of density 1 shows.
fn unit(histogram: &Histogram) -> f64 {
    to_f64(histogram.total().max(1) as u64) * histogram.bins.step()
}

/// A tensor whose values are all equal.
fn constant_panel(tensor: &Plotted, value: f64) -> Panel {
    let x = Axis::around("value", [value, 0.0].into_iter());
    let mark = Mark { name: String::new(), ink: Ink::First, kind: Kind::Spikes, points: vec![(value, 1.0)] };
    let mut captions = tensor.captions.clone();
    captions.push(format!("all values are {}", figure(value)));
    let y = Axis::from_zero("share of the values", [1.0].into_iter());
    Panel { title: tensor.name.clone(), captions, x, y, marks: vec![mark] }
}

/// Singular values from the largest to the smallest, and the range of those of random matrices.
fn spectrum_panel(tensor: &Plotted) -> Panel {
    let title = format!("{}: singular values", tensor.name);
    let found: Vec<(&Series, &Spectrum)> =
        tensor.series.iter().filter_map(|series| Some((series, series.spectrum.as_ref()?))).collect();
    if found.is_empty() {
        return Panel::bare(title, tensor.no_spectrum.iter().cloned().collect());
    }
    let captions = found.iter().map(|(series, spectrum)| spectrum_caption(series, spectrum)).collect();
    let mut marks: Vec<Mark> = Vec::new();
    for (number, (series, spectrum)) in found.iter().enumerate() {
        let name = series.file.as_ref().map_or("singular values".into(), |file| format!("singular values of {file}"));
        let every = spectrum.values.len().div_ceil(MOST_DOTS).max(1);
        let numbered = (1..).zip(&spectrum.values).step_by(every);
        let points = numbered.map(|(number, &value)| (to_f64(number), value)).collect();
        marks.push(Mark { name, ink: INKS[number.min(1)], kind: Kind::Dots, points });
    }
    let last = to_f64(found.iter().map(|(_, spectrum)| spectrum.values.len()).max().unwrap_or(1) as u64);
    for (number, (series, spectrum)) in found.iter().enumerate() {
        let like = series.file.as_ref().map_or(String::new(), |file| format!(" like {file}"));
        let ink = if series.file.is_some() { INKS[number.min(1)] } else { Ink::Expected };
        for edge in spectrum.random.iter().flat_map(|(lower, upper)| [*lower, *upper]) {
            let points = vec![(0.5, edge), (last + 0.5, edge)];
            marks.push(Mark { name: format!("range of random matrices{like}"), ink, kind: Kind::Dashed, points });
        }
    }
    let heights = marks.iter().flat_map(|mark| mark.points.iter().map(|point| point.1));
    let (x, y) = (Axis::whole("index", 1.0, last), Axis::from_zero("singular value", heights));
    Panel { title, captions, x, y, marks }
}

fn spectrum_caption(series: &Series, spectrum: &Spectrum) -> String {
    let Spectrum { sides: (rows, columns), values, .. } = spectrum;
    let file = series.file.as_ref().map_or(String::new(), |file| format!("{file}: "));
    let (largest, smallest) = (values.first().copied().unwrap_or(0.0), values.last().copied().unwrap_or(0.0));
    let condition = figure(spectrum.condition());
    format!("{file}{rows}x{columns}, {} to {}, condition {condition}", figure(largest), figure(smallest))
}
