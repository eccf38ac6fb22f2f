//! The error function in double precision, as in glibc and so in JAX. The approximations come from Sun's fdlibm, with polynomials summed
//! by pairs of coefficients.

use crate::generator::glibc;

/// (erf(x) - x) / x as a polynomial in x^2, near 0.
const NEAR: [f64; 5] =
    [0.12837916709551256, -0.3250421072470015, -0.02848174957559851, -0.005770270296489442, -2.3763016656650163e-05];
const NEAR_BELOW: [f64; 6] = [
    1.0,
    0.39791722395915535,
    0.0650222499887673,
    0.005081306281875766,
    0.00013249473800432164,
    -3.960228278775368e-06,
];
/// erf(x) - `ERF_1` as a polynomial in x - 1, near 1.
const ONE: [f64; 7] = [
    -0.0023621185607526594,
    0.41485611868374833,
    -0.3722078760357013,
    0.31834661990116175,
    -0.11089469428239668,
    0.035478304325618236,
    -0.002166375594868791,
];
const ONE_BELOW: [f64; 7] = [
    1.0,
    0.10642088040084423,
    0.540397917702171,
    0.07182865441419627,
    0.12617121980876164,
    0.01363708391202905,
    0.011984499846799107,
];
/// The exponent of erfc(x) besides x^2, as a polynomial in 1 / x^2; up to 1 / 0.35.
const FAR: [f64; 8] = [
    -0.009864944034847148,
    -0.6938585727071818,
    -10.558626225323291,
    -62.375332450326006,
    -162.39666946257347,
    -184.60509290671104,
    -81.2874355063066,
    -9.814329344169145,
];
const FAR_BELOW: [f64; 9] = [
    1.0,
    19.651271667439257,
    137.65775414351904,
    434.56587747522923,
    645.3872717332679,
    429.00814002756783,
    108.63500554177944,
    6.570249770319282,
    -0.0604244152148581,
];
/// As [`FAR`], beyond that.
const FARTHER: [f64; 7] = [
    -0.0098649429247001,
    -0.799283237680523,
    -17.757954917754752,
    -160.63638485582192,
    -637.5664433683896,
    -1025.0951316110772,
    -483.5191916086514,
];
const FARTHER_BELOW: [f64; 8] = [
    1.0,
    30.33806074348246,
    325.7925129965739,
    1536.729586084437,
    3199.8582195085955,
    2553.0504064331644,
    474.52854120695537,
    -22.44095244658582,
];
/// erf(1), rounded to few digits.
const ERF_1: f64 = 0.8450629115104675;
/// 2 / sqrt(pi) - 1.
const SLOPE: f64 = 0.1283791670955126;

/// The error function.
pub(super) fn erf(x: f64) -> f64 {
    let magnitude = x.abs();
    if magnitude < 2f64.powi(-28) {
        return x + SLOPE * x;
    }
    if magnitude < 0.84375 {
        let square = x * x;
        return x + x * (by_pairs(square, &NEAR) / by_pairs(square, &NEAR_BELOW));
    }
    let erf = if magnitude < 1.25 {
        let beyond = magnitude - 1.0;
        ERF_1 + by_pairs(beyond, &ONE) / by_pairs(beyond, &ONE_BELOW)
    } else if magnitude < 6.0 {
        1.0 - complement(magnitude)
    } else {
        1.0
    };
    erf.copysign(x)
}

/// 1 - erf(x) for 1.25 <= x < 6. The square is that of x's upper half, which is exact.
fn complement(x: f64) -> f64 {
    let of = 1.0 / (x * x);
    let ratio = if x < 1.0 / 0.35 {
        by_pairs(of, &FAR) / by_pairs(of, &FAR_BELOW)
    } else {
        by_pairs(of, &FARTHER) / by_pairs(of, &FARTHER_BELOW)
    };
    let upper = f64::from_bits(x.to_bits() >> 32 << 32);
    glibc::exp(-upper * upper - 0.5625) * glibc::exp((upper - x) * (upper + x) + ratio) / x
}

/// A polynomial of at most nine coefficients, the lowest first.
fn by_pairs(x: f64, coefficients: &[f64]) -> f64 {
    let square = x * x;
    let fourth = square * square;
    let powers = [square, fourth, fourth * square, fourth * fourth];
    let mut pairs = coefficients.chunks(2).map(|pair| match *pair {
        [low, high] => low + x * high,
        _ => pair[0],
    });
    let first = pairs.next().unwrap_or_default();
    pairs.zip(powers).fold(first, |sum, (pair, power)| sum + power * pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_those_of_glibc() {
        let known: [(f64, u64); 19] = [
            (1e-10, 0x3ddf044332d68161),
            (0.0707106, 0x3fb4644efc72c0d8),
            (0.3497, 0x3fd842e366bc3262),
            (0.7071067811865475, 0x3fe5d897a241a6fa),
            (0.84, 0x3fe87c0c914f1a59),
            (0.9, 0x3fe98045a6c8a2e6),
            (1.0, 0x3feaf767a741088b),
            (1.165, 0x3fecd15c68a73eb1),
            (1.24, 0x3fed74c749cb9bf0),
            (1.25, 0x3fed8865d98abe00),
            (std::f64::consts::SQRT_2, 0x3fee8b4307d3627a),
            (1.63, 0x3fef52ae380a4bd1),
            (2.1213203435596424, 0x3fefe9e21e067a4a),
            (2.85, 0x3fefff8b47c320c2),
            (2.9, 0x3fefffa9cfbea4e3),
            (3.5355, 0x3feffffecc2237c9),
            (4.9, 0x3fefffffffff6b8f),
            (5.9, 0x3fefffffffffffff),
            (7.0, 0x3ff0000000000000),
        ];
        for (x, bits) in known {
            assert_eq!(erf(x).to_bits(), bits, "{x}");
            assert_eq!(erf(-x), -erf(x));
        }
    }
}
