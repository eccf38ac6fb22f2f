//! `NumPy`'s numbers.

pub(super) mod legacy;
