//! The repository itself: the order of the rooms of `src/`, and pages that say what the program says.

#[path = "../common/mod.rs"]
mod common;

mod architecture;
mod examples;
mod pages;
