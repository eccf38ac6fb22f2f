//! Statistics independent of tensors: normal distribution, quadrature, summaries, histograms, distribution functions
//! of elements and samples, and p-values.

pub mod ecdf;
pub mod histogram;
pub mod marginal;
pub mod normal;
pub mod p_value;
pub mod quadrature;
pub mod special;
pub mod summary;
pub mod truncated_normal;
