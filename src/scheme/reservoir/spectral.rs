//! Random reservoirs, dense and sparse, with and without an eigenvalue decomposition.

use std::sync::Arc;

use anyhow::{Result, ensure};
use rand::Rng;

use super::super::common;
use super::super::{Arguments, EMPTY, Parameter, Requires, Scheme, Site, example_on};
use super::random::{
    DEGREE, DENSITY, DENSITY_OF_A_TENTH, DENSITY_OF_ONE, DIRECTION, DISTRIBUTION, EXACT, POSITIVE, Places, Random,
    Values,
};
use super::{ANY_MATRIX, RADIUS, SQUARE, Structure, drawn, radius, scaled};
use crate::distribution::{Distribution, Iid, Moments, sampling};
use crate::statistics::marginal::Marginal;
use crate::tensor::to_f64;

const JAEGER: &str = "Jaeger 2001, The \"echo state\" approach to analysing and training recurrent neural networks";

pub(in super::super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "spectral",
        summary: "a random reservoir, sparse or dense, scaled to a spectral radius",
        formula: "W = radius V / max |eigenvalue of V|; V has values from the distribution at positions given by density, or degree and direction, 0 elsewhere. A V whose spectral radius is below 0.001 of its largest value, such as one without cycles, is drawn again",
        source: JAEGER,
        ranks: SQUARE,
        parameters: &[
            &RADIUS.default("0.9").help("the spectral radius (the largest magnitude of an eigenvalue), above 0"),
            &DENSITY_OF_A_TENTH,
            &DEGREE,
            &DIRECTION,
            &EXACT,
            &DISTRIBUTION,
            &POSITIVE,
        ],
        bare: Some(RADIUS.name),
        aliases: &["spectral-radius", "echo-state"],
        requires: Requires::Matrices,
        example: example_on("spectral:radius=0.9,density=0.3", "24x24", "torch"),
        distribution: |arguments, site| {
            let unfolding = site.square()?;
            let places = Places::of(arguments, unfolding.rows(), unfolding.columns(), 0.1)?;
            let structure = RandomSparse { places, values: Values::of(arguments)?, scale: 1.0 };
            scaled(structure, radius(arguments)?, unfolding)
        },
        ..EMPTY
    },
    Scheme {
        name: "random-sparse",
        summary: "random values at random positions of a reservoir or its input weights, not scaled to a spectral radius",
        formula: "w = scale v, v from the distribution, at positions given by density, or degree and direction; 0 elsewhere",
        source: "reservoirpy mat_gen random_sparse",
        ranks: ANY_MATRIX,
        parameters: &[&DENSITY_OF_ONE, &DEGREE, &DIRECTION, &EXACT, &DISTRIBUTION, &POSITIVE, &SCALE],
        bare: Some(DENSITY.name),
        requires: Requires::Matrices,
        example: example_on("random-sparse:density=0.2", "40x30", "torch"),
        distribution: |arguments, site| random_sparse(arguments, site, 1.0, &SCALE),
        ..EMPTY
    },
    Scheme {
        name: "fast-spectral",
        summary: "a uniform reservoir of about the requested spectral radius, without computing eigenvalues",
        formula: "w ~ U(-a, a) with probability density, else 0; a = 6 radius / (sqrt(12) sqrt(density n)), or 1 if no radius is given. Each element is independent of the others",
        source: "Gallicchio, Micheli and Pedrelli 2020, Fast spectral radius initialization for recurrent neural networks",
        ranks: SQUARE,
        parameters: &[
            &RADIUS.help("the spectral radius that is approached as n grows, above 0"),
            &DENSITY.default("1").help("the probability that an element is non-zero, above 0"),
        ],
        bare: Some(RADIUS.name),
        requires: Requires::Matrices,
        example: example_on("fast-spectral:radius=0.9,density=0.5", "30x30", "torch"),
        distribution: fast_spectral,
        ..EMPTY
    },
];

/// The factor of a random matrix.
pub(super) const SCALE: Parameter<f64> =
    common::SCALE.default("1").help("the factor on the values: their std, bound or magnitude, above 0");

/// The distribution of random values at random positions, element by element if they are independent.
pub(super) fn random_sparse(
    arguments: &mut Arguments,
    site: &Site,
    density: f64,
    scale: &Parameter<f64>,
) -> Result<Distribution> {
    let unfolding = site.unfolding()?;
    let places = Places::of(arguments, unfolding.rows(), unfolding.columns(), density)?;
    let structure = RandomSparse { places, values: Values::of(arguments)?, scale: arguments.positive(scale)? };
    Ok(match places {
        Places::Independent { .. } => Distribution::Iid(Arc::new(structure)),
        _ => drawn(structure, unfolding),
    })
}

#[derive(Clone, Copy, Debug)]
pub(super) struct RandomSparse {
    pub(super) places: Places,
    pub(super) values: Values,
    pub(super) scale: f64,
}

impl RandomSparse {
    fn moments(&self) -> (f64, f64) {
        let mean = self.places.fraction() * self.values.mean();
        let square = self.places.fraction() * self.values.square();
        (self.scale * mean, self.scale * (square - mean * mean).max(0.0).sqrt())
    }
}

impl Structure for RandomSparse {
    fn fill(&self, random: &mut Random, sizes: [usize; 2], matrix: &mut [f64]) {
        self.values.fill(random, matrix);
        self.places.clear(random, sizes, matrix);
        for value in matrix {
            *value *= self.scale;
        }
    }

    fn marginal(&self, _: u64, _: u64) -> Option<Marginal> {
        Moments::marginal(self)
    }

    fn max_abs(&self) -> f64 {
        self.scale * self.values.max_abs()
    }

    fn mean(&self) -> Option<f64> {
        Some(self.moments().0)
    }

    fn std(&self) -> Option<f64> {
        Some(self.moments().1)
    }

    fn cycle(&self, n: u64) -> f64 {
        self.places.cycle(n)
    }
}

impl Moments for RandomSparse {
    fn mean(&self) -> Option<f64> {
        Some(self.moments().0)
    }

    fn std(&self) -> Option<f64> {
        Some(self.moments().1)
    }

    fn marginal(&self) -> Option<Marginal> {
        Some(self.values.marginal(self.scale).or_zero(1.0 - self.places.fraction()))
    }

    fn max_abs(&self) -> f64 {
        Structure::max_abs(self)
    }
}

impl Iid for RandomSparse {
    fn sample(&self, words: &mut dyn Rng) -> f64 {
        if sampling::unit(words) < self.places.fraction() { self.scale * self.values.one(words) } else { 0.0 }
    }
}

fn fast_spectral(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let n = site.square()?.columns();
    let density = arguments.fraction(&DENSITY)?;
    ensure!(density > 0.0, "density is {density}: it must be above 0");
    let scale = match radius(arguments)? {
        Some(radius) => 6.0 * radius / (12f64.sqrt() * (density * to_f64(n.max(1))).sqrt()),
        None => 1.0,
    };
    let places = Places::Independent { density };
    Ok(Distribution::Iid(Arc::new(RandomSparse { places, values: Values::Uniform, scale })))
}
