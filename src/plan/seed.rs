//! The seed of a plan.

use std::fmt;
use std::str::FromStr;

use anyhow::{Result, bail};

/// A 64-bit seed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seed(pub u64);

impl FromStr for Seed {
    type Err = anyhow::Error;

    /// Reads a decimal number, a hexadecimal one after `0x`, or `random`, which draws one from the system.
    fn from_str(text: &str) -> Result<Self> {
        if text == "random" {
            return Ok(Self(rand::random()));
        }
        let (digits, radix) = match text.strip_prefix("0x") {
            Some(digits) => (digits, 16),
            None => (text, 10),
        };
        // The standard parser would also take a leading `+`.
        let parsed =
            digits.starts_with(|first: char| first.is_digit(radix)).then(|| u64::from_str_radix(digits, radix));
        match parsed {
            Some(Ok(seed)) => Ok(Self(seed)),
            _ => bail!("a seed is a whole number from 0 to 2^64-1 (decimal, or hexadecimal after `0x`), or `random`"),
        }
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_numbers_to_the_last_of_64_bits() {
        assert_eq!("0".parse::<Seed>().unwrap(), Seed(0));
        assert_eq!("0x2a".parse::<Seed>().unwrap(), Seed(42));
        assert_eq!("18446744073709551615".parse::<Seed>().unwrap(), Seed(u64::MAX));
        for text in ["18446744073709551616", "-1", "+1", "1e3", "", "0x", "0x+1", "seed", " 1"] {
            assert!(text.parse::<Seed>().is_err(), "{text:?} was taken");
        }
    }
}
