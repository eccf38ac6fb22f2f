//! Low-rank adapters (LoRA): the weight of a layer is W + scaling B A. A maps the layer's inputs to `rank` numbers and B maps these to its
//! outputs. Each has the layout of a layer's weight.

pub(super) mod decomposed;
pub(super) mod lora;
mod svd;
