//! `HiPPO`: state matrices that store the past of a signal in a basis of functions.

use std::sync::Arc;

use anyhow::{Result, bail, ensure};

use super::super::common::{self, ALPHA};
use super::super::{AnyParameter, Arguments, EMPTY, Parameter, Scheme, Site, choice, example_on};
use super::hippo_values::{Matrix, Measure, Vector};
use super::{exponential, last_axis};
use crate::distribution::{Distribution, Joint, Moments, RandomStreams, bytes_of};
use crate::statistics::marginal::Marginal;
use crate::statistics::normal;
use crate::tensor::{to_f64, to_usize};

choice! {
    /// A matrix or vector of x' = A x + B u.
    enum Part { A = "a", B = "b" }
}
const PART: Parameter<Part> = Parameter::new(
    "part",
    "the state matrix A or the input vector B of x' = A x + B u [default: A for a square, B for a vector or column]",
);
const SCALE: Parameter<f64> =
    common::SCALE.default("1").help("a factor on A and B, above 0: the inverse of the time scale");
const TRANSPOSED: Parameter<bool> =
    Parameter::new("transposed", "transpose A, for layers that multiply the state by it from the right")
        .default("false");
const BETA: Parameter<f64> = common::BETA.default("1").help("the tilt, above 0");
const FIXED: &[&dyn AnyParameter] = &[&PART, &SCALE, &TRANSPOSED];
const TILTED: &[&dyn AnyParameter] = &[&BETA, &PART, &SCALE, &TRANSPOSED];
const GENERALIZED: &[&dyn AnyParameter] = &[
    &ALPHA.default("0").help("the order of the polynomials, above -1 and below 1"),
    &BETA.default("0.01"),
    &PART,
    &SCALE,
    &TRANSPOSED,
];
const RANDOM: &[&dyn AnyParameter] = &[&PART];

const HIPPO: &str = "Gu, Dao, Ermon, Rudra and Ré 2020, HiPPO: recurrent memory with optimal polynomial projections";
const TRAIN: &str = "Gu, Johnson, Timalsina, Rudra and Ré 2022, How to train your HiPPO";
const DIAGONAL: &str =
    "Gu, Gupta, Goel and Ré 2022, On the parameterization and initialization of diagonal state space models";
const LMU: &str = "Voelker, Kajić and Eliasmith 2019, Legendre memory units";
const S4: &str = "the code of Gu, Goel and Ré 2022, Efficiently modeling long sequences with structured state spaces";

/// The defaults of the rows.
const BASE: Scheme = Scheme {
    parameters: FIXED,
    ranks: "two last axes of equal size for A, one for B; leading axes repeat it",
    bare: Some(PART.name),
    example: example_on("", "16x16", "io"),
    ..EMPTY
};

pub(in crate::scheme) const ROWS: &[Scheme] = &[
    BASE.row(
        "hippo-legs",
        "memory of the whole past in Legendre polynomials, weighted equally",
        "A_ij = -sqrt(2i+1) sqrt(2j+1) for i > j, -(i+1) for i = j, 0 for i < j; B_i = sqrt(2i+1); i and j from 0",
        HIPPO,
        |arguments, site| fixed(Measure::LegS, arguments, site),
    ),
    BASE.row(
        "hippo-legsd",
        "the normal part of hippo-legs, whose eigenvalues are those of s4d-legs",
        "A + B B^T / 2 and B / 2 of hippo-legs: A_ij = -+sqrt(2i+1) sqrt(2j+1) / 2 below and above the diagonal, -1/2 on it",
        DIAGONAL,
        |arguments, site| fixed(Measure::LegSD, arguments, site),
    ),
    BASE.row(
        "hippo-legt",
        "memory of a window of the past in Legendre polynomials; scale=2/theta gives the paper's form, for a window of theta",
        "A_ij = -sqrt(2i+1) sqrt(2j+1) s / 2, s = (-1)^(i-j) for i < j, otherwise 1; B_i = sqrt(2i+1) / 2",
        HIPPO,
        |arguments, site| fixed(Measure::LegT, arguments, site),
    ),
    BASE.row(
        "hippo-lmu",
        "the scaling of hippo-legt in the Legendre memory unit; scale=1/theta for a window of theta",
        "A_ij = (2i+1) s, s = -1 for i < j, otherwise (-1)^(i-j+1); B_i = (-1)^i (2i+1)",
        LMU,
        |arguments, site| fixed(Measure::Lmu, arguments, site),
    ),
    Scheme {
        parameters: TILTED,
        ..BASE.row(
            "hippo-lagt",
            "memory of an exponentially fading past in Laguerre polynomials",
            "A_ij = -1 for i > j, -1/2 for i = j, 0 for i < j; B_i = beta",
            HIPPO,
            |arguments, site| fixed(Measure::LagT { beta: arguments.positive(&BETA)? }, arguments, site),
        )
    },
    Scheme {
        parameters: TILTED,
        ..BASE.row(
            "hippo-tlagt",
            "a variant of hippo-lagt with a tilted measure, as in the first versions of S4",
            "A_ij = -1 for i > j, -(1+beta)/2 for i = j, 0 for i < j; B_i = beta",
            S4,
            |arguments, site| fixed(Measure::TiltedLagT { beta: arguments.positive(&BETA)? }, arguments, site),
        )
    },
    Scheme {
        parameters: GENERALIZED,
        ..BASE.row(
            "hippo-glagt",
            "memory of a fading past in generalised Laguerre polynomials with a tilted measure",
            "A_ij = -L_j / L_i for i > j, -(1+beta)/2 for i = j, 0 for i < j; B_i = L_i / gamma(alpha+1) beta^((1-alpha)/2) / sqrt(gamma(1-alpha)); L_n = sqrt(gamma(n+alpha+1) / gamma(n+1))",
            HIPPO,
            generalized,
        )
    },
    BASE.row(
        "hippo-fourier",
        "memory of a window of the past in sines and cosines",
        "A = R - b b^T, R_{2k+1,2k} = -R_{2k,2k+1} = pi k; B = b = (1, 0, sqrt(2), 0, sqrt(2), 0, ...)",
        TRAIN,
        |arguments, site| fixed(Measure::Fourier, arguments, site),
    ),
    BASE.row(
        "hippo-fourier-diag",
        "the normal part of hippo-fourier, with twice its frequencies",
        "A = 2 R - I / 2 with R and B of hippo-fourier",
        TRAIN,
        |arguments, site| fixed(Measure::FourierDiagonal, arguments, site),
    ),
    BASE.row(
        "hippo-fourier-decay",
        "a variant of hippo-fourier over a fading past",
        "A = R - b b^T / 2 and B = b / 2 with R and b of hippo-fourier",
        TRAIN,
        |arguments, site| fixed(Measure::FourierDecay, arguments, site),
    ),
    Scheme {
        parameters: RANDOM,
        ..BASE.row(
            "hippo-random",
            "a random state matrix, as a baseline",
            "A_ij ~ N(0, 1/N^2) for N states; B_i ~ N(0, 1)",
            S4,
            |arguments, site| {
                let (part, size) = part(arguments, site)?;
                let std = if part == Part::A { 1.0 / to_f64(size.max(1)) } else { 1.0 };
                Ok(Distribution::Normal { mean: 0.0, std })
            },
        )
    },
    Scheme {
        parameters: RANDOM,
        ..BASE.row(
            "hippo-diagonal",
            "a random diagonal of decays, as a baseline",
            "A_ii = -exp(z), z ~ N(0, 1), 0 off the diagonal; B_i ~ N(0, 1)",
            S4,
            |arguments, site| {
                let (part, size) = part(arguments, site)?;
                let decays = || Distribution::Joint(Arc::new(Decays { size, count: site.shape.count() }));
                Ok(if part == Part::A { decays() } else { Distribution::Normal { mean: 0.0, std: 1.0 } })
            },
        )
    },
];

/// The part that is drawn, and its number of states.
fn part(arguments: &mut Arguments, site: &Site) -> Result<(Part, u64)> {
    let (axes, last) = (site.shape.axes(), last_axis(site)?);
    let before = axes.len().checked_sub(2).map(|position| axes[position]);
    let (square, column) = (before == Some(last), before.filter(|_| last == 1));
    let part = match arguments.optional(&PART) {
        Some(part) => part,
        None if square => Part::A,
        None if axes.len() == 1 || column.is_some() => Part::B,
        None => bail!("the shape is not a square matrix, vector or column: use part=b if its last axis is a vector"),
    };
    ensure!(part == Part::B || square, "a state matrix needs two last axes of equal size: use part=b for a vector");
    arguments.set(&PART, &part);
    Ok((part, if part == Part::B { column.unwrap_or(last) } else { last }))
}

fn fixed(measure: Measure, arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let (part, size) = part(arguments, site)?;
    let scale = arguments.positive(&SCALE)?;
    ensure!(!measure.is_paired() || size % 2 == 0, "this scheme needs an even number of states, not {size}");
    let transposed = arguments.flag(&TRANSPOSED);
    Ok(Distribution::Deterministic(match part {
        Part::A => Arc::new(Matrix { measure, size, scale, transposed }),
        Part::B => Arc::new(Vector { measure, size, scale }),
    }))
}

fn generalized(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let (alpha, beta) = (arguments.value(&ALPHA)?, arguments.positive(&BETA)?);
    ensure!(-1.0 < alpha && alpha < 1.0, "alpha is {alpha}: it must be above -1 and below 1");
    fixed(Measure::GeneralizedLagT { alpha, beta }, arguments, site)
}

/// Diagonal matrices of negated exponentials of normal numbers.
#[derive(Debug)]
struct Decays {
    size: u64,
    count: u64,
}

impl Moments for Decays {
    fn marginal(&self) -> Option<Marginal> {
        let negated = Marginal::continuous(|x| normal::upper(libm::log((-x).max(0.0))));
        Some(negated.or_zero(1.0 - 1.0 / to_f64(self.size.max(1))))
    }

    fn max_abs(&self) -> f64 {
        exponential(f64::INFINITY)
    }
}

impl Joint for Decays {
    fn draw(&self, draws: &dyn RandomStreams) -> Vec<f64> {
        let (size, count) = (to_usize(self.size), to_usize(self.count));
        let mut values = vec![0.0; count];
        let mut diagonal = vec![0.0; count.checked_div(size).unwrap_or(0)];
        draws.normals(0, &mut diagonal);
        // Row i of all the rows of all matrices has its element on column i mod size.
        for (row, normal) in diagonal.into_iter().enumerate() {
            values[row * size + row % size] = -exponential(normal);
        }
        values
    }

    fn workspace(&self) -> u64 {
        bytes_of(&[&[self.count], &[self.count.checked_div(self.size).unwrap_or(0)]])
    }
}
