//! A single reflection: construction and application.

use std::iter::zip;

use pulp::{Simd, WithSimd};

use crate::matrix::product::Real;

/// The partial sums of an inner product.
const LANES: usize = 16;

/// Replaces x by the v of the reflection I - t v v^T that maps x to r e, with the first unit vector e and a leading 1 in v. Returns the
/// sign of r, opposite to that of `x[0]`: no digits cancel in `x[0] - r`.
pub(super) fn make_reflection<T: Real>(x: &mut [T]) -> T {
    let sign = if x[0] < T::zero() { T::one() } else { -T::one() };
    let square = dot(x, x);
    if square < T::MIN_POSITIVE {
        // Too small to divide by. Q is orthogonal with any reflection, so use e.
        x.fill(T::zero());
    } else {
        let scale = T::one() / (x[0] - sign * square.sqrt());
        for x in &mut *x {
            *x *= scale;
        }
    }
    x[0] = T::one();
    sign
}

/// The inner product in `LANES` partial sums, in an order independent of the CPU.
#[inline(always)]
fn dot<T: Real>(left: &[T], right: &[T]) -> T {
    let ((left, left_rest), (right, right_rest)) = (left.as_chunks::<LANES>(), right.as_chunks::<LANES>());
    let mut sums = [T::zero(); LANES];
    for (left, right) in zip(left, right) {
        for ((sum, &x), &y) in zip(&mut sums, left).zip(right) {
            *sum += x * y;
        }
    }
    let rest = zip(left_rest, right_rest).map(|(&x, &y)| x * y);
    sums.into_iter().chain(rest).fold(T::zero(), |sum, term| sum + term)
}

/// Applies one reflection to the last `height` numbers of each column.
pub(super) struct ReflectOnce<'a, T> {
    pub(super) vector: &'a [T],
    pub(super) columns: &'a mut [T],
    pub(super) height: usize,
}

impl<T: Real> WithSimd for ReflectOnce<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let t = (T::one() + T::one()) / dot(self.vector, self.vector);
        for column in self.columns.chunks_exact_mut(self.height) {
            let end = &mut column[self.height - self.vector.len()..];
            let factor = t * dot(self.vector, end);
            for (x, &v) in zip(end, self.vector) {
                *x -= factor * v;
            }
        }
    }
}
