//! Low-rank adapters (LoRA): the weight of a layer is W + scaling B A. A takes the layer's inputs to `rank` numbers, B these
//! to its outputs; each is the weight of a layer of its own, in the layout of the others.

pub(super) mod decomposed;
pub(super) mod lora;
mod svd;

/// A count of what is in memory.
#[expect(clippy::cast_possible_truncation, reason = "sizes of what is in memory")]
fn whole(count: u64) -> usize {
    count as usize
}
