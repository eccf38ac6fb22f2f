//! Statistics: the normal distribution, integrals, empirical distribution functions and p-values.

pub mod ecdf;
pub mod normal;
pub mod p_value;
pub mod quadrature;
