//! The values: golden ones, those that frameworks drew, those of the libraries' models, and the facts of tables and formulas.

#[path = "../common/mod.rs"]
mod common;

mod configs;
mod families;
mod formulas;
mod golden;
mod laws;
mod parity;
mod published;
mod signatures;
mod spellings;
