//! Reservoirs filled by diagonals, and reservoirs with given singular values.

use anyhow::{Result, ensure};

use super::super::common;
use super::super::sparse::rounded;
use super::super::{Arguments, EMPTY, Parameter, Requires, Scheme, Site, choice, example_on};
use super::random::{self, DISTRIBUTION, Random, ValueDistribution, Values, choose};
use super::{RADIUS, SQUARE, Structure, drawn, radius, scaled};
use crate::distribution::{Distribution, sampling};
use crate::statistics::marginal::Marginal;
use crate::tensor::{to_f64, to_usize};

const COSSU: &str = "Cossu et al. 2025, as in ReservoirComputing.jl";

const DENSITY: Parameter<f64> =
    common::DENSITY.default("0.1").help("the fraction of non-zeros; the main diagonal is always full");
const UNIFORM: Parameter<ValueDistribution> = DISTRIBUTION.default("uniform");

const MAX: Parameter<f64> = Parameter::new("max", "the greatest singular value, above 0").default("1");
choice! {
    enum Order { Ascending = "ascending", Descending = "descending", None = "none" }
}
const ORDER: Parameter<Order> =
    Parameter::new("order", "the order of the singular values; with none, no value is set to max").default("ascending");

pub(in super::super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "band",
        summary: "random values on the diagonals nearest the main one, up to the given density",
        formula: "round(density n^2) values: the main diagonal, then the first below it, the first above it, the second below it and so on; the last is filled at positions drawn uniformly",
        example: example_on("band:density=0.2,radius=0.9", "24x24", "torch"),
        distribution: |arguments, site| by_diagonals(arguments, site, false, false),
        ..DIAGONALS
    },
    Scheme {
        name: "lower-triangular",
        summary: "random values on the main diagonal and those below it, up to the given density",
        formula: "round(density n^2) values: the main diagonal, then the first below it, the second and so on; the last is filled at positions drawn uniformly. The spectral radius is the largest magnitude on the main diagonal",
        example: example_on("lower-triangular:density=0.2,radius=0.9", "24x24", "torch"),
        distribution: |arguments, site| by_diagonals(arguments, site, true, false),
        ..DIAGONALS
    },
    Scheme {
        name: "toeplitz",
        summary: "one random value on each of the diagonals nearest the main one, up to the given density",
        formula: "as band, with one value for all of a diagonal",
        example: example_on("toeplitz:density=0.2,radius=0.9", "24x24", "torch"),
        distribution: |arguments, site| by_diagonals(arguments, site, false, true),
        ..DIAGONALS
    },
    Scheme {
        name: "pseudo-svd",
        summary: "a sparse matrix with given singular values: a diagonal matrix, rotated until it is dense enough",
        formula: "W = S Q1 Q2 ..., S diagonal of values U(0, max) in order, the greatest of which is set to max, Q rotations of two columns drawn uniformly by an angle U(-1, 1), until the fraction of non-zeros is density",
        source: "Yang, Qiao, Han and Wang 2018, Design of polynomial echo state networks for time series prediction",
        ranks: SQUARE,
        parameters: &[&MAX, &DENSITY.help("the fraction of non-zeros to reach"), &ORDER],
        bare: Some(MAX.name),
        requires: Requires::Matrices,
        example: example_on("pseudo-svd:density=0.3", "24x24", "torch"),
        distribution: pseudo_svd,
        ..EMPTY
    },
];

/// Defaults of the rows that are filled by diagonals.
const DIAGONALS: Scheme = Scheme {
    source: COSSU,
    ranks: SQUARE,
    parameters: &[&DENSITY, &UNIFORM, &RADIUS],
    bare: Some(DENSITY.name),
    requires: Requires::Matrices,
    ..EMPTY
};

#[derive(Debug)]
struct Diagonals {
    count: u64,
    values: Values,
    /// True if the diagonals above the main one stay empty.
    lower: bool,
    /// True if each diagonal is constant.
    constant: bool,
}

fn by_diagonals(arguments: &mut Arguments, site: &Site, lower: bool, constant: bool) -> Result<Distribution> {
    let unfolding = site.square()?;
    let n = to_f64(unfolding.columns());
    let density = arguments.fraction(&DENSITY)?;
    let count = rounded(density * n * n, f64::round_ties_even);
    let structure = Diagonals { count, values: Values::of(arguments)?, lower, constant };
    scaled(structure, radius(arguments)?, unfolding)
}

impl Structure for Diagonals {
    fn fill(&self, random: &mut Random, [_, n]: [usize; 2], matrix: &mut [f64]) {
        let (mut places, mut values) = (random.words(), random.words());
        let mut left = to_usize(self.count).max(n);
        let below = (0..n).map(|shift| (shift, true));
        let above = (1..n).filter(|_| !self.lower).map(|shift| (shift, false));
        let mut diagonals: Vec<(usize, bool)> = below.chain(above).collect();
        diagonals.sort_by_key(|&(shift, below)| (shift, !below));
        for (shift, below) in diagonals {
            let length = n - shift;
            let filled = left.min(length);
            left -= filled;
            if filled == 0 {
                break;
            }
            let common = self.constant.then(|| self.values.one(values.as_mut()));
            choose(places.as_mut(), length, filled, |place, chosen| {
                let at = if below { (place + shift) * n + place } else { place * n + place + shift };
                if chosen {
                    matrix[at] = common.unwrap_or_else(|| self.values.one(values.as_mut()));
                }
            });
        }
    }

    fn marginal(&self, _: u64, columns: u64) -> Option<Marginal> {
        let n = to_f64(columns);
        let places = if self.lower { n * (n + 1.0) / 2.0 } else { n * n };
        Some(self.values.marginal(1.0).or_zero(1.0 - to_f64(self.count).max(n).min(places) / (n * n).max(1.0)))
    }

    fn max_abs(&self) -> f64 {
        self.values.max_abs()
    }

    fn mean(&self) -> Option<f64> {
        (self.values.mean() == 0.0).then_some(0.0)
    }
}

#[derive(Debug)]
struct PseudoSvd {
    max: f64,
    density: f64,
    order: Order,
}

fn pseudo_svd(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let order = arguments.value(&ORDER)?;
    let density = arguments.fraction(&DENSITY)?;
    ensure!(density <= 0.99, "density is {density}: it must be 0.99 or less");
    Ok(drawn(PseudoSvd { max: arguments.positive(&MAX)?, density, order }, site.square()?))
}

impl Structure for PseudoSvd {
    fn fill(&self, random: &mut Random, [_, n]: [usize; 2], matrix: &mut [f64]) {
        let (mut words, mut turns) = (random.words(), random.words());
        let mut singular: Vec<f64> = (0..n).map(|_| sampling::unit(words.as_mut())).collect();
        singular.sort_unstable_by(|one, other| match self.order {
            Order::Ascending => one.total_cmp(other),
            Order::Descending => other.total_cmp(one),
            Order::None => std::cmp::Ordering::Equal,
        });
        match self.order {
            Order::Ascending => singular[n - 1] = 1.0,
            Order::Descending => singular[0] = 1.0,
            Order::None => (),
        }
        (0..n).for_each(|place| matrix[place * n + place] = singular[place]);
        let enough = self.density * to_f64((n * n) as u64);
        let mut nonzeros = singular.iter().filter(|&&value| value != 0.0).count() as u64;
        while n >= 2 && to_f64(nonzeros) < enough {
            let one = to_usize(random::below(turns.as_mut(), n as u64));
            // Another column than the first.
            let other = (one + 1 + to_usize(random::below(turns.as_mut(), n as u64 - 1))) % n;
            let angle = sampling::signed(turns.as_mut());
            nonzeros = nonzeros.wrapping_add(turned(matrix, n, [one, other], angle));
        }
        for value in matrix {
            *value *= self.max;
        }
    }

    fn max_abs(&self) -> f64 {
        self.max
    }
}

/// Rotates two columns by an angle. Returns the increase in non-zero elements, modulo 2^64.
fn turned(matrix: &mut [f64], n: usize, [one, other]: [usize; 2], angle: f64) -> u64 {
    let (cosine, sine) = (libm::cos(angle), libm::sin(angle));
    let mut more = 0u64;
    for row in matrix.chunks_exact_mut(n) {
        let (a, b) = (row[one], row[other]);
        (row[one], row[other]) = (cosine * a + sine * b, cosine * b - sine * a);
        let count = |values: [f64; 2]| values.iter().filter(|&&value| value != 0.0).count() as u64;
        more = more.wrapping_add(count([row[one], row[other]])).wrapping_sub(count([a, b]));
    }
    more
}
