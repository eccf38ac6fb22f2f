//! Reading and writing: every format, its variants, and files that nobody should write.

#[path = "../common/mod.rs"]
mod common;

mod mat;
mod numpy;
mod pickles;
mod readers;
mod stored;
mod temporary;
