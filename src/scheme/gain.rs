//! Gains, which compensate for an activation's effect on the scale of a signal.

use anyhow::{Context, Result, ensure};

use super::expression::fold;
use super::number::number;
use super::parameter::{Kind, Parameter, Value};
use crate::text::did_you_mean_or_list;

/// A named gain. A bare name `f` is the gain of the papers and `PyTorch` for activation f. `unit-f` is computed so that f(z) has mean
/// square 1: 1 / sqrt(E f(z)^2), z ~ N(0, 1). They differ for tanh, sigmoid and selu. If `PyTorch` has no gain for an activation, its bare
/// name is the computed one.
pub struct Gain {
    /// The name of the activation.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// The value; `slope` is the negative slope of a leaky rectifier.
    value: fn(slope: f64) -> f64,
    /// The value as a formula.
    pub formula: &'static str,
    /// The paper or program that defines it.
    pub source: &'static str,
}

/// The factor on the standard deviation.
pub(super) const GAIN: Parameter<GainArgument> =
    Parameter::new("gain", "a number, or an activation (`fanin list gains`)").default("1");
/// The negative slope, used only with the gain of a leaky rectifier.
pub(super) const SLOPE: Parameter<f64> =
    Parameter::new("slope", "the negative slope of gain=leaky-relu [default: 0.01]");

/// The default slope of a leaky rectifier, as in `PyTorch`.
pub const DEFAULT_SLOPE: f64 = 0.01;

const TORCH: &str = "torch.nn.init.calculate_gain";
const COMPUTED: &str = "computed: 1 / sqrt(E f(z)^2), z ~ N(0, 1)";

/// A computed gain; `formula` is the activation's.
const fn computed(
    name: &'static str,
    aliases: &'static [&'static str],
    value: fn(f64) -> f64,
    formula: &'static str,
) -> Gain {
    Gain { name, aliases, value, formula, source: COMPUTED }
}

/// Every named gain.
pub const GAINS: &[Gain] = &[
    Gain {
        name: "linear",
        aliases: &[
            "identity",
            "unit-linear",
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
    Gain {
        name: "relu",
        aliases: &["unit-relu"],
        value: |_| 2f64.sqrt(),
        formula: "sqrt(2)",
        source: "He et al. 2015",
    },
    Gain {
        name: "leaky-relu",
        aliases: &["unit-leaky-relu"],
        value: |slope| (2.0 / (1.0 + slope * slope)).sqrt(),
        formula: "sqrt(2 / (1 + slope^2))",
        source: "He et al. 2015",
    },
    Gain { name: "selu", aliases: &[], value: |_| 0.75, formula: "3/4", source: TORCH },
    computed("unit-elu", &["elu", "celu"], |_| 1.245_198_300_700_706_6, "f(z) = z if z > 0, else exp(z) - 1"),
    computed("unit-gelu", &["gelu"], |_| 1.533_530_441_195_535_3, "f(z) = z Phi(z)"),
    computed(
        "unit-gelu-tanh",
        &["gelu-tanh", "gelu-new"],
        |_| 1.533_580_521_666_147,
        "f(z) = z (1 + tanh(sqrt(2 / pi) (z + 0.044715 z^3))) / 2",
    ),
    computed("unit-hard-sigmoid", &["hard-sigmoid"], |_| 1.897_840_424_729_559, "f(z) = min(max(z / 6 + 1/2, 0), 1)"),
    computed(
        "unit-hard-swish",
        &["hard-swish", "hard-silu"],
        |_| 1.736_657_212_766_541_6,
        "f(z) = z min(max(z / 6 + 1/2, 0), 1)",
    ),
    computed("unit-hard-tanh", &["hard-tanh"], |_| 1.392_036_140_448_309_7, "f(z) = min(max(z, -1), 1)"),
    computed("unit-log-sigmoid", &["log-sigmoid"], |_| 1.041_866_835_535_301_8, "f(z) = -ln(1 + exp(-z))"),
    computed("unit-mish", &["mish"], |_| 1.486_847_581_273_208, "f(z) = z tanh(ln(1 + exp(z)))"),
    computed("unit-quick-gelu", &["quick-gelu"], |_| 1.539_458_762_298_831_4, "f(z) = z / (1 + exp(-1.702 z))"),
    computed("unit-relu6", &["relu6"], |_| 1.414_213_565_095_073_6, "f(z) = min(max(z, 0), 6)"),
    computed("unit-selu", &[], |_| 1.0, "f(z) = selu(z), whose constants make this gain 1"),
    computed("unit-sigmoid", &[], |_| 1.846_228_545_338_605_4, "f(z) = 1 / (1 + exp(-z))"),
    computed("unit-silu", &["silu", "swish"], |_| 1.676_532_470_331_091, "f(z) = z / (1 + exp(-z))"),
    computed("unit-sin", &["sin", "sine"], |_| 1.520_866_623_178_814_8, "f(z) = sin(z)"),
    computed("unit-softplus", &["softplus"], |_| 1.041_866_835_535_301_8, "f(z) = ln(1 + exp(z))"),
    computed("unit-softsign", &["softsign"], |_| 2.337_533_363_108_539_8, "f(z) = z / (1 + abs(z))"),
    computed("unit-squared-relu", &["squared-relu", "relu2"], |_| 0.816_496_580_927_726, "f(z) = max(z, 0)^2"),
    computed("unit-tanh", &[], |_| 1.592_537_419_722_831_5, "f(z) = tanh(z)"),
    computed("unit-tanh-shrink", &["tanh-shrink"], |_| 2.338_367_530_102_121_6, "f(z) = z - tanh(z)"),
];

impl Gain {
    /// The value for a slope.
    pub fn number(&self, slope: f64) -> f64 {
        (self.value)(slope)
    }
}

/// The gain of that name. An error names the nearest name.
pub fn find(name: &str) -> Result<&'static Gain> {
    let folded = fold(name);
    let found =
        GAINS.iter().find(|gain| fold(gain.name) == folded || gain.aliases.iter().any(|alias| fold(alias) == folded));
    found.with_context(|| {
        let known = GAINS.iter().flat_map(|gain| std::iter::once(gain.name).chain(gain.aliases.iter().copied()));
        format!("gain is `{name}`: it must be a number or an activation{}", did_you_mean_or_list(name, known, "gains"))
    })
}

/// A gain as an argument.
#[derive(Clone, Copy)]
pub enum GainArgument {
    /// A number.
    Number(f64),
    /// The gain of an activation.
    Named(&'static Gain),
}

impl GainArgument {
    pub(super) fn is_leaky_relu(self) -> bool {
        matches!(self, Self::Named(gain) if gain.name == "leaky-relu")
    }

    /// The value, for a slope if one is given. Errors if a slope is given with any gain except the leaky rectifier's.
    pub(super) fn number(self, slope: Option<f64>) -> Result<f64> {
        ensure!(slope.is_none() || self.is_leaky_relu(), "slope is only for gain=leaky-relu");
        Ok(match self {
            Self::Number(number) => number,
            Self::Named(gain) => gain.number(slope.unwrap_or(DEFAULT_SLOPE)),
        })
    }
}

impl Value for GainArgument {
    const KIND: Kind = Kind::Gain;
    const EXAMPLE: &'static str = "relu";

    /// Parses a number or a name, which may be in a call of torch: `nn.init.calculate_gain('relu')`.
    fn parse(_: &str, text: &str) -> Result<Self> {
        let called = text.split_once("calculate_gain(").and_then(|(_, rest)| rest.strip_suffix(')'));
        let text = called.map_or(text, |name| name.trim_matches(['\'', '"', ' ']));
        number(text).map_or_else(|| find(text).map(Self::Named), |number| Ok(Self::Number(number)))
    }

    fn spelling(&self) -> String {
        match self {
            Self::Number(number) => number.spelling(),
            Self::Named(gain) => gain.name.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(gain: &str, slope: Option<f64>) -> Result<f64> {
        GainArgument::parse("gain", gain)?.number(slope)
    }

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
            ("nn.init.calculate_gain('tanh')", None, 1.666_666_666_666_666_7),
        ] {
            let number: f64 = value(name, slope).unwrap();
            assert!((number / expected - 1.0).abs() < 1e-15, "{name}: {number}");
        }
        assert!(value("relu", Some(0.1)).is_err());
        assert!(value("unit-gelu", Some(0.1)).is_err());
        assert!(value("1.5", Some(0.1)).is_err());
    }

    fn softplus(z: f64) -> f64 {
        z.max(0.0) + (-z.abs()).exp().ln_1p()
    }

    fn sigmoid(z: f64) -> f64 {
        1.0 / (1.0 + (-z).exp())
    }

    /// An activation, and the points at which its derivative jumps.
    fn activation(name: &str) -> (fn(f64) -> f64, &'static [f64]) {
        match name {
            "unit-linear" => (|z| z, &[]),
            "unit-relu" => (|z| z.max(0.0), &[0.0]),
            "unit-elu" => (|z| if z > 0.0 { z } else { z.exp_m1() }, &[0.0]),
            "unit-gelu" => (|z| z * 0.5 * libm::erfc(-z / 2f64.sqrt()), &[]),
            "unit-gelu-tanh" => (
                |z| {
                    let inner = (2.0 / std::f64::consts::PI).sqrt() * (z + 0.044_715 * z * z * z);
                    0.5 * z * (1.0 + inner.tanh())
                },
                &[],
            ),
            "unit-hard-sigmoid" => (|z| (z / 6.0 + 0.5).clamp(0.0, 1.0), &[-3.0, 3.0]),
            "unit-hard-swish" => (|z| z * (z / 6.0 + 0.5).clamp(0.0, 1.0), &[-3.0, 3.0]),
            "unit-hard-tanh" => (|z| z.clamp(-1.0, 1.0), &[-1.0, 1.0]),
            "unit-log-sigmoid" => (|z| -softplus(-z), &[]),
            "unit-mish" => (|z| z * softplus(z).tanh(), &[]),
            "unit-quick-gelu" => (|z| z * sigmoid(1.702 * z), &[]),
            "unit-relu6" => (|z| z.clamp(0.0, 6.0), &[0.0, 6.0]),
            "unit-selu" => (
                |z| {
                    let (scale, alpha) = (1.050_700_987_355_480_5, 1.673_263_242_354_377_2);
                    scale * if z > 0.0 { z } else { alpha * z.exp_m1() }
                },
                &[0.0],
            ),
            "unit-sigmoid" => (sigmoid, &[]),
            "unit-silu" => (|z| z * sigmoid(z), &[]),
            "unit-sin" => (f64::sin, &[]),
            "unit-softplus" => (softplus, &[]),
            "unit-softsign" => (|z| z / (1.0 + z.abs()), &[0.0]),
            "unit-squared-relu" => (|z| z.max(0.0) * z.max(0.0), &[0.0]),
            "unit-tanh" => (f64::tanh, &[]),
            "unit-tanh-shrink" => (|z| z - z.tanh(), &[]),
            other => panic!("{other} has no activation here"),
        }
    }

    /// E f(z)^2, z ~ N(0, 1), by Gauss-Legendre quadrature in short steps between the jumps.
    fn mean_square(f: impl Fn(f64) -> f64, jumps: &[f64]) -> f64 {
        const RULE: [(f64, f64); 3] =
            [(0.0, 8.0 / 9.0), (-0.774_596_669_241_483_4, 5.0 / 9.0), (0.774_596_669_241_483_4, 5.0 / 9.0)];
        let steps = 1 << 12;
        let ends = [&[-40.0], jumps, &[40.0]].concat();
        let part = |from: f64, to: f64| {
            let half = (to - from) / f64::from(steps) / 2.0;
            let step = |n: i32| from + half * f64::from(2 * n + 1);
            let terms = (0..steps).flat_map(|n| RULE.map(|(at, weight)| (step(n) + half * at, half * weight)));
            terms.map(|(z, weight)| weight * f(z) * f(z) * crate::statistics::normal::density(z)).sum::<f64>()
        };
        ends.windows(2).map(|ends| part(ends[0], ends[1])).sum()
    }

    #[test]
    fn computed_gains_bring_the_mean_square_of_their_activation_back_to_1() {
        let names = GAINS.iter().flat_map(|gain| std::iter::once(&gain.name).chain(gain.aliases));
        let computed: Vec<&str> =
            names.copied().filter(|name| name.starts_with("unit-") && !name.contains("leaky")).collect();
        assert_eq!(computed.len(), 21);
        for name in computed {
            let (f, jumps) = activation(name);
            let (expected, number) =
                (1.0 / mean_square(f, jumps).sqrt(), value(find(name).unwrap().name, None).unwrap());
            assert!((number / expected - 1.0).abs() < 4e-15, "{name}: {number} is not {expected}");
            assert!((number * 1.000_000_1 / expected - 1.0).abs() > 4e-15, "an error is found");
        }
        for slope in [0.01, 0.2, 1.0] {
            let leaky = |z: f64| if z > 0.0 { z } else { slope * z };
            let (expected, number) =
                (1.0 / mean_square(leaky, &[0.0]).sqrt(), value("unit-leaky-relu", Some(slope)).unwrap());
            assert!((number / expected - 1.0).abs() < 4e-15, "{slope}: {number} is not {expected}");
        }
    }

    #[test]
    fn a_bare_name_is_that_of_torch_where_torch_has_it_and_computed_where_not() {
        for (name, found) in [("tanh", "tanh"), ("sigmoid", "sigmoid"), ("selu", "selu"), ("GELU", "unit-gelu")] {
            assert_eq!(find(name).unwrap().name, found);
        }
        let mut words: Vec<String> = GAINS
            .iter()
            .flat_map(|gain| std::iter::once(&gain.name).chain(gain.aliases))
            .map(|word| fold(word))
            .collect();
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count, "a word stands for two gains");
    }
}
