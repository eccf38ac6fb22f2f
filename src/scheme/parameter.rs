//! Parameters of schemes and options of methods. The type of a parameter is the type of its values.

use std::marker::PhantomData;

use anyhow::{Context, Result};

use super::expression::fold;
use super::number::number;
use crate::text::did_you_mean;

/// A parameter whose values are of type `T`.
pub struct Parameter<T> {
    /// Its key, in kebab-case.
    pub name: &'static str,
    help: &'static str,
    /// The value if none is given, as typed.
    default: Option<&'static str>,
    value: PhantomData<fn() -> T>,
}

impl<T> Parameter<T> {
    /// A parameter without a default; `help` is a noun phrase.
    pub const fn new(name: &'static str, help: &'static str) -> Self {
        Self { name, help, default: None, value: PhantomData }
    }

    /// Sets the default, as typed.
    #[must_use]
    pub const fn default(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }

    /// Removes the default.
    #[must_use]
    pub const fn without_default(self) -> Self {
        Self { default: None, ..self }
    }

    /// Replaces the help text.
    #[must_use]
    pub const fn help(self, help: &'static str) -> Self {
        Self { help, ..self }
    }
}

/// A parameter of any type, for lists of parameters.
pub trait AnyParameter: Sync {
    /// Its key, in kebab-case.
    fn name(&self) -> &'static str;
    /// The type of its values.
    fn kind(&self) -> Kind;
    /// The value if none is given, as typed.
    fn default(&self) -> Option<&'static str>;
    /// The help, a noun phrase.
    fn help(&self) -> &'static str;
    /// A value in canonical spelling. Errors under the name `shown` if it is invalid.
    fn canonical(&self, shown: &str, text: &str) -> Result<String>;
}

impl<T: Value> AnyParameter for Parameter<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn kind(&self) -> Kind {
        T::KIND
    }

    fn default(&self) -> Option<&'static str> {
        self.default
    }

    fn help(&self) -> &'static str {
        self.help
    }

    fn canonical(&self, shown: &str, text: &str) -> Result<String> {
        Ok(T::parse(shown, text)?.spelling())
    }
}

/// The values that a parameter accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A finite number.
    Number,
    /// Finite numbers with a `/` between them.
    Numbers,
    /// A non-negative integer.
    Count,
    /// A position; negative ones count from the end.
    Index,
    /// A number, or the name of an activation.
    Gain,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// One of these words, or a finite number.
    ChoiceOrNumber(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
}

/// A type of parameter values.
pub trait Value: Sized {
    /// The accepted values.
    const KIND: Kind;
    /// An example value, for the error about a missing value.
    const EXAMPLE: &'static str;

    /// Parses the value of parameter `name`.
    fn parse(name: &str, text: &str) -> Result<Self>;

    /// The canonical spelling, which `parse` accepts.
    fn spelling(&self) -> String;
}

impl Value for f64 {
    const KIND: Kind = Kind::Number;
    const EXAMPLE: &'static str = "0.1";

    fn parse(name: &str, text: &str) -> Result<Self> {
        number(text).with_context(|| format!("{name} is `{text}`: it must be a finite number"))
    }

    fn spelling(&self) -> String {
        // Adding zero makes -0 into 0.
        let shortest = format!("{:?}", self + 0.0);
        shortest.strip_suffix(".0").map(String::from).unwrap_or(shortest)
    }
}

/// A number, or infinity of either sign.
#[derive(Clone, Copy, Debug)]
pub struct Unbounded(pub f64);

impl Value for Unbounded {
    const KIND: Kind = Kind::ChoiceOrNumber(&["inf", "-inf"]);
    const EXAMPLE: &'static str = f64::EXAMPLE;

    fn parse(name: &str, text: &str) -> Result<Self> {
        let value = if matches!(text, "inf" | "-inf") { text.parse().ok() } else { number(text) };
        value.map(Self).with_context(|| format!("{name} is `{text}`: it must be a finite number, inf or -inf"))
    }

    fn spelling(&self) -> String {
        self.0.spelling()
    }
}

impl Value for Vec<f64> {
    const KIND: Kind = Kind::Numbers;
    const EXAMPLE: &'static str = "1/0/0.5";

    fn parse(name: &str, text: &str) -> Result<Self> {
        let each = |part| number(part).with_context(|| format!("`{part}` among the {name} is not a finite number"));
        text.split('/').map(each).collect()
    }

    fn spelling(&self) -> String {
        self.iter().map(Value::spelling).collect::<Vec<_>>().join("/")
    }
}

impl Value for u64 {
    const KIND: Kind = Kind::Count;
    const EXAMPLE: &'static str = "8";

    fn parse(name: &str, text: &str) -> Result<Self> {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let count = digits.then(|| text.parse().ok()).flatten();
        count.with_context(|| format!("{name} is `{text}`: it must be a non-negative integer"))
    }

    fn spelling(&self) -> String {
        self.to_string()
    }
}

impl Value for i64 {
    const KIND: Kind = Kind::Index;
    const EXAMPLE: &'static str = "0";

    fn parse(name: &str, text: &str) -> Result<Self> {
        text.parse().ok().with_context(|| format!("{name} is `{text}`: it must be an integer"))
    }

    fn spelling(&self) -> String {
        self.to_string()
    }
}

impl Value for bool {
    const KIND: Kind = Kind::Flag;
    const EXAMPLE: &'static str = "true";

    fn parse(name: &str, text: &str) -> Result<Self> {
        text.parse().ok().with_context(|| format!("{name} is `{text}`: it must be true or false"))
    }

    fn spelling(&self) -> String {
        self.to_string()
    }
}

/// A type whose values are words; [`choice!`] declares one.
pub trait Choice: Copy + PartialEq + 'static {
    /// The words of all values.
    const WORDS: &'static [&'static str];
    /// The value of each word.
    const ALL: &'static [Self];

    /// The word of this value.
    fn word(self) -> &'static str {
        Self::ALL.iter().zip(Self::WORDS).find(|(value, _)| **value == self).map_or("", |(_, word)| word)
    }

    /// The value of a word, ignoring case, hyphens and underscores.
    fn find(word: &str) -> Option<Self> {
        let position = Self::WORDS.iter().position(|known| fold(known) == fold(word));
        position.map(|position| Self::ALL[position])
    }
}

impl<T: Choice> Value for T {
    const KIND: Kind = Kind::Choice(T::WORDS);
    const EXAMPLE: &'static str = T::WORDS[0];

    fn parse(name: &str, text: &str) -> Result<Self> {
        T::find(text).with_context(|| unknown_word(name, text, T::WORDS, ""))
    }

    fn spelling(&self) -> String {
        self.word().into()
    }
}

/// The error for a text that is not one of the words; `or` names further accepted values.
pub(crate) fn unknown_word(name: &str, text: &str, words: &[&str], or: &str) -> String {
    format!("{name} is `{text}`: use {}{or}{}", words.join(", "), did_you_mean(text, words.iter().copied()))
}

/// Declares an enum whose values are written as words.
macro_rules! choice {
    ($(#[$about:meta])* $visibility:vis enum $name:ident {
        $($(#[$about_value:meta])* $value:ident = $word:literal),+ $(,)?
    }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $visibility enum $name {
            $($(#[$about_value])* $value),+
        }

        impl $crate::scheme::Choice for $name {
            const WORDS: &'static [&'static str] = &[$($word),+];
            const ALL: &'static [Self] = &[$(Self::$value),+];
        }
    };
}
pub(crate) use choice;

#[cfg(test)]
mod tests {
    use super::{Value, number};

    #[test]
    fn numbers_have_one_spelling() {
        for (text, expected) in
            [("0.010", "0.01"), ("1e-2", "0.01"), ("1", "1"), ("-0", "0"), ("1e-30", "1e-30"), ("2.50", "2.5")]
        {
            assert_eq!(number(text).map(|number| number.spelling()).as_deref(), Some(expected));
        }
    }
}
