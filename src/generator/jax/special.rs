//! JAX's special functions in single precision, as compiled by XLA for CPUs. Polynomials, order and fused products determine the bits.
//! Branches are selections between two results, so that code vectorizes.

use std::f32::consts::{FRAC_1_SQRT_2, LOG2_E};

/// Horner's rule with fused multiply-add; the highest coefficient first.
#[inline(always)]
fn polynomial<const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    let mut sum = coefficients[0];
    for &coefficient in &coefficients[1..] {
        sum = sum.mul_add(x, coefficient);
    }
    sum
}

/// The natural logarithm of a positive normal number (Cephes `logf`).
#[inline(always)]
fn log(x: f32) -> f32 {
    /// ln 2 as a short head with exact multiples, and a tail.
    const LN_2: [f32; 2] = [0.6933594, -0.00021219444];
    let bits = x.to_bits();
    #[expect(clippy::cast_possible_wrap, clippy::cast_precision_loss, reason = "an exponent has 8 bits")]
    let exponent = ((bits >> 23) as i32 - 126) as f32;
    let mantissa = f32::from_bits(bits & 0x007f_ffff | 0x3f00_0000);
    let small = mantissa < FRAC_1_SQRT_2;
    let e = if small { exponent - 1.0 } else { exponent };
    let x = if small { (mantissa - 1.0) + mantissa } else { mantissa - 1.0 };
    let square = x * x;
    let cube = square * x;
    let first = polynomial(x, [0.070376836, -0.1151461, 0.116769984]);
    let second = polynomial(x, [-0.12420141, 0.14249323, -0.16668057]);
    let third = polynomial(x, [0.20000714, -0.24999994, 0.3333333]);
    let sum = first.mul_add(cube, second).mul_add(cube, third);
    let tail = cube.mul_add(sum, e * LN_2[1]);
    let head = (-square).mul_add(0.5, x) + tail;
    e.mul_add(LN_2[0], head)
}

/// ln(1 + x) for -1 < x <= 0.
#[inline(always)]
pub(super) fn log1p(x: f32) -> f32 {
    /// sqrt(2) - 1, the bound below which 1 + x loses too many digits.
    const SMALL: f32 = 0.41421357;
    let denominator = polynomial(x, [1.0, 15.062909, 83.04757, 221.7624, 309.09872, 216.42789, 60.11866]);
    let numerator = polynomial(x, [4.527e-5, 0.49854103, 6.5787325, 29.911919, 60.94967, 57.112965, 20.039553]);
    let square = x * x;
    let tail = (x * square) * (numerator / denominator);
    let near = x + (-0.5f32).mul_add(square, tail);
    if x.abs() < SMALL { near } else { log(x + 1.0) }
}

/// The exponential (Cephes `expf`): a power of 2 times a polynomial in the rest.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    /// Arguments are clamped to these.
    const ENDS: [f32; 2] = [-87.8, 88.8];
    /// ln 2 as a short head with exact multiples, and a tail.
    const LN_2: [f32; 2] = [0.693_359_4, -0.000_212_194_44];
    const COEFFICIENTS: [f32; 6] = [
        f32::from_bits(0x3950_6967),
        f32::from_bits(0x3ab7_43ce),
        f32::from_bits(0x3c08_8908),
        f32::from_bits(0x3d2a_a9c1),
        f32::from_bits(0x3e2a_aaaa),
        0.5,
    ];
    let raised = if x < ENDS[0] { ENDS[0] } else { x };
    let x = if raised > ENDS[1] { ENDS[1] } else { raised };
    let exponent = x.mul_add(LOG2_E, 0.5).floor().clamp(-127.0, 127.0);
    let rest = (-exponent).mul_add(LN_2[1], (-exponent).mul_add(LN_2[0], x));
    let sum = polynomial(rest, COEFFICIENTS).mul_add(rest * rest, rest) + 1.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 254")]
    let power = f32::from_bits(((exponent + 127.0) as u32) << 23);
    sum * power
}

/// The inverse error function (Giles 2010, Approximating the erfinv function).
#[inline(always)]
pub(super) fn erf_inv(u: f32) -> f32 {
    const CENTRE: [f32; 9] = [
        2.8102264e-8,
        3.4327394e-7,
        -3.5233877e-6,
        -4.3915065e-6,
        0.00021858087,
        -0.001253725,
        -0.0041776816,
        0.24664073,
        1.5014094,
    ];
    const TAIL: [f32; 9] = [
        -0.00020021426,
        0.00010095056,
        0.0013493432,
        -0.0036734284,
        0.0057395077,
        -0.0076224613,
        0.0094388705,
        1.001674,
        2.8329768,
    ];
    let l = log1p(u * -u);
    let centre = l > -5.0;
    let w = if centre { -2.5 - l } else { (-l).sqrt() - 3.0 };
    let mut sum = if centre { CENTRE[0] } else { TAIL[0] };
    for (&near, &far) in CENTRE[1..].iter().zip(&TAIL[1..]) {
        sum = sum.mul_add(w, if centre { near } else { far });
    }
    u * if u.abs() == 1.0 { f32::INFINITY } else { sum }
}

/// The error function, by a quotient of polynomials.
#[expect(clippy::approx_constant, reason = "the last coefficient is next to 2 / sqrt(pi), and not equal to it")]
pub(super) fn erf(x: f32) -> f32 {
    /// From here on erf is 1.
    const ONE: f32 = 3.7439213;
    if x.abs() >= ONE {
        return 1f32.copysign(x);
    }
    let square = x * x;
    let numerator = polynomial(square, [0.00022905065, 0.003408291, 0.050955694, 0.18520832, 1.1283791]);
    let denominator =
        polynomial(square, [-1.1791603e-7, 2.3547966e-5, 0.0010179626, 0.01407047, 0.11098505, 0.49746925, 1.0]);
    (x * numerator) / denominator
}
