//! The schemes of `LeCun`, Glorot and He, and the general one.

use anyhow::{Result, ensure};

use super::FanDistribution::{self, Normal, TruncatedNormal, Uniform};
use super::FanMode::{FanAvg, FanIn};
use super::{
    Arguments, BASE, CORRECTED, DISTRIBUTION, GAIN, GAIN_RELU, GLOROT, HE, LECUN, MODE, POOL, SCALE, SLOPE, Scheme,
    TRUNCATED, UNIFORM, example, native,
};

/// Rows of (name, gain, fan mode, distribution, source), then the parameters, the summary, the formula and other names. The variance is
/// gain^2 / fan.
macro_rules! table {
    ($arguments:ident: $(
        $name:literal, $gain:expr, $mode:expr, $distribution:expr, $source:expr;
        [$($parameter:expr),*] $summary:literal $formula:literal $(also $alias:literal)*
    )*) => {
        &[$(Scheme {
            name: $name,
            summary: $summary,
            formula: $formula,
            source: $source,
            parameters: &[$(&$parameter),*],
            aliases: &[$($alias),*],
            example: example($name),
            distribution: |$arguments, site| native($gain, $mode, $distribution, $arguments, site),
            ..BASE
        }),*]
    };
}

pub(in crate::scheme) const ROWS: &[Scheme] = table! { arguments:
    "lecun-normal", 1.0, FanIn, Normal, LECUN; []
        "normal, variance 1/fan_in"
        "w ~ N(0, std^2), std = 1 / sqrt(fan_in)"
    "lecun-uniform", 1.0, FanIn, Uniform, LECUN; []
        "uniform, variance 1/fan_in"
        "w ~ U(-bound, bound), bound = sqrt(3 / fan_in)"
    "lecun", 1.0, FanIn, arguments.value(&DISTRIBUTION)?, LECUN; [DISTRIBUTION]
        "one of lecun-normal and lecun-uniform, selected by distribution"
        "variance 1 / fan_in"
    "glorot-normal", arguments.gain()?, FanAvg, Normal, GLOROT; [GAIN, SLOPE, POOL]
        "normal, variance 2/(fan_in+fan_out)"
        "w ~ N(0, std^2), std = gain sqrt(2 / (fan_in + fan_out))"
    "glorot-uniform", arguments.gain()?, FanAvg, Uniform, GLOROT; [GAIN, SLOPE, POOL]
        "uniform, variance 2/(fan_in+fan_out)"
        "w ~ U(-bound, bound), bound = gain sqrt(6 / (fan_in + fan_out))"
        also "normalized-initialization"
    "glorot", arguments.gain()?, FanAvg, arguments.value(&UNIFORM)?, "Lasagne Glorot; Glorot and Bengio 2010";
        [GAIN, SLOPE, UNIFORM, POOL]
        "one of glorot-uniform and glorot-normal, selected by distribution"
        "variance gain^2 2 / (fan_in + fan_out)"
    "sigmoid-uniform", 4.0, FanAvg, Uniform, "the Deep Learning Tutorials (Theano), HiddenLayer; Glorot and Bengio 2010"; []
        "uniform, four times the bound of glorot-uniform: for sigmoid units"
        "w ~ U(-bound, bound), bound = 4 sqrt(6 / (fan_in + fan_out))"
    "he-normal", arguments.gain()?, arguments.value(&MODE)?, Normal, HE; [GAIN_RELU, SLOPE, MODE]
        "normal, variance gain^2/fan: for rectifiers"
        "w ~ N(0, std^2), std = gain / sqrt(fan)"
    "he-uniform", arguments.gain()?, arguments.value(&MODE)?, Uniform, HE; [GAIN_RELU, SLOPE, MODE]
        "uniform, variance gain^2/fan: for rectifiers"
        "w ~ U(-bound, bound), bound = gain sqrt(3 / fan)"
    "he", arguments.gain()?, arguments.value(&MODE)?, arguments.value(&DISTRIBUTION)?, "Lasagne He; He et al. 2015";
        [GAIN_RELU, SLOPE, MODE, DISTRIBUTION]
        "one of he-normal and he-uniform, selected by distribution"
        "variance gain^2 / fan"
    "variance-scaling", arguments.positive(&SCALE)?.sqrt(), arguments.value(&MODE)?, widened_or_not(arguments)?,
        "Keras VarianceScaling; jax.nn.initializers.variance_scaling"; [SCALE, MODE, TRUNCATED, CORRECTED]
        "the general scheme: any scale, fan and distribution"
        "variance scale / fan; normal: std = sqrt(scale / fan); uniform: bound = sqrt(3 scale / fan); truncated-normal: cut at 2 sigma, then the same std"
};

/// The distribution. Errors if `corrected` is given with an untruncated one.
fn widened_or_not(arguments: &Arguments) -> Result<FanDistribution> {
    let distribution = arguments.value(&TRUNCATED)?;
    let corrected = distribution == TruncatedNormal || !arguments.given(&CORRECTED);
    ensure!(corrected, "corrected needs distribution=truncated-normal");
    Ok(distribution)
}
