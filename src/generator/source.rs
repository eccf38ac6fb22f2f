//! Sources of values: tensors and parts of them.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use half::bf16;

use crate::tensor::{Shape, Slice, to_f32, to_usize};

/// The values of one tensor: any part at any time from any thread.
pub trait Source: Send + Sync {
    /// Fills `out` with elements `start..` as singles, inside the bounds of the tensor's dtype.
    fn fill_f32(&self, start: u64, out: &mut [f32]);
    /// The same elements, rounded from singles to bfloat16 as by [`to_bfloat16`](crate::tensor::to_bfloat16). Returns false, and does nothing, if
    /// singles must come first.
    fn fill_bf16(&self, _start: u64, _out: &mut [bf16]) -> bool {
        false
    }
    /// The same elements before rounding to single precision.
    fn fill_f64(&self, start: u64, out: &mut [f64]);

    /// A source of the elements `start..start + count`, with the same indices, that several threads may read concurrently. `None` if this
    /// source already allows that.
    fn part(&self, _start: u64, _count: usize) -> Option<Arc<dyn Source>> {
        None
    }
}

/// Values in memory, row-major.
pub enum Values {
    /// Single or half precision.
    Singles(Vec<f32>),
    /// In double precision.
    Doubles(Vec<f64>),
}

impl Values {
    /// The number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::Singles(values) => values.len(),
            Self::Doubles(values) => values.len(),
        }
    }

    /// True if there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} values", self.len())
    }
}

impl From<Vec<f32>> for Values {
    fn from(values: Vec<f32>) -> Self {
        Self::Singles(values)
    }
}

impl From<Vec<f64>> for Values {
    fn from(values: Vec<f64>) -> Self {
        Self::Doubles(values)
    }
}

impl Source for Values {
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        let start = to_usize(start);
        match self {
            Self::Singles(values) => out.copy_from_slice(&values[start..start + out.len()]),
            Self::Doubles(values) => {
                out.iter_mut().zip(&values[start..]).for_each(|(out, &value)| *out = to_f32(value));
            }
        }
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
        let start = to_usize(start);
        match self {
            Self::Singles(values) => out.iter_mut().zip(&values[start..]).for_each(|(out, &value)| *out = value.into()),
            Self::Doubles(values) => out.copy_from_slice(&values[start..start + out.len()]),
        }
    }
}

/// The values of another source from an offset on.
pub(super) struct Offset {
    pub(super) from: u64,
    pub(super) values: Arc<dyn Source>,
}

impl Source for Offset {
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        self.values.fill_f32(self.from + start, out);
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
        self.values.fill_f64(self.from + start, out);
    }
}

/// The values of another source, with a range of zeros.
pub(super) struct Cleared {
    pub(super) values: Arc<dyn Source>,
    pub(super) range: Range<u64>,
}

impl Cleared {
    fn clear<T: Default>(&self, start: u64, out: &mut [T]) {
        for (value, index) in out.iter_mut().zip(start..) {
            if self.range.contains(&index) {
                *value = T::default();
            }
        }
    }
}

impl Source for Cleared {
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        self.values.fill_f32(start, out);
        self.clear(start, out);
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
        self.values.fill_f64(start, out);
        self.clear(start, out);
    }
}

/// A slice of a tensor's values.
pub(super) struct Sliced {
    pub(super) whole: Box<dyn Source>,
    pub(super) slice: Slice,
    pub(super) shape: Shape,
}

impl Sliced {
    fn fill<T>(&self, start: u64, mut out: &mut [T], fill: impl Fn(u64, &mut [T])) {
        for (begin, length) in self.slice.runs(&self.shape, start, out.len() as u64) {
            let (run, rest) = out.split_at_mut(to_usize(length));
            fill(begin, run);
            out = rest;
        }
    }
}

impl Source for Sliced {
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        self.fill(start, out, |begin, run| self.whole.fill_f32(begin, run));
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
        self.fill(start, out, |begin, run| self.whole.fill_f64(begin, run));
    }
}
