//! Histograms as text, for a terminal.

#![expect(clippy::cast_precision_loss, reason = "counts are shown in eighths of a column")]
#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "all in range")]

use crate::statistics::histogram::{Bins, Histogram};
use crate::text::{grouped, rounded};

const MAX_BINS: usize = 12;

/// The histogram of the finite values, as in [`rows`]; empty if there are none.
pub fn histogram(values: &[f64], width: usize) -> String {
    Histogram::of(values, MAX_BINS).map_or(String::new(), |histogram| rows(&histogram, width))
}

/// Lines of `low .. high  count |bar`, and a `○` at the expected count if there is one; then the zeros that are set apart. A line
/// exceeds `width` characters only if its numbers do.
pub fn rows(histogram: &Histogram, width: usize) -> String {
    let Histogram { bins, counts, expected, .. } = histogram;
    let labels = labels(bins);
    let most = counts.iter().copied().max().unwrap_or(0);
    let greatest = expected.iter().flatten().copied().fold(most as f64, f64::max);
    let digits = most.to_string().len();
    let longest = labels.iter().map(String::len).max().unwrap_or(0);
    let room = width.saturating_sub(longest + digits + "   |".len() + usize::from(expected.is_some()));
    let row = |(bin, (label, &count)): (usize, (&String, &usize))| {
        let mut columns: Vec<char> = bar(count as f64 / greatest, count, room).chars().collect();
        if let Some(expected) = expected {
            let at = (expected[bin] / greatest * room as f64).round() as usize;
            columns.resize(columns.len().max(at + 1), ' ');
            columns[at] = '○';
        }
        let bar: String = columns.into_iter().collect();
        format!("{label}  {count:>digits$} |{}\n", bar.trim_end())
    };
    let zeros = exact_zeros(histogram).map(|zeros| format!("without {zeros}\n"));
    labels.iter().zip(counts).enumerate().map(row).chain(zeros).collect()
}

/// `9,000 exact zeros (90 %)`, if zeros are set apart.
pub fn exact_zeros(histogram: &Histogram) -> Option<String> {
    let share = histogram.zeros as f64 / histogram.total().max(1) as f64;
    let count = || format!("{} exact zeros ({} %)", grouped(histogram.zeros as u64), rounded(100.0 * share, 3));
    (histogram.zeros > 0).then(count)
}

fn labels(bins: &Bins) -> Vec<String> {
    let notation = Notation::new(bins);
    if bins.len() == 1 {
        return vec![notation.text(bins.low())];
    }
    let edges = (0..bins.len()).map(|bin| bins.edge(bin)).chain([bins.high()]);
    let edges: Vec<String> = edges.map(|edge| notation.text(edge)).collect();
    let longest = edges.iter().map(String::len).max().unwrap_or(0);
    let label = |pair: &[String]| format!("{:>longest$} .. {:>longest$}", pair[0], pair[1]);
    edges.windows(2).map(label).collect()
}

/// The notation of the edges: enough digits to show a step to two significant digits.
struct Notation {
    decimals: usize,
    with_exponent: bool,
    /// An edge nearer to zero than this is zero but for rounding.
    zero_below: f64,
}

impl Notation {
    fn new(bins: &Bins) -> Notation {
        let greatest = bins.low().abs().max(bins.high().abs()).max(f64::MIN_POSITIVE);
        let step = if bins.len() > 1 { bins.step() } else { greatest / 10.0 };
        let finest = magnitude(step.max(f64::MIN_POSITIVE)) - 1;
        let with_exponent = !(1e-3..1e6).contains(&greatest) || finest < -6;
        let first = if with_exponent { magnitude(greatest) } else { 0 };
        let decimals = (first - finest).clamp(0, 16).unsigned_abs() as usize;
        let zero_below = 0.5 * 10_f64.powi(finest.min(first));
        Notation { decimals, with_exponent, zero_below }
    }

    fn text(&self, edge: f64) -> String {
        let decimals = self.decimals;
        let edge = if edge.abs() < self.zero_below { 0.0 } else { edge };
        match (self.with_exponent, edge) {
            (false, _) => format!("{edge:.decimals$}"),
            (true, 0.0) => "0".to_string(),
            (true, _) => format!("{edge:.decimals$e}"),
        }
    }
}

/// The power of ten at or below `x`.
fn magnitude(x: f64) -> i32 {
    x.log10().floor() as i32
}

/// A bar of a share of `room` columns, in eighths; at least one eighth for any count above 0.
fn bar(share: f64, count: usize, room: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share * room as f64 * 8.0).round() as usize;
    let eighths = eighths.max(usize::from(count > 0 && room > 0));
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_in_proportion_to_the_counts() {
        let values = [0.0, 0.1, 0.2, 0.3, 0.6, f64::NAN, f64::INFINITY, 1.0];
        let expected = "0.00 .. 0.33  4 |████\n0.33 .. 0.67  1 |█\n0.67 .. 1.00  1 |█\n";
        assert_eq!(histogram(&values, 21), expected);
    }

    #[test]
    fn frequent_zeros_have_a_line_of_their_own() {
        let values = [0.0, 0.0, 0.0, 1.0, 2.0, 3.0];
        assert_eq!(
            histogram(&values, 23),
            "0.0 .. 1.0  0 |\n1.0 .. 2.0  1 |████\n2.0 .. 3.0  2 |████████\nwithout 3 exact zeros (50 %)\n"
        );
    }

    #[test]
    fn equal_values_share_one_row() {
        assert_eq!(histogram(&[0.02; 7], 14), "0.0200  7 |███\n");
        assert_eq!(histogram(&[0.0; 7], 8), "0  7 |██\n");
        assert_eq!(histogram(&[f64::NAN], 40), "");
    }

    #[test]
    fn rows_keep_to_the_width_and_lose_no_value() {
        for scale in [5e-324, 1e-300, 1e-7, 1.0, 1e5, 1e9, 1.7e308] {
            let fractions = (-500..=500).map(|i| f64::from(i) / 500.0);
            let values: Vec<f64> = fractions.map(|x| scale * x).collect();
            let text = histogram(&values, 60);
            let zeros = Histogram::of(&values, MAX_BINS).unwrap().zeros;
            assert!(text.lines().count() <= MAX_BINS + usize::from(zeros > 0));
            assert!(text.lines().all(|row| row.chars().count() <= 60), "{text}");
            let numbers = text.lines().filter_map(|line| line.split('|').next());
            let counts = numbers.filter_map(|text| text.split_whitespace().last()?.parse::<usize>().ok());
            assert_eq!(counts.sum::<usize>() + zeros, values.len());
        }
    }
}
