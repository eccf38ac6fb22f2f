//! Block-orthogonal directions for random features.

use std::sync::Arc;

use super::super::common::STD;
use super::parts::{scale, tensor};
use super::{EMPTY, Parameter, Requires, Scheme, choice, example};
use crate::distribution::{Distribution, Joint, Moments, NORMAL_REACH, RandomStreams, bytes_of, panels};
use crate::statistics::marginal::Marginal;
use crate::tensor::{Unfolding, to_f64, to_usize};

choice! {
    /// The norms of the rows.
    enum Norms { Gaussian = "gaussian", Equal = "equal" }
}
const NORMS: Parameter<Norms> = Parameter::new(
    "norms",
    "the norms of the rows: those of Gaussian vectors (scaling 0 in Performer), or sqrt(d) each (scaling 1)",
)
.default("gaussian");

pub(super) const ROW: Scheme = Scheme {
    name: "orthogonal-random-features",
    summary: "blocks of d orthogonal rows for d inputs, with the norms of Gaussian vectors",
    formula: "W = std S Q: Q stacks Haar matrices of d orthonormal rows, one row per output (the last may have fewer), d = inputs x kernel; S is diagonal: norms=gaussian draws the norm of a fresh N(0, I_d) for each row, norms=equal has sqrt(d)",
    source: "Yu, Suresh, Choromanski, Holtmann-Rice and Kumar 2016, Orthogonal random features; Performer (Choromanski et al. 2021), GaussianOrthogonalRandomMatrix",
    ranks: "two or more axes",
    parameters: &[
        &NORMS,
        &STD.default("1").help("the standard deviation of an element, above 0: 1 / sigma of a Gaussian kernel"),
    ],
    aliases: &["orf"],
    requires: Requires::Matrices,
    example: example("orthogonal-random-features"),
    distribution: |arguments, site| {
        let (equal, std) = (arguments.value(&NORMS)? == Norms::Equal, arguments.positive(&STD)?);
        Ok(Distribution::Joint(Arc::new(Features { equal, std, unfolding: site.unfolding()? })))
    },
    ..EMPTY
};

#[derive(Debug)]
struct Features {
    /// True if all rows have one norm.
    equal: bool,
    std: f64,
    unfolding: Unfolding,
}

impl Moments for Features {
    fn mean(&self) -> Option<f64> {
        Some(0.0)
    }

    fn std(&self) -> Option<f64> {
        Some(self.std)
    }

    fn marginal(&self) -> Option<Marginal> {
        let d = self.unfolding.columns();
        // A random direction times the norm of a Gaussian vector is a Gaussian vector.
        Some(match self.equal {
            true => Marginal::coordinate(self.std * to_f64(d).sqrt(), d),
            false => Marginal::normal(0.0, self.std),
        })
    }

    fn max_abs(&self) -> f64 {
        let longest = self.std * to_f64(self.unfolding.columns()).sqrt();
        if self.equal { longest } else { longest + NORMAL_REACH * self.std }
    }
}

impl Joint for Features {
    fn draw(&self, draws: &dyn RandomStreams) -> Vec<f64> {
        if self.unfolding.count() == 0 {
            return Vec::new();
        }
        let (rows, d) = (to_usize(self.unfolding.rows()), to_usize(self.unfolding.columns()));
        let blocks = rows.div_ceil(d) as u64;
        let matrix = |number: u64| {
            let mut matrix = Vec::with_capacity(rows * d);
            for block in 0..blocks {
                let height = d.min(rows - to_usize(block) * d);
                matrix.extend(self.block(draws, 2 * (number * blocks + block), height, d));
            }
            matrix
        };
        tensor(&self.unfolding, matrix)
    }

    fn workspace(&self) -> u64 {
        let (rows, columns) = (self.unfolding.rows(), self.unfolding.columns());
        // The values twice, a block, and the vectors whose norms it uses.
        bytes_of(&[&[2, self.unfolding.count()], &[2, rows.min(columns), columns], &panels(columns)])
    }
}

impl Features {
    /// `height` orthogonal rows of length `d`, from the two streams that start at `stream`.
    fn block(&self, draws: &dyn RandomStreams, stream: u64, height: usize, d: usize) -> Vec<f64> {
        let mut rows = draws.orthonormal(stream, d, height);
        let mut gaussian = vec![0.0; if self.equal { 0 } else { height * d }];
        draws.normals(stream + 1, &mut gaussian);
        for (number, row) in rows.chunks_exact_mut(d).enumerate() {
            let squared = match gaussian.get(number * d..(number + 1) * d) {
                Some(vector) => vector.iter().map(|value| value * value).sum(),
                None => to_f64(d as u64),
            };
            let length = self.std * squared.sqrt();
            scale(row, length);
        }
        rows
    }
}
