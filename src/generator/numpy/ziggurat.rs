//! `NumPy`'s standard normals: Marsaglia and Tsang's ziggurat (2000), in double and in single precision.

use super::super::glibc;
use super::super::pcg64::Pcg64;
use super::layers::{BASE, DOUBLES, SINGLES};
use crate::simd::dispatch;
use crate::tensor::to_f32;

/// A uniform double in [0, 1) from 53 bits of a word.
#[inline(always)]
pub(super) fn unit_double(word: u64) -> f64 {
    crate::tensor::to_f64(word >> 11) * (f64::EPSILON / 2.0)
}

/// A uniform single in [0, 1) from 24 bits of half a word.
#[inline(always)]
#[expect(clippy::cast_precision_loss, reason = "24 bits are a single")]
pub(super) fn unit_single(half: u32) -> f32 {
    (half >> 8) as f32 * (f32::EPSILON / 2.0)
}

/// A standard normal from one word; from several in one percent of cases.
#[inline(always)]
pub(super) fn double(engine: &mut Pcg64) -> f64 {
    loop {
        let word = engine.next();
        let (layer, draw) = ((word & 0xff) as usize, word >> 9 & ((1 << 52) - 1));
        let magnitude = crate::tensor::to_f64(draw) * DOUBLES.widths[layer];
        let value = if word >> 8 & 1 == 1 { -magnitude } else { magnitude };
        if draw < DOUBLES.certain[layer] {
            return value;
        }
        if layer == 0 {
            return double_tail(engine, draw);
        }
        if is_under_double(engine, layer, value) {
            return value;
        }
    }
}

/// True if a random point of this value and layer lies under the density.
#[cold]
fn is_under_double(engine: &mut Pcg64, layer: usize, value: f64) -> bool {
    let (low, high) = (DOUBLES.heights[layer], DOUBLES.heights[layer - 1]);
    (high - low) * unit_double(engine.next()) + low < exp(-0.5 * value * value)
}

/// The exponential, by fused instructions if the CPU has them.
fn exp(x: f64) -> f64 {
    dispatch(
        #[inline(always)]
        || glibc::exp(x),
    )
}

/// A normal beyond the base (Marsaglia 1964).
#[cold]
fn double_tail(engine: &mut Pcg64, draw: u64) -> f64 {
    loop {
        let beyond = -(1.0 / BASE) * glibc::ln_1p(-unit_double(engine.next()));
        let height = -glibc::ln_1p(-unit_double(engine.next()));
        if height + height > beyond * beyond {
            return if draw >> 8 & 1 == 1 { -(BASE + beyond) } else { BASE + beyond };
        }
    }
}

/// A standard normal from half a word; from several in one percent of cases.
#[inline(always)]
#[expect(clippy::cast_precision_loss, reason = "23 bits are a single")]
pub(super) fn single(engine: &mut Pcg64) -> f32 {
    loop {
        let word = engine.next_half();
        let (layer, draw) = ((word & 0xff) as usize, word >> 9);
        let magnitude = draw as f32 * SINGLES.widths[layer];
        let value = if word >> 8 & 1 == 1 { -magnitude } else { magnitude };
        if draw < SINGLES.certain[layer] {
            return value;
        }
        if layer == 0 {
            return single_tail(engine, draw);
        }
        if is_under_single(engine, layer, value) {
            return value;
        }
    }
}

/// As in double precision, with a height in single precision.
#[cold]
fn is_under_single(engine: &mut Pcg64, layer: usize, value: f32) -> bool {
    let (low, high) = (SINGLES.heights[layer], SINGLES.heights[layer - 1]);
    let height = (high - low) * unit_single(engine.next_half()) + low;
    f64::from(height) < exp(-0.5 * f64::from(value) * f64::from(value))
}

#[cold]
fn single_tail(engine: &mut Pcg64, draw: u32) -> f32 {
    let base = to_f32(BASE);
    loop {
        let beyond = -to_f32(1.0 / BASE) * glibc::single::ln_1p(-unit_single(engine.next_half()));
        let height = -glibc::single::ln_1p(-unit_single(engine.next_half()));
        if height + height > beyond * beyond {
            return if draw >> 8 & 1 == 1 { -(base + beyond) } else { base + beyond };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normals_are_numpys_in_the_tails_too() {
        // Of 10^7 values of default_rng(0).standard_normal by NumPy 2.4.6: the exclusive or of all bits, the largest, the smallest.
        let mut engine = Pcg64::from_entropy(&[0]);
        let doubles: Vec<f64> = (0..10_000_000).map(|_| double(&mut engine)).collect();
        assert_eq!(doubles.iter().fold(0, |all, value| all ^ value.to_bits()), 0xfead_8ad2_bdbe_e731);
        assert_eq!((doubles[6_377_632], doubles[1_557_512]), (5.321717080469715, -5.350106245219592));
        let mut engine = Pcg64::from_entropy(&[0]);
        let singles: Vec<f32> = (0..10_000_000).map(|_| single(&mut engine)).collect();
        assert_eq!(singles.iter().fold(0, |all, value| all ^ value.to_bits()), 0xc6e7_8fae);
        assert_eq!((singles[2_971_401], singles[7_829_435]), (5.2474837, -5.979044));
    }
}
