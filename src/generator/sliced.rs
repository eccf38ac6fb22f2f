//! A slice of a tensor's numbers: each run of neighbours is asked of the whole.

use super::Source;
use crate::tensor::{Shape, Slice, to_usize};

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
