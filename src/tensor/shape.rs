//! Tensor shapes, valid by construction.

use std::fmt;
use std::str::FromStr;

use anyhow::{Result, bail, ensure};

/// Sizes of a tensor's axes. The limits [`Shape::MAX_RANK`] and [`Shape::MAX_ELEMENTS`] ensure that no later product
/// of sizes overflows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    axes: Vec<u64>,
}

impl Shape {
    /// Largest number of axes.
    pub const MAX_RANK: usize = 32;
    /// Largest number of elements, 2^48.
    pub const MAX_ELEMENTS: u64 = 1 << 48;

    /// Errors if there are too many axes or elements. A zero axis does not hide an overflow in the others.
    pub fn new(axes: Vec<u64>) -> Result<Self> {
        ensure!(axes.len() <= Self::MAX_RANK, "{} axes: at most {} are allowed", axes.len(), Self::MAX_RANK);
        let mut nonzero: u64 = 1;
        for &axis in axes.iter().filter(|&&axis| axis > 0) {
            nonzero = match nonzero.checked_mul(axis) {
                Some(product) if product <= Self::MAX_ELEMENTS => product,
                _ => bail!("more than 2^48 elements, the most that one tensor may have"),
            };
        }
        Ok(Self { axes })
    }

    /// The axes in reverse order.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self { axes: self.axes.iter().rev().copied().collect() }
    }

    /// Size of each axis.
    pub fn axes(&self) -> &[u64] {
        &self.axes
    }

    /// Number of axes; 0 for a scalar.
    pub fn rank(&self) -> usize {
        self.axes.len()
    }

    /// Number of elements; 1 for a scalar.
    pub fn count(&self) -> u64 {
        self.axes.iter().product()
    }
}

impl FromStr for Shape {
    type Err = anyhow::Error;

    /// Parses `784x256`, `256` or `()`, and other notations of the same: `784,256`, `(784, 256)`, `[784, 256]`, `784X256`, `784×256`.
    fn from_str(text: &str) -> Result<Self> {
        match sizes(text) {
            Some(axes) => Self::new(axes),
            None => bail!("not a shape: join sizes by `x` (`784x256`, `256`), or use `()` for a scalar"),
        }
    }
}

/// The sizes of a shape in any notation; `None` if the text is not one. Two different signs may join shapes, not sizes: `2x3,4x5`.
fn sizes(text: &str) -> Option<Vec<u64>> {
    let text = text.trim_matches(' ');
    let bracketed = [('(', ')'), ('[', ']')].iter().find_map(|&(open, close)| {
        let inner = text.strip_prefix(open)?.strip_suffix(close)?.trim_matches(' ');
        // A tuple of one size ends in a comma.
        Some(inner.strip_suffix(',').filter(|sizes| !sizes.is_empty()).unwrap_or(inner))
    });
    let list = bracketed.unwrap_or(text);
    match list.chars().find(|&sign| matches!(sign, 'x' | 'X' | '×' | '*' | ',')) {
        Some(sign) => list.split(sign).map(size).collect(),
        None if bracketed == Some("") => Some(Vec::new()),
        None => Some(vec![size(list)?]),
    }
}

/// Parses digits only; the standard parser would also accept `+3`.
fn size(text: &str) -> Option<u64> {
    let text = text.trim_matches(' ');
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // More digits than 64 bits hold are still a size, and [`Shape::new`] reports the error.
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.axes.is_empty() {
            return f.write_str("()");
        }
        let sizes: Vec<String> = self.axes.iter().map(u64::to_string).collect();
        f.write_str(&sizes.join("x"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for text in ["()", "0", "256", "784x256", "0x5", "3x3x64x128"] {
            assert_eq!(text.parse::<Shape>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn reads_the_notations_of_other_programs() {
        for text in
            ["784,256", "(784, 256)", "[784,256]", "784X256", "784×256", "784 x 256", " 784*256 ", "(784, 256,)"]
        {
            assert_eq!(text.parse::<Shape>().unwrap().to_string(), "784x256", "{text}");
        }
        for (text, shape) in [("(3,)", "3"), ("[3]", "3"), ("( )", "()"), ("[]", "()"), (" 3", "3")] {
            assert_eq!(text.parse::<Shape>().unwrap().to_string(), shape, "{text}");
        }
    }

    #[test]
    fn refuses_other_text() {
        for text in [
            "", " ", "x", ",", "3x", "x3", "3,", "(,)", "0x0x", "+3", "-1", "1e3", "٣", "3.0", "3xx3", "3 3", "(3",
            "3)", "[3)", "((3))", "2x3,4x5", "784-256",
        ] {
            assert!(text.parse::<Shape>().is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn a_zero_axis_does_not_hide_an_overflow() {
        assert!("281474976710656".parse::<Shape>().is_ok());
        for text in ["281474976710657", "0x4294967296x4294967296", "4294967296x4294967296x0", "18446744073709551616"] {
            assert!(text.parse::<Shape>().is_err(), "{text} was taken");
        }
        assert_eq!("0x5".parse::<Shape>().unwrap().count(), 0);
        assert_eq!("()".parse::<Shape>().unwrap().count(), 1);
    }

    #[test]
    fn rank_32_is_the_last_one_allowed() {
        assert!(vec!["1"; 32].join("x").parse::<Shape>().is_ok());
        assert!(vec!["1"; 33].join("x").parse::<Shape>().is_err());
    }
}
