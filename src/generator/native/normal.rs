//! Normal laws by the transform of Box and Muller (1958): a pair of words makes a radius sqrt(-2 ln u) and an angle, and
//! these a pair of independent normals. The first half of a tile holds the words of the radii and gets the cosines; the
//! second half those of the angles, and gets the sines.
//!
//! Single precision takes 32 bits of each word's plane; double precision continues them with a further plane. A radius
//! word near either end of its range says too little about its radius, so it is continued by yet another word: that
//! gives the tails past 6 sigma their right frequency, and keeps single and double together.

use std::f64::consts::TAU;

use pulp::{Simd, WithSimd};

use super::elementwise::{TILE, by_tiles};
use super::words::Words;
use crate::generator::{Source, dispatch};
use crate::plan::narrow;

const HALF: usize = TILE / 2;

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
            dispatch(Singles {
                words: &self.words,
                first,
                out: tiles,
                affine: Some((narrow(self.mean), narrow(self.std))),
            });
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
    affine: Option<(f32, f32)>,
}

impl WithSimd for Singles<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (tile, first) in self.out.chunks_exact_mut(TILE).zip((self.first..).step_by(TILE)) {
            standard_tile(simd, self.words, Planes::of_attempt(0), first, tile);
            if let Some((mean, std)) = self.affine {
                for z in tile {
                    *z = *z * std + mean;
                }
            }
        }
    }
}

/// Fills a tile with standard normals, from element `first`, a multiple of [`TILE`].
#[inline(always)]
pub(super) fn standard_tile<S: Simd>(simd: S, words: &Words, planes: Planes, first: u64, tile: &mut [f32]) {
    let mut drawn = [0; TILE];
    words.fill_simd(simd, planes.word, first, &mut drawn);
    let (radii, angles) = drawn.split_at(HALF);
    let (cosines, sines) = tile.split_at_mut(HALF);
    for (((&radius, &angle), cosine), sine) in radii.iter().zip(angles).zip(cosines).zip(sines) {
        (*cosine, *sine) = pair(radius, angle);
    }
    let coarse = radii.iter().fold(false, |any, &word| any | is_coarse(word));
    if coarse {
        refine_tile(words, planes, first, &drawn, tile);
    }
}

/// Draws again, in double precision, the pairs of a tile whose radius word is too coarse.
#[cold]
#[inline(never)]
fn refine_tile(words: &Words, planes: Planes, first: u64, drawn: &[u32; TILE], tile: &mut [f32]) {
    for offset in (0..HALF).filter(|&offset| is_coarse(drawn[offset])) {
        let index = first + offset as u64;
        let radius = [drawn[offset], words.word(planes.further, index)];
        let angle = [drawn[offset + HALF], words.word(planes.further, index + HALF as u64)];
        let (cosine, sine) = exact_pair(words, planes, index, radius, angle);
        (tile[offset], tile[offset + HALF]) = (narrow(cosine), narrow(sine));
    }
}

/// Fills whole tiles with standard normals in double precision.
pub(super) fn standard_doubles(words: &Words, planes: Planes, first: u64, out: &mut [f64]) {
    let (mut drawn, mut further) = ([0; TILE], [0; TILE]);
    for (tile, first) in out.chunks_exact_mut(TILE).zip((first..).step_by(TILE)) {
        words.fill(planes.word, first, &mut drawn);
        words.fill(planes.further, first, &mut further);
        let (cosines, sines) = tile.split_at_mut(HALF);
        for (offset, (cosine, sine)) in cosines.iter_mut().zip(sines).enumerate() {
            let radius = [drawn[offset], further[offset]];
            let angle = [drawn[offset + HALF], further[offset + HALF]];
            (*cosine, *sine) = exact_pair(words, planes, first + offset as u64, radius, angle);
        }
    }
}

/// Whether a radius word lies so near an end of its range that its 32 bits say too little: below 2^17, or within 2^8 of
/// the end.
#[inline(always)]
fn is_coarse(word: u32) -> bool {
    word.wrapping_add(1 << 8) < (1 << 17) + (1 << 8)
}

/// A pair of standard normals to single precision.
#[inline(always)]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "the transform of bits to numbers")]
fn pair(radius: u32, angle: u32) -> (f32, f32) {
    let r = (-2.0 * ln_fraction(radius)).sqrt();
    // The angle as a quarter turn and a remainder in [-1/8, 1/8) of a turn.
    let quarter = angle.wrapping_add(1 << 29) >> 30;
    let t = angle.wrapping_sub(quarter << 30) as i32 as f32 * (TAU / 4_294_967_296.0) as f32;
    let z = t * t;
    let sine = ((-1.951_528_2e-4 * z + 8.332_16e-3) * z - 0.166_666_55) * z * t + t;
    let cosine = ((2.443_315_7e-5 * z - 1.388_731_6e-3) * z + 4.166_664_6e-2) * z * z - 0.5 * z + 1.0;
    let (x, y) = if quarter & 1 == 0 { (cosine, sine) } else { (sine, cosine) };
    // cos is negative in quarters 1 and 2, sin in 2 and 3.
    let x = f32::from_bits(x.to_bits() ^ ((quarter + 1) & 2) << 30);
    let y = f32::from_bits(y.to_bits() ^ (quarter & 2) << 30);
    (r * x, r * y)
}

/// ln(word / 2^32) to single precision: below sqrt(1/2) by exponent and mantissa, above it by ln(1 + v), with
/// v = word / 2^32 - 1 exact.
#[inline(always)]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "the transform of bits to numbers")]
fn ln_fraction(word: u32) -> f32 {
    const SQRT_HALF: u32 = 0x3f35_04f3;
    // The word as a signed number: u itself below one half, u - 1 from there on.
    let signed = word as i32 as f32 * (1.0 / 4_294_967_296.0);
    let u = if signed < 0.0 { signed + 1.0 } else { signed };
    let shifted = u.to_bits().wrapping_sub(SQRT_HALF);
    let exponent = shifted as i32 >> 23;
    let mantissa = f32::from_bits((shifted & 0x007f_ffff) + SQRT_HALF);
    let f = if exponent == 0 { signed } else { mantissa - 1.0 };
    // ln(1 + f) = f - f²/2 + f³ P(f), fitted on [sqrt(1/2) - 1, sqrt(2) - 1], relative error 2^-24.9.
    let mut p = 8.700_43e-2;
    for coefficient in [-0.142_674_86, 0.149_147_69, -0.165_775_85, 0.199_630_63, -0.250_013_38, 0.333_339_1] {
        p = p * f + coefficient;
    }
    let square = f * f;
    exponent as f32 * std::f32::consts::LN_2 + (f + (p * f * square - 0.5 * square))
}

/// A pair of standard normals from 64 bits each of radius and angle, the radius continued where it is coarse.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "53 of the bits are kept")]
fn exact_pair(words: &Words, planes: Planes, index: u64, radius: [u32; 2], angle: [u32; 2]) -> (f64, f64) {
    let join = |[high, low]: [u32; 2]| u64::from(high) << 32 | u64::from(low);
    let mut signed = join(radius) as i64 as f64 + 0.5;
    if is_coarse(radius[0]) {
        signed += (f64::from(words.word(planes.refined, index)) + 0.5) * 2f64.powi(-32) - 0.5;
    }
    let fraction = signed * 2f64.powi(-64);
    let ln = if fraction < 0.0 { libm::log1p(fraction) } else { libm::log(fraction) };
    let r = (-2.0 * ln).sqrt();
    let (sine, cosine) = libm::sincos(join(angle) as i64 as f64 * (TAU * 2f64.powi(-64)));
    (r * cosine, r * sine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_is_that_of_libm() {
        let words = (9..32).flat_map(|bit| [1u32 << bit, (1 << bit) + (1 << bit) / 3, u32::MAX - (1 << (bit - 1))]);
        for word in words {
            let exact = libm::log(f64::from(word) / 4_294_967_296.0);
            let error = f64::from(ln_fraction(word)) - exact;
            assert!(error.abs() <= 2f64.powi(-22) * exact.abs(), "ln of {word}: off by {error:e}");
        }
    }

    #[test]
    fn a_quarter_turn_has_its_signs() {
        let radius = 1 << 20;
        for (quarter, (x, y)) in [(0u32, (1.0, 0.0)), (1, (0.0, 1.0)), (2, (-1.0, 0.0)), (3, (0.0, -1.0))] {
            let (a, b) = pair(radius, quarter << 30);
            let r = a.hypot(b);
            assert!((a / r - x).abs() < 1e-6 && (b / r - y).abs() < 1e-6, "quarter {quarter}: {a} {b}");
        }
    }
}
