//! Panels: a title, captions, two axes and marks.

use super::axis::{Axis, Ticks};
use super::canvas::{Anchor, Area, Canvas, Point, Role, Shape, Text, real};
use super::font;
use super::ink::Ink;

/// A panel of a chart.
#[derive(Clone, Debug)]
pub struct Panel {
    /// The title.
    pub title: String,
    /// Texts below the title, each on lines of its own.
    pub captions: Vec<String>,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The content in the order of drawing. A panel without marks has no axes: its captions say why.
    pub marks: Vec<Mark>,
}

/// A series of a panel.
#[derive(Clone, Debug)]
pub struct Mark {
    /// The name in the legend; empty for none.
    pub name: String,
    /// The colour.
    pub ink: Ink,
    /// The form.
    pub kind: Kind,
    /// The points, each x and y.
    pub points: Vec<(f64, f64)>,
}

/// The form of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Bars from 0, each from its point to the right.
    Bars {
        /// The width of a bar.
        width: f64,
    },
    /// The outline of such bars.
    Steps {
        /// The width of a bar.
        width: f64,
    },
    /// A line through the points.
    Line,
    /// A dashed line through the points.
    Dashed,
    /// Dots.
    Dots,
    /// A line through dots.
    DottedLine,
    /// Vertical lines from 0.
    Spikes,
}

/// The size of the area between the axes.
pub(super) const PLOT: Point = (300.0, 160.0);
/// The height of the title and of a caption.
const TITLE: f64 = 18.0;
const CAPTION: f64 = 15.0;
/// The space between the captions and the area.
const ABOVE: f64 = 8.0;
/// The height of the tick labels and of the axis label below the area.
const BELOW: f64 = 36.0;
/// The space between a vertical axis and its tick labels, and of its own label.
const TICK: f64 = 6.0;
const LABEL: f64 = 18.0;
/// The most lines of a caption.
const MOST_LINES: usize = 3;
/// The most ticks of each axis, and the least space between labels.
const MOST_TICKS: (usize, usize) = (7, 6);
const APART: f64 = 14.0;
/// The radius of a dot.
const LARGE_DOTS: f64 = 2.6;
const SMALL_DOTS: f64 = 1.6;
/// More points than this have small dots.
const FEW: usize = 60;

/// A panel with the ticks of its axes.
pub(super) struct Laid<'a> {
    panel: &'a Panel,
    /// The captions in lines of the panel's width.
    captions: Vec<String>,
    x: Ticks,
    y: Ticks,
}

impl Panel {
    /// A panel without marks and axes.
    pub fn bare(title: impl Into<String>, captions: Vec<String>) -> Self {
        let none = || Axis::new("", 0.0, 1.0);
        Self { title: title.into(), captions, x: none(), y: none(), marks: Vec::new() }
    }

    pub(super) fn laid(&self) -> Laid<'_> {
        let apart = |ticks: &Ticks| {
            let end = |at: usize, side: f64| {
                ticks.ticks[at].place * PLOT.0 + side * font::width(&ticks.ticks[at].label, Role::Tick.size()) / 2.0
            };
            (1..ticks.ticks.len()).all(|at| end(at - 1, 1.0) + APART <= end(at, -1.0))
        };
        let (most_x, most_y) = MOST_TICKS;
        let wrapped = |caption: &String| font::wrap(caption, Role::Caption.size(), PLOT.0 + TICK + LABEL, MOST_LINES);
        let captions = self.captions.iter().flat_map(wrapped).collect();
        Laid { panel: self, captions, x: self.x.ticks(most_x, apart), y: self.y.ticks(most_y, |_| true) }
    }
}

impl Laid<'_> {
    /// The space to the left of the area.
    pub(super) fn left(&self) -> f64 {
        if self.panel.marks.is_empty() {
            return 0.0;
        }
        let labels = self.y.ticks.iter().map(|tick| font::width(&tick.label, Role::Tick.size()));
        labels.fold(0.0, f64::max) + TICK + LABEL
    }

    pub(super) fn captions(&self) -> usize {
        self.captions.len()
    }

    /// The height of a panel with that number of captions.
    pub(super) fn height(captions: usize) -> f64 {
        TITLE + CAPTION * real(captions) + ABOVE + PLOT.1 + BELOW
    }

    /// Draws the panel whose upper left corner is `corner`; the area begins at `left` and below that number of captions.
    pub(super) fn draw(&self, canvas: &mut Canvas, corner: Point, left: f64, captions: usize) {
        let panel = self.panel;
        canvas.shapes.push(Shape::Open("panel"));
        let width = left + PLOT.0;
        let title = font::fit(&panel.title, Role::Title.size(), width);
        canvas.text((corner.0, corner.1 + 13.0), Role::Title, Anchor::Start, title);
        let first = corner.1 + TITLE + 11.0;
        for (number, caption) in self.captions.iter().enumerate() {
            let at = (corner.0, first + CAPTION * real(number));
            canvas.text(at, Role::Caption, Anchor::Start, caption.as_str());
        }
        let top = corner.1 + TITLE + CAPTION * real(captions) + ABOVE;
        let area = Area { x: corner.0 + left, y: top, width: PLOT.0, height: PLOT.1 };
        if !panel.marks.is_empty() {
            self.axes(canvas, &area);
            panel.marks.iter().for_each(|mark| mark.draw(canvas, panel, &area));
            self.base(canvas, &area);
        }
        canvas.shapes.push(Shape::Close);
    }

    /// Grid lines, tick labels and labels.
    fn axes(&self, canvas: &mut Canvas, area: &Area) {
        let (left, bottom) = (area.x, area.y + area.height);
        canvas.shapes.push(Shape::Open("y-axis"));
        for tick in &self.y.ticks {
            let y = bottom - tick.place * area.height;
            canvas.line(Ink::Grid, (left, y), (left + area.width, y));
            canvas.text((left - TICK, y + 4.0), Role::Tick, Anchor::End, tick.label.as_str());
        }
        let words = font::fit(&self.panel.y.label(&self.y), Role::Label.size(), area.height);
        let at = (left - self.left() + 10.0, area.y + area.height / 2.0);
        canvas.shapes.push(Shape::Text(Text { turned: true, ..Text::new(at, Role::Label, Anchor::Middle, words) }));
        canvas.shapes.extend([Shape::Close, Shape::Open("x-axis")]);
        for tick in &self.x.ticks {
            let x = left + tick.place * area.width;
            canvas.line(Ink::Axis, (x, bottom), (x, bottom + 4.0));
            canvas.text((x, bottom + 16.0), Role::Tick, Anchor::Middle, tick.label.as_str());
        }
        let words = font::fit(&self.panel.x.label(&self.x), Role::Label.size(), area.width);
        canvas.text((left + area.width / 2.0, bottom + 32.0), Role::Label, Anchor::Middle, words);
        canvas.shapes.push(Shape::Close);
    }

    /// The lines of the axes, drawn over the marks. The horizontal one is at 0 if the range includes 0.
    fn base(&self, canvas: &mut Canvas, area: &Area) {
        let zero = self.panel.y.place(0.0).clamp(0.0, 1.0);
        let bottom = area.y + area.height;
        canvas.line(Ink::Axis, (area.x, bottom), (area.x + area.width, bottom));
        canvas.line(Ink::Axis, (area.x, area.y), (area.x, bottom));
        if zero > 0.0 && zero < 1.0 {
            let y = bottom - zero * area.height;
            canvas.line(Ink::Axis, (area.x, y), (area.x + area.width, y));
        }
    }
}

impl Mark {
    fn draw(&self, canvas: &mut Canvas, panel: &Panel, area: &Area) {
        let place = |&(x, y): &Point| {
            let (x, y) = (panel.x.place(x), panel.y.place(y).clamp(0.0, 1.0));
            (area.x + x.clamp(0.0, 1.0) * area.width, area.y + (1.0 - y) * area.height)
        };
        let base = area.y + (1.0 - panel.y.place(0.0).clamp(0.0, 1.0)) * area.height;
        let line = |points: Vec<Point>, width, dashed| Shape::Line { points, ink: self.ink, width, dashed };
        let dots = |points: Vec<Point>| {
            let radius = if points.len() > FEW { SMALL_DOTS } else { LARGE_DOTS };
            Shape::Dots { points, ink: self.ink, radius }
        };
        let placed = || self.points.iter().map(place).collect::<Vec<_>>();
        match self.kind {
            Kind::Bars { width } => {
                let bar = |&(left, height): &Point| {
                    let ((x, y), (end, _)) = (place(&(left, height)), place(&(left + width, height)));
                    Area { x, y: y.min(base), width: end - x, height: (base - y).abs() }
                };
                let areas = self.points.iter().filter(|point| point.1 != 0.0).map(bar).collect();
                canvas.shapes.push(Shape::Rects { areas, ink: self.ink });
            }
            Kind::Steps { width } => {
                let mut points = Vec::new();
                for point in &self.points {
                    points.extend([place(point), place(&(point.0 + width, point.1))]);
                }
                if let (Some(&(first, _)), Some(&(last, _))) = (points.first(), points.last()) {
                    points.insert(0, (first, base));
                    points.push((last, base));
                }
                canvas.shapes.push(line(points, 1.5, false));
            }
            Kind::Line => canvas.shapes.push(line(placed(), 2.0, false)),
            Kind::Dashed => canvas.shapes.push(line(placed(), 1.5, true)),
            Kind::Dots => canvas.shapes.push(dots(placed())),
            Kind::DottedLine => canvas.shapes.extend([line(placed(), 1.5, false), dots(placed())]),
            Kind::Spikes => {
                let spike = |(x, y): Point| line(vec![(x, base), (x, y)], 3.0, false);
                canvas.shapes.extend(placed().into_iter().map(spike));
            }
        }
    }

    /// The sample of the legend, 18 units wide and centred on `y`.
    pub(super) fn sample(&self, (x, y): Point) -> Vec<Shape> {
        let line = |width, dashed| Shape::Line { points: vec![(x, y), (x + 18.0, y)], ink: self.ink, width, dashed };
        let dot = || Shape::Dots { points: vec![(x + 9.0, y)], ink: self.ink, radius: LARGE_DOTS };
        match self.kind {
            Kind::Bars { .. } => {
                let area = Area { x, y: y - 5.0, width: 18.0, height: 10.0 };
                vec![Shape::Rects { areas: vec![area], ink: self.ink }]
            }
            Kind::Steps { .. } | Kind::Line => vec![line(2.0, false)],
            Kind::Dashed => vec![line(1.5, true)],
            Kind::Dots => vec![dot()],
            Kind::DottedLine => vec![line(1.5, false), dot()],
            Kind::Spikes => {
                vec![Shape::Line {
                    points: vec![(x + 9.0, y - 6.0), (x + 9.0, y + 6.0)],
                    ink: self.ink,
                    width: 3.0,
                    dashed: false,
                }]
            }
        }
    }
}
