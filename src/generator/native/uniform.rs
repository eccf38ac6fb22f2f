//! Uniform distributions.

use half::bf16;
use pulp::{Simd, WithSimd};

use super::elementwise::{Stored, TILE, by_tiles, within};
use super::words::{GROUP, Words};
use crate::generator::Source;
use crate::simd::dispatch;
use crate::tensor::to_f32;

/// The plane of the words for single precision, and the plane of their extension.
const WORD: u64 = 0;
const FURTHER: u64 = 1;

/// 2^-63: the unit of signed 64-bit fractions.
const STEP_OF_63_BITS: f64 = 1.0 / 9_223_372_036_854_775_808.0;

/// `middle + half s`, s uniform on (-1, 1): the word as a signed fraction. It is symmetric about the middle, so values around 0 keep their
/// relative precision.
pub(super) struct Uniform {
    pub(super) words: Words,
    pub(super) middle: f64,
    pub(super) half: f64,
    /// The outermost values of the dtype within the distribution's bounds.
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Source for Uniform {
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        by_tiles(start, out, |first, tiles| dispatch(Draw { distribution: self, first, out: tiles }));
    }

    fn fill_bf16(&self, start: u64, out: &mut [bf16]) -> bool {
        by_tiles(start, out, |first, tiles| dispatch(Draw { distribution: self, first, out: tiles }));
        true
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
        by_tiles(start, out, |first, tiles| {
            let (mut words, mut further) = ([0; GROUP], [0; GROUP]);
            for (group, first) in tiles.chunks_exact_mut(GROUP).zip((first..).step_by(GROUP)) {
                self.words.fill(WORD, first, &mut words);
                self.words.fill(FURTHER, first, &mut further);
                for ((value, &word), &further) in group.iter_mut().zip(&words).zip(&further) {
                    *value = (self.middle + self.half * signed_fraction(word, further)).clamp(self.low, self.high);
                }
            }
        });
    }
}

/// The 64 bits of two words as a signed fraction in [-1, 1].
#[expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "53 of 64 bits are kept")]
fn signed_fraction(word: u32, further: u32) -> f64 {
    (u64::from(word) << 32 | u64::from(further)) as i64 as f64 * STEP_OF_63_BITS
}

struct Draw<'a, T> {
    distribution: &'a Uniform,
    first: u64,
    out: &'a mut [T],
}

impl<T: Stored> WithSimd for Draw<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (middle, half) = (to_f32(self.distribution.middle), to_f32(self.distribution.half));
        let (low, high) = (to_f32(self.distribution.low), to_f32(self.distribution.high));
        let (mut plane, mut words, mut room) = (self.distribution.words.plane(simd, WORD), [0; GROUP], [0.0; TILE]);
        for (group, first) in self.out.chunks_exact_mut(GROUP).zip((self.first..).step_by(GROUP)) {
            plane.fill(first, &mut words);
            for (value, &word) in T::singles(group, &mut room).iter_mut().zip(&words) {
                #[expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "24 of 32 bits are kept")]
                let fraction = word as i32 as f32 / 2_147_483_648.0;
                *value = within(middle + half * fraction, low, high);
            }
            T::store(simd, &room, group);
        }
    }
}
