//! The arguments of a scheme, checked against its parameters.

use anyhow::{Context, Result, bail, ensure};

use super::Scheme;
use super::expression::{Expression, fold};
use super::gain;
use super::parameter_alias::Dialect;
use crate::text::did_you_mean;

/// A parameter of a scheme.
pub struct Parameter {
    /// Its key.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// What it is when it is not given, as typed; `None` where it then has no value.
    pub default: Option<&'static str>,
    /// What it does, for a reader.
    pub help: &'static str,
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A finite number.
    Number,
    /// Finite numbers with a `/` between them.
    Numbers,
    /// A whole number, 0 or more.
    Count,
    /// A place, which counts from the end where it is negative.
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

/// The values of a scheme's parameters, in the order of the parameters, each in canonical form.
#[derive(Clone)]
pub struct Arguments {
    parameters: Vec<&'static Parameter>,
    values: Vec<Option<String>>,
}

impl Arguments {
    /// The values that were given to a scheme, over those of `base` where a framework's meaning sets some. Words of the
    /// dialect are translated.
    pub(super) fn read(scheme: &Scheme, given: &Expression, base: Option<Self>, dialect: Dialect) -> Result<Self> {
        let mut arguments = base.unwrap_or_else(|| Self {
            parameters: scheme.parameters().collect(),
            values: scheme.parameters().map(|_| None).collect(),
        });
        let (mut seen, mut implied) = (Vec::new(), Vec::new());
        let first = match (given.bare, scheme.bare) {
            (Some(value), Some(key)) => Some((key, value)),
            (Some(value), None) => bail!("`{value}` stands without a key, and this scheme takes no such value"),
            (None, _) => None,
        };
        for (key, value) in first.into_iter().chain(given.pairs.iter().copied()) {
            let ours = match arguments.takes(key) {
                true => None,
                false => dialect.parameter(key, |ours| arguments.takes(ours)),
            };
            let position = arguments.position(ours.unwrap_or(key))?;
            ensure!(!seen.contains(&position), "`{key}` is given twice");
            seen.push(position);
            if ours == Some("slope") {
                // A framework's word for the slope implies the leaky rectifier.
                implied.push(("gain", "leaky-relu"));
            }
            let parameter = arguments.parameters[position];
            arguments.values[position] = Some(canonical(parameter, dialect.value(parameter.name, value))?);
        }
        for (key, value) in implied {
            let position = arguments.position(key)?;
            if !seen.contains(&position) {
                arguments.values[position] = Some(value.into());
            }
        }
        if let Some(position) = arguments.parameters.iter().position(|parameter| parameter.name == "slope") {
            let given = arguments.values[position].take();
            arguments.values[position] = dialect.slope(arguments.value("gain"), given);
        }
        Ok(arguments)
    }

    /// The values that were given to parameters that are no scheme's.
    pub fn of(parameters: Vec<&'static Parameter>, given: &[(&str, &str)]) -> Result<Self> {
        let mut arguments = Self { values: parameters.iter().map(|_| None).collect(), parameters };
        for (key, value) in given {
            let position = arguments.position(key)?;
            ensure!(arguments.values[position].is_none(), "`{key}` is given twice");
            arguments.values[position] = Some(canonical(arguments.parameters[position], value)?);
        }
        Ok(arguments)
    }

    fn takes(&self, key: &str) -> bool {
        self.parameters.iter().any(|parameter| fold(parameter.name) == fold(key))
    }

    fn position(&self, key: &str) -> Result<usize> {
        let found = self.parameters.iter().position(|parameter| fold(parameter.name) == fold(key));
        found.with_context(|| {
            let names: Vec<&str> = self.parameters.iter().map(|parameter| parameter.name).collect();
            match names.as_slice() {
                [] => format!("no parameter `{key}`: it takes none"),
                _ => format!(
                    "no parameter `{key}`: it takes {}{}",
                    names.join(", "),
                    did_you_mean(key, names.iter().copied())
                ),
            }
        })
    }

    fn value(&self, name: &str) -> Option<&str> {
        let position = self.parameters.iter().position(|parameter| parameter.name == name)?;
        self.values[position].as_deref().or(self.parameters[position].default)
    }

    /// A value in its canonical form, for messages: that of a number has few digits where the number has many.
    pub fn typed(&self, name: &str) -> &str {
        self.value(name).unwrap_or("not given")
    }

    /// Whether a value was given (by the user or by a framework's meaning).
    pub fn given(&self, name: &str) -> bool {
        self.parameters.iter().zip(&self.values).any(|(parameter, value)| parameter.name == name && value.is_some())
    }

    /// Sets a value that the scheme chose itself, so that the recipe records it.
    pub fn set(&mut self, name: &str, value: &str) {
        if let Some(position) = self.parameters.iter().position(|parameter| parameter.name == name) {
            self.values[position] = Some(value.into());
        }
    }

    /// A word, where it has a value.
    pub fn word(&self, name: &str) -> Option<&str> {
        self.value(name)
    }

    /// A number, where it has a value.
    pub fn optional_number(&self, name: &str) -> Option<f64> {
        self.value(name).and_then(|value| value.parse().ok())
    }

    /// A number; the error says that it is required.
    pub fn number(&self, name: &str) -> Result<f64> {
        self.optional_number(name).with_context(|| format!("`{name}` is required, as in `{name}=0.1`"))
    }

    /// Numbers; the error says that they are required.
    pub fn numbers(&self, name: &str) -> Result<Vec<f64>> {
        let values = self.value(name).with_context(|| format!("`{name}` are required, as in `{name}=1/0/0.5`"))?;
        Ok(values.split('/').filter_map(|value| value.parse().ok()).collect())
    }

    /// A number that must be 0 or more.
    pub fn nonnegative(&self, name: &str) -> Result<f64> {
        let value = self.number(name)?;
        ensure!(value >= 0.0, "{name} is {}: it must be 0 or more", self.typed(name));
        Ok(value)
    }

    /// A number that must be above 0.
    pub fn positive(&self, name: &str) -> Result<f64> {
        let value = self.number(name)?;
        ensure!(value > 0.0, "{name} is {}: it must be above 0", self.typed(name));
        Ok(value)
    }

    /// A number that must lie in [0, 1], where it has a value.
    pub fn optional_fraction(&self, name: &str) -> Result<Option<f64>> {
        let value = self.optional_number(name);
        if let Some(value) = value {
            ensure!((0.0..=1.0).contains(&value), "{name} is {}: it must lie between 0 and 1", self.typed(name));
        }
        Ok(value)
    }

    /// A count, where it has a value.
    pub fn optional_count(&self, name: &str) -> Option<u64> {
        self.value(name).and_then(|value| value.parse().ok())
    }

    /// A place among that many, where it has a value; spelled from the start.
    pub fn optional_index(&mut self, name: &str, of: u64) -> Result<Option<u64>> {
        let Some(index) = self.value(name).and_then(|value| value.parse::<i64>().ok()) else { return Ok(None) };
        let from_start = if index < 0 { of.checked_sub(index.unsigned_abs()) } else { Some(index.unsigned_abs()) };
        let place = from_start.filter(|&place| place < of);
        let place = place.with_context(|| format!("{name} is {index}: it must be within the {of} rows"))?;
        self.set(name, &place.to_string());
        Ok(Some(place))
    }

    /// Whether a flag is set.
    pub fn flag(&self, name: &str) -> bool {
        self.value(name) == Some("true")
    }

    /// The number that `gain` (with `slope`, which is spelled out) stands for.
    pub fn gain(&mut self) -> Result<f64> {
        if self.value("gain") == Some("leaky-relu") && !self.given("slope") {
            self.set("slope", &gain::DEFAULT_SLOPE.to_string());
        }
        gain::value(self.value("gain").unwrap_or("1"), self.optional_number("slope"))
    }

    /// `key=value` for each parameter that has a value, in the order of the parameters; empty where none has.
    pub fn canonical(&self) -> String {
        let pairs: Vec<String> = self
            .parameters
            .iter()
            .filter_map(|parameter| Some(format!("{}={}", parameter.name, self.value(parameter.name)?)))
            .collect();
        pairs.join(",")
    }
}

/// One value in the alias that all ways of writing it share. Errors where the parameter does not take it.
fn canonical(parameter: &Parameter, text: &str) -> Result<String> {
    let name = parameter.name;
    match parameter.kind {
        Kind::Number => number(text).with_context(|| format!("{name} is `{text}`: it takes a finite number")),
        Kind::Numbers => {
            let each = |part| number(part).with_context(|| format!("`{part}` among the {name} is no finite number"));
            Ok(text.split('/').map(each).collect::<Result<Vec<_>>>()?.join("/"))
        }
        Kind::Count => {
            let digits = text.bytes().all(|byte| byte.is_ascii_digit());
            let count: Option<u64> = digits.then(|| text.parse().ok()).flatten();
            Ok(count.with_context(|| format!("{name} is `{text}`: it takes a whole number"))?.to_string())
        }
        Kind::Index => {
            let index: Option<i64> = text.parse().ok();
            Ok(index.with_context(|| format!("{name} is `{text}`: it takes a whole number"))?.to_string())
        }
        Kind::Gain => match number(text) {
            Some(number) => Ok(number),
            None => Ok(gain::find(text)?.name.into()),
        },
        Kind::Choice(words) => choice(name, words, "", text),
        Kind::ChoiceOrNumber(words) => match number(text) {
            Some(number) => Ok(number),
            None => choice(name, words, " or a finite number", text),
        },
        Kind::Flag => match text {
            "true" | "false" => Ok(text.into()),
            _ => bail!("{name} is `{text}`: it takes true or false"),
        },
    }
}

/// The word that a text is. Errors with the words that there are, and what else is taken.
fn choice(name: &str, words: &[&str], or: &str, text: &str) -> Result<String> {
    let found = words.iter().find(|word| fold(word) == fold(text));
    let found = found.with_context(|| {
        let near = did_you_mean(text, words.iter().copied());
        format!("{name} is `{text}`: it takes {}{or}{near}", words.join(", "))
    })?;
    Ok((*found).into())
}

/// A finite number in its shortest alias, or nothing.
fn number(text: &str) -> Option<String> {
    let value: f64 = text.parse().ok().filter(|value: &f64| value.is_finite())?;
    // Adding zero makes -0 into 0.
    let shortest = format!("{:?}", value + 0.0);
    Some(shortest.strip_suffix(".0").map(String::from).unwrap_or(shortest))
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_have_one_spelling() {
        for (text, expected) in
            [("0.010", "0.01"), ("1e-2", "0.01"), ("1", "1"), ("-0", "0"), ("1e-30", "1e-30"), ("2.50", "2.5")]
        {
            assert_eq!(number(text).as_deref(), Some(expected));
        }
        for text in ["nan", "inf", "-inf", "1e999", "abc", "", "0x10"] {
            assert_eq!(number(text), None, "{text:?} was taken");
        }
    }
}
