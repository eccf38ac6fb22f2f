//! The standard deviation or bound of a scaled scheme from its scale and fan, in fanin's order of arithmetic or a framework's.

use anyhow::{Result, ensure};

use super::{Arguments, CORRECTED, FanDistribution, FanMode, Site, fan};
use crate::distribution::Distribution;
use crate::statistics::truncated_normal::truncated_moments;

/// An order of arithmetic. `scale` is a factor on the variance for frameworks that divide a variance by the fan. For others it is a gain, a
/// factor on the standard deviation.
pub(in crate::scheme) trait Arithmetic {
    /// The standard deviation.
    fn std(&self, scale: f64, fan: f64) -> f64 {
        scale * (1.0 / fan).sqrt()
    }

    /// The bound of the uniform distribution with that standard deviation.
    fn bound(&self, scale: f64, fan: f64) -> f64 {
        3f64.sqrt() * self.std(scale, fan)
    }

    /// The standard deviation of a normal that has `std` after truncation at 2 sigma.
    fn widened(&self, std: f64) -> f64 {
        std
    }
}

/// The distribution with mean 0 and variance scale / fan, by an order of arithmetic.
pub(in crate::scheme) fn scaled(
    scale: f64,
    fan: f64,
    distribution: FanDistribution,
    by: &impl Arithmetic,
) -> Distribution {
    match distribution {
        FanDistribution::Normal => Distribution::Normal { mean: 0.0, std: by.std(scale, fan) },
        FanDistribution::Uniform => {
            let bound = by.bound(scale, fan);
            Distribution::Uniform { low: -bound, high: bound }
        }
        FanDistribution::TruncatedNormal => {
            let std = by.widened(by.std(scale, fan));
            Distribution::TruncatedNormal { mean: 0.0, std, low: -2.0 * std, high: 2.0 * std }
        }
    }
}

/// fanin's own arithmetic.
struct Native {
    /// The factor of truncation at 2 sigma on the standard deviation; 1 if it is not corrected.
    left: f64,
}

impl Arithmetic for Native {
    fn bound(&self, gain: f64, fan: f64) -> f64 {
        gain * (3.0 / fan).sqrt()
    }

    fn widened(&self, std: f64) -> f64 {
        std / self.left
    }
}

/// The distribution of a row: mean 0 and variance gain^2 / fan.
pub(super) fn native(
    gain: f64,
    mode: FanMode,
    distribution: FanDistribution,
    arguments: &Arguments,
    site: &Site,
) -> Result<Distribution> {
    let fan = fan(mode, arguments, site)?;
    ensure!(gain > 0.0, "gain is {gain}: it must be above 0");
    let corrected = arguments.if_listed(&CORRECTED) != Some(false);
    let by = Native { left: if corrected { truncated_moments(-2.0, 2.0).1 } else { 1.0 } };
    ensure!(by.std(gain, fan) > 0.0, "gain is {gain:?}: too small, since gain / sqrt(fan) is 0");
    Ok(scaled(gain, fan, distribution, &by))
}
