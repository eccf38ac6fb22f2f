//! Turns values into bytes. A [format](crate::format) lists the pieces of a file; `fill` produces them, and
//! `atomic_file` publishes complete files only.

mod atomic_file;
mod checksums;
mod encode;
mod fill;
mod in_order;
mod jobs;
mod settings;
mod sha256;
mod unfinished;

pub use atomic_file::{
    Existing, FileOptions, OTHER, Outcome, Prepared, Standing, check_target, is_stream, is_whole, prepare_file,
    standing, withdraw, write_file, write_stream,
};
pub use encode::Encoder;
pub use fill::{Take, draw};
pub use settings::{Settings, Step};
pub use sha256::{sha256_of_bytes, sha256_of_files, sums_file};
