//! A histogram of numbers, drawn for a terminal.

#![expect(clippy::cast_precision_loss, reason = "counts are shown in eighths of a column")]
#![expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "all in range")]

const MAX_BINS: usize = 12;

/// The distribution of the values in rows `low .. high  count |bar`, each ended by a line feed.
///
/// The bins are equally wide from the least value to the greatest, each without its upper edge
/// but the last. NaN and the infinities are left out; with nothing left the text is empty. No row
/// is longer than `width` unless its numbers alone are.
pub fn histogram(values: &[f64], width: usize) -> String {
    let finite = || values.iter().copied().filter(|x| x.is_finite());
    let Some(low) = finite().reduce(f64::min) else {
        return String::new();
    };
    let high = finite().fold(low, f64::max);
    let bins = Bins::new(low, high, finite().count());
    let mut counts = vec![0; bins.count];
    finite().for_each(|x| counts[bins.index(x)] += 1);
    rows(&bins.labels(), &counts, width)
}

/// The same of values that were counted in equal bins from `low` to `high`; where a distribution is known, a `○` stands at what it expects.
pub fn histogram_of_counts(low: f64, high: f64, counts: &[usize], expected: Option<&[f64]>, width: usize) -> String {
    let step = high / counts.len().max(1) as f64 - low / counts.len().max(1) as f64;
    let bins = Bins { low, high, step, count: counts.len() };
    let (labels, most) = (bins.labels(), counts.iter().copied().max().unwrap_or(0));
    let Some(expected) = expected else { return rows(&labels, counts, width) };
    let greatest = expected.iter().copied().fold(most as f64, f64::max);
    let digits = most.to_string().len();
    let longest = labels.iter().map(String::len).max().unwrap_or(0);
    let room = width.saturating_sub(longest + digits + "   |○".len());
    let row = |((label, &count), &expected): ((&String, &usize), &f64)| {
        let at = (expected / greatest * room as f64).round() as usize;
        let mut columns: Vec<char> = bar(count as f64 / greatest, count, room).chars().collect();
        columns.resize(columns.len().max(at + 1), ' ');
        columns[at] = '○';
        format!("{label}  {count:>digits$} |{}\n", columns.into_iter().collect::<String>().trim_end())
    };
    labels.iter().zip(counts).zip(expected).map(row).collect()
}

struct Bins {
    low: f64,
    high: f64,
    /// Zero for values that are all the same.
    step: f64,
    count: usize,
}

impl Bins {
    /// As many bins as Sturges's rule gives, up to the most that fit a screen.
    fn new(low: f64, high: f64, values: usize) -> Bins {
        let most = (values.ilog2() as usize + 1).clamp(2, MAX_BINS);
        // Dividing first keeps the widest range finite.
        let step = high / most as f64 - low / most as f64;
        let count = if step > 0.0 { most } else { 1 };
        Bins { low, high, step, count }
    }

    fn index(&self, x: f64) -> usize {
        let steps = (x / 2.0 - self.low / 2.0) / (self.step / 2.0);
        (steps as usize).min(self.count - 1)
    }

    fn labels(&self) -> Vec<String> {
        let notation = Notation::new(self);
        if self.count == 1 {
            return vec![notation.text(self.low)];
        }
        let lower = (0..self.count).map(|i| self.low + i as f64 * self.step);
        let edges = lower.chain([self.high]);
        let edges: Vec<String> = edges.map(|edge| notation.text(edge)).collect();
        let longest = edges.iter().map(String::len).max().unwrap_or(0);
        let label = |pair: &[String]| format!("{:>longest$} .. {:>longest$}", pair[0], pair[1]);
        edges.windows(2).map(label).collect()
    }
}

/// How the edges are written: with the digits that show a step to two significant ones.
struct Notation {
    decimals: usize,
    with_exponent: bool,
    /// What is nearer to zero than this is zero but for rounding.
    zero_below: f64,
}

impl Notation {
    fn new(bins: &Bins) -> Notation {
        let greatest = bins.low.abs().max(bins.high.abs()).max(f64::MIN_POSITIVE);
        let step = if bins.count > 1 { bins.step } else { greatest / 10.0 };
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

fn rows(labels: &[String], counts: &[usize], width: usize) -> String {
    let most = counts.iter().copied().max().unwrap_or(0);
    let digits = most.to_string().len();
    let longest = labels.iter().map(String::len).max().unwrap_or(0);
    let room = width.saturating_sub(longest + digits + "   |".len());
    let row = |(label, &count): (&String, &usize)| {
        format!("{label}  {count:>digits$} |{}\n", bar(count as f64 / most as f64, count, room))
    };
    labels.iter().zip(counts).map(row).collect()
}

/// A bar of a share of `room` columns, in eighths; whatever was counted shows at least one.
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
            assert!(text.lines().count() <= MAX_BINS);
            assert!(text.lines().all(|row| row.chars().count() <= 60), "{text}");
            let numbers = text.lines().filter_map(|line| line.split('|').next());
            let counts = numbers.filter_map(|text| text.split_whitespace().last()?.parse::<usize>().ok());
            assert_eq!(counts.sum::<usize>(), values.len());
        }
    }
}
