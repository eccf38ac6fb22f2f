//! The two matrices of a low-rank adapter, drawn without the adapted weight.

use std::sync::Arc;

use anyhow::{Result, ensure};

use super::super::{Arguments, EMPTY, Parameter, Requires, Scheme, Site, choice, example, example_on};
use crate::distribution::matrix::product;
use crate::distribution::{Distribution, Joint, Moments, NORMAL_REACH, RandomStreams, bytes_of};
use crate::tensor::{AxisRole, Unfolding, to_f64, to_usize};

const LORA: &str = "Hu et al. 2022, LoRA: low-rank adaptation of large language models; PEFT";
const ORTHOGONAL: &str = "PEFT init_lora_weights=\"orthogonal\"";

choice! {
    enum Values { Uniform = "uniform", Normal = "normal" }
}
const DISTRIBUTION: Parameter<Values> =
    Parameter::new("distribution", "normal is PEFT's init_lora_weights=\"gaussian\"").default("uniform");

pub(in super::super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "lora-a",
        summary: "the A matrix of a low-rank adapter: he-uniform with a slope of sqrt(5), or normal",
        formula: "w ~ U(-b, b), b = 1 / sqrt(fan_in), for uniform; w ~ N(0, 1/rank^2), rank = outputs of A, for normal",
        source: LORA,
        ranks: "two or more axes; any with --fan-in",
        parameters: &[&DISTRIBUTION],
        bare: Some(DISTRIBUTION.name),
        requires: Requires::Fans,
        example: example("lora-a"),
        distribution: lora_a,
        ..EMPTY
    },
    Scheme {
        name: "lora-b",
        summary: "the B matrix of a low-rank adapter: zeros, so the adapted weight starts unchanged",
        formula: "w = 0",
        source: LORA,
        ranks: "any",
        example: example("lora-b"),
        distribution: |_, _| Ok(Distribution::Constant { value: 0.0 }),
        ..EMPTY
    },
    Scheme {
        name: "lora-orthogonal-a",
        summary: "the A matrix of an adapter whose product B A is 0, although neither matrix is",
        formula: "A = Qa^T G^T / 10, G inputs x rank/2 of N(0, 1), Qa the even rows (0, 2, ...) of a Haar-distributed rank x rank matrix. lora-orthogonal-b has the odd rows of the same matrix if its tensor has the same name and seed",
        source: ORTHOGONAL,
        ranks: "two or more axes; the rank, which must be even, is the number of outputs",
        requires: Requires::Matrices,
        example: example_on("lora-orthogonal-a", "8x40", "torch"),
        distribution: |_, site| orthogonal(site, Side::A),
        ..EMPTY
    },
    Scheme {
        name: "lora-orthogonal-b",
        summary: "the B matrix of an adapter whose product B A is 0, although neither matrix is",
        formula: "B = H^T Qb / 10, H rank/2 x outputs of N(0, 1), Qb the odd rows of the matrix whose even rows are in lora-orthogonal-a",
        source: ORTHOGONAL,
        ranks: "two or more axes; the rank, which must be even, is the number of inputs",
        requires: Requires::Matrices,
        example: example_on("lora-orthogonal-b", "40x8", "torch"),
        distribution: |_, site| orthogonal(site, Side::B),
        ..EMPTY
    },
];

fn lora_a(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    if arguments.value(&DISTRIBUTION)? == Values::Normal {
        let rank = site.axes()?.product(|role| role == AxisRole::Out);
        return Ok(Distribution::Normal { mean: 0.0, std: 1.0 / to_f64(rank.max(1)) });
    }
    let bound = 1.0 / to_f64(site.fan_in()?.max(1)).sqrt();
    Ok(Distribution::Uniform { low: -bound, high: bound })
}

#[derive(Clone, Copy, Debug)]
enum Side {
    A,
    B,
}

#[derive(Debug)]
struct Orthogonal {
    side: Side,
    unfolding: Unfolding,
}

fn orthogonal(site: &Site, side: Side) -> Result<Distribution> {
    let unfolding = site.unfolding()?;
    let (rank, word) = match side {
        Side::A => (unfolding.rows(), "outputs"),
        Side::B => (unfolding.columns(), "inputs"),
    };
    ensure!(rank % 2 == 0, "the rank, which is the number of {word}, is {rank}: it must be even");
    Ok(Distribution::Joint(Arc::new(Orthogonal { side, unfolding })))
}

impl Orthogonal {
    /// The rank, and the size of the other side.
    fn sizes(&self) -> (u64, u64) {
        let (rows, columns) = (self.unfolding.rows(), self.unfolding.columns());
        match self.side {
            Side::A => (rows, columns),
            Side::B => (columns, rows),
        }
    }
}

/// PEFT's divisor of both matrices.
const DIVISOR: f64 = 10.0;

impl Moments for Orthogonal {
    fn mean(&self) -> Option<f64> {
        Some(0.0)
    }

    /// On average, the rows used hold half of the sum of squares of a row of Q.
    fn std(&self) -> Option<f64> {
        Some(0.5f64.sqrt() / DIVISOR)
    }

    fn max_abs(&self) -> f64 {
        // At each position the rows used have norm at most 1, and are combined with as many normals as there are rows.
        NORMAL_REACH / DIVISOR * to_f64(self.sizes().0.div_ceil(2)).sqrt()
    }
}

impl Joint for Orthogonal {
    fn draw(&self, draws: &dyn RandomStreams) -> Vec<f64> {
        let unfolding = &self.unfolding;
        let (rank, other) = self.sizes();
        let [size, long] = [rank, other].map(to_usize);
        let (first, stream) = match self.side {
            Side::A => (0, 1),
            Side::B => (1, 2),
        };
        let mut all = vec![0.0; to_usize(unfolding.matrices()) * size * long];
        if all.is_empty() {
            return all;
        }
        for (matrix, number) in all.chunks_exact_mut(size * long).zip((0..).step_by(3)) {
            // By columns, or by rows of its transpose, which is as good.
            let square = draws.orthonormal(number, size, size);
            let half: Vec<f64> = square.chunks_exact(size).skip(first).step_by(2).flatten().copied().collect();
            let mut normals = vec![0.0; long * size / 2];
            draws.normals(number + stream, &mut normals);
            // A row for each input of A, or output of B.
            matrix.copy_from_slice(&product(&normals, &half, [long, size / 2, size]));
        }
        for value in &mut all {
            *value /= DIVISOR;
        }
        match self.side {
            Side::A => unfolding.clone().transposed().tensor(&all),
            Side::B => unfolding.tensor(&all),
        }
    }

    fn workspace(&self) -> u64 {
        let (rank, other) = self.sizes();
        // The values twice, normals and a product; the square matrix, half of it, and what it takes to make one.
        bytes_of(&[&[2, self.unfolding.matrices(), rank, other], &[2, rank, other], &[4, rank, rank]])
    }
}
