//! Attention that starts like trained attention.
//!
//! The paper pairs queries with keys, and values with the output projection. Each pair shares its random numbers. A tensor is drawn by its
//! own name, so only queries and keys, which one tensor holds, can be drawn here.

use std::sync::Arc;

use anyhow::{Result, ensure};
use nalgebra::DMatrix;

use super::common::{ALPHA, BETA};
use super::{Arguments, EMPTY, Parameter, Scheme, Site, example_on};
use crate::distribution::{Distribution, Joint, Moments, NORMAL_REACH, RandomStreams, bytes_of};
use crate::tensor::{MatrixIndex, Unfolding, to_f64, to_usize};

const HEADS: Parameter<u64> = Parameter::new("heads", "the number of heads, 1 or more").default("1");
const PARTS: Parameter<u64> = Parameter::new("parts", "2: queries and keys; 3: queries, keys and values").default("3");

pub(super) const ROWS: &[Scheme] = &[Scheme {
    name: "mimetic",
    summary: "packed queries and keys whose product is a multiple of the identity plus noise, as in trained Transformers",
    formula: "for each head Q' K = the best approximation of rank outputs/(parts heads) of alpha Z + beta I, Z ~ N(0, 1/inputs): rows sqrt(s_j) u_j and sqrt(s_j) v_j of its singular value decomposition; values, the third part, N(0, 1/inputs)",
    source: "Trockman and Kolter 2023, Mimetic initialization of self-attention layers",
    ranks: "two or more axes; outputs in the order part, head, feature",
    parameters: &[
        &ALPHA.default("0.7").help("the noise, 0 or more"),
        &BETA.default("0.7").help("the multiple of the identity"),
        &HEADS,
        &PARTS,
    ],
    example: example_on("mimetic:heads=2", "48x16", "torch"),
    distribution: mimetic,
    ..EMPTY
}];

fn mimetic(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    // Heads are not side by side here but within each part, so the axes are used as in the layout.
    ensure!(site.shape.rank() >= 2, "this scheme needs two or more axes, not {}", site.shape.rank());
    let unfolding = Unfolding::new(site.layout.axes(site.shape)?)?;
    let (outputs, inputs) = (unfolding.rows(), unfolding.columns());
    let [heads, parts] = [arguments.value(&HEADS)?, arguments.value(&PARTS)?];
    ensure!(heads > 0, "heads is 0: it must be 1 or more");
    ensure!(matches!(parts, 2 | 3), "parts is {parts}: it must be 2 (queries, keys) or 3 (queries, keys, values)");
    let blocks = heads.saturating_mul(parts);
    ensure!(outputs % blocks == 0, "{outputs} outputs are not a multiple of {parts} parts of {heads} heads");
    let features = outputs / blocks;
    ensure!(features <= inputs, "a head has {features} features, but there are only {inputs} inputs: raise heads");
    let (alpha, beta) = (arguments.nonnegative(&ALPHA)?, arguments.value(&BETA)?);
    Ok(Distribution::Joint(Arc::new(Mimetic { alpha, beta, heads, features, unfolding })))
}

#[derive(Debug)]
struct Mimetic {
    alpha: f64,
    beta: f64,
    heads: u64,
    /// The number of features per head.
    features: u64,
    unfolding: Unfolding,
}

impl Mimetic {
    /// The query rows of a head, then its key rows.
    fn pair(&self, draws: &dyn RandomStreams, stream: u64, inputs: usize, features: usize) -> [Vec<f64>; 2] {
        let mut target = vec![0.0; inputs * inputs];
        draws.normals(stream, &mut target);
        let noise = self.alpha / to_f64(self.unfolding.columns()).sqrt();
        for (index, value) in target.iter_mut().enumerate() {
            *value = noise * *value + if index % (inputs + 1) == 0 { self.beta } else { 0.0 };
        }
        let decomposition = DMatrix::from_row_slice(inputs, inputs, &target).svd(true, true);
        let (Some(left), Some(right)) = (decomposition.u, decomposition.v_t) else {
            unreachable!("the decomposition was to compute both")
        };
        let root = |feature: usize| decomposition.singular_values[feature].sqrt();
        let rows = |entry: &dyn Fn(usize, usize) -> f64| {
            let row = |feature| (0..inputs).map(move |input| root(feature) * entry(feature, input));
            (0..features).flat_map(row).collect()
        };
        [rows(&|feature, input| left[(input, feature)]), rows(&|feature, input| right[(feature, input)])]
    }
}

impl Moments for Mimetic {
    fn max_abs(&self) -> f64 {
        // The root of the largest singular value that is likely, with room to spare; or of a normal of the values.
        (2.0 * (NORMAL_REACH * self.alpha + self.beta.abs())).sqrt().max(NORMAL_REACH)
    }
}

impl Joint for Mimetic {
    fn draw(&self, draws: &dyn RandomStreams) -> Vec<f64> {
        let Self { heads, features, unfolding, .. } = self;
        let (inputs, width) = (to_usize(unfolding.columns()), to_usize(*features));
        let (matrices, part) = (unfolding.matrices(), heads * features);
        if inputs == 0 || part == 0 || matrices == 0 {
            return Vec::new();
        }
        let pairs: Vec<_> = (0..matrices * heads).map(|head| self.pair(draws, 1 + head, inputs, width)).collect();
        let valued = unfolding.rows() > 2 * part;
        let mut values = vec![0.0; if valued { to_usize(matrices * part) * inputs } else { 0 }];
        draws.normals(0, &mut values);
        let std = 1.0 / to_f64(unfolding.columns()).sqrt();
        let element = |MatrixIndex { matrix, row, column }| {
            let (kind, within) = (row / part, row % part);
            if kind == 2 {
                return std * values[to_usize(matrix * part + within) * inputs + to_usize(column)];
            }
            let pair = &pairs[to_usize(matrix * heads + within / features)];
            pair[to_usize(kind)][to_usize(within % features) * inputs + to_usize(column)]
        };
        unfolding.places().map(element).collect()
    }

    fn workspace(&self) -> u64 {
        let columns = self.unfolding.columns();
        // The values twice; a square matrix, its factors, and what the decomposition works in.
        bytes_of(&[&[2, self.unfolding.count()], &[6, columns, columns]])
    }
}
