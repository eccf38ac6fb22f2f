//! Each output's weights as a point in a ball, on a sphere or in a simplex.

use std::sync::Arc;

use anyhow::Result;

use super::common;
use super::{Arguments, EMPTY, Parameter, Requires, Scheme, Site, example};
use crate::distribution::sampling::open_unit;
use crate::distribution::{Distribution, Joint, Moments, RandomStreams, bytes_of};
use crate::statistics::marginal::Marginal;
use crate::tensor::{Unfolding, to_f64, to_usize};

const RADIUS: Parameter<f64> = common::RADIUS.default("1").help("the radius, above 0");
const RANKS: &str = "two or more axes";
const MULLER: &str = "Muller 1959, A note on a method for generating points uniformly on n-dimensional spheres";

pub(super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "unit-ball",
        summary: "each output's weights: a point drawn uniformly from a ball",
        formula: "each row of the unfolding: radius u^(1/n) z / |z|, z ~ N(0, I) of its n elements, u ~ U(0, 1); std = radius / sqrt(n + 2)",
        source: MULLER,
        ranks: RANKS,
        parameters: &[&RADIUS],
        bare: Some(RADIUS.name),
        requires: Requires::Matrices,
        example: example("unit-ball"),
        distribution: |arguments, site| points(Region::Ball, arguments, site),
        ..EMPTY
    },
    Scheme {
        name: "unit-sphere",
        summary: "each output's weights: a vector of fixed norm and random direction",
        formula: "each row of the unfolding: radius z / |z|, z ~ N(0, I) of its n elements; std = radius / sqrt(n)",
        source: "OpenAI baselines normc_initializer (normalised columns); Muller 1959",
        ranks: RANKS,
        parameters: &[&RADIUS],
        bare: Some(RADIUS.name),
        aliases: &["normalized-rows"],
        requires: Requires::Matrices,
        example: example("unit-sphere"),
        distribution: |arguments, site| points(Region::Sphere, arguments, site),
        ..EMPTY
    },
    Scheme {
        name: "positive-unit-ball",
        summary: "positive weights that sum to 1 over the inputs of each output",
        formula: "each row of the unfolding: w = u / sum(u), u ~ U(0, 1)",
        source: "Caffe PositiveUnitballFiller",
        ranks: RANKS,
        requires: Requires::Matrices,
        example: example("positive-unit-ball"),
        distribution: |arguments, site| points(Region::Simplex, arguments, site),
        ..EMPTY
    },
];

fn points(kind: Region, arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let radius = if kind == Region::Simplex { 1.0 } else { arguments.positive(&RADIUS)? };
    Ok(Distribution::Joint(Arc::new(Points { kind, radius, unfolding: site.unfolding()? })))
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Region {
    /// In a ball.
    Ball,
    /// On a sphere.
    Sphere,
    /// Positive, with sum 1.
    Simplex,
}

/// One point per row of the unfolding.
#[derive(Debug)]
struct Points {
    kind: Region,
    radius: f64,
    unfolding: Unfolding,
}

impl Points {
    fn points(&self) -> u64 {
        self.unfolding.matrices().saturating_mul(self.unfolding.rows())
    }

    /// The number of elements of each point.
    fn dimension(&self) -> f64 {
        to_f64(self.unfolding.columns().max(1))
    }

    /// Calls `run` with each value and the index of its point.
    fn each<'a>(&self, values: &'a mut [f64], mut run: impl FnMut(&'a mut f64, usize)) {
        let (rows, mut rest) = (self.unfolding.rows(), values.iter_mut());
        let step = self.unfolding.step();
        self.unfolding.for_each_run(0, self.unfolding.count(), |_, length, place| {
            let (first, step) = (place.matrix * rows + place.row, step.matrix * rows + step.row);
            // The range is checked first: beyond it no value is taken.
            for (number, value) in (0..length).zip(rest.by_ref()) {
                run(value, to_usize(first + number * step));
            }
        });
    }
}

impl Moments for Points {
    fn mean(&self) -> Option<f64> {
        Some(if self.kind == Region::Simplex { 1.0 / self.dimension() } else { 0.0 })
    }

    fn std(&self) -> Option<f64> {
        match self.kind {
            Region::Ball => Some(self.radius / (self.dimension() + 2.0).sqrt()),
            Region::Sphere => Some(self.radius / self.dimension().sqrt()),
            Region::Simplex => None,
        }
    }

    fn bounds(&self) -> Option<(f64, f64)> {
        Some((if self.kind == Region::Simplex { 0.0 } else { -self.radius }, self.radius))
    }

    fn marginal(&self) -> Option<Marginal> {
        let dimensions = self.unfolding.columns();
        match self.kind {
            // A point of a ball is the projection of one on a sphere of two more dimensions.
            Region::Ball => Some(Marginal::coordinate(self.radius, dimensions + 2)),
            Region::Sphere => Some(Marginal::coordinate(self.radius, dimensions)),
            Region::Simplex => None,
        }
    }

    fn max_abs(&self) -> f64 {
        self.radius
    }
}

/// The stream of the values.
const VALUES: u64 = 0;
const RADII: u64 = 1;

impl Joint for Points {
    fn draw(&self, draws: &dyn RandomStreams) -> Vec<f64> {
        let points = if self.unfolding.count() == 0 { 0 } else { to_usize(self.points()) };
        let mut values = vec![0.0; to_usize(self.unfolding.count())];
        // The factor of each point's values: first the sum that it undoes.
        let mut factors = vec![0.0; points];
        if self.kind == Region::Simplex {
            let mut words = draws.words(VALUES);
            values.fill_with(|| open_unit(&mut *words));
            self.each(&mut values, |value, point| factors[point] += *value);
            self.each(&mut values, |value, point| *value /= factors[point]);
            return values;
        }
        draws.normals(VALUES, &mut values);
        self.each(&mut values, |value, point| factors[point] += *value * *value);
        let mut words = draws.words(RADII);
        for factor in &mut factors {
            let share = match self.kind {
                Region::Ball => libm::pow(open_unit(&mut *words), 1.0 / self.dimension()),
                _ => 1.0,
            };
            // Normals that are all 0, which hardly ever happens, have no direction and are left unchanged.
            *factor = if *factor > 0.0 { self.radius * share / factor.sqrt() } else { 0.0 };
        }
        self.each(&mut values, |value, point| *value *= factors[point]);
        values
    }

    fn workspace(&self) -> u64 {
        let points = if self.unfolding.count() == 0 { 0 } else { self.points() };
        bytes_of(&[&[self.unfolding.count()], &[points]])
    }
}
