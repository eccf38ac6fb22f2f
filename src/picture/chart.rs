//! Charts: a heading, a legend, panels in a grid, and tiles.

use super::axis::Axis;
use super::canvas::{Anchor, Area, Canvas, Point, Role, Shape, real};
use super::font;
use super::format::PictureFormat;
use super::ink::Ink;
use super::panel::{Laid, Mark, PLOT, Panel};
use super::png::png;
use super::svg::svg;
use super::tiles::Tiles;

/// A picture.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// The title.
    pub title: String,
    /// The text below the title.
    pub caption: String,
    /// The panels, row by row.
    pub panels: Vec<Panel>,
    /// The number of panels in a row.
    pub columns: usize,
    /// Tiles below the panels.
    pub tiles: Option<Tiles>,
    /// A comment in the file.
    pub comment: Option<String>,
}

/// The maximum number of panels of a kind: it bounds the memory of a PNG.
pub const MAX_PANELS: usize = 100;

const MARGIN: f64 = 24.0;
/// The space between columns and between rows.
const GAPS: (f64, f64) = (36.0, 20.0);
/// The height of the title, and of a line of the caption and of the legend.
const TITLE: f64 = 28.0;
const CAPTION: f64 = 15.0;
const LEGEND: f64 = 20.0;
/// The most lines of the caption.
const MOST_LINES: usize = 4;
/// The space between the heading and the panels.
const BELOW_HEADING: f64 = 12.0;
/// The least width of a picture with tiles.
const TILES_WIDTH: f64 = 720.0;

impl Chart {
    /// The file of the picture.
    pub fn encode(&self, format: PictureFormat) -> Vec<u8> {
        let canvas = self.canvas();
        match format {
            PictureFormat::Svg => svg(&canvas).into_bytes(),
            PictureFormat::Png => png(&canvas),
        }
    }

    fn canvas(&self) -> Canvas {
        let laid: Vec<Laid> = self.panels.iter().map(Panel::laid).collect();
        let left = laid.iter().map(Laid::left).fold(0.0, f64::max).ceil();
        let columns = self.columns.clamp(1, laid.len().max(1));
        let step = left + PLOT.0 + GAPS.0;
        let grid = if laid.is_empty() { 0.0 } else { real(columns) * step - GAPS.0 + MARGIN / 2.0 };
        let width = if self.tiles.is_some() { grid.max(TILES_WIDTH) } else { grid.max(PLOT.0) };
        let (mut canvas, mut y) = self.headed(width);
        for row in laid.chunks(columns) {
            let captions = row.iter().map(Laid::captions).max().unwrap_or(0);
            for (column, panel) in row.iter().enumerate() {
                panel.draw(&mut canvas, (MARGIN + real(column) * step, y), left, captions);
            }
            y += Laid::height(captions) + GAPS.1;
        }
        if let Some(tiles) = &self.tiles {
            tiles.draw(&mut canvas, (MARGIN, y), width);
            y += tiles.height(width);
        }
        canvas.height = (y - GAPS.1 / 2.0 + MARGIN / 2.0).ceil();
        let page = Area { x: 0.0, y: 0.0, width: canvas.width, height: canvas.height };
        canvas.shapes.insert(0, Shape::Rects { areas: vec![page], ink: Ink::Page });
        canvas
    }

    /// A canvas of a width with the title, the caption and the legend, and the y below them.
    fn headed(&self, width: f64) -> (Canvas, f64) {
        let mut canvas = Canvas {
            width: (width + 2.0 * MARGIN).ceil(),
            height: 0.0,
            comment: self.comment.clone(),
            shapes: Vec::new(),
        };
        let title = font::fit(&self.title, Role::Heading.size(), width);
        canvas.text((MARGIN, MARGIN + 16.0), Role::Heading, Anchor::Start, title);
        let mut y = MARGIN + TITLE;
        if !self.caption.is_empty() {
            for line in font::wrap(&self.caption, Role::Caption.size(), width, MOST_LINES) {
                canvas.text((MARGIN, y + 10.0), Role::Caption, Anchor::Start, line);
                y += CAPTION;
            }
            y += LEGEND - CAPTION;
        }
        y = self.legend(&mut canvas, (MARGIN, y), width);
        (canvas, y + BELOW_HEADING)
    }

    /// Draws a sample and the name of each series, in as many lines as they take. Returns the y below.
    fn legend(&self, canvas: &mut Canvas, (left, top): Point, width: f64) -> f64 {
        const SAMPLE: f64 = 24.0;
        const APART: f64 = 22.0;
        let mut entries: Vec<&Mark> = Vec::new();
        for mark in self.panels.iter().flat_map(|panel| &panel.marks).filter(|mark| !mark.name.is_empty()) {
            if !entries.iter().any(|entry| entry.name == mark.name && entry.ink == mark.ink) {
                entries.push(mark);
            }
        }
        if entries.is_empty() {
            return top;
        }
        canvas.shapes.push(Shape::Open("key"));
        let (mut x, mut y) = (left, top + 8.0);
        for mark in entries {
            let words = font::fit(&mark.name, Role::Legend.size(), width - SAMPLE);
            let wide = SAMPLE + font::width(&words, Role::Legend.size());
            if x > left && x + wide > left + width {
                (x, y) = (left, y + LEGEND);
            }
            canvas.shapes.extend(mark.sample((x, y)));
            canvas.text((x + SAMPLE, y + 4.0), Role::Legend, Anchor::Start, words);
            x += wide + APART;
        }
        canvas.shapes.push(Shape::Close);
        y + LEGEND - 8.0
    }
}

/// The least share of a shared axis that each panel must fill.
const FILLED: f64 = 0.2;

/// Gives axes that are to be compared one range, unless one of them would be squeezed.
pub fn share<'a>(axes: impl IntoIterator<Item = &'a mut Axis>) {
    let axes: Vec<&mut Axis> = axes.into_iter().collect();
    let low = axes.iter().map(|axis| axis.low).fold(f64::INFINITY, f64::min);
    let high = axes.iter().map(|axis| axis.high).fold(f64::NEG_INFINITY, f64::max);
    let half = high / 2.0 - low / 2.0;
    if axes.iter().all(|axis| axis.high / 2.0 - axis.low / 2.0 >= FILLED * half) {
        for axis in axes {
            (axis.low, axis.high) = (low, high);
        }
    }
}
