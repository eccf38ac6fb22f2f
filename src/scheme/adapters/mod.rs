//! Low-rank adapters (LoRA): the weight of a layer is W + scaling B A. A takes the layer's inputs to `rank` numbers, B these
//! to its outputs; each is the weight of a layer of its own, in the layout of the others.

pub(super) mod decomposed;
pub(super) mod lora;
mod svd;
