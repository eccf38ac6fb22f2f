//! The font: Arimo, with the letters of European languages, Greek and a few signs. Arial, Helvetica and Liberation Sans have the same
//! widths, so the widths here hold for an SVG picture with any of them.

use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::{FontRef, GlyphId, MetadataProvider};

/// The families of an SVG picture.
pub(super) const FAMILIES: &str = "Arimo, Arial, Helvetica, Liberation Sans, sans-serif";

static DATA: &[u8] = include_bytes!("Arimo.ttf");

/// The width of a letter that the font lacks, in units of the size.
const MISSING: f32 = 1.0;

fn font() -> Option<FontRef<'static>> {
    FontRef::new(DATA).ok()
}

/// The width of a line of text.
pub(super) fn width(words: &str, size: f64) -> f64 {
    let Some(font) = font() else { return 0.0 };
    let (letters, metrics) = (font.charmap(), font.glyph_metrics(Size::new(1.0), LocationRef::default()));
    let advance = |letter| letters.map(letter).and_then(|glyph| metrics.advance_width(glyph)).unwrap_or(MISSING);
    words.chars().map(|letter| f64::from(advance(letter))).sum::<f64>() * size
}

/// Draws a line of text from its left end on the baseline, which is at y = 0 and has the letters above it at y > 0. A letter that the
/// font lacks becomes a box. `start` is called before each letter with its x.
pub(super) fn draw<P: OutlinePen>(words: &str, size: f32, pen: &mut P, mut start: impl FnMut(&mut P, f32)) {
    let Some(font) = font() else { return };
    let (size_of_font, place) = (Size::new(size), LocationRef::default());
    let (letters, outlines) = (font.charmap(), font.outline_glyphs());
    let metrics = font.glyph_metrics(size_of_font, place);
    let mut x = 0.0;
    for letter in words.chars() {
        let known = letters.map(letter);
        start(pen, x);
        if let Some(glyph) = outlines.get(known.unwrap_or(GlyphId::NOTDEF)) {
            // The outlines of the embedded font are valid.
            let _ = glyph.draw(DrawSettings::unhinted(size_of_font, place), pen);
        }
        x += known.and_then(|glyph| metrics.advance_width(glyph)).unwrap_or(MISSING * size);
    }
}

/// The words, cut to a width and ended by `…` if they are wider.
pub(super) fn fit(words: &str, size: f64, most: f64) -> String {
    if width(words, size) <= most {
        return words.into();
    }
    let mut fitting = String::new();
    for letter in words.chars() {
        fitting.push(letter);
        if width(&fitting, size) + width("…", size) > most {
            fitting.pop();
            break;
        }
    }
    fitting.trim_end().to_string() + "…"
}

/// The words in lines of at most a width, broken after spaces and commas; the last of at most `lines` lines is cut.
pub(super) fn wrap(words: &str, size: f64, most: f64, lines: usize) -> Vec<String> {
    let mut wrapped = vec![String::new()];
    for part in words.split_inclusive([' ', ',']) {
        let is_last = wrapped.len() == lines;
        match wrapped.last_mut() {
            Some(line) if is_last || width(&format!("{line}{part}"), size) <= most => line.push_str(part),
            _ => wrapped.push(part.into()),
        }
    }
    wrapped.iter().map(|line| fit(line.trim_end(), size, most)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_arial() {
        // From the metrics of Arial: a digit has 1139 of 2048 units, `W` 1933, a space 569.
        for (words, units) in [("0123456789", 11390.0), ("W", 1933.0), (" ", 569.0), ("−", 1196.0)] {
            assert!((width(words, 2048.0) - units).abs() < 0.5, "{words}: {}", width(words, 2048.0));
        }
    }

    #[test]
    fn words_are_wrapped_to_the_width() {
        let words = "one two three four five six";
        let lines = wrap(words, 12.0, 60.0, 9);
        assert!(lines.len() > 2 && lines.iter().all(|line| width(line, 12.0) <= 60.0), "{lines:?}");
        assert_eq!(lines.join(" "), words);
        let cut = wrap(words, 12.0, 60.0, 2);
        assert!(cut.len() == 2 && cut[1].ends_with('…') && cut[0] == lines[0], "{cut:?}");
    }

    #[test]
    fn words_are_cut_to_the_width() {
        assert_eq!(fit("weight", 12.0, 100.0), "weight");
        let long = fit(&"abcdefgh ".repeat(50), 12.0, 100.0);
        assert!(long.ends_with('…') && width(&long, 12.0) <= 100.0 && width(&long, 12.0) > 85.0, "{long}");
        assert!(width(&fit("漢字漢字漢字漢字漢字", 12.0, 60.0), 12.0) <= 60.0);
    }
}
