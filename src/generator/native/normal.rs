//! Normal distributions by the [`box_muller`] transform: a pair of words gives a pair of normals. The first half of a tile has the words of
//! the radii and gets the cosines; the second half has the words of the angles and gets the sines.
//!
//! Single precision uses 32 bits of each word's plane; double precision adds a second plane. A radius word near either end of its range has
//! too few significant bits, so another word extends it. That gives the tails past 6 sigma their right frequency, and keeps single and
//! double together.

use half::bf16;
use pulp::{Simd, WithSimd};

use super::box_muller;
use super::elementwise::{Stored, TILE, by_tiles};
use super::lanes::each;
use super::words::{LANES, Plane, Words};
use crate::generator::Source;
use crate::simd::dispatch;
use crate::tensor::to_f32;

const HALF: usize = TILE / 2;

/// 2^-32: the unit of 32-bit fractions; and 2^-64, that of 64-bit ones.
const STEP_OF_32_BITS: f64 = 1.0 / 4_294_967_296.0;
const STEP_OF_64_BITS: f64 = STEP_OF_32_BITS * STEP_OF_32_BITS;

/// The planes of a normal draw: its words, their extension, and their refinement.
#[derive(Clone, Copy)]
pub(super) struct Planes {
    word: u64,
    further: u64,
    refined: u64,
}

impl Planes {
    /// The planes of draw `attempt` of every element: 0 for the first; each rejection adds 1.
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
    fn fill_f32(&self, start: u64, out: &mut [f32]) {
        self.fill(start, out);
    }

    fn fill_bf16(&self, start: u64, out: &mut [bf16]) -> bool {
        self.fill(start, out);
        true
    }

    fn fill_f64(&self, start: u64, out: &mut [f64]) {
        by_tiles(start, out, |first, tiles| {
            standard_doubles(&self.words, Planes::of_attempt(0), first, tiles);
            for z in tiles {
                *z = *z * self.std + self.mean;
            }
        });
    }
}

impl Normal {
    fn fill<T: Stored>(&self, start: u64, out: &mut [T]) {
        by_tiles(start, out, |first, tiles| {
            dispatch(Filled { words: &self.words, first, out: tiles, mean: to_f32(self.mean), std: to_f32(self.std) });
        });
    }
}

struct Filled<'a, T> {
    words: &'a Words,
    first: u64,
    out: &'a mut [T],
    mean: f32,
    std: f32,
}

impl<T: Stored> WithSimd for Filled<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (mean, std) = (simd.splat_f32s(self.mean), simd.splat_f32s(self.std));
        let place = |z| simd.add_f32s(simd.mul_f32s(z, std), mean);
        let (mut draw, mut room) = (Draw::new(simd, self.words, 0), [0.0; TILE]);
        for (tile, first) in self.out.chunks_exact_mut(TILE).zip((self.first..).step_by(TILE)) {
            draw.all(first, T::singles(tile, &mut room), place);
            T::store(simd, &room, tile);
        }
    }
}

/// The number of vectors transformed in step.
const IN_STEP: usize = 4;

/// Draws elements of tiles, all of the same attempt.
pub(super) struct Draw<'a, S: Simd> {
    simd: S,
    words: &'a Words,
    attempt: u64,
    plane: Plane<S>,
    /// The words of a tile.
    drawn: [u32; TILE],
}

impl<'a, S: Simd> Draw<'a, S> {
    #[inline(always)]
    pub(super) fn new(simd: S, words: &'a Words, attempt: u64) -> Self {
        let plane = words.plane(simd, Planes::of_attempt(attempt).word);
        Self { simd, words, attempt, plane, drawn: [0; TILE] }
    }

    /// Fills a tile from element `first`, a multiple of [`TILE`], with `place` applied to standard normals.
    #[inline(always)]
    pub(super) fn all(&mut self, first: u64, tile: &mut [f32], place: impl Fn(S::f32s) -> S::f32s) {
        self.plane.fill(first, &mut self.drawn);
        let (radii, angles) = self.drawn.split_at(HALF);
        let (cosines, sines) = tile.split_at_mut(HALF);
        let parts = in_step_mut::<S>(cosines).iter_mut().zip(in_step_mut::<S>(sines));
        for ((&radius, &angle), (cosine, sine)) in in_step::<S>(radii).iter().zip(in_step::<S>(angles)).zip(parts) {
            let r = box_muller::radii(self.simd, radius);
            let [x, y] = box_muller::turns(self.simd, angle);
            *cosine = each((r * x).vectors, &place);
            *sine = each((r * y).vectors, &place);
        }
        if any_is_coarse(radii) {
            let place = |z| bytemuck::cast_slice(&[place(self.simd.splat_f32s(z))])[0];
            refine_singles(self.words, Planes::of_attempt(self.attempt), first, &self.drawn, tile, place);
        }
    }

    /// Chooses elements by their `offsets` in the tile that begins at element `first`; passes the chosen ones to `full` when the buffer is
    /// full.
    #[inline(always)]
    pub(super) fn some(&mut self, first: u64, offsets: &[u16], chosen: &mut Chosen, mut full: impl FnMut(&mut Chosen)) {
        self.plane.fill(first, &mut self.drawn);
        for &offset in offsets {
            let place = usize::from(offset) % HALF;
            let element = Element { index: first + u64::from(offset), attempt: self.attempt };
            chosen.push(element, [self.drawn[place], self.drawn[place + HALF]]);
            if chosen.count == CHOSEN {
                full(chosen);
            }
        }
    }
}

#[inline(always)]
fn in_step<S: Simd>(words: &[u32]) -> &[[S::u32s; IN_STEP]] {
    S::as_simd_u32s(words).0.as_chunks().0
}

#[inline(always)]
fn in_step_mut<S: Simd>(numbers: &mut [f32]) -> &mut [[S::f32s; IN_STEP]] {
    S::as_mut_simd_f32s(numbers).0.as_chunks_mut().0
}

/// Redraws in double precision the pairs of a tile with a coarse radius word.
#[cold]
#[inline(never)]
fn refine_singles(
    words: &Words,
    planes: Planes,
    first: u64,
    drawn: &[u32; TILE],
    tile: &mut [f32],
    place: impl Fn(f32) -> f32,
) {
    for offset in (0..HALF).filter(|&offset| is_coarse(drawn[offset])) {
        let pair = [drawn[offset], drawn[offset + HALF]];
        [tile[offset], tile[offset + HALF]] = refine_pair(words, planes, first + offset as u64, pair).map(&place);
    }
}

/// The pair with the coarse radius word `index`, and its angle word.
fn refine_pair(words: &Words, planes: Planes, index: u64, [radius, angle]: [u32; 2]) -> [f32; 2] {
    let further = |index| words.word(planes.further, index);
    let angle = join(angle, further(index + HALF as u64));
    let (cosine, sine) = box_muller::double(refined(words, planes, index, radius, further(index)), angle);
    [to_f32(cosine), to_f32(sine)]
}

/// A draw of an element: the indices of the element and of the attempt.
#[derive(Clone, Copy, Default)]
pub(super) struct Element {
    pub(super) index: u64,
    pub(super) attempt: u64,
}

impl Element {
    /// The index of its pair's radius word.
    fn radius(self) -> u64 {
        self.index / TILE as u64 * TILE as u64 + self.index % HALF as u64
    }

    /// True if it is the second of its pair.
    fn is_second(self) -> bool {
        self.index % TILE as u64 >= HALF as u64
    }
}

/// The number of chosen elements transformed at a time.
pub(super) const CHOSEN: usize = 64;

/// Elements of any tiles and attempts, with the words of their pairs.
pub(super) struct Chosen {
    count: usize,
    elements: [Element; CHOSEN],
    radii: [u32; CHOSEN],
    /// A second element's angle is reduced by a quarter turn: its sine is bit for bit the cosine of that.
    angles: [u32; CHOSEN],
}

impl Chosen {
    /// Words of lanes without an element, which need no refinement.
    const NO_RADII: [u32; CHOSEN] = [1 << 31; CHOSEN];

    /// An empty selection.
    pub(super) fn new() -> Self {
        Self { count: 0, elements: [Element::default(); CHOSEN], radii: Self::NO_RADII, angles: [0; CHOSEN] }
    }

    /// Gathers at most [`CHOSEN`] elements with their words, at any addresses.
    #[inline(always)]
    pub(super) fn gather<S: Simd>(simd: S, words: &Words, elements: &[Element]) -> Self {
        let mut chosen = Self::new();
        for elements in elements.chunks(LANES) {
            let mut addresses = [[(0, 0); LANES]; 2];
            for (lane, &element) in elements.iter().enumerate() {
                let plane = Planes::of_attempt(element.attempt).word;
                addresses[0][lane] = (plane, element.radius());
                addresses[1][lane] = (plane, element.radius() + HALF as u64);
            }
            let radii = words.gather_simd(simd, &addresses[0]);
            let angles = words.gather_simd(simd, &addresses[1]);
            for ((&element, radius), angle) in elements.iter().zip(radii).zip(angles) {
                chosen.push(element, [radius, angle]);
            }
        }
        chosen
    }

    #[inline(always)]
    fn push(&mut self, element: Element, [radius, angle]: [u32; 2]) {
        self.elements[self.count] = element;
        self.radii[self.count] = radius;
        self.angles[self.count] = angle.wrapping_sub(quarter_turn(element));
        self.count += 1;
    }

    pub(super) fn clear(&mut self) {
        self.count = 0;
        self.radii = Self::NO_RADII;
    }

    pub(super) fn elements(&self) -> &[Element] {
        &self.elements[..self.count]
    }

    /// Their standard normals; lanes without an element are arbitrary.
    #[inline(always)]
    pub(super) fn standard<S: Simd>(&self, simd: S, words: &Words) -> [f32; CHOSEN] {
        let mut normals = [0.0; CHOSEN];
        let vectors = in_step::<S>(&self.radii).iter().zip(in_step::<S>(&self.angles));
        for ((&radius, &angle), z) in vectors.zip(in_step_mut::<S>(&mut normals)) {
            let [cosine, _] = box_muller::turns(simd, angle);
            *z = (box_muller::radii(simd, radius) * cosine).vectors;
        }
        if any_is_coarse(&self.radii) {
            self.refine(words, &mut normals);
        }
        normals
    }

    /// Redraws those with a coarse radius word.
    #[cold]
    #[inline(never)]
    fn refine(&self, words: &Words, normals: &mut [f32; CHOSEN]) {
        for (lane, element) in self.elements().iter().enumerate().filter(|&(lane, _)| is_coarse(self.radii[lane])) {
            let pair = [self.radii[lane], self.angles[lane].wrapping_add(quarter_turn(*element))];
            let pair = refine_pair(words, Planes::of_attempt(element.attempt), element.radius(), pair);
            normals[lane] = pair[usize::from(element.is_second())];
        }
    }
}

/// The quarter turn of a second element, else 0.
fn quarter_turn(element: Element) -> u32 {
    u32::from(element.is_second()) << 30
}

/// An element's radius as a signed fraction (see [`box_muller::double`]), its 64 bits extended by 32 more.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "a coarse word leaves room for all bits")]
fn refined(words: &Words, planes: Planes, index: u64, word: u32, further: u32) -> f64 {
    let more = (f64::from(words.word(planes.refined, index)) + 0.5) * STEP_OF_32_BITS;
    (join(word, further) as i64 as f64 + more) * STEP_OF_64_BITS
}

/// Fills whole tiles with double-precision standard normals.
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
        let [mut plane, mut further_plane] = [planes.word, planes.further].map(|plane| words.plane(simd, plane));
        let (mut drawn, mut further) = ([0; TILE], [0; TILE]);
        for (tile, first) in self.out.chunks_exact_mut(TILE).zip((self.first..).step_by(TILE)) {
            plane.fill(first, &mut drawn);
            further_plane.fill(first, &mut further);
            let (radii, angles) = (pairs(&drawn[..HALF], &further[..HALF]), pairs(&drawn[HALF..], &further[HALF..]));
            let (cosines, sines) = tile.split_at_mut(HALF);
            for (((radius, angle), cosine), sine) in radii.zip(angles).zip(cosines).zip(sines) {
                (*cosine, *sine) = box_muller::double((radius as i64 as f64 + 0.5) * STEP_OF_64_BITS, angle);
            }
            if any_is_coarse(&drawn[..HALF]) {
                refine_doubles(words, planes, first, &drawn, &further, tile);
            }
        }
    }
}

/// Redraws the pairs of a tile with a coarse radius word.
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

/// Words, each with its extension.
#[inline(always)]
fn pairs<'a>(words: &'a [u32], further: &'a [u32]) -> impl Iterator<Item = u64> + 'a {
    words.iter().zip(further).map(|(&word, &further)| join(word, further))
}

#[inline(always)]
fn join(word: u32, further: u32) -> u64 {
    u64::from(word) << 32 | u64::from(further)
}

#[inline(always)]
fn any_is_coarse(radii: &[u32]) -> bool {
    radii.iter().fold(false, |any, &word| any | is_coarse(word))
}

/// True if a radius word is too close to an end of its range for its 32 bits: below 2^17, or within 2^8 of the end.
#[inline(always)]
fn is_coarse(word: u32) -> bool {
    word.wrapping_add(1 << 8) < (1 << 17) + (1 << 8)
}
