//! A canvas as PNG, with two pixels for each unit and a white background.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use skrifa::outline::OutlinePen;
use tiny_skia::{
    FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, PixmapMut, Rect, Stroke, StrokeDash, Transform,
};

use super::canvas::{Canvas, Point, Shape, Text};
use super::font;
use super::ink::Ink;

/// The number of pixels for each unit, and for a large canvas.
const SCALES: [f64; 2] = [2.0, 1.0];
/// A canvas of more pixels than this is large.
const MANY: f64 = 3e7;
/// The units of a metre.
const UNITS_PER_METRE: f64 = 96.0 / 0.0254;

pub(super) fn png(canvas: &Canvas) -> Vec<u8> {
    let [fine, coarse] = SCALES;
    let scale = if canvas.width * canvas.height * fine * fine > MANY { coarse } else { fine };
    let (width, height) = (whole(canvas.width * scale), whole(canvas.height * scale));
    let mut pixels = vec![255; width as usize * height as usize * 4];
    if let Some(mut image) = PixmapMut::from_bytes(&mut pixels, width, height) {
        let transform = Transform::from_scale(narrow(scale), narrow(scale));
        canvas.shapes.iter().for_each(|shape| add(&mut image, transform, shape));
    }
    encoded(&pixels, (width, height), scale, canvas.comment.as_deref())
}

fn add(image: &mut PixmapMut, transform: Transform, shape: &Shape) {
    match shape {
        Shape::Open(_) | Shape::Close => {}
        Shape::Rects { areas, ink } => {
            let mut path = PathBuilder::new();
            for area in areas {
                let sides = [area.x, area.y, area.x + area.width, area.y + area.height].map(narrow);
                if let Some(rect) = Rect::from_ltrb(sides[0], sides[1], sides[2], sides[3]) {
                    path.push_rect(rect);
                }
            }
            fill(image, transform, path, &paint(*ink, false));
        }
        Shape::Line { points, ink, width, dashed } => {
            let dash = if *dashed { StrokeDash::new(vec![6.0, 4.0], 0.0) } else { None };
            let stroke = Stroke {
                width: narrow(*width),
                line_cap: LineCap::Butt,
                line_join: LineJoin::Round,
                dash,
                ..Stroke::default()
            };
            if let Some(path) = polyline(points) {
                image.stroke_path(&path, &paint(*ink, true), &stroke, transform, None);
            }
        }
        Shape::Dots { points, ink, radius } => {
            let mut path = PathBuilder::new();
            for &(x, y) in points {
                path.push_circle(narrow(x), narrow(y), narrow(*radius));
            }
            fill(image, transform, path, &paint(*ink, true));
        }
        Shape::Text(text) => add_text(image, transform, text),
    }
}

fn add_text(image: &mut PixmapMut, transform: Transform, text: &Text) {
    let (x, y) = text.start();
    let turn = if text.turned { Transform::from_rotate(-90.0) } else { Transform::identity() };
    let mut pen = Pen { path: PathBuilder::new(), x: 0.0 };
    font::draw(&text.words, narrow(text.role.size()), &mut pen, |pen, x| pen.x = x);
    let place = turn.post_translate(narrow(x), narrow(y)).post_concat(transform);
    fill(image, place, pen.path, &paint(text.role.ink(), true));
}

fn fill(image: &mut PixmapMut, transform: Transform, path: PathBuilder, paint: &Paint) {
    if let Some(path) = path.finish() {
        image.fill_path(&path, paint, FillRule::Winding, transform, None);
    }
}

fn polyline(points: &[Point]) -> Option<Path> {
    let mut path = PathBuilder::new();
    for (number, &(x, y)) in points.iter().enumerate() {
        let (x, y) = (narrow(x), narrow(y));
        if number == 0 { path.move_to(x, y) } else { path.line_to(x, y) }
    }
    path.finish()
}

fn paint(ink: Ink, anti_alias: bool) -> Paint<'static> {
    let [red, green, blue] = ink.light();
    let mut paint = Paint { anti_alias, ..Paint::default() };
    paint.set_color_rgba8(red, green, blue, 255);
    paint
}

/// Letters as a path whose y grows downwards.
struct Pen {
    path: PathBuilder,
    /// The start of the letter.
    x: f32,
}

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.path.move_to(self.x + x, -y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.path.line_to(self.x + x, -y);
    }

    fn quad_to(&mut self, middle_x: f32, middle_y: f32, x: f32, y: f32) {
        self.path.quad_to(self.x + middle_x, -middle_y, self.x + x, -y);
    }

    fn curve_to(&mut self, first_x: f32, first_y: f32, second_x: f32, second_y: f32, x: f32, y: f32) {
        self.path.cubic_to(self.x + first_x, -first_y, self.x + second_x, -second_y, self.x + x, -y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}

/// A PNG file of opaque pixels, each red, green, blue and alpha.
fn encoded(pixels: &[u8], (width, height): (u32, u32), scale: f64, comment: Option<&str>) -> Vec<u8> {
    /// Eight bits for each of red, green and blue; the only compression, filter and order.
    const COLOURS: [u8; 5] = [8, 2, 0, 0, 0];
    let mut rows = Vec::with_capacity(pixels.len());
    for row in pixels.chunks_exact(width as usize * 4) {
        // The filter "up" would need the row above; most rows are long runs of one colour, which compress as they are.
        rows.push(0);
        row.chunks_exact(4).for_each(|pixel| rows.extend_from_slice(&pixel[..3]));
    }
    let density = whole(UNITS_PER_METRE * scale).to_be_bytes();
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut file, *b"IHDR", &[&width.to_be_bytes()[..], &height.to_be_bytes(), &COLOURS].concat());
    chunk(&mut file, *b"pHYs", &[&density[..], &density, &[1]].concat());
    if let Some(comment) = comment {
        chunk(&mut file, *b"tEXt", format!("Comment\0{comment}").as_bytes());
    }
    chunk(&mut file, *b"IDAT", &compressed(&rows));
    chunk(&mut file, *b"IEND", &[]);
    file
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Memory takes every byte.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

fn chunk(file: &mut Vec<u8>, kind: [u8; 4], content: &[u8]) {
    file.extend(u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes());
    let start = file.len();
    file.extend(kind);
    file.extend(content);
    let checksum = crc32fast::hash(&file[start..]);
    file.extend(checksum.to_be_bytes());
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive size")]
fn whole(value: f64) -> u32 {
    value.round() as u32
}

fn narrow(value: f64) -> f32 {
    crate::tensor::to_f32(value)
}
