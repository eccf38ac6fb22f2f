//! Schemes whose scale follows from the fans: all rows of one law, variance = gain^2 / fan.

use anyhow::Result;

use super::gain::{GAIN_ONE, SLOPE};
use super::plain::between;
use super::{Arguments, Kind, Parameter, Reads, Scheme, Site, Spelling, example, spelling};
use crate::gaussian;
use crate::law::{Law, as_float};

const GAIN_RELU: Parameter = Parameter { default: Some("relu"), ..GAIN_ONE };
const MODE: Parameter = Parameter {
    name: "mode",
    kind: Kind::Choice(&["fan-in", "fan-out", "fan-avg", "fan-geo-avg"]),
    default: Some("fan-in"),
    help: "the fan: of inputs, of outputs, (fan_in+fan_out)/2, or sqrt(fan_in fan_out)",
};
const DISTRIBUTION: Parameter = Parameter {
    name: "distribution",
    kind: Kind::Choice(&["normal", "uniform", "truncated-normal"]),
    default: Some("normal"),
    help: "truncated-normal is cut at 2 sigma and widened so that the std after cutting is the one asked for",
};
const UNIFORM: Parameter = Parameter { default: Some("uniform"), ..DISTRIBUTION };
const TRUNCATED: Parameter = Parameter { default: Some("truncated-normal"), ..DISTRIBUTION };
const SCALE: Parameter =
    Parameter { name: "scale", kind: Kind::Number, default: Some("1"), help: "the factor on the variance, above 0" };

const ANY_WITH_FANS: &str = "two or more axes; any with --fan-in and --fan-out";
const LECUN: &str = "LeCun, Bottou, Orr and Müller 1998, Efficient BackProp";
const GLOROT: &str =
    "Glorot and Bengio 2010, Understanding the difficulty of training deep feedforward neural networks (for tanh)";
const HE: &str = "He, Zhang, Ren and Sun 2015, Delving deep into rectifiers";

/// A scaled row: what is not said is said by the table.
const fn row(
    name: &'static str,
    summary: &'static str,
    formula: &'static str,
    source: &'static str,
    parameters: &'static [Parameter],
    spellings: &'static [Spelling],
    law: fn(&mut Arguments, &Site) -> Result<Law>,
) -> Scheme {
    let (bare, aliases, reads, example): (_, &[&str], _, _) = (None, &[], Reads::Fans, example(name));
    Scheme {
        name,
        summary,
        formula,
        source,
        ranks: ANY_WITH_FANS,
        parameters,
        bare,
        aliases,
        spellings,
        reads,
        example,
        law,
    }
}

pub(super) const ROWS: &[Scheme] = &[
    row(
        "lecun-normal",
        "normal, variance 1/fan_in",
        "w ~ N(0, std^2), std = 1 / sqrt(fan_in)",
        LECUN,
        &[],
        &[
            spelling("keras", "LecunNormal", "variance-scaling:scale=1,mode=fan-in,distribution=truncated-normal"),
            spelling("jax", "lecun_normal", "variance-scaling:scale=1,mode=fan-in,distribution=truncated-normal"),
            spelling("timm", "lecun_normal_", "variance-scaling:scale=1,mode=fan-in,distribution=truncated-normal"),
            spelling("chainer", "LeCunNormal", "lecun-normal"),
        ],
        |_, site| scaled(Distribution::Normal, 1.0, site.fan_in()?.into_fan()),
    ),
    row(
        "lecun-uniform",
        "uniform, variance 1/fan_in",
        "w ~ U(-bound, bound), bound = sqrt(3 / fan_in)",
        LECUN,
        &[],
        &[
            spelling("keras", "LecunUniform", "lecun-uniform"),
            spelling("jax", "lecun_uniform", "lecun-uniform"),
            spelling("chainer", "LeCunUniform", "lecun-uniform"),
        ],
        |_, site| scaled(Distribution::Uniform, 1.0, site.fan_in()?.into_fan()),
    ),
    row(
        "lecun",
        "lecun-normal or lecun-uniform, by its distribution",
        "variance 1 / fan_in",
        LECUN,
        &[DISTRIBUTION],
        &[],
        |arguments, site| scaled(Distribution::of(arguments), 1.0, site.fan_in()?.into_fan()),
    ),
    row(
        "glorot-normal",
        "normal, variance 2/(fan_in+fan_out)",
        "w ~ N(0, std^2), std = gain sqrt(2 / (fan_in + fan_out))",
        GLOROT,
        &[GAIN_ONE, SLOPE],
        &[
            spelling("torch", "xavier_normal_", "glorot-normal"),
            spelling("keras", "GlorotNormal", "variance-scaling:scale=1,mode=fan-avg,distribution=truncated-normal"),
            spelling("jax", "glorot_normal", "variance-scaling:scale=1,mode=fan-avg,distribution=truncated-normal"),
            spelling("jax", "xavier_normal", "variance-scaling:scale=1,mode=fan-avg,distribution=truncated-normal"),
            spelling("lasagne", "GlorotNormal", "glorot-normal"),
            spelling("chainer", "GlorotNormal", "glorot-normal"),
            spelling("flux", "glorot_normal", "glorot-normal"),
            spelling("mlx", "glorot_normal", "glorot-normal"),
            spelling("burn", "XavierNormal", "glorot-normal"),
        ],
        |arguments, site| scaled(Distribution::Normal, arguments.gain()?, average(site)?),
    ),
    row(
        "glorot-uniform",
        "uniform, variance 2/(fan_in+fan_out)",
        "w ~ U(-bound, bound), bound = gain sqrt(6 / (fan_in + fan_out))",
        GLOROT,
        &[GAIN_ONE, SLOPE],
        &[
            spelling("torch", "xavier_uniform_", "glorot-uniform"),
            spelling("keras", "GlorotUniform", "glorot-uniform"),
            spelling("jax", "glorot_uniform", "glorot-uniform"),
            spelling("jax", "xavier_uniform", "glorot-uniform"),
            spelling("lasagne", "GlorotUniform", "glorot-uniform"),
            spelling("chainer", "GlorotUniform", "glorot-uniform"),
            spelling("flux", "glorot_uniform", "glorot-uniform"),
            spelling("mlx", "glorot_uniform", "glorot-uniform"),
            spelling("burn", "XavierUniform", "glorot-uniform"),
            spelling("mxnet", "Xavier", "glorot-uniform"),
            spelling("caffe", "xavier", "lecun-uniform"),
        ],
        |arguments, site| scaled(Distribution::Uniform, arguments.gain()?, average(site)?),
    ),
    row(
        "glorot",
        "glorot-uniform or glorot-normal, by its distribution",
        "variance gain^2 2 / (fan_in + fan_out)",
        "Lasagne Glorot; Glorot and Bengio 2010",
        &[GAIN_ONE, SLOPE, UNIFORM],
        &[spelling("lasagne", "Glorot", "glorot")],
        |arguments, site| scaled(Distribution::of(arguments), arguments.gain()?, average(site)?),
    ),
    row(
        "sigmoid-uniform",
        "uniform, four times the bound of glorot-uniform: for sigmoid units",
        "w ~ U(-bound, bound), bound = 4 sqrt(6 / (fan_in + fan_out))",
        "the Deep Learning Tutorials (Theano), HiddenLayer; Glorot and Bengio 2010",
        &[],
        &[spelling("dl4j", "SIGMOID_UNIFORM", "sigmoid-uniform")],
        |_, site| scaled(Distribution::Uniform, 4.0, average(site)?),
    ),
    row(
        "he-normal",
        "normal, variance gain^2/fan: for rectifiers",
        "w ~ N(0, std^2), std = gain / sqrt(fan)",
        HE,
        &[GAIN_RELU, SLOPE, MODE],
        &[
            spelling("torch", "kaiming_normal_", "he-normal"),
            spelling("keras", "HeNormal", "variance-scaling:scale=2,mode=fan-in,distribution=truncated-normal"),
            spelling("jax", "he_normal", "variance-scaling:scale=2,mode=fan-in,distribution=truncated-normal"),
            spelling("jax", "kaiming_normal", "variance-scaling:scale=2,mode=fan-in,distribution=truncated-normal"),
            spelling("lasagne", "HeNormal", "he-normal:gain=1"),
            spelling("mlx", "he_normal", "he-normal:gain=1"),
            spelling("chainer", "HeNormal", "he-normal"),
            spelling("flux", "kaiming_normal", "he-normal"),
            spelling("burn", "KaimingNormal", "he-normal:gain=1"),
            spelling("caffe", "msra", "he-normal"),
        ],
        |arguments, site| scaled(Distribution::Normal, arguments.gain()?, fan(arguments, site)?),
    ),
    row(
        "he-uniform",
        "uniform, variance gain^2/fan: for rectifiers",
        "w ~ U(-bound, bound), bound = gain sqrt(3 / fan)",
        HE,
        &[GAIN_RELU, SLOPE, MODE],
        &[
            spelling("torch", "kaiming_uniform_", "he-uniform"),
            spelling("keras", "HeUniform", "he-uniform"),
            spelling("jax", "he_uniform", "he-uniform"),
            spelling("jax", "kaiming_uniform", "he-uniform"),
            spelling("lasagne", "HeUniform", "he-uniform:gain=1"),
            spelling("mlx", "he_uniform", "he-uniform:gain=1"),
            spelling("chainer", "HeUniform", "he-uniform"),
            spelling("flux", "kaiming_uniform", "he-uniform"),
            spelling("burn", "KaimingUniform", "he-uniform:gain=1"),
        ],
        |arguments, site| scaled(Distribution::Uniform, arguments.gain()?, fan(arguments, site)?),
    ),
    row(
        "he",
        "he-normal or he-uniform, by its distribution",
        "variance gain^2 / fan",
        "Lasagne He; He et al. 2015",
        &[GAIN_RELU, SLOPE, MODE, DISTRIBUTION],
        &[spelling("lasagne", "He", "he:gain=1")],
        |arguments, site| scaled(Distribution::of(arguments), arguments.gain()?, fan(arguments, site)?),
    ),
    row(
        "variance-scaling",
        "the general law: any scale, fan and distribution",
        "variance scale / fan; normal: std = sqrt(scale / fan); uniform: bound = sqrt(3 scale / fan); truncated-normal: cut at 2 sigma, then the same std",
        "Keras VarianceScaling; jax.nn.initializers.variance_scaling",
        &[SCALE, MODE, TRUNCATED],
        &[
            spelling("keras", "VarianceScaling", "variance-scaling"),
            spelling("jax", "variance_scaling", "variance-scaling"),
            spelling("haiku", "VarianceScaling", "variance-scaling"),
            spelling("timm", "variance_scaling_", "variance-scaling:distribution=normal"),
        ],
        |arguments, site| {
            scaled(Distribution::of(arguments), arguments.positive("scale")?.sqrt(), fan(arguments, site)?)
        },
    ),
];

#[derive(Clone, Copy)]
enum Distribution {
    Normal,
    Uniform,
    TruncatedNormal,
}

impl Distribution {
    fn of(arguments: &Arguments) -> Self {
        match arguments.word("distribution") {
            Some("uniform") => Self::Uniform,
            Some("truncated-normal") => Self::TruncatedNormal,
            _ => Self::Normal,
        }
    }
}

/// The law of mean 0 and variance gain^2 / fan.
fn scaled(distribution: Distribution, gain: f64, fan: f64) -> Result<Law> {
    anyhow::ensure!(gain > 0.0, "gain is {gain}: it must be above 0");
    let std = gain * (1.0 / fan).sqrt();
    match distribution {
        Distribution::Normal => Ok(Law::Normal { mean: 0.0, std }),
        Distribution::Uniform => {
            let bound = gain * (3.0 / fan).sqrt();
            between(-bound, bound)
        }
        Distribution::TruncatedNormal => {
            let std = std / gaussian::truncated_moments(-2.0, 2.0).map_or(1.0, |(_, kept)| kept);
            Ok(Law::TruncatedNormal { mean: 0.0, std, low: -2.0 * std, high: 2.0 * std })
        }
    }
}

/// The fan that `mode` names.
fn fan(arguments: &Arguments, site: &Site) -> Result<f64> {
    match arguments.word("mode") {
        Some("fan-out") => Ok(site.fan_out()?.into_fan()),
        Some("fan-avg") => average(site),
        Some("fan-geo-avg") => Ok((as_float(site.fan_in()?) * as_float(site.fan_out()?)).sqrt().max(1.0)),
        _ => Ok(site.fan_in()?.into_fan()),
    }
}

/// Half of `fan_in + fan_out`.
fn average(site: &Site) -> Result<f64> {
    Ok(f64::midpoint(as_float(site.fan_in()?), as_float(site.fan_out()?)).max(1.0))
}

/// A count of units as a divisor. An empty weight has a fan of 0 and no element that the scale could matter to.
trait IntoFan {
    fn into_fan(self) -> f64;
}

impl IntoFan for u64 {
    fn into_fan(self) -> f64 {
        as_float(self.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::super::resolve;
    use super::*;
    use crate::plan::{Fans, Layout, Shape};

    fn law(expression: &str, shape: &str, layout: &str) -> Law {
        let (shape, layout): (Shape, Layout) = (shape.parse().unwrap(), layout.parse().unwrap());
        resolve(expression).unwrap().law(&Site::new(&shape, &layout, Fans::default())).unwrap().0
    }

    fn std(expression: &str) -> f64 {
        law(expression, "300x200", "io").std().unwrap()
    }

    fn bound(expression: &str) -> f64 {
        law(expression, "300x200", "io").bounds().unwrap().1
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
        assert!(law("he-normal", "0x5", "io").std().unwrap().is_finite());
    }
}
