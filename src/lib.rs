//! Initial weights of neural networks, written to files.
//!
//! A [`Plan`](plan::Plan) lists the tensors of a file in order, each with its name, shape, type and [scheme]. A scheme turns a shape
//! into a [`Distribution`](distribution::Distribution), a [generator] draws from it, and a [writer] turns the numbers into the bytes
//! of a [format](mod@format):
//!
//! ```
//! use fanin::format::Format;
//! use fanin::generator::NATIVE;
//! use fanin::plan::{Common, DrawnTensor, Plan};
//! use fanin::tensor::{DType, Fans, Layout, Seed};
//! use fanin::writer::{self, Existing, FileOptions, Settings};
//!
//! let common = Common { dtype: DType::F32.into(), layout: Layout::default(), fans: Fans::default(), generator: NATIVE };
//! let weight = DrawnTensor::new("weight".parse()?, "784x256".parse()?, "he-normal", &common)?;
//! let bias = DrawnTensor::new("bias".parse()?, "256".parse()?, "zeros", &common)?;
//! let plan = Plan::new(NATIVE, Seed::from(7), [weight, bias])?;
//!
//! let file = std::env::temp_dir().join(format!("fanin-{}.npz", std::process::id()));
//! let pieces = Format::find("npz")?.pieces(&plan)?;
//! let options = FileOptions { existing: Existing::Refuse, fsync: false };
//! let settings = Settings { threads: &|| 2, progress: &|_| () };
//! writer::write_file(&plan, &pieces, &file, options, &settings)?;
//! # assert!(std::fs::metadata(&file)?.len() > plan.bytes());
//! # std::fs::remove_file(file)?;
//! # Ok::<(), anyhow::Error>(())
//! ```
//!
//! The values depend on the seed, the name, the shape and the scheme alone: they are the same on every machine, for any number of
//! threads. `docs/design.md` in the repository describes the rooms of the code.

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

mod checkpoint;
mod cli;
pub mod distribution;
pub mod format;
pub mod generator;
mod inspect;
mod matrix;
mod model;
mod parallel;
mod passing;
mod picture;
pub mod plan;
mod pretrain;
pub mod provenance;
pub mod reader;
mod scan;
pub mod scheme;
mod show;
mod simd;
#[doc(hidden)]
pub mod statistics;
pub mod tensor;
mod text;
mod verify;
pub mod writer;

pub use cli::run;
// The tests use these.
#[doc(hidden)]
pub use inspect::summary;
#[doc(hidden)]
pub use text::is_visible;
