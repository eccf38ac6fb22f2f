//! The options that several methods share, and the ranges of all.

use anyhow::{Context, Result, bail};

use super::activation::Activation;
use crate::scheme::{AnyParameter, Arguments, Kind, Parameter, Value, number, unknown_word};

/// Of every method.
pub(super) const SCALE: Parameter<ScaleOption> = Parameter::new(
    "scale",
    "scaling of each feature: minmax to [0, 1], standard to mean 0 and standard deviation 1, or a divisor such as 255 for images",
)
.default("none");
/// Of every method.
pub(super) const VALIDATION: Parameter<f64> =
    Parameter::new("validation", "fraction of samples held out for validation").default("0");

pub(super) const EPOCHS: Parameter<u64> = Parameter::new("epochs", "training epochs per layer");
pub(super) const BATCH: Parameter<u64> = Parameter::new("batch", "minibatch size");
pub(super) const LEARNING_RATE: Parameter<f64> = Parameter::new("learning-rate", "learning rate");
pub(super) const MOMENTUM: Parameter<f64> = Parameter::new("momentum", "momentum coefficient").default("0");
pub(super) const WEIGHT_DECAY: Parameter<f64> = Parameter::new("weight-decay", "L2 weight decay").default("0");
pub(super) const ACTIVATION: Parameter<Activation> =
    Parameter::new("activation", "activation of each layer").default("relu");
pub(super) const TOLERANCE: Parameter<f64> = Parameter::new(
    "tolerance",
    "stop early when no filter moves more than this (kmeans), or when the variance is this close to 1 (lsuv)",
);
pub(super) const CD_K: Parameter<u64> = Parameter::new("cd-k", "Gibbs steps per sample of the model").default("1");
pub(super) const SPARSITY: Parameter<f64> =
    Parameter::new("sparsity", "target probability that a hidden unit is on").default("0.1");
pub(super) const SPARSITY_COST: Parameter<f64> =
    Parameter::new("sparsity-cost", "weight of the sparsity penalty").default("0");
pub(super) const NOISE: Parameter<f64> =
    Parameter::new("noise", "fraction of values that masking sets to 0, or the standard deviation of gaussian noise")
        .default("0.3");

/// The value of `--scale`.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum ScaleOption {
    None,
    MinMax,
    Standard,
    Divisor(f64),
}

impl ScaleOption {
    const WORDS: &'static [&'static str] = &["none", "minmax", "standard"];
}

impl Value for ScaleOption {
    const KIND: Kind = Kind::ChoiceOrNumber(Self::WORDS);
    const EXAMPLE: &'static str = "minmax";

    fn parse(name: &str, text: &str) -> Result<Self> {
        match text.to_lowercase().as_str() {
            "none" => Ok(Self::None),
            "minmax" => Ok(Self::MinMax),
            "standard" => Ok(Self::Standard),
            _ => number(text)
                .map(Self::Divisor)
                .with_context(|| unknown_word(name, text, Self::WORDS, " or a finite number")),
        }
    }

    fn spelling(&self) -> String {
        match self {
            Self::None => "none".into(),
            Self::MinMax => "minmax".into(),
            Self::Standard => "standard".into(),
            Self::Divisor(divisor) => divisor.spelling(),
        }
    }
}

/// Errors if a number is outside its option's range, for any method.
pub(super) fn check(arguments: &Arguments) -> Result<()> {
    type Range = (&'static dyn AnyParameter, fn(f64) -> bool, &'static str);
    const RANGES: &[Range] = &[
        (&EPOCHS, |value| (1.0..=1e9).contains(&value), "an integer from 1 to 10^9"),
        (&BATCH, |value| (1.0..=1e6).contains(&value), "an integer from 1 to 10^6"),
        (&CD_K, |value| (1.0..=1000.0).contains(&value), "an integer from 1 to 1000"),
        (&LEARNING_RATE, |value| value > 0.0, "a number above 0"),
        (&MOMENTUM, |value| (0.0..1.0).contains(&value), "at least 0 and below 1"),
        (&WEIGHT_DECAY, |value| value >= 0.0, "a non-negative number"),
        (&SPARSITY_COST, |value| value >= 0.0, "a non-negative number"),
        (&SPARSITY, |value| (0.0..=1.0).contains(&value), "a number from 0 to 1"),
        (&VALIDATION, |value| (0.0..1.0).contains(&value), "at least 0 and below 1"),
        (&NOISE, |value| value >= 0.0, "a non-negative number"),
        (&SCALE, |value| value > 0.0, "none, minmax, standard or a number above 0"),
        (&TOLERANCE, |value| value > 0.0, "a number above 0"),
    ];
    for (option, holds, form) in RANGES.iter().filter(|(option, ..)| arguments.lists(*option)) {
        let text = arguments.text(*option);
        if text.parse().is_ok_and(|value| !holds(value)) {
            bail!("--{} is {text}: it must be {form}", option.name());
        }
    }
    Ok(())
}
