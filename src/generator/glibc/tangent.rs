//! Tangents in double precision, from the IBM Accurate Mathematical Library.

use super::angles::TANGENTS;
use super::sine::quarters;

/// The angle below which a series is used.
const SMALL: f64 = 0.060799986124038696;

/// tan(x) for -25 <= x <= 25.
#[inline(always)]
pub(in crate::generator) fn tan(x: f64) -> f64 {
    /// The tangent of a smaller angle is that angle.
    const TINY: f64 = 1.2589993048095494e-08;
    const NEAR: f64 = 0.7869997024536133;
    let size = x.abs();
    if size <= TINY {
        x
    } else if size <= SMALL {
        series(x, x)
    } else if size <= NEAR {
        1f64.copysign(x) * by_table(size, 0.0, false)
    } else {
        reduced(x)
    }
}

/// tan(x), or minus its reciprocal, beyond an eighth of a turn.
#[inline(always)]
fn reduced(x: f64) -> f64 {
    /// pi/2 in three parts, the first two with exact multiples.
    const PARTS: [f64; 3] = [1.5707963407039642, -1.3909067564377153e-08, -4.9789962505147994e-17];
    let (quarters, bits) = quarters(x);
    let is_odd = bits & 1 == 1;
    let near = (-quarters).mul_add(PARTS[1], (-quarters).mul_add(PARTS[0], x));
    let angle = (-quarters).mul_add(PARTS[2], near);
    let rest = (-quarters).mul_add(PARTS[2], near - angle);
    if angle.abs() > SMALL {
        let sign = 1f64.copysign(angle);
        return if is_odd { -sign } else { sign } * by_table(angle.abs(), sign * rest, is_odd);
    }
    let more = series(angle, rest);
    let tangent = angle + more;
    if !is_odd {
        return tangent;
    }
    let (large, small) = if angle.abs() > more.abs() { (angle, more) } else { (more, angle) };
    minus_reciprocal(tangent, (large - tangent) + small)
}

/// `first` and the terms of tan(x) beyond the first, for a small angle.
#[inline(always)]
fn series(x: f64, first: f64) -> f64 {
    const TERMS: [f64; 5] =
        [0.008896546349534924, 0.021869380598167253, 0.05396825411095433, 0.1333333333332673, 0.3333333333333333];
    let square = x * x;
    let sum = TERMS[1..].iter().fold(TERMS[0], |sum, &term| sum.mul_add(square, term));
    (x * square).mul_add(sum, first)
}

/// tan(size + rest), or its reciprocal, from the tangent of the nearest number of the table.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a row of the table")]
fn by_table(size: f64, rest: f64, inverse: bool) -> f64 {
    let [number, tangent, cotangent] = TANGENTS[size.mul_add(256.0, -15.5) as usize];
    let angle = (size - number) + rest;
    let square = angle * angle;
    let small = (angle * square).mul_add(square.mul_add(0.13333354920669913, 0.3333333333332254), angle);
    let product = small * (tangent + cotangent);
    if inverse { cotangent - product / (tangent + small) } else { product / (cotangent - small) + tangent }
}

/// -1 / (x + rest).
#[inline(always)]
fn minus_reciprocal(x: f64, rest: f64) -> f64 {
    let quotient = 1.0 / x;
    let product = quotient * x;
    let error = (1.0 - product) - quotient.mul_add(x, -product) + 0.0;
    let more = (-rest).mul_add(quotient, error) / x;
    let sum = quotient + more;
    -((quotient - sum) + more + sum)
}
