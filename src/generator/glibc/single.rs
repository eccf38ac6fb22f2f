//! The functions in single precision. Logarithm, sine, cosine and power are computed in double precision, from Arm Optimized Routines;
//! `log1p` and the tangent in single precision without fused operations, from Sun's fdlibm.

use super::powers::ROOTS;
use super::sine::quarters;
use crate::tensor::{to_f32, to_usize};

/// Part i of [0.69921875, 1.3984375): nearly the reciprocal of its middle c, ln c and log2 c.
const LOGARITHMS: [[f64; 3]; 16] = [
    [1.398907162146528, -0.33569133332882284, -0.48430022186289673],
    [1.3403141896637998, -0.2929040563774074, -0.42257122959194704],
    [1.286432210124115, -0.2518726580937369, -0.3633754347673556],
    [1.2367150214269895, -0.21245868807117255, -0.30651309567405577],
    [1.1906977166711752, -0.17453945183745634, -0.25180720160537634],
    [1.1479821020556429, -0.1380057072319758, -0.19910014943794563],
    [1.1082251448272158, -0.10275976698545139, -0.14825100623281615],
    [1.0711297413057381, -0.06871392447020525, -0.09913323807318392],
    [1.036437278977283, -0.0357891387398228, -0.051632812977629436],
    [1.0, 0.0, 0.0],
    [0.9492859795739057, 0.05204517742929496, 0.07508531937943004],
    [0.8951049428609004, 0.11081431298787942, 0.15987125980713107],
    [0.8476821620351103, 0.1652495223695143, 0.2384046664317681],
    [0.8050314851692001, 0.21687389031699977, 0.31288288605863257],
    [0.7664671008843108, 0.2659635028121397, 0.38370422656453185],
    [0.731428603316328, 0.3127556664073557, 0.451211048935815],
];

/// A positive normal number as z 2^n: n, the relative distance of z from the middle of its part, ln and log2 of the middle.
#[inline(always)]
fn split(x: f32) -> (f64, f64, [f64; 2]) {
    let above = x.to_bits().wrapping_sub(0x3f33_0000);
    let z = f32::from_bits(x.to_bits().wrapping_sub(above & 0xff80_0000));
    let [reciprocal, natural, binary] = LOGARITHMS[to_usize((above >> 19 & 15).into())];
    ((above.cast_signed() >> 23).into(), f64::from(z).mul_add(reciprocal, -1.0), [natural, binary])
}

/// ln(x) for x = 0 or a positive normal number.
#[inline(always)]
pub(in crate::generator) fn ln(x: f32) -> f32 {
    if x == 0.0 {
        return f32::NEG_INFINITY;
    }
    let (exponent, rest, [log, _]) = split(x);
    let middle = exponent.mul_add(std::f64::consts::LN_2, log);
    let square = rest * rest;
    let upper = square.mul_add(-0.25089342214237154, 0.333456765744066f64.mul_add(rest, -0.4999997485802103));
    to_f32(square.mul_add(upper, middle + rest))
}

/// x^y for a normal number 0 < x <= 1 and y >= 1.
#[inline(always)]
pub(in crate::generator) fn pow(x: f32, y: f32) -> f32 {
    const TERMS: [f64; 5] =
        [0.288457581109214, -0.36092606229713164, 0.480898481472577, -0.7213474675006291, 1.4426950408774342];
    let (exponent, rest, [_, log]) = split(x);
    let square = rest * rest;
    let low = TERMS[4].mul_add(rest, exponent + log);
    let low = square.mul_add(TERMS[2].mul_add(rest, TERMS[3]), low);
    let log = (square * square).mul_add(TERMS[0].mul_add(rest, TERMS[1]), low);
    let power = f64::from(y.min(f32::MAX)) * log;
    if power <= -150.0 { 0.0 } else { to_f32(exp_2(power)) }
}

/// 2^x, exact to more digits than single precision has.
#[inline(always)]
fn exp_2(x: f64) -> f64 {
    /// Adding it rounds to a multiple of 1/32, in the lowest bits.
    const ROUND: f64 = 211106232532992.0;
    let shifted = x + ROUND;
    let rest = x - (shifted - ROUND);
    let bits = shifted.to_bits();
    let [_, root] = ROOTS[to_usize((bits & 31) * 4)];
    let scale = f64::from_bits(root.to_bits().wrapping_add(bits >> 5 << 52));
    let upper = 0.05550361559341535f64.mul_add(rest, 0.2402284522445722);
    (rest * rest).mul_add(upper, rest.mul_add(0.6931471806916203, 1.0)) * scale
}

/// pi/2.
const QUARTER: f64 = std::f64::consts::FRAC_PI_2;

/// sin(x) and cos(x) for 0 <= x < 120.
#[inline(always)]
pub(in crate::generator) fn sin_cos(x: f32) -> [f32; 2] {
    let x = f64::from(x);
    let (quarters, count) = quarters(x);
    let angle = (-quarters).mul_add(QUARTER, x);
    let [sine, cosine] = [sine(angle), cosine(angle)];
    let pair = if count & 1 == 0 { [sine, cosine] } else { [cosine, -sine] };
    pair.map(|value| to_f32(if count & 2 == 0 { value } else { -value }))
}

/// sin(x) for |x| < 0.8.
#[inline(always)]
fn sine(x: f64) -> f64 {
    let square = x * x;
    let cube = x * square;
    let low = cube.mul_add(-0.16666654943701084, x);
    let upper = (-0.00019517298981385725f64).mul_add(square, 0.008332178146138854);
    upper.mul_add(cube * square, low)
}

/// cos(x) for |x| < 0.8.
#[inline(always)]
fn cosine(x: f64) -> f64 {
    let square = x * x;
    let fourth = square * square;
    let low = fourth.mul_add(0.041666623324344516, square.mul_add(-0.49999999725108224, 1.0));
    let upper = square.mul_add(2.4390450703564542e-05, -0.001388676379437604);
    upper.mul_add(fourth * square, low)
}

/// ln(1 + x) for -1 < x <= 0.
#[inline(always)]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_wrap, reason = "an exponent has 8 bits")]
pub(in crate::generator) fn ln_1p(x: f32) -> f32 {
    const LN_2: [f32; 2] = [0.6931381, 9.058001e-06];
    /// 2^-29 and 2^-54.
    const SMALL: [f32; 2] = [1.8626451e-09, 5.551115e-17];
    const TERMS: [f32; 7] = [0.14798199, 0.15313838, 0.18183573, 0.22222199, 0.2857143, 0.4, 0.6666667];
    if x > -SMALL[1] {
        return x;
    }
    if x > -SMALL[0] {
        return x - x * x * 0.5;
    }
    let (mut rest, mut exponent, mut lost, mut distance) = (x, 0.0, 0.0, 1);
    if x.to_bits() >= 0xbe95_f620 {
        let sum = 1.0 + x;
        let fraction = sum.to_bits() & 0x7f_ffff;
        let is_low = fraction < 0x35_04f7;
        rest = f32::from_bits(fraction | if is_low { 0x3f80_0000 } else { 0x3f00_0000 }) - 1.0;
        exponent = ((sum.to_bits() >> 23) as i32 - if is_low { 127 } else { 126 }) as f32;
        lost = (x - (sum - 1.0)) / sum + exponent * LN_2[1];
        distance = if is_low { fraction } else { (0x80_0000 - fraction) >> 2 };
    }
    let half_square = 0.5 * rest * rest;
    if distance == 0 {
        let upper = half_square * (1.0 - 0.6666667 * rest);
        return exponent * LN_2[0] - ((upper - lost) - rest);
    }
    let quotient = rest / (2.0 + rest);
    let square = quotient * quotient;
    let sum = TERMS[1..].iter().fold(TERMS[0], |sum, &term| sum * square + term) * square;
    let upper = quotient * (half_square + sum);
    if exponent == 0.0 {
        return rest - (half_square - upper);
    }
    exponent * LN_2[0] - ((half_square - (upper + lost)) - rest)
}

/// tan(x) for -120 < x < 120.
#[inline(always)]
pub(in crate::generator) fn tan(x: f32) -> f32 {
    if x.abs() < std::f32::consts::FRAC_PI_4 {
        return tangent(x, 0.0, false);
    }
    let (quarters, count) = quarters(x.into());
    let angle = f64::from(x) - quarters * QUARTER;
    let near = to_f32(angle);
    tangent(near, to_f32(angle - f64::from(near)), count & 1 == 1)
}

/// tan(x + rest), or minus its reciprocal, for |x| <= pi/4.
#[inline(always)]
fn tangent(x: f32, rest: f32, inverse: bool) -> f32 {
    /// 2^-13.
    const TINY: f32 = 0.00012207031;
    const FAR: f32 = f32::from_bits(0x3f2c_a140);
    /// pi/4, rounded down, and its rest.
    const EIGHTH: [f32; 2] = [f32::from_bits(0x3f49_0fda), 3.7748947e-08];
    /// The first term of the series beyond x.
    const THIRD: f32 = 0.33333334;
    if x.abs() < TINY {
        return if inverse { -1.0 / x } else { x };
    }
    let sign = 1f32.copysign(x);
    let is_far = x.abs() >= FAR;
    let (x, rest) = if is_far { ((EIGHTH[0] - sign * x) + (EIGHTH[1] - sign * rest), 0.0) } else { (x, rest) };
    let one = if inverse { -1.0 } else { 1.0 };
    if is_far && x.abs() < TINY {
        return sign * one * (1.0 - 2.0 * one * x);
    }
    let square = x * x;
    let cube = square * x;
    let more = rest + square * (cube * upper(square) + rest) + THIRD * cube;
    let tangent = x + more;
    if is_far {
        return sign * (one - 2.0 * (x - (tangent * tangent / (tangent + one) - more)));
    }
    if !inverse {
        return tangent;
    }
    // The heads have few digits, so that their product is exact.
    let short = |value: f32| f32::from_bits(value.to_bits() & 0xffff_f000);
    let reciprocal = -1.0 / tangent;
    let [head, of] = [short(reciprocal), short(tangent)];
    head + reciprocal * ((1.0 + head * of) + head * (more - (of - x)))
}

/// The terms of the tangent beyond the third power, over the fifth.
#[inline(always)]
fn upper(square: f32) -> f32 {
    const EVEN: [f32; 6] = [-1.8558638e-05, 7.8179444e-05, 0.00058804126, 0.003592079, 0.021869488, 0.13333334];
    const ODD: [f32; 6] = [2.5907306e-05, 7.140725e-05, 0.00024646314, 0.0014562095, 0.00886324, 0.053968254];
    let fourth = square * square;
    let [even, odd] = [EVEN, ODD].map(|terms| terms[1..].iter().fold(terms[0], |sum, &term| sum * fourth + term));
    even + square * odd
}
