//! The normals of torch's vectorized kernel. Blocks of sixteen uniforms become sixteen normals, by pairing the first eight with the other
//! eight. Cephes' logarithm, sine and cosine in single precision, with fused multiply-add as compiled in torch (2.11 to 2.15).

use std::f64::consts::TAU;

use pulp::{Simd, WithSimd};

/// The number of words, and of normals, per block.
pub(super) const BLOCK: usize = 16;
/// The number of pairs per block.
const LANES: usize = BLOCK / 2;

/// Maps blocks of words to single-precision normals.
pub(super) struct Normals<'a> {
    pub(super) words: &'a [u32],
    pub(super) out: &'a mut [f32],
    pub(super) mean: f32,
    pub(super) std: f32,
}

impl WithSimd for Normals<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let mut pairs = Pairs::default();
        for (out, words) in self.out.chunks_mut(TILE).zip(self.words.chunks(TILE)) {
            pairs.part(words);
            let half = out.len() / 2;
            // Long, branch-free and independent per lane, so that the compiler vectorises it.
            for (one, other) in pairs.first[..half].iter_mut().zip(&mut pairs.second[..half]) {
                let (cosine, sine) = pair(unit(one.to_bits()), unit(other.to_bits()));
                *one = cosine.mul_add(self.std, self.mean);
                *other = sine.mul_add(self.std, self.mean);
            }
            pairs.join(out);
        }
    }
}

/// The elements processed at once: few enough for the L1 cache.
const TILE: usize = 64 * BLOCK;

/// The halves of blocks, one after the other: first the words' bits, then their results.
struct Pairs {
    first: [f32; TILE / 2],
    second: [f32; TILE / 2],
}

impl Default for Pairs {
    fn default() -> Self {
        Self { first: [0.0; TILE / 2], second: [0.0; TILE / 2] }
    }
}

impl Pairs {
    #[inline(always)]
    fn halves(&mut self) -> impl Iterator<Item = (&mut [f32], &mut [f32])> {
        self.first.chunks_exact_mut(LANES).zip(self.second.chunks_exact_mut(LANES))
    }

    #[inline(always)]
    fn part(&mut self, words: &[u32]) {
        for ((first, second), words) in self.halves().zip(words.chunks_exact(BLOCK)) {
            let (radii, angles) = words.split_at(LANES);
            first.copy_from_slice(bytemuck::cast_slice(radii));
            second.copy_from_slice(bytemuck::cast_slice(angles));
        }
    }

    #[inline(always)]
    fn join(&mut self, out: &mut [f32]) {
        for ((first, second), out) in self.halves().zip(out.chunks_exact_mut(BLOCK)) {
            let (cosines, sines) = out.split_at_mut(LANES);
            cosines.copy_from_slice(first);
            sines.copy_from_slice(second);
        }
    }
}

/// A uniform in [0, 1) from the low 24 bits of a word.
#[inline(always)]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "24 bits are exact")]
pub(super) fn unit(word: u32) -> f32 {
    (word & 0x00ff_ffff) as i32 as f32 * (1.0 / 16_777_216.0)
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a constant")]
fn pair(radius: f32, angle: f32) -> (f32, f32) {
    let radius = (-2.0 * ln(1.0 - radius)).sqrt();
    let (sine, cosine) = sine_cosine(TAU as f32 * angle);
    (radius * cosine, radius * sine)
}

/// ln x, for x in [2^-24, 1].
#[inline(always)]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "an exponent")]
fn ln(x: f32) -> f32 {
    let bits = x.to_bits();
    let exponent = ((bits >> 23) as i32).wrapping_sub(126) as f32;
    let mantissa = f32::from_bits((bits & 0x807f_ffff) | 0x3f00_0000);
    let low = mantissa < std::f32::consts::FRAC_1_SQRT_2;
    let exponent = if low { exponent - 1.0 } else { exponent };
    let x = (mantissa - 1.0) + if low { mantissa } else { 0.0 };
    let square = x * x;
    let coefficients = [
        -1.151_461e-1,
        1.167_699_84e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_8e-1,
        2.000_071_4e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ];
    let sum = coefficients.into_iter().fold(7.037_683_6e-2_f32, |sum, coefficient| sum.mul_add(x, coefficient));
    let sum = (sum * x).mul_add(square, exponent * -2.121_944_4e-4);
    let sum = (-square).mul_add(0.5, sum);
    exponent.mul_add(0.693_359_4, x + sum)
}

/// (sin t, cos t), t in [0, 2 pi].
#[inline(always)]
#[expect(clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "an octant")]
fn sine_cosine(t: f32) -> (f32, f32) {
    // A check for overflow would be a branch.
    let octant = whole(t * 1.273_239_5).wrapping_add(1) & !1;
    let turn = octant as f32;
    let x = turn.mul_add(-0.785_156_25, t);
    let x = turn.mul_add(-2.418_756_5e-4, x);
    let x = turn.mul_add(-3.774_895e-8, x);
    let z = x * x;
    let cosine = 2.443_315_7e-5_f32.mul_add(z, -1.388_731_6e-3).mul_add(z, 4.166_664_6e-2) * z;
    let cosine = cosine.mul_add(z, -(z * 0.5)) + 1.0;
    let sine = (-1.951_529_6e-4_f32).mul_add(z, 8.332_161e-3).mul_add(z, -1.666_665_5e-1) * z;
    let sine = sine.mul_add(x, x);
    // Where bit 1 of the octant is set they change places; all its bits or none select.
    let changed = ((octant >> 1 & 1) as u32).wrapping_neg();
    let (sine, cosine) = (sine.to_bits(), cosine.to_bits());
    let both = (sine ^ cosine) & changed;
    let sign = |flip: i32| (flip as u32) << 31;
    let sine = sine ^ both ^ sign(octant >> 2 & 1);
    let cosine = cosine ^ both ^ sign(!(octant.wrapping_sub(2) >> 2) & 1);
    (f32::from_bits(sine), f32::from_bits(cosine))
}

/// The integer part of a number in [0, 2^22], without checks.
#[inline(always)]
fn whole(x: f32) -> i32 {
    // Near 2^23 there are only integers, and the last bits of one are its distance from 2^23.
    const NEXT: f32 = 8_388_608.0;
    let nearest = x + NEXT;
    let above = nearest - NEXT > x;
    nearest.to_bits().wrapping_sub(NEXT.to_bits()).cast_signed().wrapping_sub(i32::from(above))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_parts_are_those_of_a_cast() {
        for eighths in 0..=80u8 {
            let x = f32::from(eighths) / 8.0;
            for x in [x, x.next_up(), x.next_down().max(0.0)] {
                #[expect(clippy::cast_possible_truncation, reason = "it is small")]
                let cast = x as i32;
                assert_eq!(whole(x), cast, "{x}");
            }
        }
    }
}
