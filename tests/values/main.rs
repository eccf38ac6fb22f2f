//! The values: golden ones, those that frameworks drew, and those of the libraries' models.

#[path = "../common/mod.rs"]
mod common;

mod families;
mod golden;
mod parity;
mod spellings;
