//! Nguyen-Widrow: spreads the units of a layer over its inputs.

use std::sync::Arc;

use anyhow::{Result, ensure};

use super::super::common::FACTOR;
use super::super::normal_uniform::between;
use super::{Arguments, EMPTY, Requires, Scheme, Site, example};
use crate::distribution::{Distribution, Joint, Moments, RandomStreams, bytes_of};
use crate::tensor::{MatrixIndex, Unfolding, to_f64, to_usize};

pub(super) const ROW: Scheme = Scheme {
    name: "nguyen-widrow",
    summary: "weight vectors of random direction and equal norm, so the units cover the inputs evenly",
    formula: "rows of U(-1, 1), one per output, rescaled to the norm beta = factor outputs^(1 / inputs); a vector holds biases: U(-beta, beta), one per output, with --fan-in inputs",
    source: "Nguyen and Widrow 1990, Improving the learning speed of 2-layer neural networks by choosing initial values of the adaptive weights (for inputs in [-1, 1] and tanh)",
    ranks: "two or more axes; one with --fan-in",
    parameters: &[&FACTOR.default("0.7").help("the overlap of the units' regions, above 0")],
    bare: Some(FACTOR.name),
    requires: Requires::Fans,
    example: example("nguyen-widrow"),
    distribution: nguyen_widrow,
    ..EMPTY
};

fn nguyen_widrow(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let (factor, inputs) = (arguments.positive(&FACTOR)?, to_f64(site.fan_in()?.max(1)));
    let beta = |outputs: u64| factor * libm::pow(to_f64(outputs.max(1)), 1.0 / inputs);
    if let [outputs] = site.shape.axes() {
        let beta = beta(*outputs);
        ensure!(beta.is_finite(), "factor is {factor:?}: it is too large");
        return between(-beta, beta);
    }
    let unfolding = site.unfolding()?;
    Ok(Distribution::Joint(Arc::new(NguyenWidrow { beta: beta(unfolding.rows()), unfolding })))
}

#[derive(Debug)]
struct NguyenWidrow {
    beta: f64,
    unfolding: Unfolding,
}

impl Moments for NguyenWidrow {
    fn mean(&self) -> Option<f64> {
        Some(0.0)
    }

    fn std(&self) -> Option<f64> {
        Some(self.beta / to_f64(self.unfolding.columns().max(1)).sqrt())
    }

    fn max_abs(&self) -> f64 {
        self.beta
    }
}

impl Joint for NguyenWidrow {
    fn draw(&self, draws: &dyn RandomStreams) -> Vec<f64> {
        let Self { beta, unfolding } = self;
        let mut values = vec![0.0; to_usize(unfolding.count())];
        draws.signed_uniforms(0, &mut values);
        let row = |place: MatrixIndex| to_usize(place.matrix * unfolding.rows() + place.row);
        let rows = if values.is_empty() { 0 } else { to_usize(unfolding.matrices() * unfolding.rows()) };
        let mut squares = vec![0.0; rows];
        for (value, place) in values.iter().zip(unfolding.places()) {
            squares[row(place)] += value * value;
        }
        for (value, place) in values.iter_mut().zip(unfolding.places()) {
            *value *= beta / squares[row(place)].sqrt();
        }
        values
    }

    fn workspace(&self) -> u64 {
        bytes_of(&[&[self.unfolding.count()], &[self.unfolding.matrices(), self.unfolding.rows()]])
    }
}
