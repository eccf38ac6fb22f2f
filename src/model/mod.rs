//! Whole models: descriptions to the tensors of a plan.

pub mod layers;
pub mod mlp;
