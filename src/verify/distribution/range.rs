//! Values outside the range of their distribution.

use super::{Element, position};
use crate::distribution::{Distribution, TensorSpec};
use crate::text::figure;

/// The outermost values that a distribution's bounds allow in a dtype.
#[derive(Clone, Copy)]
pub(super) struct Range {
    low: f64,
    high: f64,
}

impl Range {
    /// Bounds are widened by two roundings, for programs that compute them differently.
    pub(super) fn new(tensor: &TensorSpec, distribution: &Distribution) -> Self {
        let dtype = tensor.dtype;
        let widened =
            |bound: f64| if bound.is_finite() { dtype.next_up(dtype.next_up(dtype.round(bound))) } else { bound };
        let (low, high) = distribution.bounds().unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        Self { low: -widened(-low), high: widened(high) }
    }

    /// True for a finite value inside the bounds.
    pub(super) fn contains(self, value: f64) -> bool {
        value.is_finite() && (self.low..=self.high).contains(&value)
    }

    /// The first value of a chunk that is not finite or not inside the bounds.
    pub(super) fn first_outside(self, start: u64, values: &[f64]) -> Option<Element> {
        (start..).zip(values.iter().copied()).find(|(_, value)| !self.contains(*value))
    }
}

/// The error for an impossible value of the distribution.
pub(super) fn fault(tensor: &TensorSpec, distribution: &Distribution, (index, value): Element) -> String {
    let reason = match distribution.bounds() {
        Some((low, high)) if value.is_finite() => {
            format!("the distribution's range is {} to {}", figure(low), figure(high))
        }
        _ => "the distribution has no such value".into(),
    };
    format!("{} is {}: {reason}", position(&tensor.shape, index), figure(value))
}
