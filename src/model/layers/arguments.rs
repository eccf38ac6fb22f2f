//! The parameters of a layer as they are given.

use std::fmt;

use anyhow::{Context, Result, bail, ensure};

use super::default_init::{Gates, LayerTensorKind};
use super::torch::is_torch;
use super::{Framework, Kind, LayerTensor, Parameter, Takes, TensorRole};
use crate::tensor::Fans;
use crate::text::{did_you_mean, figure};

/// A layer as it was asked for.
pub(super) struct LayerArguments<'a> {
    pub(super) name: &'a str,
    pub(super) kind: &'static Kind,
    pub(super) parameters: &'a [(String, Parameter)],
    /// The framework whose numbers are drawn, where it is known what its layers draw by themselves.
    pub(super) numbers: Option<&'static Framework>,
}

/// The largest size: that of the largest tensor.
const MAX_SIZE: f64 = 281_474_976_710_656.0;

impl LayerArguments<'_> {
    pub(super) fn check(&self) -> Result<()> {
        for (position, (key, _)) in self.parameters.iter().enumerate() {
            let known: Vec<&str> = self.kind.parameters.iter().map(|(name, _)| *name).collect();
            ensure!(
                known.contains(&key.as_str()),
                "unknown parameter `{key}`: it takes {}{}",
                known.join(", "),
                did_you_mean(key, known.iter().copied())
            );
            let twice = self.parameters[..position].iter().any(|(other, _)| other == key);
            ensure!(!twice, "parameter `{key}` is given twice");
        }
        for &(key, takes) in self.kind.parameters {
            match takes {
                Takes::Size => drop(self.size(key)?),
                Takes::Sizes => drop(self.sizes(key)?),
                Takes::Count => drop(self.count(key)?),
                Takes::Switch => drop(self.switch(key, true)?),
                Takes::Flag => drop(self.switch(key, false)?),
                Takes::Optional => drop(self.optional(key)?),
                Takes::Number => drop(self.number(key)?),
                Takes::Choice(words) => self.choice(key, words)?,
            }
        }
        Ok(())
    }

    pub(super) fn find(&self, key: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|(name, _)| name == key).map(|(_, parameter)| parameter)
    }

    pub(super) fn needed(&self, key: &str) -> Result<&Parameter> {
        self.find(key).with_context(|| format!("`{key}` is missing"))
    }

    pub(super) fn size(&self, key: &str) -> Result<u64> {
        match self.needed(key)? {
            Parameter::Number(number) => whole(key, *number),
            other => bail!("`{key}` is {other}, and takes a whole number"),
        }
    }

    pub(super) fn sizes(&self, key: &str) -> Result<Vec<u64>> {
        match self.needed(key)? {
            Parameter::Number(number) => Ok(vec![whole(key, *number)?]),
            Parameter::List(numbers) => numbers.iter().map(|&number| whole(key, number)).collect(),
            other => bail!("`{key}` is {other}, and takes a whole number, or a list of them"),
        }
    }

    pub(super) fn count(&self, key: &str) -> Result<u64> {
        if self.find(key).is_none() {
            return Ok(1);
        }
        let count = self.size(key)?;
        ensure!(count > 0, "`{key}` is 0, and takes 1 or more");
        Ok(count)
    }

    /// A size, where it is given.
    pub(super) fn optional(&self, key: &str) -> Result<Option<u64>> {
        self.find(key).map(|_| self.size(key)).transpose()
    }

    /// A finite number, where it is given.
    pub(super) fn number(&self, key: &str) -> Result<Option<f64>> {
        match self.find(key) {
            None => Ok(None),
            Some(Parameter::Number(number)) if number.is_finite() => Ok(Some(*number)),
            Some(other) => bail!("`{key}` is {other}, and takes a finite number"),
        }
    }

    fn choice(&self, key: &str, words: &[&str]) -> Result<()> {
        let fits =
            self.find(key).is_none_or(|given| matches!(given, Parameter::Word(word) if words.contains(&word.as_str())));
        let given = || self.find(key).map(ToString::to_string).unwrap_or_default();
        ensure!(fits, "`{key}` is {}, and takes {}", given(), words.join(" or "));
        Ok(())
    }

    /// If torch draws the numbers.
    pub(super) fn drawn_by_torch(&self) -> bool {
        self.numbers.is_some_and(is_torch)
    }

    pub(super) fn bias(&self) -> Result<bool> {
        self.switch("bias", true)
    }

    pub(super) fn switch(&self, key: &str, otherwise: bool) -> Result<bool> {
        match self.find(key) {
            None => Ok(otherwise),
            Some(Parameter::Switch(on)) => Ok(*on),
            Some(other) => bail!("`{key}` is {other}, and takes true or false"),
        }
    }

    pub(super) fn tensor(&self, framework: &Framework, word: &str, shape: Vec<u64>, role: TensorRole) -> LayerTensor {
        let name = format!("{}{}{word}", self.name, framework.joint);
        let own = self.own(role, None);
        LayerTensor { name, shape, layout: None, role, fans: Fans::default(), own, turn: 0, skipped: 0 }
    }

    /// The scheme that the framework of the numbers draws such a tensor by.
    pub(super) fn own(&self, role: TensorRole, gates: Option<Gates>) -> Option<String> {
        self.numbers?.own?(&LayerTensorKind { kind: self.kind.name, role, gates })
    }
}

fn whole(key: &str, number: f64) -> Result<u64> {
    ensure!(
        number.fract() == 0.0 && (0.0..=MAX_SIZE).contains(&number),
        "`{key}` is {}, and takes a whole number up to 2^48",
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
