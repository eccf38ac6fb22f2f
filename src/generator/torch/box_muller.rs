//! The normals of torch's vectorised kernel: blocks of sixteen uniforms become sixteen normals, the first eight with the other eight, by
//! the logarithm, sine and cosine of Cephes in single precision, with fused multiply-add where torch's compiler puts it (2.11 to 2.15).

use std::f64::consts::TAU;

use pulp::{Simd, WithSimd};

/// The words, and the normals, of a block.
pub(super) const BLOCK: usize = 16;

/// Blocks of words to blocks of normals in single precision.
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
        for (out, words) in self.out.chunks_exact_mut(BLOCK).zip(self.words.chunks_exact(BLOCK)) {
            let (cosines, sines) = out.split_at_mut(BLOCK / 2);
            let (radii, angles) = words.split_at(BLOCK / 2);
            for lane in 0..BLOCK / 2 {
                let (cosine, sine) = pair(unit(radii[lane]), unit(angles[lane]));
                cosines[lane] = cosine.mul_add(self.std, self.mean);
                sines[lane] = sine.mul_add(self.std, self.mean);
            }
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

/// ln x, x in (0, 1].
#[inline(always)]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "an exponent")]
fn ln(x: f32) -> f32 {
    let bits = x.max(f32::MIN_POSITIVE).to_bits();
    let exponent = ((bits >> 23) as i32 - 126) as f32;
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
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "an octant")]
fn sine_cosine(t: f32) -> (f32, f32) {
    let octant = ((t * 1.273_239_5) as i32 + 1) & !1;
    let turn = octant as f32;
    let x = turn.mul_add(-0.785_156_25, t);
    let x = turn.mul_add(-2.418_756_5e-4, x);
    let x = turn.mul_add(-3.774_895e-8, x);
    let z = x * x;
    let cosine = 2.443_315_7e-5_f32.mul_add(z, -1.388_731_6e-3).mul_add(z, 4.166_664_6e-2) * z;
    let cosine = cosine.mul_add(z, -(z * 0.5)) + 1.0;
    let sine = (-1.951_529_6e-4_f32).mul_add(z, 8.332_161e-3).mul_add(z, -1.666_665_5e-1) * z;
    let sine = sine.mul_add(x, x);
    let (sine, cosine) = if octant & 2 == 0 { (sine, cosine) } else { (cosine, sine) };
    #[expect(clippy::cast_sign_loss, reason = "bits")]
    let flipped = |value: f32, flip: i32| f32::from_bits(value.to_bits() ^ ((flip as u32) << 31));
    (flipped(sine, octant >> 2 & 1), flipped(cosine, !((octant - 2) >> 2) & 1))
}
