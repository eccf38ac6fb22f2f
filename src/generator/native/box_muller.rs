//! The Box-Muller transform (1958, A note on the generation of random normal deviates): a fraction u and an angle give the independent
//! standard normals r cos and r sin, r = sqrt(-2 ln u).
//!
//! Plain arithmetic and square roots only, so that every CPU computes the same bits, and no branches, so that it vectorizes. The
//! polynomials were fitted for this file; their errors are relative.

use std::f32;
use std::f64::consts::{FRAC_1_SQRT_2, TAU};

use pulp::Simd;

use super::lanes::{Lanes, each};

/// sqrt(-2 ln u) in single precision, of fractions u in units of 2^-32.
#[inline(always)]
pub(super) fn radii<S: Simd, const N: usize>(simd: S, fractions: [S::u32s; N]) -> Lanes<S, N> {
    minus_twice_ln(simd, fractions).sqrt()
}

/// -2 ln u of fractions u in units of 2^-32: u = 2^n (1 + f), with 1 + f in [sqrt(1/2), sqrt(2)).
///
/// The factor -2 is part of the coefficients, which is exact.
#[inline(always)]
fn minus_twice_ln<S: Simd, const N: usize>(simd: S, fractions: [S::u32s; N]) -> Lanes<S, N> {
    const ONE: f32 = 4_294_967_296.0;
    const SQRT_HALF: u32 = (f32::consts::FRAC_1_SQRT_2 * ONE).to_bits();
    const EXPONENT: u32 = 0xff80_0000;
    // The fraction as a signed number: u itself below one half, and u - 1, exact, from there on.
    let mut f = Lanes::of_integers(simd, fractions);
    let mut n = fractions;
    for (f, n) in f.vectors.iter_mut().zip(&mut n) {
        let signed = *f;
        let negative = simd.less_than_f32s(signed, simd.splat_f32s(0.0));
        let u = simd.select_f32s(negative, simd.add_f32s(signed, simd.splat_f32s(ONE)), signed);
        let bits = simd.transmute_u32s_f32s(u);
        // n in the exponent bits of a single.
        *n = simd.and_u32s(simd.sub_u32s(bits, simd.splat_u32s(SQRT_HALF)), simd.splat_u32s(EXPONENT));
        let near_one = simd.equal_u32s(*n, simd.splat_u32s(0));
        let small = simd.mul_f32s(signed, simd.splat_f32s(1.0 / ONE));
        let bits = simd.sub_u32s(simd.sub_u32s(bits, simd.splat_u32s(ONE.to_bits() - 1f32.to_bits())), *n);
        let mantissa = simd.transmute_f32s_u32s(bits);
        *f = simd.select_f32s(near_one, small, simd.sub_f32s(mantissa, simd.splat_f32s(1.0)));
    }
    let whole = Lanes::of_integers(simd, n) * (-2.0 * f32::consts::LN_2 / 8_388_608.0);
    // ln(1 + f) = f - f^2/2 + f^3 P(f), error 2^-24.9; this is -P.
    let p = f.polynomial([
        -8.700_43e-2,
        0.142_674_86,
        -0.149_147_69,
        0.165_775_85,
        -0.199_630_63,
        0.250_013_38,
        -0.333_339_1,
    ]);
    let (square, twice) = (f * f, f + f);
    whole + (p * twice * square + square - twice)
}

/// cos and sin in single precision, of angles in units of 2^-32 turns.
#[inline(always)]
pub(super) fn turns<S: Simd, const N: usize>(simd: S, angles: [S::u32s; N]) -> [Lanes<S, N>; 2] {
    // The angle as a quarter turn, in the upper two bits, and a remainder in [-1/8, 1/8) of a turn: the lower 30 bits with their sign.
    let quarters = each(angles, |angle| simd.add_u32s(angle, simd.splat_u32s(1 << 29)));
    let two = simd.splat_u32s(2);
    #[expect(clippy::cast_possible_truncation, reason = "a constant")]
    let t = Lanes::of_integers(simd, each(angles, |angle| simd.wrapping_dyn_shl_u32s(angle, two)))
        * (TAU / 17_179_869_184.0) as f32;
    let z = t * t;
    // Errors 2^-28.0 and 2^-33.0 on [-pi/4, pi/4].
    let mut sine = z.polynomial([-1.951_528_2e-4, 8.332_16e-3, -0.166_666_55]) * z * t + t;
    let p = z.polynomial([2.443_315_7e-5, -1.388_731_6e-3, 4.166_664_6e-2]);
    let mut cosine = (p * z * z).minus_half(z) + 1.0;
    for ((cosine, sine), quarter) in cosine.vectors.iter_mut().zip(&mut sine.vectors).zip(quarters) {
        let even = simd.equal_u32s(simd.and_u32s(quarter, simd.splat_u32s(1 << 30)), simd.splat_u32s(0));
        let (x, y) = (simd.select_f32s(even, *cosine, *sine), simd.select_f32s(even, *sine, *cosine));
        // cos is negative in quarters 1 and 2, sin in 2 and 3.
        *cosine = with_sign(simd, x, simd.add_u32s(quarter, simd.splat_u32s(1 << 30)));
        *sine = with_sign(simd, y, quarter);
    }
    [cosine, sine]
}

/// Negates numbers if the highest bit of their word is set.
#[inline(always)]
fn with_sign<S: Simd>(simd: S, numbers: S::f32s, words: S::u32s) -> S::f32s {
    let sign = simd.and_u32s(words, simd.splat_u32s(1 << 31));
    simd.transmute_f32s_u32s(simd.xor_u32s(simd.transmute_u32s_f32s(numbers), sign))
}

/// A pair in double precision. `signed` is u below one half, else u - 1; the angle is in units of 2^-64 turns.
#[inline(always)]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "the transform of bits to numbers")]
pub(super) fn double(signed: f64, angle: u64) -> (f64, f64) {
    let r = (-2.0 * ln_double(signed)).sqrt();
    let quarter = angle.wrapping_add(1 << 61) >> 62;
    let t = angle.wrapping_sub(quarter << 62) as i64 as f64 * (TAU / 18_446_744_073_709_551_616.0);
    let z = t * t;
    // Errors 2^-55.6 and 2^-60.0 on [-pi/4, pi/4].
    let p = polynomial_double(
        z,
        [
            1.5918129294866608e-10,
            -2.5051131845003624e-08,
            2.755731610255244e-06,
            -0.00019841269836758574,
            0.008333333333330948,
            -0.16666666666666666,
        ],
    );
    let sine = p * z * t + t;
    let p = polynomial_double(
        z,
        [
            -1.1382632425521717e-11,
            2.08761462684032e-09,
            -2.7557317271729793e-07,
            2.480158729876569e-05,
            -0.0013888888888887398,
            0.041666666666666664,
        ],
    );
    let cosine = p * z * z - 0.5 * z + 1.0;
    let (x, y) = if quarter & 1 == 0 { (cosine, sine) } else { (sine, cosine) };
    let x = f64::from_bits(x.to_bits() ^ ((quarter + 1) & 2) << 62);
    let y = f64::from_bits(y.to_bits() ^ (quarter & 2) << 62);
    (r * x, r * y)
}

/// ln u; `signed` is u below one half, else u - 1.
#[inline(always)]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "the transform of bits to numbers")]
fn ln_double(signed: f64) -> f64 {
    const SQRT_HALF: u64 = FRAC_1_SQRT_2.to_bits();
    // ln 2 in two parts, the first with zeros at its end, so that its product with an exponent is exact.
    const LN_2: [f64; 2] = [f64::from_bits(0x3fe6_2e42_fee0_0000), 1.9082149292705877e-10];
    let u = if signed < 0.0 { signed + 1.0 } else { signed };
    let shifted = u.to_bits().wrapping_sub(SQRT_HALF);
    let exponent = shifted as i64 >> 52;
    let mantissa = f64::from_bits((shifted & 0x000f_ffff_ffff_ffff) + SQRT_HALF);
    let f = if exponent == 0 { signed } else { mantissa - 1.0 };
    // ln(1 + f) = 2 atanh(s), s = f / (2 + f); 2 atanh(s) = 2 s + s R(s^2), error 2^-57.6.
    let s = f / (2.0 + f);
    let z = s * s;
    let r = z * polynomial_double(
        z,
        [
            0.14616449685043406,
            0.15331721600556042,
            0.18182889125261723,
            0.2222221113479508,
            0.28571428625975487,
            0.39999999999899505,
            0.666666666666667,
        ],
    );
    let half_square = 0.5 * f * f;
    let exponent = exponent as f64;
    // 2 s = f - f^2/2 + s f^2/2, which loses no digits for small f.
    exponent * LN_2[0] - ((half_square - (s * (half_square + r) + exponent * LN_2[1])) - f)
}

#[inline(always)]
fn polynomial_double<const N: usize>(x: f64, coefficients: [f64; N]) -> f64 {
    coefficients.into_iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

#[cfg(test)]
mod tests {
    use pulp::Scalar;

    use super::*;

    /// Fractions near 0 and 1, in the middle, and on both sides of formula changes.
    fn fractions() -> impl Iterator<Item = u32> {
        let spread = (9..32).flat_map(|bit| [1u32 << bit, (1 << bit) + (1 << bit) / 3, u32::MAX - (1 << (bit - 1))]);
        let edges = [0.5, FRAC_1_SQRT_2, 0.25, 0.75].map(|u| (u * 4_294_967_296.0) as u32);
        spread.chain(edges.into_iter().flat_map(|edge| edge - 3..edge + 3))
    }

    #[test]
    fn logarithms_are_those_of_libm() {
        for word in fractions() {
            let signed = f64::from(word as i32) / 4_294_967_296.0;
            let exact = if signed < 0.0 { libm::log1p(signed) } else { libm::log(signed) };
            let single = -0.5 * f64::from(minus_twice_ln(Scalar::new(), [word]).vectors[0]);
            assert!((single - exact).abs() <= 2f64.powi(-22) * exact.abs(), "single, {word}: {single} {exact}");
            let double = ln_double(signed);
            assert!((double - exact).abs() <= 2f64.powi(-51) * exact.abs(), "double, {word}: {double} {exact}");
        }
    }

    #[test]
    fn sines_and_cosines_are_those_of_libm() {
        let fraction = 1u32 << 20;
        let r = (-2.0 * libm::log(f64::from(fraction) / 4_294_967_296.0)).sqrt();
        for angle in (0..1000u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).chain((0..8).map(|n| n << 61)) {
            let (sine, cosine) = libm::sincos((angle as i64) as f64 * (TAU / 18_446_744_073_709_551_616.0));
            let (x, y) = double(f64::from(fraction) / 4_294_967_296.0, angle);
            assert!((x / r - cosine).abs() < 8e-16 && (y / r - sine).abs() < 8e-16, "{angle:x}");
            let turn = turns(Scalar::new(), [(angle >> 32) as u32]);
            let [x, y] = turn.map(|part| (radii(Scalar::new(), [fraction]) * part).vectors[0]);
            assert!((f64::from(x) / r - cosine).abs() < 2e-7 && (f64::from(y) / r - sine).abs() < 2e-7, "{angle:x}");
        }
    }
}
