//! S4D: diagonal state matrices with the eigenvalues of `HiPPO`, or curves like them.

use std::f64::consts::{FRAC_1_PI, LN_2, PI};
use std::sync::Arc;

use anyhow::Result;

use super::super::{Arguments, EMPTY, Parameter, Scheme, Site, choice, example_on};
use super::s4d_legs::LegS;
use super::{exponential, last_axis};
use crate::distribution::{Deterministic, Distribution, Joint, Moments, RandomStreams, bytes_of};
use crate::statistics::marginal::Marginal;
use crate::statistics::normal;
use crate::tensor::{to_f64, to_usize};

choice! {
    /// A part of the eigenvalues.
    pub(super) enum Part { Real = "real", Imaginary = "imag", LogReal = "log-real" }
}
const PART: Parameter<Part> = Parameter::new(
    "part",
    "the real part of the eigenvalues, the imaginary part, or ln(-real), which S4 and S4D store",
)
.default("imag");
const REAL: Parameter<Part> = PART.default("real");

const PAPER: &str =
    "Gu, Gupta, Goel and Ré 2022, On the parameterization and initialization of diagonal state space models";
const S4: &str = "the code of the same paper, state-spaces/s4";

/// The defaults of the rows.
const BASE: Scheme = Scheme {
    parameters: &[&PART],
    ranks: "one or more axes, the last of N/2 eigenvalues (one per conjugate pair); leading axes repeat them",
    bare: Some(PART.name),
    example: example_on("", "4x32", "io"),
    ..EMPTY
};

pub(in crate::scheme) const ROWS: &[Scheme] = &[
    Scheme {
        parameters: &[&REAL],
        ..BASE.row(
            "s4d-real",
            "real eigenvalues, those of hippo-legs",
            "A_n = -(n+1), n from 0",
            PAPER,
            |arguments, site| curve(Curve::Real, arguments, site),
        )
    },
    BASE.row(
        "s4d-lin",
        "eigenvalues evenly spaced: the frequencies of a Fourier series",
        "A_n = -1/2 + i pi n, n from 0",
        PAPER,
        |arguments, site| curve(Curve::Linear, arguments, site),
    ),
    BASE.row(
        "s4d-inv",
        "eigenvalues by an inverse curve, near those of s4d-legs",
        "A_n = -1/2 + i N/pi (N/(2n+1) - 1), n from 0, N twice the last axis",
        PAPER,
        |arguments, site| curve(Curve::Inverse, arguments, site),
    ),
    BASE.row(
        "s4d-inv2",
        "eigenvalues by a slower inverse curve than that of s4d-inv",
        "A_n = -1/2 + i N/pi (N/(n+1) - 1), n from 0, N twice the last axis",
        PAPER,
        |arguments, site| curve(Curve::Inverse2, arguments, site),
    ),
    BASE.row(
        "s4d-quad",
        "eigenvalues by a quadratic curve",
        "A_n = -1/2 + i (1+2n)^2 / pi, n from 0",
        PAPER,
        |arguments, site| curve(Curve::Quadratic, arguments, site),
    ),
    BASE.row(
        "s4d-legs",
        "the eigenvalues of the normal part of hippo-legs, the largest imaginary part first",
        "A_n = -1/2 + i w_n, the eigenvalues of hippo-legsd of N states, N twice the last axis",
        S4,
        |arguments, site| match arguments.value(&PART)? {
            Part::Imaginary => {
                Ok(Distribution::Joint(Arc::new(LegS { eigenvalues: last_axis(site)?, count: site.shape.count() })))
            }
            Part::Real | Part::LogReal => curve(Curve::Linear, arguments, site),
        },
    ),
    BASE.row(
        "s4d-rand",
        "random eigenvalues, as a baseline",
        "A_n = -1/2 + i exp(z_n), z_n ~ N(0, 1)",
        PAPER,
        |arguments, site| match arguments.value(&PART)? {
            Part::Imaginary => Ok(Distribution::Joint(Arc::new(Exponentials { count: site.shape.count() }))),
            Part::Real | Part::LogReal => curve(Curve::Linear, arguments, site),
        },
    ),
];

fn curve(curve: Curve, arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let part = arguments.value(&PART)?;
    Ok(Distribution::Deterministic(Arc::new(Diagonal { curve, part, size: last_axis(site)? })))
}

/// The eigenvalue as a function of its index.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Curve {
    Real,
    Linear,
    Inverse,
    Inverse2,
    Quadratic,
}

/// A part of the eigenvalues along the last axis.
#[derive(Debug)]
pub(super) struct Diagonal {
    pub(super) curve: Curve,
    pub(super) part: Part,
    /// The number of eigenvalues, one of each pair.
    pub(super) size: u64,
}

impl Diagonal {
    fn eigenvalue(&self, n: u64) -> f64 {
        let (states, n) = (2.0 * to_f64(self.size), to_f64(n));
        match (self.part, self.curve) {
            (Part::Real, Curve::Real) => -(n + 1.0),
            (Part::Real, _) => -0.5,
            (Part::LogReal, Curve::Real) => libm::log(n + 1.0),
            (Part::LogReal, _) => -LN_2,
            (Part::Imaginary, Curve::Real) => 0.0,
            (Part::Imaginary, Curve::Linear) => PI * n,
            (Part::Imaginary, Curve::Inverse) => inverse(states, 2.0 * n + 1.0),
            (Part::Imaginary, Curve::Inverse2) => inverse(states, n + 1.0),
            (Part::Imaginary, Curve::Quadratic) => FRAC_1_PI * (2.0 * n + 1.0) * (2.0 * n + 1.0),
        }
    }
}

/// N/pi (N/d - 1), with an exact integer difference.
fn inverse(states: f64, divisor: f64) -> f64 {
    FRAC_1_PI * states * (states - divisor) / divisor
}

impl Moments for Diagonal {
    fn max_abs(&self) -> f64 {
        // Each curve goes one way.
        self.eigenvalue(0).abs().max(self.eigenvalue(self.size.saturating_sub(1)).abs())
    }
}

impl Deterministic for Diagonal {
    fn value(&self, index: u64) -> f64 {
        self.eigenvalue(index % self.size)
    }
}

/// Independent exponentials of normal numbers.
#[derive(Debug)]
struct Exponentials {
    count: u64,
}

impl Moments for Exponentials {
    fn marginal(&self) -> Option<Marginal> {
        Some(Marginal::continuous(|x| normal::lower(libm::log(x.max(0.0)))))
    }

    fn max_abs(&self) -> f64 {
        exponential(f64::INFINITY)
    }
}

impl Joint for Exponentials {
    fn draw(&self, draws: &dyn RandomStreams) -> Vec<f64> {
        let mut values = vec![0.0; to_usize(self.count)];
        draws.normals(0, &mut values);
        values.into_iter().map(exponential).collect()
    }

    fn workspace(&self) -> u64 {
        bytes_of(&[&[self.count]])
    }
}
