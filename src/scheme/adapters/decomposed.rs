//! Adapters that start from a part of the adapted weight: its principal singular vectors (`PiSSA`) or the first columns of its QR
//! decomposition (`OLoRA`). That part is subtracted from the weight, so both together equal the original.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};

use super::super::{Arguments, EMPTY, Parameter, Requires, Scheme, Site, example_on};
use super::svd::{Factors, singular, triangular};
use crate::distribution::matrix::product;
use crate::distribution::{Distribution, Joint, Moments, RandomStreams, bytes_of};
use crate::tensor::{Base, MatrixIndex, Unfolding, to_usize};

const PISSA: &str = "Meng, Wang and Zhang 2024, PiSSA: principal singular values and singular vectors adaptation of large language models; PEFT";
const OLORA: &str = "Büyükakyüz 2024, OLoRA: orthonormal low-rank adaptation of large language models; PEFT";

const RANK: Parameter<u64> = Parameter::new(
    "rank",
    "the rank of the adapter, from 1 to the shorter side of the base; known from the shape of A or B",
);
const SCALING: Parameter<f64> = Parameter::new(
    "scaling",
    "the factor on B A in the adapted layer, above 0: alpha / rank in PEFT, alpha / sqrt(rank) with rsLoRA",
)
.default("1");

pub(in super::super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "pissa-a",
        summary: "the A matrix of a PiSSA adapter, from the singular vectors of --base",
        formula: "A = sqrt(S_r / scaling) V_r^T, where W = U S V^T and r is the rank, the number of outputs of A. In each column of U the element of greatest magnitude is positive",
        source: PISSA,
        ranks: RANK_OF_A,
        example: example_on("pissa-a", "4x8", "torch"),
        distribution: |arguments, site| decomposed(arguments, site, Method::Pissa, Part::A),
        ..BASE
    },
    Scheme {
        name: "pissa-b",
        summary: "the B matrix of a PiSSA adapter, from the singular vectors of --base",
        formula: "B = U_r sqrt(S_r / scaling), where W = U S V^T and r is the rank, the number of inputs of B",
        source: PISSA,
        ranks: RANK_OF_B,
        example: example_on("pissa-b", "8x4", "torch"),
        distribution: |arguments, site| decomposed(arguments, site, Method::Pissa, Part::B),
        ..BASE
    },
    Scheme {
        name: "pissa-base",
        summary: "the residual of --base after a PiSSA adapter",
        formula: "W - scaling B A = W - U_r S_r V_r^T",
        source: PISSA,
        ranks: RANK_OF_BASE,
        example: example_on("pissa-base:rank=4", "8x8", "torch"),
        distribution: |arguments, site| decomposed(arguments, site, Method::Pissa, Part::Base),
        ..BASE
    },
    Scheme {
        name: "olora-a",
        summary: "the A matrix of an OLoRA adapter, from the QR decomposition of --base",
        formula: "A = the first r rows of R, where W = Q R, the diagonal of R is not negative, and r is the rank, the number of outputs of A",
        source: OLORA,
        ranks: RANK_OF_A,
        example: example_on("olora-a", "4x8", "torch"),
        distribution: |arguments, site| decomposed(arguments, site, Method::Olora, Part::A),
        ..BASE
    },
    Scheme {
        name: "olora-b",
        summary: "the B matrix of an OLoRA adapter, from the QR decomposition of --base",
        formula: "B = the first r columns of Q, where W = Q R and r is the rank, the number of inputs of B",
        source: OLORA,
        ranks: RANK_OF_B,
        example: example_on("olora-b", "8x4", "torch"),
        distribution: |arguments, site| decomposed(arguments, site, Method::Olora, Part::B),
        ..BASE
    },
    Scheme {
        name: "olora-base",
        summary: "the residual of --base after an OLoRA adapter",
        formula: "W - scaling B A",
        source: OLORA,
        ranks: RANK_OF_BASE,
        example: example_on("olora-base:rank=4", "8x8", "torch"),
        distribution: |arguments, site| decomposed(arguments, site, Method::Olora, Part::Base),
        ..BASE
    },
];

const RANK_OF_A: &str = "rank outputs, and the inputs of the base; with --base FILE";
const RANK_OF_B: &str = "the outputs of the base, and rank inputs; with --base FILE";
const RANK_OF_BASE: &str = "the shape of the base; with --base FILE";

/// Defaults of the rows.
const BASE: Scheme =
    Scheme { parameters: &[&RANK, &SCALING], bare: Some(RANK.name), requires: Requires::Base, ..EMPTY };

#[derive(Clone, Copy, Debug)]
enum Method {
    Pissa,
    Olora,
}

#[derive(Clone, Copy, Debug)]
enum Part {
    A,
    B,
    Base,
}

#[derive(Debug)]
struct Decomposed {
    method: Method,
    part: Part,
    rank: u64,
    scaling: f64,
    base: Arc<Base>,
    /// The base, and the drawn tensor, as a matrix.
    weight: Unfolding,
    unfolding: Unfolding,
}

fn decomposed(arguments: &mut Arguments, site: &Site, method: Method, part: Part) -> Result<Distribution> {
    let (base, axes) = site.base()?;
    let weight = Unfolding::new(axes).with_context(|| format!("the base of shape {}", base.shape))?;
    let unfolding = site.unfolding()?;
    let one = |unfolding: &Unfolding| unfolding.matrices() == 1;
    ensure!(one(&weight) && one(&unfolding), "this scheme needs one matrix, without batch or group axes");
    let (outputs, inputs) = (weight.rows(), weight.columns());
    let given = arguments.optional(&RANK);
    let (rank, fits) = match part {
        Part::A => (Some(unfolding.rows()), unfolding.columns() == inputs),
        Part::B => (Some(unfolding.columns()), unfolding.rows() == outputs),
        Part::Base => (given, *site.shape == base.shape),
    };
    let rank = rank.context("`rank` is required, as in `rank=8`")?;
    ensure!(
        fits,
        "the shape does not match the base of shape {}, which has {inputs} inputs and {outputs} outputs",
        base.shape
    );
    ensure!(
        given.is_none_or(|given| given == rank),
        "rank is {}, but the shape has rank {rank}: omit rank",
        given.unwrap_or(0)
    );
    let most = outputs.min(inputs);
    ensure!(
        (1..=most).contains(&rank),
        "rank is {rank}: it must lie between 1 and {most}, the shorter side of the base of shape {}",
        base.shape
    );
    arguments.set(&RANK, &rank);
    let scaling = arguments.positive(&SCALING)?;
    Ok(Distribution::Joint(Arc::new(Decomposed { method, part, rank, scaling, base: base.clone(), weight, unfolding })))
}

impl Moments for Decomposed {
    fn max_abs(&self) -> f64 {
        let norm = self.base.norm();
        match (self.method, self.part) {
            (_, Part::Base) | (Method::Olora, Part::A) => norm,
            (Method::Olora, Part::B) => 1.0,
            (Method::Pissa, _) => (norm / self.scaling).sqrt(),
        }
    }
}

impl Joint for Decomposed {
    fn draw(&self, _: &dyn RandomStreams) -> Vec<f64> {
        let (weight, [outputs, inputs, rank]) =
            (self.matrix(), [self.weight.rows(), self.weight.columns(), self.rank].map(to_usize));
        let Factors { left, weights, right } = match self.method {
            Method::Pissa => singular(&weight, [outputs, inputs], rank),
            Method::Olora => triangular(&weight, [outputs, inputs], rank),
        };
        let (a, b) = match self.method {
            Method::Olora => (right, left),
            Method::Pissa => {
                let roots: Vec<f64> = weights.iter().map(|weight| (weight / self.scaling).sqrt()).collect();
                let a = right.iter().enumerate().map(|(at, value)| roots[at / inputs] * value).collect();
                (a, left.iter().enumerate().map(|(at, value)| value * roots[at % rank]).collect())
            }
        };
        let drawn = match self.part {
            Part::A => a,
            Part::B => b,
            Part::Base => {
                let adapted: Vec<f64> = product(&b, &a, [outputs, rank, inputs]);
                weight.iter().zip(adapted).map(|(weight, adapted)| weight - self.scaling * adapted).collect()
            }
        };
        self.unfolding.tensor(&drawn)
    }

    fn workspace(&self) -> u64 {
        // The base as a matrix, twice, its factors, what is drawn of it in two orders, and the vectors of the decomposition.
        let (rows, columns) = (self.weight.rows(), self.weight.columns());
        bytes_of(&[&[8, rows, columns], &[4, rows, self.rank], &[4, columns, self.rank]])
    }
}

impl Decomposed {
    /// The base with a row for each output, row-major.
    fn matrix(&self) -> Vec<f64> {
        let columns = self.weight.columns();
        let mut matrix = vec![0.0; self.base.values.len()];
        for (value, MatrixIndex { row, column, .. }) in self.base.values.iter().zip(self.weight.places()) {
            matrix[to_usize(row * columns + column)] = *value;
        }
        matrix
    }
}
