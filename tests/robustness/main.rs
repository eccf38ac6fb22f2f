//! Bad input, faults of the system, and limits: every run ends well or in one line.

#[path = "../common/mod.rs"]
mod common;

mod bad_input;
mod bad_recipes;
mod faults;
mod interrupted;
mod limits;
mod memory;
mod resume;
mod scarce;
mod sets;
mod streams;
