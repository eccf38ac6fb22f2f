//! Independent values: element i is a function of only the key and i. Adjacent elements are computed in parallel lanes.

use pulp::{Simd, WithSimd};

use crate::generator::Source;
use crate::generator::precision::Precision;
use crate::generator::threefry::{Key, threefry2x32};
use crate::simd::dispatch;

/// The number of elements drawn together.
const TILE: usize = 64;

/// A distribution: the value of an element from its random bits.
pub(super) trait Draw: Copy + Send + Sync {
    /// The type of the arithmetic.
    type Value: Value;

    fn value(self, bits: <Self::Value as Value>::Bits) -> Self::Value;
}

/// A type of values, with the random bits of one.
pub(super) trait Value: Precision {
    type Bits;

    /// An element's bits from the two words of its block.
    fn bits(high: u32, low: u32) -> Self::Bits;
}

/// Single or half precision.
impl Value for f32 {
    type Bits = u32;

    #[inline(always)]
    fn bits(high: u32, low: u32) -> u32 {
        high ^ low
    }
}

impl Value for f64 {
    type Bits = u64;

    #[inline(always)]
    fn bits(high: u32, low: u32) -> u64 {
        u64::from(high) << 32 | u64::from(low)
    }
}

/// The values of a distribution.
pub(super) struct Independent<D> {
    pub(super) key: Key,
    pub(super) draw: D,
}

impl<D: Draw> Source for Independent<D> {
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        dispatch(Fill { key: self.key, draw: self.draw, first: start, out, convert: D::Value::single });
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
        dispatch(Fill { key: self.key, draw: self.draw, first: start, out, convert: D::Value::double });
    }
}

struct Fill<'a, D, T, C> {
    key: Key,
    draw: D,
    first: u64,
    out: &'a mut [T],
    convert: C,
}

impl<D: Draw, T: Copy + Default, C: Fn(D::Value) -> T> WithSimd for Fill<'_, D, T, C> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { key, draw, mut first, out, convert } = self;
        let (tiles, rest) = out.as_chunks_mut();
        for out in tiles {
            tile(key, draw, first, out, &convert);
            first += TILE as u64;
        }
        if !rest.is_empty() {
            let mut aside = [T::default(); TILE];
            tile(key, draw, first, &mut aside, &convert);
            rest.copy_from_slice(&aside[..rest.len()]);
        }
    }
}

#[inline(always)]
fn tile<D: Draw, T>(key: Key, draw: D, first: u64, out: &mut [T; TILE], convert: &impl Fn(D::Value) -> T) {
    let [high, low] = blocks(key, first);
    for ((out, high), low) in out.iter_mut().zip(high).zip(low) {
        *out = convert(draw.value(D::Value::bits(high, low)));
    }
}

/// The two words of a run of blocks.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the halves of a counter")]
fn blocks(key: Key, first: u64) -> [[u32; TILE]; 2] {
    let (mut high, mut low) = ([0; TILE], [0; TILE]);
    let [upper, lower] = [(first >> 32) as u32, first as u32];
    for ((high, low), offset) in high.iter_mut().zip(&mut low).zip(0..) {
        // Lanes of 32 bits: the carry into the upper half shows in the overflow of the lower one.
        let counter = lower.wrapping_add(offset);
        [*high, *low] = threefry2x32(key.0, [upper.wrapping_add(u32::from(counter < lower)), counter]);
    }
    [high, low]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    struct Raw;

    impl Draw for Raw {
        type Value = f64;

        fn value(self, bits: u64) -> f64 {
            f64::from_bits(bits)
        }
    }

    #[test]
    fn every_element_is_of_its_own_block() {
        let key = Key([7, 9]);
        for first in [0, 3, u64::from(u32::MAX) - 70, (5 << 32) - 1] {
            let mut out = [0.0; 150];
            Independent { key, draw: Raw }.fill_f64(first, &mut out);
            for (value, index) in out.iter().zip(first..) {
                let [high, low] = key.block(index);
                assert_eq!(value.to_bits(), u64::from(high) << 32 | u64::from(low), "element {index}");
            }
        }
    }
}
