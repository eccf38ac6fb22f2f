//! Laws that are not spelled out in [`Law`](crate::law::Law): what they ask of a generator, by the native one.

use std::sync::Arc;

use rand::Rng;

use super::normal::Normal;
use super::orthogonal;
use super::uniform::Uniform;
use super::words::Words;
use crate::generator::Source;
use crate::law::{Distribution, Draws, Pattern, Whole};
use crate::plan::narrow;

/// The numbers of a pattern.
pub(super) struct Places(pub(super) Arc<dyn Pattern>);

impl Source for Places {
    fn singles(&self, start: u64, out: &mut [f32]) {
        for (value, index) in out.iter_mut().zip(start..) {
            *value = narrow(self.0.value(index));
        }
    }

    fn doubles(&self, start: u64, out: &mut [f64]) {
        for (value, index) in out.iter_mut().zip(start..) {
            *value = self.0.value(index);
        }
    }
}

/// Independent numbers: element `index` reads plane `index` of the tensor's words, from its first word on.
pub(super) struct Independent {
    pub(super) words: Words,
    pub(super) law: Arc<dyn Distribution>,
    /// The outermost values of the dtype inside the law's bounds.
    pub(super) bounds: (f64, f64),
}

impl Independent {
    fn value(&self, index: u64) -> f64 {
        self.law.sample_at(index, &mut self.words.block(index, 0)).clamp(self.bounds.0, self.bounds.1)
    }
}

impl Source for Independent {
    fn singles(&self, start: u64, out: &mut [f32]) {
        for (value, index) in out.iter_mut().zip(start..) {
            *value = narrow(self.value(index));
        }
    }

    fn doubles(&self, start: u64, out: &mut [f64]) {
        for (value, index) in out.iter_mut().zip(start..) {
            *value = self.value(index);
        }
    }
}

/// Numbers that were drawn together.
pub(super) struct Drawn {
    values: Vec<f64>,
    bounds: (f64, f64),
}

impl Drawn {
    /// The numbers of a law, inside the closed `bounds` of the dtype.
    pub(super) fn new(words: Words, law: &dyn Whole, bounds: (f64, f64), threads: usize) -> Self {
        Self { values: law.draw(&Streams { words, threads }), bounds }
    }

    fn values(&self, start: u64, count: usize) -> impl Iterator<Item = f64> {
        #[expect(clippy::cast_possible_truncation, reason = "every value is in memory")]
        let start = start as usize;
        self.values[start..start + count].iter().map(|value| value.clamp(self.bounds.0, self.bounds.1))
    }
}

impl Source for Drawn {
    fn singles(&self, start: u64, out: &mut [f32]) {
        let count = out.len();
        out.iter_mut().zip(self.values(start, count)).for_each(|(out, value)| *out = narrow(value));
    }

    fn doubles(&self, start: u64, out: &mut [f64]) {
        let count = out.len();
        out.iter_mut().zip(self.values(start, count)).for_each(|(out, value)| *out = value);
    }
}

/// The streams of a tensor, each with a key of its own.
struct Streams {
    words: Words,
    threads: usize,
}

impl Draws for Streams {
    fn normals(&self, stream: u64, out: &mut [f64]) {
        Normal { words: self.words.stream(stream), mean: 0.0, std: 1.0 }.doubles(0, out);
    }

    fn signed_uniforms(&self, stream: u64, out: &mut [f64]) {
        let words = self.words.stream(stream);
        Uniform { words, middle: 0.0, half: 1.0, low: -1.0, high: 1.0 }.doubles(0, out);
    }

    fn orthonormal(&self, stream: u64, longer: usize, shorter: usize) -> Vec<f64> {
        orthogonal::orthonormal(self.words.stream(stream), longer, shorter, self.threads)
    }

    fn words(&self, stream: u64) -> Box<dyn Rng> {
        Box::new(self.words.stream(stream).block(0, 0))
    }
}
