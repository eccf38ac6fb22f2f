//! Logarithms in double precision: `log` from Arm Optimized Routines, `log1p` from Sun's fdlibm.

use super::powers::LOGARITHMS;
use crate::tensor::to_usize;

/// ln 2: a head with exact multiples, and the rest.
pub(super) const LN_2: [f64; 2] = [0.6931471805598903, 5.497923018708371e-14];

/// A positive normal number as z 2^n: z, n, and the part of 128 that holds z. `lowest` has the bits of the least z.
#[inline(always)]
pub(super) fn split(x: f64, lowest: u64) -> (f64, f64, usize) {
    let above = x.to_bits().wrapping_sub(lowest);
    let exponent = (above.cast_signed() >> 52) as i32;
    let z = x.to_bits().wrapping_sub(above & 0xfff0_0000_0000_0000);
    (f64::from_bits(z), exponent.into(), to_usize(above >> 45 & 127))
}

/// ln(x) for x = 0 or a positive normal number.
#[inline(always)]
pub(in crate::generator) fn ln(x: f64) -> f64 {
    const LOWEST: u64 = 0x3fe6_0000_0000_0000;
    const TERMS: [f64; 5] =
        [-0.5000000000000001, 0.33333333331825593, -0.2499999999622955, 0.20000304511814496, -0.16667054827627667];
    if (0.9375..1.064697265625).contains(&x) {
        return near_one(x - 1.0);
    }
    if x == 0.0 {
        return f64::NEG_INFINITY;
    }
    let (z, exponent, part) = split(x, LOWEST);
    let [reciprocal, log] = LOGARITHMS[part];
    let rest = z.mul_add(reciprocal, -1.0);
    let middle = exponent.mul_add(LN_2[0], log);
    let head = middle + rest;
    let tail = exponent.mul_add(LN_2[1], (middle - head) + rest);
    let square = rest * rest;
    let upper = rest.mul_add(TERMS[4], TERMS[3]).mul_add(square, rest.mul_add(TERMS[2], TERMS[1]));
    (rest * square).mul_add(upper, square.mul_add(TERMS[0], tail)) + head
}

/// ln(1 + x) for -0.0625 <= x < 0.064697265625, whose first two terms have a head and a tail.
#[inline(always)]
fn near_one(x: f64) -> f64 {
    const TERMS: [[f64; 3]; 3] = [
        [0.3333333333333352, -0.24999999999998432, 0.19999999999320328],
        [-0.16666666669929706, 0.14285715076560868, -0.12499997863982555],
        [0.11110712032936046, -0.10000486757818193, 0.09181994006195467],
    ];
    const LAST: f64 = -0.08328363062289341;
    const HALVES: f64 = 134_217_728.0;
    let square = x * x;
    let cube = x * square;
    let three = |[a, b, c]: [f64; 3]| square.mul_add(c, x.mul_add(b, a));
    let upper = cube.mul_add(LAST, three(TERMS[2])).mul_add(cube, three(TERMS[1])).mul_add(cube, three(TERMS[0]));
    // The upper half of x has an exact square.
    let high = (-HALVES).mul_add(x, x.mul_add(HALVES, x));
    let low = x - high;
    let head = (high * high).mul_add(-0.5, x);
    let tail = (high * high).mul_add(-0.5, x - head);
    let tail = (-0.5 * low).mul_add(x + high, tail);
    head + cube.mul_add(upper, tail)
}

/// ln(1 + x) for -1 < x <= 0.
#[inline(always)]
pub(in crate::generator) fn ln_1p(x: f64) -> f64 {
    /// 2^-29 and 2^-54.
    const SMALL: [f64; 2] = [1.862645149230957e-09, 5.551115123125783e-17];
    if x > -SMALL[1] {
        return x;
    }
    if x > -SMALL[0] {
        return (-(x * x)).mul_add(0.5, x);
    }
    let Reduced { exponent, rest, lost, is_far } = Reduced::of(x);
    let half_square = 0.5 * rest * rest;
    let lost = exponent.mul_add(LN_2_SHORT[1], lost);
    if !is_far {
        let upper = (-rest).mul_add(0.6666666666666666, 1.0) * half_square;
        return exponent.mul_add(LN_2_SHORT[0], -((upper - lost) - rest));
    }
    let quotient = rest / (2.0 + rest);
    let upper = quotient * (half_square + series(quotient * quotient));
    if exponent == 0.0 {
        return rest - (half_square - upper);
    }
    exponent.mul_add(LN_2_SHORT[0], -((half_square - (upper + lost)) - rest))
}

/// ln 2: a head of few digits, and the rest.
const LN_2_SHORT: [f64; 2] = [0.6931471803691238, 1.9082149292705877e-10];

/// 1 + x as (1 + rest) 2^exponent.
struct Reduced {
    exponent: f64,
    rest: f64,
    /// The part of x that 1 + x lost, relative to it.
    lost: f64,
    /// False if the rest is below 2^-20.
    is_far: bool,
}

impl Reduced {
    #[inline(always)]
    fn of(x: f64) -> Self {
        /// The upper words of the bits of sqrt(2)/2 - 1 and of the fraction of sqrt(2).
        const ROOTS: [u64; 2] = [0xbfd2_bec4, 0x6a09e];
        if x.to_bits() >> 32 < ROOTS[0] {
            return Self { exponent: 0.0, rest: x, lost: 0.0, is_far: true };
        }
        let sum = 1.0 + x;
        let lost = (x - (sum - 1.0)) / sum;
        let (fraction, exponent) = (sum.to_bits() << 12 >> 12, (sum.to_bits() >> 52) as i32 - 1023);
        let top = fraction >> 32;
        let (bits, exponent, distance) = match top < ROOTS[1] {
            true => (fraction | 0x3ff0_0000_0000_0000, exponent, top),
            false => (fraction | 0x3fe0_0000_0000_0000, exponent + 1, (0x10_0000 - top) >> 2),
        };
        Self { exponent: exponent.into(), rest: f64::from_bits(bits) - 1.0, lost, is_far: distance != 0 }
    }
}

/// The terms of ln((1 + s) / (1 - s)) beyond 2 s, over s, by the square of s.
#[inline(always)]
fn series(square: f64) -> f64 {
    const TERMS: [f64; 7] = [
        0.6666666666666735,
        0.3999999999940942,
        0.2857142874366239,
        0.22222198432149784,
        0.1818357216161805,
        0.15313837699209373,
        0.14798198605116586,
    ];
    let fourth = square * square;
    let eighth = fourth * fourth;
    let pair = |low: usize| square.mul_add(TERMS[low + 1], TERMS[low]);
    let sum = square.mul_add(TERMS[0], fourth * pair(1));
    (fourth * eighth).mul_add(pair(5), eighth.mul_add(pair(3), sum))
}
