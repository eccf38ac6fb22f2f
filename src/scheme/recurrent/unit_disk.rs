//! The linear recurrent unit: eigenvalues in a ring of the unit disk.

use std::f64::consts::LN_2;
use std::sync::Arc;

use anyhow::{Result, ensure};
use rand::Rng;

use super::super::{Arguments, EMPTY, Parameter, Scheme, example};
use crate::distribution::{
    Distribution, Iid, Moments,
    sampling::{SMALLEST_UNIT, open_unit},
};
use crate::statistics::marginal::Marginal;
use crate::statistics::quadrature::moments;

const SOURCE: &str = "Orvieto, Smith, Gu, Fernando, Gulcehre, Pascanu and De 2023, Resurrecting recurrent neural networks for long sequences";

const R_MIN: Parameter<f64> = Parameter::new("r-min", "the inner radius, 0 or more").default("0");
const R_MAX: Parameter<f64> = Parameter::new("r-max", "the outer radius, at most 1").default("1");
const MAX_PHASE: Parameter<f64> = Parameter::new("max-phase", "the largest phase, above 0").default("6.28");

pub(in crate::scheme) const ROWS: &[Scheme] = &[
    Scheme {
        name: "lru-nu",
        summary: "the nu_log of a linear recurrent unit: the magnitudes of eigenvalues spread uniformly over a ring",
        formula: "nu_log = ln(-ln(r)), r^2 ~ U(r-min^2, r-max^2); the magnitude of the eigenvalue is r = exp(-exp(nu_log))",
        source: SOURCE,
        ranks: "any",
        parameters: &[&R_MIN, &R_MAX],
        example: example("lru-nu"),
        distribution: |arguments, _| sizes(arguments),
        ..EMPTY
    },
    Scheme {
        name: "lru-theta",
        summary: "the theta_log of a linear recurrent unit: the phases of its eigenvalues",
        formula: "theta_log ~ ln U(0, max-phase)",
        source: SOURCE,
        ranks: "any",
        parameters: &[&MAX_PHASE],
        bare: Some(MAX_PHASE.name),
        example: example("lru-theta"),
        distribution: |arguments, _| {
            Ok(Distribution::Iid(Arc::new(Phase { largest: arguments.positive(&MAX_PHASE)? })))
        },
        ..EMPTY
    },
    Scheme {
        name: "rg-lru",
        summary: "the recurrent parameter of a real-gated linear recurrent unit: decays spread over a ring",
        formula: "w = ln(1/r - 1), r^2 ~ U(r-min^2 + 1e-8, r-max^2 + 1e-8), so that r = sigmoid(-w)",
        source: "De et al. 2024, Griffin: mixing gated linear recurrences with local attention for efficient language models",
        ranks: "any",
        parameters: &[
            &R_MIN.default("0.9").help("the inner radius, above 0"),
            &R_MAX.default("0.999").help("the outer radius, below 1"),
        ],
        example: example("rg-lru"),
        distribution: |arguments, _| decays(arguments),
        ..EMPTY
    },
];

fn sizes(arguments: &mut Arguments) -> Result<Distribution> {
    let (inner, outer) = (arguments.nonnegative(&R_MIN)?, arguments.value(&R_MAX)?);
    ensure!(
        inner < outer && outer <= 1.0,
        "r-min is {inner} and r-max is {outer}: r-min must be below r-max, and r-max at most 1"
    );
    Ok(Distribution::Iid(Arc::new(Ring { inner, outer })))
}

fn decays(arguments: &mut Arguments) -> Result<Distribution> {
    let (inner, outer) = (arguments.positive(&R_MIN)?, arguments.value(&R_MAX)?);
    ensure!(
        inner < outer && outer < 1.0,
        "r-min is {inner} and r-max is {outer}: r-min must be below r-max, and r-max below 1"
    );
    let square = |radius: f64| (radius * radius + 1e-8).min(1.0 - SMALLEST_UNIT);
    Ok(Distribution::Iid(Arc::new(Decay { inner: square(inner), outer: square(outer) })))
}

/// The logits of decays with uniform squares, negated.
#[derive(Debug)]
struct Decay {
    /// The least and the greatest square.
    inner: f64,
    outer: f64,
}

impl Decay {
    /// The value at a fraction of the squares, from the least.
    fn at(&self, fraction: f64) -> f64 {
        let square = self.inner * (1.0 - fraction) + self.outer * fraction;
        libm::log(libm::expm1(-0.5 * libm::log(square)))
    }

    /// By quadrature over the values w: the square is (1 + exp(w))^-2.
    fn moments(&self) -> (f64, f64) {
        moments((self.at(1.0), self.at(0.0)), |w| libm::exp(w - 3.0 * libm::log1p(libm::exp(w))), |w| w)
    }
}

impl Moments for Decay {
    fn mean(&self) -> Option<f64> {
        Some(self.moments().0)
    }

    fn std(&self) -> Option<f64> {
        Some(self.moments().1)
    }

    fn bounds(&self) -> Option<(f64, f64)> {
        Some((self.at(1.0), self.at(0.0)))
    }

    fn marginal(&self) -> Option<Marginal> {
        let (inner, outer) = (self.inner, self.outer);
        // A larger value is a smaller square.
        let square = |x: f64| libm::exp(-2.0 * libm::log1p(libm::exp(x)));
        Some(Marginal::continuous(move |x| ((outer - square(x)) / (outer - inner)).clamp(0.0, 1.0)))
    }

    fn max_abs(&self) -> f64 {
        self.at(0.0).abs().max(self.at(1.0).abs())
    }
}

impl Iid for Decay {
    fn sample(&self, words: &mut dyn Rng) -> f64 {
        self.at(open_unit(words))
    }
}

/// The radii of eigenvalues uniform over a ring, as ln(-ln(radius)).
#[derive(Debug)]
struct Ring {
    inner: f64,
    outer: f64,
}

impl Ring {
    /// The value at a fraction of the ring's area, from the inside.
    fn at(&self, fraction: f64) -> f64 {
        let square = self.inner * self.inner * (1.0 - fraction) + self.outer * self.outer * fraction;
        // A square that is rounded to 1 is as near to it as a double can be.
        libm::log(-0.5 * libm::log(square.min(1.0 - SMALLEST_UNIT)))
    }

    /// By quadrature over w = ln(-ln r^2), which has Gumbel's density exp(w - exp(w)), truncated to the ring.
    fn moments(&self) -> (f64, f64) {
        // -ln r^2 is exponential; beyond 45 more than its least, or below exp(-45) of its greatest, next to nothing is left.
        let least = -2.0 * libm::log(self.outer);
        let greatest = (-2.0 * libm::log(self.inner)).min(least + 45.0);
        let (from, to) = (libm::log(least).max(libm::log(greatest) - 45.0), libm::log(greatest));
        moments((from, to), |w| libm::exp(w - libm::exp(w) + least), |w| w - LN_2)
    }
}

impl Moments for Ring {
    fn mean(&self) -> Option<f64> {
        Some(self.moments().0)
    }

    fn std(&self) -> Option<f64> {
        Some(self.moments().1)
    }

    fn bounds(&self) -> Option<(f64, f64)> {
        Some((self.at(1.0 - SMALLEST_UNIT), self.at(SMALLEST_UNIT)))
    }

    fn marginal(&self) -> Option<Marginal> {
        let (inner, outer) = (self.inner * self.inner, self.outer * self.outer);
        // A larger value is a smaller radius.
        let square = |x: f64| libm::exp(-2.0 * libm::exp(x));
        Some(Marginal::continuous(move |x| ((outer - square(x)) / (outer - inner)).clamp(0.0, 1.0)))
    }

    fn max_abs(&self) -> f64 {
        self.at(1.0 - SMALLEST_UNIT).abs().max(self.at(SMALLEST_UNIT).abs())
    }
}

impl Iid for Ring {
    fn sample(&self, words: &mut dyn Rng) -> f64 {
        self.at(open_unit(words))
    }
}

/// The logarithm of a uniform phase.
#[derive(Debug)]
struct Phase {
    largest: f64,
}

impl Moments for Phase {
    fn mean(&self) -> Option<f64> {
        Some(libm::log(self.largest) - 1.0)
    }

    fn std(&self) -> Option<f64> {
        Some(1.0)
    }

    fn bounds(&self) -> Option<(f64, f64)> {
        Some((libm::log(self.largest) + libm::log(SMALLEST_UNIT), libm::log(self.largest)))
    }

    fn marginal(&self) -> Option<Marginal> {
        let largest = self.largest;
        Some(Marginal::continuous(move |x| (libm::exp(x) / largest).min(1.0)))
    }

    fn max_abs(&self) -> f64 {
        libm::log(self.largest).abs().max((libm::log(self.largest) + libm::log(SMALLEST_UNIT)).abs())
    }
}

impl Iid for Phase {
    fn sample(&self, words: &mut dyn Rng) -> f64 {
        libm::log(self.largest) + libm::log(open_unit(words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::quadrature::tests::of_fractions;

    #[test]
    fn figures_are_those_of_the_values() {
        for (inner, outer) in [(0.0, 1.0), (0.9, 0.999), (0.0, 0.5), (0.5, 1.0), (0.4, 0.4001)] {
            let ring = Ring { inner, outer };
            let (mean, std) = of_fractions(|unit| ring.at(unit));
            assert!((ring.mean().unwrap() - mean).abs() < 1e-3 * std, "{ring:?}: {:?}, {mean}", ring.mean());
            assert!((ring.std().unwrap() / std - 1.0).abs() < 1e-3, "{ring:?}: {:?}, {std}", ring.std());
        }
        let decay = Decay { inner: 0.81, outer: 0.998 };
        let (mean, std) = of_fractions(|unit| decay.at(unit));
        assert!((decay.mean().unwrap() - mean).abs() < 1e-3 * std, "{:?}, {mean}", decay.mean());
        assert!((decay.std().unwrap() / std - 1.0).abs() < 1e-3, "{:?}, {std}", decay.std());
        // Of the whole disk: Euler's constant, and pi / sqrt(6).
        let whole = Ring { inner: 0.0, outer: 1.0 };
        assert!((whole.mean().unwrap() + 0.577_215_664_901_532_9 + LN_2).abs() < 1e-12);
        assert!((whole.std().unwrap() - std::f64::consts::PI / 6f64.sqrt()).abs() < 1e-12);
    }
}
