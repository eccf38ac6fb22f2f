//! Weights of reservoirs (echo state networks): recurrent matrices of a given spectral radius or topology, and the input
//! matrices that go with them.
//!
//! A recurrent matrix multiplies the state. Here its rows are the units that a connection leads to and its columns those
//! that it comes from, x' = W x; the layout says which axis of the tensor is which (outputs are led to, inputs come from).

pub(super) mod bands;
pub(super) mod cycles;
pub(super) mod graphs;
pub(super) mod input;
pub(super) mod maps;
pub(super) mod matrices;
mod pi;
mod radius;
mod random;
pub(super) mod spectral;
pub(super) mod topology;

use std::fmt::Debug;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};

use super::{Arguments, Kind, Parameter, Site};
use crate::law::{Described, Draws, Law, Pattern, Whole, bytes_of, in_memory};
use crate::plan::{Place, Unfolding};
use random::Random;

/// The spectral radius as a parameter.
pub(super) const RADIUS: Parameter = Parameter {
    name: "radius",
    kind: Kind::Number,
    default: None,
    help: "the spectral radius (the largest magnitude of an eigenvalue) that the matrix is scaled to, above 0; not scaled where it is not given, nor where no draw has one above 1/1000 of its largest value",
};

/// What `shapes` says of a square matrix, and of one that need not be square.
pub(super) const SQUARE: &str =
    "two axes of one size; the tensor as matrices must be square, as in layout oi (torch) or io (default)";
pub(super) const ANY_MATRIX: &str = "two or more axes";

/// A matrix as it is drawn: `rows` units are led to, from `columns` units.
pub(super) trait Structure: Debug + Send + Sync {
    /// Fills a matrix of zeros, row-major.
    fn fill(&self, random: &mut Random, sizes: [usize; 2], matrix: &mut [f64]);

    /// The largest magnitude of a value before it is scaled to a spectral radius.
    fn largest(&self) -> f64;

    /// The mean of an element.
    fn mean(&self) -> Option<f64> {
        None
    }

    /// The standard deviation of an element before scaling.
    fn std(&self) -> Option<f64> {
        None
    }

    /// Whether another draw is another matrix.
    fn is_random(&self) -> bool {
        true
    }

    /// The bytes that filling takes beside the matrix.
    fn scratch(&self) -> u64 {
        0
    }
}

/// Matrices of a structure, each scaled to a spectral radius where one was asked for.
#[derive(Debug)]
struct Matrices<T> {
    structure: T,
    radius: Option<f64>,
    unfolding: Unfolding,
}

/// How often a matrix without a spectral radius to speak of is drawn again.
const ATTEMPTS: u64 = 100;
/// The streams of one attempt.
const STREAMS: u64 = 16;
/// A spectral radius below this fraction of the largest element is drawn again: a matrix without cycles, whose radius is
/// 0, has no scale to bring it to any other, and one that is nearly so would end with values out of all proportion.
const LEAST: f64 = 1e-3;

impl<T: Structure> Described for Matrices<T> {
    fn mean(&self) -> Option<f64> {
        // What scaling makes of it is known where it is 0.
        self.structure.mean().filter(|&mean| mean == 0.0 || self.radius.is_none())
    }

    fn std(&self) -> Option<f64> {
        if self.radius.is_some() { None } else { self.structure.std() }
    }

    fn largest(&self) -> f64 {
        // A matrix that could not be scaled stays as it was drawn.
        self.radius.map_or(0.0, |radius| radius / LEAST).max(self.structure.largest())
    }
}

impl<T: Structure> Whole for Matrices<T> {
    fn draw(&self, draws: &dyn Draws) -> Vec<f64> {
        let [rows, columns] = self.sizes();
        let size = rows * columns;
        let mut all = vec![0.0; in_memory(self.unfolding.matrices()) * size];
        if size > 0 {
            for (matrix, number) in all.chunks_exact_mut(size).zip(0..) {
                self.fill(draws, number, [rows, columns], matrix);
            }
        }
        self.unfolding.tensor(&all)
    }

    fn workspace(&self) -> u64 {
        let (rows, columns, matrices) = (self.unfolding.rows(), self.unfolding.columns(), self.unfolding.matrices());
        // The values twice, in the order of the matrices and of the tensor; and for the eigenvalues of one matrix a copy of
        // it and the vectors that its decomposition keeps.
        let copies = if self.radius.is_some() { 2 } else { 0 };
        bytes_of(&[&[2, matrices, rows, columns], &[copies, rows, columns], &[8, rows], &[8, columns]])
            .saturating_add(self.structure.scratch())
    }
}

impl<T: Structure> Matrices<T> {
    fn sizes(&self) -> [usize; 2] {
        [in_memory(self.unfolding.rows()), in_memory(self.unfolding.columns())]
    }

    /// Fills matrix `number`.
    fn fill(&self, draws: &dyn Draws, number: u64, sizes: [usize; 2], matrix: &mut [f64]) {
        for attempt in 0..if self.structure.is_random() { ATTEMPTS } else { 1 } {
            let mut random = Random::new(draws, (number * ATTEMPTS + attempt) * STREAMS);
            matrix.fill(0.0);
            self.structure.fill(&mut random, sizes, matrix);
            let Some(radius) = self.radius else { return };
            let largest = matrix.iter().fold(0f64, |largest, value| largest.max(value.abs()));
            let found = radius::spectral_radius(matrix, sizes[0]).filter(|&found| found > LEAST * largest);
            if let Some(found) = found {
                let scale = radius / found;
                for value in matrix {
                    // Of the tiniest numbers the scale alone is beyond the range of doubles.
                    *value = if scale.is_finite() { *value * scale } else { *value / found * radius };
                }
                return;
            }
        }
    }
}

/// The law of matrices that are drawn together.
fn drawn(structure: impl Structure + 'static, radius: Option<f64>, unfolding: Unfolding) -> Law {
    Law::Whole(Arc::new(Matrices { structure, radius, unfolding }))
}

/// A matrix of which each element is known by its place.
pub(super) trait Topology: Debug + Send + Sync {
    /// The weight from unit `from` to unit `to` of `n`.
    fn weight(&self, to: u64, from: u64, n: u64) -> f64;

    /// The largest magnitude of a weight.
    fn largest(&self) -> f64;
}

/// A topology, element by element.
#[derive(Debug)]
struct Placed<T> {
    topology: T,
    unfolding: Unfolding,
}

impl<T: Topology> Described for Placed<T> {
    fn largest(&self) -> f64 {
        self.topology.largest()
    }
}

impl<T: Topology> Pattern for Placed<T> {
    fn value(&self, index: u64) -> f64 {
        let Place { row, column, .. } = self.unfolding.place(index);
        self.topology.weight(row, column, self.unfolding.columns())
    }
}

/// A topology, filled in.
#[derive(Debug)]
struct Filled<T>(T);

impl<T: Topology> Structure for Filled<T> {
    fn fill(&self, _: &mut Random, [_, n]: [usize; 2], matrix: &mut [f64]) {
        for (to, row) in (0..).zip(matrix.chunks_exact_mut(n)) {
            for (from, weight) in (0..).zip(row) {
                *weight = self.0.weight(to, from, n as u64);
            }
        }
    }

    fn largest(&self) -> f64 {
        self.0.largest()
    }

    fn is_random(&self) -> bool {
        false
    }
}

/// The law of a topology: element by element, or filled in where its eigenvalues are asked for.
fn placed(topology: impl Topology + 'static, radius: Option<f64>, unfolding: Unfolding) -> Law {
    match radius {
        Some(_) => drawn(Filled(topology), radius, unfolding),
        None => Law::Pattern(Arc::new(Placed { topology, unfolding })),
    }
}

/// The tensor as square matrices.
fn square(site: &Site) -> Result<Unfolding> {
    site.square().context("a reservoir's units are its inputs and its outputs")
}

/// The spectral radius that was asked for.
fn radius(arguments: &Arguments) -> Result<Option<f64>> {
    arguments.optional_number("radius").map(|_| arguments.positive("radius")).transpose()
}

/// A count that must not be 0.
fn at_least_one(arguments: &Arguments, name: &str) -> Result<u64> {
    let count = arguments.optional_count(name).unwrap_or(1);
    ensure!(count > 0, "{name} is 0: it must be 1 or more");
    Ok(count)
}
