//! Normal laws by the transform of [`box_muller`]: a pair of words makes a pair of normals. The first half of a tile holds the
//! words of the radii and gets the cosines; the second half those of the angles, and gets the sines.
//!
//! Single precision takes 32 bits of each word's plane; double precision continues them with a further plane. A radius
//! word near either end of its range says too little about its radius, so it is continued by yet another word: that
//! gives the tails past 6 sigma their right frequency, and keeps single and double together.

use pulp::{Simd, WithSimd};

use super::box_muller;
use super::elementwise::{TILE, by_tiles};
use super::words::{LANES, Words};
use crate::generator::{Source, dispatch};
use crate::plan::narrow;

const HALF: usize = TILE / 2;

/// 2^-32, and 2^-64: the last places of fractions of so many bits.
const STEP_OF_32_BITS: f64 = 1.0 / 4_294_967_296.0;
const STEP_OF_64_BITS: f64 = STEP_OF_32_BITS * STEP_OF_32_BITS;

/// Which planes a draw of normals reads: that of its words, that which continues them, that which refines them.
#[derive(Clone, Copy)]
pub(super) struct Planes {
    word: u64,
    further: u64,
    refined: u64,
}

impl Planes {
    /// The planes of draw number `attempt` of every element: 0 for the first, higher ones where it may be rejected.
    pub(super) fn of_attempt(attempt: u64) -> Self {
        let word = attempt * 8;
        Self { word, further: word + 1, refined: word + 2 }
    }
}

/// N(mean, std²).
pub(super) struct Normal {
    pub(super) words: Words,
    pub(super) mean: f64,
    pub(super) std: f64,
}

impl Source for Normal {
    fn singles(&self, start: u64, out: &mut [f32]) {
        by_tiles(start, out, |first, tiles| {
            dispatch(Singles { words: &self.words, first, out: tiles, mean: narrow(self.mean), std: narrow(self.std) });
        });
    }

    fn doubles(&self, start: u64, out: &mut [f64]) {
        by_tiles(start, out, |first, tiles| {
            standard_doubles(&self.words, Planes::of_attempt(0), first, tiles);
            for z in tiles {
                *z = *z * self.std + self.mean;
            }
        });
    }
}

struct Singles<'a> {
    words: &'a Words,
    first: u64,
    out: &'a mut [f32],
    mean: f32,
    std: f32,
}

impl WithSimd for Singles<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let mut drawn = [0; TILE];
        for (tile, first) in self.out.chunks_exact_mut(TILE).zip((self.first..).step_by(TILE)) {
            standard_tile(simd, self.words, Planes::of_attempt(0), first, &mut drawn, tile);
            for z in tile {
                *z = *z * self.std + self.mean;
            }
        }
    }
}

/// Fills a tile with standard normals, from element `first`, a multiple of [`TILE`]; `drawn` is room for its words.
#[inline(always)]
pub(super) fn standard_tile<S: Simd>(
    simd: S,
    words: &Words,
    planes: Planes,
    first: u64,
    drawn: &mut [u32; TILE],
    tile: &mut [f32],
) {
    words.fill_simd(simd, planes.word, first, drawn);
    let (radii, angles) = drawn.split_at(HALF);
    let (cosines, sines) = tile.split_at_mut(HALF);
    box_muller::singles(radii, angles, cosines, sines);
    let coarse = radii.iter().fold(false, |any, &word| any | is_coarse(word));
    if coarse {
        refine_singles(words, planes, first, drawn, tile);
    }
}

/// Draws again, in double precision, the pairs of a tile whose radius word is too coarse.
#[cold]
#[inline(never)]
fn refine_singles(words: &Words, planes: Planes, first: u64, drawn: &[u32; TILE], tile: &mut [f32]) {
    for offset in (0..HALF).filter(|&offset| is_coarse(drawn[offset])) {
        let pair = [drawn[offset], drawn[offset + HALF]];
        [tile[offset], tile[offset + HALF]] = refine_pair(words, planes, first + offset as u64, pair);
    }
}

/// The pair of a radius word, number `index`, that is too coarse, and its angle word.
fn refine_pair(words: &Words, planes: Planes, index: u64, [radius, angle]: [u32; 2]) -> [f32; 2] {
    let further = |index| words.word(planes.further, index);
    let angle = join(angle, further(index + HALF as u64));
    let (cosine, sine) = box_muller::double(refined(words, planes, index, radius, further(index)), angle);
    [narrow(cosine), narrow(sine)]
}

/// Standard normals of elements that have nothing in common, each of its own attempt.
#[inline(always)]
pub(super) fn standard_gathered<S: Simd>(simd: S, words: &Words, elements: &[(u64, u64); LANES]) -> [f32; LANES] {
    let half = HALF as u64;
    let places =
        elements.map(|(index, attempt)| (Planes::of_attempt(attempt), index / (2 * half) * 2 * half + index % half));
    let radii = words.gather_simd(simd, &places.map(|(planes, index)| (planes.word, index)));
    let angles = words.gather_simd(simd, &places.map(|(planes, index)| (planes.word, index + half)));
    let pairs = standard_pairs(words, radii, angles, |lane| places[lane]);
    std::array::from_fn(|lane| pairs[usize::from(elements[lane].0 % (2 * half) >= half)][lane])
}

/// Standard normals of some elements of the tile that begins with element `first`, by their `offsets`; `drawn` is room for the
/// words of all.
#[inline(always)]
pub(super) fn standard_chosen<S: Simd>(
    simd: S,
    words: &Words,
    planes: Planes,
    first: u64,
    drawn: &mut [u32; TILE],
    offsets: &[u16],
    out: &mut [f32; TILE],
) {
    words.fill_simd(simd, planes.word, first, drawn);
    for (offsets, out) in offsets.chunks(LANES).zip(out.chunks_mut(LANES)) {
        // Lanes without an element take words that need no refining.
        let [mut radii, mut angles] = [[1 << 31; LANES]; 2];
        for ((radius, angle), &offset) in radii.iter_mut().zip(&mut angles).zip(offsets) {
            let place = usize::from(offset) % HALF;
            (*radius, *angle) = (drawn[place], drawn[place + HALF]);
        }
        let place = |lane: usize| (planes, first + u64::from(offsets[lane]) % HALF as u64);
        let pairs = standard_pairs(words, radii, angles, place);
        for (lane, (&offset, z)) in offsets.iter().zip(out).enumerate() {
            *z = pairs[usize::from(usize::from(offset) >= HALF)][lane];
        }
    }
}

/// The two standard normals of each pair of words; `place` tells of a lane where further words for it are.
#[inline(always)]
fn standard_pairs(
    words: &Words,
    radii: [u32; LANES],
    angles: [u32; LANES],
    place: impl Fn(usize) -> (Planes, u64),
) -> [[f32; LANES]; 2] {
    let [mut cosines, mut sines] = [[0.0; LANES]; 2];
    for lane in 0..LANES {
        (cosines[lane], sines[lane]) = box_muller::single(radii[lane], angles[lane]);
    }
    for lane in (0..LANES).filter(|&lane| is_coarse(radii[lane])) {
        let (planes, index) = place(lane);
        [cosines[lane], sines[lane]] = refine_pair(words, planes, index, [radii[lane], angles[lane]]);
    }
    [cosines, sines]
}

/// The radius of an element as a signed fraction (see [`box_muller::double`]), its 64 bits continued by 32 more.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "a coarse word leaves room for all bits")]
fn refined(words: &Words, planes: Planes, index: u64, word: u32, further: u32) -> f64 {
    let more = (f64::from(words.word(planes.refined, index)) + 0.5) * STEP_OF_32_BITS;
    (join(word, further) as i64 as f64 + more) * STEP_OF_64_BITS
}

/// Fills whole tiles with standard normals in double precision.
pub(super) fn standard_doubles(words: &Words, planes: Planes, first: u64, out: &mut [f64]) {
    dispatch(Doubles { words, planes, first, out });
}

struct Doubles<'a> {
    words: &'a Words,
    planes: Planes,
    first: u64,
    out: &'a mut [f64],
}

impl WithSimd for Doubles<'_> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "53 of 64 bits are kept")]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { words, planes, .. } = self;
        let (mut drawn, mut further) = ([0; TILE], [0; TILE]);
        for (tile, first) in self.out.chunks_exact_mut(TILE).zip((self.first..).step_by(TILE)) {
            words.fill_simd(simd, planes.word, first, &mut drawn);
            words.fill_simd(simd, planes.further, first, &mut further);
            let (radii, angles) = (pairs(&drawn[..HALF], &further[..HALF]), pairs(&drawn[HALF..], &further[HALF..]));
            let (cosines, sines) = tile.split_at_mut(HALF);
            for (((radius, angle), cosine), sine) in radii.zip(angles).zip(cosines).zip(sines) {
                (*cosine, *sine) = box_muller::double((radius as i64 as f64 + 0.5) * STEP_OF_64_BITS, angle);
            }
            let coarse = drawn[..HALF].iter().fold(false, |any, &word| any | is_coarse(word));
            if coarse {
                refine_doubles(words, planes, first, &drawn, &further, tile);
            }
        }
    }
}

/// Draws again the pairs of a tile whose radius word is too coarse.
#[cold]
#[inline(never)]
fn refine_doubles(
    words: &Words,
    planes: Planes,
    first: u64,
    drawn: &[u32; TILE],
    further: &[u32; TILE],
    tile: &mut [f64],
) {
    for offset in (0..HALF).filter(|&offset| is_coarse(drawn[offset])) {
        let radius = refined(words, planes, first + offset as u64, drawn[offset], further[offset]);
        let angle = join(drawn[offset + HALF], further[offset + HALF]);
        (tile[offset], tile[offset + HALF]) = box_muller::double(radius, angle);
    }
}

/// Words, each with the one that continues it.
#[inline(always)]
fn pairs<'a>(words: &'a [u32], further: &'a [u32]) -> impl Iterator<Item = u64> + 'a {
    words.iter().zip(further).map(|(&word, &further)| join(word, further))
}

/// A word and the one that continues it.
#[inline(always)]
fn join(word: u32, further: u32) -> u64 {
    u64::from(word) << 32 | u64::from(further)
}

/// Whether a radius word lies so near an end of its range that its 32 bits say too little: below 2^17, or within 2^8 of
/// the end.
#[inline(always)]
fn is_coarse(word: u32) -> bool {
    word.wrapping_add(1 << 8) < (1 << 17) + (1 << 8)
}
