//! Truncated normal laws. Where enough of the normal lies between the cuts, the normal of each element is drawn again, from
//! the planes of the next attempt, until it lies there; so an element that is not cut equals that of the plain normal.
//! Otherwise see [`super::tails`].

use std::iter;

use pulp::{Simd, WithSimd};

use super::elementwise::{TILE, by_tiles, within};
use super::normal::{Planes, standard_chosen, standard_doubles, standard_gathered, standard_tile};
use super::tails::Tails;
use super::words::{LANES, Words};
use crate::gaussian;
use crate::generator::{Source, bits_of, dispatch};
use crate::plan::narrow;

/// The least probability between the cuts for which drawing again is worth while.
const LEAST_KEPT: f64 = 0.3;

/// Where more than this share of the elements is still to be expected, whole tiles are drawn again.
const MANY: f64 = 1.0 / 4.0;

/// Where no more than this share of the elements is still to be expected, their words are found one by one, gathered from many
/// tiles: that is then cheaper than to find all words of the tiles.
const FEW: f64 = 1.0 / 32.0;

/// The numbers of N(mean, std²) between `cuts` (in sigma), inside the closed `bounds` of the dtype.
pub(super) fn open(words: Words, mean: f64, std: f64, cuts: (f64, f64), bounds: (f64, f64)) -> Box<dyn Source> {
    let kept = gaussian::between(cuts.0, cuts.1);
    if kept < LEAST_KEPT {
        return Box::new(Tails { words, mean, std, cuts, bounds });
    }
    let wanting = || iter::successors(Some(1.0 - kept), |wanting| Some(wanting * (1.0 - kept)));
    let after = |share| wanting().zip(1..).find(|&(wanting, _)| wanting <= share).map_or(1, |(_, attempt)| attempt);
    let cuts = (narrow(cuts.0), narrow(cuts.1));
    Box::new(Redrawn { words, mean, std, cuts, bounds, gathered_in_tiles: after(MANY), gathered: after(FEW) })
}

struct Redrawn {
    words: Words,
    mean: f64,
    std: f64,
    cuts: (f32, f32),
    bounds: (f64, f64),
    /// The first attempt that is not made for all elements of a tile, and the first for which not even all their words are found; the
    /// values do not depend on them.
    gathered_in_tiles: u64,
    gathered: u64,
}

impl Source for Redrawn {
    fn singles(&self, start: u64, out: &mut [f32]) {
        by_tiles(start, out, |first, tiles| dispatch(Singles { law: self, first, out: tiles }));
    }

    fn doubles(&self, start: u64, out: &mut [f64]) {
        by_tiles(start, out, |first, tiles| {
            for (tile, first) in tiles.chunks_exact_mut(TILE).zip((first..).step_by(TILE)) {
                self.double_tile(first, tile);
                for z in tile {
                    *z = (*z * self.std + self.mean).clamp(self.bounds.0, self.bounds.1);
                }
            }
        });
    }
}

impl Redrawn {
    /// Whether a standard normal is kept; decided on singles, alike for every dtype.
    #[inline(always)]
    fn keeps(&self, z: f32) -> bool {
        (self.cuts.0 <= z) & (z <= self.cuts.1)
    }

    fn double_tile(&self, first: u64, tile: &mut [f64]) {
        let (mut singles, mut doubles) = ([0.0; TILE], [0.0; TILE]);
        let mut wanting = [true; TILE];
        for attempt in 0.. {
            let planes = Planes::of_attempt(attempt);
            dispatch(Attempt { words: &self.words, planes, first, out: &mut singles });
            standard_doubles(&self.words, planes, first, &mut doubles);
            for offset in 0..TILE {
                if wanting[offset] && self.keeps(singles[offset]) {
                    (tile[offset], wanting[offset]) = (doubles[offset], false);
                }
            }
            if !wanting.contains(&true) {
                return;
            }
        }
    }
}

struct Attempt<'a> {
    words: &'a Words,
    planes: Planes,
    first: u64,
    out: &'a mut [f32; TILE],
}

impl WithSimd for Attempt<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        standard_tile(simd, self.words, self.planes, self.first, &mut [0; TILE], self.out);
    }
}

struct Singles<'a> {
    law: &'a Redrawn,
    first: u64,
    out: &'a mut [f32],
}

impl WithSimd for Singles<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { law, .. } = self;
        let (mut drawn, mut again, mut offsets) = ([0; TILE], [0.0; TILE], [0; TILE]);
        let mut waiting = Vec::new();
        for start in (0..self.out.len()).step_by(TILE) {
            let (first, tile) = (self.first + start as u64, &mut self.out[start..start + TILE]);
            standard_tile(simd, &law.words, Planes::of_attempt(0), first, &mut drawn, tile);
            for attempt in 1..law.gathered_in_tiles {
                standard_tile(simd, &law.words, Planes::of_attempt(attempt), first, &mut drawn, &mut again);
                for (z, &other) in tile.iter_mut().zip(&again) {
                    *z = if law.keeps(*z) { *z } else { other };
                }
            }
            let mut cut = law.find_cut_off(tile, &mut offsets);
            for attempt in law.gathered_in_tiles..law.gathered {
                let planes = Planes::of_attempt(attempt);
                standard_chosen(simd, &law.words, planes, first, &mut drawn, &offsets[..cut], &mut again);
                cut = law.take_kept(tile, &again, &mut offsets[..cut]);
            }
            let places = offsets[..cut].iter().map(|&offset| start + usize::from(offset));
            waiting.extend(places.map(|at| Waiting { at, attempt: law.gathered }));
            law.place(tile);
            if waiting.len() >= LANES {
                law.draw_again(&mut waiting, LANES, self.first, self.out);
            }
        }
        law.draw_again(&mut waiting, 1, self.first, self.out);
    }
}

/// An element whose normal was cut off, and the number of its next attempt.
#[derive(Clone, Copy, Default)]
struct Waiting {
    at: usize,
    attempt: u64,
}

impl Redrawn {
    /// Writes down the offsets of the normals of a tile that are cut off; tells how many they are. They are few: a word of bits holds
    /// 64 of them, and where none is set nothing is done.
    #[inline(always)]
    fn find_cut_off(&self, tile: &[f32], offsets: &mut [u16; TILE]) -> usize {
        let mut cut = [0; TILE];
        for (cut, &z) in cut.iter_mut().zip(tile) {
            *cut = u8::from(!self.keeps(z));
        }
        let mut count = 0;
        for (start, cut) in (0..).step_by(64).zip(cut.as_chunks::<64>().0) {
            let mut bits = bits_of(cut);
            while bits != 0 {
                #[expect(clippy::cast_possible_truncation, reason = "below 64")]
                let place = bits.trailing_zeros() as u16;
                offsets[count] = start + place;
                count += 1;
                bits &= bits - 1;
            }
        }
        count
    }

    /// Puts what was drawn again for `offsets` in its place. What is cut off again stays among the offsets, in front; tells how many
    /// they are.
    #[inline(always)]
    fn take_kept(&self, tile: &mut [f32], again: &[f32; TILE], offsets: &mut [u16]) -> usize {
        for (&offset, &z) in offsets.iter().zip(again) {
            tile[usize::from(offset) % TILE] = z;
        }
        let mut count = 0;
        for (number, &z) in again.iter().enumerate().take(offsets.len()) {
            offsets[count] = offsets[number];
            count += usize::from(!self.keeps(z));
        }
        count
    }

    /// Standard normals to values.
    #[inline(always)]
    fn place(&self, values: &mut [f32]) {
        let (mean, std) = (narrow(self.mean), narrow(self.std));
        let (low, high) = (narrow(self.bounds.0), narrow(self.bounds.1));
        for z in values {
            *z = within(*z * std + mean, low, high);
        }
    }

    /// Draws elements of `out`, which begins with element `first`, again until fewer than `enough` wait.
    #[inline(never)]
    fn draw_again(&self, waiting: &mut Vec<Waiting>, enough: usize, first: u64, out: &mut [f32]) {
        while waiting.len() >= enough {
            let rest = waiting.len().saturating_sub(LANES);
            let count = waiting.len() - rest;
            let mut chosen = [Waiting::default(); LANES];
            chosen[..count].copy_from_slice(&waiting[rest..]);
            waiting.truncate(rest);
            let elements = chosen.map(|Waiting { at, attempt }| (first + at as u64, attempt));
            let drawn = dispatch(Gathered { words: &self.words, elements });
            for (Waiting { at, attempt }, z) in chosen.into_iter().zip(drawn).take(count) {
                match self.keeps(z) {
                    true => {
                        out[at] = z;
                        self.place(&mut out[at..=at]);
                    }
                    false => waiting.push(Waiting { at, attempt: attempt + 1 }),
                }
            }
        }
    }
}

struct Gathered<'a> {
    words: &'a Words,
    elements: [(u64, u64); LANES],
}

impl WithSimd for Gathered<'_> {
    type Output = [f32; LANES];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        standard_gathered(simd, self.words, &self.elements)
    }
}
