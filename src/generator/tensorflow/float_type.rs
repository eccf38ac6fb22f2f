//! Distributions in single and half precision. Each operation is rounded to the type, except Box-Muller, which is in single precision for
//! half types too.

use std::f64::consts::PI;
use std::marker::PhantomData;

use half::{bf16, f16};

use super::groups::Draw;
use crate::generator::glibc;
use crate::generator::philox::Philox;
use crate::tensor::to_f32;

/// A type of single or half precision, stored as singles.
pub(super) trait FloatType: Send + Sync + 'static {
    /// The nearest value of the type.
    fn round(value: f32) -> f32;
    /// A uniform value in [0, 1) from the lowest bits of a word.
    fn fraction(word: u32) -> f32;

    /// A parameter, rounded to single precision and then to the type.
    fn parameter(value: f64) -> f32 {
        Self::round(to_f32(value))
    }
}

/// Single precision.
pub(super) struct F32;
/// IEEE binary16.
pub(super) struct F16;
/// bfloat16.
pub(super) struct Bf16;

impl FloatType for F32 {
    #[inline(always)]
    fn round(value: f32) -> f32 {
        value
    }

    #[inline(always)]
    fn fraction(word: u32) -> f32 {
        f32::from_bits(0x3f80_0000 | word & 0x7f_ffff) - 1.0
    }
}

impl FloatType for F16 {
    #[inline(always)]
    fn round(value: f32) -> f32 {
        f16::from_f32(value).to_f32()
    }

    #[inline(always)]
    fn fraction(word: u32) -> f32 {
        // The bits of a half between 1 and 2, moved to their positions in a single.
        f32::from_bits(0x3f80_0000 | (word & 0x3ff) << 13) - 1.0
    }
}

impl FloatType for Bf16 {
    #[inline(always)]
    fn round(value: f32) -> f32 {
        bf16::from_f32(value).to_f32()
    }

    #[inline(always)]
    fn fraction(word: u32) -> f32 {
        f32::from_bits(0x3f80_0000 | (word & 0x7f) << 16) - 1.0
    }
}

/// `tf.random.stateless_uniform`: one word per element.
pub(super) struct Uniform<F> {
    words: Philox,
    low: f32,
    span: f32,
    format: PhantomData<F>,
}

impl<F: FloatType> Uniform<F> {
    pub(super) fn new(words: Philox, low: f64, high: f64) -> Self {
        let [low, high] = [low, high].map(F::parameter);
        Self { words, low, span: F::round(high - low), format: PhantomData }
    }
}

impl<F: FloatType> Draw for Uniform<F> {
    type Value = f32;
    type Group = [f32; 4];

    #[inline(always)]
    fn group(&self, number: u64) -> [f32; 4] {
        self.words.block(number).map(|word| F::round(F::round(F::fraction(word) * self.span) + self.low))
    }
}

/// `tf.random.stateless_normal`: a pair of words makes a pair of elements.
pub(super) struct Normal<F> {
    words: Philox,
    moved: Moved<F>,
}

impl<F: FloatType> Normal<F> {
    pub(super) fn new(words: Philox, mean: f64, std: f64) -> Self {
        Self { words, moved: Moved::new(mean, std) }
    }
}

impl<F: FloatType> Draw for Normal<F> {
    type Value = f32;
    type Group = [f32; 4];

    #[inline(always)]
    fn group(&self, number: u64) -> [f32; 4] {
        let [a, b, c, d] = self.words.block(number);
        let ([a, b], [c, d]) = (normals(a, b), normals(c, d));
        [a, b, c, d].map(|standard| self.moved.value(standard))
    }
}

/// `tf.random.stateless_truncated_normal`: each group has 256 blocks and uses their first normals within two standard deviations.
pub(super) struct Truncated<F> {
    words: Philox,
    moved: Moved<F>,
}

impl<F: FloatType> Truncated<F> {
    /// The number of blocks reserved for a group.
    const BLOCKS: u64 = 256;

    pub(super) fn new(words: Philox, mean: f64, std: f64) -> Self {
        Self { words, moved: Moved::new(mean, std) }
    }
}

impl<F: FloatType> Draw for Truncated<F> {
    type Value = f32;
    type Group = [f32; 4];

    #[inline(always)]
    fn group(&self, number: u64) -> [f32; 4] {
        let mut group = [0.0; 4];
        let mut taken = 0;
        for block in number * Self::BLOCKS.. {
            let [a, b, c, d] = self.words.block(block);
            for standard in normals(a, b).into_iter().chain(normals(c, d)) {
                if standard.abs() < 2.0 {
                    group[taken] = self.moved.value(standard);
                    taken += 1;
                    if taken == group.len() {
                        return group;
                    }
                }
            }
        }
        group
    }
}

/// Standard normals, scaled and shifted.
struct Moved<F> {
    mean: f32,
    std: f32,
    format: PhantomData<F>,
}

impl<F: FloatType> Moved<F> {
    fn new(mean: f64, std: f64) -> Self {
        Self { mean: F::parameter(mean), std: F::parameter(std), format: PhantomData }
    }

    #[inline(always)]
    fn value(&self, standard: f32) -> f32 {
        F::round(F::round(F::round(standard) * self.std) + self.mean)
    }
}

/// Two standard normals by Box-Muller, the sine first.
#[inline(always)]
fn normals(first: u32, second: u32) -> [f32; 2] {
    const LEAST: f32 = 1e-7;
    let uniform = F32::fraction(first);
    let radius = (-2.0 * glibc::single::ln(if uniform < LEAST { LEAST } else { uniform })).sqrt();
    let angle = to_f32(2.0 * PI * f64::from(F32::fraction(second)));
    glibc::single::sin_cos(angle).map(|value| value * radius)
}
