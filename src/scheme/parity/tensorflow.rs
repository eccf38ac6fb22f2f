//! TensorFlow's stateless distributions.

use anyhow::{Result, ensure};

use super::{Arguments, Distribution, DrawContext, ParityTable, Site, row, same};
use crate::scheme::truncated;

pub(super) const TABLE: ParityTable = ParityTable {
    framework: "tensorflow",
    layout: "io",
    rows: &[
        same("normal"),
        same("uniform"),
        row("truncated-normal", truncated_normal),
        same("zeros"),
        same("ones"),
        same("constant"),
        same("identity"),
    ],
};

/// A normal truncated at exactly two standard deviations.
pub(super) fn truncated_normal(arguments: &mut Arguments, site: &Site, _: DrawContext) -> Result<Distribution> {
    let distribution = truncated::truncated_normal(arguments, site)?;
    if let Distribution::TruncatedNormal { mean, std, low, high } = distribution {
        let there = low == mean - 2.0 * std && high == mean + 2.0 * std;
        ensure!(there, "TensorFlow cuts at 2 standard deviations only: omit the cuts");
    }
    Ok(distribution)
}
