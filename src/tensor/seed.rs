//! The seed of a plan.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, Result, bail, ensure};

/// Seed of a plan: one number, or several for some frameworks, and the steps that derive a key from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    numbers: Vec<Number>,
    steps: Vec<Step>,
}

/// An integer of a seed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Number {
    /// True if it is negative.
    pub negative: bool,
    /// Absolute value.
    pub magnitude: u128,
}

/// A derivation step: to the next key as in JAX, to a spawned seed as in `NumPy`, or to layers' seeds as in Keras.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// `fold_in(key, number)`.
    FoldIn(u32),
    /// `split(key, of)[index]`; `SeedSequence(seed).spawn(of)[index]`.
    Split {
        /// Index of the part, from 0.
        index: u64,
        /// Number of parts.
        of: u64,
    },
    /// Consecutive seeds for the layers of a model, as Keras draws them.
    Layers,
}

/// Spelling of the step to the seeds of layers.
const LAYERS: &str = "layers";

/// Largest number of numbers, and of steps, in a seed.
const MOST: usize = 64;
/// Accepted forms of a seed, for errors.
const FORM: &str = "use 0 to 2^64-1, 0x hex or `random`; with --like, that framework's seeds";

impl Seed {
    /// Numbers of the seed, at least one.
    pub fn numbers(&self) -> &[Number] {
        &self.numbers
    }

    /// Steps after the numbers, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Appends further steps.
    #[must_use]
    pub fn then(mut self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.steps.extend(steps);
        self
    }

    /// The seed as the user types it, without the implied step for the layers of a model.
    #[must_use]
    pub fn typed(&self) -> Self {
        let mut typed = self.clone();
        typed.steps.retain(|step| *step != Step::Layers);
        typed
    }

    /// Errors if the seed has steps, which few generators support.
    pub fn check_no_steps(&self) -> Result<()> {
        match self.steps.first() {
            None => Ok(()),
            Some(Step::Layers) => {
                bail!("`{LAYERS}` means the layer seeds of a Keras model: use --like keras:jax")
            }
            Some(step) => bail!("`{step}` in the seed needs --like jax, or --like numpy for `split`"),
        }
    }

    /// The number; `None` if there are several, or steps.
    pub fn only(&self) -> Option<Number> {
        match self.numbers[..] {
            [number] if self.steps.is_empty() => Some(number),
            _ => None,
        }
    }

    /// The only number as `u64`, if it fits.
    pub fn to_u64(&self) -> Option<u64> {
        self.only()?.to_u64()
    }
}

impl Default for Seed {
    fn default() -> Self {
        Self::from(0)
    }
}

impl From<u64> for Seed {
    fn from(number: u64) -> Self {
        Self { numbers: vec![Number { negative: false, magnitude: number.into() }], steps: Vec::new() }
    }
}

impl FromIterator<Number> for Seed {
    /// The iterator must yield at least one number.
    fn from_iter<I: IntoIterator<Item = Number>>(numbers: I) -> Self {
        Self { numbers: numbers.into_iter().collect(), steps: Vec::new() }
    }
}

impl Number {
    /// The number as `u64`, if it fits.
    pub fn to_u64(self) -> Option<u64> {
        u64::try_from(self.magnitude).ok().filter(|_| !self.negative)
    }

    /// The number as `i64`, if it fits.
    pub fn to_i64(self) -> Option<i64> {
        let magnitude = i128::try_from(self.magnitude).ok()?;
        i64::try_from(if self.negative { -magnitude } else { magnitude }).ok()
    }

    /// The lowest 64 bits, in two's complement if negative.
    pub fn wrapped(self) -> u64 {
        #[expect(clippy::cast_possible_truncation, reason = "the lowest bits")]
        let low = self.magnitude as u64;
        if self.negative { low.wrapping_neg() } else { low }
    }
}

impl FromStr for Number {
    type Err = anyhow::Error;

    /// Parses a decimal number, or a hexadecimal one after `0x`, with an optional minus sign.
    fn from_str(text: &str) -> Result<Self> {
        let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (digits, radix) = rest.strip_prefix("0x").map_or((rest, 10), |digits| (digits, 16));
        // The standard parser would also accept a leading `+`.
        let parsed = digits.chars().all(|c| c.is_digit(radix)).then(|| u128::from_str_radix(digits, radix));
        let magnitude = parsed.context(FORM)?.context(FORM)?;
        Ok(Self { negative: negative && magnitude > 0, magnitude })
    }
}

impl FromStr for Step {
    type Err = anyhow::Error;

    /// Parses `fold-in=3`, `split=2/4` or `layers`.
    fn from_str(text: &str) -> Result<Self> {
        if text == LAYERS {
            return Ok(Self::Layers);
        }
        let (word, value) = text.split_once('=').context(FORM)?;
        match word {
            "fold-in" => fold_in(value),
            "split" => split(value),
            _ => anyhow::bail!("unknown `{word}` in the seed: use fold-in=N, split=I/N or layers"),
        }
    }
}

fn fold_in(text: &str) -> Result<Step> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    Ok(Step::FoldIn(number.context("fold-in takes a number from 0 to 2^32-1, such as fold-in=3")?))
}

/// Parses `I/N`: part I of N, from 0.
fn split(text: &str) -> Result<Step> {
    let number = |text: &str| text.parse::<u64>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let pair = text.split_once('/').and_then(|(index, of)| Some((number(index)?, number(of)?)));
    let (index, of) = pair.context("split takes I/N, such as split=2/4 for the third of four keys")?;
    ensure!(of > 0, "split takes I/N with N of 1 or more");
    ensure!(index < of, "split takes I/N with I from 0 to {}, since N is {of}", of - 1);
    ensure!(of <= 1 << 32, "split makes at most 2^32 keys");
    Ok(Step::Split { index, of })
}

impl FromStr for Seed {
    type Err = anyhow::Error;

    /// Parses a number, `random`, which draws one from the system, or numbers followed by steps, comma-separated:
    /// `0,fold-in=3,split=2/4`.
    fn from_str(text: &str) -> Result<Self> {
        if text == "random" {
            return Ok(Self::from(rand::random::<u64>()));
        }
        let parts: Vec<&str> = text.split(',').collect();
        ensure!(parts.len() <= MOST, "a seed has at most {MOST} parts");
        let numbers = parts.iter().take_while(|part| !part.contains('=') && **part != LAYERS).count();
        ensure!(numbers > 0, "{FORM}");
        let (numbers, steps) = parts.split_at(numbers);
        Ok(Self {
            numbers: numbers.iter().map(|part| part.parse()).collect::<Result<_>>()?,
            steps: steps.iter().map(|part| part.parse()).collect::<Result<_>>()?,
        })
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.negative { "-" } else { "" }, self.magnitude)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FoldIn(number) => write!(f, "fold-in={number}"),
            Self::Split { index, of } => write!(f, "split={index}/{of}"),
            Self::Layers => f.write_str(LAYERS),
        }
    }
}

impl fmt::Display for Seed {
    /// Writes the form that parsing accepts.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers = self.numbers.iter().map(ToString::to_string);
        let parts: Vec<String> = numbers.chain(self.steps.iter().map(ToString::to_string)).collect();
        f.write_str(&parts.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_numbers_to_the_last_of_64_bits_and_beyond_where_a_framework_does() {
        assert_eq!("0".parse::<Seed>().unwrap(), Seed::default());
        assert_eq!("0x2a".parse::<Seed>().unwrap(), Seed::from(42));
        assert_eq!("18446744073709551615".parse::<Seed>().unwrap(), Seed::from(u64::MAX));
        assert_eq!("18446744073709551616".parse::<Seed>().unwrap().to_u64(), None);
        let negative = "-1".parse::<Seed>().unwrap().only().unwrap();
        assert_eq!((negative.to_u64(), negative.to_i64(), negative.wrapped()), (None, Some(-1), u64::MAX));
        for text in [
            "+1",
            "1e3",
            "",
            "0x",
            "0x+1",
            "seed",
            " 1",
            "-",
            "1,",
            ",1",
            "1,fold-in",
            "fold-in=1",
            "layers",
            "layers=1",
        ] {
            assert!(text.parse::<Seed>().is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn steps_are_read_as_they_are_shown() {
        for text in ["0", "-7", "5,7", "0,fold-in=3", "0,fold-in=3,split=2/4,fold-in=0", "7,layers"] {
            assert_eq!(text.parse::<Seed>().unwrap().to_string(), text);
        }
        for text in ["0,fold-in=-1", "0,fold-in=4294967296", "0,split=4/4", "0,split=1", "0,split=0/0", "0,spilt=1/2"] {
            assert!(text.parse::<Seed>().is_err(), "{text:?} was taken");
        }
    }
}
