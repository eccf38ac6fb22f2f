//! A canvas as SVG. Colours are attributes, which every program reads; a style sheet replaces them on dark pages.

use std::fmt::Write;

use super::canvas::{Anchor, Area, Canvas, Point, Shape, Text};
use super::font;
use super::ink::{CLASSES, Ink};

pub(super) fn svg(canvas: &Canvas) -> String {
    let (width, height) = (round(canvas.width), round(canvas.height));
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="{}">"#,
        font::FAMILIES
    );
    svg.push('\n');
    if let Some(comment) = &canvas.comment {
        let _ = writeln!(svg, "<!-- {} -->", comment.replace('-', ""));
    }
    let _ = writeln!(svg, "<style>{}</style>", dark());
    for shape in &canvas.shapes {
        add(&mut svg, shape);
    }
    svg.push_str("</svg>\n");
    svg
}

/// The colours of a dark page.
fn dark() -> String {
    let rule = |&(_, class, _, dark): &(Ink, &str, u32, u32)| {
        format!(".f-{class}{{fill:#{dark:06x}}}.s-{class}{{stroke:#{dark:06x}}}")
    };
    format!("@media(prefers-color-scheme:dark){{{}}}", CLASSES.iter().map(rule).collect::<String>())
}

fn add(svg: &mut String, shape: &Shape) {
    let _ = match shape {
        Shape::Open(class) => writeln!(svg, r#"<g class="{class}">"#),
        Shape::Close => writeln!(svg, "</g>"),
        Shape::Rects { areas, ink } => {
            let path: String = areas.iter().map(rectangle).collect();
            writeln!(svg, r#"<path{} shape-rendering="crispEdges" d="{path}"/>"#, fill(*ink, ""))
        }
        Shape::Line { points, ink, width, dashed } => {
            let dashes = if *dashed { r#" stroke-dasharray="6 4""# } else { "" };
            let class = ink.class().map_or(String::new(), |class| format!(r#" class="s-{class}""#));
            let path = polyline(points);
            let colour = ink.code();
            writeln!(
                svg,
                r#"<path{class} fill="none" stroke="{colour}" stroke-width="{width}" stroke-linejoin="round"{dashes} d="{path}"/>"#
            )
        }
        Shape::Dots { points, ink, radius } => {
            let circle = |&(x, y): &Point| format!(r#"<circle cx="{}" cy="{}" r="{radius}"/>"#, round(x), round(y));
            writeln!(svg, "<g{}>{}</g>", fill(*ink, ""), points.iter().map(circle).collect::<String>())
        }
        Shape::Text(text) => return add_text(svg, text),
    };
}

fn add_text(svg: &mut String, text: &Text) {
    let Text { at: (x, y), words, role, anchor, turned } = text;
    let anchor = match anchor {
        Anchor::Start => "",
        Anchor::Middle => r#" text-anchor="middle""#,
        Anchor::End => r#" text-anchor="end""#,
    };
    let (x, y) = (round(*x), round(*y));
    let turn = if *turned { format!(r#" transform="rotate(-90 {x} {y})""#) } else { String::new() };
    let words = words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    // A font of other widths is fitted to the computed one.
    let _ = writeln!(
        svg,
        r#"<text{} x="{x}" y="{y}" font-size="{}"{anchor}{turn} textLength="{}" lengthAdjust="spacingAndGlyphs">{words}</text>"#,
        fill(role.ink(), role.class()),
        role.size(),
        round(text.width())
    );
}

/// The attributes of a filled shape.
fn fill(ink: Ink, role: &str) -> String {
    let classes = [ink.class().map_or(String::new(), |class| format!("f-{class}")), role.into()];
    let classes = classes.join(" ");
    match classes.trim() {
        "" => format!(r#" fill="{}""#, ink.code()),
        classes => format!(r#" class="{classes}" fill="{}""#, ink.code()),
    }
}

fn rectangle(&Area { x, y, width, height }: &Area) -> String {
    // Differences of rounded corners, so that adjacent rectangles touch.
    let (left, top) = (round(x), round(y));
    let (wide, high) = (round(round(x + width) - left), round(round(y + height) - top));
    format!("M{left} {top}h{wide}v{high}h{}z", -wide)
}

fn polyline(points: &[Point]) -> String {
    let mut path = String::new();
    for (number, &(x, y)) in points.iter().enumerate() {
        let word = if number == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{word}{} {}", round(x), round(y));
    }
    path
}

/// Hundredths of a unit.
fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0 + 0.0
}
