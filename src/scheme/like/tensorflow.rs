//! TensorFlow's stateless distributions.

use anyhow::{Result, ensure};

use super::{Arguments, Law, Like, Site, Target, native, row};
use crate::scheme;

pub(super) const LIKE: Like = Like {
    framework: "tensorflow",
    layout: "default",
    rows: &[
        native("normal"),
        native("uniform"),
        row("truncated-normal", truncated_normal),
        native("zeros"),
        native("ones"),
        native("constant"),
        native("identity"),
    ],
};

/// A normal that is cut at two standard deviations, and nowhere else.
pub(super) fn truncated_normal(arguments: &mut Arguments, site: &Site, _: Target) -> Result<Law> {
    let law = (scheme::find("truncated-normal")?.law)(arguments, site)?;
    if let Law::TruncatedNormal { mean, std, low, high } = law {
        let there = low == mean - 2.0 * std && high == mean + 2.0 * std;
        ensure!(there, "it is cut at 2 standard deviations there and nowhere else: leave the cuts out");
    }
    Ok(law)
}
