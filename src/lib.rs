//! Initial weights of neural networks, written to files.
//!
//! ```text
//! argv ──cli──▶ Plan ──────scheme──────▶ Distribution ─────generator─────▶ numbers ──writer──▶ file, folder or stream
//!               tensors in order:        what to draw            in parallel,
//!               name, shape, dtype,      (pure function of       any order,
//!               scheme, fans, seed       shape and scheme)       any chunk
//! file ──reader──▶ header ──▶ inspect            header + Plan ──▶ verify (derive again, compare)
//! ```
//!
//! Everything flows one way: a front end only builds a [`plan::Plan`]; a [`scheme`] only turns a shape into a
//! [`distribution::Distribution`]; a [`generator`] only turns a distribution into numbers; a [`writer`] only turns numbers into bytes.

#![cfg_attr(
    test,
    allow(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "numbers made for tests"
    )
)]

pub mod cli;
pub mod distribution;
pub mod format;
pub mod generator;
pub mod inspect;
pub mod matrix;
pub mod model;
pub mod parallel;
pub mod passing;
pub mod plan;
pub mod pretrain;
pub mod provenance;
pub mod reader;
pub mod scan;
pub mod scheme;
pub mod show;
pub mod simd;
pub mod statistics;
pub mod tensor;
pub mod text;
pub mod verify;
pub mod writer;
