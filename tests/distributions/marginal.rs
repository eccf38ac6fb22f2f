//! The distribution of single elements of every scheme that has a formula for it, against the drawn elements.

use fanin::statistics::marginal::Marginal;
use fanin::tensor::DType;

use crate::draw;

/// The number of drawn elements; those of one tensor may depend on each other.
const ELEMENTS: usize = 120_000;
/// The largest difference of probabilities that is random for that number of elements.
const TOLERANCE: f64 = 0.008;

/// The elements of tensors of several seeds.
fn drawn(expression: &str, shape: &str, layout: &str) -> (Option<Marginal>, Vec<f64>) {
    let tensor = draw::tensor(expression, shape, layout, DType::F64);
    let count = usize::try_from(tensor.shape().count()).unwrap().max(1);
    let seeds = (ELEMENTS.div_ceil(count) as u64).clamp(8, 40_000);
    let marginal = tensor.spec().marginal();
    let values =
        if marginal.is_some() { (0..seeds).flat_map(|seed| draw::whole(seed, &tensor)).collect() } else { vec![] };
    (marginal, values)
}

/// The largest difference between the drawn values and a marginal distribution, of a probability or of the distribution function of the
/// values that are no atoms. The latter counts in proportion to the root of their share, as its random error does.
fn difference(marginal: &Marginal, values: &[f64]) -> f64 {
    let total = values.len() as f64;
    let is_atom = |value: f64| marginal.atoms.iter().any(|(atom, _)| *atom == value);
    let share = |atom: f64| values.iter().filter(|&&value| value == atom).count() as f64 / total;
    let atoms = marginal.atoms.iter().map(|&(value, probability)| (share(value) - probability).abs());
    let mut others: Vec<f64> = values.iter().copied().filter(|&value| !is_atom(value)).collect();
    others.sort_by(f64::total_cmp);
    let count = others.len() as f64;
    let distances = marginal.others.iter().flat_map(|cdf| {
        let distance = |(place, &value): (usize, &f64)| (cdf(value) - place as f64 / count).abs();
        others.iter().enumerate().step_by(31).map(distance)
    });
    let probability: f64 = marginal.atoms.iter().map(|(_, probability)| probability).sum();
    let unlisted = if probability > 1.0 - 1e-9 { count } else { 0.0 };
    atoms.chain(distances.map(|distance| distance * (count / total).sqrt())).fold(unlisted, f64::max)
}

/// Expressions of each kind that no example has, on shapes that are small enough for the number of dimensions to matter.
const ROWS: &[(&str, &str, &str)] = &[
    ("orthogonal", "5x3", "io"),
    ("orthogonal:gain=2", "2x2", "io"),
    ("orthogonal:method=householder", "4x7", "io"),
    ("orthogonal", "1x1", "io"),
    ("unit-ball:3", "2x5", "io"),
    ("unit-sphere:3", "2x5", "io"),
    ("orthogonal-random-features:norms=equal,std=2", "4x6", "io"),
    ("delta-orthogonal", "3x2x5", "keras"),
    ("skew-symmetric:angles=cayley", "6x6", "io"),
    ("skew-symmetric:angles=haar", "6x6", "io"),
    ("skew-symmetric:angles=haar", "7x7", "io"),
    ("skew-symmetric:angles=normal", "6x6", "io"),
    ("skew-symmetric:angles=normal-squeeze", "6x6", "io"),
    ("icnr:distribution=uniform", "8x2x3x3", "torch"),
    ("sparse:nonzeros=3,mean=1,std=0.5", "10x7", "io"),
    ("sparse-bernoulli:density=0.3", "10x7", "io"),
    ("embedding:padding=1", "5x3", "io"),
    ("bernoulli:value=2,p=0.3,other=0", "100", "io"),
    ("integer-uniform:low=-5000,high=5000", "1000", "io"),
    ("cauchy:scale=1,limit=3", "1000", "io"),
    ("cauchy:scale=1", "1000", "io"),
    ("student-t:dof=3,limit=4,scale=1", "1000", "io"),
    ("student-t:dof=1.5,scale=2", "1000", "io"),
    ("gamma:shape=0.4,scale=2", "1000", "io"),
    ("gamma:shape=20", "1000", "io"),
    ("gamma:shape=1e9", "1000", "io"),
    ("student-t:dof=1e9", "1000", "io"),
    ("mamba-dt:floor=0.003", "1000", "io"),
    ("lru-nu:r-min=0.5,r-max=0.9", "1000", "io"),
    ("chrono:t-max=10", "64", "io"),
    ("chrono-gru:t-max=10,update=renew", "48", "io"),
    ("hippo-diagonal", "9x9", "io"),
    ("random-sparse:degree=2", "9x6", "torch"),
    ("random-sparse:density=0.2,exact=true,distribution=bernoulli,positive=0.7", "9x6", "torch"),
    ("small-world:neighbours=4,rewire=0.5", "11x11", "torch"),
    ("cluster:clusters=3", "9x9", "torch"),
    ("chaotic:extra=0.2", "9x9", "torch"),
    ("band:density=0.3", "9x9", "torch"),
    ("lower-triangular:density=0.3", "9x9", "torch"),
    ("toeplitz:density=0.3", "9x9", "torch"),
    ("permutation:weight=0.5", "5x5", "torch"),
    ("wigner:std-diagonal=3", "5x5", "torch"),
    ("weighted-input", "10x5", "torch"),
    ("spectral:degree=3", "12x12", "torch"),
];

#[test]
fn elements_have_their_marginal_distribution() {
    let examples = fanin::scheme::all().map(|scheme| scheme.example.on("60x50"));
    let mut compared = 0;
    for (expression, shape, layout) in examples.chain(ROWS.iter().copied()) {
        let (marginal, values) = drawn(expression, shape, layout);
        let Some(marginal) = marginal else { continue };
        let found = difference(&marginal, &values);
        assert!(found < TOLERANCE, "{expression} {shape}: the difference is {found}, {marginal:?}");
        compared += 1;
    }
    assert!(compared > 100, "only {compared} expressions have a marginal distribution");
}

#[test]
fn one_dimension_too_many_is_found() {
    let (_, values) = drawn("orthogonal", "5x3", "io");
    assert!(difference(&Marginal::coordinate(1.0, 5), &values) < TOLERANCE);
    assert!(difference(&Marginal::coordinate(1.0, 6), &values) > 2.0 * TOLERANCE);
}
