//! Arrays as text, as `NumPy` prints them by default.

use super::decimal::{Parts, exponent_from, positional, scientific};
use crate::tensor::DType;

const PRECISION: usize = 8;
const MAX_SHOWN_WHOLE: u64 = 1000;
const EDGE_ITEMS: u64 = 3;
/// The width of a line, unless the terminal is narrower.
const LINE_WIDTH: usize = 75;
/// Arrays use exponents from this magnitude at the latest, scalars only far above.
const MAX_IN_FULL: f64 = 1e8;
const ELLIPSIS: &str = "...";

/// The text of `NumPy`'s `print` for an array, in lines of at most `width` characters.
///
/// `value(i)` is element `i` in C order, exact in `f64`. It is called once for each element shown, and for no other. If the array has more
/// than a thousand elements, an axis longer than six shows only its ends. `NumPy` has no bfloat16; it has the layout of float32, and its
/// own digits.
pub fn array_text(shape: &[u64], dtype: DType, width: usize, value: &mut dyn FnMut(u64) -> f64) -> String {
    if shape.is_empty() {
        return scalar_text(value(0), dtype);
    }
    if shape.contains(&0) {
        return "[]".to_string();
    }
    let axes = shown_positions(shape);
    let elements: Vec<f64> = shown_indices(shape, &axes).into_iter().map(value).collect();
    let words = aligned_words(&elements, dtype);
    let mut text = String::new();
    push_axis(&mut text, &axes, (1, width.min(LINE_WIDTH)), &mut words.into_iter());
    text
}

/// The positions along an axis in the order shown; `None` for an ellipsis.
type Positions = Vec<Option<u64>>;

fn shown_positions(shape: &[u64]) -> Vec<Positions> {
    let multiply = |product: u64, &length| product.saturating_mul(length);
    let elements = shape.iter().fold(1, multiply);
    let summarize = elements > MAX_SHOWN_WHOLE;
    let positions = |&length| axis_positions(length, summarize);
    shape.iter().map(positions).collect()
}

fn axis_positions(length: u64, summarize: bool) -> Positions {
    if !summarize || length <= 2 * EDGE_ITEMS {
        return (0..length).map(Some).collect();
    }
    let head = (0..EDGE_ITEMS).map(Some);
    let tail = (length - EDGE_ITEMS..length).map(Some);
    head.chain([None]).chain(tail).collect()
}

fn shown_indices(shape: &[u64], axes: &[Positions]) -> Vec<u64> {
    let mut indices = vec![0];
    for (positions, length) in axes.iter().zip(shape) {
        let extend = |&index: &u64| positions.iter().flatten().map(move |p| index * length + p);
        indices = indices.iter().flat_map(extend).collect();
    }
    indices
}

/// Writes one bracket level; `depth` is its nesting, and the column of its content.
fn push_axis(
    text: &mut String,
    axes: &[Positions],
    (depth, width): (usize, usize),
    words: &mut impl Iterator<Item = String>,
) {
    let (positions, inner) = axes.split_first().expect("an array of rank 0 is a scalar");
    text.push('[');
    if inner.is_empty() {
        push_row(text, positions, (depth, width), words);
    } else {
        for (place, position) in positions.iter().enumerate() {
            if place > 0 {
                text.push_str(&"\n".repeat(inner.len()));
                text.push_str(&" ".repeat(depth));
            }
            match position {
                Some(_) => push_axis(text, inner, (depth + 1, width), words),
                None => text.push_str(ELLIPSIS),
            }
        }
    }
    text.push(']');
}

/// Writes the words of the last axis, wrapped so that the closing brackets fit too.
fn push_row(
    text: &mut String,
    positions: &Positions,
    (depth, width): (usize, usize),
    words: &mut impl Iterator<Item = String>,
) {
    let room = width.saturating_sub(2 * depth);
    let mut line = String::new();
    for position in positions {
        let word = match position {
            Some(_) => words.next().expect("one word is made for each position"),
            None => ELLIPSIS.to_string(),
        };
        if !line.is_empty() && line.len() + word.len() > room {
            text.push_str(line.trim_end());
            text.push('\n');
            text.push_str(&" ".repeat(depth));
            line.clear();
        }
        line.push_str(&word);
        line.push(' ');
    }
    line.pop();
    text.push_str(&line);
}

/// The elements as words of one width, with points and exponents aligned.
fn aligned_words(elements: &[f64], dtype: DType) -> Vec<String> {
    let notation = if needs_exponent(elements, dtype) { scientific } else { positional };
    let finite = elements.iter().filter(|x| x.is_finite());
    let parts: Vec<Parts> = finite.map(|&x| notation(x, dtype, PRECISION)).collect();
    let non_finite = elements.iter().filter(|x| !x.is_finite());
    let widths = Widths::of(&parts, non_finite.map(|&x| non_finite_text(x)));
    let mut parts = parts.into_iter();
    let word = |&x: &f64| {
        if x.is_finite() {
            widths.finite(x, parts.next().expect("each finite element has its parts"))
        } else {
            widths.non_finite(x)
        }
    };
    elements.iter().map(word).collect()
}

/// True if the magnitudes are too large, too small or too far apart for plain decimals.
///
/// `NumPy` compares in the element type, so the quotient and the limit are rounded to it; to float32 for bfloat16.
fn needs_exponent(elements: &[f64], dtype: DType) -> bool {
    let magnitudes = elements.iter().map(|x| x.abs());
    let magnitudes = magnitudes.filter(|&x| x.is_finite() && x > 0.0);
    let extremes = |(low, high): (f64, f64), x| (low.min(x), high.max(x));
    let (least, greatest) = magnitudes.fold((f64::INFINITY, 0.0), extremes);
    let compared = if dtype == DType::BF16 { DType::F32 } else { dtype };
    greatest > 0.0
        && (greatest >= exponent_from(dtype).min(MAX_IN_FULL)
            || least < compared.round(1e-4)
            || compared.round(greatest / least) > 1000.0)
}

/// The numbers of characters before and after the point, and of exponent digits.
#[derive(Default)]
struct Widths {
    whole: usize,
    fraction: usize,
    exponent: Option<usize>,
}

impl Widths {
    fn of<'a>(parts: &[Parts], non_finite: impl Iterator<Item = &'a str>) -> Widths {
        let mut widths = Widths::default();
        for part in parts {
            widths.whole = widths.whole.max(part.whole.len());
            widths.fraction = widths.fraction.max(part.fraction.len());
            let exponent_digits = |e: i32| e.unsigned_abs().to_string().len().max(2);
            let exponent = part.exponent.map(exponent_digits);
            widths.exponent = widths.exponent.max(exponent);
        }
        let longest = non_finite.map(str::len).max().unwrap_or(0);
        widths.whole += longest.saturating_sub(widths.total());
        widths
    }

    fn total(&self) -> usize {
        let exponent = self.exponent.map_or(0, |digits| "e+".len() + digits);
        self.whole + ".".len() + self.fraction + exponent
    }

    fn finite(&self, x: f64, mut parts: Parts) -> String {
        let (before, after) = (self.whole, self.fraction);
        let Some(exponent_digits) = self.exponent else {
            return format!("{:>before$}.{:<after$}", parts.whole, parts.fraction);
        };
        // A shorter fraction is padded with the element's exact digits, not with zeros.
        if parts.fraction.len() < after {
            parts = Parts::cut(&format!("{x:.after$e}"));
        }
        let signed = "+".len() + exponent_digits;
        let exponent = format!("e{:+0signed$}", parts.exponent.unwrap_or(0));
        format!("{:>before$}.{}{exponent}", parts.whole, parts.fraction)
    }

    fn non_finite(&self, x: f64) -> String {
        format!("{:>width$}", non_finite_text(x), width = self.total())
    }
}

fn non_finite_text(x: f64) -> &'static str {
    match x {
        f64::INFINITY => "inf",
        f64::NEG_INFINITY => "-inf",
        _ => "nan",
    }
}

/// The text of a scalar: all its digits, and an exponent only if it is large or small.
fn scalar_text(x: f64, dtype: DType) -> String {
    if !x.is_finite() {
        return non_finite_text(x).to_string();
    }
    if x == 0.0 || (1e-4..exponent_from(dtype)).contains(&x.abs()) {
        let parts = positional(x, dtype, usize::MAX);
        let zero = if parts.fraction.is_empty() { "0" } else { "" };
        return format!("{}.{}{zero}", parts.whole, parts.fraction);
    }
    let parts = scientific(x, dtype, usize::MAX);
    let point = if parts.fraction.is_empty() { "" } else { "." };
    let exponent = parts.exponent.unwrap_or(0);
    format!("{}{point}{}e{exponent:+03}", parts.whole, parts.fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(shape: &[u64], dtype: DType, elements: &[f64]) -> String {
        array_text(shape, dtype, 80, &mut |i| elements[i as usize])
    }

    /// The expected texts are from `NumPy` 2.4.6.
    #[test]
    fn plain_decimals_align_at_the_point_without_padding_zeros() {
        let elements = [1.5, -20.0, 0.123456789, f64::NAN];
        let expected = "[[  1.5        -20.        ]\n [  0.12345679          nan]]";
        assert_eq!(text_of(&[2, 2], DType::F64, &elements), expected);
    }

    #[test]
    fn decimals_with_exponents_are_padded_with_exact_digits() {
        let elements = [0.0009765625, 1.0009765625, -0.0, f64::INFINITY];
        let expected = "[ 9.766e-04  1.001e+00 -0.000e+00        inf]";
        assert_eq!(text_of(&[4], DType::F16, &elements), expected);
    }

    #[test]
    fn exponents_begin_at_the_precision_of_the_type() {
        assert_eq!(text_of(&[1], DType::F16, &[1000.0]), "[1.e+03]");
        assert_eq!(text_of(&[1], DType::F32, &[999_999.0]), "[999999.]");
        assert_eq!(text_of(&[1], DType::BF16, &[1_048_576.0]), "[1.05e+06]");
        assert_eq!(text_of(&[1], DType::F64, &[1e8]), "[1.e+08]");
        assert_eq!(text_of(&[2, 0, 3], DType::F64, &[]), "[]");
    }

    #[test]
    fn a_scalar_is_a_bare_number() {
        let cases = [
            (DType::F64, 0.1, "0.1"),
            (DType::F64, 1e16, "1e+16"),
            (DType::F32, f64::from(1e-4_f32), "1e-04"),
            (DType::F16, 0.015625, "0.01563"),
            (DType::BF16, 3.140625, "3.14"),
            (DType::F32, -0.0, "-0.0"),
            (DType::F16, f64::NEG_INFINITY, "-inf"),
        ];
        for (dtype, x, expected) in cases {
            assert_eq!(text_of(&[], dtype, &[x]), expected);
        }
    }

    #[test]
    fn long_rows_wrap_and_blank_lines_separate_outer_axes() {
        let elements: Vec<f64> = (0..40).map(f64::from).collect();
        let expected = "\
[[[ 0.  1.  2.  3.  4.  5.  6.  7.  8.  9. 10. 11. 12. 13. 14. 15. 16.
   17. 18. 19.]]

 [[20. 21. 22. 23. 24. 25. 26. 27. 28. 29. 30. 31. 32. 33. 34. 35. 36.
   37. 38. 39.]]]";
        assert_eq!(text_of(&[2, 1, 20], DType::F32, &elements), expected);
    }

    #[test]
    fn only_the_corners_of_a_huge_array_are_computed() {
        let mut computed = Vec::new();
        let mut value = |i| {
            computed.push(i);
            0.0
        };
        let text = array_text(&[1 << 24, 1 << 24], DType::F32, 80, &mut value);
        let row = "[0. 0. 0. ... 0. 0. 0.]";
        let rows = [row, row, row, "...", row, row, row].join("\n ");
        assert_eq!(text, format!("[{rows}]"));
        assert_eq!(computed.len(), 36);
        assert_eq!(computed[35], (1 << 48) - 1);
    }
}
