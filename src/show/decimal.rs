//! The decimal digits of an array element: the fewest that its own type reads back as the same number.

use crate::tensor::DType;

/// The smallest magnitude that `NumPy` writes with an exponent. (Before `NumPy` 2.3 it was 1e16 for a scalar and 1e8 for an array, for
/// every type.)
pub(super) fn exponent_from(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => 1e16,
        DType::F32 | DType::BF16 => 1e6,
        DType::F16 => 1e3,
    }
}

/// The number of fewest decimal digits that a dtype rounds to `x`, a value of the dtype.
pub fn shortest(x: f64, dtype: DType) -> f64 {
    Decimal::shortest(x, dtype).value().copysign(x)
}

/// A decimal number split at its point, for alignment in a column.
pub(super) struct Parts {
    pub(super) whole: String,
    pub(super) fraction: String,
    pub(super) exponent: Option<i32>,
}

impl Parts {
    fn new(x: f64, whole: &str, fraction: &str, exponent: Option<i32>) -> Parts {
        let sign = if x.is_sign_negative() { "-" } else { "" };
        let (whole, fraction) = (format!("{sign}{whole}"), fraction.to_string());
        Parts { whole, fraction, exponent }
    }

    /// Splits the text of `{}` or `{:e}`.
    pub(super) fn cut(text: &str) -> Parts {
        let (mantissa, exponent) = match text.split_once('e') {
            Some((mantissa, exponent)) => (mantissa, exponent.parse().ok()),
            None => (text, None),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        Parts { whole: whole.to_string(), fraction: fraction.to_string(), exponent }
    }

    fn without_trailing_zeros(mut self) -> Parts {
        self.fraction.truncate(self.fraction.trim_end_matches('0').len());
        self
    }
}

/// `x` in plain decimals: its shortest digits, or `precision` exact ones if those are fewer.
pub(super) fn positional(x: f64, dtype: DType, precision: usize) -> Parts {
    let decimal = Decimal::shortest(x, dtype);
    let decimals = decimal.exponent.min(0).unsigned_abs() as usize;
    if decimals > precision {
        return Parts::cut(&format!("{x:.precision$}")).without_trailing_zeros();
    }
    let zeros = "0".repeat(decimal.exponent.max(0).unsigned_abs() as usize);
    let text = format!("{:0>1$}{zeros}", decimal.significand, decimals + 1);
    let (whole, fraction) = text.split_at(text.len() - decimals);
    Parts::new(x, whole, fraction, None)
}

/// `x` with one digit before the point and an exponent; its digits as in [`positional`].
pub(super) fn scientific(x: f64, dtype: DType, precision: usize) -> Parts {
    let decimal = Decimal::shortest(x, dtype);
    let text = decimal.significand.to_string();
    let (whole, fraction) = text.split_at(1);
    if fraction.len() > precision {
        return Parts::cut(&format!("{x:.precision$e}")).without_trailing_zeros();
    }
    let exponent = Some(decimal.exponent + small(fraction.len()));
    Parts::new(x, whole, fraction, exponent)
}

fn small(length: usize) -> i32 {
    i32::try_from(length).expect("a decimal has few digits")
}

/// The digits that distinguish any `f64` from its neighbours.
const MAX_DIGITS: usize = 17;

/// The magnitude `significand * 10^exponent`.
#[derive(Clone, Copy)]
struct Decimal {
    significand: u64,
    exponent: i32,
}

impl Decimal {
    /// The decimal of fewest digits that gives back the magnitude of `x` in its own type.
    fn shortest(x: f64, dtype: DType) -> Decimal {
        let nearest = (0..MAX_DIGITS).map(|decimals| Decimal::nearest(x.abs(), decimals));
        // Above a power of two the elements lie twice as far apart as below it, so the decimal
        // next above may still round-trip when the nearest, below, does not.
        let mut candidates = nearest.flat_map(|decimal| [decimal, decimal.next_above()]);
        #[expect(clippy::float_cmp, reason = "a round trip is exact")]
        let gives_back = |decimal: &Decimal| dtype.round(decimal.value()) == x.abs();
        candidates.find(gives_back).expect("17 digits give back every `f64`")
    }

    fn nearest(x: f64, decimals: usize) -> Decimal {
        let Parts { whole, fraction, exponent } = Parts::cut(&format!("{x:.decimals$e}"));
        let significand = format!("{whole}{fraction}").parse().expect("`{:e}` writes digits");
        Decimal { significand, exponent: exponent.unwrap_or(0) - small(decimals) }
    }

    fn next_above(self) -> Decimal {
        Decimal { significand: self.significand + 1, ..self }
    }

    fn value(self) -> f64 {
        let Decimal { significand, exponent } = self;
        format!("{significand}e{exponent}").parse().expect("this is a number's form")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_digits_are_those_of_the_type() {
        let decimals = |x, dtype| positional(x, dtype, usize::MAX).fraction;
        assert_eq!(decimals(f64::from(0.1_f32), DType::F32), "1");
        assert_eq!(decimals(f64::from(0.1_f32), DType::F64), "10000000149011612");
        assert_eq!(decimals(0.0999755859375, DType::F16), "1");
        assert_eq!(decimals(0.10009765625, DType::BF16), "1");
    }

    #[test]
    fn the_decimal_above_a_power_of_two_is_tried_too() {
        assert_eq!(positional(0.015625, DType::F16, 8).fraction, "01563");
    }

    #[test]
    fn ties_beyond_the_precision_go_to_the_even_digit() {
        assert_eq!(positional(1.0 / 512.0, DType::F64, 8).fraction, "00195312");
        assert_eq!(positional(3.0 / 512.0, DType::F64, 8).fraction, "00585938");
    }
}
