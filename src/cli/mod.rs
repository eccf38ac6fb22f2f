//! The command line: what was typed to what to do. One file a command; none knows a formula or a byte.

pub mod inspect;
