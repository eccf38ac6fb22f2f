//! Statistics independent of tensors: normal distribution, quadrature, summaries, histograms, distribution functions
//! and p-values.

pub mod ecdf;
pub mod histogram;
pub mod normal;
pub mod p_value;
pub mod quadrature;
pub mod summary;
pub mod truncated_normal;
