//! Tables of embeddings. They have one row an entry in every framework, whatever the layout of its weights.

use anyhow::Result;

use super::{Arguments, Kind, Parameter, Requires, Scheme, Site, example};
use crate::distribution::Distribution;
use crate::tensor::to_f64;

pub(super) const ROWS: &[Scheme] = &[Scheme {
    name: "embedding",
    summary: "normal rows; the row of a padding token may be zeros",
    formula: "w[row, ..] ~ N(0, std^2), std / sqrt(features) if scaled; w[padding, ..] = 0; features = size of the last axis",
    source: "torch.nn.Embedding; Vaswani et al. 2017, Attention is all you need (scaled)",
    ranks: "two or more axes",
    parameters: &[
        Parameter { name: "std", kind: Kind::Number, default: Some("1"), help: "the standard deviation, 0 or more" },
        Parameter {
            name: "padding",
            kind: Kind::Index,
            default: None,
            help: "the row of zeros, counted from 0, or from the end if negative; none by default",
        },
        Parameter {
            name: "scaled",
            kind: Kind::Flag,
            default: None,
            help: "divide std by the square root of the number of features",
        },
    ],
    bare: Some("std"),
    aliases: &[],
    requires: Requires::Shape,
    example: example("embedding:padding=0"),
    distribution: embedding,
}];

fn embedding(arguments: &mut Arguments, site: &Site) -> Result<Distribution> {
    let [rows, .., features] = *site.shape.axes() else {
        anyhow::bail!("it needs two or more axes, and shape {} has {}", site.shape, site.shape.rank());
    };
    let scale = if arguments.flag("scaled") { to_f64(features.max(1)).sqrt() } else { 1.0 };
    let std = arguments.nonnegative("std")? / scale;
    let Some(padding) = arguments.optional_index("padding", rows)? else {
        return Ok(Distribution::Normal { mean: 0.0, std });
    };
    let row: u64 = site.shape.axes()[1..].iter().product();
    Ok(Distribution::Cleared {
        distribution: Box::new(Distribution::Normal { mean: 0.0, std }),
        from: padding * row,
        to: (padding + 1) * row,
    })
}
