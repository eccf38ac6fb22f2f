//! Tails and kurtosis of distributions.

use crate::distribution::Distribution;
use crate::statistics::marginal::Cdf;
use crate::statistics::normal;

/// The probabilities of a value below x and above x, each with a small relative error.
pub(super) struct Tails {
    pub(super) below: Cdf,
    pub(super) above: Cdf,
}

/// The tails of one element before rounding; `None` if there is no formula.
pub(super) fn tails(distribution: &Distribution) -> Option<Tails> {
    let (below, above): (Cdf, Cdf) = match *distribution {
        Distribution::Normal { mean, std } if std > 0.0 => {
            (Box::new(move |x| normal::lower((x - mean) / std)), Box::new(move |x| normal::upper((x - mean) / std)))
        }
        Distribution::Uniform { low, high } => {
            let share = move |x: f64| (x / (high / 2.0 - low / 2.0)).clamp(0.0, 1.0);
            (Box::new(move |x| share(x / 2.0 - low / 2.0)), Box::new(move |x| share(high / 2.0 - x / 2.0)))
        }
        Distribution::TruncatedNormal { mean, std, low, high } => {
            let z = move |x: f64| (x.clamp(low, high) - mean) / std;
            let mass = normal::between(z(low), z(high));
            if mass <= 0.0 {
                return None;
            }
            (
                Box::new(move |x| (normal::between(z(low), z(x)) / mass).clamp(0.0, 1.0)),
                Box::new(move |x| (normal::between(z(x), z(high)) / mass).clamp(0.0, 1.0)),
            )
        }
        _ => return None,
    };
    Some(Tails { below, above })
}

/// The fourth central moment of a distribution divided by its squared variance; `None` if there is no formula.
pub(super) fn kurtosis(distribution: &Distribution) -> Option<f64> {
    match *distribution {
        Distribution::Normal { .. } => Some(3.0),
        Distribution::Uniform { .. } => Some(1.8),
        Distribution::TruncatedNormal { mean, std, low, high } => {
            let reach = |z: f64| z.clamp(-40.0, 40.0);
            let (a, b) = (reach((low - mean) / std), reach((high - mean) / std));
            let mode = 0f64.clamp(a, b);
            let (a, b) = (a.max(mode - 12.0), b.min(mode + 12.0));
            // Simpson's rule.
            let integral = |f: &dyn Fn(f64) -> f64| {
                let step = (b - a) / f64::from(STEPS);
                let inner = (1..STEPS).map(|n| f(a + step * f64::from(n)) * if n % 2 == 0 { 2.0 } else { 4.0 });
                (f(a) + inner.sum::<f64>() + f(b)) * step / 3.0
            };
            let weight = |z: f64| libm::exp((mode * mode - z * z) / 2.0);
            let mass = integral(&weight);
            let middle = integral(&|z| z * weight(z)) / mass;
            let central = |power| integral(&|z: f64| (z - middle).powi(power) * weight(z)) / mass;
            Some(central(4) / central(2).powi(2)).filter(|kurtosis| kurtosis.is_finite())
        }
        _ => None,
    }
}

/// The number of intervals of an integral.
const STEPS: i32 = 2000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kurtoses_are_those_of_the_textbook() {
        let open = Distribution::TruncatedNormal { mean: 5.0, std: 2.0, low: f64::NEG_INFINITY, high: f64::INFINITY };
        assert!((kurtosis(&open).unwrap() - 3.0).abs() < 1e-9);
        let narrow = Distribution::TruncatedNormal { mean: 0.0, std: 1.0, low: -1e-3, high: 1e-3 };
        assert!((kurtosis(&narrow).unwrap() - 1.8).abs() < 1e-6);
    }
}
