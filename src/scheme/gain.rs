//! Gains: what an activation does to the scale of a signal, to be made up for in the weights.

use anyhow::{Context, Result, bail, ensure};

use super::arguments::{Kind, Parameter};
use super::expression::fold;
use crate::text::did_you_mean;

/// A named gain.
pub struct Gain {
    /// The name of the activation.
    pub name: &'static str,
    /// Other words for it.
    pub aliases: &'static [&'static str],
    /// The number; `slope` is the negative slope of a leaky rectifier.
    value: fn(slope: f64) -> f64,
    /// The number as a formula.
    pub formula: &'static str,
    /// Where it comes from.
    pub source: &'static str,
}

/// The parameter of schemes whose gain is 1 where none is given.
pub(super) const GAIN_ONE: Parameter = Parameter {
    name: "gain",
    kind: Kind::Gain,
    default: Some("1"),
    help: "a number, or an activation (`fanin list gains`)",
};
/// What goes with it.
pub(super) const SLOPE: Parameter = Parameter {
    name: "slope",
    kind: Kind::Number,
    default: None,
    help: "the negative slope of gain=leaky-relu; 0.01 where it is not given",
};

/// The slope of a leaky rectifier when none is given, as in `PyTorch`.
pub const DEFAULT_SLOPE: f64 = 0.01;

const TORCH: &str = "torch.nn.init.calculate_gain";

/// Every named gain.
pub const GAINS: &[Gain] = &[
    Gain {
        name: "linear",
        aliases: &[
            "identity",
            "conv1d",
            "conv2d",
            "conv3d",
            "conv_transpose1d",
            "conv_transpose2d",
            "conv_transpose3d",
        ],
        value: |_| 1.0,
        formula: "1",
        source: TORCH,
    },
    Gain { name: "sigmoid", aliases: &[], value: |_| 1.0, formula: "1", source: TORCH },
    Gain { name: "tanh", aliases: &[], value: |_| 5.0 / 3.0, formula: "5/3", source: TORCH },
    Gain { name: "relu", aliases: &[], value: |_| 2f64.sqrt(), formula: "sqrt(2)", source: "He et al. 2015" },
    Gain {
        name: "leaky-relu",
        aliases: &[],
        value: |slope| (2.0 / (1.0 + slope * slope)).sqrt(),
        formula: "sqrt(2 / (1 + slope^2))",
        source: "He et al. 2015",
    },
    Gain { name: "selu", aliases: &[], value: |_| 0.75, formula: "3/4", source: TORCH },
];

impl Gain {
    /// The number for a slope of `slope`.
    pub fn number(&self, slope: f64) -> f64 {
        (self.value)(slope)
    }
}

/// The gain of that name. Errors with the nearest name.
pub fn find(name: &str) -> Result<&'static Gain> {
    let folded = fold(name);
    let found =
        GAINS.iter().find(|gain| fold(gain.name) == folded || gain.aliases.iter().any(|alias| fold(alias) == folded));
    found.with_context(|| {
        let names: Vec<&str> = GAINS.iter().map(|gain| gain.name).collect();
        format!(
            "gain is `{name}`: it takes a number or {}{}",
            names.join(", "),
            did_you_mean(name, names.iter().copied())
        )
    })
}

/// The number that a gain's canonical spelling stands for. Errors where a slope is given for another activation than the
/// leaky rectifier.
pub fn value(gain: &str, slope: Option<f64>) -> Result<f64> {
    if let Ok(number) = gain.parse() {
        ensure!(slope.is_none(), "slope goes with gain=leaky-relu only");
        return Ok(number);
    }
    let row = find(gain)?;
    match slope {
        Some(_) if row.name != "leaky-relu" => bail!("slope goes with gain=leaky-relu only"),
        _ => Ok(row.number(slope.unwrap_or(DEFAULT_SLOPE))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_torch() {
        for (name, slope, expected) in [
            ("linear", None, 1.0),
            ("sigmoid", None, 1.0),
            ("tanh", None, 1.666_666_666_666_666_7),
            ("relu", None, std::f64::consts::SQRT_2),
            ("leaky-relu", None, 1.414_142_856_997_835_4),
            ("leaky-relu", Some(10.0), 0.140_719_508_946_058_46),
            ("selu", None, 0.75),
            ("0.3", None, 0.3),
        ] {
            let number: f64 = value(name, slope).unwrap();
            assert!((number / expected - 1.0).abs() < 1e-15, "{name}: {number}");
        }
        assert!(value("relu", Some(0.1)).is_err());
        assert!(value("1.5", Some(0.1)).is_err());
    }
}
