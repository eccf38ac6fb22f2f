//! Tensors in which each value has its own words: threads continue independently from an engine at the first word.

use std::sync::Mutex;

use super::super::Source;
use super::super::glibc;
use super::super::mt19937::Mt19937;
use super::box_muller::{BLOCK, Normals, unit};
use crate::parallel::lock;
use crate::simd::dispatch;
use crate::tensor::{DType, to_f32, to_usize};

/// The number of words drawn at a time: few enough for the L1 cache.
const WORDS: usize = 1 << 12;

/// An engine that reads words by index, and restarts if it must go back.
pub(super) struct Words {
    first: Mt19937,
    at: Mutex<(u64, Mt19937)>,
}

impl Words {
    pub(super) fn new(first: Mt19937) -> Self {
        Self { at: Mutex::new((0, first.clone())), first }
    }

    /// The words from index `from` on.
    fn fill(&self, from: u64, out: &mut [u32]) {
        let mut at = lock(&self.at);
        if at.0 > from {
            *at = (0, self.first.clone());
        }
        let behind = from - at.0;
        at.1.skip(behind);
        at.1.fill(out);
        at.0 = from + out.len() as u64;
    }
}

/// The words per element: two for doubles.
pub(super) fn words_of(dtype: DType) -> u64 {
    if dtype == DType::F64 { 2 } else { 1 }
}

/// Uniform on [0, 1): the low 53 bits of two words, the high word first, as in torch. `NumPy` uses high bits of both.
#[inline(always)]
pub(super) fn unit_double(high: u32, low: u32) -> f64 {
    let bits = (u64::from(high) << 32 | u64::from(low)) & ((1 << 53) - 1);
    crate::tensor::to_f64(bits) * (f64::EPSILON / 2.0)
}

/// `uniform_(from, to)`.
pub(super) struct Uniforms {
    pub(super) words: Words,
    pub(super) dtype: DType,
    pub(super) from: f64,
    pub(super) to: f64,
}

impl Source for Uniforms {
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        let (from, to, dtype) = (to_f32(self.from), to_f32(self.to), self.dtype);
        let half = |value: f32| if dtype == DType::F32 { value } else { to_f32(dtype.round(value.into())) };
        let (least, most) = (half(from), half(to));
        let mut words = [0; WORDS];
        for (out, start) in out.chunks_mut(WORDS).zip((start..).step_by(WORDS)) {
            let words = &mut words[..out.len()];
            self.words.fill(start, words);
            dispatch(Spread { words, out, from, to });
            for value in out {
                *value = half(*value);
                if *value == most {
                    *value = least;
                }
            }
        }
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
        let mut words = [0; WORDS];
        for (out, start) in out.chunks_mut(WORDS / 2).zip((start..).step_by(WORDS / 2)) {
            let words = &mut words[..2 * out.len()];
            self.words.fill(2 * start, words);
            for (value, pair) in out.iter_mut().zip(words.chunks_exact(2)) {
                let spread = unit_double(pair[0], pair[1]).mul_add(self.to - self.from, self.from);
                *value = if spread == self.to { self.from } else { spread };
            }
        }
    }
}

/// Maps words to uniforms between two numbers.
struct Spread<'a> {
    words: &'a [u32],
    out: &'a mut [f32],
    from: f32,
    to: f32,
}

impl pulp::WithSimd for Spread<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        for (value, &word) in self.out.iter_mut().zip(self.words) {
            *value = unit(word).mul_add(self.to - self.from, self.from);
        }
    }
}

/// `normal_(mean, std)` for sixteen elements or more, block by block. If the size is not a multiple of the block, the last sixteen have
/// their own words.
pub(super) struct Blocks {
    /// Starts with the block of element `first`.
    pub(super) words: Words,
    /// The tensor's index of the first element.
    pub(super) first: u64,
    pub(super) count: u64,
    pub(super) dtype: DType,
    pub(super) mean: f64,
    pub(super) std: f64,
}

const SIZE: u64 = BLOCK as u64;

/// The number of uniforms before those of the last sixteen elements, if these have their own.
fn before_the_tail(count: u64, dtype: DType) -> u64 {
    match dtype {
        DType::F64 | DType::F32 => count,
        // Halves are not drawn beforehand.
        DType::F16 | DType::BF16 => count - count % SIZE,
    }
}

/// The number of uniforms for the tensor.
pub(super) fn uniforms(count: u64, dtype: DType) -> u64 {
    if count.is_multiple_of(SIZE) { count } else { before_the_tail(count, dtype) + SIZE }
}

impl Blocks {
    /// Fills the elements block by block, each from its first word.
    fn fill<T: Copy + Default>(&self, start: u64, out: &mut [T], block: impl Fn(&Words, u64, &mut [T; BLOCK])) {
        let origin = self.first / SIZE * SIZE;
        let (mut at, mut done) = (self.first + start, 0);
        let tail = if self.count.is_multiple_of(SIZE) { self.count } else { self.count - SIZE };
        while done < out.len() {
            let (begin, word) = if at < tail {
                (at / SIZE * SIZE, at / SIZE * SIZE)
            } else {
                (tail, before_the_tail(self.count, self.dtype))
            };
            let mut values = [T::default(); BLOCK];
            block(&self.words, word - origin, &mut values);
            let end = (begin + SIZE).min(if at < tail { tail } else { self.count });
            let taken = to_usize(end - at).min(out.len() - done);
            let from = to_usize(at - begin);
            out[done..done + taken].copy_from_slice(&values[from..from + taken]);
            at += taken as u64;
            done += taken;
        }
    }

    /// The number of elements from `at` on in whole blocks before the tail.
    fn whole(&self, at: u64, length: usize) -> usize {
        let tail = if self.count.is_multiple_of(SIZE) { self.count } else { self.count - SIZE };
        let whole = to_usize(tail.saturating_sub(at).min(length as u64));
        if at.is_multiple_of(SIZE) { whole - whole % BLOCK } else { 0 }
    }
}

impl Source for Blocks {
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        let (mean, std) = (to_f32(self.mean), to_f32(self.std));
        let origin = self.first / SIZE * SIZE;
        let one = |words: &Words, from: u64, out: &mut [f32; BLOCK]| {
            let mut block = [0; BLOCK];
            words.fill(from, &mut block);
            dispatch(Normals { words: &block, out, mean, std });
        };
        // Up to the first whole block, whole ones many at a time, and the rest.
        let ragged = to_usize((SIZE - (self.first + start) % SIZE) % SIZE).min(out.len());
        let (head, rest) = out.split_at_mut(ragged);
        self.fill(start, head, one);
        let start = start + ragged as u64;
        let (whole, last) = rest.split_at_mut(self.whole(self.first + start, rest.len()));
        let mut words = [0; WORDS];
        let mut at = start;
        for out in whole.chunks_mut(WORDS) {
            let words = &mut words[..out.len()];
            self.words.fill(self.first + at - origin, words);
            dispatch(Normals { words, out, mean, std });
            at += out.len() as u64;
        }
        self.fill(at, last, one);
        if self.dtype != DType::F32 {
            for value in out {
                *value = to_f32(self.dtype.round((*value).into()));
            }
        }
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
        self.fill(start, out, |words, from, values| {
            let mut block = [0; 2 * BLOCK];
            words.fill(2 * from, &mut block);
            dispatch(Doubles { words: &block, out: values, mean: self.mean, std: self.std });
        });
    }
}

/// Maps the words of a block to double-precision normals.
struct Doubles<'a> {
    words: &'a [u32; 2 * BLOCK],
    out: &'a mut [f64; BLOCK],
    mean: f64,
    std: f64,
}

impl pulp::WithSimd for Doubles<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        let Self { words, out, mean, std } = self;
        for lane in 0..BLOCK / 2 {
            let [fraction, turn] = [lane, lane + BLOCK / 2].map(|at| unit_double(words[2 * at], words[2 * at + 1]));
            let radius = (-2.0 * glibc::ln(1.0 - fraction)).sqrt();
            let angle = std::f64::consts::TAU * turn;
            out[lane] = (radius * glibc::cos(angle)).mul_add(std, mean);
            out[lane + BLOCK / 2] = (radius * glibc::sin(angle)).mul_add(std, mean);
        }
    }
}
