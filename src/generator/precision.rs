//! The types of the arithmetic.

use crate::tensor::to_f32;

/// Single or double precision.
pub(super) trait Precision: Copy + Default + Send + Sync + 'static {
    fn single(self) -> f32;
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
        to_f32(self)
    }

    #[inline(always)]
    fn double(self) -> f64 {
        self
    }
}
