//! The types that values are drawn in.

use crate::plan::narrow;

/// Single or double precision.
pub(super) trait Precision: Copy + Default + Send + Sync + 'static {
    /// As a single.
    fn single(self) -> f32;
    /// As a double.
    fn double(self) -> f64;
}

impl Precision for f32 {
    #[inline(always)]
    fn single(self) -> f32 {
        self
    }

    #[inline(always)]
    fn double(self) -> f64 {
        self.into()
    }
}

impl Precision for f64 {
    #[inline(always)]
    fn single(self) -> f32 {
        narrow(self)
    }

    #[inline(always)]
    fn double(self) -> f64 {
        self
    }
}
