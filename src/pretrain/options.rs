//! The options that several methods share, and the ranges of all.

use anyhow::{Result, bail};

use super::activation;
use super::scale::Scale;
use crate::scheme::{Arguments, Kind, Parameter};

const fn option(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Parameter {
    Parameter { name, kind, default: Some(default), help }
}

pub(super) const SCALE: Parameter = option(
    "scale",
    Kind::ChoiceOrNumber(Scale::WORDS),
    "none",
    "scaling of each feature: to [0, 1], to mean 0 and standard deviation 1, or by a divisor such as 255 for images",
);
pub(super) const VALIDATION: Parameter =
    option("validation", Kind::Number, "0", "fraction of samples held out for validation");

pub(super) const fn epochs(default: &'static str) -> Parameter {
    option("epochs", Kind::Count, default, "training epochs per layer")
}

pub(super) const fn batch(default: &'static str) -> Parameter {
    option("batch", Kind::Count, default, "minibatch size")
}

pub(super) const fn learning_rate(default: &'static str) -> Parameter {
    option("learning-rate", Kind::Number, default, "learning rate")
}

pub(super) const fn momentum(default: &'static str) -> Parameter {
    option("momentum", Kind::Number, default, "momentum coefficient")
}

pub(super) const fn weight_decay(default: &'static str) -> Parameter {
    option("weight-decay", Kind::Number, default, "L2 weight decay")
}

pub(super) const fn activation(default: &'static str) -> Parameter {
    option("activation", Kind::Choice(activation::WORDS), default, "activation of each layer")
}

pub(super) const fn tolerance(default: &'static str) -> Parameter {
    option(
        "tolerance",
        Kind::Number,
        default,
        "stop early when no filter moves more than this (kmeans), or when the variance is this close to 1 (lsuv)",
    )
}

/// Errors if a number is outside its option's range, for any method.
pub(super) fn check(arguments: &Arguments) -> Result<()> {
    type Range = (&'static str, fn(f64) -> bool, &'static str);
    const RANGES: &[Range] = &[
        ("epochs", |value| (1.0..=1e9).contains(&value), "a whole number from 1 to 10^9"),
        ("batch", |value| (1.0..=1e6).contains(&value), "a whole number from 1 to 10^6"),
        ("cd-k", |value| (1.0..=1000.0).contains(&value), "a whole number from 1 to 1000"),
        ("learning-rate", |value| value > 0.0, "a number above 0"),
        ("momentum", |value| (0.0..1.0).contains(&value), "a number from 0 to below 1"),
        ("weight-decay", |value| value >= 0.0, "a number of 0 or more"),
        ("sparsity-cost", |value| value >= 0.0, "a number of 0 or more"),
        ("sparsity", |value| (0.0..=1.0).contains(&value), "a number from 0 to 1"),
        ("validation", |value| (0.0..1.0).contains(&value), "a fraction from 0 to below 1"),
        ("noise", |value| value >= 0.0, "a number of 0 or more"),
        ("scale", |value| value > 0.0, "none, minmax, standard or a number above 0"),
        ("tolerance", |value| value > 0.0, "a number above 0"),
    ];
    for (name, holds, form) in RANGES {
        let Some(value) = arguments.optional_number(name) else { continue };
        if !holds(value) {
            bail!("--{name} is {}: it takes {form}", arguments.typed(name));
        }
    }
    Ok(())
}
