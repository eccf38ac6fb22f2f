//! Values of one element each: element i is a function of the key and i alone, and lanes are elements side by side.

use pulp::{Simd, WithSimd};

use crate::generator::threefry::{Key, threefry2x32};
use crate::generator::{Source, dispatch};
use crate::plan::narrow;

/// How many elements are drawn together.
const TILE: usize = 64;

/// A law in a type of less than 64 bits: a value of 32 random bits.
pub(super) trait Draw: Copy + Send + Sync {
    fn value(self, bits: u32) -> f32;
}

/// A law in double precision: a value of 64 random bits.
pub(super) trait DrawWide: Copy + Send + Sync {
    fn value(self, bits: u64) -> f64;
}

/// The values of a law.
pub(super) struct Independent<D> {
    pub(super) key: Key,
    pub(super) draw: D,
}

impl<D: Draw> Source for Independent<D> {
    fn singles(&self, start: u64, out: &mut [f32]) {
        dispatch(Singles { key: self.key, draw: self.draw, first: start, out });
    }

    fn doubles(&self, start: u64, out: &mut [f64]) {
        let mut singles = [0.0; TILE];
        for (part, first) in out.chunks_mut(TILE).zip((start..).step_by(TILE)) {
            self.singles(first, &mut singles[..part.len()]);
            for (double, single) in part.iter_mut().zip(singles) {
                *double = single.into();
            }
        }
    }
}

/// The values of a law in double precision.
pub(super) struct IndependentWide<D> {
    pub(super) key: Key,
    pub(super) draw: D,
}

impl<D: DrawWide> Source for IndependentWide<D> {
    fn singles(&self, start: u64, out: &mut [f32]) {
        let mut doubles = [0.0; TILE];
        for (part, first) in out.chunks_mut(TILE).zip((start..).step_by(TILE)) {
            self.doubles(first, &mut doubles[..part.len()]);
            for (single, double) in part.iter_mut().zip(doubles) {
                *single = narrow(double);
            }
        }
    }

    fn doubles(&self, start: u64, out: &mut [f64]) {
        dispatch(Doubles { key: self.key, draw: self.draw, first: start, out });
    }
}

struct Singles<'a, D> {
    key: Key,
    draw: D,
    first: u64,
    out: &'a mut [f32],
}

impl<D: Draw> WithSimd for Singles<'_, D> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { key, draw, mut first, out } = self;
        let (tiles, rest) = out.as_chunks_mut();
        for tile in tiles {
            singles(key, draw, first, tile);
            first += TILE as u64;
        }
        if !rest.is_empty() {
            let mut aside = [0.0; TILE];
            singles(key, draw, first, &mut aside);
            rest.copy_from_slice(&aside[..rest.len()]);
        }
    }
}

#[inline(always)]
fn singles<D: Draw>(key: Key, draw: D, first: u64, tile: &mut [f32; TILE]) {
    let [high, low] = blocks(key, first);
    for ((value, high), low) in tile.iter_mut().zip(high).zip(low) {
        *value = draw.value(high ^ low);
    }
}

struct Doubles<'a, D> {
    key: Key,
    draw: D,
    first: u64,
    out: &'a mut [f64],
}

impl<D: DrawWide> WithSimd for Doubles<'_, D> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { key, draw, mut first, out } = self;
        let (tiles, rest) = out.as_chunks_mut();
        for tile in tiles {
            doubles(key, draw, first, tile);
            first += TILE as u64;
        }
        if !rest.is_empty() {
            let mut aside = [0.0; TILE];
            doubles(key, draw, first, &mut aside);
            rest.copy_from_slice(&aside[..rest.len()]);
        }
    }
}

#[inline(always)]
fn doubles<D: DrawWide>(key: Key, draw: D, first: u64, tile: &mut [f64; TILE]) {
    let [high, low] = blocks(key, first);
    for ((value, high), low) in tile.iter_mut().zip(high).zip(low) {
        *value = draw.value(u64::from(high) << 32 | u64::from(low));
    }
}

/// The two words of a run of blocks.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the halves of a counter")]
fn blocks(key: Key, first: u64) -> [[u32; TILE]; 2] {
    let (mut high, mut low) = ([0; TILE], [0; TILE]);
    let [upper, lower] = [(first >> 32) as u32, first as u32];
    for ((high, low), offset) in high.iter_mut().zip(&mut low).zip(0..) {
        // Lanes of 32 bits: the carry into the upper half is told by the lower one's having turned over.
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

    impl DrawWide for Raw {
        fn value(self, bits: u64) -> f64 {
            f64::from_bits(bits)
        }
    }

    #[test]
    fn every_element_is_of_its_own_block() {
        let key = Key([7, 9]);
        for first in [0, 3, u64::from(u32::MAX) - 70, (5 << 32) - 1] {
            let mut out = [0.0; 150];
            IndependentWide { key, draw: Raw }.doubles(first, &mut out);
            for (value, index) in out.iter().zip(first..) {
                let [high, low] = key.block(index);
                assert_eq!(value.to_bits(), u64::from(high) << 32 | u64::from(low), "element {index}");
            }
        }
    }
}
