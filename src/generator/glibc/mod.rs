//! Functions of the C library whose last bits show in the frameworks' values: those of glibc 2.36 on an x86-64 CPU with fused
//! multiply-add, which the frameworks call. Here they have the same bits on every platform.
//!
//! The algorithms, constants and tables are those of glibc, which has them from Arm Optimized Routines (Nagy 2018), the IBM Accurate
//! Mathematical Library (2001) and Sun's fdlibm (1993). Each operation is fused, or is not, as in glibc's compiled functions. Every function
//! accepts the arguments that random numbers need.

mod angles;
mod logarithm;
mod power;
mod powers;
mod sine;
pub(super) mod single;
mod tangent;

pub(super) use logarithm::{ln, ln_1p};
pub(super) use power::{exp, pow};
pub(super) use sine::{cos, sin};
pub(super) use tangent::tan;

#[cfg(test)]
mod tests;
