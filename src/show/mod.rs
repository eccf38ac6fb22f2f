//! Values as text and pictures.

mod array_text;
mod decimal;
mod histogram;
pub mod svg;

pub use array_text::array_text;
pub use decimal::shortest;
pub use histogram::{histogram, rows as histogram_rows};
