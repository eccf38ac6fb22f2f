//! Distributions that are not variants of [`Distribution`](crate::distribution::Distribution), drawn by the native generator.

use std::convert::Infallible;
use std::sync::Arc;

use rand::{Rng, TryRng};

use super::elementwise::TILE;
use super::normal::Normal;
use super::orthogonal;
use super::uniform::Uniform;
use super::words::Words;
use crate::distribution::{Deterministic, Iid, Joint, RandomStreams};
use crate::generator::Source;
use crate::tensor::{to_f32, to_usize};

/// The values of a deterministic distribution.
pub(super) struct DeterministicSource(pub(super) Arc<dyn Deterministic>);

impl Source for DeterministicSource {
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        for (value, index) in out.iter_mut().zip(start..) {
            *value = to_f32(self.0.value(index));
        }
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
        for (value, index) in out.iter_mut().zip(start..) {
            *value = self.0.value(index);
        }
    }
}

/// Independent values, each from its own words.
pub(super) struct IidSource {
    pub(super) words: Words,
    pub(super) distribution: Arc<dyn Iid>,
    /// The outermost values of the dtype within the distribution's bounds.
    pub(super) bounds: (f64, f64),
}

impl IidSource {
    fn draw<T>(&self, start: u64, out: &mut [T], convert: fn(f64) -> T) {
        let mut planes = Planes { words: &self.words, first: 0, drawn: Vec::new() };
        for (value, index) in out.iter_mut().zip(start..) {
            planes.go_to(index);
            let mut words = ElementWords { planes: &mut planes, index, taken: 0 };
            *value = convert(self.distribution.sample(&mut words).clamp(self.bounds.0, self.bounds.1));
        }
    }
}

impl Source for IidSource {
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        self.draw(start, out, to_f32);
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
        self.draw(start, out, |value| value);
    }
}

/// The maximum number of planes drawn for a whole tile, each on first use; few distributions need more.
const MAX_PLANES: usize = 32;

/// The words of the elements of a tile, by planes.
struct Planes<'a> {
    words: &'a Words,
    /// The tile's first element.
    first: u64,
    drawn: Vec<[u32; TILE]>,
}

impl Planes<'_> {
    /// Moves to the tile of an element.
    fn go_to(&mut self, index: u64) {
        let first = index / TILE as u64 * TILE as u64;
        if first != self.first {
            self.first = first;
            self.drawn.clear();
        }
    }

    /// Word `index` of a plane.
    fn word(&mut self, plane: usize, index: u64) -> u32 {
        if plane >= MAX_PLANES {
            return self.words.word(plane as u64, index);
        }
        while self.drawn.len() <= plane {
            let mut words = [0; TILE];
            self.words.fill(self.drawn.len() as u64, self.first, &mut words);
            self.drawn.push(words);
        }
        #[expect(clippy::cast_possible_truncation, reason = "less than a tile")]
        let offset = (index - self.first) as usize;
        self.drawn[plane][offset]
    }
}

/// The words of one element: word n is in plane n at its index.
struct ElementWords<'a, 'b> {
    planes: &'a mut Planes<'b>,
    index: u64,
    taken: usize,
}

impl TryRng for ElementWords<'_, '_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let number = self.taken;
        self.taken += 1;
        Ok(self.planes.word(number, self.index))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let [low, high] = [self.try_next_u32()?, self.try_next_u32()?];
        Ok(u64::from(high) << 32 | u64::from(low))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for bytes in bytes.chunks_mut(4) {
            bytes.copy_from_slice(&self.try_next_u32()?.to_le_bytes()[..bytes.len()]);
        }
        Ok(())
    }
}

/// Jointly drawn values.
pub(super) struct JointSource {
    values: Vec<f64>,
    bounds: (f64, f64),
}

impl JointSource {
    /// The values of a distribution, clamped to the closed `bounds` of the dtype. An open distribution ends at the largest finite number.
    pub(super) fn new(words: Words, distribution: &dyn Joint, bounds: (f64, f64), threads: usize) -> Self {
        Self { values: distribution.draw(&Streams { words, threads }), bounds }
    }

    fn values(&self, start: u64, count: usize) -> impl Iterator<Item = f64> {
        let start = to_usize(start);
        self.values[start..start + count].iter().map(|value| value.clamp(self.bounds.0, self.bounds.1))
    }
}

impl Source for JointSource {
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        let count = out.len();
        out.iter_mut().zip(self.values(start, count)).for_each(|(out, value)| *out = to_f32(value));
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
        let count = out.len();
        out.iter_mut().zip(self.values(start, count)).for_each(|(out, value)| *out = value);
    }
}

/// The streams of a tensor, each with its own key.
struct Streams {
    words: Words,
    threads: usize,
}

impl RandomStreams for Streams {
    fn normals(&self, stream: u64, out: &mut [f64]) {
        Normal { words: self.words.stream(stream), mean: 0.0, std: 1.0 }.fill_f64(0, out);
    }

    fn signed_uniforms(&self, stream: u64, out: &mut [f64]) {
        let words = self.words.stream(stream);
        Uniform { words, middle: 0.0, half: 1.0, low: -1.0, high: 1.0 }.fill_f64(0, out);
    }

    fn orthonormal(&self, stream: u64, longer: usize, shorter: usize) -> Vec<f64> {
        orthogonal::orthonormal(self.words.stream(stream), longer, shorter, self.threads)
    }

    fn words(&self, stream: u64) -> Box<dyn Rng> {
        Box::new(self.words.stream(stream).block(0, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_element_reads_the_words_of_its_own_index_plane_by_plane() {
        let words = Words::new(3, &"w".parse().unwrap());
        let mut planes = Planes { words: &words, first: 0, drawn: Vec::new() };
        for index in [0, 5, 511, 512, 1 << 40, 7] {
            planes.go_to(index);
            let mut drawn = ElementWords { planes: &mut planes, index, taken: 0 };
            for plane in 0..40 {
                assert_eq!(drawn.next_u32(), words.word(plane, index), "word {plane} of element {index}");
            }
        }
    }
}
