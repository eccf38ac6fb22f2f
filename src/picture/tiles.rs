//! Tiles: small images of one scale, with a colour bar.

use super::axis::Axis;
use super::canvas::{Anchor, Area, Canvas, Point, Role, Shape, real};
use super::font;
use super::ink::{Ink, SHADES};

/// A block of tiles below the panels. Colours run from blue (the negative of the largest magnitude) to red.
#[derive(Clone, Debug)]
pub struct Tiles {
    /// The title.
    pub title: String,
    /// The line below the title.
    pub caption: String,
    /// The quantity of the colour bar.
    pub label: String,
    /// The number of values in a row of a tile.
    pub columns: usize,
    /// The values of each tile, row by row.
    pub values: Vec<Vec<f32>>,
}

/// The side of a tile, and the gap between tiles.
const SIDE: f64 = 52.0;
const GAP: f64 = 6.0;
/// The space of the title, the caption, and the colour bar with its ticks.
const ABOVE: f64 = 40.0;
const BELOW: f64 = 52.0;
/// The size of the colour bar.
const BAR: Point = (186.0, 10.0);

impl Tiles {
    fn sides(&self) -> (f64, f64) {
        let rows = self.values.first().map_or(1, |tile| tile.len().div_ceil(self.columns.max(1)).max(1));
        let (columns, rows) = (real(self.columns.max(1)), real(rows));
        let cell = SIDE / columns.max(rows);
        (columns * cell, rows * cell)
    }

    fn a_row(&self, width: f64) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
        let count = ((width + GAP) / (self.sides().0 + GAP)) as usize;
        count.max(1)
    }

    pub(super) fn height(&self, width: f64) -> f64 {
        let rows = self.values.len().div_ceil(self.a_row(width));
        ABOVE + real(rows) * (self.sides().1 + GAP) + BELOW
    }

    pub(super) fn draw(&self, canvas: &mut Canvas, (x, y): Point, width: f64) {
        canvas.shapes.push(Shape::Open("panel"));
        canvas.text((x, y + 13.0), Role::Title, Anchor::Start, font::fit(&self.title, Role::Title.size(), width));
        canvas.text((x, y + 29.0), Role::Caption, Anchor::Start, font::fit(&self.caption, Role::Caption.size(), width));
        let largest = self.values.iter().flatten().fold(f32::MIN_POSITIVE, |largest, value| value.abs().max(largest));
        let ((wide, high), a_row) = (self.sides(), self.a_row(width));
        for (number, tile) in self.values.iter().enumerate() {
            let left = x + real(number % a_row) * (wide + GAP);
            let top = y + ABOVE + real(number / a_row) * (high + GAP);
            self.tile(canvas, tile, (left, top), largest);
        }
        self.bar(canvas, (x, y + self.height(width) - BELOW + 4.0), largest);
        canvas.shapes.push(Shape::Close);
    }

    /// Adjacent values of one colour are one rectangle.
    fn tile(&self, canvas: &mut Canvas, tile: &[f32], (left, top): Point, largest: f32) {
        let columns = self.columns.max(1);
        let cell = self.sides().0 / real(columns);
        let mut areas: Vec<Vec<Area>> = vec![Vec::new(); 2 * usize::from(SHADES.unsigned_abs()) + 1];
        for (row, values) in tile.chunks(columns).enumerate() {
            let mut column = 0;
            for run in values.chunk_by(|one, other| shade(*one, largest) == shade(*other, largest)) {
                let (x, y) = (left + real(column) * cell, top + real(row) * cell);
                let area = Area { x, y, width: real(run.len()) * cell, height: cell };
                areas[usize::from((shade(run[0], largest) + SHADES).unsigned_abs())].push(area);
                column += run.len();
            }
        }
        for (areas, shade) in areas.into_iter().zip(-SHADES..).filter(|(areas, _)| !areas.is_empty()) {
            canvas.shapes.push(Shape::Rects { areas, ink: Ink::Shade(shade) });
        }
    }

    fn bar(&self, canvas: &mut Canvas, (x, y): Point, largest: f32) {
        let axis = Axis::new(self.label.clone(), -f64::from(largest), f64::from(largest));
        let step = BAR.0 / f64::from(2 * i16::from(SHADES) + 1);
        for (number, shade) in (-SHADES..=SHADES).enumerate() {
            let area = Area { x: x + real(number) * step, y, width: step, height: BAR.1 };
            canvas.shapes.push(Shape::Rects { areas: vec![area], ink: Ink::Shade(shade) });
        }
        let ticks = axis.ticks(5, |_| true);
        canvas.shapes.push(Shape::Open("x-axis"));
        for tick in &ticks.ticks {
            let at = x + tick.place * BAR.0;
            canvas.line(Ink::Axis, (at, y + BAR.1), (at, y + BAR.1 + 4.0));
            canvas.text((at, y + BAR.1 + 16.0), Role::Tick, Anchor::Middle, tick.label.as_str());
        }
        canvas.text((x + BAR.0 + 14.0, y + 9.0), Role::Label, Anchor::Start, axis.label(&ticks));
        canvas.shapes.push(Shape::Close);
    }
}

/// The step of a value between grey and the colour of the largest magnitude.
#[expect(clippy::cast_possible_truncation, reason = "between -15 and 15")]
fn shade(value: f32, largest: f32) -> i8 {
    (value / largest * f32::from(SHADES)).round() as i8
}
