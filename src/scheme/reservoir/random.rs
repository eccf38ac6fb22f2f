//! Random parts of the matrices of reservoirs: values of a distribution, at random places.

use anyhow::{Result, ensure};
use rand::Rng;

use super::super::common;
use super::super::sparse;
use super::super::{Arguments, Parameter, choice};
use crate::distribution::{NORMAL_REACH, RandomStreams, sampling};
use crate::statistics::marginal::Marginal;
use crate::tensor::{to_f64, to_usize};

/// The streams of one attempt at a matrix, one by one.
pub(crate) struct Random<'a> {
    draws: &'a dyn RandomStreams,
    next: u64,
}

impl<'a> Random<'a> {
    /// The streams starting at `first`.
    pub(super) fn new(draws: &'a dyn RandomStreams, first: u64) -> Self {
        Self { draws, next: first }
    }

    fn stream(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// The words of the next stream.
    pub(super) fn words(&mut self) -> Box<dyn Rng> {
        let stream = self.stream();
        self.draws.words(stream)
    }
}

/// One of `0..count`, uniform up to a relative error of 2^-16 for every possible count.
pub(super) fn below(words: &mut dyn Rng, count: u64) -> u64 {
    ((u128::from(words.next_u64()) * u128::from(count)) >> 64) as u64
}

/// Calls `each(place, chosen)` for places `0..count` in order, choosing a uniformly random subset of size `wanted` (Fan, Muller and Rezucha
/// 1962).
pub(super) fn choose(words: &mut dyn Rng, count: usize, wanted: usize, mut each: impl FnMut(usize, bool)) {
    let mut wanted = wanted as u64;
    for place in 0..count {
        let chosen = below(words, (count - place) as u64) < wanted;
        wanted -= u64::from(chosen);
        each(place, chosen);
    }
}

choice! {
    /// The distribution of the non-zero values.
    pub(super) enum ValueDistribution { Normal = "normal", Uniform = "uniform", Bernoulli = "bernoulli" }
}
pub(super) const DISTRIBUTION: Parameter<ValueDistribution> =
    Parameter::new("distribution", "the distribution of the non-zeros: N(0, 1), U(-1, 1), or -1 and 1")
        .default("normal");

/// The probability of +1.
pub(super) const POSITIVE: Parameter<f64> =
    Parameter::new("positive", "the probability of 1 with bernoulli [default: 0.5]");

/// A distribution of values, of scale 1.
#[derive(Clone, Copy, Debug)]
pub(super) enum Values {
    Normal,
    Uniform,
    Bernoulli { positive: f64 },
}

impl Values {
    /// Reads `distribution`, and `positive` if the scheme has it.
    pub(super) fn of(arguments: &mut Arguments) -> Result<Self> {
        let distribution = arguments.value(&DISTRIBUTION)?;
        let positive = arguments.lists(&POSITIVE) && arguments.given(&POSITIVE);
        ensure!(
            distribution == ValueDistribution::Bernoulli || !positive,
            "positive is only for distribution=bernoulli"
        );
        match distribution {
            ValueDistribution::Normal => Ok(Self::Normal),
            ValueDistribution::Uniform => Ok(Self::Uniform),
            ValueDistribution::Bernoulli if arguments.lists(&POSITIVE) => Self::bernoulli(arguments),
            ValueDistribution::Bernoulli => Ok(Self::Bernoulli { positive: 0.5 }),
        }
    }

    /// Reads `positive`, 0.5 by default.
    pub(super) fn bernoulli(arguments: &mut Arguments) -> Result<Self> {
        let positive = arguments.optional_fraction(&POSITIVE)?.unwrap_or(0.5);
        arguments.set(&POSITIVE, &positive);
        Ok(Self::Bernoulli { positive })
    }

    pub(super) fn fill(self, random: &mut Random, out: &mut [f64]) {
        let stream = random.stream();
        match self {
            Self::Normal => random.draws.normals(stream, out),
            Self::Uniform => random.draws.signed_uniforms(stream, out),
            Self::Bernoulli { .. } => {
                let mut words = random.draws.words(stream);
                for value in out {
                    *value = self.one(words.as_mut());
                }
            }
        }
    }

    /// One value, from its own words.
    pub(super) fn one(self, words: &mut dyn Rng) -> f64 {
        match self {
            Self::Normal => sampling::normal(words),
            Self::Uniform => sampling::signed(words),
            Self::Bernoulli { positive } => {
                if sampling::unit(words) < positive {
                    1.0
                } else {
                    -1.0
                }
            }
        }
    }

    /// The distribution of a value times `scale`.
    pub(super) fn marginal(self, scale: f64) -> Marginal {
        match self {
            Self::Normal => Marginal::normal(0.0, scale),
            Self::Uniform => Marginal::symmetric(0.0, move |x| (x / scale).min(1.0)),
            Self::Bernoulli { positive } => Marginal::discrete([(scale, positive), (-scale, 1.0 - positive)]),
        }
    }

    /// The largest magnitude.
    pub(super) fn max_abs(&self) -> f64 {
        if matches!(self, Self::Normal) { NORMAL_REACH } else { 1.0 }
    }

    pub(super) fn mean(self) -> f64 {
        if let Self::Bernoulli { positive } = self { 2.0 * positive - 1.0 } else { 0.0 }
    }

    /// The mean of the squares.
    pub(super) fn square(self) -> f64 {
        if matches!(self, Self::Uniform) { 1.0 / 3.0 } else { 1.0 }
    }
}

/// The parameters of the sparsity pattern.
pub(super) const DENSITY: Parameter<f64> = common::DENSITY
    .help("the probability that an element is non-zero, or the fraction of non-zeros with exact or direction");
pub(super) const DENSITY_OF_A_TENTH: Parameter<f64> = DENSITY.help("the probability that an element is non-zero, or the fraction of non-zeros with exact or direction [default: 0.1, if degree is not given]");
pub(super) const DENSITY_OF_ONE: Parameter<f64> = DENSITY.help("the probability that an element is non-zero, or the fraction of non-zeros with exact or direction [default: 1, if degree is not given]");
pub(super) const DEGREE: Parameter<u64> =
    Parameter::new("degree", "the exact number of connections of each unit, instead of density");
choice! {
    /// The connections of a unit that are counted.
    pub(super) enum Direction { In = "in", Out = "out" }
}
pub(super) const DIRECTION: Parameter<Direction> = Parameter::new(
    "direction",
    "count incoming or outgoing connections of each unit; with density, floor(density n) of each unit [default: out, if degree is given]",
);
pub(super) const EXACT: Parameter<bool> =
    Parameter::new("exact", "meet density exactly, with round(density elements) non-zeros anywhere");

/// The places of the non-zeros.
#[derive(Clone, Copy, Debug)]
pub(super) enum Places {
    /// Each with the same independent probability.
    Independent { density: f64 },
    /// A fixed number of them anywhere.
    Exact { count: u64, fraction: f64 },
    /// A fixed number of connections into each unit.
    In { degree: u64, fraction: f64 },
    /// A fixed number of connections out of each unit.
    Out { degree: u64, fraction: f64 },
}

impl Places {
    /// Reads density, degree, direction and exact; `density` is the scheme's default.
    pub(super) fn of(arguments: &mut Arguments, rows: u64, columns: u64, density: f64) -> Result<Self> {
        let degree = arguments.optional(&DEGREE);
        ensure!(
            degree.is_none() || !(arguments.given(&DENSITY) || arguments.given(&EXACT)),
            "use degree or density (with exact), not both"
        );
        ensure!(
            !(arguments.flag(&EXACT) && arguments.given(&DIRECTION)),
            "exact counts the non-zeros of the matrix, direction those of each unit: use only one"
        );
        if degree.is_some() && !arguments.given(&DIRECTION) {
            arguments.set(&DIRECTION, &Direction::Out);
        }
        if degree.is_none() && !arguments.given(&DENSITY) {
            arguments.set(&DENSITY, &density);
        }
        let fraction = arguments.optional_fraction(&DENSITY)?.unwrap_or(0.0);
        let of = |all: u64, word: &str| -> Result<(u64, f64)> {
            let degree = degree.unwrap_or_else(|| sparse::rounded(fraction * to_f64(all), f64::floor));
            ensure!(degree <= all, "degree is {degree}, but there are only {all} units that {word}");
            Ok((degree, to_f64(degree) / to_f64(all.max(1))))
        };
        Ok(match arguments.optional(&DIRECTION) {
            Some(Direction::In) => {
                let (degree, fraction) = of(columns, "a connection may come from")?;
                Self::In { degree, fraction }
            }
            Some(Direction::Out) => {
                let (degree, fraction) = of(rows, "a connection may lead to")?;
                Self::Out { degree, fraction }
            }
            None if arguments.flag(&EXACT) => {
                let all = rows.saturating_mul(columns);
                let count = sparse::rounded(fraction * to_f64(all), f64::round_ties_even).min(all);
                Self::Exact { count, fraction: to_f64(count) / to_f64(all.max(1)) }
            }
            None => Self::Independent { density: fraction },
        })
    }

    /// The expected fraction of non-zeros.
    pub(super) fn fraction(self) -> f64 {
        match self {
            Self::Independent { density } => density,
            Self::Exact { fraction, .. } | Self::In { fraction, .. } | Self::Out { fraction, .. } => fraction,
        }
    }

    /// A lower bound of the probability that `n` units have a cycle: that of a self-connection, or 1 if each unit has an incoming or
    /// outgoing connection.
    pub(super) fn cycle(self, n: u64) -> f64 {
        match self {
            Self::Independent { density } => 1.0 - libm::pow(1.0 - density, to_f64(n)),
            Self::Exact { count, .. } => 1.0 - libm::pow(1.0 - 1.0 / to_f64(n.max(1)), to_f64(count)),
            Self::In { degree, .. } | Self::Out { degree, .. } => f64::from(u8::from(degree > 0)),
        }
    }

    /// Sets all other elements to zero.
    pub(super) fn clear(self, random: &mut Random, [rows, columns]: [usize; 2], matrix: &mut [f64]) {
        let mut words = random.words();
        let mut keep = |element: usize, kept: bool| {
            if !kept {
                matrix[element] = 0.0;
            }
        };
        match self {
            Self::Independent { density } => {
                (0..rows * columns).for_each(|element| keep(element, sampling::unit(words.as_mut()) < density));
            }
            Self::Exact { count, .. } => choose(words.as_mut(), rows * columns, to_usize(count), keep),
            Self::In { degree, .. } => {
                for row in 0..rows {
                    choose(words.as_mut(), columns, to_usize(degree), |column, kept| {
                        keep(row * columns + column, kept);
                    });
                }
            }
            Self::Out { degree, .. } => {
                for column in 0..columns {
                    choose(words.as_mut(), rows, to_usize(degree), |row, kept| keep(row * columns + column, kept));
                }
            }
        }
    }
}
