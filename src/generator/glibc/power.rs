//! Exponentials and powers in double precision, from Arm Optimized Routines.

use super::logarithm::{LN_2, split};
use super::powers::{LONG_LOGARITHMS, ROOTS};
use crate::tensor::to_usize;

/// e^x for -512 < x < 512.
#[inline(always)]
pub(in crate::generator) fn exp(x: f64) -> f64 {
    let (scale, rest) = scaled(x, 0.0);
    f64::from_bits(scale).mul_add(rest, f64::from_bits(scale))
}

/// x^y for 0 < x <= 1 <= y.
#[inline(always)]
pub(in crate::generator) fn pow(x: f64, y: f64) -> f64 {
    /// More makes no difference.
    const LARGEST: f64 = 9_223_372_036_854_775_808.0;
    let y = y.min(LARGEST);
    let (log, rest) = long_ln(x);
    let head = y * log;
    let tail = y.mul_add(rest, y.mul_add(log, -head));
    if head <= -1024.0 {
        return 0.0;
    }
    let (scale, rest) = scaled(head, tail);
    if head > -512.0 { f64::from_bits(scale).mul_add(rest, f64::from_bits(scale)) } else { tiny(scale, rest) }
}

/// e^(head + tail) as 2^(k/128) and the relative rest; the bits of the first.
#[inline(always)]
fn scaled(head: f64, tail: f64) -> (u64, f64) {
    /// 128 / ln 2.
    const PARTS: f64 = 184.6649652337873;
    /// -ln 2 / 128.
    const PART: [f64; 2] = [-0.005415212348111709, -1.2864023111638346e-14];
    const TERMS: [f64; 4] = [0.49999999999996786, 0.16666666666665886, 0.0416666808410674, 0.008333335853059549];
    /// Adding it rounds to an integer, in the lowest bits.
    const ROUND: f64 = 6755399441055744.0;
    let shifted = head.mul_add(PARTS, ROUND);
    let parts = shifted - ROUND;
    let rest = parts.mul_add(PART[1], parts.mul_add(PART[0], head)) + tail;
    let [error, root] = ROOTS[to_usize(shifted.to_bits() & 127)];
    let scale = root.to_bits().wrapping_add(shifted.to_bits() >> 7 << 52);
    let square = rest * rest;
    let sum = rest.mul_add(TERMS[1], TERMS[0]).mul_add(square, rest + error);
    (scale, (square * square).mul_add(rest.mul_add(TERMS[3], TERMS[2]), sum))
}

/// `scale * (1 + rest)` near and below the least normal number, rounded once.
#[cold]
fn tiny(scale: u64, rest: f64) -> f64 {
    let scale = f64::from_bits(scale.wrapping_add(1022 << 52));
    let product = scale * rest;
    let mut sum = scale + product;
    if sum < 1.0 {
        let low = (scale - sum) + product;
        let high = 1.0 + sum;
        sum = ((1.0 - high) + sum + low + high) - 1.0;
    }
    f64::MIN_POSITIVE * sum
}

/// ln(x) of a positive normal number as a double and the rest.
#[inline(always)]
fn long_ln(x: f64) -> (f64, f64) {
    const LOWEST: u64 = 0x3fe6_9555_0000_0000;
    const TERMS: [f64; 6] = [
        -0.6666666666666679,
        0.5000000000000007,
        0.7999999995323976,
        -0.6666666663487739,
        -1.142909628459501,
        1.0000415263675542,
    ];
    let (z, exponent, part) = split(x, LOWEST);
    let [reciprocal, log, log_rest] = LONG_LOGARITHMS[part];
    let rest = z.mul_add(reciprocal, -1.0);
    let middle = exponent.mul_add(LN_2[0], log);
    let sum = middle + rest;
    let half = -0.5 * rest;
    let square = rest * half;
    let high = sum + square;
    let lost = exponent.mul_add(LN_2[1], log_rest) + ((middle - sum) + rest);
    let lost = lost + half.mul_add(rest, -square) + ((sum - high) + square);
    let pair = |low: usize| rest.mul_add(TERMS[low + 1], TERMS[low]);
    let upper = pair(4).mul_add(square, pair(2)).mul_add(square, pair(0));
    let low = (rest * square).mul_add(upper, lost);
    let whole = high + low;
    (whole, (high - whole) + low)
}
