//! SVG: the page, text and lines of every picture.

use std::fmt::Write;

use crate::text::{cut, escape};

/// Colours for dark screens. Elements have the colours for a light background as attributes.
const STYLE: &str = "\
text{font-family:system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif}\
@media(prefers-color-scheme:dark){.page{fill:#15191e}.name{fill:#f2f4f7}.small{fill:#a3adba}.rule{stroke:#3a434e}\
.bar{fill:#4b93d9;stroke:#4b93d9}.curve{stroke:#ffb454}.edge{stroke:#ffb454}.dot{fill:#57c2a0}.curve-label{fill:#ffb454}}";

/// The start of a page with a title. The caller ends it with `</svg>`.
pub fn page((width, height): (f64, f64), margin: f64, title: &str) -> String {
    let mut svg = String::new();
    let _ = writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" font-family="Helvetica, Arial, sans-serif">"#
    );
    let _ = writeln!(svg, "<style>{STYLE}</style>");
    let _ = writeln!(svg, r##"<rect class="page" width="{width}" height="{height}" fill="#ffffff"/>"##);
    text(&mut svg, (margin, 38.0), "name", 18, "start", &cut(title, 90));
    svg
}

/// Adds text with a CSS class; `anchor` is start, middle or end.
pub fn text(svg: &mut String, (x, y): (f64, f64), class: &str, size: u32, anchor: &str, words: &str) {
    let fill = match class {
        "name" => "#1b1f24",
        "curve-label" => "#b45309",
        _ => "#5b6470",
    };
    let words = escape(words).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let weight = if class == "name" { r#" font-weight="600""# } else { "" };
    let _ = writeln!(
        svg,
        r#"<text class="{class}" x="{x:.1}" y="{y:.1}" font-size="{size}" text-anchor="{anchor}" fill="{fill}"{weight}>{words}</text>"#
    );
}

/// Adds a line of a class.
pub fn line(svg: &mut String, class: &str, [x1, y1, x2, y2]: [f64; 4]) {
    let (stroke, dashes) = if class == "edge" { ("#d97706", r#" stroke-dasharray="5 4""#) } else { ("#c9d0d8", "") };
    let _ = writeln!(
        svg,
        r#"<line class="{class}" x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{stroke}"{dashes}/>"#
    );
}
