//! Weights with mostly zeros.

mod bernoulli;

use anyhow::{Result, bail, ensure};

use super::common;
use super::{Arguments, EMPTY, Parameter, Requires, Scheme, Site, choice, example};
use crate::distribution::Distribution;
use crate::tensor::{Unfolding, to_f64};

pub(super) const ROWS: &[Scheme] = &[
    Scheme {
        name: "sparse",
        summary: "the same number of non-zero incoming weights for every unit",
        formula: "of the n = inputs x kernel weights of each output, exactly k ~ N(mean, std^2) at positions drawn uniformly, the others 0; k = nonzeros, floor(density n), or n - ceil(zeros n); unit=input: of the n = outputs weights of each input and kernel position",
        source: "Martens 2010, Deep learning via Hessian-free optimization (k = 15); Lasagne Sparse (density = 0.1)",
        ranks: "two or more axes",
        parameters: &[&NONZEROS, &DENSITY, &ZEROS, &STD, &MEAN, &UNIT],
        bare: Some(NONZEROS.name),
        aliases: &["martens"],
        requires: Requires::Matrices,
        example: example("sparse:nonzeros=2"),
        distribution: sparse,
        ..EMPTY
    },
    bernoulli::ROW,
];

pub(super) const NONZEROS: Parameter<u64> = Parameter::new(
    "nonzeros",
    "the number k of non-zeros of each unit; one of nonzeros, density and zeros is required",
);
pub(super) const DENSITY: Parameter<f64> = common::DENSITY.help("the fraction of non-zeros of each unit");
pub(super) const ZEROS: Parameter<f64> = Parameter::new("zeros", "the fraction of zeros of each unit");
pub(super) const STD: Parameter<f64> =
    common::STD.default("0.01").help("the standard deviation of the non-zeros, 0 or more");
pub(super) const MEAN: Parameter<f64> = common::MEAN.help("the mean of the non-zeros [default: 0]");
choice! {
    /// The side that fixes the number of weights.
    pub(super) enum Unit { Output = "output", Input = "input" }
}
pub(super) const UNIT: Parameter<Unit> = Parameter::new(
    "unit",
    "the weights that are counted: those into each output, or those out of each input (as torch.nn.init.sparse_) [default: output]",
);

fn sparse(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let unfolding = unfolding(arguments, site)?;
    let n = unfolding.columns();
    let (density, zeros) = (arguments.optional_fraction(&DENSITY)?, arguments.optional_fraction(&ZEROS)?);
    let nonzeros = match (arguments.optional(&NONZEROS), density, zeros) {
        (Some(count), None, None) => count,
        (None, Some(density), None) => rounded(density * to_f64(n), f64::floor),
        (None, None, Some(zeros)) => n - rounded(zeros * to_f64(n), f64::ceil).min(n),
        _ => bail!("exactly one of nonzeros, density and zeros is required, as in `sparse:nonzeros=15`"),
    };
    check_count(nonzeros, n)?;
    let (mean, std) = moments(arguments)?;
    Ok(Distribution::Sparse { nonzeros, mean, std, unfolding })
}

/// The tensor as matrices with a row for each unit of the side `unit`.
fn unfolding(arguments: &Arguments, site: &Site) -> Result<Unfolding> {
    let unfolding = site.unfolding()?;
    Ok(if arguments.optional(&UNIT) == Some(Unit::Input) { unfolding.transposed() } else { unfolding })
}

fn check_count(nonzeros: u64, n: u64) -> Result<()> {
    ensure!(nonzeros <= n, "nonzeros is {nonzeros}, but each unit has only {n} weights");
    Ok(())
}

/// The mean and standard deviation of the non-zeros.
fn moments(arguments: &Arguments) -> Result<(f64, f64)> {
    Ok((arguments.optional(&MEAN).unwrap_or(0.0), arguments.nonnegative(&STD)?))
}

/// The product of a fraction and a count, rounded down or up. A product that misses an integer only because the fraction is inexact in
/// binary (0.29 of 100) is that integer. Frameworks get 28 there, and 8 zeros for 0.07 of 100.
pub(super) fn rounded(product: f64, round: fn(f64) -> f64) -> u64 {
    let near = product.round();
    let exact = if (product - near).abs() <= 2.0 * f64::EPSILON * near { near } else { round(product) };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a fraction of a count")]
    let count = exact as u64;
    count
}

#[cfg(test)]
mod tests {
    use super::super::resolve;
    use super::*;
    use crate::tensor::{Fans, Layout, Shape};

    fn nonzeros(expression: &str, shape: &str) -> Result<u64> {
        let (shape, layout): (Shape, _) = (shape.parse()?, Layout::default());
        match resolve(expression)?.distribution(&Site::new(&shape, &layout, Fans::default()), None)?.0 {
            Distribution::Sparse { nonzeros, .. } => Ok(nonzeros),
            other => bail!("{other:?}"),
        }
    }

    #[test]
    fn counts_are_exact() {
        for (expression, expected) in [
            ("sparse:nonzeros=15", 15),
            ("sparse:density=0.29", 29),
            ("sparse:density=0.299", 29),
            ("sparse:density=0.2999999999", 29),
            ("sparse:zeros=0.71", 29),
            ("sparse:zeros=0.701", 29),
            ("sparse:zeros=0", 100),
            ("sparse:density=0", 0),
            ("lasagne.Sparse", 10),
            ("sparse:nonzeros=3,unit=output", 3),
            ("sparse:density=0.5,unit=input", 3),
            ("sparse:zeros=0.5,unit=input", 3),
            ("torch.sparse_", 0),
            ("torch.sparse_:zeros=0.1", 6),
            ("flux.sparse_init:zeros=0.7", 2),
            ("mlx.sparse", 10),
        ] {
            assert_eq!(nonzeros(expression, "100x7").unwrap(), expected, "{expression}");
        }
        for expression in [
            "sparse",
            "sparse:nonzeros=101",
            "sparse:density=1.1",
            "sparse:nonzeros=1,zeros=0.5",
            "sparse:nonzeros=8,unit=input",
        ] {
            assert!(nonzeros(expression, "100x7").is_err(), "{expression} was taken");
        }
    }
}
