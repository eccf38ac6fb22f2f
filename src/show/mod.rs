//! Values as text.

mod array_text;
mod ascii;
mod decimal;
mod histogram;
mod table;

pub use array_text::array_text;
pub use ascii::ascii;
pub use decimal::shortest;
pub use histogram::{exact_zeros, histogram, rows as histogram_rows};
pub use table::{ABSENT, Column, GLUE, Lines, Table, hanging};
