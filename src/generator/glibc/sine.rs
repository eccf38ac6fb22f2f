//! Sines and cosines in double precision, from the IBM Accurate Mathematical Library.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

use super::angles::SINES;
use crate::tensor::to_usize;

/// pi/2 and its rest.
const QUARTER: [f64; 2] = [FRAC_PI_2, 6.123233995736766e-17];

/// sin(x) for 0 <= x < 10^8.
#[inline(always)]
pub(in crate::generator) fn sin(x: f64) -> f64 {
    if x < TINY[0] {
        x
    } else if x < NEAR {
        sine(x, 0.0)
    } else if x < MIDDLE {
        cosine(QUARTER[0] - x, QUARTER[1])
    } else {
        turned(x, 0)
    }
}

/// cos(x) for 0 <= x < 10^8.
#[inline(always)]
pub(in crate::generator) fn cos(x: f64) -> f64 {
    if x < TINY[1] {
        1.0
    } else if x < NEAR {
        cosine(x, 0.0)
    } else if x < MIDDLE {
        let from = QUARTER[0] - x;
        let sum = from + QUARTER[1];
        sine(sum, (from - sum) + QUARTER[1])
    } else {
        turned(x, 1)
    }
}

/// 2^-26 and 2^-27.
const TINY: [f64; 2] = [1.4901161193847656e-08, 7.450580596923828e-09];
/// The ends of the ranges without a reduction, for x and for pi/2 - x.
const NEAR: f64 = f64::from_bits(0x3feb_6000_0000_0000);
const MIDDLE: f64 = f64::from_bits(0x4003_68fd_0000_0000);

/// The sine of x after `ahead` more quarters.
#[inline(always)]
fn turned(x: f64, ahead: u64) -> f64 {
    /// pi/2 in four parts, the first two with exact multiples.
    const PARTS: [f64; 4] =
        [1.5707963407039642, -1.3909067564377153e-08, -4.97899623147991e-17, -1.9034889620193266e-25];
    let (quarters, count) = quarters(x);
    let near = (-quarters).mul_add(PARTS[1], (-quarters).mul_add(PARTS[0], x));
    let nearer = (-quarters).mul_add(PARTS[2], near);
    let angle = (-quarters).mul_add(PARTS[3], nearer);
    let rest = (-quarters).mul_add(PARTS[2], near - nearer) + (-quarters).mul_add(PARTS[3], nearer - angle);
    let count = count.wrapping_add(ahead);
    let value = if count & 1 == 0 { sine(angle, rest) } else { cosine(angle, rest) };
    if count & 2 == 0 { value } else { -value }
}

/// The nearest number of quarters in an angle, and its bits, of which the lowest two are right.
#[inline(always)]
pub(super) fn quarters(x: f64) -> (f64, u64) {
    /// Adding it rounds to an integer, in the lowest bits.
    const ROUND: f64 = 6755399441055744.0;
    let shifted = x.mul_add(FRAC_2_PI, ROUND);
    (shifted - ROUND, shifted.to_bits())
}

/// The size of an angle below 1, from the nearest multiple of 1/128, and that multiple's row of the table.
#[inline(always)]
fn row(size: f64) -> (f64, [f64; 4]) {
    /// Adding it rounds to a multiple of 1/128, in the lowest bits.
    const ROUND: f64 = 52776558133248.0;
    let shifted = size + ROUND;
    (size - (shifted - ROUND), SINES[to_usize(shifted.to_bits() & 127)])
}

/// The terms of the sine of a small angle beyond the first, by the square of the angle, over it.
const SMALL_SINE: [f64; 2] = [-0.16666666666666488, 0.008333332142857223];

/// 1 minus the cosine of a small angle, from its square.
#[inline(always)]
fn from_one(square: f64) -> f64 {
    square * 0.001388888740079376f64.mul_add(square, -0.04166666666666644).mul_add(square, 0.5)
}

/// sin(x + rest) for |x| < 0.86.
#[inline(always)]
fn sine(x: f64, rest: f64) -> f64 {
    if x.abs() < 0.126 {
        return taylor(x, rest);
    }
    let rest = if x > 0.0 { rest } else { -rest };
    let (angle, [sine, sine_rest, cosine, cosine_rest]) = row(x.abs());
    let square = angle * angle;
    let small = angle + (angle * square).mul_add(SMALL_SINE[1].mul_add(square, SMALL_SINE[0]), rest);
    let lost = rest.mul_add(angle, from_one(square));
    let more = small.mul_add(cosine, (-lost).mul_add(sine, cosine_rest.mul_add(small, sine_rest)));
    (sine + more).copysign(x)
}

/// cos(x + rest) for |x| < 0.86.
#[inline(always)]
fn cosine(x: f64, rest: f64) -> f64 {
    let (near, [sine, sine_rest, cosine, cosine_rest]) = row(x.abs());
    let angle = near + if x < 0.0 { -rest } else { rest };
    let square = angle * angle;
    let small = (angle * square).mul_add(SMALL_SINE[1].mul_add(square, SMALL_SINE[0]), angle);
    let less = (-from_one(square)).mul_add(cosine, (-sine_rest).mul_add(small, cosine_rest));
    cosine + (-small).mul_add(sine, less)
}

/// sin(x + rest) by its series.
#[inline(always)]
fn taylor(x: f64, rest: f64) -> f64 {
    const TERMS: [f64; 5] = [
        -2.5022014848318398e-08,
        2.755729806860771e-06,
        -0.00019841269834414642,
        0.008333333333332329,
        -0.16666666666666666,
    ];
    let square = x * x;
    let sum = TERMS[1..].iter().fold(TERMS[0], |sum, &term| sum.mul_add(square, term));
    x + square.mul_add(sum.mul_add(x, -(0.5 * rest)), rest)
}
