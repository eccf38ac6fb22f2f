//! The options that several methods have, each with what it means and takes.

use anyhow::{Result, bail};

use super::activation;
use super::input::Scale;
use crate::scheme::{Arguments, Kind, Parameter};

const fn option(name: &'static str, kind: Kind, default: &'static str, help: &'static str) -> Parameter {
    Parameter { name, kind, default: Some(default), help }
}

pub(super) const SCALE: Parameter = option(
    "scale",
    Kind::ChoiceOrNumber(Scale::WORDS),
    "none",
    "the scale of each feature; minmax brings it to [0, 1], standard to mean 0 and standard deviation 1; a number divides all values, as 255 does those of images",
);
pub(super) const VALIDATION: Parameter =
    option("validation", Kind::Number, "0", "the share of the samples that is kept apart, and measured only");

/// How often all samples are gone through.
pub(super) const fn epochs(default: &'static str) -> Parameter {
    option("epochs", Kind::Count, default, "how often all samples are gone through, for each layer")
}

/// How many samples make a step.
pub(super) const fn batch(default: &'static str) -> Parameter {
    option("batch", Kind::Count, default, "how many samples make a step")
}

/// How far a step goes.
pub(super) const fn learning_rate(default: &'static str) -> Parameter {
    option("learning-rate", Kind::Number, default, "how far a step goes")
}

/// How much of the step before is taken again.
pub(super) const fn momentum(default: &'static str) -> Parameter {
    option("momentum", Kind::Number, default, "how much of the step before is taken again")
}

/// What draws weights to 0.
pub(super) const fn weight_decay(default: &'static str) -> Parameter {
    option("weight-decay", Kind::Number, default, "how much of each weight is taken off, times the learning rate")
}

/// What follows a layer, on the way to the next.
pub(super) const fn activation(default: &'static str) -> Parameter {
    option("activation", Kind::Choice(activation::WORDS), default, "what follows each layer")
}

/// How near is near enough.
pub(super) const fn tolerance(default: &'static str, help: &'static str) -> Parameter {
    option("tolerance", Kind::Number, default, help)
}

/// Errors where a number is outside of what its option takes, whichever method it is of.
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
        ("validation", |value| (0.0..1.0).contains(&value), "a share from 0 to below 1"),
        ("noise", |value| value >= 0.0, "a number of 0 or more"),
        ("scale", |value| value > 0.0, "none, minmax, standard or a number above 0"),
        ("tolerance", |value| value > 0.0, "a number above 0"),
    ];
    for (name, holds, form) in RANGES {
        let Some(value) = arguments.optional_number(name) else { continue };
        if !holds(value) {
            bail!("{name} is {}: it takes {form}", arguments.typed(name));
        }
    }
    Ok(())
}
