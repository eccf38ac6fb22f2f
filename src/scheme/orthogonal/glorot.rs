//! Orthogonal matrices with the variance of Glorot.

use std::sync::Arc;

use anyhow::ensure;

use super::super::common::SCALE;
use super::parts::{haar, scale, tensor};
use super::{EMPTY, Requires, Scheme, example};
use crate::distribution::{Distribution, Joint, Moments, RandomStreams, bytes_of, panels};
use crate::tensor::{Unfolding, to_f64, to_usize};

pub(super) const ROW: Scheme = Scheme {
    name: "glorot-orthogonal",
    summary: "orthogonal, rescaled to a variance over its elements of scale/(fan_in+fan_out)",
    formula: "W = Q sqrt(scale / ((fan_in + fan_out) var(Q))), Q as in orthogonal, var the sample variance of its elements",
    source: "DimeNet (Gasteiger, Groß and Günnemann 2020); PyTorch Geometric glorot_orthogonal",
    ranks: "two or more axes",
    parameters: &[&SCALE.default("2").help("the factor on the variance, above 0")],
    bare: Some(SCALE.name),
    requires: Requires::Fans,
    example: example("glorot-orthogonal"),
    distribution: |arguments, site| {
        let unfolding = site.unfolding()?;
        let single = unfolding.rows() == 1 && unfolding.columns() == 1;
        ensure!(!single, "a weight of one element has no variance: use glorot-normal");
        let fans = to_f64(site.fan_in()?) + to_f64(site.fan_out()?);
        let variance = arguments.positive(&SCALE)? / fans.max(1.0);
        Ok(Distribution::Joint(Arc::new(GlorotOrthogonal { variance, unfolding })))
    },
    ..EMPTY
};

#[derive(Debug)]
struct GlorotOrthogonal {
    variance: f64,
    unfolding: Unfolding,
}

impl Moments for GlorotOrthogonal {
    fn mean(&self) -> Option<f64> {
        Some(0.0)
    }

    fn max_abs(&self) -> f64 {
        // One element may hold a whole row's or column's share; the variance of very small matrices is any number.
        2.0 * (self.variance * to_f64(self.unfolding.rows().max(self.unfolding.columns()))).sqrt()
    }
}

impl Joint for GlorotOrthogonal {
    fn draw(&self, draws: &dyn RandomStreams) -> Vec<f64> {
        let sizes = [self.unfolding.rows(), self.unfolding.columns()].map(to_usize);
        let matrix = |number| {
            let mut values = haar(draws, number, sizes);
            let factor = (self.variance / sample_variance(&values)).sqrt();
            scale(&mut values, factor);
            values
        };
        tensor(&self.unfolding, matrix)
    }

    fn workspace(&self) -> u64 {
        let (rows, columns) = (self.unfolding.rows(), self.unfolding.columns());
        bytes_of(&[&[2, self.unfolding.count()], &[rows, columns], &panels(rows.max(columns))])
    }
}

/// The unbiased variance of two or more values.
fn sample_variance(values: &[f64]) -> f64 {
    let count = to_f64(values.len() as u64);
    let mean = values.iter().sum::<f64>() / count;
    values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (count - 1.0)
}
