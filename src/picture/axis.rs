//! Axes: a range, and ticks at round numbers whose labels have one form.

use super::canvas::real;

/// An axis of a panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The quantity, with its unit if it has one.
    pub label: String,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// True if only whole numbers have ticks.
    pub whole: bool,
}

/// A range narrower than this share of its numbers is widened, so that rounding errors do not fill the panel.
const NARROWEST: f64 = 0.02;
/// The share of the range that is added beyond the least and the greatest value.
const MARGIN: f64 = 0.04;
/// An axis starts at 0 if its least value is below this share of the greatest.
const NEAR_ZERO: f64 = 0.4;

impl Axis {
    /// An axis from `low` to `high`.
    pub fn new(label: impl Into<String>, low: f64, high: f64) -> Self {
        Self { label: label.into(), low, high, whole: false }
    }

    /// An axis of whole numbers with half a step at each end.
    pub fn whole(label: impl Into<String>, low: f64, high: f64) -> Self {
        Self { whole: true, ..Self::new(label, low - 0.5, high + 0.5) }
    }

    /// An axis that contains all finite values with a margin; from 0 if they come near to it.
    pub fn around(label: impl Into<String>, values: impl Iterator<Item = f64> + Clone) -> Self {
        let finite = values.filter(|value| value.is_finite());
        let low = finite.clone().reduce(f64::min).unwrap_or(0.0);
        let high = finite.reduce(f64::max).unwrap_or(0.0);
        let (mut from, mut to) = padded(low, high);
        if low >= 0.0 && high > 0.0 && low <= NEAR_ZERO * high {
            from = 0.0;
        }
        if high <= 0.0 && low < 0.0 && high >= NEAR_ZERO * low {
            to = 0.0;
        }
        Self::new(label, from, to)
    }

    /// An axis from 0 that has all finite values, which must not be negative, with a margin.
    pub fn from_zero(label: impl Into<String>, values: impl Iterator<Item = f64>) -> Self {
        let greatest = values.filter(|value| value.is_finite()).fold(0.0, f64::max);
        let greatest = if greatest > 0.0 { greatest } else { 1.0 };
        Self::new(label, 0.0, (greatest * (1.0 + 2.0 * MARGIN)).min(f64::MAX))
    }

    /// The same range with a margin at each end.
    #[must_use]
    pub fn with_margin(mut self) -> Self {
        (self.low, self.high) = padded(self.low, self.high);
        self
    }

    /// The place of a value: 0 at the lower end, 1 at the upper one.
    pub(super) fn place(&self, value: f64) -> f64 {
        let exponent = self.exponent();
        let (low, high) = (scaled(self.low, exponent), scaled(self.high, exponent));
        (scaled(value, exponent) - low) / (high - low)
    }

    /// The power of ten of the largest number.
    fn exponent(&self) -> i32 {
        magnitude(self.low.abs().max(self.high.abs()))
    }

    /// As many ticks as satisfy `fits`, at most `most`.
    pub(super) fn ticks(&self, most: usize, fits: impl Fn(&Ticks) -> bool) -> Ticks {
        let sets = (2..=most.max(2)).rev().map(|most| self.ticks_at_most(most));
        sets.clone().find(&fits).unwrap_or_else(|| self.ticks_at_most(1))
    }

    fn ticks_at_most(&self, most: usize) -> Ticks {
        let own = self.exponent();
        // Numbers from 0.01 to 9999 are written in full.
        let factor = if self.whole || (-2..4).contains(&own) { 0 } else { own };
        let (low, high) = (scaled(self.low, factor), scaled(self.high, factor));
        let mut step = round_step((high - low) / real(most));
        if self.whole {
            step = step.max(1.0);
        }
        while (high / step + 1e-9).floor() - (low / step - 1e-9).ceil() >= real(most) {
            step = round_step(step * 1.5);
        }
        let decimals = (-magnitude(step)).clamp(0, 17).unsigned_abs() as usize;
        let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
        let values =
            std::iter::successors(Some(first), |number| Some(number + 1.0)).take_while(|&number| number <= last);
        let tick = |number: f64| Tick {
            place: ((number * step - low) / (high - low)).clamp(0.0, 1.0),
            // Minus 0 has no sign.
            label: format!("{:.decimals$}", number * step + 0.0).replace('-', "−"),
        };
        Ticks { ticks: values.take(64).map(tick).collect(), factor }
    }

    /// The label with the factor of the ticks.
    pub(super) fn label(&self, ticks: &Ticks) -> String {
        match ticks.factor {
            0 => self.label.clone(),
            factor => format!("{} (×10{})", self.label, raised(factor)).trim_start().to_string(),
        }
    }
}

/// The ticks of an axis.
#[derive(Clone, Debug)]
pub(super) struct Ticks {
    pub(super) ticks: Vec<Tick>,
    /// The power of ten that all labels omit.
    factor: i32,
}

#[derive(Clone, Debug)]
pub(super) struct Tick {
    /// The place on the axis: 0 at its lower end, 1 at the upper one.
    pub(super) place: f64,
    pub(super) label: String,
}

/// A range that is wide enough to have ticks, with a margin at each end.
fn padded(low: f64, high: f64) -> (f64, f64) {
    let (low, high) = widened(low, high);
    let margin = MARGIN * 2.0 * (high / 2.0 - low / 2.0);
    ((low - margin).max(f64::MIN), (high + margin).min(f64::MAX))
}

/// A range that is wide enough to have ticks.
fn widened(low: f64, high: f64) -> (f64, f64) {
    let greatest = low.abs().max(high.abs());
    let least = if greatest > 0.0 { (NARROWEST * greatest).max(f64::from_bits(8)) } else { 1.0 };
    if high / 2.0 - low / 2.0 >= least / 2.0 {
        return (low, high);
    }
    let middle = low / 2.0 + high / 2.0;
    ((middle - least / 2.0).max(f64::MIN), (middle + least / 2.0).min(f64::MAX))
}

/// The value divided by a power of ten, without overflow on the way.
fn scaled(value: f64, exponent: i32) -> f64 {
    let half = exponent / 2;
    value / 10f64.powi(half) / 10f64.powi(exponent - half)
}

/// The power of ten at or below a positive number.
fn magnitude(value: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "between -324 and 308")]
    let exponent = if value > 0.0 { value.log10().floor() as i32 } else { 0 };
    exponent
}

/// The least of 1, 2 and 5 times a power of ten that is not below a positive number.
fn round_step(least: f64) -> f64 {
    let power = 10f64.powi(magnitude(least));
    let rounded = [1.0, 2.0, 5.0].into_iter().map(|digit| digit * power).find(|&step| step >= least * (1.0 - 1e-9));
    rounded.unwrap_or(10.0 * power)
}

/// A number in raised digits.
fn raised(number: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let raised = |letter: char| letter.to_digit(10).map_or('⁻', |digit| DIGITS[digit as usize]);
    number.to_string().chars().map(raised).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis, most: usize) -> (Vec<String>, i32) {
        let ticks = axis.ticks(most, |_| true);
        (ticks.ticks.iter().map(|tick| tick.label.clone()).collect(), ticks.factor)
    }

    #[test]
    fn ticks_are_round_numbers_of_one_form() {
        for (low, high, expected, factor) in [
            (0.0, 1.0, &["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"][..], 0),
            (-0.041, 0.037, &["−0.04", "−0.02", "0.00", "0.02"], 0),
            (-4.2e-4, 3.9e-4, &["−4", "−2", "0", "2"], -4),
            (0.0, 41.0, &["0", "10", "20", "30", "40"], 0),
            (0.0, 52_000.0, &["0", "1", "2", "3", "4", "5"], 4),
            (1.0, 1.03, &["1.00", "1.01", "1.02", "1.03"], 0),
            (-1.7e308, 1.7e308, &["−1", "0", "1"], 308),
            (0.0, 5e-324, &["0", "1", "2", "3", "4"], -324),
        ] {
            let (found, power) = labels(&Axis::new("", low, high), 6);
            assert_eq!(
                (found.as_slice(), power),
                (expected.iter().map(ToString::to_string).collect::<Vec<_>>().as_slice(), factor),
                "{low} {high}"
            );
        }
    }

    #[test]
    fn whole_numbers_have_no_fractions() {
        assert_eq!(labels(&Axis::whole("", 1.0, 1.0), 5).0, ["1"]);
        assert_eq!(labels(&Axis::whole("", 1.0, 3.0), 5).0, ["1", "2", "3"]);
        assert_eq!(labels(&Axis::whole("", 1.0, 20_000.0), 5).0, ["0", "5000", "10000", "15000", "20000"][1..]);
    }

    #[test]
    fn every_range_has_ticks_inside_and_few() {
        for exponent in -323..=308 {
            for (low, high) in [(0.0, 1.0), (-1.0, 1.0), (0.3, 1.7), (-0.9, -0.1), (1.0, 1.0 + 1e-9)] {
                let scale = 10f64.powi(exponent);
                let axis = Axis::around("", [low * scale, high * scale].into_iter());
                for most in [2, 4, 6] {
                    let ticks = axis.ticks(most, |_| true).ticks;
                    assert!((1..=most).contains(&ticks.len()), "{axis:?} {most}: {ticks:?}");
                    assert!(ticks.iter().all(|tick| (0.0..=1.0).contains(&tick.place)), "{axis:?}: {ticks:?}");
                    let distinct: std::collections::BTreeSet<_> = ticks.iter().map(|tick| &tick.label).collect();
                    assert_eq!(distinct.len(), ticks.len(), "{axis:?}: {ticks:?}");
                }
            }
        }
    }

    #[test]
    fn an_axis_has_zero_if_its_values_come_near_and_magnifies_no_rounding() {
        assert_eq!(Axis::around("", [0.1, 1.0].into_iter()).low, 0.0);
        assert_eq!(Axis::around("", [-1.0, -0.1].into_iter()).high, 0.0);
        assert!(Axis::around("", [0.9, 1.0].into_iter()).low > 0.8);
        let flat = Axis::around("", [1.0, 1.0 + 1e-7].into_iter());
        assert!(flat.low < 0.99 && flat.high > 1.01, "{flat:?}");
    }
}
