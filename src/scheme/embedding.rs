//! Embedding tables. They have one row per entry in every framework and layout.

use anyhow::Result;

use super::common::{PADDING, STD};
use super::{Arguments, EMPTY, Parameter, Scheme, Site, example};
use crate::distribution::Distribution;
use crate::tensor::to_f64;

const SCALED: Parameter<bool> = Parameter::new("scaled", "divide std by the square root of the number of features");

pub(super) const ROWS: &[Scheme] = &[Scheme {
    name: "embedding",
    summary: "normal rows; the row of a padding token may be zeros",
    formula: "w[row, ..] ~ N(0, std^2), std / sqrt(features) if scaled; w[padding, ..] = 0; features = size of the last axis",
    source: "torch.nn.Embedding; Vaswani et al. 2017, Attention is all you need (scaled)",
    ranks: "two or more axes",
    parameters: &[&STD.default("1").help("the standard deviation, 0 or more"), &PADDING, &SCALED],
    bare: Some(STD.name),
    example: example("embedding:padding=0"),
    distribution: embedding,
    ..EMPTY
}];

fn embedding(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let [rows, .., features] = *site.shape.axes() else {
        anyhow::bail!("this scheme needs two or more axes, not {}", site.shape.rank());
    };
    let scale = if arguments.flag(&SCALED) { to_f64(features.max(1)).sqrt() } else { 1.0 };
    let std = arguments.nonnegative(&STD)? / scale;
    let Some(padding) = arguments.optional_index(&PADDING, rows)? else {
        return Ok(Distribution::Normal { mean: 0.0, std });
    };
    let row: u64 = site.shape.axes()[1..].iter().product();
    Ok(Distribution::Cleared {
        distribution: Box::new(Distribution::Normal { mean: 0.0, std }),
        from: padding * row,
        to: (padding + 1) * row,
    })
}
