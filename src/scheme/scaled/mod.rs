//! Schemes with a variance of scale over fan, in our arithmetic and in the frameworks'.

use anyhow::{Result, ensure};

use super::common;
use super::gain::{GAIN, GainArgument, SLOPE};
use super::normal_uniform::between;
use super::{Arguments, EMPTY, Parameter, Requires, Scheme, Site, choice, example};
use crate::distribution::Distribution;
use crate::tensor::to_f64;

mod arithmetic;
mod classic;
mod depth;
mod framework_rules;

use arithmetic::native;
pub(super) use arithmetic::{Arithmetic, scaled};
pub(super) use classic::ROWS;
pub(super) use depth::ROWS as DEPTH;
pub(super) use framework_rules::{CLEARED, ROWS as FRAMEWORK_RULES};

choice! {
    /// The fan that divides a variance, in the literature's words.
    #[expect(clippy::enum_variant_names, reason = "the words of the literature")]
    pub(super) enum FanMode {
        /// `fan_in`
        FanIn = "fan-in",
        /// `fan_out`
        FanOut = "fan-out",
        /// `fan_avg`: (`fan_in` + `fan_out`) / 2
        FanAvg = "fan-avg",
        /// `fan_geo_avg`: sqrt(`fan_in` `fan_out`)
        FanGeoAvg = "fan-geo-avg",
    }
}

impl FanMode {
    /// The fan of a weight. Errors if a required fan is unknown.
    pub(super) fn fan(self, fan_in: Result<f64>, fan_out: Result<f64>) -> Result<f64> {
        match self {
            Self::FanIn => fan_in,
            Self::FanOut => fan_out,
            Self::FanAvg => Ok(f64::midpoint(fan_in?, fan_out?)),
            Self::FanGeoAvg => Ok((fan_in? * fan_out?).sqrt()),
        }
    }
}

choice! {
    /// The distribution of a scaled scheme.
    pub(super) enum FanDistribution { Normal = "normal", Uniform = "uniform", TruncatedNormal = "truncated-normal" }
}

const GAIN_RELU: Parameter<GainArgument> = GAIN.default("relu");
pub(super) const MODE: Parameter<FanMode> =
    Parameter::new("mode", "the fan: fan_in, fan_out, (fan_in+fan_out)/2 or sqrt(fan_in fan_out)").default("fan-in");
pub(super) const DISTRIBUTION: Parameter<FanDistribution> =
    Parameter::new("distribution", "truncated-normal is cut at 2 sigma and widened to keep the requested std")
        .default("normal");
const UNIFORM: Parameter<FanDistribution> = DISTRIBUTION.default("uniform");
const TRUNCATED: Parameter<FanDistribution> = DISTRIBUTION.default("truncated-normal");
const SCALE: Parameter<f64> = common::SCALE.default("1").help("the factor on the variance, above 0");
pub(super) const CORRECTED: Parameter<bool> = Parameter::new(
    "corrected",
    "if false, a truncated-normal is not widened, and its std is 0.88 of the requested one",
);
pub(super) const POOL: Parameter<u64> = Parameter::new(
    "pool",
    "the number of positions pooled into one after the layer; fan_out is divided by it and rounded down",
);

const ANY_WITH_FANS: &str = "two or more axes; any with --fan-in and --fan-out";
const LECUN: &str = "LeCun, Bottou, Orr and Müller 1998, Efficient BackProp";
const GLOROT: &str =
    "Glorot and Bengio 2010, Understanding the difficulty of training deep feedforward neural networks (for tanh)";
const HE: &str = "He, Zhang, Ren and Sun 2015, Delving deep into rectifiers";

/// The defaults of the rows.
const BASE: Scheme = Scheme { ranks: ANY_WITH_FANS, requires: Requires::Fans, ..EMPTY };

/// The fan of a mode, counting outputs after pooling. An empty weight has a fan of 0 and no elements to scale.
fn fan(mode: FanMode, arguments: &Arguments, site: &Site) -> Result<f64> {
    let pool = arguments.if_listed(&POOL).unwrap_or(1);
    ensure!(pool > 0, "pool is 0: it must be 1 or more");
    Ok(mode.fan(site.fan_in().map(to_f64), site.fan_out().map(|fan| to_f64(fan / pool)))?.max(1.0))
}

/// A count as a divisor; 1 if it is 0, for an empty weight.
fn divisor(count: u64) -> f64 {
    to_f64(count.max(1))
}

#[cfg(test)]
mod tests {
    use super::super::resolve;
    use super::*;
    use crate::tensor::{Fans, Layout, Shape};

    fn distribution(expression: &str, shape: &str, layout: &str) -> Distribution {
        let (shape, layout): (Shape, Layout) = (shape.parse().unwrap(), layout.parse().unwrap());
        resolve(expression).unwrap().distribution(&Site::new(&shape, &layout, Fans::default()), None).unwrap().0
    }

    fn std(expression: &str) -> f64 {
        distribution(expression, "300x200", "io").std().unwrap()
    }

    fn bound(expression: &str) -> f64 {
        distribution(expression, "300x200", "io").bounds().unwrap().1
    }

    #[track_caller]
    fn near(value: f64, expected: f64) {
        assert!((value / expected - 1.0).abs() < 1e-15, "{value} is not {expected}");
    }

    #[test]
    fn each_row_has_the_scale_of_its_formula() {
        near(std("lecun-normal"), 1.0 / 300f64.sqrt());
        near(bound("lecun-uniform"), (3.0 / 300f64).sqrt());
        near(std("glorot-normal"), (2.0 / 500f64).sqrt());
        near(bound("glorot-uniform"), (6.0 / 500f64).sqrt());
        near(bound("glorot-uniform:gain=tanh"), 5.0 / 3.0 * (6.0 / 500f64).sqrt());
        near(bound("sigmoid-uniform"), 4.0 * (6.0 / 500f64).sqrt());
        near(std("he-normal"), (2.0 / 300f64).sqrt());
        near(std("he-normal:mode=fan-out"), (2.0 / 200f64).sqrt());
        near(std("he-normal:mode=fan-avg"), (2.0 / 250f64).sqrt());
        near(std("he-normal:mode=fan-geo-avg"), (2.0 / 60_000f64.sqrt()).sqrt());
        near(std("he-normal:gain=leaky-relu,slope=0.2"), (2.0 / 1.04 / 300f64).sqrt());
        near(bound("he-uniform"), (6.0 / 300f64).sqrt());
        near(std("he:distribution=uniform"), (2.0 / 300f64).sqrt());
        near(bound("mlx.LSTM"), 1.0 / 50f64.sqrt());
        near(bound("theano.LeNetConvPoolLayer"), (6.0 / 350f64).sqrt());
        near(std("mxnet.MSRAPrelu"), (2.0 / 1.0625 / 250f64).sqrt());
        near(std("tfjs.heNormal"), (2.0 / 300f64).sqrt() * 0.879_625_661_034_239_8);
        near(bound("dl4j.VAR_SCALING_UNIFORM_FAN_AVG"), 3.0 / 250f64.sqrt());
        near(std("variance-scaling:scale=2"), (2.0 / 300f64).sqrt());
        near(std("variance-scaling:scale=2,distribution=uniform,mode=fan-avg"), (2.0 / 250f64).sqrt());
    }

    #[test]
    fn twice_the_gain_is_exactly_twice_the_scale() {
        for name in ["glorot-normal", "glorot-uniform", "he-normal", "he-uniform"] {
            let [one, two] = [1, 2].map(|gain| std(&format!("{name}:gain={gain}")));
            assert_eq!(two, 2.0 * one, "{name}");
        }
    }

    #[test]
    fn an_empty_weight_has_a_scale_all_the_same() {
        assert!(distribution("he-normal", "0x5", "io").std().unwrap().is_finite());
    }
}
