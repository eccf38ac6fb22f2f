//! Skew-symmetric matrices of planar rotations with orthogonal exponentials.

use std::f64::consts::PI;
use std::sync::Arc;

use nalgebra::DMatrix;

use super::parts::{haar, scale, tensor};
use super::{EMPTY, Parameter, Requires, Scheme, choice, example_on};
use crate::distribution::{Distribution, Joint, Moments, NORMAL_REACH, RandomStreams, bytes_of, panels};
use crate::statistics::marginal::Marginal;
use crate::statistics::normal;
use crate::tensor::{Unfolding, to_f64, to_usize};

choice! {
    /// The source of the angles.
    enum Angles { Henaff = "henaff", Cayley = "cayley", Haar = "haar", Normal = "normal", NormalSqueeze = "normal-squeeze" }
}
const ANGLES: Parameter<Angles> = Parameter::new("angles", "the source of the angles").default("henaff");

pub(super) const ROW: Scheme = Scheme {
    name: "skew-symmetric",
    summary: "a square matrix of 2 x 2 blocks, one angle each; its exponential is an orthogonal recurrent weight",
    formula: "w[2j, 2j+1] = s_j = -w[2j+1, 2j] (input, output), else 0; s: henaff U(-pi, pi), cayley -tan(u/2) with u ~ U(0, pi/2), haar the angles of a Haar rotation in ascending order, normal N(0, 1) mod pi, normal-squeeze N(0, 1) mod pi/8 (with the sign of the normal)",
    source: "Lezcano-Casado and Martínez-Rubio 2019, Cheap orthogonal constraints in neural networks (expRNN); Henaff, Szlam and LeCun 2016; Helfrich, Willmott and Ye 2018",
    ranks: "two or more axes, as many inputs as outputs",
    parameters: &[&ANGLES],
    bare: Some(ANGLES.name),
    requires: Requires::Matrices,
    example: example_on("skew-symmetric", "7x7", "io"),
    distribution: |arguments, site| {
        let unfolding = site.square()?;
        let angles = arguments.value(&ANGLES)?;
        Ok(Distribution::Joint(Arc::new(SkewSymmetric { angles, unfolding })))
    },
    ..EMPTY
};

impl Angles {
    /// The angles of weight `number`, `size` x `size`.
    fn draw(self, draws: &dyn RandomStreams, number: u64, size: usize) -> Vec<f64> {
        let mut angles = vec![0.0; size / 2];
        match self {
            Self::Henaff => {
                draws.signed_uniforms(number, &mut angles);
                scale(&mut angles, PI);
            }
            Self::Cayley => {
                draws.signed_uniforms(number, &mut angles);
                for angle in &mut angles {
                    *angle = -libm::tan(PI / 8.0 * (*angle + 1.0));
                }
            }
            Self::Haar => return haar_angles(draws, number, size),
            Self::Normal | Self::NormalSqueeze => {
                let modulus = if self == Self::Normal { PI } else { PI / 8.0 };
                draws.normals(number, &mut angles);
                for angle in &mut angles {
                    *angle = libm::fmod(*angle, modulus);
                }
            }
        }
        angles
    }

    /// The probability that an angle of a `size` x `size` matrix has a magnitude up to x; `None` for a matrix without angles.
    fn within(self, size: u64) -> Option<Box<dyn Fn(f64) -> f64>> {
        let blocks = size / 2;
        let remainder = |modulus: f64| {
            let turns = (0..).map(move |turn| modulus * f64::from(turn)).take_while(|&from| from < NORMAL_REACH);
            let turns: Vec<f64> = turns.collect();
            move |x: f64| turns.iter().map(|&from| 2.0 * normal::between(from, from + x.min(modulus))).sum()
        };
        Some(match self {
            _ if blocks == 0 => return None,
            Self::Henaff => Box::new(|x| (x / PI).min(1.0)),
            Self::Cayley => Box::new(|x| (4.0 / PI * libm::atan(x)).min(1.0)),
            Self::Normal => Box::new(remainder(PI)),
            Self::NormalSqueeze => Box::new(remainder(PI / 8.0)),
            // The density of the angles of rotations (Girko 1985), a sum of cosines, is integrated term by term.
            Self::Haar => Box::new(move |x| {
                let (x, odd) = (x.min(PI), size % 2);
                let terms = (1..=blocks - 1 + odd).map(|term| to_f64(2 * term - odd));
                let waves: f64 = terms.map(|times| libm::sin(times * x) / times).sum();
                let sign = if odd == 1 { -1.0 } else { 1.0 };
                (x + sign * waves / to_f64(blocks)) / PI
            }),
        })
    }
}

/// The angles of a Haar-distributed rotation, ascending, in [0, pi].
fn haar_angles(draws: &dyn RandomStreams, stream: u64, size: usize) -> Vec<f64> {
    let mut matrix = DMatrix::from_vec(size, size, haar(draws, stream, [size, size]));
    // Haar's distribution on the reflections becomes that on the rotations when one column changes its sign.
    if !is_rotation(&matrix) {
        matrix.column_mut(0).iter_mut().for_each(|value| *value = -*value);
    }
    let eigenvalues = matrix.complex_eigenvalues();
    let mut angles: Vec<f64> = eigenvalues.iter().map(|value| libm::atan2(value.im.abs(), value.re)).collect();
    angles.sort_by(f64::total_cmp);
    // A rotation of odd size fixes one direction; the other angles come in pairs.
    angles.into_iter().skip(size % 2).step_by(2).collect()
}

/// True if an orthogonal matrix has determinant 1, not -1. By elimination and the signs of the pivots.
fn is_rotation(matrix: &DMatrix<f64>) -> bool {
    let (mut left, size) = (matrix.clone(), matrix.nrows());
    let mut positive = true;
    for step in 0..size {
        let largest = (step..size)
            .fold(step, |best, row| if left[(row, step)].abs() > left[(best, step)].abs() { row } else { best });
        left.swap_rows(step, largest);
        let pivot = left[(step, step)];
        positive ^= (pivot < 0.0) ^ (step != largest);
        for row in step + 1..size {
            let factor = left[(row, step)] / pivot;
            for column in step + 1..size {
                let product = factor * left[(step, column)];
                left[(row, column)] -= product;
            }
        }
    }
    positive
}

#[derive(Debug)]
struct SkewSymmetric {
    angles: Angles,
    unfolding: Unfolding,
}

impl Moments for SkewSymmetric {
    fn marginal(&self) -> Option<Marginal> {
        let size = self.unfolding.rows();
        let within = self.angles.within(size)?;
        let elements = to_f64(size) * to_f64(size);
        Some(Marginal::symmetric(0.0, within).or_zero(1.0 - to_f64(size / 2 * 2) / elements.max(1.0)))
    }

    fn max_abs(&self) -> f64 {
        PI
    }
}

impl Joint for SkewSymmetric {
    fn draw(&self, draws: &dyn RandomStreams) -> Vec<f64> {
        let size = to_usize(self.unfolding.rows());
        let matrix = |number| {
            let mut matrix = vec![0.0; size * size];
            for (block, angle) in self.angles.draw(draws, number, size).into_iter().enumerate() {
                let (one, other) = (2 * block, 2 * block + 1);
                // The row is the output.
                matrix[other * size + one] = angle;
                matrix[one * size + other] = -angle;
            }
            matrix
        };
        tensor(&self.unfolding, matrix)
    }

    fn workspace(&self) -> u64 {
        let (count, size) = (self.unfolding.count(), self.unfolding.rows());
        // The values twice; a rotation, and as much again for its eigenvalues and the sign of its determinant.
        bytes_of(&[&[2, count], &[4, size, size], &panels(size)])
    }
}
