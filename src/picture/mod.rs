//! Pictures: charts of panels with axes, as SVG or PNG.
//!
//! A [`Chart`] arranges panels in a grid and draws them on a canvas of shapes. `svg.rs` and `png.rs` write the canvas; both show the same.

mod axis;
mod canvas;
mod chart;
mod font;
mod format;
mod ink;
mod panel;
mod png;
mod svg;
mod tiles;

pub use axis::Axis;
pub use chart::{Chart, MAX_PANELS, share};
pub use format::{PictureFile, PictureFormat};
pub use ink::Ink;
pub use panel::{Kind, Mark, Panel};
pub use tiles::Tiles;
