//! Values on a terminal.

use std::io::Write;

use anyhow::Result;

use crate::plan::{Opened, Plan};
use crate::show::{array_text, histogram};
use crate::text::escape;
use crate::writer::Encoder;

/// The maximum number of values in a histogram.
const MAX_SHOWN: usize = 1 << 16;
/// The width of a histogram in characters.
const HISTOGRAM_WIDTH: usize = 75;

/// Prints each drawn tensor like a `NumPy` array, and a histogram of its first values.
pub(super) fn show(out: &mut dyn Write, plan: &Plan, threads: usize) -> Result<()> {
    for (number, tensor) in plan.tensors().iter().enumerate() {
        let Opened::Numbers(dtype, source) = plan.open(number, threads) else { continue };
        let mut encoder = Encoder::default();
        let mut element = |index| encoder.widened(source.as_ref(), dtype, index, 1)[0];
        if plan.tensors().len() > 1 {
            writeln!(out, "\n{}:", escape(tensor.name().as_str()))?;
        } else {
            writeln!(out)?;
        }
        writeln!(out, "{}", array_text(tensor.shape().axes(), dtype, &mut element))?;
        let sample = usize::try_from(tensor.shape().count()).unwrap_or(MAX_SHOWN).min(MAX_SHOWN);
        if sample > 1 {
            let values = encoder.widened(source.as_ref(), dtype, 0, sample);
            write!(out, "\n{}", histogram(values, HISTOGRAM_WIDTH))?;
        }
    }
    Ok(())
}
