//! Values drawn in groups, each a function of its index.

use crate::generator::Source;
use crate::generator::precision::Precision;
use crate::simd::dispatch;

/// A generator of groups.
pub(super) trait Draw: Send + Sync {
    /// The type of the arithmetic.
    type Value: Precision;
    /// The values of one group, of fixed size.
    type Group: AsRef<[Self::Value]>;

    /// The values of group `number`.
    fn group(&self, number: u64) -> Self::Group;
}

/// The elements of all groups, one after the other.
pub(super) struct Groups<D>(pub(super) D);

impl<D: Draw> Groups<D> {
    #[inline(always)]
    fn fill<T>(&self, start: u64, out: &mut [T], convert: impl Fn(D::Value) -> T) {
        let size = size_of::<D::Group>() / size_of::<D::Value>();
        let (mut number, within) = (start / size as u64, start % size as u64);
        let mut skip = usize::try_from(within).unwrap_or_default();
        let mut rest = out;
        while !rest.is_empty() {
            let group = self.0.group(number);
            let values = &group.as_ref()[skip..];
            let (now, later) = rest.split_at_mut(values.len().min(rest.len()));
            now.iter_mut().zip(values).for_each(|(out, &value)| *out = convert(value));
            (rest, number, skip) = (later, number + 1, 0);
        }
    }
}

impl<D: Draw> Source for Groups<D> {
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        dispatch(
            #[inline(always)]
            || self.fill(start, out, Precision::single),
        );
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
        dispatch(
            #[inline(always)]
            || self.fill(start, out, Precision::double),
        );
    }
}
