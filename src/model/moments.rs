//! The rules `moments`: each tensor of a template is drawn with its own mean and standard deviation.

use anyhow::{Context, Result, bail, ensure};

use crate::reader::Contents;
use crate::scan::summary;
use crate::tensor::{Element, Shape, Stored};

/// The name of these rules.
pub const NAME: &str = "moments";
/// One line for lists.
pub const SUMMARY: &str =
    "rules that draw each tensor of a weights file from a normal distribution with its own mean and standard deviation";

/// Parts of the names of buffers, which hold statistics and tables.
pub const BUFFERS: [&str; 8] = [
    "attn_mask",
    "batch_stats",
    "inv_freq",
    "moving_mean",
    "moving_variance",
    "original_inv_freq",
    "running_mean",
    "running_var",
];

/// The kinds of tensors with the template's values, each with its definition.
pub const KEPT: [(&str, &str); 3] = [
    ("buffer", "a part of the name is one of `buffers`, or it is a bias of shape 1x1xNxN, which is a mask"),
    ("integer", "integers and booleans"),
    ("constant", "all values are equal, as in a scalar"),
];
/// The tensors without a content, which need `--keep`.
pub const REFUSED: &str = "values that are not finite, floating-point types that no scheme draws, and integers of fewer than 64 bits that \
    may be quantised weights (a matrix, or `weight`, `kernel` or `_blocks` in the name); --keep PATTERN copies them";

/// The content of a tensor.
pub(super) enum Moments {
    /// The template's values. The kind is that of the tensor: `constant`, ...
    Kept(&'static str),
    /// A scheme.
    Drawn(String),
}

impl Moments {
    /// The content of tensor `number` of a template. Reads its values once, unless its name or type decides. Errors if it can neither be
    /// drawn nor is harmless to copy.
    pub(super) fn of(template: &Contents, number: usize, threads: usize) -> Result<Self> {
        let entry = template.entries.get(number).context("no such tensor")?;
        let name = crate::text::escape(&entry.name);
        let copy = || format!("pass --keep '{name}' to copy it");
        if is_buffer(&entry.name, &entry.shape) {
            return Ok(Self::Kept("buffer"));
        }
        match entry.element() {
            Some(Element::Drawn(_)) => {}
            Some(Element::Stored(stored)) if stored.is_integer() => {
                let is_suspect = may_be_quantised(&entry.name, &entry.shape, stored);
                ensure!(!is_suspect, "`{name}` has {} values, which may be quantised weights: {}", stored.word, copy());
                return Ok(Self::Kept("integer"));
            }
            _ => bail!("no scheme draws `{name}` of type {}: {}", crate::text::escape(&entry.type_word), copy()),
        }
        let summary = summary(template, number, threads)?;
        if let (0, 0) = (summary.nan, summary.infinite)
            && summary.min == summary.max
        {
            return Ok(Self::Kept("constant"));
        }
        let not_finite = summary.nan + summary.infinite;
        ensure!(not_finite == 0, "`{name}` has {not_finite} values that are not finite: {}", copy());
        match (summary.mean(), summary.std()) {
            (Some(mean), Some(std)) if std > 0.0 => Ok(Self::Drawn(format!("normal:mean={mean:?},std={std:?}"))),
            _ => bail!("the moments of `{name}` exceed double precision: {}", copy()),
        }
    }
}

/// True for statistics, tables and causal masks, by the name. A bias of four axes is a mask, as in GPT-2.
fn is_buffer(name: &str, shape: &Shape) -> bool {
    let is_mask =
        name.rsplit('.').next() == Some("bias") && matches!(shape.axes(), [1, 1, rows, columns] if rows == columns);
    is_mask || name.split(['.', '/']).any(|part| BUFFERS.contains(&part))
}

/// True if integers may be weights. Positions and counts have 64 bits, or one axis.
fn may_be_quantised(name: &str, shape: &Shape, stored: &Stored) -> bool {
    let is_named = ["weight", "kernel"].iter().any(|word| name.contains(word)) || name.ends_with("_blocks");
    let is_matrix = shape.axes().iter().filter(|&&size| size > 1).count() > 1;
    (is_named || is_matrix) && stored.bits < 64 && stored.word != "bool"
}
