//! Weights of reservoirs (echo state networks): recurrent matrices of a given spectral radius or topology, and input matrices.
//!
//! A recurrent matrix multiplies the state, x' = W x: rows are the targets of connections (outputs in the layout), columns are their
//! sources (inputs).

mod balance;
pub(super) mod bands;
mod condition;
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

use anyhow::{Result, ensure};

use super::common;
use super::{Arguments, Parameter};
use crate::distribution::{Deterministic, Distribution, Joint, Moments, RandomStreams, bytes_of};
use crate::statistics::marginal::Marginal;
use crate::tensor::{MatrixIndex, Unfolding, to_usize};
use radius::{LEAST, scale_to_radius};
use random::Random;

/// The spectral radius as a parameter.
pub(super) const RADIUS: Parameter<f64> = common::RADIUS.help("the spectral radius (the largest magnitude of an eigenvalue) to scale the matrix to, above 0 [default: no scaling]; refused if the matrix never or hardly ever has a cycle, since its radius is then 0");

/// The ranks of square matrices, and of any matrices.
pub(super) const SQUARE: &str =
    "two axes of equal size; the matrix must be square, as in layout oi (torch) or io (default)";
pub(super) const ANY_MATRIX: &str = "two or more axes";

/// A matrix to be drawn: `rows` target units, `columns` source units.
pub(super) trait Structure: Debug + Send + Sync {
    /// Fills a matrix of zeros, row-major.
    fn fill(&self, random: &mut Random, sizes: [usize; 2], matrix: &mut [f64]);

    /// The largest magnitude of a value before it is scaled to a spectral radius.
    fn max_abs(&self) -> f64;

    /// The mean of an element.
    fn mean(&self) -> Option<f64> {
        None
    }

    /// The standard deviation of an element before scaling.
    fn std(&self) -> Option<f64> {
        None
    }

    /// The distribution of an element before scaling, averaged over `rows` x `columns` positions; `None` without a formula.
    fn marginal(&self, _rows: u64, _columns: u64) -> Option<Marginal> {
        None
    }

    /// True if draws differ.
    fn is_random(&self) -> bool {
        true
    }

    /// A lower bound of the probability that a draw for `n` units has a cycle. Without one the spectral radius is 0.
    fn cycle(&self, _n: u64) -> f64 {
        1.0
    }

    /// The bytes that filling needs in addition to the matrix.
    fn scratch(&self) -> u64 {
        0
    }
}

/// Matrices of a structure, each scaled to a spectral radius if one is given.
#[derive(Debug)]
struct Matrices<T> {
    structure: T,
    radius: Option<f64>,
    unfolding: Unfolding,
}

/// The maximum number of draws of a matrix from its own streams to obtain a spectral radius.
const ATTEMPTS: u64 = 100;
/// The number of draws after those, and the first of their streams.
const FURTHER_ATTEMPTS: u64 = 2000;
const FURTHER_STREAMS: u64 = 1 << 48;
/// The minimum accepted probability of a cycle: all attempts together miss it with a probability of 10^-18.
const LEAST_CYCLE: f64 = 0.02;
/// The streams per attempt.
const STREAMS: u64 = 16;

impl<T: Structure> Moments for Matrices<T> {
    fn mean(&self) -> Option<f64> {
        // A mean of 0 stays 0 under scaling.
        self.structure.mean().filter(|&mean| mean == 0.0 || self.radius.is_none())
    }

    fn std(&self) -> Option<f64> {
        if self.radius.is_some() { None } else { self.structure.std() }
    }

    fn marginal(&self) -> Option<Marginal> {
        let marginal = self.structure.marginal(self.unfolding.rows(), self.unfolding.columns())?;
        // Scaling keeps zeros. If draws without cycles are likely, those that are kept have fewer zeros.
        match self.radius {
            None => Some(marginal),
            Some(_) if self.structure.cycle(self.unfolding.columns()) > 0.999 => {
                Some(Marginal::zeros(marginal.zero())).filter(|marginal| !marginal.atoms.is_empty())
            }
            Some(_) => None,
        }
    }

    fn max_abs(&self) -> f64 {
        self.radius.map_or(0.0, |radius| radius / LEAST).max(self.structure.max_abs())
    }
}

impl<T: Structure> Joint for Matrices<T> {
    fn draw(&self, draws: &dyn RandomStreams) -> Vec<f64> {
        let [rows, columns] = self.sizes();
        let size = rows * columns;
        let mut all = vec![0.0; to_usize(self.unfolding.matrices()) * size];
        if size > 0 {
            for (matrix, number) in all.chunks_exact_mut(size).zip(0..) {
                self.fill(draws, number, [rows, columns], matrix);
            }
        }
        self.unfolding.tensor(&all)
    }

    fn workspace(&self) -> u64 {
        let (rows, columns, matrices) = (self.unfolding.rows(), self.unfolding.columns(), self.unfolding.matrices());
        // The values twice, in the order of the matrices and of the tensor; and for the eigenvalues of one matrix copies
        // of it and the vectors that its decomposition keeps.
        let copies = if self.radius.is_some() { 4 } else { 0 };
        bytes_of(&[&[2, matrices, rows, columns], &[copies, rows, columns], &[8, rows], &[8, columns]])
            .saturating_add(self.structure.scratch())
    }
}

impl<T: Structure> Matrices<T> {
    fn sizes(&self) -> [usize; 2] {
        [to_usize(self.unfolding.rows()), to_usize(self.unfolding.columns())]
    }

    /// Fills matrix `number`.
    fn fill(&self, draws: &dyn RandomStreams, number: u64, sizes: [usize; 2], matrix: &mut [f64]) {
        let own = (0..ATTEMPTS).map(|attempt| (number * ATTEMPTS + attempt) * STREAMS);
        let further =
            (0..FURTHER_ATTEMPTS).map(|attempt| FURTHER_STREAMS + (number * FURTHER_ATTEMPTS + attempt) * STREAMS);
        let attempts = if self.structure.is_random() { ATTEMPTS + FURTHER_ATTEMPTS } else { 1 };
        for first in own.chain(further).take(to_usize(attempts)) {
            let mut random = Random::new(draws, first);
            matrix.fill(0.0);
            self.structure.fill(&mut random, sizes, matrix);
            let Some(radius) = self.radius else { return };
            if scale_to_radius(matrix, sizes[0], radius) {
                return;
            }
        }
    }
}

/// The distribution of jointly drawn matrices.
fn drawn(structure: impl Structure + 'static, unfolding: Unfolding) -> Distribution {
    Distribution::Joint(Arc::new(Matrices { structure, radius: None, unfolding }))
}

/// The distribution of matrices, scaled to a spectral radius if one is given. Errors if that is impossible.
fn scaled(structure: impl Structure + 'static, radius: Option<f64>, unfolding: Unfolding) -> Result<Distribution> {
    let units = unfolding.columns();
    let cycle = if radius.is_some() && units > 0 { structure.cycle(units) } else { 1.0 };
    ensure!(
        cycle > 0.0,
        "the matrix has no cycle, so its spectral radius is 0: omit radius, or add connections that lead back"
    );
    ensure!(
        cycle >= LEAST_CYCLE,
        "the matrix hardly ever has a cycle, so its spectral radius is 0: omit radius, or raise the density"
    );
    Ok(Distribution::Joint(Arc::new(Matrices { structure, radius, unfolding })))
}

/// A matrix whose elements are functions of their position.
pub(super) trait Topology: Debug + Send + Sync {
    /// The weight from unit `from` to unit `to` of `n`.
    fn weight(&self, to: u64, from: u64, n: u64) -> f64;

    /// The largest magnitude of a weight.
    fn max_abs(&self) -> f64;

    /// True if the graph of `n` units has a cycle.
    fn has_cycle(&self, n: u64) -> bool;
}

/// A topology evaluated element by element.
#[derive(Debug)]
struct Placed<T> {
    topology: T,
    unfolding: Unfolding,
}

impl<T: Topology> Moments for Placed<T> {
    fn max_abs(&self) -> f64 {
        self.topology.max_abs()
    }
}

impl<T: Topology> Deterministic for Placed<T> {
    fn value(&self, index: u64) -> f64 {
        let MatrixIndex { row, column, .. } = self.unfolding.place(index);
        self.topology.weight(row, column, self.unfolding.columns())
    }
}

/// A topology filled as a matrix.
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

    fn max_abs(&self) -> f64 {
        self.0.max_abs()
    }

    fn is_random(&self) -> bool {
        false
    }

    fn cycle(&self, n: u64) -> f64 {
        if self.0.has_cycle(n) { 1.0 } else { 0.0 }
    }
}

/// The distribution of a topology: by element, or jointly if it is scaled to a spectral radius.
fn placed(topology: impl Topology + 'static, radius: Option<f64>, unfolding: Unfolding) -> Result<Distribution> {
    match radius {
        Some(_) => scaled(Filled(topology), radius, unfolding),
        None => Ok(Distribution::Deterministic(Arc::new(Placed { topology, unfolding }))),
    }
}

/// The spectral radius, if one is given.
fn radius(arguments: &Arguments) -> Result<Option<f64>> {
    arguments.optional(&RADIUS).map(|_| arguments.positive(&RADIUS)).transpose()
}

fn at_least_one(arguments: &Arguments, parameter: &Parameter<u64>) -> Result<u64> {
    let (name, count) = (parameter.name, arguments.value(parameter)?);
    ensure!(count > 0, "{name} is 0: it must be 1 or more");
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::cycles::{DoubleCycle, FeedbackCycle, Jumps};
    use super::radius::spectral_radius;
    use super::topology::{Blocks, Line, Ring};
    use super::*;
    use crate::generator::NATIVE;
    use crate::plan::{Common, DrawnTensor};
    use crate::scheme::{Requires, SCHEMES};
    use crate::tensor::{DType, Fans};

    /// True if a topology reports a cycle exactly when its spectral radius is above 0.
    #[track_caller]
    fn cycles_are_those_of_the_matrix<T: Topology>(of: impl Fn(f64, f64, f64, u64) -> T, sizes: impl Fn(u64) -> u64) {
        for n in 1u64..=7 {
            for number in 0..8 * sizes(n) {
                let weights = [0, 1, 2].map(|bit| f64::from(u8::from(number >> bit & 1 == 1)));
                let topology = of(weights[0], weights[1], weights[2], number / 8);
                let matrix: Vec<f64> = (0..n * n).map(|at| topology.weight(at / n, at % n, n)).collect();
                let radius = spectral_radius(&matrix, to_usize(n)).unwrap();
                assert_eq!(topology.has_cycle(n), radius > 1e-9, "{topology:?} of {n}: {radius}");
            }
        }
    }

    #[test]
    fn a_topology_knows_whether_it_has_a_cycle() {
        cycles_are_those_of_the_matrix(|weight, self_loop, _, _| Ring { weight, self_loop }, |_| 1);
        let line = |weight, self_loop, backward, number| Line {
            weight,
            shift: 1 + number % 4,
            self_loop,
            backward,
            backward_shift: 1 + number / 4,
        };
        cycles_are_those_of_the_matrix(line, |_| 16);
        cycles_are_those_of_the_matrix(|weight, _, _, size| Blocks { weight, size: size + 1 }, |_| 9);
        cycles_are_those_of_the_matrix(|weight, jump, _, size| Jumps { weight, jump, size: size + 1 }, |n| n - 1);
        let double = |weight, backward, crossed, _| DoubleCycle { weight, backward, crossed: crossed > 0.0 };
        cycles_are_those_of_the_matrix(double, |_| 1);
        let feedback = |weight, self_loop, backward, _| FeedbackCycle { weight, self_loop, backward };
        cycles_are_those_of_the_matrix(feedback, |_| 1);
    }

    #[test]
    fn a_reservoir_that_cannot_have_its_radius_is_refused() {
        let cases = [
            ("spectral:density=0.05,direction=in", 10),
            ("spectral:density=0.05,direction=out", 10),
            ("spectral:degree=0", 10),
            ("spectral:density=0", 5),
            ("spectral:density=0.001,exact=true", 20),
            ("spectral:density=0.0001", 5),
            ("reservoircomputing.rand_sparse", 6),
            ("small-world:neighbours=0,radius=0.5", 9),
            ("cluster:within=0,between=0,radius=1", 6),
            ("dale:density=0.01,exact=true,radius=1", 7),
            ("line:radius=0.9", 9),
            ("line:backward=1,backward-shift=5,radius=0.9", 5),
            ("ring:weight=0,radius=1", 4),
            ("block-diagonal:size=9,radius=1", 5),
            ("cycle-with-jumps:jump=0,jump-size=1,radius=1", 5),
            ("double-cycle:backward=0,crossed=true,radius=1", 5),
            ("self-loop-feedback-cycle:weight=0,self-loop=0,radius=1", 5),
        ];
        let common = Common {
            dtype: DType::F32.into(),
            layout: "oi".parse().unwrap(),
            fans: Fans::default(),
            generator: NATIVE,
        };
        let tensor = |expression: &str, n: usize| {
            let shape = format!("{n}x{n}").parse().unwrap();
            DrawnTensor::new("w".parse().unwrap(), shape, expression, &common)
        };
        for (expression, n) in cases {
            let message = format!("{:#}", tensor(expression, n).unwrap_err());
            assert!(
                message.contains("so its spectral radius is 0") && message.contains("cycle"),
                "{expression}: {message}"
            );
        }
        // The main diagonal of these is never empty, and the radius of fast-spectral is one of many units alone.
        let full = ["band", "lower-triangular", "toeplitz", "chaotic", "fast-spectral"];
        let with_radius = SCHEMES.iter().flat_map(|family| family.schemes).filter(|row| {
            row.requires == Requires::Matrices
                && row.parameters.iter().any(|parameter| parameter.help().contains("spectral radius"))
        });
        for row in with_radius {
            let covered = cases.iter().any(|(expression, _)| expression.split(':').next() == Some(row.name));
            assert!(covered || full.contains(&row.name), "{} has a radius and no case here", row.name);
            assert!(tensor(row.example.expression, 24).is_ok(), "{}", row.name);
        }
    }
}
