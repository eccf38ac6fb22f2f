//! Several vectors of single-precision numbers that are computed in step. A vector's operations depend on each other, so the next vector's
//! fill the latency.

use std::ops::{Add, Mul, Sub};

use pulp::Simd;

/// `N` vectors. Every operation works lane by lane and rounds separately.
#[derive(Clone, Copy)]
pub(super) struct Lanes<S: Simd, const N: usize> {
    simd: S,
    pub(super) vectors: [S::f32s; N],
}

impl<S: Simd, const N: usize> Lanes<S, N> {
    #[inline(always)]
    pub(super) fn new(simd: S, vectors: [S::f32s; N]) -> Self {
        Self { simd, vectors }
    }

    /// Words as two's complement integers, rounded to single precision.
    #[inline(always)]
    pub(super) fn of_integers(simd: S, words: [S::u32s; N]) -> Self {
        let mut vectors = [simd.splat_f32s(0.0); N];
        for (vector, words) in vectors.iter_mut().zip(words) {
            *vector = rounded(simd, words);
        }
        Self::new(simd, vectors)
    }

    #[inline(always)]
    pub(super) fn sqrt(self) -> Self {
        Self::new(self.simd, each(self.vectors, |vector| self.simd.sqrt_f32s(vector)))
    }

    #[inline(always)]
    fn with(mut self, other: Self, operation: impl Fn(S::f32s, S::f32s) -> S::f32s) -> Self {
        for (vector, other) in self.vectors.iter_mut().zip(other.vectors) {
            *vector = operation(*vector, other);
        }
        self
    }

    #[inline(always)]
    fn splat(self, value: f32) -> Self {
        Self::new(self.simd, [self.simd.splat_f32s(value); N])
    }

    /// `self - other / 2`. Halves of normal numbers are exact, so fusing does not change the bits.
    #[inline(always)]
    pub(super) fn minus_half(self, other: Self) -> Self {
        let half = self.simd.splat_f32s(-0.5);
        self.with(other, |sum, other| self.simd.mul_add_e_f32s(other, half, sum))
    }

    /// Evaluates a polynomial, the highest coefficient first.
    #[inline(always)]
    pub(super) fn polynomial<const M: usize>(self, coefficients: [f32; M]) -> Self {
        let sum = self.splat(coefficients[0]);
        coefficients[1..].iter().fold(sum, |sum, &coefficient| sum * self + coefficient)
    }
}

/// Maps vectors. The library's `map` may become a call outside the code that is compiled for wide vectors.
#[inline(always)]
pub(super) fn each<T: Copy, const N: usize>(mut vectors: [T; N], change: impl Fn(T) -> T) -> [T; N] {
    for vector in &mut vectors {
        *vector = change(*vector);
    }
    vectors
}

#[inline(always)]
#[expect(clippy::cast_precision_loss, reason = "rounding is what this is for")]
fn rounded<S: Simd>(simd: S, words: S::u32s) -> S::f32s {
    let mut floats = simd.splat_f32s(0.0);
    let lanes: &mut [f32] = bytemuck::cast_slice_mut(std::slice::from_mut(&mut floats));
    for (float, &integer) in lanes.iter_mut().zip(bytemuck::cast_slice::<_, i32>(std::slice::from_ref(&words))) {
        *float = integer as f32;
    }
    floats
}

impl<S: Simd, const N: usize> Add for Lanes<S, N> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.with(other, |a, b| self.simd.add_f32s(a, b))
    }
}

impl<S: Simd, const N: usize> Sub for Lanes<S, N> {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.with(other, |a, b| self.simd.sub_f32s(a, b))
    }
}

impl<S: Simd, const N: usize> Mul for Lanes<S, N> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.with(other, |a, b| self.simd.mul_f32s(a, b))
    }
}

impl<S: Simd, const N: usize> Add<f32> for Lanes<S, N> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: f32) -> Self {
        self + self.splat(other)
    }
}

impl<S: Simd, const N: usize> Mul<f32> for Lanes<S, N> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: f32) -> Self {
        self * self.splat(other)
    }
}
