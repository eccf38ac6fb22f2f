//! Weights with independent random zeros.

use std::sync::Arc;

use anyhow::{Result, bail};
use rand::Rng;

use super::super::{Arguments, EMPTY, Requires, Scheme, Site, example};
use super::{DENSITY, MEAN, NONZEROS, STD, UNIT, check_count, moments, unfolding};
use crate::distribution::{
    Distribution, Iid, Moments,
    sampling::{self, LARGEST_NORMAL},
};
use crate::statistics::marginal::Marginal;
use crate::tensor::to_f64;

pub(super) const ROW: Scheme = Scheme {
    name: "sparse-bernoulli",
    summary: "each weight is independently zero or normal, so the number of non-zeros per unit varies",
    formula: "w ~ N(mean, std^2) with probability p, else 0; p = density, or nonzeros / n for a mean of that many non-zeros among the n weights of each unit",
    source: "Caffe, the field `sparse` of its Gaussian filler: p = sparse / outputs, which is unit=input",
    ranks: "two or more axes",
    parameters: &[
        &NONZEROS.help("the mean number of non-zeros of each unit; one of nonzeros and density is required"),
        &DENSITY.help("the probability that a weight is not zero"),
        &STD,
        &MEAN,
        &UNIT,
    ],
    bare: Some(NONZEROS.name),
    requires: Requires::Matrices,
    example: example("sparse-bernoulli:nonzeros=2"),
    distribution: sparse_bernoulli,
    ..EMPTY
};

fn sparse_bernoulli(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let n = unfolding(arguments, site)?.columns();
    let chance = match (arguments.optional(&NONZEROS), arguments.optional_fraction(&DENSITY)?) {
        (Some(nonzeros), None) => {
            check_count(nonzeros, n)?;
            to_f64(nonzeros) / to_f64(n.max(1))
        }
        (None, Some(density)) => density,
        _ => bail!("exactly one of nonzeros and density is required, as in `sparse-bernoulli:nonzeros=15`"),
    };
    let (mean, std) = moments(arguments)?;
    Ok(Distribution::Iid(Arc::new(SparseBernoulli { chance, mean, std })))
}

/// N(mean, std²) with a probability, else 0.
#[derive(Debug)]
struct SparseBernoulli {
    chance: f64,
    mean: f64,
    std: f64,
}

impl Moments for SparseBernoulli {
    fn mean(&self) -> Option<f64> {
        Some(self.chance * self.mean)
    }

    fn std(&self) -> Option<f64> {
        let Self { chance, mean, std } = self;
        Some(libm::hypot(std * chance.sqrt(), mean * (chance * (1.0 - chance)).sqrt()))
    }

    fn marginal(&self) -> Option<Marginal> {
        Some(Marginal::normal(self.mean, self.std).or_zero(1.0 - self.chance))
    }

    fn max_abs(&self) -> f64 {
        self.mean.abs() + LARGEST_NORMAL * self.std
    }
}

impl Iid for SparseBernoulli {
    fn sample(&self, words: &mut dyn Rng) -> f64 {
        if sampling::unit(words) < self.chance { self.mean + self.std * sampling::normal(words) } else { 0.0 }
    }
}
