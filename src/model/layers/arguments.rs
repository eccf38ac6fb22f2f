//! The arguments of a layer: the parameters of its kind with their values.

use std::fmt;

use anyhow::{Context, Result, bail, ensure};

use super::frameworks::Framework;
use super::kind::{ArgumentKind, LayerKind};
use super::tensor::{Gates, LayerTensor, TensorRole};
use crate::tensor::Fans;
use crate::text::{alternatives, did_you_mean, figure};

/// The value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Parameter {
    /// `in = 784`
    Number(f64),
    /// `kernel = [3, 3]`
    List(Vec<f64>),
    /// `bias = false`
    Switch(bool),
    /// `activation = "'relu'"`
    Word(String),
}

pub(super) struct LayerArguments<'a> {
    pub(super) name: &'a str,
    pub(super) kind: LayerKind,
    pub(super) parameters: &'a [(String, Parameter)],
    /// The framework whose layers define the schemes.
    pub(super) like: Option<&'static Framework>,
}

/// The largest size, equal to that of the largest tensor.
const MAX_SIZE: f64 = 281_474_976_710_656.0;

impl LayerArguments<'_> {
    pub(super) fn check(&self) -> Result<()> {
        let known: Vec<&str> = self.kind.parameters().iter().map(|(name, _)| *name).collect();
        for (position, (key, _)) in self.parameters.iter().enumerate() {
            ensure!(
                known.contains(&key.as_str()),
                "unknown parameter `{key}`: use {}{}",
                alternatives(&known),
                did_you_mean(key, known.iter().copied())
            );
            let twice = self.parameters[..position].iter().any(|(other, _)| other == key);
            ensure!(!twice, "parameter `{key}` is given twice");
        }
        for &(key, kind) in self.kind.parameters() {
            match kind {
                ArgumentKind::Size => drop(self.size(key)?),
                ArgumentKind::Sizes => drop(self.sizes(key)?),
                ArgumentKind::Count => drop(self.count(key)?),
                ArgumentKind::Switch | ArgumentKind::Flag => drop(self.switch(key, true)?),
                ArgumentKind::Optional => drop(self.optional(key)?),
                ArgumentKind::Number => drop(self.number(key)?),
                ArgumentKind::Choice(words) => self.choice(key, words)?,
            }
        }
        Ok(())
    }

    fn find(&self, key: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|(name, _)| name == key).map(|(_, parameter)| parameter)
    }

    fn required(&self, key: &str) -> Result<&Parameter> {
        self.find(key).with_context(|| format!("`{key}` is missing"))
    }

    pub(super) fn size(&self, key: &str) -> Result<u64> {
        match self.required(key)? {
            Parameter::Number(number) => whole(key, *number),
            other => bail!("`{key}` is {other}: it must be an integer"),
        }
    }

    pub(super) fn sizes(&self, key: &str) -> Result<Vec<u64>> {
        match self.required(key)? {
            Parameter::Number(number) => Ok(vec![whole(key, *number)?]),
            Parameter::List(numbers) => numbers.iter().map(|&number| whole(key, number)).collect(),
            other => bail!("`{key}` is {other}: it must be an integer or a list of integers"),
        }
    }

    pub(super) fn count(&self, key: &str) -> Result<u64> {
        if self.find(key).is_none() {
            return Ok(1);
        }
        let count = self.size(key)?;
        ensure!(count > 0, "`{key}` is 0: it must be 1 or more");
        Ok(count)
    }

    pub(super) fn optional(&self, key: &str) -> Result<Option<u64>> {
        self.find(key).map(|_| self.size(key)).transpose()
    }

    pub(super) fn number(&self, key: &str) -> Result<Option<f64>> {
        match self.find(key) {
            None => Ok(None),
            Some(Parameter::Number(number)) if number.is_finite() => Ok(Some(*number)),
            Some(other) => bail!("`{key}` is {other}: it must be a finite number"),
        }
    }

    fn choice(&self, key: &str, words: &[&str]) -> Result<()> {
        match self.find(key) {
            None => Ok(()),
            Some(Parameter::Word(word)) if words.contains(&word.as_str()) => Ok(()),
            Some(other) => bail!("`{key}` is {other}: it must be {}", alternatives(words)),
        }
    }

    pub(super) fn bias(&self) -> Result<bool> {
        self.switch("bias", true)
    }

    pub(super) fn switch(&self, key: &str, default: bool) -> Result<bool> {
        match self.find(key) {
            None => Ok(default),
            Some(Parameter::Switch(on)) => Ok(*on),
            Some(other) => bail!("`{key}` is {other}: it must be true or false"),
        }
    }

    /// The number of groups. Errors unless it divides these sizes.
    pub(super) fn groups(&self, sizes: &[(&str, u64)]) -> Result<u64> {
        let groups = self.count("groups")?;
        for (key, size) in sizes {
            ensure!(size % groups == 0, "`{key}` is {size}, not a multiple of the {groups} groups");
        }
        Ok(groups)
    }

    /// True if torch's layers define the schemes.
    pub(super) fn is_like_torch(&self) -> bool {
        self.like.is_some_and(Framework::is_torch)
    }

    pub(super) fn tensor(&self, framework: &Framework, word: &str, shape: Vec<u64>, role: TensorRole) -> LayerTensor {
        let name = format!("{}{}{word}", self.name, framework.separator);
        let default_scheme = self.default_scheme(role, None);
        LayerTensor { name, shape, layout: None, role, fans: Fans::default(), default_scheme, turn: 0, skipped: 0 }
    }

    /// The framework's default scheme of a tensor.
    pub(super) fn default_scheme(&self, role: TensorRole, gates: Option<Gates>) -> Option<String> {
        self.like?.default_init?(self.kind, role, gates)
    }
}

fn whole(key: &str, number: f64) -> Result<u64> {
    ensure!(
        number.fract() == 0.0 && (0.0..=MAX_SIZE).contains(&number),
        "`{key}` is {}: it must be an integer up to 2^48",
        figure(number)
    );
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number from 0 to 2^48")]
    let size = number as u64;
    Ok(size)
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{}", figure(*number)),
            Self::List(numbers) => write!(f, "a list of {}", numbers.len()),
            Self::Switch(on) => write!(f, "{on}"),
            Self::Word(word) => write!(f, "`{word}`"),
        }
    }
}
