//! Statistics that know no tensor: the normal distribution, integrals, summaries, histograms, distribution functions, p-values.

pub mod ecdf;
pub mod histogram;
pub mod normal;
pub mod p_value;
pub mod quadrature;
pub mod summary;
pub mod truncated_normal;
