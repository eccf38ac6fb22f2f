//! Distributions with heavier tails than the normal.

use std::f64::consts::{FRAC_PI_2, LN_2};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use rand::Rng;
use rand_distr::Distribution as _;

use super::common::{self, MEAN};
use super::{Arguments, EMPTY, Parameter, Scheme, Site, example};
use crate::distribution::libm_float::LibmF64;
use crate::distribution::sampling::{self, LARGEST_EXPONENTIAL, LARGEST_NORMAL};
use crate::distribution::{Distribution, Iid, Moments, Named};
use crate::statistics::marginal::Marginal;
use crate::statistics::normal;
use crate::statistics::quadrature::moments;
use crate::statistics::special::beta;

const SCALE: Parameter<f64> = common::SCALE.default("1").help("the scale, above 0");
pub(super) const LIMIT: Parameter<f64> =
    Parameter::new("limit", "redraw values farther than this from the centre, to fit narrow dtypes [default: none]");

const MEDIAN: Parameter<f64> = Parameter::new("median", "the median").default("0");
const DOF: Parameter<f64> = Parameter::new("dof", "the degrees of freedom, 0.1 or more").default("5");

pub(super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "laplace",
        summary: "the double exponential distribution: peaked, with heavier tails than the normal",
        formula: "w = mean + s scale e, s = -1 or 1, e exponential; density exp(-|w - mean| / scale) / (2 scale); std = sqrt(2) scale",
        source: "Laplace 1774; scipy.stats.laplace, which ReservoirPy takes by name",
        ranks: "any",
        parameters: &[&SCALE, &MEAN.default("0").help("the mean")],
        bare: Some(SCALE.name),
        order: &[MEAN.name, SCALE.name],
        aliases: &["double-exponential"],
        example: example("laplace:scale=0.01"),
        distribution: laplace,
        ..EMPTY
    },
    Scheme {
        name: "cauchy",
        summary: "the Cauchy distribution, which has no mean and no standard deviation",
        formula: "w = median + scale tan(pi u), u ~ U(0, 1); density 1 / (pi scale (1 + ((w - median) / scale)^2)); limit: given |w - median| <= limit",
        source: "torch.Tensor.cauchy_",
        ranks: "any",
        parameters: &[&SCALE, &MEDIAN, &LIMIT],
        bare: Some(SCALE.name),
        order: &[MEDIAN.name, SCALE.name],
        aliases: &["lorentz"],
        example: example("cauchy:scale=0.001,limit=0.1"),
        distribution: cauchy,
        ..EMPTY
    },
    Scheme {
        name: "student-t",
        summary: "Student's t-distribution, between the Cauchy (dof=1) and the normal (large dof)",
        formula: "w = mean + scale z / sqrt(c / dof), z ~ N(0, 1), c ~ chi-square(dof); std = scale sqrt(dof / (dof - 2)); limit: given |w - mean| <= limit",
        source: "Student 1908, The probable error of a mean; Fortuin et al. 2022, Bayesian neural network priors revisited (dense weights)",
        ranks: "any",
        parameters: &[&DOF, &SCALE, &MEAN.default("0").help("the centre, which is the mean if dof is above 1"), &LIMIT],
        bare: Some(DOF.name),
        aliases: &["t"],
        example: example("student-t:dof=3,scale=0.01,limit=0.2"),
        distribution: student_t,
        ..EMPTY
    },
];

fn laplace(arguments: &mut Arguments, _: &Site) -> Result<Distribution> {
    let (mean, scale) = (arguments.value(&MEAN)?, arguments.positive(&SCALE)?);
    Ok(Distribution::Iid(Arc::new(Laplace { mean, scale })))
}

#[derive(Debug)]
struct Laplace {
    mean: f64,
    scale: f64,
}

impl Moments for Laplace {
    fn mean(&self) -> Option<f64> {
        Some(self.mean)
    }

    fn std(&self) -> Option<f64> {
        Some(2f64.sqrt() * self.scale)
    }

    fn marginal(&self) -> Option<Marginal> {
        let scale = self.scale;
        Some(Marginal::symmetric(self.mean, move |x| -libm::expm1(-x / scale)))
    }

    fn max_abs(&self) -> f64 {
        self.mean.abs() + LARGEST_EXPONENTIAL * self.scale
    }
}

impl Iid for Laplace {
    fn sample(&self, words: &mut dyn Rng) -> f64 {
        let size = self.scale * sampling::exponential(words);
        self.mean + if words.next_u32() & 1 == 0 { size } else { -size }
    }

    fn named(&self) -> Option<Named> {
        Some(Named::Laplace { mean: self.mean, scale: self.scale })
    }
}

pub(super) fn cauchy(arguments: &mut Arguments, _: &Site) -> Result<Distribution> {
    let (median, scale) = (arguments.value(&MEDIAN)?, arguments.positive(&SCALE)?);
    let values = rand_distr::Cauchy::new(LibmF64(0.0), LibmF64(scale)).ok().context("scale must be above 0")?;
    Ok(Distribution::Iid(Arc::new(Cauchy { median, scale, limit: limit(arguments, scale)?, values })))
}

/// The largest kept distance from the centre. It is at least the scale, so redraws are few.
fn limit(arguments: &Arguments, scale: f64) -> Result<Option<f64>> {
    let limit = arguments.optional(&LIMIT);
    if let Some(limit) = limit {
        ensure!(limit >= scale, "limit is {limit} and scale is {scale}: limit must be scale or more");
    }
    Ok(limit)
}

/// The first draw within the limit.
fn within(limit: Option<f64>, mut draw: impl FnMut() -> f64) -> f64 {
    loop {
        let value = draw();
        // A NaN or an infinity, which the rarest words could give, is not within any.
        if limit.is_none_or(|limit| value.abs() <= limit) {
            return value;
        }
    }
}

/// The interval of a limit around the centre.
fn around(centre: f64, limit: Option<f64>) -> Option<(f64, f64)> {
    limit.map(|limit| (centre - limit, centre + limit))
}

#[derive(Debug)]
struct Cauchy {
    median: f64,
    scale: f64,
    limit: Option<f64>,
    values: rand_distr::Cauchy<LibmF64>,
}

impl Moments for Cauchy {
    fn mean(&self) -> Option<f64> {
        self.limit.map(|_| self.median)
    }

    /// For the truncated distribution: scale sqrt(x / atan(x) - 1), x = limit / scale.
    fn std(&self) -> Option<f64> {
        let cut = self.limit? / self.scale;
        Some(self.scale * (cut / libm::atan(cut) - 1.0).sqrt())
    }

    fn bounds(&self) -> Option<(f64, f64)> {
        around(self.median, self.limit)
    }

    fn marginal(&self) -> Option<Marginal> {
        let (scale, limit) = (self.scale, self.limit.unwrap_or(f64::INFINITY));
        let angle = move |x: f64| libm::atan(x.min(limit) / scale);
        Some(Marginal::symmetric(self.median, move |x| angle(x) / angle(limit)))
    }

    /// The tangent of the double nearest to pi / 2.
    fn max_abs(&self) -> f64 {
        self.median.abs() + self.limit.unwrap_or(self.scale * libm::tan(FRAC_PI_2))
    }
}

impl Iid for Cauchy {
    fn sample(&self, words: &mut dyn Rng) -> f64 {
        self.median + within(self.limit, || self.values.sample(words).0)
    }

    fn named(&self) -> Option<Named> {
        self.limit.is_none().then_some(Named::Cauchy { median: self.median, scale: self.scale })
    }
}

pub(super) fn student_t(arguments: &mut Arguments, _: &Site) -> Result<Distribution> {
    let (dof, mean, scale) = (arguments.value(&DOF)?, arguments.value(&MEAN)?, arguments.positive(&SCALE)?);
    ensure!(dof >= LEAST_DOF, "dof is {dof}: it must be {LEAST_DOF} or more");
    let values = rand_distr::StudentT::new(LibmF64(dof)).ok().context("dof must be above 0")?;
    Ok(Distribution::Iid(Arc::new(StudentT { dof, mean, scale, limit: limit(arguments, scale)?, values })))
}

/// With fewer degrees of freedom values exceed the exponent range of doubles, and hardly any lies within a limit.
const LEAST_DOF: f64 = 0.1;

#[derive(Debug)]
struct StudentT {
    dof: f64,
    mean: f64,
    scale: f64,
    limit: Option<f64>,
    values: rand_distr::StudentT<LibmF64>,
}

impl Moments for StudentT {
    fn mean(&self) -> Option<f64> {
        (self.dof > 1.0 || self.limit.is_some()).then_some(self.mean)
    }

    fn std(&self) -> Option<f64> {
        match self.limit {
            Some(limit) => Some(limit * cut_student_t(self.dof, limit / self.scale)),
            None => (self.dof > 2.0).then(|| self.scale * (self.dof / (self.dof - 2.0)).sqrt()),
        }
    }

    fn bounds(&self) -> Option<(f64, f64)> {
        around(self.mean, self.limit)
    }

    fn marginal(&self) -> Option<Marginal> {
        const NEARLY_NORMAL: f64 = 1e6;
        let (dof, scale, limit) = (self.dof, self.scale, self.limit.unwrap_or(f64::INFINITY));
        let within = move |x: f64| {
            let t = x.min(limit) / scale;
            if dof > NEARLY_NORMAL {
                2.0 * normal::between(0.0, t)
            } else {
                1.0 - beta(dof / (dof + t * t), dof / 2.0, 0.5)
            }
        };
        Some(Marginal::symmetric(self.mean, move |x| within(x) / within(limit)))
    }

    fn max_abs(&self) -> f64 {
        let farthest = || self.scale * LARGEST_NORMAL * (self.dof / least_chi_square(self.dof)).sqrt();
        self.mean.abs() + self.limit.unwrap_or_else(farthest)
    }
}

impl Iid for StudentT {
    fn sample(&self, words: &mut dyn Rng) -> f64 {
        self.mean + within(self.limit, || self.scale * self.values.sample(words).0)
    }

    fn named(&self) -> Option<Named> {
        let &Self { dof, mean, scale, limit, .. } = self;
        limit.is_none().then_some(Named::StudentT { dof, mean, scale })
    }
}

/// The standard deviation of Student's t with scale 1, truncated to [-cut, cut], as a fraction of the cut. By quadrature over asinh(t).
fn cut_student_t(dof: f64, cut: f64) -> f64 {
    let logarithm = |u: f64| if u > 20.0 { u - LN_2 } else { libm::log(libm::sinh(u)) };
    let density = |u: f64| {
        let square = 2.0 * logarithm(u);
        let tail = if square > 600.0 { square - libm::log(dof) } else { libm::log1p(libm::exp(square) / dof) };
        // dt = cosh(u) du, and cosh(u)^2 = 1 + t^2.
        let widening = if square > 600.0 { square } else { libm::log1p(libm::exp(square)) };
        libm::exp(0.5 * (widening - (dof + 1.0) * tail))
    };
    let (mean, std) = moments((0.0, libm::asinh(cut)), density, |u| libm::exp(logarithm(u) - libm::log(cut)));
    libm::hypot(mean, std)
}

/// A lower bound of chi-square values. They are 2 d v (Marsaglia and Tsang's method, d = dof / 2 - 1/3), where v is accepted only if ln u <
/// z^2 / 2 + d (1 - v + ln v). With z^2 <= 9 d and ln u >= -e, e the largest exponential, ln v >= -e / d - 5.5. Below 2 degrees of freedom
/// d is greater by 1, and there is a factor u^(2 / dof). With 2, they are twice an exponential, at least 2^-53. With 1, they are the square
/// of a normal, whose cosine is at least that of the double nearest to pi / 2.
fn least_chi_square(dof: f64) -> f64 {
    let shape = dof / 2.0;
    if shape == 1.0 {
        return f64::EPSILON;
    }
    if shape == 0.5 {
        return f64::EPSILON * libm::cos(FRAC_PI_2) * libm::cos(FRAC_PI_2);
    }
    let (d, exponent) = if shape < 1.0 { (shape + 2.0 / 3.0, 1.0 / shape) } else { (shape - 1.0 / 3.0, 0.0) };
    2.0 * d * libm::exp(-LARGEST_EXPONENTIAL * (exponent + 1.0 / d) - 5.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_distribution_has_the_standard_deviation_of_its_density() {
        for (dof, cut) in [(5.0, 1.0), (3.0, 20.0), (1.0, 10.0), (0.5, 30.0), (1e6, 2.0)] {
            let density = |t: f64| libm::pow(1.0 + t * t / dof, -0.5 * (dof + 1.0));
            let points: Vec<f64> = (0..100_000).map(|n| cut * (f64::from(n) + 0.5) / 1e5).collect();
            let mass: f64 = points.iter().map(|&t| density(t)).sum();
            let square: f64 = points.iter().map(|&t| t * t * density(t)).sum::<f64>() / mass;
            let found = cut * cut_student_t(dof, cut);
            assert!((found / square.sqrt() - 1.0).abs() < 1e-6, "{dof}, {cut}: {found} is not {}", square.sqrt());
        }
        // The distribution of Cauchy has a formula; and a wide cut changes little.
        assert!((cut_student_t(1.0, 1e6) * 1e6 - (1e6 / 1e6f64.atan() - 1.0).sqrt()).abs() < 1e-6);
        assert!((cut_student_t(5.0, 1e4) * 1e4 - (5.0f64 / 3.0).sqrt()).abs() < 1e-6);
        assert!(cut_student_t(0.1, 1e300).is_finite());
    }
}
