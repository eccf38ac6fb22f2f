//! Elementwise distributions: vector code draws whole tiles, and any range is cut from them.

use half::bf16;
use pulp::Simd;

use crate::generator::Source;
use crate::tensor::{to_bfloat16, to_f32};

/// The number of elements drawn together. A pair of normals has its two elements half a tile apart.
pub(super) const TILE: usize = 512;

/// Fills `out` with elements `start..`. `draw(first, tiles)` fills whole tiles from element `first`, a multiple of [`TILE`]. It writes to
/// `out` directly if whole tiles fit, and to a separate tile at the two ends.
pub(super) fn by_tiles<T: Copy + Default>(start: u64, out: &mut [T], mut draw: impl FnMut(u64, &mut [T])) {
    let tile = TILE as u64;
    let mut aside = |first: u64, skip: usize, part: &mut [T]| {
        let mut whole = [T::default(); TILE];
        draw(first, &mut whole);
        part.copy_from_slice(&whole[skip..skip + part.len()]);
    };
    #[expect(clippy::cast_possible_truncation, reason = "less than a tile")]
    let skip = (start % tile) as usize;
    let ahead = if skip == 0 { 0 } else { (TILE - skip).min(out.len()) };
    let (head, rest) = out.split_at_mut(ahead);
    if !head.is_empty() {
        aside(start - skip as u64, skip, head);
    }
    let (whole, tail) = rest.split_at_mut(rest.len() / TILE * TILE);
    let first = start + ahead as u64;
    let after = first + whole.len() as u64;
    if !tail.is_empty() {
        aside(after, 0, tail);
    }
    if !whole.is_empty() {
        draw(first, whole);
    }
}

/// A storage type for singles. (No closures: their bodies are not always compiled for wide vectors.)
pub(super) trait Stored: Copy + Default {
    /// The buffer to draw the singles of a tile, or of a part of one: `out` itself or the separate `room`.
    fn singles<'a>(out: &'a mut [Self], room: &'a mut [f32; TILE]) -> &'a mut [f32];

    /// Stores the singles of a tile, or of a part of one, from the separate buffer.
    fn store<S: Simd>(simd: S, room: &[f32; TILE], out: &mut [Self]);

    /// Converts singles to the storage type.
    fn each<S: Simd, const N: usize>(simd: S, singles: [f32; N]) -> [Self; N];
}

impl Stored for f32 {
    #[inline(always)]
    fn singles<'a>(out: &'a mut [Self], _: &'a mut [f32; TILE]) -> &'a mut [f32] {
        out
    }

    #[inline(always)]
    fn store<S: Simd>(_: S, _: &[f32; TILE], _: &mut [Self]) {}

    #[inline(always)]
    fn each<S: Simd, const N: usize>(_: S, singles: [f32; N]) -> [Self; N] {
        singles
    }
}

impl Stored for bf16 {
    #[inline(always)]
    fn singles<'a>(out: &'a mut [Self], room: &'a mut [f32; TILE]) -> &'a mut [f32] {
        &mut room[..out.len()]
    }

    #[inline(always)]
    fn store<S: Simd>(simd: S, room: &[f32; TILE], out: &mut [Self]) {
        to_bfloat16(simd, &room[..out.len()], out);
    }

    #[inline(always)]
    fn each<S: Simd, const N: usize>(simd: S, singles: [f32; N]) -> [Self; N] {
        let mut stored = [Self::default(); N];
        to_bfloat16(simd, &singles, &mut stored);
        stored
    }
}

/// Clamps the value to closed bounds; a zero at a bound keeps its sign. Uses comparisons, since `max` and `min` leave the sign of equal
/// zeros to the CPU.
#[inline(always)]
pub(super) fn within(value: f32, low: f32, high: f32) -> f32 {
    let raised = if value < low { low } else { value };
    if raised > high { high } else { raised }
}

/// One value for every element.
pub(super) struct Constant {
    pub(super) value: f64,
}

impl Source for Constant {
    fn fill_f32(&self, _: u64, out: &mut [f32]) {
        out.fill(to_f32(self.value));
    }

    fn fill_f64(&self, _: u64, out: &mut [f64]) {
        out.fill(self.value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_range_is_cut_from_whole_tiles() {
        for (start, count) in [(0, 0), (0, 1), (0, 512), (3, 5), (511, 2), (1, 2000), (1024, 1536), (700, 300)] {
            let mut out = vec![0u64; count];
            by_tiles(start, &mut out, |first, tiles| {
                assert!(first % 512 == 0 && tiles.len() % TILE == 0);
                for (value, index) in tiles.iter_mut().zip(first..) {
                    *value = index;
                }
            });
            assert!(out.iter().copied().eq(start..start + count as u64), "{start} + {count}");
        }
    }
}
