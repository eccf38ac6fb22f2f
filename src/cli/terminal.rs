//! Values on a terminal.

use anyhow::Result;

use super::screen::Screen;
use crate::plan::{Opened, Plan};
use crate::show::{array_text, histogram};
use crate::text::{escape, grouped};
use crate::writer::Encoder;

/// The maximum number of tensors that are shown.
pub(super) const MAX_TENSORS: usize = 6;
/// The maximum number of values in a histogram.
const MAX_VALUES: usize = 1 << 16;

/// Prints each of the first drawn tensors like a `NumPy` array, with a histogram of its first values, and the number of other tensors.
pub(super) fn show(screen: &mut Screen, plan: &Plan, threads: usize) -> Result<()> {
    let width = screen.picture_width();
    for (number, tensor) in plan.tensors().iter().enumerate().take(MAX_TENSORS) {
        let Opened::Numbers(kind, source) = plan.open(number, threads) else { continue };
        let dtype = kind.computed_in();
        let mut encoder = Encoder::default();
        let mut element = |index| encoder.widened(source.as_ref(), dtype, index, 1)[0];
        screen.exact("")?;
        if plan.tensors().len() > 1 {
            screen.line(format!("{}:", escape(tensor.name().as_str())))?;
        }
        screen.exact(&array_text(tensor.shape().axes(), dtype, width, &mut element))?;
        let sample = usize::try_from(tensor.shape().count()).unwrap_or(MAX_VALUES).min(MAX_VALUES);
        if sample > 1 {
            let values = encoder.widened(source.as_ref(), dtype, 0, sample);
            screen.exact("")?;
            screen.exact(histogram(values, width).trim_end())?;
        }
    }
    let others = plan.tensors().len().saturating_sub(MAX_TENSORS) as u64;
    if others > 0 {
        let (plural, them) = if others == 1 { ("", "it") } else { ("s", "them") };
        let others = grouped(others);
        screen.exact("")?;
        screen.line(format!("... and {others} more tensor{plural}; use -o FILE to write {them}"))?;
    }
    Ok(())
}
