//! Truncated normals. If enough probability lies between the cuts, each element is redrawn from the planes of the next attempt until it
//! lies there. So an element within the cuts equals that of the plain normal. Otherwise see [`super::tails`].

use std::iter;
use std::marker::PhantomData;

use half::bf16;
use pulp::{Simd, WithSimd};

use super::elementwise::{Stored, TILE, by_tiles, within};
use super::normal::{CHOSEN, Chosen, Draw, Element, Planes, standard_doubles};
use super::tails::Tails;
use super::words::Words;
use crate::generator::Source;
use crate::simd::{bits_outside, dispatch};
use crate::statistics::normal;
use crate::tensor::to_f32;

/// The smallest probability between the cuts for redrawing.
const LEAST_KEPT: f64 = 0.3;

/// Whole tiles are redrawn above this expected share of missing elements.
const MANY: f64 = 1.0 / 8.0;

/// Up to this number of elements of a tile, generating words one by one is faster than generating the whole tile's.
const FEW: usize = 8;

/// The values of N(mean, std²) between `cuts` (in sigma), within the closed `bounds` of the dtype.
pub(super) fn open(words: Words, mean: f64, std: f64, cuts: (f64, f64), bounds: (f64, f64)) -> Box<dyn Source> {
    let kept = normal::between(cuts.0, cuts.1);
    if kept < LEAST_KEPT {
        return Box::new(Tails { words, mean, std, cuts, bounds });
    }
    let wanting = iter::successors(Some(1.0 - kept), |wanting| Some(wanting * (1.0 - kept)));
    let whole = wanting.zip(1..).find(|&(wanting, _)| wanting <= MANY).map_or(1, |(_, attempt)| attempt);
    Box::new(Redrawn { words, mean, std, cuts: (to_f32(cuts.0), to_f32(cuts.1)), bounds, whole })
}

struct Redrawn {
    words: Words,
    mean: f64,
    std: f64,
    cuts: (f32, f32),
    bounds: (f64, f64),
    /// The number of attempts for all elements of a tile. The next attempt generates all words of a tile and chooses the few missing
    /// elements; later ones generate words one by one. The values do not depend on it.
    whole: u64,
}

impl Source for Redrawn {
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        by_tiles(start, out, |first, tiles| dispatch(Filled { distribution: self, first, out: tiles }));
    }

    fn fill_bf16(&self, start: u64, out: &mut [bf16]) -> bool {
        by_tiles(start, out, |first, tiles| dispatch(Filled { distribution: self, first, out: tiles }));
        true
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
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
    /// True if a standard normal is accepted. Decided in single precision for every dtype.
    #[inline(always)]
    fn keeps(&self, z: f32) -> bool {
        (self.cuts.0 <= z) & (z <= self.cuts.1)
    }

    fn double_tile(&self, first: u64, tile: &mut [f64]) {
        let (mut singles, mut doubles) = ([0.0; TILE], [0.0; TILE]);
        let mut wanting = [true; TILE];
        for attempt in 0.. {
            dispatch(OneTile { words: &self.words, attempt, first, out: &mut singles });
            standard_doubles(&self.words, Planes::of_attempt(attempt), first, &mut doubles);
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

struct OneTile<'a> {
    words: &'a Words,
    attempt: u64,
    first: u64,
    out: &'a mut [f32; TILE],
}

impl WithSimd for OneTile<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        Draw::new(simd, self.words, self.attempt).all(self.first, self.out, |z| z);
    }
}

struct Filled<'a, T> {
    distribution: &'a Redrawn,
    first: u64,
    out: &'a mut [T],
}

impl<T: Stored> WithSimd for Filled<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { distribution, .. } = self;
        let mut draw = Draw::new(simd, &distribution.words, 0);
        let mut others = Vec::new();
        for attempt in 1..distribution.whole {
            others.push(Draw::new(simd, &distribution.words, attempt));
        }
        let mut last = Draw::new(simd, &distribution.words, distribution.whole);
        let (mut room, mut again, mut offsets) = ([0.0; TILE], [0.0; TILE], ROOM);
        let (mut chosen, mut waiting) = (Chosen::new(), Vec::new());
        for start in (0..self.out.len()).step_by(TILE) {
            let (first, tile) = (self.first + start as u64, &mut self.out[start..start + TILE]);
            let normals = T::singles(tile, &mut room);
            draw.all(first, normals, |z| z);
            for other in &mut others {
                other.all(first, &mut again, |z| z);
                for (z, &other) in normals.iter_mut().zip(&again) {
                    *z = if distribution.keeps(*z) { *z } else { other };
                }
            }
            let cut = distribution.place_all(simd, normals, &mut offsets);
            T::store(simd, &room, tile);
            if cut <= FEW {
                let element = |&offset: &u16| Element { index: first + u64::from(offset), attempt: distribution.whole };
                waiting.extend(offsets[..cut].iter().map(element));
            } else {
                last.some(first, &offsets[..cut], &mut chosen, |chosen| {
                    distribution.settle(chosen, &mut waiting, self.first, self.out);
                });
            }
            if waiting.len() >= 4 * CHOSEN {
                distribution.draw_again(&mut waiting, CHOSEN, self.first, self.out);
            }
        }
        distribution.settle(&mut chosen, &mut waiting, self.first, self.out);
        distribution.draw_again(&mut waiting, 1, self.first, self.out);
    }
}

/// A buffer for the offsets of a tile, with space for writes beyond the last.
type Offsets = [u16; TILE + AT_A_TIME];
const ROOM: Offsets = [0; TILE + AT_A_TIME];

/// The number of offsets written unconditionally: most words of 64 elements have fewer.
const AT_A_TIME: usize = 4;

impl Redrawn {
    /// Turns a tile of standard normals into values. Writes the offsets of rejected ones, and returns their number.
    #[inline(always)]
    fn place_all<S: Simd>(&self, simd: S, tile: &mut [f32], offsets: &mut Offsets) -> usize {
        // All words come first: the next step depends on their values, and a CPU mispredicts that.
        let mut words = [0; TILE / 64];
        for (word, normals) in words.iter_mut().zip(tile.as_chunks_mut().0) {
            *word = bits_outside(simd, normals, self.cuts.0, self.cuts.1);
            self.place(normals);
        }
        let mut count = 0;
        for (start, mut word) in (0..).step_by(64).zip(words) {
            let mut written = count;
            count += word.count_ones() as usize;
            while written < count {
                for offset in &mut offsets[written..written + AT_A_TIME] {
                    #[expect(clippy::cast_possible_truncation, reason = "at most 64")]
                    let place = word.trailing_zeros() as u16;
                    *offset = start + place;
                    word &= word.wrapping_sub(1);
                }
                written += AT_A_TIME;
            }
        }
        count
    }

    /// Standard normals to values.
    #[inline(always)]
    fn place(&self, values: &mut [f32]) {
        let (mean, std) = (to_f32(self.mean), to_f32(self.std));
        let (low, high) = (to_f32(self.bounds.0), to_f32(self.bounds.1));
        for z in values {
            *z = within(*z * std + mean, low, high);
        }
    }

    /// Redraws elements of `out`, which begins with element `first`, until fewer than `enough` are missing.
    fn draw_again<T: Stored>(&self, waiting: &mut Vec<Element>, enough: usize, first: u64, out: &mut [T]) {
        while waiting.len() >= enough {
            let elements = waiting.split_off(waiting.len().saturating_sub(CHOSEN));
            let mut chosen = dispatch(Gathered { words: &self.words, elements: &elements });
            self.settle(&mut chosen, waiting, first, out);
        }
    }

    /// Writes the values of chosen elements to `out`, which begins with element `first`; queues the rejected ones again.
    fn settle<T: Stored>(&self, chosen: &mut Chosen, waiting: &mut Vec<Element>, first: u64, out: &mut [T]) {
        let (values, mut cut) = dispatch(Settled { distribution: self, chosen, stored: PhantomData });
        for (element, value) in chosen.elements().iter().zip(values) {
            #[expect(clippy::cast_possible_truncation, reason = "an offset in memory")]
            let at = (element.index - first) as usize;
            out[at] = value;
        }
        while let Some(&element) = chosen.elements().get(cut.trailing_zeros() as usize) {
            waiting.push(Element { attempt: element.attempt + 1, ..element });
            cut &= cut - 1;
        }
        chosen.clear();
    }
}

/// The values of chosen elements, with a bit set for each rejected one.
struct Settled<'a, T> {
    distribution: &'a Redrawn,
    chosen: &'a Chosen,
    stored: PhantomData<T>,
}

impl<T: Stored> WithSimd for Settled<'_, T> {
    type Output = ([T; CHOSEN], u64);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let mut normals = self.chosen.standard(simd, &self.distribution.words);
        let cut = bits_outside(simd, &normals, self.distribution.cuts.0, self.distribution.cuts.1);
        self.distribution.place(&mut normals);
        (T::each(simd, normals), cut)
    }
}

/// The words of elements.
struct Gathered<'a> {
    words: &'a Words,
    elements: &'a [Element],
}

impl WithSimd for Gathered<'_> {
    type Output = Chosen;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        Chosen::gather(simd, self.words, self.elements)
    }
}
